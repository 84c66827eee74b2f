"""JSON objects one after another, over any number of lines or on one → each in its own text, with its place.

Where one object ends is told by JSON alone, so it makes no difference how a file is laid out or where its pieces end.
Text that is no object ends where something else can begin: at a line that begins with `{`, at one that is a value by
itself, or at a `{` right after a `}`.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from migrate.jsontext.careful import nests_too_deep, unescaped
from migrate.patterns import end_of
from migrate.readers.structure import BLANK, Structure

START_BYTES: Final = 1024
"""So much is kept of text that is too long."""
_LOOKED_AT_ANEW: Final = 1 << 20
"""A shorter record that does not end yet is looked at again with each piece."""
_WINDOW: Final = 1 << 16
_ENDS_TRIED: Final = 2
_TRIES: Final = 8
_SPACE: Final = re.compile(BLANK)
_AFTER: Final = re.compile(rb"[ \t\r]*+")
_SEAM: Final = re.compile(rb"\}\s*\{")
_ALONE: Final = rb'(?:\[[^\n]{0,40}\]|"[^"\n]{0,40}"|null|true|false|-?[0-9][0-9.eE+-]{0,30})[ \t\r]{0,9}\n'
"""A short value on a line of its own."""
_RESTART: Final = re.compile(rb"\n(?=\{|" + _ALONE + rb")|\}[ \t]{0,64}(?=\{)")
_LINE_END: Final = re.compile(rb"\n|\}[ \t]{0,64}(?=\{)")
_OVERLAP: Final = 80
"""No match of the two is longer."""
_values: Final = msgspec.json.Decoder(msgspec.Raw)


class Broken(NamedTuple):
    """Text that is no record."""

    reason: str
    text: bytes
    """Its start, where it is too long."""


class Cutter:
    """Cuts text into records.

    `found` holds the records, and text that is no record. `numbers` are the lines they begin on, counted as if each
    further record of a line began a line of its own.
    """

    def __init__(self, limit: int, first: int = 1) -> None:
        """`first` is the number of the first line."""
        self.found: list[bytes | Broken] = []
        self.numbers: list[int] = []
        self._limit = limit
        self._data = b""
        self._held: list[bytes] = []
        """Text behind `_data` that is not looked at yet; `_missing`: how many bytes more are waited for."""
        self._missing = 0
        self._start = 0
        """Where the record at hand starts."""
        self._line, self._is_fresh = first, True
        """The line at hand, and whether nothing stands on it yet."""
        self._structure: Structure | None = None
        self._hopeless: set[int] = set()
        """Where objects begin that are known not to end: they stood open when one around them turned out to be none."""
        self._seek: int | None = None
        """From where on the end of text that is no record is looked for."""
        self._end = _LINE_END
        self._lost: bytes | None = None
        """The start of such text, where the rest was let go."""
        self._lost_lines = 0
        self._tries = _TRIES
        """How often it is still tried to take all text at hand at once."""
        self._careful = 0
        """Up to here objects are taken one by one."""
        self._next_line = 0
        """The next line that begins with an object, or one that was passed; the end of the text if there is none."""
        self._is_lines = True
        """Whether the last piece held one record a line."""
        self.ends_broken = False
        """Whether the text that was cut to its end ends amid a line that is no record."""

    @property
    def next(self) -> int:
        """The number that the next record has."""
        return self._line if self._is_fresh else self._line + 1

    def take(self, piece: bytes) -> None:
        """Take the next piece of text."""
        self._held.append(piece)
        self._missing -= len(piece)
        if self._missing <= 0:
            self._join()

    def _join(self) -> None:
        """Put together what was taken."""
        self._data = b"".join([self._data, *self._held])
        self._held = []

    def lines(self) -> bytes:
        """Return the whole lines at hand where each may be a record, numbered from `next` on."""
        if self._held or self._seek is not None or not self._is_fresh or not self._is_lines:
            return b""
        block = self._data[: self._data.rfind(b"\n") + 1]
        start = end_of(_SPACE, block, 0)
        end = block.find(b"\n", start)
        first = Structure(start)
        if block[start : start + 1] != b"{" or not first.follow(block[:end]) or block[first.at : end].strip():
            return b""
        return block

    def are_alone(self, block: bytes, numbers: Sequence[int]) -> bool:
        """Return whether the lines with these numbers, which are no objects, are none together with others either."""
        lines = block.split(b"\n") if numbers else []
        for number in numbers:
            line, after = lines[number - self._line : number - self._line + 2]
            text = line.lstrip() + b"\n{"
            opens = text.startswith(b"{") and Structure(0).follow(text) is None
            if opens or not after.startswith(b"{") or len(line) >= self._limit or _SEAM.search(line):
                return False
        return True

    def skip(self, block: bytes, lines: int) -> None:
        """Pass over whole lines that were read elsewhere."""
        self._start, self._structure = len(block), None
        self._line += lines
        self._let_pass()

    def cut(self, *, final: bool = False) -> None:
        """Find the records that end in the text at hand, or, if it is the last, all that are there."""
        if self._held and not final:
            return
        self._join()
        self._tries, self._careful, self._next_line = _TRIES, 0, 0
        self._is_lines |= bool(self._data)
        while self._step(final=final):
            pass
        self._let_pass()
        # A long record is looked at again once there is twice as much of it: each byte a few times at the most.
        length = len(self._data)
        is_long = self._seek is None and length > _LOOKED_AT_ANEW
        self._missing = min(length, self._limit + 1 - length) if is_long else 0

    def taken(self) -> tuple[list[bytes | Broken], list[int]]:
        """Return what was found since the last call, and the numbers."""
        found, numbers = self.found, self.numbers
        self.found, self.numbers = [], []
        return found, numbers

    def _let_pass(self) -> None:
        """Let go of the text before the record at hand."""
        self._data = self._data[self._start :]
        if self._structure is not None:
            self._structure.shift(self._start)
        if self._seek is not None:
            self._seek -= self._start
        self._hopeless = {start - self._start for start in self._hopeless if start >= self._start}
        self._start = 0

    def _step(self, *, final: bool) -> bool:
        """Go on by one record, or many at once; False where that takes more text."""
        if self._seek is not None:
            return self._recovered(final=final)
        if self._structure is None:
            self._blank(end_of(_SPACE, self._data, self._start))
            if self._start == len(self._data):
                return False
            if not self._data.startswith(b"{", self._start):
                self._lose(self._start, _LINE_END)
                return True
            if self._start in self._hopeless:
                self._lose(self._start + 1)
                return True
            if self._start >= self._careful and self._many(final=final):
                return True
            self._structure = Structure(self._start)
        return self._one(self._structure, final=final)

    def _one(self, structure: Structure, *, final: bool) -> bool:
        """Take one record; False where it does not end yet."""
        whole = structure.follow(self._data)
        end = len(self._data) if whole is None else structure.at
        if end - self._start > self._limit:
            self._lose(self._start + 1)
        elif whole:
            after = end_of(_AFTER, self._data, end)
            mark = self._data[after : after + 1]
            if not mark and not final:
                return False
            if mark in {b"", b"\n", b"{"}:
                self._add(self._data[self._start : end], end)
            elif line := self._escaped_line(final=final):
                self._add(line, self._start + len(line))
            elif line is None:
                return False
            else:
                self._lose(end, _LINE_END)
        elif whole is None and not final:
            return False
        elif line := self._escaped_line(final=final):
            self._add(line, self._start + len(line))
        elif line is None:
            return False
        else:
            self._hopeless |= {*structure.starts}
            self._lose(self._start + 1)
        self._structure = None
        return True

    def _escaped_line(self, *, final: bool) -> bytes | None:
        """Return the line at hand if it is a record that was escaped twice, else nothing; None if it has not ended."""
        end = self._data.find(b"\n", self._start)
        line = self._data[self._start : end if end >= 0 else len(self._data)]
        if b'\\\\"' not in line or len(line) > self._limit:
            return b""
        if end < 0 and not final:
            return None
        return line if unescaped(line) else b""

    def _many(self, *, final: bool) -> bool:
        """Take as many records as can be at once; False if one has to be taken alone."""
        if self._tries:
            ends = [len(self._data)] if final else []
            window = max(self._start, len(self._data) - _WINDOW)
            ends += [seam.start() + 1 for seam in _SEAM.finditer(self._data, window)][: -_ENDS_TRIED - 1 : -1]
            for end in ends:
                if self._all_sound(end):
                    return True
            self._tries -= 1
        if self._next_line <= self._start:
            self._next_line = self._data.find(b"\n{", self._start) + 1 or len(self._data)
        self._careful = self._next_line
        return self._next_line < len(self._data) and self._all_sound(self._next_line)

    def _all_sound(self, end: int) -> bool:
        """Take all text up to there if it is records and nothing else."""
        try:
            found = _values.decode_lines(memoryview(self._data)[self._start : end])
        except (msgspec.DecodeError, RecursionError):
            return False
        records = [bytes(value) for value in found]
        if any(not one.startswith(b"{") or len(one) > self._limit for one in records):
            return False
        if self._data.find(b"\n", self._start, end) < 0 and records:
            first = self.next
            self.found += records
            self.numbers += range(first, first + len(records))
            self._is_lines &= self._is_fresh and len(records) == 1
            self._line, self._is_fresh, self._start = first + len(records) - 1, False, end
            return True
        for record in records:
            start = end_of(_SPACE, self._data, self._start)
            self._blank(start)
            self._add(record, start + len(record))
        return True

    def _blank(self, end: int) -> None:
        """Pass over blanks up to there."""
        lines = self._data.count(b"\n", self._start, end)
        self._line += lines
        self._is_fresh |= bool(lines)
        self._start = end

    def _add(self, one: bytes | Broken, end: int) -> None:
        """Take what stands up to there as one thing."""
        lines = self._data.count(b"\n", self._start, end) + self._lost_lines
        self._is_lines &= isinstance(one, Broken) or (self._is_fresh and not lines)
        self.found.append(one)
        self.numbers.append(self.next)
        self._line = self.next + lines
        self._is_fresh = self._data.endswith(b"\n", self._start, end)
        self._start, self._lost, self._lost_lines = end, None, 0

    def _lose(self, seek: int, end: re.Pattern[bytes] = _RESTART) -> None:
        """Look for the end of text that is no record, from there on."""
        self._seek, self._end = seek, end

    def _recovered(self, *, final: bool) -> bool:
        """Take text that is no record up to where the next can begin; False if that is not here yet."""
        found = self._end.search(self._data, self._seek or 0)
        length = len(self._data) - self._start
        if found is None and not final:
            self._seek = max(self._seek or 0, len(self._data) - _OVERLAP)
            if self._lost is not None or length > self._limit + _OVERLAP:
                self._let_go()
            return False
        end = len(self._data) if found is None else found.end()
        text = self._data[self._start : end]
        self.ends_broken = found is None and not text.endswith(b"\n")
        if self._lost is not None or len(text) > self._limit:
            broken = Broken("record_too_large", self._lost or text[:START_BYTES])
        else:
            text = text.strip()
            broken = Broken("nested_too_deep" if nests_too_deep(text) else "malformed_json", text)
        self._add(broken, end)
        self._seek, self._careful = None, 0 if self._tries else self._careful
        return True

    def _let_go(self) -> None:
        """Keep only the start of text that is too long."""
        end = max(self._start, len(self._data) - _OVERLAP)
        self._lost = self._lost or self._data[self._start : self._start + START_BYTES]
        self._lost_lines += self._data.count(b"\n", self._start, end)
        self._start = end
