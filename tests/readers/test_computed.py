"""Columns that are computed of those read: what fails is null, counted, and costs no other row."""

from collections import Counter
from dataclasses import replace

import polars as pl
import pytest
from readings import table

from migrate.kit.declare import Computed
from migrate.readers.chunks import chunk_of
from migrate.readers.opener import Opener
from migrate.readers.records import Part

CAST = Computed(value=pl.sql_expr("CAST(a AS INT)"))


def chunk(computed, ids=(), **columns):
    """The chunk of a part of these columns of text, with columns computed."""
    given = replace(table(tuple(columns)), computed=computed, ids=ids)
    height = len(next(iter(columns.values())))
    rows = pl.DataFrame({"_row": range(1, height + 1), **columns, "_rest": [None] * height})
    rows = rows.cast({"_row": pl.Int64, "_rest": pl.String, **dict.fromkeys(columns, pl.String)})
    return chunk_of(Part(rows), given, Opener.of(given))


def test_columns_are_computed_one_after_another():
    """A later one may be made of an earlier one; a constant has a value in each row."""
    found = chunk(
        {
            "both": Computed(value=pl.sql_expr("a || '-' || b")),
            "loud": Computed(value=pl.sql_expr("UPPER(both)")),
            "one": Computed(value=pl.sql_expr("1")),
        },
        a=["x", None],
        b=["y", "z"],
    )
    assert found.rows["loud"].to_list() == ["X-Y", None]
    assert found.rows["one"].to_list() == [1, 1]
    assert found.counts == {}


@pytest.mark.parametrize("size", [1, 2, 7, 50], ids=str)
def test_what_fails_costs_no_other_row_wherever_chunks_end(size):
    """The same rows have a value in chunks of any size, and as many are counted."""
    texts = ["1", "x", None, "3", "x", "4", "", "99999999999", "5"] * 5
    values, counts = [], Counter()
    for start in range(0, len(texts), size):
        found = chunk({"n": CAST}, a=texts[start : start + size])
        values += found.rows["n"].to_list()
        counts.update(found.counts)
    assert values == [1, None, None, 3, None, 4, None, None, 5] * 5
    assert counts == {"expression_failed.n": 20}


def test_what_panics_is_a_failure_too():
    """A panic in polars is no `Exception`, and must not end the run."""

    def panicking(texts):
        if (texts == "x").any():
            raise pl.exceptions.PanicException("no")
        return texts

    value = pl.col("a").map_batches(panicking, return_dtype=pl.String, is_elementwise=True)
    found = chunk({"n": Computed(value=value, counted="event")}, a=["1", "x", "2"])
    assert found.rows["n"].to_list() == ["1", None, "2"]
    assert found.counts == {"expression_failed.event": 1}


def test_numbers_that_are_none_are_null():
    """Dividing by zero gives no number that JSON has."""
    found = chunk({"n": Computed(value=pl.sql_expr("TRY_CAST(a AS DOUBLE) / 0"))}, a=["1", "0", None])
    assert found.rows["n"].to_list() == [None, None, None]
    assert found.counts == {"non_finite_number": 2}


def test_another_form_of_a_column_is_counted_as_a_cast_is():
    """What the column holds, and the other form does not, is lost."""
    value = Computed(value=pl.sql_expr("TRY_CAST(a AS INT)"), of="a", counted="a")
    found = chunk({"n": value}, a=["1", "x", None])
    assert found.rows["n"].to_list() == [1, None, None]
    assert found.counts == {"wrong_type.a": 1}


def test_an_expression_may_call_columns_otherwise():
    """As where the user's name of a column is not that of rows."""
    found = chunk({"n": Computed(value=pl.sql_expr('"user id"'), names={"user id": "a"})}, a=["1"])
    assert found.rows["n"].to_list() == ["1"]


def test_computed_ids_are_judged_as_those_read_are():
    """A word for nothing is no id."""
    found = chunk({"id": Computed(value=pl.col("a"))}, ids=["id"], a=["null", "u-1", "caf\ufffd"])
    assert found.rows["id"].to_list() == [None, "u-1"]
    assert found.counts == {"null_text": 1}
    assert [one[:3] for one in found.rejects] == [(3, "invalid_text", "caf\ufffd")]


def test_no_rows_have_columns_of_the_same_types():
    """So that chunks can be put together."""
    found = chunk({"n": CAST, "t": Computed(value=pl.lit("x"))}, a=[])
    assert (found.rows.schema["n"], found.rows.schema["t"]) == (pl.Int32, pl.String)
