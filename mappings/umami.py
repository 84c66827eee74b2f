"""Umami: the export of Umami Cloud, and the tables of a server of one's own, as CSV or JSON lines.

Umami Cloud sends a link to a zip with `website_event.csv`, `event_data.csv` and `session_data.csv`, whose columns are
those of its tables in ClickHouse (db/clickhouse/schema.sql and its migrations 01 to 13). Postgres and MySQL keep the
browser and the place of an event in a table of their own, `session` (db/postgresql/schema.prisma). All of it as in
umami-software/umami, with src/app/api/send/route.ts, src/lib/collection-session.ts, constants.ts, data.ts and
detect.ts, read 2026-11-29; columns of exports as importers of others read them, read the same day.

* `session_id` is no session: a hash of site, address, browser and month, so the visitor of a month. `visit_id` is the
  session. `distinct_id` is the id given to `umami.identify`; newer servers hash it into `session_id`, too.
* Times are UTC, without a zone from ClickHouse, with one from Postgres.
* Data of events and of visitors are rows of a key and a value in other files; objects are flattened (`a.b`), numbers
  have four decimals, texts are cut at 500 characters.
* The export in the settings of a server holds counts: it is refused.
"""

from typing import Final

import polars as pl

from mappings import _first_seen as first_seen
from mappings._umami_columns import CLICKS, UTM, VITALS, address, campaign, device, page, place, vitals
from mappings._umami_data import (
    SESSION,
    event_data,
    event_key,
    moment,
    of_session,
    profiles,
    properties,
    session_columns,
    session_key,
    visitor,
    visitor_data,
)
from migrate.kit import copiers, events, expr, links, values
from migrate.kit.declare import EVERY_ROW, PROPERTIES, REST, Options, Platform, Table, has, words

TYPES: Final = {"1": "$pageview", "3": "umami_link", "4": "umami_pixel", "5": "$web_vitals"}
"""Kinds of events that have no name of their own; 2 is an event called by its name."""
COLUMNS: Final = (
    *words(
        "website_id session_id visit_id event_id event_type event_name tag distinct_id created_at page_title"
    ),
    *words("url_path url_query referrer_path referrer_query referrer_domain"),
    *(*SESSION, *UTM, *CLICKS, *VITALS),
)
COUNTED: Final = frozenset(words("events pages referrers browsers os devices countries export"))
"""What the files of a website's export of counts are called; their columns are called as many programs' are."""
DATA: Final = words("data_key data_type string_value number_value date_value")
COPIED: Final = copiers.AIRBYTE | copiers.FIVETRAN | copiers.STITCH


def told(name: str) -> pl.Expr:
    """Return what an event says under a name, else its session."""
    return expr.first(pl.col(name), pl.col("_session").struct.field(name))


def event_name() -> pl.Expr:
    """Return what an event is called: by its kind; without one by its name, and without that a pageview."""
    kind, name = (
        expr.stripped(pl.col("event_type")).str.strip_suffix(".0"),
        expr.stripped(pl.col("event_name")),
    )
    known = kind.replace_strict(TYPES, default=None, return_dtype=pl.String)
    nothing = kind.is_null() & name.is_null()
    return pl.when(nothing).then(pl.lit("$pageview")).otherwise(pl.coalesce(known, name))


def dedup_key() -> pl.Expr:
    """Return the event's id; of rows that were exported without it all they say."""
    number = expr.stripped(pl.col("event_id"))
    said = [pl.col(name) for name in COLUMNS if name != "event_id"]
    row = expr.key(
        pl.lit("row"), *said, expr.canonical(pl.col(REST), where=number.is_null()), where=number.is_null()
    )
    return pl.coalesce(number, row)


