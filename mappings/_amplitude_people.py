"""Amplitude's people: whose event a row is, which ids are one person, and what rows tell of persons and groups."""

import polars as pl

from migrate.kit import events, expr, links, objects
from migrate.kit.declare import PERSON, Options


def user() -> pl.Expr:
    """Return the id of a person who is known."""
    return expr.stripped(pl.col("user_id"))


def amplitude_person() -> pl.Expr:
    """Return the key of the person Amplitude has found a row to be of, whether or not it names a user."""
    return links.key("amplitude_id", expr.stripped(pl.col("amplitude_id")))


def sender_of(options: Options) -> pl.Expr:
    """Return whose event it is, or under whose id PostHog's managed migration sends it, for `--uuid-compat`.

    PostHog tells events apart by name, distinct_id, day and uuid, so the uuid alone makes nothing collapse.
    """
    return expr.first(pl.col("user_id"), pl.col("device_id")) if options.uuid_compat else person()


def person() -> pl.Expr:
    """Return whose event it is.

    Amplitude gives the events on a device before its first user to that user, and later ones without a user to the
    last one before them (https://amplitude.com/docs/data/sources/instrument-track-unique-users, read 2026-11-20). Its
    `amplitude_id` says the result, row by row; a device is a person of its own only where no user has that number.
    Rows without `amplitude_id`, which no export of Amplitude's own lacks, stay with their device, and so with its first
    user, also after a second one.
    """
    return expr.first(pl.col("user_id"), pl.col(PERSON), pl.col("device_id"))


def time() -> pl.Expr:
    """Return when it happened.

    `event_time` is the client's time corrected by the server's clock. One that cannot be read is a reject and not
    replaced: another clock would move the event without a word. Where there is none, the client's own time is the
    only one of the event itself; the others say when it was uploaded.
    """
    return expr.timestamp(expr.first(pl.col("event_time"), pl.col("client_event_time")))


def user_properties(bag: pl.Expr) -> pl.Expr:
    """Return what is so of a user (`rest`) and what was so first (`once`); there `EMPTY` is the word for "none"."""
    return objects.parted(bag, prefix="initial_", empty=["EMPTY"])


def profiles(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return what rows tell of persons: every Amplitude event repeats its user's properties as they then were."""
    parts = pl.col("_user").struct
    return events.profiles(
        rows.filter(pl.col("event_type").ne_missing("$groupidentify")).with_columns_seq(
            user_properties(pl.col("user_properties")).alias("_user")
        ),
        distinct_id=person(),
        timestamp=time(),
        set=parts.field("rest"),
        set_once=parts.field("once"),
    ).filter(pl.col("timestamp").is_not_null())


def groups(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return what rows tell of groups: those of their own, and the properties that every event of a group repeats."""
    update = pl.col("_update").struct
    known = (
        rows.filter(
            (pl.col("event_type") == "$groupidentify") | (expr.stripped(pl.col("group_properties")) != "{}")
        )
        .with_columns_seq(
            time().alias("_time"),
            objects.group_updates(pl.col("groups"), pl.col("group_properties")).alias("_update"),
        )
        .explode("_update")
        .filter(pl.col("_update").is_not_null() & pl.col("_time").is_not_null())
    )
    return events.groups(
        known,
        group_type=update.field("type"),
        group_key=update.field("key"),
        timestamp=pl.col("_time"),
        properties=update.field("properties"),
        distinct_id=person(),
    )


def to_links(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return who is who; for `--uuid-compat` events without a user stay with their device, which then has events."""
    told = who_is_who(rows, options)
    if not options.uuid_compat:
        return told
    device = expr.stripped(pl.col("device_id"))
    stay = links.own(rows.filter(user().is_null()), anonymous=device, key=links.key("none", device))
    return links.concat([told, stay])


def who_is_who(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return what rows tell of ids: which user a device and an Amplitude id were seen with, and which devices had none.

    A device is linked only if it has events that Amplitude itself gives to nobody: the others cost no merge.
    """
    both = rows.with_columns_seq(
        user().alias("_who"), expr.stripped(pl.col("device_id")).alias("_device"), time().alias("_time")
    )
    who, device, when = pl.col("_who"), pl.col("_device"), pl.col("_time")
    alone = both.filter(who.is_null())
    return links.concat(
        [
            links.resolved(both, key=amplitude_person(), person=who, time=when, why="amplitude_id"),
            links.linked(
                both.filter(~hashed()), anonymous=device, identified=who, time=when, why="device of a user"
            ),
            links.refused(both.filter(hashed()), anonymous=device, identified=who, why="hashed_device_id"),
            links.own(
                alone, anonymous=device, key=pl.coalesce(amplitude_person(), links.key("none", device))
            ),
        ]
    )


def hashed() -> pl.Expr:
    """Return whether a device id is what Amplitude puts where none was sent: a version-5 UUID made of the user's id.

    Such rows come from servers (https://amplitude.com/docs/apis/analytics/http-v2, read 2026-11-20).
    """
    version_5 = (
        pl.col("device_id").str.to_lowercase().str.contains(r"^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab]")
    )
    server = pl.col("library").str.contains(r"^(?i)(http|adapter|batch)\b") | (pl.col("session_id") == "-1")
    return (version_5 & server).fill_null(False)


def merged(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return which two Amplitude ids are one person: the merged one goes by the other's name."""
    loser, winner = (
        links.key("amplitude_id", expr.stripped(pl.col(name)))
        for name in ("amplitude_id", "merged_amplitude_id")
    )
    return links.resolved(rows, key=loser, person=winner, time=None, why="merged ids")
