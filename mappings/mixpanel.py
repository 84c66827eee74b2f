"""Mixpanel: raw exports, data pipelines old and new, warehouse copies, and the profiles of people and groups.

The Raw Event Export API answers JSON lines `{"event", "properties"}`; JSON pipelines write `mp_master_event`,
`mp_people_data` and `mp_identity_mappings_data` with one `properties` column; the old schematized pipelines write a
column a property, names mangled (https://docs.mixpanel.com/docs/data-pipelines, read 2026-11-20). Airbyte takes the
`$` from names, Stitch writes `mp_reserved_` for it, Fivetran splits known properties off. Profiles come as pages of
the engage API, a profile a line, people tables, or the CSV of the users page.

A project older than 2023 has its own time zone's wall clock in `time`, written as if it were UTC; `clock` tells it by
when Mixpanel's servers took the event. An event is one by its name, id, time and `$insert_id`, which is not unique
by itself (https://docs.mixpanel.com/docs/tracking-methods/event-deduplication). Identity verbs are links, not events.
"""

import itertools
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import polars as pl

from mappings._mixpanel_again import again
from mappings._mixpanel_files import is_bagged_people, is_flat, is_people, is_stitch, placed_events
from mappings._mixpanel_ids import identifier, meant
from mappings._mixpanel_labels import read_labels
from mappings._mixpanel_people import identity_links, no_one, person, to_links, without_ids, without_user
from mappings._mixpanel_profiles import PEOPLE, Roll, first_touches, to_groups, to_known, to_profiles
from mappings._mixpanel_properties import RECURRING, SEGMENT_PAGE, element, kept, recurring, software, viewed
from mappings._mixpanel_shapes import (
    CLOCK,
    FIVETRAN,
    FLAT,
    IDS,
    LOOKED_AT,
    MASTER,
    MONO,
    MULTI,
    PIPELINE,
    RAW,
    REPLAYS,
    SIGNS,
    STITCH,
    TOLD,
    VERBS,
    Shape,
    key,
    moment,
    prop,
    renamed,
    time,
    told,
)
from migrate.kit import copiers, events, expr, links, objects, values
from migrate.kit.declare import EVERY_ROW, PROPERTIES, REST, Bag, Options, Platform, Table, has, inside

NAMES: Final = (
    dict.fromkeys(
        ["$mp_web_page_view", "$mp_page_view", "Pageview", "Page View", "Loaded a Page"], "$pageview"
    )
    | {"Page Viewed": "$pageview", "Viewed Page": "$pageview", "Loaded a Screen": "$screen"}
    | dict.fromkeys(["$mp_click", "$mp_input_change", "$mp_submit", "$web_event"], "$autocapture")
    | {"$mp_rage_click": "$rageclick", "$mp_dead_click": "$dead_click", "$mp_page_leave": "$pageleave"}
    | {"$ae_first_open": "Application Installed", "$ae_updated": "Application Updated"}
)
WORKER_NAMES: Final = {"$mp_web_page_view": "$pageview"}
WORKER: Final = uuid.UUID(bytes=b"posthog_mixpanel")
"""The namespace in which PostHog's managed migration makes uuids of `$insert_id`s."""
COPIES: Final = copiers.AIRBYTE | copiers.FIVETRAN | copiers.STITCH | {copiers.AIRBYTE_KEY}
PAGE: Final = frozenset({"page", "page_size", "session_id", "status", "total", "computed_at"})
"""What the engage API says of an answer."""


def event_name(shape: Shape, options: Options) -> pl.Expr:
    """Return the event's name in PostHog."""
    name = shape.name(options)
    if options.uuid_compat:
        return pl.coalesce(name.replace_strict(WORKER_NAMES, default=None, return_dtype=pl.String), name)
    ours = name.replace_strict(NAMES, default=None, return_dtype=pl.String)
    segment = pl.when(prop("mp_lib").str.starts_with("Segment") & name.str.contains(SEGMENT_PAGE))
    kind = pl.when(name.str.ends_with("Page")).then(pl.lit("$pageview")).otherwise(pl.lit("$screen"))
    return pl.coalesce(ours, segment.then(kind), name)


def dedup_key(shape: Shape) -> pl.Expr:
    """Return the four parts that make an event one: name, id as it was taken in, time and `$insert_id`.

    A `$insert_id` returns on other events. The id under which an event is exported changes when people are merged,
    which `$distinct_id_before_identity` keeps. A row without `$insert_id` is told by all it says.
    """
    before = identifier(told("$distinct_id_before_identity"))
    parts = (pl.col("_name"), pl.coalesce(before, "_key"), pl.col("_time").dt.epoch("us"))
    inserted, others = prop("$insert_id"), (prop("$user_id"), prop("$device_id"))
    objects = (pl.col(shape.bag), pl.col(shape.more) if shape.more else pl.lit(None, pl.String))
    wholes = [expr.canonical(whole, where=inserted.is_null()) for whole in objects]
    return pl.coalesce(
        expr.key(pl.lit("insert"), *parts, inserted, where=inserted.is_not_null()),
        expr.key(pl.lit("row"), *parts, *others, *wholes, where=inserted.is_null()),
    )


