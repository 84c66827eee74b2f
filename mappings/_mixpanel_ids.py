"""What Mixpanel's events and profiles share: which texts are ids, and JSON as its copies write it."""

import json
import re
from typing import Any, Final

import polars as pl

from migrate.jsontext.parse import FAILURES, Raw, encoded, sound_members, text_of, value_of
from migrate.kit import expr

# Words that are no one's id, in any case; Mixpanel itself refuses them today
# (https://docs.mixpanel.com/reference/import-events).
NO_ID: Final = (
    *(
        "anon",
        "anonymous",
        "nil",
        "none",
        "null",
        "n/a",
        "na",
        "undefined",
        "unknown",
        "true",
        "false",
        "0",
        "-1",
    ),
    *("{}", "[]", "lmy47d", "00000000-0000-0000-0000-000000000000"),
)
DEVICE: Final = "$device:"
_PREFIXES: Final = r"^(\$device:\s*)+"
# A uuid, or an id as Mixpanel's web library makes it, five groups of hex digits of other lengths.
_DEVICES: Final = (
    r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
    r"^[0-9a-f]{12,16}-[0-9a-f]{10,16}-[0-9a-f]{6,8}-[0-9a-f]{4,8}-[0-9a-f]{12,16}$",
)
_NESTED: Final = r':\s*"\s*[\[{]'


def meant(text: pl.Expr) -> pl.Expr:
    """Return an id, null for a word that is no one's."""
    bare = expr.identifier(text)
    return pl.when(~bare.str.to_lowercase().is_in(NO_ID)).then(bare)


def identifier(text: pl.Expr) -> pl.Expr:
    """Return a person's id; Mixpanel writes `$device:` before ids of devices, once or however often."""
    return meant(expr.stripped(text).str.replace(_PREFIXES, ""))


def user(text: pl.Expr) -> pl.Expr:
    """Return an id that a user is said to have, null for a device's."""
    return pl.when(~expr.stripped(text).str.starts_with(DEVICE)).then(identifier(text))


def is_device(text: pl.Expr) -> pl.Expr:
    """Return whether an id has the shape of a device's; a customer's own users may have such ids, too."""
    bare = expr.stripped(text)
    return pl.any_horizontal(bare.str.starts_with(DEVICE), *(bare.str.contains(one) for one in _DEVICES))


def id_list(text: pl.Expr) -> pl.Expr:
    """Return the ids of a list as a list, each once; Airbyte writes lists as Python does."""
    return expr.each(text, _ids, pl.List(pl.String))


def _ids(text: str) -> list[str]:
    """Return the texts in a list."""
    try:
        read = value_of(text)
        found = [one if isinstance(one, str) else text_of(one) for one in read if one is not None]
    except (ValueError, TypeError, RecursionError):
        quoted = re.findall(r"'([^']*)'|\"([^\"]*)\"|([^\[\],\s'\"]+)", text)
        found = [next(filter(None, parts), "") for parts in quoted]
    return list(dict.fromkeys(found))


def with_nested(bag: pl.Expr) -> pl.Expr:
    """Return an object in which texts that are JSON objects or lists are these: a cell of CSV has no other way."""
    return pl.when(bag.str.contains(_NESTED)).then(expr.each_row(bag, _nested)).otherwise(bag)


def _nested(text: str) -> str:
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


def json_object(text: str) -> dict[str, Any]:
    """Return a JSON object, empty for none; numbers that Python cannot hold are their own text."""
    value = _parsed(text)
    return value if isinstance(value, dict) else {}


def json_list(text: str) -> list[dict[str, Any]]:
    """Return the objects in a JSON list, none for anything else."""
    value = _parsed(text)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _parsed(text: str) -> object:
    """Return a JSON value, null for none."""
    try:
        return value_of(text)
    except ValueError:
        return None


def json_text(value: dict[str, Any]) -> str:
    """Return the object as JSON; cut emoji stay escaped, as UTF-8 has no place for them."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if text.isascii() or not re.search("[\ud800-\udfff]", text) else json.dumps(value)
