"""What was acknowledged, by day and event: not what was planned, parked, or sent in another version."""

import polars as pl
from imported import BEGIN, DAYS, EVENTS, causes, events, sent, verified, with_payload
from workdirs import applied, delivery, planned

from migrate.sandbox.server import Sandbox
from migrate.verifying.ledger import Count, Ledger, day_of
from migrate.workdir import parked


def test_events_count_once_for_their_uuid_name_and_person(whole):
    """However few are held at once; a day has no more of each name than it has."""
    for at_once in (1_000_000, 30):
        ledger = Ledger(whole.checkpoint, at_once=at_once)
        assert ledger.days == DAYS
        assert ledger.of(DAYS[0]) == dict.fromkeys(
            ("$exception", "$pageview", "order", "seen"), Count(50, 50)
        )
        mine = EVENTS.filter((pl.col("event") == "seen") & (pl.col("timestamp").dt.date() == BEGIN.date()))
        found = ledger.events(DAYS[0], {"seen"}, most=1_000)
        assert found["uuid"].to_list() == sorted(mine["uuid"])
        assert ledger.events(DAYS[0], {"seen"}, most=3)["uuid"].to_list() == sorted(mine["uuid"])[:3]
        assert ledger.people(DAYS[0]).len() == 29
    assert ledger.known(DAYS[0], {mine["uuid"][0], "nowhere"}) == {mine["uuid"][0]}


def test_duplicates_and_versions_count_once(tmp_path):
    """Of what several increments tell of one event one version was sent; it is not kept which."""
    first = events(50, days=1)
    other = with_payload(first.head(10).with_columns(pl.lit("somebody").alias("distinct_id")))
    two = with_payload(
        pl.concat([first.tail(5), first.tail(5).with_columns(pl.lit("two").alias("distinct_id"))])
    )
    with Sandbox() as sandbox, sent(tmp_path / "w", sandbox, first, first, two) as checkpoint:
        ledger = Ledger(checkpoint)
        counts = ledger.of(DAYS[0])
        assert sum(one.uuids for one in counts.values()) == 50
        assert sum(one.events for one in counts.values()) == 55
        checkpoint.note(increment=2)
        with planned(tmp_path / "w", other, "night.jsonl") as later:
            assert applied(later, delivery(sandbox.url))
        assert sum(one.events for one in ledger.of(DAYS[0]).values()) == 50
        assert causes(verified(checkpoint, sandbox)) == {}


def test_parked_events_are_left_out(tmp_path):
    """And what is not sent yet: a day is compared as far as its rounds are done."""
    frame = with_payload(events(20, days=1))
    with Sandbox() as sandbox, sent(tmp_path / "w", sandbox, frame) as checkpoint:
        with checkpoint.change() as db:
            row = frame.row(0, named=True)
            time = f"{row['timestamp']:%Y-%m-%dT%H:%M:%S.%fZ}"
            one = parked.Parked(row["uuid"], time, 400, "no", row["payload"])
            parked.add(db, [one], is_later=False)
        assert Ledger(checkpoint).of(DAYS[0])["seen"] == Count(4, 4)
        with checkpoint.change() as db:
            db.execute("UPDATE rounds SET done = 0")
        ledger = Ledger(checkpoint)
        assert (ledger.days, ledger.unsettled) == ([], {DAYS[0]})


def test_some_days_alone_are_asked_for(whole):
    """Those of a night."""
    ledger = Ledger(whole.checkpoint, [DAYS[3], "1999-01-01"])
    assert ledger.days == [DAYS[3]]


def test_a_uuid_tells_its_day():
    """One of version 7; another one does not."""
    assert day_of(EVENTS["uuid"][999]) == DAYS[4]
    assert day_of("018ea000-0000-4000-8000-000000000001") is None
    assert day_of("ffffffff-ffff-7000-8000-000000000001") is None
