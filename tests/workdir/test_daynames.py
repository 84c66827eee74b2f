"""The names of each day's events are those of the plan, whatever became of its files."""

import json
import sqlite3
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED
from older import AS_12
from workdirs import MIDNIGHT, events, planned

from migrate.planning import Planning
from migrate.session import Session
from migrate.settings import Settings
from migrate.workdir import daynames, rounds
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.cleaning import clean
from migrate.workdir.database import FILE
from migrate.workdir.records import Settled

TODAY = datetime.now(UTC).date()


def there(checkpoint):
    """Day → name → events, as the files of the plan have them."""
    found = {}
    for path in sorted(checkpoint.workdir.glob("days/*/*.parquet")):
        found.setdefault(path.parent.name, Counter()).update(pl.read_parquet(path)["event"].to_list())
    return {day: dict(sorted(names.items())) for day, names in found.items()}


def kept(checkpoint):
    """The same, as it is kept; its sums are the checkpoint's, its days and names in order."""
    found = [(day, dict(names)) for day, names in daynames.events(checkpoint)]
    assert {day: sum(names.values()) for day, names in found} == checkpoint.by_day()
    assert [day for day, _ in found] == sorted(day for day, _ in found)
    assert all([*names] == sorted(names) for _, names in found)
    return dict(found)


def total(days):
    """How many events these days have."""
    return sum(sum(names.values()) for names in days.values())


def send(checkpoint, few=99):
    """Settle what is to be sent of the first days."""
    for day in rounds.days(checkpoint)[:few]:
        for one in rounds.of_day(checkpoint, day):
            rounds.settle(
                checkpoint,
                [rounds.Outcome(one, Settled(accepted=sum(part.events for part in one.parts)), is_last=True)],
            )


@given(st.dictionaries(st.text(max_size=30), st.integers(0, 2**62)))
@COMPARED
def test_names_are_kept_whatever_they_are(names):
    """In order of the names, and the same bytes whatever order they came in."""
    found = daynames.unpacked(daynames.packed(names))
    assert [*found.items()] == sorted(names.items())
    assert daynames.packed(dict(reversed(names.items()))) == daynames.packed(names)


@pytest.mark.parametrize("seed", range(3))
def test_the_names_are_those_of_the_plan(tmp_path, seed):
    """Planned, planned again with changed rows before and after some was sent, put back, cleaned: at any time."""
    random = Random(seed)
    folder, workdir = tmp_path / "in", tmp_path / "w"
    folder.mkdir()
    workdir.mkdir()

    def write(name, count):
        rows = [
            {
                "type": "track",
                "event": random.choice("abcé"),
                "messageId": f"{name}{n}",
                "anonymousId": f"u{n % 3}",
                "timestamp": (MIDNIGHT + timedelta(days=random.randrange(24))).isoformat(),
            }
            for n in range(count)
        ]
        (folder / name).write_text("".join(f"{json.dumps(row)}\n" for row in rows))

    with Checkpoint.open(workdir, create=True) as checkpoint:

        def plan(*again):
            work = Settings(platform="segment").work([str(folder)])
            Planning.of(Session(checkpoint), work, None).plan(again=[str(folder / name) for name in again])
            return kept(checkpoint)

        write("a.jsonl", 150)
        write("b.jsonl", 150)
        expected = plan()
        assert expected == there(checkpoint)
        *_, harmed = sorted(workdir.glob("days/*/*.parquet"))
        harmed.write_bytes(b"harmed")
        assert plan("a.jsonl", "b.jsonl") == expected == there(checkpoint)  # it is put back
        write("a.jsonl", 140)
        assert plan("a.jsonl") == there(checkpoint)
        send(checkpoint, 8)
        write("b.jsonl", 160)
        expected = plan("b.jsonl")
        assert expected == there(checkpoint)
        send(checkpoint, 12)
        clean(checkpoint, TODAY + timedelta(days=1), keep=1, dedup=99)
        assert kept(checkpoint) == expected
        clean(checkpoint, TODAY + timedelta(days=99), keep=1, dedup=99)
        assert len(there(checkpoint)) < len(expected)
        assert kept(checkpoint) == expected
        write("c.jsonl", 90)
        assert total(plan()) == total(expected) + 90


def test_what_an_earlier_version_planned_is_read(tmp_path):
    """Also when it is cleaned; what it had cleaned away, and what is harmed, has a name that nobody knows."""
    with planned(tmp_path, events(60, days=3)) as checkpoint:
        expected = there(checkpoint)
        assert kept(checkpoint) == expected
    with sqlite3.connect(tmp_path / FILE) as db:
        db.executescript(AS_12)
        db.execute("INSERT INTO cleaned VALUES ('2024-04-03', 7, 1, 0, 0), ('2024-01-01', 5, 1, 0, 0)")
    with Checkpoint.open(tmp_path) as checkpoint:
        expected = {"2024-01-01": {"": 5}} | expected
        expected["2024-04-03"] = {"": 7} | expected["2024-04-03"]
        assert kept(checkpoint) == expected
        send(checkpoint)
        clean(checkpoint, TODAY + timedelta(days=1), keep=0, dedup=0)
        assert kept(checkpoint) == expected
        assert not there(checkpoint)


def test_a_harmed_part_has_events_without_a_name(tmp_path):
    """As many as it had, where an earlier version planned it."""
    with planned(tmp_path, events(5)) as checkpoint:
        with checkpoint.change() as db:
            db.execute("UPDATE parts SET names = NULL")
        next(tmp_path.glob("days/*/*.parquet")).write_bytes(b"harmed")
        assert kept(checkpoint) == {"2024-04-03": {daynames.UNKNOWN: 5}}
