"""Ranges are halved where PostHog gives them up, and the numbers are the same; an hour that is too much is named."""

from imported import COUNT, DAYS, causes, gone

from migrate.verifying.counting import Asked, Difference, differences
from migrate.verifying.ledger import NONE, Count
from migrate.verifying.spans import Span, midnight


def test_ranges_are_halved_down_to_hours(whole):
    """The shortest that was given up is remembered, and no longer one is asked for again."""
    for hours in (24, 3):
        verdict = whole.after(rules=[{"fault": "time_out", "hours": hours}])
        assert (verdict.there, verdict.findings, verdict.uncounted) == (Count(COUNT, COUNT), (), ())
    asked = [one for one in whole.sandbox.questions() if one.status == 504]
    assert len(asked) < 40


def test_an_hour_that_cannot_be_counted_is_named(whole):
    """Its day is not compared, and nothing else is said of it; what could be counted is."""
    verdict = whole.after(gone(f"day = '{DAYS[0]}'"), rules=[{"fault": "time_out", "hours": 0.5}])
    assert len(verdict.uncounted) == 5 * 24
    assert (verdict.uncounted[0], verdict.passes, causes(verdict)) == (f"{DAYS[0]}T00", False, {})


def test_what_differs_is_told_by_day_and_name():
    """More, fewer, none, and what was never planned; a day that was not counted whole is left out."""
    two = Count(2, 2)
    planned = {DAYS[0]: {"a": two, "b": two, "c": two}, DAYS[1]: {"a": two}}
    there = {(DAYS[0], "a"): two, (DAYS[0], "b"): Count(1, 1), (DAYS[0], "d"): Count(3, 2)}
    found = differences(Asked(Span(midnight(DAYS[0]), midnight(DAYS[2]), planned), there, [f"{DAYS[1]}T07"]))
    assert found == [
        Difference(DAYS[0], "b", two, Count(1, 1)),
        Difference(DAYS[0], "c", two, NONE),
        Difference(DAYS[0], "d", NONE, Count(3, 2)),
    ]
    assert [one.missing for one in found] == [1, 2, 0]
    assert Difference(DAYS[0], "e", Count(2, 1), Count(1, 1)).missing == 1  # of one uuid, two people's
