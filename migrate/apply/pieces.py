"""What is planned and not settled → pieces to send, the oldest day first, each spread over lanes."""

import math
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import chain, groupby, pairwise
from threading import Lock
from typing import Final, NamedTuple

import polars as pl

from migrate.apply import age, merge
from migrate.apply.batches import Envelope, Payloads
from migrate.apply.delivery import Delivery
from migrate.apply.sender import Sender
from migrate.workdir import outdated, rounds
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.depot import Left, Over, never
from migrate.workdir.records import Round

_PIECE_BYTES: Final = 6 * 2**20
"""Enough for a full batch in as many lanes as there are requests at once."""
_SLACK: Final = 1.05
"""Pieces are not cut to the byte."""
_PIECE_SECONDS: Final = 1
"""With a rate limit, a piece has so many seconds' worth: an interrupted run waits for it, a killed one repeats it."""
_RESUMED_EVENTS: Final = 8_192
"""Events a piece usually has. A resumed round's first piece may be smaller, and must not decide its lanes."""
_UNEVEN: Final = 1.125
"""The fullest lanes have about so many times the mean; a lane filled to the brim makes one request more."""
_BEGUN_AT_ONCE: Final = 16
"""Rounds of which it is noted together that they are about to be sent: a small day is not to wait for the disk."""
_PARTS_AT_ONCE: Final = 1_000
"""Parts the checkpoint is asked for at once, about."""


Named = tuple[Mapping[str, int], Mapping[str, int]]
"""How many planned events of each name a piece settles, and how many of these are duplicates."""


class Piece(NamedTuple):
    """A piece of a round, to be spread over so many lanes."""

    round: Round
    events: merge.Events
    lanes: int
    is_last: bool
    """Whether the round has no other piece after it."""

    def named(self) -> Named:
        """Return its names; of a round's last piece only those of duplicates are asked for: all of it is settled."""
        return {} if self.is_last else self.events.names(), self.events.duplicates


