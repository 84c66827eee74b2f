"""Our own rejects.jsonl as an input: each line stands for the row it holds, to be planned again once it is mended."""

import io
import re
from typing import BinaryIO, Final, cast

import msgspec

from migrate.inputs.streams import Stream, peek

_HEAD_BYTES: Final = 4_096
_LINE: Final = re.compile(
    rb'\s*\{\s*"file"\s*:\s*"(?:[^"\\]|\\.)*"\s*,\s*"row"\s*:\s*(?:\d+|null)\s*,\s*"reason"\s*:'
)


_NOTHING: Final = msgspec.Raw(b"null")


class _Reject(msgspec.Struct):
    """A line of rejects.jsonl: `source` is the row; a record that could not be read has only its text."""

    source: msgspec.Raw = _NOTHING
    value: str | None = None


class _Rows(Stream):
    """The rows of a rejects file, a line each, so that row numbers stay line numbers."""

    def __init__(self, lines: io.BufferedReader) -> None:
        super().__init__()
        self._lines = lines

    def piece(self) -> bytes | None:
        """Return the next row; of a line that is no reject, the line itself."""
        line = self._lines.readline()
        if not line:
            return None
        try:
            reject = msgspec.json.decode(line, type=_Reject)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return line
        if reject.source != _NOTHING:
            return bytes(reject.source) + b"\n"
        return (reject.value or "").replace("\n", " ").encode() + b"\n"

    def close(self) -> None:
        """Close the file too."""
        self._lines.close()
        super().close()


def unwrapped(stream: BinaryIO) -> BinaryIO:
    """Return a rejects file's rows, told by its first line; any other stream as it is."""
    head, stream = peek(stream, _HEAD_BYTES)
    if not _LINE.match(head):
        return stream
    return cast("BinaryIO", _Rows(io.BufferedReader(cast("io.RawIOBase", stream))))
