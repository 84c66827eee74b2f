"""Who works at units: this process, with a thread for each core, or several processes (`processes`).

The seam between what is to be done with units, planning or looking over (`units.Work`), and what it is spread over. An
executor does a work for each unit, wherever that is; it gives back what comes of them as it comes, and passes on what
is told on the way. What is committed, in which order, is the coordinator's.
"""

import os
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Protocol, Self

from migrate.plan.interrupted import Interrupted
from migrate.plan.notes import Hear
from migrate.plan.slices import Slicing
from migrate.plan.units import D, Unit, Work


class Executor(Protocol):
    """Works at units, several at a time. Entered, it keeps its workers from one work to the next, until it is left."""

    def map(
        self, units: Sequence[Unit], work: Work[D], hear: Hear, stopping: Event
    ) -> Generator[D, None, None]:
        """Yield what comes of each unit when it is done whole, in no order; nothing of one of which nothing is left.

        A large file's unit may be planned as several, see `slices`, each of which is told of by itself.

        `hear` is told what goes on, and may raise what ends it all. Nothing is begun once it is `stopping`: what is
        under way ends without a completion. The first error of a unit is raised. However it ends, closed before its
        end included, no thread and no process of it is at work afterwards.
        """

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class Unkept:
    """An executor without workers between two works."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave it; there is nothing to do."""


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass
class Inline(Unkept):
    """Works in threads of this process: files side by side, the chunks of a few as well."""

    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    slice_bytes: int | None = None
    """How much of a large file is planned at once; None: all of it, of which several chunks are worked at."""

    def map(
        self, units: Sequence[Unit], work: Work[D], hear: Hear, stopping: Event
    ) -> Generator[D, None, None]:
        """Yield what comes of the units, see `Executor`."""
        slicing = Slicing(units, self.workers, self.slice_bytes, work.pins, stopping)
        work = replace(work, parallel=max(1, self.workers // max(1, slicing.count)))
        with (
            ThreadPoolExecutor(self.workers, thread_name_prefix="plan") as pool,
            closing(slicing.units()) as coming,
        ):
            waiting: set[Future[D | None]] = set()
            try:
                for unit in coming:
                    if len(waiting) > self.workers:  # one more than work at once: none idles during a commit
                        done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                        yield from _completed(done)
                    if stopping.is_set():
                        break
                    waiting.add(pool.submit(work.do, unit, hear, stopping))
                while waiting:
                    done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    yield from _completed(done)
            except BaseException:
                stopping.set()
                raise


def _completed(done: set[Future[D | None]]) -> Iterator[D]:
    """Yield what is completed, in order of their inputs; raises the error of a unit."""
    for future in sorted(done, key=_order):
        try:
            completion = future.result()
        except Interrupted:
            continue
        if completion is not None:
            yield completion


def _order(future: Future[D | None]) -> int:
    """Return the number of what is completed, 0 where nothing is."""
    completion = None if future.exception() else future.result()
    return completion.number if completion else 0
