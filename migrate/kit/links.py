"""Who is who, as a mapping tells it: links between ids, found beside the events and gathered before them.

`to_links` returns one frame of links: `links.concat([links.linked(…), links.identified(…)])`. All files are looked over
before the first event is planned; then the framework makes people of the links, decides which ids are of people who
are known, and plans a `$identify` for each merge that PostHog needs, before all other events. Two people who are known
are never made one: such a link is refused, and counted.

What evidence to tell by which function:

| what rows show | function |
|---|---|
| an anonymous id and a user's id together | `linked` |
| two ids of one person, not which of them is the user's | `same` |
| the source's own answer: these events are that person's, whatever id they carry | `resolved`, with `Table.resolve` |
| an id that a user logged in with, and no other id beside it | `identified` |
| an id that has a profile | `profiled`, or `maybe` where devices have profiles too |
| by its shape alone an id is a user's, the one beside it a device's | `likely` |
| an anonymous id that has events of its own | `own`, with `Table.tells_own` |
| a link that must not be made | `refused` |

Ids are expressions of text without blanks around them, null for none (`values.linkable` of a column); rows that lack an
id are left out, and of rows that say the same one is kept, at the first time. `time` is when it was seen,
`Datetime("us", "UTC")`: a link of `linked` and `same` needs one in any row, or is refused as `no_time`. `why` names the
evidence, for the report ("identify call"). A link whose id is a word that PostHog merges with no one ("null") is
refused, too; what is refused is counted.

The last two functions, `recoveries` and `clock`, tell something else that is gathered at the same time.
"""

from collections.abc import Sequence
from typing import Final, Literal

import polars as pl

from migrate.kit.schemas import KEY, TIMESTAMP

Kind = Literal["linked", "same", "resolved", "identified", "profiled", "maybe", "likely", "own", "refused"]

_QUARTER: Final = 900
_EARLY: Final = 60
_LATE: Final = 240
_FARTHEST: Final = 14 * 3_600


def key(name: str, value: pl.Expr) -> pl.Expr:
    """Return a key for `resolved`, `own` and `Table.resolve`: the source's own number for a person, which is no id.

    `links.key("amplitude_id", pl.col("amplitude_id"))`; no distinct_id is ever equal to it. Null where `value` is.
    """
    return pl.concat_str(pl.lit(f"{KEY}{name}{KEY}"), value)


def linked(
    rows: pl.LazyFrame, *, anonymous: pl.Expr, identified: pl.Expr, time: pl.Expr, why: str
) -> pl.LazyFrame:
    """Return links from an anonymous id to the id of a person who is known, as rows show both together.

    Each becomes one `$identify`, at the first time it is seen, unless that would merge two people who are known.
    """
    return _links(rows, "linked", anonymous, identified, time, why)


def same(rows: pl.LazyFrame, *, one: pl.Expr, other: pl.Expr, time: pl.Expr, why: str) -> pl.LazyFrame:
    """Return links between two ids of one person, where a row does not tell which of them is known."""
    return _links(rows, "same", one, other, time, why)


def resolved(
    rows: pl.LazyFrame, *, key: pl.Expr, person: pl.Expr, time: pl.Expr | None, why: str
) -> pl.LazyFrame:
    """Return what the source itself has resolved: events told under `key` are `person`'s.

    They are planned under that person's id, which `Table.resolve` brings to rows as `PERSON`, and need no merge. `key`
    is a distinct id, or the source's own number for a person (see `links.key`); `person` may be another key. `time` may
    be None, or null: such a resolution counts from the first event on.
    """
    return _links(rows, "resolved", key, person, time, why)


def identified(rows: pl.LazyFrame, person: pl.Expr, *, why: str = "identified") -> pl.LazyFrame:
    """Return which ids are of people who are known, where no link says it."""
    return _links(rows, "identified", pl.lit(None, pl.String), person, None, why)


