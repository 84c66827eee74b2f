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
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import polars as pl

from mappings._mixpanel_ids import DEVICE, identifier, json_list, meant
from mappings._mixpanel_labels import read_labels
from mappings._mixpanel_profiles import PEOPLE, Roll, to_groups, to_profiles
from migrate import events, expr, links, values
from migrate.distinct import Recurring
from migrate.mapping import FILE, PERSON, PROPERTIES, REST, ROW, Bag, Options, Platform, Table, has, inside

VERBS: Final = ("$identify", "$create_alias", "$merge")
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
COPIES: Final = frozenset(
    "_airbyte_ab_id _airbyte_emitted_at _airbyte_extracted_at _airbyte_generation_id _airbyte_meta"  # noqa: SIM905
    " _airbyte_normalized_at _airbyte_raw_id _airbyte_unique_key _sdc_batched_at _sdc_extracted_at _sdc_received_at"
    " _sdc_sequence _sdc_table_version _sdc_primary_key _fivetran_synced _fivetran_id _fivetran_deleted".split()
)
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

    def spelled(self, name: str) -> Sequence[str]:
        """Return the ways this kind of file may write a name."""
        written = self.dollar + name.removeprefix("$") if name.startswith("$") else name
        return (name,) if written in {name, *NOT_BARE} else (name, written)

    def bags(self, options: Options) -> dict[str, Bag]:
        """Return what the objects hold: Mixpanel's own properties, and what the user names as group keys."""
        keys = tuple(options.group_keys)
        names = dict.fromkeys((*TOLD, *LOOKED_AT, *keys))
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
        return self.dollar == "" and name == "user_id"


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

    `$user_id` is the person; the distinct_id may be that of an anonymous device that Mixpanel chose to stand for
    all of a person's ids, which `PERSON` knows. A word that is no one's is left as it is, where there is nothing else.
    """
    if options.uuid_compat:
        return worker_person()
    stands = [identifier(told("$user_id")), pl.col(PERSON), pl.col("_key")]
    return pl.coalesce(*stands, identifier(told("$device_id")), prop("distinct_id"))


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
    size = expr.number(text)
    epoch = (
        pl.when(size < 1e10)  # noqa: PLR2004 - seconds until 2286, milliseconds from April 1970
        .then(expr.unix(text, "s"))
        .when(size < 1e14)  # noqa: PLR2004 - milliseconds until 5138
        .then(expr.unix(text, "ms"))
        .otherwise(expr.unix(text, "us"))
    )
    return pl.coalesce(epoch, expr.timestamp(pl.when(size.is_null()).then(text)))


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
    chain = expr.elements_chain(
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
    completed = expr.with_query(pl.col(PROPERTIES), prop("$current_url"), values.CAMPAIGN)
    return (
        rows.with_columns_seq(shape.struct(names), shape.name(options).alias("_name"))
        .with_columns_seq(
            key(pl.col("_told")).alias("_key"),
            *(known.over(told).alias(f"_{group}") for group, known in RECURRING.items()),
            time(shape, options).alias("_time"),
            event_name(shape, options).alias("_event"),
        )
        .with_columns_seq(person(options).alias("_person"), completed.alias("_completed"))
    )


def to_events(rows: pl.LazyFrame, options: Options, shape: Shape) -> pl.LazyFrame:
    """Return the event each row is."""
    inserted = pl.when(told("$insert_id") != "").then(told("$insert_id"))
    return events.events(
        understood(rows, options, shape),
        event=pl.col("_event"),
        distinct_id=pl.col("_person"),
        timestamp=pl.col("_time"),
        dedup_key=dedup_key(shape),
        uuid=expr.uuid5(inserted, WORKER) if options.uuid_compat else None,
        laid=pl.col("_completed"),
        extra=viewed() | element() | recurring() | software(shape) | kept(shape),
        groups=groups(shape, options),
    )


def to_links(rows: pl.LazyFrame, options: Options, shape: Shape) -> pl.LazyFrame:
    """Return who is who, as events and identity verbs tell it.

    A row with a user and a device links them; one exported under an id that is neither is exported under the id that
    stands for all of the person's, and what was taken in under another id is that person's too. For `--uuid-compat`
    events keep the ids of the managed migration, so that merges must do what resolution does otherwise. Of rows that
    name the same ids the first is enough.
    """
    who = [name for name in TOLD if name not in {*CLOCK, "$insert_id", "mp_original_event_name"}]
    name = shape.name(options)
    alike = (
        rows.with_columns_seq(shape.struct(TOLD), pl.when(name.is_in(VERBS)).then(name).alias("_name"))
        .select_seq(
            "_name", time(shape, options).alias("_time"), *(told(name).alias(f"_{name}") for name in who)
        )
        .filter(pl.col("_time").is_not_null())
        .group_by("_name", *(f"_{name}" for name in who), maintain_order=True)
        .agg(pl.col("_time").min())
    )
    known = (
        alike.with_columns_seq(pl.struct(pl.col(f"_{name}").alias(name) for name in who).alias("_told"))
        .with_columns_seq(
            identifier(told("$user_id")).alias("_user"),
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
    user, device, own, before = (pl.col(name) for name in ("_user", "_device", "_key", "_before"))
    when = pl.col("_time")
    stands = rows.filter((own != user) & ~prop("distinct_id").str.starts_with(DEVICE))
    yield links.linked(rows, anonymous=device, identified=user, time=when, why="user and device on one event")
    yield of_no_one(rows, "$device_id", "$user_id")
    yield links.resolved(stands, key=own, person=user, time=when, why="exported under one id of the person")
    yield links.resolved(
        rows.filter(before != own), key=before, person=own, time=when, why="taken in under another id"
    )
    yield links.identified(rows, user)
    yield links.own(rows.filter(user.is_null()), anonymous=own, key=own)


def compatible(rows: pl.LazyFrame) -> Iterator[pl.LazyFrame]:
    """Yield what events tell of their person where their ids are those of the managed migration."""
    user, device, own, when = (pl.col(name) for name in ("_user", "_device", "_key", "_time"))
    paired = rows.filter(device != user)
    yield of_no_one(rows, "$device_id", "$user_id")
    for anonymous in (device, pl.concat_str([pl.lit(DEVICE), device])):
        yield links.linked(
            paired, anonymous=anonymous, identified=user, time=when, why="user and device on one event"
        )
    other = rows.filter(own != user)
    yield links.linked(
        other, anonymous=own, identified=user, time=when, why="exported under one id of the person"
    )
    for another in (pl.col("_before"), key(pl.col("_told"))):
        apart = rows.filter((another != own) & (another != own.str.strip_prefix(DEVICE)))
        yield links.same(apart, one=another, other=own, time=when, why="taken in under another id")
    yield links.identified(rows, user)
    yield links.own(rows.filter(own.ne_missing(user)), anonymous=own, key=own)


def of_no_one(rows: pl.LazyFrame, one: str, other: str) -> pl.LazyFrame:
    """Return links that name a word that is no one's id, to be counted as PostHog's own are; it knows fewer."""
    words = pl.any_horizontal(identifier(told(name)).is_null() for name in (one, other))
    return links.refused(rows.filter(words), anonymous=prop(one), identified=prop(other), why="illegal_id")


def verbs(rows: pl.LazyFrame) -> Iterator[pl.LazyFrame]:
    """Yield what Mixpanel's three identity verbs tell; an alias may point either way."""
    when, name = pl.col("_time"), pl.col("_name")
    identified, anonymous, alias = (identifier(told(n)) for n in ("$identified_id", "$anon_id", "alias"))
    calls = rows.filter(name == "$identify")
    yield links.linked(calls, anonymous=anonymous, identified=identified, time=when, why="$identify")
    yield links.identified(calls, identified)
    yield of_no_one(calls, "$anon_id", "$identified_id")
    aliased = rows.filter(name == "$create_alias")
    yield links.same(aliased, one=key(pl.col("_told")), other=alias, time=when, why="$create_alias")
    yield of_no_one(aliased, "distinct_id", "alias")
    ids = told("$distinct_ids").str.extract_all(r'"(?:[^"\\]|\\.)*"|[^\[\],\s"]+')
    first, second = (identifier(ids.list.get(n, null_on_oob=True).str.strip_chars('"')) for n in (0, 1))
    merged = rows.filter(name == "$merge")
    yield links.same(merged, one=first, other=second, time=when, why="$merge")


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
        time=pl.lit(None, events.TIMESTAMP),
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
    dropped: Sequence[str] = (),
) -> Table:
    """Return the table of files with events in this shape; `columns` are those that `shape` does not name."""
    own = tuple(dict.fromkeys([*columns, *itertools.chain(*shape.columns.values())]))
    kinds = {"identity_only": VERBS, "session_replay": ("$mp_session_record",)}
    return Table(
        name=name,
        columns=dict.fromkeys(own, pl.String()),
        matches=matches,
        to_events=partial(to_events, shape=shape),
        to_links=partial(to_links, shape=shape),
        tells_own=True,
        clock=partial(clock, shape=shape) if shape.local else None,
        link_columns=[
            *(name for name in own if name not in {shape.bag, shape.more}),
            *itertools.chain(*(shape.within(name) for name in TOLD)),
        ],
        times=[*shape.columns.get("time", ()), *shape.within("time")],
        ids=[column for name in IDS for column in (*shape.columns.get(name, ()), *shape.within(name))],
        resolve=shape.key(),
        bags=shape.bags,
        properties=(shape.bag, shape.more) if shape.more else (shape.bag,),
        objects=[column for column in own if column in {"properties", "mp_properties"}],
        rename=_renamed(shape.dollar),
        filters={rule: partial(_is_one_of, shape=shape, names=names) for rule, names in kinds.items()},
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
        ids=owners,
        resolve=identifier(roll.owner()) if owners else None,
        objects=[bag] if bag in {"properties", "$properties"} else [],
        rename=PEOPLE,
        left_out=bool if bag == "results" else None,
        dropped=COPIES | PAGE if bag == "results" else COPIES,
    )


