"""Columns of objects → what stands inside of them, as columns that are called by their paths: `user.id`."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import msgspec

from migrate.inspection.columns import Column, Row, columns_of
from migrate.inspection.first import value_of
from migrate.inspection.values import Value
from migrate.jsontext.parse import decoded, raw_object

_raw_list: Final = msgspec.json.Decoder(list[msgspec.Raw])


def nested(columns: Sequence[Column], rows: Sequence[Row]) -> tuple[list[Column], list[Row]]:
    """Return what stands inside of objects as columns, called by their paths, and rows that have them, too."""
    wider, found = [dict(row) for row in rows], list[Column]()
    for one in columns:
        if one.type != "object" or not _is_step(one.name):
            continue
        bags: list[Row] = [_scalars(row[one.name]) if one.name in row else {} for row in rows]
        inside = columns_of((), bags)
        joined = columns_of((), [{f"{one.name}_{key}": value for key, value in bag.items()} for bag in bags])
        for plain, whole in zip(inside, joined, strict=True):
            found.append(replace(plain, name=f"{one.name}.{plain.name}", roles=plain.roles or whole.roles))
        for row, bag in zip(wider, bags, strict=True):
            row |= {f"{one.name}.{key}": value for key, value in bag.items()}
    return found, [*wider]


def alone(columns: Sequence[Column], rows: Sequence[Row]) -> list[Column]:
    """Return what stands inside of lists that never hold more than one object, as columns: `items[0].sku`."""
    found = list[Column]()
    for one in columns:
        objects = elements(one, rows)
        if objects is not None and objects.most == 1 and _is_step(one.name):
            inside = columns_of((), [_scalars(bag) for bag in objects.bags])
            found += [replace(plain, name=f"{one.name}[0].{plain.name}") for plain in inside]
    return found


class Elements(NamedTuple):
    """What the lists of a column hold, where all of it is objects."""

    bags: Sequence[Value]
    lists: int
    most: int
    """So many of them are in the longest list."""


def elements(column: Column, rows: Sequence[Row]) -> Elements | None:
    """Return the objects in the lists of a column; None where there are none, or others among them."""
    if column.type != "list":
        return None
    lists = [found for row in rows if (found := _listed(row.get(column.name))) is not None]
    bags = [bag for found in lists for bag in found]
    if not bags or any(bag is None or bag.form != "object" for bag in bags):
        return None
    return Elements([bag for bag in bags if bag is not None], len(lists), max(map(len, lists)))


def _listed(value: Value | None) -> list[Value | None] | None:
    """Return the elements of a list; None where it is none."""
    try:
        found = decoded(_raw_list, value.text) if value is not None else None
    except (ValueError, RecursionError):
        return None
    return None if found is None else [value_of(bytes(raw)) for raw in found]


def _is_step(name: str) -> bool:
    """Return whether a path may go through this name."""
    return bool(name.strip()) and not re.search(r"[.\[\]\x00-\x1f]", name)


def _scalars(value: Value) -> dict[str, Value]:
    """Return what an object holds that is no object or list itself."""
    try:
        bag = raw_object(value.text)
    except (ValueError, RecursionError):
        return {}
    found = ((key, value_of(bytes(raw))) for key, raw in bag.items() if _is_step(key))
    return {key: one for key, one in found if one is not None and one.form not in {"object", "list"}}
