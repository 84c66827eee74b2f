"""A day's Parquet files → its events in timestamp order, each once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa

from migrate.apply.duplicates import Ties, is_first
from migrate.apply.runs import KEPT, MAX_BATCH, Stretch, merged, open_sealed, put_together
from migrate.workdir.records import Part

_KEY: Final = ("uuid", "event", "distinct_id")
_KEY_ANEW: Final = ("uuid", "event")
"""Of parts that may hold several versions of an event: whose it is may be known better than it was."""


@dataclass(frozen=True)
class Events:
    """Events of one day in timestamp order, each once; `duplicate` counts those left out among them."""

    frame: pl.DataFrame
    duplicate: int

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
    outdated: Sequence[str] = (),
) -> Iterator[Events]:
    """Yield a day's events in timestamp order, then by input and row, duplicates left out.

    A duplicate has the uuid, event and distinct_id of an event before it, or of one in the parts that were `sent`
    before. Parts of several increments may hold several versions of an event: there uuid and event make a duplicate.
    What was sent stays, also where it is known better by now whose it is; else the version in the part that comes
    first in `parts` is kept (parts of later increments come first). What was sent of `outdated` uuids was refused, and
    makes no duplicates.

    The first `skip` events, duplicates counted, are passed over. The same parts give the same events in the same
    order; only where pieces are cut depends on `piece_bytes`. Memory is one piece and a batch per run.
    """
    has_versions = len({part.increment for part in parts}) > 1
    everything = (*parts, *sent)
    is_anew = len({part.increment for part in everything}) > 1 or any(part.anew for part in everything)
    key = _KEY_ANEW if is_anew else _KEY
    ties = Ties()
    refused = pl.col("sent") & pl.col("uuid").is_in(outdated)
    for whole in _gathered(merged(workdir, parts, sent, has_versions=has_versions), piece_bytes):
        frame = whole.filter(~refused) if outdated and sent else whole
        first = is_first(frame, key, ties, has_versions=has_versions) if frame.height else None
        planned = frame
        if sent:
            first = None if first is None else first.filter(~frame["sent"])
            planned = frame.filter(~pl.col("sent"))
        passed = min(skip, planned.height)
        skip -= passed
        if passed == planned.height:
            continue
        kept = planned.slice(passed) if first is None else planned.slice(passed).filter(first.slice(passed))
        yield Events(kept[KEPT], planned.height - passed - kept.height)


def texts(workdir: Path, parts: Sequence[Part]) -> Iterator[dict[str, str]]:
    """Yield the payloads of some parts by their uuids, some at a time."""
    for part in parts:
        with open_sealed(workdir / part.path, part.seal) as file:
            for batch in file.iter_batches(MAX_BATCH, columns=["uuid", "payload"], use_threads=False):
                yield dict(
                    zip(*(batch.column(name).to_pylist() for name in ("uuid", "payload")), strict=True)
                )


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
