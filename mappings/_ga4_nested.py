"""Nested values of Google Analytics 4 as text: parameters, user properties, items and records, in any spelling.

They come as JSON, as Python or NumPy prints them, or put together of other rows. Keys come out in order, so that a
value is the same text whatever format it was in.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import polars as pl

from mappings._ga4_schema import NUMBERS, TEXTS
from migrate import bags, expr, values

UNREADABLE: Final = "unreadable: "
RECOVERY: Final = pl.Struct(dict.fromkeys(("params", "user", "items"), pl.String))


def parameters(text: str) -> str | None:
    """Return parameters as a JSON object, keys in order; of a key given twice the first value counts."""
    return _readable(text, lambda: bags.sorted_text(_values(bags.pairs(text))))


def newest(text: str) -> str | None:
    """Return user properties as a JSON object; of a key given twice the value set last counts."""
    return _readable(
        text, lambda: bags.sorted_text(_values(sorted(bags.pairs(text), key=_set_at, reverse=True)))
    )


def bought(text: str) -> str | None:
    """Return items as `{"items": […]}`, each without what is "(not set)", its own parameters among its fields."""
    return _readable(text, lambda: _bought(text))


def audiences(text: str) -> str | None:
    """Return the names of audiences as a property, those without one by their number."""

    def told() -> str | None:
        names = [one.get("name") or str(one["id"]) for one in bags.elements(bags.parsed(text))]
        return bags.sorted_text({"ga_audiences": names} if names else {})

    return _readable(text, told)


def record(name: str, fields: Sequence[str]) -> pl.Expr:
    """Return a struct of a record's fields as text, those of records in it as `outer_inner`; `more` are the others."""

    def told(text: str) -> dict[str, str | None]:
        try:
            known = _known(dict(_leaves(bags.parsed(text) or {})))
        except bags.FAILURES:
            return {"more": bags.sorted_text({f"ga_{name}": text})}
        more = {f"ga_{name}_{key}": value for key, value in known.items() if key not in fields}
        return {one: _text(known.get(one)) for one in fields} | {"more": bags.sorted_text(more)}

    return expr.each(pl.col(name), told, pl.Struct(dict.fromkeys((*fields, "more"), pl.String)))


def recovered(text: str) -> dict[str, str | None]:
    """Return parameters, user properties and items that other rows told, as JSON objects."""
    found: dict[str, dict[str, Any]] = {"params": {}, "user": {}, "items": {}}
    for name, value in sorted(json.loads(text).items()):
        kind, dtype, key = name.split(":", 2)
        found[kind][key] = _typed(key, value, dtype)
    items = _items([json.loads(item) for item in found["items"].values()])
    return {
        "params": bags.sorted_text(found["params"]),
        "user": bags.sorted_text(found["user"]),
        "items": items,
    }


def object_text(columns: Mapping[str, pl.Expr]) -> pl.Expr:
    """Return the columns as a JSON object without nulls, null where there are none."""
    whole = pl.struct(value.alias(name) for name, value in columns.items()).struct.json_encode()
    return expr.each(whole, lambda text: bags.sorted_text(_known(json.loads(text))))


def timed(name: str, time: pl.Expr) -> pl.Expr:
    """Return an object with a time as text; before 1970 and at its start there were no browsers."""
    text = time.dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    return pl.when(time.dt.epoch("us") > 0).then(pl.concat_str([pl.lit(f'{{"{name}":"'), text, pl.lit('"}')]))


def _readable(text: str, made: Callable[[], str | None]) -> str | None:
    try:
        return made()
    except bags.FAILURES:
        return UNREADABLE + text


def _values(pairs: Sequence[bags.Pair]) -> dict[str, Any]:
    """Return the first value of each key that has one."""
    found: dict[str, Any] = {}
    for pair in pairs:
        value = pair.value
        if value is None:
            continue
        key = value.user_property_name or pair.key
        if value.string_value is not None:
            found.setdefault(key, value.string_value)
        elif value.int_value is not None:
            whole = int(value.int_value)
            found.setdefault(key, str(whole) if _is_text(key) else whole)
        else:
            given = value.double_value if value.double_value is not None else value.float_value
            if given is not None and math.isfinite(number := float(given)):
                found.setdefault(key, number)
    return found


def _set_at(pair: bags.Pair) -> int:
    return int(pair.value.set_timestamp_micros or 0) if pair.value else 0


def _is_text(key: str) -> bool:
    return key.endswith("_id") or key in TEXTS


def _bought(text: str) -> str | None:
    """Return a list of items; each distinct one is read once, as the same few are on most rows."""
    try:
        told = [_item_text(bytes(raw)) for raw in bags.raw_list(text)]
    except bags.FAILURES:
        return _items(bags.elements(bags.parsed(text)))
    return f'{{"items":[{",".join(told)}]}}' if told else None


@lru_cache(maxsize=10_000)
def _item_text(text: bytes) -> str:
    return bags.sorted_text(_item(bags.elements([bags.plain(text)])[0])) or "{}"


def _items(items: Sequence[Mapping[str, Any]]) -> str | None:
    """Return items as PostHog keeps them."""
    return bags.sorted_text({"items": [_item(item) for item in items]}) if items else None


def _item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item; a field of its own wins over a parameter of the item."""
    own = {key: value for key, value in item.items() if key != "item_params"}
    pairs = bags.pairs_of(bags.elements(item.get("item_params") or []))
    return _values(pairs) | _known(own)


def _known(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that say something, numbers as numbers."""
    told = {
        key: one
        for key, one in fields.items()
        if one is not None and not (isinstance(one, str) and one in _NOTHING)
    }
    return {
        key: _number(one) if key in NUMBERS or isinstance(one, float) else one for key, one in told.items()
    }


def _number(value: Any) -> Any:  # noqa: ANN401 - a number stays itself
    """Return text as a number, where it is one; whole ones alike, as some formats write 3 and others 3.0."""
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        return value
    return int(found) if abs(found) < _EXACT and found == int(found) else found


def _typed(key: str, value: str, dtype: str) -> Any:  # noqa: ANN401 - text or number
    """Return a recovered value; of an unknown type a number if its key or its decimal point says so."""
    is_number = dtype == "number" or (
        dtype == "any" and (key in NUMBERS or _DECIMAL.fullmatch(value) is not None)
    )
    return _number(value) if is_number and not _is_text(key) else value


def _leaves(value: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the fields of a record, those of records inside it with both names."""
    for key, one in value.items():
        if isinstance(one, dict):
            yield from _leaves(one, f"{path}{key}_")
        else:
            yield f"{path}{key}", one


def _text(value: Any) -> str | None:  # noqa: ANN401 - a scalar
    return None if value is None or isinstance(value, list | dict) else str(value)


_NOTHING: Final = frozenset(values.NOTHING)
_EXACT: Final = 2**53
_DECIMAL: Final = re.compile(r"-?\d+\.\d+(e[-+]?\d+)?", re.IGNORECASE)
