"""A day's Parquet files → their events in timestamp order, merged run by run, on disk where there are many."""

import tempfile
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa

from migrate.apply.groups import MAX_BATCH, MERGED, Group, file_batches, open_sealed, repeated
from migrate.throwaway import MERGE
from migrate.workdir.dayfile import ParquetWriter
from migrate.workdir.records import Part
from migrate.workdir.seals import Seal

_MERGE_BYTES: Final = 12 * 2**20
"""The batches at hand of all runs together, at the most."""
_MIN_BATCH: Final = 2
_FEW: Final = 512
"""So few events are copied into one batch: batches side by side cost a tenth of a millisecond each (measured)."""
_MAX_RUNS: Final = 256
"""Runs merged at once; more are first merged into longer ones on disk."""
_MAX_OPEN: Final = 16
"""Up to so many parts, their files stay open between looking for their row groups and reading them."""
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
        batch.append_column("piece", repeated(number, pl.Int32, batch.num_rows))
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


_LAST: Final = (2**63, 0)
"""An order behind that of all runs."""
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


def merged(workdir: Path, parts: Sequence[Part], sent: Sequence[Part]) -> Iterator[Stretch]:
    """Yield the events of all parts in timestamp order, piece by piece.

    Those of equal timestamps come in the order of their parts, the sent ones first, and rows, however many they are:
    of the versions of an event the same one is the first, whoever planned them.
    """
    marked = [(part, True) for part in sent] + [(part, False) for part in parts]
    with ExitStack() as stack:
        runs: list[_Run] = []
        for order, (part, is_sent) in enumerate(marked):
            found = Group(workdir / part.path, part.seal, order, is_sent=is_sent)
            stays = stack if len(marked) <= _MAX_OPEN else None
            runs += _runs(found, max(1, part.bytes // max(1, part.events)), stays)
        runs.sort(key=lambda run: run.first)
        if len(runs) > _MAX_RUNS:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix=MERGE, dir=workdir))
            runs = _longer(runs, Path(folder))
        yield from _merge(runs)


def _longer(runs: list[_Run], folder: Path) -> list[_Run]:
    """Merge runs on disk, neighbours together, until few enough are left to merge at once; return them by first time.

    Neighbours are so in the order of their parts: of equal timestamps all that a longer run holds comes before, or all
    of it after, what another holds.
    """
    level = 0
    while len(runs) > _MAX_RUNS:
        near = sorted(runs, key=lambda run: run.order)
        groups = [near[start : start + _MAX_RUNS] for start in range(0, len(near), _MAX_RUNS)]
        longer = [_write(group, folder / f"{level}-{n}.parquet") for n, group in enumerate(groups)]
        runs = sorted(longer, key=lambda run: run.first)
        level += 1
    return runs


def _write(runs: list[_Run], path: Path) -> _Run:
    """Merge runs into a file; return it as a run, in the place of the first of them."""
    order = runs[0].order
    runs = sorted(runs, key=lambda run: run.first)
    with ExitStack() as stack:
        writer: ParquetWriter | None = None
        for piece in _merge(runs):
            table = put_together([piece])[MERGED].to_arrow(compat_level=pl.CompatLevel.oldest())
            if writer is None:
                writer = stack.enter_context(ParquetWriter(path, table.schema, compression="lz4"))
            writer.write_table(table)
    event_bytes = max(run.event_bytes for run in runs)
    return _Run(runs[0].first, event_bytes, partial(file_batches, path, Seal.of(path)), order)


def _merge(runs: Sequence[_Run]) -> Iterator[Stretch]:
    """Yield the events of runs in timestamp order, piece by piece; the runs are sorted by their first timestamp.

    Those of equal timestamps come in the order of their runs, in however many batches and pieces they are, so that it
    does not matter how many are read at once.
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
        # Of a timestamp that goes on in a run's next batch, later runs wait with their events.
        going = [run.order for run in active if run.last == cut and run.goes_on()]
        reached = min(going, default=_LAST)
        taken = (run.take(cut if run.order <= reached else cut - 1) for run in active)
        if piece := [one for one in taken if one.num_rows]:
            yield piece
        if len(going) > 1:
            yield from _one_by_one(sorted(active, key=lambda run: run.order), cut, rows)
        active = [run for run in active if run.fill(rows)]


def _one_by_one(runs: Sequence[_Run], time: int, rows: int) -> Iterator[Stretch]:
    """Yield the next events of runs that have this timestamp, run by run, in pieces of about a batch of each."""
    piece: Stretch = []
    for run in runs:
        while run.fill(rows) and run.next == time:
            piece.append(run.take(time))
            if sum(one.num_rows for one in piece) >= rows * len(runs):
                yield piece
                piece = []
    if piece:
        yield piece


def _runs(part: Group, event_bytes: int, stays: ExitStack | None) -> list[_Run]:
    """Return every row group of a part as a run. If `stays` is given it keeps the file open."""
    with ExitStack() as closes:
        file = (stays or closes).enter_context(open_sealed(part.path, part.seal))
        runs = []
        for number in range(file.metadata.num_row_groups):
            first = file.metadata.row_group(number).column(0).statistics.min_raw
            group = replace(part, file=file if stays else None, number=number)
            runs.append(_Run(first, event_bytes, group.batches, (part.order, number)))
        return runs
