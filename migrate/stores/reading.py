"""An object as a file that can be read and sought in: by ranges, larger ones ahead of who reads from front to back."""

import io
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final, NamedTuple

from migrate.stores.tallies import BLOCK, Tally
from migrate.stores.waiting import answer, asked

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_MOST: Final = 32 * BLOCK
"""Bytes of one range, of the size that S3 is quickest with; as many again are read ahead."""
_KEPT: Final = 64
"""Blocks that are kept for who comes back to them, of all objects together."""

Read = Callable[[int, int], bytearray]
"""Gives the bytes of an object from one place up to another."""


class _Kept:
    """The blocks read last, or being read; what cannot be read is not kept."""

    def __init__(self) -> None:
        self._blocks: OrderedDict[tuple[object, int], Future[bytearray]] = OrderedDict()
        self._lock = threading.Lock()

    def block(self, of: object, start: int, read: Callable[[], bytearray]) -> Future[bytearray]:
        """Return a block of an object, which is read where it is not there."""
        key = (of, start)
        with self._lock:
            found = self._blocks.get(key)
            if found is None or (found.done() and (found.cancelled() or found.exception() is not None)):
                found = self._blocks[key] = asked(read)
            self._blocks.move_to_end(key)
            while len(self._blocks) > _KEPT:
                self._blocks.popitem(last=False)
        return found

    def has(self, of: object, start: int) -> bool:
        """Return whether a block is there, or being read."""
        return (of, start) in self._blocks


_kept: Final = _Kept()


class _Ahead(NamedTuple):
    """A range that is being read."""

    start: int
    end: int
    data: Future[bytearray]


class Reader(io.RawIOBase):
    """An object of `size` bytes, `of` what tells it from all others; reads may be short, and raise what `read` does."""

    def __init__(self, read: Read, of: object, size: int, tally: Tally | None = None) -> None:
        super().__init__()
        self._ask, self._of, self.size, self._tally = read, of, size, tally
        self._place = self._start = 0
        self._held = memoryview(b"")
        self._ahead: _Ahead | None = None
        self._length = BLOCK

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the place of the next byte."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place, and return it."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise ValueError(f"a place before the beginning: {base + offset}")
        self._place = base + offset
        return self._place

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Fill the start of the buffer; 0 at the end."""
        target = memoryview(buffer).cast("B")
        if self._place >= self.size or not target:
            return 0
        if not self._start <= self._place < self._start + len(self._held):
            self._turn()
        taken = self._held[self._place - self._start :][: len(target)]
        target[: len(taken)] = taken
        self._place += len(taken)
        return len(taken)

    def _turn(self) -> None:
        """Hold the range in which the next byte is, and read on behind it where one reads from front to back."""
        ahead, behind = self._ahead, self._start + len(self._held)
        is_on = bool(self._held) and self._place == behind
        if ahead is not None and ahead.start <= self._place < ahead.end:
            start, data = ahead.start, answer(ahead.data)
        else:
            self._forget()
            start = self._place // BLOCK * BLOCK
            data = answer(self._block(start))
        self._start, self._held = start, memoryview(data)
        if self._tally is not None:
            self._tally.add(start, self._held)
        if is_on or _kept.has(self._of, start - BLOCK):
            self._read_ahead(start + len(data), is_on=is_on)

    def _read_ahead(self, start: int, *, is_on: bool) -> None:
        """Have the next range read: a block that others may ask for, too; larger ones for who reads on and on.

        Columns that are read side by side come back to the block behind one of theirs, and go on from others.
        """
        self._ahead = None
        if start >= self.size:
            return
        if not is_on:
            self._length = BLOCK
        if self._length == BLOCK:
            found, end = self._block(start), min(start + BLOCK, self.size)
        else:
            end = min(start + self._length, self.size)
            found = asked(lambda: self._ask(start, end))
        self._ahead = _Ahead(start, end, found)
        self._length = min(2 * self._length, _MOST) if is_on else BLOCK

    def _block(self, start: int) -> Future[bytearray]:
        end = min(start + BLOCK, self.size)
        return _kept.block(self._of, start, lambda: self._ask(start, end))

    def _forget(self) -> None:
        """Leave what is read ahead; a block may be wanted by others."""
        if self._ahead is not None and self._ahead.end - self._ahead.start > BLOCK:
            self._ahead.data.cancel()
        self._ahead = None

    def warm(self) -> None:
        """Have the first block read, for whoever opens the object soon."""
        if self.size:
            self._block(0)

    def close(self) -> None:
        """Leave what is read ahead."""
        self._forget()
        self._held = memoryview(b"")
        super().close()
