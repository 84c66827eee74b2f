"""Mixpanel's profiles of people and groups: pages of the engage API, a profile a line, tables, and CSV."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import polars as pl

from mappings._mixpanel_ids import identifier, is_device, json_list, json_object, meant, user
from mappings._mixpanel_labels import relabelled
from mappings._mixpanel_people import person
from mappings._mixpanel_shapes import FIRST_TOUCH, TOLD, Shape, key, prop, time
from migrate.kit import events, expr, links, objects
from migrate.kit.cells import text_of
from migrate.kit.declare import FILE, PERSON, REST, Options, inside

PEOPLE: Final = {
    **{
        f"${name}": name
        for name in ("email", "name", "first_name", "last_name", "phone", "avatar", "created")
    },
    "$last_seen": "last_seen",
    "$city": "$geoip_city_name",
    "$region": "$geoip_subdivision_1_name",
    "$country_code": "$geoip_country_code",
    "$timezone": "$geoip_time_zone",
}
PROFILE: Final = pl.Struct(dict.fromkeys(("id", "kind", "seen", "set", "set_once", "all"), pl.String))


@dataclass(frozen=True, kw_only=True)
class Roll:
    """How one kind of file lists profiles."""

    bag: str
    """The column with the properties, or `REST`; "results" holds a page of profiles."""
    owners: Sequence[str] = ()
    """The columns that may say whose profile it is."""

    def owner(self) -> pl.Expr:
        """Return whose profile it is; null in pages, where each says it itself."""
        return expr.first(*(pl.col(name) for name in self.owners)) if self.owners else pl.lit(None, pl.String)

    def read(self, rows: pl.LazyFrame, options: Options, *, is_whole: bool = True) -> pl.LazyFrame:
        """Return the rows, each with its profile as `_profile`; if it is not to be whole, of what its bag says alone.

        A page becomes one row for each of its own.
        """
        bag = pl.col(self.bag)
        is_all = self.bag == REST or not self.owners or not is_whole
        whole = bag if is_all else objects.completed(bag, pl.col(REST))
        read = pl.struct(self.owner().alias("owner"), whole.alias("bag")).map_batches(
            partial(_profiles, flat=self.bag == REST, labels=options.labels),
            return_dtype=pl.List(PROFILE),
            is_elementwise=True,
        )
        found = rows.with_columns_seq(read.alias("_profile")).explode("_profile")
        return found.filter(pl.col("_profile").is_not_null()).with_columns_seq(
            group_type(options).alias("_group")
        )


def group_type(options: Options) -> pl.Expr:
    """Return the group type of a profile, null for a person's.

    The engage API answers groups (asked for with `data_group_id`) and people alike. A profile is a group's if it
    says `$group_key`, or if its file is called group… or as one of the user's group keys or types.
    """
    kinds = dict(options.group_keys)
    told_key = pl.col("_profile").struct.field("kind")
    own = pl.coalesce(told_key.replace_strict(kinds, default=None, return_dtype=pl.String), told_key)
    return pl.coalesce(own, _by_file(options))


def _by_file(options: Options) -> pl.Expr:
    """Return the group type that the name of a row's file says, null where it says none."""
    kinds = dict(options.group_keys)
    only = next(iter(kinds.values())) if len(set(kinds.values())) == 1 else options.group_type
    named = {name.lower(): kind for key, kind in kinds.items() for name in (key, kind)}
    stem = pl.col(FILE).str.to_lowercase()
    by_file = stem.str.replace(r"[-_. ]\d+$", "").replace_strict(named, default=None, return_dtype=pl.String)
    by_word = pl.when(stem.str.contains(r"^groups?\b|^groups?_")).then(pl.lit(only))
    return pl.coalesce(by_file, by_word)


