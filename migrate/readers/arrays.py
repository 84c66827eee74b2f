"""JSON arrays, possibly huge: their elements as lines, cut from the stream without loading the file."""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from migrate.kit.declare import Table
from migrate.patterns import end_of, kept, woven
from migrate.readers.blocks import Text
from migrate.readers.cutter import START_BYTES, Broken
from migrate.readers.jsonl import RowMaker, cut_off
from migrate.readers.records import Header, Part
from migrate.readers.structure import checked_line

_SEAM: Final = re.compile(rb"\}\s*,\s*\{")
_SEAM_WINDOW: Final = 1 << 16
_SEAMS_TRIED: Final = 16
_STRING: Final = woven(rb'[^"\\]', rb"\\[\s\S]")
_IN_STRING: Final = re.compile(_STRING)


def _beside(brackets: bytes) -> re.Pattern[bytes]:
    """Return the pattern of all up to one of these, but for what stands in strings."""
    plain = rb'[^"%b]*+' % brackets
    return re.compile(plain + kept(rb'"' + _STRING + rb'"' + plain))


_AT_TOP: Final = _beside(rb"\[\]{},")
_NESTED: Final = _beside(rb"\[\]{}")
_SPACE: Final = re.compile(rb"[\s,]*+")
_split: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode


def array_parts(
    text: Text, table: Table, header: Header, *, block_bytes: int, record_bytes: int
) -> Iterator[Part]:
    """Yield the objects of a JSON array block by block; `ROW` is the element's place, from 1.

    In an array of pages it is the place among the rows of all of them.
    """
    rows = RowMaker(table, header, record_bytes, text)
    elements = Elements(record_bytes)
    for piece in text.pieces(block_bytes):
        elements.take(piece)
        del piece  # it is there in what was taken
        elements.cut()
        yield rows.part(*elements.taken())
    elements.cut(final=True)
    if not elements.closed and text.truncated is None:
        text.truncated = "the JSON array does not end"
    part = rows.part(*elements.taken())
    if text.truncated is not None and not cut_off(part, rows.last):
        rows.tell(part, "truncated_file", text.truncated, rows.last + 1)
    yield part


class Elements:
    """Finds where elements end, whatever the blocks they come in."""

    def __init__(self, limit: int) -> None:
        self.found: list[bytes | Broken] = []
        self.closed = False
        self._next = 1
        self._limit = limit
        self._data = b""
        self._at = 0
        self._depth = 0
        self._in_string = False
        self._in_array = False
        self._skipped: bytes | None = None

    def take(self, piece: bytes) -> None:
        """Take the next piece of text."""
        self._data += piece

    def cut(self, *, final: bool = False) -> None:
        """Find the elements that end in the text at hand; if it is the last, what is left is the last element."""
        self._scan()
        if final:
            self.closed = not self._in_array
            self._take(0, len(self._data))
        elif len(self._data) > self._limit:
            self._skipped = self._skipped or self._data[:START_BYTES]
            self._data, self._at = self._data[self._at :], 0

    def taken(self) -> tuple[list[bytes | Broken], range]:
        """Return what was found since the last call, and the places, from 1."""
        found, self.found = self.found, []
        first, self._next = self._next, self._next + len(found)
        return found, range(first, self._next)

    def _scan(self) -> None:
        """Find every element that ends in the text at hand; what begins the next one stays."""
        start = (
            self._many(0) if self._in_array and not self._skipped and 2 * self._at < len(self._data) else 0
        )
        if start:
            self._at, self._depth, self._in_string = start, 0, False
        moved = True
        while moved and self._at < len(self._data):
            if not self._in_array:
                moved, start = self._outside()
            elif self._in_string:
                moved = self._string()
            else:
                start = self._inside(start)
        self._data, self._at = self._data[start:], self._at - start

    def _outside(self) -> tuple[bool, int]:
        """Go on to where an array opens; text that is in none is taken line by line."""
        self._at = at = end_of(_SPACE, self._data, self._at)
        if self._data[at : at + 1] == b"[":
            self._in_array = True
            self._at = self._many(at + 1)
            return True, self._at
        end = self._data.find(b"\n", at)
        if end < 0:
            return False, at
        self._take(at, end)
        self._at = end
        return True, end

    def _string(self) -> bool:
        """Go on to the end of a string; False if that is not here yet."""
        self._at = end_of(_IN_STRING, self._data, self._at)
        if self._data[self._at : self._at + 1] != b'"':
            return False
        self._at += 1
        self._in_string = False
        return True

    def _inside(self, start: int) -> int:
        """Go on to the next bracket, or comma between elements; return where the current element starts."""
        skip = _NESTED if self._depth else _AT_TOP
        at = end_of(skip, self._data, self._at)
        here = self._data[at : at + 1]
        self._at = at + len(here)
        if here == b'"':
            self._in_string = True
        elif here and here in b"[{":
            self._depth += 1
        elif here == b"," or (here == b"]" and not self._depth):
            self._take(start, at)
            self._in_array = here == b","
            return self._at
        elif here:
            self._depth = max(0, self._depth - 1)
        return start

    def _many(self, start: int) -> int:
        """Take all elements up to a seam near the end, if all of them are sound JSON; return where to go on."""
        seams = list(_SEAM.finditer(self._data, max(start, len(self._data) - _SEAM_WINDOW)))
        for seam in seams[: -_SEAMS_TRIED - 1 : -1]:
            try:
                elements = _split(b"[" + self._data[start : seam.start() + 1] + b"]")
            except (msgspec.DecodeError, RecursionError):
                continue
            self.found += [bytes(element) for element in elements]
            return seam.end() - 1
        return start

    def _take(self, start: int, end: int) -> None:
        """Take an element."""
        if self._skipped is not None:
            self.found.append(Broken("record_too_large", self._skipped))
            self._skipped = None
        elif element := self._data[start:end].strip():
            self.found.append(checked_line(element))
