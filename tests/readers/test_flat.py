"""Undeclared columns of a flat file become objects, as if each row had been an object of JSON."""

import json

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED

from migrate.jsontext.canonical import canonical_text
from migrate.readers.flat import Flat, completed

VALUES = {
    "a": st.text(max_size=4),
    "b": st.integers(-9, 9),
    "c": st.booleans(),
    "d": st.sampled_from(["1.0", "[2]"]),
    "e": st.text(max_size=4),
}
ROWS = st.lists(
    st.fixed_dictionaries({name: st.none() | one for name, one in VALUES.items()}), min_size=1, max_size=5
)
SCHEMA = {"a": pl.String, "b": pl.Int64, "c": pl.Boolean, "d": pl.String, "e": pl.String}


def flat(rows):
    """These rows as columns; `d` is JSON already."""
    return Flat(pl.DataFrame(rows, SCHEMA), frozenset("d"), len(rows))


def members(row, named):
    """What an object of a row holds, under these names; null where it is empty."""
    found = {
        name: json.loads(row[c]) if c == "d" else row[c] for name, c in named.items() if row[c] is not None
    }
    return found or None


@COMPARED
@given(rows=ROWS)
def test_objects_of_columns_hold_their_values(rows):
    """Under the names that are asked for; what is null is not there."""
    named = {"first": "a", "b": "b", "third": "c", "d": "d"}
    texts = flat(rows).text(named).to_list()
    assert [text and json.loads(text) for text in texts] == [members(row, named) for row in rows]


@COMPARED
@given(rows=ROWS)
def test_the_whole_is_canonical(rows):
    """As canonical text of the same object is."""
    named = {name: name for name in SCHEMA}
    texts = flat(rows).text(named).to_list()
    assert flat(rows).whole().to_list() == [text and canonical_text(text) for text in texts]


def test_an_object_is_completed_by_another():
    """Its own members stand first and win."""
    one = pl.Series(['{"a":1}', None, '{"a":1}', None], dtype=pl.String)
    other = pl.Series(['{"a":2,"b":3}', '{"b":3}', None, None], dtype=pl.String)
    assert completed(one, other).to_list() == ['{"a":1,"b":3}', '{"b":3}', '{"a":1}', None]
