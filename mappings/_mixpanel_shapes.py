"""The shapes of Mixpanel's files: how each kind of file spells what it tells of an event."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from mappings._mixpanel_ids import identifier
from migrate.kit import expr
from migrate.kit.declare import FILE, REST, Bag, Options, inside, words

VERBS: Final = ("$identify", "$create_alias", "$merge")
REPLAYS: Final = ("$mp_session_record",)
TOLD: Final = (
    *("distinct_id", "$user_id", "$device_id", "$distinct_id_before_identity", "$insert_id", "time"),
    *("mp_original_distinct_id", "mp_original_event_name", "$mp_api_timestamp_ms", "mp_processing_time_ms"),
    *("$import", "$identified_id", "$anon_id", "alias", "$distinct_ids"),
)
"""What says whose event it is, when it was, and which it is."""
IDS: Final = (
    *("distinct_id", "$user_id", "$device_id", "$distinct_id_before_identity", "$insert_id"),
    *("mp_original_distinct_id", "$identified_id", "$anon_id", "alias"),
)
CLOCK: Final = ("time", "$mp_api_timestamp_ms", "mp_processing_time_ms", "$import")
LOOKED_AT: Final = words(
    "$current_url $referrer current_page_title current_domain current_url_path $browser $browser_version"
    " $os $device $model $manufacturer $brand $app_version_string $app_release $app_build_number $carrier $city"
    " $region mp_country_code mp_lib $screen_width $screen_height $elements $el_text $el_attr__href $ae_iap_price"
    " $ae_iap_quantity"
)
"""What PostHog has another name or spelling for."""
FIRST_TOUCH: Final = ("$initial_referrer", "$initial_referring_domain")
"""How a person first came, as every event repeats it, in PostHog's own names."""
SURE: Final = words(
    "browser browser_version current_url referrer referring_domain initial_referrer initial_referring_domain"
    " search_engine screen_height screen_width os os_version lib_version"
)
"""Properties, without their `$`, that are surely Mixpanel's: they get it back where it is gone without a trace.

The others of `OWN` may be the customer's (https://docs.mixpanel.com/docs/data-structure/events-and-properties).
"""
OWN: Final = (
    *SURE,
    *words(
        "city region screen_dpi app_version_string app_build_number app_release app_version brand manufacturer model"
        " carrier radio wifi bluetooth_version bluetooth_enabled has_nfc has_telephone google_play_services device"
        " duration el_text el_attr__href event_type ae_session_length ae_iap_price ae_iap_quantity ae_iap_name"
    ),
)
INTERNAL: Final = (
    *("mp_api_endpoint", "mp_api_timestamp_ms", "mp_event_size", "geo_source", "had_persisted_distinct_id"),
    *("import", "is_reshuffled", "preshuffle_distinct_id"),
    *("failure_reason", "failure_description", "identity_failure_reason"),
)
"""Mixpanel's notes on its own pipeline."""
NOTES: Final = ("mp_processing_time_ms", "mp_sent_by_lib_version")
SIGNS: Final = frozenset(f"mp_{name}" for name in (*OWN, "insert_id", "user_id", "device_id"))
"""Columns that only the old schematized pipelines have."""
MANGLED: Final = "mp_"
RESERVED: Final = "mp_reserved_"
NOT_BARE: Final = ("brand", "device", "elements")
"""Names that a shop or a garage may have of its own."""


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
    """Return the id an event is exported under, of a struct of `TOLD`; where too many had one, it was put aside."""
    return identifier(
        expr.first(given.struct.field("mp_original_distinct_id"), given.struct.field("distinct_id"))
    )


def moment(text: pl.Expr) -> pl.Expr:
    """Return a time as it stands: Unix seconds, milliseconds or microseconds, told by size, or ISO 8601."""
    no_number = pl.when(expr.number(text).is_null()).then(text)
    return pl.coalesce(expr.unix_by_size(text), expr.timestamp(no_number))


def time(shape: Shape, options: Options) -> pl.Expr:
    """Return when it happened; wall clock in `--source-timezone` where the table has the project's."""
    shown = moment(told("time"))
    return expr.local(shown.dt.replace_time_zone(None), options.source_timezone) if shape.local else shown


def _named(*columns: str, bag: str = REST) -> Callable[[Options], pl.Expr]:
    """Return what gives the name of an event; where too many had one, Mixpanel has put it aside.

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
    """Return the columns that may hold each of `TOLD`, in files with a column a property and `dollar` for `$`."""
    columns = {name: tuple(dict.fromkeys((dollar + name[1:], name))) for name in TOLD if name.startswith("$")}
    columns |= {name: (name,) for name in TOLD if not name.startswith("$")}
    return columns | {"distinct_id": ("distinct_id", "$distinct_id", "distinct id")}


def renamed(dollar: str) -> dict[str, str | None]:
    """Return what Mixpanel's own names become, None where dropped, in files that write `dollar` for their `$`."""
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
