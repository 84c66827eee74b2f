"""A part becomes a chunk: words for nothing are no ids, types are as declared, and what is lost is counted."""

from collections import Counter
from dataclasses import replace

import polars as pl
import pytest
from readings import table

from migrate.readers.chunks import chunk_of
from migrate.readers.opener import Opener
from migrate.readers.records import ROUNDED, Part, reject


def chunk(given, rejects=(), **columns):
    """The chunk of a part of these columns of text."""
    height = len(next(iter(columns.values())))
    rows = pl.DataFrame({"_row": range(1, height + 1), **columns, "_rest": [None] * height})
    rows = rows.cast({"_row": pl.Int64, "_rest": pl.String, **dict.fromkeys(columns, pl.String)})
    return chunk_of(Part(rows, [*rejects]), given, Opener.of(given))


def test_an_id_that_stands_for_many_costs_its_row():
    """A word for nothing is null and counted; one that was rounded or cannot be read is a reject, among others."""
    given = replace(table(("a", "b")), ids=("a", "b"))
    found = chunk(
        given,
        [reject(9, "bad_json", "x"), reject(None, "truncated_file", "y")],
        a=["null", f"{ROUNDED}1e20", "x", "u-1"],
        b=["b", "b", "caf\ufffd", "b"],
    )
    assert found.rows.select("_row", "a", "b").rows() == [(1, None, "b"), (4, "u-1", "b")]
    assert [one[:3] for one in found.rejects] == [
        (None, "truncated_file", "y"),
        (2, "rounded_id", "1e20"),
        (3, "invalid_text", "caf\ufffd"),
        (9, "bad_json", "x"),
    ]
    assert found.counts == {"null_text": 1}


@pytest.mark.parametrize(
    ("dtype", "texts", "values", "lost"),
    [
        (pl.Boolean, ["True", " f ", "1", "yes", None], [True, False, True, None, None], 1),
        (pl.Float64, ["1.5", " 2 ", "nan", "inf", "x"], [1.5, 2.0, None, None, None], 3),
        (pl.Int64, ["9007199254740993", "7.0", "7.5", "", None], [9007199254740993, 7, None, None, None], 2),
    ],
    ids=["booleans", "floats", "integers"],
)
def test_cells_are_of_the_declared_type(dtype, texts, values, lost):
    """A cell that is none of it is null and counted; whole numbers keep all their digits."""
    found = chunk(table(("a",), types={"a": dtype}), a=texts)
    assert found.rows["a"].dtype == dtype
    assert found.rows["a"].to_list() == values
    assert found.counts == Counter({"wrong_type.a": lost})
