"""PostHog: events exported from another PostHog project, or saved on their way to one.

Batch exports and file downloads (S3, BigQuery, Snowflake, Redshift, Postgres) as JSON lines, Parquet or CSV
with one column a field (https://posthog.com/docs/cdp/batch-exports/s3, read in autumn 2026); JSON lines of
capture's own shape `{event, distinct_id, timestamp, uuid, properties}`
(https://posthog.com/docs/api/capture); CSV and JSON of the SQL editor with the whole `properties` column; pages
of the events API, whose results have the uuid as `id` (`ClickhouseEventSerializer` in PostHog's
posthog/models/event/util.py, read 2026-11-28).

Nothing is interpreted: uuid, name, person, time and every property stay what they are. Only `token`, the
key of the old project, goes. Not carried over are columns PostHog computes itself: persons are rebuilt from
the identify, alias and merge events, and from `$set` and `$set_once`. An export of persons beside the events completes
them: with merges older than the events, and what is known last (`mappings._posthog_persons`).
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import polars as pl

from mappings._posthog_persons import PERSONS
from migrate.kit import expr, objects
from migrate.kit.declare import PROPERTIES, REST, Bag, Options, Platform, Table, inside
from migrate.kit.events import events

REPLAY_AND_HEATMAP: Final = ("$snapshot", "$snapshot_items", "$$heatmap", "$performance_event")
"""Parts of recordings and heatmaps: `/batch/` makes no recording of them, and drops some in silence."""
INGESTION_WARNING: Final = "$$client_ingestion_warning"
"""What a library has to say of itself: PostHog makes a warning of it, and no event."""

_TEXTS: Final = ("uuid", "event", "distinct_id", "$distinct_id", "timestamp", "elements_chain", "ip")
_OBJECTS: Final = ("properties", "$set", "$set_once", "set", "set_once")

_COMPUTED: Final = (
    *("person_id", "person_properties", "person_created_at", "person_mode", "is_deleted"),
    *("team_id", "project_id", "site_url", "historical_migration"),
    *(
        "created_at",
        "inserted_at",
        "_inserted_at",
        "_timestamp",
        "_offset",
        "_partition",
        "bq_ingested_timestamp",
    ),
    *(f"group{index}_{what}" for index in range(5) for what in ("properties", "created_at")),
)
"""What PostHog adds to an event when it takes it."""

_ENVELOPE: Final = ("token", "$token", "api_key", "sent_at", "offset", "now")
"""What belongs to the request that brought an event; `sent_at` and `offset` would move its time."""

_SHOWN_IN_PAGES: Final = ("elements", "elements_hash", "matched_recordings", "person")
"""What a page of the API shows beside an event: `elements_chain` once more, recordings, the person as it is now."""

_PERSON: Final = ("$set", "$set_once")


def _person() -> dict[str, pl.Expr]:
    """Return `$set` and `$set_once` of rows that bring some beside the bag's own, under which they win, as in PostHog.

    Elsewhere the bag's own stay what they are.
    """
    own = {name: pl.coalesce(name, name.removeprefix("$")) for name in _PERSON}
    told = {name: objects.completed(own[name], _object(inside("properties", name))) for name in _PERSON}
    brings = pl.any_horizontal(text.is_not_null() & (text.str.strip_chars() != "{}") for text in own.values())
    return {name.removeprefix("$"): pl.when(brings).then(text) for name, text in told.items()}


def _odd_person() -> pl.Expr:
    """Return whether the bag has person properties that are no object, which PostHog passes over.

    They stay where they are, unless the user wants person properties otherwise.
    """
    told = [pl.col(inside("properties", name)) for name in _PERSON]
    return pl.any_horizontal(text.is_not_null() & ~text.str.starts_with("{") for text in told)


def _object(column: str) -> pl.Expr:
    """Return a column's objects, null for anything else."""
    return pl.when(pl.col(column).str.starts_with("{")).then(column)


def _dedup_key() -> pl.Expr:
    """Return the uuid; for a row without one all it says, but not when it was taken in or exported."""
    uuid = pl.col("_uuid")
    said = expr.key(
        *(pl.col(name) for name in ("uuid", "event", "distinct_id")),
        pl.col("timestamp").dt.epoch("us"),
        *(expr.canonical(pl.col(name), where=uuid.is_null()) for name in _OBJECTS),
        pl.col("elements_chain"),
        expr.canonical(pl.col(REST), where=uuid.is_null()),
        where=uuid.is_null(),
    )
    return pl.coalesce(uuid, said)


def _is_events(columns: frozenset[str]) -> bool:
    """Return whether these are columns of events; the person may be named inside `properties`."""
    return {"event", "timestamp"} <= columns and bool(columns & {"distinct_id", "$distinct_id", "properties"})


