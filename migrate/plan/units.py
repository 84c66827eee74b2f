"""A unit of planning: files that are planned together, or a slice of one, written aside and told of by one record.

It may run in any thread or process, twice, or be lost on the way: nothing counts before its completion is committed.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import ClassVar, Generic, NamedTuple, Protocol, Self, TypeVar

from migrate.errors import Unfit
from migrate.inputs.source import Fingerprint
from migrate.plan.bundles import Bundle
from migrate.plan.interrupted import Interrupted
from migrate.plan.notes import Fell, Hear, Key, Lost
from migrate.plan.readable import settle
from migrate.readers.encodings import Unsettled
from migrate.workdir.depot import Depot
from migrate.workdir.records import Input


class Slice(NamedTuple):
    """Which one a unit is of the slices of a file; the span is its source's."""

    place: int
    """From 0 on."""
    size: int
    """How many bytes the file takes."""
    stamp: str
    """The file's before any of it was read."""
    is_last: bool = False
    pinned: Fingerprint | None = None
    """The file's, of the last slice alone, where it is asked for, and not of an object."""


@dataclass(frozen=True)
class Unit:
    """Files that are planned at once, whole or not at all, and how the checkpoint knows them."""

    bundle: Bundle
    known: Mapping[str, Input]
    slice: Slice | None = None

    @classmethod
    def of(cls, bundle: Bundle, known: Mapping[str, Input]) -> "Unit":
        """Return the unit of these files; `known` may hold others, too."""
        return cls(bundle, {name: known[name] for name in bundle.names})

    @property
    def number(self) -> int:
        """The number of its first input."""
        return self.known[self.bundle.names[0]].id

    @property
    def key(self) -> Key:
        """What tells it from other units."""
        return self.number if self.slice is None else (self.number, self.slice.place)

    @property
    def place(self) -> int | None:
        """Which slice of its file it is, None where it is no slice."""
        return None if self.slice is None else self.slice.place

    @property
    def size(self) -> int:
        """How many bytes its sources take."""
        return sum(job.source.size for job in self.bundle.jobs)

    def without(self, name: str) -> "Unit | None":
        """Return the unit of the others; None where there are none."""
        jobs = [job for job in self.bundle.jobs if job.source.name != name]
        return Unit.of(Bundle(jobs), self.known) if jobs else None

    def each(self) -> "list[Unit]":
        """Return a unit of each file."""
        return [Unit.of(Bundle([job]), self.known) for job in self.bundle.jobs]


class Done(Protocol):
    """What comes of a unit, until it is committed."""

    @property
    def number(self) -> int:
        """The number of the unit, or of what is left of it."""

    def aside(self) -> list[Path]:
        """Return the files that were written aside of it, but for those of events."""

    def moved(self, was: Path, workdir: Path) -> Self:
        """Return it where these files lie in another workdir, under the names that they had where it was made."""


D = TypeVar("D", bound=Done)


@dataclass(kw_only=True)
class Work(ABC, Generic[D]):
    """What is done with each of several units, and all it takes: it is handed to whoever does it, in any process."""

    pins: ClassVar[bool]
    """Whether the last slice of a file is to tell the fingerprint of it."""
    workdir: Path
    depot: Depot | None = None
    """Where files of the plan come to lie; None is the workdir."""
    files: Sequence[Path] = ()
    """What it opens beside, each by this very object: in its place another process may have another."""
    on_begin: Callable[[], object] = lambda: None
    """What is to be done before a unit in a process that is there for others, too: it undoes `on_stop`."""
    on_stop: Callable[[], object] = lambda: None
    """What is to be done beside where work is to stop: something may be waited for that does not come."""
    parallel: int = 1
    """How many chunks of a unit are worked at at once."""
    reads_ahead: bool = True
    """Whether the next chunk is read from a disk while one is in use: for nothing where all cores have units."""
    mark: str = ""
    """The folder for what is written aside in this try, where another one may be under way and heard of no more."""

    def do(self, unit: Unit, hear: Hear, stopping: Event) -> D | None:
        """Return what comes of a unit without the sources that are not fit; None where none is left.

        It may be done twice, and be lost. Raises Interrupted as soon as it is asked to stop.
        """
        left: Unit | None = unit
        while left is not None:
            try:
                return self.whole(left, hear, stopping)
            except Unfit as error:
                left = _without(left, error, hear)
            except Unsettled:
                hear(Lost(left.key))
                left = _settled(left, hear)
            except KeyboardInterrupt:  # how a storage is left that gives no answer, whatever is read of it
                if not stopping.is_set():
                    raise
                raise Interrupted from None
        return None

    @abstractmethod
    def whole(self, unit: Unit, hear: Hear, stopping: Event) -> D:
        """Return what comes of all sources of a unit. Raises Unfit for the first that is not fit, and Interrupted."""


def _without(unit: Unit, error: Unfit, hear: Hear) -> Unit | None:
    """Return the unit of the sources that are not unfit; None where none is left."""
    key = unit.key if unit.slice is not None else unit.known[error.name].id
    hear(Fell(key, error.name, error.reason, error.why))
    return unit.without(error.name)


def _settled(unit: Unit, hear: Hear) -> Unit | None:
    """Return the unit of the sources that can be read, each in the encoding that all of it shows; None of none.

    All are settled where one is odd: the others may be, and each would be found out by reading all before it again.
    """
    left: Unit | None = unit
    jobs = []
    for job in unit.bundle.jobs:
        try:
            jobs.append(settle(job) if job.header.is_unsettled else job)
        except Unfit as error:
            left = left and _without(left, error, hear)
    return left and replace(left, bundle=Bundle(jobs))
