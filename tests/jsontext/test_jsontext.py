"""JSON as text: objects from columns, fields from objects, keys renamed."""

import json

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate.jsontext.build import inner_text, members_text, object_text
from migrate.jsontext.careful import MAX_DEPTH, nests_too_deep
from migrate.jsontext.parse import fields_of, raw_object
from migrate.kit.cells import value_of

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)


def test_an_object_has_a_member_for_each_value():
    """Nulls are left out; a row with nothing in it is null; text that is JSON goes in as it stands."""
    frame = pl.DataFrame({"a": [1, None, None], "b": ["x", None, None], "j": ["[1.0]", '{"k": 1}', None]})
    text = object_text(["a", pl.col("b").alias('say "b"')], json={"ü": pl.col("j")})
    assert frame.select(text).to_series().to_list() == [
        '{"a":1,"say \\"b\\"":"x","ü":[1.0]}',
        '{"ü":{"k": 1}}',
        None,
    ]


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(texts, st.none() | texts | st.integers(0, 9) | st.booleans(), min_size=1, max_size=5))
def test_members_are_json_whatever_keys_and_values_are(row):
    """Keys and values come back as they went in."""
    frame = pl.DataFrame({f"c{place}": [value] for place, value in enumerate(row.values())})
    columns = {key: pl.col(f"c{place}") for place, key in enumerate(row)}
    (found,) = frame.select(members_text(columns)).to_series()
    assert json.loads(f"{{{found}}}") == {key: value for key, value in row.items() if value is not None}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param('{"a":1}', '"a":1', id="object"),
        pytest.param(' { "a":{} } ', '"a":{}', id="blanks"),
        pytest.param("{ }", None, id="empty"),
        pytest.param("", None, id="blank"),
        pytest.param(None, None, id="null"),
    ],
)
def test_inside(text, found):
    """The inside of an object is what stands between its braces, null where nothing does."""
    frame = pl.DataFrame({"t": [text]}, schema={"t": pl.String})
    assert frame.select(inner_text(pl.col("t"))).to_series().to_list() == [found]


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


@settings(max_examples=80, deadline=None)
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


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(BROKEN), min_size=1, max_size=6))
def test_fields_of_broken_rows_do_not_meet(rows):
    """Halves of objects in two rows make no object, and two objects in a row no two rows."""
    found = fields_of(pl.Series(rows, dtype=pl.String), ["a"]).struct.field("a").to_list()
    assert found == ["5" if row == '{"a":5}' else None for row in rows]


@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        texts, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
    ),
    st.integers(0, 3),
)
def test_too_deep(value, more):
    """So deep is a text as objects and lists stand in one another, whatever its strings hold."""

    def measured(inner):
        items = inner.values() if isinstance(inner, dict) else inner if isinstance(inner, list) else None
        return 0 if items is None else 1 + max(map(measured, items), default=0)

    around = max(0, MAX_DEPTH - measured(value)) + more - 1
    text = "[" * around + json.dumps([value, value]) + "]" * around
    assert nests_too_deep(text.encode()) == (around + 1 + measured(value) > MAX_DEPTH)


def test_raw_object_keeps_texts():
    """A member's value is its own text."""
    assert raw_object('{"a": 1.0, "b":[ ]}') == {"a": msgspec.Raw(b"1.0"), "b": msgspec.Raw(b"[ ]")}


@pytest.mark.parametrize("digits", ["9" * 5_000, "-1e400", "1" * 400 + ".5"])
def test_numbers_that_python_cannot_hold_are_their_own_text(digits):
    """Rather than nothing."""
    assert value_of(f'{{"x":{digits},"y":1}}') == {"x": digits, "y": 1}
