"""The second half: plan directory → PostHog."""

import asyncio
import hashlib
import math
import secrets
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, Final, NamedTuple

import polars as pl

from migrate.apply import age, merge
from migrate.apply.batches import Payloads
from migrate.apply.pacing import Backoff
from migrate.apply.sender import Abandoned, Delivery, Gate, Prepared, Sender, Settling
from migrate.errors import Refused, Stopped
from migrate.workdir import parked
from migrate.workdir.checkpoint import Checkpoint, Database, Round, Settled
from migrate.workdir.seals import present

_CHUNK_BYTES: Final = 6 * 2**20
"""Enough for a full batch in as many lanes as there are requests at once."""
_SLACK: Final = 1.05
"""Pieces are not cut to the byte."""
_CHUNKS_IN_FLIGHT: Final = 3
_CHUNKS_AHEAD: Final = 4
"""How many are read before there is room for them in flight: the first of a day takes ten times as long as the next."""
_CHUNK_SECONDS: Final = 1
"""How much of a rate limit a chunk takes: what an interrupted run waits for, and what a killed one sends again."""
_UNNOTED: Final = 4
"""Chunks that may be settled while those before them are being noted: what a killed run sends again."""
_RESUMED_EVENTS: Final = 8_192
"""What a chunk usually has; the first one of a round that goes on may be what was left of one."""
_UNEVEN: Final = 1.125
"""How many times the mean the fullest lanes have, about: lanes filled to the brim make a request more each."""
_PARTS_AT_ONCE: Final = 1_000
"""About how many parts the checkpoint is asked for at once."""


class _Piece(NamedTuple):
    """A piece of a round, to be spread over so many lanes."""

    turn: Round
    events: merge.Chunk
    lanes: int
    is_last: bool
    """Whether the round has no other piece after it."""


class _Work(NamedTuple):
    """A piece of a round, spread over the lanes."""

    turn: Round
    duplicate: int
    lanes: dict[int, Prepared]
    is_last: bool


@dataclass
class _Chunk:
    """A piece on its way: what became of its events so far, and how many lanes still have some of them.

    Its events wait for `gate`, which the round before opens when all of it is settled.
    """

    turn: Round
    duplicate: int
    lanes: int
    is_last: bool
    gate: Gate
    following: Gate
    """The gate of the round after this one."""
    settling: Settling = field(default_factory=Settling)
    abandoned: bool = False
    error: BaseException | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def lane_done(self) -> None:
        """Note that one lane is through with its part."""
        self.lanes -= 1
        if self.lanes <= 0:
            self.done.set()


_Queue = asyncio.Queue[tuple[_Chunk, Prepared] | None]


