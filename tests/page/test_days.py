"""Which days are missing, which are far from all others, and which differ."""

from collections import Counter
from datetime import date, timedelta
from random import Random

import pytest
from filled import FUTURE, HOLES, made

from migrate.page.days import Day, _differing, gather, holes, runs
from migrate.workdir import looks, verified

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


def test_a_workdir_has_its_days(tmp_path):
    """Its holes and strays, and what became of each day."""
    with made(tmp_path) as checkpoint:
        look = looks.look(checkpoint)
        found = gather(checkpoint, look, verified.last(checkpoint))
        by_day = checkpoint.by_day()
    assert found.planned == by_day
    assert (found.holes, found.strays, found.runs()) == (HOLES, [FUTURE], [(HOLES[0], HOLES[-1])])
    assert (found.first, found.last) == ("2022-03-01", "2024-01-29")
    first = by_day["2022-03-01"]
    assert found.all["2022-03-01"] == Day(first + 3, first, first - 1, 1, 0, first - 1, is_settled=True)
    assert found.all[FUTURE] == Day(look.rows[FUTURE], by_day[FUTURE])
    (short,) = found.differing
    assert short.why == "PostHog has 12 fewer than it acknowledged"
    assert gather_nothing(tmp_path / "empty") == {}


def gather_nothing(workdir):
    """The days of a workdir without any."""
    from migrate.workdir.checkpoint import Checkpoint  # noqa: PLC0415 - once

    workdir.mkdir()
    with Checkpoint.open(workdir, create=True) as checkpoint:
        return gather(checkpoint, None, None).all


def test_a_day_differs_where_something_is_lost():
    """Between the source and the plan, the plan and what was sent, and what PostHog has; else it does not."""
    found = {
        "2024-01-01": Day(100, 100, 90, 10, 0, 90, is_settled=True),
        "2024-01-02": Day(100, 0),
        "2024-01-03": Day(100, 40),
        "2024-01-04": Day(100, 100, 90, 0, 3, is_settled=True),
        "2024-01-05": Day(100, 100, 90, 0, 0, 91),
        "2024-01-06": Day(None, 100, 50),
        "2024-01-07": Day(19, 0),
        "2024-01-08": Day(300, 100),
        "2024-01-09": Day(100, 0),
    }
    told = Counter(one.day[-1] for one in _differing(found, {"2024-01-08": 200, "2024-01-09": 100}))
    assert told == Counter("2345")
    assert runs(["2024-01-31", "2024-02-01", "2024-02-03"]) == [
        ("2024-01-31", "2024-02-01"),
        ("2024-02-03", "2024-02-03"),
    ]
