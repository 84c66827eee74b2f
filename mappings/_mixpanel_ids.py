"""What Mixpanel's events and profiles share: which texts are ids, and JSON as its copies write it."""

import re
from typing import Any, Final

import polars as pl

from migrate.kit import expr
from migrate.kit.cells import text_of, value_of

NO_ID: Final = ("anon", "anonymous", "na", "unknown", "true", "false", "0", "-1", "lmy47d")
"""Words that are no one's id, in any case, beside those that are none anywhere (`expr.identifier`).

Mixpanel itself refuses them today (https://docs.mixpanel.com/reference/import-events).
"""
DEVICE: Final = "$device:"
_PREFIXES: Final = r"^(\$device:\s*)+"
# A uuid, or an id as Mixpanel's web library makes it, five groups of hex digits of other lengths.
_DEVICES: Final = (
    r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
    r"^[0-9a-f]{12,16}-[0-9a-f]{10,16}-[0-9a-f]{6,8}-[0-9a-f]{4,8}-[0-9a-f]{12,16}$",
)


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
    try:
        read = value_of(text)
        found = [one if isinstance(one, str) else text_of(one) for one in read if one is not None]
    except (ValueError, TypeError, RecursionError):
        quoted = re.findall(r"'([^']*)'|\"([^\"]*)\"|([^\[\],\s'\"]+)", text)
        found = [next(filter(None, parts), "") for parts in quoted]
    return list(dict.fromkeys(found))


def json_object(text: str) -> dict[str, Any]:
    """Return a JSON object, empty for none; numbers that Python cannot hold are their own text."""
    value = _parsed(text)
    return value if isinstance(value, dict) else {}


def json_list(text: str) -> list[dict[str, Any]]:
    """Return the objects in a JSON list, none for anything else."""
    value = _parsed(text)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _parsed(text: str) -> object:
    try:
        return value_of(text)
    except ValueError:
        return None
