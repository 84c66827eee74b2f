"""Which days are far from all others, and which differ."""

from collections import Counter

from filled import FUTURE, HOLES, made

from migrate.page.days import Day, _differing, gather
from migrate.workdir import looks, verified


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
