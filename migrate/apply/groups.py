"""A part's row groups, batch by batch, with what is known of the part beside each event."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from migrate.workdir.seals import Seal, Sealed

_BUFFER_BYTES: Final = 1 << 16
"""Read at once of a run's column. Without this bound pyarrow holds the whole stored column."""
MAX_BATCH: Final = 4_096
_SENT: Final = ["timestamp", "event", "distinct_id", "uuid"]
KEPT: Final = [*_SENT, "payload"]
MERGED: Final = [*KEPT, "row", "sent", "order"]
_VALUES: Final = 256
"""So many columns of one value are kept, 4 bytes a row: those of the runs that are merged at once."""


@dataclass(frozen=True)
class Group:
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
                    repeated(self.is_sent, pl.Boolean, count),
                    repeated(self.order, pl.Int32, count),
                ],
                MERGED,
            )


def repeated(value: int, kind: type[pl.DataType], count: int) -> pa.Array:
    """Return a column of one value, for no more rows than a batch has."""
    return _column(value, kind)[:count]


@lru_cache(_VALUES)
def _column(value: int, kind: type[pl.DataType]) -> pa.Array:
    """Return as much of a value as a batch has; Arrow's own would read pandas for it, where that is installed."""
    return pl.repeat(value, MAX_BATCH, dtype=kind, eager=True).to_arrow()


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


def file_batches(path: Path, seal: Seal, rows: int) -> Iterator[pa.RecordBatch]:
    """Yield a file of merged events, batch by batch."""
    with open_sealed(path, seal) as file:
        yield from file.iter_batches(rows, use_threads=False)
