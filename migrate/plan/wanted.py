"""What rejected rows lack → the columns that decide it, so that who mends them knows where it is looked for."""

from collections import Counter
from collections.abc import Container, Sequence
from typing import Final

import polars as pl

from migrate.kit.declare import ROW, Options, Table
from migrate.kit.schemas import row_schema
from migrate.plan.transform import Transform
from migrate.readers.computed import with_computed

OWNER: Final = "no_distinct_id"
TIMES: Final = ("bad_timestamp", "no_timestamp")


class Wanted:
    """Knows of each table whose columns are asked for; what a table's ids decide is tried once."""

    def __init__(self) -> None:
        self._owners: dict[int, tuple[Table, list[str]]] = {}

    def of(self, transform: Transform, reasons: Container[str]) -> dict[str, dict[str, list[str]]]:
        """Return, of these reasons, those that a column decides: reason -> the table's name -> the columns."""
        table = transform.table
        found: dict[str, Sequence[str]] = {reason: table.times for reason in TIMES if reason in reasons}
        if OWNER in reasons:
            if id(table) not in self._owners:
                self._owners[id(table)] = table, deciding(table, transform.options)
            found[OWNER] = self._owners[id(table)][1]
        return {reason: {table.name: [*columns]} for reason, columns in found.items() if columns}


def deciding(table: Table, options: Options) -> list[str]:
    """Return the columns of ids each of which alone makes a row somebody's; none where a row without any is, too."""
    schema = {name: dtype for name, dtype in row_schema(table, options).items() if name not in table.computed}
    ids = [name for name in table.ids if name in schema]
    rows = pl.DataFrame({name: [None] * (len(ids) + 1) for name in schema}, schema=schema)
    alone = [
        pl.when(pl.int_range(pl.len()) == place).then(pl.lit("x")).cast(schema[name]).alias(name)
        for place, name in enumerate(ids)
    ]
    rows = rows.with_columns(pl.int_range(pl.len()).cast(schema[ROW]).alias(ROW), *alone)
    rows = with_computed(rows, table, Counter())
    made = table.to_events(rows.lazy(), options).select(ROW, "distinct_id").drop_nulls().collect()
    owned = {*made[ROW].to_list()}
    return [] if len(ids) in owned else [name for place, name in enumerate(ids) if place in owned]
