"""Raw messages of Segment's specification: one JSON object each, with a `context` object.

They become the frame of `mappings._calls`, their context flattened as warehouses do it
(https://www.twilio.com/docs/segment/connections/storage/warehouses/schema,
https://www.rudderstack.com/docs/destinations/warehouse-destinations/warehouse-schema/, read 2026-11-20), so that a call
is the same event, of the same uuid, in every form.
"""

import re
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Final

import polars as pl

from mappings._calls import (
    DEVICE_CLOCK,
    aliased,
    group_states,
    identifier,
    looked_at,
    named_by,
    time,
    to_events,
    who,
)
from mappings._calls_context import DEVICE, NOISE, NOTHING, OF_CALL, OF_DEVICE, of_device
from migrate.kit import cells, expr, links, objects
from migrate.kit.cells import Json, Members, value_of
from migrate.kit.declare import PROPERTIES, REST, Bag, Options, Table, inside
from migrate.kit.distinct import distinct

RAW: Final = (
    *("type", "event", "name", "category", "messageId", "userId", "anonymousId", "previousId", "groupId"),
    *("timestamp", "originalTimestamp", "properties", "traits", "context", "channel", "request_ip"),
)
RAW_DROPPED: Final = frozenset(
    {"receivedAt", "sentAt", "integrations", "_metadata", "version", "projectId", "writeKey", "rudderId"}
)
"""Clocks of the transport, switches and sums of Segment's pipeline, and its names for source and workspace."""
_CALL, _DEVICE, _TRAITS = "call", "device", "traits"
"""Under which keys a context is told: its columns `OF_CALL` and `OF_DEVICE` together, and its traits."""
_SHORT: Final = 4_000
"""Characters of a context whose members are remembered, lest they take too much memory."""


def _parsed(text: str) -> object:
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
    """Return what an object holds, however deep; of a column that occurs twice the first counts, and so stands last."""
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
    if value in NOTHING or name in NOISE:
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
    """Return the columns that a message's context comes to, before they are put into one text."""
    members = cells.members(context)
    if members is None:
        whole = cells.json_of(_parsed(context))
        return {} if bytes(whole) in NOTHING else {"context": whole}
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


def _without_port(address: pl.Expr) -> pl.Expr:
    """Return the IP address of one that may stand with a port: `[::1]:53708`, `203.0.113.7:53708`."""
    text = expr.stripped(address)
    return pl.coalesce(text.str.extract(r"^\[([^\]]+)\]"), text.str.extract(r"^([^:]+):\d+$"), text)


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
