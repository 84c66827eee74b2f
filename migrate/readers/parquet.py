"""Parquet: columns found by name, batch by batch, with flat memory."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Self

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from migrate.inputs.source import Source
from migrate.inputs.streams import Truncated
from migrate.kit.declare import REST, ROW, Table
from migrate.readers import arrow
from migrate.readers.records import Header, Part, aliases, reject, spelled
from migrate.readers.wide import is_wide, side_by_side, stretches, wide_object_text

_BATCH_BYTES: Final = 4 << 20
"""What the rows of a batch take once they are decoded, about."""
_FULL: Final = 0.9
"""How full a batch is handed on: a few rows more would cost as much as many."""
_MOST_ROWS: Final = 16_384
_MOST_NESTED: Final = 4_096
"""Nested values become text of many times the size that they have."""
_FIRST_ROWS: Final = 8
_GROWTH: Final = 8
"""How many times as many rows as the last time are decoded at the most."""
_MOST_AT_ONCE: Final = 4_096
"""Rows decoded at the most before they are weighed: those to come may be much larger than those before."""
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
    row = 1
    try:
        with (
            source.seekable() as file,
            pq.ParquetFile(
                file, pre_buffer=False, buffer_size=_BUFFER_BYTES, coerce_int96_timestamp_unit="us"
            ) as parquet,
        ):
            for part in _parts(parquet, columns):
                yield part
                row += part.rows.height
                if source.meter:
                    source.meter.at(row, parquet.metadata.num_rows)
    except _UNREADABLE as error:
        part = columns.part(pa.RecordBatch.from_pylist([], pa.schema([])), row)
        part.rejects.append(reject(None, "unreadable_file", str(error)))
        yield part


def _parts(parquet: pq.ParquetFile, columns: "Columns") -> Iterator[Part]:
    """Yield a file's rows; those of very many columns row group by row group, a stretch of columns at a time."""
    found = columns.stretches(_weights(parquet))
    if len(found) == 1:
        yield from _numbered(parquet, columns, range(parquet.num_row_groups), 1)
        return
    first = 1
    for group in range(parquet.num_row_groups):
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
    """Yield the rows of some row groups in batches of about `_BATCH_BYTES`, or of as many rows as one may have.

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
        if size > _BATCH_BYTES:
            yield from self.left()
            yield from cut(batch)
        else:
            self._batches.append(batch)
            self._rows += batch.num_rows
            self._bytes += size
            if self._bytes >= _FULL * _BATCH_BYTES or self._rows >= self._most:
                yield from self.left()
        fitting = (_BATCH_BYTES - self._bytes) * batch.num_rows // size
        most = min(_GROWTH * batch.num_rows, _MOST_AT_ONCE, self._most - self._rows)
        self.wanted = max(1, min(fitting, most))

    def left(self) -> Iterator[pa.RecordBatch]:
        """Yield what is held, if anything is, as one batch."""
        if self._batches:
            yield self._batches[0] if len(self._batches) == 1 else pa.concat_batches(self._batches)
        self._batches, self._rows, self._bytes = [], 0, 0


def cut(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Yield a batch in halves, and halves of these, until they have no more than `_BATCH_BYTES`, or one row."""
    if batch.nbytes <= _BATCH_BYTES or batch.num_rows <= 1:
        yield batch
        return
    middle = batch.num_rows // 2
    yield from cut(batch.slice(0, middle))
    yield from cut(batch.slice(middle))


Written = Callable[[pl.Expr, pl.DataType], pl.Expr]


