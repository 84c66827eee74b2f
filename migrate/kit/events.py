"""The event frame: its schema, its builder, its check."""

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from migrate.jsontext.build import object_text
from migrate.kit.declare import OWN, ROW, Schema

TIMESTAMP: Final = pl.Datetime("us", "UTC")

TEXT_COLUMNS: Final = ("event", "distinct_id", "dedup_key", "uuid", "laid", "own", "properties", "rest")
OBJECT_COLUMNS: Final = ("extra", "set", "set_once", "groups")

Object = Mapping[str, pl.Expr] | pl.Expr | None


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
    """Return the event frame of `rows`, one event a row.

    * `event`, `distinct_id`: text; blank or null is a reject. `timestamp`: `Datetime("us", "UTC")`; null is a reject.
    * `dedup_key`: text, the same for the same source event on every run; the uuid is made from it and the
      platform, unless `uuid` (text) gives the event's own.
    * `laid`: the source's own properties as the reader has laid them together, usually `PROPERTIES`: no name that
      is computed is among them, and what the source itself says under one is taken over with it.
    * `properties`, `rest`: objects that a mapping makes itself; they are opened, and laid under `laid` in this order.
    * `extra`: computed properties; a non-null value wins over what the source itself says under that name.
    * `set`, `set_once`, `groups`: `$set`, `$set_once`, `$groups`, as expressions by key or as JSON object text.
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


_TOLD: Final[Schema] = {ROW: pl.Int64, "distinct_id": pl.String, "timestamp": TIMESTAMP}
PROFILE_SCHEMA: Final = pl.Schema(_TOLD | dict.fromkeys(("set", "set_once"), pl.String))
GROUP_SCHEMA: Final = pl.Schema(_TOLD | dict.fromkeys(("group_type", "group_key", "properties"), pl.String))


def none(rows: pl.LazyFrame, _options: object = None) -> pl.LazyFrame:
    """Return no events, for tables whose rows only tell of persons, groups or links."""
    nothing, never = pl.lit(None, pl.String), pl.lit(None, TIMESTAMP)
    frame = events(rows, event=nothing, distinct_id=nothing, timestamp=never, dedup_key=nothing)
    return frame.filter(pl.lit(False))


def profiles(
    rows: pl.LazyFrame,
    *,
    distinct_id: pl.Expr,
    timestamp: pl.Expr,
    set: Object = None,  # noqa: A002 - PostHog's own word
    set_once: Object = None,
) -> pl.LazyFrame:
    """Return what rows tell of whole persons: `PROFILE_SCHEMA`.

    `timestamp`: when it was so, `Datetime("us", "UTC")`; null for "as of the export", which is after everything else.
    `set`, `set_once`: expressions by key, or JSON object text. Rows without an id, or with neither, are left out. Of
    each person the latest is sent, as one `$set` event.
    """
    text = {"set": _text(set), "set_once": _text(set_once)}
    frame = rows.select_seq(
        pl.col(ROW),
        distinct_id.cast(pl.String).alias("distinct_id"),
        timestamp.cast(TIMESTAMP).alias("timestamp"),
        *(pl.when(value != "{}").then(value).alias(name) for name, value in text.items()),
    )
    told = pl.col("set").is_not_null() | pl.col("set_once").is_not_null()
    return frame.filter(pl.col("distinct_id").is_not_null() & told)


def groups(  # noqa: PLR0913 - the columns of the frame, by name
    rows: pl.LazyFrame,
    *,
    group_type: pl.Expr,
    group_key: pl.Expr,
    timestamp: pl.Expr,
    properties: Object,
    distinct_id: pl.Expr | None = None,
) -> pl.LazyFrame:
    """Return what rows tell of groups: `GROUP_SCHEMA`; a row without a key is left out.

    `properties`: expressions by key, or JSON object text. `timestamp`: null for "as of the export". `distinct_id`:
    who told it, if anyone did; else it is sent as PostHog's server libraries do, as `$type_key`.
    """
    person = pl.lit(None, pl.String) if distinct_id is None else distinct_id.cast(pl.String)
    frame = rows.select_seq(
        pl.col(ROW),
        person.alias("distinct_id"),
        timestamp.cast(TIMESTAMP).alias("timestamp"),
        group_type.cast(pl.String).alias("group_type"),
        group_key.cast(pl.String).alias("group_key"),
        _text(properties).alias("properties"),
    )
    return frame.filter(pl.col("group_key").is_not_null() & pl.col("group_type").is_not_null())


def concat(frames: Sequence[pl.LazyFrame]) -> pl.LazyFrame:
    """Return several event frames as one; the same key in `extra` must have the same type in all of them."""
    return pl.concat(frames, how="vertical_relaxed")


def schema_errors(schema: pl.Schema) -> list[str]:
    """Return what is wrong with an event frame's schema, a sentence each; empty when it is right."""
    expected = {ROW: pl.Int64(), "timestamp": TIMESTAMP} | dict.fromkeys(TEXT_COLUMNS, pl.String())
    wrong = [
        f"{name}: expected {dtype}, found {schema.get(name)}"
        for name, dtype in expected.items()
        if schema.get(name) != dtype
    ]
    wrong += [
        f"{name}: expected a struct or text, found {schema.get(name)}"
        for name in OBJECT_COLUMNS
        if not isinstance(schema.get(name), (pl.Struct, pl.String))
    ]
    unknown = sorted(set(schema) - set(expected) - set(OBJECT_COLUMNS))
    return wrong + [f"{name}: not a column of the event frame" for name in unknown]


def _text(value: Object) -> pl.Expr:
    """Return the expressions as JSON object text without nulls, or the text as it is."""
    if isinstance(value, pl.Expr):
        return value.cast(pl.String)
    return object_text(dict(value or {})).cast(pl.String)


def _object(value: Object) -> pl.Expr:
    """Return the struct of the expressions, the text as it is, or a null text column."""
    if isinstance(value, pl.Expr):
        return value
    if not value:
        return pl.lit(None, dtype=pl.String)
    return pl.struct(*(expr.alias(key) for key, expr in value.items()))
