"""Rows that are alike, by their laws: who stands first, who is like whom, and what is remembered of them."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from migrate.kit.distinct import Recurring, distinct, rows_where, slim, together

ROWS = st.lists(
    st.tuples(st.sampled_from([None, "", "a", "b"]), st.sampled_from([None, 0, 1, 1 << 40]), st.booleans())
)
TEXTS = st.sampled_from([None, "", "a", "b", "\x1f", "a\x1f"])


def columns(rows):
    """Three columns of these rows."""
    types = (pl.String, pl.Int64, pl.Boolean)
    return [pl.Series([row[place] for row in rows], dtype=dtype) for place, dtype in enumerate(types)]


@given(ROWS)
def test_rows_are_numbered_in_the_order_in_which_they_appear(rows):
    """Each distinct row is counted once, where it first stands, and every other is its like."""
    found = distinct(columns(rows))
    firsts = list(dict.fromkeys(rows))
    assert found.places.to_list() == [rows.index(row) for row in firsts]
    assert found.codes.to_list() == [firsts.index(row) for row in rows]


def test_many_columns_of_many_values_do_not_overflow():
    """Ten columns of a thousand values are told apart by more numbers than 64 bits have."""
    rows = [tuple((row * prime) % 1_000 for prime in range(3, 13)) for row in range(2_000)]
    found = distinct([pl.Series([row[place] for row in rows]) for place in range(10)])
    firsts = list(dict.fromkeys(rows))
    assert found.codes.to_list() == [firsts.index(row) for row in rows]


@given(st.lists(ROWS.map(lambda rows: pl.DataFrame(columns(rows))), min_size=1, max_size=4), st.data())
def test_columns_of_nothing_stand_for_each_other(frames, data):
    """Frames that are put together, and rows that are chosen, are the same whether or not columns are null."""
    frames = [
        frame.with_columns(column_1=pl.struct("column_0"), none=pl.lit(None, pl.String)) for frame in frames
    ]
    whole = pl.concat(frames)
    assert together(frames).equals(whole)
    is_kept = pl.Series(
        data.draw(st.lists(st.booleans(), min_size=whole.height, max_size=whole.height)), dtype=pl.Boolean
    )
    assert rows_where(slim(whole), is_kept).equals(whole.filter(is_kept))


@given(st.lists(st.lists(st.tuples(TEXTS, TEXTS)), min_size=1, max_size=4), st.integers(0, 5))
def test_what_is_remembered_makes_no_difference(chunks, remembered):
    """The same comes of a row, whatever came before it and however little is kept."""
    both = pl.concat_str("a", "b", separator="+", ignore_nulls=True)
    told = {"both": both, "length": pl.col("a").str.len_bytes()}
    recurring = Recurring(["a", "b"], {"all": told}, remembered=remembered)
    for rows in chunks:
        frame = pl.DataFrame(rows, schema={"a": pl.String, "b": pl.String}, orient="row")
        found = frame.select(recurring.struct().alias("found"))["found"].to_list()
        assert found == [
            {
                "both": "+".join(text for text in row if text is not None),
                "length": None if row[0] is None else len(row[0].encode()),
            }
            for row in rows
        ]
