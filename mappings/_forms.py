"""The forms in which calls of Segment's specification are stored: raw messages, and tables of warehouses and lakes.

A raw message is one JSON object with a `context` object; a row of a table is the message flattened:
`context_page_url`, traits and properties without a prefix
(https://www.twilio.com/docs/segment/connections/storage/warehouses/schema,
https://www.rudderstack.com/docs/destinations/warehouse-destinations/warehouse-schema/, read 2026-11-20). Both become
the frame of `mappings._calls`, so that a call is the same event, of the same uuid, in every form.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, Final

import polars as pl

from mappings import _json
from mappings._calls import (
    CONTEXT,
    KEPT,
    TIMES,
    aliased,
    group_states,
    identifier,
    time,
    to_events,
    who,
)
from migrate import events, expr, links
from migrate.mapping import FILE, RECOVERED, REST, ROW, Options, Table

NOISE: Final = frozenset(
    "context_source_id context_source_type"  # noqa: SIM905 - a list of one word a line would fill a page
    " context_destination_id context_destination_type context_passed_ip context_request_ip context_protocols_source_id"
    " context_protocols_violations context_protocols_omitted context_protocols_omitted_on_event"
    " context_page_search".split()
)
"""RudderStack's notes on its own pipeline, what Segment's Protocols has against a call, and the query of the url."""
_CAPITALS: Final = r'^\{"[^"a-z]*[A-Z][^"a-z]*":'
"""Found in rows of Snowflake, whose columns stand in capitals."""
_CUT: Final = r':\s*"(?:[^"\\]|\\.){512}"'
"""Found where a text has as many characters as a column of a Redshift warehouse holds; it was probably longer."""
RAW: Final = (
    *("type", "event", "name", "category", "messageId", "userId", "anonymousId", "previousId", "groupId"),
    *("timestamp", "originalTimestamp", "properties", "traits", "context", "request_ip"),
)
# Clocks of the transport, switches and sums of Segment's pipeline, and its names for source and workspace.
RAW_DROPPED: Final = frozenset(
    {"receivedAt", "sentAt", "integrations", "_metadata", "version", "projectId", "writeKey", "rudderId"}
)
RECEIVED: Final = ("timestamp", "received_at")
STORED: Final = ("id", "message_id", "anonymous_id", "user_id", *TIMES, *CONTEXT, *KEPT)
LINKS: Final = ("user_id", "anonymous_id", *TIMES)
STORED_DROPPED: Final = NOISE | {"received_at", "sent_at", "uuid_ts", "loaded_at"}
STANDARD: Final = frozenset(
    {"tracks", "pages", "screens", "identifies", "groups", "aliases", "users", "accounts"}
)
IN_EVENT_TABLE: Final = "event_table\x1f"
"""Under which name, and before which ids, event tables tell that they hold a row of `tracks`; no column is so named."""
_PARTS: Final = pl.Struct({"known": pl.String, "rest": pl.String})


def _parsed(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return a JSON value, its text where it is none; numbers that no double holds become null."""
    try:
        return _json.decoded(text)
    except (ValueError, RecursionError):
        return text


def _object(members: Mapping[str, Any]) -> str | None:
    """Return the object as JSON, null where it is empty."""
    return _json.encoded(members) if members else None


@lru_cache(maxsize=10_000)
def _named(outer: str, name: str) -> str:
    """Return a key as the warehouses spell it: `userAgentData` is context_user_agent_data."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    spelled = re.sub(r"\W+", "_", words).lower()
    return f"{outer}_{spelled}"


def _leaves(name: str, value: object) -> Iterator[tuple[str, object]]:
    """Yield what an object holds, however deep, under the names of the warehouse's columns; lists stay whole.

    Blank texts are left out, as they are in the warehouse.
    """
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _leaves(_named(name, key), member)
    elif value is not None and value != "":
        yield name, value


def _flat(context: str) -> dict[str, str | None]:
    """Return a message's context as two objects of columns: those that are understood, and the rest."""
    flat: dict[str, Any] = {}
    for name, value in _leaves("context", _parsed(context)):
        flat.setdefault(name, value)
    known = {name: value for name, value in flat.items() if name in _UNDERSTOOD}
    rest = {name: value for name, value in flat.items() if name not in known and name not in NOISE}
    return {"known": _object(known), "rest": _object(rest)}


