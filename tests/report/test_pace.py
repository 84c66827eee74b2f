"""The rate is that of the last seconds; the rate that will hold is the least that is known."""

import pytest

from migrate.report.numbers import Events, Summary
from migrate.report.pace import Pace, Sliding


def test_the_rate_is_of_the_last_ten_seconds():
    """What was done before them does not count, whether it was much or nothing."""
    sliding = Sliding(100.0)
    assert sliding.rate(100.0) == 0.0
    sliding.note(104.0, 800)
    assert sliding.rate(104.0) == 200.0
    sliding.note(106.0, 1_000)
    assert sliding.rate(110.0) == 100.0
    assert sliding.rate(115.0) == 20.0
    assert sliding.rate(117.0) == 0.0
    sliding.note(120.0, 1_500)
    assert sliding.rate(120.0) == 50.0
    sliding.note(200.0, 1_500)
    assert sliding.rate(200.0) == 0.0


def test_counts_that_come_one_upon_another_are_put_together():
    """However many requests there are, few counts are remembered."""
    sliding = Sliding(0.0)
    for n in range(1, 10_001):
        sliding.note(n / 1_000, n)
    assert len(sliding._counts) < 60  # noqa: SLF001 - how much it remembers is the point
    assert sliding.rate(10.0) == pytest.approx(1_000.0)


@pytest.mark.parametrize(
    ("limit", "accepted", "seconds", "holds"),
    [
        pytest.param(1_000.0, 0, 0.0, 1_000.0, id="only the limit"),
        pytest.param(1_000.0, 600, 2.0, 300.0, id="slower before"),
        pytest.param(100.0, 600, 2.0, 100.0, id="faster before"),
        pytest.param(None, 600, 2.0, 300.0, id="no limit"),
        pytest.param(1_000.0, 0, 2.0, 1_000.0, id="nothing reached"),
        pytest.param(None, 0, 0.0, None, id="nothing known"),
    ],
)
def test_the_rate_that_will_hold(limit, accepted, seconds, holds):
    """The limit, or what was reached before if that is less."""
    numbers = Summary(events=Events(planned=accepted, accepted=accepted), seconds=seconds)
    assert Pace.of(limit, numbers).holds == holds
