"""Members of tar archives, found in one pass and read in place; compressed ones are read from front to back."""

import atexit
import os
import tarfile
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, cast

from migrate.errors import Unfit
from migrate.inputs.layers import unwrap
from migrate.inputs.names import source_name
from migrate.inputs.stored import Stored
from migrate.inputs.streams import STEP, Slice, Stream, Truncated


@dataclass(frozen=True)
class TarMember:
    """Where a tar keeps a member, counted in its unpacked bytes."""

    name: str
    size: int
    offset: int
    compressed: bool
    holes: tuple[tuple[int, int], ...] | None = None
    """Of a file stored without its zeros (`tar -S`): where the stretches that are stored belong, and their sizes."""
    whole: int = 0
    """Bytes of such a file."""
    skipped: str | None = None
    trouble: tuple[str, str] | None = None

    def open(self, archive: Stored) -> BinaryIO:
        """Return its bytes; a compressed tar is read on from the last member where that is possible."""
        stored: Stream = (
            _OnTape(_take(archive, self.offset), self.offset, self.size)
            if self.compressed
            else Slice(archive.open("rb"), self.offset, self.size)
        )
        return cast("BinaryIO", stored if self.holes is None else _Sparse(stored, self.holes, self.whole))


@dataclass
class _Tape:
    """A compressed tar being read from front to back."""

    key: tuple[int, Stored]
    stream: BinaryIO
    position: int = 0

    def read(self, count: int) -> bytes:
        data = self.stream.read(min(count, STEP))
        if count and not data:
            raise Truncated("the archive ends early")
        self.position += len(data)
        return data


_IDLE_TAPES: Final = 4
_MOST_ENDS: Final = 8
_idle: list[_Tape] = []
_idle_lock: Final = threading.Lock()


def _take(archive: Stored, offset: int) -> _Tape:
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


class _Sparse(Stream):
    """A file of which only stretches are stored: zeros stand between them."""

    def __init__(self, stored: Stream, stretches: Iterable[tuple[int, int]], size: int) -> None:
        super().__init__()
        self._stored = stored
        self._stretches = iter([*stretches, (size, 0)])
        self._place = self._start = self._left = 0

    def piece(self) -> bytes | None:
        while not self._left and self._place >= self._start:
            found = next(self._stretches, None)
            if found is None:
                return None
            self._start, self._left = found
        if self._place < self._start:
            data = bytes(min(STEP, self._start - self._place))
        else:
            data = self._stored.read(min(STEP, self._left))
            if not data:
                raise Truncated("the archive ends early")
            self._left -= len(data)
        self._place += len(data)
        return data

    def close(self) -> None:
        self._stored.close()
        super().close()


class _Ending(Stream):
    """A stream for tarfile, which reads on for ever where a size leads beyond the end."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream = stream
        self._ends = 0

    def piece(self) -> bytes | None:
        data = self._stream.read(STEP)
        self._ends = 0 if data else self._ends + 1
        if self._ends > _MOST_ENDS:
            raise Truncated("the archive ends early")
        return data or None


def tar_members(path: Stored, *, compressed: bool) -> Iterator[TarMember]:
    """Yield what is in a tar but for its folders; raises `Unfit` for one that is broken."""
    try:
        with path.open("rb") as file, _opened(file, compressed=compressed) as archive:
            for entry in archive:
                if not entry.isdir():
                    yield _member(entry, compressed=compressed)
    except (tarfile.TarError, Truncated, ValueError, OverflowError, RecursionError) as error:
        what = "cut off before its end" if "unexpected end" in str(error) else error
        why = f"broken tar archive ({what}); fetch or pack it again"
        raise Unfit(source_name(path.as_posix()), "broken_archive", why) from error


def _opened(file: BinaryIO, *, compressed: bool) -> tarfile.TarFile:
    """Return a tar to go through; one that is not compressed is sought in, and what its members hold is not read."""
    if not compressed:
        return tarfile.open(fileobj=file, mode="r:")
    return tarfile.open(fileobj=cast("BinaryIO", _Ending(unwrap(file))), mode="r|")


def _member(entry: tarfile.TarInfo, *, compressed: bool) -> TarMember:
    """Return what is in a tar under a name."""
    if entry.size < 0:
        raise tarfile.ReadError(f"{entry.size} bytes in a file")
    if not entry.isreg():
        return TarMember(entry.name, 0, entry.offset_data, compressed, skipped=_kind(entry))
    holes = cast("list[tuple[int, int]] | None", entry.sparse)  # bytes, say the types that are published
    if holes is None:
        return TarMember(entry.name, entry.size, entry.offset_data, compressed)
    stored = sum(size for _, size in holes)
    return TarMember(entry.name, stored, entry.offset_data, compressed, tuple(holes), entry.size)


def _kind(entry: tarfile.TarInfo) -> str:
    """Return what something in a tar is that is no file."""
    if entry.issym() or entry.islnk():
        return "link"
    return "pipe" if entry.isfifo() else "device"
