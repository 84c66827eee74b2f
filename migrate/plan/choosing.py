"""Which executor plans: a cluster where one is named, several processes where there is enough to do, else this one."""

from __future__ import annotations

import importlib
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from migrate.errors import UsageError
from migrate.plan.executors import Executor, Inline, cores
from migrate.plan.kinds import DASK, INLINE, PROCESSES
from migrate.plan.processes import Processes
from migrate.plan.slices import SLICE_BYTES, Slicing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate.plan.dask import Dask
    from migrate.plan.jobs import Job
    from migrate.plan.units import Unit

ENOUGH: Final = 256 << 20
"""Bytes of sources from which on processes pay: each takes a second to begin."""
MANY: Final = 4
"""So many workers from which on processes are begun unasked: two take a fifth less time, for twice the memory."""
_MEMORY: Final = 512 << 20
"""Bytes of memory that a worker is reckoned with, and the first process."""
_LIMITS: Final = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def chosen(units: Sequence[Unit], kind: str | None = None, workers: int | None = None) -> Executor:
    """Return what plans these units: the executor of a kind that was asked for, or the one that fits."""
    if kind is not None and kind.startswith(DASK):
        return _dask(kind, workers)
    most = usual() if workers is None else workers
    if kind is None:
        is_much = (
            most >= MANY
            and sum(unit.size for unit in units) >= ENOUGH
            and Slicing(units, most, SLICE_BYTES).count >= 2 * most
        )
        kind = PROCESSES if is_much else INLINE
    if kind == PROCESSES:
        return Processes(most)
    return Inline() if workers is None else Inline(workers)


def check(kind: str | None, workdir: Path, jobs: Sequence[Job], *, is_far: bool = False) -> None:
    """Raise what is in the way of planning these jobs with a cluster, before anything is begun.

    `is_far`: the plan's files lie in a storage.
    """
    if kind is not None and kind.startswith(DASK) and jobs:
        _dask(kind).check(workdir, jobs, is_far=is_far)


def _dask(kind: str, workers: int | None = None) -> Dask:
    """Return what plans on a cluster; raises UsageError where the library for it is not installed."""
    try:
        made: type[Dask] = importlib.import_module("migrate.plan.dask").Dask
    except ImportError as error:
        if (error.name or "").startswith("migrate"):
            raise
        raise UsageError(
            f"--executor: {kind} is reached with the extra 'dask', which is not installed; "
            "pip install '.[dask]' in migrate's folder"
        ) from None
    return made(kind.removeprefix(DASK), workers)


def usual() -> int:
    """Return how many workers this machine has room for: one a core, as far as the memory goes."""
    return max(1, min(cores(), memory() // _MEMORY - 1))


def memory() -> int:
    """Return how many bytes of memory there are, for this container where there is one."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in _LIMITS:
        with suppress(OSError, ValueError):  # no limit is no number
            found.append(int(path.read_text()))
    return min(found)
