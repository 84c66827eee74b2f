"""Our own rejects.jsonl as an input: each line stands for the row it holds, to be planned again once it is mended."""

import io
import re
from contextlib import suppress
from typing import BinaryIO, Final, cast

import msgspec

from migrate.inputs.streams import Stream, peek

_HEAD_BYTES: Final = 4_096
_LINE: Final = re.compile(
    rb'\s*\{\s*"file"\s*:\s*"(?:[^"\\]|\\.)*"\s*,\s*"row"\s*:\s*(?:\d+|null)\s*,\s*"reason"\s*:'
)


_NOTHING: Final = msgspec.Raw(b"null")


class _Reject(msgspec.Struct):
    """A line of rejects.jsonl: `source` is the row of `file`; a record that could not be read has only its text."""

    file: str = ""
    source: msgspec.Raw = _NOTHING
    value: str | None = None


class _Rows(Stream):
    """The rows of a rejects file, a line each, so that row numbers stay line numbers."""

    def __init__(self, lines: io.BufferedReader, origin: str | None) -> None:
        super().__init__()
        self._lines = lines
        self._origin = origin

    def piece(self) -> bytes | None:
        """Return the next row, a blank one for a row of another file; of a line that is no reject, the line itself."""
        line = self._lines.readline()
        if not line:
            return None
        try:
            reject = msgspec.json.decode(line, type=_Reject)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return line
        if self._origin not in {None, reject.file}:
            return b"\n"
        if reject.source != _NOTHING:
            return bytes(reject.source) + b"\n"
        return (reject.value or "").replace("\n", " ").encode() + b"\n"

    def close(self) -> None:
        """Close the file too."""
        self._lines.close()
        super().close()


def origins(stream: BinaryIO) -> list[str]:
    """Return the files whose rows a rejects file holds, told by its first line; none of any other stream."""
    head, stream = peek(stream, _HEAD_BYTES)
    if not _LINE.match(head):
        return []
    found: dict[str, None] = {}
    for line in io.BufferedReader(cast("io.RawIOBase", stream)):
        with suppress(msgspec.DecodeError, UnicodeDecodeError):
            found[msgspec.json.decode(line, type=_Reject).file] = None
    return [name for name in found if name]


def unwrapped(stream: BinaryIO, origin: str | None = None) -> BinaryIO:
    """Return a rejects file's rows, those of one file alone where it is named; any other stream as it is."""
    head, stream = peek(stream, _HEAD_BYTES)
    if not _LINE.match(head):
        return stream
    return cast("BinaryIO", _Rows(io.BufferedReader(cast("io.RawIOBase", stream)), origin))