_UNDERSTOOD: Final = frozenset((*CONTEXT, *KEPT))


def _lowered(rest: str) -> str | None:
    """Return the columns with their names in lower case, where all of them stand in capitals."""
    members = _parsed(rest)
    if any(letter.islower() for name in members for letter in name):
        return rest
    return _object({name.lower(): value for name, value in members.items()})


def _parted(own: str, rest: str) -> dict[str, str | None]:
    """Return the columns of a table of traits as two objects: `known`, those of the call itself, and the traits."""
    members = _parsed(rest)
    known = {name: value for name, value in members.items() if re.match(own, name)}
    return {"known": _object(known), "rest": _object({n: v for n, v in members.items() if n not in known})}


def _discarded(recovered: str) -> str | None:
    """Return what is known of a row without the mark that an event table holds it."""
    return _object({name: value for name, value in _parsed(recovered).items() if name != IN_EVENT_TABLE})


def columns() -> pl.Expr:
    """Return a row's columns that are not declared, completed with what RudderStack's discards know of it."""
    rest, recovered = pl.col(REST), expr.each(pl.col(RECOVERED), _discarded)
    lower = pl.coalesce(expr.each(pl.when(rest.str.contains(_CAPITALS)).then(rest), _lowered), rest)
    completed = expr.completed(pl.when(recovered.is_not_null()).then(lower), recovered)
    return pl.coalesce(completed, lower)


def call_type() -> pl.Expr:
    """Return which call a message is."""
    return expr.stripped(pl.col("type")).str.to_lowercase()


def message_traits() -> pl.Expr:
    """Return the traits of a message; RudderStack's libraries put those of identify calls into the context."""
    identify = call_type() == "identify"
    inside = expr.fields(pl.when(identify).then(pl.col("context")), ("traits",)).struct.field("traits")
    return pl.coalesce(expr.without(expr.stripped(bag), "{}") for bag in (pl.col("traits"), inside))


def table_traits(own: str) -> pl.Expr:
    """Return a struct of `known` and `rest`, see `_parted`."""
    return expr.each(columns(), partial(_parted, own), _PARTS)


