"""The event frame that `to_events` returns, and what rows tell of whole persons and groups.

A mapping calls `events` at the end of `to_events`; `profiles` and `groups` at the end of `to_profiles` and `to_groups`,
where its rows tell of people or groups beside events. All take lazy rows and return a lazy frame; none of them looks at
the values, so that a mapping fails when it is tried and not when it is run on ten million rows.
"""

from collections.abc import Mapping, Sequence

import polars as pl

from migrate.errors import UsageError
from migrate.jsontext.build import object_text
from migrate.kit.declare import OWN, ROW
from migrate.kit.schemas import OBJECT_COLUMNS, TIMESTAMP

Object = Mapping[str, pl.Expr] | pl.Expr | None
"""An object: expressions by key, or one expression of JSON object text. Null values are left out."""


def events(  # noqa: PLR0913 - the columns of the frame, by name
    rows: pl.LazyFrame,
    *,
    event: pl.Expr,
    distinct_id: pl.Expr,
    timestamp: pl.Expr,
    dedup_key: pl.Expr,
    uuid: pl.Expr | None = None,
    laid: pl.Expr | None = None,
    properties: pl.Expr | None = None,
    rest: pl.Expr | None = None,
    extra: Object = None,
    set: Object = None,  # noqa: A002 - PostHog's own word
    set_once: Object = None,
    groups: Object = None,
) -> pl.LazyFrame:
    """Return the event frame of `rows`, one event a row. Rows must still have `declare.ROW`, unchanged.

    * `event`: the name, text. Blank or null rejects the row as `no_event_name`.
    * `distinct_id`: whose event it is, text. Blank or null rejects it as `no_distinct_id`; PostHog's limit is 200
      characters, and a longer one rejects it (`distinct_id_too_long`).
    * `timestamp`: `Datetime("us", "UTC")`, see `expr.timestamp`. Null rejects it as `no_timestamp`, or as
      `bad_timestamp` where a column of `Table.times` holds something.
    * `dedup_key`: text, the same for the same source event on every run, in every file format, and of no other; the
      event's uuid is made from it, the platform and the timestamp. See `expr.key`.
    * `uuid`: the event's own UUID as text, where PostHog is to have that one; where it is null, the one made. With
      neither key nor uuid a row is rejected as `no_dedup_key`.
    * `laid`: the source's own properties as the reader has laid them together, usually `pl.col(PROPERTIES)`: no name
      that is computed is among them, and what the source itself says under one stands in `OWN`, which is taken along.
    * `properties`, `rest`: objects that a mapping makes itself; they are opened, and laid under `laid` in this order:
      of a key that two of them have the first counts.
    * `extra`: computed properties; a value that is not null wins over what the source itself says under that name, else
      the source's own stays. Text, numbers, Booleans, lists, structs, times.
    * `set`, `set_once`, `groups`: `$set`, `$set_once`, `$groups` (group type: its key).

    Names of PostHog's own begin with `$` (`$current_url`, `$os`; `values` spells them). Further checks, repairs and the
    properties every event gets are the framework's.
    """
    null = pl.lit(None, dtype=pl.String)
    objects = {"extra": extra, "set": set, "set_once": set_once, "groups": groups}
    return rows.select_seq(
        pl.col(ROW),
        event.cast(pl.String).alias("event"),
        distinct_id.cast(pl.String).alias("distinct_id"),
        timestamp.alias("timestamp"),
        dedup_key.cast(pl.String).alias("dedup_key"),
        (null if uuid is None else uuid.cast(pl.String)).alias("uuid"),
        (null if laid is None else laid).alias("laid"),
        (null if properties is None else properties).alias("properties"),
        (null if rest is None else rest).alias("rest"),
        *(_object(value).alias(name) for name, value in objects.items()),
        (null if laid is None else pl.col(OWN)).alias("own"),
    )


def none(rows: pl.LazyFrame, _options: object = None) -> pl.LazyFrame:
    """Return no events: the `to_events` of tables whose rows only tell of persons, groups or links."""
    nothing, never = pl.lit(None, pl.String), pl.lit(None, TIMESTAMP)
    frame = events(rows, event=nothing, distinct_id=nothing, timestamp=never, dedup_key=nothing)
    return frame.filter(pl.lit(False))


