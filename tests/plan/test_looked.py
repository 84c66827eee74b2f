"""What is looked at while a plan is made: each row on a day or on none, the same few events however they are cut."""

import json
from collections import Counter
from dataclasses import replace

import polars as pl
import pytest
from frames import IMPRINT, LATER, NOON
from samples import FEW, SAMPLES, settings
from workdirs import events

from migrate import numbering
from migrate.kit.declare import ROW, Table, has
from migrate.kit.events import events as event_frame
from migrate.plan.finished import finished
from migrate.plan.looked import see
from migrate.plan.transform import Transform
from migrate.planning import Planning
from migrate.readers.records import Chunk, Reject
from migrate.session import Session
from migrate.workdir import looks
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.looks import FIRST, ONE_IN, Look, Property


def look_at(frame, *, is_first=False, size=None):
    """What is seen of events that come in chunks of a size."""
    whole = Look()
    for start in range(0, frame.height, size or frame.height):
        piece = Look()
        see(piece, frame.slice(start, size), is_first=is_first)
        whole.add(piece)
    return whole


@pytest.mark.parametrize("platform", FEW)
def test_the_days_of_rows_add_up(tmp_path, platform):
    """Of all samples: what is read is on a day or has none; each event of few rows is looked at."""
    with Checkpoint.open(tmp_path, create=True) as checkpoint:
        work = settings(platform).work([str(SAMPLES / platform)])
        Planning.of(Session(checkpoint), work, None).plan()
        found, numbers = looks.look(checkpoint), checkpoint.numbers()
    assert found.rows.total() + found.undated == numbers.read
    assert found.before == found.more == 0
    assert found.rows.total() >= numbers.mapped * 0.5
    texts = {name: one.examples for name, one in found.properties.items()}
    assert texts
    assert all(1 <= len(examples) <= 3 for examples in texts.values())
    assert not {"$lib", "$import_job_id", "historical_migration", "$set"} & texts.keys()
    for one in found.properties.values():
        assert one.filled.keys() <= found.sampled.keys()
        assert all(found.sampled[month] >= count for month, count in one.filled.items())


def test_the_same_events_are_looked_at_however_they_are_cut():
    """One in 64 by time and row, and all of the first rows of the first input."""
    frame = events(20_000, days=90)
    whole = look_at(frame)
    assert whole.sampled.total() == pytest.approx(20_000 / ONE_IN, rel=0.2)
    assert whole.properties["n"].filled == whole.sampled
    assert whole.properties["n"].examples == ["1"]
    for size in (7, 999, 15_000):
        cut = look_at(frame, size=size)
        assert (cut.sampled, cut.properties["n"].filled) == (whole.sampled, whole.properties["n"].filled)
    numbered = frame.with_columns(pl.col("row") + 1)
    first = look_at(numbered, is_first=True, size=333)
    others = look_at(numbered.slice(FIRST))
    assert first.sampled.total() == FIRST + others.sampled.total()
    unfolded = frame.with_columns((pl.col("row") // 2 + 1) * numbering.ELEMENTS + numbering.UNFOLDED)
    assert look_at(unfolded, is_first=True).sampled.total() >= 2 * FIRST


def test_what_a_property_holds_is_told():
    """Those inside of `$set` by both names; null is no value, and long ones are cut."""
    bag = {
        "a": "x" * 100,
        "b": [1],
        "c": None,
        "$set": {"email": "é@x.example", "n": -1},
        "$groups": "none",
        "$lib": "ours",
    }
    payload = json.dumps({"event": "e", "properties": bag}, ensure_ascii=False)
    frame = events(1).with_columns(pl.lit(payload).alias("payload"), pl.lit(1, pl.Int64).alias("row"))
    month = Counter({"2024-04": 1})
    assert look_at(frame, is_first=True).properties == {
        "a": Property(month, Counter(text=1), ['"' + "x" * 79]),
        "b": Property(month, Counter(list=1), ["[1]"]),
        "c": Property(month),
        "$set.email": Property(month, Counter(text=1), ['"é@x.example"']),
        "$set.n": Property(month, Counter(number=1), ["-1"]),
        "$groups": Property(month, Counter(text=1), ['"none"']),
    }


def chunk():
    """Rows: an event, one that a rule leaves out, one without a time, one of a time that is none; one is unread."""
    rows = [("a", NOON), ("test", NOON.replace(day=9)), ("a", None), ("a", NOON.replace(year=1))]
    frame = pl.DataFrame(rows, {"who": pl.String, "time": pl.Datetime("us", "UTC")}, orient="row")
    return Chunk(
        frame.with_row_index(ROW, 1).with_columns(pl.col(ROW).cast(pl.Int64)),
        [Reject(9, "bad_json", "{")],
        {},
    )


@pytest.mark.parametrize("raises", [False, True])
def test_rows_that_are_left_out_have_a_day_too(raises):
    """Unless the mapping raises where it sees such a row, which it never was to see."""

    def to_events(rows, _options):
        def checked(who):
            if raises and "test" in who.to_list():
                raise ValueError("no such person")
            return who

        time = pl.struct("who", "time").map_batches(
            lambda both: (checked(both.struct.field("who")), both.struct.field("time"))[1],
            return_dtype=pl.Datetime("us", "UTC"),
        )
        return event_frame(
            rows,
            event=pl.lit("e"),
            distinct_id=pl.col("who"),
            timestamp=time,
            dedup_key=pl.col(ROW).cast(pl.String),
        )

    table = Table(
        name="t",
        columns={"who": pl.String, "time": pl.Datetime("us", "UTC")},
        matches=has("who"),
        to_events=to_events,
        filters={"test": pl.col("who") == "test"},
    )
    found = finished(chunk(), Transform(table=table, imprint=IMPRINT), LATER)
    assert found.numbers.read == 5
    days = {NOON.date().isoformat(): 1} | ({} if raises else {NOON.replace(day=9).date().isoformat(): 1})
    assert (found.look.rows, found.look.undated) == (days, 5 - len(days))
    with_bound = finished(chunk(), replace(Transform(table=table, imprint=IMPRINT), since=LATER), LATER)
    assert with_bound.look.rows == days
