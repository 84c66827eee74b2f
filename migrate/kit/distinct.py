"""Columns → which of their rows are alike, so that what many rows share is worked out once.

Mappings use `Recurring` (of several columns, by expressions) and `Once` (of one column's texts, by a function of
columns); nothing that comes of a row is another for it, only the time it takes.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import polars as pl

_MOST: Final = 1 << 62
"""Numbers of rows stay below it."""
_REMEMBERED: Final = 4_096
"""Distinct rows kept from chunk to chunk: to work out 300 takes as long as to map 500 rows (measured)."""


class Distinct(NamedTuple):
    """`places`: where each distinct row stands first, in that order; `codes`: which of these each row is."""

    places: pl.Series
    codes: pl.Series


def distinct(columns: Sequence[pl.Series]) -> Distinct:
    """Return which rows of these columns, of the same length, are alike; a null is like a null.

    Arrow's dictionaries take a third of what `unique` and a join take, and run in the thread that asks (measured).
    """
    codes, kinds = _codes(columns[0])
    for column in columns[1:]:
        more, several = _codes(column)
        if kinds * several > _MOST:
            codes, kinds = _codes(codes)
        codes, kinds = codes * several + more, kinds * several
    if len(columns) > 1:
        codes, _ = _codes(codes)
    return Distinct((codes.cum_max().diff().fill_null(1) > 0).arg_true(), codes)


def on_unique(
    columns: pl.Series, dtype: pl.DataType | type[pl.DataType], function: Callable[..., Any]
) -> pl.Series:
    """Return what `function` makes of each distinct value; a null (or a struct of nulls) stays null, uncalled.

    A struct's fields are the function's arguments, in their order.
    """
    table = columns.struct.unnest() if isinstance(columns.dtype, pl.Struct) else columns.to_frame("value")
    if all(column.null_count() == table.height for column in table.get_columns()):
        return pl.repeat(None, table.height, dtype=dtype, eager=True).alias(columns.name)
    found = distinct(table.get_columns())
    given = table[found.places].iter_rows()
    results = [None if all(value is None for value in row) else function(*row) for row in given]
    return pl.Series(columns.name, results, dtype=dtype).gather(found.codes)


def unless_null(
    given: pl.Expr, made: Callable[[pl.Series], pl.Series], dtype: pl.DataType | type[pl.DataType]
) -> pl.Expr:
    """Return what is made of values that many files do not have; of nothing but nulls, nulls, without asking.

    `made` takes the column and returns one of `dtype`, of the same length.
    """

    def told(values: pl.Series) -> pl.Series:
        if values.null_count() == values.len():
            return pl.repeat(None, values.len(), dtype=dtype, eager=True).alias(values.name)
        return made(values).alias(values.name)

    return given.map_batches(told, return_dtype=dtype, is_elementwise=True)


def slim(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with one null column in the place of all that are null throughout and of one type.

    Each of them takes 16 bytes a row otherwise, and formats have many columns that hardly a file fills.
    """
    nothing: dict[pl.DataType, pl.Series] = {}
    columns = []
    for column in frame.get_columns():
        if column.null_count() == frame.height:
            columns.append(nothing.setdefault(column.dtype, column).alias(column.name))
        else:
            columns.append(column)
    return pl.DataFrame(columns)


def rows_where(frame: pl.DataFrame, is_kept: pl.Series) -> pl.DataFrame:
    """Return some rows of a frame; of columns that are null throughout nothing is copied."""
    height = int(is_kept.sum())
    return pl.DataFrame(
        [
            column.head(height) if column.null_count() == frame.height else column.filter(is_kept)
            for column in frame.get_columns()
        ]
    )