def groups(shape: Shape, options: Options) -> dict[str, pl.Expr]:
    """Return `$groups` of the properties the user names as group keys; of a list the first, PostHog has one a type."""
    found = {}
    for name, kind in options.group_keys.items():
        more = [pl.col(inside(shape.more, name))] if shape.more else []
        found[kind] = meant(_first(pl.coalesce(told(name), *more)))
    return found


def understood(rows: pl.LazyFrame, options: Options, shape: Shape) -> pl.LazyFrame:
    """Return the rows with what they tell, and the name, time, person and properties that make an event of it."""
    names = tuple(dict.fromkeys((*TOLD, *LOOKED_AT, *options.group_keys)))
    bag = objects.with_nested(pl.col(PROPERTIES)) if shape.bag == REST else pl.col(PROPERTIES)
    completed = objects.with_query(bag, prop("$current_url"), values.CAMPAIGN)
    return (
        rows.with_columns_seq(
            shape.struct(names), shape.name(options).alias("_name"), shape.chosen(options).alias("_chosen")
        )
        .with_columns_seq(
            key(pl.col("_told")).alias("_key"),
            *(known.over(told).alias(f"_{group}") for group, known in RECURRING.items()),
            time(shape, options).alias("_time"),
            event_name(shape, options).alias("_event"),
        )
        .with_columns_seq(
            person(options).alias("_who"), dedup_key(shape).alias("_dedup"), completed.alias("_completed")
        )
        .with_columns_seq(pl.coalesce("_who", no_one()).alias("_person"))
    )


def to_events(rows: pl.LazyFrame, options: Options, shape: Shape) -> pl.LazyFrame:
    """Return the event each row is."""
    inserted = pl.when(told("$insert_id") != "").then(told("$insert_id"))
    return events.events(
        understood(rows, options, shape),
        event=pl.col("_event"),
        distinct_id=pl.col("_person"),
        timestamp=pl.col("_time"),
        dedup_key=pl.col("_dedup"),
        uuid=expr.uuid5(inserted, WORKER) if options.uuid_compat else None,
        laid=pl.col("_completed"),
        extra=viewed() | element() | recurring() | software(shape) | kept(shape),
        groups=groups(shape, options),
    )


def clock(rows: pl.LazyFrame, _options: Options, shape: Shape) -> pl.LazyFrame:
    """Return how far `time` is from when Mixpanel's servers took the event; imported history says nothing of it."""
    live = rows.with_columns_seq(shape.struct(CLOCK)).filter(
        expr.boolean(told("$import")).ne_missing(pl.lit(True))
    )
    taken = pl.coalesce(expr.unix(told(n), "ms") for n in ("$mp_api_timestamp_ms", "mp_processing_time_ms"))
    return links.clock(live, shown=moment(told("time")), true=taken)


def _first(text: pl.Expr) -> pl.Expr:
    """Return the text, of a list its first item; Airbyte writes lists as Python does."""
    shapes = (r'^\[\s*"((?:[^"\\]|\\.)*)"', r"^\[\s*'([^']*)'", r"^\[\s*([^\s\],]+)")
    items = [text.str.extract(shape) for shape in shapes]
    return pl.coalesce(*items, pl.when(~text.str.starts_with("[")).then(expr.stripped(text)))


def events_table(
    name: str,
    shape: Shape,
    matches: Callable[[frozenset[str]], bool],
    *columns: str,
    options: Options,
    dropped: Sequence[str] = (),
) -> Table:
    """Return the table of files with events in this shape; `columns` are those that `shape` does not name."""
    own = tuple(dict.fromkeys([*columns, *itertools.chain(*shape.columns.values())]))
    kinds = {"identity_only": VERBS, "session_replay": REPLAYS}
    warnings = {"insert_id_again": again(shape), "without_ids": without_ids(shape, options)}
    if options.user_id is not None:
        warnings["without_user"] = without_user(shape, options)
    return Table(
        name=name,
        columns=dict.fromkeys(own, pl.String()),
        matches=matches,
        to_events=partial(to_events, shape=shape),
        to_profiles=partial(first_touches, shape=shape),
        to_links=partial(to_links, shape=shape),
        tells_own=True,
        clock=partial(clock, shape=shape) if shape.local else None,
        link_columns=[
            *(name for name in own if name not in {shape.bag, shape.more}),
            *itertools.chain(*(shape.within(name) for name in TOLD)),
            *(name for name in shape.user_columns(options) if name not in own),
        ],
        times=[*shape.columns.get("time", ()), *shape.within("time")],
        ids=[
            *(column for name in IDS for column in (*shape.columns.get(name, ()), *shape.within(name))),
            *shape.user_columns(options),
        ],
        resolve=shape.key(),
        bags=shape.bags,
        properties=(shape.bag, shape.more) if shape.more else (shape.bag,),
        objects=[column for column in own if column in {"properties", "mp_properties"}],
        rename=renamed(shape.dollar),
        filters={rule: partial(_is_one_of, shape=shape, names=names) for rule, names in kinds.items()},
        warnings=warnings,
        dropped=COPIES | {*dropped},
    )


