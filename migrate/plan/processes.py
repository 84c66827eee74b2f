"""Units spread over several processes: whoever dies costs a unit a try, and a file that kills them is set aside.

Each worker (`worker`) is a new Python, in a process group of its own: Ctrl-C in a terminal reaches the coordinator
alone. None outlives the coordinator, whose connection it listens to.
"""

import os
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from threading import Event
from typing import IO, TYPE_CHECKING, Any, Final, Self

from migrate.errors import Refused, Stopped
from migrate.logline import Record
from migrate.plan import worker as said
from migrate.plan.begun import begun
from migrate.plan.elsewhere import TRIES, Handed, Tries, handed
from migrate.plan.executors import Inline, cores
from migrate.plan.handing import packed, unpacked
from migrate.plan.notes import Hear
from migrate.plan.pending import Pending
from migrate.plan.slices import SLICE_BYTES, Slicing
from migrate.plan.units import D, Unit, Work

if TYPE_CHECKING:
    import subprocess

_TICK: Final = 0.2
"""Seconds after which it is looked whether work is to stop."""
_PATIENCE: Final = 3.0
"""Seconds that workers have to leave what they are at, before they are killed."""
_TAIL: Final = 2_000
"""Bytes shown of what Python, or a library, wrote on the stderr of a worker that has died."""


