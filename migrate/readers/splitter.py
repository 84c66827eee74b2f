"""Delimited text → stretches of whole records, whatever quote is not closed."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from migrate.patterns import end_of, kept, woven

START_BYTES: Final = 2048
_STRETCH: Final = 2 << 20
"""Records handed on at once, about, however many are waiting."""
_MOST_LINES: Final = 100_000
_LOOKED_AT_ANEW: Final = 1 << 20
"""Less text that is open yet is looked at again with each piece."""


class Spoiled(NamedTuple):
    """A line that is no record."""

    reason: str
    text: bytes


class Splitter:
    """Cuts text into stretches of whole records, each spoiled line replaced by `mark` and its index.

    A quote opens a cell only at the cell's start; elsewhere it is a character. A quoted cell of several lines must
    close right before a delimiter or line end: else its quote was never closed, the line it stands in is spoiled,
    and the next line is a record again.
    """

    def __init__(self, delimiter: str, line_end: str, limit: int, mark: str) -> None:
        self._newline, self._limit, self._mark = line_end.encode(), limit, mark.encode()
        self._data = b""
        self._held: list[bytes] = []
        """Text behind `_data` that is not looked at yet; `_missing`: how many bytes more are waited for."""
        self._missing = 0
        self._skipping = False
        self._out: list[bytes] = []
        self._spoiled: list[Spoiled] = []
        newline, edge = re.escape(self._newline), b"[" + re.escape(delimiter.encode()) + rb"\r\n]"
        inside, of_line = woven(rb'[^"]', rb'""'), woven(rb'[^"\r\n]', rb'""')
        closed = inside + rb'"(?=' + edge + rb")|" + of_line + rb'"(?!")'
        cell = rb"(?:\A|(?<=" + edge + rb'))"(?:' + closed + rb")|(?<!\A)(?<!" + edge + rb')"'
        plain = rb'[^"' + newline + rb"]*+"
        # Groups inside possessive repeats give wrong spans in Python 3.11; these patterns have none.
        begun = plain + kept(rb'(?=")(?:' + cell + rb")" + plain)
        self._begun, self._record = re.compile(begun), re.compile(begun + newline)
        self._records = re.compile(kept(begun + newline))
        self._closed = re.compile(rb'"' + inside + rb'"')

    @property
    def left(self) -> int | None:
        """How many bytes of those taken stand behind the last whole record; None while a record is passed over."""
        return None if self._skipping else len(self._data) + sum(map(len, self._held))

    def take(self, piece: bytes) -> Iterator[tuple[bytes, list[Spoiled]]]:
        """Yield the whole records there are by now, and the spoiled lines the marks in them stand for."""
        if self._skipping:
            end = piece.find(self._newline) + 1
            if not end:
                return
            piece, self._skipping = piece[end:], False
        self._held.append(piece)
        self._missing -= len(piece)
        if self._missing > 0:
            return
        yield from self._cut(final=False)
        yield self._taken()
        # What is open yet is looked at again once there is twice as much of it: each byte a few times at the most.
        self._missing = min(len(self._data), self._limit + 1 - len(self._data))
        if len(self._data) < _LOOKED_AT_ANEW:
            self._missing = 0

    def finish(self, *, truncated: bool) -> Iterator[tuple[bytes, list[Spoiled]]]:
        """Yield what is left when the text ends; where it was cut off, its last line is no record."""
        self._join()
        if self._data and not truncated and not self._data.endswith(self._newline):
            self._data += self._newline
        yield from self._cut(final=True)
        if self._data:
            self._spoil("truncated_file", self._data)
            self._data = b""
        yield self._taken()

    def _join(self) -> None:
        """Put together what was taken."""
        self._data = b"".join([self._data, *self._held])
        self._held = []

    def _taken(self) -> tuple[bytes, list[Spoiled]]:
        text, spoiled = b"".join(self._out), self._spoiled
        self._out, self._spoiled = [], []
        return text, spoiled

    def _spoil(self, reason: str, line: bytes) -> None:
        self._out.append(self._mark + str(len(self._spoiled)).encode() + self._newline)
        self._spoiled.append(Spoiled(reason, line[:START_BYTES]))

    def _cut(self, *, final: bool) -> Iterator[tuple[bytes, list[Spoiled]]]:
        """Take whole records and spoiled lines off the front of the data, as far as they can be guess."""
        self._join()
        start, end, taken = 0, None, 0
        while start < len(self._data) and start != end:
            if start - taken > _STRETCH:
                yield self._taken()
                taken = start
            end = start
            if len(self._data) - start > self._limit:
                start = self._drop_too_large(start)
            stretch = self._stretch(start)
            if stretch < _STRETCH and self._out:
                yield self._taken()
                taken = start
            whole = self._whole(start, start + stretch)
            if whole == start:
                whole = self._whole(start, len(self._data))
                quote = end_of(self._begun, self._data, whole)
            else:
                quote = len(self._data)  # there may be more records
            self._out.append(self._data[start:whole])
            start = whole
            if quote < len(self._data):
                start = self._drop_open_line(whole, quote, final=final)
        self._data = self._data[start:]

    def _stretch(self, start: int) -> int:
        """Return how much is handed on at once: less where lines are so short that they could be millions."""
        lines = self._data.count(self._newline, start, start + _STRETCH)
        return _STRETCH if lines <= _MOST_LINES else _STRETCH * _MOST_LINES // lines

    def _whole(self, start: int, end: int) -> int:
        """Return where the last whole record before a place ends, or the last before an open quote."""
        if self._data.find(b'"', start, end) < 0:
            return max(start, self._data.rfind(self._newline, start, end) + 1)
        match = self._records.match(self._data, start, end)
        return start if match is None else match.end()

    def _drop_open_line(self, start: int, quote: int, *, final: bool) -> int:
        """Take the line spoiled by the quote opening there, if nothing yet to come can close it."""
        closed = self._closed.match(self._data, quote)
        open_yet = closed is None or closed.end() == len(self._data)
        end = self._data.find(self._newline, quote) + 1
        if not end or (open_yet and not final and len(self._data) - start <= self._limit):
            return start
        self._spoil("unclosed_quote", self._data[start:end])
        return end

    def _drop_too_large(self, start: int) -> int:
        """Take the record that starts here, if it is longer than the limit; what is still to come is skipped."""
        record = self._record.match(self._data, start)
        end = len(self._data) if record is None else record.end()
        if end - start <= self._limit or (record is None and self._open_line(start)):
            return start
        self._spoil("record_too_large", self._data[start:end])
        self._skipping = record is None
        return end

    def _open_line(self, start: int) -> bool:
        """Return whether the record that starts here has a quote that stays open, in a line that ends."""
        quote = end_of(self._begun, self._data, start)
        return quote < len(self._data) and self._data.find(self._newline, quote) >= 0
