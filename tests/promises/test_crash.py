"""Killed at any moment, again and again, a run loses nothing and doubles nothing.

The short form is one of the tests. The long one, 200 kills over a million events:

    CRASH_KILLS=200 CRASH_EVENTS=1000000 CRASH_PATIENCE=5 pytest tests/promises/test_crash.py -s
"""

import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from refused import Parked, mended, text_of
from rejected import ALL, BAD, GOOD, Workdir, written
from sealing import migrate

from migrate.sandbox.server import Sandbox

pytestmark = pytest.mark.crash

KILLS = int(os.environ.get("CRASH_KILLS", "8"))
EVENTS = int(os.environ.get("CRASH_EVENTS", "10000"))
PATIENCE = float(os.environ.get("CRASH_PATIENCE", "2.5"))  # seconds until the kill, at the most
SEED = int(os.environ.get("CRASH_SEED", "1"))
START = datetime(2024, 4, 1, tzinfo=UTC)
TUPLE = ["uuid", "event", "distinct_id", "timestamp"]
FAULTS = [
    {"fault": "status", "status": 503, "rate": 0.03, "seed": 1},
    {"fault": "status", "status": 429, "retry_after": 0.05, "rate": 0.02, "seed": 2},
    {"fault": "reset", "rate": 0.02, "seed": 3},
    {"fault": "reset", "stored": True, "rate": 0.03, "seed": 4},
    {"fault": "cut", "rate": 0.02, "seed": 5},
    {"fault": "prefix", "events": 7, "status": 503, "rate": 0.02, "seed": 6},
    {"fault": "latency", "seconds": 0.01},
]


OF_V1 = [
    {"fault": "verdicts", "each": 5, "retry_after": 0.05, "rate": 0.05, "seed": 7},
    {"fault": "verdicts", "each": 7, "result": None, "stored": True, "rate": 0.03, "seed": 8},
    {"fault": "status", "status": 404, "after": 1, "rate": 0.03, "seed": 9},
]
"""What else goes wrong over capture v1: events handed back, events not spoken of, a proxy's 404."""


