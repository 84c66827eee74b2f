"""Google Analytics 4: the BigQuery export of a property, nested as it is or flattened by someone.

A day is a table `events_YYYYMMDD`, one row an event, parameters as `[{key, value{string_value, int_value, …}}]`
(https://developers.google.com/analytics/bigquery/event-schema, read 2026-11-20). It arrives as Parquet or Avro, as
JSON lines of `bq extract` (64-bit integers as strings, nulls left out), as JSON saved in the console (nulls spelled
out), or as CSV, which cannot nest and so was flattened: one column a parameter (Fivetran), four tables joined by
`event_id` (Adswerve's flattener), one row a parameter (UNNEST), or nested values as JSON or Python text in a cell.

Parameters pass on unchanged beside what PostHog understands, those called `source` or `campaign` as `ga_source` …:
they hold Google's guesses ("(organic)") too. A record's field that PostHog has no name for is kept as
`ga_<record>_<field>`, unless all it says is "(not set)". Google's bookkeeping is dropped by name.
"""

from typing import Final

import polars as pl

from mappings._ga4_campaigns import addressed
from mappings._ga4_columns import browser_or_app, listed, moment, nobody, user
from mappings._ga4_flat import (
    FLAT,
    JOINED,
    PIVOTED,
    is_unnested,
    joint,
    parameter_columns,
    text_columns,
    unnested,
)
from mappings._ga4_nested import WHOLE, bought, newest, of_event, others, parameters, remembered
from mappings._ga4_properties import (
    BROWSER,
    CAMPAIGNS,
    LOGIN,
    NOBODY,
    OF_EVENTS,
    ONCE,
    all_of,
    as_whole,
    bag,
    hardware,
    kept,
    money,
    of,
    of_records,
    page,
    param,
    session,
)
from mappings._ga4_schema import BAG, COLUMNS, DROPPED, RECORDS, RENAME, is_flat, is_nested, is_users
from mappings._ga4_users import flat_snapshots, nested_snapshots, to_profiles
from migrate.kit import events, expr, links, objects, values
from migrate.kit.declare import AGAIN, PROPERTIES, REST, Bag, Options, Platform, Table, inside

NAMES: Final = {"page_view": "$pageview", "screen_view": "$screen"}
"""`user_engagement` is a timer and stays itself: it has no element, as an `$autocapture` must."""
MARKS: Final = ("session_start", "first_visit", "first_open")
"""What Google adds by itself; PostHog derives sessions and first visits from the events."""

NAME: Final = expr.first(pl.col("event_name"), pl.col("name"))
_SHORT: Final = 100
"""Characters of a name or an id that is not too long for PostHog, however it counts."""


def person() -> pl.Expr:
    """Return whose event it is; of no one's, an id for that event alone, the same on every run."""
    single = expr.id_of_no_one("ga4", pl.col("_time"), pl.col("_key"), where=NOBODY)
    return pl.coalesce(LOGIN, BROWSER, single)


def dedup_key() -> pl.Expr:
    """Return what makes the event one, alike in daily, intraday and fresh tables.

    There is no id. All parameters and items tell events of one bundle apart, as two clicks may have one time. The
    columns of an event's place in its batch do not: one table of a day has them, another has not, or without values.
    """
    return expr.key(
        as_whole(pl.col("stream_id")),
        pl.col("event_name"),
        as_whole(pl.col("event_bundle_sequence_id")),
        BROWSER,
        pl.col("_time").dt.epoch("us"),
        pl.col("_told"),
        pl.col("_bought"),
    )