def profiles(
    rows: pl.LazyFrame,
    *,
    distinct_id: pl.Expr,
    timestamp: pl.Expr | None,
    set: Object = None,  # noqa: A002 - PostHog's own word
    set_once: Object = None,
) -> pl.LazyFrame:
    """Return what rows tell of whole persons, `schemas.PROFILE_SCHEMA`; it is sent after the last of their events.

    * `distinct_id`: whose properties these are, text. Rows without one are left out.
    * `timestamp`: when it was so, `Datetime("us", "UTC")`; null or None for "as of the export", after everything else.
    * `set`: all that is so of the person; of the rows of all files the latest is sent, as one `$set` event.
    * `set_once`: what was so first; of each name the earliest counts, and is sent at the person's first event.

    Rows with neither of the two are left out. `--person-properties` needs nothing of a mapping.
    """
    text = {"set": _text(set), "set_once": _text(set_once)}
    frame = rows.select_seq(
        pl.col(ROW),
        distinct_id.cast(pl.String).alias("distinct_id"),
        _time(timestamp).alias("timestamp"),
        *(pl.when(value != "{}").then(value).alias(name) for name, value in text.items()),
    )
    told = pl.col("set").is_not_null() | pl.col("set_once").is_not_null()
    return frame.filter(pl.col("distinct_id").is_not_null() & told)


def groups(  # noqa: PLR0913 - the columns of the frame, by name
    rows: pl.LazyFrame,
    *,
    group_type: pl.Expr,
    group_key: pl.Expr,
    timestamp: pl.Expr | None,
    properties: Object,
    distinct_id: pl.Expr | None = None,
) -> pl.LazyFrame:
    """Return what rows tell of groups, `schemas.GROUP_SCHEMA`: a `$groupidentify` where it differs from before.

    * `group_type`, `group_key`: which group, text ("company", "acme"); a row without one of them is left out.
    * `timestamp`: when it was so, `Datetime("us", "UTC")`; null or None for "as of the export".
    * `properties`: the group's.
    * `distinct_id`: who told it, if anyone did; else it is sent as PostHog's server libraries do, as `$type_key`.
    """
    person = pl.lit(None, pl.String) if distinct_id is None else distinct_id.cast(pl.String)
    frame = rows.select_seq(
        pl.col(ROW),
        person.alias("distinct_id"),
        _time(timestamp).alias("timestamp"),
        group_type.cast(pl.String).alias("group_type"),
        group_key.cast(pl.String).alias("group_key"),
        _text(properties).alias("properties"),
    )
    return frame.filter(pl.col("group_key").is_not_null() & pl.col("group_type").is_not_null())


def concat(frames: Sequence[pl.LazyFrame]) -> pl.LazyFrame:
    """Return several event frames as one; the same key in `extra` must have the same type in all of them.

    What is a struct in one of them is a struct, or nothing, in all: a `UsageError` where it is text in another, as
    polars would make text of both, of which nothing arrives.
    """
    schemas = [frame.collect_schema() for frame in frames]
    for name in OBJECT_COLUMNS:
        kinds = {type(schema[name]) for schema in schemas}
        if {pl.Struct, pl.String} <= kinds:
            raise UsageError(
                f"events.concat: {name} is made of expressions in one frame and is text in another; make it of "
                "expressions in all of them"
            )
    return pl.concat(frames, how="vertical_relaxed")


def _time(timestamp: pl.Expr | None) -> pl.Expr:
    return pl.lit(None, TIMESTAMP) if timestamp is None else timestamp.cast(TIMESTAMP)


def _text(value: Object) -> pl.Expr:
    """Return the expressions as JSON object text without nulls, or the text as it is."""
    if isinstance(value, pl.Expr):
        return value.cast(pl.String)
    return object_text(dict(value or {})).cast(pl.String)


def _object(value: Object) -> pl.Expr:
    """Return the struct of the expressions, the text as it is, or nulls of no type, for `concat` to give them one."""
    if isinstance(value, pl.Expr):
        return value
    if not value:
        return pl.lit(None)
    return pl.struct(*(expr.alias(key) for key, expr in value.items()))