def _is_one_of(options: Options, *, shape: Shape, names: Sequence[str]) -> pl.Expr:
    return shape.name(options).is_in(names)


def profiles_table(name: str, matches: Callable[[frozenset[str]], bool], bag: str, *owners: str) -> Table:
    """Return the table of files with profiles, see `Roll`."""
    roll = Roll(bag=bag, owners=owners)
    return Table(
        name=name,
        columns=dict.fromkeys([column for column in (bag, *owners) if column != REST], pl.String()),
        matches=matches,
        to_events=events.none,
        to_profiles=partial(to_profiles, roll=roll),
        to_groups=partial(to_groups, roll=roll),
        to_links=partial(to_known, roll=roll),
        link_columns=[inside(REST, "$group_key") if bag == REST else bag, *owners],
        bags={REST: Bag(keys=["$group_key"])} if bag == REST else {},
        ids=owners,
        resolve=identifier(roll.owner()) if owners else None,
        objects=[bag] if bag in {"properties", "$properties"} else [],
        rename=PEOPLE,
        left_out=bool if bag == "results" else None,
        dropped=COPIES | PAGE if bag == "results" else COPIES,
    )


def tables(options: Options, files: Sequence[str] = ()) -> Sequence[Table]:
    """Return the tables under these options; files of an event each are known by their folders or labels, too."""
    named = placed_events(files) | {name.lower() for name in options.labels}
    table = partial(events_table, options=options)
    return [
        profiles_table("engage_pages", lambda c: "results" in c and "event" not in c, "results"),
        profiles_table("profiles", has("$properties"), "$properties", "$distinct_id"),
        table("export", RAW, has("event", "properties"), "event", "properties"),
        table("pipeline", PIPELINE, has("event_name", "properties"), "event_name", "properties"),
        table(
            "fivetran",
            FIVETRAN,
            has("name", "time", "distinct_id", "properties"),
            *("name", "properties"),
            dropped=("event_id", "_file", "_line"),
        ),
        Table(
            name="identity_mappings",
            columns=dict.fromkeys(("distinct_id", "resolved_distinct_id"), pl.String()),
            matches=has("distinct_id", "resolved_distinct_id"),
            to_events=events.none,
            to_links=identity_links,
            ids=("distinct_id", "resolved_distinct_id"),
            filters={"identity_only": EVERY_ROW},
            left_out=bool,
            dropped=COPIES,
        ),
        profiles_table("people", is_bagged_people, "properties", "distinct_id"),
        table("stitch", STITCH, is_stitch, "event"),
        table("old_pipeline", MONO, has("mp_event_name", "time"), "mp_event_name", "mp_properties"),
        table("flat", FLAT, is_flat, "event", "event name"),
        table("master_event", MASTER, has("event_name", "time"), "event_name"),
        Table(
            name="nameless_events",
            columns={},
            matches=lambda columns: {"time", "distinct_id"} <= columns and not columns & SIGNS,
            file=lambda name: name not in named,
            to_events=events.none,
            refusal="its rows do not say which event they are, found time and distinct_id but no event, event_name or "
            "mp_event_name; export it with that column, or, if it is a table of one event, name that in --labels, "
            '{"name of the file": "name of the event"}',
        ),
        table("old_pipeline_events", MULTI, has("time", "distinct_id"), "mp_properties"),
        profiles_table("people_flat", is_people, REST, "distinct_id", "$distinct_id", "distinct id"),
    ]


MAPPING: Final = Platform(
    title="Mixpanel",
    options=frozenset({"--labels", "--group-key", "--group-type", "--user-id", "--uuid-compat"}),
    reads="Raw Event Export JSONL, data pipelines (JSON, old schematized JSON or Parquet), flat copies of"
    " mp_master_event, Airbyte, Fivetran and Stitch copies, engage pages, people tables, identity mappings, and CSV of"
    " the events and users pages",
    identity_version=3,
    payload_version=3,
    read_labels=read_labels,
    tables=tables(Options()),
    tables_of=tables,
)
