"""Stored bytes → pieces of UTF-8 text of a fixed size, whatever the encoding."""

import codecs
import struct
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa

from migrate.errors import UsageError
from migrate.inputs.spans import Span
from migrate.inputs.streams import Truncated


class Text:
    """A stream of text; `truncated` tells, once it is read, whether it ended early and why."""

    def __init__(self, stream: BinaryIO, encoding: str, span: Span | None = None) -> None:
        """`span` is what the stream is of a file, where that is not all of it, nor its beginning."""
        self._stream = stream
        self.encoding = encoding
        self.span = None if span is None or span.is_first else span
        self.truncated: str | None = None
        self.mark_bytes = 0
        """How many bytes the byte order mark takes that was passed over."""
        self.counts: Counter[str] = Counter()
        try:
            self._codec = codecs.lookup(encoding).name
        except LookupError as error:
            raise UsageError(f"encoding {encoding!r}: unknown; use utf-8, utf-16 or latin-1") from error

    @property
    def is_utf8(self) -> bool:
        """Whether it is stored as UTF-8."""
        return self._codec == "utf-8"

    def pieces(self, size: int) -> Iterator[bytes]:
        """Yield the text as UTF-8, not yet checked where it was stored as UTF-8, without a byte order mark.

        Nothing is held of a piece that was yielded: who takes it may let it go while rows are made of it.
        """
        stored = self._stored(size)
        if self._codec != "utf-8":
            stored = self._recoded(stored)
        first = self.span is None
        for piece in stored:
            bare = piece.removeprefix(codecs.BOM_UTF8) if first else piece
            self.mark_bytes += len(piece) - len(bare)
            given, first = [bare], False
            del piece, bare
            yield given.pop()

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
            if not data:
                break
            parts.append(data)
            missing -= len(data)
            del data
            if not missing:
                whole = [b"".join(parts)]
                parts, missing = [], size
                yield whole.pop()
        rest = [b"".join(parts)]
        del parts
        if rest[0]:
            yield rest.pop()

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
    if block.isascii():
        return True
    offsets = pa.py_buffer(struct.pack("<qq", 0, len(block)))
    try:
        pa.Array.from_buffers(pa.large_utf8(), 1, [None, offsets, pa.py_buffer(block)]).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True
