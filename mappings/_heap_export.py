"""The rows of Heap's one-time export, whose events and users say by themselves who they are of."""

from typing import Final

import polars as pl

from mappings._heap_columns import heap_id, moment
from mappings._heap_users import identities, to_profiles
from migrate.kit import expr, links, objects
from migrate.kit.declare import REST, Options

INTERACTIONS: Final = ("click", "change", "submit", "touch")
"""Types that say what was done, in the one-time export."""


def pair(place: int) -> pl.Expr:
    """Return the environment's (1) or the user's (2) number of an id `"(2008543124,4810060720600030)"`."""
    return expr.stripped(pl.col("id")).str.extract(r"^\(\s*(\d+)\s*,\s*(\d+)\s*\)$", place)


def exported_user() -> pl.Expr:
    """Return the user's number in the one-time export, which some rows have in a column of its own."""
    return pl.coalesce(heap_id("user_id"), pair(2))


def exported_name() -> pl.Expr:
    """Return the name of an event of the one-time export."""
    return expr.first(*(pl.col(name) for name in ("event_name", "type", "object")))


def only_identity() -> pl.Expr:
    """Return whether an event of the one-time export says who somebody is, and nothing else."""
    kind = exported_name().str.to_lowercase().str.strip_prefix("$")
    return expr.stripped(pl.col("identity")).is_not_null() & (kind.is_null() | (kind == "identify"))


def exported_links(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return who is who by the events of the one-time export that say so."""
    user, identity = exported_user(), expr.stripped(pl.col("identity"))
    time = moment(pl.col("time"), options)
    return links.concat(
        [
            links.resolved(rows, key=user, person=identity, time=time, why="identity"),
            links.identified(rows, identity, why="identity"),
        ]
    )


def exported_identities(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return who is who by the users of the one-time export."""
    return identities(rows.with_columns_seq(exported_user().alias("user_id")), options)


def exported_profiles(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the properties of the users of the one-time export, whose own are an object beside the others."""
    whole = objects.completed(pl.col("properties"), pl.col(REST)).alias(REST)
    return to_profiles(rows.with_columns_seq(exported_user().alias("user_id"), whole), options)
