"""Rows of warehouses and data lakes → calls of Segment's specification.

A row is a message flattened: `context_page_url`, traits and properties without a prefix
(https://www.twilio.com/docs/segment/connections/storage/warehouses/schema,
https://www.rudderstack.com/docs/destinations/warehouse-destinations/warehouse-schema/, read 2026-11-20). It becomes the
frame of `mappings._calls`, so that a call is the same event, of the same uuid, in every form.
"""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import polars as pl

from mappings._calls import TIMES, group_states, identifier, looked_at, named_by, time, to_events
from mappings._calls_context import DEVICE, NOTHING, OF_DEVICE, of_device
from migrate.kit import cells, events, expr
from migrate.kit.cells import Members, value_of
from migrate.kit.declare import PROPERTIES, RECOVERED, REST, Options, inside

_CAPITALS: Final = r'^\{"[^"a-z]*[A-Z][^"a-z]*":'
"""Found in rows of Snowflake, whose columns stand in capitals."""
RECEIVED: Final = ("timestamp", "received_at")
IN_EVENT_TABLE: Final = "event_table\x1f"
"""Under which name, and before which ids, event tables tell that they hold a row of `tracks`; no column is so named."""
_PARTS: Final = pl.Struct({"known": pl.String, "rest": pl.String})
_OF_PERSON: Final = "context_traits_"
"""Before what the context of a row says of its person."""


def _lowered(members: Members) -> Members:
    """Return the columns with their names in lower case, where all of them stand in capitals."""
    return {name.lower(): one for name, one in members.items()} if "".join(members).isupper() else members


def _completed(rest: str | None, recovered: str | None) -> str | None:
    """Return a row's columns, completed by what other files know of it, without the mark of event tables."""
    own = _lowered(cells.members(rest or "{}") or {})
    known = cells.members(recovered or "{}") or {}
    return cells.object_text(
        {name: value for name, value in known.items() if name != IN_EVENT_TABLE} | dict(own)
    )


def _texts(names: Sequence[str], bag: str) -> dict[str, str | None]:
    """Return these columns as text."""
    members = cells.members(bag) or {}
    return {name: _text(bytes(members[name]).decode()) if name in members else None for name in names}


def _text(value: str) -> str | None:
    """Return a JSON value as a cell has it."""
    return value_of(value) if value.startswith('"') or value == "null" else value


def _parted(own: str, rest: str, *, of_person: bool = False) -> dict[str, str | None]:
    """Return the columns of a table of traits as two objects: `known`, those of the call itself, and the traits.

    Of a person, what the context says of traits completes them, as it does in a message.
    """
    members = cells.members(rest) or {}
    known = {name: value for name, value in members.items() if re.match(own, name)}
    traits = {name: value for name, value in members.items() if name not in known}
    if of_person:
        for name, value in known.items():
            if name.startswith(_OF_PERSON) and bytes(value) not in NOTHING:
                traits.setdefault(name.removeprefix(_OF_PERSON), value)
    return {"known": cells.object_text(known), "rest": cells.object_text(traits)}


def whole() -> pl.Expr:
    """Return the undeclared columns of rows that must be changed before they are read, null of all others.

    Those of Snowflake, which stand in capitals, have their names in lower case; those of which RudderStack discarded
    values have these, too.
    """
    rest, recovered = pl.col(REST), pl.col(RECOVERED)
    is_odd = rest.str.contains(_CAPITALS) | recovered.is_not_null()
    return expr.each(pl.when(is_odd).then(pl.struct(rest, recovered)), _completed)


def columns() -> pl.Expr:
    """Return the undeclared columns of all rows."""
    return pl.coalesce(whole(), pl.col(REST))


def table_traits(own: str, *, of_person: bool = False) -> pl.Expr:
    """Return a struct of `known` and `rest`, see `_parted`."""
    return expr.each(columns(), partial(_parted, own, of_person=of_person), _PARTS)