class Pieces:
    """Cuts the rounds of a workdir into pieces, by what a request of the `sender` takes and the rate allows.

    The checkpoint is asked with the lock `at_checkpoint` held. The number of lanes is `most_lanes` at the most.
    """

    def __init__(
        self, checkpoint: Checkpoint, at_checkpoint: Lock, delivery: Delivery, sender: Sender, most_lanes: int
    ) -> None:
        self.judged = datetime.now(UTC)
        """When it was last judged whether a day is old enough."""
        self._checkpoint = checkpoint
        self._workdir = checkpoint.workdir
        self._at_checkpoint = at_checkpoint
        self._delivery = delivery
        self._sender = sender
        self._most_lanes = most_lanes
        self.is_over: Over = never
        """Says whether nothing more is to be sent, so that no file is waited for."""
        self._ahead: deque[Round] = deque()
        """Rounds that are known and were not begun, in order."""

    def beginning(self) -> list[Round]:
        """Return the next rounds to begin, in order; none that is too young now, and none twice."""
        first, found = age.first_held(datetime.now(UTC), self._delivery.min_age), list[Round]()
        while self._ahead and len(found) < _BEGUN_AT_ONCE:
            if found and first is not None and self._ahead[0].day >= first:
                break
            found.append(self._ahead.popleft())
        return found

    def read(self) -> Iterator[Piece]:
        """Yield all that is to be sent, round by round, the oldest day first; days that are too young are left out.

        A day's files are near while it is read, and those of the next one are fetched.
        """
        for own, following in pairwise(chain(self._by_day(), [()])):
            if self._is_held(own[0].day):
                return
            with ExitStack() as near:
                ahead = {} if not following or self._is_held(following[0].day) else _files(following)
                try:
                    near.enter_context(self._checkpoint.depot.near(_files(own), ahead, self.is_over))
                except Left:
                    return
                yield from self._read(own)

    def _by_day(self) -> Iterator[Sequence[Round]]:
        """Yield the rounds of each day that is to be sent, the oldest day first."""
        days = deque(rounds.days(self._checkpoint))
        while days:
            for _, own in groupby(self._rounds(days), lambda round_: round_.day):
                yield [*own]

    def _read(self, own: Sequence[Round]) -> Iterator[Piece]:
        """Yield what is to be sent of some rounds."""
        for round_ in own:
            held, lanes = merge.Events(pl.DataFrame()), 0
            for events in self._pieces(round_):
                if lanes:
                    yield Piece(round_, held, lanes, is_last=False)
                # As many for all of the round: a distinct_id must not change its lane.
                held, lanes = events, lanes or self._lanes(round_, events)
                del events
            yield Piece(round_, held, lanes, is_last=True)

    def _is_held(self, day: str) -> bool:
        """Return whether a day, and so every later one, is too young now."""
        self.judged = datetime.now(UTC)
        first = age.first_held(self.judged, self._delivery.min_age)
        return first is not None and day >= first

    def _rounds(self, days: deque[str]) -> list[Round]:
        """Return the rounds of the next days: several at once, as the checkpoint may be busy noting."""
        found: list[Round] = []
        with self._at_checkpoint:
            while days and sum(len(round_.parts) for round_ in found) < _PARTS_AT_ONCE:
                found += rounds.of_day(self._checkpoint, days.popleft())
        self._ahead.extend(found)
        return found

    def _pieces(self, round_: Round) -> Iterator[merge.Events]:
        """Yield what is left of a round, in pieces that take a few seconds at the most, about as large as each other.

        A small one at the end would have a small request for every lane.
        """
        whole = sum(part.bytes for part in round_.parts)
        piece_bytes = math.ceil(_SLACK * whole / max(1, round(whole / _PIECE_BYTES)))
        if self._delivery.rate:
            most = int(self._delivery.rate * _PIECE_SECONDS * _average(round_))
            piece_bytes = min(piece_bytes, max(1, most))
        with self._at_checkpoint:
            marks = outdated.of_day(self._checkpoint, round_.day) if round_.earlier else []
            sent_in = outdated.rounds_of(self._checkpoint, round_.day) if marks else {}
        return merge.pieces(
            self._workdir,
            round_.parts,
            round_.earlier,
            piece_bytes=piece_bytes,
            skip=round_.position,
            outdated=marks,
            sent_in=[sent_in.get(part.path, round_.number) for part in round_.earlier] if marks else (),
        )

    def _lanes(self, round_: Round, begin: merge.Events) -> int:
        """Return over how many lanes a round is spread, which begins with these events."""
        events = begin.events
        if round_.position:
            left = sum(part.events for part in round_.parts) - round_.position
            events = max(events, min(left, _RESUMED_EVENTS))
        fitting = max(1, min(self._sender.max_events, self._sender.max_bytes // _average(round_)))
        return _lanes(events, fitting, self._most_lanes)


def _files(own: Sequence[Round]) -> dict[str, int]:
    """Return the files that are read for some rounds, with their bytes."""
    return {part.path: part.seal.size for round_ in own for part in (*round_.parts, *round_.earlier)}


def _average(round_: Round) -> int:
    """Return how many bytes the payloads of a round have in the mean."""
    return max(
        1, sum(part.bytes for part in round_.parts) // max(1, sum(part.events for part in round_.parts))
    )


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


def spread(
    frame: pl.DataFrame, lanes: int, day: str = "", envelope: Envelope | None = None
) -> dict[int, Payloads]:
    """Return each lane's payloads, made for an envelope: those of one distinct_id in one lane, in order."""
    is_asked = envelope is not None and envelope.is_distinct
    if lanes <= 1:
        uuids = frame["uuid"] if is_asked else None
        return {0: Payloads.joined(frame["payload"], day, uuids, envelope)} if frame.height else {}
    lane = (frame["distinct_id"].hash() % lanes).cast(pl.UInt16).alias("lane")
    columns = [lane, frame["payload"], *([frame["uuid"]] if is_asked else [])]
    ordered = pl.DataFrame(columns).sort("lane", maintain_order=True)
    uuids = ordered["uuid"] if is_asked else None
    payloads, start, found = Payloads.joined(ordered["payload"], day, uuids, envelope), 0, {}
    for length, number in ordered["lane"].rle().struct.unnest().iter_rows():
        found[number] = payloads.part(start, start + length)
        start += length
    return found
