"""Rows that a spec describes → events, and what they tell of persons, groups and links."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial

import polars as pl

from mappings._table_columns import Columns
from mappings._table_shapes import shape_text
from mappings._table_spec import Explode, Session, Time, Told, is_sql, shown
from mappings._table_times import moment
from mappings._table_values import object_of
from migrate.errors import UsageError
from migrate.kit import expr, links, values
from migrate.kit.declare import POSITION, PROPERTIES, REST, WHOLE, Bag, Options, inside
from migrate.kit.events import events, groups, profiles

WHERE = "where"
"""The name of the filter that `where` is."""


def _properties(columns: Columns) -> pl.Expr:
    """Return the rows' properties: the declared columns that are some, what `[properties]` adds, and what passes on."""
    spec = columns.spec
    names = {column: spec.tables["rename"].get(column, column) for column in columns.properties()}
    found = {
        name: pl.col(columns.raw(column)) if column not in spec.values else columns.col(column)
        for column, name in names.items()
    }
    if spec.uuid and not is_sql(spec.uuid) and spec.uuid in spec.gone():
        is_none = expr.canonical_uuid(columns.col(spec.uuid)).is_null()
        found[spec.uuid] = pl.when(is_none).then(expr.filled(pl.col(columns.raw(spec.uuid))))
    kinds = {names[column]: kind for column, kind in spec.kinds().items() if column in names}
    for name, column in spec.properties_of.items():
        found[name] = columns.text(column)
        if column in spec.kinds():
            kinds[name] = spec.kinds()[column]
    typed = {name for name, column in spec.properties_of.items() if columns.is_typed(column)}
    found |= {name: shape_text(columns, shape) for name, shape in spec.shapes.items()}
    typed |= spec.shapes.keys()
    return object_of(found, kinds, json=typed, rest=pl.col(PROPERTIES)) if found else pl.col(PROPERTIES)


def _mapped(columns: Columns) -> dict[str, pl.Expr]:
    """Return the undeclared columns with values that `[values]` maps: each under its name as a property."""
    spec = columns.spec
    found: dict[str, pl.Expr] = {}
    for column, told in spec.values.items():
        if column in columns.copied or (column in columns.looked and column not in columns.inner):
            value = pl.when(pl.col(columns.raw(column)).is_in([*told])).then(columns.col(column))
            found[spec.tables["rename"].get(column, column)] = value
    return found


def rest_of(columns: Columns) -> Bag:
    """Return how the undeclared columns are opened: one that is called like a property of a declared one gets `_2`.

    Of a flat file `missing` has seen that there is none; in JSON lines it may come late.
    """
    explode, rename = columns.spec.explode, columns.spec.tables["rename"]
    renamed = {new for old, new in rename.items() if columns.spec.is_inner(old)}
    for new in renamed.intersection(columns.copied):
        raise UsageError(f"spec: rename: {shown(new)} is a column that the spec names; choose another name")
    taken = frozenset(columns.taken() | renamed)
    return Bag(keys=columns.copied, name=partial(_beside, taken=taken, explode=explode))


def _beside(key: str, *, taken: Collection[str], explode: Explode | None) -> str:
    """Return what an undeclared column is called beside what is taken."""
    return f"{key}_2" if key in taken or (explode is not None and explode.holds(key)) else key


def elements_of(columns: Columns, column: str) -> Bag:
    """Return how the elements of an exploded column are opened: their keys are called as the spec calls them."""
    gone = frozenset({*columns.inner, *columns.spec.gone()})
    return Bag(keys=tuple(dict.fromkeys(columns.looked)), drops=gone, name=partial(inside, column))


def _person(columns: Columns, named: Mapping[str, str]) -> pl.Expr | None:
    """Return person or group properties as JSON objects, None where there are none."""
    kinds = {name: kind for name, column in named.items() if (kind := columns.spec.kinds().get(column))}
    typed = {name for name, column in named.items() if columns.is_typed(column)}
    if not named:
        return None
    return object_of({name: expr.filled(columns.text(one)) for name, one in named.items()}, kinds, json=typed)


def _dedup_key(columns: Columns) -> pl.Expr:
    """Return the key's columns; where there are none, or all are empty, the whole row.

    Where those of the element are empty its place stands for them. One of several tables is part of it, so that rows
    of two tables are two events whatever their keys.
    """
    spec = columns.spec
    of_table = [] if columns.table is None else [pl.lit(columns.table)]
    named = [columns.text(column) for column in spec.lists["dedup_key"]]
    is_named, of_element = _any_told(named), columns.of_element()
    json = {*spec.lists["json"]} | ({spec.explode.column} if spec.explode is not None else set())
    told = [
        expr.canonical(pl.col(name), where=~is_named) if name in json else pl.col(name)
        for name in sorted(columns.declared)
    ]
    if spec.explode is not None:
        told.append(pl.col(POSITION))
    if not named:
        return expr.key(*of_table, *told, pl.col(WHOLE))
    row = expr.key(*of_table, *told, expr.canonical(pl.col(REST), where=~is_named))
    key = expr.key(*of_table, *named)
    if spec.explode is not None and of_element is not None:
        is_of_element = _any_told([columns.text(column) for column in of_element])
        key = pl.when(is_of_element).then(key).otherwise(expr.key(*of_table, *named, pl.col(POSITION)))
    return pl.when(is_named).then(key).otherwise(row)


