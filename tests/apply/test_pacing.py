import heapq
import math
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.apply.pacing import (
    BACKOFF_BASE,
    BACKOFF_CAP,
    LONGEST_TICK,
    RETRY_AFTER_CAP,
    ROUND,
    START,
    TICK,
    TOLERATED,
    WINDOW,
    Awake,
    Backoff,
    Deadline,
    Limiter,
    TokenBucket,
)


class Clock:
    """A monotonic clock that a test moves."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        """Give the time."""
        return self.now


def dice(seed=0):
    return Random(seed)


def closed_loop(limiter, *, seconds, failing=0.0, latency=0.05, seed=0):
    """Keep the limiter's slots full on a simulated clock; give the number of successes."""
    random, now, done = dice(seed), 0.0, 0
    out = []
    while now < seconds:
        while len(out) < limiter.limit:
            heapq.heappush(out, now + latency)
        in_flight = len(out)
        now = heapq.heappop(out)
        if random.random() < failing:
            limiter.note_failure()
        else:
            limiter.note_success(latency, in_flight)
            done += 1
    return done


def grown(maximum, latency=0.05):
    """Give a limiter that has reached its maximum."""
    limiter = Limiter(maximum)
    while limiter.limit < maximum:
        limiter.note_success(latency, limiter.limit)
    return limiter


def test_no_rate_no_wait():
    """None is unlimited."""
    assert TokenBucket(None, Clock()).reserve(10**9) == 0.0


@pytest.mark.parametrize("rate", [0, -1, math.inf, math.nan])
def test_impossible_rate_is_refused(rate):
    """A rate that could not be kept is refused at once."""
    with pytest.raises(ValueError, match=r"^a rate is a positive number of events a second, got "):
        TokenBucket(rate, Clock())


def test_one_second_may_burst_then_the_rate_holds():
    """The first second's worth passes at once, everything after it at the rate."""
    clock = Clock()
    bucket = TokenBucket(100, clock)
    assert [bucket.reserve(50) for _ in range(4)] == [0.0, 0.0, 0.5, 1.0]
    clock.now += 1.25
    assert bucket.reserve(50) == 0.25


def test_idle_time_saves_up_no_more_than_a_second():
    """An hour of silence is no licence to flood."""
    clock = Clock()
    bucket = TokenBucket(100, clock)
    clock.now += 3600
    assert (bucket.reserve(100), bucket.reserve(100)) == (0.0, 1.0)


def test_more_than_a_second_passes_with_debt():
    """A batch of more than one second's worth waits for all it takes, and so do the next ones."""
    clock = Clock()
    bucket = TokenBucket(100, clock)
    assert (bucket.reserve(500), bucket.reserve(100)) == (4.0, 5.0)
    clock.now += 6
    assert bucket.reserve(100) == 0.0


def test_bucket_survives_a_clock_that_steps_back():
    """A step back earns nothing and costs nothing."""
    clock = Clock()
    bucket = TokenBucket(100, clock)
    bucket.reserve(100)
    clock.now -= 500
    assert bucket.reserve(100) == 1.0
    clock.now += 1
    assert bucket.reserve(100) == 1.0


@given(st.integers(1, 1000), st.lists(st.tuples(st.integers(0, 3000), st.floats(0, 5)), max_size=40))
def test_rate_is_never_exceeded(rate, requests):
    """In any t seconds at most rate * (t + 1) events pass, plus one request's excess over a second."""
    clock = Clock()
    bucket = TokenBucket(rate, clock)
    passed = []
    for events, pause in requests:
        passed.append((clock.now + bucket.reserve(events), events))
        clock.now += pause
    times = [time for time, _ in passed]
    assert all(one <= other + 1e-6 for one, other in pairwise(times))
    for first, (start, events) in enumerate(passed):
        total, excess = 0, max(0, events - rate)
        for end, more in passed[first:]:
            total += more
            assert total <= rate * (end - start + 1) + excess + 1e-6


@given(st.integers(1, 2000), st.integers(0, 2**32))
def test_delay_is_full_jitter_below_a_doubling_ceiling(attempt, seed):
    """The delay is anywhere between nothing and base * 2 ** (attempt - 1), never above the cap."""
    ceiling = min(BACKOFF_CAP, BACKOFF_BASE * 2.0 ** min(attempt - 1, 20))
    delay = Backoff(dice(seed)).delay(attempt)
    assert delay == dice(seed).uniform(0.0, ceiling)
    assert 0.0 <= delay <= BACKOFF_CAP


@given(st.integers(1, 50), st.floats(-10, 1e9), st.integers(0, 2**32))
def test_retry_after_is_a_floor(attempt, seconds, seed):
    """The server's wish is kept, up to an hour, and jitter comes on top so that lanes spread out."""
    plain, floored = Backoff(dice(seed)).delay(attempt), Backoff(dice(seed)).delay(attempt, seconds)
    assert floored == pytest.approx(plain + min(max(0.0, seconds), RETRY_AFTER_CAP))


def test_deadline_counts_from_the_last_progress():
    """Time runs out after so many seconds without progress, and only then."""
    clock = Clock()
    deadline = Deadline(900, clock)
    clock.now += 899
    assert (deadline.remaining, deadline.is_over) == (1.0, False)
    deadline.note_progress()
    clock.now += 899
    assert not deadline.is_over
    clock.now += 1
    assert (deadline.remaining, deadline.is_over) == (0.0, True)


