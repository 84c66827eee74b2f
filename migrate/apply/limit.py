"""A transport that keeps another one to limits: requests at once, events a second."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from migrate.apply.outcome import Accepted, Judged, Outcome, Request, Retry, Split
from migrate.apply.watch import Unwatched, Wait, waiting

if TYPE_CHECKING:
    from migrate.apply.halt import Halt
    from migrate.apply.outcome import Transport
    from migrate.apply.pacing import Awake, Limiter, TokenBucket
    from migrate.apply.watch import Watch


@dataclass
class Limited:
    """Sends each request when the rate and the requests in flight allow it.

    Until one is answered as PostHog answers there is only one at a time: what turns out to be no PostHog is to see
    one batch, not several.
    """

    transport: "Transport"
    limiter: "Limiter"
    bucket: "TokenBucket"
    awake: "Awake"
    halt: "Halt"
    watch: "Watch" = field(default_factory=Unwatched)
    _in_flight: int = field(default=0, init=False)
    _has_answered: bool = field(default=False, init=False)
    _freed: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    async def send(self, request: Request) -> Outcome:
        """Send one request when there is room for it; its outcome says how long this process was stopped, too."""
        await self._wait_for_rate(request.events)
        while self._in_flight >= (self.limiter.limit if self._has_answered else 1):
            self._freed.clear()
            await self._freed.wait()
        self.halt.check()
        with self._room():
            began = self.awake()
            outcome = await self.transport.send(request)
            ran = self.awake() - began
            if isinstance(outcome, Retry) or (
                isinstance(outcome, Judged) and outcome.retry_after is not None
            ):
                self.limiter.note_failure()
            else:
                self.limiter.note_success(ran, self._in_flight)
        self._has_answered = self._has_answered or isinstance(outcome, Accepted | Judged | Split)
        return replace(outcome, suspended=outcome.seconds - ran)

    async def _wait_for_rate(self, events: int) -> None:
        """Wait until the rate allows so many events, and no less for having been stopped meanwhile."""
        if (seconds := self.bucket.reserve(events)) <= 0:
            return
        due = self.awake() + seconds
        with waiting(self.watch, Wait(seconds)):
            while (seconds := due - self.awake()) > 0:
                await self.halt.idle(seconds)

    @contextmanager
    def _room(self) -> Iterator[None]:
        """Take one of the requests that may be in flight."""
        self._in_flight += 1
        try:
            yield
        finally:
            self._in_flight -= 1
            self._freed.set()
