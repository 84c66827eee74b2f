"""Amplitude: raw events of the Export API, of S3, GCS and Azure exports, and of warehouse copies.

The Export API answers a zip of `<project>_<day>_<hour>#<part>.json.gz`, one JSON object a line with 55 keys, times
in UTC without a zone (https://amplitude.com/docs/apis/analytics/export, read 2026-11-20). Snowflake, BigQuery and
Redshift copies, Fivetran, Airbyte and Stitch carry the same columns in other spellings, objects as JSON text.

What the source says stands beside what PostHog understands: the event's own properties pass on unchanged, and what
PostHog has no name for is kept as `amplitude_…`. Of several groups of one type PostHog can hold one: the first is
kept, and the row is counted as `several_group_values`.
"""

import json
from collections.abc import Callable
from typing import Final

import polars as pl

from mappings._amplitude_people import (
    amplitude_person,
    groups,
    merged,
    profiles,
    sender_of,
    time,
    to_links,
    user,
    user_properties,
)
from mappings._amplitude_properties import BAG, BOOLEANS, EXTRA, NUMBERS, RECURRING, event_id, prop
from migrate.kit import copiers, events, expr, objects, values
from migrate.kit.declare import EVERY_ROW, PROPERTIES, REST, Bag, Options, Platform, Table, has, words

NAMES: Final = {
    "[Amplitude] Page Viewed": "$pageview",
    "Page Viewed": "$pageview",
    "Viewed Page": "$pageview",
    "PageVisited": "$pageview",
    "[Amplitude] Screen Viewed": "$screen",
    "[Amplitude] Element Clicked": "$autocapture",
    "[Amplitude] Element Changed": "$autocapture",
    "$identify": "$set",  # PostHog's own $identify merges two ids; Amplitude's only sets user properties
}
WORKER_NAMES: Final = {
    "[Amplitude] Page Viewed": "$pageview",
    "[Amplitude] Element Clicked": "$autocapture",
    "[Amplitude] Element Changed": "$autocapture",
    "$identify": "$set",
}
"""How PostHog's managed migration calls events, for `--uuid-compat`; but user updates, which are no events to anyone.

From its batch-import-worker, `content/amplitude.rs`, as read in autumn 2026.
"""
SESSION_EVENTS: Final = (
    "session_start",
    "session_end",
    "[Amplitude] Start Session",
    "[Amplitude] End Session",
)
CAMPAIGN: Final = (*values.CAMPAIGN, "ko_click_id", "rtd_cid")
"""Query parameters of campaigns; Amplitude's own documentation and its rows spell Reddit's click id in two ways."""
COLUMNS: Final = words(
    "$insert_id _insert_id"
    " insert_id ad_id adid amplitude_attribution_ids amplitude_event_type amplitude_id app city"
    " client_event_time country device_brand device_carrier device_family device_id device_manufacturer device_model"
    " device_type dma event_id event_properties event_time event_type followed_an_identify global_user_properties"
    " group_properties groups id idfa ip_address is_attribution_event language library location_lat location_lng"
    " os_name os_version partner_id paying plan platform project_name region sample_rate session_id source_id"
    " start_version user_creation_time user_id user_properties uuid version_name"
)
INSERT_IDS: Final = ("$insert_id", "_insert_id", "insert_id")
NESTED: Final = {
    "amplitude_attribution_ids": "amplitude_attribution_ids",
    "global_user_properties": "amplitude_global_user_properties",
    "plan": "amplitude_plan",
}
"""Columns that hold lists and objects, and what they are kept as, as the lists and objects that they are."""
OBJECTS: Final = ("event_properties", "user_properties", "groups", "group_properties")
DROPPED: Final = (
    copiers.AIRBYTE
    | copiers.FIVETRAN
    | copiers.STITCH
    | {
        *("$insert_key", "insert_key", "$schema", "schema", "data", "data_type", "event_type_id"),
        *("client_upload_time", "server_received_time", "server_upload_time", "processed_time"),
    }
)
"""Amplitude's notes on its own pipeline: when an event was uploaded, by which road, under which schema."""
DASHBOARD: Final = frozenset(
    {"user id", "amplitude id", "event", "event type", "segment", "device id", "country"}
)
"""Columns of a chart or of a list of users that was saved from the dashboard.

Its cells begin with a tab unless that is switched off
(https://amplitude.com/docs/analytics/charts/export-csv-files, read 2026-11-20).
"""


def insert_id() -> pl.Expr:
    """Return `$insert_id` in any of its spellings."""
    return expr.first(*map(pl.col, INSERT_IDS))


def dedup_key() -> pl.Expr:
    """Return what makes the event one: Amplitude's uuid, else its insert id on the device, else all it is told by.

    An insert id is unique on its device for a week only, hence the name and time beside it.
    """
    uuid, inserted = pl.col("_uuid"), pl.col("_inserted")
    when = pl.col("_time").dt.epoch("us")
    by_insert = (pl.lit("insert"), inserted, pl.col("device_id"), pl.col("event_type"), when)
    names = ("device_id", "user_id", "session_id", "event_type")
    without = uuid.is_null() & inserted.is_null()
    bag = expr.canonical(pl.col("event_properties"), where=without)
    by_all = (pl.lit("row"), event_id(), when, *(pl.col(name) for name in names), bag)
    return pl.coalesce(
        uuid,
        expr.key(*by_insert, where=uuid.is_null() & inserted.is_not_null()),
        expr.key(*by_all, where=without),
    )


