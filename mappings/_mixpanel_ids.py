"""What Mixpanel's events and profiles share: which texts are ids, and JSON as its copies write it."""

import json
import re
from typing import Any, Final

import polars as pl

from migrate import expr, jsontext

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


def meant(text: pl.Expr) -> pl.Expr:
    """Return an id, null for a word that is no one's."""
    bare = expr.identifier(text)
    return pl.when(~bare.str.to_lowercase().is_in(NO_ID)).then(bare)


def identifier(text: pl.Expr) -> pl.Expr:
    """Return a person's id; Mixpanel writes `$device:` before ids of devices."""
    return meant(expr.stripped(text).str.strip_prefix(DEVICE))


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
        return jsontext.value_of(text)
    except ValueError:
        return None


def json_text(value: dict[str, Any]) -> str:
    """Return the object as JSON; cut emoji stay escaped, as UTF-8 has no place for them."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if text.isascii() or not re.search("[\ud800-\udfff]", text) else json.dumps(value)
