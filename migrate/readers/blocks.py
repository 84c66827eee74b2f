"""Stored bytes → pieces of UTF-8 text of a fixed size, whatever the encoding."""

import codecs
import struct
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO, Final

import pyarrow as pa

from migrate.errors import UsageError
from migrate.inputs import Truncated

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SNIFFED: Final = 256


def detect(head: bytes) -> str:
    """Return the encoding these first bytes show: by mark, by zeros between ASCII, else UTF-8."""
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    pairs = head[: min(_SNIFFED, len(head)) & ~1]
    even, odd = pairs[::2], pairs[1::2]
    if len(pairs) >= 4:  # noqa: PLR2004 - two characters
        if odd.count(0) > 0.9 * len(odd) and even.count(0) == 0:
            return "utf-16-le"
        if even.count(0) > 0.9 * len(even) and odd.count(0) == 0:
            return "utf-16-be"
    return "utf-8"


class Text:
    """A stream of text; `truncated` tells, once it is read, whether it ended early and why."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._stream = stream
        self.encoding = encoding
        self.truncated: str | None = None
        self.counts: Counter[str] = Counter()
        try:
            self._codec = codecs.lookup(encoding).name
        except LookupError as error:
            raise UsageError(f"encoding {encoding!r}: unknown; use utf-8, utf-16 or latin-1") from error

    def pieces(self, size: int) -> Iterator[bytes]:
        """Yield the text as UTF-8, not yet checked where it was stored as UTF-8, without a byte order mark."""
        stored = self._stored(size)
        if self._codec != "utf-8":
            stored = self._recoded(stored)
        first = True
        for piece in stored:
            yield piece.removeprefix(codecs.BOM_UTF8) if first else piece
            first = False

    def _stored(self, size: int) -> Iterator[bytes]:
        """Yield exactly `size` bytes at a time, fewer at the end."""
        parts: list[bytes] = []
        missing = size
        while self.truncated is None:
            try:
                data = self._stream.read(missing)
            except Truncated as error:
                self.truncated = str(error)
                break
            parts.append(data)
            missing -= len(data)
            if not data:
                break
            if not missing:
                yield b"".join(parts)
                parts, missing = [], size
        if rest := b"".join(parts):
            yield rest

    def _recoded(self, stored: Iterator[bytes]) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder(self._codec)("replace")
        kept = codecs.getincrementaldecoder(self._codec)("ignore")
        for piece in stored:
            yield self._decoded(decoder.decode(piece), kept.decode(piece))
        yield self._decoded(decoder.decode(b"", final=True), kept.decode(b"", final=True))

    def _decoded(self, text: str, without: str) -> bytes:
        self._count(text.count("\ufffd") - without.count("\ufffd"))
        return text.encode()

    def clean(self, block: bytes) -> bytes:
        """Return a block of whole records as valid UTF-8, each invalid place replaced by U+FFFD and counted."""
        if is_utf8(block):
            return block
        text = block.decode("utf-8", "replace")
        self._count(text.count("\ufffd") - block.count(b"\xef\xbf\xbd"))
        return text.encode()

    def _count(self, replaced: int) -> None:
        if replaced:
            self.counts["invalid_utf8"] += replaced

    def take_counts(self) -> Counter[str]:
        """Return what was counted since the last call."""
        counts, self.counts = self.counts, Counter()
        return counts


def is_utf8(block: bytes) -> bool:
    """Whether a block is valid UTF-8."""
    offsets = pa.py_buffer(struct.pack("<qq", 0, len(block)))
    try:
        pa.Array.from_buffers(pa.large_utf8(), 1, [None, offsets, pa.py_buffer(block)]).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True
