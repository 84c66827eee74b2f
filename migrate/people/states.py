"""A state: what is told of one person or group, whose it is, and in which order states stand."""

from typing import Final

import polars as pl

from migrate.kit import schemas
from migrate.kit.declare import ROW
from migrate.kit.schemas import Schema

COLUMNS: Final[Schema] = {
    "owner": pl.String,
    "what": pl.String,
    "timestamp": schemas.TIMESTAMP,
    "distinct_id": pl.String,
    "told": pl.String,
}
SCHEMA: Final = pl.Schema(COLUMNS)
"""`owner`: the person or group it is about, after `PERSON` or `GROUP`. `what`: its kind, one of those below.

`told`: the state itself as JSON text. `distinct_id`: who told it. `timestamp`: when; null for a state as of the export.
"""
STATE: Final = "state"
"""The properties of a person or group."""
ONCE: Final = "once"
"""How a person first came."""
FIRST: Final = "first"
"""When a person or group was first seen."""
LAST: Final = "last"
"""When a person was last seen."""
PLACE_SEEN: Final = "place"
"""Where a person was seen, as PostHog's own step would put it on the person (posthog-ingestion.md §8)."""
EARLIEST: Final = (ONCE, FIRST)
PERSON: Final = "p"
"""Stands before a person's id in `owner`."""
PLACE_OF: Final = "l"
"""Stands before a person's id in the notes of where they were seen."""
GROUP: Final = "g"
"""Stands before a group's type, `BETWEEN` and its key in `owner`."""
BETWEEN: Final = "\x1f"
AT_ONCE: Final = 20_000
"""States that are read, or become events, at once."""


def nothing() -> pl.DataFrame:
    """Return a frame of no states."""
    return pl.DataFrame(schema={ROW: pl.Int64, **COLUMNS})


def group_of() -> tuple[pl.Expr, pl.Expr]:
    """Return the group type and the group key that an `owner` holds."""
    parts = pl.col("owner").str.slice(1).str.splitn(BETWEEN, 2).struct
    return parts.field("field_0"), parts.field("field_1")


def order() -> list[pl.Expr]:
    """Return the sort keys of states: owner, then time (states as of the export last), then what they say."""
    time = pl.col("timestamp")
    return [pl.col("owner"), time.is_null(), time, pl.col("what"), pl.col("told"), pl.col("distinct_id")]