def to_events(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the event each row is."""
    known = rows.with_columns_seq(moment(options).alias("_time"), of_session().alias("_session"))
    known = known.with_columns_seq(told(name).alias(f"_{name}") for name in SESSION)
    known = known.with_columns_seq(address().alias("_url"), values.system(pl.col("_os")).alias("_system"))
    visit = expr.stripped(pl.col("visit_id"))
    own = {
        "$session_id": first_seen.session_id(visit, pl.col("_time")),
        "umami_tag": expr.stripped(pl.col("tag")),
        **{
            f"umami_{name}": expr.stripped(pl.col(name))
            for name in ("visit_id", "session_id", "event_id", "website_id")
        },
    }
    return events.events(
        known,
        event=event_name(),
        distinct_id=visitor(),
        timestamp=pl.col("_time"),
        dedup_key=dedup_key(),
        laid=pl.col(PROPERTIES),
        properties=properties(),
        extra=page() | campaign() | device() | place() | vitals() | own,
    )


def seen_together(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return which visitors of a month are which known person, by the rows that name both."""
    ids = {"anonymous": values.linkable("session_id"), "identified": values.linkable("distinct_id")}
    return links.linked(rows, **ids, time=moment(options), why="seen together")


def to_links(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the same, and which of these visitors have events of their own."""
    alone = rows.filter(expr.stripped(pl.col("distinct_id")).is_null())
    session = values.linkable("session_id")
    return links.concat([seen_together(rows, options), links.own(alone, anonymous=session, key=session)])


def visits(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return when the visits of these rows began."""
    return first_seen.starts(rows, session=expr.stripped(pl.col("visit_id")), time=moment(options))


def is_events(columns: frozenset[str]) -> bool:
    """Return whether these are columns of events."""
    return {"session_id", "url_path", "event_type", "created_at"} <= columns and "data_key" not in columns


def is_sessions(columns: frozenset[str]) -> bool:
    """Return whether these are columns of the table of sessions, or of that of identified ones."""
    named = columns & {"distinct_id", "browser", "screen"}
    others = columns & {"url_path", "event_id", "data_key", "event_name", "visit_id"}
    return {"website_id", "session_id", "created_at"} <= columns and bool(named) and not others


MAPPING: Final = Platform(
    title="Umami",
    reads="website_event, event_data and session_data of Umami Cloud's export; the same tables, and session and"
    " session_link, of one's own ClickHouse, Postgres or MySQL; as CSV or JSON lines",
    tables=[
        Table(
            name="hourly",
            columns={},
            matches=has("website_id", "views", "min_time", "max_time"),
            to_events=events.none,
            refusal="this table holds hourly sums, which Umami makes of its events for itself; export the table"
            " website_event instead",
        ),
        Table(
            name="counts",
            columns={},
            matches=lambda columns: columns in ({"x", "y"}, {"x", "t", "y"}, {"zip"}),
            file=lambda stem: stem in COUNTED or "umami" in stem,
            to_events=events.none,
            refusal="this is the export of a website's settings, which holds counts (x, y) and no events; ask Umami"
            " Cloud for its data export, or export the tables website_event and event_data from"
            " your own database",
        ),
        Table(
            name="website_event",
            columns=dict.fromkeys(COLUMNS, pl.String),
            matches=is_events,
            to_events=to_events,
            to_links=to_links,
            tells_own=True,
            to_recoveries=visits,
            recover=(
                event_key(expr.stripped(pl.col("event_id"))),
                first_seen.key(expr.stripped(pl.col("visit_id"))),
                session_key(expr.stripped(pl.col("session_id"))),
            ),
            link_columns=("session_id", "distinct_id", "visit_id", "created_at"),
            ids=("event_id", "session_id", "visit_id", "distinct_id"),
            times=("created_at",),
            properties=(REST,),
            dropped=COPIED | {"job_id"},
        ),
        Table(
            name="event_data",
            columns=dict.fromkeys((*DATA, "event_key", "event_id", "website_event_id"), pl.String),
            matches=lambda columns: (
                bool(columns & {"event_id", "website_event_id"})
                and bool(columns & {"data_key", "event_key"})
                and {"data_type", "string_value"} <= columns
            ),
            to_events=events.none,
            to_recoveries=event_data,
            link_columns=(*DATA, "event_key", "event_id", "website_event_id"),
            ids=("event_id", "website_event_id"),
            filters={"data_of_its_event": EVERY_ROW},
            dropped=COPIED
            | {"event_data_id", "website_id", "session_id", "url_path", "event_name", "created_at", "job_id"},
            left_out=bool,
        ),
        Table(
            name="session_data",
            columns=dict.fromkeys((*DATA, "created_at", "session_id", "distinct_id"), pl.String),
            matches=has("session_id", "data_key", "data_type", "string_value"),
            to_events=events.none,
            to_recoveries=visitor_data,
            recover=links.key("visitor", visitor()),
            to_profiles=profiles,
            to_links=seen_together,
            tells_own=True,
            link_columns=(*DATA, "created_at", "session_id", "distinct_id"),
            ids=("session_id", "distinct_id"),
            filters={"data_of_its_visitor": EVERY_ROW},
            dropped=COPIED | {"session_data_id", "website_id", "job_id"},
            left_out=bool,
        ),
        Table(
            name="revenue",
            columns={},
            matches=has("website_id", "event_id", "event_name", "currency", "revenue"),
            to_events=events.none,
            filters={"data_of_its_event": EVERY_ROW},
            left_out=bool,
        ),
        Table(
            name="sessions",
            columns=dict.fromkeys(("session_id", "distinct_id", "created_at", *SESSION), pl.String),
            matches=is_sessions,
            to_events=events.none,
            to_recoveries=session_columns,
            to_links=seen_together,
            tells_own=True,
            ids=("session_id", "distinct_id"),
            filters={"told_of_its_events": EVERY_ROW},
            dropped=COPIED | {"website_id", "session_link_id"},
            left_out=bool,
        ),
    ],
)
