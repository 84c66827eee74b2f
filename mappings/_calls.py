"""The calls of Segment's specification as events: what Segment's and RudderStack's mappings share.

A frame of calls has a row for each call, in whatever form it was stored (`mappings._messages` and
`mappings._warehouse_rows` make it): `_type` (track, page, screen, identify, group, alias), `_event`, `_id`, `_user`,
`_anonymous`, `_time`, `_original` (the device's clock), the properties that are `looked_at` as a struct of text
`_told`, the columns `OF_CALL` as text, what `of_device` tells of the others as `_device` (see
`mappings._calls_context`), the traits `_traits`, and what a call without an id is told by beside these: properties
`_bag`, context `_context`, all else `_rest`.

What the source says stands beside what PostHog understands: properties pass on unchanged. Context that PostHog names
has that name only; all other context keeps the name it has in a warehouse.
"""

from collections.abc import Mapping
from typing import Final

import polars as pl

from mappings._calls_context import EQUIPMENT, context
from migrate.kit import events, expr, links, values
from migrate.kit.declare import Options

BAG: Final = ("url", "path", "title", "referrer", "name", "revenue", "total", *values.CAMPAIGN)
DEVICE_CLOCK: Final = "original_timestamp_for_timestamp"
"""Counted of calls that say when the device had them happen, and not when they did."""
TIMES: Final = ("timestamp", "original_timestamp")
CAMPAIGN: Final = {"utm_campaign": "name"} | {
    f"utm_{name}": name for name in ("source", "medium", "term", "content", "id")
}
EVENTS: Final = {"page": "$pageview", "screen": "$screen", "identify": "$set"}
"""A call that links ids is told as a link; what is left of an identify call are its traits."""


def identifier(*names: str) -> pl.Expr:
    """Return the first of these columns' ids that is one, neither blank nor a word for nothing."""
    return pl.coalesce(expr.identifier(values.known(pl.col(name))) for name in names)


def time(options: Options, *names: str) -> pl.Expr:
    """Return when it happened: `timestamp`, which is the device's clock corrected by the server's.

    Where there is none, the device's clock alone; never when it was sent or received. Times without a zone are UTC
    unless the user says otherwise. One that cannot be read is a reject and not replaced.
    """
    return moment(expr.first(*(pl.col(name) for name in names)), options)


def moment(text: pl.Expr, options: Options) -> pl.Expr:
    """Return a time in any store's spelling: text, or the whole number of microseconds that Parquet holds.

    Numbers of 13 and 10 digits are milliseconds and seconds, as programs that copy tables make them.
    """
    number = text.str.strip_chars().str.extract(r"^(\d{10}|\d{13}|\d{16})(?:\.0+)?$")
    return pl.coalesce(expr.timestamp(text, zone=options.source_timezone), expr.unix_by_size(number))


def is_(kind: str) -> pl.Expr:
    """Return whether a call is of this kind."""
    return (pl.col("_type") == kind).fill_null(value=False)


def looked_at(options: Options) -> list[str]:
    """Return which properties are looked at: `BAG`, and what the user names as group keys."""
    return list(dict.fromkeys((*BAG, *options.group_keys)))


def told(name: str) -> pl.Expr:
    """Return one of the `looked_at` properties as text."""
    return expr.stripped(pl.col("_told").struct.field(name))


def page() -> dict[str, pl.Expr]:
    """Return where it happened: a page call says it itself, for all others the context does.

    An empty referrer is none, in CSV and JSON alike; of a call from a page that is PostHog's "$direct".
    """
    viewed, known = pl.when(is_("page")), values.page(pl.col("_url"), referrer=pl.col("_referrer"))
    path = pl.coalesce(viewed.then(told("path")), context("page_path"))
    name = pl.coalesce(pl.col("_name"), told("name"))
    return {
        **known,
        "$pathname": pl.coalesce(path, known["$pathname"]),
        "title": viewed.then(pl.coalesce(told("title"), context("page_title"))),
        "name": pl.col("_name"),
        "category": pl.col("_category"),
        "$screen_name": pl.when(is_("screen")).then(name),
    }


