"""Units planned by the workers of a Dask cluster, where what is ours (`guest`) comes, and goes.

Each unit is a task that is bound to one worker, one for each of its threads. Which worker is gone, and what units have
to say, is asked of all workers a few times a second. A unit whose worker is gone is given to another one here and not
by Dask, which would hold the death against all tasks that waited there.
"""

import time
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from shutil import rmtree
from threading import Event
from typing import Any, Final
from uuid import uuid4

from migrate.errors import Refused, Stopped
from migrate.logline import Record
from migrate.plan import guest, worker
from migrate.plan.cluster import Cluster
from migrate.plan.elsewhere import TRIES, Handed, Tries, handed, read_by_all
from migrate.plan.executors import Inline, Unkept
from migrate.plan.handing import packed, unpacked
from migrate.plan.jobs import Job
from migrate.plan.notes import Hear, Lost
from migrate.plan.pending import Pending
from migrate.plan.slices import SLICE_BYTES, Slicing
from migrate.plan.travel import CARRIED, Away
from migrate.plan.units import D, Unit, Work
from migrate.throwaway import STAGING
from migrate.workdir.far import FarDepot

_TICK: Final = 0.2
"""Seconds after which it is looked whether work is to stop, and whether it is time to ask."""
_ASKED: Final = 0.4
"""Seconds between two times that all workers are asked, for each `_AT_ONCE` of them."""
_AT_ONCE: Final = 200
_PATIENCE: Final = 3.0
"""Seconds that workers have to leave what they are at."""
_GONE: Final = "as Dask says"
_ANEW: Final = "which Dask has begun anew"
_NOTHING: Final = Handed(b"", ())


@dataclass
class Dask(Unkept):
    """Plans on the cluster whose scheduler is at this address, HOST:PORT."""

    address: str
    workers: int | None = None
    """How many units are planned at once at the most; None for one a thread of each worker."""
    tries: int = TRIES
    """How many workers may die of a unit, one after another."""
    patience: float = 120.0
    """Seconds without any worker after which the command stops."""
    slice_bytes: int = SLICE_BYTES
    """How much of a large file is planned at once, where there are too few others for the workers that are there."""
    carried: int = CARRIED
    """Up to how many bytes of a file a worker that does not see the workdir carries back itself."""

    def map(
        self, units: Sequence[Unit], work: Work[D], hear: Hear, stopping: Event
    ) -> Generator[D, None, None]:
        """Yield what comes of the units, see `Executor`; what cannot be handed on is done here.

        Raises Stopped where the scheduler does not answer, or there are no workers, and Refused where those that are
        there at the beginning are of another version, do not see the sources, or do not see the workdir, which they
        need not where the plan's files lie in a storage.
        """
        work = replace(work, workdir=work.workdir.absolute(), parallel=1)
        is_far = isinstance(work.depot, FarDepot)
        if (given := handed(units, work, hear, work.files if is_far else ())) is None:
            yield from Inline().map(units, work, hear, stopping)
            return
        read = [job for unit in units for job in unit.bundle.jobs]
        with self._crew(work.workdir, read, hear, is_far=is_far) as crew:
            crew.given, crew.stopping = given, stopping
            try:
                crew.away = Away.of(work, crew.token, self.carried)
                crew.find_workers()
                most = self.workers or sum(crew.threads.values())
                slicing = Slicing(units, most, self.slice_bytes, work.pins, stopping)
                with closing(slicing.units()) as coming:
                    crew.pending = Pending(coming, slicing.count, crew.tries.is_last)
                    yield from crew.completions()
                if crew.away:
                    crew.away.end(stopping)
            except BaseException:
                stopping.set()
                raise

    def check(self, workdir: Path, jobs: Sequence[Job], *, is_far: bool = False) -> None:
        """Raise what `map` would raise at its beginning; with `is_far` the plan's files lie in a storage."""
        with self._crew(workdir.absolute(), jobs, lambda _: None, is_far=is_far) as crew:
            crew.find_workers()

    @contextmanager
    def _crew(self, workdir: Path, jobs: Sequence[Job], hear: Hear, *, is_far: bool) -> Iterator["_Crew"]:
        """Give who plans, with paths that all workers must see: sources, and near a folder just made in the workdir."""
        token = uuid4().hex
        (aside := workdir / STAGING / token).mkdir(parents=True)
        seen = [*([] if is_far else [str(aside)]), *read_by_all(jobs)]
        try:
            crew = _Crew(self, Cluster(self.address), token, aside.parent, seen, hear)
            try:
                yield crew
            finally:
                crew.end()
        finally:
            rmtree(aside, ignore_errors=True)  # whoever is gone may write on for a while


