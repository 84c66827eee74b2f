"""Nested values of Google Analytics 4: parameters, user properties, items and records, in any spelling.

They come as JSON, as Python or NumPy prints them, or put together of other rows. Keys come out in order, so that a
value is the same text whatever format it was in.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import parse_qsl

import polars as pl

from mappings._ga4_schema import NUMBERS, OF_SESSION, RECORDS, TEXTS
from mappings._ga4_spellings import (
    Pair,
    UserPair,
    converted_pairs,
    elements,
    json_value,
    pairs_in,
    parsed,
    read_pairs,
    read_user_pairs,
    unwrapped,
)
from migrate.kit import cells, expr, nulls, values
from migrate.kit.cells import FAILURES, Json, members, reader, sorted_text

T = TypeVar("T")
WHOLE: Final = "(whole)"
"""Under this name is all that a list holds, as one JSON object; Google's names have no brackets."""
UNREADABLE: Final = "unreadable: "
RECOVERY: Final = pl.Struct(dict.fromkeys(("params", "user", "items"), pl.String))
_DECIMAL: Final = re.compile(r"-?\d+\.\d+(e[-+]?\d+)?", re.IGNORECASE)
_NOTHING: Final = frozenset(nulls.NOTHING)
_OF_RECORD: Final = re.compile(rf"ga_({'|'.join(RECORDS)})_")
"""Before the fields of records, as `_ga4_flat.pivoted` calls them."""
_REMEMBERED: Final = 2_048
_SHORT: Final = 1_000
"""Longer texts are not remembered: they would take too much room, and hardly repeat."""
_elements: Final = reader(list[Json])


class Record(NamedTuple):
    """What a record holds: its known fields as text, and under names of their own all others."""

    fields: Mapping[str, str | None]
    others: str | None


def remembered(function: Callable[[str], T]) -> Callable[[str], T]:
    """Return the function with a memory, for texts that many rows share."""
    cached = lru_cache(maxsize=_REMEMBERED)(function)

    def made(text: str) -> T:
        return cached(text) if len(text) <= _SHORT else function(text)

    return made


def parameters(text: str) -> str | None:
    """Return parameters as a JSON object, keys in order; of a key given twice the first value counts."""
    return sorted_text(_values(pairs_in(text, "event_params", read_pairs, Pair)))


def newest(text: str) -> str | None:
    """Return user properties as a JSON object, keys in order; of a key given twice the value set last counts.

    Apps list the session among them, which is the event's and stands among its parameters.
    """
    pairs = sorted(pairs_in(text, "user_properties", read_user_pairs, UserPair), key=_set_at, reverse=True)
    for pair in pairs:
        if pair.value is not None and pair.value.user_property_name:
            pair.key = pair.value.user_property_name
    return sorted_text(_values([pair for pair in pairs if pair.key not in OF_SESSION]))


def bought(text: str) -> str | None:
    """Return `{"items": […]}`, each without what is "(not set)", its own parameters among its fields."""
    try:
        told = [_item_text(bytes(raw)) for raw in _elements(text)]
    except FAILURES:
        found = unwrapped(parsed(text), "items")
        told = [] if found is None else [sorted_text(_item(item)) or "{}" for item in elements(found)]
    return f'{{"items":[{",".join(told)}]}}' if told else None


def text_of(read: Callable[[str], str | None]) -> Callable[[str], str | None]:
    """Return a function that gives what is read of a list, of one that cannot be read a text that is no object."""

    def told(text: str) -> str | None:
        try:
            return read(text)
        except FAILURES:
            return UNREADABLE + text

    return told


def audiences(text: str) -> str | None:
    """Return the names of audiences as a property, those without one by their number; null of what is no list."""
    try:
        names = [one.get("name") or str(one["id"]) for one in elements(unwrapped(parsed(text), "audiences"))]
    except FAILURES:
        return None
    return sorted_text({"ga_audiences": names} if names else {})


def record(name: str, fields: Sequence[str]) -> Callable[[str], Record]:
    """Return what reads a record; fields of records in it are `outer_inner`, those not known `ga_<record>_<field>`."""

    def opened(text: str) -> Record:
        try:
            known = _known(dict(_leaves(unwrapped(parsed(text), name) or {})))
        except FAILURES:
            return Record({}, sorted_text({f"ga_{name}": text}))
        others = {f"ga_{name}_{key}": value for key, value in known.items() if key not in fields}
        return Record({one: _text(known.get(one)) for one in fields}, sorted_text(others))

    return remembered(opened)


RECORD: Final = {name: record(name, fields) for name, fields in RECORDS.items()}
"""What reads each record of an event."""


def others(name: str) -> Callable[[str], str | None]:
    """Return what reads the fields of a record that are kept as they are."""
    read = RECORD[name]
    return lambda text: read(text).others


def fields(name: str, texts: pl.Series) -> pl.DataFrame:
    """Return the known fields of these records, a column each."""
    read, names = RECORD[name], RECORDS[name]
    told = [{} if text is None else read(text).fields for text in texts.to_list()]
    columns = {one: [row.get(one) for row in told] for one in names}
    return pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String))


