"""Property bags as JSON text: split, reduced and completed, each distinct text once."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
import polars as pl

from migrate.jsontext.build import embraced, inner_text
from migrate.jsontext.parse import Raw, decoded, encoded, raw_object, sound_members
from migrate.kit.cells import FAILURES, value_of
from migrate.kit.distinct import on_unique

NESTED: Final = r':\s*"\s*[\[{]'
"""Found in objects in which a text may hold an object or a list."""
GROUP: Final = pl.Struct({"type": pl.String, "key": pl.String, "properties": pl.String})

_DECODER: Final = json.JSONDecoder()
_COLON: Final = re.compile(r"\s*:\s*")
_objects = msgspec.json.Decoder(dict[str, dict[str, Raw]])
_values = msgspec.json.Decoder(dict[str, Any])


def parted(text: str, prefix: str, empty: frozenset[str]) -> dict[str, str | None]:
    """Return an object's members as two: `once`, those whose key begins with the prefix, and `rest`.

    A key of `once` gets a `$` before it, and is left out where its value is one of `empty` or blank. What stands
    under `$set` and `$setOnce` is taken out of them.
    """
    try:
        bag = raw_object(text)
        operations = {key: _members(bag.pop(key)) for key in ("$set", "$setOnce") if key in bag}
    except msgspec.DecodeError:
        return {"rest": text, "once": None}
    bag |= operations.get("$set", {})
    rest = {key: raw for key, raw in bag.items() if not key.startswith(prefix)}
    firsts = {key: raw for key, raw in bag.items() if key.startswith(prefix)}
    once = operations.get("$setOnce", {}) | {f"${key}": raw for key, raw in firsts.items()}
    blank = {b"null", b'""', *(f'"{word}"'.encode() for word in empty)}
    return {
        "rest": _text(rest),
        "once": _text({key: raw for key, raw in once.items() if bytes(raw) not in blank}),
    }


def completed(bag: str | None, other: str | None) -> str | None:
    """Return an object with the members of another that it lacks."""
    if bag is None or other is None:
        return bag or other
    return _text(raw_object(other) | raw_object(bag))


def first_values(text: str) -> str | None:
    """Return an object with each list reduced to its first value, as text; null where nothing is left."""
    firsts = {key: keys[0] for key, keys in _keys(text).items()}
    return msgspec.json.encode(firsts).decode() if firsts else None


def bare_names(text: str) -> str:
    """Return an object with the `_` before its keys taken off, in lower case where all are in upper."""
    members, place = {}, text.index("{") + 1
    while (start := text.find('"', place)) >= 0:
        key, end = _DECODER.raw_decode(text, start)
        begin = _COLON.match(text, end).end()  # type: ignore[union-attr]
        place = _DECODER.raw_decode(text, begin)[1]
        members[key] = text[begin:place]
    shouted = all(key.isupper() for key in members)
    found: dict[str, str] = {}
    for key, value in members.items():
        name = (key.lower() if shouted else key).removeprefix("_")
        found[name if name and name not in members and name not in found else key] = value
    return "{" + ",".join(f"{json.dumps(key, ensure_ascii=False)}:{found[key]}" for key in found) + "}"


def group_updates(groups: str | None, properties: str | None) -> list[dict[str, str]]:
    """Return a group update for each group that has properties: which group it is of, and its properties.

    `properties` is `{type: {key: {name: value}}}`; or, as an SDK sends it, `{name: value}` or `{"$set": …}`, which
    holds for every group in `groups`, `{type: [key, …]}`.
    """
    owners = [(kind, key) for kind, keys in _keys(groups or "{}").items() for key in keys]
    nested = _nested(properties or "{}")
    if nested is None:
        flat = _flat(properties or "{}")
        updates = [(kind, key, flat) for kind, key in owners]
    else:
        updates = [(kind, key, _flat(raw)) for kind, bags in nested.items() for key, raw in bags.items()]
        told = {(kind, key) for kind, key, _ in updates}
        updates += [(kind, key, {}) for kind, key in owners if (kind, key) not in told]
    return [_group_update(kind, key, bag) for kind, key, bag in updates]


def parameters(query: str, names: Sequence[str]) -> str | None:
    """Return those of a URL query's parameters that are among the names, as an object; the first of each counts."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(query):
        if name in names:
            found.setdefault(name, value)
    return msgspec.json.encode(found).decode() if found else None


