"""What travels between the coordinator and a worker that does not see the workdir: through the storage of the parts.

Such a worker has a folder in its place. Files have the same names there, in the storage, and in the workdir.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from shutil import rmtree
from threading import Event
from typing import Any, Final, NamedTuple, TypeVar

from migrate.errors import Stopped
from migrate.plan.handing import unpacked
from migrate.plan.interrupted import Interrupted
from migrate.plan.notes import Hear
from migrate.plan.units import Done, Unit, Work
from migrate.throwaway import STAGING
from migrate.workdir.depot import Left
from migrate.workdir.far import FarDepot
from migrate.workdir.hold import try_lock
from migrate.workdir.seals import Kept, Seal

CARRIED: Final = 256 << 10
"""Bytes of a file up to which it goes with what is said of it, and is no object."""
_FETCHING: Final = "fetching"
"""The file that is locked by whoever fetches, for all processes of a machine."""
_TICK: Final = 0.2
"""Seconds after which whoever waits looks again."""

D = TypeVar("D", bound=Done)


class Sent(NamedTuple):
    """A file on its way: its name within a workdir, what it was when it left, and its bytes if they are carried."""

    name: str
    seal: Seal
    data: bytes | None = None


@dataclass(frozen=True)
class Parcel:
    """What came of a unit in a workdir that the coordinator does not see, and what was written aside of it there."""

    made: Done
    was: Path
    """That workdir."""
    files: Sequence[Sent]


@dataclass(kw_only=True)
class Sending(Work[Any]):
    """A work that is done in a folder in the workdir's place; what it writes aside is sent."""

    work: Work[Any]
    to: FarDepot
    carried: int

    def whole(self, unit: Unit, hear: Hear, stopping: Event) -> Parcel:
        """Return what comes of a unit, and leave nothing of it here."""
        try:
            made = replace(self.work, mark=self.mark).whole(unit, hear, stopping)
            return Parcel(made, self.workdir, self._sent(made.aside()))
        finally:
            rmtree(self.workdir / STAGING / self.mark, ignore_errors=True)

    def _sent(self, paths: Sequence[Path]) -> list[Sent]:
        """Send files: the small ones with the parcel, others as objects."""
        files = {path.relative_to(self.workdir).as_posix(): Kept.of(path) for path in paths}
        large = {name: one.path for name, one in files.items() if one.seal.size > self.carried}
        if large:
            self.to.keep(large)
        return [
            Sent(name, one.seal, None if name in large else one.path.read_bytes())
            for name, one in files.items()
        ]


@dataclass
class Away:
    """How a work is done by workers that do not see the workdir; it is handed to each."""

    depot: FarDepot
    folder: str
    """Of all that travels: its name within the workdir, which ends with a slash."""
    on_begin: Callable[[], object]
    """The work's, see `Work.on_begin`."""
    carried: int = CARRIED
    files: list[Sent] = field(default_factory=list)
    """The work's, in their order."""

    @classmethod
    def of(cls, work: Work[Any], token: str, carried: int) -> "Away | None":
        """Return it, with the work's files in the storage; None where all must see the workdir."""
        if not isinstance(work.depot, FarDepot):
            return None
        away = cls(work.depot, f"{STAGING}/{token}/", work.on_begin, carried)
        for path in work.files:
            one = Sent(f"{away.folder}{path.name}", Seal.of(path))
            work.depot.lend({one.name: path})
            away.files.append(one)
        return away

    def received(
        self, parcel: Parcel | None, stopping: Event, meanwhile: Callable[[], object]
    ) -> Done | None:
        """Return what came of a unit, with its files in the workdir, and no object left of them.

        That is nothing where nothing came, or work is to stop before all is here; what is to be done `meanwhile` is
        called often. Raises Stopped where a file is not what it was, or the storage gives no answer.
        """
        if parcel is None:
            return None
        try:
            with ThreadPoolExecutor(1, "received") as beside:
                here = beside.submit(self._take, parcel.files)
                while not here.done():
                    wait([here], _TICK)
                    meanwhile()
            here.result()
        except KeyboardInterrupt:  # how a storage is left that gives no answer
            if not stopping.is_set():
                raise
            return None
        return parcel.made.moved(parcel.was, self.depot.workdir)

    def _take(self, files: Sequence[Sent]) -> None:
        """Have files in the workdir, and no object left of them."""
        objects = [one.name for one in files if one.data is None]
        self.depot.bring(objects)
        for one in files:
            path = self.depot.workdir / one.name
            if one.data is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(one.data)
            _check(self.depot, one)
        self.depot.drop(objects)

    def end(self, stopping: Event) -> None:
        """Leave nothing in the storage that has travelled, or was on its way; else whoever plans next does so."""
        for names in self.depot.listed(self.folder) if not stopping.is_set() else ():
            self.depot.drop(names)

    def arrive(self, data: bytes, folder: Path, stopping: Event) -> tuple[Work[Any], Sequence[object]]:
        """Return what is done by a worker in its folder, and what units have in common, as they were `handed`.

        Raises Interrupted where it is asked to stop before the work's files are there.
        """
        depot = FarDepot(folder, self.depot.url)
        self.on_begin()
        try:
            paths = self._brought(depot, stopping)
        except (Left, KeyboardInterrupt):
            if not stopping.is_set():
                raise
            raise Interrupted from None
        work, shared = unpacked(data, paths)
        here = replace(work, workdir=folder, depot=depot)
        calls = {"on_begin": work.on_begin, "on_stop": work.on_stop}
        return Sending(workdir=folder, work=here, to=depot, carried=self.carried, **calls), shared

    def _brought(self, depot: FarDepot, stopping: Event) -> list[Path]:
        """Return where the work's files are: the first process of a machine that needs them fetches them."""
        paths = [depot.workdir / Path(one.name).name for one in self.files]
        with (depot.workdir / _FETCHING).open("w") as lock:
            while not try_lock(lock, depot.workdir):
                if stopping.wait(_TICK):
                    raise Interrupted
            for one, path in zip(self.files, paths, strict=True):
                if not path.exists():
                    depot.bring([one.name], stopping.is_set)
                    _check(depot, one)
                    (depot.workdir / one.name).replace(path)
        return paths


def _check(depot: FarDepot, one: Sent) -> None:
    """Raise Stopped where a file that has travelled is not what it was."""
    path = depot.workdir / one.name
    if not Kept(path, one.seal).is_sound():
        found = "other bytes" if path.exists() else "no such object"
        raise Stopped(
            f"{depot.shown(one.name)}: harmed since it was written, found {found}; nothing of it is planned: run the "
            "same command again",
            "server",
        )