def test_deadline_survives_a_clock_that_steps_back():
    """A step back starts the wait afresh instead of adding hours to it."""
    clock = Clock()
    deadline = Deadline(900, clock)
    clock.now -= 500
    assert deadline.remaining == 900.0
    clock.now += 900
    assert deadline.is_over


@pytest.mark.parametrize(("maximum", "limit"), [(1, 1), (3, 3), (4, START), (64, START)])
def test_limiter_starts_small(maximum, limit):
    """Nothing is known at the start: four at once, or the maximum."""
    assert Limiter(maximum).limit == limit


def test_limiter_needs_room_for_one():
    """No request at all is not a limit."""
    with pytest.raises(ValueError, match=r"^at least one request must be allowed, got 0$"):
        Limiter(0)


@pytest.mark.parametrize("latency", [0.001, 0.05, 2.0, 30.0])
def test_limit_grows_to_the_maximum_at_any_steady_latency(latency):
    """A service that is slow but steady gets all the concurrency there is."""
    limiter = Limiter(32)
    closed_loop(limiter, latency=latency, seconds=latency * 60)
    assert limiter.limit == 32


def test_limit_that_is_not_used_does_not_grow():
    """When something else holds the sending back, answers say nothing about more concurrency."""
    limiter = Limiter(16)
    for _ in range(1000):
        limiter.note_success(0.05, START - 1)
    assert limiter.limit == START


@pytest.mark.parametrize("maximum", [1, 2, 4, 8, 16, 32, 64])
@pytest.mark.parametrize("seed", range(3))
def test_sparse_failures_cost_less_than_a_fifth(maximum, seed):
    """Five 503s in a hundred, at 50 ms, leave at least 80 % of the undisturbed throughput."""
    undisturbed = closed_loop(Limiter(maximum), seconds=60)
    disturbed = closed_loop(Limiter(maximum), seconds=60, failing=0.05, seed=seed)
    assert disturbed >= 0.8 * undisturbed


def test_overload_brings_the_limit_down_and_recovery_brings_it_back():
    """A service that refuses everything is soon asked one at a time, and fully again once recovered."""
    limiter = grown(16)
    closed_loop(limiter, seconds=10, failing=1.0)
    assert limiter.limit == 1
    closed_loop(limiter, seconds=20)
    assert limiter.limit == 16


def test_failures_up_to_the_tolerated_ratio_change_nothing():
    """Ten failures in a window of a hundred are tolerated, the eleventh takes a quarter of the limit."""
    limiter = grown(16)
    for _ in range(round(WINDOW * TOLERATED)):
        limiter.note_failure()
    assert limiter.limit == 16
    limiter.note_failure()
    assert limiter.limit == 12


@given(st.integers(2, 200))
def test_one_burst_is_one_fall(maximum):
    """When everything in flight fails at once, the limit falls once."""
    limiter = grown(maximum)
    for _ in range(round(WINDOW * TOLERATED) + 1):
        limiter.note_failure()
    fallen = limiter.limit
    assert fallen == max(1, min(maximum - 1, int(maximum * 0.75)))
    for _ in range(maximum - 1):
        limiter.note_failure()
    assert limiter.limit == fallen


def test_rising_latency_brings_the_limit_down_until_it_is_the_new_normal():
    """Latency that more than doubles means queueing; if it stays there, it becomes the baseline."""
    limiter = grown(16)
    limits = [16]
    for _ in range(400):
        limiter.note_success(0.5, limiter.limit)
        limits.append(limiter.limit)
    assert min(limits) == 6
    assert limiter.limit == 16


def test_latency_that_less_than_doubles_is_no_sign():
    """A little slower is not overload."""
    limiter = grown(16)
    for _ in range(200):
        limiter.note_success(0.09, 16)
    assert limiter.limit == 16


def test_one_slow_answer_is_no_sign():
    """Latency is judged by rounds: a single straggler among quick answers does nothing."""
    limiter = grown(16)
    limiter.note_success(0.5, 16)
    for _ in range(ROUND * 4):
        limiter.note_success(0.05, 16)
    assert limiter.limit == 16


@given(
    st.integers(1, 50),
    st.lists(st.one_of(st.none(), st.floats(0, 100)), max_size=400),
)
def test_limit_stays_between_one_and_the_maximum(maximum, answers):
    """Whatever happens, the limit is usable and within bounds, and moves up by at most one."""
    limiter = Limiter(maximum)
    for latency in answers:
        before = limiter.limit
        if latency is None:
            limiter.note_failure()
        else:
            limiter.note_success(latency, before)
        assert 1 <= limiter.limit <= maximum
        assert limiter.limit <= before + 1


def test_time_in_which_the_process_was_stopped_does_not_pass():
    """Ticks count as they come; one that is an hour late counts as the longest there is."""
    clock = Clock()
    awake = Awake(clock)
    for _ in range(40):
        clock.now += TICK
        awake.tick()
    assert awake() == 10.0
    clock.now += 0.1
    assert awake() == pytest.approx(10.1)
    clock.now += 3600
    assert awake() == 10.0 + LONGEST_TICK
    awake.tick()
    clock.now -= 5  # one that steps back all the same
    assert awake() == 10.0 + LONGEST_TICK


def test_a_stop_earns_no_burst():
    """Lanes that wait for the rate wait on after a stop, and no more than a second's worth is earned by it."""
    clock = Clock()
    awake = Awake(clock)
    bucket = TokenBucket(100, awake)
    due = [awake() + bucket.reserve(100) for _ in range(6)]
    assert due == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    clock.now += 3600
    assert sum(moment <= awake() for moment in due) == 2
    assert bucket.reserve(100) == 5.0