def _is_page(columns: frozenset[str]) -> bool:
    """Return whether these are keys of the results of a page of the events API."""
    return {"id", "event", "timestamp", "elements"} <= columns and "uuid" not in columns


def _is_ui_csv(columns: frozenset[str]) -> bool:
    """Return whether these are columns as shown on the screen: one for some properties, none for all."""
    dotted = any(name.startswith(("properties.", "person.", "*")) for name in columns)
    return "event" in columns and "properties" not in columns and (dotted or "person" in columns)


def _is_app_csv(columns: frozenset[str]) -> bool:
    """Return whether these are columns of the old GCS and S3 export apps."""
    return {"event", "properties", "elements", "people_set"} <= columns


def _is_sessions(columns: frozenset[str]) -> bool:
    """Return whether these are columns of the sessions export."""
    return "event" not in columns and {"session_id", "$start_timestamp"} <= columns


def to_events(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return one event a row, unchanged.

    Where the row names no person its properties may, as capture reads them (posthog-ingestion.md §1.3). Text
    without a zone is in the zone the user gives: the SQL editor writes the project's.
    """
    person = expr.filled(pl.coalesce(expr.filled(pl.col("distinct_id")), pl.col("$distinct_id")))
    bagged, address = (pl.col(inside("properties", name)) for name in ("distinct_id", "$ip"))
    rows = rows.with_columns_seq(
        expr.filled(pl.coalesce(person, bagged)).alias("distinct_id"),
        pl.when(address.is_null()).then(expr.filled(pl.col("ip"))).alias("ip"),
        expr.timestamp(pl.col("timestamp"), zone=options.source_timezone).alias("timestamp"),
        expr.canonical_uuid(pl.col("uuid")).alias("_uuid"),
    )
    return events(
        rows,
        event=pl.col("event"),
        distinct_id=pl.col("distinct_id"),
        timestamp=pl.col("timestamp"),
        uuid=pl.col("_uuid"),
        dedup_key=_dedup_key(),
        laid=pl.col(PROPERTIES),
        extra={"$elements_chain": expr.filled(pl.col("elements_chain")), "$ip": pl.col("ip")},
        **_person(),
    )


def page_to_events(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return one event a result, unchanged; its `id` is the event's uuid."""
    return to_events(rows.with_columns_seq(pl.col("id").alias("uuid")), options)


def _page() -> Table:
    """Return the table of the results of a page."""
    events_table = _table("api_page", _is_page)
    return replace(
        events_table,
        columns={"id" if name == "uuid" else name: dtype for name, dtype in events_table.columns.items()},
        ids=["id" if name == "uuid" else name for name in events_table.ids],
        to_events=page_to_events,
        dropped=events_table.dropped.union(_SHOWN_IN_PAGES),
    )


def _table(name: str, matches: Callable[[frozenset[str]], bool], refusal: str | None = None) -> Table:
    """Return a table of PostHog's columns; one with a refusal is only there to be recognised."""
    return Table(
        name=name,
        columns=dict.fromkeys((*_TEXTS, *_OBJECTS), pl.String()),
        matches=matches,
        to_events=to_events,
        times=("timestamp",),
        ids=("uuid", "distinct_id", "$distinct_id", inside("properties", "distinct_id")),
        objects=_OBJECTS,
        bags={"properties": Bag(keys=("distinct_id", "$ip", *_PERSON))},
        properties=("properties", REST),
        rename={"token": None},
        warnings={"person_properties_no_object": _odd_person()},
        filters={
            "replay_and_heatmap": pl.col("event").is_in(REPLAY_AND_HEATMAP),
            "ingestion_warning": pl.col("event") == INGESTION_WARNING,
        },
        dropped=frozenset((*_COMPUTED, *_ENVELOPE)),
        refusal=refusal,
    )


MAPPING = Platform(
    title="PostHog (batch exports, file downloads, SQL editor, capture-shaped JSON lines)",
    reads="JSON lines, Parquet or CSV of PostHog events with their whole properties column, and of persons",
    tables=[
        _table(
            "ui_csv",
            _is_ui_csv,
            "an export of the events page has only the properties shown there, and 3,500 rows at most; export"
            " the events with a batch export, or in the SQL editor with select uuid, event, distinct_id,"
            " timestamp, properties, elements_chain from events",
        ),
        _table(
            "app_csv",
            _is_app_csv,
            "the old export apps wrote CSV without quotes, so commas inside properties cannot be told from"
            " those between columns; export the events with a batch export",
        ),
        _page(),
        _table("events", _is_events),
        PERSONS,
        _table(
            "sessions",
            _is_sessions,
            "an export of sessions, which PostHog derives from events; export the events table",
        ),
    ],
)
