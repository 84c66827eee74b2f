"""Heap: the tables of Heap Connect, from a warehouse as CSV or Parquet, or from S3 as Avro.

Heap Connect (Contentsquare Data Connect) writes users, sessions, pageviews, one table for each labelled event, and
all_events; to S3 also user_migrations and manifests, `sync_<n>/<table>/part-….avro`
(https://help.heap.io/heap-connect/heap-connect-guide/data-schema and https://docs.contentsquare.com/en/connect/,
read 2026-11-20). Fivetran and Stitch copy them. A chart saved as CSV holds counts, and no events. On request Heap made
a one-time export: JSON lines of events and of users, whose ids are `"(environment,user)"`, as its importers read it.

* An event is called as its table, which is a mangled name: `--labels` gives the real one, {"table": "Name"}.
* One click can be two labelled events: what makes an event one is its `event_id` and its table.
* Times are UTC: without a zone, with "UTC" or "+00"; on S3 numbers, by their size of s, ms or µs since 1970.
* Ids are integers of 16 digits: never read as floats, and repaired where another program did (see `heap_id`).
* Most columns tell of the session (browser, place, referrer, landing page, campaign), on every row of it.
* Of a table that was sync afresh (its label changed), older files hold rows that no longer count: give the newest.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import polars as pl

from mappings._heap_columns import address, device, heap_id, landing, moment, place, rounded, slug, system
from mappings._heap_export import (
    INTERACTIONS,
    exported_identities,
    exported_links,
    exported_name,
    exported_profiles,
    exported_user,
    only_identity,
    pair,
)
from mappings._heap_properties import KEPT, page, software
from mappings._heap_sessions import ENTRY, entry, owner, session, session_starts, told
from mappings._heap_tables import PAGEVIEWS, SESSIONS, event_name, is_export, is_users, own_table, table_name
from mappings._heap_users import USERS, identities, migrations, to_profiles
from migrate.kit import copiers, events, expr, objects
from migrate.kit.declare import EVERY_ROW, FILE, PROPERTIES, RECOVERED, REST, Options, Platform, Table, has

COLUMNS: Final = (
    *("event_id", "user_id", "session_id", "time", "session_time", "type", "event_name", "event_table_name"),
    *("domain", "path", "query", "hash", "title", "view_controller", "target_text"),
    *("library", "platform", "browser", "device", "heap_device", "device_type", "heap_device_id", "carrier"),
    *("app_name", "heap_app_name", "app_version", "heap_app_version"),
    *("ip", "browser_ip", "country", "region", "city", *ENTRY, *KEPT),
)
DROPPED: Final = copiers.FIVETRAN | copiers.STITCH


def dedup_key() -> pl.Expr:
    """Return what makes the event one: its number and its table, else all it is told by."""
    number, when = pl.col("_event_number"), pl.col("_time").dt.epoch("us")
    name = pl.when(pl.col("_event").is_in(["$pageview", "$screen"])).then(pl.lit("pageviews"))
    table = pl.coalesce(name, slug(pl.col("_table")))
    others = (
        pl.col("_user"),
        when,
        *(pl.col(n) for n in ("session_id", "type", "path", "target_text")),
        expr.canonical(pl.col(REST), where=number.is_null()),
    )
    return pl.coalesce(
        expr.key(table, number, where=number.is_not_null()),
        expr.key(pl.lit("row"), table, *others, where=number.is_null()),
    )


def informed(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the rows with what several properties are made of, each worked out once, as `_` columns.

    A pageview of an app, which has a view controller and no domain, is a `$screen`.
    """
    recovered = objects.fields(pl.col(RECOVERED), ["session"]).struct.field("session")
    app = expr.stripped(pl.col("domain")).is_null() & expr.stripped(pl.col("view_controller")).is_not_null()
    event = pl.col("_event")
    return (
        rows.with_columns_seq(
            table_name().alias("_table"),
            moment(pl.col("time"), options).alias("_time"),
            moment(pl.col("session_time"), options).alias("_session_time"),
            *(heap_id(f"{name}_id").alias(f"_{name}_number") for name in ("event", "session")),
            heap_id("user_id").alias("_user"),
            objects.fields(recovered, ["start", *ENTRY]).alias("_session"),
            address(*(pl.col(name) for name in ("domain", "path", "query", "hash"))).alias("_url"),
            system().alias("_system"),
        )
        .with_columns_seq(
            event_name(options).alias("_event"),
            expr.timestamp(pl.col("_session").struct.field("start")).alias("_start"),
            landing(*(told(f"landing_page{part}") for part in ("", "_query", "_hash"))).alias("_landing"),
        )
        .with_columns_seq(
            pl.when((event == "$pageview") & app).then(pl.lit("$screen")).otherwise(event).alias("_event"),
            *(value.alias(f"_entry_{name}") for name, value in entry().items()),
        )
    )


def to_events(
    rows: pl.LazyFrame, options: Options, *, more: Mapping[str, pl.Expr] = MappingProxyType({})
) -> pl.LazyFrame:
    """Return the event each row is: a pageview, a labelled event, one of all_events, a session that was kept.

    `more` is what only one kind of rows has.
    """
    entered = {f"$session_entry_{name}": pl.col(f"_entry_{name}") for name in entry()}
    return events.events(
        informed(rows, options),
        event=pl.col("_event"),
        distinct_id=owner(),
        timestamp=pl.col("_time"),
        dedup_key=dedup_key(),
        laid=pl.col(PROPERTIES),
        extra=page() | entered | device() | place() | software() | session() | dict(more),
    )