def _is_bagged_people(columns: frozenset[str]) -> bool:
    """Return whether these are columns of people with their properties as one JSON object."""
    return {"distinct_id", "properties"} <= columns and not columns & {"time", "event", "event_name"}


def _is_stitch(columns: frozenset[str]) -> bool:
    """Return whether these are columns of events as Stitch writes them."""
    return {"event", "time"} <= columns and any(name.startswith("mp_reserved_") for name in columns)


def _is_flat(columns: frozenset[str]) -> bool:
    """Return whether these are columns of events, one a property: Airbyte, or the CSV of the events page."""
    return "time" in columns and bool(columns & {"event", "event name"})


def _is_people(columns: frozenset[str]) -> bool:
    """Return whether these are columns of people, one a property; lists of a cohort's members are none."""
    owned = bool(columns & {"distinct_id", "$distinct_id", "distinct id"})
    return owned and not columns & {"time", "event", "event name", "name_of_cohort", "cohort_id"}


MAPPING: Final = Platform(
    identity_version=2,
    payload_version=2,
    title="Mixpanel",
    options=frozenset({"--labels", "--group-key", "--group-type", "--uuid-compat"}),
    reads="Raw Event Export JSONL, data pipelines (JSON, old schematized JSON or Parquet), Airbyte, Fivetran and Stitch"
    " copies, engage pages, people tables, identity mappings, and CSV of the events and users pages",
    read_labels=read_labels,
    tables=[
        profiles_table("engage_pages", lambda c: "results" in c and "event" not in c, "results"),
        profiles_table("profiles", has("$properties"), "$properties", "$distinct_id"),
        events_table("export", RAW, has("event", "properties"), "event", "properties"),
        events_table("pipeline", PIPELINE, has("event_name", "properties"), "event_name", "properties"),
        events_table(
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
        events_table("stitch", STITCH, _is_stitch, "event"),
        events_table("old_pipeline", MONO, has("mp_event_name", "time"), "mp_event_name", "mp_properties"),
        events_table("flat", FLAT, _is_flat, "event", "event name"),
        events_table("old_pipeline_events", MULTI, has("time", "distinct_id"), "mp_properties"),
        profiles_table("people_flat", _is_people, REST, "distinct_id", "$distinct_id", "distinct id"),
    ],
)
