"""Parquet: columns found by name, batch by batch, with flat memory."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from migrate.inputs import Source, Truncated
from migrate.jsontext import object_text
from migrate.mapping import REST, ROW, Table
from migrate.readers import arrow
from migrate.readers.records import Header, Part, reject, spelled

_BATCH_BYTES: Final = 16 << 20
_LEAST_ROWS: Final = 1 << 10
_MOST_ROWS: Final = 1 << 16
_UNREADABLE: Final = (pa.ArrowException, OSError, Truncated)


def parquet_header(source: Source) -> Header:
    """Return the header; of a file that cannot be read, one without columns."""
    try:
        with source.seekable() as file, pq.ParquetFile(file) as parquet:
            return Header("parquet", tuple(dict.fromkeys(parquet.schema_arrow.names)))
    except _UNREADABLE:
        return Header("parquet", ())


def parquet_parts(source: Source, table: Table, header: Header) -> Iterator[Part]:
    """Yield a Parquet file batch by batch; `ROW` is the row's place in the file, from 1."""
    columns = Columns(table, header)
    row = 1
    try:
        with source.seekable() as file, pq.ParquetFile(file) as parquet:
            for batch in parquet.iter_batches(_batch_rows(parquet.metadata), columns=columns.needed):
                yield columns.part(batch, row)
                row += batch.num_rows
    except _UNREADABLE as error:
        part = columns.part(pa.RecordBatch.from_pylist([], pa.schema([])), row)
        part.rejects.append(reject(None, "unreadable_file", str(error)))
        yield part


def _batch_rows(metadata: pq.FileMetaData) -> int:
    """Return how many rows to take at once, by the size the file says they have."""
    total: int = sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
    rows: int = metadata.num_rows
    return max(_LEAST_ROWS, min(_MOST_ROWS, _BATCH_BYTES * rows // max(1, total)))


class Columns:
    """Turns batches into parts."""

    def __init__(self, table: Table, header: Header) -> None:
        self._declared = tuple(table.columns)
        self._spelling = spelled(table.columns, header.columns)
        passed_over = {name.lower() for name in table.dropped}
        taken = set(self._spelling.values())
        self._rest = [
            name for name in header.columns if name not in taken and name.lower() not in passed_over
        ]
        self.needed = [*dict.fromkeys(self._spelling.values()), *self._rest]

    def part(self, batch: pa.RecordBatch, first: int) -> Part:
        """Return the batch as text, its first row numbered `first`."""
        found = {}
        for name in self.needed:
            index = batch.schema.names.index(name) if name in batch.schema.names else None
            if index is not None:
                found[name] = pl.Series(name, arrow.simple(batch.column(index)))
        frame = pl.DataFrame(found, height=batch.num_rows)
        rows = frame.select(
            pl.int_range(first, first + batch.num_rows, dtype=pl.Int64).alias(ROW),
            *(self._cell(name, frame.schema) for name in self._declared),
            self._rest_text(frame.schema).alias(REST),
        )
        return Part(rows, counts=_non_finite(frame))

    def _cell(self, declared: str, schema: pl.Schema) -> pl.Expr:
        name = self._spelling.get(declared)
        if name is None or name not in schema:
            return pl.lit(None, dtype=pl.String).alias(declared)
        return arrow.text(pl.col(name), schema[name]).alias(declared)

    def _rest_text(self, schema: pl.Schema) -> pl.Expr:
        columns, digits = [], {}
        for name in self._rest:
            dtype = schema.get(name)
            if isinstance(dtype, pl.Decimal):
                digits[name] = pl.col(name).cast(pl.String)
            elif dtype is not None and dtype != pl.Null:
                columns.append(arrow.ready(pl.col(name), dtype).alias(name))
        return object_text(columns, json=digits).cast(pl.String)


def _non_finite(frame: pl.DataFrame) -> Counter[str]:
    """Count the numbers that are none, or infinite."""
    floats = [~pl.col(name).is_finite() for name, dtype in frame.schema.items() if dtype.is_float()]
    found = sum(frame.select(floats).sum().row(0)) if floats and frame.height else 0
    return Counter(non_finite_number=found) if found else Counter()
