"""Durations, hours of the day and moments, as people type them."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import click
import pytest
from click.testing import CliRunner

from migrate.apply.pacing import Window
from migrate.cli.kinds import SOME, Count, Day, Duration, Hours, Moment, Name, Samples

NIGHT = Window(time(22), time(6, 30))
NOON = datetime(2024, 4, 3, 12, tzinfo=UTC)

MEANT = [
    pytest.param(Duration(), "90", 90.0, id="seconds"),
    pytest.param(Duration(), " 1.5h ", 5_400.0, id="hours"),
    pytest.param(Duration(), "2d", 172_800.0, id="days"),
    pytest.param(Duration(), 7, 7.0, id="a-number"),
    pytest.param(Hours(), "22:00-06:30", NIGHT, id="past-midnight"),
    pytest.param(Hours(), "22:00 - 06:30", NIGHT, id="with-spaces"),
    pytest.param(Hours(), NIGHT, NIGHT, id="hours-already"),
    pytest.param(Moment(), "2024-04-03T12:00:00", NOON, id="without-a-zone"),
    pytest.param(Moment(), "2024-04-03T12:00:00Z", NOON, id="utc"),
    pytest.param(Moment(), NOON, NOON, id="a-moment-already"),
    pytest.param(Moment(), "Yesterday", Day(1), id="a-day-before"),
    pytest.param(Moment(), "today", Day(0), id="this-day"),
    pytest.param(Moment(), "-3d", Day(3), id="days-before"),
    pytest.param(Moment(), Day(3), Day(3), id="a-day-already"),
    pytest.param(Moment(), "2024-04-03", NOON.replace(hour=0), id="a-day"),
    pytest.param(Name(), "Ümport 2", "Ümport 2", id="a-name"),
]


@pytest.mark.parametrize(("kind", "text", "meant"), MEANT)
def test_what_is_typed_is_understood(kind, text, meant):
    """What is one already stays what it is: click hands a default over twice."""
    assert kind(text) == meant


def test_a_day_begins_at_midnight_where_it_is_counted():
    """Also where the clocks were changed since."""
    now = datetime(2024, 4, 1, 0, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    assert Day(0).at(now).isoformat() == "2024-03-31T22:00:00+00:00"
    assert Day(1).at(now).isoformat() == "2024-03-30T23:00:00+00:00"


def test_a_time_in_a_zone_is_one_in_utc():
    """Whatever zone the user thinks of it in."""
    assert Moment()("2024-04-03T12:00:00+02:00").isoformat() == "2024-04-03T10:00:00+00:00"


REFUSED = [
    pytest.param(Name(), "a\nb", r"one line of text without blanks around it; found 'a\nb'", id="two-lines"),
    pytest.param(Name(), " a", "one line of text without blanks around it; found ' a'", id="blanks-around"),
    pytest.param(
        Samples(),
        "9" * 5_000,
        f"less than 1,000,000,000,000 rows, or full; found '{'9' * 5_000}'",
        id="samples",
    ),
    pytest.param(
        Duration(), "soon", "a number of seconds, or one with s, m, h or d; found 'soon'", id="duration"
    ),
    pytest.param(
        Duration(), "-1s", "a number of seconds, or one with s, m, h or d; found '-1s'", id="negative"
    ),
    pytest.param(Hours(), "01:00", "two times of day such as 01:00-06:00; found '01:00'", id="one-hour"),
    pytest.param(
        Hours(),
        "05:00-05:00",
        "hours that end when they begin; leave it out to send at any time, found '05:00-05:00'",
        id="no-hours",
    ),
    pytest.param(Duration(SOME), "0", "more than 0 seconds; found '0'", id="no-time"),
    pytest.param(Hours(), "1-6-9", "two times of day such as 01:00-06:00; found '1-6-9'", id="three-hours"),
    pytest.param(
        Moment(),
        "now",
        "an ISO 8601 date or time such as 2024-04-03T12:00:00Z, yesterday, or -3d; found 'now'",
        id="moment",
    ),
]


@pytest.mark.parametrize(("kind", "text", "message"), REFUSED)
def test_what_is_not_understood_is_said(kind, text, message):
    """With what was found, and what it may be."""
    with pytest.raises(click.BadParameter) as refused:
        kind(text)
    assert refused.value.message == message


def test_a_count_says_in_the_help_what_it_is_at_least():
    """The other bound is beyond anything that is counted."""

    @click.command()
    @click.option("--limit", type=Count(2), help="Rows.")
    def command(limit):
        """Print it."""
        click.echo(limit)

    assert "--limit N  Rows.  [x>=2]" in CliRunner().invoke(command, ["--help"]).output
    assert CliRunner().invoke(command, ["--limit", "2"]).output == "2\n"
    assert [CliRunner().invoke(command, ["--limit", one]).exit_code for one in ("1", "9" * 20)] == [2, 2]
