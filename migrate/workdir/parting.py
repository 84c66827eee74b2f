"""Spans → one file a day: neighbours together, so that many sources with events of all days make few files.

A source whose events are of many days, a few of each, is planned into spans, in timestamp order. When all are planned
the spans are merged, and parted into days: some days at a time (`stretches`), several of these side by side. A row
keeps its number, and above it stands its source's (`numbering.gathered`), so that events of one timestamp stay in the
order of their sources, in which parts are sent. A span is let go as soon as all its days are parted.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from time import perf_counter
from typing import Final, NamedTuple

import polars as pl

from migrate import numbering
from migrate.ahead import in_parallel
from migrate.throwaway import MERGE
from migrate.workdir import ordered, spans
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.days import DayWriter
from migrate.workdir.parts import add_part
from migrate.workdir.records import Span
from migrate.workdir.seals import Kept
from migrate.workdir.spans import Noted
from migrate.workdir.stretches import Stretch, needs, stretches

_MOST: Final = 16_384
"""Inputs whose spans are parted together."""
_LATEST: Final = date.max.isoformat()


class Far(NamedTuple):
    """How far it is: days, events and bytes of their payloads, of all there are."""

    days: int
    of_days: int
    events: int
    bytes: int
    of_bytes: int


class Together(NamedTuple):
    """Days that were put together: how many of them, from the first to the last, and with how many events."""

    days: int
    first: str
    last: str
    events: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Watch:
    """What is told while days are put together, in any thread; each may raise what ends it."""

    check: Callable[[], object] = lambda: None
    """Called often."""
    on_far: Callable[[Far], object] = lambda _: None
    on_days: Callable[[Together], object] = lambda _: None
    hold: Callable[[int], object] = lambda _: None
    """Given how many bytes more the disk is to take until all is done."""


def part(checkpoint: Checkpoint, watch: Watch = Watch(), *, workers: int = 1) -> None:
    """Part all spans into days, so many threads at it; stopped at any moment, it goes on where it was.

    Raises Harmed for a span that is not what was written, and what the `watch` raises.
    """
    spans.tidy(checkpoint)
    groups = [*_groups(checkpoint)]
    its = [stretches(checkpoint, group) for group in groups]
    work = _Work(checkpoint, watch, workers, [*chain.from_iterable(its)])
    for group, of_group in zip(groups, its, strict=True):
        work.part(_Spans(checkpoint, group), of_group)


def _groups(checkpoint: Checkpoint) -> Iterator[list[Noted]]:
    """Yield spans that can be parted together: of neighbours, planned at one time, parted up to the same day.

    Between them is no input with parts of its own, which would come between their events. What they have of each day is
    left out: of many spans it takes much memory.
    """
    own = sorted(number for (number,) in checkpoint.query("SELECT DISTINCT input FROM parts"))
    group: list[Noted] = []
    inputs = 0
    for whole in spans.noted(checkpoint):
        one = whole._replace(span=replace(whole.span, days={}))
        is_other = not group or one.span.input != group[-1].span.input
        if group and is_other and not _are_neighbours(group[-1], one, own, is_full=inputs >= _MOST):
            yield group
            group, inputs = [], 0
        group.append(one)
        inputs += is_other
    if group:
        yield group


def _are_neighbours(one: Noted, other: Noted, own: Sequence[int], *, is_full: bool) -> bool:
    """Return whether the spans of two inputs can be parted together."""
    if is_full or one[1:] != other[1:]:
        return False
    between = bisect_left(own, one.span.input) != bisect_right(own, other.span.input)
    return one.done != "" or not between


@dataclass
class _Work:
    """The putting together of all there is, and what is told of it."""

    checkpoint: Checkpoint
    watch: Watch
    workers: int
    stretches: Sequence[Stretch]

    def __post_init__(self) -> None:
        self._lock = Lock()
        self._needs = iter(needs(self.stretches, self.workers))
        days, size = (sum(getattr(one, name) for one in self.stretches) for name in ("days", "bytes"))
        self._far = Far(0, days, 0, 0, size)
        self._expected = self._written = 0
        if self.stretches:
            self._hold()

    def part(self, spans_: "_Spans", its: Sequence[Stretch]) -> None:
        """Part spans, and note it stretch by stretch, in their order."""
        with closing(spans_.made(its, self.workers, self._tell)) as made:
            for one, writer, seconds in made:
                self._written += writer.stored()
                self._expected += one.stored
                spans_.note(one, writer)
                self.watch.on_days(Together(one.days, one.first, one.last, one.events, seconds))
                self._hold()
        spans_.end()

    def _hold(self) -> None:
        """Have what is still to be written held against the disk: days take what their spans do, or as others did."""
        more = max(1.0, self._written / self._expected) if self._expected else 1.0
        self.watch.hold(int(next(self._needs) * more))

    def _tell(self, frame: pl.DataFrame, days: int) -> None:
        """Tell that events are put together, or about to be, with so many days more; in any thread."""
        self.watch.check()
        size = int(frame["payload"].str.len_bytes().sum())
        with self._lock:
            far = self._far
            events, more = far.events + frame.height, far.bytes + size
            self._far = far = far._replace(days=far.days + days, events=events, bytes=more)
        self.watch.on_far(far)


class _Over(Exception):  # noqa: N818 - the word says what happened
    """What is being made is wanted no more."""


class _Spans:
    """Spans that are parted together."""

    def __init__(self, checkpoint: Checkpoint, group: Sequence[Noted]) -> None:
        self._checkpoint, self._first = checkpoint, group[0]
        self._inputs = group[0].span.input, group[-1].span.input
        self._home = self._first.home or self._first.span.input
        """The input whose parts theirs become: the first, unless some are of another one already."""
        self._left = [one.span for one in group]
        numbers = dict.fromkeys(one.input for one in self._left)
        self._rows = {number: numbering.gathered(place) for place, number in enumerate(numbers)}
        self._near: list[tuple[int, ExitStack]] = []
        """Blocks in which spans are in the workdir, each with the last timestamp of these."""
        self._brought = set[str]()
        self._wanted = _LATEST
        """The last day that is wanted: after one that failed none is."""

    def made(
        self, its: Sequence[Stretch], workers: int, tell: Callable[[pl.DataFrame, int], object]
    ) -> Generator[tuple[Stretch, DayWriter, float]]:
        """Yield each stretch, in their order, with what has written its days, and how many seconds that took."""
        try:
            yield from in_parallel(partial(self._make, tell), map(self._bring, its), workers, self._end)
        finally:
            for _, block in self._near:
                block.close()

    def _end(self) -> None:
        self._wanted = ""

    def _bring(self, stretch: Stretch) -> Stretch:
        """Have the spans of a stretch in the workdir, until all their days are parted."""
        if new := [one for one in self._of(stretch) if one.path not in self._brought]:
            block = ExitStack()
            self._near.append((max(one.last for one in new), block))
            self._brought.update(one.path for one in new)
            block.enter_context(self._checkpoint.depot.near(one.path for one in new))
        return stretch

    def _of(self, stretch: Stretch) -> list[Span]:
        """Return the spans that have, or may have, events of a stretch."""
        since, until = stretch.span
        return [one for one in self._left if one.first < until and one.last >= since]

    def _make(
        self, tell: Callable[[pl.DataFrame, int], object], stretch: Stretch
    ) -> tuple[Stretch, DayWriter, float]:
        """Write the days of a stretch aside, sealed; in any thread."""
        begun, checkpoint = perf_counter(), self._checkpoint
        writer = DayWriter(checkpoint.workdir, self._home, mark=stretch.first, depot=checkpoint.depot)
        writer.discard()
        try:
            last = None
            for frame in self._events(stretch):
                self._check(stretch)
                days = frame["timestamp"].dt.date()
                tell(frame, days.n_unique() - (days.first() == last))
                last = days.last()
                writer.write_in_order(frame)
            writer.seal()
        except BaseException:
            self._wanted = min(self._wanted, stretch.first)
            _discard(writer)
            raise
        return stretch, writer, perf_counter() - begun

    def _check(self, stretch: Stretch) -> None:
        if stretch.first > self._wanted:
            raise _Over

    def _events(self, stretch: Stretch) -> Iterator[pl.DataFrame]:
        """Yield the events of a stretch, in timestamp order."""
        workdir, mine = self._checkpoint.workdir, self._of(stretch)
        files: list[Path | Kept] = [Kept(workdir / one.path, one.seal) for one in mine]
        rows = [self._rows[one.input] for one in mine]
        with ExitStack() as stack:
            while len(files) > ordered.MOST:
                folder = Path(stack.enter_context(TemporaryDirectory(prefix=MERGE, dir=workdir)))
                longer: list[Path | Kept] = []
                for start in range(0, len(files), ordered.MOST):
                    some = slice(start, start + ordered.MOST)
                    path = folder / f"{start}.parquet"
                    frames = ordered.merged(files[some], first_rows=rows[some], span=stretch.span)
                    ordered.write(path, frames, compression="lz4")
                    longer.append(path)
                files, rows = longer, [0] * len(longer)
            yield from ordered.merged(files, first_rows=rows, span=stretch.span)

    def note(self, stretch: Stretch, writer: DayWriter) -> None:
        """Note what is parted, and let the spans go of which nothing is left."""
        parts, first = writer.finish(), self._first
        with self._checkpoint.change() as db:
            for made in parts:
                add_part(db, replace(made, anew=first.anew, increment=first.increment))
            sql = "UPDATE inputs SET home = ? WHERE lead IN (SELECT input FROM spans WHERE input BETWEEN ? AND ?)"
            db.execute(sql, (self._home, *self._inputs))
            sql = "UPDATE spans SET done = ? WHERE input BETWEEN ? AND ?"
            db.execute(sql, (stretch.last, *self._inputs))
        _discard(writer)
        self._let_go(stretch.span[1])

    def _let_go(self, until: int) -> None:
        """Remove the files of spans that are over by then."""
        for _, block in (one for one in self._near if one[0] < until):
            block.close()
        self._near = [one for one in self._near if one[0] >= until]
        if over := [one.path for one in self._left if one.last < until]:
            self._checkpoint.depot.remove(over)
        self._left = [one for one in self._left if one.last >= until]

    def end(self) -> None:
        """Forget them, all of which are parted."""
        with self._checkpoint.change() as db:
            db.execute("DELETE FROM spans WHERE input BETWEEN ? AND ?", self._inputs)


def _discard(writer: DayWriter) -> None:
    """Remove what was written aside, with the folder that it lies in."""
    writer.discard()
    with suppress(OSError):
        writer.aside.parent.rmdir()
