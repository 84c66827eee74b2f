"""Members of tar archives, found in one pass and read in place; compressed ones are read from front to back."""

import atexit
import os
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from migrate.errors import UsageError
from migrate.inputs.layers import unwrap
from migrate.inputs.streams import STEP, Slice, Stream, Truncated


@dataclass(frozen=True)
class TarMember:
    """Where a tar keeps a member, counted in its unpacked bytes."""

    name: str
    size: int
    offset: int
    compressed: bool

    def open(self, archive: Path) -> BinaryIO:
        """Return its bytes; a compressed tar is read on from the last member where that is possible."""
        if self.compressed:
            return cast("BinaryIO", _OnTape(_take(archive, self.offset), self.offset, self.size))
        return cast("BinaryIO", Slice(archive.open("rb"), self.offset, self.size))


@dataclass
class _Tape:
    """A compressed tar being read from front to back."""

    key: tuple[int, Path]
    stream: BinaryIO
    position: int = 0

    def read(self, count: int) -> bytes:
        data = self.stream.read(min(count, STEP))
        if count and not data:
            raise Truncated("the archive ends early")
        self.position += len(data)
        return data


_IDLE_TAPES: Final = 4
_idle: list[_Tape] = []
_idle_lock: Final = threading.Lock()


def _take(archive: Path, offset: int) -> _Tape:
    """Return an idle tape of this archive that has not passed the place yet, the nearest, or a new one."""
    key = (os.getpid(), archive)
    with _idle_lock:
        fitting = [tape for tape in _idle if tape.key == key and tape.position <= offset]
        if fitting:
            best = max(fitting, key=lambda tape: tape.position)
            _idle.remove(best)
            return best
    return _Tape(key, unwrap(archive.open("rb")))


def _give_back(tape: _Tape) -> None:
    """Keep the tape for the next member; the longest unused one is closed."""
    with _idle_lock:
        _idle.append(tape)
        spare = [_idle.pop(0)] if len(_idle) > _IDLE_TAPES else []
    for old in spare:
        old.stream.close()


@atexit.register
def close_idle() -> None:
    """Close the archives kept open between members."""
    with _idle_lock:
        tapes, _idle[:] = list(_idle), []
    for tape in tapes:
        tape.stream.close()


class _OnTape(Stream):
    """A member of a compressed tar."""

    def __init__(self, tape: _Tape, offset: int, size: int) -> None:
        super().__init__()
        self._tape, self._offset, self._left = tape, offset, size

    def piece(self) -> bytes | None:
        while self._tape.position < self._offset:
            self._tape.read(self._offset - self._tape.position)
        data = self._tape.read(self._left)
        self._left -= len(data)
        return data or None

    def close(self) -> None:
        if not self.closed:
            _give_back(self._tape)
        super().close()


def tar_members(path: Path, *, compressed: bool) -> Iterator[TarMember]:
    """Yield the files in a tar; raises `UsageError` for one that is broken."""
    try:
        with path.open("rb") as file, tarfile.open(fileobj=unwrap(file), mode="r|") as archive:
            for entry in archive:
                if entry.isreg():
                    yield TarMember(entry.name, entry.size, entry.offset_data, compressed)
    except (tarfile.TarError, Truncated) as error:
        raise UsageError(f"{path}: broken tar archive ({error}); fetch or pack it again") from error
