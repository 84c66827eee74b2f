"""The frames that go into a mapping and come out of it: their columns and types, and the check of what comes out.

Mappings do not need it: `declare` says what a row has, `events` and `links` build the frames.
"""

from typing import Final

import polars as pl

from migrate.kit.declare import (
    AGAIN,
    FILE,
    OWN,
    PERSON,
    POSITION,
    PROPERTIES,
    RECOVERED,
    REST,
    ROW,
    WHOLE,
    Computed,
    Options,
    Table,
)

Schema = dict[str, pl.DataType | type[pl.DataType]]
"""Column names and their types."""

TIMESTAMP: Final = pl.Datetime("us", "UTC")

FRAMEWORK: Final[Schema] = {
    ROW: pl.Int64,
    POSITION: pl.Int64,
    REST: pl.String,
    FILE: pl.String,
    PERSON: pl.String,
    RECOVERED: pl.String,
    AGAIN: pl.Boolean,
    PROPERTIES: pl.String,
    OWN: pl.String,
    WHOLE: pl.String,
}
"""What every row has beside the columns its table declares."""

TEXT_COLUMNS: Final = ("event", "distinct_id", "dedup_key", "uuid", "laid", "own", "properties", "rest")
OBJECT_COLUMNS: Final = ("extra", "set", "set_once", "groups")
"""The event frame beside `ROW` and `timestamp`; an object is a struct, or JSON object text."""

_TOLD: Final[Schema] = {ROW: pl.Int64, "distinct_id": pl.String, "timestamp": TIMESTAMP}
PROFILE_SCHEMA: Final = pl.Schema(_TOLD | dict.fromkeys(("set", "set_once"), pl.String))
GROUP_SCHEMA: Final = pl.Schema(_TOLD | dict.fromkeys(("group_type", "group_key", "properties"), pl.String))

_LINK: Final[Schema] = {
    "kind": pl.String,
    "a": pl.String,
    "b": pl.String,
    "time": TIMESTAMP,
    "why": pl.String,
}
LINK_SCHEMA: Final = pl.Schema(_LINK)
RECOVERY_SCHEMA: Final = pl.Schema({"key": pl.String, "name": pl.String, "value": pl.String})
CLOCK_SCHEMA: Final = pl.Schema({"month": pl.String, "offset": pl.Int64, "rows": pl.Int64})

KEY: Final = "\x1f"
"""What `links.key` puts before keys that are no ids."""


def row_schema(table: Table, options: Options) -> Schema:
    """Return the columns that a table's rows have under these options, with their types."""
    inside = (name for column, bag in table.bags_under(options).items() for name in bag.columns(column))
    known = {**table.columns, **dict.fromkeys((*inside, *table.joined()), pl.String()), **FRAMEWORK}
    for name, one in table.computed.items():
        known[name] = computed_type(one, known)
    return known


def computed_type(computed: Computed, known: Schema) -> pl.DataType:
    """Return the type that a computed column has, of columns of these types."""
    asked = {name: known[column] for name, column in computed.sources().items() if column in known}
    return pl.LazyFrame(schema=asked).select_seq(computed.value.alias("value")).collect_schema()["value"]


def typed(frame: pl.DataFrame) -> pl.DataFrame:
    """Return an event frame in which an object column that holds nothing, and so has no type, is text."""
    untyped = [name for name in OBJECT_COLUMNS if frame.schema[name] == pl.Null]
    return (
        frame.with_columns_seq(pl.lit(None, pl.String).alias(name) for name in untyped) if untyped else frame
    )


def schema_errors(schema: pl.Schema) -> list[str]:
    """Return what is wrong with an event frame's schema, a sentence each; empty when it is right."""
    expected = {ROW: pl.Int64(), "timestamp": TIMESTAMP} | dict.fromkeys(TEXT_COLUMNS, pl.String())
    wrong = [
        f"{name}: expected {dtype}, found {schema.get(name)}"
        for name, dtype in expected.items()
        if schema.get(name) != dtype
    ]
    wrong += [
        f"{name}: expected a struct or text, found {schema.get(name)}"
        for name in OBJECT_COLUMNS
        if not isinstance(schema.get(name), (pl.Struct, pl.String, pl.Null))
    ]
    unknown = sorted(set(schema) - set(expected) - set(OBJECT_COLUMNS))
    return wrong + [f"{name}: not a column of the event frame" for name in unknown]
