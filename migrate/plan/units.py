"""A unit of planning: files that are planned together, or a slice of one, written aside and told of by one record.

It may run in any thread or process, twice, or be lost on the way: nothing counts before its completion is committed.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import ClassVar, Generic, NamedTuple, Protocol, Self, TypeVar

from migrate.ahead import in_parallel
from migrate.errors import Unfit
from migrate.inputs.source import Fingerprint, stamp
from migrate.people.statefiles import States
from migrate.plan import diary, ordinals
from migrate.plan.attempt import Attempt, check_unchanged, fingerprinted
from migrate.plan.bundles import Bundle
from migrate.plan.finished import Finished
from migrate.plan.interrupted import Interrupted, until_stopped
from migrate.plan.jobs import Job
from migrate.plan.looked import see
from migrate.plan.mapped import mapped
from migrate.plan.notes import Examined, Fell, Hear, Key, Opened, Read, Wrote
from migrate.plan.traced import trace
from migrate.plan.transform import Transform
from migrate.plan.wanted import Wanted
from migrate.readers.records import Chunk, first_rows
from migrate.workdir.days import DayWriter
from migrate.workdir.depot import Depot
from migrate.workdir.looks import Look
from migrate.workdir.records import Input, Numbers
from migrate.workdir.room import STEP


class Slice(NamedTuple):
    """Which one a unit is of the slices of a file; the span is its source's."""

    place: int
    """From 0 on."""
    size: int
    """How many bytes the file takes."""
    stamp: str
    """The file's before any of it was read."""
    is_last: bool = False
    pinned: Fingerprint | None = None
    """The file's, of the last slice alone, where it is asked for."""


@dataclass(frozen=True)
class Unit:
    """Files that are planned at once, whole or not at all, and how the checkpoint knows them."""

    bundle: Bundle
    known: Mapping[str, Input]
    slice: Slice | None = None

    @classmethod
    def of(cls, bundle: Bundle, known: Mapping[str, Input]) -> "Unit":
        """Return the unit of these files; `known` may hold others, too."""
        return cls(bundle, {name: known[name] for name in bundle.names})

    @property
    def number(self) -> int:
        """The number of its first input."""
        return self.known[self.bundle.names[0]].id

    @property
    def key(self) -> Key:
        """What tells it from other units."""
        return self.number if self.slice is None else (self.number, self.slice.place)

    @property
    def place(self) -> int | None:
        """Which slice of its file it is, None where it is no slice."""
        return None if self.slice is None else self.slice.place

    @property
    def size(self) -> int:
        """How many bytes its sources take."""
        return sum(job.source.size for job in self.bundle.jobs)

    def without(self, name: str) -> "Unit | None":
        """Return the unit of the others; None where there are none."""
        jobs = [job for job in self.bundle.jobs if job.source.name != name]
        return Unit.of(Bundle(jobs), self.known) if jobs else None

    def each(self) -> "list[Unit]":
        """Return a unit of each file."""
        return [Unit.of(Bundle([job]), self.known) for job in self.bundle.jobs]


class Done(Protocol):
    """What comes of a unit, until it is committed."""

    @property
    def number(self) -> int:
        """The number of the unit, or of what is left of it."""

    def aside(self) -> list[Path]:
        """Return the files that were written aside of it, but for those of events."""

    def moved(self, was: Path, workdir: Path) -> Self:
        """Return it where these files lie in another workdir, under the names that they had where it was made."""


D = TypeVar("D", bound=Done)


@dataclass(kw_only=True)
class Work(ABC, Generic[D]):
    """What is done with each of several units, and all it takes: it is handed to whoever does it, in any process."""

    pins: ClassVar[bool]
    """Whether the last slice of a file is to tell the fingerprint of it."""
    workdir: Path
    depot: Depot | None = None
    """Where files of the plan come to lie; None is the workdir."""
    files: Sequence[Path] = ()
    """What it opens beside, each by this very object: in its place another process may have another."""
    on_begin: Callable[[], object] = lambda: None
    """What is to be done before a unit in a process that is there for others, too: it undoes `on_stop`."""
    on_stop: Callable[[], object] = lambda: None
    """What is to be done beside where work is to stop: something may be waited for that does not come."""
    parallel: int = 1
    """How many chunks of a unit are worked at at once."""
    mark: str = ""
    """The folder for what is written aside in this try, where another one may be under way and heard of no more."""

    def do(self, unit: Unit, hear: Hear, stopping: Event) -> D | None:
        """Return what comes of a unit without the sources that are not fit; None where none is left.

        It may be done twice, and be lost. Raises Interrupted as soon as it is asked to stop.
        """
        left: Unit | None = unit
        while left is not None:
            try:
                return self.whole(left, hear, stopping)
            except Unfit as error:
                key = left.key if left.slice is not None else left.known[error.name].id
                hear(Fell(key, error.name, error.reason, error.why))
                left = left.without(error.name)
            except KeyboardInterrupt:  # how a storage is left that gives no answer, whatever is read of it
                if not stopping.is_set():
                    raise
                raise Interrupted from None
        return None

    @abstractmethod
    def whole(self, unit: Unit, hear: Hear, stopping: Event) -> D:
        """Return what comes of all sources of a unit. Raises Unfit for the first that is not fit, and Interrupted."""


