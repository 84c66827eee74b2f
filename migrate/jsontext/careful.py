"""Records that a program did not write well → members of an object, or why there are none."""

import json
import re
from collections import Counter
from typing import Final

import msgspec

from migrate.jsontext.parse import Raw, sound_members, strict
from migrate.jsontext.repairs import scrubbed
from migrate.patterns import woven

MAX_DEPTH: Final = 100
"""Nesting PostHog's parser is sure to accept (posthog-ingestion.md §8.11); parsers here take far more."""
_TEXT: Final = rb'"' + woven(rb'[^"\\]', rb"\\[\s\S]") + rb'"'
_TOKEN: Final = re.compile(_TEXT + rb"|[\[{]|[\]}]")
_elements: Final = msgspec.json.Decoder(list[Raw]).decode
_NO_NUMBER: Final = re.compile(_TEXT + rb"|(-?\b(?:NaN|Infinity|nan|inf)\b)")


class BadJSON(ValueError):  # noqa: N818 - it is caught a few lines away
    """This text is no object that can be passed on; the message is the reason of the reject."""


def careful_members(text: bytes, counts: Counter[str]) -> dict[str, Raw]:
    """Return an object's members; what costs a value and not the object is repaired and counted.

    Half of a surrogate pair becomes U+FFFD (`lone_surrogate`), a NaN or an infinity, as Python and Java write them,
    null (`non_finite_number`). Raises `BadJSON`.
    """
    try:
        return sound_members(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if nests_too_deep(text):
            raise BadJSON("nested_too_deep") from None
    mended, lone = scrubbed(text)
    mended, odd = _finite(mended)
    twice = 0
    try:
        found = sound_members(mended)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        once = unescaped(text)
        if once is None:
            raise BadJSON("malformed_json") from error
        found, twice = sound_members(once), 1
    counts.update(+Counter({"lone_surrogate": lone, "non_finite_number": odd, "escaped_twice": twice}))
    return found


def careful_elements(text: str, counts: Counter[str]) -> list[Raw]:
    """Return an array's elements, repaired and counted as `careful_members` does it; raises `BadJSON`."""
    try:
        return _elements(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        data = text.encode("utf-8", "surrogatepass")
    if nests_too_deep(data):
        raise BadJSON("nested_too_deep")
    mended, lone = scrubbed(data)
    mended, odd = _finite(mended)
    twice = 0
    try:
        found = _elements(mended)
    except (msgspec.DecodeError, UnicodeDecodeError):
        try:
            found, twice = _elements(data.replace(b"\\\\", b"\\")), 1
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise BadJSON("malformed_json") from None
        lone = odd = 0
    counts.update(+Counter({"lone_surrogate": lone, "non_finite_number": odd, "escaped_twice": twice}))
    return found


def unescaped(text: bytes) -> bytes | None:
    """Return a record that was escaped twice as it was before, None where that makes no object of it.

    So Postgres' COPY writes JSON, and what is made with it (Heap's one-time export): each backslash is two, so that a
    quote in a text seems to end it.
    """
    if b'\\\\"' not in text:
        return None
    once = text.replace(b"\\\\", b"\\")
    try:
        return once if sound_members(once) else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def fault(text: bytes) -> str | None:
    """Return where a text stops being a JSON object, and what is wrong there; None where it is one, or very long.

    `character 17: expecting ',' delimiter, found 'x'`, counted from 1; of several lines, with the line among them.
    """
    if len(text) > _LOOKED_AT_AGAIN:
        return None
    shown = text.decode("utf-8", "replace")
    try:
        value = strict(shown)
    except json.JSONDecodeError as error:
        line = f"line {error.lineno}, " if "\n" in shown else ""
        what = error.msg[0].lower() + error.msg[1:].removesuffix(" at").removesuffix(" starting")
        found = repr(shown[error.pos]) if error.pos < len(shown) else "the end"
        return f"{line}character {error.colno}: {what}, found {found}"
    except RecursionError:
        return None
    return None if isinstance(value, dict) else f"{_KINDS[type(value)]} and no object"


def _finite(text: bytes) -> tuple[bytes, int]:
    """Return the text with null for what is written for numbers that are none, and how many there were."""
    odd = 0

    def repair(match: re.Match[bytes]) -> bytes:
        nonlocal odd
        if match[1] is None:
            return match[0]
        odd += 1
        return b"null"

    return _NO_NUMBER.sub(repair, text), odd


def nests_too_deep(text: bytes) -> bool:
    """Return whether objects and lists stand in one another more than `MAX_DEPTH` deep."""
    if text.count(b"{") + text.count(b"[") <= MAX_DEPTH:
        return False
    depth = 0
    for token in _TOKEN.finditer(text):
        if token[0] in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif token[0] in b"]}":
            depth -= 1
    return False


_LOOKED_AT_AGAIN: Final = 8 << 20
_KINDS: Final = {
    list: "a list",
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}
