"""Parquet: columns found by name, batch by batch, with flat memory."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from migrate.inputs.source import Source
from migrate.inputs.spans import Span
from migrate.inputs.streams import Truncated
from migrate.kit.declare import Table
from migrate.readers import arrow
from migrate.readers.columnar import BATCH_BYTES, Columns, cut, damage
from migrate.readers.records import Header, Part, reject
from migrate.readers.wide import side_by_side

_FULL: Final = 0.9
"""How full a batch is handed on: a few rows more would cost as much as many."""
_MOST_AT_ONCE: Final = 4_096
"""Rows decoded at the most before they are weighed: those to come may be much larger than those before."""
_MOST_ROWS: Final = 16_384
_MOST_NESTED: Final = 4_096
"""Nested values become text of many times the size that they have."""
_FIRST_ROWS: Final = 8
_GROWTH: Final = 8
"""How many times as many rows as the last time are decoded at the most."""
_READING_BYTES: Final = 48 << 20
"""What columns that are read together may take; those of a file that has more are read one stretch after another."""
_COLUMN_BYTES: Final = 64 << 10
"""What a column takes while it is read, in pyarrow and in polars, whatever it holds (measured)."""
_PAGE_BYTES: Final = 512 << 10
"""What a column's page and dictionary take at the most, about; one of each is unpacked while it is read."""
_BUFFER_BYTES: Final = 1 << 16
"""Read at once of a column; without it pyarrow holds all that is stored of each in a row group."""
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
    columns = Columns.of(table, header)
    span = source.span
    row = 1 if span is None else span.row
    try:
        with (
            source.seekable() as file,
            pq.ParquetFile(
                file, pre_buffer=False, buffer_size=_BUFFER_BYTES, coerce_int96_timestamp_unit="us"
            ) as parquet,
        ):
            groups = range(parquet.num_row_groups) if span is None else range(span.start, span.end)
            first, whole = row, sum(parquet.metadata.row_group(group).num_rows for group in groups)
            for part in _parts(parquet, columns, groups, row):
                yield part
                row += part.rows.height
                if source.meter:
                    source.meter.at(row - first, whole)
    except _UNREADABLE as error:
        part = columns.part(pa.RecordBatch.from_pylist([], pa.schema([])), row)
        part.rejects.append(reject(None, "unreadable_file", damage(error)))
        yield part


def unpacked_bytes(source: Source) -> int:
    """Return how many bytes a file holds once its pages are unpacked.

    Raises what pyarrow does where the file cannot be read.
    """
    with source.seekable() as file, pq.ParquetFile(file, pre_buffer=False) as parquet:
        groups = map(parquet.metadata.row_group, range(parquet.num_row_groups))
        return sum(group.total_byte_size for group in groups)


def parquet_spans(source: Source, most: int) -> Iterator[Span]:
    """Yield row groups that are neighbours together, as far as they hold about so many bytes once they are unpacked.

    Raises what pyarrow does where the file cannot be read.
    """
    row = below = 1
    start = held = size = 0
    with source.seekable() as file, pq.ParquetFile(file, pre_buffer=False) as parquet:
        for end, group in enumerate(map(parquet.metadata.row_group, range(parquet.num_row_groups)), 1):
            held += group.total_byte_size
            below += group.num_rows
            size += sum(group.column(place).total_compressed_size for place in range(group.num_columns))
            if (is_last := end == parquet.num_row_groups) or held >= most:
                yield Span(row, start, end, size, is_last)
                row, start, held, size = below, end, 0, 0


def _parts(parquet: pq.ParquetFile, columns: "Columns", groups: Sequence[int], first: int) -> Iterator[Part]:
    """Yield the rows of some row groups, the first of them numbered `first`.

    Those of very many columns row group by row group, a stretch of columns at a time.
    """
    found = columns.stretches(_weights(parquet))
    if len(found) == 1:
        yield from _numbered(parquet, columns, groups, first)
        return
    for group in groups:
        if height := parquet.metadata.row_group(group).num_rows:
            yield from side_by_side(_numbered(parquet, one, [group], first) for one in found)
        first += height