def campaign() -> dict[str, pl.Expr]:
    """Return the campaign: what the event says itself, then the context's, then the query of its page."""
    named = {name: context(f"campaign_{column}") for name, column in CAMPAIGN.items()}
    nothing = pl.lit(None, pl.String)
    found = values.campaign(pl.col("_url"))
    return {name: pl.coalesce(told(name), named.get(name, nothing), value) for name, value in found.items()}


def device() -> dict[str, pl.Expr]:
    """Return what it happened on, and in which language a page was seen."""
    known = {name: pl.col("_device").struct.field(name) for name in EQUIPMENT}
    seen = pl.when(pl.col("_url").is_not_null())
    return known | {"$browser_language": seen.then(known["$browser_language"])}


def kept() -> dict[str, pl.Expr]:
    """Return the network's address, and the context that keeps its name although something is made of it."""
    return {
        "$ip": pl.coalesce(context("ip"), pl.col("_ip")),
        **{name: expr.stripped(pl.col(name)) for name in ("context_page_title", "context_session_id")},
    }


def whose_device() -> dict[str, pl.Expr]:
    """Return which device it happened on.

    PostHog's own libraries have as `$device_id` what is the anonymous id here; the maker's id of a mobile, which they
    do not know, stands in where there is none, and beside it under the name it has in a warehouse.
    """
    maker = pl.col("_device").struct.field("$device_id")
    return {
        "$device_id": pl.coalesce("_anonymous", maker),
        "context_device_id": pl.when(maker != pl.col("_anonymous")).then(maker),
    }


def named_by(source: str) -> dict[str, pl.Expr]:
    """Return what is called after the source: a call's id, and its device's clock where `timestamp` is another."""
    return {
        f"{source}_message_id": pl.col("_id"),
        f"{source}_original_timestamp": pl.when(pl.col("_original") != pl.col("_time")).then(
            expr.iso(pl.col("_original"))
        ),
    }


def session() -> dict[str, pl.Expr]:
    """Return the session of RudderStack's libraries, whose id is its start: in milliseconds, on mobiles in seconds.

    Other numbers are a caller's own and no times; so is a start that is more than a day ahead of the event
    (https://www.rudderstack.com/docs/sources/event-streams/sdks/session-tracking/faq/, read 2026-11-20).
    """
    number = expr.integer(pl.col("context_session_id"))
    millis = pl.when(number.is_between(10**12, 10**13 - 1)).then(number)
    start = pl.coalesce(millis, pl.when(number.is_between(10**9, 10**10 - 1)).then(number * expr.SECOND_MS))
    past = start <= pl.col("_time").dt.epoch("ms") + expr.DAY_MS
    return {"$session_id": expr.session_id(pl.when(past).then(start), pl.col("_time"), owner())}


def owner() -> pl.Expr:
    """Return whose session it is; the anonymous id stays the same through a login."""
    return pl.coalesce(pl.col("_anonymous"), pl.col("_user"))


def money() -> dict[str, pl.Expr]:
    """Return `revenue` as a number: the ecommerce specification has it as `revenue` or, with tax, as `total`."""
    revenue = pl.coalesce(expr.number(told("revenue")), expr.number(told("total")))
    return {"revenue": pl.when(is_("track")).then(revenue)}


EXTRA: Final = page() | campaign() | device() | whose_device() | kept() | session() | money()
"""What is computed of every event; put together once, since that takes as long as to map 300 rows."""


def groups(options: Options) -> dict[str, pl.Expr]:
    """Return the group that the context names, and those that properties do by `--group-key`."""
    found = {options.group_type: context("group_id")}
    for name, group_type in options.group_keys.items():
        key = values.known(pl.col("_told").struct.field(name))
        found[group_type] = pl.coalesce(key, found[group_type]) if group_type in found else key
    return found


