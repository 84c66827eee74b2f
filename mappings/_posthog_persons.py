"""PostHog's persons, a row for each distinct_id: who is one with whom, and what is known of each last.

The persons model of batch exports: `team_id`, `distinct_id`, `person_id`, `properties`, `person_version`,
`person_distinct_id_version`, `created_at`, `_inserted_at`, `is_deleted`
(https://posthog.com/docs/cdp/batch-exports/s3 and /databricks, read 2026-11-29).

Rows of one `person_id` are told of each other by it: one of their distinct_ids stands for the person, and each other is
merged into it by a `$identify`, as of the person's creation. Events keep the distinct_ids that they have.
"""

from typing import Final

import polars as pl

from migrate.kit import events, expr, links, objects
from migrate.kit.declare import RECOVERED, Options, Table

HEAD: Final = "head"
_DEVICE: Final = r"^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$"
"""The distinct_ids that PostHog's libraries make up, which stand for a person only where there is no other."""


def is_persons(columns: frozenset[str]) -> bool:
    """Return whether these are columns of the persons export."""
    return "event" not in columns and {"distinct_id", "person_id"} <= columns


def here() -> pl.Expr:
    """Return whether a row's person was not deleted."""
    return ~expr.boolean(pl.col("is_deleted")).fill_null(value=False)


def head() -> pl.Expr:
    """Return the distinct_id that stands for a row's person: of all of them the greatest, users' before devices'."""
    told = objects.fields(pl.col(RECOVERED), [HEAD]).struct.field(HEAD)
    return told.str.slice(1)


def to_recoveries(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return the distinct_ids of each person; of one key the greatest counts, see `links.recoveries`."""
    one = pl.col("distinct_id")
    rank = pl.when(one.str.contains(_DEVICE)).then(pl.lit("0")).otherwise(pl.lit("1"))
    name = pl.lit(HEAD)
    return links.recoveries(
        rows.filter(here()), key=pl.col("person_id"), name=name, value=pl.concat_str(rank, one)
    )


def to_events(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the `$identify` by which each distinct_id becomes one with the one that stands for its person."""
    own = pl.col("distinct_id")
    person = pl.coalesce(head(), own)
    merged = rows.filter((person != own).fill_null(value=True))
    return events.events(
        merged,
        event=pl.lit("$identify"),
        distinct_id=person,
        timestamp=expr.timestamp(pl.col("created_at"), zone=options.source_timezone),
        dedup_key=expr.key(pl.lit("person"), own, person),
        extra={"$anon_distinct_id": own},
    )


def to_profiles(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return what is known of each person, under the distinct_id that stands for it, as of when the row was written."""
    return events.profiles(
        rows.filter(here()),
        distinct_id=pl.coalesce(head(), pl.col("distinct_id")),
        timestamp=expr.timestamp(pl.col("_inserted_at"), zone=options.source_timezone),
        set=pl.col("properties"),
    )


PERSONS: Final = Table(
    name="persons",
    columns=dict.fromkeys(
        ("distinct_id", "person_id", "properties", "created_at", "_inserted_at", "is_deleted"), pl.String
    ),
    matches=is_persons,
    to_events=to_events,
    to_profiles=to_profiles,
    to_recoveries=to_recoveries,
    recover=pl.col("person_id"),
    link_columns=("distinct_id", "person_id", "is_deleted"),
    times=("created_at",),
    ids=("distinct_id", "person_id"),
    objects=("properties",),
    filters={"deleted": ~here()},
    dropped=frozenset({"team_id", "person_version", "person_distinct_id_version"}),
    left_out=bool,
)
