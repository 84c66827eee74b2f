"""A folder whose files are gone once they were planned is a night without rows."""

from datetime import UTC, datetime, timedelta

import pytest
from commands import KEY, rows
from workdirs import here

from migrate.sandbox.server import Sandbox


def emptied(folder):
    """Remove what is in a folder."""
    for path in folder.iterdir():
        path.unlink()


@pytest.mark.parametrize("given", ["in", "in/*.jsonl", "in/"])
@pytest.mark.parametrize("what", ["events", "rejects alone"])
def test_an_emptied_folder_is_a_night_without_rows(tmp_path, given, what):
    """It is said in words, and what was planned stands; the next night's file is planned."""
    more = {} if what == "events" else {"timestamp": "soon"}
    rows(tmp_path / "in" / "a.jsonl", 2, **more)
    words = ["plan", "posthog", f"{tmp_path}/{given}", "--workdir", tmp_path / "w", "--json"]
    first = here(*words)
    assert first.returncode == (0 if what == "events" else 3)
    emptied(tmp_path / "in")
    done = here(*words)
    assert done.returncode == 0, done.stderr
    where = f"{tmp_path}/{given}".rstrip("/")
    assert f"note: {where}: nothing in it to read by now; what was planned of it stands" in done.stderr
    assert done.summary["skipped_files"] == {"emptied": 1}
    assert done.summary["rows"] == first.summary["rows"]
    rows(tmp_path / "in" / "b.jsonl", 1, start=7)
    assert here(*words).summary["rows"]["read"] == 3


def test_held_days_go_in_a_night_without_rows(tmp_path):
    """By run, as soon as they are old enough."""
    now = datetime.now(UTC) - timedelta(hours=1)
    rows(tmp_path / "in" / "a.jsonl", 2, timestamp=now.isoformat())
    with Sandbox() as sandbox:
        words = [
            "run",
            "posthog",
            tmp_path / "in",
            "--workdir",
            tmp_path / "w",
            "--host",
            sandbox.url,
            "--json",
        ]
        words += ["--api-key", KEY]
        held = here(*words, "--min-age", "48h")
        assert (held.returncode, held.summary["events"]["held"]) == (0, 2)
        emptied(tmp_path / "in")
        done = here(*words, "--min-age", "0")
        assert (done.returncode, done.summary["events"]["accepted"]) == (0, 2), done.stderr


def test_a_folder_of_which_nothing_was_planned_is_a_wrong_command(tmp_path):
    """So is one that is not there: a disk that is not mounted is no quiet night."""
    rows(tmp_path / "in" / "a.jsonl", 2)
    (tmp_path / "other").mkdir()
    (tmp_path / "inn").mkdir()
    words = ["--workdir", tmp_path / "w", "--json"]
    assert here("plan", "posthog", tmp_path / "other", *words).returncode == 2
    assert here("plan", "posthog", tmp_path / "in", *words).returncode == 0
    for name in ("other", "inn"):
        done = here("plan", "posthog", tmp_path / name, *words)
        assert (done.returncode, "nothing in it to read" in done.stderr) == (2, True)
    emptied(tmp_path / "in")
    assert here("plan", "posthog", tmp_path / "in", "--workdir", tmp_path / "new").returncode == 2
    assert here("plan", "posthog", tmp_path / "in", tmp_path / "other", *words).returncode == 2
    (tmp_path / "in").rmdir()
    done = here("plan", "posthog", tmp_path / "in", *words)
    assert (done.returncode, "no such file or folder; check the path" in done.stderr) == (2, True)


def test_an_emptied_folder_beside_another_costs_nothing(tmp_path):
    """The other's new files are planned."""
    for name in ("a", "b"):
        rows(tmp_path / name / "x.jsonl", 2, start=ord(name))
    words = ["plan", "posthog", tmp_path / "a", tmp_path / "b", "--workdir", tmp_path / "w", "--json"]
    assert here(*words).returncode == 0
    emptied(tmp_path / "a")
    rows(tmp_path / "b" / "y.jsonl", 3)
    done = here(*words)
    assert (done.returncode, done.summary["rows"]["read"]) == (0, 7)


@pytest.mark.parametrize("sends", [False, True])
def test_a_file_without_rows_is_planned_anew_as_that(tmp_path, sends):
    """With --again: what was not sent of it goes, what was sent stays, and nothing of it is open any more."""
    source, workdir = tmp_path / "in", tmp_path / "w"
    first = rows(source / "a.jsonl", 3)
    first.write_text(first.read_text() + "{bad\n")
    rows(source / "b.jsonl", 2, start=7)
    words = ["plan", "posthog", source, "--workdir", workdir, "--json"]
    assert here(*words).returncode == 3
    if sends:
        assert here("apply", workdir, "--host", "sandbox").returncode == 0
    first.write_text("")
    alone = here(*words, "--again", source / "b.jsonl")
    assert alone.returncode == (0 if sends else 2)
    if sends:  # it is what it was, also without those that were planned together with it
        assert (alone.summary["rows"]["read"], alone.summary["rows_read_again"]) == (6, 0)
    else:
        assert (
            f"--again: {first} has no row by now, and files that were planned together are planned"
            in alone.stderr
        )
    done = here(*words, "--again", first, "--again", source / "b.jsonl")
    assert done.returncode == 0, done.stderr
    assert (
        f"note: {first}: no row in it by now; what was planned of it and not sent is not sent any more"
        in done.stderr
    )
    found = done.summary
    assert (found["open_rejects"], found["whole"], found["balanced"]) == ({}, True, True)
    assert (found["events"]["planned"] - found["events"]["accepted"]) == 2
    assert found["rows"]["read"] - found["rows_read_again"] == 2
    assert here(*words).returncode == 0
    rows(first, 4)
    done = here(*words)
    assert (done.returncode, done.summary["rows"]["read"] - done.summary["rows_read_again"]) == (0, 6)


def test_why_a_file_cannot_be_planned_anew_is_said(tmp_path):
    """It is empty and never was planned, is broken, or passed over; the workdir stays as it is."""
    first = rows(tmp_path / "in" / "a.jsonl", 2)
    words = ["plan", "posthog", tmp_path / "in", "--workdir", tmp_path / "w"]
    assert here(*words).returncode == 0
    before = (tmp_path / "w" / "checkpoint.sqlite").read_bytes()
    (tmp_path / "in" / "empty.jsonl").write_text("")
    (tmp_path / "in" / "_SUCCESS").write_text("")
    first.write_bytes(b"PK\3\4 no archive")
    for name, why in {
        "empty.jsonl": "has no row by now, and nothing of it is left to send; leave it out",
        "_SUCCESS": "is passed over (marker), and not planned; leave it out",
        "a.jsonl": "cannot be planned as it is now, broken zip archive",
        "gone.jsonl": "is not among the inputs; name it as an input, too",
    }.items():
        done = here(*words, "--again", tmp_path / "in" / name)
        assert (done.returncode, f"--again: {tmp_path / 'in' / name} {why}" in done.stderr) == (2, True), (
            done.stderr
        )
    assert (tmp_path / "w" / "checkpoint.sqlite").read_bytes() == before
