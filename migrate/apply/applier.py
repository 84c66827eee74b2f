"""What is planned → PostHog, lane beside lane; what is settled is noted in order."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import datetime
from threading import Lock
from typing import Any, Final, NamedTuple

from migrate.apply.beginning import make_ready
from migrate.apply.connection import Connection
from migrate.apply.delivery import Delivery
from migrate.apply.halt import Abandoned, Halt
from migrate.apply.heard import Hearing
from migrate.apply.notes import InFlight, Notes, note
from migrate.apply.pacing import Backoff
from migrate.apply.pieces import Named, Piece, Pieces, spread
from migrate.apply.protocol import Spoken, capture_of
from migrate.apply.resending import resend
from migrate.apply.sender import Gate, Prepared, Sender
from migrate.apply.target import PROTOCOL
from migrate.apply.watch import Unwatched, Watch
from migrate.errors import Stopped
from migrate.workdir import outdated, parked, rounds
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.depot import Left
from migrate.workdir.records import Round, Settled

_PIECES_IN_FLIGHT: Final = 3
_PIECES_AHEAD: Final = 4
"""Pieces read before there is room for them in flight: the first of a day takes ten times as long as the next."""


class _Work(NamedTuple):
    """A piece of a round, spread over the lanes."""

    round: Round
    named: Named
    lanes: dict[int, Prepared]
    is_last: bool


_Queue = asyncio.Queue[tuple[InFlight, Prepared] | None]


class Applier:
    """Sends what a workdir has planned and not yet settled, oldest day first.

    One thread reads, a few pieces ahead, and one makes requests of what is read; lanes send side by side; what is
    settled is noted in order, in another thread, while more is sent.
    """

    def __init__(  # noqa: PLR0913 - what is sent, how, and who hears of it
        self,
        checkpoint: Checkpoint,
        delivery: Delivery,
        *,
        watch: Watch | None = None,
        on_warning: Callable[[str], None] = lambda _: None,
        backoff: Backoff | None = None,
        spoken: Spoken | None = None,
        halt: Halt | None = None,
    ) -> None:
        self._checkpoint = checkpoint
        self._delivery = delivery
        self._watch = watch = Hearing(watch or Unwatched())
        self.on_remarks: Callable[[list[str]], None] = lambda _: None
        self._halt = halt or Halt()
        self._capture, is_known = spoken or Spoken(capture_of("v0", delivery))
        self._connection = Connection(
            self._capture,
            delivery,
            self._halt,
            watch=watch,
            backoff=backoff,
            on_warning=on_warning,
            has_answered=is_known,
        )
        self._sender = Sender(self._connection, self._capture.envelope, delivery, self._halt, on_warning)
        self._sender.on_settled = self._connection.note_progress
        self._counted = checkpoint.facts()
        self._at_checkpoint = Lock()
        # Twice as many lanes as requests at once: a lane that waits to try again leaves its room to another.
        self._most_lanes = 2 * delivery.concurrency
        self._error: BaseException | None = None
        self._noted: list[Round] = []
        """Rounds that were noted as begun together, the last ones so far."""
        self._begun: list[Round] = []
        """Rounds that this process has noted as begun, and has begun."""
        self._ahead: list[Round] = []
        """Those that it has noted, and has not begun yet."""
        self._pieces = Pieces(checkpoint, self._at_checkpoint, delivery, self._sender, self._most_lanes)
        self._pieces.is_over = self._is_over

    @property
    def judged(self) -> datetime:
        """When it was last judged whether a day is old enough."""
        return self._pieces.judged

    def interrupt(self) -> None:
        """Ask to stop: what is in flight is finished and noted, nothing more is begun."""
        self._halt.call()

    async def run(self) -> bool:
        """Send until nothing is pending; return False when it was interrupted. Raises Stopped, resumable."""
        (before,) = self._checkpoint.query("SELECT coalesce(max(id), 0) FROM parked").fetchone()
        try:
            await self._run()
        finally:
            self.on_remarks(outdated.renew(self._checkpoint, before))
            self.on_remarks(parked.refresh(self._checkpoint))
        return self._has_ended()

    async def _run(self) -> None:
        """Send until nothing is pending, or until it stops."""
        try:
            await asyncio.to_thread(make_ready, self._checkpoint, self._is_over)
        except Left:
            return
        under_way: asyncio.Queue[InFlight | None] = asyncio.Queue()
        queues = [_Queue() for _ in range(self._most_lanes)]
        self._room = asyncio.Semaphore(_PIECES_IN_FLIGHT)
        async with self._connection:
            lanes = [asyncio.create_task(self._lane(queue)) for queue in queues]
            settling = asyncio.create_task(self._settle(under_way))
            try:
                await self._feed(queues, under_way)
            finally:
                for queue in queues:
                    queue.put_nowait(None)
                under_way.put_nowait(None)
                await asyncio.gather(*lanes, settling)
                with self._at_checkpoint:
                    self._take_back()
                    with self._checkpoint.change(self._counters()) as db:
                        self._watch.note(Settled(), db)  # also of requests that came to nothing
        if self._error:
            raise self._error

    async def _feed(self, queues: list[_Queue], under_way: asyncio.Queue[InFlight | None]) -> None:
        """Hand the lanes their work as it is read, until all is read or the run stops."""
        pieces = self._pieces.read()
        gate = Gate()
        with ThreadPoolExecutor(1, "read") as reading, ThreadPoolExecutor(1, "spread") as spreading:

            def begin() -> asyncio.Task[_Work | None]:
                return asyncio.create_task(self._next_work(pieces, reading, spreading))

            ahead = deque(begin() for _ in range(_PIECES_AHEAD))
            try:
                while work := await ahead.popleft():
                    ahead.append(begin())
                    await self._room.acquire()
                    if self._halt.is_called:
                        return
                    piece = InFlight(work.round, len(work.lanes), work.is_last, gate, *work.named)
                    under_way.put_nowait(piece)
                    for lane, prepared in work.lanes.items():
                        queues[lane].put_nowait((piece, prepared))
                    if not work.lanes:
                        piece.done.set()
                    if work.is_last:
                        gate = Gate()
                    del work
            finally:
                await asyncio.gather(*ahead, return_exceptions=True)

    async def _next_work(
        self, pieces: Iterator[Piece], reading: Executor, spreading: Executor
    ) -> _Work | None:
        """Return the next piece, read in one thread and made ready in another; None after the last."""
        loop = asyncio.get_running_loop()
        piece: Piece | None = await loop.run_in_executor(reading, next, pieces, None)
        if piece is None:
            return None
        return await loop.run_in_executor(spreading, self._prepare, piece)

    def _prepare(self, piece: Piece) -> _Work:
        """Return each lane's requests, and what is noted of the piece."""
        lanes = spread(piece.events.frame, piece.lanes, piece.round.day, self._capture.envelope)
        prepared = {lane: self._sender.prepare(payloads) for lane, payloads in lanes.items()}
        return _Work(piece.round, piece.named(), prepared, piece.is_last)

    def _is_over(self) -> bool:
        return self._halt.is_called

    async def _settle(self, under_way: asyncio.Queue[InFlight | None]) -> None:
        """Wait for each piece in order, and have its outcome noted; let a round begin after the last piece before it.

        An abandoned piece stays pending, and so do all after it: the checkpoint knows how many events are settled,
        not which.
        """
        is_whole = True
        notes = Notes(self._note, on_noted=lambda one: self._watch.settle(one.outcome), on_error=self._fail)
        while piece := await under_way.get():
            if not piece.gate.is_decided:
                await self._begin(piece, is_whole=is_whole)
            await piece.done.wait()
            if piece.error:
                self._fail(piece.error)
            is_whole = is_whole and not piece.abandoned and not piece.error
            if is_whole:
                await notes.add(piece)
            self._room.release()
        await notes.end()

    async def _begin(self, piece: InFlight, *, is_whole: bool) -> None:
        """Let a round begin, once it is noted that it does; not where the run stops, or has left out what is before."""
        if is_whole and not self._halt.is_called:
            try:
                await asyncio.to_thread(self._note_begun, piece.round)
            except Exception as error:  # noqa: BLE001 - raised again when the run has ended
                self._fail(error)
        if not is_whole or self._halt.is_called:
            piece.gate.shut()
            return
        if piece.round in self._ahead:
            self._ahead.remove(piece.round)
            self._begun.append(piece.round)
        piece.gate.open()

    def _note_begun(self, round_: Round) -> None:
        """Note that a round is about to be sent, and some behind it."""
        if round_ in self._noted:
            return
        found = self._pieces.beginning()
        with self._at_checkpoint:
            self._ahead += rounds.begin(self._checkpoint, found)
        self._noted = found

    def _take_back(self) -> None:
        """Note of which rounds that were noted as begun nothing has left: of all, where no body was written."""
        has_sent = self._connection.counters()["bytes_sent"]
        if found := self._ahead if has_sent else [*self._begun, *self._ahead]:
            rounds.take_back(self._checkpoint, found)

    def _note(self, pieces: Sequence[InFlight]) -> None:
        """Note what became of some pieces in one transaction."""
        with self._at_checkpoint:
            note(self._checkpoint, pieces, self._settled(), self._watch.note)

    def _fail(self, error: BaseException) -> None:
        """Stop, for an error that is raised when all is quiet."""
        self._error = self._error or error
        self.interrupt()

    async def _lane(self, queue: _Queue) -> None:
        """Send one lane's work, in order."""
        while work := await queue.get():
            piece, prepared = work
            try:
                await self._sender.settle(prepared, piece.settling, gate=piece.gate)
            except Abandoned:
                piece.abandoned = True
            except Exception as error:  # noqa: BLE001 - raised again when the run has ended
                piece.error = error
            piece.finish_lane()

    async def resend(self) -> bool:
        """Send the parked events again, round after round, each noted; return False when it was interrupted.

        Raises Stopped, resumable.
        """
        self._sender.may_all_be_refused = True
        from migrate.apply import mended  # noqa: PLC0415 - sending needs no look into payloads, and it is slow to import

        self.on_remarks(mended.begin(self._checkpoint))
        try:
            async with self._connection:
                envelope = self._capture.envelope
                heard = self._watch.note
                await resend(self._checkpoint, self._sender, envelope, self._halt, self._settled, heard=heard)
                with self._checkpoint.change(self._counters()) as db:
                    heard(Settled(), db)
        finally:
            self.on_remarks(parked.refresh(self._checkpoint))
        return self._has_ended()

    def _has_ended(self) -> bool:
        """Return whether the end was reached; raises Stopped when the sender stopped by itself."""
        if self._halt.reason:
            raise Stopped(self._halt.reason, self._halt.why)
        return not self._halt.is_called

    def _settled(self) -> dict[str, Any]:
        """Return what is noted with events that are settled: the counters, and over which protocol they were sent."""
        return self._counters() | {PROTOCOL: self._capture.name}

    def _counters(self) -> dict[str, Any]:
        """Return the workdir's counters, this process's added."""
        return {name: self._counted[name] + value for name, value in self._connection.counters().items()}
