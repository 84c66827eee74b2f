"""The TOML spec of any flat file: read, and refused with a sentence where it cannot mean anything."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import chain
from typing import Any, Final

import polars as pl

from migrate.errors import UsageError
from migrate.kit import expr

_KINDS: Final = ("json", "numbers", "booleans")
_LISTS: Final = (*_KINDS, "dedup_key", "drop", "keep")
_TABLES: Final = ("rename", "set", "set_once", "groups")
_DIALECTS: Final = ("plain", "spark", "clickhouse")
_LAYOUT: Final = ("dialect", "quote", "escape", "no_header", "columns")
KEYS: Final = (
    "event",
    "distinct_id",
    "timestamp",
    "uuid",
    *_LISTS,
    *_TABLES,
    "constants",
    "nulls",
    *_LAYOUT,
)
UNIX: Final = {"unix_s": "s", "unix_ms": "ms", "unix_us": "us"}
_OFFSET: Final = re.compile(r"%(?:[:#]*z|\+)")
_UNREADABLE: Final = {
    "%Z": "a zone's name does not say its offset; use %z, or leave the zone to timestamp.zone",
    "%s": "seconds since 1970 are no calendar time; use unix_s",
    "%f": "decimals after a point are %.f, those without one %3f, %6f or %9f; use one of these",
}
_PROBE: Final = datetime(2024, 11, 23, 17, 48, 59, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Spec:
    """A spec that has been read: which column plays which part."""

    event: str | None
    event_name: str | None
    distinct_id: Sequence[str]
    timestamp: str
    format: str
    zone: str | None
    uuid: str | None
    lists: Mapping[str, Sequence[str]]
    tables: Mapping[str, Mapping[str, str]]
    constants: Mapping[str, str | float | bool]
    nulls: Sequence[str]

    def kinds(self) -> dict[str, str]:
        """Return the columns that are more than text, each with its kind."""
        return {column: kind for kind in _KINDS for column in self.lists[kind]}

    def identity(self) -> dict[str, str]:
        """Return the columns that become the event's own text, each with the key that says so."""
        own = {self.event: "event", self.timestamp: "timestamp", self.uuid: "uuid"}
        own |= {column: f"groups.{kind}" for kind, column in self.tables["groups"].items()}
        own[self.distinct_id[0]] = "distinct_id"
        return {column: key for column, key in own.items() if column is not None}

    def consumed(self) -> dict[str, str]:
        """Return the columns whose value stands elsewhere in the event, each with the key that says so."""
        person = {
            column: f"{key}.{name}"
            for key in ("set", "set_once")
            for name, column in self.tables[key].items()
        }
        return person | self.identity()

    def named(self) -> Iterator[tuple[str, str]]:
        """Yield every key that names a column, with the column."""
        yield from ((key, column) for column, key in self.identity().items())
        yield from (("distinct_id", column) for column in self.distinct_id)
        yield from ((key, column) for key in _LISTS for column in self.lists[key])
        yield from ((f"rename.{column}", column) for column in self.tables["rename"])
        for key in ("set", "set_once", "groups"):
            yield from ((f"{key}.{name}", column) for name, column in self.tables[key].items())

    def declared(self) -> list[str]:
        """Return the columns that are read one by one; the others come together, in `REST`."""
        kinds = self.kinds()
        return list(dict.fromkeys([*self.consumed(), *self.distinct_id, *self.lists["dedup_key"], *kinds]))

    def gone(self) -> set[str]:
        """Return the columns that are no properties."""
        return (self.consumed().keys() - set(self.lists["keep"])) | set(self.lists["drop"])

    def properties(self) -> list[str]:
        """Return the declared columns that are properties."""
        gone = self.gone()
        return [column for column in self.declared() if column not in gone]

    def added(self) -> Iterator[tuple[str, str]]:
        """Yield the keys that give properties new names, with the name."""
        yield from ((f"rename.{column}", name) for column, name in self.tables["rename"].items())
        yield from ((f"constants.{name}", name) for name in self.constants)


def _shown(value: object) -> str:
    """Return what a spec has, as the message shows it."""
    return json.dumps(value, ensure_ascii=False, default=str)


