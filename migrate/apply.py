"""The second half: plan directory → PostHog."""

import asyncio
import hashlib
import json
import os
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

import polars as pl

from migrate import merge
from migrate.batches import Batch, Payloads, batches, body, head
from migrate.checkpoint import Checkpoint, Round, Settled
from migrate.days import synced
from migrate.errors import Refused, Stopped
from migrate.pacing import Backoff, Deadline, Limiter, TokenBucket
from migrate.transport import Accepted, Outcome, Retry, Split, Stop, Transport

PARKED: Final = "parked.jsonl"
_CHUNK_BYTES: Final = 8 * 2**20
_CHUNKS_IN_FLIGHT: Final = 2
_CHUNK_SECONDS: Final = 5
"""How much of a rate limit a chunk takes: what an interrupted run waits for, and what a killed one sends again."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """How to send: the target, the bounds of a batch, the patience."""

    url: str
    key: str = field(repr=False)
    target: str
    """What the workdir is pinned to: the URL, or "sandbox" for the one inside the command."""
    rate: float | None = None
    concurrency: int = 8
    max_batch_bytes: int = 5 * 2**20
    max_batch_events: int = 1_000
    gzip: bool = True
    max_attempts: int | None = None
    deadline: float = 900.0
    timeout: float = 60.0


@dataclass
class _Chunk:
    """A chunk on its way: what became of its events so far, and how many lanes still have some."""

    duplicate: int
    lanes: int
    accepted: int = 0
    parked: list[dict[str, Any]] = field(default_factory=list)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def lane_done(self) -> None:
        """Note that one lane has settled its part."""
        self.lanes -= 1
        if self.lanes <= 0:
            self.done.set()


class _Abandoned(Exception):  # noqa: N818 - the word says what happened
    """A lane gave up its work because the run stops."""


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
        self._head = head(delivery.key)
        self._limiter = Limiter(delivery.concurrency)
        self._bucket = TokenBucket(delivery.rate)
        self._backoff = backoff or Backoff(Random())  # noqa: S311 - spreads retries, guards nothing
        self._deadline = Deadline(delivery.deadline)
        self._in_flight = 0
        self._retries = 0
        self._began = time.monotonic()
        self._counted = checkpoint.facts()
        self._reason: str | None = None
        per_second = int(delivery.rate) if delivery.rate else delivery.max_batch_events
        self._max_events = max(1, min(delivery.max_batch_events, per_second))

    def interrupt(self) -> None:
        """Ask to stop: what is in flight is finished and noted, nothing more is begun."""
        self._stopping.set()
        self._freed.set()

    async def run(self) -> bool:
        """Send until nothing is pending; return False when it was interrupted. Raises Stopped, resumable."""
        async with self._connected():
            self._deadline.progress()
            for day in self._checkpoint.days():
                while not self._stopping.is_set() and (turn := self._checkpoint.begin(day)):
                    await self._send_round(turn)
        if self._reason:
            raise Stopped(self._reason)
        return not self._stopping.is_set()

    async def resend(self) -> bool:
        """Send the parked events again; return False when it was interrupted. Raises Stopped, resumable."""
        waiting = self._workdir / f"{PARKED}.next"
        accepted = 0
        with waiting.open("w", encoding="utf-8") as kept:
            async with self._connected():
                for lines in _parked_days(self._workdir / PARKED):
                    chunk = _Chunk(0, 1)
                    with suppress(_Abandoned):
                        await self._deliver_all(
                            chunk, _payloads(pl.Series([line["payload"] for line in lines]))
                        )
                    accepted += chunk.accepted
                    left = chunk.parked if chunk.done.is_set() else lines
                    accepted -= 0 if chunk.done.is_set() else chunk.accepted
                    kept.writelines(_line(line) for line in left)
            kept.flush()
            os.fsync(kept.fileno())
        self._checkpoint.unpark(
            accepted, parked_bytes=waiting.stat().st_size, parked_swap=True, **self._counters()
        )
        restored(self._workdir, self._checkpoint)
        if self._reason:
            raise Stopped(self._reason)
        return not self._stopping.is_set()

    def _connected(self) -> Transport:
        """Return the transport to send through."""
        self._stopping = asyncio.Event()
        self._freed = asyncio.Event()
        delivery = self._delivery
        self._transport = Transport(
            delivery.url,
            timeout=delivery.timeout,
            gzip=delivery.gzip,
            connections=delivery.concurrency,
            secret=delivery.key,
        )
        return self._transport

    async def _send_round(self, turn: Round) -> None:
        """Send one round of a day, chunk by chunk, lanes side by side."""
        planned = sum(part.events for part in turn.parts)
        lanes = max(1, min(2 * self._delivery.concurrency, -(-(planned - turn.position) // self._max_events)))
        queues: list[asyncio.Queue[tuple[_Chunk, Payloads] | None]] = [asyncio.Queue() for _ in range(lanes)]
        under_way: deque[_Chunk] = deque()
        async with asyncio.TaskGroup() as tasks:
            for work in queues:
                tasks.create_task(self._lane(work))
            pieces = self._pieces(turn, planned)
            while not self._stopping.is_set() and (piece := await asyncio.to_thread(next, pieces, None)):
                works = await asyncio.to_thread(_spread, piece, lanes)
                chunk = _Chunk(piece.duplicate, len(works))
                for lane, payloads in works.items():
                    queues[lane].put_nowait((chunk, payloads))
                if not works:
                    chunk.done.set()
                under_way.append(chunk)
                if len(under_way) >= _CHUNKS_IN_FLIGHT:
                    await self._settle(turn, under_way)
            while under_way:
                await self._settle(turn, under_way)
            for work in queues:
                work.put_nowait(None)
        if not self._stopping.is_set():
            self._checkpoint.finish(turn)

    def _pieces(self, turn: Round, planned: int) -> Iterator[merge.Chunk]:
        """Yield what is left of the round, in pieces that take a few seconds at the most."""
        chunk_bytes = _CHUNK_BYTES
        if self._delivery.rate:
            average = max(1, sum(part.bytes for part in turn.parts) // max(1, planned)) + 64
            chunk_bytes = min(chunk_bytes, int(self._delivery.rate * _CHUNK_SECONDS * average))
        return merge.chunks(
            self._workdir, turn.parts, turn.earlier, chunk_bytes=chunk_bytes, skip=turn.position
        )

    async def _settle(self, turn: Round, under_way: deque[_Chunk]) -> None:
        """Wait for the oldest chunk, then note what became of it.

        An abandoned chunk stays pending, and so do all after it: the checkpoint knows how far, not which.
        """
        chunk = under_way.popleft()
        await chunk.done.wait()
        if chunk.lanes < 0:
            for later in under_way:
                await later.done.wait()
            under_way.clear()
            return
        size = self._append_parked(chunk.parked)
        settled = Settled(chunk.accepted, chunk.duplicate, len(chunk.parked))
        self._checkpoint.settle(turn, settled, parked_bytes=size, **self._counters())
        self._on_progress(settled)

    async def _lane(self, queue: "asyncio.Queue[tuple[_Chunk, Payloads] | None]") -> None:
        """Deliver one lane's work, in order."""
        while work := await queue.get():
            chunk, payloads = work
            try:
                await self._deliver_all(chunk, payloads)
            except _Abandoned:
                chunk.lanes = -1
                chunk.done.set()

    async def _deliver_all(self, chunk: _Chunk, payloads: Payloads) -> None:
        """Deliver payloads of one day, batch after batch."""
        bounds = {"max_bytes": self._delivery.max_batch_bytes, "max_events": self._max_events}
        for batch in batches(payloads, head=self._head, **bounds):
            await self._deliver(chunk, payloads, batch)
        chunk.lane_done()

    async def _deliver(self, chunk: _Chunk, payloads: Payloads, batch: Batch) -> None:
        """Deliver one batch, halved where PostHog refuses it, until a bad event stands alone and is parked."""
        answer = await self._answered(body(self._head, payloads, batch.start, batch.stop), batch.events)
        if isinstance(answer, Accepted):
            chunk.accepted += batch.events
        elif isinstance(answer, Split) and batch.events == 1:
            text = bytes(payloads.text(batch.start, batch.stop)).decode().rstrip(",")
            chunk.parked.append(_parked(text, answer))
        else:
            for half in batch.halves():
                await self._deliver(chunk, payloads, half)
        self._deadline.progress()

    async def _answered(self, request: bytes, events: int) -> Accepted | Split:
        """Send one request until there is an answer that settles it."""
        attempt = 0
        while True:
            await asyncio.sleep(self._bucket.reserve(events))
            answer = await self._sent(request)
            if isinstance(answer, (Accepted, Split)):
                return answer
            attempt += 1
            if isinstance(answer, Stop):
                self._stop(answer.reason)
            elif self._deadline.expired:
                self._give_up(f"nothing accepted for {self._delivery.deadline:g} s", answer, "--deadline")
            elif attempt == self._delivery.max_attempts:
                self._give_up(f"no success in {attempt} attempts", answer, "--max-attempts")
            self._retries += 1
            if isinstance(answer, Retry):
                delay = self._backoff.delay(attempt, answer.retry_after)
                await self._pause(min(delay, self._deadline.remaining + 0.01))

    async def _sent(self, request: bytes) -> Outcome:
        """Send one request when there is room for it."""
        while self._in_flight >= self._limiter.limit:
            self._freed.clear()
            await self._freed.wait()
        if self._stopping.is_set() and self._reason:
            raise _Abandoned
        self._in_flight += 1
        try:
            answer = await self._transport.send(request)
            if isinstance(answer, Retry):
                self._limiter.failed()
            else:
                self._limiter.succeeded(answer.seconds, self._in_flight)
        finally:
            self._in_flight -= 1
            self._freed.set()
        return answer

    async def _pause(self, seconds: float) -> None:
        """Wait before another try; give up the work when the run stops meanwhile."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
            raise _Abandoned

    def _stop(self, reason: str) -> None:
        """Stop the run for a reason; the work at hand is abandoned."""
        self._reason = self._reason or reason
        self.interrupt()
        raise _Abandoned

    def _give_up(self, what: str, answer: Retry, option: str) -> None:
        """Stop because retrying did not help."""
        self._stop(
            f"{self._delivery.url}: {what}, found {answer.reason}; "
            f"run the same command again to resume, or raise {option}"
        )

    def _append_parked(self, parked: list[dict[str, Any]]) -> int:
        """Add lines to parked.jsonl, durably; return its size."""
        path = self._workdir / PARKED
        if parked:
            with path.open("a", encoding="utf-8") as file:
                file.writelines(_line(line) for line in parked)
                file.flush()
                os.fsync(file.fileno())
            synced(self._workdir)
        return path.stat().st_size if path.exists() else 0

    def _counters(self) -> dict[str, Any]:
        """Return the workdir's counters, this process's added."""
        now = {
            "requests": self._transport.requests,
            "retries": self._retries,
            "bytes_sent": self._transport.bytes_sent,
            "seconds": time.monotonic() - self._began,
        }
        return {name: self._counted[name] + value for name, value in now.items()}


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


def restored(workdir: Path, checkpoint: Checkpoint) -> None:
    """Bring parked.jsonl back to what the checkpoint knows, after a kill in the middle of a change."""
    facts = checkpoint.facts()
    path, waiting = workdir / PARKED, workdir / f"{PARKED}.next"
    if facts.get("parked_swap"):
        if waiting.exists():
            waiting.replace(path)
            synced(workdir)
        checkpoint.note(parked_swap=False)
    waiting.unlink(missing_ok=True)
    size = facts.get("parked_bytes", 0)
    if path.exists() and path.stat().st_size > size:
        os.truncate(path, size)


def _spread(piece: merge.Chunk, lanes: int) -> dict[int, Payloads]:
    """Return each lane's payloads: those of one distinct_id in one lane, in order."""
    lane = (pl.col("distinct_id").hash() % lanes).cast(pl.Int32).alias("lane")
    parted = piece.frame.select(lane, "payload").partition_by("lane", as_dict=True, maintain_order=True)
    return {int(key[0]): _payloads(frame["payload"]) for key, frame in parted.items()}


def _payloads(texts: pl.Series) -> Payloads:
    """Return payload texts as request bodies are cut from them."""
    return Payloads.of(texts + ",")


def _parked(text: str, answer: Split) -> dict[str, Any]:
    """Return the line of an event that PostHog refused."""
    uuid = json.loads(text)["uuid"]
    return {"uuid": uuid, "status": answer.status, "message": answer.message, "payload": text}


def _line(value: dict[str, Any]) -> str:
    """Return one line of JSON."""
    return json.dumps(value, ensure_ascii=False) + "\n"


def _parked_days(path: Path) -> Iterator[list[dict[str, Any]]]:
    """Yield the parked events, day by day, a bounded number at once."""
    if not path.exists():
        return
    held: list[dict[str, Any]] = []
    day = ""
    with path.open(encoding="utf-8") as file:
        for text in file:
            line = json.loads(text)
            its_day = json.loads(line["payload"])["timestamp"][:10]
            if held and (its_day != day or len(held) >= 1_000):  # noqa: PLR2004 - one batch
                yield held
                held = []
            held.append(line)
            day = its_day
    if held:
        yield held