@pytest.fixture
def export(tmp_path):
    """A folder of PostHog-shaped files: every 50th row a repeat, every 997th without a person."""
    folder = tmp_path / "export"
    folder.mkdir()
    files = max(10, EVENTS // 10_000)
    for number in range(files):
        with (folder / f"{number}.jsonl").open("w") as file:
            for n in range(number * EVENTS // files, (number + 1) * EVENTS // files):
                row = n - 1 if n % 50 == 1 else n
                when = (START + timedelta(seconds=row * 7919 % 345_600)).isoformat()
                person = None if n % 997 == 996 else f"u{row % 211}"
                line = {
                    "event": f"e{row % 5}",
                    "distinct_id": person,
                    "timestamp": when,
                    "properties": {"n": row},
                }
                file.write(json.dumps(line) + "\n")
    return folder


def started(*words):
    """Start the command line as its own process."""
    return subprocess.Popen(
        [sys.executable, "-m", "migrate", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"POSTHOG_API_KEY": "phc_crash"},
    )


def run_until_done(command, kills, dice):
    """Start, kill, start again; the last one runs to its end. Return its summary and how often each end came."""
    ends = Counter()
    while True:
        with started(*command) as process:
            try:
                patience = dice.uniform(0.2, PATIENCE) if ends["killed"] < kills else None
                out, err = process.communicate(timeout=patience)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.communicate()
                ends["killed"] += 1
                continue
        ends[process.returncode] += 1
        assert process.returncode in {0, 3, 4}, err
        if process.returncode in {0, 3}:
            return json.loads(out.splitlines()[-1]), ends


def planned_tuples(workdir):
    """What the plan holds, from its files."""
    frame = pl.scan_parquet(workdir / "days/*/*.parquet").select(pl.col("payload").unique()).collect()
    return {tuple(json.loads(text)[name] for name in TUPLE) for text in frame["payload"]}


@pytest.mark.parametrize("has_v1", [False, True], ids=["v0", "v1"])
def test_killed_again_and_again(tmp_path, export, has_v1):
    """After every kill the same command goes on; what arrived is what was planned, once in effect, in order.

    What capture v1 hands back of a request arrives after the rest of it.
    """
    dice = random.Random(SEED)
    calm, rough = tmp_path / "calm", tmp_path / "rough"
    with started("plan", "posthog", export, "--workdir", calm) as undisturbed:
        undisturbed.communicate()
    faults = [*FAULTS, *(OF_V1 if has_v1 else [])]
    with Sandbox(tmp_path / "data", faults=faults, has_v1=has_v1) as sandbox:
        command = ["run", "posthog", export, "--workdir", rough, "--host", sandbox.url, "--json"]
        command += ["--max-batch-events", "100"]
        summary, ends = run_until_done(command, max(2, KILLS // 6) if has_v1 else KILLS, dice)
        raw = sandbox.events("raw")
        collapsed = sandbox.summary()["collapsed"]["events"]
        paths = {one["path"] for one in sandbox.requests()}
    planned, events = planned_tuples(rough), summary["events"]
    print(  # noqa: T201 - the figures of the long form
        f"{ends['killed']} kills, {len(planned)} events, {len(raw) - collapsed} sent again, ends {dict(ends)}"
    )
    assert planned == planned_tuples(calm)
    assert {tuple(row[name] for name in TUPLE) for row in raw} == planned
    assert collapsed == len(planned) == events["accepted"]
    assert events["planned"] == events["accepted"] + events["duplicate"]
    assert events["pending"] == events["parked"] == 0
    assert summary["balanced"]
    assert summary["rows"]["read"] == EVENTS
    assert paths == ({"/i/v1/analytics/events"} if has_v1 else {"/batch/"})
    first = {}
    for row in raw:
        first.setdefault(row["uuid"], row["timestamp"])
    days = [timestamp[:10] for timestamp in first.values()]
    assert days == sorted(days)
    latest = {}
    for row in raw:
        if first.pop(row["uuid"], None) and not has_v1:
            assert latest.get(row["distinct_id"], "") <= row["timestamp"], (
                "one person's events overtook each other"
            )
            latest[row["distinct_id"]] = row["timestamp"]


RESENT = [
    pytest.param("apply.mended.take_in", 0, id="before the file is read"),
    pytest.param("workdir.parked.following", 0, id="what was mended is noted"),
    pytest.param("workdir.parked.settle", 0, id="the first round is sent and not noted"),
    pytest.param("workdir.parked.settle", 3, id="the fourth round is sent and not noted"),
    pytest.param("workdir.copies.Copy.write", 0, id="all are sent, the file is not written"),
    pytest.param("workdir.copies.Copy._aside", 0, id="the file is written aside"),
    pytest.param("workdir.copies.sync", 0, id="the file is in its place and not noted"),
]


@pytest.mark.parametrize(("place", "after"), RESENT)
def test_killed_while_parked_events_are_sent_again(tmp_path, place, after):
    """A kill costs one round; what a person mended, took out or spoiled is as if there had been none."""
    with Sandbox() as sandbox:
        workdir = Parked(tmp_path, sandbox)
        workdir.first = first = workdir.lines()
        sandbox.faults([])  # what is sent against the will of a person would be accepted
        spoiled = mended(first[2], event="")
        edited = text_of([spoiled, *map(mended, first[3:])])
        workdir.file.write_text(edited)
        sent = len(sandbox.events("raw"))
        words = ["resend", workdir.folder, "--host", sandbox.url, "--api-key", "phc_secret", "--yes"]
        assert migrate(*words, "--max-batch-events", "4", killed_at=place, after=after).returncode == 9
        assert place == "workdir.copies.sync" or workdir.file.read_text() == edited
        done, left = workdir.send("--max-batch-events", "4")
        assert left == 3, done.stderr
        assert workdir.lines() == first[:3]
        assert (workdir.folder / "parked.edited-1.jsonl").read_text() == edited
        assert not (workdir.folder / "parked.edited-2.jsonl").exists()
        arrived = workdir.arrived()
        assert arrived.keys() == {line["uuid"] for line in first[3:]}
        assert all(row["properties"]["mended"] for row in arrived.values())
        assert len(sandbox.events("raw")) - sent - len(arrived) <= 4


MENDED = [
    pytest.param("workdir.rejects.place", 0, id="rows are planned aside"),
    pytest.param("workdir.rejects.note", 0, id="their lines are in their place"),
    pytest.param("workdir.rejects.add_count", 1, id="in the transaction"),
    pytest.param("workdir.rejects.refresh", 0, id="they are noted"),
    pytest.param("workdir.copies.Copy.write", 0, id="the file is not written"),
    pytest.param("workdir.copies.sync", 0, id="the file is in its place and not noted"),
]


@pytest.mark.parametrize(("place", "after"), MENDED)
def test_killed_while_mended_rows_are_planned(tmp_path, place, after):
    """The same command again closes what is mended, once, and leaves open what is not."""
    workdir = Workdir(tmp_path)
    copy = workdir.copy()
    copy.write_text(copy.read_text().replace(BAD, GOOD, 4))  # the value and the source of two
    words = ["plan", "posthog", copy, "--workdir", workdir.path]
    assert migrate(*words, killed_at=place, after=after).returncode == 9
    done = workdir.plan(copy)
    assert done.returncode == 3
    assert done.summary["rows"]["read"] == 9
    assert done.summary["open_rejects"] == {"bad_timestamp": 1}
    assert workdir.lines() == [("b.jsonl", 1, "bad_timestamp")]
    assert done.summary["notes"] == []
    assert workdir.plan(copy).returncode == 0
    assert sorted(path.name for path in workdir.path.glob("rejects*")) == ["rejects", "rejects.jsonl"]


AGAIN = [
    pytest.param("plan.again.renew", 0, True, id="planned anew and not settled"),
    pytest.param("workdir.rejects.add_count", 3, True, id="in the transaction"),
    pytest.param("workdir.renewal.forget_superseded", 0, False, id="settled and not noted"),
    pytest.param("workdir.rejects.refresh", 0, False, id="noted"),
]


@pytest.mark.parametrize(("place", "after", "is_changed"), AGAIN)
def test_killed_while_a_source_with_rejects_is_planned_anew(tmp_path, place, after, is_changed):
    """The same command, or the next one without --again, leaves each row open once that still is rejected."""
    workdir = Workdir(tmp_path)
    if is_changed:
        written(workdir.first, [GOOD, GOOD, GOOD, BAD])
    words = ["plan", "posthog", workdir.source, "--workdir", workdir.path]
    assert migrate(*words, "--again", workdir.first, killed_at=place, after=after).returncode == 9
    done = workdir.plan(workdir.source)
    assert done.returncode == 0, done.stderr
    assert workdir.lines() == (ALL[1:] if is_changed else ALL)
    assert sum(done.summary["open_rejects"].values()) == len(workdir.lines())
    assert workdir.plan(workdir.source, "--again", workdir.first).returncode == 0
    assert workdir.lines() == (ALL[1:] if is_changed else ALL)
    assert len(list((workdir.path / "rejects").iterdir())) == 1
