"""A part whose events have several fates becomes a part for each, and no event is lost."""

import polars as pl
from workdirs import events

from migrate.plan.fates import divided, of_files
from migrate.plan.versions import ids
from migrate.workdir.days import DayWriter
from migrate.workdir.depot import Depot
from migrate.workdir.records import Fate
from migrate.workdir.seals import Seal


def written(workdir, frame):
    """The part that a day's events are."""
    writer = DayWriter(workdir, 1)
    writer.write(frame)
    (part,) = writer.finish()
    return part


def fates(frame, **rows):
    """What `compare` finds: fate -> numbers of events."""
    found = [
        pl.DataFrame({"id": ids(frame[numbers])}).with_columns(pl.lit(Fate[name].value).alias("fate"))
        for name, numbers in rows.items()
    ]
    return pl.concat(found)


def test_each_fate_has_its_part(tmp_path):
    """In the order of time, sealed, with what is known of it; the whole stays until the checkpoint forgets it."""
    frame = events(40)
    part = written(tmp_path, frame)
    parts = divided(Depot(tmp_path), part, fates(frame, AGAIN=[3, 7], STAYS=[5]))
    assert {one.fate: one.events for one in parts} == {Fate.AS_OTHERS: 37, Fate.AGAIN: 2, Fate.STAYS: 1}
    found = {one.fate: pl.read_parquet(tmp_path / one.path) for one in parts}
    assert {*found[Fate.AGAIN]["row"]} == {3, 7}
    assert [*found[Fate.STAYS]["row"]] == [5]
    whole = pl.read_parquet(tmp_path / part.path)
    assert pl.concat(found.values()).sort("row").equals(whole.sort("row"))
    for one in parts:
        times = found[one.fate]["timestamp"].dt.epoch("us")
        assert times.is_sorted()
        assert (one.first, one.last) == (times.min(), times.max())
        assert one.bytes == found[one.fate]["payload"].str.len_bytes().sum()
        assert one.seal == Seal.of(tmp_path / one.path)
        assert (one.day, one.input, one.increment) == (part.day, part.input, part.increment)


def test_the_fate_of_an_event_is_not_that_of_another_with_its_uuid(tmp_path):
    """Its name and its person are its own."""
    frame = events(3).with_columns(
        uuid=pl.lit("u"), event=pl.Series(["e", "f", "e"]), distinct_id=pl.Series(["a", "a", "b"])
    )
    parts = divided(Depot(tmp_path), written(tmp_path, frame), fates(frame, STAYS=[1]))
    assert {one.fate: one.events for one in parts} == {Fate.AS_OTHERS: 2, Fate.STAYS: 1}


def test_what_is_left_of_a_part_are_the_events_of_some_files(tmp_path):
    """In the order of time, and with their fate; a part that cannot be read is left as it is."""
    frame = events(40).with_columns(file=pl.format("{}.jsonl", pl.col("row") % 3))
    part = written(tmp_path, frame)
    left = of_files(Depot(tmp_path), part, ["1.jsonl", "2.jsonl"])
    found = pl.read_parquet(tmp_path / left.path)
    assert (left.events, {*found["file"]}) == (26, {"1.jsonl", "2.jsonl"})
    assert found.equals(pl.read_parquet(tmp_path / part.path).filter(pl.col("file") != "0.jsonl"))
    assert (left.seal, left.fate) == (Seal.of(tmp_path / left.path), part.fate)
    assert of_files(Depot(tmp_path), part, ["4.jsonl"]) is None
    assert of_files(Depot(tmp_path), part, []) is None
    (tmp_path / part.path).write_bytes(b"harmed")
    assert of_files(Depot(tmp_path), part, ["1.jsonl"]) == part


def test_a_part_of_which_all_events_are_as_others_is_left_alone(tmp_path):
    """Nothing is written."""
    frame = events(4)
    part = written(tmp_path, frame)
    assert divided(Depot(tmp_path), part, fates(events(1, start=9), STAYS=[0])) == [part]
    assert len([*tmp_path.rglob("*.parquet")]) == 1
