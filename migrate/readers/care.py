"""JSON that needs care: one object at a time, every value in its own text, what no server takes refused."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Final

import msgspec

MAX_DEPTH: Final = 100
"""How deep JSON may nest; servers refuse or crash far below what parsers here take."""

RISKY: Final = (
    r"[0-9][eE]\+?[0-9][0-9]+[,}\]\s]"  # numbers near or beyond the end of doubles
    r"|(?:[\[{][^\[{\n]*){101}"  # perhaps nested too deep
)
"""RE2 pattern: text that may be valid JSON and still be out of range."""

DANGEROUS: Final = (
    RISKY
    + r"|\\[\\tbf]|\\u(?:00[01]|005[cC]|[dD][89a-fA-F])"  # values that read_ndjson does not escape again
    r'|\\.(?:[^"\\]|\\.)*"\s*:'  # keys with escapes: it escapes none of them
)
"""RE2 pattern: lines whose nested values polars 2.1 `read_ndjson` writes back as invalid JSON, or mistakes."""

_TOKEN: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[{]|[\]}]', re.DOTALL)
_ESCAPE: Final = re.compile(rb"\\(?:u([dD][89abAB]..)(\\u[dD][c-fC-F]..)?|u([dD][c-fC-F]..)|.)", re.DOTALL)
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")

_value: Final = msgspec.json.Decoder().decode
_members: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_text: Final = msgspec.json.Decoder(str).decode


class BadJSON(ValueError):  # noqa: N818 - it is caught a few lines away
    """This text is no object that can be passed on; the message is the reason of the reject."""


def members(text: bytes, counts: Counter[str]) -> Mapping[str, bytes]:
    """Return the members of a JSON object, each value in its own text; the last of equal keys counts.

    Lone surrogates become U+FFFD and are counted. Raises `BadJSON`.
    """
    if too_deep(text):
        raise BadJSON("nested_too_deep")
    repaired, lone = scrubbed(text)
    try:
        _value(repaired)
        found = {key: bytes(value) for key, value in _members(repaired).items()}
    except msgspec.ValidationError as error:
        raise BadJSON("number_out_of_range" if "range" in str(error) else "malformed_json") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadJSON("malformed_json") from error
    if lone:
        counts["lone_surrogate"] += lone
    return found


def plain(value: bytes) -> str | None:
    """Return a member's value as a cell: text unescaped, null as None, all else as JSON text."""
    if value == b"null":
        return None
    return _text(value) if value.startswith(b'"') else value.decode()


def scrubbed(text: bytes) -> tuple[bytes, int]:
    """Return the text with each escaped half of a surrogate pair replaced by U+FFFD, and how many there were."""
    if not _SURROGATE.search(text):
        return text, 0
    lone = 0

    def repair(match: re.Match[bytes]) -> bytes:
        nonlocal lone
        high, paired, low = match.groups()
        if (high and not paired) or low:
            lone += 1
            return b"\\ufffd"
        return match[0]

    return _ESCAPE.sub(repair, text), lone


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
