"""Stretches of time: their names, what is missing between those that are there, and how they are divided."""

from datetime import datetime, timedelta

from migrate.fetching.spans import Calendar, Span, finest, missing

HOURS = Calendar(timedelta(hours=1), ".zip")
DAYS = Calendar(timedelta(days=1), ".jsonl.gz")


def span(start, end):
    """A stretch, of texts."""
    return Span(datetime.fromisoformat(start), datetime.fromisoformat(end))


def test_a_name_says_its_stretch():
    """And no other file has such a name."""
    day, hours = span("2024-04-03", "2024-04-04"), span("2024-04-03T05", "2024-04-04T00")
    assert (DAYS.name(day), DAYS.of_name("2024-04-03.jsonl.gz")) == ("2024-04-03.jsonl.gz", day)
    assert (HOURS.name(hours), HOURS.of_name(HOURS.name(hours))) == ("2024-04-03T05_2024-04-04T00.zip", hours)
    for name in (
        *("2024-04-03.zip", "2024-04-31.jsonl.gz", "notes.jsonl.gz", ".2024-04-03.jsonl.gz.part"),
        *("2024-04-03T05_2024-04-03T05.zip", "2024-04-03T25_2024-04-04T00.zip"),
    ):
        assert (DAYS.of_name(name), HOURS.of_name(name)) == (None, None), name


def test_what_is_missing_is_divided_by_days():
    """Around what is there, wherever that begins and ends."""
    there = [
        span("2024-04-02T22", "2024-04-03T01"),
        span("2024-04-03T05", "2024-04-03T07"),
        span("2024-04-03T06", "2024-04-03T09"),
    ]
    found = [HOURS.shown(one) for one in missing(span("2024-04-03T00", "2024-04-05T02"), there)]
    assert found == [
        *("2024-04-03T01_2024-04-03T05", "2024-04-03T09_2024-04-04T00"),
        *("2024-04-04T00_2024-04-05T00", "2024-04-05T00_2024-04-05T02"),
    ]
    assert [DAYS.shown(one) for one in missing(span("2024-04-30", "2024-05-02"), [])] == [
        "2024-04-30",
        "2024-05-01",
    ]
    assert [*missing(span("2024-04-30", "2024-04-30"), [])] == []


def test_halves_are_whole_hours():
    """An hour and a day have none."""
    three = span("2024-04-03T05", "2024-04-03T08")
    assert [HOURS.shown(one) for one in HOURS.halves(three)] == [
        "2024-04-03T05_2024-04-03T06",
        "2024-04-03T06_2024-04-03T08",
    ]
    assert not HOURS.halves(span("2024-04-03T05", "2024-04-03T06"))
    assert not DAYS.halves(span("2024-04-03", "2024-04-04"))


def test_what_was_divided_stands_for_the_whole():
    """As soon as all of it is there in parts."""
    first, second = span("2024-04-03T00", "2024-04-03T04"), span("2024-04-03T04", "2024-04-03T08")
    whole = span("2024-04-03T00", "2024-04-03T08")
    assert finest([whole, first]) == [first, whole]
    assert finest([second, whole, first]) == [first, second]


def test_a_time_is_floored_on_the_vendors_clock():
    """To the hour, or to the day."""
    time = datetime.fromisoformat("2024-04-03T05:06:07.8")
    assert (HOURS.floor(time).isoformat(), DAYS.floor(time).isoformat()) == (
        "2024-04-03T05:00:00",
        "2024-04-03T00:00:00",
    )
