"""A file that was fetched, read to its end: how many rows it has, and by what its content is known again.

What is cut short, or is no export, is told: the end of a zip and of each gzip in it is checked, and each line is a row.
Content is known by its rows and not by its bytes, nor by their order: Mixpanel gives a day's rows in another order each
time (sources-1.md §0.2), and a zip holds the time at which it was made.
"""

import errno
import gzip
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import IO, Final, Literal, NamedTuple

from migrate.apply.capture import shown

_GZIP: Final = b"\x1f\x8b"
_BYTES: Final = 16
_PIECE: Final = 1 << 20
_PACKED: Final = ".gz.part"
_GIVEN_UP: Final = "it was given up"
_SHOWN: Final = 80
"""Characters of what is no row: enough for a vendor's words."""
_DAMAGES: Final = (EOFError, OSError, ValueError, RuntimeError, struct.error, zipfile.BadZipFile, zlib.error)
"""What reading raises where bytes are missing or are others; of the disk's own errors the number is set."""
_ELSEWHERE: Final = {None, errno.EINVAL}
"""Numbers of those that are no disk's: EINVAL is a place in a zip that lies before its beginning."""


class Content(NamedTuple):
    """What a file holds."""

    rows: int = 0
    digest: str = ""
    """The same for the same rows in any order, files and packing."""
    projects: frozenset[str] = frozenset()
    """Whose rows they are, where the export says it: Amplitude's zip has a folder for its project."""


class Cut(Exception):  # noqa: N818 - the word says what happened
    """The file is not whole, or no export; the message says what was found."""


def content(
    path: Path, form: Literal["zip", "gzip"], key: str, is_given_up: Callable[[], bool] = lambda: False
) -> Content:
    """Return what a file holds, whose rows all have this key; raises Cut, also once nobody wants to know any more."""
    tally, projects = _Tally(key, is_given_up), set[str]()
    try:
        if form == "gzip":
            with gzip.open(path) as file:
                tally.add(file)
        else:
            with zipfile.ZipFile(path) as archive:
                for member in archive.infolist():
                    folder, _, name = member.filename.rpartition("/")
                    projects.update([folder] if folder and name else [])
                    with archive.open(member) as stored:
                        tally.add(_unpacked(stored))
    except _DAMAGES as error:
        if isinstance(error, OSError) and error.errno not in _ELSEWHERE:
            raise
        raise Cut(f"it ends before its end, or was changed on its way ({shown(str(error), '')})") from None
    return Content(tally.rows, f"{tally.sum:0{_BYTES * 2}x}", frozenset(projects))


def pack(path: Path, is_given_up: Callable[[], bool] = lambda: False) -> None:
    """Pack a file with gzip, unless it is so already: the same bytes each time. Raises Cut as `content` does."""
    with path.open("rb") as file:
        if file.read(len(_GZIP)) == _GZIP:
            return
        file.seek(0)
        packed = path.with_name(f"{path.name}{_PACKED}")
        with packed.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as out:
            while piece := file.read(_PIECE):
                if is_given_up():
                    raise Cut(_GIVEN_UP)
                out.write(piece)
    packed.replace(path)


def _unpacked(stored: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines of a member of a zip, which is gzip as a rule; all of it is read, so that its sum is checked."""
    if stored.read(len(_GZIP)) != _GZIP:
        stored.seek(0)
        yield from stored
        return
    stored.seek(0)
    with gzip.GzipFile(fileobj=stored) as file:
        yield from file


class _Tally:
    """Rows, counted, with the sum of their digests."""

    def __init__(self, key: str, is_given_up: Callable[[], bool]) -> None:
        self._is_given_up = is_given_up
        self.rows = 0
        self.sum = 0
        self._key = key

    def add(self, lines: Iterable[bytes]) -> None:
        """Count the rows of one file; the first and the last one are read as JSON."""
        first, last, total = b"", b"", 1 << (_BYTES * 8)
        for line in lines:
            if self._is_given_up():
                raise Cut(_GIVEN_UP)
            if not (row := line.strip()):
                continue
            if not row.startswith(b"{"):
                raise Cut(f"a line of it is no row ('{_begun(row)}')")
            if not row.endswith(b"}"):
                raise Cut("it ends in the middle of a row")
            self.rows += 1
            self.sum = (self.sum + int.from_bytes(blake2b(row, digest_size=_BYTES).digest())) % total
            first, last = first or row, row
        for row in filter(None, (first, last)):
            self._check(row)

    def _check(self, row: bytes) -> None:
        try:
            read = json.loads(row)
        except (ValueError, RecursionError):
            raise Cut("a row of it is no JSON") from None
        if self._key not in read:
            raise Cut(f"a line of it is no row ('{_begun(row)}')")


def _begun(row: bytes) -> str:
    return shown(row.decode(errors="replace"), "", limit=_SHOWN)
