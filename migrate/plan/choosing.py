"""Which executor plans: a cluster where one is named, several processes where there is enough to do, else this one."""

from __future__ import annotations

import importlib
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from migrate.errors import Unfit, UsageError
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
"""Bytes to read from which on processes pay: each takes a second to begin."""
PACKED: Final = 8
"""How many bytes there are to read in one that is packed, about: JSON of events packs to a tenth."""
FEW: Final = 2
"""So many workers from which on processes are begun unasked: two take a fifth to a quarter less time than threads."""
MANY: Final = 4
"""The same where rows are columns already, which threads hardly wait for each other with: two are no faster."""
_COLUMNS: Final = frozenset({"csv", "parquet", "orc"})
_MEMORY: Final = 512 << 20
"""Bytes of memory that a worker is reckoned with, and the first process."""
_LIMITS: Final = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def chosen(units: Sequence[Unit], kind: str | None = None, workers: int | None = None) -> Executor:
    """Return what plans these units: the executor of a kind that was asked for, or the one that fits."""
    if kind is not None and kind.startswith(DASK):
        return _dask(kind, workers)
    most = usual() if workers is None else workers
    if kind is None:
        kind = PROCESSES if _pay(units, most) else INLINE
    if kind == PROCESSES:
        return Processes(most)
    return Inline() if workers is None else Inline(workers)


def _pay(units: Sequence[Unit], workers: int) -> bool:
    """Return whether processes pay with so many workers: where there is much to do for each of them."""
    total = sum(unit.size for unit in units)
    flat = sum(unit.size for unit in units if unit.bundle.job.header.format in _COLUMNS)
    if workers < (MANY if 2 * flat > total else FEW) or total * PACKED < ENOUGH:
        return False
    if total < ENOUGH and not _is_packed(max(units, key=lambda unit: unit.size)):
        return False
    return Slicing(units, workers, SLICE_BYTES).count >= 2 * workers


def _is_packed(unit: Unit) -> bool:
    """Return whether a unit's files are packed, as its first is; what lies in an archive is taken for it."""
    try:
        return not unit.bundle.job.source.is_plain
    except Unfit:
        return False


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