@dataclass
class Processes:
    """Works in so many processes."""

    workers: int
    tries: int = TRIES
    """How many workers may die of a unit, one after another."""
    slice_bytes: int = SLICE_BYTES
    """How much of a large file is planned at once, where there are too few others."""
    _crew: "_Crew | None" = field(default=None, init=False, repr=False, compare=False)
    """Those who are kept from one work to the next."""

    def map(
        self, units: Sequence[Unit], work: Work[D], hear: Hear, stopping: Event
    ) -> Generator[D, None, None]:
        """Yield what comes of the units, see `Executor`.

        Where the work cannot be handed to another process, as a mapping holds what belongs to this one, it is done
        here.
        """
        slicing = Slicing(units, self.workers, self.slice_bytes, work.pins, stopping)
        parallel = max(1, self.workers // max(1, slicing.count))
        # Where a process has a core it reads or plans: a chunk read ahead would be held for nothing, 19 MB (measured).
        work = replace(work, parallel=parallel, reads_ahead=parallel > 1 or self.workers < cores())
        if (given := handed(units, work, hear)) is None:
            yield from Inline(self.workers).map(units, replace(work, reads_ahead=True), hear, stopping)
            return
        crew, is_kept = self._crew or _Crew(self.workers), False
        with closing(slicing.units()) as coming:
            tries = Tries(self.tries, hear)
            pending = Pending(coming, slicing.count, tries.is_last)
            try:
                crew.begin(_Task(given, tries, hear, stopping, pending))
                yield from crew.completions()
                is_kept = self._crew is not None and not stopping.is_set()
            except BaseException:
                stopping.set()
                raise
            finally:
                if not is_kept:
                    crew.end()

    def __enter__(self) -> Self:
        self._crew = _Crew(self.workers)
        return self

    def __exit__(self, *_: object) -> None:
        if self._crew is not None:
            self._crew.end()
        self._crew = None


@dataclass
class _Worker:
    """A process, as the coordinator knows it."""

    process: "subprocess.Popen[bytes]"
    connection: Connection
    stderr: IO[bytes]
    unit: Unit | None = None
    is_known: bool = False
    """Whether it has said that it is alike."""
    is_ready: bool = False

    @classmethod
    def begun(cls) -> "_Worker":
        """Begin one."""
        stderr = tempfile.TemporaryFile()  # noqa: SIM115 - it is open as long as the process lives
        return cls(*begun(said.__name__, stderr), stderr)

    def end(self) -> str:
        """Kill it, as all that it has not told is safe to lose; return how it ended, and the end of what it wrote."""
        self.process.kill()
        code = self.process.wait()
        self.connection.close()
        with self.stderr as written:
            written.seek(max(0, written.seek(0, os.SEEK_END) - _TAIL))
            text = written.read().decode(errors="replace").strip()
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return f"{how}, {text}" if text else how


@dataclass
class _Task:
    """What workers are to do with units, and which are left."""

    given: Handed
    tries: Tries
    hear: Hear
    stopping: Event
    pending: Pending


@dataclass
class _Crew:
    """The workers of one command, and what they are at."""

    most: int
    workers: list[_Worker] = field(default_factory=list)
    false_starts: int = 0
    """How many workers, one after another, died before they were ready."""

    def begin(self, task: _Task) -> None:
        """Have workers do something; those who are there already are told, the others when they have begun."""
        self.task = task
        for one in self.workers:
            if one.is_known:
                one.is_ready = False
                self._tell(one, packed((said.SETUP, task.given.setup)))

    def completions(self) -> Generator[Any, None, None]:
        """Yield what is completed; when it is to stop, what is still completed by those who are at it."""
        task = self.task
        while not task.stopping.is_set():
            self._man()
            if not task.pending and not self._busy():
                return
            yield from self._look(_TICK)
        end = time.monotonic() + _PATIENCE
        for one in self._busy():
            self._tell(one, packed((said.STOP, b"")))
        while self._busy() and (left := end - time.monotonic()) > 0:
            yield from self._look(left)

    def end(self) -> None:
        """End all workers."""
        for one in self.workers:
            one.end()
        self.workers.clear()

    def _busy(self) -> list[_Worker]:
        return [one for one in self.workers if one.unit is not None]

    def _man(self) -> None:
        """Give units to those who are free, and begin workers for the others."""
        task = self.task
        for one in self.workers:
            if one.is_ready and one.unit is None:
                one.unit = task.pending.take(is_busy=bool(self._busy()))
                if one.unit is None:
                    break
                self._tell(one, packed((said.UNIT, packed(one.unit, task.given.shared))))
        starting = sum(not one.is_ready for one in self.workers)
        for _ in range(min(self.most - len(self.workers), task.pending.count() - starting)):
            self.workers.append(one := _Worker.begun())
            pid = one.process.pid
            task.hear(Record("worker_begun", f"a process that plans: {pid}", {"worker": pid}))

    def _look(self, seconds: float) -> Generator[Any, None, None]:
        """Wait for what workers say, so long at the most; yield what is completed when each has more to do."""
        by_connection = {one.connection: one for one in self.workers}
        completed = [self._listen(by_connection[one]) for one in wait([*by_connection], seconds)]  # type: ignore[index]
        if not self.task.stopping.is_set():
            self._man()
        yield from (one for one in completed if one is not None)

    def _tell(self, one: _Worker, data: bytes) -> None:
        """Tell a worker something; that it is gone is heard when it is listened to."""
        with suppress(OSError):
            one.connection.send_bytes(data)

    def _listen(self, one: _Worker) -> Any:  # noqa: ANN401 - what comes of a unit is the work's
        """Take one thing that a worker says; return a unit's completion."""
        try:
            what, value = unpacked(one.connection.recv_bytes())
        except (EOFError, OSError):
            self._lose(one)
            return None
        return self._take(one, what, value)

    def _take(self, one: _Worker, what: str, value: Any) -> Any:  # noqa: ANN401 - told by `what`
        """Do what a worker says."""
        match what:
            case said.HELLO:
                _check_alike(value)
                one.is_known = True
                self._tell(one, packed((said.SETUP, self.task.given.setup)))
            case said.READY:
                one.is_ready, self.false_starts = True, 0
            case said.NOTE:
                self.task.hear(value)
            case said.SAID:
                sys.stderr.write(value)
            case said.FAILED:
                raise value
            case said.LEFT:
                one.unit = None
            case said.DONE:
                one.unit = None
                return value
        return None

    def _lose(self, one: _Worker) -> None:
        """Have what a worker was at that is gone done by another."""
        self.workers.remove(one)
        task, unit, how = self.task, one.unit, one.end()
        text = f"a process that planned is gone: {one.process.pid}, by {how}"
        text += "" if unit is None else f", at {unit.bundle.names[0]}, which another one takes"
        task.hear(Record("warning", text, level="warning"))
        if unit is None:
            self.false_starts += not one.is_ready
            if self.false_starts >= task.tries.most:
                raise Stopped(
                    f"--executor: {self.false_starts} processes that plan did not begin, one after another, found "
                    f"{how}; run the same command again, or plan with --executor inline",
                    "worker",
                )
            return
        task.pending.put_back(*task.tries.lose(unit, how))


def _check_alike(found: tuple[str, str, str]) -> None:
    """Raise Refused where a worker is of another version than the coordinator."""
    if others := said.unlike(found):
        raise Refused(
            f"a process that plans is of another version, found {others}; run the same command again"
        )
