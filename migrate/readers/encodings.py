"""Whether a text is in the encoding, and in the dialect, that its start shows; and what else it may be."""

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from migrate.inputs.source import Source
from migrate.readers.blocks import Text, is_utf8
from migrate.readers.dialects import Plain
from migrate.readers.records import Header

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SNIFFED: Final = 256
_FEW_ZEROS: Final = 0.05
"""The share of characters that are ASCII in any CSV or JSON, whatever language it holds."""
_REPLACED: Final = "\ufffd".encode()
_CHECKED_BYTES: Final = 1 << 20
_BAD_UTF8: Final = re.compile("[\udcc2-\udcf4][\udc80-\udcbf]{1,2}|([\udc80-\udcff\0])")
"""In text whose bad bytes are escaped: the first half of a character, else a bad byte."""
_BAD: Final = re.compile("([\ufffd\0])")
_PADDING: Final = re.compile('(?<!\0)\0{1,16}(?=")')
"""Zeros with which ClickHouse fills up texts of a fixed length (`FixedString(3)`): no sign of a file that is torn."""
_WORD: Final = re.compile(rb'[^\s,;|":]*[\x80-\xff][^\s,;|":]*')
_LONG_LINE: Final = 1 << 12
_LONGEST: Final = 4
"""Bytes of a character."""
_SAMPLE_BYTES: Final = 1 << 14
_MOST_BAD: Final = 0.01
"""The share of lines with bytes that cannot be read which a file may have; with more it is another encoding."""
_ENCODINGS: Final = tuple(
    "cp1252 cp1250 cp1251 cp1253 mac_roman koi8_r shift_jis gb18030 big5 euc_kr".split()  # noqa: SIM905 - a list of words
)
"""What exports are written in that are not UTF-8; where several fit alike, the first."""


def detect(head: bytes) -> str:
    """Return the encoding these first bytes show: by mark, by the zeros of ASCII in UTF-16, else UTF-8."""
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    pairs = head[: min(_SNIFFED, len(head)) & ~1]
    even, odd = pairs[::2], pairs[1::2]
    if len(pairs) >= 4:  # noqa: PLR2004 - two characters
        for encoding, zeros, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
            if (
                zeros.count(0) > max(2, _FEW_ZEROS * len(zeros))
                and not others.count(0)
                and _is_text(pairs, encoding)
                and ("\n" in pairs.decode(encoding) or b"\n" not in pairs)
            ):
                return encoding
    return "utf-8"


