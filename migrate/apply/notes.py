"""What became of the pieces in flight → the checkpoint, in order, beside the sending."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from migrate.apply.sender import Gate, Settling
from migrate.workdir import parked, rounds, warned
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.database import Database
from migrate.workdir.records import Round, Settled

_UNNOTED: Final = 4
"""Pieces that may be settled and not yet noted: what a killed run sends again."""


@dataclass
class InFlight:
    """A piece on its way: what became of its events so far, and how many lanes are not through with theirs.

    Its events wait at `gate`, which opens when the round before is settled, and this one is noted as begun.
    """

    round: Round
    lanes: int
    is_last: bool
    gate: Gate
    names: Mapping[str, int] = field(default_factory=dict)
    """How many of its events have each name, where anybody asks."""
    duplicates: Mapping[str, int] = field(default_factory=dict)
    """How many of the duplicates among them have each name."""
    settling: Settling = field(default_factory=Settling)
    abandoned: bool = False
    error: BaseException | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def outcome(self) -> Settled:
        """What became of its events."""
        return Settled(self.settling.accepted, sum(self.duplicates.values()), len(self.settling.parked))

    def finish_lane(self) -> None:
        """Note that one lane is through with its part."""
        self.lanes -= 1
        if self.lanes <= 0:
            self.done.set()


class Notes:
    """Has settled pieces noted in their order, in another thread, as a busy disk takes its time.

    `note` is called in that thread with pieces to note, one call at a time, then `on_noted` in the event loop's with
    each. What `note` raises goes to `on_error`, and nothing is noted after it.
    """

    def __init__(
        self,
        note: Callable[[Sequence[InFlight]], None],
        *,
        on_noted: Callable[[InFlight], None],
        on_error: Callable[[Exception], None],
    ) -> None:
        self._note = note
        self._on_noted = on_noted
        self._on_error = on_error
        self._waiting: deque[InFlight] = deque()
        self._noting: asyncio.Task[None] | None = None
        self._has_failed = False

    async def add(self, piece: InFlight) -> None:
        """Have a piece noted; waits where too many are not noted yet."""
        if len(self._waiting) >= _UNNOTED:
            await self.end()
        self._waiting.append(piece)
        if self._noting is None or self._noting.done():
            self._noting = asyncio.create_task(self._run())

    async def end(self) -> None:
        """Wait until all that was added is noted."""
        if self._noting is not None:
            await self._noting

    async def _run(self) -> None:
        while self._waiting and not self._has_failed:
            pieces = list(self._waiting)
            self._waiting.clear()
            try:
                await asyncio.to_thread(self._note, pieces)
                for piece in pieces:
                    self._on_noted(piece)
            except Exception as error:  # noqa: BLE001 - raised again when the run has ended
                self._has_failed = True
                self._on_error(error)


def note(
    checkpoint: Checkpoint,
    pieces: Sequence[InFlight],
    facts: Mapping[str, object],
    heard: Callable[[Settled, Database], None] = lambda *_: None,
) -> None:
    """Note what became of some pieces, and facts beside it, in one transaction; what is refused of them is parked.

    `heard` keeps within it what else was heard, and is given what is settled.
    """

    def also(db: Database) -> None:
        _park(db, pieces)
        counts = [vars(piece.outcome).values() for piece in pieces]
        heard(Settled(*map(sum, zip(*counts, strict=True))), db)

    outcomes = [
        rounds.Outcome(piece.round, piece.outcome, piece.is_last, piece.names, piece.duplicates)
        for piece in pieces
    ]
    rounds.settle(checkpoint, outcomes, also=also, **facts)


def _park(db: Database, pieces: Sequence[InFlight]) -> None:
    """Keep what is refused of some pieces, and what is said of what is not."""
    for piece in pieces:
        warned.add(db, piece.settling.warnings)
        parked.add(db, piece.settling.parked, is_later=not any(part.leads for part in piece.round.parts))
