"""Streams made of pieces, whose reads may be short and whose early end is told from a real one."""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final, cast

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

STEP: Final = 1 << 18
"""Bytes asked for at once; what comes back may be shorter."""


class Truncated(EOFError):  # noqa: N818 - the word says what happened
    """The stored data end early or are damaged; everything readable before that place was delivered."""


class Stream(io.RawIOBase):
    """A readable stream made of pieces; reads may be short, and b"" is the end."""

    def __init__(self) -> None:
        super().__init__()
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Return up to so many bytes, without copying a piece that is taken whole; b"" at the end."""
        if size < 0:
            return self.readall()
        taken = self._taken(size)
        whole = taken.obj
        return whole if isinstance(whole, bytes) and len(whole) == len(taken) else bytes(taken)

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Fill the start of the buffer; 0 at the end."""
        target = memoryview(buffer).cast("B")
        taken = self._taken(len(target))
        target[: len(taken)] = taken
        return len(taken)

    def _taken(self, size: int) -> memoryview:
        """Return up to so many bytes of the piece in use, or of the next one; none at the end."""
        while not self._ready:
            piece = self.piece()
            if piece is None:
                break
            self._ready = memoryview(piece)
        taken, self._ready = self._ready[:size], self._ready[size:]
        return taken

    def piece(self) -> bytes | None:
        """Return the next bytes, perhaps none yet; None at the end."""
        raise NotImplementedError


class Slice(Stream):
    """A part of a file."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        super().__init__()
        file.seek(start)
        self._file, self._left = file, size

    def piece(self) -> bytes | None:
        """Return the next bytes; raise `Truncated` where the file is shorter than the part."""
        data = self._file.read(min(STEP, self._left))
        if self._left and not data:
            raise Truncated("the archive ends early")
        self._left -= len(data)
        return data or None

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


@dataclass
class Meter:
    """Notes how much of a source has been read, from 0 to 1."""

    share: float = 0.0

    def at(self, place: float, whole: float) -> None:
        """Note a place; one that was read before does not count again."""
        self.share = max(self.share, min(1.0, place / max(1.0, whole)))


class Metered(Stream):
    """A stream that notes how far it has been read of so many bytes."""

    def __init__(self, stream: BinaryIO, meter: Meter, size: int) -> None:
        super().__init__()
        self._stream, self._meter, self._size, self._read = stream, meter, size, 0

    def piece(self) -> bytes | None:
        """Return the next bytes."""
        data = self._stream.read(STEP)
        self._read += len(data)
        self._meter.at(self._read, self._size)
        return data or None

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()
        super().close()


class _Peeked(Stream):
    """A stream with its first bytes put back."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        super().__init__()
        self._ready, self._rest = memoryview(head), rest

    def piece(self) -> bytes | None:
        return self._rest.read(STEP) or None

    def close(self) -> None:
        self._rest.close()
        super().close()


def read_up_to(stream: BinaryIO, count: int) -> bytes:
    """Return `count` bytes, fewer only where the data end or are cut off."""
    parts: list[bytes] = []
    try:
        while count > 0 and (part := stream.read(count)):
            parts.append(part)
            count -= len(part)
    except Truncated:  # said again by the next read, after these bytes
        pass
    return b"".join(parts)


def peek(stream: BinaryIO, count: int) -> tuple[bytes, BinaryIO]:
    """Return the first bytes and a stream that starts with them again."""
    head = read_up_to(stream, count)
    return head, cast("BinaryIO", _Peeked(head, stream))
