"""A day's Parquet files → their events in timestamp order, merged run by run, on disk where there are many."""

import tempfile
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from migrate.throwaway import MERGE
from migrate.workdir.dayfile import ParquetWriter
from migrate.workdir.records import Part
from migrate.workdir.seals import Seal, Sealed

_MERGE_BYTES: Final = 12 * 2**20
"""The batches at hand of all runs together, at the most."""
_BUFFER_BYTES: Final = 1 << 16
"""Read at once of a run's column. Without this bound pyarrow holds the whole stored column."""
_MIN_BATCH: Final = 2
_FEW: Final = 512
"""So few events are copied into one batch: batches side by side cost a tenth of a millisecond each (measured)."""
MAX_BATCH: Final = 4_096
_MAX_RUNS: Final = 256
"""Runs merged at once; more are first merged into longer ones on disk."""
_MAX_OPEN: Final = 16
"""Up to so many parts, their files stay open between looking for their row groups and reading them."""
_SENT: Final = ["timestamp", "event", "distinct_id", "uuid"]
KEPT: Final = [*_SENT, "payload"]
_MERGED: Final = [*KEPT, "row", "sent", "order"]
_ORDER: Final = ("timestamp", "order", "row")
Stretch = list[pa.RecordBatch]
"""Batches of several runs whose events come in time before those of every later piece."""