def dedup_key() -> pl.Expr:
    """Return what makes a call one: its message id, which every form has; without one, all that it says.

    However that is spelled: in any order of keys, and in any kind of file.
    """
    has_id = pl.col("_id").is_not_null()
    names = ("_type", "_user", "_anonymous", "_event", "_name", "_channel", "context_page_url")
    objects = ("_bag", "_traits", "_rest", "_context")
    wholes = [expr.canonical(pl.col(name), where=~has_id) for name in objects]
    by_all = (pl.lit("row"), pl.col("_time").dt.epoch("us"), *(pl.col(name) for name in names), *wholes)
    return pl.coalesce(
        expr.key(pl.lit("call"), pl.col("_type"), pl.col("_id"), where=has_id),
        expr.key(*by_all, where=~has_id),
    )


def to_events(
    calls: pl.LazyFrame,
    options: Options,
    *,
    laid: pl.Expr | None = None,
    properties: pl.Expr | None = None,
    extra: Mapping[str, pl.Expr],
) -> pl.LazyFrame:
    """Return the event that each call is; group and alias calls are none.

    `laid` and `properties` are its own properties, see `events.events`; `extra` is what only one form of calls has.
    """
    viewed = pl.when(is_("page"))
    calls = calls.filter(~(is_("group") | is_("alias"))).with_columns_seq(
        pl.coalesce(viewed.then(told("url")), context("page_url")).alias("_url"),
        pl.coalesce(viewed.then(told("referrer")), context("page_referrer")).alias("_referrer"),
    )
    name = pl.col("_type").replace_strict(EVENTS, default=None, return_dtype=pl.String)
    return events.events(
        calls,
        event=pl.coalesce(name, pl.col("_event")),
        distinct_id=pl.coalesce("_user", "_anonymous"),
        timestamp=pl.col("_time"),
        dedup_key=dedup_key(),
        laid=laid,
        properties=properties,
        extra={**EXTRA, **extra},
        groups=groups(options),
        set=pl.when(is_("identify")).then("_traits"),
    )


def who(  # noqa: PLR0913 - where a table has its ids
    rows: pl.LazyFrame,
    options: Options,
    *,
    user: str = "user_id",
    anonymous: str = "anonymous_id",
    times: tuple[str, str] = TIMES,
    why: str = "seen together",
) -> pl.LazyFrame:
    """Return the links of rows that name a user and an anonymous id together, whatever call they are of."""
    return links.linked(
        rows,
        anonymous=values.linkable(anonymous),
        identified=values.linkable(user),
        time=time(options, *times),
        why=why,
    )


def aliased(
    rows: pl.LazyFrame,
    options: Options,
    *,
    user: str = "user_id",
    previous: str = "previous_id",
    times: tuple[str, str] = TIMES,
) -> pl.LazyFrame:
    """Return the links of alias calls.

    One says that two ids are one person and that the new one is known. Whether the previous id is an anonymous one
    does not show: user ids may be UUIDs, and servers alias one user id to another. If it is a person of its own,
    other rows say so by linking anonymous ids to it; then the two stay apart, as PostHog would keep them.
    """
    why, when = "alias call", time(options, *times)
    same = links.same(rows, one=values.linkable(previous), other=values.linkable(user), time=when, why=why)
    renamed = rows.filter(identifier(user) != identifier(previous))
    return links.concat([same, links.identified(renamed, identifier(user), why=why)])


def group_states(calls: pl.LazyFrame, options: Options, *, key: pl.Expr) -> pl.LazyFrame:
    """Return what calls tell of groups; these have no type of their own, so that `--group-type` says it."""
    return events.groups(
        calls,
        group_type=pl.lit(options.group_type),
        group_key=key,
        timestamp=pl.col("_time"),
        properties=pl.col("_traits"),
        distinct_id=pl.coalesce("_user", "_anonymous"),
    )
