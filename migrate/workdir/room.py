"""Whether the disk has room for the rest of a plan, estimated from what was written so far, told before it is full."""

import shutil
import threading
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from migrate.errors import Stopped
from migrate.screen import amount

ENOUGH: Final = 64 << 20
"""Bytes to be written before anything is estimated: a small plan is never refused on a guess."""
STEP: Final = 8 << 20
"""Bytes read of a source between two looks at how much is written of it."""
_SURE: Final = 0.5
"""Planning stops if this share of the expected bytes has no room. The rest may be smaller than expected.

The estimate gets better as less is left to plan. If sources take as much as those before them, planning stops before
the disk is full; a plan that would fit is refused only if what is left takes less than half of the estimate.
"""


class Measured(NamedTuple):
    """Bytes that were read of sources, as they lie on the disk, and bytes that were written of them."""

    read: int = 0
    written: int = 0

    def plus(self, other: "Measured") -> "Measured":
        """Return both together."""
        return Measured(self.read + other.read, self.written + other.written)


def free_bytes(folder: Path) -> int | None:
    """Return what a user may still write where a folder is; None where that cannot be told."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


@dataclass
class _Begun:
    """A source that is being read: its kind, its size, and what was measured of it so far."""

    kind: str
    size: int
    measured: Measured = field(default_factory=Measured)
    is_done: bool = False

    def read(self) -> int:
        """Return how many bytes of it count as read, those since it was last measured included."""
        return self.size if self.is_done else min(self.size, self.measured.read + STEP)


@dataclass
class Room:
    """Compares what is still to be written with what is free; sources of one kind are taken to be alike."""

    folder: Path
    total: Mapping[str, int]
    """Kind -> bytes of sources to read."""
    before: Mapping[str, Measured]
    """Kind -> what earlier commands measured in this workdir."""
    free: Callable[[Path], int | None] = free_bytes
    enough: int = ENOUGH
    _begun: dict[Hashable, _Begun] = field(default_factory=dict)
    _spans: int = 0
    """Bytes of the largest span of each input: so much more is there at once while days are put together."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.check()

    def begin(self, number: Hashable, kind: str, size: int) -> None:
        """Note that a source of so many bytes is being read."""
        with self._lock:
            self._begun[number] = _Begun(kind, size)

    def note(self, number: Hashable, read: int, written: int) -> None:
        """Note what was read and written of it so far, every `STEP` at least. Raises Stopped, see `check`."""
        with self._lock:
            self._begun[number].measured = Measured(read, written)
        self.check()

    def finish(self, number: Hashable, written: int | None = None) -> None:
        """Note that it is planned whole, and what was written of it; None where it is set aside."""
        with self._lock:
            one = self._begun.get(number)
            if one is not None:
                one.measured = Measured() if written is None else Measured(one.size, written)
                one.is_done = True

    def add_spans(self, size: int) -> None:
        """Note that an input came to spans, the largest of them of this size."""
        with self._lock:
            self._spans += size

    def hold(self, need: int) -> None:
        """Raise Stopped if there is no room for so many bytes, which days that are put together are to take."""
        free = self.free(self.folder)
        if free is None or need <= free:
            return
        raise Stopped(
            f"{self.folder}: putting days together needs about {amount(need)}, and {amount(free)} are free there; "
            "make room; with room, run the same command again to resume"
        )

    def measured(self) -> dict[str, Measured]:
        """Return what was measured of each kind, earlier commands included."""
        found = dict(self.before)
        with self._lock:
            for one in self._begun.values():
                found[one.kind] = found.get(one.kind, Measured()).plus(one.measured)
        return found

    def check(self) -> None:
        """Raise Stopped if there is no room for what is still to be written, as far as that is known."""
        measured = self.measured()
        written = sum(one.written for one in measured.values())
        if written < self.enough:
            return
        left = self._left()
        need = sum(left.get(kind, 0) * one.written / one.read for kind, one in measured.items() if one.read)
        read = sum(one.read for one in measured.values())
        need += self._spans * (1 + sum(left.values()) / read) if read else 0
        free = self.free(self.folder)
        if free is None or need * _SURE <= free:
            return
        raise Stopped(
            f"{self.folder}: what is still to be planned needs about {amount(need)}, and {amount(free)} are free there "
            f"(measured: {amount(written)} written of {amount(read)} read, "
            f"{amount(sum(left.values()))} to read); make room, or plan fewer inputs, or all of them in another "
            "--workdir; with room, run the same command again to resume"
        )

    def _left(self) -> dict[str, int]:
        """Return how many bytes of each kind are still to be read."""
        left = dict(self.total)
        with self._lock:
            for one in self._begun.values():
                left[one.kind] = max(0, left.get(one.kind, 0) - one.read())
        return left