def put_together(pieces: list[Stretch]) -> pl.DataFrame:
    """Return the events of all pieces as one frame: piece after piece, each by timestamp, then input, then row."""
    batches = [batch for piece in pieces for batch in piece]
    if len(batches) == len(pieces):
        frame = _frame(batches)
        if _is_ordered(frame):
            return frame
    numbered = [
        batch.append_column("piece", _repeated(number, pl.Int32, batch.num_rows))
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
    """Return whether events of equal timestamps are in the order of their rows, as in nearly all single runs."""
    time, row = frame["timestamp"], frame["row"]
    count = frame.height - 1
    out_of_order = (time.head(count) == time.tail(count)) & (row.head(count) > row.tail(count))
    return not out_of_order.any()


_NOTHING: Final = pa.RecordBatch.from_arrays([], [])

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
    _next: pa.RecordBatch | None = None
    """The batch after the one at hand, where it was looked at."""
    _head: pa.RecordBatch = field(default_factory=lambda: _NOTHING)
    _times: memoryview = field(default_factory=lambda: memoryview(b"").cast("q"))

    def fill(self, rows: int) -> bool:
        """Read the next batch if no events are at hand; return whether there are any now."""
        if self._reading is None:
            self._reading = self.batches(rows)
        while not len(self._times):
            self._head, self._next = self._after(), None
            if self._head is _NOTHING:
                return False
            self._times = _times(self._head)
        return True

    def goes_on(self) -> bool:
        """Return whether more events of the last timestamp at hand may follow what is at hand."""
        self._next = self._after()
        return self._next is not _NOTHING and _times(self._next)[:1].tolist() in ([], [self.last])

    def _after(self) -> pa.RecordBatch:
        """Return the batch after the one at hand; nothing where that is the last."""
        return next(self._reading or iter(()), _NOTHING) if self._next is None else self._next

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
        count = bisect_right(self._times, until)
        taken, self._head = self._head.slice(0, count), self._head.slice(count)
        self._times = self._times[count:]
        return taken


def _times(batch: pa.RecordBatch) -> memoryview:
    """Return a batch's timestamps, microseconds since 1970, where they lie."""
    times = batch.column("timestamp")
    return memoryview(times.buffers()[1]).cast("q")[times.offset : times.offset + len(times)]


def merged(
    workdir: Path, parts: Sequence[Part], sent: Sequence[Part], *, in_order: bool
) -> Iterator[Stretch]:
    """Yield the events of all parts in timestamp order, piece by piece.

    Where they may hold several versions of an event (`in_order`), events of equal timestamps come in the order of
    their parts, the sent ones first, however many they are.
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
            runs = _longer(runs, Path(folder), in_order=in_order)
        yield from _merge(runs, in_order=in_order)


def _longer(runs: list[_Run], folder: Path, *, in_order: bool) -> list[_Run]:
    """Merge runs on disk, neighbours together, until few enough are left to merge at once; return them by first time.

    Neighbours are so in time; with `in_order`, in the order of their parts: then of equal timestamps all that a longer
    run holds comes before, or all of it after, what another holds.
    """
    level = 0
    while len(runs) > _MAX_RUNS:
        near = sorted(runs, key=lambda run: run.order) if in_order else runs
        groups = [near[start : start + _MAX_RUNS] for start in range(0, len(near), _MAX_RUNS)]
        longer = [
            _write(group, folder / f"{level}-{n}.parquet", in_order=in_order)
            for n, group in enumerate(groups)
        ]
        runs = sorted(longer, key=lambda run: run.first)
        level += 1
    return runs


def _write(runs: list[_Run], path: Path, *, in_order: bool) -> _Run:
    """Merge runs into a file; return it as a run, in the place of the first of them."""
    order = runs[0].order
    runs = sorted(runs, key=lambda run: run.first)
    with ExitStack() as stack:
        writer: ParquetWriter | None = None
        for piece in _merge(runs, in_order=in_order):
            table = put_together([piece])[_MERGED].to_arrow(compat_level=pl.CompatLevel.oldest())
            if writer is None:
                writer = stack.enter_context(ParquetWriter(path, table.schema, compression="lz4"))
            writer.write_table(table)
    event_bytes = max(run.event_bytes for run in runs)
    return _Run(runs[0].first, event_bytes, partial(_file_batches, path, Seal.of(path)), order)


def _merge(runs: Sequence[_Run], *, in_order: bool = False) -> Iterator[Stretch]:
    """Yield the events of runs in timestamp order, piece by piece; the runs are sorted by their first timestamp.

    Events of equal timestamps come in the order of their runs, where they do not fit in one piece, too, so that it does
    not matter how many of them are read at once; `in_order` tells that there may be such.
    """
    event_bytes = max((run.event_bytes for run in runs), default=1)
    rows = max(_MIN_BATCH, min(MAX_BATCH, _MERGE_BYTES // min(len(runs) or 1, _MAX_RUNS) // event_bytes))
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
        is_spread = in_order or any(run.last == cut and run.goes_on() for run in active)
        if before := [taken for run in active if (taken := run.take(cut - is_spread)).num_rows]:
            yield before
        piece, most = [], rows * len(active)
        for run in sorted(active, key=lambda run: run.order) if is_spread else ():
            while run.fill(rows) and run.next == cut:
                piece.append(run.take(cut))
                if sum(one.num_rows for one in piece) >= most:
                    yield piece
                    piece = []
        if piece:
            yield piece
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
        with open_sealed(self.path, self.seal) as file:
            yield from self._read(file, rows)

    def _read(self, file: pq.ParquetFile, rows: int) -> Iterator[pa.RecordBatch]:
        columns = [*(_SENT if self.is_sent else KEPT), "row"]
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
                    _repeated(self.is_sent, pl.Boolean, count),
                    _repeated(self.order, pl.Int32, count),
                ],
                _MERGED,
            )


def _repeated(value: int, kind: type[pl.DataType], count: int) -> pa.Array:
    """Return a column of one value; of Arrow's own, a value costs the time to read pandas, where that is installed."""
    return pl.repeat(value, count, dtype=kind, eager=True).to_arrow()


def _text(column: pa.Array) -> pa.Array:
    """Return a column as text; in plans of earlier versions names of events are dictionaries."""
    return column if column.type == pa.large_string() else column.cast(pa.large_string())


@contextmanager
def open_sealed(path: Path, seal: Seal) -> Iterator[pq.ParquetFile]:
    """Open a file that is sealed."""
    with (
        Sealed(path, seal) as source,
        pq.ParquetFile(source, pre_buffer=False, buffer_size=_BUFFER_BYTES) as file,
    ):
        yield file


def _runs(part: _Group, event_bytes: int, stays: ExitStack | None) -> list[_Run]:
    """Return every row group of a part as a run. If `stays` is given it keeps the file open."""
    with ExitStack() as closes:
        file = (stays or closes).enter_context(open_sealed(part.path, part.seal))
        runs = []
        for number in range(file.metadata.num_row_groups):
            first = file.metadata.row_group(number).column(0).statistics.min_raw
            group = replace(part, file=file if stays else None, number=number)
            runs.append(_Run(first, event_bytes, group.batches, (part.order, number)))
        return runs


def _file_batches(path: Path, seal: Seal, rows: int) -> Iterator[pa.RecordBatch]:
    """Yield a file of merged events, batch by batch."""
    with open_sealed(path, seal) as file:
        yield from file.iter_batches(rows, use_threads=False)
