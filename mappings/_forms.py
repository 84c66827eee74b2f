"""The forms in which calls of Segment's specification are stored: raw messages, and tables of warehouses and lakes.

A raw message is one JSON object with a `context` object; a row of a table is the message flattened:
`context_page_url`, traits and properties without a prefix
(https://www.twilio.com/docs/segment/connections/storage/warehouses/schema,
https://www.rudderstack.com/docs/destinations/warehouse-destinations/warehouse-schema/, read 2026-11-20). Both become
the frame of `mappings._calls`, so that a call is the same event, of the same uuid, in every form.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, Final

import polars as pl

from mappings._calls import (
    DEVICE,
    OF_CALL,
    OF_DEVICE,
    TIMES,
    aliased,
    group_states,
    identifier,
    looked_at,
    named_by,
    of_device,
    time,
    to_events,
    who,
)
from migrate.kit import cells, events, expr, links, objects
from migrate.kit.cells import Json, Members, value_of
from migrate.kit.declare import FILE, PROPERTIES, RECOVERED, REST, ROW, Bag, Options, Table, inside
from migrate.kit.distinct import distinct

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
    *("timestamp", "originalTimestamp", "properties", "traits", "context", "channel", "request_ip"),
)
# Clocks of the transport, switches and sums of Segment's pipeline, and its names for source and workspace.
RAW_DROPPED: Final = frozenset(
    {"receivedAt", "sentAt", "integrations", "_metadata", "version", "projectId", "writeKey", "rudderId"}
)
DEVICE_CLOCK: Final = "original_timestamp_for_timestamp"
"""Counted of calls that say when the device had them happen, and not when they did."""
RECEIVED: Final = ("timestamp", "received_at")
STORED_IDS: Final = ("id", "message_id", "anonymous_id", "user_id")
STORED: Final = ("id", "message_id", "anonymous_id", "user_id", *TIMES, *OF_CALL, *OF_DEVICE)
LINKS: Final = ("user_id", "anonymous_id", *TIMES)
STORED_DROPPED: Final = NOISE | {"received_at", "sent_at", "uuid_ts", "loaded_at"}
OF_ANOTHER: Final = STORED_DROPPED | {*OF_CALL, *OF_DEVICE}
"""Dropped where a row is no event: in which context the call stood that it tells of."""
STANDARD: Final = frozenset(
    {"tracks", "pages", "screens", "identifies", "groups", "aliases", "users", "accounts"}
)
IN_EVENT_TABLE: Final = "event_table\x1f"
"""Under which name, and before which ids, event tables tell that they hold a row of `tracks`; no column is so named."""
_MARK: Final = '"event_table\\u001f":'
"""The same name as it stands in JSON."""
_PARTS: Final = pl.Struct({"known": pl.String, "rest": pl.String})
_CALL, _DEVICE, _TRAITS = "call", "device", "traits"
"""Under which keys a context is told: its columns `OF_CALL` and `OF_DEVICE` together, and its traits."""
_SHORT: Final = 4_000
"""Characters of a context whose members are remembered, lest they take too much memory."""
_NOTHING: Final = (b"null", b'""')
_OF_PERSON: Final = "context_traits_"
"""Before what the context of a row says of its person."""


def _parsed(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return a JSON value, its text where it is none; numbers that Python cannot hold are their own text."""
    try:
        return value_of(text)
    except (ValueError, RecursionError):
        return text


