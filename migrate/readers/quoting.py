"""Delimited text with other quotes, or none → as RFC 4180 has it."""

import re
from collections.abc import Iterator
from typing import Final

from migrate.patterns import end_of, kept, woven

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
_ESCAPED: Final = re.compile(rb"\\(.)", re.DOTALL)


class Quoted:
    """Cells in quotes of any kind, in which a quote may stand behind an escape → doubled quotes of the usual kind."""

    def __init__(self, delimiter: str, quote: str, escape: str | None) -> None:
        ends, q, e = (re.escape(one.encode()) for one in (delimiter, quote, escape or quote))
        odd = rb"(?:%b%b|%b[\s\S])" % (q, q, e) if escape else q + q
        cell = q + woven(rb"[^%b%b]" % (q, e), odd) + q
        plain = rb"[^%b\n]*+" % q
        self._records = re.compile(kept(plain + kept(cell + plain) + rb"\n"))
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
        self._line = re.compile(woven(rb"[^\\\n]", rb"\\[\s\S]") + rb"\n")
        self._cells = re.compile(woven(rb"[^\\%b]" % re.escape(self._delimiter), rb"\\[\s\S]"))

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
            end = end_of(self._cells, bare, place)
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


class Raw:
    """Cells without quotes, in which nothing stands for anything else → quoted cells where they need quotes."""

    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter.encode()

    def plain(self, pieces: Iterator[bytes], most: int) -> Iterator[bytes]:
        """Yield the text as RFC 4180 has it; a line that is longer than so many bytes as it is."""
        held: list[bytes] = []
        waiting = 0
        for piece in pieces:
            end = piece.rfind(b"\n") + 1
            waiting += len(piece)
            if end:
                yield self._rewritten(b"".join([*held, piece[:end]]))
                held, waiting = [piece[end:]], len(piece) - end
            elif waiting > most:
                yield b"".join([*held, piece])
                held, waiting = [], 0
            else:
                held.append(piece)
        if rest := b"".join(held):
            yield self._rewritten(rest)

    def _rewritten(self, lines: bytes) -> bytes:
        """Return lines with their cells in quotes where they need some."""
        if b'"' not in lines and b"\r" not in lines:
            return lines
        return b"\n".join(map(self._line, lines.split(b"\n")))

    def _line(self, line: bytes) -> bytes:
        bare = line.removesuffix(b"\r")
        if b'"' not in bare and b"\r" not in bare:
            return bare
        cells = bare.split(self._delimiter)
        return self._delimiter.join(quoted(one) if b'"' in one or b"\r" in one else one for one in cells)


def quoted(text: bytes) -> bytes:
    """Return a cell in quotes."""
    return b'"' + text.replace(b'"', b'""') + b'"'
