"""JSON objects of keys known beforehand → their values, decoded all at once."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec
import polars as pl
from msgspec.structs import astuple

from migrate.jsontext.parse import Raw, cells

FAILURES: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
FORBIDDEN: Final = frozenset(map(chr, range(32))) | {'"', "\\"}
"""msgspec takes no field names with these; lines are then read key by key."""
PIECE_ROWS: Final = 128
"""The same in rows."""
_MINUS_ZERO: Final = (b":-0", b" -0", b"\t-0")
"""A whole number that would lose its sign may stand here."""
Members = dict[str, Raw]
JSON_ALONE: Final = {Raw, type(None)}
REMEMBERED: Final = 100_000
root: Final = msgspec.json.Decoder(Members)


class Fields:
    """Decodes objects into fields: text and whole numbers as they are, all else as JSON.

    The fields stand in the order in which objects have them: they are found twice as fast (18 of 60, measured).
    """

    def __init__(
        self, expected: Iterable[str], known: Iterable[str], first: Sequence[str], *, strict: bool = True
    ) -> None:
        """Decode the keys `expected`; only those `known` may be there, if `strict`; those of `first` stand in order."""
        self._expected = dict.fromkeys(expected)
        self._unseen = dict.fromkeys(key for key in known if key not in first)
        self._seen = [key for key in first if key in {*known}]
        self._nested: set[str] = set()
        self._strict, self._is_ordered = strict, False
        if not strict:
            self._seen, self._unseen = list(self._unseen), {}
        self._decoder = self._made()

    def decoded(self, texts: Sequence[bytes | str]) -> list[Any] | None:
        """Return these objects decoded; None where one holds something unforeseen, which is then foreseen."""
        for _ in range(3):  # a key that is new, a value that is neither text nor a whole number, and again
            try:
                return list(map(self._decoder.decode, texts))
            except msgspec.ValidationError:
                if not self._learned(texts):
                    return None
            except (*FAILURES, UnicodeEncodeError):
                return None
        return None

    def columns(self, texts: Sequence[str]) -> dict[str, pl.Series] | None:
        """Return the keys that any of these objects has as columns; None where a text is no object."""
        if not texts or not self._expected:
            return {}
        if not self._strict and not self._is_ordered:
            self._order(texts[:PIECE_ROWS])
        lists: dict[str, list[Any]] = {}
        for start in range(0, len(texts), PIECE_ROWS):
            rows = self.decoded(texts[start : start + PIECE_ROWS])
            if rows is None:
                return None
            for key, values in self.transposed(rows):
                lists.setdefault(key, []).extend(values)
        some = {key: values for key, values in lists.items() if has_any(values)}
        try:
            return {key: column_of(values, *texts) for key, values in some.items()}
        except ValueError:
            return None

    def transposed(self, rows: Iterable[Any]) -> Iterator[tuple[str, Sequence[Any]]]:
        """Yield the keys that are asked for, each with what decoded objects have of it, a value each."""
        columns = zip(self._keys, zip(*map(astuple, rows), strict=True), strict=True)
        return ((key, values) for key, values in columns if key in self._expected)

    def _order(self, texts: Sequence[str]) -> None:
        """Put the fields into the order in which these objects have them."""
        with suppress(*FAILURES, UnicodeEncodeError):
            found = dict.fromkeys(key for text in texts for key in root.decode(text) if key in self._expected)
            self._seen = [*found, *(key for key in self._seen if key not in found)]
            self._decoder = self._made()
            self._is_ordered = True

    def _learned(self, texts: Iterable[bytes | str]) -> bool:
        """Take note of known keys that are new, and of values that are not simple; False if there are none."""
        try:
            rows = [root.decode(text) for text in texts if text]
        except FAILURES:
            return False
        new = dict.fromkeys(key for row in rows for key in row if key in self._unseen)
        simple = self._expected.keys() - self._nested
        nested = {key for row in rows for key in simple.intersection(row) if not _is_simple(row[key])}
        self._unseen = {key: None for key in self._unseen if key not in new}
        self._seen += new
        self._nested |= nested
        if new or nested:
            self._decoder = self._made()
        return bool(new or nested)

    def _made(self) -> msgspec.json.Decoder[Any]:
        """Return a decoder for the keys seen so far."""
        fields = {key: f"f{place}" for place, key in enumerate(self._seen) if not FORBIDDEN.intersection(key)}
        simple = self._expected.keys() - self._nested
        types = {key: str | int | None if key in simple else Raw for key in fields}
        self._keys = list(fields)
        line = msgspec.defstruct(
            "Line",
            [(name, types[key], None) for key, name in fields.items()],
            rename={name: key for key, name in fields.items()},
            forbid_unknown_fields=self._strict,
            gc=False,
        )
        return msgspec.json.Decoder(line)


def has_any(values: Sequence[Any]) -> bool:
    """Return whether any of these is not null."""
    return values[0] is not None or values.count(None) < len(values)


def _is_simple(value: Raw) -> bool:
    """Return whether a value is text, a whole number or null."""
    text = bytes(value)
    return text[:1] == b'"' or text == b"null" or text.removeprefix(b"-").isdigit()


def column_of(values: list[Any], *texts: bytes | str) -> pl.Series:
    """Return the cells of a field: texts as they are, whole numbers in their digits, JSON as text.

    Raises `ValueError` where digits cannot be told.
    """
    first = next((value for value in values if value is not None), None)
    if isinstance(first, Raw):
        return cells(values)
    try:
        if not isinstance(first, int):
            return pl.Series(values, dtype=pl.String)
        numbers = pl.Series(values, dtype=pl.Int64)
        if (numbers == 0).any() and _has_minus_zero(texts):
            raise ValueError("-0")
        return numbers.cast(pl.String)
    except (TypeError, OverflowError):
        if 0 in values and _has_minus_zero(texts):
            raise ValueError("-0") from None
        shown = [str(value) if isinstance(value, int) else value for value in values]
        return pl.Series(shown, dtype=pl.String)


def _has_minus_zero(texts: Iterable[bytes | str]) -> bool:
    """Return whether a whole number may stand there that would lose its sign."""
    return any(
        zero in text if isinstance(text, bytes) else zero.decode() in text
        for text in texts
        for zero in _MINUS_ZERO
    )
