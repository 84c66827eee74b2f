"""JSON as text → its members and fields, each in its own spelling."""

import json

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import examples

from migrate.jsontext.parse import fields_of, raw_object

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param('{"a":"x","n":1}', "x", id="string"),
        pytest.param('{"a":9007199254740993}', "9007199254740993", id="big_integer"),
        pytest.param('{"a":{"k":[1, 2]}}', '{"k":[1,2]}', id="nested"),
        pytest.param('{"a":"\\u00e9\\n\\\\"}', "é\n\\", id="escapes"),
        pytest.param('{"a":"\\ud83d"}', "�", id="half_a_pair"),
        pytest.param('{"a":null}', None, id="null"),
        pytest.param('{"b":1}', None, id="missing"),
        pytest.param("[1]", None, id="no_object"),
        pytest.param("{", None, id="broken"),
        pytest.param("", None, id="blank"),
        pytest.param(None, None, id="nothing"),
        pytest.param('{"a":1,\n"b":2}', "1", id="lines"),
    ],
)
def test_fields(text, found):
    """A key of an object comes out as text, null where there is none; no row costs another."""
    rows = pl.Series("bag", [text, '{"a":"other"}'], dtype=pl.String)
    fields = fields_of(rows, ["a"]).struct.field("a").to_list()
    assert [fields[0] and fields[0].replace(": ", ":").replace(", ", ","), fields[1]] == [found, "other"]


@settings(max_examples=examples(80))
@given(
    st.lists(
        st.dictionaries(st.sampled_from("abc"), texts | st.integers(-(2**70), 2**70), max_size=3), min_size=1
    )
)
def test_fields_of_a_row_depend_on_the_row_alone(rows):
    """Strings and integers come out exactly, however many rows are looked at together."""
    found = fields_of(pl.Series([json.dumps(row) for row in rows]), ["a", "b"]).to_list()
    assert found == [{key: str(row[key]) if key in row else None for key in "ab"} for row in rows]


BROKEN = (
    '{"a":"x',
    'y"}',
    '{"a":[{"x":1}',
    '{"y":2}]}',
    '{"a":1},{"a":2}',
    '{"a":3} {"a":4}',
    '{"a":5}',
    "",
    None,
)


@settings(max_examples=examples(100))
@given(st.lists(st.sampled_from(BROKEN), min_size=1, max_size=6))
def test_fields_of_broken_rows_do_not_meet(rows):
    """Halves of objects in two rows make no object, and two objects in a row no two rows."""
    found = fields_of(pl.Series(rows, dtype=pl.String), ["a"]).struct.field("a").to_list()
    assert found == ["5" if row == '{"a":5}' else None for row in rows]


def test_raw_object_keeps_texts():
    """A member's value is its own text."""
    assert raw_object('{"a": 1.0, "b":[ ]}') == {"a": msgspec.Raw(b"1.0"), "b": msgspec.Raw(b"[ ]")}
