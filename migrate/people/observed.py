"""Rows and events → states: what they tell of persons and groups, and when and where those were seen."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import polars as pl

from migrate.jsontext.build import object_text
from migrate.jsontext.parse import raw_object
from migrate.kit import schemas
from migrate.kit.cells import value_of
from migrate.kit.declare import ROW, Options, Table
from migrate.payload import checks, special
from migrate.people.lookup import Lookup
from migrate.people.states import (
    BETWEEN,
    FIRST,
    GROUP,
    LAST,
    ONCE,
    PERSON,
    PLACE_SEEN,
    STATE,
    group_of,
    nothing,
)

if TYPE_CHECKING:
    from migrate.kit.schemas import Schema

PLACE: Final = (
    "$geoip_country_name",
    "$geoip_country_code",
    "$geoip_subdivision_1_name",
    "$geoip_city_name",
)
PERSONLESS: Final = "$process_person_profile"
"""False on an event that makes no person."""
_REJECTS: Final = special.REJECTS


@dataclass(frozen=True)
class Observed:
    """The states that rows tell. `frame`: `states.SCHEMA` and `_row`. `rejects`: `_row`, `reason`, `value`."""

    frame: pl.DataFrame
    rejects: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_REJECTS))
    warnings: Counter[str] = field(default_factory=Counter)


def states_in(rows: pl.LazyFrame, table: Table, options: Options, people: Lookup | None) -> Observed:
    """Return the states that rows tell. States of an id that is nobody's are left out and counted.

    A profile goes to the person that its id is resolved to, unless the table resolves the ids of its rows itself.
    """
    found = []
    if table.to_profiles and options.person_properties != "none":
        profiles = table.to_profiles(rows, options).collect()
        if people and table.resolve is None:
            persons = people.persons(profiles["distinct_id"])
            profiles = profiles.with_columns_seq(pl.coalesce(persons, "distinct_id").alias("distinct_id"))
        found += _profiles(profiles.lazy())
    if table.to_groups:
        found.append(_groups(table.to_groups(rows, options)))
    if not found:
        return Observed(nothing())
    frame = pl.concat(pl.collect_all(found))
    is_person = pl.col("owner").str.starts_with(PERSON)
    nobody = is_person & checks.junk(pl.col("distinct_id"))
    kind, key = group_of()
    reason = (
        pl.when(is_person & (pl.col("distinct_id").str.len_chars() > checks.MAX_DISTINCT_ID))
        .then(pl.lit("distinct_id_too_long"))
        .when(~is_person & (special.is_longer(key, special.MAX_GROUP_KEY)))
        .then(pl.lit("group_key_too_long"))
        .when(~is_person & (special.is_longer(kind, special.MAX_GROUP_KEY)))
        .then(pl.lit("group_type_too_long"))
    )
    judged = frame.with_columns_seq(nobody.alias("nobody"), reason.alias("reason"))
    rejects = (
        judged.filter(pl.col("reason").is_not_null())
        .select_seq(ROW, "reason", pl.col("owner").str.slice(1, 200).alias("value"))
        .unique(ROW, keep="first", maintain_order=True)
    )
    kept = judged.filter(~pl.col("nobody") & pl.col("reason").is_null()).drop("nobody", "reason")
    strangers = judged.filter(pl.col("nobody"))[ROW].n_unique()
    return Observed(kept, rejects, +Counter({"profile_of_no_one": strangers}))


def when_seen(frame: pl.DataFrame) -> pl.DataFrame:
    """Return when the people of these events were seen first and last: `SCHEMA` and `_row`."""
    time = pl.col("timestamp")
    spans = frame.group_by("distinct_id", maintain_order=True).agg(
        pl.col(ROW).first(), time.min().alias(FIRST), time.max().alias(LAST)
    )
    found = [
        state_rows(spans.lazy().rename({what: "timestamp"}), what, person_owner(), pl.lit(None, pl.String))
        for what in (FIRST, LAST)
    ]
    return pl.concat(pl.collect_all(found))


def sighted(frame: pl.DataFrame) -> pl.DataFrame:
    """Return of an event frame what `where_seen` and `groups_seen` look at: far less than all of it."""
    known = _fields(frame["extra"])
    kept = [pl.col("extra").struct.field(name) for name in (*PLACE, PERSONLESS) if name in known]
    place = pl.struct(kept) if kept else pl.lit(None)
    return frame.select_seq(ROW, "timestamp", "distinct_id", "groups", place.alias("extra"))


def where_seen(frame: pl.DataFrame) -> pl.DataFrame:
    """Return where the people of these events (an event frame, or what is `sighted`) were last seen, where known."""
    known = _fields(frame["extra"])
    names = [name for name in PLACE if name in known]
    if not names:
        return nothing()
    place = [pl.col("extra").struct.field(name) for name in names]
    of_no_one = pl.lit(value=False)
    if PERSONLESS in known:
        of_no_one = pl.col("extra").struct.field(PERSONLESS).eq_missing(pl.lit(value=False))
    last = (
        frame.lazy()
        .filter(~of_no_one)
        .select_seq(ROW, "timestamp", pl.col("distinct_id").str.strip_chars(), *place)
        .filter(pl.any_horizontal(pl.col(names).is_not_null()))
        .sort("timestamp", maintain_order=True)
        .unique("distinct_id", keep="last", maintain_order=True)
        .filter(~checks.junk(pl.col("distinct_id")))
    )
    return state_rows(last, PLACE_SEEN, person_owner(), object_text(names)).collect()


def _fields(objects: pl.Series) -> list[str]:
    """Return what structs name; nothing of what is no struct."""
    return [one.name for one in objects.dtype.fields] if isinstance(objects.dtype, pl.Struct) else []


def groups_seen(frame: pl.DataFrame) -> pl.DataFrame:
    """Return when the groups of these events (as `where_seen` takes them) were seen first: `SCHEMA` and `_row`."""
    named = frame.select_seq(ROW, "timestamp", "groups").filter(pl.col("groups").is_not_null())
    if not named.height:
        return nothing()
    if isinstance(named["groups"].dtype, pl.Struct):
        types = [one.name for one in named["groups"].dtype.fields]
        found = [
            named.select_seq(
                ROW, "timestamp", pl.lit(kind).alias("type"), pl.col("groups").struct.field(kind).alias("key")
            )
            for kind in types
        ]
        pairs = pl.concat([frame.cast({"key": pl.String}) for frame in found])
    else:
        distinct = named.sort("timestamp", maintain_order=True).unique(
            "groups", keep="first", maintain_order=True
        )
        rows = [
            (row, time, kind, key)
            for row, time, text in distinct.iter_rows()
            for kind, key in _keys(raw_object(text))
        ]
        schema: Schema = {
            ROW: pl.Int64,
            "timestamp": schemas.TIMESTAMP,
            "type": pl.String,
            "key": pl.String,
        }
        pairs = pl.DataFrame(rows, pl.Schema(schema), orient="row")
    owner = pl.concat_str(pl.lit(GROUP), "type", pl.lit(BETWEEN), "key")
    too_long = pl.any_horizontal(
        special.is_longer(pl.col(name), special.MAX_GROUP_KEY).fill_null(False) for name in ("type", "key")
    )
    first = (
        pairs.lazy()
        .filter(pl.col("key").is_not_null() & (pl.col("key") != "") & ~too_long)
        .group_by("type", "key", maintain_order=True)
        .agg(pl.col(ROW, "timestamp").sort_by("timestamp", maintain_order=True).first())
        .with_columns(pl.lit(None, pl.String).alias("distinct_id"))
    )
    return state_rows(first, FIRST, owner, pl.lit(None, pl.String)).collect()


def _keys(groups: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    """Yield types and keys of `$groups`; a key that is no text is its own JSON, as PostHog has it."""
    for kind, raw in groups.items():
        key = value_of(bytes(raw).decode())
        if key is not None:
            yield kind, key if isinstance(key, str) else bytes(raw).decode()


def person_owner() -> pl.Expr:
    """Return the person as an owner."""
    return pl.concat_str(pl.lit(PERSON), "distinct_id")


def state_rows(frame: pl.LazyFrame, what: str, owner: pl.Expr, said: pl.Expr) -> pl.LazyFrame:
    """Return states of one kind."""
    return frame.select_seq(
        ROW, owner.alias("owner"), pl.lit(what).alias("what"), "timestamp", "distinct_id", said.alias("told")
    )


def _profiles(frame: pl.LazyFrame) -> list[pl.LazyFrame]:
    """Return profiles as states: the last properties of persons, and their first touches."""
    whose = frame.with_columns_seq(pl.col("distinct_id").str.strip_chars())
    return [
        state_rows(whose.filter(pl.col(name).is_not_null()), what, person_owner(), pl.col(name))
        for what, name in ((STATE, "set"), (ONCE, "set_once"))
    ]


def _groups(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Return group states; of one time and group the first row's person tells it."""
    owner = pl.concat_str(pl.lit(GROUP), "group_type", pl.lit(BETWEEN), "group_key")
    return state_rows(frame, STATE, owner, pl.col("properties").fill_null("{}"))
