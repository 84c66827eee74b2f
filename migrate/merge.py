"""A day's Parquet files → its events in timestamp order, each once."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow.parquet as pq

from migrate.checkpoint import Part

_MERGE_BYTES: Final = 24 * 2**20
"""What the batches at hand of all runs may take together."""
_EVENT_BYTES: Final = 64
"""What an event takes beside its payload, about."""
_MIN_BATCH: Final = 16
_MAX_BATCH: Final = 8_192
_MAX_RUNS: Final = 256
"""Runs merged at once; more are first merged into longer ones on disk."""
_MAX_TIES: Final = 1_000_000
"""Keys remembered of one timestamp; where more events share it, PostHog collapses the duplicates among the rest."""
_KEY: Final = ("uuid", "event", "distinct_id")


@dataclass(frozen=True)
class Chunk:
    """Events of one day in timestamp order, each once; `duplicate` counts those left out among them."""

    frame: pl.DataFrame
    duplicate: int

    @property
    def events(self) -> int:
        """How many planned events the chunk settles."""
        return self.frame.height + self.duplicate


def chunks(
    workdir: Path, parts: Sequence[Part], sent: Sequence[Part] = (), *, chunk_bytes: int, skip: int = 0
) -> Iterator[Chunk]:
    """Yield a day's events in timestamp order, then by input and row, duplicates left out.

    A duplicate has the uuid, event and distinct_id of an event before it, or of one in the parts that were `sent`
    before. The first `skip` events, duplicates counted, are passed over. The same parts give the same events in
    the same order; only where chunks are cut depends on `chunk_bytes`. Memory is one chunk and a batch per run.
    """
    seen: pl.DataFrame | None = None
    for frame in _gathered(_merged_parts(workdir, parts, sent), chunk_bytes):
        marked, seen = _marked(frame, seen)
        passed = min(skip, marked.height)
        skip -= passed
        marked = marked.slice(passed)
        kept = marked if marked["kept"].all() else marked.filter("kept")
        kept = kept.select("timestamp", "event", "distinct_id", "uuid", "payload")
        if marked.height:
            yield Chunk(kept, marked.height - kept.height)


def _gathered(pieces: Iterator[pl.DataFrame], chunk_bytes: int) -> Iterator[pl.DataFrame]:
    """Yield the pieces put together, or cut, to frames of about `chunk_bytes` of payloads."""
    held: list[pl.DataFrame] = []
    room = chunk_bytes
    for piece in pieces:
        size = int(piece["payload"].str.len_bytes().sum() or 0) + _EVENT_BYTES * piece.height
        rows = -(-piece.height * chunk_bytes // size)
        for slice_ in piece.iter_slices(rows):
            held.append(slice_)
            room -= size * slice_.height // piece.height
            if room <= 0:
                yield pl.concat(held)
                held, room = [], chunk_bytes
    if held:
        yield pl.concat(held)


def _marked(frame: pl.DataFrame, seen: pl.DataFrame | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the events to send, marked as `kept` or not, and the keys the next frame must know.

    Events of one timestamp may be cut apart between two frames, so the keys of the last timestamp go along.
    """
    keys = frame.select("timestamp", *_KEY)
    known = keys if seen is None else pl.concat([seen, keys])
    # Hashing one column tells nearly always that there is nothing to find, at a quarter of the price of all three.
    if known["uuid"].n_unique() == known.height:
        kept = pl.repeat(True, frame.height, dtype=pl.Boolean, eager=True)
    else:
        kept = known.select(pl.struct(_KEY).is_first_distinct()).to_series().tail(frame.height)
    last = known.slice(int(known["timestamp"].search_sorted(frame["timestamp"][-1], side="left")))
    carried = last.unique(_KEY, keep="first", maintain_order=True).head(_MAX_TIES)
    marked = frame.with_columns(kept.alias("kept"))
    return marked.filter(~pl.col("sent")) if frame["sent"].any() else marked, carried


Batches = Callable[[int], Iterator[pl.DataFrame]]


@dataclass
class _Run:
    """Events in timestamp order, read batch by batch, opened when its first timestamp comes up."""

    first: datetime
    event_bytes: int
    batches: Batches
    _reading: Iterator[pl.DataFrame] | None = None
    _head: pl.DataFrame = field(default_factory=pl.DataFrame)

    def fill(self, rows: int) -> bool:
        """Make sure that there are events at hand; return whether there are."""
        if self._reading is None:
            self._reading = self.batches(rows)
        while not self._head.height:
            batch = next(self._reading, None)
            if batch is None:
                return False
            self._head = batch
        return True

    @property
    def last(self) -> datetime:
        """The last timestamp at hand."""
        return self._head["timestamp"][-1]  # type: ignore[no-any-return]

    def take(self, until: datetime) -> pl.DataFrame:
        """Return the events at hand up to and including a timestamp."""
        count = int(self._head["timestamp"].search_sorted(until, side="right"))
        taken, self._head = self._head.head(count), self._head.slice(count)
        return taken


