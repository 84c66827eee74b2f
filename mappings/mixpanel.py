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
import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import polars as pl

from mappings._mixpanel_ids import DEVICE, id_list, identifier, is_device, json_list, meant, user
from mappings._mixpanel_labels import read_labels
from mappings._mixpanel_profiles import PEOPLE, Roll, to_groups, to_known, to_profiles
from migrate.kit import copiers, events, expr, links, objects, values
from migrate.kit.declare import (
    FILE,
    PERSON,
    PROPERTIES,
    REST,
    ROW,
    Bag,
    Options,
    Platform,
    Table,
    has,
    inside,
)
from migrate.kit.distinct import Recurring

VERBS: Final = ("$identify", "$create_alias", "$merge")
REPLAYS: Final = ("$mp_session_record",)
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
# Segment sends page("E-commerce") to Mixpanel as "Viewed E-commerce Page".
SEGMENT_PAGE: Final = r"^Viewed (.+) (?:Page|Screen)$"

# What says whose event it is, when it was, and which it is.
TOLD: Final = (
    *("distinct_id", "$user_id", "$device_id", "$distinct_id_before_identity", "$insert_id", "time"),
    *("mp_original_distinct_id", "mp_original_event_name", "$mp_api_timestamp_ms", "mp_processing_time_ms"),
    *("$import", "$identified_id", "$anon_id", "alias", "$distinct_ids"),
)
IDS: Final = (
    *("distinct_id", "$user_id", "$device_id", "$distinct_id_before_identity", "$insert_id"),
    *("mp_original_distinct_id", "$identified_id", "$anon_id", "alias"),
)
CLOCK: Final = ("time", "$mp_api_timestamp_ms", "mp_processing_time_ms", "$import")
# What PostHog has another name or spelling for.
LOOKED_AT: Final = tuple(
    "$current_url $referrer current_page_title current_domain current_url_path $browser $browser_version"  # noqa: SIM905
    " $os $device $model $manufacturer $brand $app_version_string $app_release $app_build_number $carrier $city"
    " $region mp_country_code mp_lib $screen_width $screen_height $elements $el_text $el_attr__href $ae_iap_price"
    " $ae_iap_quantity".split()
)
# How a person first came, as every event repeats it, in PostHog's own names.
FIRST_TOUCH: Final = ("$initial_referrer", "$initial_referring_domain")
# Mixpanel's own properties, without their `$` (https://docs.mixpanel.com/docs/data-structure/events-and-properties).
# Where `$` is gone without a trace, those that are surely Mixpanel's get it back; the others may be the customer's.
SURE: Final = tuple(
    "browser browser_version current_url referrer referring_domain initial_referrer initial_referring_domain"  # noqa: SIM905
    " search_engine screen_height screen_width os os_version lib_version".split()
)
OWN: Final = (
    *SURE,
    *"city region screen_dpi app_version_string app_build_number app_release app_version brand manufacturer model"  # noqa: SIM905
    " carrier radio wifi bluetooth_version bluetooth_enabled has_nfc has_telephone google_play_services device"
    " duration el_text el_attr__href event_type ae_session_length ae_iap_price ae_iap_quantity ae_iap_name".split(),
)
# Mixpanel's notes on its own pipeline.
INTERNAL: Final = (
    *("mp_api_endpoint", "mp_api_timestamp_ms", "mp_event_size", "geo_source", "had_persisted_distinct_id"),
    *("import", "is_reshuffled", "preshuffle_distinct_id"),
    *("failure_reason", "failure_description", "identity_failure_reason"),
)
NOTES: Final = ("mp_processing_time_ms", "mp_sent_by_lib_version")
COPIES: Final = copiers.AIRBYTE | copiers.FIVETRAN | copiers.STITCH | {copiers.AIRBYTE_KEY}
EVENTS: Final = frozenset(
    ("time", "event", "event name", "event_name", "mp_event_name", "insert_id", "mp_insert_id")
)
"""What no profile has, in lower case."""
SIGNS: Final = frozenset(f"mp_{name}" for name in (*OWN, "insert_id", "user_id", "device_id"))
"""Columns that only the old schematized pipelines have."""
PLACED: Final = re.compile(r"[/!]\d+[/!]([^/!]+)(?:[/!](?:\w+=)?\d+){3,4}[/!][^/!]+$")
"""A file in the folders of the old pipelines, project/event/year/month/day, of days or of hours."""
PAGE: Final = frozenset({"page", "page_size", "session_id", "status", "total", "computed_at"})
"""What the engage API says of an answer."""
MANGLED: Final = "mp_"
RESERVED: Final = "mp_reserved_"
# Names that a shop or a garage may have of its own.
NOT_BARE: Final = ("brand", "device", "elements")


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How one kind of file spells what it tells of an event."""

    name: Callable[[Options], pl.Expr]
    """The event's name in Mixpanel."""
    bag: str = REST
    """The column whose JSON object holds Mixpanel's own properties, or `REST`."""
    more: str | None = None
    """Another such column, if there is one."""
    dollar: str = "$"
    """What stands for the `$` of Mixpanel's own names."""
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Name in Mixpanel -> the columns that may hold it, the first that does counts."""
    local: bool = False
    """Whether `time` may be the project's wall clock."""
    is_bare: bool = False
    """Whether Mixpanel itself writes its own names without the `$`, so that none of them is the customer's."""

    def spelled(self, name: str) -> Sequence[str]:
        """Return the ways this kind of file may write a name."""
        written = self.dollar + name.removeprefix("$") if name.startswith("$") else name
        return (name,) if written in {name, *NOT_BARE} else (name, written)

    def bags(self, options: Options) -> dict[str, Bag]:
        """Return what the objects hold: Mixpanel's own properties, and what the user names as group keys."""
        keys = (*options.group_keys, *([options.user_id] if options.user_id else []))
        names = dict.fromkeys((*TOLD, *LOOKED_AT, *FIRST_TOUCH, *keys))
        inside = [name for name in names if self.bag != REST or name not in self.columns]
        own = Bag(
            keys=list(dict.fromkeys(way for name in inside for way in self.spelled(name))),
            name=self.named(options),
        )
        return {self.bag: own} | ({self.more: Bag(keys=keys)} if self.more else {})

    def named(self, options: Options) -> Callable[[str], str] | None:
        """Return what keys are called from now on: mangled ones as far as `--labels` tells them."""
        if self.dollar == RESERVED:
            return lambda key: f"${key.removeprefix(RESERVED)}" if key.startswith(RESERVED) else key
        labels = options.labels
        mangled = self.dollar == MANGLED and labels
        return (lambda key: labels.get(key, labels.get(key.lower(), key))) if mangled else None

    def told(self, name: str) -> pl.Expr:
        """Return a property as text, wherever it stands."""
        columns = [self._column(column) for column in self.columns.get(name, ())]
        return pl.coalesce(*columns, *(pl.col(column) for column in self.within(name)))

    def within(self, name: str) -> Sequence[str]:
        """Return the columns that hold what the objects have under a name, in any way it may be written."""
        is_within = self.bag != REST or name not in self.columns
        return [inside(self.bag, way) for way in self.spelled(name)] if is_within else []

    def chosen(self, options: Options) -> pl.Expr:
        """Return what the user says is the user's id, as text, wherever it stands; see `--user-id`."""
        if options.user_id is None:
            return pl.lit(None, pl.String)
        found = [pl.col(name) for name in self.user_columns(options)]
        return pl.coalesce(*found, pl.lit(None, pl.String))

    def user_columns(self, options: Options) -> Sequence[str]:
        """Return the columns that may hold what the user says is the user's id."""
        name = options.user_id
        if name is None:
            return ()
        declared = [one for many in self.columns.values() for one in many if one == name.lower()]
        more = [inside(self.more, name)] if self.more else []
        return tuple(dict.fromkeys((*declared, *self.columns.get(name, ()), *self.within(name), *more)))

    def struct(self, names: Sequence[str]) -> pl.Expr:
        """Return a struct `_told` of these properties as text."""
        return pl.struct(self.told(name).alias(name) for name in names).alias("_told")

    def key(self) -> pl.Expr:
        """Return the id a row's event is exported under."""
        return identifier(expr.first(self.told("mp_original_distinct_id"), self.told("distinct_id")))

    def _column(self, name: str) -> pl.Expr:
        """Return a column; without its `$`, `user_id` is only Mixpanel's own where its libraries tell a device too."""
        column = pl.col(name)
        return pl.when(pl.col("device_id").is_not_null()).then(column) if self.is_doubtful(name) else column

    def is_doubtful(self, name: str) -> bool:
        """Return whether a column may as well be the customer's own."""
        return self.dollar == "" and name == "user_id" and not self.is_bare