def with_query(given: pl.Series, names: Sequence[str]) -> pl.Series:
    """Return the field `bag` of a struct, with these parameters of its field `url` where it has none of them."""
    bag, url = given.struct.field("bag"), given.struct.field("url")
    if not url.str.contains("?", literal=True).any():
        return bag
    in_bag = bag.str.contains_any([f'"{name}"' for name in names]).fill_null(value=False)
    escaped = (bag.str.contains("\\u", literal=True) & ~in_bag).fill_null(value=False).arg_true()
    in_bag = in_bag.scatter(
        escaped, [not raw_object(text).keys().isdisjoint(names) for text in bag.gather(escaped)]
    )
    where = (url.str.contains_any([f"{name}=" for name in names]) & ~in_bag).arg_true()
    if not where.len():
        return bag
    query = url.gather(where).str.extract(r"\?([^#]*)")
    found = on_unique(query, pl.String, lambda text: parameters(text, names))
    table = pl.DataFrame({"bag": bag.gather(where), "found": found})
    inside = pl.concat_str(
        [inner_text(pl.col("bag")), inner_text(pl.col("found"))], separator=",", ignore_nulls=True
    )
    both = pl.when(pl.col("found").is_null()).then("bag").otherwise(embraced(inside))
    return bag.clone().scatter(where, table.select_seq(both).to_series())


def with_nested(text: str) -> str:
    """Return an object with the objects and lists that stand in it as texts."""
    members = sound_members(text)
    found = {name: _within(bytes(value).decode()) for name, value in members.items()}
    return encoded({name: found[name] or value for name, value in members.items()}).decode()


def _within(value: str) -> Raw | None:
    """Return the object or list that a JSON text holds, None for any other value."""
    if not value.startswith('"'):
        return None
    inner = re.sub(r"[\r\n]", " ", value_of(value)).strip()
    if not inner.startswith(("{", "[")):
        return None
    try:
        found = sound_members(f'{{"":{inner}}}').get("")
    except (*FAILURES, UnicodeEncodeError):
        return None
    return found if found is not None and bytes(found).decode() == inner else None


def _members(value: str | Raw) -> dict[str, Raw]:
    return raw_object(value if isinstance(value, str) else bytes(value).decode())


def _text(bag: dict[str, Raw]) -> str | None:
    """Return an object's text, null where it is empty."""
    return msgspec.json.encode(bag).decode() if bag else None


def _keys(groups: str) -> dict[str, list[str]]:
    """Return each group type's keys as text, without blank ones and without types that have none."""
    try:
        found = decoded(_values, groups)
    except msgspec.DecodeError:
        return {}
    named = {kind: [key for key in _scalars(value) if key] for kind, value in found.items()}
    return {kind: keys for kind, keys in named.items() if keys}


def _scalars(value: object) -> Iterable[str]:
    """Yield the scalars of a list, or the one scalar, as text."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, bool):
            yield "true" if item else "false"
        elif isinstance(item, float) and item.is_integer():
            yield str(int(item))
        elif isinstance(item, str | int | float):
            yield str(item).strip()


def _nested(properties: str) -> dict[str, dict[str, Raw]] | None:
    """Return group properties by type and key, null where they are not so."""
    try:
        found = decoded(_objects, properties)
    except msgspec.DecodeError:
        return None
    keyed = all(bytes(raw).startswith(b"{") for bags in found.values() for raw in bags.values())
    return found if keyed and not any(kind.startswith("$") for kind in found) else None


def _flat(properties: str | Raw) -> dict[str, Raw]:
    """Return a group's properties, taken out of `$set` where they stand in it."""
    try:
        bag = _members(properties)
        return bag | _members(bag.pop("$set")) if "$set" in bag else bag
    except msgspec.DecodeError:
        return {}


def _group_update(kind: str, key: str, bag: dict[str, Raw]) -> dict[str, str]:
    return {"type": kind, "key": key, "properties": msgspec.json.encode(bag).decode()}