def _wrong(key: str, expected: str, found: object, use: str) -> UsageError:
    """Return the error for a key whose value is of no use."""
    return UsageError(f"spec: {key}: expected {expected}, found {_shown(found)}; use {use}")


def _is_name(value: object) -> bool:
    """Return whether this can be the name of a column, an event or a property."""
    return isinstance(value, str) and bool(value.strip())


def _column(spec: Mapping[str, Any], key: str, use: str) -> str:
    """Return the column under a key that has to be there."""
    if key not in spec:
        raise UsageError(f"spec: {key}: missing; use {use}")
    if not _is_name(spec[key]):
        raise _wrong(key, "the name of a column", spec[key], use)
    return str(spec[key])


def _list(spec: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Return the columns listed under a key, none where it is absent."""
    value = spec.get(key, [])
    is_list = isinstance(value, list) and all(_is_name(name) for name in value)
    if not is_list or (key in spec and not value):
        raise _wrong(key, "a list of columns", value, f'{key} = ["column", …]')
    return tuple(dict.fromkeys(value))


def _table(spec: Mapping[str, Any], key: str) -> dict[str, str]:
    """Return the names given under a key, none where it is absent."""
    use = 'column = "new name"' if key == "rename" else 'name = "column"'
    value = spec.get(key, {})
    if not isinstance(value, Mapping):
        raise _wrong(key, "a table", value, f"[{key}] with lines of {use}")
    for name, text in value.items():
        if not _is_name(text) or not _is_name(name):
            raise _wrong(f"{key}.{name}", "a name" if key == "rename" else "the name of a column", text, use)
    return dict(value)


def _event(spec: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the column of event names, or the one name of all events."""
    use = 'event = "column" or event = {constant = "name"}'
    value = spec.get("event")
    if not isinstance(value, Mapping):
        return _column(spec, "event", use), None
    if set(value) != {"constant"} or not _is_name(value["constant"]):
        raise _wrong("event", "a column or a constant", value, use)
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
        raise _wrong("timestamp.column", "the name of a column", value.get("column"), use)
    shape = _format(value.get("format", "iso"))
    if "zone" not in value:
        return value["column"], shape, None
    if shape in UNIX or _OFFSET.search(shape):
        raise UsageError(
            f"spec: timestamp.zone: {value['format']} says the zone itself; take timestamp.zone out"
        )
    return value["column"], shape, expr.zone_name(value["zone"], "spec: timestamp.zone")


def _format(shape: object) -> str:
    """Return a format polars reads times by; Python's `.%f` is its `%.f`."""
    if shape == "iso" or shape in UNIX:
        return str(shape)
    pattern = str(shape).replace(".%f", "%.f")
    for directive, why in _UNREADABLE.items():
        if directive in pattern:
            raise UsageError(f"spec: timestamp.format: found {_shown(shape)}, and {why}")
    if not isinstance(shape, str) or not _reads_back(pattern):
        expected = "iso, unix_s, unix_ms, unix_us or a strftime pattern with year, month and day"
        raise _wrong("timestamp.format", expected, shape, 'one like "%d.%m.%Y %H:%M:%S"')
    return pattern


def _reads_back(pattern: str) -> bool:
    """Return whether a time written by this pattern is read by it as the same day."""
    try:
        text = pl.Series("text", [_PROBE]).dt.strftime(pattern).to_frame()
        found = text.select_seq(patterned(pl.col("text"), pattern, "UTC")).item()
    except pl.exceptions.ComputeError:
        return False
    return isinstance(found, datetime) and found.date() == _PROBE.date()


def _constants(spec: Mapping[str, Any]) -> dict[str, str | float | bool]:
    """Return the constants; dates and times as ISO 8601."""
    value = spec.get("constants", {})
    if not isinstance(value, Mapping):
        raise _wrong("constants", "a table", value, "[constants] with lines of name = value")
    found: dict[str, str | float | bool] = {}
    for name, constant in value.items():
        is_finite = not isinstance(constant, float) or math.isfinite(constant)
        if not isinstance(constant, (str, int, float, date, time)) or not is_finite:
            expected = "text, a number, true, false or a date"
            raise _wrong(f"constants.{name}", expected, constant, f'{name} = "value"')
        found[name] = constant.isoformat() if isinstance(constant, (date, time)) else constant
    return found


def _nulls(spec: Mapping[str, Any]) -> tuple[str, ...]:
    value = spec.get("nulls", [])
    if not isinstance(value, list) or not all(isinstance(text, str) and text for text in value):
        raise _wrong("nulls", "a list of texts", value, 'nulls = ["text", …]')
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
        lists={key: _list(document, key) for key in _LISTS},
        tables={key: _table(document, key) for key in _TABLES},
        constants=_constants(document),
        nulls=_nulls(document),
    )
    for contradiction in chain(_misread(spec), _misplaced(spec), _named_twice(spec)):
        raise UsageError(f"spec: {contradiction}")
    return spec


