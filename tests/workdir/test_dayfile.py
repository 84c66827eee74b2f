"""A day's file says what is in it; readers find the names of its events and where its row groups begin."""

import errno
import gc
import io
import json
import os
import sys
from collections import Counter

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED
from workdirs import events

from migrate.workdir.dayfile import SCHEMA, DayFile, Written, arrow, found, groups, names, writer


def written(path, *frames):
    """A file with each frame as a row group, and what it says of itself."""
    file = DayFile(path)
    for frame in frames:
        table = arrow(frame.sort("timestamp"))
        file.add(table, sum(map(len, table.column("payload").to_pylist())))
    return file.close()


def test_what_is_written_is_what_is_read_and_said(tmp_path):
    """Row groups in their order, each as it was handed over; events, bytes, first and last of all of them."""
    several = [events(30, start=50), events(40), events(20, start=100)]
    path = tmp_path / "a.parquet"
    found = written(path, *several)
    every = pl.concat(frame.sort("timestamp") for frame in several)
    times = every["timestamp"].dt.epoch("us")
    assert found == Written(str(path), 90, sum(map(len, every["payload"])), times.min(), times.max())
    table = pq.read_table(path)
    assert table.schema.equals(SCHEMA)
    assert pl.DataFrame(table).equals(every.select(SCHEMA.names))


class Full(io.BytesIO):
    """A file on a disk that has room for its first bytes alone."""

    def write(self, data):
        """Take a few bytes."""
        if self.tell() + len(data) > 100:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(data)


@pytest.mark.parametrize("is_closed", [True, False])
def test_a_full_disk_is_said_by_what_is_written(monkeypatch, is_closed):
    """And not when a writer is collected, where nobody can do anything about it."""
    said = []
    monkeypatch.setattr(sys, "unraisablehook", lambda found: said.append(str(found.exc_value)))
    made = writer(pa.PythonFile(Full(), "w"))
    if is_closed:
        with pytest.raises(OSError, match="No space left on device"):
            made.close()
    del made
    gc.collect()
    assert said == []


def test_row_groups_say_when_they_begin_and_nothing_of_people(tmp_path):
    """The statistics are those of the timestamp alone: those of payloads would repeat what people did."""
    frames = [events(20), events(20, start=50)]
    written(tmp_path / "a.parquet", *frames)
    metadata = pq.read_metadata(tmp_path / "a.parquet")
    for place, frame in enumerate(frames):
        group = metadata.row_group(place)
        found = {group.column(n).path_in_schema: group.column(n).statistics for n in range(group.num_columns)}
        first = found.pop("timestamp")
        assert (first.min, first.max) == (frame["timestamp"].min(), frame["timestamp"].max())
        assert set(found.values()) == {None}


@given(st.lists(st.lists(st.sampled_from(["e", "E", "", "é", "$set"]), min_size=1, max_size=9), max_size=3))
@COMPARED
def test_names_are_counted_as_they_are(tmp_path, groups):
    """However many row groups they are spread over."""
    path = tmp_path / "a.parquet"
    written(path, *(events(len(group)).with_columns(pl.Series("event", group)) for group in groups))
    assert names(path) == Counter(name for group in groups for name in group)


def test_a_file_that_cannot_be_read_has_no_names(tmp_path):
    """Gone, a folder, cut short or another's: nothing is known of it."""
    path = tmp_path / "a.parquet"
    written(path, events(9))
    whole = path.read_bytes()
    (tmp_path / "folder").mkdir()
    for name, data in {"cut": whole[:-9], "text": json.dumps({"event": "e"}).encode(), "empty": b""}.items():
        (tmp_path / name).write_bytes(data)
    for name in ("gone", "folder", "cut", "text", "empty"):
        assert names(tmp_path / name) == Counter()


def test_events_are_cast_to_the_schema_whatever_else_is_beside_them(tmp_path):
    """Categories and smaller numbers become what the schema has; other columns are left out."""
    frame = events(5).with_columns(
        pl.col("event", "file").cast(pl.Categorical), pl.col("row").cast(pl.Int32), extra=pl.lit(1)
    )
    with writer(tmp_path / "a.parquet") as file:
        file.write_table(arrow(frame))
    table = pq.read_table(tmp_path / "a.parquet")
    assert table.schema.equals(SCHEMA, check_metadata=True)
    assert pl.DataFrame(table).equals(events(5).select(SCHEMA.names))


def test_events_are_found_by_their_uuids(tmp_path):
    """In whichever row group they are, with the columns that are asked for; a file that cannot be read has none."""
    several = [events(30, start=50), events(40), events(20, start=100)]
    path = tmp_path / "a.parquet"
    written(path, *several)
    asked = [one for frame in several[::2] for one in frame.sort("timestamp")["uuid"].to_list()[:2]]
    every = {uuid: row for frame in several for uuid, row in frame.select("uuid", "row").iter_rows()}
    assert [*found(path, asked, ("row", "uuid"))] == [(every[uuid], uuid) for uuid in asked]
    assert [len(rows) for rows in groups(path, ("uuid", "file"))] == [30, 40, 20]
    assert [*found(path, [], ("uuid",))] == []
    path.write_bytes(path.read_bytes()[:-9])
    assert [*found(path, asked, ("uuid",)), *found(tmp_path / "none", asked, ("uuid",))] == []
