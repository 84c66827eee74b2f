"""What PostHog would mangle in JSON is mended, and nothing else is touched."""

import json
import math
from collections import Counter

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import examples

from migrate.jsontext import repairs


@pytest.mark.parametrize(
    ("text", "sent", "counts"),
    [
        pytest.param('{"a":9007199254740992}', '{"a":9007199254740992}', {}, id="largest"),
        pytest.param('{"a":9007199254740993}', '{"a":"9007199254740993"}', {"big_integer": 1}, id="big"),
        pytest.param("[-12345678901234567]", '["-12345678901234567"]', {"big_integer": 1}, id="negative"),
        pytest.param('{"a":"9007199254740993"}', '{"a":"9007199254740993"}', {}, id="big_in_a_string"),
        pytest.param(
            '{"a": 1e400 , "b":[NaN]}', '{"a": null , "b":[null]}', {"non_finite_number": 2}, id="infinite"
        ),
        pytest.param('{"a":-Infinity}', '{"a":null}', {"non_finite_number": 1}, id="minus"),
        pytest.param('{"a":"NaN 1e400","b":1.50}', '{"a":"NaN 1e400","b":1.50}', {}, id="words_in_a_string"),
        pytest.param(r'{"a":"\u0000"}', '{"a":"�"}', {"nul_character": 1}, id="nul"),
        pytest.param('{"a":"\0"}', '{"a":"�"}', {"nul_character": 1}, id="raw_nul"),
        pytest.param(r'{"a":"\\u0000"}', r'{"a":"\\u0000"}', {}, id="escaped_backslash"),
        pytest.param(r'{"\ud83d":1}', '{"�":1}', {"lone_surrogate": 1}, id="half_in_a_key"),
        pytest.param(
            r'{"a":"\ud83d\ud83d\ude00"}', r'{"a":"�\ud83d\ude00"}', {"lone_surrogate": 1}, id="half_and_pair"
        ),
        pytest.param(r'{"a":"\uDE00x"}', '{"a":"�x"}', {"lone_surrogate": 1}, id="low_half"),
        pytest.param('{\n"a":"x\ny\t\x01"}', '{\n"a":"x\\ny\\t\\u0001"}', {}, id="raw_control_characters"),
    ],
)
def test_repaired(text, sent, counts):
    """Each thing that had to change is counted once; blanks, digits and spelling of all else stay."""
    found = Counter()
    assert repairs.mended(pl.Series([text]), found).to_list() == [sent]
    assert found == counts
    assert repairs.repaired(sent, Counter()) == sent


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
numbers = st.integers() | st.floats() | st.integers(-(10**20), 10**20)
values = st.recursive(
    st.none()
    | st.booleans()
    | numbers
    | texts
    | st.text(st.sampled_from('\ud83d\ude00\\"u0\0{[:,1e'), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)


def sound(value):
    """What a value becomes."""
    if isinstance(value, str):
        joined = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return joined.replace("\0", "\ufffd")
    if isinstance(value, dict):
        return {sound(key): sound(item) for key, item in value.items()}
    if isinstance(value, list):
        return [sound(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, int) and abs(value) > 2**53:
        return str(value)
    return value


@settings(max_examples=examples(300))
@given(st.dictionaries(texts, values, max_size=4), st.sampled_from([None, 1]))
def test_no_suspect_is_overlooked(value, indent):
    """What is found by the quick look and mended is what a full walk through the value would mend."""
    text = json.dumps(value, indent=indent)
    (found,) = repairs.mended(pl.Series([text]), Counter())
    assert json.loads(found, parse_constant=pytest.fail) == sound(value)


def test_the_texts_given_stay_as_they_are():
    """Mending makes new text; nulls stay null."""
    texts = pl.Series("bag", ["{}", None, '{"a":NaN}'])
    assert repairs.mended(texts, Counter()).to_list() == ["{}", None, '{"a":null}']
    assert texts.to_list() == ["{}", None, '{"a":NaN}']
