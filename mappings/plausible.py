"""Plausible: the tables of a server of one's own, events_v2 and sessions_v2, as ClickHouse writes them.

`SELECT * FROM events_v2 … FORMAT CSVWithNames`, or JSONEachRow; columns as in plausible/analytics
(lib/plausible/clickhouse_event_v2.ex, clickhouse_session_v2.ex, and the dump in
test/plausible/imported/csv_importer_test.exs), read 2026-11-29.

* `user_id` is a hash whose salt changes every day: the visitor of a day, and no person. So all events are of no one,
  with that id as their distinct_id, and the visitors of a day are counted as Plausible counts them.
* Times are UTC, to the second, without a zone. There is no id of an event: rows that are alike are events of their own.
* Own properties are two lists, `meta.key` and `meta.value`, of text.
* Referrer, campaign, browser and place are those of the session, on every event of it.
* sessions_v2 has several rows of a session, the older ones taken back by rows of the other `sign`; they all say the
  same `start`, which is all that is taken of them.
* The site's export (Settings, Imports & exports; lib/plausible/exports.ex) and the downloads of the dashboard hold sums
  of days, each table apart: they are refused.
"""

from typing import Final

import polars as pl

from mappings import _first_seen as first_seen
from mappings._plausible_columns import (
    BROWSER,
    DAILY,
    DASHBOARD,
    SOURCE,
    device,
    engaged,
    own,
    page,
    place,
    source,
    without_nul,
)
from mappings._plausible_meta import is_unread, meta
from migrate.kit import copiers, events, expr
from migrate.kit.declare import EVERY_ROW, PROPERTIES, REST, Options, Platform, Table, has, words

NAMES: Final = {"pageview": "$pageview"}
COLUMNS: Final = (
    *words("timestamp name site_id domain user_id session_id hostname pathname meta.key meta.value"),
    *words(
        "revenue_source_amount revenue_source_currency revenue_reporting_amount revenue_reporting_currency"
    ),
    *words("scroll_depth engagement_time"),
    *SOURCE,
    *BROWSER,
)
WHY: Final = (
    ", each table for itself: nothing in it tells which visitor saw which page, and when. No event can be made of it;"
    " from a server of your own export the tables events_v2 and sessions_v2 of ClickHouse (FORMAT CSVWithNames) instead"
)


def moment(name: str, options: Options) -> pl.Expr:
    """Return a time of a column."""
    return expr.timestamp(pl.col(name), zone=options.source_timezone)


def dedup_key() -> pl.Expr:
    """Return what a row says of what happened; what is told of its session does not belong there."""
    said = words("site_id domain user_id session_id name hostname pathname")
    amount = expr.number(pl.col("revenue_source_amount"))
    row = (*(pl.col(name) for name in said), expr.canonical(meta()), amount, *engaged().values())
    return expr.key(pl.lit("row"), *row)


def to_events(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the event each row is, of no one."""
    known = without_nul(rows, COLUMNS).with_columns_seq(moment("timestamp", options).alias("_time"))
    session = expr.stripped(pl.col("session_id"))
    return events.events(
        known,
        event=expr.lookup(pl.col("name"), NAMES),
        distinct_id=expr.stripped(pl.col("user_id")),
        timestamp=pl.col("_time"),
        dedup_key=dedup_key(),
        laid=pl.col(PROPERTIES),
        properties=meta(),
        extra=page()
        | source()
        | device()
        | place()
        | own()
        | {
            "$process_person_profile": pl.lit(False),
            "$session_id": first_seen.session_id(session, pl.col("_time")),
            "plausible_session_id": session,
        },
    )


def seen(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return when the sessions of these events began, as far as they tell."""
    return first_seen.starts(
        rows, session=expr.stripped(pl.col("session_id")), time=moment("timestamp", options)
    )


def starts(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return when these sessions began; the earlier of this and the first event counts."""
    return first_seen.starts(rows, session=expr.stripped(pl.col("session_id")), time=moment("start", options))


def is_events(columns: frozenset[str]) -> bool:
    """Return whether these are columns of events_v2, or of the older events."""
    return {"timestamp", "name", "user_id", "session_id", "hostname", "pathname"} <= columns and bool(
        columns & {"meta.key", "referrer_source", "screen_size", "city_geoname_id"}
    )


def is_daily(columns: frozenset[str]) -> bool:
    """Return whether these are columns of one of the tables of a site's export, in any order."""
    return {"date", "visitors"} <= columns <= DAILY


def is_dashboard(columns: frozenset[str]) -> bool:
    """Return whether these are columns of a download of the dashboard."""
    counted = columns & {"visitors", "unique_conversions"}
    return bool(counted) and bool(columns & {"name", "property", "date"}) and columns <= DASHBOARD


MAPPING: Final = Platform(
    title="Plausible",
    reads="events_v2 and sessions_v2 of a server of one's own, as ClickHouse's CSVWithNames or JSON lines",
    tables=[
        Table(
            name="site_export",
            columns={},
            matches=is_daily,
            to_events=events.none,
            refusal=f"this is a table of a site's export, which holds the sums of each day{WHY}",
        ),
        Table(
            name="dashboard",
            columns={},
            matches=is_dashboard,
            to_events=events.none,
            refusal=f"this is a download of the dashboard, which holds the sums of a period{WHY}",
        ),
        Table(
            name="sessions",
            columns=dict.fromkeys(("session_id", "start"), pl.String),
            matches=has("session_id", "sign", "start", "user_id"),
            to_events=events.none,
            to_recoveries=starts,
            ids=("session_id",),
            filters={"told_of_its_events": EVERY_ROW},
            left_out=bool,
        ),
        Table(
            name="events",
            columns=dict.fromkeys(COLUMNS, pl.String),
            matches=is_events,
            to_events=to_events,
            to_recoveries=seen,
            recover=first_seen.key(expr.stripped(pl.col("session_id"))),
            link_columns=("session_id", "timestamp"),
            ids=("user_id", "session_id"),
            times=("timestamp",),
            properties=(REST,),
            filters={"engagement": pl.col("name") == "engagement"},
            warnings={"properties_not_read": is_unread()},
            ordinals=True,
            dropped=copiers.AIRBYTE | {"transferred_from"},
        ),
    ],
)
