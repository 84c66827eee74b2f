"""Heap's tables: what they are called, which events are called after them, and how their files are told."""

import re
from typing import Final

import polars as pl

from mappings._heap_columns import slug
from migrate.kit import expr
from migrate.kit.declare import FILE, Options

PAGEVIEWS: Final = re.compile(r"(.*\.)?(heap_)?pageviews?(_raw)?")
SESSIONS: Final = re.compile(r"(.*\.)?(heap_)?sessions?(_raw)?")
"""Names of the built-in tables, perhaps after a schema's; `pageviews_pricing` is a labelled event."""


def table_name() -> pl.Expr:
    """Return the name of the table a row stands in: that of its file, or what all_events says."""
    file = expr.stripped(pl.col("event_table_name")).fill_null(pl.col(FILE))
    name = pl.when(slug(file).is_in(["event", "events"])).then(expr.stripped(pl.col("event_name")))
    return pl.coalesce(name, file)  # Fivetran has one table of all labelled events, named in `event_name`


def event_name(options: Options) -> pl.Expr:
    """Return the event's name: the label given for its table, `$pageview` for pageviews, else the table's name."""
    is_page = pl.col("_table").str.to_lowercase().str.contains(f"^(?:{PAGEVIEWS.pattern})$")
    named = pl.when(is_page).then(pl.lit("$pageview")).otherwise(pl.col("_table"))
    labels = {name.lower(): label for name, label in options.labels.items()}
    label = pl.col("_table").str.to_lowercase().replace_strict(labels, default=None, return_dtype=pl.String)
    return pl.coalesce(label, named)


def own_table(options: Options) -> pl.Expr:
    """Return whether a row of all_events also stands in a table of its own, with its properties, that is planned."""
    names = {re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") for name in options.files}
    for pattern, builtin in ((PAGEVIEWS, "pageview"), (SESSIONS, "session")):
        if any(pattern.fullmatch(name) for name in options.files):
            names |= {builtin, f"{builtin}s"}
    return slug(pl.col("event_table_name")).is_in(sorted(names))


def is_users(columns: frozenset[str]) -> bool:
    """Return whether these are the columns of users: no event, and something only a user has."""
    known = columns & {"identity", "joindate", "join_date", "last_modified", "handle"}
    return "user_id" in columns and not columns & {"event_id", "session_id"} and bool(known)


def is_export(columns: frozenset[str]) -> bool:
    """Return whether these are the keys of events of the one-time export: own properties are an object."""
    named = columns & {"type", "object", "event_name"}
    return {"time", "properties"} <= columns and bool(named) and bool(columns & {"id", "user_id"})