def to_profiles(rows: pl.LazyFrame, options: Options, roll: Roll) -> pl.LazyFrame:
    """Return what profiles tell of people, as of `$last_seen`, of the export where that is missing.

    It is when a person last sent an event, and tells which of two exports is the newer one. Whether it is in UTC or in
    the project's zone, Mixpanel does not say: without a zone it is read as the wall clock of `--source-timezone`.
    """
    profile = pl.col("_profile").struct
    owner = identifier(profile.field("id"))
    return events.profiles(
        roll.read(rows, options).filter(pl.col("_group").is_null()),
        distinct_id=pl.coalesce(pl.col(PERSON), owner) if roll.owners else owner,
        timestamp=expr.timestamp(profile.field("seen"), zone=options.source_timezone),
        set=profile.field("set"),
        set_once=profile.field("set_once"),
    )


def to_known(rows: pl.LazyFrame, options: Options, roll: Roll) -> pl.LazyFrame:
    """Return the ids that have profiles: people who are known, unless the profile is a device's.

    An id that only looks like a device's may be a user's, or that of one who was never identified.
    """
    if roll.bag == REST:
        found = rows.with_columns_seq(roll.owner().alias("_id"), _by_file(options).alias("_group")).filter(
            pl.col("_group").is_null() & pl.col(inside(REST, "$group_key")).is_null()
        )
    else:
        whose = pl.col("_profile").struct.field("id")
        found = (
            roll.read(rows, options, is_whole=False)
            .filter(pl.col("_group").is_null())
            .with_columns_seq(whose.alias("_id"))
        )
    looks_so = is_device(pl.col("_id"))
    person = user(pl.col("_id"))
    return links.concat(
        [links.profiled(found.filter(~looks_so), person), links.maybe(found.filter(looks_so), person)]
    )


def to_groups(rows: pl.LazyFrame, options: Options, roll: Roll) -> pl.LazyFrame:
    """Return what profiles tell of groups, under the names they would have of a person."""
    profile = pl.col("_profile").struct
    return events.groups(
        roll.read(rows, options).filter(pl.col("_group").is_not_null()),
        group_type=pl.col("_group"),
        group_key=meant(profile.field("id")),
        timestamp=None,
        properties=profile.field("all"),
    )


def _profiles(rows: pl.Series, *, flat: bool, labels: Mapping[str, str]) -> pl.Series:
    """Return the profiles of each row: those of a page, or the one of an owner with its bag."""
    found: list[list[dict[str, str | None]] | None] = []
    for row in rows.to_list():
        text = row["bag"] or "{}"
        if text.lstrip().startswith("["):
            pairs = [(item.get("$distinct_id"), item.get("$properties")) for item in json_list(text)]
        else:
            pairs = [(row["owner"], json_object(relabelled(text, labels) if labels else text))]
        found.append([_profile(owner, bag or {}, flat=flat) for owner, bag in pairs])
    return pl.Series(rows.name, found, dtype=pl.List(PROFILE))


def _profile(owner: object, bag: dict[str, Any], *, flat: bool) -> dict[str, str | None]:
    """Return one profile: whose, of which group key, and its properties in PostHog's names; "undefined" is none.

    Where `$` is gone, or is written `mp_` or `mp_reserved_`, Mixpanel's own names are known by the rest.
    """
    bag = {name: value for name, value in bag.items() if not _is_nothing(value)}
    kind, group = bag.pop("$group_key", None), bag.pop("$group_id", None)
    to_set: dict[str, Any] = {}
    once: dict[str, Any] = {}
    for name, value in bag.items():
        bare = re.sub(r"^(\$|mp_reserved_|mp_)", "", name) if flat or name.startswith("$") else name
        if bare.startswith("initial_"):
            once[f"${bare}"] = value
        elif flat and name.startswith("mp_reserved_"):
            to_set[PEOPLE.get(f"${bare}", f"${bare}")] = value
        else:
            to_set[PEOPLE.get(f"${bare}" if flat else name, name)] = value
    found = owner if owner is not None else group
    seen = to_set.get("last_seen") if flat else bag.get("$last_seen")
    return {
        "id": None if found is None else str(found),
        "kind": None if kind is None else str(kind),
        "seen": seen if isinstance(seen, str) else None,
        "set": text_of(to_set),
        "set_once": text_of(once),
        "all": text_of(to_set | once),
    }


def _is_nothing(value: object) -> bool:
    return value is None or (isinstance(value, str) and value in {"", "undefined"})


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
