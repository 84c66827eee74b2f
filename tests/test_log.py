"""A log tells what was done, line by line; it is its owner's alone, and nothing else is written into."""

import json
import os
import re
import stat
from pathlib import Path
from threading import Thread

import pytest
from commands import KEY, migrate, rows, summary

from migrate.errors import Refused, UsageError
from migrate.log import Log, Wanted, opened, own_kind
from migrate.logline import Record
from migrate.sandbox.server import Sandbox

BEGUN, LONG = Record("begun", "begun: x"), Record("x", "y" * 5_000)
BUSY = "503: transient error, please retry"


def lines(text):
    """Lines of a log without what is another on each run: times, processes, sizes of bodies, seconds, hosts."""
    text = re.sub(r"(?m)^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z migrate\[\d+\]: ", "<then> ", text)
    text = re.sub(r"http://127\.0\.0\.1:\d+", "<host>", text)
    text = re.sub(r"\b\d+ B, attempt", "<size>, attempt", text)
    return re.sub(r"\b\d+\.\d+ s\b", "<seconds>", text).splitlines()


def test_each_file_each_request_and_each_wait_is_told(tmp_path):
    """On stderr and in the file alike; the file, which lies among the inputs, is no input."""
    folder, log = tmp_path / "in", tmp_path / "in" / "migrate.log"
    source = rows(folder / "a.jsonl", 3)
    (folder / "b.jsonl").write_text("")
    faults = [{"fault": "status", "status": 503, "retry_after": 0.01, "times": 1}]
    with Sandbox(faults=faults) as sandbox:
        words = ["run", "posthog", folder, "--workdir", tmp_path / "w", "--host", sandbox.url, "-v", "--json"]
        done = migrate(*words, "--log-file", log, "--max-batch-events", "2", "--api-key", KEY)
    told = [
        f"passed over: {folder}/b.jsonl: empty",
        f"passed over: {folder}/migrate.log: log",
        f"begun: {folder}/a.jsonl: table events, jsonl, {source.stat().st_size} B",
        f"planned: {folder}/a.jsonl: 3 rows: 3 mapped, 0 filtered, 0 rejected; 3 events, in <seconds>",
        f"request 1: 2024-04-03, 1 event, <size>, attempt 1, <seconds>: {BUSY}",
        f"waits <seconds> (its Retry-After): attempt 1 failed, {BUSY}",
    ]
    kept = lines(log.read_text())
    assert done.returncode == 0
    assert kept[0].startswith(
        f"<then> begun: migrate run posthog {folder} --workdir {tmp_path}/w --host <host> "
    )
    assert KEY not in log.read_text()
    assert set(kept[1:-2]) >= {f"<then> {one}" for one in told}
    assert any(one.endswith("attempt 2, <seconds>: 200, accepted") for one in kept)
    assert kept[-2:] == [
        "<then> events: 3 planned: 3 accepted, 0 duplicate, 0 parked, 0 held, 0 pending",
        "<then> ended: exit code 0",
    ]
    assert [f"<then> {one}" for one in lines(done.stderr)[: len(kept) - 3]] == kept[1:-2]
    assert summary(done)["skipped_files"] == {"empty": 1, "log": 1}
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_a_quiet_command_tells_its_log(tmp_path):
    """Nothing on stderr; the log grows, and has what is set aside and why a command ended."""
    log, source = tmp_path / "log", rows(tmp_path / "in" / "a.jsonl", 3)
    words = ["plan", "posthog", source, "--workdir", tmp_path / "w", "--quiet", "--log-file", log]
    assert (migrate(*words).stderr, migrate(*words).stderr) == ("", "")
    assert lines(log.read_text())[-4:] == [
        "<then> planned before: 1 file",
        "<then> events: 3 planned: 0 accepted, 0 duplicate, 0 parked, 0 held, 3 pending",
        f"<then> next: migrate apply {tmp_path}/w --host …",
        "<then> ended: exit code 0",
    ]
    rows(source, 4)
    changed = migrate(*words, "--on-changed", "set-aside")
    kept = lines(log.read_text())
    assert changed.stderr.startswith(f"error: {source}: set aside: changed since it was planned")
    assert f"<then> {changed.stderr.splitlines()[0]}" in kept
    assert kept[-1] == "<then> ended: exit code 5"
    gone = migrate("status", tmp_path / "none", env={"MIGRATE_LOG_FILE": str(log)})
    assert lines(log.read_text())[-2:] == [f"<then> {gone.stderr.strip()}", "<then> ended: exit code 5"]


