"""A part's row groups, batch by batch."""

import polars as pl
import pyarrow as pa
import pytest
from workdirs import events

from migrate.apply.groups import MERGED, Group, file_batches, open_sealed, repeated
from migrate.workdir.dayfile import DayFile, arrow
from migrate.workdir.seals import Seal


@pytest.fixture
def path(tmp_path):
    """A file of two row groups, of 5 and of 3 events."""
    file = DayFile(tmp_path / "a.parquet")
    for some in (events(5), events(3, start=100)):
        file.add(arrow(some.sort("timestamp")), 100)
    file.close()
    return tmp_path / "a.parquet"


@pytest.mark.parametrize("is_sent", [False, True])
@pytest.mark.parametrize("stays_open", [False, True])
def test_a_row_group_comes_in_batches_that_say_whose_it_is(path, is_sent, stays_open):
    """Its own rows alone; of what was sent no payload is read."""
    with open_sealed(path, Seal.of(path)) as file:
        group = Group(path, Seal.of(path), 7, is_sent=is_sent, file=file if stays_open else None, number=0)
        batches = [*group.batches(2)]
    assert [batch.num_rows for batch in batches] == [2, 2, 1]
    assert {tuple(batch.schema.names) for batch in batches} == {tuple(MERGED)}
    whole = pa.Table.from_batches(batches)
    expected = events(5).sort("timestamp")
    for name in ("timestamp", "event", "distinct_id", "uuid", "row"):
        assert whole[name].to_pylist() == expected[name].to_list()
    payloads = [None] * 5 if is_sent else expected["payload"].to_list()
    assert whole["payload"].to_pylist() == payloads
    assert (whole["sent"].to_pylist(), whole["order"].to_pylist()) == ([is_sent] * 5, [7] * 5)


def test_a_file_of_merged_events_comes_as_it_lies_there(path):
    """All row groups, one after another."""
    rows = [row for batch in file_batches(path, Seal.of(path), 4) for row in batch["row"].to_pylist()]
    assert rows == [*events(5).sort("timestamp")["row"], *events(3, start=100).sort("timestamp")["row"]]


def test_a_column_of_one_value_is_as_long_as_it_is_asked_for():
    """Again and again, from what is kept of it."""
    for count in (3, 0, 4_096):
        assert repeated(5, pl.Int32, count).to_pylist() == [5] * count
        assert repeated(value=True, kind=pl.Boolean, count=count).to_pylist() == [True] * count
