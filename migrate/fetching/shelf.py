"""Where what is fetched is kept: each file is there whole, or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from migrate.errors import Refused, Stopped, UsageError
from migrate.screen import shown
from migrate.stores.buckets import Bucket, bucket_of
from migrate.stores.oddkeys import is_odd
from migrate.stores.troubles import Trouble
from migrate.stores.urls import Url, entrusted, is_url, parsed
from migrate.stores.writing import put
from migrate.throwaway import FETCH, throwaway
from migrate.workdir.disk import sync
from migrate.workdir.hold import try_lock

_LOCK: Final = ".fetch.lock"
_PART: Final = ".part"
_PIECE: Final = 1 << 20


class Shelf(Protocol):
    """A folder, or what stands in for one."""

    @property
    def shown(self) -> str:
        """What it is called, as `run` reads it."""
        ...

    def names(self) -> set[str]:
        """Return the names of the files that are there, and not empty: nothing that was fetched is."""
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
    """Open where files are to be kept: a folder, or a bucket and the beginning of the keys in it.

    Raises UsageError where it is neither, Refused where another process holds it.
    """
    path = Path(target)
    if is_url(target):
        url = parsed(entrusted(target))
        if url.is_web:
            raise UsageError(
                f"TARGET: a web server takes no files, found '{url}'; name a folder, or s3://bucket/key/, gs:// or az://"
            )
        key = url.key if not url.key or url.key.endswith("/") else f"{url.key}/"
        if is_odd(f"{key}name"):
            raise UsageError(
                "TARGET: an address with an empty part, '.', '..' or a control character in it, found "
                f"'{shown(target)}'; name another one"
            )
        with throwaway(FETCH) as beside:
            yield Objects(url._replace(key=key), beside)
        return
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
            if not try_lock(lock, path):
                raise Refused(
                    f"{path}: another migrate process fetches into this folder; wait for it to end, or name another one"
                )
            for part in path.glob(f".*{_PART}"):
                part.unlink()
            yield cls(path)

    @property
    def shown(self) -> str:
        """Its path."""
        return str(self._path)

    def names(self) -> set[str]:
        """Return what lies in it, not below it."""
        return {path.name for path in self._path.iterdir() if path.is_file() and path.stat().st_size}

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


class Objects:
    """Objects of a bucket whose keys begin alike; what is not whole lies in a folder of this machine until it is.

    Nothing holds a bucket for one process: of two that fetch into it each file is whole all the same.
    """

    def __init__(self, url: Url, beside: Path) -> None:
        self._url = url
        self._beside = beside

    @property
    def shown(self) -> str:
        """Its address."""
        return str(self._url)

    def names(self) -> set[str]:
        """Return what lies right below the address."""
        with self._answering():
            found = [
                key.removeprefix(self._url.key)
                for key, one in self._bucket.entries(self._url.key)
                if one.size
            ]
        return {name for name in found if name and "/" not in name}

    def read(self, name: str) -> bytes | None:
        """Return what an object holds."""
        try:
            with self._answering():
                key = f"{self._url.key}{name}"
                entry = self._bucket.entry(key)
                return bytes(self._bucket.read(key, entry, 0, entry.size))
        except _Gone:
            return None

    def aside(self, name: str) -> Path:
        """Return a name in the folder of this machine."""
        return self._beside / name

    def keep(self, path: Path, name: str) -> None:
        """Have it appear under its key, and remove it here."""
        with self._answering(), path.open("rb") as file:
            put(self._url._replace(key=f"{self._url.key}{name}"), iter(partial(file.read, _PIECE), b""))
        path.unlink()

    @property
    def _bucket(self) -> Bucket:
        return bucket_of(self._url.container)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Turn an answer that is none into Stopped."""
        try:
            yield
        except Trouble as error:
            if error.reason == "vanished":
                raise _Gone(f"{self._url}: {error.why}", "server") from None
            raise Stopped(f"{self._url}: {error.why}", "server") from None


class _Gone(Stopped):
    """An object, or its bucket, is not there."""
