"""A state: what is told of one person or group, whose it is, and in which order states stand."""

from typing import Final

import polars as pl

from migrate.kit import events
from migrate.kit.declare import ROW, Schema

COLUMNS: Final[Schema] = {
    "owner": pl.String,
    "what": pl.String,
    "timestamp": events.TIMESTAMP,
    "distinct_id": pl.String,
    "told": pl.String,
}
SCHEMA: Final = pl.Schema(COLUMNS)
"""`owner`: whose it is, a person's or a group's; `what` is told (see below) and, as JSON text, what it is."""
STATE: Final = "state"
ONCE: Final = "once"
"""How a person first came."""
FIRST: Final = "first"
LAST: Final = "last"
"""When a person, or a group, was seen first, and a person last."""
PLACE_SEEN: Final = "place"
"""Where a person was seen, as PostHog's own step would put it on the person (posthog-ingestion.md §8)."""
EARLIEST: Final = (ONCE, FIRST)
PERSON: Final = "p"
GROUP: Final = "g"
BETWEEN: Final = "\x1f"
AT_ONCE: Final = 20_000


def nothing() -> pl.DataFrame:
    """Return no states."""
    return pl.DataFrame(schema={ROW: pl.Int64, **COLUMNS})


def group_of() -> tuple[pl.Expr, pl.Expr]:
    """Return type and key of a group as an owner."""
    parts = pl.col("owner").str.slice(1).str.splitn(BETWEEN, 2).struct
    return parts.field("field_0"), parts.field("field_1")


def order() -> list[pl.Expr]:
    """Return what states are put in order by: whose, when (what is of the export last), and then by what they say."""
    time = pl.col("timestamp")
    return [pl.col("owner"), time.is_null(), time, pl.col("what"), pl.col("told"), pl.col("distinct_id")]
