"""Days are asked for together, a month at a time, and no more at once than an answer holds."""

from datetime import UTC, datetime, timedelta

import pytest

from migrate.verifying.ledger import Count
from migrate.verifying.spans import halves, midnight, spans

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)


def days(*numbers, names=1):
    """Days with so many names of events."""
    of_day = {f"e{n}": Count(1, 1) for n in range(names)}
    return [((BEGIN + timedelta(days=n)).date().isoformat(), of_day) for n in numbers]


def told(found):
    """Ranges as days since the begin, and how many days with something planned they hold."""
    return [((one.since - BEGIN).days, (one.until - BEGIN).days, len(one.planned)) for one in found]


@pytest.mark.parametrize(
    ("numbers", "is_whole", "expected"),
    [
        pytest.param(range(70), True, [(0, 31, 31), (31, 62, 31), (62, 70, 8)], id="a month each"),
        pytest.param(
            [0, 1, 5, 100], True, [(0, 6, 3), (6, 100, 0), (100, 101, 1)], id="with what is between"
        ),
        pytest.param([0, 1, 5, 100], False, [(0, 2, 2), (5, 6, 1), (100, 101, 1)], id="or without"),
        pytest.param([], True, [], id="nothing"),
    ],
)
def test_ranges_hold_all_days(numbers, is_whole, expected):
    """Each once, in order; with the days between them on which nothing is planned, or without."""
    assert told(spans(days(*numbers), is_whole=is_whole)) == expected


def test_a_range_has_no_more_rows_than_an_answer_may():
    """So many names, so few days."""
    assert told(spans(days(0, 1, 2, names=9_000), is_whole=True)) == [(0, 2, 2), (2, 3, 1)]


def test_it_goes_on_where_it_was():
    """From the end of the range before on."""
    assert told(spans(days(3, 4), is_whole=True, since=BEGIN + timedelta(days=1))) == [(1, 5, 2)]
    assert told(spans(days(3, 4), is_whole=False, since=BEGIN + timedelta(days=1))) == [(3, 5, 2)]


def test_a_range_is_halved_at_midnight_then_at_full_hours():
    """An hour is the least."""
    begin, end = midnight("2024-04-03"), midnight("2024-04-06")
    assert halves(begin, end)[1] == midnight("2024-04-04")
    assert halves(begin, midnight("2024-04-04"))[1].hour == 12
    assert halves(begin, begin + timedelta(hours=1)) is None
