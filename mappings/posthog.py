"""PostHog: events exported from another PostHog project, or saved on their way to one.

Batch exports and file downloads (S3, BigQuery, Snowflake, Redshift, Postgres) as JSON lines, Parquet or CSV
with one column a field (https://posthog.com/docs/cdp/batch-exports/s3, read in autumn 2026); JSON lines of
capture's own shape `{event, distinct_id, timestamp, uuid, properties}`
(https://posthog.com/docs/api/capture); CSV and JSON of the SQL editor with the whole `properties` column.

Nothing is interpreted: uuid, name, person, time and every property stay what they are. Only `token`, the
key of the old project, goes. Not carried over are columns PostHog computes itself: persons are rebuilt from
the identify, alias and merge events, and from `$set` and `$set_once`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import polars as pl

from mappings import _json
from migrate import expr
from migrate.events import events
from migrate.mapping import REST, Options, Platform, Table

REPLAY_AND_HEATMAP: Final = ("$snapshot", "$snapshot_items", "$$heatmap", "$performance_event")
"""Parts of recordings and heatmaps: `/batch/` makes no recording of them, and drops some in silence."""

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

_PERSON: Final = pl.Struct(dict.fromkeys(("properties", "set", "set_once"), pl.String()))


def _filled(text: pl.Expr) -> pl.Expr:
    """Return the text as it stands, null where it is blank."""
    return pl.when(text.str.strip_chars() != "").then(text)


def _person(options: Options) -> pl.Expr:
    """Return a struct of `properties`, `set` and `set_once` where person properties have to be put together.

    Those are rows that bring some beside the bag's own, and all rows when the user wants them otherwise.
    """
    own = {
        "set": pl.coalesce("$set", "set"),
        "set_once": pl.coalesce("$set_once", "set_once"),
    }
    concerned = pl.lit(options.person_properties != "set") | pl.any_horizontal(
        text.is_not_null() & (text.str.strip_chars() != "{}") for text in own.values()
    )
    row = pl.struct(pl.col("properties"), *(text.alias(name) for name, text in own.items()))
    return (
        pl.when(concerned)
        .then(row)
        .map_batches(partial(_parted, options=options), return_dtype=_PERSON, is_elementwise=True)
    )


def _parted(rows: pl.Series, *, options: Options) -> pl.Series:
    """Return the rows with `$set` and `$set_once` taken out of `properties` and laid under the rows' own."""
    if rows.null_count() == rows.len():
        return rows
    parted = [None if row is None else _parted_row(row, options) for row in rows.to_list()]
    return pl.Series(rows.name, parted, dtype=_PERSON)


def _parted_row(row: dict[str, str | None], options: Options) -> dict[str, str]:
    """Return one row's bag without person properties, and those; the row's own win, as in PostHog."""
    bag, own_set, own_once = (_parsed(row[name]) for name in ("properties", "set", "set_once"))
    to_set = _taken(bag, "$set") | own_set
    to_set_once = _taken(bag, "$set_once") | own_once
    if options.person_properties == "set_once":
        to_set, to_set_once = {}, to_set | to_set_once
    if options.person_properties == "none":
        to_set, to_set_once = {}, {}
        bag.pop("$unset", None)
    return {
        "properties": _json.encoded(bag),
        "set": _json.encoded(to_set),
        "set_once": _json.encoded(to_set_once),
    }


def _taken(bag: dict[str, Any], name: str) -> dict[str, Any]:
    """Return an object taken out of the bag; what is no object stays there."""
    value = bag.get(name)
    if value is None or isinstance(value, dict):
        bag.pop(name, None)
    return value if isinstance(value, dict) else {}


def _parsed(text: str | None) -> dict[str, Any]:
    """Return a JSON object, empty for none; numbers that no double holds become null."""
    value = _json.decoded(text or "{}")
    return value if isinstance(value, dict) else {}


def _dedup_key() -> pl.Expr:
    """Return the uuid; for a row without one all it says, but not when it was taken in or exported."""
    uuid = pl.col("_uuid")
    said = expr.key(
        *(pl.col(name) for name in ("uuid", "event", "distinct_id")),
        pl.col("timestamp").dt.epoch("us"),
        *(pl.col(name) for name in (*_OBJECTS, "elements_chain", REST)),
        where=uuid.is_null(),
    )
    return pl.coalesce(uuid, said)