def told(name: str) -> pl.Expr:
    """Return one of the properties gathered in `_told`, as text."""
    return pl.col("_told").struct.field(name)


def prop(name: str) -> pl.Expr:
    """Return one of the properties gathered in `_told`, null for a blank."""
    return expr.stripped(told(name))


def key(given: pl.Expr) -> pl.Expr:
    """Return the id an event is exported under, of a struct of `TOLD`; that of a hot shard is kept aside."""
    return identifier(
        expr.first(given.struct.field("mp_original_distinct_id"), given.struct.field("distinct_id"))
    )


def person(options: Options) -> pl.Expr:
    """Return whose event it is.

    `$user_id` is the person, or else what the user says is; the distinct_id may be that of an anonymous device that
    Mixpanel chose to stand for all of a person's ids, which `PERSON` knows. A word that is no one's is left as it is,
    where there is nothing else.
    """
    if options.uuid_compat:
        return worker_person()
    stands = [user_of(pl.col("_chosen")), pl.col(PERSON), pl.col("_key")]
    others = [identifier(told(name)) for name in ("$distinct_id_before_identity", "$device_id")]
    return pl.coalesce(*stands, *others, prop("distinct_id"))


def user_of(chosen: pl.Expr) -> pl.Expr:
    """Return the id of the user, as the row itself says it or in the property that the user names."""
    return pl.coalesce(user(told("$user_id")), user(chosen))


