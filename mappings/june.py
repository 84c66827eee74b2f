"""June: the CSV files of its export, one for each kind of call.

June took the calls of Segment's specification and closed in 2025. Its export has events (`anonymous_id`, `user_id`,
`name`, `type`, `timestamp`, `properties`, `context`), identify calls and group calls (with `traits`, groups also with
`group_id`); properties, traits and context are JSON in a cell (what was sent:
https://help.june.so/en/articles/4968066-how-to-send-your-event-data-to-june,
https://help.june.so/en/articles/6789004-how-to-track-companies-in-june; the columns of real files as the importer
vendor/june.js of github.com/ak--47/mixpanel-import reads them; all read 2026-11-29).

* No row has an id. `delivery_id` among the properties is an e-mail's, which is opened and clicked under the same one.
* `name` is the name of an event, or of a page; which of them, `type` says.
* What becomes of a call stands in `mappings._calls`.
"""

from dataclasses import replace
from functools import partial
from typing import Final

import polars as pl

from mappings._calls import group_states, identifier, time, who
from mappings._messages import message_events, raw_messages
from migrate.kit import events, expr
from migrate.kit.declare import Options, Platform, Table

IDS: Final = ("anonymous_id", "user_id")
KINDS: Final = ("track", "page", "screen", "identify")
ABSENT: Final = (
    *("category", "channel", "messageId", "previousId", "groupId", "originalTimestamp", "request_ip"),
)
"""What a message has and no call of June's export."""
OF_OTHERS: Final = frozenset({"id", "event", "event_text", "messageid", "message_id", "original_timestamp"})
"""Columns of other platforms that store the same calls."""


def kind() -> pl.Expr:
    """Return which call a row of the events is: as `type` says, else a track call."""
    said = expr.stripped(pl.col("type")).str.to_lowercase()
    return pl.when(said.is_in(KINDS)).then(said).otherwise(pl.lit("track"))


def to_messages(rows: pl.LazyFrame, **told: pl.Expr) -> pl.LazyFrame:
    """Return rows with the columns of raw messages, those that are `told` and those that all files have."""
    nothing = pl.lit(None, pl.String)
    both = {"userId": pl.col("user_id"), "anonymousId": pl.col("anonymous_id")}
    return rows.with_columns_seq(**dict.fromkeys(ABSENT, nothing), **both, **told)


def to_events(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the event of each track, page and screen call."""
    tracked = pl.when(kind() == "track")
    named = {"event": tracked.then("name"), "name": tracked.then(None).otherwise(pl.col("name"))}
    traits = pl.lit(None, pl.String)
    return message_events(to_messages(rows, type=kind(), traits=traits, **named), options, source="june")


def to_identified(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the `$set` of each identify call."""
    nothing = dict.fromkeys(("event", "name"), pl.lit(None, pl.String))
    return message_events(to_messages(rows, type=pl.lit("identify"), **nothing), options, source="june")


def to_groups(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return what group calls tell of companies."""
    calls = rows.with_columns_seq(
        identifier("user_id").alias("_user"),
        identifier("anonymous_id").alias("_anonymous"),
        time(options, "timestamp").alias("_time"),
        pl.col("traits").alias("_traits"),
    )
    return group_states(calls, options, key=identifier("group_id"))


def to_links(rows: pl.LazyFrame, options: Options, *, why: str = "seen together") -> pl.LazyFrame:
    """Return the links of rows that name a user and an anonymous id together."""
    return who(rows, options, times=("timestamp", "timestamp"), why=why)


def is_named(columns: frozenset[str], *names: str, lacks: tuple[str, ...] = ()) -> bool:
    """Return whether a file has these columns and an id, and neither one that it lacks nor another platform's."""
    return (
        columns.issuperset(names) and not columns.isdisjoint(IDS) and columns.isdisjoint({*OF_OTHERS, *lacks})
    )


EVENTS: Final = replace(
    raw_messages("june"),
    name="events",
    columns=dict.fromkeys((*IDS, "name", "type", "timestamp", "properties", "context"), pl.String),
    matches=lambda columns: is_named(columns, "name", "timestamp", "properties", "context"),
    to_events=to_events,
    to_groups=None,
    to_links=to_links,
    link_columns=(*IDS, "timestamp"),
    times=("timestamp",),
    ids=IDS,
    objects=(),
    filters={},
    warnings={},
    dropped=frozenset(),
)
IDENTIFIES: Final = replace(
    EVENTS,
    name="identifies",
    columns=dict.fromkeys((*IDS, "timestamp", "properties", "traits", "context"), pl.String),
    matches=lambda columns: is_named(columns, "traits", "context", lacks=("name", "group_id")),
    to_events=to_identified,
    to_links=partial(to_links, why="identify call"),
    objects=("traits",),
    filters={"identity_only": expr.without(expr.stripped(pl.col("traits")), "{}").is_null()},
    dropped=frozenset({"type"}),
)
GROUPS: Final = Table(
    name="groups",
    columns=dict.fromkeys((*IDS, "group_id", "timestamp", "traits"), pl.String),
    matches=lambda columns: is_named(columns, "group_id", "traits", lacks=("properties",)),
    to_events=events.none,
    to_groups=to_groups,
    to_links=to_links,
    link_columns=(*IDS, "timestamp"),
    times=("timestamp",),
    ids=(*IDS, "group_id"),
    objects=("traits",),
    dropped=frozenset({"context", "type"}),
    left_out=bool,
)
MAPPING: Final = Platform(
    title="June",
    options=frozenset({"--group-key", "--group-type"}),
    reads="the export as CSV: events, identify calls, group calls",
    tables=[GROUPS, IDENTIFIES, EVENTS],
)
