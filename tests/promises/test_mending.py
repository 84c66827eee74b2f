"""Rejected rows are mended as the screens say it, as often as it takes, and what stays behind is told."""

import gzip
import json
import shlex

import pytest
from rejected import BAD, GOOD, Workdir, written
from workdirs import here

from migrate.sandbox.server import Sandbox


@pytest.fixture
def workdir(tmp_path, monkeypatch):
    """A workdir with three open rejects of two files, where the user is."""
    monkeypatch.chdir(tmp_path)
    return Workdir(tmp_path)


def followed(workdir, count):
    """Follow the lines of `rejects`: copy, mend the first so many rows of the copy, plan it."""
    shown = here("rejects", workdir.path).stderr.splitlines()
    copying, planning = (line.strip() for line in shown[3:5])
    _, source, copy = shlex.split(copying)
    assert source == str(workdir.file)
    text = workdir.file.read_text().replace(f'"timestamp":"{BAD}"', f'"timestamp":"{GOOD}"', count)
    (workdir.folder / copy).write_text(text)
    return copy, here(*shlex.split(planning)[1:], "--json")


def test_the_lines_shown_work_as_often_as_they_are_followed(workdir):
    """Each copy has a name that no file has and none was planned under, also where the first copies are gone."""
    first, done = followed(workdir, 1)
    assert (first, done.returncode, done.summary["mended_rejects"]) == ("mended.jsonl", 3, 1), done.stderr
    second, done = followed(workdir, 1)
    assert (second, done.returncode, done.summary["mended_rejects"]) == ("mended-2.jsonl", 3, 2), done.stderr
    (workdir.folder / first).unlink()
    (workdir.folder / second).unlink()
    (workdir.folder / "mended-3.jsonl").write_text("what is being mended\n")
    third, done = followed(workdir, 1)
    assert (third, done.returncode, done.summary["open_rejects"]) == ("mended-4.jsonl", 0, {}), done.stderr


