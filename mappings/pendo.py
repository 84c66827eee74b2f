"""Pendo: the Avro files of Data Sync, and the tables that warehouses make of them.

Data Sync writes `datasync/<subscription>/<application>/<export>/allevents.avro` (large ones in parts), beside it
`allpages`, `allfeatures`, `alltracktypes`, `allguides` and `matchedEvents/{Page,Feature,TrackType}/<id>.avro`;
`visitor/` and `account/` hold visitors and accounts with their metadata (concepts/01-dataload of
github.com/pendo-io/data-sync-for-developers; load_sync.py of github.com/pendo-io/data-sync-gcp-export-loading-example;
https://support.pendo.io/hc/en-us/articles/14121317891355-Data-Sync-schema-definitions, of which the beginning; the keys
of an event as in https://posthog.com/docs/migrate/pendo; all read 2026-11-29). No real file was to be had.

* All events stand in allevents. A matched file holds those again that a tag matches: it tells names, and no event.
* A tag is `Page/<id>` in `matchableId`, and `<id>` in the table of its kind.
* A visitor is `_PENDO_T_…` until somebody says who it is; an `identify` event names both ids.
* Times are UTC: Avro's logical types, ISO text in a warehouse, or milliseconds since 1970.
* A day is exported again when it is final, a week later, and replaces what came before: events that stayed keep their
  `eventId`, and so are no second events. One that is gone cannot be unsent.
"""

from dataclasses import replace
from functools import partial
from typing import Final

import polars as pl

from mappings._pendo_columns import (
    COLUMNS,
    NAMES,
    event_key,
    interaction,
    is_kind,
    kind,
    moment,
    own,
    page,
    place,
    software,
    visitor,
)
from mappings._pendo_matched import KINDS, matchable, tags, to_recoveries
from mappings._pendo_people import (
    has_no_name,
    is_metadata,
    to_groups,
    to_links,
    to_profiled,
    to_profiles,
)
from migrate.kit import copiers, events, expr
from migrate.kit.declare import (
    EVERY_ROW,
    PROPERTIES,
    REST,
    Bag,
    Join,
    Lookup,
    Options,
    Platform,
    Table,
    has,
    inside,
)

DROPPED: Final = copiers.AIRBYTE | copiers.FIVETRAN | copiers.STITCH
DEFINITIONS: Final = {
    "pages": ("pageId", ("allpages*", "pages.*", "pages-*")),
    "features": ("featureId", ("allfeatures*", "features.*", "features-*")),
    "track_types": ("trackTypeId", ("alltracktypes*", "tracktypes.*", "track_types.*", "tracktypes-*")),
    "guides": ("guideId", ("allguides*", "guides.*", "guides-*")),
}
"""Tables of definitions -> the column of their ids, and how their files are called."""


def event_name() -> pl.Expr:
    """Return an event's name: `$pageview` of a page's load, of a track event its type's, else its kind.

    Where a row does not name its type, the matched files do, as a property: no file beside it decides what an event is
    called, lest the first rows of a trial be other events than all of them.
    """
    track = expr.first(pl.col(inside("track", "name")), kind())
    return pl.when(is_kind("track")).then(track).otherwise(expr.lookup(kind(), NAMES))


