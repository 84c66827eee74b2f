"""A day's Parquet files → its events in timestamp order, each once."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa

from migrate.apply.duplicates import Ties, is_first
from migrate.apply.groups import KEPT, MAX_BATCH, open_sealed
from migrate.apply.runs import Stretch, merged, put_together
from migrate.workdir.outdated import ANY, Outdated
from migrate.workdir.records import Part

_MARKS: Final[dict[str, Any]] = {"uuid": pl.String, "event": pl.String, "round": pl.Int64}
_ROUNDS: Final[dict[str, Any]] = {"order": pl.Int32, "was": pl.Int64}


@dataclass(frozen=True)
class Events:
    """Events of one day in timestamp order, each once."""

    frame: pl.DataFrame
    duplicates: Mapping[str, int] = field(default_factory=dict)
    """How many of each name were left out among them."""

    @property
    def duplicate(self) -> int:
        """How many were left out."""
        return sum(self.duplicates.values())

    def names(self) -> Counter[str]:
        """Return how many planned events they settle of each name."""
        return Counter(_names(self.frame)) + Counter(self.duplicates)

    @property
    def events(self) -> int:
        """How many planned events they settle."""
        return self.frame.height + self.duplicate


def pieces(  # noqa: PLR0913 - what decides which events are sent
    workdir: Path,
    parts: Sequence[Part],
    sent: Sequence[Part] = (),
    *,
    piece_bytes: int,
    skip: int = 0,
    outdated: Sequence[Outdated] = (),
    sent_in: Sequence[int] = (),
) -> Iterator[Events]:
    """Yield a day's events in timestamp order, then by input and row, duplicates left out.

    A duplicate has the uuid, event and distinct_id of an event before it, or of one in the parts that were `sent`
    before. Of parts that were planned at several times, so has an event of another person, which is known better by
    now (see `duplicates.versions`). What was sent stays; else the version in the part that comes first in `parts` is
    kept (parts of later increments come first), of one input the first in time, however many parts it has. What was
    sent of `outdated` events up to their rounds was refused, and makes no duplicates; `sent_in` says in which rounds
    the sent parts were.

    The first `skip` events, duplicates counted, are passed over. The same parts give the same events in the same
    order; only where pieces are cut depends on `piece_bytes`. Memory is one piece and a batch per run.
    """
    has_versions = len({part.increment for part in parts}) > 1
    everything = (*sent, *parts)
    ranks = _ranks(sent, parts) if has_versions else []
    times = [-part.input if part.anew else part.increment for part in everything]
    times = times if len(set(times)) > 1 else []
    ties = Ties()
    refused = _Refused(outdated, sent_in) if outdated and sent else None
    runs = merged(workdir, parts, sent)
    for whole in _gathered(runs, piece_bytes):
        frame = refused.out_of(whole) if refused else whole
        first = is_first(frame, ties, ranks=ranks, times=times) if frame.height else None
        planned = frame
        if sent:
            first = None if first is None else first.filter(~frame["sent"])
            planned = frame.filter(~pl.col("sent"))
        passed = min(skip, planned.height)
        skip -= passed
        if passed == planned.height:
            continue
        planned = planned.slice(passed)
        if first is None:
            yield Events(planned[KEPT])
            continue
        first = first.slice(passed)
        yield Events(planned.filter(first)[KEPT], _names(planned.filter(~first)))


def _ranks(sent: Sequence[Part], parts: Sequence[Part]) -> list[int]:
    """Return where each part stands, those that were sent first; all of one input, which may be sliced, alike."""
    inputs = [*((True, part.input) for part in sent), *((False, part.input) for part in parts)]
    places = {one: place for place, one in enumerate(dict.fromkeys(inputs))}
    return [places[one] for one in inputs]


def _names(frame: pl.DataFrame) -> dict[str, int]:
    """Return how many events of each name there are."""
    return dict(frame["event"].value_counts().iter_rows())


class _Refused:
    """What PostHog refused of what was sent."""

    def __init__(self, outdated: Sequence[Outdated], sent_in: Sequence[int]) -> None:
        self._marks = pl.DataFrame(outdated, schema=_MARKS, orient="row")
        self._rounds = pl.DataFrame({"order": range(len(sent_in)), "was": sent_in}, schema=_ROUNDS)

    def out_of(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the events without it."""
        asked = frame.filter(pl.col("sent") & pl.col("uuid").is_in(self._marks["uuid"].implode()))
        if not asked.height:
            return frame
        found = asked.join(self._marks, on="uuid", suffix="_parked").join(self._rounds, on="order")
        is_meant = (pl.col("event") == pl.col("event_parked")) | (pl.col("event_parked") == ANY)
        found = found.filter(is_meant & (pl.col("was") <= pl.col("round")))
        return frame.join(found, on=["uuid", "event", "order"], how="anti", maintain_order="left")


def texts(workdir: Path, parts: Sequence[Part]) -> Iterator[tuple[str, str, str]]:
    """Yield the uuid, the name and the payload of the events of some parts."""
    columns = ["uuid", "event", "payload"]
    for part in parts:
        with open_sealed(workdir / part.path, part.seal) as file:
            for batch in file.iter_batches(MAX_BATCH, columns=columns, use_threads=False):
                yield from zip(*(batch.column(name).to_pylist() for name in columns), strict=True)


def _gathered(pieces: Iterator[Stretch], piece_bytes: int) -> Iterator[pl.DataFrame]:
    """Yield the pieces in order, put together, or cut, to frames of about `piece_bytes` of payloads."""
    held: list[Stretch] = []
    size = 0
    for piece in pieces:
        more = sum(_payload_bytes(batch) for batch in piece)
        if held and size + more > piece_bytes:
            yield from _cut(put_together(held), size, piece_bytes)
            held, size = [], 0
        held.append(piece)
        size += more
    if held:
        yield from _cut(put_together(held), size, piece_bytes)


def _cut(frame: pl.DataFrame, size: int, piece_bytes: int) -> Iterator[pl.DataFrame]:
    """Yield a frame in as many slices as make them about `piece_bytes` of payloads."""
    yield from frame.iter_slices(max(1, frame.height // max(1, round(size / piece_bytes))))


def _payload_bytes(batch: pa.RecordBatch) -> int:
    """Return how much text the payloads of a batch are; none, of those sent before."""
    column = batch.column("payload")
    if not len(column) or column.null_count:
        return 0
    offsets = memoryview(column.buffers()[1]).cast("q")
    return int(offsets[column.offset + len(column)] - offsets[column.offset])
