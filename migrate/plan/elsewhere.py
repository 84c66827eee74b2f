"""What goes with units that other processes work at, and what becomes of a unit whose process is gone."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

from migrate.logline import Record
from migrate.plan.handing import packed
from migrate.plan.jobs import Job
from migrate.plan.notes import Fell, Hear, Key, Lost
from migrate.plan.units import Unit, Work

TRIES: Final = 3
_LOOKED_FOR: Final = 16
"""In so many folders of sources it is looked whether others see them."""


class Handed(NamedTuple):
    """What is done with units, for other processes."""

    setup: bytes
    """Of the setup and of what is `shared`; no two units need have it sent."""
    shared: Sequence[object]
    """What units have in common, each once: tables, and what is joined to rows."""


def handed(units: Sequence[Unit], setup: Work[Any], hear: Hear, files: Sequence[Path] = ()) -> Handed | None:
    """Return what is to be sent; None, which is told, where a mapping holds what belongs to this process.

    Whoever unpacks the setup says where the `files` lie that it opens.
    """
    jobs = [job for unit in units for job in unit.bundle.jobs]
    found = {id(one): one for job in jobs for one in (job.table, job.joined) if one is not None}
    shared = [*found.values()]
    try:
        return Handed(packed((setup, shared), files), shared)
    except Exception as error:  # noqa: BLE001 - whatever a mapping's objects raise
        why = f"planned by one process: the mapping cannot be handed to others, found {error!r}"
        hear(Record("note", why))
        return None


def read_by_all(jobs: Sequence[Job]) -> list[str]:
    """Return files that are to be read, one of each folder, some at the most: whoever sees none cannot read them."""
    sources = {one.parent: one for job in jobs if isinstance(one := job.source.path, Path)}
    return [str(one) for one in islice(sources.values(), _LOOKED_FOR)]


@dataclass
class Tries:
    """How many processes died of each unit: one that kills them is parted, and in the end set aside.

    The last try of a unit is made with nothing else at work, so that none is set aside for what others took of the
    memory, or for what befell several processes at once.
    """

    most: int
    """How many may die of a unit, one after another."""
    hear: Hear
    _died: Counter[Key] = field(default_factory=Counter)

    def is_last(self, unit: Unit) -> bool:
        """Return whether a unit that was lost before has one try left."""
        return 0 < self._died[unit.key] == self.most - 1

    def lose(self, unit: Unit, how: str) -> list[Unit]:
        """Return what is to be planned again of a unit whose process is gone; `how` is what it died of.

        That is the unit; after the last try its files one by one; nothing of a single file, which is set aside.
        """
        self.hear(Lost(unit.key))
        self._died[unit.key] += 1
        if self._died[unit.key] < self.most:
            return [unit]
        self._died[unit.key] = 0
        if len(unit.bundle.jobs) > 1:
            return unit.each()
        why = (
            f"{self.most} processes that planned it died, the last by {how}; look whether there is "
            "memory enough, or plan it with --executor inline"
        )
        self.hear(Fell(unit.key, unit.bundle.names[0], "worker_lost", why))
        return []
