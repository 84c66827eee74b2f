"""A day's Parquet files → its events in timestamp order, each once."""

import tempfile
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from migrate.throwaway import MERGE
from migrate.workdir.checkpoint import Part
from migrate.workdir.seals import Seal, Sealed

_MERGE_BYTES: Final = 12 * 2**20
"""What the batches at hand of all runs may take together."""
_BUFFER_BYTES: Final = 1 << 16
"""Read at once of a run's column; without it pyarrow holds all that is stored of it."""
_MIN_BATCH: Final = 2
_FEW: Final = 512
"""Events that are copied together sooner than they are put side by side: a tenth of a millisecond a batch, measured."""
_MAX_BATCH: Final = 4_096
_MAX_RUNS: Final = 256
"""Runs merged at once; more are first merged into longer ones on disk."""
_MAX_OPEN: Final = 16
"""Parts whose files stay open, read once for what is in them and for the events."""
_MAX_TIES: Final = 4_000_000
"""Keys remembered of one timestamp; where more events share it, PostHog collapses the duplicates among the rest."""
_KEY: Final = ("uuid", "event", "distinct_id")
_KEY_ANEW: Final = ("uuid", "event")
"""Of parts that may tell the same events in several versions: who a row is of may be known better than it was."""
_SENT: Final = ["timestamp", "event", "distinct_id", "uuid"]
_KEPT: Final = [*_SENT, "payload"]
_MERGED: Final = [*_KEPT, "row", "sent", "order"]
_ORDER: Final = ("timestamp", "order", "row")


@dataclass(frozen=True)
class Chunk:
    """Events of one day in timestamp order, each once; `duplicate` counts those left out among them."""

    frame: pl.DataFrame
    duplicate: int

    @property
    def events(self) -> int:
        """How many planned events the chunk settles."""
        return self.frame.height + self.duplicate


def chunks(  # noqa: PLR0913 - what decides which events are sent
    workdir: Path,
    parts: Sequence[Part],
    sent: Sequence[Part] = (),
    *,
    chunk_bytes: int,
    skip: int = 0,
    outdated: Sequence[str] = (),
) -> Iterator[Chunk]:
    """Yield a day's events in timestamp order, then by input and row, duplicates left out.

    A duplicate has the uuid, event and distinct_id of an event before it, or of one in the parts that were `sent`
    before. Of parts of several increments a duplicate has the uuid and event of one in a part that stands before its
    own: those of later increments do, so that the last version of an event is the one that is sent. The first `skip`
    events, duplicates counted, are passed over. The same parts give the same events in the same order; only where
    chunks are cut depends on `chunk_bytes`. Memory is one chunk and a batch per run. What was sent of `outdated` uuids
    was refused, and makes no duplicates.
    """
    has_versions = len({part.increment for part in parts}) > 1
    key = _KEY_ANEW if has_versions or any(part.anew for part in (*parts, *sent)) else _KEY
    ties = _Ties()
    for merged in _gathered(_merged_parts(workdir, parts, sent, has_versions=has_versions), chunk_bytes):
        refused = pl.col("sent") & pl.col("uuid").is_in(outdated)
        frame = merged.filter(~refused) if outdated and sent else merged
        fresh = _fresh(frame, key, ties, has_versions=has_versions) if frame.height else None
        planned = frame
        if sent:
            fresh = None if fresh is None else fresh.filter(~frame["sent"])
            planned = frame.filter(~pl.col("sent"))
        passed = min(skip, planned.height)
        skip -= passed
        if passed == planned.height:
            continue
        kept = planned.slice(passed) if fresh is None else planned.slice(passed).filter(fresh.slice(passed))
        yield Chunk(kept[_KEPT], planned.height - passed - kept.height)


def texts(workdir: Path, parts: Sequence[Part]) -> Iterator[dict[str, str]]:
    """Yield the payloads of some parts by their uuids, some at a time."""
    for part in parts:
        with _opened(workdir / part.path, part.seal) as file:
            for batch in file.iter_batches(_MAX_BATCH, columns=["uuid", "payload"], use_threads=False):
                yield dict(
                    zip(*(batch.column(name).to_pylist() for name in ("uuid", "payload")), strict=True)
                )


Piece = list[pa.RecordBatch]
"""Events of several runs; none of another piece comes between them in time."""


