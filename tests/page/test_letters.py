"""Text of strangers becomes what a page can show."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.page.letters import clean, cut, of_json, of_no_row, of_person, of_row

KEY = "phc_AbCdEfGh0123456789AbCdEfGh0123456789"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("Order Placed", "Order Placed", id="plain"),
        pytest.param("x" * 61, "x" * 60 + "…", id="long"),
        pytest.param("名" * 40, "名" * 30 + "…", id="three bytes a letter"),
        pytest.param("a\x1b[31m\r\n\tb", "a\\x1b[31m\\r\\n\\tb", id="control characters"),
        pytest.param("\u202eevil\u2069", "\\u202eevil\\u2069", id="what turns letters around"),
        pytest.param("שלום", "שלום", id="right to left"),
        pytest.param("half \ud83d", "half \\ud83d", id="half of a character"),
        pytest.param(f"at {KEY}", "at phc_***", id="key"),
        pytest.param(f"{'y' * 50}{KEY}"[:70] + " z", "y" * 50 + KEY[:10] + "…", id="no key"),
    ],
)
def test_a_name_is_short_and_stays_on_its_line(text, told):
    """Escapes are seen, secrets are not, and what is cut says so."""
    assert cut(text) == told


@given(st.text(st.characters(), max_size=300), st.integers(1, 80))
def test_what_is_cut_is_small(text, letters):
    """Whatever it is, as HTML, too."""
    from html import escape  # noqa: PLC0415 - where it is asked

    found = cut(text, letters)
    assert len(found) <= letters + 1
    assert len(escape(found).encode()) <= 1.5 * letters + 3
    assert clean(found) == found


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("user_id", "anna-1", "an…"),
        ("userId", "anna-1", "an…"),
        ("$set.email", "anna@example.com", "an…"),
        ("note", "ask anna@example.com, today", "ask an…, today"),
        ("plan", "pro", "pro"),
        ("video", "v-1234", "v-1234"),
        ("paid", "yes", "yes"),
        ("userPhone", "+49171234567", "+4…"),
        ("ipAddress", "203.0.113.7", "20…"),
        ("distinct_id_too_long", "anna-1", "an…"),
        ("props", '{"userId": "anna-1", "n": 1}', '{"userId": "an…", "n": 1}'),
        ("props", '{"email": "anna", "n": 1, "us', '{"email": "an…", "n": 1, "us'),
        ("file", "/home/anna@example.com/in.json", "/home/an…/in.json"),
    ],
)
def test_whose_a_value_is_is_shortened(name, text, told):
    """By the name of its field, and wherever an address stands in it."""
    assert of_person(name, text, is_whole=False) == told
    assert of_person(name, text, is_whole=True) == text


def test_so_is_a_row():
    """In objects and lists of it, numbers, too; what is no JSON is a text."""
    row = '{"user_id": 4711, "n": 4711, "who": {"emails": ["a@b.example"], "ok": true}}'
    assert (
        of_row(row, is_whole=False) == '{"user_id": "47…", "n": 4711, "who": {"emails": ["a@…"], "ok": true}}'
    )
    assert of_row(row, is_whole=True) == row
    assert of_row("a@b.example,1", is_whole=False) == "a@…,1"
    nested = json.dumps({"p": json.dumps({"user_id": "anna-1"})})
    assert json.loads(of_row(nested, is_whole=False)) == {"p": '{"user_id": "an…"}'}
    assert (
        of_row('{"a@b.example": [{"userPhone": 4917}]}', is_whole=False) == '{"a@…": [{"userPhone": "49…"}]}'
    )


def test_what_is_no_row_has_no_ids_either():
    """There are no names of fields that can be relied on, or harmed ones."""
    assert (
        of_no_row('{"user_id": "anna", "n": 12, oops', is_whole=False) == '{"user_id": "an…", "n": 12, oops'
    )
    assert of_no_row("user-4711,Page,1234567,12", is_whole=False) == "us…,Page,12…,12"
    deep = f'{{"user_id": "anna", "a": {"[" * 900}{"]" * 900}}}'
    assert of_row(deep, is_whole=False).startswith('{"user_id": "an…", "a": [[[')
    assert of_no_row("user-4711", is_whole=True) == "user-4711"


@pytest.mark.parametrize("is_whole", [False, True])
def test_what_opens_a_door_is_never_shown(is_whole):
    """By the name of its field or by its shape, whatever is wanted whole."""
    row = '{"apiKey": "abc", "a": "Bearer abcdefgh1", "p": "{\\"password\\": \\"abc\\"}", "broken": "{\\"pin\\": 12, "}'
    told = of_row(row, is_whole=is_whole) + of_no_row(row[:-1], is_whole=is_whole)
    assert not re.search("abc|12", told)


def test_of_an_example_its_text_is_looked_at():
    """It is the beginning of JSON text."""
    text = json.dumps(json.dumps({"user_id": "anna-1", "long": "x" * 90}))[:45]
    assert of_json("props", text, is_whole=False) == '"{"user_id": "an…", "long": "xxxxxx"'
    assert of_json("user_id", '"anna-1"', is_whole=False) == '"an…"'
