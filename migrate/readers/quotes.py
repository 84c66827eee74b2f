"""Where delimited records end: quotes understood, and the one line found that an unclosed quote spoils."""

import re
from typing import Final, NamedTuple

START_BYTES: Final = 2048


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
        self._skipping = False
        self._out: list[bytes] = []
        self._spoiled: list[Spoiled] = []
        newline, edge = re.escape(self._newline), b"[" + re.escape(delimiter.encode()) + rb"\r\n]"
        cell = (
            rb"(?:\A|(?<=" + edge + rb'))"(?:[^"]*+(?:""[^"]*+)*+"(?=' + edge + rb")"
            rb'|[^"\r\n]*+(?:""[^"\r\n]*+)*+"(?!"))|(?<!\A)(?<!' + edge + rb')"'
        )
        # Groups inside possessive repeats give wrong spans in Python 3.11; these patterns have none.
        begun = rb'(?:[^"' + newline + rb"]++|" + cell + rb")*+"
        self._begun, self._record = re.compile(begun), re.compile(begun + newline)
        self._records = re.compile(rb"(?:" + begun + newline + rb")*+")
        self._closed = re.compile(rb'"[^"]*+(?:""[^"]*+)*+"')

    def take(self, piece: bytes) -> tuple[bytes, list[Spoiled]]:
        """Return the whole records there are by now, and the spoiled lines the marks in them stand for."""
        if self._skipping:
            end = piece.find(self._newline) + 1
            if not end:
                return b"", []
            piece, self._skipping = piece[end:], False
        self._data += piece
        self._cut(final=False)
        return self._taken()

    def finish(self, *, truncated: bool) -> tuple[bytes, list[Spoiled]]:
        """Return what is left when the text ends; where it was cut off, its last line is no record."""
        if self._data and not truncated and not self._data.endswith(self._newline):
            self._data += self._newline
        self._cut(final=True)
        if self._data:
            self._spoil("truncated_file", self._data)
            self._data = b""
        return self._taken()

    def _taken(self) -> tuple[bytes, list[Spoiled]]:
        text, spoiled = b"".join(self._out), self._spoiled
        self._out, self._spoiled = [], []
        return text, spoiled

    def _spoil(self, reason: str, line: bytes) -> None:
        self._out.append(self._mark + str(len(self._spoiled)).encode() + self._newline)
        self._spoiled.append(Spoiled(reason, line[:START_BYTES]))

    def _cut(self, *, final: bool) -> None:
        """Take whole records and spoiled lines off the front of the data, as far as they can be told."""
        start, end = 0, None
        while start < len(self._data) and start != end:
            end = start
            if len(self._data) - start > self._limit:
                start = self._drop_too_large(start)
            whole = self._whole(start)
            self._out.append(self._data[start:whole])
            quote = _end(self._begun, self._data, whole)
            start = whole
            if quote < len(self._data):
                start = self._drop_open_line(whole, quote, final=final)
        self._data = self._data[start:]

    def _whole(self, start: int) -> int:
        """Return where the last whole record ends, or the last before an open quote."""
        if self._data.find(b'"', start) < 0:
            return max(start, self._data.rfind(self._newline) + 1)
        return _end(self._records, self._data, start)

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
        """Whether the record that starts here has a quote that stays open, in a line that ends."""
        quote = _end(self._begun, self._data, start)
        return quote < len(self._data) and self._data.find(self._newline, quote) >= 0


def _end(pattern: re.Pattern[bytes], data: bytes, start: int) -> int:
    """Return how far a pattern goes that may match nothing."""
    match = pattern.match(data, start)
    return start if match is None else match.end()