def no_one() -> pl.Expr:
    """Return an id for an event of no one, for that event alone."""
    return expr.id_of_no_one("mixpanel", pl.col("_time"), pl.col("_dedup"), where=pl.col("_who").is_null())


def worker_person() -> pl.Expr:
    """Return whom PostHog's managed migration sends the event under, for `--uuid-compat`.

    PostHog tells events apart by name, distinct_id, day and uuid, so the uuid alone makes nothing collapse. The rule
    is that of PostHog's batch-import-worker, `content/mixpanel.rs`, as read in autumn 2026.
    """
    given, before = (
        pl.when(told(n) != "").then(told(n)) for n in ("distinct_id", "$distinct_id_before_identity")
    )
    device = given.str.starts_with(DEVICE) | (
        given.str.contains(r"^[A-Z0-9-]+$") & given.str.contains("[A-Z]")
    )
    chosen = pl.when(device.fill_null(value=True)).then(pl.coalesce(before, given)).otherwise(given)
    return pl.coalesce(chosen, prop("$user_id"), prop("$device_id"), key(pl.col("_told")))


def moment(text: pl.Expr) -> pl.Expr:
    """Return a time as it stands: Unix seconds, milliseconds or microseconds, told by size, or ISO 8601."""
    no_number = pl.when(expr.number(text).is_null()).then(text)
    return pl.coalesce(expr.unix_by_size(text), expr.timestamp(no_number))


def time(shape: Shape, options: Options) -> pl.Expr:
    """Return when it happened; wall clock in `--source-timezone` where the table has the project's."""
    shown = moment(told("time"))
    return expr.local(shown.dt.replace_time_zone(None), options.source_timezone) if shape.local else shown


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


def page() -> dict[str, pl.Expr]:
    """Return where it happened."""
    known = values.page(pl.col("$current_url"), referrer=pl.col("$referrer"))
    return {name: known[name] for name in ("$host", "$pathname", "$referrer", "$referring_domain")}


def viewed() -> dict[str, pl.Expr]:
    """Return the page; page views of Mixpanel's own library have the address in parts as well."""
    known = RECURRING["page"].told("page", pl.col("_page"))
    return {
        **known,
        "$host": pl.coalesce(known["$host"], prop("current_domain")),
        "$pathname": pl.coalesce(known["$pathname"], prop("current_url_path")),
        "title": pl.when(pl.col("_event") == "$pageview").then(prop("current_page_title")),
    }


def element() -> dict[str, pl.Expr]:
    """Return what was clicked; Mixpanel's `$elements` would be read as PostHog's, and passes on under another name."""
    captured = pl.when(pl.col("_event").is_in(["$autocapture", "$rageclick", "$dead_click"]))
    nothing = pl.lit(None, pl.String)
    chain = values.elements_chain(
        hierarchy=captured.then(expr.each(prop("$elements"), _hierarchy)),
        tag=nothing,
        classes=nothing,
        identifier=nothing,
        href=captured.then(prop("$el_attr__href")),
        text=captured.then(prop("$el_text")),
    )
    return {"$elements_chain": chain}


def hardware() -> dict[str, pl.Expr]:
    """Return device and system in PostHog's names and spellings."""
    system, model = known("$os"), known("$model")
    return {
        "$browser": values.browser(known("$browser")),
        "$browser_version": values.version(known("$browser_version")),
        "$os": values.system(system),
        "$device_type": values.device_type(known("$device"), model, system),
        "$device_model": model,
        "$device_manufacturer": expr.first(pl.col("$manufacturer"), pl.col("$brand")),
    }