def messages(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return raw messages as calls."""
    flat = pl.col("_context").struct
    rows = rows.with_columns_seq(expr.each(pl.col("context"), _flat, _PARTS).alias("_context"))
    return rows.with_columns_seq(
        call_type().alias("_type"),
        expr.stripped(pl.col("event")).alias("_event"),
        expr.stripped(pl.col("name")).alias("_name"),
        expr.stripped(pl.col("category")).alias("_category"),
        expr.stripped(pl.col("messageId")).alias("_id"),
        identifier("userId").alias("_user"),
        identifier("anonymousId").alias("_anonymous"),
        time(options, "timestamp", "originalTimestamp").alias("_time"),
        pl.col("properties").alias("_bag"),
        expr.joined(pl.col(REST), flat.field("rest")).alias("_rest"),
        message_traits().alias("_traits"),
        _without_port(pl.col("request_ip")).alias("_ip"),
        expr.fields(flat.field("known"), (*CONTEXT, *KEPT)).struct.unnest(),
    )


def stored(rows: pl.LazyFrame, options: Options, *, kind: str, own: str) -> pl.LazyFrame:
    """Return the rows of a warehouse's table as calls of one kind; a `message_id` beside the id is a property."""
    nothing = pl.lit(None, pl.String)
    both = pl.col("id").is_not_null() & pl.col("message_id").is_not_null()
    event = nothing
    if kind == "track":
        slug = expr.stripped(pl.col("event"))
        label = slug.replace(options.labels) if options.labels else slug
        event = pl.coalesce(expr.stripped(pl.col("event_text")), label)
    parts = pl.struct(columns().alias("known"), nothing.alias("rest"))
    if kind == "identify":
        parts = table_traits(own)
    return rows.with_columns_seq(
        parts.alias("_parts"),
        pl.lit(kind).alias("_type"),
        event.alias("_event"),
        *(nothing.alias(name) for name in ("_name", "_category", "_ip")),
        pl.when(both).then(pl.struct("message_id").struct.json_encode()).alias("_rest"),
        identifier("id", "message_id").alias("_id"),
        identifier("user_id").alias("_user"),
        identifier("anonymous_id").alias("_anonymous"),
        time(options, "timestamp", "original_timestamp").alias("_time"),
    ).with_columns_seq(
        pl.col("_parts").struct.field("known").alias("_bag"),
        pl.col("_parts").struct.field("rest").alias("_traits"),
    )


def _without_port(address: pl.Expr) -> pl.Expr:
    """Return the IP address of one that may stand with a port: `[::1]:53708`, `203.0.113.7:53708`."""
    text = expr.stripped(address)
    return pl.coalesce(text.str.extract(r"^\[([^\]]+)\]"), text.str.extract(r"^([^:]+):\d+$"), text)


def alias_links(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the links of the table of alias calls, whose rows may name an anonymous id, too."""
    return links.concat([who(rows, options), aliased(rows, options)])


def message_links(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return who is who by raw messages."""
    kind, times = call_type(), ("timestamp", "originalTimestamp")
    linked = partial(who, options=options, user="userId", anonymous="anonymousId", times=times)
    return links.concat(
        [
            linked(rows.filter(kind == "identify"), why="identify call"),
            linked(rows.filter(kind.ne_missing("identify"))),
            aliased(rows.filter(kind == "alias"), options, user="userId", previous="previousId", times=times),
        ]
    )


def message_groups(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return what raw group calls tell of groups."""
    calls = messages(rows.filter(call_type() == "group"), options)
    return group_states(calls, options, key=identifier("groupId"))


def only_identity(options: Options) -> pl.Expr:
    """Return whether a message only links ids: alias calls, and identify calls without traits that are wanted."""
    kind = call_type()
    bare = pl.lit(options.person_properties == "none") | message_traits().is_null()
    return (kind == "alias") | ((kind == "identify") & bare)


MESSAGES: Final = Table(
    name="messages",
    columns=dict.fromkeys(RAW, pl.String),
    matches=lambda columns: (
        "type" in columns
        and bool(columns & {"timestamp", "originaltimestamp"})
        and bool(columns & {"messageid", "anonymousid", "userid"})
    ),
    to_events=lambda rows, options: to_events(messages(rows, options), options),
    to_links=message_links,
    link_columns=("type", "userId", "anonymousId", "previousId", "timestamp", "originalTimestamp"),
    to_groups=message_groups,
    objects=("properties", "traits"),
    filters={"identity_only": only_identity},
    dropped=RAW_DROPPED,
)
"""Raw messages."""


def named(stem: str) -> str:
    """Return the name of the table that a file of this name has: `prod.Order Completed_view` is order_completed.

    RudderStack's table of an event that is called like a standard table begins with `_`, Redshift's of one that
    begins with a digit.
    """
    return _bare(stem).strip("_")


def _bare(stem: str) -> str:
    """Return the name of a table as it stands."""
    return re.sub(r"\W+", "_", stem.lower().rpartition(".")[2]).removesuffix("_view")


def is_named(*names: str) -> Callable[[str], bool]:
    """Return whether a file's name says that it is one of these tables, whatever stands around: `prod_pages_2024`."""
    pattern = re.compile(rf"(^|[^a-z0-9])({'|'.join(names)})([^a-z]*|_view)$")
    return lambda file: pattern.search(file) is not None


is_tracks: Final = is_named("tracks", "track")


def event_key(row_id: pl.Expr) -> pl.Expr:
    """Return under which key event tables tell of a row of `tracks`, by the id that it has in both."""
    return pl.concat_str(pl.lit(IN_EVENT_TABLE), row_id)


def own_table() -> pl.Expr:
    """Return whether a row stands in its event's own table, also where that is called like `tracks` ("Play Tracks")."""
    file, slug = expr.each(pl.col(FILE), named), expr.each(pl.col("event"), named)
    is_standard = expr.each(pl.col(FILE), lambda stem: _bare(stem) in STANDARD, pl.Boolean)
    return ((file == slug) & ~is_standard).fill_null(value=False)


def held(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return which rows stand in an event table, for those of `tracks`, if there are any to be left out."""
    asked = any(map(is_tracks, options.files)) and "in_event_table" not in options.keep
    name = pl.lit(IN_EVENT_TABLE)
    told = rows if asked else rows.filter(pl.lit(False))
    return links.recoveries(
        told, key=event_key(identifier("id", "message_id")), name=name, value=pl.lit("true")
    )


def held_by_tracks(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the same of a file that is called like `tracks`, as far as its rows are an event's own."""
    return held(rows.filter(own_table()), options)


def in_event_table() -> pl.Expr:
    """Return whether a row of `tracks` stands in its event's own table, too, which alone has its properties.

    Known by its id, whatever the files are called: of one source or of one month there may be no such table.
    """
    mark = expr.fields(pl.col(RECOVERED), (IN_EVENT_TABLE,)).struct.field(IN_EVENT_TABLE)
    return mark.is_not_null() & ~own_table()


def untold(options: Options, *, own: str) -> pl.Expr:
    """Return whether a row of a table of traits has none that are wanted."""
    return pl.lit(options.person_properties == "none") | table_traits(own).struct.field("rest").is_null()


def mapped(kind: str, own: str) -> Callable[[pl.LazyFrame, Options], pl.LazyFrame]:
    """Return `to_events` of a table of calls of this kind."""
    return lambda rows, options: to_events(stored(rows, options, kind=kind, own=own), options)


def states(rows: pl.LazyFrame, options: Options, *, own: str) -> pl.LazyFrame:
    """Return the rows of a table of last states as calls; they were so when the last of its calls was received."""
    calls = stored(rows, options, kind="identify", own=own)
    return calls.with_columns_seq(time(options, "timestamp", "received_at").alias("_time"))


def profiles(rows: pl.LazyFrame, options: Options, *, own: str) -> pl.LazyFrame:
    """Return what the table of users tells of persons: its traits, not the context of the last call."""
    person = identifier("id")
    traits = pl.col("_traits")
    return events.profiles(
        states(rows, options, own=own), distinct_id=person, timestamp=pl.col("_time"), set=traits
    )


def stored_groups(rows: pl.LazyFrame, options: Options, *, own: str) -> pl.LazyFrame:
    """Return what the table of group calls tells of groups."""
    calls = stored(rows, options, kind="identify", own=own)
    return group_states(calls, options, key=identifier("group_id"))


def accounts(rows: pl.LazyFrame, options: Options, *, own: str) -> pl.LazyFrame:
    """Return what the table of accounts tells of groups, which nobody in particular said last."""
    calls = states(rows, options, own=own).with_columns_seq(
        _user=pl.lit(None, pl.String), _anonymous=pl.lit(None, pl.String)
    )
    return group_states(calls, options, key=identifier("group_id", "id"))


def texts(*names: str) -> dict[str, type[pl.DataType]]:
    """Return the columns of a stored table and these, all as text."""
    return dict.fromkeys((*STORED, *names), pl.String)


def some(*names: str) -> Callable[[frozenset[str]], bool]:
    """Return a `Table.matches` that holds where a row has an id and one of these columns."""
    return lambda columns: bool(columns & {"id", "message_id"}) and not columns.isdisjoint(names)


def tables(*, own: str, recover: pl.Expr | None = None) -> list[Table]:
    """Return the tables of a warehouse or a data lake; `own` is found in columns of tables of traits that are none.

    `tracks` and tables of events have the name of an event in each row. All others, and `tracks` among those, are told
    by their files' names, and where those say nothing by their columns: what holds addresses are pages.
    """
    pages = Table(
        name="pages",
        columns=texts(),
        matches=some(*TIMES),
        file=is_named("pages", "page"),
        to_events=mapped("page", own),
        to_links=who,
        link_columns=LINKS,
        recover=recover,
        dropped=STORED_DROPPED,
        warnings={"text_of_512_characters": pl.col(REST).str.contains(_CUT)},
    )
    screens = replace(
        pages, name="screens", file=is_named("screens", "screen"), to_events=mapped("screen", own)
    )
    identifies = replace(
        pages,
        name="identifies",
        file=is_named("identifies", "identify"),
        to_events=mapped("identify", own),
        to_links=partial(who, why="identify call"),
        filters={"identity_only": partial(untold, own=own)},
    )
    event_tables = replace(
        pages,
        name="event_tables",
        columns=texts("event", "event_text"),
        matches=lambda columns: some(*TIMES)(columns) and some("event", "event_text")(columns),
        file=None,
        to_events=mapped("track", own),
        to_recoveries=held,
        link_columns=(*LINKS, "id", "message_id"),
    )
    tracks = replace(
        event_tables,
        name="tracks",
        file=is_tracks,
        to_recoveries=held_by_tracks,
        link_columns=(*LINKS, "id", "message_id", "event"),
        recover=event_key(identifier("id", "message_id")),
        filters={"in_event_table": in_event_table()},
    )
    unnamed = replace(
        pages, name="pages_by_columns", file=None, matches=some("url", "path", "context_page_url")
    )
    return [
        tracks,
        event_tables,
        identifies,
        *last_states(pages, own),
        screens,
        pages,
        *no_events(pages, own),
        unnamed,
    ]


def last_states(like: Table, own: str) -> list[Table]:
    """Return the tables of the last states of users and groups, which `identifies` and `groups` tell call by call.

    Users are told once each, in the end, also beside `identifies`, where calls of old may be missing; accounts, also
    beside `groups`, where they say something else than its last calls did.
    """
    dropped = STORED_DROPPED - {"received_at"}
    last = replace(
        like, columns=texts("received_at"), dropped=dropped, matches=some("id"), to_events=events.none
    )
    users = replace(
        last,
        name="users",
        file=is_named("users"),
        to_profiles=partial(profiles, own=own),
        to_links=partial(who, user="id", times=RECEIVED, why="identify call"),
        link_columns=("id", "anonymous_id", *RECEIVED),
        filters={"no_traits": partial(untold, own=own)},
    )
    groups = replace(
        last,
        name="accounts",
        columns=texts("received_at", "group_id"),
        file=is_named("accounts"),
        to_groups=partial(accounts, own=own),
        filters={},
    )
    return [users, groups]


def no_events(like: Table, own: str) -> list[Table]:
    """Return the tables of calls that are no events: of groups and of aliases."""
    other = replace(like, file=None, to_events=events.none)
    groups = replace(
        other,
        name="groups",
        columns=texts("group_id"),
        matches=some("group_id"),
        to_groups=partial(stored_groups, own=own),
    )
    aliases = replace(
        other,
        name="aliases",
        columns=texts("previous_id"),
        matches=some("previous_id"),
        to_links=alias_links,
        link_columns=(*LINKS, "previous_id"),
        filters={"identity_only": pl.col(ROW).is_not_null()},
    )
    return [groups, aliases]
