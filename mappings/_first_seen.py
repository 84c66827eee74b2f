"""When a session began, where a source has nothing but the times of its events: the first of them, in all its files."""

from typing import Final

import polars as pl

from migrate.kit import expr, links, objects
from migrate.kit.declare import RECOVERED

_NEVER: Final = 10**15
"""Milliseconds beyond all times; counted down from it, the earliest time is the greatest text (`links.recoveries`)."""


def key(session: pl.Expr) -> pl.Expr:
    """Return the key under which a session's start is told; null where there is no session."""
    return links.key("session", session)


def starts(rows: pl.LazyFrame, *, session: pl.Expr, time: pl.Expr) -> pl.LazyFrame:
    """Return when the sessions of these rows were first seen, for `to_recoveries`; one row a session."""
    down = (_NEVER - time.dt.epoch("ms")).cast(pl.String).str.zfill(len(str(_NEVER)))
    told = links.recoveries(rows, key=key(session), name=pl.lit("start"), value=down)
    return told.group_by("key", "name", maintain_order=True).agg(pl.col("value").max())


def session_id(session: pl.Expr, time: pl.Expr) -> pl.Expr:
    """Return `$session_id`, from the session's first event; null where there is no session.

    Where that is not known (rows of a later run that lie before it) it is made of the UTC day.
    """
    down = objects.fields(pl.col(RECOVERED), ["start"]).struct.field("start").cast(pl.Int64, strict=False)
    now = time.dt.epoch("ms")
    first = _NEVER - down
    start = pl.coalesce(pl.when(first <= now).then(first), time.dt.truncate("1d").dt.epoch("ms"))
    return expr.session_id(pl.when(session.is_not_null()).then(start), time, session)
