"""A path that holds a day stands for that of each day that is asked for, in digits that no locale changes."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from migrate.errors import UsageError
from migrate.inputs.dated import Span, is_dated, paths, pattern

SINCE, UNTIL = datetime(2024, 2, 28, 5, tzinfo=UTC), datetime(2024, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("a/{since:%Y-%m-%d}/*.gz", ["a/2024-02-28/*.gz", "a/2024-02-29/*.gz", "a/2024-03-01/*.gz"]),
        ("{since:%Y}/{since:%-m}/{since:%-d}", ["2024/2/28", "2024/2/29", "2024/3/1"]),
        ("{since:%y%j}.csv", ["24059.csv", "24060.csv", "24061.csv"]),
        ("{since:%Y%m}*", ["202402*", "202403*"]),
        ("year={since:%Y}", ["year=2024"]),
        ("{since:}a", ["a"]),
    ],
)
def test_each_day_is_there_once(given, found):
    """From that of --since to the last before --until."""
    assert paths(given, Span(since=SINCE, until=UNTIL)) == found


def test_hours_are_counted_where_there_are_any():
    """As UTC's clock has them: each once, where a zone's is changed, too."""
    span = Span(since=datetime(2024, 2, 28, 22, 30, tzinfo=UTC), until=datetime(2024, 2, 29, 1, tzinfo=UTC))
    hours = ["2024-02-28_22", "2024-02-28_23", "2024-02-29_0"]
    assert paths("{since:%Y-%m-%d}_{since:%-H}", span) == hours
    berlin = Span(
        since=datetime(2024, 3, 31, 0, tzinfo=UTC),
        until=datetime(2024, 3, 31, 3, tzinfo=UTC),
        zone=ZoneInfo("Europe/Berlin"),
    )
    assert paths("{since:%H}", berlin) == ["01", "03", "04"]


def test_days_are_those_of_the_zone():
    """Which begins another day at five in the afternoon of UTC's."""
    span = Span(
        since=datetime(2024, 4, 3, 17, tzinfo=UTC),
        until=datetime(2024, 4, 4, 17, tzinfo=UTC),
        zone=timezone(timedelta(hours=7)),
    )
    assert paths("{since:%Y-%m-%d}", span) == ["2024-04-04"]


def test_without_an_end_today_is_the_last():
    """Also where today has just begun."""
    now = datetime.now(UTC)
    found = paths("{since:%Y-%m-%d}", Span(since=now - timedelta(days=2)))
    assert len(found) == 3
    assert found[-1] >= now.date().isoformat()


@pytest.mark.parametrize(
    ("given", "span", "message"),
    [
        ("a/{since:%Y}", Span(), "input a/{since:%Y}: it holds a day, and --since is missing"),
        ("{since:%B}", Span(since=SINCE), "no part of a day, found '%B'; known are %Y, %y, %m, %d, %j, %H"),
    ],
)
def test_what_cannot_be_said_is_refused(given, span, message):
    """In words."""
    with pytest.raises(UsageError, match=message.replace("{", r"\{").replace("?", r"\?")):
        paths(given, span)


def test_other_braces_are_names():
    """And a pattern of all days is one of any."""
    assert not is_dated("a/{until:%Y}/{x}")
    assert pattern("a/{since:%Y-%m}/{since:%d}.csv") == "a/*/*.csv"
