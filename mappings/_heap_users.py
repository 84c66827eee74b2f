"""Heap's users: who is who, as Heap has resolved it, and what is known of each."""

from typing import Final

import polars as pl

from mappings._heap_columns import device, heap_id, landing, moment, place, system
from migrate.kit import events, expr, links, objects, values
from migrate.kit.declare import PERSON, REST, Options

FIRST: Final = tuple(
    f"initial_{name}"
    for name in (
        *("browser", "platform", "device_type", "referrer", "country", "region", "city"),
        *("landing_page", "landing_page_query", "landing_page_hash"),
    )
)
USERS: Final = ("user_id", "identity", "joindate", "join_date", "last_modified", *FIRST)


def identities(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return who is who by the table of users: Heap has resolved it, and no merge is spent on it.

    Identities that many share ("guest", "null") are among the ids PostHog refuses, and resolve nothing.
    """
    identity = expr.stripped(pl.col("identity"))
    joined = moment(expr.first(pl.col("joindate"), pl.col("join_date")), options)
    user = heap_id("user_id")
    return links.concat(
        [
            links.resolved(rows, key=user, person=identity, time=joined, why="users.identity"),
            links.identified(rows, identity, why="users.identity"),
        ]
    )


def migrations(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return which user became which when somebody was identified; events on S3 still have the old number."""
    old, new = heap_id("from_user_id"), heap_id("to_user_id")
    time = moment(pl.col("time"), options)
    return links.resolved(rows, key=old, person=new, time=time, why="user_migrations")


def to_profiles(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return each user's properties: own ones without their leading `_`, `initial_…` as `$initial_…`."""
    bags = objects.parted(objects.bare_names(pl.col(REST)), prefix="initial_")
    url = landing(*(pl.col(f"initial_landing_page{part}") for part in ("", "_query", "_hash")))
    joined = moment(expr.first(pl.col("joindate"), pl.col("join_date")), options)
    known = (
        rows.with_columns_seq(
            heap_id("user_id").alias("_user"),
            joined.alias("_joined"),
            bags.alias("_bags"),
            url.alias("_landing"),
        )
        .with_columns_seq(system("initial_").alias("_system"), **_columns(first_page()))
        .with_columns_seq(**_columns(device("initial_") | place("initial_")))
    )
    mine = {"heap_user_id": pl.col("_user"), "heap_identity": expr.stripped(pl.col("identity"))}
    told = {"set": (objects.text(mine), "rest"), "set_once": (objects.text(first_touch()), "once")}
    wholes = {
        name: objects.completed(own, pl.col("_bags").struct.field(more)) for name, (own, more) in told.items()
    }
    return events.profiles(
        known.with_columns_seq(**_columns(wholes)),
        distinct_id=pl.coalesce(pl.col(PERSON), pl.col("_user")),
        timestamp=moment(pl.col("last_modified"), options),
        set=pl.col("_set"),
        set_once=pl.col("_set_once"),
    )


def first_page() -> dict[str, pl.Expr]:
    """Return the page that a user came to first, and from where."""
    return dict(values.page(pl.col("_landing"), referrer=expr.first(pl.col("initial_referrer"))))


def first_touch() -> dict[str, pl.Expr]:
    """Return how a user came first, in PostHog's spelling, and when."""
    names = (*first_page(), *device("initial_"), *place("initial_"))
    found = {f"$initial_{name.removeprefix('$')}": pl.col(f"_{name}") for name in names}
    return found | {"created": expr.iso(pl.col("_joined"))}


def _columns(found: dict[str, pl.Expr]) -> dict[str, pl.Expr]:
    """Return the properties as columns: `$os` as `_$os`."""
    return {f"_{name}": value for name, value in found.items()}
