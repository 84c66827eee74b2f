"""What is so in row after row, worked out once: what a device is, where it stands, what runs on it."""

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

REMEMBERED: Final = 20_000
"""Distinct rows; 10 MB of them, and a day of one product has a few thousand kinds of devices."""


class Recurring:
    """Expressions of text columns that hold few distinct rows, worked out for each distinct one.

    They must depend on these columns alone. What was worked out is kept for the next chunk, so that what small frames
    cost by themselves is not paid by every chunk.
    """

    def __init__(self, columns: Sequence[str], groups: Mapping[str, Mapping[str, pl.Expr]]) -> None:
        schema = dict.fromkeys(columns, pl.String)
        self._columns = list(columns)
        self._names = {group: tuple(exprs) for group, exprs in groups.items()}
        named = (expr.alias(name) for exprs in groups.values() for name, expr in exprs.items())
        self._exprs = pl.struct(named).alias("found")
        self._known = pl.LazyFrame(schema=schema).with_columns(self._exprs).collect()

    def struct(self) -> pl.Expr:
        """Return a struct of all the expressions."""
        dtype = self._known.schema["found"]
        return pl.struct(self._columns).map_batches(self._told, return_dtype=dtype, is_elementwise=True)

    def told(self, group: str, struct: pl.Expr) -> dict[str, pl.Expr]:
        """Return a group of the expressions, taken from the struct, by name."""
        return {name: struct.struct.field(name) for name in self._names[group]}

    def _told(self, given: pl.Series) -> pl.Series:
        """Return what the expressions say of these rows."""
        rows, known = given.struct.unnest(), self._known
        new = rows.unique().join(known, on=self._columns, how="anti", nulls_equal=True)
        if new.height:
            made = new.with_columns(self._exprs)
            known = pl.concat([known, made])
            # Threads that do this at the same time forget each other's rows, which are then worked out again.
            self._known = known if known.height <= REMEMBERED else made.head(REMEMBERED)
        found = rows.join(known, on=self._columns, how="left", nulls_equal=True, maintain_order="left")
        return found["found"].alias(given.name)
