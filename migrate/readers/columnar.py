"""Batches of a columnar file (Parquet, ORC, Avro) → parts: declared columns as text, the others as JSON has them."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Self

import polars as pl
import pyarrow as pa

from migrate.kit.declare import REST, ROW, Table
from migrate.readers import arrow
from migrate.readers.records import Header, Part, aliases, spelled
from migrate.readers.wide import is_wide, stretches, wide_object_text

BATCH_BYTES: Final = 4 << 20
"""What the rows of a batch take once they are decoded, about."""


def cut(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Yield a batch in halves, and halves of these, until they have no more than `BATCH_BYTES`, or one row."""
    if batch.nbytes <= BATCH_BYTES or batch.num_rows <= 1:
        yield batch
        return
    middle = batch.num_rows // 2
    yield from cut(batch.slice(0, middle))
    yield from cut(batch.slice(middle))


_CUT_OFF: Final = ("magic bytes not found in footer", "Parquet file size is", "postscript")
"""What Parquet's and ORC's readers say of a file that begins as one, and does not end as one."""


def damage(error: Exception) -> str:
    """Return what is wrong with a file that cannot be read."""
    if any(words in str(error) for words in _CUT_OFF):
        return "the file is cut off before its end, where it says what it holds; fetch it again"
    return str(error)


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
