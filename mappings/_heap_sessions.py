"""Heap's sessions: when and how they began, which its rows tell of every event in them."""

from typing import Final

import polars as pl

from mappings._heap_columns import heap_id, moment
from migrate.kit import expr, links, objects, values
from migrate.kit.declare import PERSON, Options

UTM: Final = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
ENTRY: Final = ("referrer", "landing_page", "landing_page_query", "landing_page_hash", *UTM)
"""How a session began; told by the sessions table where an event table was sync without."""


def told(name: str) -> pl.Expr:
    """Return one of `ENTRY`: the row's own, else that of its session."""
    return expr.first(pl.col(name), pl.col("_session").struct.field(name))


def entry() -> dict[str, pl.Expr]:
    """Return how the session began, by the names posthog-js has for it after `$session_entry_`.

    No referrer means that there was none, on the web; where even the landing page is missing, the columns of the
    session are, and nothing is known.
    """
    web = pl.coalesce(
        expr.first(pl.col("library")).str.to_lowercase() == "web", pl.col("domain").is_not_null()
    )
    direct = web & pl.col("_landing").is_not_null()
    found = values.page(pl.col("_landing"), referrer=told("referrer"), web=direct)
    return {name.removeprefix("$").removeprefix("current_"): value for name, value in found.items()}


def owner() -> pl.Expr:
    """Return whose event it is: the identity of the user as Heap has resolved it, else the user's number."""
    return pl.coalesce(pl.col(PERSON), pl.col("_user"))


def session() -> dict[str, pl.Expr]:
    """Return the session and Heap's own numbers.

    A session's start is the time of its row in the sessions table; without that table `session_time`, which Heap calls
    internal and which here counts only as a time before the event. Where neither is, PostHog's id is made from the UTC
    day: a session across midnight is then two. A session in which somebody else logs in is two as well, since PostHog
    wants one person in each.
    """
    time = pl.col("_time")
    starts = [pl.when(start <= time).then(start) for start in (pl.col("_start"), pl.col("_session_time"))]
    start = pl.coalesce(*starts, time.dt.truncate("1d")).dt.epoch("ms")
    number = pl.col("_session_number")
    return {
        "$session_id": expr.session_id(pl.when(number.is_not_null()).then(start), time, number, owner()),
        "heap_session_id": number,
        "heap_event_id": pl.col("_event_number"),
        "heap_user_id": pl.col("_user"),
    }


def session_starts(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return what the sessions table knows of the events of a session, when and how it began, as one JSON object."""
    start = expr.iso(moment(pl.col("time"), options))
    known = {"start": start} | {name: expr.stripped(pl.col(name)) for name in ENTRY}
    return links.recoveries(
        rows, key=heap_id("session_id"), name=pl.lit("session"), value=objects.text(known)
    )
