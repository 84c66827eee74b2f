"""Who is who, as a mapping tells it: links between ids, found beside the events and gathered before them."""

from collections.abc import Sequence
from typing import Final, Literal

import polars as pl

from migrate.kit.declare import Schema

Kind = Literal["linked", "needed", "same", "resolved", "identified", "profiled", "maybe", "own", "refused"]

KEY: Final = "\x1f"
"""What `key` puts before keys that are no ids."""

TIME: Final = pl.Datetime("us", "UTC")
_COLUMNS: Final[Schema] = {"kind": pl.String, "a": pl.String, "b": pl.String, "time": TIME, "why": pl.String}
SCHEMA: Final = pl.Schema(_COLUMNS)
RECOVERY_SCHEMA: Final = pl.Schema({"key": pl.String, "name": pl.String, "value": pl.String})
CLOCK_SCHEMA: Final = pl.Schema({"month": pl.String, "offset": pl.Int64, "rows": pl.Int64})
_QUARTER: Final = 900
_EARLY: Final = 60
_LATE: Final = 240
_FARTHEST: Final = 14 * 3_600


def key(name: str, value: pl.Expr) -> pl.Expr:
    """Return a key for `resolved`, `own` and `Table.resolve`: the source's own number for a person, which is no id."""
    return pl.concat_str(pl.lit(f"{KEY}{name}{KEY}"), value)


def linked(
    rows: pl.LazyFrame, *, anonymous: pl.Expr, identified: pl.Expr, time: pl.Expr, why: str
) -> pl.LazyFrame:
    """Return links from an anonymous id to the id of a person who is known, as rows show both together.

    Each becomes one `$identify`, at the first time it is seen, unless that would merge two people who are known.
    Rows that lack one of the two are left out. `why` names the kind of evidence, for the report ("identify call").
    """
    return _links(rows, "linked", anonymous, identified, time, why)


def same(rows: pl.LazyFrame, *, one: pl.Expr, other: pl.Expr, time: pl.Expr, why: str) -> pl.LazyFrame:
    """Return links between two ids of one person, where a row does not tell which of them is known."""
    return _links(rows, "same", one, other, time, why)


def resolved(rows: pl.LazyFrame, *, key: pl.Expr, person: pl.Expr, time: pl.Expr, why: str) -> pl.LazyFrame:
    """Return what the source itself has resolved: events told under `key` are `person`'s.

    They are planned under that person's id (see `Table.resolve`) and need no merge. `key` is a distinct id, or the
    source's own number for a person (see `links.key`); `person` may be another key.
    """
    return _links(rows, "resolved", key, person, time, why)


def identified(rows: pl.LazyFrame, person: pl.Expr, *, why: str = "identified") -> pl.LazyFrame:
    """Return which ids are of people who are known, where no link says it."""
    nothing = pl.lit(None, pl.String)
    return _links(rows, "identified", nothing, person, pl.lit(None, TIME), why)


def profiled(rows: pl.LazyFrame, person: pl.Expr, *, why: str = "profile") -> pl.LazyFrame:
    """Return which ids are of people who are known because there is a profile of them.

    Of the ids that the source itself holds for one person, one that is known otherwise goes before it.
    """
    nothing = pl.lit(None, pl.String)
    return _links(rows, "profiled", nothing, person, pl.lit(None, TIME), why)


def maybe(rows: pl.LazyFrame, person: pl.Expr, *, why: str = "profile of a device's id") -> pl.LazyFrame:
    """Return the same of ids that may as well be a device's: known unless a link calls them anonymous."""
    nothing = pl.lit(None, pl.String)
    return _links(rows, "maybe", nothing, person, pl.lit(None, TIME), why)


def own(rows: pl.LazyFrame, *, anonymous: pl.Expr, key: pl.Expr, why: str = "own") -> pl.LazyFrame:
    """Return which anonymous ids have events of their own, unless `key` is resolved to a person.

    A table that tells this (`Table.tells_own`) has links only for those: a merge is not spent on an id without events.
    """
    return _links(rows, "own", anonymous, key, pl.lit(None, TIME), why)


def refused(rows: pl.LazyFrame, *, anonymous: pl.Expr, identified: pl.Expr, why: str) -> pl.LazyFrame:
    """Return links that must not be made, counted under `why`."""
    return _links(rows, "refused", anonymous, identified, pl.lit(None, TIME), why)


def concat(frames: Sequence[pl.LazyFrame]) -> pl.LazyFrame:
    """Return several frames of links as one."""
    return pl.concat(frames)


def recoveries(rows: pl.LazyFrame, *, key: pl.Expr, name: pl.Expr, value: pl.Expr) -> pl.LazyFrame:
    """Return what rows know of a row of another file: under its `key`, a property's name and value, as text."""
    columns = {"key": key, "name": name, "value": value}
    frame = rows.select_seq(expr.cast(pl.String).alias(column) for column, expr in columns.items())
    return frame.drop_nulls()


def clock(rows: pl.LazyFrame, *, shown: pl.Expr, true: pl.Expr) -> pl.LazyFrame:
    """Return how far the time a row shows is behind its true UTC time, in whole quarters of an hour, by month.

    Both `Datetime("us", "UTC")`; a row that lacks one is left out, and so is one that arrived late: more than four
    minutes past a quarter of an hour, or farther off than any zone is. `offset` is in seconds: 25200 where the source
    writes US Pacific summer time as if it were UTC; `rows` how many show it.
    """
    times = rows.select_seq(shown.alias("shown"), true.alias("true")).drop_nulls()
    behind = (pl.col("true") - pl.col("shown")).dt.total_seconds()
    quarters = (behind + _EARLY) // _QUARTER * _QUARTER
    is_prompt = (behind - quarters <= _LATE) & (quarters.abs() <= _FARTHEST)
    month = (pl.col("shown").dt.year() * 12 + pl.col("shown").dt.month() - 1).alias("month")
    return (
        times.select_seq(month, pl.when(is_prompt).then(quarters).alias("offset"))
        .drop_nulls()
        .group_by("month", "offset")
        .agg(pl.len().cast(pl.Int64).alias("rows"))
        .with_columns_seq(pl.date(pl.col("month") // 12, pl.col("month") % 12 + 1, 1).dt.strftime("%Y-%m"))
        .select_seq(pl.col("date").alias("month"), "offset", "rows")
    )


def _links(  # noqa: PLR0913, PLR0917 - the columns, in their order
    rows: pl.LazyFrame, kind: Kind, a: pl.Expr, b: pl.Expr, time: pl.Expr, why: str
) -> pl.LazyFrame:
    """Return the distinct links of this kind, each at the first time it is seen."""
    frame = rows.select_seq(
        a.cast(pl.String).alias("a"), b.cast(pl.String).alias("b"), time.cast(TIME).alias("time")
    )
    is_of_one = kind in {"identified", "profiled", "maybe"}
    whole = pl.col("b").is_not_null() & (pl.col("a").is_not_null() | pl.lit(is_of_one))
    distinct = frame.filter(whole).group_by("a", "b", maintain_order=True).agg(pl.col("time").min())
    return distinct.select_seq(pl.lit(kind).alias("kind"), "a", "b", "time", pl.lit(why).alias("why"))