def parts(name: str, wanted: Sequence[str]) -> pl.Expr:
    """Return a struct of these fields of a record as text; `more` is an object of the others."""
    read = record(name, wanted)

    def told(text: str) -> dict[str, str | None]:
        found = read(text)
        return {**found.fields, "more": found.others}

    return expr.each(pl.col(name), told, pl.Struct(dict.fromkeys((*wanted, "more"), pl.String)))


def recovered(text: str) -> dict[str, str | None]:
    """Return parameters, user properties and items that other rows told, as JSON objects."""
    found: dict[str, dict[str, Any]] = {"params": {}, "user": {}, "items": {}}
    for name, value in sorted(json.loads(text).items()):
        kind, dtype, key = name.split(":", 2)
        found[kind][key] = _typed(key, value, dtype)
    items = [_item(json.loads(item)) for item in found["items"].values()]
    return {
        "params": sorted_text(found["params"]),
        "user": sorted_text(found["user"]),
        "items": sorted_text({"items": items} if items else {}),
    }


def object_text(columns: Mapping[str, pl.Expr]) -> pl.Expr:
    """Return the columns as a JSON object without nulls, null where there are none."""
    whole = pl.struct(value.alias(name) for name, value in columns.items()).struct.json_encode()
    return expr.each(whole, lambda text: sorted_text(_known(json.loads(text))))


def timed(name: str, time: pl.Expr) -> pl.Expr:
    """Return an object with a time as text, null of 1970's start and before, when there were no browsers."""
    text = pl.concat_str([pl.lit(f'{{"{name}":"'), expr.iso(time), pl.lit('"}')])
    return pl.when(time.dt.epoch("us") > 0).then(text)


def queried(url: pl.Expr) -> pl.Expr:
    """Return a struct of what the query of an address says of campaigns; of each parameter the first counts."""
    holds = url.str.contains_any([f"{name}=" for name in values.CAMPAIGN])
    query = pl.when(holds).then(url.str.extract(r"\?([^#]*)"))
    return expr.each(query, _campaign, pl.Struct(dict.fromkeys(values.CAMPAIGN, pl.String)))


def _campaign(query: str) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name, value in parse_qsl(query):
        found.setdefault(name, value)
    return {name: found.get(name) for name in values.CAMPAIGN}


def of_event(columns: str) -> str | None:
    """Return the columns of a flattened row that are of its event, null where there are none.

    Those of records are left out: tables of one day do not all have them.
    """
    own = {name: value for name, value in (members(columns) or {}).items() if not _OF_RECORD.match(name)}
    return cells.object_text(own)


def _values(pairs: Sequence[Pair] | Sequence[UserPair]) -> dict[str, Any]:
    """Return the first value of each key that has one; in one plain loop, as it runs six times a row."""
    found: dict[str, Any] = {}
    for pair in pairs:
        value = pair.value
        if value is None:
            continue
        key, text = pair.key, value.string_value
        if text is not None:
            if key not in found:
                found[key] = text
            continue
        whole = value.int_value
        if whole is not None:
            number = whole if whole.__class__ is int else int(whole)
            if key not in found:
                found[key] = str(number) if _is_text(key) else number
            continue
        given = value.double_value
        if given is None:
            given = value.float_value
        if given is not None and math.isfinite(size := float(given)) and key not in found:
            found[key] = size
    return found


def _set_at(pair: UserPair) -> int:
    return int(pair.value.set_timestamp_micros or 0) if pair.value else 0


@lru_cache(maxsize=_REMEMBERED)
def _is_text(key: str) -> bool:
    return key.endswith("_id") or key in TEXTS


@lru_cache(maxsize=10_000)
def _item_text(text: bytes) -> str:
    return sorted_text(_item(elements([json_value(text)])[0])) or "{}"


def _item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item; a field of its own wins over a parameter of the item."""
    own = {key: value for key, value in item.items() if key != "item_params"}
    pairs = converted_pairs(elements(unwrapped(item.get("item_params"), "item_params") or []), Pair)
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


def _number(value: object) -> object:
    """Return text as a number, where it is one; whole ones alike, as some formats write 3 and others 3.0."""
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        return value
    return int(found) if abs(found) < expr.EXACT_INTEGER and found == int(found) else found


def _typed(key: str, value: str, dtype: str) -> object:
    """Return a recovered value; of an unknown type a number if its key or its decimal point says so."""
    is_number = dtype == "number" or (
        dtype == "any" and (key in NUMBERS or _DECIMAL.fullmatch(value) is not None)
    )
    return _number(value) if is_number and not _is_text(key) else value


def _leaves(value: object, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the fields of a record, those of records inside it with both names; raises `TypeError` where it is none."""
    if not isinstance(value, dict):
        raise TypeError(value)
    for key, one in value.items():
        if isinstance(one, dict):
            yield from _leaves(one, f"{path}{key}_")
        else:
            yield f"{path}{key}", one


def _text(value: object) -> str | None:
    return None if value is None or isinstance(value, list | dict) else str(value)
