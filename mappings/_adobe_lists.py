"""Adobe's columns of many values, and its twins of columns → one object: events, products, eVars under their names.

In lists `,` ends a value, `;` a field and `=` or `:` what belongs to an event; `^` stands before one of them that was
sent (datafeeds-spec-chars, see `adobe`).
"""

import re
from collections.abc import Mapping
from functools import partial
from typing import Final

from migrate.kit import cells
from migrate.kit.nulls import NOTHING

IDS: Final = "ids"
NUMBERS: Final = "numbers"
VALUES: Final = "values"
SERIALS: Final = "serials"
"""Keys of a list of events: their ids as a text, as a list, what those are worth that have a value, serial numbers."""
PRODUCTS: Final = "products"
REVENUE: Final = "revenue"
"""Keys of a list of products: these, and the sum of their prices."""
USER: Final = "~user"
"""Key of the user's own id."""

_NOTHING: Final = frozenset(bytes(cells.json_of(word)) for word in NOTHING)
_ESCAPED: Final = re.compile(r"\^(.)", re.DOTALL)


def event_list(text: str) -> str | None:
    """Return the ids of a list of events, what those are worth that have a value, and the serial numbers of others.

    `1,200=2.5,201:serial,202=3:serial`.
    """
    ids: list[str] = []
    worth: dict[str, str] = {}
    serials: dict[str, str] = {}
    for one in _split(text, ","):
        first, *serial = _split(one, ":")
        number, value = _parted(first)
        if number:
            ids.append(number)
            worth |= {number: value} if value else {}
            serials |= {number: _plain(":".join(serial))} if serial else {}
    if not ids:
        return None
    found = {VALUES: worth, SERIALS: serials}
    return cells.text_of({IDS: ",".join(ids), NUMBERS: ids} | {key: one for key, one in found.items() if one})


def names(text: str) -> str | None:
    """Return the names of events that a lookup knows, of a list with nulls for the others."""
    known = [name for name in cells.value_of(text) if name is not None]
    return cells.text_of(known) if known else None


def product_list(text: str) -> str | None:
    """Return the products of a list, `category;product;quantity;price;events;evars` each; a price is its line's."""
    items: list[dict[str, object]] = []
    total: float | None = None
    for one in _split(text, ","):
        category, product, quantity, price, events, evars, *_ = (*_split(one, ";"), *[""] * 6)
        item: dict[str, object] = {
            "category": _plain(category),
            "product": _plain(product),
            "quantity": _number(quantity),
            "price": _number(price),
            "events": _pairs(events),
            "evars": _pairs(evars),
        }
        kept = {name: value for name, value in item.items() if value not in ("", None, {})}
        if kept:
            items.append(kept)
        line = _number(price)
        if line is not None:
            total = line if total is None else total + line
    if not items:
        return None
    return cells.text_of({PRODUCTS: items} | ({} if total is None else {REVENUE: round(total, 6)}))


def columns(labels: Mapping[str, str], user: str | None, text: str) -> str | None:
    """Return the columns that no table declares: of twins the one with `post_`, eVars as labelled."""
    members = cells.members(text) or {}
    known = {key.lower(): value for key, value in members.items() if bytes(value) not in _NOTHING}
    bare = {key: value for key, value in known.items() if not key.startswith("post_")}
    found = bare | {key[5:]: value for key, value in known.items() if key.startswith("post_")}
    named: dict[str, cells.Json] = {}
    for key, value in found.items():
        name = labels.get(key, key)
        named[name if name not in named and (name == key or name not in found) else key] = value
    if user is not None and user.lower().removeprefix("post_") in found:
        named[USER] = found[user.lower().removeprefix("post_")]
    return cells.object_text(named)


def reader(labels: Mapping[str, str], user: str | None) -> partial[str | None]:
    """Return what reads the columns that no table declares, under these options."""
    return partial(columns, {key.lower(): value for key, value in labels.items()}, user)


def _split(text: str, divider: str) -> list[str]:
    """Return the parts of a text, divided where the divider is not escaped; escapes stay."""
    parts: list[str] = []
    start = place = 0
    while place < len(text):
        if text[place] == "^":
            place += 1
        elif text[place] == divider:
            parts.append(text[start:place])
            start = place + 1
        place += 1
    return [*parts, text[start:]]


def _parted(text: str) -> tuple[str, str]:
    """Return an event or an eVar, and its value, behind `=` or `:`."""
    name, value = text, ""
    for mark in ("=", ":"):
        first, *rest = _split(text, mark)
        if rest and len(first) < len(name):
            name, value = first, text[len(first) + 1 :]
    return _plain(name), _plain(value)


def _pairs(text: str) -> dict[str, str]:
    """Return what belongs to a product: `event1=2|event2=3`."""
    return {key: value for key, value in map(_parted, _split(text, "|")) if key}


def _plain(text: str) -> str:
    return _ESCAPED.sub(r"\1", text).strip()


def _number(text: str) -> float | int | None:
    """Return a finite number, None of anything else."""
    try:
        value = float(text)
    except ValueError:
        return None
    if value != value or value in {float("inf"), float("-inf")}:  # noqa: PLR0124 - NaN is no number
        return None
    return int(value) if value.is_integer() else value