def software(shape: Shape) -> dict[str, pl.Expr]:
    """Return app and library in PostHog's names; copies have numbers as text."""
    sizes = ("$screen_width", "$screen_height") if shape.bag == REST else ()
    return {
        **{name: expr.integer(told(name)) for name in sizes},
        "$app_version": expr.first(told("$app_version_string"), told("$app_release")),
        "$app_build": prop("$app_build_number"),
        "$network_carrier": prop("$carrier"),
        "$lib": prop("mp_lib"),
    }


def place() -> dict[str, pl.Expr]:
    """Return where on earth."""
    return {
        "$geoip_city_name": values.known(pl.col("$city")),
        "$geoip_subdivision_1_name": values.known(pl.col("$region")),
        "$geoip_country_code": values.country_code(pl.col("mp_country_code")),
        "$geoip_country_name": values.country_name(pl.col("mp_country_code")),
    }


def known(name: str) -> pl.Expr:
    """Return a column's text, null for a blank."""
    return expr.stripped(pl.col(name))


RECURRING: Final = {
    "page": Recurring(("$current_url", "$referrer"), {"page": page()}),
    "hardware": Recurring(
        ("$browser", "$browser_version", "$os", "$device", "$model", "$manufacturer", "$brand"),
        {"hardware": hardware()},
    ),
    "place": Recurring(("$city", "$region", "mp_country_code"), {"place": place()}),
}
"""What few distinct rows tell, each worked out once."""


def recurring() -> dict[str, pl.Expr]:
    """Return all that is told of hardware and place."""
    return {
        name: value
        for group in ("hardware", "place")
        for name, value in RECURRING[group].told(group, pl.col(f"_{group}")).items()
    }


def kept(shape: Shape) -> dict[str, pl.Expr]:
    """Return what would be lost: columns of their own, and the name and id an event is not sent under."""
    doubtful = {
        name: pl.col(name) for names in shape.columns.values() for name in names if shape.is_doubtful(name)
    }
    mine = ("$user_id", "$device_id", "$insert_id", "$distinct_id_before_identity", "alias")
    iap = pl.when(pl.col("_name") == "$ae_iap")
    price = expr.number(told("$ae_iap_price")) * expr.number(told("$ae_iap_quantity")).fill_null(1.0)
    moved = pl.when((pl.col("_key") != pl.col("_person")) & (prop("distinct_id") != pl.col("_person")))
    segment = pl.col("_name").str.extract(SEGMENT_PAGE)
    return {
        **{name: prop(name) for name in mine if name in shape.columns},
        **{name: pl.when(prop("$user_id").is_null()).then(column) for name, column in doubtful.items()},
        "revenue": iap.then(price.round(6)),
        "mixpanel_event": pl.when(pl.col("_event") != pl.col("_name")).then(pl.col("_name")),
        "mixpanel_distinct_id": moved.then(prop("distinct_id")),
        "name": pl.when(pl.col("_event") == "$pageview").then(segment),
        "$screen_name": pl.when(pl.col("_event") == "$screen").then(segment),
        # A boolean: PostHog makes a person of everyone who does not carry it.
        "$process_person_profile": pl.when(pl.col("_who").is_null()).then(pl.lit(False)),
    }


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


def first_touches(rows: pl.LazyFrame, options: Options, shape: Shape) -> pl.LazyFrame:
    """Return how people first came, which the library that sends an event keeps and repeats on each."""
    known = (
        rows.filter(pl.any_horizontal(shape.told(name).is_not_null() for name in FIRST_TOUCH))
        .with_columns_seq(shape.struct((*TOLD, *FIRST_TOUCH)), shape.chosen(options).alias("_chosen"))
        .with_columns_seq(key(pl.col("_told")).alias("_key"), time(shape, options).alias("_time"))
        .with_columns_seq(person(options).alias("_who"))
        .filter(pl.col("_time").is_not_null())
    )
    return events.profiles(
        known,
        distinct_id=pl.col("_who"),
        timestamp=pl.col("_time"),
        set_once={name: prop(name) for name in FIRST_TOUCH},
    )


