"""Our own rejects.jsonl as an input: each line stands for the row it holds, to be planned again once it is mended."""

import io
import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final, NamedTuple, cast

import msgspec

from migrate.errors import Unfit
from migrate.inputs.streams import Stream, peek

_HEAD_BYTES: Final = 4_096
_TEXT: Final = rb'"(?:[^"\\]|\\.)*"'
_LINE: Final = re.compile(
    rb'(?:\xef\xbb\xbf)?\s*\{\s*"file"\s*:\s*TEXT\s*,\s*'
    rb'(?:"row"\s*:\s*(?:\d+|null)\s*,\s*"reason"\s*:|"reason"\s*:\s*TEXT\s*,\s*"row"\s*:)'.replace(
        b"TEXT", _TEXT
    )
)
"""How a rejects file begins, as it was written or with its keys in order."""
_NOTHING: Final = msgspec.Raw(b"null")


class _Reject(msgspec.Struct):
    """A line of rejects.jsonl: `source` is the row of `file`; a record that could not be read has only its text.

    Without a number it is of the file as a whole, and holds no row.
    """

    file: str
    row: int | None
    source: msgspec.Raw = _NOTHING
    value: str | None = None


_DECODER: Final = msgspec.json.Decoder(_Reject)
_MARK: Final = b"\xef\xbb\xbf"


class Unreadable(ValueError):  # noqa: N818 - the word says what happened
    """A line of a rejects file is none."""


class Place(NamedTuple):
    """Where the row of a line was first: its file and its number there, None for the file as a whole."""

    file: str
    row: int | None


def _rejects(lines: Iterable[bytes]) -> Iterator[_Reject | None]:
    """Yield what the lines of a rejects file hold, None for a blank one; raises `Unreadable`."""
    for number, text in enumerate(lines, 1):
        line = text.removeprefix(_MARK) if number == 1 else text
        try:
            yield _DECODER.decode(line) if line.strip() else None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Unreadable(
                f"line {number} cannot be read as one of a rejects.jsonl ({error}), each of which is an object on a "
                "line of its own; mend that line, or take it out"
            ) from error


class _Rows(Stream):
    """The rows of a rejects file, a line each, so that row numbers stay line numbers."""

    def __init__(self, stream: BinaryIO, name: str, origin: str) -> None:
        super().__init__()
        self._stream, self._name = stream, name
        self._rejects = _rejects(_buffered(stream))
        self._origin = origin

    def piece(self) -> bytes | None:
        """Return the next row, a blank one for a row of another file."""
        try:
            reject = next(self._rejects)
        except StopIteration:
            return None
        except Unreadable as error:
            raise Unfit(self._name, "unreadable", str(error)) from error
        if reject is None or reject.file != self._origin:
            return b"\n"
        if reject.source != _NOTHING:
            return bytes(reject.source) + b"\n"
        text = "" if reject.row is None else reject.value or ""
        return text.replace("\n", " ").encode() + b"\n"

    def close(self) -> None:
        """Close the file too."""
        self._stream.close()
        super().close()


def _buffered(stream: BinaryIO) -> io.BufferedReader:
    """Return a stream that can be read line by line."""
    return io.BufferedReader(cast("io.RawIOBase", stream))


def origins(stream: BinaryIO) -> list[str] | None:
    """Return the files whose rows a rejects file holds, told by its first line; None of any other stream.

    Raises `Unreadable` for a rejects file with a line that is none.
    """
    head, stream = peek(stream, _HEAD_BYTES)
    if not _LINE.match(head):
        return None
    return list(dict.fromkeys(reject.file for reject in _rejects(_buffered(stream)) if reject))


def places(lines: Iterable[bytes], origin: str) -> Iterator[tuple[int, Place]]:
    """Yield the lines of a rejects file that hold a row of a file, by their numbers."""
    for number, reject in enumerate(_rejects(lines), 1):
        if reject is not None and reject.file == origin:
            yield number, Place(reject.file, reject.row)


def unwrapped(stream: BinaryIO, name: str, origin: str | None) -> BinaryIO:
    """Return the rows that a rejects file holds of a file, its `origin`; any other stream as it is.

    Raises `Unfit` for a rejects file that was not recognised as one, so that it has no origin.
    """
    head, stream = peek(stream, _HEAD_BYTES)
    if not _LINE.match(head):
        return stream
    if origin is None:
        stream.close()
        why = (
            "a rejects.jsonl in an archive, compressed or under another ending; unpack it, and name it .jsonl"
        )
        raise Unfit(name, "unreadable", why)
    return cast("BinaryIO", _Rows(stream, name, origin))