def exported_events(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the events of the one-time export, which are called as their `type` says and not as their file.

    A type is also what was done, where that is a kind of interaction.
    """
    done = pl.col("type").is_in(INTERACTIONS)
    told = rows.with_columns_seq(
        exported_user().alias("user_id"),
        exported_name().alias("event_table_name"),
        pl.lit(None, pl.String).alias(FILE),
        pl.when(done | pl.col("event_name").is_not_null()).then("type").alias("type"),
    )
    kept = {"heap_environment_id": pair(1), "heap_object": expr.stripped(pl.col("object"))}
    return to_events(told, options, more=kept)


def kept_sessions(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return sessions as `session_start` events (or their label), for those who turn their filter off."""
    labels = {"sessions": "session_start"} | dict(options.labels)
    named = rows.with_columns_seq(pl.lit("sessions").alias("event_table_name"))
    return to_events(named, replace(options, labels=labels))


EVENTS: Final = Table(
    name="labelled_events",
    columns=dict.fromkeys(COLUMNS, pl.String),
    matches=has("event_id", "user_id", "time"),
    to_events=to_events,
    times=("time",),
    ids=("event_id", "user_id", "session_id"),
    properties=(REST,),
    resolve=heap_id("user_id"),
    recover=heap_id("session_id"),
    warnings={"rounded_id": rounded("event_id", "user_id", "session_id")},
    dropped=DROPPED,
)
NOTES: Final = Table(
    name="manifest",
    columns={},
    matches=has("dump_id", "tables"),
    to_events=events.none,
    filters={"notes_only": EVERY_ROW},
)
"""What a sync to S3 writes about itself."""
MAPPING: Final = Platform(
    identity_version=2,
    payload_version=2,
    title="Heap",
    options=frozenset({"--labels"}),
    reads="Heap Connect's tables (users, sessions, pageviews, labelled events, all_events, user_migrations) as CSV or"
    " Parquet from a warehouse, or as Avro from S3; events and users of its one-time export as JSON lines",
    tables=[
        Table(
            name="user_migrations",
            columns=dict.fromkeys(("from_user_id", "to_user_id", "time"), pl.String),
            matches=has("from_user_id", "to_user_id"),
            to_events=events.none,
            to_links=migrations,
            ids=("from_user_id", "to_user_id"),
            filters={"identity_only": EVERY_ROW},
            left_out=bool,
            warnings={"rounded_id": rounded("from_user_id", "to_user_id")},
            dropped=DROPPED,
        ),
        replace(
            EVENTS,
            name="exported_events",
            columns=dict.fromkeys((*COLUMNS, "id", "object", "identity", "properties"), pl.String),
            matches=is_export,
            to_events=exported_events,
            to_links=exported_links,
            link_columns=("id", "user_id", "identity", "time"),
            ids=(*EVENTS.ids, "id", "identity"),
            objects=("properties",),
            properties=("properties", REST),
            resolve=exported_user(),
            filters={"identity_only": only_identity()},
        ),
        Table(
            name="exported_users",
            columns=dict.fromkeys((*USERS, "id", "properties"), pl.String),
            matches=lambda columns: (
                "id" in columns and "time" not in columns and is_users(columns | {"user_id"})
            ),
            to_events=events.none,
            to_profiles=exported_profiles,
            to_links=exported_identities,
            link_columns=("id", "user_id", "identity", "joindate", "join_date"),
            ids=("id", "user_id", "identity"),
            objects=("properties",),
            resolve=exported_user(),
            warnings={"rounded_id": rounded("user_id")},
            dropped=DROPPED,
        ),
        Table(
            name="users",
            columns=dict.fromkeys(USERS, pl.String),
            matches=is_users,
            to_events=events.none,
            to_profiles=to_profiles,
            to_links=identities,
            ids=("user_id", "identity"),
            link_columns=("user_id", "identity", "joindate", "join_date"),
            resolve=heap_id("user_id"),
            warnings={"rounded_id": rounded("user_id")},
            dropped=DROPPED,
        ),
        replace(
            EVENTS,
            name="all_events",
            matches=has("event_id", "user_id", "time", "event_table_name"),
            filters={"own_table": own_table},
            warnings={**EVENTS.warnings, "no_properties": EVERY_ROW},
        ),
        replace(
            EVENTS,
            name="sessions",
            matches=has("session_id", "user_id", "time"),
            file=lambda name: bool(SESSIONS.fullmatch(name)),
            to_events=kept_sessions,
            to_recoveries=session_starts,
            link_columns=("session_id", "time", *ENTRY),
            filters={"sessions": EVERY_ROW},
            dropped=DROPPED | {"event_name", "event_table_name"},  # a session's name is its table's
        ),
        replace(EVENTS, name="pageviews", file=lambda name: bool(PAGEVIEWS.fullmatch(name))),
        EVENTS,
        NOTES,
        replace(NOTES, name="event_metadata", matches=bool, file=lambda name: name == "_event_metadata"),
    ],
)
