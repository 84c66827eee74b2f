"""Text of strangers becomes what a page can show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.page.letters import clean, cut, of_person, of_row

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