def test_a_copy_that_was_planned_and_changed_is_one_file_set_aside(workdir):
    """Not one for each file whose rows it holds; the way out is --again, and then it is set aside no more."""
    copy = workdir.copy((BAD, BAD))
    assert workdir.plan(copy).returncode == 3
    copy.write_text(copy.read_text().replace(BAD, GOOD))
    done = workdir.plan(copy)
    assert done.returncode == 5
    (said,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert said.startswith(f"error: {copy}: set aside: changed since it was planned")
    assert said.endswith(f"--again {copy}")
    assert [*done.summary["set_aside"]] == [str(copy)]
    assert workdir.plan(copy).returncode == 0
    assert [*workdir.plan(workdir.source).summary["set_aside"]] == [str(copy)]
    done = workdir.plan(copy, "--again", copy)
    assert (done.returncode, done.summary["set_aside"], workdir.status()) == (0, {}, ({}, 0)), done.stderr


def test_a_copy_that_is_put_back_is_set_aside_no_more(workdir):
    """It is what was planned, byte for byte."""
    copy = workdir.copy((BAD, GOOD))
    text = copy.read_text()
    assert workdir.plan(copy).returncode == 0
    copy.write_text(text + text)
    assert workdir.plan(copy).returncode == 5
    copy.write_text(text)
    done = workdir.plan(copy)
    assert (done.returncode, done.summary["set_aside"]) == (0, {})


def test_a_copy_with_fewer_rows_is_planned_again_once_the_others_are_sent(workdir):
    """Rows of a file that are in it no more stay as they were sent."""
    words = ["--workdir", workdir.path, "--host", "sandbox", "--json"]
    copy = workdir.copy((BAD, BAD))
    lines = [json.loads(line) for line in copy.read_text().splitlines()]
    for line in lines[2:]:
        line["source"]["timestamp"] = GOOD
    copy.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert here("run", "posthog", copy, *words).returncode == 3
    copy.write_text(workdir.file.read_text().replace(BAD, GOOD))
    assert here("run", "posthog", copy, *words).returncode == 5
    done = here("run", "posthog", copy, "--again", copy, *words)
    assert (done.returncode, done.summary["open_rejects"]) == (0, {}), done.stderr
    assert (done.summary["events"]["planned"], done.summary["events"]["pending"]) == (6, 0)


@pytest.mark.parametrize("command", ["plan", "run"])
def test_what_stays_set_aside_is_told_each_time(workdir, command):
    """By the run that sets it aside in its JSON, by later ones on the screen and with --quiet; the command works."""
    copy = workdir.copy((BAD, BAD))
    words = [command, "posthog", copy, "--workdir", workdir.path]
    words += ["--host", "sandbox"] if command == "run" else []
    assert here(*words).returncode == 3
    copy.write_text(copy.read_text().replace(BAD, GOOD))
    done = here(*words, "--json")
    assert done.returncode == 5
    error = done.summary["run"]["error"]
    said, way = error.split("; next: ")
    assert said == f"1 file set aside, not planned: {copy}"
    assert f" --again {copy} " in way
    done = here(*words, "--json")
    assert (done.returncode, done.summary["run"]["error"]) == (0, None)
    assert "set aside: 1 file, not planned as now found" in done.stderr
    assert f": {way}\n" in done.stderr or f"next     {way}\n" in done.stderr
    assert here(*words, "--quiet").stderr == f"warning: {error}\n"
    assert f"         to plan what is there now: {way}\n" in here("rejects", workdir.path).stderr
    done = here(*shlex.split(way)[1:], "--json", "--quiet")
    assert (done.returncode, done.stderr, done.summary["set_aside"]) == (0, "", {})


def test_what_is_dismissed_is_told_no_more(workdir):
    """Nor is a command that goes on, where a file is no change of a planned one."""
    copy = workdir.copy((BAD, GOOD))
    assert workdir.plan(copy).returncode == 0
    copy.write_text("")
    (workdir.folder / "x.jsonl.gz").write_bytes(b"PK\x03\x04 no archive")
    done = workdir.plan(workdir.source, workdir.folder / "x.jsonl.gz", "--quiet")
    assert done.returncode == 5
    assert done.summary["run"]["error"].endswith(f"x.jsonl.gz; next: migrate rejects {workdir.path}")
    (reason,) = (
        one.split(":")[0][9:]
        for one in here("rejects", workdir.path).stderr.splitlines()
        if one[:5] == "aside"
    )
    here("rejects", workdir.path, "--dismiss", reason)
    assert workdir.plan(workdir.source, "--quiet").stderr == ""


def test_how_many_are_mended_is_said_of_mending_alone(workdir):
    """Not where a plan goes on that rejects other rows; where a copy mends none it is said."""
    written(workdir.source / "c.jsonl", [BAD])
    assert "mended   " not in workdir.plan(workdir.source).stderr
    said = workdir.plan(workdir.copy()).stderr
    assert "mended   0 rejected rows; still rejected: 4 bad_timestamp" in said


def test_what_became_of_rejected_rows_is_among_the_rows(workdir):
    """As many as are mended or dismissed, beside those that were ever rejected."""
    assert "of the rejected" not in here("status", workdir.path).stderr
    copy = workdir.copy()
    lines = copy.read_text().splitlines(keepends=True)
    copy.write_text("".join(lines[:2]).replace(BAD, GOOD))
    assert workdir.plan(copy).returncode == 0
    rows = "         3 rejected: bad_timestamp\n         of the rejected: "
    again = (
        "         2 of the read: of mended copies, and of files as they were before they were planned anew"
    )
    assert f"{rows}1 open, 2 mended\n{again}\n" in here("status", workdir.path).stderr
    here("rejects", workdir.path, "--dismiss", "bad_timestamp")
    assert f"{rows}0 open, 2 mended, 1 dismissed\n{again}\n" in here("status", workdir.path).stderr


def adding_up(workdir, sources):
    """The summary of a workdir, once its numbers add up: so many rows are in the sources as they are now."""
    found = here("status", workdir.path, "--json").summary
    rows = found["rows"]
    left = ("mended_rejects", "dismissed_rejects", "rejects_read_again")
    assert sum(rows["rejected"].values()) == sum([*found["open_rejects"].values(), *(found[n] for n in left)])
    assert rows["read"] - found["rows_read_again"] == sources
    assert found["balanced"]
    return found


@pytest.mark.parametrize("sends", [False, True])
def test_rows_that_are_read_again_are_told_apart(workdir, sends):
    """Whatever is done with rejects: every attempt counts, and how many rows there are can be told all the same."""
    copy = workdir.copy()
    lines = copy.read_text().splitlines(keepends=True)
    copy.write_text("".join([lines[0].replace(BAD, GOOD), lines[1], lines[2].replace(f'"{BAD}"', '""')]))
    assert workdir.plan(copy).returncode == 3
    found = adding_up(workdir, 6)
    assert (found["rows_read_again"], found["mended_rejects"], found["rejects_read_again"]) == (3, 1, 2)
    # What is rejected for another reason is not mended.
    assert found["open_rejects"] == {"bad_timestamp": 1, "no_timestamp": 1}
    if sends:
        assert here("apply", workdir.path, "--host", "sandbox", "--yes").returncode == 0
    written(workdir.first, [GOOD, GOOD, GOOD, GOOD, BAD])
    assert workdir.plan(workdir.source, "--again", workdir.first, "--again", workdir.second).returncode == 3
    adding_up(workdir, 7)
    here("rejects", workdir.path, "--dismiss", "bad_timestamp")
    adding_up(workdir, 7)
    last = workdir.copy((BAD, GOOD), ('"timestamp":""', f'"timestamp":"{GOOD}"'), name="last.jsonl")
    assert workdir.plan(last).returncode == 0
    found = adding_up(workdir, 7)
    assert (found["open_rejects"], found["dismissed_rejects"]) == ({}, 0)


def test_what_was_dismissed_and_is_rejected_again_is_no_news(workdir):
    """A copy of the whole file: what is new is named by its place, the dismissed stays so, the mended goes."""
    here("rejects", workdir.path, "--dismiss", "bad_timestamp")
    assert workdir.plan(workdir.copy()).returncode == 0
    assert workdir.status() == ({}, 0)
    third = written(workdir.source / "c.jsonl", [BAD])
    assert workdir.plan(workdir.source).returncode == 3
    copy = workdir.copy(name="second.jsonl")
    lines = copy.read_text().splitlines(keepends=True)
    mended = next(line for line in lines if '"row":2' in line)
    copy.write_text("".join(lines).replace(mended, mended.replace(BAD, GOOD)))
    done = workdir.plan(copy)
    assert (done.returncode, done.summary["open_rejects"]) == (3, {"bad_timestamp": 1})
    assert (done.summary["mended_rejects"], done.summary["dismissed_rejects"]) == (1, 2)
    said = f"""
mended   1 rejected row; still rejected: 1 bad_timestamp
         1 row of the copy rejected again: bad_timestamp  (at {third}:1)
         2 rows of the copy dismissed before, rejected again: stays dismissed: bad_timestamp  (at \
{workdir.first}:4, {workdir.second}:1)
"""
    assert said in f"\n{done.stderr}"
    assert ("a.jsonl", 2, "bad_timestamp") not in workdir.lines()
    assert workdir.plan(workdir.copy((BAD, "never"), name="third.jsonl")).returncode == 3  # row 1 of c.jsonl


def test_a_copy_that_is_emptied_is_not_planned_anew(workdir):
    """What is mended in it would be lost; once it is sent it stands."""
    copy = workdir.copy((BAD, GOOD))
    assert workdir.plan(copy).returncode == 0
    copy.write_text("")
    done = workdir.plan(copy, "--again", copy)
    assert (
        done.returncode,
        "is of a file that has no row by now; put that back as it was" in done.stderr,
    ) == (2, True)
    assert here("apply", workdir.path, "--host", "sandbox").returncode == 0
    done = workdir.plan(copy, "--again", copy)
    said = f"--again: {copy} has no row by now, and nothing of it is left to send; leave it out"
    assert (done.returncode, said in done.stderr) == (2, True)
    assert workdir.status() == ({}, 0)


def test_a_dismissed_row_that_is_mended_wrongly_is_news(workdir):
    """It is rejected for another reason now, and open for that."""
    here("rejects", workdir.path, "--dismiss", "bad_timestamp")
    copy = workdir.copy((f'"timestamp":"{BAD}"', '"timestamp":""'))
    done = workdir.plan(copy)
    assert (done.returncode, done.summary["open_rejects"]) == (3, {"no_timestamp": 3})
    assert (done.summary["mended_rejects"], done.summary["dismissed_rejects"]) == (0, 0)
    assert f"3 rows of the copy rejected again: no_timestamp  (at {workdir.first}:2, " in done.stderr
    adding_up(workdir, 6)


def test_a_mended_event_that_was_sent_in_another_form_is_said(tmp_path):
    """Its key is the same, so that it is a duplicate; what is the same in both is no matter."""
    uuids = [f"018ea334-575a-7075-b5ac-c526e86729c{n}" for n in range(3)]
    row = {"event": "e", "distinct_id": "u", "timestamp": BAD}
    source = tmp_path / "a.jsonl"
    source.write_text(
        "".join(json.dumps(row | {"uuid": uuid, "properties": {"n": 1}}) + "\n" for uuid in uuids)
    )
    with Sandbox() as sandbox:
        words = [
            "--workdir",
            tmp_path / "w",
            "--host",
            sandbox.url,
            "--api-key",
            "phc_secret",
            "--yes",
            "--json",
        ]
        assert here("run", "posthog", source, *words).returncode == 3
        text = (tmp_path / "w" / "rejects.jsonl").read_text().replace(BAD, GOOD)
        first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
        first.write_text(text)
        done = here("run", "posthog", first, *words)
        assert (done.returncode, "in another form" in done.stderr) == (0, False)
        lines = text.splitlines(keepends=True)
        second.write_text(lines[0] + lines[1].replace('"n": 1', '"n": 2') + lines[2])
        said = (
            "1 event of the copy sent before in another form: PostHog keeps that, this is a duplicate  (at "
        )
        assert f"{said}{second}:2)" in here("plan", "posthog", second, "--workdir", tmp_path / "w").stderr
        done = here("run", "posthog", second, *words)
        assert (done.summary["events"]["accepted"], done.summary["events"]["duplicate"]) == (3, 3)
        third = tmp_path / "third.jsonl"
        third.write_text(lines[0].replace('"n": 1', '"n": 3'))
        assert f"(at {third}:1)" in here("run", "posthog", third, *words).stderr
        assert sorted(one["properties"]["n"] for one in sandbox.events("raw")) == [1, 1, 1]


def test_samples_of_a_copy_take_the_place_of_no_others(workdir):
    """A plan that is looked at again shows its own rows; those of a copy are named as they first were."""
    before = here("show", workdir.path, "--samples", "9").stderr.partition("events by day")[0]
    assert f"row {workdir.first}:1\n" in before
    copy = workdir.copy((BAD, GOOD))
    assert workdir.plan(copy).returncode == 0
    assert here("show", workdir.path, "--samples", "9").stderr.partition("events by day")[0] == before
    said = here("run", "posthog", copy, "--dry-run").stderr
    assert f"row {workdir.first}:2\n" in said
    assert f"row {workdir.first}:4\n" in said
    assert f"row {copy}" not in said
    copy.write_text(copy.read_text().replace(GOOD, BAD))
    said = here("preview", "posthog", copy).stderr
    assert f"{workdir.first}:4: rejected: bad_timestamp" in said


def test_a_cut_off_file_is_told_when_it_is_planned_and_forgotten_when_it_is_whole(tmp_path):
    """Also with --quiet, and in the log; replaced whole and planned again it is damaged no more."""
    whole = b'{"event":"e","distinct_id":"u","timestamp":"2024-04-03T12:00:00Z"}\n' * 2_000
    cut, log = tmp_path / "cut.jsonl.gz", tmp_path / "migrate.log"
    cut.write_bytes(gzip.compress(whole)[:-20])
    words = ["plan", "posthog", cut, "--workdir", tmp_path / "w", "--quiet", "--log-file", log]
    said = f"warning: {cut}: could not be read to its end; what was readable is planned"
    look = f"migrate rejects {tmp_path}/w"
    open_ = f"warning: {tmp_path}/w: 1 row rejected (1 truncated_file); next: {look}\n"
    assert here(*words).stderr == f"{said}\n{open_}"
    assert f"{said}\n" in log.read_text()
    assert here(*words).stderr == ""
    for data, damaged in ((gzip.compress(whole)[:-19], [str(cut)]), (gzip.compress(whole), [])):
        cut.write_bytes(data)
        done = here(*words, "--again", cut)
        assert done.returncode in {0, 3}
        assert done.stderr == (f"{said}\n{open_ * (done.returncode == 3)}" if damaged else "")
        found = here("status", tmp_path / "w", "--json").summary
        assert found["damaged_files"] == damaged
        assert ("damaged_file" in found["warnings"]) == bool(damaged)


def test_several_reasons_are_dismissed_at_once(tmp_path):
    """Or none, where nothing is open for one of them."""
    source = tmp_path / "a.jsonl"
    row = {"event": "e", "distinct_id": "u", "timestamp": BAD}
    source.write_text(
        f"{json.dumps(row)}\n{json.dumps(row | {'timestamp': GOOD, 'distinct_id': ''})}\n{{bad\n"
    )
    assert here("plan", "posthog", source, "--workdir", tmp_path / "w").returncode == 3
    dismissing = ["rejects", tmp_path / "w", "--json", "--dismiss", "bad_timestamp", "--dismiss"]
    done = here(*dismissing, "nothing")
    assert done.returncode == 2
    assert (
        "--dismiss: nothing is open for this reason, found 'nothing'; these are: bad_timestamp, "
        in done.stderr
    )
    done = here(*dismissing, "malformed_json")
    assert (done.returncode, done.summary["open_rejects"]) == (3, {"no_distinct_id": 1})
