"""What is heard of requests and waits, told on, and kept over time with what is noted in the checkpoint anyway."""

import time
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING

from migrate.apply.outcome import Accepted, Judged, Outcome, Retry, Split
from migrate.workdir import sendings
from migrate.workdir.sendings import Heard

if TYPE_CHECKING:
    from migrate.apply.watch import Fate, Wait, Watch
    from migrate.workdir.database import Database
    from migrate.workdir.records import Settled


class Hearing:
    """A `Watch` before another one. Of a killed run what was not noted yet is lost."""

    def __init__(
        self,
        watch: "Watch",
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._watch = watch
        self._clock, self._monotonic = clock, monotonic
        self._lock = Lock()
        self._heard: dict[int, Heard] = {}
        """By minutes, as Unix seconds."""
        self._began: dict[Wait, float] = {}

    def begin(self) -> None:
        """Hear that a request is under way."""
        self._watch.begin()

    def end(self, fate: "Fate") -> None:
        """Hear what became of one."""
        with self._lock:
            now = self._now()
            now.requests += 1
            now.bytes += len(fate.request.data)
            now.answers[answer(fate.outcome)] += 1
        self._watch.end(fate)

    def wait(self, wait: "Wait") -> None:
        """Hear that a request begins to wait."""
        self._began[wait] = self._monotonic()
        self._watch.wait(wait)

    def go_on(self, wait: "Wait") -> None:
        """Hear that it waits no more."""
        kind = "server asked" if wait.is_asked else "retry" if wait.reason else "rate"
        seconds = self._monotonic() - self._began.pop(wait)
        with self._lock:
            waited = self._now().waited
            waited[kind] = waited.get(kind, 0.0) + seconds
        self._watch.go_on(wait)

    def settle(self, more: "Settled") -> None:
        """Hear what was noted in the checkpoint."""
        self._watch.settle(more)

    def note(self, settled: "Settled", db: "Database") -> None:
        """Keep what was heard since the last time, and what is settled, within the transaction that notes that.

        It is called in another thread than all the rest.
        """
        with self._lock:
            heard, self._heard = self._heard, {}
        sendings.add(db, heard, settled, self._clock())

    def _now(self) -> Heard:
        minute = int(self._clock()) // sendings.SHORTEST * sendings.SHORTEST
        return self._heard.setdefault(minute, Heard())


def answer(outcome: Outcome) -> str:
    """Return in a word how a request was answered: by the status, or what came instead; no name of a host is in it."""
    if isinstance(outcome, Accepted | Judged):
        return "200"
    if isinstance(outcome, Split):
        return str(outcome.status)
    if not isinstance(outcome, Retry):
        return f"stopped: {outcome.why}"
    word = outcome.reason.partition(":")[0]
    if word.isdigit():
        return word
    if word.startswith("no answer within"):
        return "timeout"
    return "cut short" if word.startswith("answer cut short") else "no connection"
