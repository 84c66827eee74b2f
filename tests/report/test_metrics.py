"""Metrics are written whole or not at all, and what a command does not know of stays."""

import fcntl
import os
import stat
from copy import deepcopy
from threading import Thread

import pytest
from prometheus_client.parser import text_string_to_metric_families

from migrate.errors import UsageError
from migrate.report import metrics
from migrate.report.metrics import FAMILIES, Ended, note, samples, text

SUMMARY = {
    "rows": {"mapped": 5, "filtered": {"rule:drop_events": 2}, "rejected": {"bad_timestamp": 1}},
    "events": {"planned": 11, "accepted": 4, "duplicate": 3, "parked": 2, "held": 2, "pending": 0},
    "open_rejects": {"bad_timestamp": 1},
    "dismissed_parked": 1,
    "set_aside": {"a.csv": "why", "b.csv": "why"},
    "requests": 7,
    "retries": 6,
    "bytes_sent": 12_345,
    "last_timestamp": "2024-04-03T12:00:00.500000Z",
    "import_id": "one",
    "verify": {"passes": False, "causes": {"dropped": 8}},
}
EARLY = {"import_id": None}


def ended(workdir="/w", code=0, **other):
    """How a command ended."""
    usual = {"command": "run", "job": "web", "ended": 1_712_145_700.25, "seconds": 1.5, "summary": SUMMARY}
    return Ended(workdir=workdir, code=code, **(usual | other))


def read(path):
    """The samples of a file, by name and the values of their labels, as a reader of Prometheus' has them."""
    found = {}
    for family in text_string_to_metric_families(path.read_text()):
        for one in family.samples:
            assert family.documentation
            known = found.setdefault(one.name, {})
            labels = tuple(value for _, value in sorted(one.labels.items()))
            assert labels not in known
            known[labels] = one.value
    return found