def profiled(rows: pl.LazyFrame, person: pl.Expr, *, why: str = "profile") -> pl.LazyFrame:
    """Return which ids are of people who are known because there is a profile of them.

    Of the ids that the source itself holds for one person, one that is known otherwise goes before it.
    """
    return _links(rows, "profiled", pl.lit(None, pl.String), person, None, why)


def maybe(rows: pl.LazyFrame, person: pl.Expr, *, why: str = "profile of a device's id") -> pl.LazyFrame:
    """Return the same of ids that may as well be a device's: known unless a link calls them anonymous."""
    return _links(rows, "maybe", pl.lit(None, pl.String), person, None, why)


def likely(rows: pl.LazyFrame, person: pl.Expr, *, why: str) -> pl.LazyFrame:
    """Return which ids look like a user's, beside ids that look like a device's; it makes nobody known.

    Of the ids that the source itself holds for one person it stands for the others where nothing better is known.
    """
    return _links(rows, "likely", pl.lit(None, pl.String), person, None, why)


def own(rows: pl.LazyFrame, *, anonymous: pl.Expr, key: pl.Expr, why: str = "own") -> pl.LazyFrame:
    """Return which anonymous ids have events of their own, unless `key` is resolved to a person.

    With `Table.tells_own` links are made only for those: a merge is not spent on an id without events. `key` may be
    the id itself, or what `Table.resolve` asks by.
    """
    return _links(rows, "own", anonymous, key, None, why)


def refused(rows: pl.LazyFrame, *, anonymous: pl.Expr, identified: pl.Expr, why: str) -> pl.LazyFrame:
    """Return links that must not be made; each is counted under `why` and shown in the report."""
    return _links(rows, "refused", anonymous, identified, None, why)


def concat(frames: Sequence[pl.LazyFrame]) -> pl.LazyFrame:
    """Return several frames of links as one."""
    return pl.concat(frames)


def recoveries(rows: pl.LazyFrame, *, key: pl.Expr, name: pl.Expr, value: pl.Expr) -> pl.LazyFrame:
    """Return what rows know of a row of another file: under its `key`, a property's name and value, all text.

    For `Table.to_recoveries`: rows whose table asks by the same key (`Table.recover`) get `RECOVERED`, a JSON object of
    the names and values. Rows that lack one of the three are left out.
    """
    columns = {"key": key, "name": name, "value": value}
    frame = rows.select_seq(expr.cast(pl.String).alias(column) for column, expr in columns.items())
    return frame.drop_nulls()


def clock(rows: pl.LazyFrame, *, shown: pl.Expr, true: pl.Expr) -> pl.LazyFrame:
    """Return how far the time a row shows is behind its true UTC time, in whole quarters of an hour, by month.

    For `Table.clock`, where a source writes its project's wall clock as if it were UTC: the report says which
    `--source-timezone` fits. Both are `Datetime("us", "UTC")`; a row that lacks one is left out, and so is one that
    arrived late: more than four minutes past a quarter of an hour, or farther off than any zone is. `offset` is in
    seconds: 25200 where the source writes US Pacific summer time; `rows` how many show it.
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
    rows: pl.LazyFrame, kind: Kind, a: pl.Expr, b: pl.Expr, time: pl.Expr | None, why: str
) -> pl.LazyFrame:
    """Return the distinct links of this kind, `schemas.LINK_SCHEMA`, each at the first time it is seen."""
    seen = pl.lit(None, TIMESTAMP) if time is None else time.cast(TIMESTAMP)
    frame = rows.select_seq(a.cast(pl.String).alias("a"), b.cast(pl.String).alias("b"), seen.alias("time"))
    is_of_one = kind in {"identified", "profiled", "maybe", "likely"}
    whole = pl.col("b").is_not_null() & (pl.col("a").is_not_null() | pl.lit(is_of_one))
    distinct = frame.filter(whole).group_by("a", "b", maintain_order=True).agg(pl.col("time").min())
    return distinct.select_seq(pl.lit(kind).alias("kind"), "a", "b", "time", pl.lit(why).alias("why"))