def test_loud_and_quiet_are_not_wanted_together(tmp_path):
    """Nothing is done."""
    done = migrate("status", tmp_path, "--quiet", env={"MIGRATE_VERBOSE": "1"})
    assert done.returncode == 2
    assert done.stderr == (
        "error: --verbose: found with --quiet, which shows warnings and errors only; leave one out, or tell the rest "
        "to a --log-file\n"
    )


WRONG = [
    pytest.param(
        "none/log",
        "cannot be written, No such file or directory; name a file in a folder that is there",
        id="nowhere",
    ),
    pytest.param(
        "in/a.jsonl",
        "is there and is no log of migrate's; name another, it would be written into",
        id="an export",
    ),
]


@pytest.mark.parametrize(("name", "words"), WRONG)
def test_a_log_that_cannot_be_is_refused_before_anything_is_done(tmp_path, name, words):
    """Neither a workdir is made nor a file touched."""
    source = rows(tmp_path / "in" / "a.jsonl", 3)
    before = source.read_bytes()
    log = tmp_path / name
    done = migrate("plan", "posthog", source, "--workdir", tmp_path / "w", "--log-file", log, "--json")
    assert (done.returncode, done.stderr) == (2, f"error: --log-file: {log} {words}\n")
    assert summary(done)["run"]["exit_code"] == 2
    assert source.read_bytes() == before
    assert not (tmp_path / "w").exists()


def test_a_log_is_told_by_its_first_line(tmp_path):
    """Also one that was cut, or moved away, by what keeps logs small; no other file is."""
    path = tmp_path / "log"
    assert own_kind(path) == ""
    path.write_text("")
    path.chmod(0o644)
    for _ in range(2):
        with opened(Wanted(path), BEGUN) as log:
            log.tell(Record("x", "one\ntwo\x1b"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert own_kind(path) == "log"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))
    assert lines(path.read_text())[0] == "<then> one\\ntwo\\x1b"
    assert own_kind(path) == "log"
    path.write_text('{"event":"2026-11-28T18:00:00.000Z migrate[1]: "}')
    assert own_kind(path) == ""
    with pytest.raises(UsageError), opened(Wanted(path), BEGUN):
        pass


def test_a_log_of_json_is_one_too(tmp_path):
    """It goes on where one of text was begun; whose objects look alike is no log of ours."""
    path = tmp_path / "log"
    for is_json in (False, True):
        with opened(Wanted(path, as_json=is_json), BEGUN, {"command": "plan"}) as log:
            log.said("note: é\udc80")
    text, objects = path.read_text().splitlines()[:2], path.read_text().splitlines()[2:]
    assert [one.partition("]: ")[2] for one in text] == ["begun: x", "note: \u00e9\\udc80"]
    assert [(one["event"], one["command"]) for one in map(json.loads, objects)] == [
        ("begun", "plan"),
        ("note", "plan"),
    ]
    path.write_text("".join(f"{line}\n" for line in objects))
    assert own_kind(path) == "log"
    path.write_text('{"time":"2026-11-28T18:00:00.000Z","logger":"app","pid":1,"level":"info"}')
    assert own_kind(path) == ""


def test_how_a_command_ends_is_its_last_line(tmp_path):
    """Whatever ends it."""
    ends = [Refused("w: no"), SystemExit(3), KeyboardInterrupt()]
    for error in ends:
        with pytest.raises(type(error)), opened(Wanted(tmp_path / "log"), BEGUN):
            raise error
    assert lines((tmp_path / "log").read_text()) == [
        "<then> begun: x",
        "<then> error: w: no",
        "<then> ended: exit code 5",
        "<then> begun: x",
        "<then> ended: exit code 3",
        "<then> begun: x",
        "<then> ended: KeyboardInterrupt",
    ]


def test_a_log_that_cannot_be_written_any_more_is_no_end(capsys):
    """It is said once, and the work goes on."""
    with Path("/dev/full").open("wb", buffering=0) as full:
        log = Log(file=full.fileno())
        log.tell(Record("x", "one"))
        log.tell(Record("x", "two"))
    assert capsys.readouterr().err == (
        "warning: --log-file: cannot be written any more, No space left on device\n"
    )
    assert not log.is_wanted


def test_lines_of_many_threads_stay_whole(tmp_path):
    """Files are planned side by side."""
    with opened(Wanted(tmp_path / "log"), BEGUN) as log:
        threads = [Thread(target=lambda: [log.tell(LONG) for _ in range(50)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert set(lines((tmp_path / "log").read_text())[1:]) == {"<then> " + "y" * 5_000}


def test_a_log_may_be_a_device(capfd):
    """What is no file has no first line, and stays as it is."""
    with opened(Wanted(Path(f"/dev/fd/{os.dup(2)}"), verbose=True), BEGUN) as log:
        log.tell(Record("x", "one"))
    assert "migrate[" in capfd.readouterr().err
