"""JSON in a cell, read value by value in Python: for what no expression can read, inside `expr.each` and `Bag.read`.

Few mappings need it. Where one does, a function takes a cell's text and returns text or None; it is called once for
each distinct text, or once a row. Shapes that are known are read fastest by type (`Shape`, `reader`); objects of which
only a few keys matter as `members`, each value in its own spelling; anything else as Python has it (`value_of`).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final, TypeVar

import msgspec
import polars as pl

from migrate.jsontext.parse import double, encoded, sound_members, whole

T = TypeVar("T")
Json = msgspec.Raw
"""A JSON value in its own spelling: `bytes(value)` is its text, `Json(b"1.50")` makes one."""
Members = Mapping[str, Json]
"""An object's members, in their order."""

FAILURES: Final = (ValueError, TypeError, AttributeError, KeyError, RecursionError, msgspec.MsgspecError)
"""What reading a text raises that does not hold what it should; of `Bag.read` it rejects the row as `bad_json`."""


class Shape(msgspec.Struct, gc=False):
    """An object's shape, for `reader`: a subclass declares its keys as a dataclass does; other keys are passed over.

    `class Pair(Shape): key: str; value: str | None = None`. Instances must not refer to themselves.
    """


def reader(kind: type[T]) -> Callable[[str | bytes], T]:
    """Return what reads a JSON text as a `Shape`, a list or dict of them, or (of `object`) as Python has it.

    It raises one of `FAILURES` where the text holds something else.
    """
    return msgspec.json.Decoder(kind).decode


def converted(value: object, kind: type[T]) -> T:
    """Return a value of Python as a `Shape`, numbers in text as numbers; raises one of `FAILURES`."""
    return msgspec.convert(value, kind, strict=False)


def value_of(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return a JSON value as Python has it; numbers that Python cannot hold are their own text, NaN is None.

    Raw control characters in strings are taken as they are. Raises `ValueError` where it is no JSON, `RecursionError`
    where it is nested too deep.
    """
    return _decoder.decode(text)


def text_of(value: object) -> str:
    """Return a value as JSON without spaces; halves of surrogate pairs stay escaped, as UTF-8 has no place for them."""
    text = _encoder.encode(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))
    return text


def json_of(value: object) -> Json:
    """Return a value as a `Json`, see `text_of`."""
    return Json(text_of(value).encode())


def members(text: str | bytes) -> Members | None:
    """Return the members of a JSON object, each in its own spelling, None of anything else.

    Of an object that only `value_of` can read they are spelled anew.
    """
    try:
        return sound_members(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        pass
    try:
        found = value_of(text if isinstance(text, str) else text.decode())
    except (ValueError, RecursionError):
        return None
    return {name: json_of(value) for name, value in found.items()} if isinstance(found, dict) else None


def object_text(members: Members) -> str | None:
    """Return the object with these members as JSON, None where there are none."""
    return encoded(members).decode() if members else None


def sorted_text(fields: Mapping[str, Any]) -> str | None:
    """Return an object of Python's values as JSON, keys in order, None where there are none.

    For values that come in any order from one file or another: the same text comes of them. Halves of surrogate pairs
    stay escaped.
    """
    if not fields:
        return None
    try:
        return _sorted(fields).decode()
    except UnicodeEncodeError:
        return json.dumps(fields, sort_keys=True, separators=(",", ":"))


class Columns:
    """Columns of text that a row has together in one text: a JSON object whose keys are the columns' places.

    For a `Bag.read` that delivers many columns: two texts a row cost the reader a fourth of what twenty columns do, and
    rows that are alike are seen at once. `heads` is what stands before a column's value, a JSON string, in that object:
    `b'"3":'`; `dtype` is a struct of the columns.
    """

    def __init__(self, names: Sequence[str]) -> None:
        keys = {name: str(place) for place, name in enumerate(names)}
        row = msgspec.defstruct("Row", [(name, str | None, None) for name in names], rename=keys, gc=False)
        self.heads = {name: f'"{key}":'.encode() for name, key in keys.items()}
        self.dtype = pl.Struct(dict.fromkeys(names, pl.String))
        self._row = msgspec.json.Decoder(row).decode
        self._values = {name: attrgetter(name) for name in names}

    def struct(self, texts: pl.Series) -> pl.Series:
        """Return a struct of the columns of such texts; of a key that occurs twice the last counts, null has none."""
        rows = [self._row(text or "{}") for text in texts.to_list()]
        found = (pl.Series(name, list(map(of, rows)), dtype=pl.String) for name, of in self._values.items())
        return pl.DataFrame(found).to_struct(texts.name)


# Made once: `json.loads` and `json.dumps` make new ones for every call with arguments.
_decoder: Final = json.JSONDecoder(
    strict=False, parse_float=double, parse_int=whole, parse_constant=lambda _name: None
)
_encoder: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_sorted: Final = msgspec.json.Encoder(order="sorted").encode