def to_events(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the event each row is."""
    account = expr.stripped(pl.col("accountId"))
    return events.events(
        rows,
        event=event_name(),
        distinct_id=visitor(),
        timestamp=moment(options),
        dedup_key=event_key(),
        laid=pl.col(PROPERTIES),
        rest=tags(),
        extra=page() | software() | place() | own() | interaction(),
        groups={options.group_type: account},
    )


def is_events(columns: frozenset[str]) -> bool:
    """Return whether these are columns of events, matched ones or all."""
    return {"eventid", "visitorid", "browsertimestamp", "eventtype"} <= columns


def is_definition(columns: frozenset[str], number: str) -> bool:
    """Return whether these are columns of definitions with this id."""
    return {number.lower(), "name"} <= columns and "eventid" not in columns and "visitorid" not in columns


def is_bill(columns: frozenset[str]) -> bool:
    """Return whether these are keys of an export manifest, or of a bill of materials."""
    return "exports" in columns or "timedependent" in columns or "metadataschemafile" in columns


def is_named(name: str, word: str) -> bool:
    """Return whether a file is called after this table, as one of several parts or with a schema before it."""
    return word in name.replace("_", "").rpartition(".")[2]


def definitions(name: str) -> Table:
    """Return the table of the names of pages, features, track types or guides."""
    number, files = DEFINITIONS[name]
    return Table(
        name=name,
        columns=dict.fromkeys((number, "name"), pl.String),
        matches=partial(is_definition, number=number),
        to_events=events.none,
        lookup=Lookup(key=number, files=files),
        ids=(number,),
        dropped=DROPPED,
        left_out=bool,
    )


def metadata(name: str, number: str) -> Table:
    """Return the table of visitors, or of accounts, whose files are told by their names."""
    return Table(
        name=name,
        columns=dict.fromkeys(("id", number), pl.String),
        matches=is_metadata,
        file=partial(is_named, word=name.removesuffix("s")),
        to_events=events.none,
        ids=("id", number),
        filters={"states_only": EVERY_ROW},
        dropped=DROPPED,
    )


EVENTS: Final = Table(
    name="events",
    columns=dict.fromkeys(COLUMNS, pl.String),
    matches=is_events,
    to_events=to_events,
    to_links=to_links,
    link_columns=("visitorId", "oldVisitorId", "browserTimestamp"),
    joins={
        "guide": Join(table="guides", on="guideId", columns=["name"]),
        "track": Join(table="track_types", on="trackTypeId", columns=["name"]),
    },
    recover=event_key(),
    ids=("eventId", "visitorId", "oldVisitorId", "accountId", "guideId", "trackTypeId"),
    times=("browserTimestamp",),
    objects=("propertiesJson",),
    properties=("propertiesJson", REST),
    filters={"identity_only": is_kind("identify")},
    dropped=DROPPED | {"periodId"},
)
TOLD: Final = ("matchableId", "eventId", "appId", "browserTimestamp")
MATCHED: Final = Table(
    name="matched_events",
    columns=dict.fromkeys(TOLD, pl.String),
    matches=lambda columns: is_events(columns) and "matchableid" in columns,
    to_events=events.none,
    to_recoveries=to_recoveries,
    bags={"matchableId": Bag(read=matchable, keys=tuple(KINDS))},
    joins={
        "page": Join(table="pages", on=inside("matchableId", "page"), columns=["name"]),
        "feature": Join(table="features", on=inside("matchableId", "feature"), columns=["name"]),
        "trackType": Join(table="track_types", on=inside("matchableId", "trackType"), columns=["name"]),
    },
    ids=("eventId",),
    filters={"told_of_its_events": EVERY_ROW},
    dropped=DROPPED | {"periodId", "title", *COLUMNS}.difference(TOLD),  # they stand in allevents
    left_out=bool,
)
NOTES: Final = Table(
    name="bill_of_materials",
    columns={},
    matches=is_bill,
    to_events=events.none,
    filters={"notes_only": EVERY_ROW},
)
MAPPING: Final = Platform(
    title="Pendo (Data Sync)",
    reads="allevents with matchedEvents, definitions, visitors and accounts, as Avro, or as a warehouse's CSV, JSON"
    " lines or Parquet",
    options=frozenset({"--group-type"}),
    tables=[
        MATCHED,
        EVENTS,
        *(definitions(name) for name in DEFINITIONS),
        replace(
            NOTES,
            name="metadata_schema",
            matches=lambda columns: "avrofieldname" in columns,
        ),
        Table(
            name="metadata_values",
            columns={},
            matches=has("group", "name", "displayname", "value"),
            to_events=events.none,
            refusal="this table holds one field of a visitor or an account a row, and a person is told whole or not at"
            " all; give visitors and accounts as Data Sync writes them (visitors.avro, accounts.avro)",
        ),
        Table(
            name="sums",
            columns={},
            matches=lambda columns: (
                bool(columns & {"numevents", "num_events"}) and bool(columns & {"numminutes", "num_minutes"})
            ),
            to_events=events.none,
            refusal="these are counts of hours or days (numEvents, numMinutes), as the aggregation API and what copies"
            " it give them: no event can be made of a count; export the events with Data Sync",
        ),
        replace(
            metadata("visitors", "visitorId"),
            to_profiles=to_profiles,
            to_links=to_profiled,
            warnings={"anonymous_metadata": has_no_name()},
            link_columns=("id", "visitorId"),
        ),
        replace(metadata("accounts", "accountId"), to_groups=to_groups),
        NOTES,
    ],
)
