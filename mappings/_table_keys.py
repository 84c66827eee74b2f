"""The keys of a spec, and what may stand under those that name no part of an event."""

import math
from collections.abc import Collection, Mapping
from datetime import date, time
from typing import Any, Final

from mappings._table_columns import TYPES
from mappings._table_spec import LISTS, TABLES, Explode, near, wrong
from migrate.errors import UsageError
from migrate.kit.declare import Join

_DIALECTS: Final = ("plain", "spark", "clickhouse", "raw")
_LAYOUT: Final = ("dialect", "quote", "escape", "no_header", "columns", "header_file")
_SQL_AND_MORE: Final = ("properties", "constants", "session_id", "where", "events", "values", "types")
_TOLD: Final = ("links", "profile")
KEYS: Final = (
    "event",
    "distinct_id",
    "timestamp",
    "uuid",
    *LISTS,
    *TABLES,
    *_SQL_AND_MORE,
    *_TOLD,
    "explode",
    "nulls",
    *_LAYOUT,
)
ROOT: Final = ("table", "nulls", "dialect", "quote", "escape")
"""What may stand beside `[[table]]`."""
OF_TABLES: Final = ("name", "files", "has", "key", "join")
"""What a `[[table]]` may say that a table alone does not."""
IN_TABLE: Final = (*OF_TABLES, *(key for key in KEYS if key not in (*ROOT, "no_header")), "nulls")
LOOKUP: Final = ("name", "files", "has", "key", "columns", "header_file", "nulls")
"""What a `[[table]]` may say that is there for others to look things up in."""
JOIN_KEYS: Final = ("table", "on", "columns", "required")
OF_EVENTS: Final = (
    "uuid",
    "dedup_key",
    "keep",
    *TABLES[:3],
    "properties",
    "constants",
    "session_id",
    "events",
    "explode",
)
TIME_KEYS: Final = ("column", "sql", "format", "zone")
SQL: Final = '{sql = "…"}'


def is_name(value: object) -> bool:
    """Return whether this can be the name of a column, an event or a property."""
    return isinstance(value, str) and bool(value.strip())


def check_keys(value: Mapping[str, Any], known: Collection[str], key: str = "") -> None:
    """Raise a `UsageError` for a key that is not known."""
    for one in value:
        if one not in known:
            where = f"{key}.{one}" if key else one
            meant = near(one, known)
            hint = f"; did you mean {meant}?" if meant else ""
            raise UsageError(f"spec: {where}: no such key; the keys are {', '.join(known)}{hint}")


def names(key: str, value: object, *, is_given: bool = True, of: str = "column") -> tuple[str, ...]:
    """Return the columns of a list, or other names."""
    if not isinstance(value, list) or not all(is_name(name) for name in value) or (is_given and not value):
        raise wrong(key, f"a list of {of}s", value, f'{key} = ["{of}", …]')
    return tuple(dict.fromkeys(value))


def explode(document: Mapping[str, Any]) -> Explode | None:
    """Return the column whose array gives a row for each of its elements."""
    if "explode" not in document:
        return None
    value, use = document["explode"], 'explode = "column" or explode = {column = "…", position = "…"}'
    if not isinstance(value, Mapping):
        value = {"column": value}
    check_keys(value, ("column", "position"), "explode")
    found = {"position": "position"} | {**value}
    if not is_name(found.get("column")) or not is_name(found["position"]):
        raise wrong("explode", "the name of a column", document["explode"], use)
    if found["position"] == found["column"]:
        raise wrong("explode.position", "another name than the column's", found["position"], use)
    return Explode(**found)


def joins(document: Mapping[str, Any]) -> dict[str, Join]:
    """Return what is looked up for each row, by the name of the join."""
    value, use = document.get("join", {}), "[table.join.name] with table, on and columns"
    if not isinstance(value, Mapping) or not all(isinstance(one, Mapping) for one in value.values()):
        raise wrong("join", "a table for each join", value, use)
    for name, one in value.items():
        key = f"join.{name}"
        if not name.strip() or "." in name or "[" in name:
            raise wrong("join", "a name without dots and brackets", name, use)
        check_keys(one, JOIN_KEYS, key)
        for part in ("table", "on"):
            if not is_name(one.get(part)):
                what = "the name of a table" if part == "table" else "the name of a column"
                raise wrong(f"{key}.{part}", what, one.get(part), f'{part} = "…"')
        if not isinstance(one.get("required", False), bool):
            raise wrong(f"{key}.required", "true or false", one["required"], "required = true")
    return {
        name: Join(**{**one, "columns": names(f"join.{name}.columns", one.get("columns"))})
        for name, one in value.items()
    }


def constants(document: Mapping[str, Any]) -> dict[str, str | float | bool]:
    """Return the constants; dates and times as ISO 8601."""
    value = document.get("constants", {})
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


def nulls(document: Mapping[str, Any]) -> tuple[str, ...]:
    value = document.get("nulls", [])
    if not isinstance(value, list) or not all(isinstance(text, str) and text for text in value):
        raise wrong("nulls", "a list of texts", value, 'nulls = ["text", …]')
    return tuple(value)


def events(document: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the events that are called otherwise, None for those that are left out."""
    value, use = document.get("events", {}), '[events] with lines of "name" = "new name", or false'
    if not isinstance(value, Mapping):
        raise wrong("events", "a table", value, use)
    for name, new in value.items():
        if new is not False and not is_name(new):
            raise wrong(f"events.{name}", "a name, or false", new, f'{name} = "new name"')
    return {name: None if new is False else new for name, new in value.items()}


def values(document: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return for columns which values stand for which."""
    value, use = document.get("values", {}), '[values.column] with lines of "value" = "new value"'
    if not isinstance(value, Mapping) or not all(isinstance(one, Mapping) for one in value.values()):
        raise wrong("values", "a table for each column", value, use)
    for column, told in value.items():
        for old, new in told.items():
            if not isinstance(new, str):
                raise wrong(f"values.{column}.{old}", "text", new, f'{old} = "new value"')
    return {column: dict(told) for column, told in value.items() if told}


def types(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the types that columns have in SQL."""
    value = document.get("types", {})
    if not isinstance(value, Mapping):
        raise wrong("types", "a table", value, '[types] with lines of column = "int"')
    for column, kind in value.items():
        if kind not in TYPES:
            raise wrong(f"types.{column}", f"one of {', '.join(TYPES)}", kind, f'{column} = "int"')
    return dict(value)


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
    columns = names("columns", spec.get("columns", []), is_given="columns" in spec)
    if columns or spec.get("no_header"):
        found |= {"columns": columns, "has_header": False}
    return found
