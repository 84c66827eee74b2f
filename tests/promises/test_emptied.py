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
