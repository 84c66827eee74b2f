"""Folders `name=value` → columns of the rows that lie below them."""

import polars as pl

from migrate.jsontext.parse import encoded
from migrate.kit import objects
from migrate.kit.declare import REST, Table
from migrate.readers.records import (
    Header,
    Part,
)


def with_partitions(part: Part, table: Table, header: Header) -> Part:
    """Return a part with what the folders say of its rows; where the file has a column of that name, that counts."""
    own = {name.lower(): name for name in header.columns}
    declared = {name.lower(): name for name in table.columns}
    dropped = {name.lower() for name in table.dropped}
    passing: dict[str, str] = {}
    for name, value in header.partitions:
        column, lowered = declared.get(name.lower()), name.lower()
        if lowered in own:
            _compare(part, column, own[lowered], value)
        elif column is not None:
            part.rows = part.rows.with_columns(pl.lit(value, pl.String).alias(column))
        elif lowered in dropped:
            continue
        elif table.partitions and value is not None:
            passing[name] = value
        elif not table.partitions:
            part.counts[f"partition_left_out.{name}"] += part.rows.height
    if passing and part.flat is not None:
        height = part.rows.height
        columns = (pl.Series(name, [value]).new_from_index(0, height) for name, value in passing.items())
        part.flat = pl.DataFrame([*part.flat.get_columns(), *columns])
    elif passing:
        said = pl.lit(encoded(passing).decode())
        part.rows = part.rows.with_columns(objects.completed(pl.col(REST), said).alias(REST))
    return part


def _compare(part: Part, column: str | None, name: str, value: str | None) -> None:
    """Count the rows whose own column says something else than their folder."""
    if column is not None:
        own = part.rows[column]
    elif part.flat is None:
        own = part.rows.select_seq(objects.fields(pl.col(REST), [name]).struct.field(name)).to_series()
    elif name in part.flat.columns:
        own = part.flat[name].cast(pl.String)
    else:
        return
    differing = int((own.is_not_null() & own.ne_missing(pl.Series([value], dtype=pl.String))).sum())
    if differing:
        part.counts[f"partition_differs.{name}"] += differing
