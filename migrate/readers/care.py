"""JSON that needs care: the members of one object, and repairs where a text is none."""

import re
from collections import Counter
from typing import Final

import msgspec

from migrate.jsontext import Raw, scrubbed

MAX_DEPTH: Final = 100
"""How deep JSON may nest; servers refuse or crash far below what parsers here take."""

_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[{]|[\]}]', re.DOTALL)
_NO_NUMBER: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"|(-?\b(?:NaN|Infinity|nan|inf)\b)', re.DOTALL)
_FAILURES: Final = (msgspec.DecodeError, UnicodeDecodeError)

decoded: Final = msgspec.json.Decoder(dict[str, Raw]).decode
"""An object's members, each value in its own text; the last of equal keys counts, where the first stands."""
_text: Final = msgspec.json.Decoder(str).decode


class BadJSON(ValueError):  # noqa: N818 - it is caught a few lines away
    """This text is no object that can be passed on; the message is the reason of the reject."""


def members(text: bytes, counts: Counter[str]) -> dict[str, Raw]:
    """Return an object's members; what costs a value and not the object is repaired and counted.

    Half of a surrogate pair becomes U+FFFD (`lone_surrogate`), a NaN or an infinity, as Python and Java write them,
    null (`non_finite_number`). Raises `BadJSON`.
    """
    try:
        return decoded(text)
    except (*_FAILURES, RecursionError):
        if too_deep(text):
            raise BadJSON("nested_too_deep") from None
    repaired, lone = scrubbed(text)
    repaired, odd = _finite(repaired)
    try:
        found = decoded(repaired)
    except _FAILURES as error:
        raise BadJSON("malformed_json") from error
    counts.update(+Counter({"lone_surrogate": lone, "non_finite_number": odd}))
    return found


def plain(value: Raw) -> str | None:
    """Return a member's value as `cells` does."""
    text = bytes(value)
    if text == b"null":
        return None
    return _text(text) if text.startswith(b'"') else text.decode()


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


def too_deep(text: bytes) -> bool:
    """Whether objects and lists stand in one another more than `MAX_DEPTH` deep."""
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
