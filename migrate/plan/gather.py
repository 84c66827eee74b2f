"""The look over all files before the first is planned: who is who, what rows know of others, how clocks are set."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from migrate import throwaway
from migrate.errors import Unfit
from migrate.inputs.source import stamp
from migrate.kit.declare import Table
from migrate.logline import Record
from migrate.people.aside import taken
from migrate.people.store import People
from migrate.plan import diary
from migrate.plan.bundles import Bundle, bundles
from migrate.plan.executors import Executor, Inline
from migrate.plan.harvest import SUFFIXES, Gathered, Gathering, Harvest, together
from migrate.plan.interrupted import Interrupted
from migrate.plan.jobs import Job
from migrate.plan.notes import Fell, Lost, Note, Read
from migrate.plan.slicewise import Slicewise, keys
from migrate.plan.units import Unit
from migrate.workdir.depot import Depot
from migrate.workdir.records import Input

_HELD: Final = 4 << 20
"""Bytes of links that the store holds, at least, before they are put in their places: others are at work meanwhile."""
_SOON: Final = 64 << 20
"""So many bytes are put in their places before an interrupted command ends."""
_SECONDS: Final = 30.0
_SHARE: Final = 10
"""That takes no more than a tenth of the time, and a killed process has seldom more than that to look over again."""


def has_news(table: Table, *, identity: bool) -> bool:
    """Return whether files of this table have anything to gather."""
    return bool((identity and table.to_links) or table.clock or table.to_recoveries)


@dataclass(kw_only=True)
class Gatherer:
    """Has files looked over, several at a time; a file counts when all of it was looked over, and is in the store."""

    people: People
    harvest: Callable[[Job], Harvest]
    """What takes the rows of a job."""
    workdir: Path
    depot: Depot | None = None
    """Where files of the plan lie; None is the workdir."""
    identity: bool = True
    limit: int | None = None
    executor: Callable[[Sequence[Unit]], Executor] = lambda _: Inline()
    on_begin: Callable[[], object] = lambda: None
    on_stop: Callable[[], object] = lambda: None
    on_log: Callable[[Record], None] = lambda _: None
    on_rows: Callable[[int, object, int], None] = lambda *_: None
    """Told of rows that were looked at, the number of their unit, and how many bytes are read of it."""
    on_lost: Callable[[object], None] = lambda _: None
    """Told of a unit that is looked over again from its beginning."""
    on_file: Callable[..., None] = lambda *_: None
    """Told of the bytes of a file that was looked over, and of its units."""
    on_unfit: Callable[[Unfit], None] = lambda _: None
    """Told of what cannot be looked over, in any thread: it is not to be planned as if it had nothing to tell."""
    stopping: threading.Event = field(default_factory=threading.Event)
    encodings: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Each file's name, and the stamp and the encoding it was found to have, of those that were looked over whole."""
    _whole: list[Gathered] = field(default_factory=list)
    """Units whose links the store holds, and that are not noted yet."""
    _next: float = field(default_factory=lambda: time.monotonic() + _SECONDS)
    """When they are noted at the latest."""
    _slicewise: Slicewise[Gathered] = field(default_factory=lambda: Slicewise(together))

    def todo(self, jobs: Sequence[Job]) -> list[Job]:
        """Return the jobs that are to be looked over."""
        known = self.people.gathered()
        return [
            job
            for job in jobs
            if has_news(job.table, identity=self.identity) and job.source.name not in known
        ]

    def settled(self, job: Job) -> Job:
        """Return a file with the encoding it was found to have, where all of it was looked over and is what it was."""
        before, encoding = self.encodings.get(job.source.name, ("", ""))
        with suppress(Unfit):  # gone by now, which who plans it finds
            if job.header.is_unsettled and encoding and stamp(job.source) == before:
                return replace(job, header=replace(job.header, encoding=encoding, is_unsettled=False))
        return job

    def gather(self, jobs: Sequence[Job], known: Mapping[str, Input]) -> None:
        """Look over these jobs, which are `known` by their names; of limited ones, the first rows, one after another.

        Raises Interrupted when it is to stop; what was looked over whole is kept, but for the last where that is much.
        """
        work = Gathering(
            workdir=self.workdir,
            depot=self.depot,
            harvest=self.harvest,
            on_begin=self.on_begin,
            on_stop=self.on_stop,
        )
        sizes = {job.source.name: job.source.size for job in jobs}
        if self.limit is not None:
            self._first(work, [Unit.of(Bundle([job]), known) for job in jobs], sizes, self.limit)
        else:
            units = [Unit.of(bundle, known) for bundle in bundles(jobs)]
            executor = self.executor(units)
            with closing(self._slicewise.work(units, work, executor, self._hear, self.stopping)) as found:
                for one in found:
                    self._add(one, sizes)
        self._tidy()
        if not self.stopping.is_set():
            self._note()
            return
        if self.people.held <= _SOON:  # else it would take longer than an interrupt may
            self._note()
        raise Interrupted

    def _first(self, work: Gathering, units: Sequence[Unit], sizes: Mapping[str, int], left: int) -> None:
        """Look over the first rows of units."""
        for unit in units:
            if left <= 0:
                return
            found = replace(work, limit=left).do(unit, self._hear, self.stopping)
            if found is not None:
                self._add(found, sizes)
                left -= found.rows

    def _add(self, found: Gathered, sizes: Mapping[str, int]) -> None:
        """Have the store hold what a unit told, in whichever order units come: the sum is the same."""
        for frame in taken(found.links):
            self.people.hold(frame)
        for frame in taken(found.recoveries):
            self.people.recover(frame)
        self._whole.append(found)
        if self.limit is None:
            self.encodings |= {
                name: (found.stamps[name], encoding) for name, encoding in found.encodings.items()
            }
        if self.people.held >= max(_HELD, self.people.stored() // 2) or time.monotonic() >= self._next:
            self._note()
        self.on_log(diary.looked_over([*found.stamps], found.rows, found.seconds))
        for name in found.stamps:
            self.on_file(sizes[name], *keys(found))

    def _note(self) -> None:
        """Put together what is held, and note which files it is of."""
        began = time.monotonic()
        self.people.settle([(one.stamps, one.clock) for one in self._whole])
        self._whole.clear()
        now = time.monotonic()
        self._next = now + max(_SECONDS, _SHARE * (now - began))

    def _tidy(self) -> None:
        """Remove what was written of units by whoever is gone."""
        for path in (self.workdir / throwaway.STAGING).glob("*"):
            if path.suffix in SUFFIXES:
                path.unlink(missing_ok=True)

    def _hear(self, note: Note) -> None:
        """Pass on what is told of a unit."""
        match note:
            case Record():
                self.on_log(note)
            case Read(number, rows, read):
                self.on_rows(rows, number, read)
            case Lost(number):
                self.on_lost(number)
            case Fell(unit, name, reason, why):
                self._slicewise.fall(unit)
                self.on_unfit(Unfit(name, reason, why))