def to_links(rows: pl.LazyFrame, options: Options, shape: Shape) -> pl.LazyFrame:
    """Return who is who, as events and identity verbs tell it.

    A row with a user and a device links them; one exported under an id that is neither is exported under the id that
    stands for all of the person's, and what was taken in under another id is that person's too. Where the one id is a
    device's by its shape and the other is not, the other is the person's. For `--uuid-compat`
    events keep the ids of the managed migration, so that merges must do what resolution does otherwise. Of rows that
    name the same ids the first is enough.
    """
    who = [name for name in TOLD if name not in {*CLOCK, "$insert_id", "mp_original_event_name"}]
    name = shape.name(options)
    alike = (
        rows.with_columns_seq(shape.struct(TOLD), pl.when(name.is_in(VERBS)).then(name).alias("_name"))
        .select_seq(
            "_name",
            shape.chosen(options).alias("_chosen"),
            time(shape, options).alias("_time"),
            *(told(name).alias(f"_{name}") for name in who),
        )
        .filter(pl.col("_time").is_not_null())
        .group_by("_name", "_chosen", *(f"_{name}" for name in who), maintain_order=True)
        .agg(pl.col("_time").min())
    )
    known = (
        alike.with_columns_seq(pl.struct(pl.col(f"_{name}").alias(name) for name in who).alias("_told"))
        .with_columns_seq(
            user_of(pl.col("_chosen")).alias("_user"),
            identifier(told("$device_id")).alias("_device"),
            (worker_person() if options.uuid_compat else key(pl.col("_told"))).alias("_key"),
            identifier(told("$distinct_id_before_identity")).alias("_before"),
        )
        .select_seq("_told", "_name", "_time", "_user", "_device", "_key", "_before")
        .collect()  # once, for all that is told below
        .lazy()
    )
    is_verb = pl.col("_name").is_in(VERBS).fill_null(value=False)
    mine = compatible(known.filter(~is_verb)) if options.uuid_compat else exported(known.filter(~is_verb))
    return links.concat([*mine, *verbs(known.filter(is_verb))])


def exported(rows: pl.LazyFrame) -> Iterator[pl.LazyFrame]:
    """Yield what events tell of their person."""
    known, device, own, before = (pl.col(name) for name in ("_user", "_device", "_key", "_before"))
    when = pl.col("_time")
    stands = rows.filter((own != known) & ~prop("distinct_id").str.starts_with(DEVICE))
    apart = rows.filter(before != own).with_columns_seq(of_a_device().alias("_is_device"))
    yield links.linked(
        rows, anonymous=device, identified=known, time=when, why="user and device on one event"
    )
    yield of_no_one(rows, "$device_id", "$user_id")
    yield links.resolved(stands, key=own, person=known, time=when, why="exported under one id of the person")
    yield links.resolved(
        apart.filter(~pl.col("_is_device")),
        key=before,
        person=own,
        time=when,
        why="taken in under another id",
    )
    yield links.resolved(
        apart.filter("_is_device"), key=own, person=before, time=when, why="exported under the id of a device"
    )
    yield links.identified(rows, known)
    yield links.own(rows.filter(known.is_null()), anonymous=own, key=own)


def of_a_device() -> pl.Expr:
    """Return whether a row is exported under the id of a device, by its shape, and was taken in under another kind."""
    given = pl.coalesce(prop("mp_original_distinct_id"), prop("distinct_id"))
    before = told("$distinct_id_before_identity")
    own = [is_device(given), key(pl.col("_told")) == pl.col("_device")]
    other = [is_device(before), pl.col("_before") == pl.col("_device")]
    one, another = (pl.any_horizontal(side).fill_null(value=False) for side in (own, other))
    return one & ~another


def compatible(rows: pl.LazyFrame) -> Iterator[pl.LazyFrame]:
    """Yield what events tell of their person where their ids are those of the managed migration."""
    known, device, own, when = (pl.col(name) for name in ("_user", "_device", "_key", "_time"))
    paired = rows.filter(device != known)
    yield of_no_one(rows, "$device_id", "$user_id")
    for anonymous in (device, pl.concat_str([pl.lit(DEVICE), device])):
        yield links.linked(
            paired, anonymous=anonymous, identified=known, time=when, why="user and device on one event"
        )
    other = rows.filter(own != known)
    yield links.linked(
        other, anonymous=own, identified=known, time=when, why="exported under one id of the person"
    )
    of_device = rows.filter(of_a_device())
    for device in (prop("distinct_id"), key(pl.col("_told"))):
        yield links.linked(
            of_device,
            anonymous=device,
            identified=pl.col("_before"),
            time=when,
            why="exported under the id of a device",
        )
    for another in (pl.col("_before"), key(pl.col("_told"))):
        apart = rows.filter(~of_a_device() & (another != own) & (another != own.str.strip_prefix(DEVICE)))
        yield links.same(apart, one=another, other=own, time=when, why="taken in under another id")
    yield links.identified(rows, known)
    yield links.own(rows.filter(own.ne_missing(known)), anonymous=own, key=own)


def of_no_one(rows: pl.LazyFrame, one: str, other: str) -> pl.LazyFrame:
    """Return links that name a word that is no one's id, to be counted as PostHog's own are; it knows fewer."""
    words = pl.any_horizontal(identifier(told(name)).is_null() for name in (one, other))
    return links.refused(rows.filter(words), anonymous=prop(one), identified=prop(other), why="illegal_id")


