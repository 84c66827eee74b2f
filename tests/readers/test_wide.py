"""Rows of very many columns are read as those of few are."""

import csv
import io
import json
from decimal import Decimal

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from readings import read, source, table

from migrate.errors import Stopped
from migrate.jsontext.build import object_text
from migrate.kit.declare import REST, ROW
from migrate.readers import wide
from migrate.readers.files import read_chunks
from migrate.readers.headers import read_header
from migrate.readers.records import Part

ODD = ("", " ", "*", "^x$", 'a"b', "c\\d", "\n", "\x01", "\x7f", "é", "\u2028", "/", "a.b", "null", "😀")
"""Names and texts that somebody might spell in another way."""


def test_many_columns_are_spelled_as_few_are():
    """The JSON of a row has the same bytes, whatever makes it."""
    values = {
        **{f"text {name}": [name, None, "null"] for name in ODD},
        **{name: ["x", None, None] for name in ODD},
        "integer": [2**63 - 1, None, 0],
        "float": [1e22, 0.1, None],
        "boolean": [True, False, None],
        "list": [[{"a": None}], [], None],
        **{f"nothing {place}": [None, "x", None] for place in range(300)},
    }
    frame = pl.DataFrame({f"c{place}": column for place, column in enumerate(values.values())}, strict=False)
    columns = {name: pl.col(f"c{place}") for place, name in enumerate(values)}
    digits = {"decimal": pl.Series(["1.50", None, None]), "large": pl.Series(["9" * 40, "0", None])}
    frame = frame.with_columns(**digits)
    json_ = {name: pl.col(name) for name in digits}
    told = frame.select(
        many=wide.wide_object_text(columns, json=json_),
        few=object_text(columns, json=json_),
        plain=wide.wide_object_text({name: pl.lit("x") for name in map(str, range(300))}),
        nothing=wide.wide_object_text({name: pl.lit(None, pl.String) for name in map(str, range(300))}),
    )
    assert told["many"].to_list() == told["few"].to_list()
    assert json.loads(told["plain"][0]) == {str(place): "x" for place in range(300)}
    assert told["nothing"].to_list() == [None] * 3


@pytest.mark.parametrize("weights", [[], [0.5, 0.5, 0.5, 0.1], [2, 2, 0.1, 0.9]])
def test_stretches_keep_the_order(weights):
    """A stretch weighs no more than it may, or is a single column; there is always one."""
    names = list("abcd")[: len(weights)]
    found = wide.stretches(names, weights)
    assert [name for stretch in found for name in stretch] == names
    assert [len(stretch) for stretch in found] == {0: [0], 0.5: [2, 2], 2: [1, 1, 2]}[
        weights[0] if weights else 0
    ]


def test_parquet_of_very_many_columns(tmp_path):
    """Declared columns, numbers, nulls and times of several row groups come out as of a file of few columns."""
    columns = {
        f"c.{place}": [f"{place}-{row}" if row % 3 else None for row in range(50)] for place in range(1500)
    }
    odd = {
        "float": [float("nan"), *(row / 2 for row in range(49))],
        "decimal": [Decimal(row) / 4 for row in range(50)],
        "struct": [{"a": row, "b": None} for row in range(50)],
    }
    names = [*columns]
    ordered = {name: columns[name] for name in names[:900]} | odd | {"a": [*range(50)]} | columns
    pq.write_table(pa.table(ordered), tmp_path / "a.parquet", row_group_size=20)
    reading = read(tmp_path / "a.parquet")
    assert [row[ROW] for row in reading.rows] == list(range(1, 51))
    assert reading.column("a") == [(row + 1, str(row)) for row in range(50)]
    for row, text in enumerate(reading.rests):
        expected = {name: column[row] for name, column in ordered.items() if name != "a"}
        expected |= {"float": None if row == 0 else expected["float"], "decimal": row / 4}
        found = json.loads(text)
        assert found == {name: value for name, value in expected.items() if value is not None}
        assert [name for name in found if name in columns] == [name for name in names if name in found]
    assert reading.counts == {"non_finite_number": 1}
    assert reading.rejects == []


def test_columns_of_different_heights_are_no_rows():
    """No cell is put beside another row's."""

    def parts(height):
        yield Part(pl.DataFrame({ROW: range(height), REST: ["{}"] * height}))

    with pytest.raises(pa.ArrowInvalid, match="its columns have different numbers of rows"):
        list(wide.side_by_side([parts(3), parts(2)]))


def test_no_room_for_what_is_put_aside_is_no_fault_of_the_source(tmp_path, monkeypatch):
    """A full disk stops the run instead of making the file an unreadable one."""
    monkeypatch.setattr(wide, "TemporaryFile", lambda: open("/dev/full", "wb", buffering=0))  # noqa: PTH123, SIM115
    pq.write_table(pa.table({f"c{place}": ["x"] for place in range(3000)}), tmp_path / "a.parquet")
    with pytest.raises(Stopped, match="cannot be written, found 'No space left on device'; see to space"):
        read(tmp_path / "a.parquet")


def test_csv_of_very_many_columns(tmp_path):
    """Blocks hold many rows of it, repeated headers are found, and every cell is where it was."""
    names = [f"c{place}" for place in range(3000)]
    rows = [[f"{place}-{row}" if (place + row) % 5 else "" for place in range(3000)] for row in range(60)]
    out = io.StringIO()
    csv.writer(out).writerows([names, *rows[:40], names, *rows[40:]])
    reading = read(tmp_path / "a", out.getvalue().encode(), table(["c7"]), block_bytes=1 << 14)
    assert [one.reason for one in reading.rejects] == ["repeated_header"]
    assert [number for number, _ in reading.column("c7")] == [*range(1, 41), *range(42, 62)]
    assert [text for _, text in reading.column("c7")] == [row[7] or None for row in rows]
    for row, text in zip(rows, reading.rests, strict=True):
        cells = dict(zip(names, row, strict=True))
        assert json.loads(text) == {name: cell for name, cell in cells.items() if cell and name != "c7"}
    assert reading.chunks < 10


def test_wide_parquet_comes_in_chunks_of_some_megabytes(tmp_path):
    """However many columns there are, a chunk is no larger."""
    cells = {f"column_{place:05d}": [f"value {row}" for row in range(100)] for place in range(5000)}
    pq.write_table(pa.table(cells), tmp_path / "a.parquet")
    found = source(tmp_path / "a.parquet")
    sizes = [chunk.rows.estimated_size() for chunk in read_chunks(found, table(), read_header(found))]
    assert max(sizes) < 8_000_000
    assert sum(sizes) > 10_000_000
