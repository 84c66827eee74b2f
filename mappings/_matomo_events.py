"""The event that an action of Matomo is, be it of its Live API or of its tables: what it is called, whose it is.

The tables give their columns the names that the Live API has (`_matomo_columns`), so that an action is one event, with
one uuid, wherever it was read from.
"""

from typing import Final

import polars as pl

from mappings._matomo_properties import came, hardware, is_, money, of, page, place, untold, visit
from migrate.kit import events, expr
from migrate.kit.declare import POSITION, PROPERTIES

NAMES: Final = {
    "action": "$pageview",
    "search": "site_search",
    "ecommerceOrder": "Order Completed",
    "ecommerceAbandonedCart": "Cart Abandoned",
}
CONTENT: Final = ("13", "content")


def user() -> pl.Expr:
    """Return the id that the site gave the user."""
    return visit("userId")


def visitor() -> pl.Expr:
    """Return which browser it was; a token without rights to see it gets `false`."""
    return visit("visitorId")


def nobody() -> pl.Expr:
    """Return whether a visit has no id."""
    return user().is_null() & visitor().is_null()


def single() -> pl.Expr:
    """Return an id for a visit that has none, which is nobody's but its own."""
    return pl.when(nobody()).then(pl.format("matomo-visit-{}-{}", pl.col("idSite"), pl.col("idVisit")))


def name() -> pl.Expr:
    """Return what an action is called: an event by category and action, a goal by its name."""
    event = pl.concat_str(of("event_category"), of("event_action"), separator=": ", ignore_nulls=True)
    shown = pl.when(of("content_interaction").is_null()).then(pl.lit("content_impression"))
    return (
        pl.when(is_("event"))
        .then(event)
        .when(is_("goal"))
        .then(pl.concat_str(pl.lit("goal: "), pl.coalesce(of("goal_name"), of("goal_id"))))
        .when(is_(*CONTENT))
        .then(shown.otherwise(pl.lit("content_interaction")))
        .otherwise(expr.lookup(of("type"), NAMES))
    )


def dedup_key() -> pl.Expr:
    """Return what makes an action one: its visit, its type and its number; without one, its place and all it says."""
    numbers = [of(one) for one in ("page_id", "goal_id", "goal_page_id", "order_id")]
    without = pl.all_horizontal(one.is_null() for one in numbers) & ~is_("ecommerceAbandonedCart")
    of_visit = [pl.col("idSite"), pl.col("idVisit"), of("type")]
    said = expr.canonical(pl.col("actionDetails"), where=without)
    return pl.coalesce(
        expr.key(*of_visit, *numbers, where=~without),
        expr.key(pl.lit("row"), *of_visit, pl.col(POSITION), said, where=without),
    )


def kept() -> dict[str, pl.Expr]:
    """Return the session, and what is called after Matomo; a visit of no one makes no person."""
    start = pl.col("_first") * expr.SECOND_MS
    session = expr.session_id(start, pl.col("_time"), pl.col("idSite"), pl.col("idVisit"))
    return {
        "$session_id": session,
        "matomo_site": expr.stripped(pl.col("idSite")),
        "matomo_visit": expr.stripped(pl.col("idVisit")),
        "matomo_fingerprint": visit("fingerprint"),
        "matomo_referrer_type": visit("referrerType"),
        "matomo_referrer_name": visit("referrerName"),
        "matomo_referrer_keyword": visit("referrerKeyword"),
        "$process_person_profile": pl.when(nobody()).then(pl.lit(False)),
    }


def made(
    known: pl.LazyFrame, extra: dict[str, pl.Expr] | None = None, laid: pl.Expr | None = None
) -> pl.LazyFrame:
    """Return the events of actions whose `_time`, and whose visit's `_first` action, are known."""
    return events.events(
        known.with_columns_seq(untold().alias("_untold")),
        event=name(),
        distinct_id=pl.coalesce(user(), visitor(), single()),
        timestamp=pl.col("_time"),
        dedup_key=dedup_key(),
        laid=pl.col(PROPERTIES) if laid is None else laid,
        extra=page() | came() | hardware() | place() | money() | kept() | (extra or {}),
    )
