"""Braze's cells: values that a program has written with their Avro type, and floats of 32 bits written as doubles."""

import struct
from typing import Final

import polars as pl

from migrate.kit import expr
from migrate.kit.cells import FAILURES, Json, members, object_text, reader

TAGS: Final = frozenset({"string", "int", "long", "float", "double", "boolean", "array", "map"})
"""How avro-tools names the type of a value that may be null: `{"string":"ios"}`."""
_MOST: Final = 7
"""So many digits a float of 32 bits holds for sure; one more shows what it is not."""
_text: Final = reader(str)


def untagged(text: str) -> str | None:
    """Return an object whose values have no type written around them."""
    found = members(text)
    if found is None:
        raise ValueError(text)
    return object_text({name: _bare(value) for name, value in found.items()})


def said(name: str) -> pl.Expr:
    """Return a column's text, without a type written around it."""
    text = pl.col(name)
    tagged = pl.when(text.str.contains(r'^\s*\{\s*"[a-z]+"\s*:')).then(text)
    return pl.coalesce(expr.each(tagged, _plain), text)


def number(name: str) -> pl.Expr:
    """Return a number; a float of 32 bits in the digits of a double (3.140000104904175) is 3.14, as it was meant."""
    return expr.number(expr.each(said(name), shortened))


def shortened(text: str) -> str:
    """Return a number's text in the fewest digits that a float of 32 bits needs, if it is one with more."""
    try:
        value = float(text)
        (single,) = struct.unpack("f", struct.pack("f", value))
    except (ValueError, OverflowError):
        return text
    digits = len(text.lower().partition("e")[0].replace(".", "").replace("-", "").lstrip("0"))
    if digits <= _MOST or float(f"{single:.{min(digits, 17)}g}") != value:
        return text
    for most in range(1, _MOST + 3):
        short = f"{single:.{most}g}"
        if struct.unpack("f", struct.pack("f", float(short)))[0] == single:
            return short
    return text


def _plain(text: str) -> str | None:
    """Return the value in a type as text, the text itself where it is no such object."""
    value = bytes(_bare(Json(text.encode()))).decode()
    if value == "null":
        return None
    return _text(value) if value.startswith('"') else value


def _bare(value: Json) -> Json:
    """Return a value without a type written around it."""
    if not bytes(value).lstrip().startswith(b"{"):
        return value
    try:
        found = members(bytes(value)) or {}
    except FAILURES:
        return value
    if len(found) != 1:
        return value
    ((tag, inner),) = found.items()
    return inner if tag in TAGS else value