def names(folder):
    """The names in a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_a_summary_is_metrics(tmp_path):
    """Each family, in its order; times are seconds; two files of the same are the same."""
    for name in ("a.prom", "b.prom"):
        note(tmp_path / name, ended())
    assert (tmp_path / "a.prom").read_bytes() == (tmp_path / "b.prom").read_bytes()
    assert stat.S_IMODE((tmp_path / "a.prom").stat().st_mode) == 0o644
    assert names(tmp_path) == ["a.prom", "b.prom"]
    of_all, of_run = ("web", "/w"), ("run", "web", "/w")
    assert read(tmp_path / "a.prom") == {
        "migrate_rows_total": {
            ("web", "filtered", "rule:drop_events", "/w"): 2,
            ("web", "mapped", "", "/w"): 5,
            ("web", "rejected", "bad_timestamp", "/w"): 1,
        },
        "migrate_events": {
            ("web", outcome, "/w"): events
            for outcome, events in SUMMARY["events"].items()
            if outcome != "planned"
        },
        "migrate_open_rejects": {("web", "bad_timestamp", "/w"): 1},
        "migrate_open_parked_events": {of_all: 1},
        "migrate_set_aside_files": {of_all: 2},
        "migrate_requests_total": {of_all: 7},
        "migrate_retries_total": {of_all: 6},
        "migrate_sent_bytes_total": {of_all: 12_345},
        "migrate_newest_event_timestamp_seconds": {of_all: 1_712_145_600.5},
        "migrate_lag_seconds": {of_all: 99.75},
        "migrate_verify_passes": {of_all: 0},
        "migrate_verify_events": {("dropped", *of_all): 8},
        "migrate_last_exit_code": {of_run: 0},
        "migrate_last_run_timestamp_seconds": {of_run: 1_712_145_700.25},
        "migrate_last_success_timestamp_seconds": {of_run: 1_712_145_700.25},
        "migrate_duration_seconds": {of_run: 1.5},
    }
    lines = (tmp_path / "a.prom").read_text().splitlines()
    assert [line.split()[2] for line in lines if line.startswith("# TYPE ")] == [one.name for one in FAMILIES]


def test_what_a_command_does_not_know_stays(tmp_path):
    """Another workdir's, another command's, the last success, what was verified; not what is no more."""
    path = tmp_path / "m.prom"
    for one in (ended(), ended("/v", 3, job=""), ended(command="verify", ended=5.0)):
        note(path, one)
    before = read(path)
    note(path, ended(code=2, ended=9.0, summary=EARLY))
    after = read(path)
    of_run = ("run", "web", "/w")
    assert after.pop("migrate_last_exit_code") == before.pop("migrate_last_exit_code") | {of_run: 2}
    last = "migrate_last_run_timestamp_seconds"
    assert after.pop(last) == before.pop(last) | {of_run: 9}
    assert after == before
    changed = deepcopy(SUMMARY) | {"open_rejects": {}, "last_timestamp": None}
    del changed["verify"]
    note(path, ended(code=3, summary=changed, job="renamed"))
    found = read(path)
    assert found["migrate_open_rejects"] == {("", "bad_timestamp", "/v"): 1}
    assert found["migrate_lag_seconds"].keys() == {("", "/v")}
    assert found["migrate_set_aside_files"].keys() == {("renamed", "/w"), ("", "/v")}
    assert found["migrate_verify_events"] == before["migrate_verify_events"]
    success = "migrate_last_success_timestamp_seconds"
    assert found[success] == before[success]


def test_labels_are_read_as_they_were(tmp_path):
    """Quotes, backslashes, whatever the language; what ends a line, or is no text, as the log has it."""
    path = tmp_path / "m.prom"
    for workdir in ('/a "b"\\n{é,}=\U0001f600', "/b\r\n\udcff\x1b\x85"):
        for code in (0, 3):
            note(path, ended(workdir, code, summary=EARLY))
    assert read(path)["migrate_last_exit_code"] == {
        ("run", "web", '/a "b"\\n{é,}=\U0001f600'): 3,
        ("run", "web", r"/b\r\n\udcff\x1b\x85"): 3,
    }


def test_a_harmed_file_is_begun_anew(tmp_path):
    """One of ours that was cut short, or has other bytes in it; an empty one, as `touch` makes it, is filled."""
    path = tmp_path / "m.prom"
    whole = text(samples(ended()))
    for harmed in (b"", whole[: whole.index(b"mapped")], whole.replace(b"web", b"\xff")):
        path.write_bytes(harmed)
        note(path, ended())
        assert path.read_bytes() == whole


def test_what_is_no_file_of_metrics_stays(tmp_path):
    """Another's file, a folder, a device; and a link stays a link."""
    export = tmp_path / "a.jsonl"
    export.write_text('{"event": "e"}\n')
    os.mkfifo(tmp_path / "pipe")
    for path in (export, tmp_path, tmp_path / "pipe"):
        with pytest.raises(UsageError):
            note(path, ended())
    assert export.read_text() == '{"event": "e"}\n'
    (tmp_path / "link").symlink_to("m.prom")
    note(tmp_path / "link", ended())
    assert (tmp_path / "link").is_symlink()
    assert read(tmp_path / "m.prom")
    assert names(tmp_path) == ["a.jsonl", "link", "m.prom", "pipe"]


def test_several_write_one_file(tmp_path):
    """Each after the other; who waits too long gives up, and nothing is lost."""
    path = tmp_path / "m.prom"
    threads = [Thread(target=note, args=(path, ended(f"/{number}"))) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(read(path)["migrate_last_exit_code"]) == 8


def test_who_does_not_come_to_an_end_is_not_waited_for(tmp_path, monkeypatch):
    """Nothing is written beside another."""
    monkeypatch.setattr(metrics, "_PATIENCE", 0.0)
    held = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        with pytest.raises(TimeoutError) as raised:
            note(tmp_path / "m.prom", ended())
    finally:
        os.close(held)
    assert raised.value.strerror == "another process writes there"
    assert names(tmp_path) == []


def test_what_could_not_be_written_leaves_the_old(tmp_path, monkeypatch):
    """Nor is anything left beside it."""
    path = tmp_path / "m.prom"
    note(path, ended())
    before = path.read_bytes()

    def full(_):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(metrics, "sync", full)
    with pytest.raises(OSError, match="No space left on device"):
        note(path, ended(code=3))
    assert path.read_bytes() == before
    assert names(tmp_path) == ["m.prom"]
