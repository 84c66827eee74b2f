"""Finished events become Parquet files, one folder a day, whole or not at all."""

import gc
import tracemalloc
from datetime import UTC, datetime, timedelta

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from migrate.workdir import dayfile, days

MIDNIGHT = datetime(2024, 4, 3, tzinfo=UTC)


def frame(times, *, payload="{}"):
    """Finished events at these times, rows in their order."""
    return pl.DataFrame(
        {
            "timestamp": times,
            "event": "e",
            "distinct_id": "d",
            "uuid": [f"uuid-{row}" for row in range(len(times))],
            "payload": payload,
            "file": "a.jsonl",
            "row": range(len(times)),
        },
        schema_overrides=dict.fromkeys(("uuid", "payload"), pl.String)
        | {"timestamp": pl.Datetime("us", "UTC"), "row": pl.Int64},
    )


def read(workdir, parts):
    """The events of parts, as they stand in the files."""
    tables = [pq.read_table(workdir / part.path) for part in parts]
    return pl.concat(
        pl.DataFrame(table).with_columns(pl.col("event", "file").cast(pl.String)) for table in tables
    )


def test_a_part_says_what_is_in_its_file(tmp_path):
    """A day's file holds its events in timestamp order, ties in the order of rows, and the schema of the plan."""
    writer = days.DayWriter(tmp_path, 7)
    given = frame([MIDNIGHT + timedelta(seconds=second) for second in (5, 1, 5, 3)], payload="é")
    writer.write(given)
    (part,) = writer.finish()
    start = int(MIDNIGHT.timestamp()) * 1_000_000
    assert part.path == "days/2024-04-03/00000007-000000.parquet"
    assert (part.input, part.day, part.events, part.bytes) == (7, "2024-04-03", 4, 8)
    assert (part.first, part.last) == (start + 1_000_000, start + 5_000_000)
    assert read(tmp_path, [part]).equals(given[[1, 3, 0, 2]])
    assert pq.read_schema(tmp_path / part.path).names == dayfile.SCHEMA.names