class Unsettled(Exception):  # noqa: N818 - the word says what happened
    """Text of which only the start was looked at holds what its encoding or its dialect does not have.

    `name` is its source's, all of which is to be looked at before it is read, see `headers.settled`. Work at
    units (`plan.units`) does so by itself; who reads a file outside of that has it settled (`plan.readable.settle`).
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Watched(Text):
    """A text that is looked through as it is read, for what `is_fine` looks for."""

    def __init__(self, stream: BinaryIO, source: Source, header: Header) -> None:
        super().__init__(stream, header.encoding, source.span)
        self._name, self._plain = source.name, header.plain()

    def pieces(self, size: int) -> Iterator[bytes]:
        """Yield the text as UTF-8, as `Text` does; raises Unsettled in place of a piece that is odd."""
        held = b""
        for piece in super().pieces(size):
            block, held = _parted(held + piece)
            self._check(block)
            given = [piece]
            del block, piece
            yield given.pop()
        self._check(held)

    def _check(self, block: bytes) -> None:
        if _is_surprising(block, self, self._plain):
            raise Unsettled(self._name)


def text_of(stream: BinaryIO, source: Source, header: Header) -> Text:
    """Return the text of a source; where its header is still to be settled, it is watched, see `Watched`."""
    if header.is_unsettled:
        return Watched(stream, source, header)
    return Text(stream, header.encoding, source.span)


class LineCount:
    """Counts the lines of a text, and those that are not valid in its encoding; a very long one counts as many.

    A character of UTF-8 that was cut, as fields of a fixed number of bytes do, is no sign of another encoding.
    """

    def __init__(self, text: Text, plain: Plain | None = None) -> None:
        """`plain` looks whether what seemed plain delimited text at its start is."""
        self._text = text
        self._plain = plain
        self._why: str | None = None
        self._bad = _BAD_UTF8 if text.is_utf8 else _BAD
        self._count = self._count_bad = self._line = 0
        self._is_torn = True
        """Whether all bad bytes are zeros, which stand where a copy was cut off and no text is."""
        self._first: tuple[int, int, int] | None = None
        """Line and byte in it, both from 1, of the first bad byte, and what stands there."""
        self._sample = b""
        """Some bad lines."""

    @property
    def is_odd(self) -> bool:
        """Whether any byte was not valid."""
        return self._first is not None

    def read(self, most: int | None = None) -> None:
        """Read the text, or so many bytes of it."""
        for block in _blocks(self._text, most):
            self._take(block)

    def _take(self, block: bytes) -> None:
        """Take whole lines, or a stretch of a very long one."""
        lines = block.count(b"\n")
        self._count += max(lines + (block[-1:] not in b"\n"), len(block) // _LONG_LINE)
        if _is_odd(block, self._text):
            text = block.decode("utf-8", "surrogateescape")
            for number, line in enumerate(text.split("\n"), self._line + 1):
                if places := self._bad_places(line):
                    self._take_bad(number, line, places)
        if self._plain is not None and self._why is None:
            self._why = self._plain.complaint(block, self._line)
        self._line += lines

    def _bad_places(self, line: str) -> list[int]:
        """Return where the first bad byte of each stretch of a line is that has any; zeros may be millions."""
        places: list[int] = []
        at = 0
        line = _PADDING.sub(lambda zeros: " " * len(zeros[0]), line)
        while (
            place := next((found.start(1) for found in self._bad.finditer(line, at) if found[1]), -1)
        ) >= 0:
            places.append(place)
            at = (place // _LONG_LINE + 1) * _LONG_LINE
        return places

    def _take_bad(self, number: int, line: str, places: list[int]) -> None:
        """Take a line with bad bytes at these places, one of each stretch."""
        self._count_bad += len(places)
        self._is_torn = self._is_torn and all(line[place] == "\0" for place in places)
        if self._first is None or len(self._sample) < _SAMPLE_BYTES:
            stored, before = (one.encode("utf-8", "surrogateescape") for one in (line, line[: places[0]]))
            self._first = self._first or (number, len(before) + 1, stored[len(before)])
            self._sample += stored[:_SAMPLE_BYTES] + b"\n"

    def complaint(self) -> tuple[str, str] | None:
        """Return why the text is not to be read in its encoding or its dialect, a word and a sentence, or None."""
        if self._first is None or self._count_bad <= _MOST_BAD * self._count:
            return None if self._why is None else ("unclear_dialect", self._why)
        line, place, found = self._first
        many = f"{self._count_bad:,} of {self._count:,} lines"
        names = _guessed(self._sample)
        if self._is_torn and not names:
            where = f"the first on line {line:,}, byte {place:,}"
            torn = "the file is torn, as a copy that was cut off is; fetch it again"
            return "nul_bytes", f"{many} hold bytes of zero, which no text has, {where}: {torn}"
        said = f"{many} are not valid {self._text.encoding}"
        guesses = " or ".join(f"--encoding {name}" for name in names)
        how = f"perhaps it is {guesses}" if guesses else "say what it is with --encoding"
        where = f"the first bad byte is 0x{found:02x} on line {line:,}, byte {place:,}"
        return (
            "wrong_encoding",
            f"{said}, {where}; {how}, in a --workdir of its own if others are planned already",
        )


def is_fine(text: Text, plain: Plain | None = None, most: int | None = None) -> bool:
    """Return whether nothing in a text, or in so many bytes of it, is as `LineCount` looks for; it reads it.

    As it counts no lines it takes half the time.
    """
    return not any(_is_surprising(block, text, plain) for block in _blocks(text, most))


def _blocks(text: Text, most: int | None) -> Iterator[bytes]:
    """Yield a text, or so many bytes of it, in blocks of whole lines, of very long ones in stretches."""
    held, taken = b"", 0
    for piece in text.pieces(_CHECKED_BYTES):
        taken += len(piece)
        block, held = _parted(held + piece)
        yield block
        if most is not None and taken >= most:
            return
    yield held


def _parted(text: bytes) -> tuple[bytes, bytes]:
    """Return the whole lines of a text, or what of a very long one ends with a character; and the rest."""
    end = text.rfind(b"\n") + 1 or _last_whole(text)
    return text[:end], text[end:]


def _is_surprising(block: bytes, text: Text, plain: Plain | None) -> bool:
    """Return whether a block of a text has what its encoding, or plain delimited text, has not."""
    return _is_odd(block, text) or (plain is not None and plain.complaint(block, 0) is not None)


def _is_odd(block: bytes, text: Text) -> bool:
    """Return whether anything in a block of a text is not valid in its encoding, or is a zero."""
    return not is_utf8(block) or b"\0" in block or (not text.is_utf8 and _REPLACED in block)


def _last_whole(text: bytes) -> int:
    """Return where text may be cut so that no character is."""
    end = len(text)
    while end and len(text) - end < _LONGEST and 0x80 <= text[end - 1] < 0xC0:  # noqa: PLR2004 - amid a character
        end -= 1
    return max(0, end - 1)


def _guessed(sample: bytes) -> list[str]:
    """Return which encodings text may have that is not UTF-8, the likeliest first, two at the most."""
    if sample.count(0) > len(sample) // 8:
        return [name for name in ("utf-16-le", "utf-16-be") if _is_text(sample, name)][:1]
    from charset_normalizer import from_bytes  # noqa: PLC0415 - takes a while, and is hardly ever asked

    words = b" ".join(_WORD.findall(sample))  # what stands around them in a file is no language
    ranked = [
        sorted({match.encoding, *match.could_be_from_charset} & {*_ENCODINGS}, key=_ENCODINGS.index)
        for match in from_bytes(words, cp_isolation=list(_ENCODINGS))
    ]
    likely = [names[0] for names in ranked if names] or [name for name in _ENCODINGS if _is_text(words, name)]
    return list(dict.fromkeys(likely))[:2]


def _is_text(sample: bytes, encoding: str) -> bool:
    """Return whether this can be text: nearly all of it can be printed."""
    text = sample.decode(encoding, "ignore")
    return sum(character.isprintable() or character.isspace() for character in text) > 0.9 * len(text)
