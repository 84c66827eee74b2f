"""What is so in row after row, worked out once: what a device is, where it stands, what runs on it."""

from collections.abc import Mapping, Sequence

import polars as pl


class Recurring:
    """Expressions of text columns that hold few distinct rows, worked out for each distinct one.

    They must depend on these columns alone.
    """

    def __init__(self, columns: Sequence[str], groups: Mapping[str, Mapping[str, pl.Expr]]) -> None:
        schema = dict.fromkeys(columns, pl.String)
        self._columns = list(columns)
        self._names = {group: tuple(exprs) for group, exprs in groups.items()}
        named = (expr.alias(name) for exprs in groups.values() for name, expr in exprs.items())
        self._exprs = pl.struct(named).alias("found")
        self._dtype = pl.LazyFrame(schema=schema).select_seq(self._exprs).collect_schema()["found"]

    def struct(self) -> pl.Expr:
        """Return a struct of all the expressions."""
        rows = pl.struct(self._columns)
        return rows.map_batches(self._told, return_dtype=self._dtype, is_elementwise=True)

    def told(self, group: str, struct: pl.Expr) -> dict[str, pl.Expr]:
        """Return a group of the expressions, taken from the struct, by name."""
        return {name: struct.struct.field(name) for name in self._names[group]}

    def _told(self, given: pl.Series) -> pl.Series:
        """Return what the expressions say of these rows."""
        rows = given.struct.unnest()
        made = rows.unique().with_columns_seq(self._exprs)
        found = rows.join(made, on=self._columns, how="left", nulls_equal=True, maintain_order="left")
        return found["found"].alias(given.name)
