"""Where what is fetched is kept: each file is there whole, or not at all."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

from migrate.errors import Refused, UsageError
from migrate.workdir.disk import sync

_LOCK: Final = ".fetch.lock"
_PART: Final = ".part"


class Shelf(Protocol):
    """A folder, or what stands in for one."""

    @property
    def shown(self) -> str:
        """What it is called, as `run` reads it."""
        ...

    def names(self) -> set[str]:
        """Return the names of the files that are there."""
        ...

    def read(self, name: str) -> bytes | None:
        """Return what a file holds; None where it is not there."""
        ...

    def aside(self, name: str) -> Path:
        """Return where on this machine a file is written that is not whole yet."""
        ...

    def keep(self, path: Path, name: str) -> None:
        """Have a whole file appear under its name, durable, in place of one that is there; its path is free then."""
        ...


@contextmanager
def opened(target: str) -> Iterator[Shelf]:
    """Open where files are to be kept, a folder; raises UsageError where it is none, Refused where it is held."""
    path = Path(target)
    if path.exists() and not path.is_dir():
        raise UsageError(f"TARGET: a file, found '{target}'; name a folder, there or to be made")
    with Folder.opened(path) as folder:
        yield folder


def write(shelf: Shelf, name: str, data: bytes) -> None:
    """Keep a small file."""
    path = shelf.aside(name)
    path.write_bytes(data)
    shelf.keep(path, name)


class Folder:
    """A folder of this machine."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    @contextmanager
    def opened(cls, path: Path) -> Iterator["Folder"]:
        """Make the folder, and hold it for this process alone; what a killed one had begun to write goes.

        Raises Refused where another process fetches into it.
        """
        path.mkdir(parents=True, exist_ok=True)
        with (path / _LOCK).open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Refused(
                    f"{path}: another migrate process fetches into this folder; wait for it to end, or name another one"
                ) from None
            for part in path.glob(f".*{_PART}"):
                part.unlink()
            yield cls(path)

    @property
    def shown(self) -> str:
        """Its path."""
        return str(self._path)

    def names(self) -> set[str]:
        """Return what lies in it, not below it."""
        return {path.name for path in self._path.iterdir()}

    def read(self, name: str) -> bytes | None:
        """Return what a file holds."""
        try:
            return (self._path / name).read_bytes()
        except FileNotFoundError:
            return None

    def aside(self, name: str) -> Path:
        """Return a hidden name beside it, which `run` passes over."""
        return self._path / f".{name.lstrip('.')}{_PART}"

    def keep(self, path: Path, name: str) -> None:
        """Make its bytes durable, then its name."""
        sync(path)
        path.replace(self._path / name)
        sync(self._path)
