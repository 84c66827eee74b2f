"""All spellings of a JSON value have one form, and no two values the same."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED, VALUES

from migrate.jsontext.canonical import canonical_number, canonical_text

NUMBERS = st.from_regex(r"-?[0-9]{1,20}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?", fullmatch=True)


def reversed_keys(value):
    """The same value, its objects written from the last key to the first."""
    if isinstance(value, dict):
        return {key: reversed_keys(value[key]) for key in reversed(value)}
    return [*map(reversed_keys, value)] if isinstance(value, list) else value


@COMPARED
@given(value=VALUES)
def test_a_value_has_one_form_however_it_is_spelled(value):
    """Whatever the order of keys, the spaces and the escapes; and that form is its own."""
    form = canonical_text(json.dumps(value))
    assert canonical_text(json.dumps(reversed_keys(value), indent=1, ensure_ascii=False)) == form
    assert canonical_text(form) == form


@COMPARED
@given(one=NUMBERS, other=NUMBERS, shift=st.integers(0, 5))
def test_numbers_are_alike_exactly_where_their_decimal_values_are(one, other, shift):
    """To the last digit, which no double would keep."""
    assert Decimal(canonical_number(one)) == Decimal(one)
    assert (canonical_number(one) == canonical_number(other)) == (Decimal(one) == Decimal(other))
    zeros = f"00{int(one)}.{'0' * shift}" if one.isdigit() else one
    assert canonical_number(zeros.removesuffix(".")) == canonical_number(one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("1", '"1"', id="a text is no number"),
        pytest.param("true", '"true"', id="a text is no boolean"),
        pytest.param("1", "true", id="a number is no boolean"),
        pytest.param("[1,2]", "[2,1]", id="a list has an order"),
        pytest.param("[null]", "[]", id="null is an element"),
        pytest.param('{"a":{}}', "{}", id="an empty object is a member"),
        pytest.param("9007199254740993", "9007199254740992", id="beyond a double"),
        pytest.param('"a"', '"A"', id="case"),
    ],
)
def test_other_values_have_other_forms(one, other):
    """So that two of them are never taken for one."""
    assert canonical_text(one) != canonical_text(other)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ('{"b": 1.50, "a": null}', '{"b":15e-1}'),
        ("-0.0", "0e0"),
        ("NaN", "null"),
        ("no JSON {", '"no JSON {"'),
        ("[" * 100_000, json.dumps("[" * 100_000)),
    ],
    ids=["null members", "zero", "no number", "no JSON", "too deep"],
)
def test_forms(text, form):
    """What is no JSON is a text of its own."""
    assert canonical_text(text) == form
