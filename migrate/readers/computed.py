"""Columns computed of those that were read: rows that an expression fails on are found, counted, and have null."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

import polars as pl

from migrate.kit.declare import ROW, Computed, Table
from migrate.kit.distinct import Distinct, distinct
from migrate.kit.schemas import computed_type

_VALUE: Final = "\x1fvalue"
_NUMBER: Final = "\x1frow"
"""Names that no expression asks for."""
_FAILURES: Final = (pl.exceptions.PolarsError, pl.exceptions.PanicException)
"""What polars raises where an expression fails; a panic of its own is no `Exception`."""


def with_computed(rows: pl.DataFrame, table: Table, counts: Counter[str]) -> pl.DataFrame:
    """Return the rows with the columns that a table computes; what could not be worked out is null, and counted.

    What a row gets does not depend on the rows around it.
    """
    for name, one in table.computed.items():
        counted = name if one.counted is None else one.counted
        value = _values(rows, one, counts, counted)
        if value.dtype.is_float() and (endless := int((~value.is_finite()).sum() or 0)):
            counts["non_finite_number"] += endless
            value = value.set(~value.is_finite(), None)
        lost = value.null_count() - rows[one.of].null_count() if one.of is not None else 0
        if lost:
            counts[f"wrong_type.{counted}"] += lost
        rows = rows.with_columns_seq(value.alias(name))
    return rows


def _values(rows: pl.DataFrame, computed: Computed, counts: Counter[str], counted: str) -> pl.Series:
    """Return what an expression comes to in each row."""
    columns = [rows[column].alias(name) for name, column in computed.sources().items()]
    given = pl.DataFrame([rows[ROW].alias(_NUMBER), *columns])
    found = _tried(given, computed.value)
    if found is not None:
        return found
    if not rows.height:
        return pl.Series(dtype=computed_type(computed, dict(rows.schema)))
    alike = _alike(columns, rows.height)
    pieces = list(_piecewise(given[alike.places], computed.value))
    lone = pl.Series([None], dtype=computed_type(computed, dict(rows.schema)))
    values = pl.concat([lone if piece is None else piece for piece in pieces])
    failed = pl.Series(
        [is_none for piece in pieces for is_none in [piece is None] * (1 if piece is None else piece.len())]
    )
    counts[f"expression_failed.{counted}"] += int(failed.gather(alike.codes).sum())
    return values.gather(alike.codes)


def _alike(columns: list[pl.Series], height: int) -> Distinct:
    """Return which rows are alike, so that a value that fails is looked for once."""
    if columns and not any(column.dtype.is_nested() for column in columns):
        return distinct(columns)
    every = pl.int_range(height if columns else 1, eager=True)
    return Distinct(every, every if columns else every.new_from_index(0, height))


def _piecewise(rows: pl.DataFrame, value: pl.Expr) -> Iterator[pl.Series | None]:
    """Yield the values of rows stretch by stretch, halved until each row that fails stands alone: None of that."""
    found = _tried(rows, value)
    if found is not None or rows.height == 1:
        yield found
        return
    middle = rows.height // 2
    yield from _piecewise(rows.slice(0, middle), value)
    yield from _piecewise(rows.slice(middle), value)


def _tried(rows: pl.DataFrame, value: pl.Expr) -> pl.Series | None:
    """Return the values; None where polars fails on any row."""
    try:
        return rows.with_columns_seq(value.alias(_VALUE)).get_column(_VALUE)
    except _FAILURES:
        return None
