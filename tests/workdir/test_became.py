"""What became of the events of each name is what PostHog has of them, at any time."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from older import AS_13
from workdirs import applied, delivery, events, planned

from migrate.apply import pieces
from migrate.apply.applier import Applier
from migrate.apply.watch import Unwatched
from migrate.page import days, names
from migrate.sandbox.server import Sandbox
from migrate.workdir import daynames, parked, rounds
from migrate.workdir.became import Became
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.cleaning import clean
from migrate.workdir.records import Settled

LATER = datetime.now(UTC).date() + timedelta(days=9)


def named(frame):
    """The events under three names."""
    name = pl.format("e{}", pl.col("row") % 3)
    frame = frame.with_columns(name.alias("event"))
    return frame.with_columns(
        pl.col("payload").str.replace('"event":"e"', pl.format('"event":"{}"', "event"), literal=True)
    )


def told(checkpoint):
    """Name → what became of it, as a page has it; the sums are the report's own, whatever happened."""
    found = names.gather(checkpoint, days.gather(checkpoint, None, None))
    by_name = Counter()
    for _, planned_ in daynames.events(checkpoint):
        by_name.update(planned_)
    assert {one.name: sum(one.became) for one in found.all} == by_name
    sums, settled = found.became, rounds.outcome(checkpoint)
    assert sums.parked == settled.parked
    if not sums.unsure:
        waiting = by_name.total() - settled.accepted - settled.duplicate - settled.parked
        assert sums == Became(settled.accepted, settled.duplicate, settled.parked, waiting)
    return {one.name: one.became for one in found.all}


def accepted(checkpoint):
    """Name → accepted events."""
    return Counter({name: one.accepted for name, one in told(checkpoint).items() if one.accepted})


def stored(*sandboxes):
    """Name → different events that these have."""
    return Counter(name for _, name in {(e["uuid"], e["event"]) for s in sandboxes for e in s.events("raw")})


def test_what_is_told_of_names_is_what_posthog_has(tmp_path, monkeypatch):
    """Stopped in the middle of days, with duplicates and refusals, gone on, sent again, cleaned away."""
    monkeypatch.setattr(pieces, "_PIECE_BYTES", 3_000)
    poison = {7, 8, 300, 640}
    planned(tmp_path, named(events(900, days=3, poison=poison))).close()
    halves = 0
    with Sandbox(faults=[{"fault": "poison"}]) as sandbox, Sandbox() as kinder:
        choices = delivery(sandbox.url, max_batch_events=30)
        with planned(tmp_path, named(events(300, days=3, start=850)), "b.jsonl") as checkpoint:
            assert [*told(checkpoint).values()] == [Became(waiting=400)] * 3
            while rounds.days(checkpoint):
                work = Applier(checkpoint, choices, watch=(watch := Unwatched()))
                watch.settle = lambda _, work=work: work.interrupt()
                asyncio.run(work.run())
                halves += any(one.under_way for one in daynames.days(checkpoint))
                assert accepted(checkpoint) == stored(sandbox)
                assert not any(one.unsure for one in told(checkpoint).values())
            assert halves > 2
            assert Counter({name: one.duplicate for name, one in told(checkpoint).items()}) == {
                "e0": 16,
                "e1": 17,
                "e2": 17,
            }
            assert {name: one.parked for name, one in told(checkpoint).items()} == {"e0": 1, "e1": 2, "e2": 1}
        with planned(tmp_path, named(events(40, days=3, start=1_140)), "c.jsonl") as checkpoint:
            assert applied(checkpoint, choices)
            assert accepted(checkpoint) == stored(sandbox)
            with checkpoint.change() as db:  # as one is mended by hand
                (one, payload, at) = db.execute(
                    "SELECT id, payload, timestamp FROM parked LIMIT 1"
                ).fetchone()
                parked.mend(db, one, payload.replace('"event":"e', '"event":"other e'), at)
            assert accepted(checkpoint) == stored(sandbox)
            assert asyncio.run(Applier(checkpoint, replace(choices, url=kinder.url)).resend())
            assert accepted(checkpoint).total() == stored(sandbox, kinder).total() == 1_180
            before = told(checkpoint)
            assert clean(checkpoint, LATER, keep=0, dedup=0).removed
            assert told(checkpoint) == before


@pytest.mark.parametrize("done", [False, True])
def test_what_an_earlier_version_sent_is_not_guessed(tmp_path, done):
    """A day that it sent whole and without duplicates is known; else it is said how many may be either."""
    with planned(tmp_path, named(events(90, days=3))) as checkpoint:
        (day, first), (_, second), (_, third) = daynames.events(checkpoint)
        one, two, _ = (one for day in rounds.days(checkpoint) for one in rounds.of_day(checkpoint, day))
        told_of = '{"event":"e1","distinct_id":"u"}'
        refused = [parked.Parked("0", f"{day}T00:00:00Z", 400, "bad", told_of)]
        left = sum(second.values()) - 9
        outcomes = [
            rounds.Outcome(one, Settled(accepted=sum(first.values()) - 1, parked=1), is_last=True),
            rounds.Outcome(two, Settled(accepted=9, duplicate=left if done else 0), is_last=done),
        ]
        rounds.settle(checkpoint, outcomes, also=lambda db: parked.add(db, refused, is_later=False))
        with checkpoint.change() as db:
            for sql in AS_13.split(";"):
                db.execute(sql)
    with Checkpoint.open(tmp_path) as checkpoint:
        found = told(checkpoint)
    assert found == {
        name: Became(first[name] - (name == "e1"), 0, int(name == "e1"), third[name], second[name])
        for name in ("e0", "e1", "e2")
    }
