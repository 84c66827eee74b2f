"""Payloads → settled: sent batch by batch, halved where PostHog refuses, until each event is accepted or parked."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Final, NamedTuple

import msgspec

from migrate.apply import verdicts
from migrate.apply.batches import Batch, Envelope, Payloads
from migrate.apply.capture import AGAIN
from migrate.apply.delivery import Delivery
from migrate.apply.halt import Abandoned, Halt
from migrate.apply.outcome import Accepted, Judged, Request, Retry, Split, Stop, Transport
from migrate.apply.packing import Packing
from migrate.workdir.parked import Parked

_MANY: Final = 20
"""So many events of a first batch, all refused, say that the mapping is broken and not the events."""
_NUMBERS: Final = re.compile(r"\d+")
_MUCH: Final = 0.9
"""A bound that is not this much smaller than the one before is not worth a word."""
_LEAST_BYTES: Final = 64 * 1024
"""Bodies are made no smaller than this for a 413: no limit is meant to be there, and each event a request is no way."""


class _Event(msgspec.Struct):
    """What is asked of a payload."""

    uuid: str
    timestamp: str


@dataclass
class Settling:
    """What became of payloads so far."""

    accepted: int = 0
    parked: list[Parked] = field(default_factory=list)
    warnings: Counter[str] = field(default_factory=Counter)
    """What PostHog says of events that it has accepted → of how many."""


class Prepared(NamedTuple):
    """Payloads, and the requests that carry them, in order."""

    payloads: Payloads
    requests: list[tuple[Batch, Request]]


class Gate:
    """What work waits at before its first request; opened once, for all of it or, shut for good, for none."""

    def __init__(self) -> None:
        self._passed: bool | None = None
        self._decided = asyncio.Event()

    def open(self) -> None:
        """Release what waits."""
        self._pass(let=True)

    def shut(self) -> None:
        """Make what waits give up."""
        self._pass(let=False)

    def _pass(self, *, let: bool) -> None:
        self._passed = let
        self._decided.set()

    @property
    def is_decided(self) -> bool:
        """Whether it is open, or shut for good."""
        return self._decided.is_set()

    async def wait(self) -> None:
        """Wait until it opens; raises Abandoned when it is shut."""
        await self._decided.wait()
        if not self._passed:
            raise Abandoned


class Sender:
    """Settles payloads over a transport, whatever that is."""

    def __init__(
        self,
        transport: Transport,
        envelope: Envelope,
        delivery: Delivery,
        halt: Halt,
        on_warning: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.may_all_be_refused = False
        """Whether it says nothing of the others if all of a batch is refused."""
        self.max_events = delivery.largest_batch
        self.max_bytes = min(delivery.max_batch_bytes, envelope.most_bytes)
        """Of a body, uncompressed: as much as was asked for, or less where that much is refused."""
        self.on_settled: Callable[[], None] = lambda: None
        """Told whenever all events of a request are settled."""
        self._transport = transport
        self._host = delivery.url
        self._packing = Packing(envelope, delivery.gzip, self.max_events)
        self._halt = halt
        self._on_warning = on_warning
        self._has_accepted = False

    def prepare(self, payloads: Payloads) -> Prepared:
        """Return payloads with the requests that carry them, made in the thread that asks."""
        cuts = self._packing.cut(payloads, self.max_bytes)
        return Prepared(payloads, [(cut, self._packing.pack(payloads, cut)) for cut in cuts])

    async def settle(self, prepared: Prepared, settling: Settling, *, gate: Gate | None = None) -> None:
        """Send payloads of one day, batch after batch; raises Abandoned when the run stops before all are settled.

        None is sent before the `gate` opens.
        """
        if gate is not None:
            await gate.wait()
        for batch, request in prepared.requests:
            before = len(settling.parked)
            for cut in self._cuts(prepared.payloads, batch):
                body = request if cut == batch else await self._packing.pack_aside(prepared.payloads, cut)
                await self._settle(prepared.payloads, cut, body, settling)
            self._check_refused(batch, settling.parked[before:])

    def _cuts(self, payloads: Payloads, batch: Batch) -> Iterator[Batch]:
        """Yield a batch that was made ready, in parts where it is larger than what is taken by now."""
        if self._packing.size(payloads, batch) <= self.max_bytes:
            yield batch
            return
        part = payloads.part(batch.start, batch.stop)
        for cut in self._packing.cut(part, self.max_bytes):
            yield Batch(batch.start + cut.start, batch.start + cut.stop)

    def _check_refused(self, batch: Batch, parked: list[Parked]) -> None:
        """Stop where nothing is accepted yet and all of a batch is refused in the same words, as the rest would be."""
        if self._has_accepted or self.may_all_be_refused or len(parked) < max(_MANY, batch.events):
            return
        if len({_NUMBERS.sub("", one.message) for one in parked}) == 1:
            found = f"{parked[0].status} '{parked[0].message[:200]}'"
            self._halt.stop(
                f"{self._host}: all {batch.events:,} events of the first batch are refused in the same words, "
                f"and none is accepted, found {found}; see what is planned, mend what makes it so, and plan again",
                "refused",
            )

    async def _settle(self, payloads: Payloads, batch: Batch, request: Request, settling: Settling) -> None:
        """Send one batch, halved where PostHog refuses it, until a bad event stands alone and is parked.

        Events that PostHog hands back, one by one, are sent again alone.
        """
        outcome = await self._transport.send(request)
        while isinstance(outcome, Judged):
            payloads = payloads.part(batch.start, batch.stop)
            found = self._settle_judged(payloads, outcome, settling)
            if not (left := found.unsettled):
                return
            failed = _handed_back(found, len(payloads), outcome)
            payloads, batch = payloads.some(left), Batch(0, len(left))
            body = await self._packing.pack_aside(payloads, batch)
            request = replace(body, id=request.id, attempt=outcome.attempt, failed=failed)
            outcome = await self._transport.send(request)
        parked = len(settling.parked)
        if isinstance(outcome, Accepted):
            self._has_accepted = True
            settling.accepted += batch.events
        elif not isinstance(outcome, Split):
            # A Retry, too: to try again is the transport's business.
            self._halt.stop(outcome.reason, outcome.why if isinstance(outcome, Stop) else "server")
        elif batch.events == 1:
            settling.parked.append(_parked(payloads.planned(batch.start), outcome.status, outcome.message))
        else:
            is_too_large = outcome.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            fitting = list(self._cuts(payloads, batch)) if is_too_large else []
            parts = fitting if len(fitting) > 1 else batch.halves()
            for part in parts:
                await self._settle(payloads, part, await self._packing.pack_aside(payloads, part), settling)
            if is_too_large and len(settling.parked) == parked:
                taken = max(self._packing.size(payloads, part) for part in parts)
                self._fit(self._packing.size(payloads, batch), taken)
        self.on_settled()

    def _settle_judged(self, payloads: Payloads, outcome: Judged, settling: Settling) -> verdicts.Sorted:
        """Settle the payloads of one request as PostHog judges each; those that it hands back stay unsettled."""
        names = payloads.uuids.names()
        found = verdicts.sort(outcome.verdicts, names)
        self._check_judged(found, names)
        settling.accepted += found.accepted
        settling.warnings += found.warnings
        settling.parked += [
            _parked(payloads.planned(number), HTTPStatus.OK, words) for number, words in found.dropped.items()
        ]
        self._has_accepted = self._has_accepted or found.accepted > 0
        if found.accepted or found.dropped:
            self.on_settled()
        return found

    def _check_judged(self, found: verdicts.Sorted, uuids: Sequence[str]) -> None:
        """Stop where a verdict is none that is known, or none is on any event that was sent."""
        if found.unknown:
            number, words = next(iter(found.unknown.items()))
            self._halt.stop(
                f"{self._host}: the answer has a verdict that is not known on {len(found.unknown):,} of "
                f"{len(uuids):,} events, found '{words}' on {uuids[number]}; nothing of them counts as "
                f"accepted: see whether there is a newer migrate, then {AGAIN}"
            )
        if len(found.silent) == len(uuids):
            self._halt.stop(
                f"{self._host}: the answer is not PostHog's, found a verdict on none of {len(uuids):,} events; "
                f"check --host, and whether a proxy stands in between, then {AGAIN}"
            )

    def _fit(self, refused: int, taken: int) -> None:
        """Make later bodies fit where a large one was refused of which every event was taken, in smaller ones.

        What goes over the network may be compressed: how far is much the same for all.
        """
        before, size = self.max_bytes, max(_LEAST_BYTES, taken)
        self.max_bytes = min(before, size)
        if size < _MUCH * before:
            self._on_warning(
                f"{self._host}: a body of {refused:,} bytes is refused as too large (413), and its events are "
                f"taken in smaller ones; none is larger than {size:,} bytes from now on (--max-batch-bytes {size} "
                "spares the tries)"
            )


def _parked(payload: str, status: int, message: str) -> Parked:
    """Return an event that PostHog refused."""
    event = msgspec.json.decode(payload, type=_Event)
    return Parked(event.uuid, event.timestamp, status, message, payload)


def _handed_back(found: verdicts.Sorted, events: int, outcome: Judged) -> Retry:
    """Return how an attempt has ended after which some of so many events are to be sent again."""
    why = "not stored" if found.again else "not spoken of"
    return Retry(
        f"handed back: {len(found.unsettled):,} of {events:,} events, {why}",
        outcome.retry_after,
        outcome.unheeded,
    )
