r"""Delimited text as programs write it → as RFC 4180 has it, and where its records end, whatever quote is not closed.

*plain* is RFC 4180. *spark* (Hadoop's, too) writes `\"` for a quote inside of quotes. *clickhouse* (also Postgres'
`COPY` and MySQL's `SELECT … INTO OUTFILE`) quotes nothing: a line is a row, and tab, line break and backslash stand
behind a backslash (https://clickhouse.com/docs/interfaces/formats/TabSeparated, read 2026-11-28).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

Name = Literal["plain", "spark", "clickhouse"]
NAMES: Final[tuple[Name, ...]] = ("plain", "spark", "clickhouse")
NOTHING: Final = "\0\0nothing"
"""What stands for a null that `Escaped` has read, whose `\\\\N` is text."""
_ESCAPES: Final = {
    b"t": b"\t",
    b"n": b"\n",
    b"r": b"\r",
    b"b": b"\b",
    b"f": b"\f",
    b"v": b"\v",
    b"0": b"\0",
    b"a": b"\a",
}
START_BYTES: Final = 2048
_STRETCH: Final = 2 << 20
"""Records handed on at once, about, however many are waiting."""
_MOST_LINES: Final = 100_000
_LOOKED_AT_ANEW: Final = 1 << 20
"""Less text that is open yet is looked at again with each piece."""
_ESCAPED: Final = re.compile(rb"\\(.)", re.DOTALL)
_CELL_END: Final = rb"(?:[^\\%(d)s]|\\.)*+"


@dataclass(frozen=True)
class Layout:
    """How a file of delimited text is written, as far as the user says it; None where it is to be found out."""

    delimiter: str | None = None
    dialect: Name | None = None
    quote: str | None = None
    escape: str | None = None
    columns: tuple[str, ...] = ()
    """Names of the columns of a file without a header."""
    has_header: bool = True


class Quoted:
    """Cells in quotes of any kind, in which a quote may stand behind an escape → doubled quotes of the usual kind."""

    def __init__(self, delimiter: str, quote: str, escape: str | None) -> None:
        ends, q, e = (re.escape(one.encode()) for one in (delimiter, quote, escape or quote))
        inside = rb"[^%b%b]++|%b%b" % (q, e, q, q) + (rb"|%b[\s\S]" % e if escape else b"")
        cell = rb"%b(?:%b)*+%b" % (q, inside, q)
        self._records = re.compile(rb"(?:(?:[^%b\n]++|%b)*+\n)*+" % (q, cell))
        self._cell = re.compile(rb"(^|[%b\n])(%b)" % (ends, cell), re.MULTILINE)
        self._inside = re.compile(rb"%b([%b%b])|%b%b" % (e, q, e, q, q) if escape else rb"%b()%b" % (q, q))
        self._quote = quote.encode()

    def plain(self, pieces: Iterator[bytes], most: int) -> Iterator[bytes]:
        """Yield the text as RFC 4180 has it; what is not closed after so many bytes, or at the end, as it is."""
        held = b""
        for piece in pieces:
            held += piece
            match = self._records.match(held)
            end = match.end() if match else 0
            if not end and len(held) > most:
                end = held.rfind(b"\n") + 1 or len(held)
            if end:
                yield self._cell.sub(self._rewritten, held[:end])
                held = held[end:]
        if held:
            yield self._cell.sub(self._rewritten, held)

    def _rewritten(self, match: re.Match[bytes]) -> bytes:
        """Return a cell with what is before it."""
        text = self._inside.sub(lambda found: found[1] or self._quote, match[2][1:-1])
        return match[1] + quoted(text)


class Escaped:
    """Cells without quotes, in which all that would end them stands behind a backslash → quoted cells."""

    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter.encode()
        self._line = re.compile(rb"(?:[^\\\n]++|\\[\s\S])*+\n")
        self._cells = re.compile(_CELL_END % {b"d": re.escape(self._delimiter)}, re.DOTALL)

    def plain(self, pieces: Iterator[bytes], most: int) -> Iterator[bytes]:
        """Yield the text as RFC 4180 has it; a line that is longer than so many bytes as it is."""
        held = b""
        for piece in pieces:
            held += piece
            out, place = [], 0
            while match := self._line.match(held, place):
                out.append(self._rewritten(match[0][:-1]) + b"\n")
                place = match.end()
            if not place and len(held) > most:
                out, place = [held], len(held)
            if place:
                yield b"".join(out)
                held = held[place:]
        if held:
            yield self._rewritten(held)

    def _rewritten(self, line: bytes) -> bytes:
        """Return a line with its cells in quotes where they need some."""
        if b"\\" not in line and b'"' not in line:
            return line
        bare = line.removesuffix(b"\r")
        cells, place = [], 0
        while True:
            end = self._cells.match(bare, place).end()  # type: ignore[union-attr]
            cells.append(self._cell(bare[place:end]))
            if end >= len(bare):
                return self._delimiter.join(cells)
            place = end + 1

    def _cell(self, cell: bytes) -> bytes:
        """Return a cell as it is meant."""
        if cell == rb"\N":
            return NOTHING.encode()
        if b"\\" not in cell and b'"' not in cell:
            return cell
        return quoted(_ESCAPED.sub(lambda found: _ESCAPES.get(found[1], found[1]), cell))


def quoted(text: bytes) -> bytes:
    """Return a cell in quotes."""
    return b'"' + text.replace(b'"', b'""') + b'"'


def told(head: bytes, delimiter: str) -> Name | None:
    """Return which dialect the start of a text shows; None where it shows two that contradict each other."""
    if b"\\" not in head:
        return "plain"
    d = re.escape(delimiter.encode())
    torn = (
        b'\\"' in head
        and re.search(rb'(?:^|[%b\n])"(?:[^"\\]|\\[^"]|"")*\\"(?=[^%b\r\n"])' % (d, d), head) is not None
    )
    doubled = (
        re.search(rb'(?:^|[%b\n])"(?:[^"\\]|\\[^"]|(?<!\\)"")*(?<!\\)""(?=[^%b\r\n])' % (d, d), head)
        is not None
    )
    if torn and doubled:
        return None
    if torn:
        return "spark"
    nothing = re.search(rb"(?:^|[\t\n])\\N(?=[\t\r\n]|$)", head) is not None
    escaped = re.search(rb"\\[tnrbf0\\]", head) is not None
    if delimiter == "\t" and nothing and escaped:
        closed = re.search(rb'(?:^|[\t\n])"(?:[^"]|"")*"(?=[\t\r\n]|$)', head) is not None
        return None if closed else "clickhouse"
    return "plain"


class Plain:
    """Looks for what shows that text is not plain after all, further on than its start was looked at."""

    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter
        self._torn = re.compile(rb'\\"[^"%b\r\n]' % re.escape(delimiter.encode()))

    def complaint(self, block: bytes, line: int) -> str | None:
        """Return why these lines, after so many others, are not to be read as plain text, None where they may be."""
        is_odd = b'\\"' in block and self._torn.search(block) is not None
        if not is_odd and not (self._delimiter == "\t" and b"\\N" in block):
            return None
        found = told(block, self._delimiter)
        if found == "plain":
            return None
        lines = block.count(b"\n") + 1
        like = "which is how no program writes" if found is None else f"as --dialect {found} has it"
        return (
            f"its start is plain text, and between lines {line + 1:,} and {line + lines:,} something stands behind a "
            f"backslash {like}, so that cells would be torn; say how all of it is written with --dialect plain, spark "
            "or clickhouse, in a --workdir of its own if others are planned already"
        )


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
        """Text behind it, not looked at yet, and how much more of it is waited for."""
        self._missing = 0
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
        """Take whole records and spoiled lines off the front of the data, as far as they can be told."""
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
                quote = _end(self._begun, self._data, whole)
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
        """Whether the record that starts here has a quote that stays open, in a line that ends."""
        quote = _end(self._begun, self._data, start)
        return quote < len(self._data) and self._data.find(self._newline, quote) >= 0


def _end(pattern: re.Pattern[bytes], data: bytes, start: int) -> int:
    """Return how far a pattern goes that may match nothing."""
    match = pattern.match(data, start)
    return start if match is None else match.end()