def own_events(
    rows: pl.LazyFrame, options: Options, *, campaigns: dict[str, pl.Expr], **source: pl.Expr
) -> pl.LazyFrame:
    """Return the event each row is; `source` are its own properties as `events.events` takes them.

    Rows have what is told `of` records and of the page, the `BAG`, `_user`, and all parameters and items, `_told` and
    `_bought`, which tell events apart.
    """
    known = (
        rows.with_columns_seq(
            moment("event_timestamp", options).alias("_time"),
            user().alias("_login"),
            browser_or_app().alias("_browser"),
        )
        .with_columns_seq(dedup_key().alias("_key"))
        .with_columns_seq(person().alias("_who"))
    )
    return events.events(
        known,
        event=expr.lookup(pl.col("event_name"), NAMES),
        distinct_id=pl.col("_who"),
        timestamp=pl.col("_time"),
        dedup_key=pl.col("_key"),
        extra=page() | hardware() | all_of("geo") | campaigns | money() | session() | kept(),
        set=pl.when(~NOBODY).then("_user"),
        **source,
    )


def nested(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the events of rows as BigQuery has them."""
    wholes = {"_told": "event_params", "_user": "user_properties", "_bought": "items"}
    found = (
        rows.with_columns_seq(
            *(ONCE[name].told(pl.col(name)).alias(f"_of_{name}") for name in OF_EVENTS),
            *(pl.col(inside(column, WHOLE)).alias(name) for name, column in wholes.items()),
        )
        .with_columns_seq(bag().alias("_bag"))
        .with_columns_seq(ONCE["page"].told(param("page_location")).alias("_of_page"))
        .with_columns_seq(addressed().alias("_of_campaign"))
    )
    campaigns = {name: of("campaign", name) for name in CAMPAIGNS}
    return own_events(found, options, campaigns=campaigns, laid=pl.col(PROPERTIES))


def flat(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the events of flattened rows: fields of records are columns, parameters are columns or recovered."""
    untold = pl.col("event_id").is_null() & pl.col("_params").is_null()
    own = expr.canonical(expr.each_row(pl.when(untold).then(pl.col("_more")), of_event))
    told = (
        (record, pl.struct(value.alias(name) for name, value in made.items()))
        for record, made in of_records(pl.col("_system")).items()
        if record in OF_EVENTS
    )
    stripped = (expr.stripped(param(name)).alias(name) for name in BAG)
    known = (
        listed(rows)
        .with_columns_seq(
            pl.coalesce(pl.col("_params"), pl.col("event_id"), own).alias("_told"),
            objects.fields(pl.coalesce("_params", "_more"), BAG).alias("_bag"),
            *(struct.alias(f"_of_{record}") for record, struct in told),
        )
        .with_columns_seq(pl.struct(stripped).alias("_bag"))
        .with_columns_seq(ONCE["page"].told(param("page_location")).alias("_of_page"))
    )
    rest = objects.joined(pl.col("_more"), pl.col("_bought"))
    return own_events(
        known,
        options,
        campaigns=all_of("collected_traffic_source"),
        properties=pl.coalesce("_unread", "_params"),  # what cannot be read is no object, and rejects the row
        rest=objects.with_query(rest, param("page_location"), values.CAMPAIGN),
    )


def parameter_rows(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the event that each row is a parameter of: all rows of one event make the same.

    The plan keeps the first of those that stand near each other in a file.
    """
    return flat(rows.with_columns_seq(joint(()).alias("event_id")), options)


def alike() -> pl.Expr:
    """Return what rows of one event have in common; null where one may be rejected: no other row is left out for it.

    A row that is alone for no reason makes the event of the others once more, which is known by its uuid.
    """
    time = expr.first(pl.col("event_timestamp"), pl.col("timestamp"))
    texts = [NAME, pl.col("user_id"), pl.col("user_pseudo_id")]
    is_sound = pl.all_horizontal(
        NAME.str.contains(r"^\s*[^\s$]"),
        pl.coalesce(expr.unix(time, "us"), expr.timestamp(time)).is_not_null(),
        *(
            (text.str.len_chars() <= _SHORT) & ~text.str.contains("[\x00\ufffd]")
            for text in (text.fill_null("") for text in texts)
        ),
    )
    return pl.when(is_sound).then(joint())


def to_links(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return which browsers and apps a user was seen in."""
    ids = {"anonymous": values.linkable("user_pseudo_id"), "identified": values.linkable("user_id")}
    return links.linked(rows, **ids, time=moment("event_timestamp", options), why="seen together")


def flat_links(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return which browsers and apps a user was seen in, of rows that may have Fivetran's names."""
    time = expr.first(pl.col("event_timestamp"), pl.col("timestamp"))
    return to_links(rows.with_columns_seq(time.alias("event_timestamp")), options)


WARNINGS: Final = {"without_ids": nobody()}
BAGS: Final = {
    "event_params": Bag(keys=BAG, read=parameters, whole=WHOLE),
    "user_properties": Bag(read=remembered(newest), whole=WHOLE),
    "items": Bag(read=bought, whole=WHOLE),
    REST: Bag(keys=BAG),
    **{name: Bag(read=others(name)) for name in RECORDS},
}
"""How the lists and records of BigQuery's own table are opened."""
IDS: Final = ("user_id", "user_pseudo_id")
LINKS: Final = ("event_timestamp", "user_id", "user_pseudo_id")
MAPPING: Final = Platform(
    identity_version=3,
    payload_version=3,
    title="Google Analytics 4",
    reads="the BigQuery export as Parquet, Avro, JSON lines (bq extract, console) or CSV flattened by Fivetran, by"
    " Adswerve's flattener, by UNNEST, or with nested values as text in a cell",
    tables=[
        Table(
            name="user_data",
            columns=text_columns(COLUMNS["users"]),
            matches=is_users,
            to_events=events.none,
            to_profiles=to_profiles,
            ids=("user_id", "pseudo_user_id"),
            dropped=frozenset({"device", "geo", "privacy_info"}),
        ),
        *JOINED,
        Table(
            name="parameter_rows",
            columns=text_columns(FLAT, parameter_columns()),
            matches=is_unnested,
            to_events=parameter_rows,
            to_profiles=flat_snapshots,
            to_links=flat_links,
            to_recoveries=unnested,
            times=("event_timestamp", "timestamp"),
            ids=(*IDS, "event_id"),
            recover=joint(),
            neighbours=alike(),
            rename=PIVOTED,
            filters={
                "automatic_events": NAME.is_in(MARKS),
                "row_of_same_event": pl.col(AGAIN),
            },
            warnings=WARNINGS,
            dropped=DROPPED,
        ),
        Table(
            name="events",
            columns=text_columns(COLUMNS["plain"], COLUMNS["lists"], RECORDS),
            matches=is_nested,
            to_events=nested,
            to_profiles=nested_snapshots,
            to_links=to_links,
            link_columns=LINKS,
            times=("event_timestamp",),
            ids=IDS,
            bags=BAGS,
            properties=("event_params", *RECORDS, REST, "items"),
            rename=RENAME,
            filters={"automatic_events": pl.col("event_name").is_in(MARKS)},
            warnings=WARNINGS,
            dropped=DROPPED,
        ),
        Table(
            name="flat_events",
            columns=text_columns(FLAT),
            matches=is_flat,
            to_events=flat,
            to_profiles=flat_snapshots,
            to_links=flat_links,
            link_columns=(*LINKS, "timestamp"),
            times=("event_timestamp", "timestamp"),
            ids=(*IDS, "event_id"),
            recover=pl.col("event_id"),
            rename=PIVOTED,
            filters={"automatic_events": NAME.is_in(MARKS)},
            warnings=WARNINGS,
            dropped=DROPPED,
        ),
        Table(
            name="universal_analytics",
            columns={},
            matches=lambda columns: {"visitid", "hits"} <= columns or {"fullvisitorid", "visitid"} <= columns,
            to_events=events.none,
            refusal="this is an export of Universal Analytics (ga_sessions_…), which has sessions where Google"
            " Analytics 4 has events; name universalanalytics instead of ga4, or export the tables events_YYYYMMDD of a"
            " Google Analytics 4 property",
        ),
        Table(
            name="report",
            columns={},
            matches=lambda columns: any(name.startswith("# -") for name in columns),
            to_events=events.none,
            refusal="this is a report saved from Google Analytics: it holds counts, not events; export the tables"
            " events_YYYYMMDD from BigQuery instead, for example with bq extract --destination_format=PARQUET",
        ),
    ],
)
