"""Our own rejects.jsonl as an input: each line stands for the row it holds, to be planned again once it is mended."""

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import BinaryIO, Final, NamedTuple

import msgspec

from migrate.errors import Unfit
from migrate.inputs.stored import Stored
from migrate.inputs.streams import Stream

HEAD_BYTES: Final = 4_096
_TEXT: Final = rb'"(?:[^"\\]|\\.)*"'
_LINE: Final = re.compile(
    rb'(?:\xef\xbb\xbf)?\s*\{\s*"file"\s*:\s*TEXT\s*,\s*'
    rb'(?:"row"\s*:\s*(?:\d+|null)\s*,\s*"reason"\s*:|"reason"\s*:\s*TEXT\s*,\s*"row"\s*:)'.replace(
        b"TEXT", _TEXT
    )
)
"""How a rejects file begins, as it was written or with its keys in order."""
_NOTHING: Final = msgspec.Raw(b"null")
_SEAM: Final = re.compile(rb"\}\s*\{")
NO_RECORD: Final = b"0"
"""What stands in the place of text that is no object: a reject, and one line for certain."""


class RejectLine(msgspec.Struct):
    """A line of rejects.jsonl: `source` is the row of `file`; a record that could not be read has only its text.

    Without a number it is of the file as a whole, and holds no row.
    """

    file: str
    row: int | None
    source: msgspec.Raw = _NOTHING
    value: str | None = None
    reason: str = "malformed_json"
    why: str | None = None

    @property
    def is_text(self) -> bool:
        """Whether it has no row but the text of one, which may have been mended."""
        return self.source == _NOTHING and self.row is not None

    def record(self) -> bytes:
        """Return the row as an object on one line, nothing where the line holds none; `NO_RECORD` if it is no object.

        What is no object could go on in the lines after it, or be two things, and those lines would be lost.
        """
        if self.source == _NOTHING and self.row is None:
            return b""
        text = bytes(self.source) if not self.is_text else (self.value or "").replace("\n", " ").encode()
        text = text.strip()
        is_whole = (
            text.startswith(b"{") and text.endswith(b"}") and (not _SEAM.search(text) or _is_json(text))
        )
        return text if is_whole else NO_RECORD


_DECODER: Final = msgspec.json.Decoder(RejectLine)
_MARK: Final = b"\xef\xbb\xbf"


class Unreadable(ValueError):  # noqa: N818 - the word says what happened
    """A line is not a valid reject."""


class Place(NamedTuple):
    """Where the row of a line was first: its file and its number there, None for the file as a whole."""

    file: str
    row: int | None


@dataclass
class RejectLines:
    """The lines of a rejects file that hold the rows of one file: their numbers, where they begin, their bytes."""

    file: str
    numbers: "array[int]" = field(default_factory=lambda: array("q"))
    offsets: "array[int]" = field(default_factory=lambda: array("q"))
    size: int = 0

    def rejects(self, file: BinaryIO) -> Iterator[tuple[int, RejectLine]]:
        """Yield what these lines hold, with their numbers; raises `Unreadable` where they are others by now."""
        for number, offset in zip(self.numbers, self.offsets, strict=True):
            file.seek(offset)
            reject = _decoded(number, file.readline())
            if reject is None or reject.file != self.file:
                raise Unreadable(
                    f"line {number} is another than it was when the file was looked into; run again"
                )
            yield number, reject

    def places(self, file: BinaryIO) -> Iterator[tuple[int, Place]]:
        """Yield where the rows were first, with the numbers of these lines."""
        for number, reject in self.rejects(file):
            yield number, Place(reject.file, reject.row)


def _decoded(number: int, text: bytes) -> RejectLine | None:
    """Return what a line of a rejects file holds, None for a blank one; raises `Unreadable`."""
    line = text.removeprefix(_MARK) if number == 1 else text
    try:
        return _DECODER.decode(line) if line.strip() else None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(
            f"line {number} cannot be read as one of a rejects.jsonl ({error}), each of which is an object on a "
            "line of its own; mend that line, or take it out"
        ) from error


class RejectedRows(Stream):
    """The rows that a rejects file holds of one file, a line each, so that row numbers stay line numbers."""

    def __init__(self, file: BinaryIO, name: str, lines: RejectLines) -> None:
        super().__init__()
        self._file, self._name = file, name
        self._rejects = lines.rejects(file)
        self._line = 0

    def piece(self) -> bytes | None:
        """Return the next row, behind as many blank ones as there are lines before it."""
        try:
            number, reject = next(self._rejects)
        except StopIteration:
            return None
        except Unreadable as error:
            raise Unfit(self._name, "unreadable", str(error)) from error
        before, self._line = b"\n" * (number - self._line - 1), number
        return before + reject.record() + b"\n"

    def close(self) -> None:
        """Close the file too."""
        self._file.close()
        super().close()


def _is_json(text: bytes) -> bool:
    """Return whether a text is one JSON value."""
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def is_rejects(head: bytes) -> bool:
    """Return whether a file that begins so is a rejects file."""
    return _LINE.match(head) is not None


def origins(file: BinaryIO) -> list[RejectLines] | None:
    """Return the lines of a rejects file, by the files whose rows they hold; None of any other file.

    Raises `Unreadable` for a rejects file with a line that is none.
    """
    if not is_rejects(file.read(HEAD_BYTES)):
        return None
    file.seek(0)
    found: dict[str, RejectLines] = {}
    offset = 0
    for number, text in enumerate(file, 1):
        if reject := _decoded(number, text):
            lines = found.setdefault(reject.file, RejectLines(reject.file))
            lines.numbers.append(number)
            lines.offsets.append(offset)
            lines.size += len(text)
        offset += len(text)
    return list(found.values())


def origins_of(path: Stored) -> list[RejectLines] | None:
    """Return the lines of a rejects.jsonl of ours, by the files whose rows they hold; None of any other file."""
    if PurePosixPath(path.name).suffix.lower() not in {".jsonl", ".json", ".ndjson"}:
        return None
    with path.open("rb") as stream:
        return origins(stream)
