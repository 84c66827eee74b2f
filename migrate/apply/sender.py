"""Payloads → settled: paced, retried, halved where PostHog refuses, until each event is accepted or parked."""

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from random import Random
from types import TracebackType
from typing import Final, NamedTuple, NoReturn, Self

import msgspec

from migrate.apply.batches import Batch, Payloads, batches, head, pieces
from migrate.apply.pacing import LONGEST_TICK, TICK, Awake, Backoff, Deadline, Limiter, TokenBucket
from migrate.apply.transport import Accepted, Outcome, Packed, Retry, Split, Stop, Transport
from migrate.workdir.parked import Parked

_RESUME: Final = "run the same command again to resume"
_MANY: Final = 20
"""So many events of a first batch, all refused, say that the mapping is broken and not the events."""
_NUMBERS: Final = re.compile(r"\d+")
_MUCH: Final = 0.9
"""A bound that is not this much smaller than the one before is not worth a word."""
_LEAST_BYTES: Final = 64 * 1024
"""Bodies are made no smaller than this for a 413: no limit is meant to be there, and each event a request is no way."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """How to send: the target, the bounds of a batch, the patience. Sizes are bytes, times seconds."""

    url: str
    key: str = field(repr=False)
    target: str
    """What the workdir is bound to: the URL, or "sandbox" for the one inside the command."""
    rate: float | None = None
    concurrency: int = 8
    max_batch_bytes: int = 5 * 2**20
    max_batch_events: int = 1_000
    gzip: bool = True
    max_attempts: int | None = None
    deadline: float = 900.0
    timeout: float = 60.0
    min_age: float = 0.0
    """How old all of a day is to be before it is sent."""


class Abandoned(Exception):  # noqa: N818 - the word says what happened
    """The run stops, and this work was given up: maybe sent, not settled."""


class _Event(msgspec.Struct):
    """What is asked of a payload."""

    uuid: str
    timestamp: str


@dataclass
class Settling:
    """What became of payloads so far."""

    accepted: int = 0
    parked: list[Parked] = field(default_factory=list)


class Prepared(NamedTuple):
    """Payloads, and the requests that carry them, in order."""

    payloads: Payloads
    requests: list[tuple[Batch, Packed]]


class Gate:
    """What work waits at before its first request; opened once, for all of it or, shut for good, for none."""

    def __init__(self) -> None:
        self._passed: bool | None = None
        self._opened = asyncio.Event()

    def open(self, *, shut: bool = False) -> None:
        """Let through what waits, or have it give up."""
        self._passed = not shut
        self._opened.set()

    async def passed(self) -> None:
        """Wait until it opens; raises Abandoned when it is shut."""
        await self._opened.wait()
        if not self._passed:
            raise Abandoned


class Sender:
    """Sends payloads to one PostHog; an async context manager. `reason` says why it stopped by itself, if it did."""

    def __init__(
        self,
        delivery: Delivery,
        backoff: Backoff | None = None,
        on_warning: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.may_all_be_refused = False
        """Whether it says nothing of the others if all of a batch is refused."""
        self.max_bytes = delivery.max_batch_bytes
        """Of a body, uncompressed: as much as was asked for, or less where that much is refused."""
        self.reason: str | None = None
        self.retries = 0
        self._delivery = delivery
        self._head = head(delivery.key)
        self._on_warning = on_warning
        self._has_accepted = False
        self._has_answered = False
        self._has_warned = False
        self._limiter = Limiter(delivery.concurrency)
        self._awake = Awake()
        self._bucket = TokenBucket(delivery.rate, self._awake)
        self._backoff = backoff or Backoff(Random())  # noqa: S311 - spreads retries, guards nothing
        self._in_flight = 0
        # A batch is never more than a second's worth, so that no wait for the rate comes near the deadline.
        per_second = int(delivery.rate) if delivery.rate else delivery.max_batch_events
        self.max_events = max(1, min(delivery.max_batch_events, per_second))
        self._transport = Transport(
            delivery.url,
            timeout=delivery.timeout,
            gzip=delivery.gzip,
            connections=delivery.concurrency,
            secret=delivery.key,
        )

    async def __aenter__(self) -> Self:
        self._stopping = asyncio.Event()
        self._freed = asyncio.Event()
        self._awake.tick()
        self._deadline = Deadline(self._delivery.deadline, self._awake)
        self._began = time.monotonic()
        self._ticking = asyncio.create_task(self._tick())
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ticking.cancel()
        with suppress(asyncio.CancelledError):
            await self._ticking
        await self._transport.__aexit__(kind, error, trace)

    async def _tick(self) -> None:
        """Let the clock know that this process runs."""
        while True:
            await asyncio.sleep(TICK)
            self._awake.tick()

    @property
    def is_stopping(self) -> bool:
        """Whether nothing more is to be begun."""
        return self._stopping.is_set()

    def interrupt(self) -> None:
        """Begin nothing more; what is in flight is finished, what waits to be tried again is given up."""
        self._stopping.set()
        self._freed.set()

    def counters(self) -> dict[str, float]:
        """Return requests, retries, bytes sent and seconds so far."""
        return {
            "requests": self._transport.requests,
            "retries": self.retries,
            "bytes_sent": self._transport.bytes_sent,
            "seconds": time.monotonic() - self._began,
        }

    def prepared(self, payloads: Payloads) -> Prepared:
        """Return payloads with the requests that carry them, in the thread that asks."""
        cuts = batches(payloads, head=self._head, max_bytes=self.max_bytes, max_events=self.max_events)
        return Prepared(
            payloads,
            [(cut, self._transport.pack(*pieces(self._head, payloads, cut.start, cut.stop))) for cut in cuts],
        )

    async def settle(self, prepared: Prepared, settling: Settling, *, gate: Gate | None = None) -> None:
        """Send payloads of one day, batch after batch; raises Abandoned when the run stops before all are settled.

        None is sent before the `gate` opens.
        """
        if gate is not None:
            await gate.passed()
        for batch, request in prepared.requests:
            before = len(settling.parked)
            for cut in self._cuts(prepared.payloads, batch):
                body = request if cut == batch else await self._packed(prepared.payloads, cut)
                await self._settle(prepared.payloads, cut, body, settling)
            self._check_refused(batch, settling.parked[before:])

    def _cuts(self, payloads: Payloads, batch: Batch) -> Iterator[Batch]:
        """Yield a batch that was made ready, in parts where it is larger than what is taken by now."""
        part = payloads.part(batch.start, batch.stop)
        for cut in batches(part, head=self._head, max_bytes=self.max_bytes, max_events=self.max_events):
            yield Batch(batch.start + cut.start, batch.start + cut.stop)

    def _size(self, payloads: Payloads, batch: Batch) -> int:
        """Return the bytes of a batch's body, uncompressed."""
        return sum(map(len, pieces(self._head, payloads, batch.start, batch.stop)))

    def _check_refused(self, batch: Batch, parked: list[Parked]) -> None:
        """Stop where nothing is accepted yet and all of a batch is refused in the same words, as the rest would be."""
        if self._has_accepted or self.may_all_be_refused or len(parked) < max(_MANY, batch.events):
            return
        if len({_NUMBERS.sub("", one.message) for one in parked}) == 1:
            found = f"{parked[0].status} '{parked[0].message[:200]}'"
            self._stop(
                f"{self._delivery.url}: all {batch.events:,} events of the first batch are refused in the same words, "
                f"and none is accepted, found {found}; see what is planned, mend what makes it so, and plan again"
            )

    async def _packed(self, payloads: Payloads, batch: Batch) -> Packed:
        """Return the body of a batch."""
        return await self._transport.packed(*pieces(self._head, payloads, batch.start, batch.stop))

    async def _settle(self, payloads: Payloads, batch: Batch, request: Packed, settling: Settling) -> None:
        """Send one batch, halved where PostHog refuses it, until a bad event stands alone and is parked."""
        answer, parked = await self._answered(request, batch.events), len(settling.parked)
        if isinstance(answer, Accepted):
            self._has_accepted = True
            settling.accepted += batch.events
        elif batch.events == 1:
            settling.parked.append(_parked(bytes(payloads.text(batch.start, batch.stop)[:-1]), answer))
        else:
            is_too_large = answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            fitting = list(self._cuts(payloads, batch)) if is_too_large else []
            parts = fitting if len(fitting) > 1 else batch.halves()
            for part in parts:
                await self._settle(payloads, part, await self._packed(payloads, part), settling)
            if is_too_large and len(settling.parked) == parked:
                taken = max(self._size(payloads, part) for part in parts)
                self._fit(self._size(payloads, batch), taken)
        self._deadline.progress()

    def _fit(self, refused: int, taken: int) -> None:
        """Make later bodies fit where a large one was refused of which every event was taken, in smaller ones.

        What goes over the network may be compressed: how far is much the same for all.
        """
        before, size = self.max_bytes, max(_LEAST_BYTES, taken)
        self.max_bytes = min(before, size)
        if size < _MUCH * before:
            self._on_warning(
                f"{self._delivery.url}: a body of {refused:,} bytes is refused as too large (413), and its events are "
                f"taken in smaller ones; none is larger than {size:,} bytes from now on (--max-batch-bytes {size} "
                "spares the tries)"
            )

    async def _answered(self, request: Packed, events: int) -> Accepted | Split:
        """Send one request until there is an answer that settles it."""
        attempt = 0
        while True:
            await self._paced(events)
            answer, stopped = await self._sent(request)
            if isinstance(answer, (Accepted, Split)):
                self._has_answered = True
                return answer
            if isinstance(answer, Stop):
                self._stop(answer.reason)
            # What failed while this process was stopped says nothing of the server.
            if stopped < LONGEST_TICK:
                attempt += 1
            self._check_hope(answer)
            self._check_wait(answer)
            self._check_patience(attempt, answer)
            self.retries += 1
            delay = self._backoff.delay(max(1, attempt), answer.retry_after)
            await self._pause(min(delay, self._deadline.remaining + 0.01))

    async def _paced(self, events: int) -> None:
        """Wait until the rate allows so many events, and no less for having been stopped meanwhile."""
        due = self._awake() + self._bucket.reserve(events)
        while (seconds := due - self._awake()) > 0:  # noqa: ASYNC110 - it is time that is waited for
            await asyncio.sleep(seconds)

    async def _sent(self, request: Packed) -> tuple[Outcome, float]:
        """Send one request when there is room for it; return how many seconds of it this process was stopped, too."""
        # What turns out to be no PostHog is to see one batch, not several.
        while self._in_flight >= (self._limiter.limit if self._has_answered else 1):
            self._freed.clear()
            await self._freed.wait()
        if self.reason:
            raise Abandoned
        with self._room():
            began = self._awake()
            answer = await self._transport.send(request)
            ran = self._awake() - began
            if isinstance(answer, Retry):
                self._limiter.failed()
            else:
                self._limiter.succeeded(ran, self._in_flight)
        return answer, answer.seconds - ran

    @contextmanager
    def _room(self) -> Iterator[None]:
        """Take one of the requests that may be in flight."""
        self._in_flight += 1
        try:
            yield
        finally:
            self._in_flight -= 1
            self._freed.set()

    async def _pause(self, seconds: float) -> None:
        """Wait before another try; give up the work when the run stops meanwhile."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
            raise Abandoned

    def _check_hope(self, answer: Retry) -> None:
        """Stop where what is there is no PostHog and was none in this run."""
        if answer.hopeless and not self._has_answered:
            self._stop(f"{self._delivery.url}: {answer.hopeless}")

    def _check_wait(self, answer: Retry) -> None:
        """Stop at once where the server asks to be left alone for longer than there is patience."""
        if answer.unheeded and not self._has_warned:
            self._has_warned = True
            self._on_warning(
                f"{self._delivery.url}: its Retry-After is no time to come back, found '{answer.unheeded}'; it is "
                "tried again as if there were none"
            )
        seconds = answer.retry_after or 0.0
        if seconds > self._deadline.remaining:
            when = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(sep=" ", timespec="minutes")
            self._stop(
                f"{self._delivery.url}: it asks to come back in {seconds:,.0f} s, at {when}, later than --deadline "
                f"allows, found {answer.reason}; {_RESUME} then"
            )

    def _check_patience(self, attempt: int, answer: Retry) -> None:
        """Stop when retrying has not helped for long enough."""
        url, deadline = self._delivery.url, self._delivery.deadline
        if self._deadline.expired:
            what = f"nothing accepted for {deadline:g} s, found {answer.reason}"
            self._stop(f"{url}: {what}; {_RESUME}, or raise --deadline")
        if attempt == self._delivery.max_attempts:
            what = f"no success in {attempt} attempts, found {answer.reason}"
            self._stop(f"{url}: {what}; {_RESUME}, or raise --max-attempts")

    def _stop(self, reason: str) -> NoReturn:
        """Stop the run for a reason; the work at hand is abandoned."""
        self.reason = self.reason or reason
        self.interrupt()
        raise Abandoned


def _parked(payload: bytes, answer: Split) -> Parked:
    """Return an event that PostHog refused."""
    event = msgspec.json.decode(payload, type=_Event)
    return Parked(event.uuid, event.timestamp, answer.status, answer.message, payload.decode())