def _merged_parts(workdir: Path, parts: Sequence[Part], sent: Sequence[Part]) -> Iterator[pl.DataFrame]:
    """Yield the events of all parts in timestamp order, piece by piece."""
    marked = [(part, True) for part in sent] + [(part, False) for part in parts]
    with ExitStack() as stack:
        runs = [
            run
            for order, (part, is_sent) in enumerate(marked)
            for run in _runs(workdir / part.path, part, order, is_sent=is_sent)
        ]
        runs.sort(key=lambda run: run.first)
        if len(runs) > _MAX_RUNS:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="merge-", dir=workdir))
            runs = _longer(runs, Path(folder))
        yield from _merged(runs)


def _longer(runs: list[_Run], folder: Path) -> list[_Run]:
    """Return few enough runs to merge at once, by merging them on disk, neighbours in time together."""
    level = 0
    while len(runs) > _MAX_RUNS:
        groups = [runs[start : start + _MAX_RUNS] for start in range(0, len(runs), _MAX_RUNS)]
        runs = [_written(group, folder / f"{level}-{n}.parquet") for n, group in enumerate(groups)]
        level += 1
    return runs


def _written(runs: list[_Run], path: Path) -> _Run:
    """Return the runs as one, merged into a file."""
    with ExitStack() as stack:
        writer: pq.ParquetWriter | None = None
        for piece in _merged(runs):
            table = piece.to_arrow(compat_level=pl.CompatLevel.oldest())
            if writer is None:
                writer = stack.enter_context(pq.ParquetWriter(path, table.schema, compression="lz4"))
            writer.write_table(table)
    event_bytes = max(run.event_bytes for run in runs)
    return _Run(runs[0].first, event_bytes, partial(_file_batches, path))


def _merged(runs: Sequence[_Run]) -> Iterator[pl.DataFrame]:
    """Yield the events of runs that are in order of their first timestamp, in timestamp order, piece by piece."""
    event_bytes = max((run.event_bytes for run in runs), default=1)
    rows = max(_MIN_BATCH, min(_MAX_BATCH, _MERGE_BYTES // min(len(runs) or 1, _MAX_RUNS) // event_bytes))
    waiting = list(reversed(runs))
    active: list[_Run] = []
    while waiting or active:
        while waiting and (not active or waiting[-1].first <= min(run.last for run in active)):
            run = waiting.pop()
            if run.fill(rows):
                active.append(run)
        if not active:
            return
        cut = min(run.last for run in active)
        piece = pl.concat([run.take(cut) for run in active])
        yield piece.sort("timestamp", "order", "row", maintain_order=True)
        active = [run for run in active if run.fill(rows)]


def _runs(path: Path, part: Part, order: int, *, is_sent: bool) -> Iterator[_Run]:
    """Yield every row group of a part as a run."""
    metadata = pq.read_metadata(path)
    for group in range(metadata.num_row_groups):
        first = metadata.row_group(group).column(0).statistics.min
        batches = partial(_group_batches, path, group, order, is_sent)
        yield _Run(first, max(1, part.bytes // max(1, part.events)), batches)


def _group_batches(path: Path, group: int, order: int, is_sent: bool, rows: int) -> Iterator[pl.DataFrame]:  # noqa: FBT001 - bound by partial
    """Yield one row group of a part, batch by batch."""
    columns = [
        name
        for name in ("timestamp", "event", "distinct_id", "uuid", "payload", "row")
        if name != "payload" or not is_sent
    ]
    payload = pl.lit(None, dtype=pl.String).alias("payload") if is_sent else pl.col("payload")
    with pq.ParquetFile(path, pre_buffer=False) as file:
        for batch in file.iter_batches(rows, row_groups=[group], columns=columns):
            yield pl.DataFrame(batch).select(
                "timestamp",
                pl.col("event").cast(pl.String),
                "distinct_id",
                "uuid",
                payload,
                "row",
                pl.lit(is_sent).alias("sent"),
                pl.lit(order, dtype=pl.Int32).alias("order"),
            )


def _file_batches(path: Path, rows: int) -> Iterator[pl.DataFrame]:
    """Yield a file of merged events, batch by batch."""
    with pq.ParquetFile(path, pre_buffer=False) as file:
        for batch in file.iter_batches(rows):
            yield pl.DataFrame(batch)
