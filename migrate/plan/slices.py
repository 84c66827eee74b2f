"""A large file's unit → units of slices of it, where there are too few others to keep all workers busy."""

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from threading import Event
from typing import Final

from migrate.ahead import ahead
from migrate.errors import Unfit
from migrate.inputs.digests import Digest
from migrate.inputs.source import Fingerprint, stamp
from migrate.inputs.spans import Span
from migrate.plan.bundles import Bundle
from migrate.plan.jobs import Job
from migrate.plan.readable import settle
from migrate.plan.units import Slice, Unit
from migrate.readers.encodings import Unsettled
from migrate.readers.spans import read_bytes, spans

SLICE_BYTES: Final = 64 << 20
"""A slice is about so much at the least, as `read_bytes` counts; a file of less than two is one unit."""
_MOST: Final = 8
"""Slices of a file for each worker, about: of more, each of which may have events of all days, days had many parts."""
_SHARE: Final = 2
"""A file is cut that takes more than a half of what each worker has to do."""


@dataclass(frozen=True)
class Slicing:
    """Which of these units are cut for so many workers, into slices of about so many bytes; of None, none is."""

    whole: Sequence[Unit]
    workers: int
    slice_bytes: int | None
    pins: bool = True
    """Whether the last slice tells a file's fingerprint, for which all of it is read; of an object all slices do."""
    stopping: Event = field(default_factory=Event)
    """Set where work is to stop: no more slices are looked for of an object whose storage gives no answer."""

    @cached_property
    def _bytes(self) -> list[int]:
        """Return for each unit how many bytes there are to cut; 0 where it is planned at once."""
        if self.slice_bytes is None or self.workers <= 1:
            return [0] * len(self.whole)
        total = sum(unit.size for unit in self.whole)
        large = {
            place: unit
            for place, unit in enumerate(self.whole)
            if unit.size * self.workers * _SHARE > total
            and not unit.bundle.job.table.ordinals
            and unit.bundle.job.table.neighbours is None
            and len(unit.bundle.jobs) == 1
        }
        # Of objects each is a wait for an answer, and there may be as many as workers.
        with ThreadPoolExecutor(thread_name_prefix="cut") as pool:
            sizes = dict(zip(large, pool.map(_read_bytes, large.values()), strict=True))
        return [sizes.get(place, 0) for place in range(len(self.whole))]

    @cached_property
    def count(self) -> int:
        """How many units there are, about."""
        return sum(max(1, size // self._slice_bytes(size)) for size in self._bytes)

    def _slice_bytes(self, size: int) -> int:
        """Return how large the slices are of a file of so many bytes."""
        return max(self.slice_bytes or 1, size // (self.workers * _MOST))

    def units(self) -> Generator[Unit, None, None]:
        """Yield the units in order, the next slice looked for while one is in use."""
        yield from ahead(self._units())

    def _units(self) -> Generator[Unit, None, None]:
        try:
            for unit, size in zip(self.whole, self._bytes, strict=True):
                if self.slice_bytes is None or size < 2 * self.slice_bytes:
                    yield unit
                else:
                    yield from _slices(unit, self._slice_bytes(size), pins=self.pins)
        except KeyboardInterrupt:  # how a storage is left that gives no answer
            if not self.stopping.is_set():
                raise


def _read_bytes(unit: Unit) -> int:
    """Return how many bytes there are to read of a unit's file, 0 where it cannot be cut, or not be read."""
    try:
        return read_bytes(unit.bundle.job.source, unit.bundle.job.header)
    except Unfit:
        return 0


def _slices(unit: Unit, size: int, *, pins: bool) -> Generator[Unit, None, None]:
    """Yield a file's slices of about so many bytes, in order, each when its end is found; one alone is the whole.

    The last `pins` the file by its fingerprint, which is worked out on the way; of an object that is of what is read by
    those who do the slices, so that nothing is read for it. Where the file turns out not to be what it was, or what its
    start shows, there is no last one: what came of the others does not count, and it is done whole, see `slicewise`.
    """
    job = unit.bundle.job
    is_begun, done, pins = False, 0, pins and not unit.bundle.is_far
    try:
        before = stamp(job.source)
        with Digest(job.source.raw()) as digest:
            for place, span in enumerate(_sound(job, size)):
                if span.is_first and span.is_last:
                    yield unit
                    return
                if pins:
                    digest.go_on(done := done + span.size)
                pinned = Fingerprint(*digest.whole()) if pins and span.is_last else None
                is_begun = True
                some = replace(
                    job,
                    source=replace(job.source, span=span, size=span.size),
                    header=replace(job.header, is_unsettled=False),
                )
                piece = Slice(place, job.source.size, before, span.is_last, pinned)
                yield Unit(Bundle([some]), unit.known, piece)
    except (Unfit, OSError):
        if not is_begun:
            yield unit


def _sound(job: Job, size: int) -> Generator[Span, None, None]:
    """Yield the spans of a file whose text is what its start shows; raises Unfit where it is not, after some perhaps.

    It is looked through on the way, and where anything is odd all of it before more is cut.
    """
    given = 0
    try:
        for span in spans(job.source, job.header, size):
            yield span
            given += 1
    except Unsettled:
        now = settle(job)
        if now.header.encoding != job.header.encoding:
            raise Unfit(job.source.name, "wrong_encoding", f"is in {now.header.encoding}") from None
        yield from islice(spans(job.source, now.header, size), given, None)
