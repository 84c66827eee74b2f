"""Which executor plans: several processes where there is enough to do for them, else this one."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

from migrate.plan.executors import Executor, Inline
from migrate.plan.processes import Processes
from migrate.plan.units import Unit

Kind = Literal["inline", "processes"]
ENOUGH: Final = 256 << 20
"""Bytes of sources from which on processes pay: each takes a second to begin."""
MANY: Final = 4
"""So many workers from which on processes are begun unasked: two take a fifth less time, for twice the memory."""
_MEMORY: Final = 512 << 20
"""Bytes of memory that a worker is reckoned with, and the first process."""
_LIMITS: Final = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def chosen(units: Sequence[Unit], kind: Kind | None = None, workers: int | None = None) -> Executor:
    """Return what plans these units: the executor of a kind that was asked for, or the one that fits."""
    most = usual() if workers is None else workers
    if kind is None:
        is_much = sum(unit.size for unit in units) >= ENOUGH and len(units) >= 2 * most
        kind = "processes" if is_much and most >= MANY else "inline"
    if kind == "processes":
        return Processes(most)
    return Inline() if workers is None else Inline(workers)


def usual() -> int:
    """Return how many workers this machine has room for: one a core, as far as the memory goes."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, memory() // _MEMORY - 1))


def memory() -> int:
    """Return how many bytes of memory there are, for this container where there is one."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in _LIMITS:
        with suppress(OSError, ValueError):  # no limit is no number
            found.append(int(path.read_text()))
    return min(found)
