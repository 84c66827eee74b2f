"""Who plans units: this process, with a thread for each core, or several processes (`processes`).

The seam between planning and what it is spread over. An executor plans each unit by `units.plan_unit`, wherever that
is; it gives back completions as they come, and passes on what is told on the way. What is committed, in which order,
is the planner's.
"""

import os
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Protocol

from migrate.plan.interrupted import Interrupted
from migrate.plan.slices import Slicing
from migrate.plan.units import Completion, Hear, Setup, Unit, plan_unit


class Executor(Protocol):
    """Plans units, several at a time."""

    def map(
        self, units: Sequence[Unit], setup: Setup, hear: Hear, stopping: Event
    ) -> Generator[Completion, None, None]:
        """Yield each unit's completion when it is planned whole, in no order; none of a unit of which nothing is left.

        A large file's unit may be planned as several, see `slices`, each of which is told of by itself.

        `hear` is told what goes on, and may raise what ends it all. Nothing is begun once it is `stopping`: what is
        under way ends without a completion. The first error of a unit is raised. However it ends, closed before its
        end included, no thread and no process of it is at work afterwards.
        """


@dataclass
class Inline:
    """Plans in threads of this process: files side by side, the chunks of a few as well."""

    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    slice_bytes: int | None = None
    """How much of a large file is planned at once; None: all of it, of which several chunks are worked at."""

    def map(
        self, units: Sequence[Unit], setup: Setup, hear: Hear, stopping: Event
    ) -> Generator[Completion, None, None]:
        """Yield the units' completions, see `Executor`."""
        slicing = Slicing(units, self.workers, self.slice_bytes)
        setup = replace(setup, parallel=max(1, self.workers // max(1, slicing.count)))
        with (
            ThreadPoolExecutor(self.workers, thread_name_prefix="plan") as pool,
            closing(slicing.units()) as coming,
        ):
            waiting: set[Future[Completion | None]] = set()
            try:
                for unit in coming:
                    if len(waiting) > self.workers:  # one more than work at once: none idles during a commit
                        done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                        yield from _completed(done)
                    if stopping.is_set():
                        break
                    waiting.add(pool.submit(plan_unit, unit, setup, hear, stopping))
                while waiting:
                    done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    yield from _completed(done)
            except BaseException:
                stopping.set()
                raise


def _completed(done: set[Future[Completion | None]]) -> Iterator[Completion]:
    """Yield what is completed, in order of their inputs; raises the error of a unit."""
    for future in sorted(done, key=_order):
        try:
            completion = future.result()
        except Interrupted:
            continue
        if completion is not None:
            yield completion


def _order(future: Future[Completion | None]) -> int:
    """Return the number of the first input that was planned, 0 where none was."""
    completion = None if future.exception() else future.result()
    return completion.inputs[0].id if completion else 0
