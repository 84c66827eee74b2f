"""JSON objects, one a line → rows: each value in its own text, undeclared keys together as the rest."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import polars as pl

from migrate.jsontext.careful import BadJSON, careful_members
from migrate.jsontext.parse import NULL, cells, encoded, texts, unquoted
from migrate.jsontext.repairs import scrubbed
from migrate.kit.declare import REST, ROW, Table
from migrate.readers.fields import (
    FAILURES,
    JSON_ALONE,
    PIECE_ROWS,
    REMEMBERED,
    Fields,
    Members,
    column_of,
    has_any,
    root,
)
from migrate.readers.records import Header, Part, reject, spelled

_BLANK: Final = b" \t\r\n"
_PIECE_BYTES: Final = 1 << 15
"""So much is decoded at once that it stays in the processor's cache: 64 KB take a tenth longer, 1 MB twice as long."""
_SPLIT_BYTES: Final = 1 << 18
"""So much of a text is there twice while it is decoded."""
_TRIES: Final = 16
"""So many pieces of a file may hold something unforeseen before all of its lines are read key by key."""
_SEAM: Final = re.compile(rb"\}\r?\n\{")
"""Found in half the time that `bytes.count` takes (0.3 µs a row of 800 bytes, measured)."""


class Objects:
    """Turns lines into rows. What a line becomes never depends on the lines around it.

    Lines with declared keys alone are decoded into fields, which takes half the time; all others key by key.
    """

    def __init__(self, table: Table, header: Header, record_bytes: int) -> None:
        self._record_bytes = record_bytes
        self._names = list(table.columns)
        self._spelling = {name: name for name in table.columns} | spelled(table.columns, header.columns)
        """Declared column -> the key most lines have it under; other spellings are found line by line."""
        self._lowered = {name.lower(): name for name in reversed(self._names)}
        self._dropped = {name.lower() for name in table.dropped}
        self._expected = set(self._spelling.values())
        self._known = {*self._expected, *table.dropped}
        self._others: dict[str, str] = {}
        """Keys met that are a declared column in another spelling -> the column."""
        self._met = set(self._known)
        self._objects = {self._spelling[name]: name for name in table.objects}
        self._fields = Fields(self._expected, self._known, header.columns)
        self._tries = _TRIES

    def part(self, text: bytes, first: int) -> tuple[Part, int]:
        """Return the rows of these lines, the first of them numbered `first`, and how many lines there are.

        Blank lines count and are no rows; a line that is no object is a reject.
        """
        part = Part(self._empty())
        if not text:
            return part, 0
        columns = self._by_field(text)
        if columns is not None:
            height = len(next(iter(columns.values()))) if columns else _lines(text)
            part.rows = self._frame(range(first, first + height), columns, None)
            part.sound = frozenset(name for key, name in self._objects.items() if key in self._sound_keys)
            return part, height
        text, lone = scrubbed(text)  # half of a surrogate pair is no JSON
        if lone:
            part.counts["lone_surrogate"] += lone
        return part, self._by_key(text, first, part)

    def _by_field(self, text: bytes) -> dict[str, pl.Series] | None:
        """Return the cells of lines by key; None where a line has to be looked at more closely."""
        if self._tries <= 0 or not self._expected or len(text) > self._record_bytes:
            return None
        lists: dict[str, list[Any]] = {}
        height = 0
        for lines in _lines_of(text):
            rows = self._fields.decoded(lines)
            if rows is None:
                self._tries -= 1
                return None
            for key, values in self._fields.transposed(rows):
                if key not in lists:
                    lists[key] = [None] * height
                lists[key].extend(values)
            height += len(rows)
        some = {key: values for key, values in lists.items() if has_any(values)}
        self._sound_keys: set[str] = set(self._objects).difference(some)
        try:
            return {key: self._cells(key, values, text) for key, values in some.items()} if height else None
        except ValueError:  # a whole number of more than 4,300 digits, which Python does not write, or -0
            return None

    def _cells(self, key: str, values: list[Any], text: bytes) -> pl.Series:
        """Return the cells of a field; take note of it where it holds objects alone, or nothing."""
        if key not in self._objects:
            return column_of(values, text)
        if not {*map(type, values)} <= JSON_ALONE:
            return column_of(values, text)
        column, is_json = unquoted(values)
        if is_json and column.str.starts_with("{").all():
            self._sound_keys.add(key)
        return column

    def _by_key(self, text: bytes, first: int, part: Part) -> int:
        """Add the rows of lines read key by key to a part, or their rejects; return how many lines there are."""
        numbers: list[int] = []
        rows: list[Members] = []
        number = first
        for piece in _pieces(text):
            found = self._sound(piece)
            if found is not None:
                numbers += range(number, number + len(found))
                rows += found
                number += len(found)
                continue
            lines = piece.removesuffix(b"\n").split(b"\n")
            for line in lines:
                if bare := line.strip(_BLANK):
                    row = self._careful(bare, number, part)
                    if row is not None:
                        numbers.append(number)
                        rows.append(row)
                number += 1
        rests = [self._rest(row) for row in rows]
        columns = {key: cells([row.get(key) for row in rows]) for key in self._expected}
        part.rows = self._frame(numbers, columns, texts(rests))
        return number - first

    def _sound(self, piece: bytes) -> list[Members] | None:
        """Return the objects of lines that hold one each; None where one holds something else."""
        if len(piece) > self._record_bytes:
            return None
        try:
            rows = root.decode_lines(piece)
        except FAILURES:
            return None
        return rows if _one_a_line(piece, len(rows)) else None

    def _careful(self, line: bytes, number: int, part: Part) -> Members | None:
        """Return the object a line holds; None where it is none, which becomes a reject."""
        if len(line) > self._record_bytes:
            part.rejects.append(reject(number, "record_too_large", line))
            return None
        try:
            return careful_members(line, part.counts)
        except BadJSON as error:
            part.rejects.append(reject(number, str(error), line))
            return None

    def _rest(self, row: Members) -> bytes | None:
        """Return what is not declared of an object, None where there is nothing, and call by its name what is."""
        if row.keys() <= self._known:
            return None
        if not row.keys() <= self._met:
            self._meet(row)
        if self._others and not self._others.keys().isdisjoint(row):
            self._respell(row)
        known = self._known
        rest = {key: value for key, value in row.items() if key not in known and value != NULL}
        return encoded(rest) if rest else None

    def _meet(self, row: Members) -> None:
        """Take note of keys that are met for the first time."""
        for key in row.keys() - self._met:
            lowered = key.lower()
            if lowered in self._dropped:
                self._known.add(key)
            elif lowered in self._lowered:
                self._others[key] = self._lowered[lowered]
            if lowered in self._dropped or lowered in self._lowered or len(self._met) < REMEMBERED:
                self._met.add(key)

    def _respell(self, row: Members) -> None:
        """Put declared columns in another spelling under the expected one; the first counts, where that is free."""
        for key in [key for key in row if key in self._others]:
            expected = self._spelling[self._others[key]]
            if expected not in row:
                row[expected] = row.pop(key)

    def _frame(
        self, numbers: Sequence[int], columns: dict[str, pl.Series], rest: pl.Series | None
    ) -> pl.DataFrame:
        """Return the rows under the declared names; put together without a query, which costs 0.4 ms (measured)."""
        nothing = pl.repeat(None, len(numbers), dtype=pl.String, eager=True)
        return pl.DataFrame(
            [
                pl.Series(ROW, numbers, dtype=pl.Int64),
                *(columns.get(self._spelling[name], nothing).alias(name) for name in self._names),
                (nothing if rest is None else rest).alias(REST),
            ]
        )

    def _empty(self) -> pl.DataFrame:
        return self._frame([], {}, None)


def _lines_of(text: bytes) -> Iterator[list[bytes]]:
    """Yield lines, as many at a time as are decoded at once."""
    for piece in _pieces(text, _SPLIT_BYTES):
        lines = piece.removesuffix(b"\n").split(b"\n")
        for start in range(0, len(lines), PIECE_ROWS):
            yield lines[start : start + PIECE_ROWS]


def _pieces(text: bytes, size: int = _PIECE_BYTES) -> Iterator[bytes]:
    """Cut lines into pieces of whole lines."""
    start = 0
    while start < len(text):
        end = text.rfind(b"\n", start, start + size) + 1
        end = end or text.find(b"\n", start + size) + 1 or len(text)
        yield text[start:end]
        start = end


def _one_a_line(text: bytes, count: int) -> bool:
    """Return whether so many objects, which were read in the text, stand on a line each, and no line is blank.

    Inside of an object no brace can open one after a brace that closes another, so that this happens between lines.
    """
    return count == _lines(text) == len(_SEAM.findall(text)) + 1


def _lines(text: bytes) -> int:
    """Return how many lines there are."""
    return text.count(b"\n") + (not text.endswith(b"\n"))
