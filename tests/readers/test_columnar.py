"""Batches of typed columns become parts: what is declared as text, what is not as JSON has it, and losses counted."""

from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import orc
from readings import table

from migrate.readers.columnar import BATCH_BYTES, Columns, cut, damage
from migrate.readers.records import Header


def part(batch, given, first=1):
    """The part that a batch comes to."""
    columns = Columns.of(given, Header("parquet", tuple(batch.schema.names)))
    return columns.part(columns.simple(batch), first)


@pytest.mark.parametrize("rows", [1, 3, 1_000])
def test_a_batch_is_cut_into_smaller_ones(rows):
    """In order and without loss; a row that is too large stays whole."""
    batch = pa.record_batch({"a": [f"{row}" * (2 * BATCH_BYTES // rows) for row in range(rows)]})
    pieces = list(cut(batch))
    assert pa.Table.from_batches(pieces).column("a").to_pylist() == batch.column("a").to_pylist()
    assert all(piece.nbytes <= BATCH_BYTES or piece.num_rows == 1 for piece in pieces)


def test_declared_columns_are_text_and_others_as_json_has_them():
    """In any case of their names; ids without decimals, dropped columns not at all."""
    batch = pa.record_batch({"ID": [7.0, None], "a": [True, False], "n": [1, 2], "gone": ["x", "y"]})
    given = replace(table(("id", "a", "none"), dropped=("gone",)), ids=("id",))
    found = part(batch, given, first=5)
    assert found.rows.rows() == [(5, "7", "true", None), (6, None, "false", None)]
    assert found.flat.to_dict(as_series=False) == {"n": [1, 2]}


def test_numbers_that_are_none_are_nothing_and_counted():
    """As they are no JSON."""
    found = part(pa.record_batch({"a": [float("nan"), 1.5], "z": [float("inf"), 2.5]}), table(("a",)))
    assert found.rows["a"].to_list() == [None, "1.5"]
    assert found.flat["z"].to_list() == [None, 2.5]
    assert found.counts["non_finite_number"] == 2


@pytest.mark.parametrize("length", [6, 200, -9])
def test_a_columnar_file_that_is_cut_off_is_said_to_be(tmp_path, length):
    """In words of ours, wherever it was cut; other damage is said as the reader says it."""
    whole = {name: tmp_path / f"a.{name}" for name in ("parquet", "orc")}
    found = pa.table({"a": [f"{n}" for n in range(900)]})
    pq.write_table(found, whole["parquet"])
    orc.write_table(found, whole["orc"])
    for read, path in ((pq.ParquetFile, whole["parquet"]), (orc.ORCFile, whole["orc"])):
        path.write_bytes(path.read_bytes()[:length])
        with pytest.raises((pa.ArrowException, OSError)) as told:
            read(path)
        words = "the file is cut off before its end, where it says what it holds; fetch it again"
        assert damage(told.value) == words
    assert damage(OSError("something else")) == "something else"
