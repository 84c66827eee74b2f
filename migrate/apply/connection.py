"""HTTP, limited, retried: the transport a run sends over, put together from a delivery; and what went over it."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from random import Random
from types import TracebackType
from typing import Self

from migrate.apply.capture import Capture
from migrate.apply.delivery import Delivery
from migrate.apply.halt import Halt
from migrate.apply.http import Http
from migrate.apply.limit import Limited
from migrate.apply.outcome import Outcome, Request
from migrate.apply.pacing import TICK, Awake, Backoff, Deadline, Limiter, TokenBucket
from migrate.apply.retry import Retrying
from migrate.apply.watch import Watch, Watched


class Connection:
    """A transport to one PostHog, whose outcomes settle what is sent: none is Retry. An async context manager."""

    def __init__(  # noqa: PLR0913 - what goes over it, how, and who hears of it
        self,
        capture: Capture,
        delivery: Delivery,
        halt: Halt,
        *,
        watch: Watch,
        backoff: Backoff | None = None,
        on_warning: Callable[[str], None] = lambda _: None,
        has_answered: bool = False,
    ) -> None:
        self._awake = Awake()
        self._deadline = Deadline(delivery.deadline, self._awake)
        self._http = Http(capture, timeout=delivery.timeout, connections=delivery.concurrency)
        bucket = TokenBucket(delivery.rate, self._awake)
        watched = Watched(self._http, watch)
        limited = Limited(watched, Limiter(delivery.concurrency), bucket, self._awake, halt, watch)
        self._retrying = Retrying(
            limited,
            capture.host,
            self._deadline,
            backoff or Backoff(Random()),  # noqa: S311 - spreads retries, guards nothing
            halt,
            delivery.max_attempts,
            on_warning,
            watch,
            has_answered,
        )

    async def __aenter__(self) -> Self:
        self._awake.tick()
        self._deadline.note_progress()
        self._began = time.monotonic()
        self._ticking = asyncio.create_task(self._tick())
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ticking.cancel()
        with suppress(asyncio.CancelledError):
            await self._ticking
        await self._http.__aexit__(kind, error, trace)

    async def _tick(self) -> None:
        """Let the clock know that this process runs."""
        while True:
            await asyncio.sleep(TICK)
            self._awake.tick()

    async def send(self, request: Request) -> Outcome:
        """Send one request until there is an outcome that settles it; raises Abandoned where the run halts before."""
        return await self._retrying.send(request)

    def note_progress(self) -> None:
        """Note that events were settled just now: patience begins anew."""
        self._deadline.note_progress()

    def counters(self) -> dict[str, float]:
        """Return requests, retries, bytes sent and seconds so far."""
        return {
            "requests": self._http.requests,
            "retries": self._retrying.retries,
            "bytes_sent": self._http.bytes_sent,
            "seconds": time.monotonic() - self._began,
        }
