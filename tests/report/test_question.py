"""What is said before the first event, where only some projects and some plans are concerned."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from workdirs import delivery, events, planned

from migrate.report import question
from migrate.report.numbers import summary

NOON = datetime(2024, 4, 6, 12, tzinfo=UTC)


@pytest.fixture
def checkpoint(tmp_path):
    """Forty events of April 3rd to 5th; it is noon of the day after."""
    with planned(tmp_path, events(40, days=3, people=5)) as checkpoint:
        yield checkpoint


def said(checkpoint, url, numbers=None, **choices):
    """The lines by their first word."""
    numbers = numbers or summary(checkpoint, NOON)
    lines = question.lines(checkpoint, numbers, replace(delivery(url), **choices), NOON)
    return dict(line.split(None, 1) for line in lines if line)


def test_what_posthog_bills_is_said(checkpoint):
    """To PostHog Cloud alone, where younger events are not waited for."""
    by_day = checkpoint.by_day()
    young = by_day["2024-04-04"] + by_day["2024-04-05"]
    cloud = said(checkpoint, "https://eu.i.posthog.com", min_age=0.0)
    assert cloud["younger"] == (
        f"{young:,} than 48 h, which PostHog bills as live events; --min-age 48h waits for them"
    )
    assert "younger" not in said(checkpoint, "https://eu.i.posthog.com", min_age=172_800.0)
    assert "younger" not in said(checkpoint, "https://posthog.example.com", min_age=0.0)


def test_what_is_held_is_not_sent_now(checkpoint):
    """It is said beside what is."""
    checkpoint.note(min_age=86_400.0)
    held = summary(checkpoint, NOON).events.held
    assert 0 < held < 40
    assert said(checkpoint, "http://x")["events"] == (
        f"{40 - held} to send now, {held} held until they are old enough (2024-04-07T00:00+00:00 on)"
    )


def test_how_long_it_takes_is_told_by_the_slower_rate(checkpoint):
    """The limit, or what was reached before."""
    numbers = summary(checkpoint, NOON)
    before = replace(numbers, seconds=10.0, events=replace(numbers.events, accepted=40, pending=12))
    assert said(checkpoint, "http://x", before)["time"] == "about 0:00:03 at 4 events/s"
    assert said(checkpoint, "http://x", before, rate=3.0)["time"] == "about 0:00:04 at 3 events/s"
    assert said(checkpoint, "http://x", before, rate=6.0)["time"] == "about 0:00:03 at 4 events/s"
    assert said(checkpoint, "http://x", before, rate=0.5)["time"].endswith("at 0.5 events/s")


def test_the_most_frequent_reasons_are_named(checkpoint):
    """Four of them; the others are counted. Of a short key nothing is shown."""
    reasons = {"a": 1_001, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6}
    shown = said(checkpoint, "http://x", replace(summary(checkpoint), warnings=reasons), key="phc_short")
    assert shown["warning"] == "1,001 a, 6 f, 5 e, 4 d, and 2 more reasons"
    assert shown["project"] == "http://x, key …"


@pytest.mark.parametrize(("days_later", "is_old"), [(361, False), (363, True)])
def test_events_older_than_a_year_are_said(checkpoint, days_later, is_old):
    """From the day on which a plan of PostHog's may not show them any more."""
    now = NOON + timedelta(days=days_later)
    lines = question.lines(checkpoint, summary(checkpoint, now), delivery("http://x"), now)
    assert any(line.startswith("older") for line in lines) == is_old
