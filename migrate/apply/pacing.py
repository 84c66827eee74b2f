"""Rate limit, adaptive concurrency, backoff; pure, clock injected."""

import math
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from datetime import time as hour
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

BACKOFF_BASE: Final = 0.5  # seconds: the longest wait after the first failure
BACKOFF_CAP: Final = 60.0  # seconds: the longest wait after any number of failures
RETRY_AFTER_CAP: Final = 3600.0  # seconds: a server that asks for more is asked again after an hour

START: Final = 4  # requests at once before anything is known
WINDOW: Final = 100  # answers the failure ratio is taken over
TOLERATED: Final = 0.1  # of a window's answers: what a healthy service behind load balancers may fail
ROUND: Final = 10  # answers at least before latency is judged and the limit grows
SLOWER: Final = 2.0  # times the baseline: latency that means queueing
DECREASE: Final = 0.75
MEMORY: Final = 0.2  # weight of the newest round in the baseline latency

TICK: Final = 0.25  # seconds between two looks at the clock
LONGEST_TICK: Final = 1.0  # what counts between two looks at the most, as a busy machine may be late


class Awake:
    """A clock of the time in which this process ran, in seconds.

    A process that is stopped (SIGSTOP, a debugger, a laptop asleep) is silent itself: what passes meanwhile is no
    silence of the server's and earns no events of the rate. `tick` is to be called every `TICK` seconds: what passes
    between two calls counts as `LONGEST_TICK` at the most.
    """

    def __init__(self, clock: "Callable[[], float]" = time.monotonic) -> None:
        self._clock = clock
        self._seen = clock()
        self._ran = 0.0

    def __call__(self) -> float:
        """Return the seconds this process has run, counted from when this was made."""
        return self._ran + min(max(0.0, self._clock() - self._seen), LONGEST_TICK)

    def tick(self) -> None:
        """Note that the process runs."""
        self._ran, self._seen = self(), self._clock()


class TokenBucket:
    """At most `rate` events a second, bursts of at most one second's worth; None is unlimited.

    In any t seconds at most `rate * (t + 1)` events pass, plus what a single request carries beyond one
    second's worth.
    """

    def __init__(self, rate: float | None, clock: "Callable[[], float]" = time.monotonic) -> None:
        if rate is not None and not 0 < rate < math.inf:
            raise ValueError(f"a rate is a positive number of events a second, got {rate}")
        self._rate = rate
        self._clock = clock
        self._tokens = rate or 0.0
        self._seen = clock()

    def reserve(self, events: int) -> float:
        """Take room for `events` and return the seconds to wait before sending them.

        More than one second's worth passes too: it leaves a debt that this caller and the next ones wait out.
        """
        if self._rate is None:
            return 0.0
        now = self._clock()
        earned = max(0.0, now - self._seen) * self._rate
        self._seen = now
        self._tokens = min(self._rate, self._tokens + earned) - events
        return max(0.0, -self._tokens / self._rate)


@dataclass(frozen=True)
class Window:
    """The hours of a day in which to send, by the machine's own clock; they may go past midnight."""

    start: hour
    end: hour

    def left(self, now: datetime) -> float:
        """Return the seconds until the window ends, 0 outside of it. `now` is the machine's time, without a zone."""
        length = _since(self.start, self.end) or timedelta(days=1)
        return max(0.0, (length - _since(self.start, now.time())).total_seconds())


def _since(start: hour, moment: hour) -> timedelta:
    """Return how long after `start` the clock next shows `moment`."""
    one, other = (
        timedelta(hours=each.hour, minutes=each.minute, seconds=each.second, microseconds=each.microsecond)
        for each in (start, moment)
    )
    return (other - one) % timedelta(days=1)


@dataclass(frozen=True)
class Backoff:
    """How long to wait before the same request again: exponential, with full jitter so that lanes spread out.

    Source: Amazon Builders' Library, "Timeouts, retries, and backoff with jitter".
    """

    random: "Random"
    base: float = BACKOFF_BASE
    cap: float = BACKOFF_CAP

    def delay(self, attempt: int, retry_after: float | None = None) -> float:
        """Return the seconds to wait after failure number `attempt` (from 1).

        Between nothing and `base` doubled each time up to `cap`; on top of the server's Retry-After, so that
        the lanes it was told to wait do not all return in the same instant.
        """
        doublings = min(attempt - 1, 64)  # far beyond any cap, and 2.0**1024 is an OverflowError
        floor = min(max(0.0, retry_after or 0.0), RETRY_AFTER_CAP)
        return floor + self.random.uniform(0.0, min(self.cap, self.base * 2.0**doublings))


