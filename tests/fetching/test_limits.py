"""So many requests in so long, whoever made them."""

from hypothesis import given
from hypothesis import strategies as st

from migrate.fetching.limits import Limits
from migrate.fetching.vendor import Quota

QUOTAS = (Quota(3, 1.0), Quota(7, 60.0))


class Clock:
    """Seconds that a test says."""

    now = 1_000.0

    def __call__(self):
        """The time."""
        return self.now


@given(st.lists(st.floats(0, 20), max_size=60), st.integers(0, 60))
def test_no_stretch_holds_more_than_a_quota(pauses, stop):
    """Also where another process goes on after some of them, that knows only the first one's times."""
    clock, made = Clock(), []
    limits = Limits(QUOTAS, clock=clock)
    for number, pause in enumerate(pauses):
        if number == stop:
            clock.now = max(clock.now, *made, 0.0)
            limits = Limits(QUOTAS, limits.times, clock)
        clock.now += pause
        made.append(clock.now + limits.reserve())
    assert made == sorted(made)
    for most, seconds in QUOTAS:
        assert all(later - one >= seconds - 1e-6 for one, later in zip(made, made[most:], strict=False))


def test_without_a_quota_nothing_waits():
    """And nothing is kept."""
    limits = Limits(())
    assert ([limits.reserve() for _ in range(3)], limits.times) == ([0.0] * 3, [])