@lru_cache(maxsize=10_000)
def _named(outer: str, name: str) -> str:
    """Return a key as the warehouses spell it: `userAgentData` is context_user_agent_data."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    spelled = re.sub(r"\W+", "_", words).lower()
    return f"{outer}_{spelled}"


_calls: Final = cells.Columns(OF_CALL)
_devices: Final = cells.Columns(OF_DEVICE)
_Leaves = tuple[bytes, bytes, Members]
"""Columns as in a warehouse: what stands in the objects of `_calls` and of `_devices`, and the rest."""


def _leaves(outer: str, members: Members, leaf: Callable[[str, str, bytes], _Leaves]) -> _Leaves:
    """Return what an object holds, however deep; of a column that occurs twice the first counts, so it stands last."""
    call = device = b""
    rest: dict[str, Json] = {}
    for key, value in members.items():
        of_call, of_device, others = leaf(outer, key, bytes(value))
        if of_call:
            call = of_call + call
        if of_device:
            device = of_device + device
        if others:
            rest |= {name: one for name, one in others.items() if name not in rest}
    return call, device, rest


def _leaf(outer: str, key: str, value: bytes) -> _Leaves:
    """Return what a member of an object is; lists stay whole, blank texts are left out, as they are in warehouses."""
    name = _named(outer, key)
    if value.startswith(b"{"):
        return _leaves(name, cells.members(value) or {}, _leaf)
    if value in _NOTHING or name in NOISE:
        return b"", b"", {}
    text = value if value.startswith(b'"') else bytes(cells.json_of(value.decode()))
    if name in _calls.heads:
        return b"%b%b," % (_calls.heads[name], text), b"", {}
    if name in _devices.heads:
        return b"", b"%b%b," % (_devices.heads[name], text), {}
    return b"", b"", {name: Json(value)}


_remembered: Final = lru_cache(maxsize=8_192)(_leaf)
"""Hardly two contexts are alike, but many of their pages, campaigns, systems and libraries are."""


def _flat(context: str) -> Members:
    """Return a message's context as `flattened` does."""
    members = cells.members(context)
    if members is None:
        whole = cells.json_of(_parsed(context))
        return {} if bytes(whole) in _NOTHING else {"context": whole}
    call, device, rest = _leaves("context", members, _remembered if len(context) < _SHORT else _leaf)
    flat = {**rest, _CALL: Json(b"{%b}" % call[:-1]), _DEVICE: Json(b"{%b}" % device[:-1])}
    return flat | {_TRAITS: members[_TRAITS]} if _TRAITS in members else flat


def flattened(context: str) -> str | None:
    """Return what a message's context holds, as `Bag.read` does: columns as in a warehouse, and see `_CALL`.

    What is no object stays whole, and so does what is nested too deep.
    """
    try:
        return cells.object_text(_flat(context))
    except RecursionError:
        return cells.object_text({"context": cells.json_of(context)})


def _equipment(devices: pl.Series) -> pl.Series:
    """Return what `of_device` tells of messages; many of them come from one device."""
    found = distinct([devices])
    return of_device(_devices.struct(devices.gather(found.places))).gather(found.codes).alias(devices.name)


def _lowered(members: Members) -> Members:
    """Return the columns with their names in lower case, where all of them stand in capitals."""
    return {name.lower(): one for name, one in members.items()} if "".join(members).isupper() else members


def _completed(rest: str | None, recovered: str | None) -> str | None:
    """Return a row's columns with what is known of it elsewhere, but for the mark that an event table holds it."""
    own = _lowered(cells.members(rest or "{}") or {})
    known = cells.members(recovered or "{}") or {}
    return cells.object_text(
        {name: value for name, value in known.items() if name != IN_EVENT_TABLE} | dict(own)
    )


def _texts(names: Sequence[str], bag: str) -> dict[str, str | None]:
    """Return these columns as text."""
    members = cells.members(bag) or {}
    return {name: _text(bytes(members[name]).decode()) if name in members else None for name in names}


def _text(value: str) -> str | None:
    """Return a JSON value as a cell has it."""
    return value_of(value) if value.startswith('"') or value == "null" else value


def _parted(own: str, rest: str, *, of_person: bool = False) -> dict[str, str | None]:
    """Return the columns of a table of traits as two objects: `known`, those of the call itself, and the traits.

    Of a person, what the context says of traits completes them, as it does in a message.
    """
    members = cells.members(rest) or {}
    known = {name: value for name, value in members.items() if re.match(own, name)}
    traits = {name: value for name, value in members.items() if name not in known}
    if of_person:
        for name, value in known.items():
            if name.startswith(_OF_PERSON) and bytes(value) not in _NOTHING:
                traits.setdefault(name.removeprefix(_OF_PERSON), value)
    return {"known": cells.object_text(known), "rest": cells.object_text(traits)}


def whole() -> pl.Expr:
    """Return the undeclared columns of rows that are not to be taken as they are read, null of all others.

    Those of Snowflake, which stand in capitals, have their names in lower case; those of which RudderStack discarded
    values have these, too.
    """
    rest, recovered = pl.col(REST), pl.col(RECOVERED)
    is_odd = rest.str.contains(_CAPITALS) | recovered.is_not_null()
    return expr.each(pl.when(is_odd).then(pl.struct(rest, recovered)), _completed)


def columns() -> pl.Expr:
    """Return the undeclared columns of all rows."""
    return pl.coalesce(whole(), pl.col(REST))


def call_type() -> pl.Expr:
    """Return which call a message is."""
    return expr.stripped(pl.col("type")).str.to_lowercase()


