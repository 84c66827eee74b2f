"""What a spec could say of rows: a guess where they show it, a question where they do not."""

import json

import pytest

from migrate.inspection.columns import columns_of
from migrate.inspection.guesses import guesses_of
from migrate.inspection.values import Value


def guessed(*rows, is_whole=True):
    """What could be said of these rows; what is given as text is text in the file, too."""
    made = []
    for row in rows:
        values = {name: one for name, one in row.items() if one is not None}
        made.append(
            {
                name: Value("text", one)
                if isinstance(one, str)
                else Value(
                    {dict: "object", list: "list", bool: "yes or no"}.get(type(one), "number"),
                    json.dumps(one),
                )
                for name, one in values.items()
            }
        )
    return guesses_of(columns_of((), made), made, is_whole=is_whole)


LEAST = {"action": "buy", "user_id": "u1", "at": "2024-03-05T10:00:00Z"}


def test_the_parts_of_an_event():
    """Each by the column that most speaks for."""
    found = guessed(LEAST, LEAST | {"at": "2024-03-06T10:00:00Z"})
    assert (found.events[0].name, found.persons[0].name) == ("action", "user_id")
    assert [(one.column, one.formats, one.is_zoned) for one in found.times] == [("at", ["iso"], True)]
    assert found.missing == []


def test_who_is_known_goes_before_a_device():
    """And beside it, where some rows have nobody who is known."""
    rows = [LEAST | {"device_id": f"d{n}", "user_id": None if n else "u1"} for n in range(3)]
    found = guessed(*rows)
    assert [one.name for one in found.persons] == ["user_id", "device_id"]
    assert (found.anonymous.name, found.is_always_known) == ("device_id", False)
    assert guessed(*({k: v for k, v in row.items() if k != "user_id"} for row in rows)).anonymous is None


@pytest.mark.parametrize(
    ("texts", "formats"),
    [
        (["1709645400", "1709645460"], ["unix_s"]),
        (["1709645400123"], ["unix_ms"]),
        (["1709645400123000000"], ["unix_us"]),
        (["25.03.2024 10:00"], ["%d.%m.%Y %H:%M"]),
        (["05.03.2024 10:00"], ["%d.%m.%Y %H:%M", "%m.%d.%Y %H:%M"]),
        (["Mar 5, 2024"], ["%B %d, %Y"]),
    ],
)
def test_times_as_they_are_written(texts, formats):
    """One that the values do not prove is missing."""
    found = guessed(*(LEAST | {"at": text} for text in texts))
    assert (found.times[0].column, found.times[0].formats) == ("at", formats)
    assert found.missing == (["time"] if len(formats) > 1 else [])


def test_digits_are_a_day_where_they_are_called_so():
    """In a column of numbers, too; elsewhere they count something."""
    row = {"action": "buy", "user_id": "u1", "event_date": 20240305}
    assert (guessed(row).times[0].column, guessed(row).times[0].formats) == ("event_date", ["%Y%m%d"])
    assert guessed({"action": "buy", "user_id": "u1", "visits": "20240305"}).times == []


def test_what_is_more_than_text():
    """By all values of a column; what the file itself types needs no word, and digits of a name are no number."""
    row = {
        "price": "19.90",
        "zip": "01234",
        "order_no": "7",
        "n": 3,
        "gift": "yes",
        "items": '[{"a": 1}, {}]',
    }
    found = guessed(LEAST | row, LEAST | row | {"price": "12,50", "vat": "0.19"})
    assert (found.json, found.numbers, found.booleans) == (["items"], ["vat"], ["gift"])
    assert [one.name for one in found.lists] == ["items"]


def test_a_key_is_taken_where_it_is_sure():
    """All rows were looked at, or it is called like an event's own id."""
    rows = [LEAST | {"order_id": str(n)} for n in range(3)]
    assert guessed(*rows).is_key_sure
    assert not guessed(*rows, is_whole=False).is_key_sure
    assert guessed(*(LEAST | {"event_id": str(n)} for n in range(3)), is_whole=False).is_key_sure


def test_words_for_nothing_are_counted():
    """The most frequent first."""
    found = guessed(LEAST | {"a": "NULL", "b": "NULL", "c": "-"}, LEAST | {"a": "x"})
    assert found.nulls == {"NULL": 2, "-": 1}


def test_parts_may_stand_inside_of_objects():
    """Where no column is one."""
    found = guessed({"event": "a", "properties": {"distinct_id": "u", "timestamp": 1709645400, "url": "/"}})
    assert found.persons[0].name == "properties.distinct_id"
    assert (found.times[0].column, found.times[0].formats) == ("properties.timestamp", ["unix_s"])
    assert [one.name for one in found.paths] == ["properties.url"]


@pytest.mark.parametrize("form", [json.loads, str], ids=["typed", "text"])
def test_lists_of_one_object_are_gone_into(form):
    """By the path of the first, in whatever share of the rows they are; of no part of an event are they a guess."""
    one = '[{"user_id": "u2", "timestamp": 1709645400, "b": {"c": 1}}]'
    found = guessed(*(LEAST | {"items": form(text)} for text in (one, "[]", "[]", "[]", one)))
    assert ([told.name for told in found.lists], found.persons[0].name) == ([], "user_id")
    assert [(path.name, path.share) for path in found.paths] == [
        ("items[0].user_id", 0.4),
        ("items[0].timestamp", 0.4),
    ]


@pytest.mark.parametrize("text", ["[1]", '[{"a": 1}, 2]', "[null]", "[]", "[{broken]"])
def test_lists_of_other_things_are_left_alone(text):
    """They are neither rows nor objects with keys."""
    found = guessed(LEAST | {"items": text})
    assert (found.lists, found.paths) == ([], [])


def test_nothing_is_found_in_nothing():
    """And all of it is missing."""
    assert guessed().missing == ["event", "person", "time"]
    assert guessed({" ": "2024-03-05T10:00:00Z"}).missing == ["event", "person", "time"]
