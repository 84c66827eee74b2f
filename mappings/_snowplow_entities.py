"""Snowplow's entities and self-describing events: JSON in a cell, or columns of a warehouse → one object by name.

`iglu:com.acme/order_line/jsonschema/1-0-2` and the column `contexts_com_acme_order_line_1` are the same:
`com_acme_order_line`; Snowplow's own are called without `com_snowplowanalytics_snowplow_` before it. Names are made as
Snowplow's analytics SDKs make them (snowplow-python-analytics-sdk, `json_shredder.py`, read 2026-11-29).
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from migrate.kit import cells

FACTS: Final = {
    "web_page": ("id",),
    "client_session": ("userId", "sessionId"),
    "ua_parser_context": (
        *("useragentFamily", "useragentMajor", "useragentMinor", "deviceFamily"),
        *("osFamily", "osMajor", "osMinor", "osPatch"),
    ),
    "nl_basjes_yauaa_context": (
        *("agentName", "agentVersion", "operatingSystemName", "operatingSystemVersion"),
        *("deviceClass", "deviceBrand", "deviceName"),
    ),
    "com_iab_snowplow_spiders_and_robots": ("spiderOrRobot",),
    "mobile_context": ("osType", "osVersion", "deviceManufacturer", "deviceModel"),
    "application": ("version", "build"),
    "mobile_screen": ("name",),
    "screen": ("name",),
    "screen_view": ("name",),
    "event": ("name",),
}
"""What is looked at of entities; of `event` the name that a self-describing event has by its schema."""

_SCHEMA: Final = re.compile(r"iglu:([^/]+)/([^/]+)/[^/]+/\d+-\d+-\d+")
_COLUMN: Final = re.compile(
    r"(contexts|unstruct_event)_(.+?)_\d+(?:_\d+_\d+)?(?:_recovered_\w+)?", re.IGNORECASE
)
_SHREDDED: Final = re.compile(r"([^A-Z_])([A-Z])")
_OWN: Final = "com_snowplowanalytics_snowplow_"

Named = tuple[str, cells.Json]
Facts = dict[str, cells.Json]


class _Entity(cells.Shape):
    schema: str
    data: cells.Json


class _Contexts(cells.Shape):
    data: list[_Entity]


class _Event(cells.Shape):
    data: _Entity


_contexts: Final = cells.reader(_Contexts)
_event: Final = cells.reader(_Event)
_list: Final = cells.reader(list[cells.Json])


def fact(entity: str, field: str) -> str:
    """Return the key under which what is looked at stands, in an object that this module makes."""
    return f"~{entity}.{field}"


KEYS: Final = tuple(fact(entity, field) for entity, fields in FACTS.items() for field in fields)


def contexts(text: str) -> str | None:
    """Return the entities of a cell `contexts` or `derived_contexts`."""
    facts: Facts = {}
    found = _gathered(((_named(one.schema), one.data) for one in _contexts(text).data), facts)
    return cells.object_text(facts | found)


def unstruct(text: str) -> str | None:
    """Return what a cell `unstruct_event` says of the event itself."""
    entity, facts = _event(text).data, dict[str, cells.Json]()
    told = _flattened(_named(entity.schema), entity.data, facts)
    return cells.object_text(facts | told)


def columns(text: str) -> str | None:
    """Return the columns of a warehouse that no table declares: entities and events by their names, all else as it is.

    Snowflake writes names of columns in upper case.
    """
    members = cells.members(text) or {}
    facts: Facts = {}
    entities: list[Named] = []
    event: Facts = {}
    others: Facts = {}
    for key, value in members.items():
        column = _COLUMN.fullmatch(key)
        if column is None:
            others[key.lower() if key.isupper() else key] = value
            continue
        name = column[2].lower().removeprefix(_OWN)
        for one in _elements(value):
            if column[1].lower() == "contexts":
                entities.append((name, one))
            else:
                event |= _flattened(name, one, facts)
    gathered = _gathered(entities, facts)
    return cells.object_text(others | gathered | event | facts)


def _named(schema: str) -> str:
    """Return the name of an entity by its schema."""
    found = _SCHEMA.fullmatch(schema)
    if found is None:
        raise ValueError(f"expected a schema as iglu:vendor/name/jsonschema/1-0-0, found {schema!r}")
    vendor, name = (re.sub("[.-]", "_", part) for part in found.groups())
    return f"{vendor}_{_snake(name)}".lower().removeprefix(_OWN)


def _snake(name: str) -> str:
    """Return a name as columns are called: `targetUrl` is `target_url`."""
    return _SHREDDED.sub(r"\1_\2", name).lower()


def _elements(value: cells.Json) -> Iterator[cells.Json]:
    """Yield the objects of a column: a list of them, or of such lists, one, or any of these as text."""
    text = bytes(value)
    if text.startswith(b'"'):
        text = cells.value_of(text.decode()).strip().encode()
    if text.startswith(b"["):
        for one in _list(text):
            yield from _elements(one)
    elif (members := cells.members(text)) is not None:
        yield cells.Json((cells.object_text(members) or "{}").encode())
    elif text not in {b"null", b""}:
        raise ValueError(f"expected an object or a list of them, found {text[:40].decode()}")


def _gathered(entities: Iterable[Named], facts: Facts) -> Facts:
    """Return the entities by name: an object where there is one of a name, else a list of them."""
    found: dict[str, list[cells.Json]] = {}
    for name, data in entities:
        fields = _looked_at(name, data, facts)
        if name == "web_page" and fields is not None and fields.keys() <= {"id"}:
            continue  # all it holds is `$pageview_id`
        found.setdefault(name, []).append(data)
    return {name: many[0] if len(many) == 1 else cells.Json(_listed(many)) for name, many in found.items()}


def _flattened(name: str, data: cells.Json, facts: Facts) -> Facts:
    """Return the members of an event's own object, and take its facts."""
    members = _looked_at(name, data, facts)
    facts.setdefault(fact("event", "name"), cells.json_of(name))
    return dict(cells.members(bytes(data)) or {}) if members is None else dict(members)


def _looked_at(name: str, data: cells.Json, facts: Facts) -> cells.Members | None:
    """Take what is looked at of an entity, in either spelling of its keys, the first of a name counts."""
    if name not in FACTS:
        return None
    members = cells.members(bytes(data)) or {}
    for field in FACTS[name]:
        value = members.get(field, members.get(_snake(field)))
        if value is not None and bytes(value) != b"null":
            facts.setdefault(fact(name, field), value)
    return members


def _listed(many: list[cells.Json]) -> bytes:
    return b"[" + b",".join(bytes(one) for one in many) + b"]"