class Applier:
    """Sends what a workdir has planned and not yet settled, oldest day first.

    One thread reads, a few pieces ahead, and one makes requests of what is read; lanes send side by side; what is
    settled is noted in order, in another thread, while more is sent.
    """

    def __init__(  # noqa: PLR0913 - what it works on, and whom it tells
        self,
        workdir: Path,
        checkpoint: Checkpoint,
        delivery: Delivery,
        *,
        on_progress: Callable[[Settled], None] = lambda _: None,
        on_warning: Callable[[str], None] = lambda _: None,
        backoff: Backoff | None = None,
    ) -> None:
        self._workdir = workdir
        self._checkpoint = checkpoint
        self._delivery = delivery
        self._on_progress = on_progress
        self.on_remarks: Callable[[list[str]], None] = lambda _: None
        self._sender = Sender(delivery, backoff, on_warning)
        self._counted = checkpoint.facts()
        self._at_checkpoint = Lock()
        # Twice as many lanes as requests at once: a lane that waits to try again leaves its room to another.
        self._most_lanes = 2 * delivery.concurrency
        self._error: BaseException | None = None
        self._unnoted: deque[_Chunk] = deque()
        self.judged = datetime.now(UTC)
        """When it was last judged whether a day is old enough."""

    def interrupt(self) -> None:
        """Ask to stop: what is in flight is finished and noted, nothing more is begun."""
        self._sender.interrupt()

    async def run(self) -> bool:
        """Send until nothing is pending; return False when it was interrupted. Raises Stopped, resumable."""
        try:
            await self._run()
        finally:
            self.on_remarks(parked.refresh(self._checkpoint))
        return self._ended()

    async def _run(self) -> None:
        """Send until nothing is pending, or until it stops."""
        for _, file in self._checkpoint.pending():
            present(file.path, file.seal)
        self._outdate()
        under_way: asyncio.Queue[_Chunk | None] = asyncio.Queue()
        queues = [_Queue() for _ in range(self._most_lanes)]
        self._room = asyncio.Semaphore(_CHUNKS_IN_FLIGHT)
        async with self._sender:
            lanes = [asyncio.create_task(self._lane(queue)) for queue in queues]
            settling = asyncio.create_task(self._settled(under_way))
            try:
                await self._feed(queues, under_way)
            finally:
                for queue in queues:
                    queue.put_nowait(None)
                under_way.put_nowait(None)
                await asyncio.gather(*lanes, settling)
                with self._at_checkpoint:
                    self._checkpoint.note(**self._counters())  # also of requests that came to nothing
        if self._error:
            raise self._error

    async def _feed(self, queues: list[_Queue], under_way: asyncio.Queue[_Chunk | None]) -> None:
        """Give the lanes their work as it is read, until all is read or the run stops."""
        pieces = self._read()
        gate, following = Gate(), Gate()
        gate.open()
        with ThreadPoolExecutor(1, "read") as reading, ThreadPoolExecutor(1, "spread") as spreading:

            def begun() -> asyncio.Task[_Work | None]:
                return asyncio.create_task(self._work(pieces, reading, spreading))

            ahead = deque(begun() for _ in range(_CHUNKS_AHEAD))
            try:
                while work := await ahead.popleft():
                    ahead.append(begun())
                    await self._room.acquire()
                    if self._sender.is_stopping:
                        return
                    chunk = _Chunk(work.turn, work.duplicate, len(work.lanes), work.is_last, gate, following)
                    under_way.put_nowait(chunk)
                    for lane, prepared in work.lanes.items():
                        queues[lane].put_nowait((chunk, prepared))
                    if not work.lanes:
                        chunk.done.set()
                    if work.is_last:
                        gate, following = following, Gate()
                    del work
            finally:
                await asyncio.gather(*ahead, return_exceptions=True)

    async def _work(self, pieces: Iterator[_Piece], reading: Executor, spreading: Executor) -> _Work | None:
        """Return the next piece, read in one thread and made ready in another; None after the last."""
        loop = asyncio.get_running_loop()
        piece: _Piece | None = await loop.run_in_executor(reading, next, pieces, None)
        if piece is None:
            return None
        lanes = await loop.run_in_executor(spreading, self._prepared, piece)
        return _Work(piece.turn, piece.events.duplicate, lanes, piece.is_last)

    def _prepared(self, piece: _Piece) -> dict[int, Prepared]:
        """Return each lane's requests."""
        lanes = spread(piece.events.frame, piece.lanes)
        return {lane: self._sender.prepared(payloads) for lane, payloads in lanes.items()}

    def _outdate(self) -> None:
        """Have what is planned of parked events by now go in their place."""
        for day in self._checkpoint.days():
            if parked.any_of(self._checkpoint, day):
                parts = [part for turn in self._checkpoint.rounds(day) for part in turn.parts]
                for planned in merge.texts(self._workdir, parts):
                    parked.outdate(self._checkpoint, day, planned)

    def _read(self) -> Iterator[_Piece]:
        """Yield all that is to be sent, round by round, the oldest day first; what is too young is left."""
        days = deque(self._checkpoint.days())
        while days:
            for turn in self._rounds(days):
                if self._is_held(turn.day):
                    return
                held, lanes = merge.Chunk(pl.DataFrame(), 0), 0
                for events in self._pieces(turn):
                    if lanes:
                        yield _Piece(turn, held, lanes, is_last=False)
                    # As many for all of the round: a distinct_id must not change its lane.
                    held, lanes = events, lanes or self._lanes(turn, events)
                    del events
                yield _Piece(turn, held, lanes, is_last=True)

    def _is_held(self, day: str) -> bool:
        """Return whether a day, and so every later one, is too young now."""
        self.judged = datetime.now(UTC)
        first = age.first_held(self.judged, self._delivery.min_age)
        return first is not None and day >= first

    def _rounds(self, days: deque[str]) -> list[Round]:
        """Return the rounds of the next days; of several, as the checkpoint may be busy for a while."""
        found: list[Round] = []
        with self._at_checkpoint:
            while days and sum(len(turn.parts) for turn in found) < _PARTS_AT_ONCE:
                found += self._checkpoint.rounds(days.popleft())
        return found

    def _pieces(self, turn: Round) -> Iterator[merge.Chunk]:
        """Yield what is left of a round, in pieces that take a few seconds at the most, about as large as each other.

        A small one at the end would have a small request for every lane.
        """
        whole = sum(part.bytes for part in turn.parts)
        chunk_bytes = math.ceil(_SLACK * whole / max(1, round(whole / _CHUNK_BYTES)))
        if self._delivery.rate:
            chunk_bytes = min(chunk_bytes, int(self._delivery.rate * _CHUNK_SECONDS * _average(turn)))
        with self._at_checkpoint:
            outdated = parked.outdated(self._checkpoint, turn.day) if turn.earlier else []
        return merge.chunks(
            self._workdir,
            turn.parts,
            turn.earlier,
            chunk_bytes=chunk_bytes,
            skip=turn.position,
            outdated=outdated,
        )

    def _lanes(self, turn: Round, begin: merge.Chunk) -> int:
        """Return over how many lanes a round is spread, which begins with these events."""
        events = begin.events
        if turn.position:
            left = sum(part.events for part in turn.parts) - turn.position
            events = max(events, min(left, _RESUMED_EVENTS))
        fitting = max(1, min(self._sender.max_events, self._sender.max_bytes // _average(turn)))
        return _lanes(events, fitting, self._most_lanes)

    async def _settled(self, under_way: asyncio.Queue[_Chunk | None]) -> None:
        """Take chunks as they are settled, in order: the next round may go, and what became of them is noted.

        An abandoned chunk stays pending, and so do all after it: the checkpoint knows how far, not which.
        """
        is_whole, noting = True, None
        while chunk := await under_way.get():
            await chunk.done.wait()
            if chunk.error:
                self._failed(chunk.error)
            is_whole = is_whole and not chunk.abandoned and not chunk.error
            if is_whole:
                if len(self._unnoted) >= _UNNOTED and noting:
                    await noting
                self._unnoted.append(chunk)
                if noting is None or noting.done():
                    noting = asyncio.create_task(self._noted())
            if chunk.is_last or not is_whole:
                chunk.following.open(shut=self._sender.is_stopping)
            self._room.release()
        if noting:
            await noting

    async def _noted(self) -> None:
        """Note what became of the chunks that are settled, while others are sent: a busy disk takes its time."""
        while self._unnoted and not self._error:
            chunks = list(self._unnoted)
            self._unnoted.clear()
            try:
                for settled in await asyncio.to_thread(self._note, chunks):
                    self._on_progress(settled)
            except Exception as error:  # noqa: BLE001 - raised again when the run has ended
                self._failed(error)

    def _note(self, chunks: list[_Chunk]) -> list[Settled]:
        """Note what became of some chunks; return it."""
        found = [(chunk.turn, _outcome(chunk), chunk.is_last) for chunk in chunks]
        with self._at_checkpoint:
            self._checkpoint.settle_all(found, also=partial(_park, chunks=chunks), **self._counters())
        return [settled for _, settled, _ in found]

    def _failed(self, error: BaseException) -> None:
        """Stop, for an error that is raised when all is quiet."""
        self._error = self._error or error
        self.interrupt()

    async def _lane(self, queue: _Queue) -> None:
        """Send one lane's work, in order."""
        while work := await queue.get():
            chunk, prepared = work
            try:
                await self._sender.settle(prepared, chunk.settling, gate=chunk.gate)
            except Abandoned:
                chunk.abandoned = True
            except Exception as error:  # noqa: BLE001 - raised again when the run has ended
                chunk.error = error
            chunk.lane_done()

    async def resend(self) -> bool:
        """Send the parked events again, round after round, each noted; return False when it was interrupted.

        Raises Stopped, resumable.
        """
        self._sender.may_all_be_refused = True
        from migrate.apply import mended  # noqa: PLC0415 - sending needs no look into payloads, and it is slow to import

        self.on_remarks(mended.begin(self._checkpoint))
        try:
            async with self._sender:
                await self._resend()
                self._checkpoint.note(**self._counters())
        finally:
            self.on_remarks(parked.refresh(self._checkpoint))
        return self._ended()

    async def _resend(self) -> None:
        """Send what is lined up, a request's worth at a time."""
        bounds = {"max_events": self._sender.max_events, "max_bytes": self._delivery.max_batch_bytes}
        while not self._sender.is_stopping and (waiting := parked.following(self._checkpoint, **bounds)):
            settling = Settling()
            payloads = Payloads.joined(pl.Series([one.payload for one in waiting]))
            try:
                await self._sender.settle(self._sender.prepared(payloads), settling)
            except Abandoned:
                return
            parked.settle(self._checkpoint, waiting, settling.parked, self._counters())

    def _ended(self) -> bool:
        """Return whether the end was reached; raises Stopped when the sender stopped by itself."""
        if self._sender.reason:
            raise Stopped(self._sender.reason)
        return not self._sender.is_stopping

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


def _average(turn: Round) -> int:
    """Return how many bytes the payloads of a round have in the mean."""
    return max(1, sum(part.bytes for part in turn.parts) // max(1, sum(part.events for part in turn.parts)))


def _lanes(events: int, max_events: int, most: int) -> int:
    """Return over how many lanes so many events are spread: those with the fewest requests, of these the most lanes.

    The fullest lane is expected to have an eighth more than the mean.
    """

    def requests(lanes: int) -> int:
        fullest = events if lanes == 1 else events * _UNEVEN / lanes
        return lanes * max(1, math.ceil(fullest / max_events))

    batches = math.ceil(events / max_events)
    fewest = max(1, min(batches, most // 2))
    return min(range(most, fewest - 1, -1), key=requests)


def spread(frame: pl.DataFrame, lanes: int) -> dict[int, Payloads]:
    """Return each lane's payloads: those of one distinct_id in one lane, in order."""
    if lanes <= 1:
        return {0: Payloads.joined(frame["payload"])} if frame.height else {}
    lane = (frame["distinct_id"].hash() % lanes).cast(pl.UInt16).alias("lane")
    ordered = pl.DataFrame([lane, frame["payload"]]).sort("lane", maintain_order=True)
    payloads, start, found = Payloads.joined(ordered["payload"]), 0, {}
    for length, number in ordered["lane"].rle().struct.unnest().iter_rows():
        found[number] = payloads.part(start, start + length)
        start += length
    return found


def _park(db: Database, chunks: Sequence[_Chunk]) -> None:
    """Keep what is refused of some chunks."""
    for chunk in chunks:
        parked.add(db, chunk.settling.parked, is_later=not any(part.leads for part in chunk.turn.parts))


def _outcome(chunk: _Chunk) -> Settled:
    """Return what became of a chunk."""
    return Settled(chunk.settling.accepted, chunk.duplicate, len(chunk.settling.parked))
