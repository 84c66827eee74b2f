"""The second half: plan directory → PostHog."""

import asyncio
import hashlib
import secrets
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import polars as pl

from migrate import merge, parked
from migrate.batches import Payloads
from migrate.checkpoint import Checkpoint, Round, Settled
from migrate.errors import Refused, Stopped
from migrate.pacing import Backoff
from migrate.sender import Abandoned, Delivery, Sender, Settling

T = TypeVar("T")

_CHUNK_BYTES: Final = 8 * 2**20
"""Enough for a full batch in every lane; half of it made half as large batches (4.7 → 3.9 µs an event, measured)."""
_CHUNKS_IN_FLIGHT: Final = 3
_CHUNK_SECONDS: Final = 1
"""How much of a rate limit a chunk takes: what an interrupted run waits for, and what a killed one sends again."""


@dataclass
class _Chunk:
    """A chunk on its way: what became of its events so far, and how many lanes still have some of them."""

    duplicate: int
    lanes: int
    settling: Settling = field(default_factory=Settling)
    abandoned: bool = False
    error: BaseException | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def lane_done(self) -> None:
        """Note that one lane is through with its part."""
        self.lanes -= 1
        if self.lanes <= 0:
            self.done.set()


_Queue = asyncio.Queue[tuple[_Chunk, Payloads] | None]


class _Work(NamedTuple):
    """A piece of a round, spread over the lanes."""

    duplicate: int
    lanes: dict[int, Payloads]


class _Ready(NamedTuple):
    """A round whose first work is read; `lanes` is how many it is spread over."""

    turn: Round
    lanes: int
    first: _Work | None
    others: Iterator[_Work]
    is_last: bool
    """Whether the day has no other round after it."""


