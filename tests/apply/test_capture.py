"""Whatever a server says: its Retry-After is a time or none, and its words can be shown."""

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonvalues import COMPARED

from migrate.apply.capture import A_YEAR, retry_after, shown, unheeded

NOW = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
PARTS = [
    "Tue,",
    "14",
    "Nov",
    "2023",
    "99999",
    "22:14:20",
    "24:61:00",
    "GMT",
    "+2359",
    "-",
    "1e999",
    "nan",
    " ",
    "é",
]
HEADERS = st.none() | st.text(max_size=12) | st.lists(st.sampled_from(PARTS), max_size=8).map(" ".join)
KEYS = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="*"), min_size=1, max_size=9
)


@given(HEADERS)
@example("-3")
@COMPARED
def test_any_header_is_a_time_within_a_year_or_none(value):
    """Nothing raises; what is no time to come back is known as it was found, unless there was nothing."""
    seconds = retry_after(value, now=NOW.timestamp())
    assert seconds is None or 0 <= seconds <= A_YEAR
    text = (value or "").strip()
    assert unheeded(value, now=NOW.timestamp()) == (text if seconds is None or text.startswith("-") else "")


@given(st.integers(-(10**9), 2 * 10**8), st.integers(-23, 23))
@example(int(A_YEAR), -5)
@example(int(A_YEAR) + 1, 5)
@COMPARED
def test_a_date_says_the_same_as_its_seconds(seconds, hours):
    """In any zone; what is past is now, and what is more than a year away is no time."""
    when = (NOW + timedelta(seconds=seconds)).astimezone(timezone(timedelta(hours=hours)))
    expected = max(0.0, float(seconds)) if seconds <= A_YEAR else None
    assert retry_after(format_datetime(when), now=NOW.timestamp()) == expected
    assert retry_after(str(seconds), now=NOW.timestamp()) == expected


@pytest.mark.parametrize("value", ["inf", "-inf", "nan", "1e999", "soon", ""])
def test_what_is_no_number_of_seconds_is_no_time(value):
    """Neither now nor ever."""
    assert retry_after(value, now=NOW.timestamp()) is None


@given(KEYS, st.lists(st.text(max_size=9)), st.integers(0, 60))
@COMPARED
def test_words_are_one_line_without_the_key(key, texts, limit):
    """Printable, cut to its length, and the key is nowhere in it, however often it is echoed and cut."""
    plain = shown(key.join(["", *texts, ""]), key, limit=limit)
    assert key not in plain
    assert plain.isprintable()
    assert "  " not in plain
    assert len(plain) <= limit


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('{"key": "phc_\\"\\\\", "n": 1}', '{"key": "***", "n": 1}', id="as JSON writes it"),
        pytest.param('your key phc_"\\ is wrong', "your key *** is wrong", id="as it is"),
        pytest.param("a\r\n\tb\x1b[31m  c\u2028d ", "a b [31m c d", id="control characters"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_words_are_shown_as_they_are_otherwise(text, expected):
    """The key in both its spellings becomes ***, what a terminal would obey becomes a space."""
    assert shown(text, 'phc_"\\') == expected


def test_keys_of_others_are_hidden_too():
    """Who asks the private API may be told the project's key."""
    assert shown("no phc_another1 and no phx_personal2, phc_…", "phc_mine") == "no *** and no ***, phc_…"


def test_without_a_key_nothing_is_hidden():
    """An empty key is in every text, and hides nothing of it."""
    assert shown("not a word of it", "") == "not a word of it"
