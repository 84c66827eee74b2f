"""What one value is, and what a column of them is."""

from collections import Counter

import pytest

from migrate.inspection.values import (
    Value,
    is_float_like,
    kind_of,
    means_nothing,
    type_of,
    unix_of,
    zone_of,
)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("2024-03-01T10:00:00Z", "time"),
        ("2024-03-01 10:00:00.123456", "time"),
        ("2024-03-01 10:00:00 UTC", "time"),
        ("2024-03-01T10:00+02:00", "time"),
        ("2024-03-01", "date"),
        ("05.03.2024 14:30:00", "local date"),
        ("3/5/24, 2:30 PM", "local date"),
        ("0012", "whole number"),
        ("-3.50", "number"),
        ("1e5", "number"),
        ("0C1d2e3f-0000-4000-8000-000000000001", "uuid"),
        ("TRUE", "yes or no"),
        ('{"a": 1}', "object"),
        ("[1]", "list"),
        ("1.2.3", "text"),
        ("2024-03-01x", "text"),
        ("Müller", "text"),
    ],
)
def test_kind_of_a_text(text, kind):
    """Told by its shape alone."""
    assert kind_of(Value("text", text)) == kind


def test_what_the_file_says_of_a_value_counts():
    """JSON's own objects, lists and booleans are what they are; a number of JSON is told by its digits."""
    assert kind_of(Value("object", "{}")) == "object"
    assert kind_of(Value("yes or no", "true")) == "yes or no"
    assert kind_of(Value("number", "12")) == "whole number"


@pytest.mark.parametrize(
    ("kinds", "forms", "found"),
    [
        ({}, {}, ("nothing", 0)),
        ({"whole number": 3, "number": 1}, {"text": 4}, ("number", 0)),
        ({"date": 1, "time": 1}, {"text": 2}, ("time", 0)),
        ({"uuid": 9, "text": 1}, {"text": 10}, ("text", 0)),
        ({"time": 7, "text": 1}, {"text": 8}, ("time", 1)),
        ({"time": 1, "text": 1}, {"text": 2}, ("time", 1)),
        ({"whole number": 9, "text": 1}, {"text": 10}, ("whole number", 1)),
        ({"whole number": 5, "text": 5}, {"text": 10}, ("text", 0)),
        ({"whole number": 5, "text": 5}, {"text": 5, "number": 5}, ("mixed", 5)),
        ({"object": 1, "text": 9}, {"text": 9, "object": 1}, ("text", 1)),
    ],
)
def test_type_of_a_column(kinds, forms, found):
    """What most of its values are; the others are odd, unless all is text anyway."""
    assert type_of(Counter(kinds), Counter(forms)) == found


def test_numbers_that_count_from_1970_are_told_by_their_size():
    """Of the years 2000 to 2099, in four units."""
    assert unix_of(1_697_379_000, 1_697_379_001) == "Unix seconds"
    assert unix_of(1_607_615_248_873, 1_607_615_248_873) == "Unix milliseconds"
    assert unix_of(1_607_615_248_873_729, 1_607_615_248_873_730) == "Unix microseconds"
    assert unix_of(1_607_615_248_873_729_000, 1_607_615_248_873_729_001) == "Unix nanoseconds"
    assert unix_of(12, 1_697_379_000) is None


def test_words_offsets_and_floats():
    """As they are looked for in ids and times."""
    assert [text for text in ("NULL", "undefined", "-", "", "[]", "u1") if means_nothing(text)] == [
        "NULL",
        "undefined",
        "-",
    ]
    assert [zone_of(text) for text in ("2024-03-01T10:00:00+0200", "2024-03-01T10:00:00", "soon")] == [
        "+0200",
        None,
        None,
    ]
    assert [is_float_like(text) for text in ("123.0", "-5.00", "1.5", "7")] == [True, True, False, False]