def verbs(rows: pl.LazyFrame) -> Iterator[pl.LazyFrame]:
    """Yield what Mixpanel's three identity verbs tell; an alias may point either way.

    Where a call names a device as the one who is identified, nobody is. An alias that is exported under another id
    than it was taken in under still speaks of that one.
    """
    when, name = pl.col("_time"), pl.col("_name")
    identified, anonymous, alias = (identifier(told(n)) for n in ("$identified_id", "$anon_id", "alias"))
    calls = rows.filter(name == "$identify")
    said = user(told("$identified_id"))
    yield links.linked(calls, anonymous=anonymous, identified=said, time=when, why="$identify")
    yield links.identified(calls, said)
    yield links.same(
        calls.filter(said.is_null()), one=anonymous, other=identified, time=when, why="$identify"
    )
    yield of_no_one(calls, "$anon_id", "$identified_id")
    aliased = rows.filter(name == "$create_alias")
    own, before = key(pl.col("_told")), pl.col("_before")
    is_moved = ((before != alias) & (before != own)).fill_null(value=False)
    links_both = aliased.filter(~is_moved | (own != alias))
    yield links.same(links_both, one=own, other=alias, time=when, why="$create_alias")
    yield links.same(aliased.filter(is_moved), one=before, other=alias, time=when, why="$create_alias")
    yield of_no_one(aliased, "distinct_id", "alias")
    yield from beside_devices(aliased, told("distinct_id"), told("alias"))
    yield from beside_devices(aliased, told("$distinct_id_before_identity"), told("alias"))
    some = id_list(told("$distinct_ids")).list.eval(
        pl.element().filter(identifier(pl.element()).is_not_null())
    )
    merged = rows.filter(name == "$merge").with_columns_seq(some.alias("_ids"))
    pairs = merged.with_columns_seq(
        pl.col("_ids").list.first().alias("_one"), pl.col("_ids").list.slice(1).alias("_other")
    ).explode("_other")
    one, other = pl.col("_one"), pl.col("_other")
    yield links.same(pairs, one=identifier(one), other=identifier(other), time=when, why="$merge")
    yield from beside_devices(pairs, one, other)


def beside_devices(rows: pl.LazyFrame, one: pl.Expr, other: pl.Expr) -> Iterator[pl.LazyFrame]:
    """Yield who is known where one of two ids that a verb puts together is a device's by its shape, the other not."""
    for device, person in ((one, other), (other, one)):
        alone = is_device(device) & ~is_device(person)
        yield links.identified(rows.filter(alone), user(person), why="put together with a device's id")


def clock(rows: pl.LazyFrame, _options: Options, shape: Shape) -> pl.LazyFrame:
    """Return how far `time` is from when Mixpanel's servers took the event; imported history says nothing of it."""
    live = rows.with_columns_seq(shape.struct(CLOCK)).filter(
        expr.boolean(told("$import")).ne_missing(pl.lit(True))
    )
    taken = pl.coalesce(expr.unix(told(n), "ms") for n in ("$mp_api_timestamp_ms", "mp_processing_time_ms"))
    return links.clock(live, shown=moment(told("time")), true=taken)


