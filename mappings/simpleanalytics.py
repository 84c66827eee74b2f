"""Simple Analytics: data points of the Export API or the export page, as CSV, JSON or JSON lines.

`/api/export/datapoints` gives page views and events with the fields that were asked for
(https://docs.simpleanalytics.com/api/export-data-points and https://docs.simpleanalytics.com/api/helpers, read
2026-11-29); JSON is `{"datapoints": [...], "meta": {...}}`, as clients of others read it, read the same day.

* Nobody is recognised: there is a `session_id`, which is made anew for every session, and no visitor. So all events are
  of no one, and those of a session have one distinct_id.
* The vendor says of `uuid` that it is not always unique: it is a part of the key and not all of it.
* Times are in the zone that was asked for: `added_iso` says which, `added_unix` are seconds.
* Metadata are columns named after key and type: `metadata.plan_text`, `metadata.seats_int`.
* Robots are left out of an export unless asked for (`robots=true`).
"""

from typing import Final

import polars as pl

from mappings import _first_seen as first_seen
from mappings._simpleanalytics_columns import CAMPAIGN, campaign, device, metadata, page, place
from migrate.kit import copiers, events, expr
from migrate.kit.declare import REST, Options, Platform, Table, words

COLUMNS: Final = (
    *words("added_unix added_iso hostname hostname_original path query path_and_query is_unique is_robot"),
    *words("document_referrer referrer_hostname referrer_path country_code lang_language lang_region"),
    *words(
        "device_type browser_name browser_version os_name os_version user_agent session_id uuid datapoint"
    ),
    *words("screen_width screen_height viewport_width viewport_height scrolled_percentage duration_seconds"),
    *CAMPAIGN,
)
NAMES: Final = {"pageview": "$pageview"}


def moment(options: Options) -> pl.Expr:
    """Return when it happened: as text, with its zone, else in seconds."""
    text = expr.stripped(pl.col("added_iso"))
    seconds = pl.when(text.is_null()).then(expr.stripped(pl.col("added_unix")))
    return pl.coalesce(expr.timestamp(text, zone=options.source_timezone), expr.unix_by_size(seconds))


def event_name() -> pl.Expr:
    """Return what a data point is called; an export of page views alone has no names."""
    name = expr.stripped(pl.col("datapoint"))
    return expr.lookup(pl.when(name.is_null()).then(pl.lit("pageview")).otherwise(name), NAMES)


def dedup_key(time: pl.Expr) -> pl.Expr:
    """Return what makes the event one: its `uuid` with name, time and page; without one all that is said of it."""
    number = expr.stripped(pl.col("uuid"))
    same = (event_name(), time.dt.epoch("us"), pl.col("_url"))
    row = [pl.col(name) for name in COLUMNS if name not in {"uuid", "added_iso", "added_unix"}]
    whole = expr.canonical(pl.col(REST), where=number.is_null())
    return pl.coalesce(
        expr.key(number, *same, where=number.is_not_null()),
        expr.key(pl.lit("row"), *same, *row, whole, where=number.is_null()),
    )


def to_events(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the event each row is, of no one."""
    time, session = pl.col("_time"), expr.stripped(pl.col("session_id"))
    known = rows.with_columns_seq(moment(options).alias("_time"), page()["$current_url"].alias("_url"))
    known = known.with_columns_seq(dedup_key(time).alias("_key"))
    no_one = expr.id_of_no_one("simpleanalytics", time, pl.col("_key"), where=session.is_null())
    own = {
        "$process_person_profile": pl.lit(False),
        "$session_id": first_seen.session_id(session, time),
        "simpleanalytics_is_unique": expr.boolean(pl.col("is_unique")),
        "simpleanalytics_is_robot": expr.boolean(pl.col("is_robot")),
        "simpleanalytics_scrolled_percentage": expr.number(pl.col("scrolled_percentage")),
        "simpleanalytics_duration_seconds": expr.number(pl.col("duration_seconds")),
        "simpleanalytics_hostname_original": expr.stripped(pl.col("hostname_original")),
        "simpleanalytics_session_id": session,
        "simpleanalytics_uuid": expr.stripped(pl.col("uuid")),
    }
    return events.events(
        known,
        event=event_name(),
        distinct_id=pl.coalesce(session, no_one),
        timestamp=time,
        dedup_key=pl.col("_key"),
        properties=expr.each_row(pl.col(REST), metadata),
        extra=page() | campaign() | device() | place() | own,
    )


def starts(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return when the sessions of these rows began."""
    return first_seen.starts(rows, session=expr.stripped(pl.col("session_id")), time=moment(options))


def is_datapoints(columns: frozenset[str]) -> bool:
    """Return whether these are columns of data points; which of them there are the user has chosen."""
    others = columns & {*COLUMNS, "added_date"}
    return bool(columns & {"added_iso", "added_unix"}) and len(others) > 1


def is_without_times(columns: frozenset[str]) -> bool:
    """Return whether these are data points that were exported without their times, or only with the day."""
    known = columns & {*COLUMNS, "added_date"}
    marks = columns & {"document_referrer", "hostname_original", "datapoint", "path_and_query", "is_unique"}
    return bool(marks) and len(known) > 1 and not columns & {"added_iso", "added_unix"}


MAPPING: Final = Platform(
    title="Simple Analytics",
    reads="data points of the Export API or the export page, page views and events, as CSV, JSON or JSON lines",
    tables=[
        Table(
            name="datapoints",
            columns=dict.fromkeys(COLUMNS, pl.String),
            matches=is_datapoints,
            to_events=to_events,
            to_recoveries=starts,
            recover=first_seen.key(expr.stripped(pl.col("session_id"))),
            link_columns=("session_id", "added_iso", "added_unix"),
            ids=("session_id", "uuid"),
            times=("added_iso", "added_unix"),
            filters={"robots": expr.boolean(pl.col("is_robot"))},
            dropped=copiers.AIRBYTE | {"added_date"},
        ),
        Table(
            name="without_times",
            columns={},
            matches=is_without_times,
            to_events=events.none,
            refusal="these data points were exported without their times; export them again with the field"
            " added_iso among the others",
        ),
    ],
)