class Deadline:
    """Time runs out after `seconds` without progress; any progress starts it afresh.

    The clock is to be monotonic. One that steps back all the same only postpones the end, once.
    """

    def __init__(self, seconds: float, clock: "Callable[[], float]" = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._since = clock()

    def note_progress(self) -> None:
        """Note that something was settled just now."""
        self._since = self._clock()

    @property
    def remaining(self) -> float:
        """Seconds left, 0 when there are none."""
        now = self._clock()
        self._since = min(self._since, now)
        return max(0.0, self._since + self.seconds - now)

    @property
    def is_over(self) -> bool:
        """Whether nothing was settled for `seconds`."""
        return self.remaining <= 0.0


@dataclass
class Limiter:
    """How many requests may be in flight: more while it helps, fewer when the server shows strain.

    Additive increase, multiplicative decrease, after Vector's adaptive request concurrency, but calm about
    failures a healthy service has as well. A round is as many answers as the limit, at least `ROUND`.

    * At the end of a round that used the whole limit, it grows by one, up to `maximum`.
    * When more than `TOLERATED` of the last `WINDOW` answers were failures (counted against the whole window,
      so three bad answers at the start are no verdict), it falls to `DECREASE` of itself, at least by one.
    * When a round's mean latency is more than `SLOWER` times the baseline, it falls too. The baseline is a
      moving average of rounds, so a service that is just slow becomes the new normal within a few rounds.
    * After a fall the answers to requests already in flight are not judged: one burst is one fall.
    """

    maximum: int
    limit: int = field(init=False)
    _window: deque[bool] = field(init=False, repr=False)
    _baseline: float | None = field(default=None, init=False, repr=False)
    _ignored: int = field(default=0, init=False, repr=False)  # answers still to come from before a fall
    _answers: int = field(default=0, init=False, repr=False)  # of this round, like the three below
    _latency: float = field(default=0.0, init=False, repr=False)
    _successes: int = field(default=0, init=False, repr=False)
    _used: int = field(default=0, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.maximum < 1:
            raise ValueError(f"at least one request must be allowed, got {self.maximum}")
        self.limit = min(START, self.maximum)
        self._window = deque(maxlen=WINDOW)

    def note_success(self, latency_seconds: float, in_flight: int) -> None:
        """Note an answer without strain; `in_flight` counts the requests out just before, with itself."""
        if self._is_ignored():
            return
        self._latency += latency_seconds
        self._successes += 1
        self._used = max(self._used, in_flight)
        self._judge(failed=False)

    def note_failure(self) -> None:
        """Note a 429, a 5xx, a timeout or a broken connection."""
        if not self._is_ignored():
            self._judge(failed=True)

    def _is_ignored(self) -> bool:
        if not self._ignored:
            return False
        self._ignored -= 1
        return True

    def _judge(self, *, failed: bool) -> None:
        self._window.append(failed)
        self._answers += 1
        if sum(self._window) > TOLERATED * WINDOW:
            self._fall()
        elif self._answers >= max(self.limit, ROUND):
            self._end_round()

    def _end_round(self) -> None:
        latency = self._latency / self._successes if self._successes else 0.0
        baseline = latency if self._baseline is None else self._baseline
        if self._successes:
            self._baseline = baseline + MEMORY * (latency - baseline)
        if latency > SLOWER * baseline:
            self._fall()
            return
        if self._used >= self.limit:
            self.limit = min(self.limit + 1, self.maximum)
        self._start_round()

    def _fall(self) -> None:
        self._ignored = self.limit
        self.limit = max(1, min(self.limit - 1, int(self.limit * DECREASE)))
        self._window.clear()
        self._start_round()

    def _start_round(self) -> None:
        self._answers = self._successes = self._used = 0
        self._latency = 0.0