class Apply:
    """Sends what a workdir has planned and not yet settled, oldest day first."""

    def __init__(
        self,
        workdir: Path,
        checkpoint: Checkpoint,
        delivery: Delivery,
        *,
        on_progress: Callable[[Settled], None] = lambda _: None,
        backoff: Backoff | None = None,
    ) -> None:
        self._workdir = workdir
        self._checkpoint = checkpoint
        self._delivery = delivery
        self._on_progress = on_progress
        self._sender = Sender(delivery, backoff)
        self._counted = checkpoint.facts()
        self._at_checkpoint = asyncio.Lock()
        self._ahead: dict[str, asyncio.Task[_Ready | None]] = {}
        self._note: asyncio.Task[None] | None = None
        self._planned = checkpoint.by_day()

    def interrupt(self) -> None:
        """Ask to stop: what is in flight is finished and noted, nothing more is begun."""
        self._sender.interrupt()

    async def run(self) -> bool:
        """Send until nothing is pending; return False when it was interrupted. Raises Stopped, resumable."""
        try:
            async with self._sender:
                days = self._checkpoint.days()
                for day, following in zip_longest(days, days[1:]):
                    while not self._sender.is_stopping and (ready := await self._ready(day)):
                        await self._send_round(ready, following)
                        if ready.is_last:
                            break
        finally:
            await asyncio.gather(*self._ahead.values(), return_exceptions=True)
            await self._noted()
        return self._ended()

    async def _ready(self, day: str) -> _Ready | None:
        """Return the day's next round, read ahead or now; None when the day is settled."""
        ahead = self._ahead.pop(day, None)
        return await (self._read(day) if ahead is None else ahead)

    async def _read(self, day: str) -> _Ready | None:
        """Begin the day's next round and read its first work."""
        turn = await self._asked(self._checkpoint.begin, day)
        if turn is None:
            return None
        known = sum(part.events for part in (*turn.parts, *turn.earlier))
        planned = sum(part.events for part in turn.parts)
        # Twice as many lanes as requests at once: a lane that waits to try again leaves its room to another.
        most = -(-(planned - turn.position) // self._sender.max_events)
        lanes = max(1, min(2 * self._delivery.concurrency, most))
        works = (_Work(piece.duplicate, _spread(piece, lanes)) for piece in self._pieces(turn, planned))
        first = await asyncio.to_thread(next, works, None)
        return _Ready(turn, lanes, first, works, is_last=known == self._planned[day])

    async def _asked(self, note: Callable[..., T], *facts: object) -> T:
        """Return what the checkpoint does or says, asked in a thread: a commit takes the disk milliseconds."""
        async with self._at_checkpoint:
            return await asyncio.to_thread(note, *facts)

    async def _noted(self) -> None:
        """Wait until what was settled is noted; raises what went wrong with it."""
        if self._note is not None:
            await self._note

    async def resend(self) -> bool:
        """Send the parked events again; return False when it was interrupted. Raises Stopped, resumable."""
        accepted, left = 0, []
        async with self._sender:
            for lines in parked.days(self._workdir):
                settling = Settling()
                try:
                    await self._sender.settle(
                        _payloads(pl.Series([line["payload"] for line in lines])), settling
                    )
                except Abandoned:
                    left += lines
                else:
                    accepted += settling.accepted
                    left += settling.parked
        parked.replace(self._workdir, self._checkpoint, left, accepted, **self._counters())
        return self._ended()

    def _ended(self) -> bool:
        """Return whether the end was reached; raises Stopped when the sender stopped by itself."""
        if self._sender.reason:
            raise Stopped(self._sender.reason)
        return not self._sender.is_stopping

    async def _send_round(self, ready: _Ready, following: str | None) -> None:
        """Send one round of a day, chunk by chunk, lanes side by side."""
        queues = [_Queue() for _ in range(ready.lanes)]
        lanes = [asyncio.create_task(self._lane(queue)) for queue in queues]
        try:
            is_settled = await self._feed(ready, queues, following)
        finally:
            for queue in queues:
                queue.put_nowait(None)
            await asyncio.gather(*lanes)
        if is_settled and ready.first is None:
            await self._asked(self._checkpoint.finish, ready.turn)

    async def _feed(self, ready: _Ready, queues: list[_Queue], following: str | None) -> bool:
        """Give the lanes their work and note what is settled, in order; return whether all of it is.

        The day that follows is read while the last of this one is on its way. None of it is sent before.
        """
        under_way: deque[_Chunk] = deque()
        is_whole, work = True, ready.first
        while not self._sender.is_stopping and work is not None:
            chunk = _Chunk(work.duplicate, len(work.lanes))
            for lane, payloads in work.lanes.items():
                queues[lane].put_nowait((chunk, payloads))
            if not work.lanes:
                chunk.done.set()
            under_way.append(chunk)
            work = await asyncio.to_thread(next, ready.others, None)
            if len(under_way) >= _CHUNKS_IN_FLIGHT:
                is_whole = is_whole and await self._settle(ready.turn, under_way.popleft())
        if following is not None and following not in self._ahead and not self._sender.is_stopping:
            self._ahead[following] = asyncio.create_task(self._read(following))
        while under_way:
            chunk = under_way.popleft()
            is_last = work is None and not under_way
            is_whole = is_whole and await self._settle(ready.turn, chunk, is_last=is_last)
        return is_whole and not self._sender.is_stopping

    def _pieces(self, turn: Round, planned: int) -> Iterator[merge.Chunk]:
        """Yield what is left of the round, in pieces that take a few seconds at the most."""
        chunk_bytes = _CHUNK_BYTES
        if self._delivery.rate:
            average = max(1, sum(part.bytes for part in turn.parts) // max(1, planned)) + 64
            chunk_bytes = min(chunk_bytes, int(self._delivery.rate * _CHUNK_SECONDS * average))
        return merge.chunks(
            self._workdir, turn.parts, turn.earlier, chunk_bytes=chunk_bytes, skip=turn.position
        )

    async def _settle(self, turn: Round, chunk: _Chunk, *, is_last: bool = False) -> bool:
        """Wait for a chunk, then have noted what became of it; return False when it was abandoned.

        An abandoned chunk stays pending, and so do all after it: the checkpoint knows how far, not which.
        """
        await chunk.done.wait()
        if chunk.error:
            raise chunk.error
        if chunk.abandoned:
            return False
        await self._noted()
        self._note = asyncio.create_task(self._note_down(turn, chunk, is_last=is_last))
        return True

    async def _note_down(self, turn: Round, chunk: _Chunk, *, is_last: bool) -> None:
        """Note what became of a chunk, while those after it are sent: a busy disk takes as long as the sending."""
        settled = Settled(chunk.settling.accepted, chunk.duplicate, len(chunk.settling.parked))

        def note() -> None:
            size = parked.append(self._workdir, chunk.settling.parked)
            self._checkpoint.settle(turn, settled, is_last=is_last, parked_bytes=size, **self._counters())

        await self._asked(note)
        self._on_progress(settled)

    async def _lane(self, queue: _Queue) -> None:
        """Send one lane's work, in order."""
        while work := await queue.get():
            chunk, payloads = work
            try:
                await self._sender.settle(payloads, chunk.settling)
            except Abandoned:
                chunk.abandoned = True
            except Exception as error:  # noqa: BLE001 - raised again where the chunk is waited for
                chunk.error = error
            chunk.lane_done()

    def _counters(self) -> dict[str, Any]:
        """Return the workdir's counters, this process's added."""
        return {name: self._counted[name] + value for name, value in self._sender.counters().items()}


def pinned(checkpoint: Checkpoint, delivery: Delivery) -> None:
    """Bind a workdir to its target, or raise Refused when it is bound to another.

    The key is kept only as a salted hash.
    """
    facts = checkpoint.facts()
    salt = facts.get("salt") or secrets.token_hex(16)
    key = hashlib.blake2b(delivery.key.encode(), salt=bytes.fromhex(salt), digest_size=32).hexdigest()
    if "target" not in facts:
        checkpoint.note(target=delivery.target, key=key, salt=salt)
    elif facts["target"] != delivery.target:
        raise Refused(
            f"--host: this workdir sends to {facts['target']}, found {delivery.target}; "
            "use the same host, or plan into another --workdir"
        )
    elif facts["key"] != key:
        raise Refused(
            "--api-key: this workdir began to send with another key; "
            "use the key of the same project, or plan into another --workdir"
        )


def _spread(piece: merge.Chunk, lanes: int) -> dict[int, Payloads]:
    """Return each lane's payloads: those of one distinct_id in one lane, in order."""
    lane = (pl.col("distinct_id").hash() % lanes).cast(pl.Int32).alias("lane")
    parted = piece.frame.select(lane, "payload").partition_by("lane", as_dict=True, maintain_order=True)
    return {int(key[0]): _payloads(frame["payload"]) for key, frame in parted.items()}


def _payloads(texts: pl.Series) -> Payloads:
    """Return payload texts as request bodies are cut from them."""
    return Payloads.of(texts + ",")
