"""Sources → the plan directory, each planned whole or not at all."""

import itertools
import os
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from migrate import throwaway
from migrate.errors import Unfit
from migrate.inputs.names import archive_of
from migrate.inputs.source import stamp
from migrate.logline import Record
from migrate.people.statefiles import States
from migrate.plan import diary, ordinals
from migrate.plan.ahead import in_parallel
from migrate.plan.aside import SetAside
from migrate.plan.attempt import Attempt, fingerprinted
from migrate.plan.bundles import Bundle, bundles
from migrate.plan.changed import Looked
from migrate.plan.finished import Finished
from migrate.plan.interrupted import Interrupted, until_stopped
from migrate.plan.jobs import Job, bytes_by_kind
from migrate.plan.judged import Made
from migrate.plan.looked import see
from migrate.plan.mapped import mapped
from migrate.plan.progress import Counting, Progress
from migrate.plan.transform import Transform
from migrate.plan.waiting import keep_states, tidy_states
from migrate.plan.wanted import Wanted
from migrate.readers.records import Chunk, first_rows
from migrate.workdir import looks, rejects, renewal
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.database import Database
from migrate.workdir.days import DayWriter
from migrate.workdir.records import Input, Numbers, Part
from migrate.workdir.room import STEP, Measured, Room


@dataclass(kw_only=True)
class Planner:
    """Plans sources into a workdir, each whole or not at all, several at a time."""

    workdir: Path
    checkpoint: Checkpoint
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    limit: int | None = None
    on_progress: Callable[[Progress], None] = lambda _: None
    on_log: Callable[[Record], None] = lambda _: None
    on_warning: Callable[[str], None] = lambda _: None
    on_first: Callable[[Bundle, Chunk, Finished], object] = lambda *_: None
    """Told of the first rows of files that are planned together, and of what they become, in any thread."""
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    stopping: threading.Event = field(default_factory=threading.Event)
    room: Callable[[Mapping[str, int]], Room | None] = lambda _: None
    """Given kind -> bytes to read, what holds the rest against the disk; None where what is to come is not known."""
    _room: Room | None = None

    def __post_init__(self) -> None:
        self.aside = SetAside(self.checkpoint)
        self._wanted = Wanted()

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

    def plan(self, todo: Sequence[Job], transform: Callable[[Job], Transform]) -> None:
        """Plan these jobs; `transform` is how the rows of one become events."""
        self._transform = transform
        has_copies = any(job.source.lines is not None for job in todo)
        known = self.checkpoint.inputs(None if has_copies else [job.source.name for job in todo])
        self._names, self._first = known.keys(), looks.first_input(self.checkpoint)
        left = None if self.limit is None else self.limit - self.checkpoint.numbers().read
        self._progress = Counting(todo, self.on_progress, limit=left)
        self._room = None if self.limit is not None else self.room(bytes_by_kind(todo))
        if self.limit is not None:
            self._plan_limited(todo, known)
            return
        together = list(bundles(todo, renewal.anew(self.checkpoint)))
        # Files are planned side by side; the chunks of a few are too.
        self._parallel = max(1, self.workers // max(1, len(together)))
        with ThreadPoolExecutor(self.workers, thread_name_prefix="plan") as pool:
            waiting: set[Future[Attempt | None]] = set()
            try:
                for bundle in together:
                    if len(waiting) > self.workers:  # one more than work at once: none idles during a commit
                        waiting = self._commit_done(waiting)
                    if self.stopping.is_set():
                        break
                    waiting.add(pool.submit(self._attempt, bundle, known, None))
                while waiting:
                    waiting = self._commit_done(waiting)
            except BaseException as error:
                self.stopping.set()
                pool.shutdown()
                if isinstance(error, Exception):  # nothing of it is noted, and the disk may be full
                    throwaway.tidy(self.workdir)
                raise

    def _plan_limited(self, todo: Sequence[Job], known: dict[str, Input]) -> None:
        """Plan the first rows of the jobs, one after another."""
        left = (self.limit or 0) - self.checkpoint.numbers().read
        for job in todo:
            if left <= 0:
                return
            attempt = self._attempt(Bundle([job]), known, left)
            self._commit(attempt)
            left -= attempt.numbers.read if attempt else 0

    def _tidy(self) -> None:
        """Remove what a killed process left behind: files written aside, or moved but never noted."""
        throwaway.tidy(self.workdir)
        there = {path.relative_to(self.workdir).as_posix() for path in self.workdir.glob("days/*/*.parquet")}
        for path in there - self.checkpoint.part_paths(there):
            (self.workdir / path).unlink()
        tidy_states(self.checkpoint)
        rejects.tidy(self.checkpoint)

    def _attempt(self, bundle: Bundle, known: Mapping[str, Input], limit: int | None) -> Attempt | None:
        """Plan sources into files of their own; those that cannot be planned as they are now are set aside.

        Return None where none is left.
        """
        while bundle.jobs:
            try:
                return self._attempt_whole(bundle, known, limit)
            except Unfit as error:
                self.aside.put(error)
                if self._room is not None:
                    self._room.finish(known[error.name].id)
                bundle = Bundle([job for job in bundle.jobs if job.source.name != error.name])
        return None

    def _attempt_whole(self, bundle: Bundle, known: Mapping[str, Input], limit: int | None) -> Attempt:
        """Plan sources into files of their own, all of them."""
        before = {job.source.name: stamp(job.source) for job in bundle.jobs}
        inputs = [known[job.source.name] for job in bundle.jobs]
        states = States(self.workdir / throwaway.STAGING / f"{inputs[0].id:08d}.states")
        bundle = bundle.metered().tallied()
        attempt = Attempt(inputs, DayWriter(self.workdir, inputs[0].id), states, bundle)
        attempt.rejects.parent.mkdir(exist_ok=True)
        if self._room is not None:
            self._room.begin(inputs[0].id, bundle.job.kind, sum(job.source.size for job in bundle.jobs))
        for job in bundle.jobs:
            self.on_log(diary.begun(job))
            attempt.numbers.dropped.update(job.table.drops(job.header.columns))
            attempt.numbers.dropped.update(job.header.beside)
        try:
            with attempt.rejects.open("w", encoding="utf-8") as lines:
                for piece in self._finished(bundle, limit):
                    attempt.take(piece, lines, self._names)
                    self._progress.note_rows(piece.numbers.read, inputs[0].id, read := attempt.read())
                    self._hold(attempt, read)
            attempt.states.close()
            attempt.numbers.wanted = self._wanted.of(self._transform(bundle.job), attempt.numbers.rejected)
            if bundle.job.table.ordinals:
                for paths in attempt.writer.files().values():
                    ordinals.number_repeats(paths)
            attempt.writer.seal()
            attempt.inputs = [fingerprinted(known[job.source.name], job, before) for job in bundle.jobs]
        except BaseException:
            attempt.writer.discard()
            raise
        return attempt

    def _hold(self, attempt: Attempt, read: int) -> None:
        """Hold what is still to come against the disk, now and then."""
        if self._room is None or read < attempt.measured + STEP:
            return
        attempt.measured = read
        written = attempt.writer.stored() + attempt.rejects.stat().st_size
        self._room.note(attempt.inputs[0].id, read, written)

    def _finished(self, bundle: Bundle, limit: int | None) -> Iterator[Finished]:
        """Yield the sources' chunks as finished events, the next one read ahead."""
        transform = self._transform(bundle.job)
        now = self.clock()

        def made(numbered: tuple[int, Chunk]) -> Finished:
            number, chunk = numbered
            piece = mapped(chunk, transform, now, bundle.whence)
            see(piece.look, piece.frame, is_first=bundle.names[0] == self._first)
            if number == 0:
                self.on_first(bundle, chunk, piece)
            return piece

        chunks = bundle.regrouped()
        if limit is not None:
            yield from map(made, enumerate(until_stopped(_first(chunks, limit), self.stopping)))
            return
        yield from in_parallel(made, enumerate(until_stopped(chunks, self.stopping)), self._parallel)

    def _commit_done(self, waiting: set[Future[Attempt | None]]) -> set[Future[Attempt | None]]:
        """Wait for at least one job and note those that are done; return the others."""
        done, others = wait(waiting, return_when=FIRST_COMPLETED)
        for future in sorted(done, key=_order):
            try:
                self._commit(future.result())
            except Interrupted:
                continue
        return others

    def _commit(self, attempt: Attempt | None) -> None:
        """Move the sources' events into their days, and note them."""
        if attempt is None:
            return
        parts: list[Part] = attempt.writer.finish()
        states = keep_states(self.workdir, attempt.states.path) if attempt.states.path.exists() else None
        rejected = attempt.rejects.stat().st_size
        seals = [part.seal for part in parts] + ([states.seal] if states else [])
        first, *beside = attempt.inputs
        attempt.numbers.again = sum(name in self._names for name, _ in self._mended(attempt))
        lines = rejects.place(self.workdir, attempt.rejects, first.id)

        def beside_it(db: Database) -> None:
            rejects.note(db, first.id, lines, self._mended(attempt))
            looks.note(db, first.id, attempt.look)

        self.checkpoint.note_planned(
            first,
            attempt.numbers,
            parts,
            beside=beside,
            states=states,
            also=beside_it,
            **self._measure(attempt, rejected + sum(seal.size for seal in seals)),
        )
        attempt.writer.discard()
        names, events = attempt.bundle.names, sum(part.events for part in parts)
        self.on_log(diary.planned(names, attempt.numbers, events, time.monotonic() - attempt.began))
        for name in attempt.numbers.damaged:
            self.on_warning(diary.damaged(name))
        for one in attempt.inputs:
            self._progress.note_file(one.size, first.id)
        if self._room is not None:
            self._room.check()

    def _measure(self, attempt: Attempt, written: int) -> dict[str, dict[str, Measured]]:
        """Return what is to be noted of how much the sources of each kind take."""
        if self._room is None:
            return {}
        self._room.finish(attempt.inputs[0].id, written)
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
            writer, numbers = DayWriter(self.workdir, known.id, leads), Numbers()
            for piece in itertools.chain([first], made):
                if self.stopping.is_set():
                    raise Interrupted
                numbers.add(piece.numbers)
                if piece.frame.height:
                    writer.write(piece.frame.with_columns(pl.lit(name).alias("file")))
        self.checkpoint.note_planned(known, numbers, writer.finish())
        writer.discard()

    def _mended(self, attempt: Attempt) -> Iterator[tuple[str, int]]:
        """Yield the files and rows of a rejects.jsonl of ours that were planned again; of a trial none are."""
        for job in attempt.bundle.jobs if self.limit is None else ():
            for _, place in job.source.places():
                if place.row is not None:
                    yield place.file, place.row


def _first(chunks: Iterator[Chunk], limit: int) -> Iterator[Chunk]:
    """Yield the first rows of the chunks."""
    for chunk in chunks:
        piece = first_rows(chunk, limit)
        yield piece
        limit -= piece.rows.height + len(piece.rejects)
        if limit <= 0:
            return


def _order(future: Future[Attempt | None]) -> int:
    """Return the number of the first input that was planned, 0 where none was."""
    attempt = None if future.exception() else future.result()
    return attempt.inputs[0].id if attempt else 0
