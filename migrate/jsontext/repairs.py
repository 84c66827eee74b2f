"""What PostHog would mangle in JSON → what it keeps as it is (posthog-ingestion.md §8.11)."""

import json
import math
import re
from collections import Counter
from functools import partial
from typing import Final

import polars as pl
from polars.datatypes import DataTypeClass

from migrate.patterns import woven

DType = pl.DataType | DataTypeClass

MAX_EXACT_INTEGER: Final = 2**53
"""PostHog reads JSON numbers as doubles; integers beyond this lose digits (posthog-ingestion.md §1.3)."""

SUSPECT: Final = (
    r"\\u(?:0000|[dD][89a-fA-F])|[\x00-\x1f]"
    r"|[:\[,]\s*-?(?:9[0-9]{15}|[0-9]{17}|[0-9]+(?:\.[0-9]+)?[eE]\+?[0-9]{3}|NaN|Infinity)"
)
"""RE2 pattern of what `repaired` may have to change; it errs on the side of looking."""

_TEXT: Final = woven(rb'[^"\\]', rb"\\[\s\S]").decode()
_TOKEN: Final = re.compile(f'"{_TEXT}"' + r"|-?(?:[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|NaN|Infinity)")
_CHARACTER: Final = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair, which is one character
    r"|\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2})|\\.|[\x00-\x1f\ud800-\udfff]",
    re.DOTALL,
)
_ESCAPE: Final = re.compile(rb"\\(?:u([dD][89abAB]..)(\\u[dD][c-fC-F]..)?|u([dD][c-fC-F]..)|.)", re.DOTALL)
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_EXACT_DIGITS: Final = 16


def repaired(text: str, counts: Counter[str]) -> str:
    """Return JSON that PostHog keeps as it is; each thing that had to change is counted by name, all else stays.

    `nul_character` and `lone_surrogate` become U+FFFD, a `big_integer` its digits as a string, and a
    `non_finite_number`, which no double holds, null. Raw control characters in strings are escaped.
    """
    return _TOKEN.sub(partial(_token, counts=counts), text)


def scrubbed(text: bytes) -> tuple[bytes, int]:
    """Return the text with each escaped half of a surrogate pair replaced by U+FFFD, and how many there were."""
    if b"\\u" not in text or not _SURROGATE.search(text):
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


def mended(texts: pl.Series, counts: Counter[str]) -> pl.Series:
    """Return JSON texts `repaired`; only those that `SUSPECT` finds something in are looked into."""
    suspects = texts.str.contains(SUSPECT)
    if not suspects.any():
        return texts
    where = suspects.arg_true()
    changed = [repaired(text, counts) for text in texts.gather(where)]
    return texts.clone().scatter(where, pl.Series(changed, dtype=pl.String))


def plain(objects: pl.Series, counts: Counter[str]) -> pl.Series:
    """Return a struct column as JSON can carry it: NaN and infinity as null, times as ISO 8601 text in UTC."""
    columns = {column.name: column for column in objects.struct.unnest() if _is_odd(column.dtype)}
    bad = {name: _non_finite(column) for name, column in columns.items()}
    counts["non_finite_number"] += sum(bad.values())
    odd = [name for name, column in columns.items() if bad[name] or not column.dtype.is_float()]
    if not odd:
        return objects
    fields = [_plain(pl.field(name), columns[name].dtype).alias(name) for name in odd]
    return objects.to_frame().select_seq(pl.col(objects.name).struct.with_fields(fields)).to_series()


def is_suspect(objects: pl.Series) -> bool:
    """Return whether a struct column, once it is JSON text, has to be `mended` for anything but a NUL in a text."""
    return any(_is_suspect(column) for column in objects.struct.unnest())


def _token(found: re.Match[str], counts: Counter[str]) -> str:
    """Return a token of a JSON text, a string or a number, as PostHog keeps it."""
    token = found[0]
    if token.startswith('"'):
        return _CHARACTER.sub(partial(_character, counts=counts), token)
    digits = token.removeprefix("-")
    if digits.isdigit():
        if len(digits) < _EXACT_DIGITS or (len(digits) == _EXACT_DIGITS and int(digits) <= MAX_EXACT_INTEGER):
            return token
        counts["big_integer"] += 1
        return f'"{token}"'
    if math.isfinite(float(token)):
        return token
    counts["non_finite_number"] += 1
    return "null"


def _character(found: re.Match[str], counts: Counter[str]) -> str:
    """Return a character inside a JSON string, escaped or raw, as PostHog keeps it."""
    character = found[0]
    if character in ("\x00", r"\u0000"):
        counts["nul_character"] += 1
        return "\ufffd"
    if len(character) == len(r"\ud800") or "\ud800" <= character <= "\udfff":
        counts["lone_surrogate"] += 1
        return "\ufffd"
    return json.dumps(character)[1:-1] if character < " " else character


def _is_odd(dtype: DType) -> bool:
    """Return whether there are values of a type that JSON cannot carry."""
    if isinstance(dtype, pl.List | pl.Array):
        return _is_odd(dtype.inner)
    if isinstance(dtype, pl.Struct):
        return any(_is_odd(column) for column in dtype.to_schema().values())
    return dtype.is_float() or dtype.is_temporal()


def _non_finite(column: pl.Series) -> int:
    """Return how many NaN and infinities there are, in lists and objects too."""
    if isinstance(column.dtype, pl.List | pl.Array):
        return _non_finite(column.explode())
    if isinstance(column.dtype, pl.Struct):
        return sum(_non_finite(field) for field in column.struct.unnest())
    return int((~column.is_finite()).sum()) if column.dtype.is_float() else 0


def _plain(value: pl.Expr, dtype: DType) -> pl.Expr:
    if isinstance(dtype, pl.Array):
        return _plain(value.arr.to_list(), pl.List(dtype.inner))
    if isinstance(dtype, pl.List):
        return value.list.eval(_plain(pl.element(), dtype.inner))
    if isinstance(dtype, pl.Struct):
        fields = {name: value.struct.field(name) for name in dtype.to_schema()}
        plain = [_plain(fields[name], inner).alias(name) for name, inner in dtype.to_schema().items()]
        return pl.when(value.is_not_null()).then(pl.struct(plain))
    if isinstance(dtype, pl.Datetime):
        utc = value.dt.convert_time_zone("UTC") if dtype.time_zone else value
        return utc.dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    if dtype.is_temporal():
        return value.dt.to_string("iso")
    return pl.when(value.is_finite()).then(value) if dtype.is_float() else value


def _is_suspect(column: pl.Series) -> bool:
    if column.dtype.is_integer():
        bounds = (column.min(), column.max())
        return any(isinstance(bound, int) and abs(bound) > MAX_EXACT_INTEGER for bound in bounds)
    return column.dtype.is_nested()