def message_traits() -> pl.Expr:
    """Return the traits of a message: its own, completed by the person's that stand in the context of identify calls.

    RudderStack's libraries put all of them there.
    """
    there = pl.col(inside("context", _TRAITS))
    of_person = pl.when((call_type() == "identify") & there.str.starts_with("{")).then(there)
    own, more = (expr.without(expr.stripped(bag), "{}") for bag in (pl.col("traits"), of_person))
    both = objects.completed(pl.when(more.is_not_null()).then(own), more)
    return pl.coalesce(both, own)


def table_traits(own: str, *, of_person: bool = False) -> pl.Expr:
    """Return a struct of `known` and `rest`, see `_parted`."""
    return expr.each(columns(), partial(_parted, own, of_person=of_person), _PARTS)


def message_bags(options: Options) -> dict[str, Bag]:
    """Return how the objects of messages are opened."""
    told = (_CALL, _DEVICE, _TRAITS)
    return {
        "properties": Bag(keys=list(dict.fromkeys((*looked_at(options), "channel")))),
        "context": Bag(keys=told, drops=frozenset(told), read=flattened),
    }


def messages(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return raw messages as calls."""
    known = {name: pl.col(inside("properties", name)) for name in looked_at(options)}
    return rows.with_columns_seq(
        call_type().alias("_type"),
        expr.stripped(pl.col("event")).alias("_event"),
        expr.stripped(pl.col("name")).alias("_name"),
        expr.stripped(pl.col("category")).alias("_category"),
        pl.col("channel").alias("_channel"),
        identifier("messageId").alias("_id"),
        identifier("userId").alias("_user"),
        identifier("anonymousId").alias("_anonymous"),
        time(options, "timestamp", "originalTimestamp").alias("_time"),
        time(options, "originalTimestamp").alias("_original"),
        pl.struct(value.alias(name) for name, value in known.items()).alias("_told"),
        pl.col("properties").alias("_bag"),
        pl.col(REST).alias("_rest"),
        pl.col("context").alias("_context"),
        message_traits().alias("_traits"),
        _without_port(pl.col("request_ip")).alias("_ip"),
        pl.col(inside("context", _CALL))
        .map_batches(_calls.struct, return_dtype=_calls.dtype, is_elementwise=True)
        .struct.unnest(),
        pl.col(inside("context", _DEVICE))
        .map_batches(_equipment, return_dtype=DEVICE, is_elementwise=True)
        .alias("_device"),
    )


def message_events(rows: pl.LazyFrame, options: Options, *, source: str) -> pl.LazyFrame:
    """Return the events of raw messages."""
    channel = pl.when(pl.col(inside("properties", "channel")).is_null()).then("_channel")
    calls = messages(rows, options)
    return to_events(calls, options, laid=pl.col(PROPERTIES), extra={**named_by(source), "channel": channel})


def stored(rows: pl.LazyFrame, options: Options, *, kind: str, own: str) -> pl.LazyFrame:
    """Return the rows of a warehouse's table as calls of one kind, with the `whole` of odd rows."""
    nothing = pl.lit(None, pl.String)
    event = nothing
    if kind == "track":
        slug = expr.stripped(pl.col("event"))
        label = slug.replace(options.labels) if options.labels else slug
        event = pl.coalesce(expr.stripped(pl.col("event_text")), label)
    rows = rows.with_columns_seq(whole().alias("_whole")).with_columns_seq(
        pl.coalesce("_whole", REST).alias("_bag"),
        nothing.alias("_traits"),
        pl.lit(kind).alias("_type"),
        event.alias("_event"),
        *(nothing.alias(name) for name in ("_name", "_category", "_channel", "_ip", "_rest", "_context")),
        identifier("id", "message_id").alias("_id"),
        identifier("user_id").alias("_user"),
        identifier("anonymous_id").alias("_anonymous"),
        time(options, *TIMES).alias("_time"),
        time(options, "original_timestamp").alias("_original"),
        pl.struct(OF_DEVICE)
        .map_batches(of_device, return_dtype=DEVICE, is_elementwise=True)
        .alias("_device"),
    )
    if kind != "identify":
        return rows
    parts = pl.col("_parts").struct
    return rows.with_columns_seq(
        expr.each(pl.col("_bag"), partial(_parted, own, of_person=True), _PARTS).alias("_parts")
    ).with_columns_seq(parts.field("known").alias("_bag"), parts.field("rest").alias("_traits"))


def stored_events(rows: pl.LazyFrame, options: Options, *, kind: str, own: str, source: str) -> pl.LazyFrame:
    """Return the events of a warehouse's table; a `message_id` beside the id is a property, columns of traits are none.

    The columns of most rows are taken as they were read; those of odd rows are opened again.
    """
    calls = stored(rows, options, kind=kind, own=own)
    both = pl.col("id").is_not_null() & pl.col("message_id").is_not_null()
    extra = {**named_by(source), "message_id": pl.when(both).then("message_id")}
    if kind == "identify":
        told = told_of_rows(calls, options, is_told=re.compile(own).match)
        return to_events(told, options, properties=pl.col("_bag"), extra=extra)
    laid = pl.when(pl.col("_whole").is_null()).then(PROPERTIES)
    return to_events(
        told_of_rows(calls, options),
        options,
        laid=laid,
        properties=pl.col("_whole"),
        extra=extra,
    )


def told_of_rows(
    calls: pl.LazyFrame, options: Options, *, is_told: Callable[[str], object] = bool
) -> pl.LazyFrame:
    """Return the calls of a warehouse's table with `_told`, which is null for columns that are not to be looked at."""
    names, nothing = looked_at(options), pl.lit(None, pl.String)
    odd = expr.each(pl.col("_whole"), partial(_texts, names), pl.Struct(dict.fromkeys(names, pl.String)))
    told = {name: pl.coalesce(inside(REST, name), pl.col("_odd").struct.field(name)) for name in names}
    struct = pl.struct((told[name] if is_told(name) else nothing).alias(name) for name in names)
    return calls.with_columns_seq(odd.alias("_odd")).with_columns_seq(struct.alias("_told"))


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


def only_identity() -> pl.Expr:
    """Return whether a message only links ids: alias calls, and identify calls without traits."""
    kind = call_type()
    return (kind == "alias") | ((kind == "identify") & message_traits().is_null())


def raw_messages(source: str) -> Table:
    """Return the table of raw messages; `source` is who speaks, see `_calls.named_by`."""
    return Table(
        name="messages",
        columns=dict.fromkeys(RAW, pl.String),
        matches=lambda columns: (
            "type" in columns
            and bool(columns & {"timestamp", "originaltimestamp"})
            and bool(columns & {"messageid", "anonymousid", "userid"})
        ),
        to_events=partial(message_events, source=source),
        to_links=message_links,
        link_columns=("type", "userId", "anonymousId", "previousId", "timestamp", "originalTimestamp"),
        to_groups=message_groups,
        times=("timestamp", "originalTimestamp"),
        ids=("messageId", "userId", "anonymousId", "previousId", "groupId"),
        objects=("properties", "traits"),
        bags=message_bags,
        properties=("properties", REST, "context"),
        filters={"identity_only": only_identity()},
        warnings={DEVICE_CLOCK: pl.col("timestamp").is_null() & pl.col("originalTimestamp").is_not_null()},
        dropped=RAW_DROPPED,
    )


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
    return pl.col(RECOVERED).str.contains(_MARK, literal=True) & ~own_table()


def stored_bags(options: Options) -> dict[str, Bag]:
    """Return how the undeclared columns of a warehouse's table are opened."""
    return {REST: Bag(keys=looked_at(options))}


def traits(own: str) -> pl.Expr:
    """Return the traits of a row of a table that has nothing else: what is the call's own (`own`) is left out."""
    return table_traits(own).struct.field("rest")


def profiles(rows: pl.LazyFrame, options: Options, *, own: str) -> pl.LazyFrame:
    """Return what the table of users tells of persons; it was so when the last of their calls was received."""
    last = time(options, *RECEIVED)
    return events.profiles(rows, distinct_id=identifier("id"), timestamp=last, set=traits(own))


def stored_groups(rows: pl.LazyFrame, options: Options, *, own: str) -> pl.LazyFrame:
    """Return what the table of group calls tells of groups."""
    calls = rows.with_columns_seq(
        identifier("user_id").alias("_user"),
        identifier("anonymous_id").alias("_anonymous"),
        time(options, *TIMES).alias("_time"),
        traits(own).alias("_traits"),
    )
    return group_states(calls, options, key=identifier("group_id"))


def accounts(rows: pl.LazyFrame, options: Options, *, own: str) -> pl.LazyFrame:
    """Return what the table of accounts tells of groups, which nobody in particular said last."""
    nobody = pl.lit(None, pl.String)
    calls = rows.with_columns_seq(
        nobody.alias("_user"),
        nobody.alias("_anonymous"),
        time(options, *RECEIVED).alias("_time"),
        traits(own).alias("_traits"),
    )
    return group_states(calls, options, key=identifier("group_id", "id"))


def texts(*names: str) -> dict[str, type[pl.DataType]]:
    """Return the columns of a stored table and these, all as text."""
    return dict.fromkeys((*STORED, *names), pl.String)


def plain(*names: str) -> dict[str, type[pl.DataType]]:
    """Return these columns, all as text."""
    return dict.fromkeys(names, pl.String)


def some(*names: str) -> Callable[[frozenset[str]], bool]:
    """Return a `Table.matches` that holds where a row has an id and one of these columns."""
    return lambda columns: bool(columns & {"id", "message_id"}) and not columns.isdisjoint(names)


def tables(*, source: str, own: str, recover: pl.Expr | None = None) -> list[Table]:
    """Return the tables of a warehouse or a data lake; `own` is found in columns of tables of traits that are none.

    `source` is who speaks, see `_calls.named_by`.

    `tracks` and tables of events have the name of an event in each row. All others, and `tracks` among those, are told
    by their files' names, and where those say nothing by their columns: what holds addresses are pages.
    """
    pages = Table(
        name="pages",
        columns=texts(),
        matches=some(*TIMES),
        file=is_named("pages", "page"),
        to_events=partial(stored_events, kind="page", own=own, source=source),
        to_links=who,
        link_columns=LINKS,
        times=TIMES,
        ids=STORED_IDS,
        recover=recover,
        bags=stored_bags,
        properties=(REST,),
        dropped=STORED_DROPPED,
        warnings={
            "text_of_512_characters": pl.col(REST).str.contains(_CUT),
            DEVICE_CLOCK: pl.col("timestamp").is_null() & pl.col("original_timestamp").is_not_null(),
        },
    )
    screens = replace(
        pages,
        name="screens",
        file=is_named("screens", "screen"),
        to_events=partial(stored_events, kind="screen", own=own, source=source),
    )
    identifies = replace(
        pages,
        name="identifies",
        file=is_named("identifies", "identify"),
        to_events=partial(stored_events, kind="identify", own=own, source=source),
        to_links=partial(who, why="identify call"),
        properties=(),
        filters={"identity_only": table_traits(own, of_person=True).struct.field("rest").is_null()},
    )
    event_tables = replace(
        pages,
        name="event_tables",
        columns=texts("event", "event_text"),
        matches=lambda columns: some(*TIMES)(columns) and some("event", "event_text")(columns),
        file=None,
        to_events=partial(stored_events, kind="track", own=own, source=source),
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
    last = replace(
        no_event(like, own),
        times=RECEIVED,
        dropped=(OF_ANOTHER | {"message_id", "original_timestamp", "user_id"}) - {"received_at"},
        warnings={name: rule for name, rule in like.warnings.items() if name != DEVICE_CLOCK},
        matches=some("id"),
    )
    users = replace(
        last,
        name="users",
        columns=plain("id", "anonymous_id", *RECEIVED),
        ids=("id", "anonymous_id"),
        file=is_named("users"),
        to_profiles=partial(profiles, own=own),
        to_links=partial(who, user="id", times=RECEIVED, why="identify call"),
        link_columns=("id", "anonymous_id", *RECEIVED),
        filters={"no_traits": traits(own).is_null()},
    )
    groups = replace(
        last,
        name="accounts",
        columns=plain("id", "group_id", *RECEIVED),
        ids=("id", "group_id"),
        dropped=last.dropped | {"anonymous_id"},
        to_links=None,
        link_columns=None,
        file=is_named("accounts"),
        to_groups=partial(accounts, own=own),
        filters={},
    )
    return [users, groups]


def no_event(like: Table, own: str) -> Table:
    """Return a table whose rows are no events: of their columns traits are told, and none of the call's own."""
    is_own = re.compile(own).match
    return replace(like, to_events=events.none, bags={}, properties=(), left_out=is_own)


def no_events(like: Table, own: str) -> list[Table]:
    """Return the tables of calls that are no events: of groups and of aliases."""
    key = {"id"} if like.recover is not None else set[str]()
    other = replace(no_event(like, own), file=None, dropped=(OF_ANOTHER | {"id", "message_id"}) - key)
    groups = replace(
        other,
        name="groups",
        columns=plain(*key, *LINKS, "group_id"),
        ids=("anonymous_id", "user_id", "group_id"),
        matches=some("group_id"),
        to_groups=partial(stored_groups, own=own),
    )
    aliases = replace(
        other,
        name="aliases",
        columns=plain(*LINKS, "previous_id"),
        ids=("anonymous_id", "user_id", "previous_id"),
        recover=None,
        left_out=bool,
        dropped=other.dropped | {"id"},
        matches=some("previous_id"),
        to_links=alias_links,
        link_columns=(*LINKS, "previous_id"),
        filters={"identity_only": pl.col(ROW).is_not_null()},
    )
    return [groups, aliases]