def _misread(spec: Spec) -> Iterator[str]:
    """Yield where a column is of two kinds, or of one that its part in the event rules out."""
    kinds, identity = spec.kinds(), spec.identity()
    for kind in _KINDS:
        for column in spec.lists[kind]:
            if kinds[column] != kind:
                yield f"{kind}: {column} is in {kinds[column]} too; take it out of one"
            elif column in identity and column not in spec.lists["keep"]:
                yield f"{kind}: {column} is the column of {identity[column]}; take it out of {kind}"


def _misplaced(spec: Spec) -> Iterator[str]:
    """Yield where two keys want a column in different places."""
    consumed, keep = spec.consumed(), spec.lists["keep"]
    wanted = {column: key for key, column in spec.named() if key not in ("drop", "dedup_key")}
    for column in spec.lists["drop"]:
        if column in wanted:
            yield f"drop: {column} is used by {wanted[column]}; take it out of one"
    for column in keep:
        if column not in consumed:
            yield f"keep: {column} stays a property anyway; take it out of keep"
    for column in spec.tables["rename"]:
        if column in consumed and column not in keep:
            yield f"rename.{column}: {column} is used by {consumed[column]} and no property; add it to keep"


def _named_twice(spec: Spec) -> Iterator[str]:
    """Yield where two properties would have one name."""
    taken = {name: name for name in spec.properties() if name not in spec.tables["rename"]}
    for key, name in spec.added():
        if name in taken:
            yield f"{key}: {taken[name]} gives a property {_shown(name)} already; choose another name"
        taken[name] = key


def missing(spec: Spec, columns: Sequence[str]) -> str | None:
    """Return what the spec names and a file with these columns lacks or has already."""
    found = ", ".join(columns)
    for key, column in spec.named():
        if column not in columns:
            return f"spec: {key}: no column {_shown(column)} in the file, found {found}; spell it as there"
    passing = set(columns) - spec.gone() - spec.tables["rename"].keys()
    for key, name in spec.added():
        if name in passing:
            return f"spec: {key}: the file has a column {_shown(name)} already; choose another name"
    return None


def patterned(text: pl.Expr, pattern: str, zone: str) -> pl.Expr:
    """Return times written by a strftime pattern."""
    bare = text.str.strip_chars()
    if _OFFSET.search(pattern):
        return bare.str.to_datetime(pattern, time_unit="us", time_zone="UTC", strict=False)
    return expr.local(bare.str.to_datetime(pattern, time_unit="us", strict=False), zone)


def layout(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the files are written, as far as a TOML document says it."""
    found: dict[str, Any] = {}
    for key, expected in (("dialect", _DIALECTS), ("quote", None), ("escape", None)):
        if key not in spec:
            continue
        value = spec[key]
        if expected and value not in expected:
            raise _wrong(key, f"one of {', '.join(expected)}", value, f'{key} = "{expected[0]}"')
        if not isinstance(value, str) or (not expected and len(value.encode()) != 1):
            raise _wrong(key, "one ASCII character", value, f'{key} = "\'"')
        found[key] = value
    if not isinstance(spec.get("no_header", False), bool):
        raise _wrong("no_header", "true or false", spec["no_header"], "no_header = true")
    columns = _list(spec, "columns")
    if columns or spec.get("no_header"):
        found |= {"columns": columns, "has_header": False}
    return found
