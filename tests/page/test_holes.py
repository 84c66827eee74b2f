"""Which days are missing, and which never were there."""

from datetime import date, timedelta
from random import Random

import pytest

from migrate.page.holes import holes, runs

START = date(2023, 1, 2)  # a Monday


def counts(busy, days=364):
    """Events of each day that is busy, by a function of its place."""
    found = {(START + timedelta(n)).isoformat(): busy(n) for n in range(days)}
    return {day: count for day, count in found.items() if count}


def day(place):
    """A day by its place."""
    return (START + timedelta(place)).isoformat()


def work(n):
    """As many events as a product for companies has on a day."""
    return 100 if n % 7 < 5 else 0


@pytest.mark.parametrize(
    ("busy", "missing"),
    [
        pytest.param(lambda _: 100, [], id="every day"),
        pytest.param(lambda n: 0 if n in {100, 101} else 1, [100, 101], id="two days of a few events"),
        pytest.param(work, [], id="no weekends"),
        pytest.param(lambda n: 0 if 98 <= n < 105 else work(n), range(98, 103), id="a week of those"),
        pytest.param(lambda n: 0 if 100 <= n < 190 else 9, range(100, 190), id="a quarter"),
        pytest.param(lambda n: n % 30 == 0, [], id="once a month"),
        pytest.param(lambda n: 100 if n < 180 else 0, [], id="an end"),
        pytest.param(lambda n: 0 if n in {354, 357, 358, 361} else work(n), [], id="Christmas at work"),
        pytest.param(
            lambda n: 0 if n in {354, 357, 358, 361} else 9, [354, 357, 358, 361], id="but not else"
        ),
        pytest.param(lambda n: int(n > 99 or n in {0, 30, 70}) * 10, [], id="it starts small"),
        pytest.param(lambda n: n % 11 < 6 if n < 30 else 0, [], id="fifteen events in all"),
    ],
)
def test_a_day_is_missing_where_days_like_it_are_not(busy, missing):
    """Weekends of a product for companies are none, and neither is what has always been rare."""
    assert [*holes(counts(busy))] == [day(place) for place in missing]


def test_what_is_silent_each_year_is_not_missing():
    """Holidays of one date, or of one weekday; a month that one year lacks is."""
    assert [
        *holes(counts(lambda n: 0 if day(n)[5:7] == "07" or day(n)[5:] == "10-03" else work(n), days=1_095))
    ] == []
    lost = [*holes(counts(lambda n: 0 if day(n)[:7] == "2024-07" else 20, days=1_095))]
    assert (len(lost), lost[0]) == (31, "2024-07-01")


def test_chance_makes_no_holes():
    """Days of a rare event are empty without a reason; of thousands hardly one is called missing."""
    random = Random(7)
    for share in (0.2, 0.5, 0.7):
        found = counts(lambda _, share=share: random.random() < share, days=3_650)
        assert len([*holes(found)]) <= 8, share


@pytest.mark.parametrize(("gone", "missing"), [(4, [4]), (5, [])])
def test_in_a_few_days_a_working_day_is_missing(gone, missing):
    """Of a span without a second week the weekday alone tells."""
    assert [*holes(counts(lambda n: n != gone, days=9))] == [day(place) for place in missing]


def test_days_side_by_side_are_one():
    """By the first and the last of them."""
    assert runs(["2024-01-31", "2024-02-01", "2024-02-03"]) == [
        ("2024-01-31", "2024-02-01"),
        ("2024-02-03", "2024-02-03"),
    ]


def test_of_a_time_that_no_product_lives_nobody_knows():
    """Clocks that are wrong at both ends of the calendar take no time."""
    assert [*holes({"0001-01-01": 9, "0001-01-03": 9, "9999-12-30": 9, "9999-12-31": 9})] == []