def identity_links(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return what the table of identity mappings says: events told under an id are the resolved id's."""
    old, new = (identifier(pl.col(name)) for name in ("distinct_id", "resolved_distinct_id"))
    return links.resolved(
        rows.filter(old != new),
        key=old,
        person=new,
        time=None,
        why="identity mapping",
    )


def _hierarchy(text: str) -> str:
    """Return Mixpanel's `$elements` as the nodes that `expr.elements_chain` takes; places there count from 0."""
    nodes = [
        {
            "tag": node.get("$tag_name"),
            "id": node.get("$id"),
            "classes": [name for name in node.get("$classes") or [] if name],
            "index": _before(node.get("$nth_child")),
            "indexOfType": _before(node.get("$nth_of_type")),
            "attrs": {
                name.removeprefix("$attr-"): v for name, v in node.items() if name.startswith("$attr-")
            },
        }
        for node in json_list(text)
    ]
    return json.dumps([{name: value for name, value in node.items() if value is not None} for node in nodes])


def _before(place: object) -> int | None:
    """Return a place counted from 0 of one counted from 1."""
    return place - 1 if isinstance(place, int) else None


def _first(text: pl.Expr) -> pl.Expr:
    """Return the text, of a list its first item; Airbyte writes lists as Python does."""
    shapes = (r'^\[\s*"((?:[^"\\]|\\.)*)"', r"^\[\s*'([^']*)'", r"^\[\s*([^\s\],]+)")
    items = [text.str.extract(shape) for shape in shapes]
    return pl.coalesce(*items, pl.when(~text.str.starts_with("[")).then(expr.stripped(text)))


def _named(*columns: str, bag: str = REST) -> Callable[[Options], pl.Expr]:
    """Return the name of an event; that of a hot shard is kept aside.

    https://docs.mixpanel.com/docs/debugging/distinct-id-limits, read 2026-11-20
    """
    name, aside = pl.coalesce(pl.col(column) for column in columns), "mp_original_event_name"
    hot = pl.when(name == "$hotshard_events")
    original = pl.col(aside if bag == REST else inside(bag, aside))
    return lambda _options: pl.coalesce(hot.then(expr.stripped(original)), name)


def _filed(options: Options) -> pl.Expr:
    """Return the name of an event that has a table of its own: the table's, by its label if it has one."""
    names = {f"{MANGLED}{verb[1:]}": verb for verb in VERBS}
    names |= {short.lower(): long for short, long in options.labels.items()}
    name = pl.col(FILE)
    return pl.coalesce(
        name.str.to_lowercase().replace_strict(names, default=None, return_dtype=pl.String), name
    )


def _own(dollar: str) -> Mapping[str, Sequence[str]]:
    """Return the columns of `TOLD` in files with a column a property; some are spelled as in Mixpanel."""
    columns = {name: tuple(dict.fromkeys((dollar + name[1:], name))) for name in TOLD if name.startswith("$")}
    columns |= {name: (name,) for name in TOLD if not name.startswith("$")}
    return columns | {"distinct_id": ("distinct_id", "$distinct_id", "distinct id")}


def _renamed(dollar: str) -> dict[str, str | None]:
    """Return what becomes of Mixpanel's own names in files that write this for their `$`."""
    names = SURE if not dollar else OWN if dollar != "$" else ()
    internal = [name for name in INTERNAL if dollar or name.startswith("mp_")]
    return (
        {dollar + name: f"${name}" for name in names}
        | dict.fromkeys(("time", "distinct_id", *NOTES, "mp_original_event_name", "mp_original_distinct_id"))
        | dict.fromkeys(f"${name}" for name in INTERNAL)
        | dict.fromkeys(dollar + name for name in internal)
        | {"$elements": "mixpanel_elements", f"{dollar or '$'}elements": "mixpanel_elements"}
    )


def again(shape: Shape) -> pl.Expr:
    """Return whether a row's `$insert_id` stands on an earlier event of that day, too, of the same name and person.

    Mixpanel takes the two for one, and so counts one; here they are two, as the time belongs to what makes an event
    one. Only rows that are read together are compared.
    """
    ids = ("$distinct_id_before_identity", "mp_original_distinct_id", "distinct_id")
    known = {
        "name": shape.name(Options()),
        **{name: shape.told(name) for name in (*ids, "$insert_id", "time")},
    }
    given = pl.struct(text.alias(name) for name, text in known.items())
    return given.map_batches(_again, return_dtype=pl.Boolean)


def _again(rows: pl.Series) -> pl.Series:
    """Return `again` of the texts that make events one."""
    frame = rows.struct.unnest().with_row_index("_place")
    inserted = pl.col("$insert_id")
    alike = frame.filter(inserted.is_not_null() & (inserted != "") & inserted.is_duplicated())
    found = pl.repeat(False, frame.height, dtype=pl.Boolean, eager=True)
    if not alike.height:
        return found.alias(rows.name)
    ids = [
        pl.col(name) for name in ("$distinct_id_before_identity", "mp_original_distinct_id", "distinct_id")
    ]
    one = ("name", "_id", "$insert_id", pl.col("_time").dt.date())
    later = alike.with_columns(
        expr.first(*map(identifier, ids)).alias("_id"), moment(pl.col("time")).alias("_time")
    ).filter(pl.col("_time") > pl.col("_time").min().over(*one))
    return found.scatter(later["_place"], True).alias(rows.name)


def without_ids(shape: Shape, options: Options) -> pl.Expr:
    """Return whether an event has no id at all, so that it is no one's."""
    ids = ("$user_id", "$device_id", "mp_original_distinct_id", "$distinct_id_before_identity")
    nobody = [identifier(one).is_null() for one in (*map(shape.told, ids), shape.chosen(options))]
    return pl.all_horizontal(expr.stripped(shape.told("distinct_id")).is_null(), *nobody) & ~shape.name(
        options
    ).is_in([*VERBS, *REPLAYS]).fill_null(value=False)


def without_user(shape: Shape, options: Options) -> pl.Expr:
    """Return whether an event says no user, neither itself nor in the property that the user names."""
    found = [user(one).is_null() for one in (shape.told("$user_id"), shape.chosen(options))]
    is_other = shape.name(options).is_in([*VERBS, *REPLAYS]).fill_null(value=False)
    return pl.all_horizontal(*found) & ~is_other


RAW: Final = Shape(name=_named("event", bag="properties"), bag="properties", more=REST, local=True)
PIPELINE: Final = Shape(
    name=_named("event_name", bag="properties"),
    bag="properties",
    more=REST,
    columns={
        name: (name.removeprefix("$"),)
        for name in ("distinct_id", "time", "$user_id", "$device_id", "$insert_id")
    },
)
MASTER: Final = Shape(
    name=_named("event_name"),
    dollar="",
    columns={name: columns for name, columns in _own("").items() if name == "time" or name not in CLOCK},
    is_bare=True,
)
FIVETRAN: Final = Shape(name=_named("name"), more="properties", dollar="", columns=_own(""))
STITCH: Final = Shape(name=_named("event"), dollar=RESERVED, columns=_own(RESERVED))
FLAT: Final = Shape(name=_named("event", "event name"), dollar="", columns=_own(""), local=True)
MONO: Final = Shape(
    name=_named("mp_event_name"), more="mp_properties", dollar=MANGLED, columns=_own(MANGLED), local=True
)
MULTI: Final = Shape(name=_filed, more="mp_properties", dollar=MANGLED, columns=_own(MANGLED), local=True)


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
        ids=[column for name in IDS for column in (*shape.columns.get(name, ()), *shape.within(name))],
        resolve=shape.key(),
        bags=shape.bags,
        properties=(shape.bag, shape.more) if shape.more else (shape.bag,),
        objects=[column for column in own if column in {"properties", "mp_properties"}],
        rename=_renamed(shape.dollar),
        filters={rule: partial(_is_one_of, shape=shape, names=names) for rule, names in kinds.items()},
        warnings=warnings,
        dropped=COPIES | {*dropped},
    )


