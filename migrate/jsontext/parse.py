"""JSON as text → its members and fields, each value in its own spelling."""

import json
import math
from collections import Counter
from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec
import polars as pl

from migrate.jsontext.repairs import repaired

T = TypeVar("T")
Raw = msgspec.Raw
"""A JSON value in its own text."""
NULL: Final = Raw(b"null")
encoded: Final = msgspec.json.Encoder().encode
"""An object's text of its members' texts."""
_decoded_text: Final = msgspec.json.Decoder(str).decode
sound_members: Final = msgspec.json.Decoder(dict[str, Raw]).decode
"""An object's members, each value in its own text; the last of equal keys counts, where the first stands."""
_raw_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


def fields_of(texts: pl.Series, names: Sequence[str]) -> pl.Series:
    """Return a struct of these keys of JSON objects, as text; null where a key or the object is missing.

    Strings come unescaped, all else in its own text. What comes of a row depends on that row alone.
    """
    found = [_object(text) for text in texts.to_list()]
    columns = [cells([bag.get(name) for bag in found]).alias(name) for name in names]
    return pl.DataFrame(columns).to_struct(texts.name)


def _object(text: str | None) -> dict[str, Raw]:
    try:
        return raw_object(text or "{}")
    except msgspec.DecodeError:
        return {}


def cells(values: Sequence[Raw | None]) -> pl.Series:
    """Return values as cells: text unescaped, null and nothing as null, all else as JSON text."""
    return unquoted(values)[0]


def unquoted(values: Sequence[Raw | None]) -> tuple[pl.Series, bool]:
    """Return values as `cells` does, and whether none of them was a JSON string."""
    found = texts([None if value is None else bytes(value) for value in values])
    if found.null_count() == found.len() or found.str.starts_with("{").all():
        return found, True
    text = pl.col("text")
    quoted = text.str.starts_with('"')
    bare = pl.when(quoted).then(text.str.slice(1).str.head(-1)).otherwise(text)
    is_text, escaped, cell = found.to_frame("text").select_seq(
        quoted.alias("quoted"),
        (quoted & text.str.contains("\\", literal=True)).alias("escaped"),
        pl.when(text != "null").then(bare).alias("cell"),
    )
    where = escaped.arg_true()
    if where.len():
        cell = cell.scatter(where, pl.Series(map(_decoded_text, found.gather(where)), dtype=pl.String))
    return cell, not is_text.any()


def texts(values: Sequence[bytes | None]) -> pl.Series:
    """Return UTF-8 texts as a column of String."""
    return pl.Series(values, dtype=pl.Binary).cast(pl.String)


def raw_object(text: str) -> dict[str, msgspec.Raw]:
    """Return a JSON object's members, each value as its own text; raises `msgspec.DecodeError` where it is none."""
    return decoded(_raw_object, text)


def decoded(decoder: msgspec.json.Decoder[T], text: str) -> T:
    """Return what the decoder reads in a JSON text, `repaired` where it cannot be read as it is."""
    try:
        return decoder.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return decoder.decode(repaired(text, Counter()))


def without_nulls(text: str) -> str | None:
    """Return a JSON object's text without members that are null; null where nothing is left."""
    bag = {key: raw for key, raw in _raw_object.decode(text).items() if raw != NULL}
    return msgspec.json.encode(bag).decode() if bag else None


def double(text: str) -> float | str:
    """Return a JSON number, its text where it is too large for a double."""
    value = float(text)
    return value if math.isfinite(value) else text


def whole(text: str) -> int | str:
    """Return a JSON integer, its text where Python takes no more digits."""
    try:
        return int(text)
    except ValueError:
        return text


strict = json.JSONDecoder(parse_float=double, parse_int=whole).decode
"""A JSON value as Python has it, numbers that Python cannot hold as their own text; what JSON does not allow raises."""