def _weights(parquet: pq.ParquetFile) -> dict[str, float]:
    """Return for each column what share it takes of the memory that columns may take while they are read."""
    sizes = Counter[str]()
    for group in map(parquet.metadata.row_group, range(parquet.num_row_groups)):
        for leaf in map(group.column, range(parquet.metadata.num_columns)):
            sizes[leaf.path_in_schema] = max(leaf.total_uncompressed_size, sizes[leaf.path_in_schema])
    names, found = set(parquet.schema_arrow.names), Counter[str]()
    for path, size in sizes.items():
        found[path if path in names else path.partition(".")[0]] += _COLUMN_BYTES + min(_PAGE_BYTES, size)
    return {name: size / _READING_BYTES for name, size in found.items()}


def _numbered(
    parquet: pq.ParquetFile, columns: "Columns", groups: Sequence[int], first: int
) -> Iterator[Part]:
    """Yield the rows of some row groups, the first of them numbered `first`."""
    for batch in _batches(parquet, columns, groups):
        yield columns.part(batch, first)
        first += batch.num_rows


def _batches(parquet: pq.ParquetFile, columns: "Columns", groups: Sequence[int]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of some row groups in batches of about `BATCH_BYTES`, or of as many rows as one may have.

    What rows decode to is not known before: a page of a few distinct texts decodes to thousands of its size. So a few
    are decoded first, then as many as should fill a batch by what the last ones came to; where they are larger than
    that they are cut. What was decoded before damage is yielded before the error is raised.
    """
    held, old = _Held(columns, parquet.schema_arrow), _old_times(parquet)
    try:
        for batch in parquet.iter_batches(held.wanted, groups, columns.needed, use_threads=False):
            yield from held.take(columns.simple(_in_utc(batch, old)))
            # Asked for by pyarrow with every batch; its public function reads all batches in one size.
            parquet.reader.set_batch_size(held.wanted)
    except _UNREADABLE:
        yield from held.left()
        raise
    yield from held.left()


def _old_times(parquet: pq.ParquetFile) -> dict[str, pa.DataType]:
    """Return the columns that hold times as INT96, with the type that their values really have."""
    stored = [parquet.schema.column(place).physical_type for place in range(len(parquet.schema))]
    if "INT96" not in stored:
        return {}
    rest = iter(stored)
    types = {field.name: (field.type, arrow.in_utc(field.type, rest)) for field in parquet.schema_arrow}
    return {name: meant for name, (said, meant) in types.items() if "UTC" in str(meant) and meant != said}


def _in_utc(batch: pa.RecordBatch, types: Mapping[str, pa.DataType]) -> pa.RecordBatch:
    """Return the batch with these columns of these types."""
    for name, dtype in types.items():
        if (place := batch.schema.get_field_index(name)) >= 0:
            batch = batch.set_column(place, name, batch.column(place).cast(dtype))
    return batch


class _Held:
    """Rows decoded and not handed on yet; `wanted` says how many to decode next."""

    def __init__(self, columns: "Columns", schema: pa.Schema) -> None:
        is_nested = any(pa.types.is_nested(field.type) for field in schema)
        self._most = _MOST_NESTED if is_nested else _MOST_ROWS
        self._batches: list[pa.RecordBatch] = []
        self._rows = self._bytes = 0
        # Rows without columns are made all at once, by the first size asked for.
        self.wanted = _FIRST_ROWS if columns.needed else self._most

    def take(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Take decoded rows, and yield batches that are full."""
        size = max(1, batch.nbytes)
        if size > BATCH_BYTES:
            yield from self.left()
            yield from cut(batch)
        else:
            self._batches.append(batch)
            self._rows += batch.num_rows
            self._bytes += size
            if self._bytes >= _FULL * BATCH_BYTES or self._rows >= self._most:
                yield from self.left()
        fitting = (BATCH_BYTES - self._bytes) * batch.num_rows // size
        most = min(_GROWTH * batch.num_rows, _MOST_AT_ONCE, self._most - self._rows)
        self.wanted = max(1, min(fitting, most))

    def left(self) -> Iterator[pa.RecordBatch]:
        """Yield what is held, if anything is, as one batch."""
        if self._batches:
            yield self._batches[0] if len(self._batches) == 1 else pa.concat_batches(self._batches)
        self._batches, self._rows, self._bytes = [], 0, 0
