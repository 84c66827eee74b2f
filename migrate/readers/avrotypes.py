"""Avro's types → Arrow's, declared by the file's schema and never inferred from values."""

import decimal
import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import pyarrow as pa

Convert = Callable[[Any, Counter[str]], Any]

_DAY_US: Final = 86_400_000_000
_LEAST_US: Final = -62_135_596_800_000_000
_MOST_US: Final = 253_402_300_799_999_999
"""The years 1 to 9999, beyond which no time can be written."""

_SIMPLE: Final = {
    "null": pa.null(),
    "boolean": pa.bool_(),
    "int": pa.int64(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "string": pa.large_string(),
    "enum": pa.large_string(),
    "bytes": pa.large_binary(),
    "fixed": pa.large_binary(),
}
_TIMES: Final = {
    "timestamp-millis": (pa.timestamp("ms", "UTC"), 1e3),
    "timestamp-micros": (pa.timestamp("us", "UTC"), 1),
    "timestamp-nanos": (pa.timestamp("ns", "UTC"), 1e-3),
    "local-timestamp-millis": (pa.timestamp("ms"), 1e3),
    "local-timestamp-micros": (pa.timestamp("us"), 1),
    "local-timestamp-nanos": (pa.timestamp("ns"), 1e-3),
    "date": (pa.date32(), _DAY_US),
}
_CLOCKS: Final = {"time-millis": (pa.time32("ms"), 1e3), "time-micros": (pa.time64("us"), 1)}
_DIGITS: Final = 38
_UUID_BYTES: Final = 16


class Column(NamedTuple):
    """A type, and what makes decoded values values of it, if they are not."""

    type: pa.DataType
    convert: Convert | None

    def array(self, values: list[Any], counts: Counter[str]) -> pa.Array:
        """Return the values as a column; what its type cannot hold is null and counted."""
        if self.convert is not None:
            convert = self.convert
            values = [None if value is None else convert(value, counts) for value in values]
        return pa.array(values, self.type)


def plain(schema: Any) -> Any:  # noqa: ANN401 - Avro schemas are JSON
    """Return the schema without logical types, so that numbers come as they are stored."""
    if isinstance(schema, dict):
        return {key: plain(value) for key, value in schema.items() if key != "logicalType"}
    return [plain(one) for one in schema] if isinstance(schema, list) else schema


def typed(schema: Any, named: dict[str, Any], inside: tuple[str, ...]) -> Column:  # noqa: ANN401 - JSON
    """Return the column of a schema parsed by fastavro; `named` gathers its named types as they come.

    Unions of several types, and types inside themselves, become text: strings as they are, all else as JSON.
    """
    if isinstance(schema, list):
        return _union([one for one in schema if one != "null"], named, inside)
    if isinstance(schema, str):
        if schema in _SIMPLE:
            return Column(_SIMPLE[schema], None)
        return _ANYTHING if schema in inside else typed(named[schema], named, inside)
    kind = schema["type"]
    if not isinstance(kind, str):
        return typed(kind, named, inside)
    if "name" in schema:
        named[schema["name"]] = schema
        inside = (*inside, schema["name"])
    if kind in {"array", "map", "record", "error"}:
        return _nested(schema, kind, named, inside)
    return _logical(schema, kind) or typed(kind, named, inside)


def _union(branches: list[Any], named: dict[str, Any], inside: tuple[str, ...]) -> Column:
    if len(branches) == 1:
        return typed(branches[0], named, inside)
    found = [typed(one, named, inside) for one in branches]
    if not found:
        return Column(pa.null(), None)
    return found[0] if all(one == Column(pa.int64(), None) for one in found) else _ANYTHING


def _nested(schema: Mapping[str, Any], kind: str, named: dict[str, Any], inside: tuple[str, ...]) -> Column:
    if kind == "array":
        item = typed(schema["items"], named, inside)
        return Column(
            pa.large_list(item.type), lambda value, counts: [_value(item, v, counts) for v in value]
        )
    if kind == "map":
        item = typed(schema["values"], named, inside)
        return Column(
            pa.map_(pa.large_string(), item.type),
            lambda value, counts: [(key, _value(item, v, counts)) for key, v in value.items()],
        )
    members = {field["name"]: typed(field["type"], named, inside) for field in schema["fields"]}
    if not members:
        return _ANYTHING
    return Column(
        pa.struct([(name, member.type) for name, member in members.items()]),
        lambda value, counts: {name: _value(member, value[name], counts) for name, member in members.items()},
    )


def _value(column: Column, value: Any, counts: Counter[str]) -> Any:  # noqa: ANN401 - whatever Avro holds
    return value if value is None or column.convert is None else column.convert(value, counts)


def _logical(schema: Mapping[str, Any], kind: str) -> Column | None:
    """Return the column of a logical type, None where the type is only what it is stored as."""
    logical = schema.get("logicalType")
    if logical in _TIMES and kind in {"int", "long"}:
        target, micros = _TIMES[logical]
        return Column(target, _within(_LEAST_US / micros, _MOST_US / micros))
    if logical in _CLOCKS and kind in {"int", "long"}:
        target, micros = _CLOCKS[logical]
        return Column(target, _within(0, _DAY_US / micros - 1))
    if logical == "decimal" and kind in {"bytes", "fixed"}:
        return _decimal(schema)
    if logical == "uuid" and kind == "fixed" and schema.get("size") == _UUID_BYTES:
        return Column(pa.large_string(), lambda value, _: _hyphened(value.hex()))
    return None


def _within(least: float, most: float) -> Convert:
    """Return a conversion that leaves out what no calendar or clock has."""

    def convert(value: int, counts: Counter[str]) -> int | None:
        if least <= value <= most:
            return value
        counts["impossible_time"] += 1
        return None

    return convert


def _decimal(schema: Mapping[str, Any]) -> Column:
    scale: int = schema.get("scale", 0)
    exact = decimal.Context(prec=1000)

    def number(value: bytes, _counts: Counter[str]) -> decimal.Decimal:
        return exact.create_decimal(int.from_bytes(value, "big", signed=True)).scaleb(-scale, exact)

    def fitting(value: bytes, counts: Counter[str]) -> decimal.Decimal | None:
        found = number(value, counts)
        if len(found.as_tuple().digits) <= _DIGITS:
            return found
        counts["impossible_number"] += 1
        return None

    if schema["precision"] <= _DIGITS and 0 <= scale <= _DIGITS:
        return Column(pa.decimal128(_DIGITS, scale), fitting)
    return Column(pa.large_string(), lambda value, counts: f"{number(value, counts):f}")


def _anything(value: Any, _counts: Counter[str]) -> str:  # noqa: ANN401 - whatever Avro holds
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return _printed(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_printed)


def _printed(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()


def _hyphened(digits: str) -> str:
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


_ANYTHING: Final = Column(pa.large_string(), _anything)
