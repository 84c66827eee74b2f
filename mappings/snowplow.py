"""Snowplow: enriched events as TSV, as rows of a warehouse or lake, and as the analytics SDKs write them.

The enriched TSV has 131 columns and no header, neither quotes nor escapes
(https://docs.snowplow.io/docs/destinations/custom-streaming/enriched-tsv-format/); a warehouse has the same columns,
and each entity and each kind of event in a column of its own; the SDKs' JSON has the same as keys
(snowplow-python-analytics-sdk, `json_shredder.py`, read 2026-11-29).

* `event_id` alone does not make an event one: "natural duplicates" have the same `event_fingerprint`, too, and are one
  event; others are events of their own (docs.snowplow.io, Event deduplication, read 2026-11-29).
* `derived_tstamp` is the device's time set right by the collector's; copies of an event that were sent twice differ in
  it. Their uuid is therefore made of `dvce_created_tstamp`, which the fingerprint is made of, too, and copies share.
* Times are UTC, without a zone, with up to nine decimals.
* `user_id` is what the site says; `domain_userid` is the browser's cookie; `client_session` names the installation of
  an app; `network_userid` is the collector's cookie.
"""

from typing import Final

import polars as pl

from mappings import _first_seen as first_seen
from mappings._snowplow_columns import (
    ENRICHED,
    SAID,
    campaign,
    device,
    own,
    page,
    place,
    told,
)
from mappings._snowplow_entities import FACTS, KEYS, columns, contexts, fact, unstruct
from migrate.kit import copiers, events, expr, links, values
from migrate.kit.declare import (
    PROPERTIES,
    REST,
    Bag,
    Headerless,
    Options,
    Platform,
    Table,
    has,
    inside,
    words,
)

NAMES: Final = {
    "page_view": "$pageview",
    "screen_view": "$screen",
    "application_foreground": "Application Became Active",
    "application_background": "Application Backgrounded",
    "application_install": "Application Installed",
}
IDS: Final = words("event_id user_id domain_userid domain_sessionid network_userid")
TIMES: Final = words("derived_tstamp collector_tstamp dvce_created_tstamp")
COLUMNS: Final = (
    *words("event event_name event_fingerprint se_category se_action se_label se_property"),
    *words("contexts unstruct_event derived_contexts"),
    *IDS,
    *TIMES,
    *SAID,
)
DROPPED: Final = frozenset(
    words("etl_tstamp load_tstamp true_tstamp v_collector v_etl etl_tags event_format geo_location")
)
SESSION: Final = [
    inside(column, fact("client_session", field))
    for column in ("unstruct_event", "contexts", "derived_contexts", REST)
    for field in FACTS["client_session"]
]
ROBOTS: Final = ("robot", "robot mobile", "robot imitator", "spy", "hacker")
"""What yauaa calls devices that are nobody's."""


def moment(options: Options) -> pl.Expr:
    """Return when it happened: the derived time, and only where there is none the collector's."""
    at = expr.first(pl.col("derived_tstamp"), pl.col("collector_tstamp"))
    return expr.timestamp(at, zone=options.source_timezone)


def installation() -> pl.Expr:
    """Return the id of an app that is installed."""
    return expr.identifier(told("client_session", "userId"))


def anonymous() -> pl.Expr:
    """Return the id of a browser, of an app that is installed, or of the collector's cookie."""
    return pl.coalesce(values.linkable("domain_userid"), installation(), values.linkable("network_userid"))


def session() -> pl.Expr:
    """Return the id of the session."""
    return pl.coalesce(
        expr.stripped(pl.col("domain_sessionid")), expr.identifier(told("client_session", "sessionId"))
    )


def event_name() -> pl.Expr:
    """Return what an event is called: a structured one by its category and action, one of a schema by its schema."""
    kind, name = expr.stripped(pl.col("event")), expr.stripped(pl.col("event_name"))
    struct = pl.concat_str(
        [expr.stripped(pl.col("se_category")), expr.stripped(pl.col("se_action"))],
        separator=": ",
        ignore_nulls=True,
    )
    known = pl.coalesce(
        pl.when(kind == "struct").then(expr.stripped(struct)), name, told("event", "name"), kind
    )
    return expr.lookup(known, NAMES)


def uuid(created: pl.Expr) -> pl.Expr:
    """Return a uuid that copies of an event share, whenever they were sent; null where the device tells no time."""
    number, print_ = expr.stripped(pl.col("event_id")), expr.stripped(pl.col("event_fingerprint"))
    made = expr.uuid7(created.dt.epoch("ms"), pl.lit("snowplow"), number, print_)
    return pl.when(created.is_not_null() & number.is_not_null()).then(made)


def dedup_key() -> pl.Expr:
    """Return the event's id and its fingerprint."""
    number, print_ = expr.stripped(pl.col("event_id")), expr.stripped(pl.col("event_fingerprint"))
    return expr.key(number, print_, where=number.is_not_null())