@dataclass
class _Try:
    """A unit, and the worker that it is given to."""

    unit: Unit
    address: str


@dataclass
class _Crew:
    """The workers of one planning, and what is left to do for them."""

    dask: Dask
    cluster: Cluster
    token: str
    staging: Path
    """Where tries write, each in a folder that is called by its mark."""
    seen: Sequence[str]
    hear: Hear
    given: Handed = _NOTHING
    away: Away | None = None
    """How workers work that do not see the workdir."""
    stopping: Event = field(default_factory=Event)
    pending: Pending = field(default_factory=lambda: Pending(iter(()), 0))
    threads: dict[str, int] = field(default_factory=dict)
    """Workers by their addresses, with how many threads each has."""
    unfit: set[str] = field(default_factory=set)
    """Workers with which nothing is planned."""
    trying: dict[str, _Try] = field(default_factory=dict)
    """What is under way, by its mark, which is that of no other try."""
    begun: int = 0
    """How many tries were begun."""
    are_met: bool = False
    """Whether any workers were met."""
    asked: float = 0.0
    """When all workers were asked."""
    manned: float = field(default_factory=time.monotonic)
    """When the last of them was there."""

    def __post_init__(self) -> None:
        self.tries = Tries(self.dask.tries, self.hear)

    def find_workers(self) -> None:
        """Wait for the first workers."""
        while not self.threads and not self.stopping.wait(_TICK if self.asked else 0):
            self._look()

    def completions(self) -> Generator[Any, None, None]:
        """Yield what is completed; when it is to stop, what is still completed by those who are at it."""
        while not self.stopping.is_set():
            self._look()
            self._man()
            if not self.pending and not self.trying:
                return
            yield from self._land(_TICK)
        self.cluster.ask(guest.stop, self.token)
        end = time.monotonic() + _PATIENCE
        while self.trying and (left := end - time.monotonic()) > 0:
            self._look()
            yield from self._land(min(left, _TICK))

    def end(self) -> None:
        """Leave the cluster as it was: what is under way, as it is over by an error, is left, or comes to nothing."""
        with suppress(Stopped):  # without a scheduler nobody is asked any more, and leaves by itself
            if self.trying:
                self.cluster.ask(guest.stop, self.token)
            end = time.monotonic() + _PATIENCE
            while self.trying and (left := end - time.monotonic()) > 0:
                for mark in self.cluster.landed(left):
                    self.trying.pop(mark, None)
            self.cluster.ask(guest.leave, self.token)
        self.cluster.close()

    def _look(self) -> None:
        """Ask all workers, if it is time to: hear what they have to say, meet those that are new, miss those gone."""
        if time.monotonic() < self.asked + _ASKED * max(1, len(self.threads) / _AT_ONCE):
            return
        answers = self.cluster.ask(guest.ask, self.token)
        self.asked = time.monotonic()
        new = [one for one in answers if one not in self.threads and one not in self.unfit]
        for address in [*self.threads]:
            match answers.get(address, _GONE):
                case b"":  # not asked for so long, it took us for gone; its units come back as they are left
                    new.append(address)
                case bytes() as notes:
                    for note in unpacked(notes):
                        self.hear(note)
                case Exception():  # it may be back, and is gone where Dask gives it up
                    pass
                case answer:
                    self._lose(address, answer or _ANEW)
        if new:
            self._meet(new)
        if self.threads:
            self.manned = self.asked
        elif self.asked - self.manned > self.dask.patience:
            raise Stopped(
                f"--executor: the cluster of Dask at {self.dask.address} has had no worker for "
                f"{self.dask.patience:.0f} s; start some, then run the same command again",
                "worker",
            )

    def _meet(self, new: Sequence[str]) -> None:
        """Have workers get ready, but for those with which nothing can be planned; such a one at first is an end."""
        away = packed(self.away) if self.away else b""
        given = (self.token, self.given.setup, worker.kind(), self.seen, away)
        answers, threads = self.cluster.ask(guest.greet, *given, among=new), self.cluster.threads()
        for address, answer in answers.items():
            if isinstance(answer, OSError) or address not in threads:
                continue  # gone
            if not (why := guest.unfit(address, answer)):
                self.threads[address] = threads[address]
                self.hear(Record("worker_begun", f"a worker that plans: {address}", {"worker": address}))
                continue
            if not self.are_met:
                raise Refused(f"--executor: {why}")
            self.unfit.add(address)
            self._warn(f"{why}; nothing is planned with it")
        self.are_met |= bool(self.threads)

    def _lose(self, address: str, how: str) -> None:
        """Have what a worker was at that is gone done by others."""
        del self.threads[address]
        self._warn(f"a worker that planned is gone: {address}, {how}")
        for mark in [mark for mark, one in self.trying.items() if one.address == address]:
            self.cluster.drop(mark)
            self._lose_try(mark, f"the end of {address}")

    def _lose_try(self, mark: str, how: str) -> None:
        """Have a unit tried again."""
        unit = self.trying.pop(mark).unit
        self._warn(f"not planned: {unit.bundle.names[0]}, by {how}; it is tried again")
        rmtree(self.staging / mark, ignore_errors=True)
        self.pending.put_back(*self.tries.lose(unit, how))

    def _warn(self, text: str) -> None:
        self.hear(Record("warning", text, level="warning"))

    def _man(self) -> None:
        """Give units to threads that are free, of each worker one before a second."""
        busy = Counter(one.address for one in self.trying.values())
        free = sorted((n, one) for one, threads in self.threads.items() for n in range(busy[one], threads))
        if self.dask.workers is not None:
            free = free[: max(0, self.dask.workers - len(self.trying))]
        for _, address in free:
            if (unit := self.pending.take(is_busy=bool(self.trying))) is None:
                return
            self.begun += 1
            mark = f"{self.token}/{self.begun:06d}"
            self.trying[mark] = _Try(unit, address)
            data = packed(unit, self.given.shared)
            self.cluster.begin(mark, address, guest.plan, self.token, mark, data)

    def _land(self, seconds: float) -> Generator[Any, None, None]:
        """Wait for tries to end, so long at the most; yield what is completed when each worker has more to do."""
        completed = [one for mark in self.cluster.landed(seconds) for one in self._take(mark)]
        if not self.stopping.is_set():
            self._man()
        for one in completed:
            yield one
            self._look()  # to note it may have taken long

    def _take(self, mark: str) -> list[Any]:
        """Return what came of a try."""
        if mark not in self.trying:
            return []  # lost before
        try:
            data = self.cluster.result(mark)
        except Exception as error:  # noqa: BLE001 - what Dask says of the task, and not our own function
            self._lose_try(mark, repr(error))
            return []
        if data is None:
            self._lose_try(mark, f"the end of {self.trying[mark].address}, {_ANEW}")
            return []
        unit = self.trying.pop(mark).unit
        notes, what, value = unpacked(data)
        for note in notes:
            self.hear(note)
        if what == worker.FAILED:
            raise value
        if what == worker.LEFT and not self.stopping.is_set():
            self.hear(Lost(unit.key))
            self.pending.put_back(unit)
        if what == worker.DONE and self.away is not None:
            value = self.away.received(value, self.stopping, self._look)
        return [value] if what == worker.DONE and value is not None else []
