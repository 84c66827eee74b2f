"""JSON as text → the one form that all spellings of the same value have."""

import json
import re
from typing import Final

import msgspec

from migrate.jsontext.repairs import scrubbed

_NUMBER: Final = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?")


def canonical_text(text: str) -> str:
    """Return a JSON text in the one form that all spellings of the same value have.

    Keys in order at every depth, no spaces, null members left out, numbers by their exact decimal value as digits and
    exponent (`1`, `1.0` and `1e0` are `1e0`), a text never equal to a number. What is no JSON is a text of its own.
    """
    try:
        return msgspec.json.encode(_canonical.decode(_without_halves(text)), order="sorted").decode()
    except (ValueError, RecursionError):
        return msgspec.json.encode(text.encode("utf-8", "replace").decode()).decode()


def _without_halves(text: str) -> str:
    if "\\u" not in text and text.isascii():
        return text
    return scrubbed(text.encode("utf-8", "replace"))[0].decode()


def canonical_number(digits: str) -> str:
    """Return a number as `canonical_text` does; what is written for no number is null."""
    found = _NUMBER.fullmatch(digits)
    if found is None:
        return "null"
    sign, whole, fraction, exponent = found.groups(default="")
    bare = (whole + fraction).lstrip("0")
    kept = bare.rstrip("0")
    place = int(exponent or 0) - len(fraction) + len(bare) - len(kept)
    return f"{sign}{kept}e{place}" if kept else "0e0"


def _exact(digits: str) -> msgspec.Raw | None:
    number = canonical_number(digits)
    return None if number == "null" else msgspec.Raw(number.encode())


_canonical: Final = json.JSONDecoder(
    strict=False,
    parse_float=_exact,
    parse_int=_exact,
    parse_constant=lambda _name: None,
    object_hook=lambda bag: {key: value for key, value in bag.items() if value is not None},
)
