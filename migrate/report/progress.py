"""How far a phase is, this command's part apart from earlier ones', how fast, what is left, and why it waits."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from math import ceil
from threading import Lock
from typing import TYPE_CHECKING, Final, Protocol

from migrate.apply.outcome import Retry
from migrate.log import Log
from migrate.report import sentences
from migrate.report.live import Part
from migrate.report.pace import Following, Pace, Sliding
from migrate.screen import counted

if TYPE_CHECKING:
    from migrate.apply.watch import Fate, Wait
    from migrate.plan.progress import Progress
    from migrate.workdir.records import Settled

_BEFORE_PLANNING: Final = ("looking over", "finding who is who")
"""How phases that come before planning begin."""
_PATIENCE: Final = 1.0
"""Seconds without success after which failures are why it waits, and without a wait after which the rate is not."""
_SILENCE: Final = 3.0
"""Seconds without any answer from which on it is said that one is waited for."""


class Phase(Protocol):
    """Something that can be told how far it is."""

    def parts(self, now: float) -> Iterator[Part]:
        """Yield the parts of its line."""
        ...


class Planning:
    """How far planning is. All of it but `parts` is called in threads that plan."""

    def __init__(self, clock: Callable[[], float], following: Following | None) -> None:
        self._clock = clock
        self._following = following
        self._now: Progress | None = None
        self._lock = Lock()

    def note(self, progress: "Progress") -> None:
        """Note how far it is."""
        now = self._clock()
        with self._lock:
            if self._now is None or progress.phase != self._now.phase:
                self._rows, self._bytes = Sliding(now), Sliding(now)
            self._now = progress
            self._rows.note(now, progress.rows)
            self._bytes.note(now, progress.done_bytes)

    def parts(self, now: float) -> Iterator[Part]:
        """Yield the parts of its line."""
        with self._lock:
            if (state := self._now) is None:
                yield Part("beginning")
                return
            rate, speed = self._rows.rate(now), self._bytes.rate(now)
        if not state.total_files:
            yield Part(state.phase)
            yield from self._left(state, None)
            return
        short = next((name for name in _BEFORE_PLANNING if state.phase.startswith(name)), state.phase)
        row, file = state.counts
        yield Part(f"{state.phase} {state.rows:,} {row}s", ((7, f"{short} {_share(state)}"),))
        yield Part(f"{rate:,.0f} {row}s/s", ((3, f"{rate:,.0f}/s"), (6, "")))
        yield from self._left(state, (state.total_bytes - state.done_bytes) / speed if speed else None)
        yield Part(f"{state.done_files:,}/{counted(state.total_files, file)}", ((2, ""),))

    def _left(self, state: "Progress", seconds: float | None) -> Iterator[Part]:
        """Yield how long all that is left takes; what nobody can tell yet is named."""
        then = ["planning"] if state.phase.startswith(_BEFORE_PLANNING) else []
        if self._following is not None:
            rate = self._following.pace.holds
            share = state.done_bytes / state.total_bytes if state.total_bytes else 0.0
            if rate and share and seconds is not None and not then:
                seconds += (state.rows / share + self._following.pending) / rate
            else:
                then.append("sending")
        yield _left(seconds, then)


class Sending:
    """How far sending is; a `Watch` of what is sent. `total` events are to be sent, `before` were settled earlier."""

    def __init__(  # noqa: PLR0913 - what is to be sent, where to, and how fast
        self,
        clock: Callable[[], float],
        total: int,
        *,
        before: int,
        host: str,
        pace: Pace,
        log: Log,
    ) -> None:
        self._log = log
        self._clock = clock
        self._total, self._before = total, before
        self._host, self._pace = host, pace
        self._lock = Lock()
        now = clock()
        self._rate = Sliding(now)
        self._answered = self._doubled = self._noted = 0
        self._waits: dict[Wait, float] = {}
        """Each wait, and when it is over."""
        self._limited = now
        """Until when it is said that it waits for the rate: the next request does, too, in a moment."""
        self._gives_up: float | None = None
        """When the run gives up, if nothing is accepted until then."""
        self._failed = ""
        """In which words the last request failed, if none was answered since."""
        self._failures = self._under_way = 0
        self._succeeded = self._heard = now
        """When a request was last settled, and when anything was last heard."""

    def begin(self) -> None:
        """Hear that a request is under way."""
        with self._lock:
            if not self._under_way:
                self._heard = self._clock()
            self._under_way += 1

    def end(self, fate: "Fate") -> None:
        """Hear what became of one."""
        now = self._clock()
        if self._log.is_wanted:
            self._log.tell(sentences.of_fate(fate))
        with self._lock:
            self._under_way -= 1
            self._heard = now
            if isinstance(fate.outcome, Retry):
                self._failed = fate.outcome.reason.partition(": ")[0]
                self._failures += 1
            else:
                self._failed, self._failures, self._succeeded = "", 0, now
            self._answered += fate.settled
            self._rate.note(now, self._done)

    def wait(self, wait: "Wait") -> None:
        """Hear that a request begins to wait."""
        if self._log.is_wanted and (record := sentences.of_wait(wait)):
            self._log.tell(record)
        with self._lock:
            self._waits[wait] = due = self._clock() + wait.seconds
            if wait.left is not None:
                self._gives_up = self._clock() + wait.left
            if not wait.reason:
                self._limited = max(self._limited, due + _PATIENCE)

    def go_on(self, wait: "Wait") -> None:
        """Hear that it waits no more."""
        with self._lock:
            self._waits.pop(wait, None)

    def settle(self, more: "Settled") -> None:
        """Hear what was noted in the checkpoint; of duplicates nothing is heard before."""
        with self._lock:
            self._doubled += more.duplicate
            self._noted += more.accepted + more.duplicate + more.parked
            self._rate.note(self._clock(), self._done)

    @property
    def _done(self) -> int:
        return min(self._total, max(self._noted, self._answered + self._doubled))

    def parts(self, now: float) -> Iterator[Part]:
        """Yield the parts of its line."""
        with self._lock:
            done, rate, why = self._done, self._rate.rate(now), self._why(now)
        share = f"{100 * done // self._total} %" if self._total else ""
        count = f"sending {done:,}/{self._total:,}"
        # Where it fails, how long it waits matters more than how far it is.
        least = ((9, ""),) if self._failing(now) else ()
        yield Part(f"{count} events", ((3, count), (7, f"sending {share}"), *least))
        if why:
            yield why
        yield Part(f"{rate:,.0f} events/s", ((3, f"{rate:,.0f}/s"), (6, "")))
        holds = min(rate, self._pace.limit or rate) or (self._pace.holds if not done else None)
        if self._failing(now) and self._gives_up is not None:
            yield Part(f"gives up in {timedelta(seconds=max(0, round(self._gives_up - now)))}", ((4, ""),))
        else:
            yield _left((self._total - done) / holds if holds and not self._failing(now) else None, [])
        if self._before:
            yield Part(f"{self._before:,} before", ((2, ""),))

    def _failing(self, now: float) -> bool:
        return bool(self._failures) and now - self._succeeded > _PATIENCE

    def _why(self, now: float) -> Part | None:
        """Return why it waits, where it does."""
        if self._failing(now):
            return self._failure(now)
        if self._under_way and now - self._heard > _SILENCE:
            text = f"no answer for {now - self._heard:.0f} s"
            return Part(f"{text} from {self._host}", ((5, text),))
        if self._pace.limit and now < self._limited:
            return Part(f"rate limit {self._pace.limit:,g} events/s", ((5, "rate limit"), (8, "")))
        return None

    def _failure(self, now: float) -> Part:
        """Return in which words requests fail, how often by now, and when it is tried again."""
        tries = f"{self._failures:,} {'try' if self._failures == 1 else 'tries'}"
        dues = [(due, wait) for wait, due in self._waits.items() if wait.reason]
        if not dues:
            again = "trying again"
        else:
            due, wait = min(dues, key=lambda one: one[0])
            again = f"next in {max(1, ceil(due - now))} s"
            if wait.is_asked:
                again += " as its Retry-After asks"
        where = f" from {self._host}" if self._failed.isdigit() else f" ({self._host})"
        short = f"{self._failed}, {again.removesuffix(' as its Retry-After asks')}"
        return Part(f"{self._failed}{where}, {tries}, {again}", ((5, short), (10, self._failed)))


def _share(state: "Progress") -> str:
    return f"{100 * state.done_bytes // state.total_bytes} %" if state.total_bytes else ""


def _left(seconds: float | None, then: list[str]) -> Part:
    """Return how long it takes until the end, without what comes `then`; None is not known."""
    after = f", then {' and '.join(then)}" if then else ""
    if seconds is None:
        return Part(f"time left not known{after}", ((4, ""),))
    text = f"{timedelta(seconds=round(seconds))} left"
    more = ((5, f"{text}, then more"), (8, f"over {text}")) if then else ()
    return Part(f"{text}{after}", (*more, (10, "")))
