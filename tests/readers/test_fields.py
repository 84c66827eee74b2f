"""Objects of known keys are decoded all at once, and come to what decoding each by itself comes to."""

import json

from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED

from migrate.readers.fields import Fields

VALUES = st.one_of(
    st.text('ab"é', max_size=3),
    st.integers(-(2**40), 2**40),
    st.booleans(),
    st.lists(st.integers(0, 9), max_size=2),
)
ROWS = st.lists(st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES, max_size=3), min_size=1, max_size=6)


def cell(row, key):
    """What a cell is to hold: text as it is, all else as the JSON it was."""
    value = row.get(key)
    return value if value is None or isinstance(value, str) else json.dumps(value)


@COMPARED
@given(rows=ROWS)
def test_columns_hold_what_each_object_has(rows):
    """A key that no object has is no column; `c` is not asked for, and does no harm."""
    fields = Fields(["a", "b"], ["a", "b"], [], strict=False)
    found = fields.columns([json.dumps(row) for row in rows])
    expected = {
        key: [cell(row, key) for row in rows] for key in ("a", "b") if any(key in row for row in rows)
    }
    assert {key: column.to_list() for key, column in found.items()} == expected


def test_a_key_that_may_not_be_there():
    """Strict fields say that they do not know it: the rows are read in another way."""
    fields = Fields(["a"], ["a", "b"], ["a"])
    assert fields.decoded([b'{"a":"x","b":2}']) is not None
    assert fields.decoded([b'{"a":"x","z":2}']) is None


def test_text_that_is_no_object():
    """There are no columns of it."""
    assert Fields(["a"], ["a"], [], strict=False).columns(['{"a":1}', "[1]"]) is None
