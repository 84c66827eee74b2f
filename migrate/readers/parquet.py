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
from migrate.readers.records import Header, Part, aliases, reject, spelled

_BATCH_BYTES: Final = 4 << 20
_LEAST_ROWS: Final = 1 << 10
_MOST_ROWS: Final = 16_384
_MOST_NESTED: Final = 4_096
"""Nested values become text of many times the size that the file says they have."""
_UNREADABLE: Final = (pa.ArrowException, OSError, Truncated)


def parquet_header(source: Source) -> Header:
    """Return the header; of a file that cannot be read, one without columns."""
    try:
        with source.seekable() as file, pq.ParquetFile(file, pre_buffer=False) as parquet:
            return Header("parquet", tuple(dict.fromkeys(parquet.schema_arrow.names)))
    except _UNREADABLE:
        return Header("parquet", ())


def parquet_parts(source: Source, table: Table, header: Header) -> Iterator[Part]:
    """Yield a Parquet file batch by batch; `ROW` is the row's place in the file, from 1."""
    columns = Columns(table, header)
    row = 1
    try:
        with source.seekable() as file, pq.ParquetFile(file, pre_buffer=False) as parquet:
            nested = any(pa.types.is_nested(field.type) for field in parquet.schema_arrow)
            rows = _batch_rows(parquet.metadata, _MOST_NESTED if nested else _MOST_ROWS)
            for batch in parquet.iter_batches(rows, columns=columns.needed):
                yield columns.part(batch, row)
                row += batch.num_rows
    except _UNREADABLE as error:
        part = columns.part(pa.RecordBatch.from_pylist([], pa.schema([])), row)
        part.rejects.append(reject(None, "unreadable_file", str(error)))
        yield part


def _batch_rows(metadata: pq.FileMetaData, most: int) -> int:
    """Return how many rows to take at once, by the size the file says they have."""
    total: int = sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
    rows: int = metadata.num_rows
    return max(_LEAST_ROWS, min(most, _BATCH_BYTES * rows // max(1, total)))


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
        self._aliases = aliases(header.columns)
        self.needed = [*dict.fromkeys(self._spelling.values()), *self._rest]

    def part(self, batch: pa.RecordBatch, first: int) -> Part:
        """Return the batch as text, its first row numbered `first`."""
        counts = Counter[str]()
        names = batch.schema.names
        columns = {name: batch.column(names.index(name)) for name in self.needed if name in names}
        frame = pl.DataFrame(
            {self._aliases[name]: pl.Series(arrow.simple(column, counts)) for name, column in columns.items()}
        )
        rows = pl.select(pl.int_range(first, first + batch.num_rows, dtype=pl.Int64).alias(ROW))
        rows = rows.with_columns_seq(frame.get_columns()).select_seq(
            ROW,
            *(self._cell(name, frame.schema).alias(name) for name in self._declared),
            self._rest_text(frame.schema).alias(REST),
        )
        if lost := _non_finite(frame):
            counts["non_finite_number"] = lost
        if lost := _impossible(frame):
            counts["impossible_time"] = lost
        return Part(rows, counts=counts)

    def _cell(self, declared: str, schema: pl.Schema) -> pl.Expr:
        name = self._aliases.get(self._spelling.get(declared, ""))
        if name is None or name not in schema:
            return pl.lit(None, dtype=pl.String)
        return arrow.text(pl.col(name), schema[name])

    def _rest_text(self, schema: pl.Schema) -> pl.Expr:
        columns, digits = {}, {}
        for name in self._rest:
            column, dtype = pl.col(self._aliases[name]), schema.get(self._aliases[name])
            if isinstance(dtype, pl.Decimal):
                digits[name] = column.cast(pl.String)
            elif dtype is not None and dtype != pl.Null:
                columns[name] = arrow.ready(column, dtype)
        return object_text(columns, json=digits).cast(pl.String)


def _non_finite(frame: pl.DataFrame) -> int:
    """Count the numbers that are none, or infinite."""
    floats = [~pl.col(name).is_finite() for name, dtype in frame.schema.items() if dtype.is_float()]
    return sum(frame.select_seq(floats).sum().row(0)) if floats and frame.height else 0


def _impossible(frame: pl.DataFrame) -> int:
    """Count the dates and times that no calendar has."""
    times = {name: dtype for name, dtype in frame.schema.items() if isinstance(dtype, (pl.Date, pl.Datetime))}
    if not times or not frame.height:
        return 0
    before = frame.select_seq(pl.col(list(times)).null_count()).row(0)
    after = frame.select_seq(
        arrow.possible(pl.col(name), dtype).null_count() for name, dtype in times.items()
    ).row(0)
    return int(sum(after) - sum(before))
