"""Columns → JSON objects as text."""

import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import examples

from migrate.jsontext.build import inner_text, members_text, object_text

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


@settings(max_examples=examples(80))
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
    """The inside of an object is what stands between its braces, null where nothing does, whatever else is there."""
    others = {'{"b":"{ }"}': '"b":"{ }"', "{}": None, None: None}
    for texts in ([text], [*others, text]):
        frame = pl.DataFrame({"t": texts}, schema={"t": pl.String})
        inside = frame.select(inner_text(pl.col("t"))).to_series().to_list()
        assert inside == [*others.values(), found][-len(texts) :]
