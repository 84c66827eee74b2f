"""Lists and records of Google Analytics 4 in any spelling: as JSON, as Python or NumPy prints them, wrapped or bare."""

import ast
import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar

from migrate.kit.cells import FAILURES, Shape, converted, reader

_NAN: Final = re.compile(r"(?<=: )nan\b")
_BETWEEN: Final = re.compile(r"\}\s*\n\s*\{")
_ARRAY: Final = re.compile(r"\barray\((\[.*?\])(?:, dtype=\w+)?\)", re.DOTALL)


class Value(Shape):
    """A parameter's value: one of the four, or none; `bq extract` writes 64-bit integers as strings."""

    string_value: str | None = None
    int_value: int | str | None = None
    float_value: float | str | None = None
    double_value: float | str | None = None


class UserValue(Value):
    """A user property's value; tables of users number the properties, and name them here."""

    set_timestamp_micros: int | str | None = None
    user_property_name: str | None = None


class Pair(Shape):
    """A parameter."""

    key: str
    value: Value | None = None


class UserPair(Shape):
    """A user property."""

    key: str
    value: UserValue | None = None


P = TypeVar("P", Pair, UserPair)
# Read by type: no other way is fast enough for parameters.
read_pairs: Final = reader(list[Pair])
read_user_pairs: Final = reader(list[UserPair])
json_value: Final = reader(object)


def unwrapped(found: object, name: str) -> object:
    """Return what a cell holds without its own column's name around it: `{"event_params":[…]}` is the list."""
    if isinstance(found, dict) and len(found) == 1:
        (key, inner), *_ = found.items()
        if key.lower() == name and isinstance(inner, dict | list | None):
            return inner
    return found


def elements(found: object) -> list[Any]:
    """Return a list's elements, taken out of the wrappers that some Parquet writers put around them."""
    if isinstance(found, dict):
        found = found.get("list", found.get("array"))
    if not isinstance(found, list):
        raise TypeError(found)
    return [one.get("element", one.get("item", one.get("array", one))) for one in found]


def parsed(text: str) -> object:
    """Return a JSON value; or one as Python or NumPy prints it. Raises `ValueError` where it is neither."""
    with suppress(*FAILURES):
        return json_value(text)
    try:
        return json.loads(text, strict=False)
    except ValueError:
        pass
    plain = _ARRAY.sub(r"\1", _BETWEEN.sub("}, {", _NAN.sub("None", text)))
    try:
        return ast.literal_eval(plain.strip())
    except (SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError(text) from error


def pairs_in(text: str, name: str, read: Callable[[str], list[P]], kind: type[P]) -> list[P]:
    """Return the pairs of a list in any of its spellings; a plain object is a list of its members."""
    try:
        return read(text)
    except FAILURES:
        found = unwrapped(parsed(text), name)
    if found is None:
        return []
    if isinstance(found, dict) and not found.keys() & {"list", "array"}:
        found = [{"key": key, "value": value} for key, value in found.items()]
    return converted_pairs(elements(found), kind)


def converted_pairs(found: Sequence[Mapping[str, Any]], kind: type[P]) -> list[P]:
    """Return pairs, their values wrapped or bare."""
    wrapped = [{"key": str(one["key"]), "value": _wrapped(one.get("value"))} for one in found]
    return [converted(one, kind) for one in wrapped]


def _wrapped(value: object) -> dict[str, Any]:
    """Return a bare value as Google wraps it."""
    if isinstance(value, dict) or value is None:
        return value or {}
    if isinstance(value, str | bool | list):
        return {"string_value": value if isinstance(value, str) else json.dumps(value)}
    return {"int_value" if isinstance(value, int) else "double_value": value}
