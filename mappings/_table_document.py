"""A TOML document → the spec that it is, and how its files are written; a sentence says where it is none."""

import math
from collections.abc import Mapping
from datetime import date, time
from typing import Any, Final

from mappings._table_spec import LISTS, TABLES, Spec, contradictions, wrong
from mappings._table_times import read_format, says_zone
from migrate.errors import UsageError
from migrate.kit import expr

_DIALECTS: Final = ("plain", "spark", "clickhouse", "raw")
_LAYOUT: Final = ("dialect", "quote", "escape", "no_header", "columns")
KEYS: Final = ("event", "distinct_id", "timestamp", "uuid", *LISTS, *TABLES, "constants", "nulls", *_LAYOUT)


def _is_name(value: object) -> bool:
    """Return whether this can be the name of a column, an event or a property."""
    return isinstance(value, str) and bool(value.strip())


def _column(spec: Mapping[str, Any], key: str, use: str) -> str:
    """Return the column under a key that has to be there."""
    if key not in spec:
        raise UsageError(f"spec: {key}: missing; use {use}")
    if not _is_name(spec[key]):
        raise wrong(key, "the name of a column", spec[key], use)
    return str(spec[key])


def _list(spec: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Return the columns listed under a key, none where it is absent."""
    value = spec.get(key, [])
    is_list = isinstance(value, list) and all(_is_name(name) for name in value)
    if not is_list or (key in spec and not value):
        raise wrong(key, "a list of columns", value, f'{key} = ["column", …]')
    return tuple(dict.fromkeys(value))


def _table(spec: Mapping[str, Any], key: str) -> dict[str, str]:
    """Return the names given under a key, none where it is absent."""
    use = 'column = "new name"' if key == "rename" else 'name = "column"'
    value = spec.get(key, {})
    if not isinstance(value, Mapping):
        raise wrong(key, "a table", value, f"[{key}] with lines of {use}")
    for name, text in value.items():
        if not _is_name(text) or not _is_name(name):
            raise wrong(f"{key}.{name}", "a name" if key == "rename" else "the name of a column", text, use)
    return dict(value)


def _event(spec: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the column of event names, or the one name of all events."""
    use = 'event = "column" or event = {constant = "name"}'
    value = spec.get("event")
    if not isinstance(value, Mapping):
        return _column(spec, "event", use), None
    if set(value) != {"constant"} or not _is_name(value["constant"]):
        raise wrong("event", "a column or a constant", value, use)
    return None, str(value["constant"])


def _distinct_id(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the columns that may name the person, in the order they are asked."""
    if isinstance(spec.get("distinct_id"), list):
        return _list(spec, "distinct_id")
    return (_column(spec, "distinct_id", 'distinct_id = "column" or distinct_id = ["first", "second"]'),)


def _timestamp(spec: Mapping[str, Any]) -> tuple[str, str, str | None]:
    """Return the column, the format and the zone of times."""
    use = 'timestamp = "column" or timestamp = {column = "…", format = "…", zone = "…"}'
    value = spec.get("timestamp")
    if not isinstance(value, Mapping):
        return _column(spec, "timestamp", use), "iso", None
    for key in value:
        if key not in ("column", "format", "zone"):
            raise UsageError(f"spec: timestamp.{key}: no such key; the keys are column, format, zone")
    if not _is_name(value.get("column")):
        raise wrong("timestamp.column", "the name of a column", value.get("column"), use)
    shape = read_format(value.get("format", "iso"))
    if "zone" not in value:
        return value["column"], shape, None
    if says_zone(shape):
        raise UsageError(
            f"spec: timestamp.zone: {value['format']} says the zone itself; take timestamp.zone out"
        )
    return value["column"], shape, expr.zone_name(value["zone"], "spec: timestamp.zone")


def _constants(spec: Mapping[str, Any]) -> dict[str, str | float | bool]:
    """Return the constants; dates and times as ISO 8601."""
    value = spec.get("constants", {})
    if not isinstance(value, Mapping):
        raise wrong("constants", "a table", value, "[constants] with lines of name = value")
    found: dict[str, str | float | bool] = {}
    for name, constant in value.items():
        is_finite = not isinstance(constant, float) or math.isfinite(constant)
        if not isinstance(constant, (str, int, float, date, time)) or not is_finite:
            expected = "text, a number, true, false or a date"
            raise wrong(f"constants.{name}", expected, constant, f'{name} = "value"')
        found[name] = constant.isoformat() if isinstance(constant, (date, time)) else constant
    return found


def _nulls(spec: Mapping[str, Any]) -> tuple[str, ...]:
    value = spec.get("nulls", [])
    if not isinstance(value, list) or not all(isinstance(text, str) and text for text in value):
        raise wrong("nulls", "a list of texts", value, 'nulls = ["text", …]')
    return tuple(value)


def read(document: Mapping[str, Any]) -> Spec:
    """Return the spec in a TOML document; raise a `UsageError` that names the key where it is wrong."""
    for key in document:
        if key not in KEYS:
            raise UsageError(f"spec: {key}: no such key; the keys are {', '.join(KEYS)}")
    event, event_name = _event(document)
    timestamp, shape, zone = _timestamp(document)
    spec = Spec(
        event=event,
        event_name=event_name,
        distinct_id=_distinct_id(document),
        timestamp=timestamp,
        format=shape,
        zone=zone,
        uuid=_column(document, "uuid", 'uuid = "column"') if "uuid" in document else None,
        lists={key: _list(document, key) for key in LISTS},
        tables={key: _table(document, key) for key in TABLES},
        constants=_constants(document),
        nulls=_nulls(document),
    )
    for contradiction in contradictions(spec):
        raise UsageError(f"spec: {contradiction}")
    return spec


def layout(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the files are written, as far as a TOML document says it."""
    found: dict[str, Any] = {}
    for key, expected in (("dialect", _DIALECTS), ("quote", None), ("escape", None)):
        if key not in spec:
            continue
        value = spec[key]
        if expected and value not in expected:
            raise wrong(key, f"one of {', '.join(expected)}", value, f'{key} = "{expected[0]}"')
        if not isinstance(value, str) or (not expected and len(value.encode()) != 1):
            raise wrong(key, "one ASCII character", value, f'{key} = "\'"')
        found[key] = value
    if not isinstance(spec.get("no_header", False), bool):
        raise wrong("no_header", "true or false", spec["no_header"], "no_header = true")
    columns = _list(spec, "columns")
    if columns or spec.get("no_header"):
        found |= {"columns": columns, "has_header": False}
    return found