@pytest.mark.parametrize("count", [1, 64, 65, 200])
def test_any_number_of_days(tmp_path, count):
    """More days than files may be open at once come out complete, one file a day, and nothing is left aside."""
    times = [MIDNIGHT + timedelta(days=day % count, minutes=day // count) for day in range(2 * count)]
    given = frame(times).sample(fraction=1, shuffle=True, seed=1)
    writer = days.DayWriter(tmp_path, 1)
    writer.write(given)
    parts = writer.finish()
    assert len({part.day for part in parts}) == len(parts) == count
    assert read(tmp_path, parts).sort("row").equals(given.sort("row"))
    assert list(writer.aside.iterdir()) == []


def test_files_that_are_written_take_no_memory(tmp_path):
    """Of a file that is closed only its numbers are kept, however many days there are."""
    writer = days.DayWriter(tmp_path, 1)
    writer.write(frame([MIDNIGHT + timedelta(days=day) for day in range(70)]))
    assert len(writer.files()) == 70
    gc.collect()
    assert [one for one in gc.get_objects() if isinstance(one, pq.ParquetWriter)] == []
    assert sum(part.events for part in writer.finish()) == 70


def test_days_that_come_again_and_again(tmp_path, monkeypatch):
    """Events of all days in every frame neither open a file a day nor make a file a frame."""
    monkeypatch.setattr(days, "_FLUSH_BYTES", 1)
    monkeypatch.setattr(days, "_OPEN_DAYS", 4)
    writer = days.DayWriter(tmp_path, 1)
    given = [frame([MIDNIGHT + timedelta(days=day, seconds=n) for day in range(40)]) for n in range(12)]
    for one in given:
        writer.write(one)
        assert len(writer._open) <= 4  # noqa: SLF001 - what the test is about
    parts = writer.finish()
    assert sum(part.events for part in parts) == 480
    assert {part.day for part in parts} == {f"{MIDNIGHT + timedelta(days=day):%Y-%m-%d}" for day in range(40)}
    assert read(tmp_path, parts).sort("timestamp").equals(pl.concat(given).sort("timestamp"))


def test_days_long_past_and_far_apart(tmp_path, monkeypatch):
    """Two thousand years are parted too, days before 1970 among them."""
    monkeypatch.setattr(days, "_OPEN_DAYS", 3)
    times = [datetime(year, 6, 1, tzinfo=UTC) for year in range(1, 2_000, 37)]
    writer = days.DayWriter(tmp_path, 1)
    writer.write(frame(times))
    assert sorted(part.day for part in writer.finish()) == [f"{time:%Y-%m-%d}".zfill(10) for time in times]


def test_row_groups_are_bounded_and_know_their_first_timestamp(tmp_path, monkeypatch):
    """A row group holds about `GROUP_BYTES` of payloads; what is larger stands alone; statistics give its start."""
    monkeypatch.setattr(dayfile, "GROUP_BYTES", 1_000)
    writer = days.DayWriter(tmp_path, 1)
    times = [MIDNIGHT + timedelta(seconds=second) for second in range(12)]
    sizes = [400, 400, 400, 400, 5_000, 10, 10, 10, 990, 990, 20, 20]
    given = frame(times).with_columns(pl.Series("payload", ["x" * size for size in sizes]))
    writer.write(given)
    (part,) = writer.finish()
    metadata = pq.read_metadata(tmp_path / part.path)
    groups = [metadata.row_group(place) for place in range(metadata.num_row_groups)]
    starts = [sum(group.num_rows for group in groups[:place]) for place in range(len(groups))]
    held = [sum(sizes[start : start + group.num_rows]) for start, group in zip(starts, groups, strict=True)]
    assert all(size <= 1_000 + max(sizes) for size in held)
    assert [group.num_rows for group in groups] == [2, 2, 4, 1, 3]
    assert [group.column(0).statistics.min for group in groups] == [times[start] for start in starts]
    assert [group.column(0).statistics.max for group in groups][-1] == times[-1]


def test_wide_payloads_stay_bounded(tmp_path):
    """Payloads of 500 KB are written a row group at a time, not all copied at once."""
    wide = "x" * 500_000
    writer = days.DayWriter(tmp_path, 1)
    before = pa.total_allocated_bytes()
    tracemalloc.start()
    for second in range(4):
        times = [MIDNIGHT + timedelta(seconds=second * 100 + n) for n in range(100)]
        writer.write(frame(times).with_columns(payload=pl.lit(wide)))
    (part,) = writer.finish()
    _, python_peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert python_peak < 50_000_000
    assert pa.total_allocated_bytes() - before < 50_000_000
    metadata = pq.read_metadata(tmp_path / part.path)
    assert (part.events, part.bytes) == (400, 200_000_000)
    assert max(metadata.row_group(place).num_rows for place in range(metadata.num_row_groups)) <= 18


def test_discard_leaves_nothing(tmp_path):
    """An input given up in the middle leaves no file, neither open nor written."""
    writer = days.DayWriter(tmp_path, 1)
    writer.write(frame([MIDNIGHT]))
    writer.files()
    writer.write(frame([MIDNIGHT]))
    writer.discard()
    assert not writer.aside.exists()
    assert not (tmp_path / "days").exists()


def test_discard_before_anything_was_written(tmp_path):
    """There is nothing to remove, and that is fine."""
    days.DayWriter(tmp_path, 1).discard()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_does_not_come_back(tmp_path):
    """An input planned anew overwrites its own leftovers and takes in none of them."""
    torn = days.DayWriter(tmp_path, 1)
    torn.write(frame([MIDNIGHT, MIDNIGHT + timedelta(days=1)]))
    torn.finish()
    half = torn.aside / "2024-04-03_000000.parquet"
    half.write_bytes(b"PAR1 torn")
    again = days.DayWriter(tmp_path, 1)
    again.write(frame([MIDNIGHT]))
    (part,) = again.finish()
    assert read(tmp_path, [part]).height == 1
    again.discard()
    assert not again.aside.exists()


def test_nothing_written_makes_no_parts(tmp_path):
    """An input without events has no files."""
    writer = days.DayWriter(tmp_path, 1)
    writer.write(frame([]))
    assert writer.finish() == []
