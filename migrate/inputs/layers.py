"""Decompression by content: gzip, zstd, bz2 and xz in any order, layer by layer."""

import bz2
import lzma
import re
import zlib
from collections.abc import Callable
from typing import BinaryIO, Final, Protocol, cast

import zstandard
from isal import igzip_lib

from migrate.inputs.streams import STEP, Stream, Truncated, peek

MAX_LAYERS: Final = 4

_ZSTD_STEP: Final = 1 << 12
"""zstd has no output limit per call and expands up to 32,000 times: feed it little."""

_SUMS: Final = {"gzip": 8, "zstd": 4, "bz2": 10, "xz": 28}
"""Bytes at the end, by kind, that hold sums of what is before them. What is fed with a sum that is wrong is lost."""

_DAMAGE: Final[tuple[type[Exception], ...]] = (
    zlib.error,
    cast("type[Exception]", igzip_lib.IsalError),
    lzma.LZMAError,
    zstandard.ZstdError,
    OSError,
)


class Decompressor(Protocol):
    """What bz2, lzma and isal have in common."""

    eof: bool
    needs_input: bool
    unused_data: bytes

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Return at most `max_length` more bytes."""


class _Zstd:
    """One zstd frame, with the interface of the others."""

    def __init__(self) -> None:
        self._frame = zstandard.ZstdDecompressor(max_window_size=1 << 31).decompressobj()
        self._waiting = b""

    @property
    def eof(self) -> bool:
        return self._frame.eof

    @property
    def needs_input(self) -> bool:
        return not self._waiting

    @property
    def unused_data(self) -> bytes:
        return self._frame.unused_data + self._waiting

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:  # noqa: ARG002 - the small step bounds it
        data = self._waiting + data
        self._waiting = data[_ZSTD_STEP:]
        return self._frame.decompress(data[:_ZSTD_STEP])


def gunzip() -> Decompressor:
    """Return a decompressor of one gzip member."""
    return cast("Decompressor", igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP))


def inflate() -> Decompressor:
    """Return a decompressor of raw deflate data, as zip members hold."""
    return cast("Decompressor", igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_DEFLATE))


def unzstd() -> Decompressor:
    """Return a decompressor of one zstd frame."""
    return cast("Decompressor", _Zstd())


def unbz2() -> Decompressor:
    """Return a decompressor of one bz2 stream."""
    return cast("Decompressor", bz2.BZ2Decompressor())


def unxz() -> Decompressor:
    """Return a decompressor of one xz stream."""
    return cast("Decompressor", lzma.LZMADecompressor(lzma.FORMAT_XZ))


_MAGIC: Final[tuple[tuple[re.Pattern[bytes], str, Callable[[], Decompressor]], ...]] = (
    (re.compile(rb"\x1f\x8b\x08"), "gzip", gunzip),
    (re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"), "zstd", unzstd),
    (re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"), "bz2", unbz2),
    (re.compile(rb"\xfd7zXZ\x00"), "xz", unxz),
)
MAGIC_BYTES: Final = 10


class Layer(Stream):
    """One compression taken off: every member, frame or stream, one after another."""

    def __init__(
        self, stored: BinaryIO, kind: str, start: Callable[[], Decompressor], *, members: bool = True
    ) -> None:
        super().__init__()
        self._stored, self._kind, self._start, self._members = stored, kind, start, members
        self._decompressor = start()
        self._damage: Truncated | None = None
        self._cut: Truncated | None = None
        self._held = b""
        """The last stored bytes that were read."""
        self._sums = _SUMS.get(kind, 0)

    def piece(self) -> bytes | None:
        """Return the next decompressed bytes; raise `Truncated` where the data end early or are damaged."""
        current = self._decompressor
        if self._damage is not None:
            raise self._damage
        if current.eof:
            return self._next_member()
        data = b""
        if current.needs_input:
            if kept := self._decompress(b""):  # bz2 holds a whole block
                return kept
            data = self._next_stored()
            if not data:
                raise Truncated(f"the {self._kind} data end early")
        return self._decompress(data)

    def _next_member(self) -> bytes | None:
        if not self._members:
            return None
        data = self._decompressor.unused_data.lstrip(b"\0")  # tapes and xz pad with zeros
        while not data:
            data = self._next_stored()
            if not data:
                return None
            data = data.lstrip(b"\0")
        self._decompressor = self._start()
        return self._decompress(data)

    def _next_stored(self) -> bytes:
        """Return the next stored bytes, the last few by themselves; none at the end, as often as it is asked."""
        while data := self._stored_bytes():
            held = self._held + data
            split = max(0, len(held) - self._sums)
            data, self._held = held[:split], held[split:]
            if data:
                return data
        data, self._held = self._held, b""
        if not data and self._cut is not None:
            raise self._cut
        return data

    def _stored_bytes(self) -> bytes:
        """Return bytes as they are stored; what is cut off is told when all before that is used up."""
        try:
            return b"" if self._cut else self._stored.read(STEP)
        except Truncated as error:
            self._cut = error
            return b""

    def _decompress(self, data: bytes) -> bytes:
        try:
            return self._decompressor.decompress(data, STEP)
        except _DAMAGE as error:
            self._damage = Truncated(f"the {self._kind} data are damaged: {error}")
            raise self._damage from error

    def close(self) -> None:
        """Close the stored stream too."""
        self._stored.close()
        super().close()


def compression(head: bytes) -> tuple[str, Callable[[], Decompressor]] | None:
    """Return what these first bytes are compressed with, and how to take it off; None for plain data."""
    return next(((kind, start) for magic, kind, start in _MAGIC if magic.match(head)), None)


def unwrap(stream: BinaryIO) -> BinaryIO:
    """Return the stream with every compression taken off that its content shows, up to four."""
    for _ in range(MAX_LAYERS):
        head, stream = peek(stream, MAGIC_BYTES)
        found = compression(head)
        if found is None:
            break
        stream = cast("BinaryIO", Layer(stream, *found))
    return stream