def _any_told(parts: Sequence[pl.Expr]) -> pl.Expr:
    """Return whether one of these texts holds more than a word for nothing."""
    return pl.any_horizontal(pl.lit(False), *(expr.identifier(part).is_not_null() for part in parts))


def _event(columns: Columns) -> pl.Expr:
    """Return the names of events, as `[events]` has them."""
    spec = columns.spec
    name = pl.lit(spec.event_name) if spec.event is None else columns.text(spec.event)
    told = {old: new for old, new in spec.events.items() if new is not None}
    return name.replace([*told], [*told.values()]) if told else name


def _session(columns: Columns, session: Session, timestamp: pl.Expr, options: Options) -> pl.Expr:
    """Return `$session_id`; where nothing says when a session began, one for each UTC day of it."""
    key = expr.identifier(columns.text(session.id))
    day = timestamp.dt.truncate("1d")
    start = day if session.start is None else pl.coalesce(moment(columns, session.start, options), day)
    return pl.when(key.is_not_null()).then(expr.session_id(start.dt.epoch("ms"), timestamp, key))


def to_events(rows: pl.LazyFrame, options: Options, *, columns: Columns) -> pl.LazyFrame:
    """Return one event a row, as the spec says."""
    spec = columns.spec
    timestamp = moment(columns, spec.timestamp, options)
    extra = {name: pl.lit(value) for name, value in spec.constants.items()} | _mapped(columns)
    if spec.session is not None:
        extra["$session_id"] = _session(columns, spec.session, timestamp, options)
    return events(
        rows,
        event=_event(columns),
        distinct_id=_first(columns, spec.distinct_id),
        timestamp=timestamp,
        uuid=expr.canonical_uuid(columns.text(spec.uuid)) if spec.uuid else None,
        dedup_key=_dedup_key(columns),
        laid=_properties(columns),
        extra=extra,
        set=_person(columns, spec.tables["set"]),
        set_once=_person(columns, spec.tables["set_once"]),
        groups={kind: expr.filled(columns.text(one)) for kind, one in spec.tables["groups"].items()},
    )


def to_links(rows: pl.LazyFrame, options: Options, *, columns: Columns) -> pl.LazyFrame:
    """Return which ids are one person's, as the rows show that `where` is true for."""
    spec = columns.spec
    time = moment(columns, spec.timestamp, options)
    kept = _kept(rows, options, spec.where)
    return links.concat(
        [
            links.linked(
                _kept(kept, options, one.where, name=""),
                anonymous=values.linkable(columns.name(one.anonymous)),
                identified=values.linkable(columns.name(one.identified)),
                time=time,
                why=f"spec: {one.key}",
            )
            for one in spec.links
        ]
    )


def to_profiles(rows: pl.LazyFrame, options: Options, *, columns: Columns) -> pl.LazyFrame:
    """Return what rows tell of persons."""
    told = columns.spec.profile or Told(key="profile", owner=())
    kept = _kept(rows, options, columns.spec.where)
    if told.at is not None:
        kept = kept.filter(~_is_unread(columns, told.at, options))
    return profiles(
        kept,
        distinct_id=_first(columns, told.owner),
        timestamp=moment(columns, told.at, options),
        set=_person(columns, told.set),
        set_once=_person(columns, told.set_once),
    )


def unread_times(columns: Columns) -> dict[str, pl.Expr]:
    """Return what is counted of times that hold something and cannot be read: a person's and a session's.

    Such a person is not told of, as nobody knows since when; such a session is one of its day.
    """
    spec, usual = columns.spec, Options()
    asked = {
        "profile_time_unread": spec.profile.at if spec.profile is not None else None,
        "session_time_unread": spec.session.start if spec.session is not None else None,
    }
    return {name: _is_unread(columns, time, usual) for name, time in asked.items() if time is not None}


def _is_unread(columns: Columns, time: Time, options: Options) -> pl.Expr:
    """Return whether a time holds something that is none."""
    held = expr.filled(columns.text(time.column).cast(pl.String)).is_not_null()
    return held & moment(columns, time, options).is_null()


def to_groups(rows: pl.LazyFrame, options: Options, *, columns: Columns) -> pl.LazyFrame:
    """Return what rows tell of groups, as of the event's time."""
    spec = columns.spec
    kept = _kept(rows, options, spec.where)
    return pl.concat(
        groups(
            kept,
            group_type=pl.lit(told.kind),
            group_key=_first(columns, told.owner),
            timestamp=moment(columns, spec.timestamp, options),
            properties=_person(columns, told.set),
        )
        for told in spec.told_groups
    )


def _first(columns: Columns, ids: Sequence[str]) -> pl.Expr:
    """Return the first of these ids that is not blank."""
    return pl.coalesce([expr.filled(columns.text(one)) for one in ids])


def _kept(rows: pl.LazyFrame, options: Options, where: str | None, *, name: str = WHERE) -> pl.LazyFrame:
    """Return the rows that a condition is true for; all of them, where `--keep` turns it off by its name."""
    if where is None or name in options.keep:
        return rows
    return rows.filter(pl.col(where).fill_null(value=False))