def _gathered(pieces: Iterator[Piece], chunk_bytes: int) -> Iterator[pl.DataFrame]:
    """Yield the pieces in order, put together, or cut, to frames of about `chunk_bytes` of payloads."""
    held: list[Piece] = []
    size = 0
    for piece in pieces:
        more = sum(_payload_bytes(batch) for batch in piece)
        if held and size + more > chunk_bytes:
            yield from _cut(_ordered(held), size, chunk_bytes)
            held, size = [], 0
        held.append(piece)
        size += more
    if held:
        yield from _cut(_ordered(held), size, chunk_bytes)


def _cut(frame: pl.DataFrame, size: int, chunk_bytes: int) -> Iterator[pl.DataFrame]:
    """Yield a frame in as many slices as make them about `chunk_bytes` of payloads."""
    yield from frame.iter_slices(max(1, frame.height // max(1, round(size / chunk_bytes))))


def _payload_bytes(batch: pa.RecordBatch) -> int:
    """Return how much text the payloads of a batch are; none, of those sent before."""
    column = batch.column("payload")
    if not len(column) or column.null_count:
        return 0
    offsets = memoryview(column.buffers()[1]).cast("q")
    return int(offsets[column.offset + len(column)] - offsets[column.offset])


def _ordered(pieces: list[Piece]) -> pl.DataFrame:
    """Return the events of all pieces, one piece after another, each in timestamp order, then by input and row."""
    batches = [batch for piece in pieces for batch in piece]
    if len(batches) == len(pieces):
        frame = _frame(batches)
        if _is_ordered(frame):
            return frame
    numbered = [
        batch.append_column("piece", pa.repeat(pa.scalar(number, pa.int32()), batch.num_rows))
        for number, piece in enumerate(pieces)
        for batch in piece
    ]
    return _frame(numbered).sort("piece", *_ORDER, maintain_order=True)


def _frame(batches: list[pa.RecordBatch]) -> pl.DataFrame:
    """Return the events of some batches, not copied unless they are small."""
    if sum(batch.num_rows for batch in batches) <= _FEW and len(batches) > 1:
        batches = [pa.concat_batches(batches)]
    return pl.concat([pl.DataFrame(batch) for batch in batches], rechunk=False)


def _is_ordered(frame: pl.DataFrame) -> bool:
    """Return whether the rows of each timestamp are in order, as they nearly always are in a single run."""
    time, row = frame["timestamp"], frame["row"]
    count = frame.height - 1
    out_of_order = (time.head(count) == time.tail(count)) & (row.head(count) > row.tail(count))
    return not out_of_order.any()


def _fresh(frame: pl.DataFrame, key: Sequence[str], ties: "_Ties", *, has_versions: bool) -> pl.Series | None:
    """Return which events are no duplicates, None for all of them.

    Events of one timestamp may be cut apart between two frames, so `ties` goes along. Of events that `has_versions`
    the first part's is none, else the first in time.
    """
    # Hashing one column tells nearly always that there is nothing to find, at a quarter of the price of all three.
    fresh = None
    if frame["uuid"].n_unique() < frame.height:
        fresh = _first_parts(frame, key) if has_versions else _first_in_time(frame, key)
    again = ties.again(frame[["timestamp", *key]])
    if again is not None and again.any():
        fresh = ~again if fresh is None else fresh & ~again
    return fresh


def _first_in_time(frame: pl.DataFrame, key: Sequence[str]) -> pl.Series:
    """Return which events are the first of their key."""
    return frame.select(pl.struct(key).is_first_distinct()).to_series()


def _first_parts(frame: pl.DataFrame, key: Sequence[str]) -> pl.Series:
    """Return which events are, of those of their key, the first one of the first part."""
    first = pl.col("index").sort_by("order", maintain_order=True).first().over(key)
    return frame.with_row_index("index").select(pl.col("index") == first).to_series()


class _Ties:
    """Knows the events of the last timestamp, by a hash of 128 bits each."""

    def __init__(self) -> None:
        self._last = pl.DataFrame()
        """Those of the last frame, not hashed yet."""
        self._levels: list[pl.DataFrame] = []
        """Hashes in the order of their first half; each at least twice as many as the next."""

    def again(self, frame: pl.DataFrame) -> pl.Series | None:
        """Return which of these events there were at the end of the frame before, None where none can have been."""
        times, found = frame["timestamp"], None
        is_going_on = self._last.height > 0 and times[0] == self._last["timestamp"][0]
        if is_going_on:
            self._remember()
            same = int(times.search_sorted(times[0], side="right"))
            found = self._known(_hashes(frame.head(same))).extend_constant(value=False, n=frame.height - same)
        if not is_going_on or times[-1] != times[0]:
            self._levels = []
        is_single = frame.height == 1 or times[-2] != times[-1]
        self._last = frame.slice(-1 if is_single else int(times.search_sorted(times[-1], side="left")))
        return found

    def _known(self, hashes: pl.DataFrame) -> pl.Series:
        """Return which of these are known."""
        found = pl.repeat(False, hashes.height, eager=True)
        for level in self._levels:
            places = level["first"].search_sorted(hashes["first"]).clip(upper_bound=level.height - 1)
            like = level["first"].gather(places) == hashes["first"]
            if like.any():
                found |= like & (level["second"].gather(places) == hashes["second"])
        return found

    def _remember(self) -> None:
        """Hash the events of the last frame."""
        if sum(level.height for level in self._levels) >= _MAX_TIES:
            return
        self._levels.append(_hashes(self._last).sort("first"))
        while len(self._levels) > 1 and self._levels[-2].height < 2 * self._levels[-1].height:
            *self._levels, larger, smaller = self._levels
            self._levels.append(pl.concat([larger, smaller]).sort("first"))


def _hashes(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a hash of each event's key, in two halves."""
    owner = [name for name in ("distinct_id",) if name in frame.columns]
    parts = ["uuid", pl.col("event").str.len_bytes(), "event", *owner]
    texts = frame.select(pl.concat_str(parts, separator=" ")).to_series()
    hashes = b"".join(blake2b(text.encode(), digest_size=16).digest() for text in texts)
    halves = pl.Series(pa.Array.from_buffers(pa.uint64(), 2 * frame.height, [None, pa.py_buffer(hashes)]))
    return pl.DataFrame({"first": halves.gather_every(2), "second": halves.gather_every(2, 1)})


Batches = Callable[[int], Iterator[pa.RecordBatch]]
"""Given how many rows at most, the batches of a run."""


@dataclass
class _Run:
    """Events in timestamp order, read batch by batch, opened when its first timestamp comes up.

    Times are microseconds since 1970, taken from the column's buffer: a run is cut without a copy or a query.
    """

    first: int
    event_bytes: int
    batches: Batches
    order: tuple[int, int] = (0, 0)
    """Its place among events of one timestamp: its part, and which of that part's runs it is."""
    _reading: Iterator[pa.RecordBatch] | None = None
    _head: pa.RecordBatch | None = None
    _times: memoryview = field(default_factory=lambda: memoryview(b"").cast("q"))

    def fill(self, rows: int) -> bool:
        """Make sure that there are events at hand; return whether there are."""
        if self._reading is None:
            self._reading = self.batches(rows)
        while not len(self._times):
            self._head = next(self._reading, None)
            if self._head is None:
                return False
            times = self._head.column("timestamp")
            self._times = memoryview(times.buffers()[1]).cast("q")[times.offset : times.offset + len(times)]
        return True

    @property
    def last(self) -> int:
        """The last timestamp at hand."""
        return self._times[-1]

    @property
    def next(self) -> int:
        """The first timestamp at hand."""
        return self._times[0]

    def take(self, until: int) -> pa.RecordBatch:
        """Return the events at hand up to and including a timestamp."""
        assert self._head is not None  # noqa: S101 - it was filled
        count = bisect_right(self._times, until)
        taken, self._head = self._head.slice(0, count), self._head.slice(count)
        self._times = self._times[count:]
        return taken


def _merged_parts(
    workdir: Path, parts: Sequence[Part], sent: Sequence[Part], *, has_versions: bool
) -> Iterator[Piece]:
    """Yield the events of all parts in timestamp order, piece by piece.

    Of those that `has_versions`, events of one timestamp come in the order of their parts, however many they are.
    """
    marked = [(part, True) for part in sent] + [(part, False) for part in parts]
    with ExitStack() as stack:
        runs: list[_Run] = []
        for order, (part, is_sent) in enumerate(marked):
            found = _Group(workdir / part.path, part.seal, order, is_sent=is_sent)
            stays = stack if len(marked) <= _MAX_OPEN else None
            runs += _runs(found, max(1, part.bytes // max(1, part.events)), stays)
        runs.sort(key=lambda run: run.first)
        if len(runs) > _MAX_RUNS:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix=MERGE, dir=workdir))
            runs = _longer(runs, Path(folder))
        yield from _merged(runs, in_order=has_versions)


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
            table = _ordered([piece])[_MERGED].to_arrow(compat_level=pl.CompatLevel.oldest())
            if writer is None:
                writer = stack.enter_context(pq.ParquetWriter(path, table.schema, compression="lz4"))
            writer.write_table(table)
    event_bytes = max(run.event_bytes for run in runs)
    return _Run(runs[0].first, event_bytes, partial(_file_batches, path, Seal.of(path)))


def _merged(runs: Sequence[_Run], *, in_order: bool = False) -> Iterator[Piece]:
    """Yield the events of runs that are in order of their first timestamp, in timestamp order, piece by piece.

    `in_order`: those of one timestamp in the order of their runs, also where they are more than are held at once.
    """
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
        if piece := [taken for run in active if (taken := run.take(cut - in_order)).num_rows]:
            yield piece
        for run in sorted(active, key=lambda run: run.order) if in_order else ():
            while run.fill(rows) and run.next == cut:
                yield [run.take(cut)]
        active = [run for run in active if run.fill(rows)]


@dataclass(frozen=True)
class _Group:
    """Where a run of a part is read from: its file, open or not, and which row group."""

    path: Path
    seal: Seal
    order: int
    is_sent: bool
    file: pq.ParquetFile | None = None
    number: int = 0

    def batches(self, rows: int) -> Iterator[pa.RecordBatch]:
        """Yield the row group, batch by batch."""
        if self.file is not None:
            yield from self._read(self.file, rows)
            return
        with _opened(self.path, self.seal) as file:
            yield from self._read(file, rows)

    def _read(self, file: pq.ParquetFile, rows: int) -> Iterator[pa.RecordBatch]:
        columns = [*(_SENT if self.is_sent else _KEPT), "row"]
        found = file.iter_batches(rows, row_groups=[self.number], columns=columns, use_threads=False)
        for batch in found:
            count = batch.num_rows
            payload = pa.nulls(count, pa.large_string()) if self.is_sent else batch.column("payload")
            yield pa.RecordBatch.from_arrays(
                [
                    batch.column("timestamp"),
                    _text(batch.column("event")),
                    batch.column("distinct_id"),
                    batch.column("uuid"),
                    payload,
                    batch.column("row"),
                    pa.repeat(pa.scalar(self.is_sent, pa.bool_()), count),
                    pa.repeat(pa.scalar(self.order, pa.int32()), count),
                ],
                _MERGED,
            )


def _text(column: pa.Array) -> pa.Array:
    """Return a column as text; in plans of earlier versions names of events are dictionaries."""
    return column if column.type == pa.large_string() else column.cast(pa.large_string())


@contextmanager
def _opened(path: Path, seal: Seal) -> Iterator[pq.ParquetFile]:
    """Open a file that is sealed."""
    with (
        Sealed(path, seal) as source,
        pq.ParquetFile(source, pre_buffer=False, buffer_size=_BUFFER_BYTES) as file,
    ):
        yield file


def _runs(part: _Group, event_bytes: int, stays: ExitStack | None) -> list[_Run]:
    """Return every row group of a part as a run; where there is a stack for it the file stays open."""
    with ExitStack() as closes:
        file = (stays or closes).enter_context(_opened(part.path, part.seal))
        runs = []
        for number in range(file.metadata.num_row_groups):
            first = file.metadata.row_group(number).column(0).statistics.min_raw
            group = replace(part, file=file if stays else None, number=number)
            runs.append(_Run(first, event_bytes, group.batches, (part.order, number)))
        return runs


def _file_batches(path: Path, seal: Seal, rows: int) -> Iterator[pa.RecordBatch]:
    """Yield a file of merged events, batch by batch."""
    with _opened(path, seal) as file:
        yield from file.iter_batches(rows, use_threads=False)
