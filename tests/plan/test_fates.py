"""Parts whose events have several fates become a part for each, and no event is lost; small ones many at once."""

from dataclasses import replace

import polars as pl
import pytest
from workdirs import events

from migrate.plan.fates import divided, left
from migrate.plan.versions import ids
from migrate.workdir import dayfile, daynames, light
from migrate.workdir.days import DayWriter
from migrate.workdir.depot import Depot
from migrate.workdir.records import Fate
from migrate.workdir.seals import Seal


@pytest.fixture(autouse=True, params=[2**20, -1], ids=["together", "one by one"])
def _light(request, monkeypatch):
    """Parts are read many at once, or none of them is light."""
    monkeypatch.setattr(light, "_LIGHT", request.param)


def written(workdir, frame):
    """The parts that the days of events are."""
    writer = DayWriter(workdir, 1)
    writer.write(frame)
    return sorted(writer.finish(), key=lambda part: part.day)


def fates(frame, **rows):
    """What `compare` finds: fate -> numbers of events."""
    found = [
        pl.DataFrame({"id": ids(frame[numbers])}).select(
            pl.lit(f"{frame['timestamp'][0]:%Y-%m-%d}").alias("day"),
            "id",
            pl.lit(Fate[name].value).alias("fate"),
        )
        for name, numbers in rows.items()
    ]
    return pl.concat(found)


def test_each_fate_has_its_part(tmp_path):
    """In the order of time, sealed, with what is known of it; the whole stays until the checkpoint forgets it."""
    frame = events(40)
    (part,) = written(tmp_path, frame)
    ((whole, parts),) = divided(Depot(tmp_path), [part], fates(frame, AGAIN=[3, 7], STAYS=[5]))
    assert whole == part
    assert {one.fate: one.events for one in parts} == {Fate.AS_OTHERS: 37, Fate.AGAIN: 2, Fate.STAYS: 1}
    found = {one.fate: pl.read_parquet(tmp_path / one.path) for one in parts}
    assert {*found[Fate.AGAIN]["row"]} == {3, 7}
    assert [*found[Fate.STAYS]["row"]] == [5]
    there = pl.read_parquet(tmp_path / part.path)
    assert pl.concat(found.values()).sort("row").equals(there.sort("row"))
    for one in parts:
        times = found[one.fate]["timestamp"].dt.epoch("us")
        assert times.is_sorted()
        assert (one.first, one.last) == (times.min(), times.max())
        assert one.bytes == found[one.fate]["payload"].str.len_bytes().sum()
        assert one.seal == Seal.of(tmp_path / one.path)
        assert daynames.unpacked(one.names) == {"e": one.events}
        assert (one.day, one.input, one.increment) == (part.day, part.input, part.increment)


def test_the_fate_of_an_event_is_not_that_of_another_with_its_uuid(tmp_path):
    """Its name, its person and its day are its own."""
    frame = events(4).with_columns(
        uuid=pl.lit("u"),
        event=pl.Series(["e", "f", "e", "f"]),
        distinct_id=pl.Series(["a", "a", "b", "a"]),
        timestamp=pl.col("timestamp") + pl.duration(days=pl.Series([0, 0, 0, 1])),
    )
    parts = written(tmp_path, frame)
    ((whole, into),) = divided(Depot(tmp_path), parts, fates(frame, STAYS=[1]))
    assert whole == parts[0]
    assert {one.fate: one.events for one in into} == {Fate.AS_OTHERS: 2, Fate.STAYS: 1}


def test_what_is_left_of_parts_are_the_events_of_some_files(tmp_path):
    """In the order of time, and with their fate; what has no others, or cannot be read, is left as it is."""
    frame = events(60, days=3).with_columns(
        file=pl.format(
            "{}.jsonl", pl.when(pl.col("timestamp").dt.day() == 4).then(1).otherwise(pl.col("row") % 3)
        ),
        event=pl.format("e{}", pl.col("row") % 2),
    )
    parts = written(tmp_path, frame)
    first, middle, last = (pl.read_parquet(tmp_path / part.path) for part in parts)
    told = []
    found = left(Depot(tmp_path), parts, {1: ["1.jsonl", "2.jsonl"]}, told.extend)
    one, same, other = sorted(found.parts, key=lambda part: part.day)
    assert (same, told) == (parts[1], parts)
    assert {*middle["file"]} == {"1.jsonl"}
    stays = pl.col("file") != "0.jsonl"
    for part, before in ((one, first), (other, last)):
        its = pl.read_parquet(tmp_path / part.path)
        assert its.equals(before.filter(stays))
        assert (part.events, part.seal, part.fate) == (
            its.height,
            Seal.of(tmp_path / part.path),
            Fate.AS_OTHERS,
        )
    gone = pl.concat([first, last]).filter(~stays)["event"].value_counts()
    assert found.gone == dict(gone.iter_rows())
    for names in (["4.jsonl"], []):
        found = left(Depot(tmp_path), parts, {1: names})
        assert (found.parts, found.gone) == ([], dict(frame["event"].value_counts().iter_rows()))
    apart = [parts[0], replace(parts[2], input=2)]
    found = left(Depot(tmp_path), apart, {1: [], 2: ["0.jsonl"]})
    assert [(part.input, part.events) for part in found.parts] == [(2, last.filter(~stays).height)]
    (tmp_path / parts[0].path).write_bytes(b"harmed")
    found = left(Depot(tmp_path), parts[:1], {1: ["1.jsonl"]})
    assert (found.parts, found.gone) == (parts[:1], {})


def test_what_is_no_more_what_was_written_is_not_written_anew(tmp_path):
    """Also where it can be read: sealed anew it would be taken for what was planned."""
    parts = written(tmp_path, events(40).with_columns(file=pl.format("{}.jsonl", pl.col("row") % 3)))
    some = pl.read_parquet(tmp_path / parts[0].path).head(20)
    other = dayfile.DayFile(tmp_path / parts[0].path)
    other.add(dayfile.arrow(some), 1)
    other.close()
    assert left(Depot(tmp_path), parts, {1: ["1.jsonl"]}).parts == parts


def test_parts_of_which_all_events_are_as_others_are_left_alone(tmp_path):
    """Nothing is written."""
    parts = written(tmp_path, events(4))
    assert divided(Depot(tmp_path), parts, fates(events(1, start=9), STAYS=[0])) == []
    assert divided(Depot(tmp_path), parts, fates(events(1, days=3), STAYS=[]).clear()) == []
    assert len([*tmp_path.rglob("*.parquet")]) == 1
