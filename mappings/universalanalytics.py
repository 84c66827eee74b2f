"""Universal Analytics: the BigQuery export of a view, `ga_sessions_YYYYMMDD`, one record a session, nested.

As Parquet, Avro or JSON lines; the schema is Google's (https://support.google.com/analytics/answer/3437719, and the
field by field notes of https://scosco.github.io/learn-bigquery/google-analytics/, read 2026-11-29). Google deleted the
data of Universal Analytics in 2024: what is left are exports such as these.

* A record is a session, and each of its `hits` an event: `time` is in milliseconds after `visitStartTime`, which is in
  seconds, UTC. All other clocks (`date`, `hour`, `minute`) are the view's.
* A session that crosses the view's midnight is two records with one `visitId`, which is when it began: one session.
* There is no id of a hit. A session's records are told by visitor and `visitStartTime`, a hit by its `hitNumber`.
* Money is in millionths, in the view's currency; what is called local is in the currency that stands beside it.
* `trafficSource` is of the session, and of an earlier one where somebody came directly (`isTrueDirect`).
"""

from typing import Final

import polars as pl

from mappings._ua_hits import OURS, hit, record, session
from mappings._ua_properties import (
    CLICK,
    DEVICE,
    GEO,
    GONE,
    LOOKED_AT,
    TRAFFIC,
    came,
    hardware,
    kept,
    money,
    nobody,
    of,
    page,
    place,
    user,
    visitor,
)
from migrate.kit import events, expr, links
from migrate.kit.declare import POSITION, PROPERTIES, REST, Bag, Options, Platform, Table, inside, words

NAMES: Final = {
    "PAGE": "$pageview",
    "APPVIEW": "$screen",
    "TRANSACTION": "purchase",
    "ITEM": "purchase_item",
    "SOCIAL": "social",
    "EXCEPTION": "$exception",
    "TIMING": "timing",
}
"""An `EVENT` is called by its category and its action."""
COLUMNS: Final = words(
    "fullVisitorId visitorId clientId userId visitNumber visitId visitStartTime date channelGrouping trafficSource"
    " device geoNetwork customDimensions hits"
)
DROPPED: Final = frozenset(words("totals socialEngagementType privacy_info privacyInfo"))
"""Sums of what the hits say, and what is alike in all sessions."""


def start() -> pl.Expr:
    """Return when a record's session was opened, to which the times of its hits are added."""
    return expr.unix(expr.stripped(pl.col("visitStartTime")), "s")


def name() -> pl.Expr:
    """Return what a hit is called; of an event its category and action, or the one of them that it has."""
    both = pl.concat_str(of("event_category"), of("event_action"), separator=": ", ignore_nulls=True)
    return pl.when(of("type") == "EVENT").then(both).otherwise(expr.lookup(of("type"), NAMES))


def session_id() -> dict[str, pl.Expr]:
    """Return the session: `visitId` is its start, also of its part after midnight; else the record's own start."""
    number, opened = expr.integer(pl.col("visitId")), pl.col("_start").dt.epoch("ms")
    began = number * expr.SECOND_MS
    is_start = (opened - began).is_between(0, expr.DAY_MS - 1)
    start = pl.when(pl.col("_visitor").is_not_null()).then(pl.when(is_start).then(began).otherwise(opened))
    return {
        "$session_id": expr.session_id(
            start, pl.col("_time"), pl.col("_visitor"), pl.coalesce(number, opened)
        )
    }


def to_events(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return the event each hit is."""
    after = pl.duration(milliseconds=expr.integer(of("time")))
    known = rows.with_columns_seq(start().alias("_start"), visitor().alias("_visitor")).with_columns_seq(
        (pl.col("_start") + after).alias("_time"),
        expr.key(
            pl.col("_visitor"),
            pl.col("_start").dt.epoch("ms"),
            pl.coalesce(expr.integer(of("hit_number")), pl.col(POSITION)),
        ).alias("_key"),
    )
    single = expr.id_of_no_one("universalanalytics", pl.col("_time"), pl.col("_key"), where=nobody())
    return events.events(
        known,
        event=name(),
        distinct_id=pl.coalesce(user(), visitor(), single),
        timestamp=pl.col("_time"),
        dedup_key=pl.col("_key"),
        laid=pl.col(PROPERTIES),
        extra=page() | hardware() | place() | came() | money() | session_id() | kept(),
    )


def to_links(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return which browsers and apps a user was seen in."""
    return links.linked(rows, anonymous=visitor(), identified=user(), time=start(), why="seen together")


MAPPING: Final = Platform(
    title="Universal Analytics",
    reads="the BigQuery export (ga_sessions_…) as Parquet, Avro or JSON lines, sessions with their hits",
    tables=[
        Table(
            name="sessions",
            columns=dict.fromkeys(COLUMNS, pl.String),
            matches=lambda columns: "hits" in columns and bool(columns & {"visitid", "visitstarttime"}),
            unfold="hits",
            to_events=to_events,
            to_links=to_links,
            link_columns=("fullVisitorId", "visitorId", "clientId", "userId", "visitStartTime"),
            ids=("fullVisitorId", "visitorId", "clientId", "userId"),
            times=("visitStartTime", inside("hits", f"{OURS}time")),
            bags={
                "hits": Bag(
                    read=hit,
                    keys=[OURS + name for name in LOOKED_AT],
                    drops=frozenset(OURS + name for name in GONE),
                ),
                "device": Bag(read=record("device", DEVICE), keys=DEVICE, drops=frozenset(DEVICE)),
                "geoNetwork": Bag(read=record("geo", GEO), keys=GEO, drops=frozenset(GEO)),
                "trafficSource": Bag(
                    read=record("traffic", TRAFFIC),
                    keys=[*TRAFFIC, CLICK],
                    drops=frozenset({*TRAFFIC, CLICK}),
                ),
                "customDimensions": Bag(read=session),
            },
            properties=("hits", "customDimensions", "device", "geoNetwork", "trafficSource", REST),
            filters={"without_hits": pl.col("hits").is_null()},
            warnings={"without_ids": nobody()},
            dropped=DROPPED,
        ),
        Table(
            name="flat_sessions",
            columns={},
            matches=lambda columns: {"fullvisitorid", "visitid"} <= columns,
            to_events=events.none,
            refusal="this is a table of sessions without their hits: it holds sums, and no events; export the tables"
            " ga_sessions_YYYYMMDD themselves, for example with bq extract --destination_format=PARQUET",
        ),
    ],
)