@dataclass(kw_only=True)
class Setup(Work["Completion"]):
    """Units are planned, and what all of one command are planned with."""

    pins: ClassVar[bool] = True
    names: Collection[str]
    """The names of all inputs."""
    first: str | None
    """The name of the first input."""
    firsts: frozenset[str] = frozenset()
    """The names of the first inputs of each table."""
    now: datetime
    """When planning began, for the checks."""
    transform: Callable[[Job], Transform]
    """How the rows of a job become events."""
    examine: Callable[[Bundle, Chunk, Finished], object | None]
    """What is told of the first rows of a unit and of what they become, None for nothing; called in any thread."""
    limit: int | None = None
    """How many rows are planned, where that is not all."""
    wanted: Wanted = field(default_factory=Wanted)

    def whole(self, unit: Unit, hear: Hear, stopping: Event) -> "Completion":
        """Plan a unit's sources into files of their own, all of them."""
        return _plan(unit, self, hear, stopping)


@dataclass(frozen=True)
class Completion:
    """A unit that is planned whole: what is written aside of it, and what is to be noted."""

    inputs: list[Input]
    writer: DayWriter
    """Whose files are closed and sealed."""
    states: Path | None
    rejects: Path
    numbers: Numbers
    look: Look
    seconds: float
    slice: Slice | None = None
    """What it is of its file, where it is not all of it."""

    @property
    def number(self) -> int:
        """The number of its first input."""
        return self.inputs[0].id

    @property
    def is_damaged(self) -> bool:
        """Whether a source could not be read to its end."""
        return bool(self.numbers.damaged)

    def aside(self) -> list[Path]:
        """Return the files of its rejects, and of its states."""
        return [self.rejects, *([] if self.states is None else [self.states])]

    def moved(self, was: Path, workdir: Path) -> Self:
        """Return it with these in another workdir."""
        writer = replace(self.writer, workdir=workdir)
        states = self.states and workdir / self.states.relative_to(was)
        return replace(self, writer=writer, states=states, rejects=workdir / self.rejects.relative_to(was))

    def discard(self) -> None:
        """Remove what is written aside, as far as it is there."""
        self.writer.discard()
        for path in self.aside():
            path.unlink(missing_ok=True)


def _plan(unit: Unit, setup: Setup, hear: Hear, stopping: Event) -> Completion:
    began, bundle = time.monotonic(), unit.bundle.metered().tallied()
    before = {job.source.name: unit.slice.stamp if unit.slice else stamp(job.source) for job in bundle.jobs}
    writer = DayWriter(setup.workdir, unit.number, mark=setup.mark, slice=unit.place, depot=setup.depot)
    writer.gathers = bundle.may_share
    states = States(writer.aside.with_suffix(".states"))
    attempt = Attempt([unit.known[name] for name in bundle.names], writer, states, bundle)
    attempt.begin()
    hear(Opened(unit.key, bundle.job.kind, unit.size))
    for job in () if unit.place else bundle.jobs:  # of slices the first one tells of their file
        hear(diary.begun(job, unit.slice.size if unit.slice else job.source.size))
        attempt.numbers.dropped.update(job.table.drops(job.header.columns))
        attempt.numbers.dropped.update(job.header.beside)
    try:
        measured = 0
        with attempt.rejects.open("w", encoding="utf-8") as lines:
            for piece in _finished(unit, bundle, setup, hear, stopping):
                attempt.take(piece, lines, setup.names)
                hear(Read(unit.key, piece.numbers.read, read := attempt.read()))
                if read >= measured + STEP:
                    measured = read
                    hear(Wrote(unit.key, read, attempt.writer.stored() + attempt.rejects.stat().st_size))
        told = states.path if states.close() else None
        attempt.numbers.wanted = setup.wanted.of(setup.transform(bundle.job), attempt.numbers.rejected)
        if bundle.job.table.ordinals:
            for paths in attempt.writer.files().values():
                ordinals.number_repeats(paths)
        attempt.seal()
        inputs = [_noted(unit, job, before) for job in bundle.jobs]
    except BaseException:
        attempt.writer.discard()
        raise
    aside, seconds = (writer, told, attempt.rejects), time.monotonic() - began
    return Completion(inputs, *aside, attempt.numbers, attempt.look, seconds, unit.slice)


def _noted(unit: Unit, job: Job, before: Mapping[str, str]) -> Input:
    """Return what is to be noted of an input, see `fingerprinted`; of a slice's all but what the last one tells."""
    known = unit.known[job.source.name]
    if unit.slice is None:
        return fingerprinted(known, job, before)
    check_unchanged(job.source, unit.slice.stamp)
    size, digest = unit.slice.pinned or Fingerprint(0, "")
    return known._replace(stamp=unit.slice.stamp, size=size, digest=digest, window=job.window)


def _finished(unit: Unit, bundle: Bundle, setup: Setup, hear: Hear, stopping: Event) -> Iterator[Finished]:
    """Yield the sources' chunks as finished events, the next one read ahead."""
    transform = setup.transform(bundle.job)

    def made(numbered: tuple[int, Chunk]) -> Finished:
        number, chunk = numbered
        piece = mapped(chunk, transform, setup.now, bundle.whence)
        see(piece.look, piece.frame, is_first=bundle.names[0] == setup.first)
        is_start = number == 0 and not unit.place
        if is_start and not setup.firsts.isdisjoint(bundle.names):
            trace(piece.look, chunk.rows, piece.frame, transform)
        if is_start and (found := setup.examine(bundle, chunk, piece)) is not None:
            hear(Examined(found))
        return piece

    chunks = bundle.regrouped()
    if setup.limit is not None:
        yield from map(made, enumerate(until_stopped(_first(chunks, setup.limit), stopping)))
        return
    yield from in_parallel(made, enumerate(until_stopped(chunks, stopping)), setup.parallel)


def _first(chunks: Iterator[Chunk], limit: int) -> Iterator[Chunk]:
    """Yield the first rows of the chunks."""
    for chunk in chunks:
        piece = first_rows(chunk, limit)
        yield piece
        limit -= piece.rows.height + len(piece.rejects)
        if limit <= 0:
            return
