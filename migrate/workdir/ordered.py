"""Files of events in timestamp order → all their events in that order, a few row groups of each in memory."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from migrate.workdir import dayfile
from migrate.workdir.seals import Kept

MOST: Final = 64
"""Files that are merged at once."""
ALWAYS: Final = (-(2**63), 2**63 - 1)
_EPOCH: Final = date(1970, 1, 1).toordinal()
_DAY: Final = 86_400_000_000
GROUP_BYTES: Final = 512 << 10
"""Payloads of a row group, about; while files are merged one or two of each are in memory."""


def write(
    path: Path, frames: Iterable[pl.DataFrame], most: int = 1, compression: Literal["lz4", "zstd"] = "zstd"
) -> None:
    """Write events, which come in timestamp order, as a file that is merged with others later.

    Its row groups have `most` times `GROUP_BYTES`: larger ones take less time and more memory, file by file. What goes
    again at once is "lz4": it takes a sixth less time to write and to read than zstd, and two thirds more room
    (measured).
    """
    size = most * GROUP_BYTES
    with pa.OSFile(str(path), "wb") as sink, dayfile.writer(sink, compression) as writer:
        for frame in frames:
            sizes = frame["payload"].str.len_bytes().cast(pl.Int64)
            start = 0
            for length in ((sizes.cum_sum() - 1) // size).rle().struct.field("len"):
                writer.write_table(dayfile.arrow(frame.slice(start, length)), row_group_size=length)
                start += length


def merged(
    files: Sequence[Path | Kept], *, first_rows: Sequence[int] = (), span: tuple[int, int] = ALWAYS
) -> Iterator[pl.DataFrame]:
    """Yield the events of up to `MOST` files in timestamp order; those of one timestamp file by file, as they lie.

    All of one timestamp are in one frame. `first_rows` says from which number on the rows of each file are counted;
    of what is outside of `span`, from its first microsecond since 1970 on and before its last, there is none. Raises
    Harmed for a sealed file that is harmed.
    """
    with ExitStack() as stack:
        runs = []
        for place, one in enumerate(files):
            source = stack.enter_context(pa.OSFile(str(one)) if isinstance(one, Path) else one.opened())
            file = stack.enter_context(pq.ParquetFile(source, pre_buffer=False))
            runs.append(_Run(file, first_rows[place] if first_rows else 0, span))
        while True:
            for run in runs:
                run.fill()
            going_on = [run.last for run in runs if not run.is_ended]
            cut = min(going_on, default=None)
            taken = [frame for run in runs if (frame := run.take(cut)).height]
            if taken:
                yield pl.concat(taken).sort("timestamp", maintain_order=True)
            elif cut is None:
                return
            else:
                for run in runs:
                    if run.last == cut:
                        run.read()


def micros(day: str, later: int = 0) -> int:
    """Return when a UTC day begins, so many days `later`, in microseconds since 1970."""
    return (date.fromisoformat(day).toordinal() - _EPOCH + later) * _DAY


class _Run:
    """One file: the events at hand, and what is left of it."""

    def __init__(self, file: pq.ParquetFile, first_row: int, span: tuple[int, int]) -> None:
        self._file, self._first_row = file, first_row
        self._since, self._until = span
        groups = range(file.num_row_groups)
        if span != ALWAYS:
            ends = [self._statistics(group) for group in groups]
            begin = sum(one.max_raw < self._since for one in ends)
            groups = range(begin, sum(one.min_raw < self._until for one in ends))
        self._left = iter(groups)
        self._next = next(self._left, None)
        self._held = pl.DataFrame()
        self._enough = 0
        """Events: half of a row group. With fewer at hand each group of each file would make a frame of its own."""

    @property
    def is_ended(self) -> bool:
        """Whether all that is left is at hand."""
        return self._next is None

    @property
    def last(self) -> int:
        """The last timestamp at hand."""
        return int(self._held["timestamp"].to_physical()[-1]) if self._held.height else -(2**63)

    def fill(self) -> None:
        """Have enough events at hand, unless there are no more."""
        while self._held.height <= self._enough and self._next is not None:
            self.read()

    def read(self) -> None:
        """Read more, if there is more."""
        if self._next is None:
            return
        frame = pl.DataFrame(self._file.read_row_group(self._next, use_threads=False))
        self._next, self._enough = next(self._left, None), frame.height // 2
        times = frame["timestamp"].to_physical()
        start = int(times.search_sorted(self._since, side="left"))
        frame = frame.slice(start, int(times.search_sorted(self._until, side="left")) - start)
        if self._first_row:
            frame = frame.with_columns(pl.col("row") + self._first_row)
        self._held = pl.concat([self._held, frame]) if self._held.height else frame

    def take(self, until: int | None) -> pl.DataFrame:
        """Return what is at hand and before a timestamp; all of it where there is none."""
        held = self._held
        if not held.height:
            return held
        times = held["timestamp"].to_physical()
        count = held.height if until is None else int(times.search_sorted(until, side="left"))
        self._held = held.slice(count)
        return held.head(count)

    def _statistics(self, group: int) -> Any:  # noqa: ANN401 - pyarrow's
        return self._file.metadata.row_group(group).column(0).statistics
