"""Events of many days, in any order, are written as runs and come out in order."""

from datetime import timedelta

import polars as pl
import pytest
from workdirs import MIDNIGHT, events

from migrate.workdir import runs
from migrate.workdir.runs import Runs


@pytest.mark.parametrize("most", [2, 3, 32])
def test_however_many_there_are_they_are_in_order(tmp_path, monkeypatch, most):
    """Those of one timestamp as they came; runs are put together on the way, and none is left in the end."""
    monkeypatch.setattr(runs, "_MOST", most)
    found = Runs(tmp_path)
    whole = events(230, days=50).with_columns(pl.col("timestamp").dt.truncate("1d"))
    for start in range(0, 230, 20):
        found.add(whole.slice(start, 20).sort("timestamp", maintain_order=True))
        assert len([*tmp_path.iterdir()]) <= max(12 // most, 3 * most)
    expected = whole.sort("timestamp", maintain_order=True)
    assert pl.concat(found.merged())["row"].equals(expected["row"])
    counts = expected.group_by(pl.col("timestamp").dt.strftime("%Y-%m-%d").alias("day")).agg(
        pl.len(), pl.col("payload").str.len_bytes().cast(pl.Int64).sum()
    )
    assert found.days == {day: (count, size) for day, count, size in counts.iter_rows()}
    times = expected["timestamp"].to_physical()
    assert (found.first, found.last) == (times[0], times[-1])
    monkeypatch.setattr(runs, "_PIECE_BYTES", sum(size for _, size in found.days.values()) // 3)
    names = iter(["a", "b", "c", "d"])
    pieces = found.put(lambda: tmp_path / next(names))
    found.remove()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c", "d"]
    assert pl.concat(pl.read_parquet(one.path) for one in pieces)["row"].equals(expected["row"])
    assert [day for one in pieces for day in one.days] == sorted(found.days)
    for one in pieces:
        its = pl.read_parquet(one.path)["timestamp"]
        assert (one.first, one.last) == (its.to_physical()[0], its.to_physical()[-1])
        assert {*its.dt.strftime("%Y-%m-%d")} == {*one.days}
        assert one.events == its.len() == sum(its_day.events for its_day in one.days.values())


def test_few_a_day_is_told_by_the_mean_and_by_the_largest_day(tmp_path):
    """A file for each of the days is worth it where they have much; much of one day is too much to be held."""
    times = [MIDNIGHT + timedelta(days=day) for day in range(40)]
    frame = events(40).with_columns(timestamp=pl.Series(times, dtype=pl.Datetime("us", "UTC")))
    for payload, is_one, is_few in [
        (200_000, False, True),
        (300_000, False, False),
        (5_000_000, True, False),
    ]:
        found = Runs(tmp_path)
        long = (pl.col("row") == 0) if is_one else pl.lit(True)
        text = pl.when(long).then(pl.lit("x" * payload)).otherwise(pl.lit("x"))
        found.add(frame.with_columns(payload=text))
        assert found.are_few_a_day is is_few
        found.remove()