def _is_events(columns: frozenset[str]) -> bool:
    """Return whether these are columns of events; the person may be named inside `properties`."""
    return {"event", "timestamp"} <= columns and bool(columns & {"distinct_id", "$distinct_id", "properties"})


def _is_ui_csv(columns: frozenset[str]) -> bool:
    """Return whether these are columns as shown on the screen: one for some properties, none for all."""
    dotted = any(name.startswith(("properties.", "person.", "*")) for name in columns)
    return "event" in columns and "properties" not in columns and (dotted or "person" in columns)


def _is_app_csv(columns: frozenset[str]) -> bool:
    """Return whether these are columns of the old GCS and S3 export apps."""
    return {"event", "properties", "elements", "people_set"} <= columns


def _is_persons(columns: frozenset[str]) -> bool:
    """Return whether these are columns of the persons export, which has a row for each distinct_id."""
    return "event" not in columns and {"distinct_id", "person_id"} <= columns


def _is_sessions(columns: frozenset[str]) -> bool:
    """Return whether these are columns of the sessions export."""
    return "event" not in columns and bool(columns & {"session_id", "session_id_v7"})


def to_events(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return one event a row, unchanged.

    Where the row names no person its properties may, as capture reads them (posthog-ingestion.md §1.3). Text
    without a zone is in the zone the user gives: the SQL editor writes the project's.
    """
    person = _filled(pl.coalesce(_filled(pl.col("distinct_id")), pl.col("$distinct_id")))
    bagged = expr.fields(
        pl.when(person.is_null() | pl.col("ip").is_not_null()).then(pl.col("properties")),
        ("distinct_id", "$ip"),
    )
    rows = rows.with_columns_seq(
        _filled(pl.coalesce(person, bagged.struct.field("distinct_id"))).alias("distinct_id"),
        pl.when(bagged.struct.field("$ip").is_null()).then(_filled(pl.col("ip"))).alias("ip"),
        expr.timestamp(pl.col("timestamp"), zone=options.source_timezone).alias("timestamp"),
        expr.canonical_uuid(pl.col("uuid")).alias("_uuid"),
        _person(options).alias("_person"),
    )
    parted = pl.col("_person").struct
    return events(
        rows,
        event=pl.col("event"),
        distinct_id=pl.col("distinct_id"),
        timestamp=pl.col("timestamp"),
        uuid=pl.col("_uuid"),
        dedup_key=_dedup_key(),
        properties=pl.coalesce(parted.field("properties"), pl.col("properties")),
        rest=pl.col(REST),
        extra={"$elements_chain": _filled(pl.col("elements_chain")), "$ip": pl.col("ip")},
        set=parted.field("set"),
        set_once=parted.field("set_once"),
    )


def _table(name: str, matches: Callable[[frozenset[str]], bool], refusal: str | None = None) -> Table:
    """Return a table of PostHog's columns; one with a refusal is only there to be recognised."""
    return Table(
        name=name,
        columns=dict.fromkeys((*_TEXTS, *_OBJECTS), pl.String()),
        matches=matches,
        to_events=to_events,
        objects=_OBJECTS,
        rename={"token": None},
        filters={"replay_and_heatmap": pl.col("event").is_in(REPLAY_AND_HEATMAP)},
        dropped=frozenset((*_COMPUTED, *_ENVELOPE)),
        refusal=refusal,
    )


MAPPING = Platform(
    title="PostHog (batch exports, file downloads, SQL editor, capture-shaped JSON lines)",
    reads="JSON lines, Parquet or CSV of PostHog events with their whole properties column",
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
        _table("events", _is_events),
        _table(
            "persons",
            _is_persons,
            "an export of persons, which this tool does not import yet; persons are rebuilt from the events,"
            " so export the events table",
        ),
        _table(
            "sessions",
            _is_sessions,
            "an export of sessions, which PostHog derives from events; export the events table",
        ),
    ],
)