def to_events(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the event each row is; one without any id is of no one."""
    known = rows.with_columns_seq(moment(options).alias("_time")).with_columns_seq(
        device()["$os"].alias("_system"), dedup_key().alias("_key")
    )
    created = expr.timestamp(pl.col("dvce_created_tstamp"), zone=options.source_timezone)
    person = pl.coalesce(values.linkable("user_id"), anonymous())
    seen = pl.coalesce(created, pl.col("_time"))
    no_one = expr.id_of_no_one("snowplow", seen, pl.col("_key"), where=person.is_null())
    kept = {
        "$process_person_profile": pl.when(person.is_null()).then(pl.lit(False)),
        "$device_id": anonymous(),
        "$session_id": first_seen.session_id(session(), pl.col("_time")),
        "snowplow_event_id": expr.stripped(pl.col("event_id")),
        "snowplow_session_id": session(),
        **{
            name: expr.stripped(pl.col(name))
            for name in (
                *words("event_fingerprint se_category se_action se_label se_property"),
                *words("collector_tstamp dvce_created_tstamp domain_userid network_userid"),
            )
        },
    }
    return events.events(
        known,
        event=event_name(),
        distinct_id=pl.coalesce(person, no_one),
        timestamp=pl.col("_time"),
        dedup_key=pl.col("_key"),
        uuid=uuid(created),
        laid=pl.col(PROPERTIES),
        extra=page() | campaign() | device() | place() | own() | kept,
    )


def to_links(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return whose browsers and apps they are, by the rows that name both, and which have events of their own."""
    user = values.linkable("user_id")
    others = (
        values.linkable("domain_userid"),
        installation(),
        values.linkable("network_userid"),
    )
    seen = [
        links.linked(rows, anonymous=other, identified=user, time=moment(options), why="seen together")
        for other in others
    ]
    alone = rows.filter(user.is_null())
    return links.concat([*seen, links.own(alone, anonymous=anonymous(), key=anonymous())])


def sessions(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return when the sessions of these rows began."""
    return first_seen.starts(rows, session=session(), time=moment(options))


def is_robot() -> pl.Expr:
    """Return whether an enrichment of the pipeline has told it as a robot."""
    listed = expr.boolean(told("com_iab_snowplow_spiders_and_robots", "spiderOrRobot"))
    seen = told("nl_basjes_yauaa_context", "deviceClass").str.to_lowercase().is_in(ROBOTS)
    return listed.fill_null(value=False) | seen.fill_null(value=False)


MAPPING: Final = Platform(
    title="Snowplow",
    reads="enriched events as TSV of 131 columns; atomic.events of a warehouse or lake as CSV, Parquet or JSON lines;"
    " the JSON of the analytics SDKs",
    headerless=[Headerless(columns=ENRICHED)],
    tables=[
        Table(
            name="failed_events",
            columns={},
            matches=lambda names: names == {"schema", "data"},
            to_events=events.none,
            refusal="these are failed events, which Snowplow's pipeline could not read or did not take; recover them"
            " there, and give the enriched events",
        ),
        Table(
            name="shredded",
            columns={},
            matches=has("root_id", "root_tstamp"),
            to_events=events.none,
            refusal="this is a table of Redshift or Postgres that holds one entity of events, apart from them; join it"
            " to atomic.events (root_id is event_id, root_tstamp is collector_tstamp) as a column"
            " contexts_<vendor>_<name>_1 of JSON, or give the enriched TSV, which holds all of them",
        ),
        Table(
            name="events",
            columns=dict.fromkeys(COLUMNS, pl.String),
            matches=has("event_id", "collector_tstamp", "event"),
            to_events=to_events,
            to_links=to_links,
            tells_own=True,
            to_recoveries=sessions,
            recover=first_seen.key(session()),
            link_columns=(
                *words(
                    "user_id domain_userid network_userid domain_sessionid derived_tstamp collector_tstamp"
                ),
                *SESSION,
            ),
            ids=IDS,
            times=("derived_tstamp", "collector_tstamp"),
            bags={
                "contexts": Bag(read=contexts, keys=KEYS, drops=frozenset(KEYS)),
                "derived_contexts": Bag(read=contexts, keys=KEYS, drops=frozenset(KEYS)),
                "unstruct_event": Bag(read=unstruct, keys=KEYS, drops=frozenset(KEYS)),
                REST: Bag(read=columns, keys=KEYS, drops=frozenset(KEYS)),
            },
            properties=("unstruct_event", "contexts", "derived_contexts", REST),
            rename={"_schema_version": None},
            filters={"page_pings": pl.col("event") == "page_ping", "robots": is_robot()},
            warnings={"decimals_cut": pl.col("derived_tstamp").str.contains(r"\.\d{6}\d*[1-9]\d*$")},
            dropped=DROPPED | copiers.AIRBYTE | copiers.FIVETRAN | copiers.STITCH,
        ),
    ],
)
