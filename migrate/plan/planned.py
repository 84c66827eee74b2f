"""Units that are planned: their rows made events, which are written aside and told of by one record."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any, ClassVar, Self

from migrate.ahead import in_parallel, numbered
from migrate.inputs.source import Fingerprint, Source, stamp
from migrate.people.statefiles import States
from migrate.plan import diary, ordinals
from migrate.plan.attempt import Attempt, check_unchanged, fingerprinted
from migrate.plan.bundles import Bundle
from migrate.plan.finished import Finished
from migrate.plan.interrupted import until_stopped
from migrate.plan.jobs import Job
from migrate.plan.looked import see
from migrate.plan.mapped import mapped
from migrate.plan.notes import Hear, Opened, Read, Wrote
from migrate.plan.traced import trace
from migrate.plan.transform import Transform
from migrate.plan.units import Slice, Unit, Work
from migrate.plan.wanted import Wanted
from migrate.readers.records import Chunk, first_rows
from migrate.workdir.days import DayWriter
from migrate.workdir.looks import Look
from migrate.workdir.records import Input, Numbers
from migrate.workdir.room import STEP


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
    """What is found of the first rows of a unit and of what they become, None for nothing; called in any thread."""
    on_whole: Callable[[Any], object] = lambda _: None
    """Told what was found so of files that are planned whole, where they were, before that counts."""
    limit: int | None = None
    """How many rows are planned, where that is not all."""
    wanted: Wanted = field(default_factory=Wanted)

    def whole(self, unit: Unit, hear: Hear, stopping: Event) -> "Completion":
        """Plan a unit's sources into files of their own, all of them."""
        made = _plan(unit, self, hear, stopping)
        if made.examined is not None and unit.slice is None:
            self.on_whole(made.examined)
        return made


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
    examined: object | None = None
    """What `Setup.examine` found, which counts as all of it does, when it is noted."""
    source: Source | None = None
    """Of a slice of an object, with what notes which bytes of it were read."""

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
            for piece in _finished(unit, attempt, setup, stopping):
                attempt.take(piece, lines, setup.names)
                hear(Read(unit.key, piece.numbers.read, read := attempt.read()))
                if read >= measured + STEP:
                    measured = read
                    hear(Wrote(unit.key, read, attempt.writer.stored() + attempt.rejects.stat().st_size))
                del piece  # the next one is as large
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
    source = bundle.job.source if unit.slice is not None and bundle.is_far else None
    ends = unit.slice, attempt.examined, source
    return Completion(inputs, *aside, attempt.numbers, attempt.look, seconds, *ends)


def _noted(unit: Unit, job: Job, before: Mapping[str, str]) -> Input:
    """Return what is to be noted of an input, see `fingerprinted`; of a slice's all but what the last one tells.

    Of an object all slices together tell the fingerprint, see `slicewise.planned`.
    """
    known = unit.known[job.source.name]
    if unit.slice is None:
        return fingerprinted(known, job, before)
    check_unchanged(job.source, unit.slice.stamp)
    size, digest = unit.slice.pinned or Fingerprint(0, "")
    return known._replace(stamp=unit.slice.stamp, size=size, digest=digest, window=job.window)


def _finished(unit: Unit, attempt: Attempt, setup: Setup, stopping: Event) -> Iterator[Finished]:
    """Yield the sources' chunks as finished events."""
    bundle = attempt.bundle
    transform = setup.transform(bundle.job)

    def made(one: tuple[int, Chunk]) -> Finished:
        number, chunk = one
        piece = mapped(chunk, transform, setup.now, bundle.whence)
        see(piece.look, piece.frame, is_first=bundle.names[0] == setup.first)
        is_start = number == 0 and not unit.place
        if is_start and not setup.firsts.isdisjoint(bundle.names):
            trace(piece.look, chunk.rows, piece.frame, transform)
        if is_start:
            attempt.examined = setup.examine(bundle, chunk, piece)
        return piece

    chunks = bundle.regrouped(reads_ahead=setup.reads_ahead or bundle.is_far)
    parallel = setup.parallel
    if setup.limit is not None:
        chunks, parallel = _first(chunks, setup.limit), 1
    yield from in_parallel(made, numbered(until_stopped(chunks, stopping)), parallel)


def _first(chunks: Iterator[Chunk], limit: int) -> Iterator[Chunk]:
    """Yield the first rows of the chunks."""
    for chunk in chunks:
        piece = first_rows(chunk, limit)
        yield piece
        limit -= piece.rows.height + len(piece.rejects)
        if limit <= 0:
            return
