"""Sources → the plan directory, each planned whole or not at all."""

import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl

from migrate import throwaway
from migrate.errors import Stopped, Unfit
from migrate.inputs.names import archive_of
from migrate.logline import Record
from migrate.plan import diary, slicewise
from migrate.plan.aside import SetAside
from migrate.plan.bundles import Bundle, bundles
from migrate.plan.changed import Looked
from migrate.plan.executors import Executor, Inline
from migrate.plan.finished import Finished
from migrate.plan.interrupted import Interrupted
from migrate.plan.jobs import Job, bytes_by_kind
from migrate.plan.judged import Made
from migrate.plan.notes import Fell, Lost, Note, Opened, Read, Wrote
from migrate.plan.planned import Completion, Setup
from migrate.plan.progress import Counting, Progress
from migrate.plan.slicewise import Slicewise
from migrate.plan.transform import Transform
from migrate.plan.units import Unit
from migrate.plan.waiting import keep_states, tidy_states
from migrate.readers.records import Chunk
from migrate.workdir import looks, rejects, renewal, spans
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.database import Database
from migrate.workdir.days import DayWriter
from migrate.workdir.records import Input, Numbers, Part
from migrate.workdir.room import Measured, Room


@dataclass(kw_only=True)
class Planner:
    """Plans sources into a workdir, each whole or not at all, several at a time."""

    workdir: Path
    checkpoint: Checkpoint
    executor: Callable[[Sequence[Unit]], Executor] = lambda _: Inline()
    """Given what there is to plan, what plans it; of a trial the first rows are planned here, one after another."""
    limit: int | None = None
    on_progress: Callable[[Progress], None] = lambda _: None
    on_log: Callable[[Record], None] = lambda _: None
    on_warning: Callable[[str], None] = lambda _: None
    examine: Callable[[Bundle, Chunk, Finished], object | None] = lambda *_: None
    """Looks at the first rows of files that are planned together, and at what they become, where they are planned."""
    on_whole: Callable[[Any], object] = lambda _: None
    """Told what was found so of files that are planned whole, where that is, in any thread."""
    on_first: Callable[[Any], object] = lambda _: None
    """Told what was found so, when the files are about to be noted as planned."""
    on_begin: Callable[[], object] = lambda: None
    """What is to be done before a unit in another process that is there for others, too."""
    on_stop: Callable[[], object] = lambda: None
    """What is to be done beside in another process, where work is to stop there."""
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    stopping: threading.Event = field(default_factory=threading.Event)
    room: Callable[[Mapping[str, int]], Room | None] = lambda _: None
    """Given kind -> bytes to read, what holds the rest against the disk; None where what is to come is not known."""
    _room: Room | None = None
    _has_lost: bool = False
    """Whether any unit was lost on the way: who did it may have written into a storage what nobody noted."""

    def __post_init__(self) -> None:
        self._slicewise = Slicewise(slicewise.planned, self._measure_slice)
        self.aside = SetAside(self.checkpoint)

    def todo(self, jobs: Sequence[Job], looked: Mapping[str, Looked] | None = None) -> list[Job]:
        """Return the jobs not planned yet, in order; those that changed (`looked` knows some) are set aside."""
        self._tidy()
        self.checkpoint.register(job.source.name for job in jobs)
        known = self.checkpoint.inputs(job.source.name for job in jobs)
        aside = self.aside
        aside.put_changed([(one, j.source) for j in jobs if (one := known[j.source.name]).planned], looked)
        aside.put_missed({job.source.name for job in jobs})
        aside.take_back({archive_of(job.source.name) for job in jobs if job.source.member is not None})
        return [job for job in jobs if not known[job.source.name].planned]

    @contextmanager
    def employed(self, todo: Sequence[Job]) -> Iterator[None]:
        """Have what plans these jobs at hand for all that is done within: who looked over files plans them."""
        found = self.executor(self._units(todo, self.checkpoint.inputs([job.source.name for job in todo])))
        chooses = self.executor
        with found as executor:
            self.executor = lambda _: executor
            try:
                yield
            finally:
                self.executor = chooses

    def _units(self, todo: Sequence[Job], known: Mapping[str, Input]) -> list[Unit]:
        """Return the units of these jobs."""
        return [Unit.of(bundle, known) for bundle in bundles(todo, renewal.anew(self.checkpoint))]

    def plan(
        self, todo: Sequence[Job], transform: Callable[[Job], Transform], files: Sequence[Path] = ()
    ) -> None:
        """Plan these jobs; `transform` is how the rows of one become events, and `files` what it opens for that."""
        has_copies = any(job.source.lines is not None for job in todo)
        known = self.checkpoint.inputs(None if has_copies else [job.source.name for job in todo])
        self._names, self._jobs = known.keys(), {job.source.name: job for job in todo}
        setup = Setup(
            workdir=self.workdir,
            depot=self.checkpoint.depot,
            files=files,
            names=frozenset(known),
            first=looks.first_input(self.checkpoint),
            firsts=frozenset({job.table.name: job.source.name for job in reversed(todo)}.values()),
            now=self.clock(),
            transform=transform,
            examine=self.examine,
            on_whole=self.on_whole,
            on_begin=self.on_begin,
            on_stop=self.on_stop,
        )
        left = None if self.limit is None else self.limit - self.checkpoint.numbers().read
        self._progress = Counting(todo, self.on_progress, limit=left)
        self._room = None if self.limit is not None else self.room(bytes_by_kind(todo))
        if self._room is not None:
            self._room.add_spans(spans.largest(self.checkpoint))
        if left is not None:
            self._plan_limited(todo, known, setup, left)
            return
        units = self._units(todo, known)
        executor = self.executor(units)
        with closing(self._slicewise.work(units, setup, executor, self._hear, self.stopping)) as completed:
            try:
                for completion in completed:
                    self._commit(completion)
            except BaseException as error:
                self.stopping.set()
                completed.close()
                if isinstance(error, Exception):  # nothing of it is noted, and the disk may be full
                    throwaway.tidy(self.workdir)
                raise
        if self._has_lost and self.checkpoint.depot.is_far and not self.stopping.is_set():
            with suppress(Stopped):  # all is planned; the next command that plans finds it, too
                self._drop_unnoted()

    def _plan_limited(self, todo: Sequence[Job], known: Mapping[str, Input], setup: Setup, left: int) -> None:
        """Plan the first rows of the jobs, one after another."""
        for job in todo:
            if left <= 0:
                return
            unit = Unit.of(Bundle([job]), known)
            completion = replace(setup, limit=left).do(unit, self._hear, self.stopping)
            if completion is not None:
                self._commit(completion)
                left -= completion.numbers.read

    def _measure_slice(self, made: Completion) -> None:
        """Hold against the disk what is written of a slice, which is one no more when it is noted."""
        if self._room is not None and made.slice is not None:
            written = made.writer.stored() + made.rejects.stat().st_size
            self._room.finish((made.number, made.slice.place), written)

    def _hear(self, note: Note) -> None:
        """Pass on what is told of a unit that is being planned. Raises Stopped where the disk has no room."""
        match note:
            case Record():
                self.on_log(note)
            case Read(unit, rows, read):
                self._progress.note_rows(rows, unit, read)
            case Opened() if self._room is not None:
                self._room.begin(*note)
            case Wrote() if self._room is not None:
                self._room.note(*note)
            case Lost(unit):
                self._has_lost = True
                self._progress.forget(unit)
            case Fell(unit, name, reason, why):
                self.aside.put(Unfit(name, reason, why))
                self._slicewise.fall(unit)
                if self._room is not None:
                    self._room.finish(unit)

    def _tidy(self) -> None:
        """Remove what a killed process left behind: files written aside, or moved but never noted."""
        throwaway.tidy(self.workdir)
        self._drop_unnoted()
        spans.tidy(self.checkpoint)
        tidy_states(self.checkpoint)
        rejects.tidy(self.checkpoint)

    def _drop_unnoted(self) -> None:
        """Remove files of days that are no part that is noted; nobody is at work."""
        known = spans.paths(self.checkpoint)
        for there in self.checkpoint.depot.listed():
            if lost := {*there} - self.checkpoint.part_paths(there) - known:
                self.checkpoint.depot.remove([*lost])

    def _commit(self, made: Completion) -> None:
        """Move the sources' events into their days, and note them."""
        parts: list[Part] = made.writer.finish()
        spanning = made.writer.spans
        states = None if made.states is None else keep_states(self.workdir, made.states)
        rejected = made.rejects.stat().st_size
        seals = (
            [part.seal for part in parts]
            + [span.seal for span in spanning]
            + ([states.seal] if states else [])
        )
        first, *beside = made.inputs
        names = [one.name for one in made.inputs]
        made.numbers.again = sum(name in self._names for name, _ in self._mended(names))
        lines = rejects.place(self.workdir, made.rejects, first.id)

        def beside_it(db: Database) -> None:
            rejects.note(db, first.id, lines, self._mended(names))
            looks.note(db, first.id, made.look)
            spans.note(db, spanning)

        if made.examined is not None:
            self.on_first(made.examined)
        self.checkpoint.note_planned(
            first,
            made.numbers,
            parts,
            beside=beside,
            states=states,
            also=beside_it,
            **self._measure(made, rejected + sum(seal.size for seal in seals)),
        )
        made.writer.discard()
        events = sum(part.events for part in parts)
        events += sum(day.events for span in spanning for day in span.days.values())
        self.on_log(diary.planned(names, made.numbers, events, made.seconds))
        for name in made.numbers.damaged:
            self.on_warning(diary.damaged(name))
        for one in made.inputs:
            self._progress.note_file(one.size, *slicewise.keys(made))
        if self._room is not None:
            self._room.add_spans(max((span.seal.size for span in spanning), default=0))
            self._room.check()

    def _measure(self, made: Completion, written: int) -> dict[str, dict[str, Measured]]:
        """Return what is to be noted of how much the sources of each kind take."""
        if self._room is None:
            return {}
        if made.slice is None:
            self._room.finish(made.inputs[0].id, written)
        return {"measured": self._room.measured()}

    def plan_derived(self, name: str, made: Generator[Made], *, leads: bool = False) -> None:
        """Plan events that come from no row, as an input of this name; nothing, where there are none.

        What `made` holds open is closed, however it ends: the transaction in which it is noted what is told.
        """
        with closing(made):
            if (first := next(made, None)) is None:
                return
            self.checkpoint.register([name])
            known = self.checkpoint.inputs([name])[name]
            writer = DayWriter(self.workdir, known.id, leads, depot=self.checkpoint.depot)
            numbers = Numbers()
            for piece in chain([first], made):
                if self.stopping.is_set():
                    raise Interrupted
                numbers.add(piece.numbers)
                if piece.frame.height:
                    writer.write(piece.frame.with_columns(pl.lit(name).alias("file")))
        parts, numbers.names = writer.finish(), writer.names()
        self.checkpoint.note_planned(known, numbers, parts)
        writer.discard()

    def _mended(self, names: Iterable[str]) -> Iterator[tuple[str, int]]:
        """Yield the files and rows of a rejects.jsonl of ours that were planned again; of a trial none are."""
        for name in names if self.limit is None else ():
            for _, place in self._jobs[name].source.places():
                if place.row is not None:
                    yield place.file, place.row
