"""JSON arrays, possibly huge: their elements as lines, cut from the stream without loading the file."""

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Final

import msgspec

from migrate.mapping import Table
from migrate.readers.blocks import Text, TooLarge
from migrate.readers.jsonl import Lines, cut_off
from migrate.readers.records import Header, Part, reject

_SEAM: Final = re.compile(rb"\}\s*,\s*\{")
_SEAM_WINDOW: Final = 1 << 16
_SEAMS_TRIED: Final = 16
_STRING: Final = rb'(?:[^"\\]++|\\.)*+'
_IN_STRING: Final = re.compile(_STRING, re.DOTALL)
_AT_TOP: Final = re.compile(rb'(?:[^"\[\]{},]++|"' + _STRING + rb'")*+', re.DOTALL)
_NESTED: Final = re.compile(rb'(?:[^"\[\]{}]++|"' + _STRING + rb'")*+', re.DOTALL)
_SPACE: Final = re.compile(rb"[\s,]*+")
_LINE_BREAKS: Final = bytes.maketrans(b"\r\n", b"  ")
_split: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode


def array_parts(
    text: Text, table: Table, header: Header, *, block_bytes: int, record_bytes: int
) -> Iterator[Part]:
    """Yield the objects of a JSON array block by block; `ROW` is the element's place, from 1."""
    lines = Lines(table, header, record_bytes)
    row, cut = 1, False
    for found in _elements(text, block_bytes, record_bytes):
        if isinstance(found, TooLarge):
            part = lines.part([], row)
            part.rejects.append(reject(row, "record_too_large", found.start))
            row += 1
        else:
            part = lines.part(found, row)
            row += len(found)
            cut = text.truncated is not None and cut_off(part, row - 1)
        yield part
    if text.truncated is not None and not cut:
        part = lines.part([], row)
        part.rejects.append(reject(row, "truncated_file", text.truncated))
        yield part


def array_start(data: bytes) -> list[bytes]:
    """Return the elements of an array of which this is the start."""
    scanner = _Scanner(len(data))
    scanner.take(data)
    return [element for element in scanner.found if isinstance(element, bytes)]


def _elements(text: Text, block_bytes: int, record_bytes: int) -> Iterator[list[bytes] | TooLarge]:
    """Yield runs of elements; each is one line."""
    scanner = _Scanner(record_bytes)
    for piece in text.pieces(block_bytes):
        scanner.take(piece)
        yield from _runs(scanner, text)
    scanner.finish()
    if not scanner.closed and text.truncated is None:
        text.truncated = "the JSON array does not end"
    yield from _runs(scanner, text)


def _runs(scanner: "_Scanner", text: Text) -> Iterator[list[bytes] | TooLarge]:
    """Yield what the scanner has found, elements in a row together."""
    found, scanner.found = scanner.found, []
    for too_large, run in groupby(found, lambda one: isinstance(one, TooLarge)):
        if too_large:
            yield from (one for one in run if isinstance(one, TooLarge))
        else:
            lines = b"\n".join([one.translate(_LINE_BREAKS) for one in run if isinstance(one, bytes)])
            yield text.clean(lines).split(b"\n")


class _Scanner:
    """Finds where elements end, whatever the blocks they come in."""

    def __init__(self, limit: int) -> None:
        self.found: list[bytes | TooLarge] = []
        self.closed = False
        self._limit = limit
        self._data = b""
        self._at = 0
        self._depth = 0
        self._in_string = False
        self._in_array = False
        self._skipped: bytes | None = None

    def take(self, piece: bytes) -> None:
        """Go through the next piece of text."""
        self._data += piece
        self._scan()
        if len(self._data) > self._limit:
            self._skipped = self._skipped or self._data[:1024]
            self._data, self._at = self._data[self._at :], 0

    def finish(self) -> None:
        """Take what is left as the last element."""
        self.closed = not self._in_array
        self._take(0, len(self._data))

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
        self._at = at = _SPACE.match(self._data, self._at).end()  # type: ignore[union-attr]
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
        self._at = _IN_STRING.match(self._data, self._at).end()  # type: ignore[union-attr]
        if self._data[self._at : self._at + 1] != b'"':
            return False
        self._at += 1
        self._in_string = False
        return True

    def _inside(self, start: int) -> int:
        """Go on to the next bracket, or comma between elements; return where the current element starts."""
        skip = _NESTED if self._depth else _AT_TOP
        at = skip.match(self._data, self._at).end()  # type: ignore[union-attr]
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
            self.found.append(TooLarge(self._skipped))
            self._skipped = None
        elif element := self._data[start:end].strip():
            self.found.append(element)