class Columns:
    """Turns batches into parts."""

    def __init__(
        self,
        declared: Mapping[str, Written],
        spelling: Mapping[str, str],
        rest: Sequence[str],
        names: Mapping[str, str],
        *,
        as_text: bool,
    ) -> None:
        """`as_text`: whether the undeclared columns become JSON text here, as very many of them must."""
        self._as_text = as_text
        self.needed = [*dict.fromkeys(spelling.values()), *rest]
        self._declared, self._spelling, self._rest, self._aliases = declared, spelling, rest, names
        self._counts = Counter[str]()

    @classmethod
    def of(cls, table: Table, header: Header) -> Self:
        """Return the columns of a file that a table needs."""
        spelling = spelled(table.columns, header.columns)
        taken, passed_over = set(spelling.values()), {name.lower() for name in table.dropped}
        rest = [name for name in header.columns if name not in taken and name.lower() not in passed_over]
        names = aliases(header.columns)
        declared = {name: arrow.identifier if name in table.ids else arrow.text for name in table.columns}
        return cls(declared, spelling, rest, names, as_text=is_wide(rest))

    def stretches(self, weights: Mapping[str, float]) -> list[Self]:
        """Return the columns in as many as weigh no more than 1 each, the first with those that are declared."""
        found = stretches(self._rest, [weights.get(name, 0) for name in self._rest])
        if len(found) == 1:
            return [self]
        return [
            type(self)(
                {} if place else self._declared,
                {} if place else self._spelling,
                names,
                self._aliases,
                as_text=True,
            )
            for place, names in enumerate(found)
        ]

    def simple(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the needed columns of a batch in types polars takes; what is mended is counted with the next part."""
        places = {name: place for place, name in enumerate(batch.schema.names)}
        columns = {
            name: arrow.simple(batch.column(places[name]), self._counts)
            for name in self.needed
            if name in places
        }
        return pa.RecordBatch.from_arrays(list(columns.values()), list(columns)) if columns else batch

    def part(self, batch: pa.RecordBatch, first: int) -> Part:
        """Return a `simple` batch as text, its first row numbered `first`."""
        counts, self._counts = self._counts, Counter[str]()
        columns = zip(batch.schema.names, batch.columns, strict=True)
        frame = pl.DataFrame(
            {self._aliases[name]: pl.Series(column) for name, column in columns if name in self._aliases}
        )
        rows = pl.select(pl.int_range(first, first + batch.num_rows, dtype=pl.Int64).alias(ROW))
        rows = rows.with_columns_seq(frame.get_columns()).select_seq(
            ROW,
            *(self._cell(name, frame.schema).alias(name) for name in self._declared),
            *([self._rest_text(frame.schema).alias(REST)] if self._as_text else []),
        )
        if lost := _non_finite(frame):
            counts["non_finite_number"] = lost
        counts.update({name: lost for name, lost in _times_lost(frame) if lost})
        if self._as_text:
            return Part(rows, counts=counts)
        flat, digits = self._flat(frame)
        return Part(rows, counts=counts, flat=flat, json=digits)

    def _flat(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, frozenset[str]]:
        """Return the undeclared columns as JSON has them, and which of them are text of numbers: decimals."""
        columns, digits = [], set()
        for name in self._rest:
            alias = self._aliases[name]
            column, dtype = pl.col(alias), frame.schema.get(alias)
            if isinstance(dtype, pl.Decimal):
                columns.append(column.cast(pl.String).alias(alias))
                digits.add(name)
            elif dtype is not None and dtype != pl.Null:
                columns.append(arrow.ready(column, dtype).alias(alias))
        found = frame.select_seq(columns)
        names = {self._aliases[name]: name for name in self._rest}
        return pl.DataFrame([column.alias(names[column.name]) for column in found]), frozenset(digits)

    def _cell(self, declared: str, schema: pl.Schema) -> pl.Expr:
        name = self._aliases.get(self._spelling.get(declared, ""))
        if name is None or name not in schema:
            return pl.lit(None, dtype=pl.String)
        return self._declared[declared](pl.col(name), schema[name])

    def _rest_text(self, schema: pl.Schema) -> pl.Expr:
        columns, digits = {}, {}
        for name in self._rest:
            column, dtype = pl.col(self._aliases[name]), schema.get(self._aliases[name])
            if isinstance(dtype, pl.Decimal):
                digits[name] = column.cast(pl.String)
            elif dtype is not None and dtype != pl.Null:
                columns[name] = arrow.ready(column, dtype)
        return wide_object_text(columns, json=digits).cast(pl.String)


def _non_finite(frame: pl.DataFrame) -> int:
    """Count the numbers that are none, or infinite."""
    floats = [~pl.col(name).is_finite() for name, dtype in frame.schema.items() if dtype.is_float()]
    return sum(frame.select_seq(floats).sum().row(0)) if floats and frame.height else 0


def _times_lost(frame: pl.DataFrame) -> Iterator[tuple[str, int]]:
    """Yield how many dates and times no calendar has, and how many are cut to microseconds, at any depth."""
    for name, rule in {"impossible_time": arrow.is_impossible, "time_cut": arrow.is_finer}.items():
        tallies = [arrow.tally(pl.col(name), dtype, rule) for name, dtype in frame.schema.items()]
        some = [one.sum().alias(f"{n}") for n, one in enumerate(tallies) if one is not None]
        if some and frame.height:
            yield name, sum(frame.select_seq(some).row(0))