def stored(rows: pl.LazyFrame, options: Options, *, kind: str, own: str) -> pl.LazyFrame:
    """Return the rows of a warehouse's table as calls of one kind, with the `whole` of odd rows."""
    nothing = pl.lit(None, pl.String)
    event = nothing
    if kind == "track":
        slug = expr.stripped(pl.col("event"))
        label = slug.replace(options.labels) if options.labels else slug
        event = pl.coalesce(expr.stripped(pl.col("event_text")), label)
    rows = rows.with_columns_seq(whole().alias("_whole")).with_columns_seq(
        pl.coalesce("_whole", REST).alias("_bag"),
        nothing.alias("_traits"),
        pl.lit(kind).alias("_type"),
        event.alias("_event"),
        *(nothing.alias(name) for name in ("_name", "_category", "_channel", "_ip", "_rest", "_context")),
        identifier("id", "message_id").alias("_id"),
        identifier("user_id").alias("_user"),
        identifier("anonymous_id").alias("_anonymous"),
        time(options, *TIMES).alias("_time"),
        time(options, "original_timestamp").alias("_original"),
        pl.struct(OF_DEVICE)
        .map_batches(of_device, return_dtype=DEVICE, is_elementwise=True)
        .alias("_device"),
    )
    if kind != "identify":
        return rows
    parts = pl.col("_parts").struct
    return rows.with_columns_seq(
        expr.each(pl.col("_bag"), partial(_parted, own, of_person=True), _PARTS).alias("_parts")
    ).with_columns_seq(parts.field("known").alias("_bag"), parts.field("rest").alias("_traits"))


def stored_events(rows: pl.LazyFrame, options: Options, *, kind: str, own: str, source: str) -> pl.LazyFrame:
    """Return the events of a warehouse's table; a `message_id` beside the id is a property, columns of traits are none.

    The columns of most rows are taken as they were read; those of odd rows are opened again.
    """
    calls = stored(rows, options, kind=kind, own=own)
    both = pl.col("id").is_not_null() & pl.col("message_id").is_not_null()
    extra = {**named_by(source), "message_id": pl.when(both).then("message_id")}
    if kind == "identify":
        told = told_of_rows(calls, options, is_told=re.compile(own).match)
        return to_events(told, options, properties=pl.col("_bag"), extra=extra)
    laid = pl.when(pl.col("_whole").is_null()).then(PROPERTIES)
    return to_events(
        told_of_rows(calls, options),
        options,
        laid=laid,
        properties=pl.col("_whole"),
        extra=extra,
    )


def told_of_rows(
    calls: pl.LazyFrame, options: Options, *, is_told: Callable[[str], object] = bool
) -> pl.LazyFrame:
    """Return the calls of a warehouse's table with `_told`, which is null for columns that are not to be looked at."""
    names, nothing = looked_at(options), pl.lit(None, pl.String)
    odd = expr.each(pl.col("_whole"), partial(_texts, names), pl.Struct(dict.fromkeys(names, pl.String)))
    told = {name: pl.coalesce(inside(REST, name), pl.col("_odd").struct.field(name)) for name in names}
    struct = pl.struct((told[name] if is_told(name) else nothing).alias(name) for name in names)
    return calls.with_columns_seq(odd.alias("_odd")).with_columns_seq(struct.alias("_told"))


def traits(own: str) -> pl.Expr:
    """Return the traits of a row of a table of traits, without the columns that `own`, a pattern, fits."""
    return table_traits(own).struct.field("rest")


def profiles(rows: pl.LazyFrame, options: Options, *, own: str) -> pl.LazyFrame:
    """Return what the table of users tells of persons; it was so when the last of their calls was received."""
    last = time(options, *RECEIVED)
    return events.profiles(rows, distinct_id=identifier("id"), timestamp=last, set=traits(own))


def stored_groups(rows: pl.LazyFrame, options: Options, *, own: str) -> pl.LazyFrame:
    """Return what the table of group calls tells of groups."""
    calls = rows.with_columns_seq(
        identifier("user_id").alias("_user"),
        identifier("anonymous_id").alias("_anonymous"),
        time(options, *TIMES).alias("_time"),
        traits(own).alias("_traits"),
    )
    return group_states(calls, options, key=identifier("group_id"))


def accounts(rows: pl.LazyFrame, options: Options, *, own: str) -> pl.LazyFrame:
    """Return what the table of accounts tells of groups, which nobody in particular said last."""
    nobody = pl.lit(None, pl.String)
    calls = rows.with_columns_seq(
        nobody.alias("_user"),
        nobody.alias("_anonymous"),
        time(options, *RECEIVED).alias("_time"),
        traits(own).alias("_traits"),
    )
    return group_states(calls, options, key=identifier("group_id", "id"))