def nested(name: str) -> Callable[[str], str | None]:
    """Return what reads a cell of one of the `NESTED` columns: as an object that has it under a name, None if empty.

    What is neither a list nor an object stays the text that it is.
    """

    def read(text: str) -> str | None:
        try:
            value = json.loads(text, parse_constant=_no_number)
        except (ValueError, RecursionError):
            value = text
        if not value:
            return None
        return f'{{"{name}":{text if isinstance(value, dict | list) else json.dumps(text)}}}'

    return read


def _no_number(word: str) -> None:
    """Refuse NaN and its like, which are no JSON."""
    raise ValueError(word)


def misread() -> dict[str, pl.Expr]:
    """Return the warnings of columns of numbers and Booleans that hold something else, which cannot be kept so."""
    known = {name: expr.boolean(pl.col(name)) for name in BOOLEANS}
    numbers = {name: expr.number(pl.col(name)) for name in NUMBERS}
    odd = {f"{name}_neither_true_nor_false": (name, read) for name, read in known.items()}
    odd |= {f"{name}_no_number": (name, read) for name, read in numbers.items()}
    return {
        said: expr.stripped(pl.col(name)).is_not_null() & read.is_null() for said, (name, read) in odd.items()
    }


def own_events(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the event each row is; person properties go with `$identify` events, all others through `profiles`."""
    name = expr.stripped(pl.col("event_type"))
    theirs = name.replace_strict(WORKER_NAMES, default=None, return_dtype=pl.String)
    known = rows.with_columns_seq(
        time().alias("_time"),
        sender_of(options).alias("_who"),
        expr.canonical_uuid(pl.col("uuid")).alias("_uuid"),
        insert_id().alias("_inserted"),
        (pl.coalesce(theirs, name) if options.uuid_compat else expr.lookup(name, NAMES)).alias("_event"),
        RECURRING.struct().alias("_recurring"),
    ).with_columns_seq(
        expr.first(prop("[Amplitude] Page Location"), prop("[Amplitude] Page URL")).alias("_url"),
        user_properties(pl.when(pl.col("_event") == "$set").then("user_properties")).alias("_told"),
    )
    return events.events(
        known,
        event=pl.col("_event"),
        distinct_id=pl.col("_who"),
        timestamp=pl.col("_time"),
        dedup_key=dedup_key(),
        uuid=pl.col("_uuid") if options.uuid_compat else None,
        laid=objects.with_query(pl.col(PROPERTIES), pl.col("_url"), CAMPAIGN),
        extra=EXTRA,
        groups=objects.first_values(pl.col("groups")),
        set=pl.col("_told").struct.field("rest"),
        set_once=pl.col("_told").struct.field("once"),
    )


def to_events(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the event each row is, but for group updates, which are told apart."""
    return own_events(rows.filter(pl.col("event_type").ne_missing("$groupidentify")), options)


def is_dashboard(columns: frozenset[str]) -> bool:
    """Return whether a file with these columns was saved from the dashboard."""
    titled = any(name.startswith("\t") for name in columns)
    bare = {name.strip() for name in columns}
    return "event_type" not in bare and (titled or bool(bare & DASHBOARD))


MAPPING: Final = Platform(
    identity_version=2,
    payload_version=2,
    title="Amplitude",
    options=frozenset({"--uuid-compat"}),
    reads="Export API zip, S3/GCS/Azure folders, and Snowflake, BigQuery, Redshift, Fivetran, Airbyte or Stitch copies"
    " as JSONL, CSV or Parquet",
    tables=[
        Table(
            name="events",
            columns=dict.fromkeys(COLUMNS, pl.String),
            matches=lambda columns: (
                "event_type" in columns and bool(columns & {"event_time", "client_event_time"})
            ),
            to_events=to_events,
            to_profiles=profiles,
            to_groups=groups,
            to_links=to_links,
            tells_own=True,
            link_columns=(
                "user_id",
                "device_id",
                "amplitude_id",
                "event_time",
                "client_event_time",
                "library",
                "session_id",
            ),
            resolve=pl.when(user().is_null()).then(amplitude_person()),
            times=("event_time", "client_event_time"),
            ids=(*INSERT_IDS, "user_id", "device_id", "amplitude_id", "session_id", "uuid"),
            objects=OBJECTS,
            bags={
                "event_properties": Bag(keys=BAG),
                **{column: Bag(read=nested(name)) for column, name in NESTED.items()},
            },
            properties=("event_properties", *NESTED, REST),
            filters={"session_events": pl.col("event_type").is_in(SESSION_EVENTS)},
            # A list with more than one value, among the groups.
            warnings={
                "client_event_time_for_event_time": expr.stripped(pl.col("event_time")).is_null()
                & expr.stripped(pl.col("client_event_time")).is_not_null(),
                "several_group_values": pl.col("groups").str.contains(
                    r'\[\s*("(?:[^"\\]|\\.)*"|[^"\]\s,]+)\s*,'
                ),
                **misread(),
            },
            dropped=DROPPED,
        ),
        Table(
            name="merged_ids",
            columns=dict.fromkeys(("amplitude_id", "merged_amplitude_id"), pl.String),
            matches=has("amplitude_id", "merged_amplitude_id"),
            to_events=events.none,
            to_links=merged,
            ids=("amplitude_id", "merged_amplitude_id"),
            filters={"identity_only": EVERY_ROW},
            left_out=bool,
            dropped=frozenset({"scope", "merge_time", "merge_event_time", "merge_server_time"}),
        ),
        Table(
            name="dashboard_csv",
            columns={},
            matches=is_dashboard,
            to_events=events.none,
            refusal="this is a table saved from Amplitude's dashboard: it holds counts or users as they are now, not"
            " events; export the raw events instead, with the Export API (Settings > Projects > Export Data), to S3,"
            " GCS or Azure, or from your warehouse",
        ),
    ],
)