def _is_one_of(options: Options, *, shape: Shape, names: Sequence[str]) -> pl.Expr:
    """Return whether an event has one of these names."""
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


def _is_bagged_people(columns: frozenset[str]) -> bool:
    """Return whether these are columns of people with their properties as one JSON object."""
    return {"distinct_id", "properties"} <= columns and not columns & EVENTS


def _is_stitch(columns: frozenset[str]) -> bool:
    """Return whether these are columns of events as Stitch writes them."""
    return {"event", "time"} <= columns and any(name.startswith("mp_reserved_") for name in columns)


def _is_flat(columns: frozenset[str]) -> bool:
    """Return whether these are columns of events, one a property: Airbyte, or the CSV of the events page."""
    return "time" in columns and bool(columns & {"event", "event name"})


def _is_people(columns: frozenset[str]) -> bool:
    """Return whether these are columns of people, one a property; lists of a cohort's members are none."""
    owned = bool(columns & {"distinct_id", "$distinct_id", "distinct id"})
    return owned and not columns & {*EVENTS, "name_of_cohort", "cohort_id"}


def _placed(files: Sequence[str]) -> frozenset[str]:
    """Return the events whose folders files lie in, in lower case."""
    found = (PLACED.search(name) for name in files)
    return frozenset(one[1].lower() for one in found if one) - {"mp_master_event"}


def tables(options: Options, files: Sequence[str] = ()) -> Sequence[Table]:
    """Return the tables under these options; files of an event each are known by their folders or labels, too."""
    named = _placed(files) | {name.lower() for name in options.labels}
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
            filters={"identity_only": pl.col(ROW).is_not_null()},
            left_out=bool,
            dropped=COPIES,
        ),
        profiles_table("people", _is_bagged_people, "properties", "distinct_id"),
        table("stitch", STITCH, _is_stitch, "event"),
        table("old_pipeline", MONO, has("mp_event_name", "time"), "mp_event_name", "mp_properties"),
        table("flat", FLAT, _is_flat, "event", "event name"),
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
        profiles_table("people_flat", _is_people, REST, "distinct_id", "$distinct_id", "distinct id"),
    ]


MAPPING: Final = Platform(
    title="Mixpanel",
    options=frozenset({"--labels", "--group-key", "--group-type", "--user-id", "--uuid-compat"}),
    reads="Raw Event Export JSONL, data pipelines (JSON, old schematized JSON or Parquet), flat copies of"
    " mp_master_event, Airbyte, Fivetran and Stitch copies, engage pages, people tables, identity mappings, and CSV of"
    " the events and users pages",
    identity_version=2,
    payload_version=2,
    read_labels=read_labels,
    tables=tables(Options()),
    tables_of=tables,
)
