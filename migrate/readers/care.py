"""JSON that needs care: one object at a time, every value in its own text, what no server takes refused."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Final

import msgspec
import polars as pl

MAX_DEPTH: Final = 100
"""How deep JSON may nest; servers refuse or crash far below what parsers here take."""

_EXPONENT: Final = r"[0-9][eE]\+?[0-9][0-9]+[,}\]\t\n\f\r ]"
"""Numbers near or beyond the end of doubles."""

_ESCAPED: Final = (
    r"\\[\\tbf]|\\u(?:00[01]|005[cC]|[dD][89a-fA-F])"  # values that read_ndjson does not escape again
    r'|\\.(?:[^"\\]|\\.)*"\s*:'  # keys with escapes: it escapes none of them
)
"""Lines whose nested values polars 2.1 `read_ndjson` writes back as invalid JSON, or mistakes."""

_RISKY: Final = (
    pl.col("text").str.contains(_EXPONENT) | (pl.col("text").str.count_matches(r"[\[{]") > MAX_DEPTH)
).fill_null(value=False)
"""A fifth of what pyarrow's regular expressions take for the same (0.4 µs a row of 800 bytes, measured)."""

_HAS_ESCAPES: Final = pl.col("text").str.contains("\\", literal=True)

_TOKEN: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[{]|[\]}]', re.DOTALL)
_ESCAPE: Final = re.compile(rb"\\(?:u([dD][89abAB]..)(\\u[dD][c-fC-F]..)?|u([dD][c-fC-F]..)|.)", re.DOTALL)
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")

_value: Final = msgspec.json.Decoder().decode
_members: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_text: Final = msgspec.json.Decoder(str).decode


class Anything(msgspec.Struct, gc=False):
    """A JSON object whose members are checked and skipped."""


def risky(texts: pl.Series) -> pl.Series:
    """Return whether texts may be valid JSON and still be out of range: their numbers, or how deep they nest."""
    return texts.to_frame("text").select_seq(_RISKY).to_series()


def dangerous(lines: pl.Series) -> pl.Series:
    """Return whether lines would be read wrongly, or not at all, by polars' `read_ndjson`."""
    found, escaped = lines.to_frame("text").select_seq(_RISKY.alias("risky"), _HAS_ESCAPES.alias("escaped"))
    where = escaped.arg_true()
    if not where.len():
        return found
    return found.scatter(where, found.gather(where) | lines.gather(where).str.contains(_ESCAPED))


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
