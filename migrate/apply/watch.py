"""What a run can be watched by: each request's fate, what work waits for, and what is noted as settled."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from migrate.apply.outcome import Accepted, Judged, Outcome, Request, Split, Transport
from migrate.workdir.records import Settled


class Fate(NamedTuple):
    """What became of a request; `number` counts all of a run's from 1."""

    number: int
    request: Request
    outcome: Outcome

    @property
    def settled(self) -> int:
        """How many events have come to their end with it."""
        if isinstance(self.outcome, Judged):
            return min(self.request.events, self.outcome.settled)
        is_end = isinstance(self.outcome, Accepted) or (
            isinstance(self.outcome, Split) and self.request.events == 1
        )
        return self.request.events if is_end else 0


@dataclass(frozen=True, eq=False, slots=True)
class Wait:
    """A request that waits for so many seconds: for the rate, or, where it failed for a `reason`, to be tried again."""

    seconds: float
    reason: str = ""
    attempt: int = 0
    """Which attempt has failed."""
    is_asked: bool = False
    """Whether the server asked for this wait (Retry-After)."""
    left: float | None = None
    """After so many seconds without success the run gives up; None where it does not."""


class Watch(Protocol):
    """Is told what a run does, in the thread of its event loop: at once, and a few times a request at the most."""

    def begin(self) -> None:
        """Hear that a request is under way."""
        ...

    def end(self, fate: Fate) -> None:
        """Hear what became of one."""
        ...

    def wait(self, wait: Wait) -> None:
        """Hear that a request begins to wait."""
        ...

    def go_on(self, wait: Wait) -> None:
        """Hear that it waits no more."""
        ...

    def settle(self, more: Settled) -> None:
        """Hear what was noted in the checkpoint."""
        ...


class Unwatched:
    """Nobody watches."""

    def begin(self) -> None:
        """Do nothing."""

    def end(self, fate: Fate) -> None:
        """Do nothing."""

    def wait(self, wait: Wait) -> None:
        """Do nothing."""

    def go_on(self, wait: Wait) -> None:
        """Do nothing."""

    def settle(self, more: Settled) -> None:
        """Do nothing."""


@contextmanager
def waiting(watch: Watch, wait: Wait) -> Iterator[None]:
    """Tell of a wait, and of its end, however it ends."""
    watch.wait(wait)
    try:
        yield
    finally:
        watch.go_on(wait)


@dataclass
class Watched:
    """A transport that tells what becomes of each request over another one."""

    transport: Transport
    watch: Watch
    _number: int = field(default=0, init=False)

    async def send(self, request: Request) -> Outcome:
        """Send one request."""
        self._number += 1
        number = self._number
        self.watch.begin()
        outcome = await self.transport.send(request)
        self.watch.end(Fate(number, request, outcome))
        return outcome