def together(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return frames of the same columns as one that is `slim`."""
    height = sum(frame.height for frame in frames)
    nothing: dict[pl.DataType, pl.Series] = {}
    columns = []
    for pieces in zip(*(frame.get_columns() for frame in frames), strict=True):
        first = pieces[0]
        if sum(piece.null_count() for piece in pieces) < height:
            columns.append(pl.concat(pieces, rechunk=True))
        else:
            columns.append(nothing.setdefault(first.dtype, first.clear(height)).alias(first.name))
    return pl.DataFrame(columns)


def _codes(column: pl.Series) -> tuple[pl.Series, int]:
    """Return a number for each value, counted from 0 in the order in which they appear, and how many there are."""
    encoded = column.to_arrow().dictionary_encode(null_encoding="encode")
    return pl.Series(encoded.indices, dtype=pl.Int64), len(encoded.dictionary)


class Recurring:
    """Expressions of text columns that hold few distinct rows, worked out once for each of them, not once a row.

    `columns` are the columns of String that the expressions use, and they may use no others; `groups` are the
    expressions by name, in groups that are taken out together. Browsers, devices and countries are such: a million
    events have a few hundred. Made once, when the mapping is loaded:

        DEVICE = Recurring(["os", "model"], {"device": {"$os": values.system(pl.col("os"))}})
        rows.with_columns(DEVICE.struct().alias("_device"))
        extra=DEVICE.told("device", pl.col("_device"))
    """

    def __init__(
        self,
        columns: Sequence[str],
        groups: Mapping[str, Mapping[str, pl.Expr]],
        *,
        remembered: int = _REMEMBERED,
    ) -> None:
        schema = dict.fromkeys(columns, pl.String)
        self._columns = list(columns)
        self._names = {group: tuple(exprs) for group, exprs in groups.items()}
        named = (expr.alias(name) for exprs in groups.values() for name, expr in exprs.items())
        self._exprs = pl.struct(named).alias("found")
        nothing = pl.LazyFrame(schema=schema)
        self._dtype = nothing.select_seq(self._exprs).collect_schema()["found"]
        self._nothing = nothing.collect(), pl.Series("found", dtype=self._dtype)
        self._known = self._nothing
        self._remembered = remembered

    def struct(self) -> pl.Expr:
        """Return a struct of all the expressions, over the columns of these names; `told` takes groups out of it."""
        return self.over(pl.col)

    def over(self, column: Callable[[str], pl.Expr]) -> pl.Expr:
        """Return the same, where `column` says how a column is found in the rows."""
        rows = pl.struct(column(name).alias(name) for name in self._columns)
        return rows.map_batches(self._told, return_dtype=self._dtype, is_elementwise=True)

    def told(self, group: str, struct: pl.Expr) -> dict[str, pl.Expr]:
        """Return a group of the expressions, taken from the struct, by name."""
        return {name: struct.struct.field(name) for name in self._names[group]}

    def _told(self, given: pl.Series) -> pl.Series:
        """Return what the expressions say of these rows; several threads may ask."""
        rows = given.struct.unnest()
        here = distinct(rows.get_columns())
        known, found = self._known
        both = pl.concat([known, rows[here.places]])
        ever = distinct(both.get_columns())  # those known stand first, and are distinct
        if ever.places.len() > known.height:
            new = both[ever.places.slice(known.height)].select_seq(self._exprs).to_series()
            known, found = both[ever.places], pl.concat([found, new], rechunk=True)
            self._known = (known, found) if found.len() <= self._remembered else self._nothing
        of_distinct = found.gather(ever.codes.slice(both.height - here.places.len()))
        return of_distinct.gather(here.codes).alias(given.name)


class Once:
    """What is made of the texts of a column that many rows share, for each of them once, also from chunk to chunk.

    `made` takes a column of text and returns one of any type, of the same length; a value depends on its text alone.
    """

    def __init__(self, made: Callable[[pl.Series], pl.Series]) -> None:
        self._dtype = made(pl.Series(dtype=pl.String)).dtype
        told = pl.col("text").map_batches(made, return_dtype=self._dtype, is_elementwise=True)
        self._recurring = Recurring(("text",), {"all": {"told": told}})

    def told(self, text: pl.Expr) -> pl.Expr:
        """Return it for these texts; of null, null."""
        return unless_null(text, self._read, self._dtype)

    def _read(self, texts: pl.Series) -> pl.Series:
        told = self._recurring.struct().struct.field("told")
        return texts.to_frame("text").select_seq(told).to_series()
