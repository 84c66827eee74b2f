"""Finished events → Parquet files, one folder per UTC day."""

import os
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from migrate.checkpoint import Part

DAYS: Final = "days"
SCHEMA: Final = pa.schema(
    [
        ("timestamp", pa.timestamp("us", "UTC")),
        ("event", pa.dictionary(pa.int32(), pa.large_string())),
        ("distinct_id", pa.large_string()),
        ("uuid", pa.large_string()),
        ("payload", pa.large_string()),
        ("file", pa.dictionary(pa.int32(), pa.large_string())),
        ("row", pa.int64()),
    ]
)
_OPEN_DAYS: Final = 64
"""Days written at once; more would need more file handles than a process has."""
_FLUSH_BYTES: Final = 48 * 2**20
_GROUP_BYTES: Final = 8 * 2**20
"""Row groups are the runs that a day is merged from; their size bounds the memory of applying."""


@dataclass
class _Day:
    """One open file of a day."""

    path: Path
    writer: pq.ParquetWriter
    events: int = 0
    bytes: int = 0
    first: int = 2**63 - 1
    last: int = -(2**63)


@dataclass
class DayWriter:
    """Writes one input's events aside, then moves them into their day folders when all of them are there."""

    workdir: Path
    input: int
    _held: list[pl.DataFrame] = field(default_factory=list)
    _held_bytes: int = 0
    _open: OrderedDict[str, _Day] = field(default_factory=OrderedDict)
    _closed: list[tuple[str, _Day]] = field(default_factory=list)
    _files: int = 0

    @property
    def aside(self) -> Path:
        """Where the files are until the input is planned whole."""
        return self.workdir / "staging" / f"{self.input:08d}"

    def write(self, frame: pl.DataFrame) -> None:
        """Take finished events: the columns of `SCHEMA`, in any order of time."""
        self._held.append(frame)
        self._held_bytes += int(frame["payload"].str.len_bytes().sum())
        if self._held_bytes >= _FLUSH_BYTES:
            self._flush()

    def files(self) -> dict[str, list[Path]]:
        """Close what is open; return the files of each day."""
        self._flush()
        while self._open:
            self._close(next(iter(self._open)))
        found: dict[str, list[Path]] = {}
        for day, written in self._closed:
            found.setdefault(day, []).append(written.path)
        return found

    def finish(self) -> list[Part]:
        """Make the files durable under their final names; return what they are."""
        self.files()
        parts = [self._place(day, written) for day, written in self._closed]
        for folder in {self.workdir / DAYS} | {(self.workdir / part.path).parent for part in parts}:
            if folder.exists():
                synced(folder)
        return parts

    def discard(self) -> None:
        """Remove what was written aside."""
        for written in self._open.values():
            written.writer.close()
        if self.aside.exists():
            for path in self.aside.iterdir():
                path.unlink()
            self.aside.rmdir()

    def _flush(self) -> None:
        """Write the events held, each day's in timestamp order, as row groups of its file."""
        if not self._held:
            return
        held = pl.concat(self._held).sort("timestamp", maintain_order=True)
        self._held, self._held_bytes = [], 0
        days = held.select(pl.col("timestamp").dt.date().rle()).unnest("timestamp")
        start = 0
        for length, day in days.iter_rows():
            self._append(day.isoformat(), held.slice(start, length))
            start += length

    def _append(self, day: str, frame: pl.DataFrame) -> None:
        """Add events of one day, in timestamp order, to its file."""
        written = self._file(day)
        size = int(frame["payload"].str.len_bytes().sum())
        times = frame["timestamp"].dt.epoch("us")
        group_rows = max(1, frame.height * _GROUP_BYTES // max(size, _GROUP_BYTES))
        written.writer.write_table(arrow(frame), row_group_size=group_rows)
        written.events += frame.height
        written.bytes += size
        written.first = min(written.first, int(times[0]))
        written.last = max(written.last, int(times[-1]))

    def _file(self, day: str) -> _Day:
        """Return the day's open file, closing the one used longest ago when too many are open."""
        if day in self._open:
            self._open.move_to_end(day)
            return self._open[day]
        if len(self._open) >= _OPEN_DAYS:
            self._close(next(iter(self._open)))
        self.aside.mkdir(parents=True, exist_ok=True)
        path = self.aside / f"{day}_{self._files:06d}.parquet"
        self._files += 1
        self._open[day] = _Day(path, pq.ParquetWriter(path, SCHEMA, compression="zstd", compression_level=1))
        return self._open[day]

    def _close(self, day: str) -> None:
        """Close a day's file."""
        written = self._open.pop(day)
        written.writer.close()
        self._closed.append((day, written))

    def _place(self, day: str, written: _Day) -> Part:
        """Make one file durable and move it to its day."""
        synced(written.path)
        folder = self.workdir / DAYS / day
        folder.mkdir(parents=True, exist_ok=True)
        number = written.path.stem.rpartition("_")[2]
        path = folder / f"{self.input:08d}-{number}.parquet"
        os.replace(written.path, path)
        relative = path.relative_to(self.workdir).as_posix()
        return Part(relative, self.input, day, written.events, written.bytes, written.first, written.last)


def arrow(frame: pl.DataFrame) -> pa.Table:
    """Return finished events as an Arrow table of `SCHEMA`."""
    table = frame.select(SCHEMA.names).to_arrow(compat_level=pl.CompatLevel.oldest())
    return table.cast(SCHEMA)


def synced(path: Path) -> None:
    """Make a file's bytes, or a folder's names, durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
