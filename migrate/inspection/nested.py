"""Columns of objects → what stands inside of them, as columns that are called by their paths: `user.id`."""

import re
from collections.abc import Sequence
from dataclasses import replace

from migrate.inspection.columns import Column, Row, columns_of
from migrate.inspection.first import value_of
from migrate.inspection.values import Value
from migrate.jsontext.parse import raw_object


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
