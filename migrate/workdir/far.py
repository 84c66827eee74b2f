"""The files of a plan's parts as objects of a storage; the workdir has copies of those that are being read."""

import shutil
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

from migrate.errors import MigrateError, Stopped, UsageError
from migrate.screen import shown
from migrate.stores.objects import Object, below
from migrate.stores.oddkeys import is_odd
from migrate.stores.troubles import Trouble
from migrate.stores.urls import Url, is_url, named, parsed
from migrate.stores.writing import put, remove
from migrate.workdir.depot import DAYS, NOTHING, Depot, Left, Over, never
from migrate.workdir.room import free_bytes
from migrate.workdir.seals import Harmed, Kept

_AT_ONCE: Final = 4
"""Objects that are read, or written, at once."""
_RANGE: Final = 8 << 20
"""Bytes that are asked for at once."""
_PIECE: Final = 1 << 20
_NAMES: Final = 1_000
"""Objects that are removed, or looked up in the checkpoint, at once; S3 takes no more."""
_TICK: Final = 0.2
"""Seconds after which one who waits looks whether that is over."""
_WRITING: Final = "; to write there, s3:PutObject and s3:DeleteObject are needed, too, or what is like them"

_T = TypeVar("_T")


def address(text: str) -> str:
    """Return a folder in a storage by its name, without a slash at its end; raises UsageError where it is none."""
    if not is_url(text):
        raise UsageError(
            f"--parts: no address of a storage, found '{shown(text)}'; write it as s3://bucket/folder"
        )
    try:
        url = parsed(text)
    except UsageError as error:
        raise UsageError(f"--parts: {str(error).removeprefix('input ')}") from None
    if url.is_web:
        raise UsageError(
            f"--parts: a web server takes no files, found '{url}'; name s3://bucket/folder, gs:// or az://"
        )
    folder = named(text).rstrip("/")
    if "*" in folder or "{" in folder:
        raise UsageError(
            f"--parts: a pattern, found '{shown(folder)}'; name one folder in which all files of the plan may lie"
        )
    if is_odd(f"{parsed(f'{folder}/').key}name"):
        raise UsageError(
            "--parts: an address with an empty part, '.', '..' or a control character in it, found "
            f"'{shown(text)}'; name another one"
        )
    return folder


class FarDepot(Depot):
    """Files as objects, whose keys are `url` and their names within the workdir."""

    is_far = True

    def __init__(self, workdir: Path, url: str) -> None:
        """`url` ends with a slash; below it is nothing of anybody else."""
        super().__init__(workdir)
        self.url = url
        self._is_taken = self._is_left = False
        self._lock = threading.Lock()
        self._users: Counter[str] = Counter()
        """Name -> how many blocks have it near."""
        self._ahead: tuple[list[str], Future[None]] | None = None
        self._pool = ThreadPoolExecutor(_AT_ONCE, "parts")
        self._beside = ThreadPoolExecutor(1, "ahead")

    @classmethod
    def of(cls, workdir: Path, fact: Mapping[str, str]) -> "FarDepot":
        """Return that of a workdir, as its checkpoint has noted it: the `folder`, and the workdir's own `id` in it."""
        return cls(workdir, f"{fact['folder']}/{fact['id']}/")

    def __reduce__(self) -> tuple[object, ...]:
        """Hand on what writes there, to a process that plans."""
        return FarDepot, (self.workdir, self.url)

    def shown(self, name: str) -> str:
        """Return the address of an object."""
        return f"{self.url}{name}"

    @contextmanager
    def near(
        self, names: Iterable[str], ahead: Mapping[str, int] = NOTHING, is_over: Over = never
    ) -> Iterator[None]:
        """Have copies in the workdir as long as the block lasts; those of `ahead` are fetched beside it.

        They are not, where the disk has no room for twice as much. Only who holds the workdir has any copies. Raises
        Stopped where the storage gives no answer.
        """
        if not self._is_taken:
            yield
            return
        mine, before = [*dict.fromkeys(names)], self._ahead
        self._ahead = None
        self._use(mine)
        try:
            if before is not None:
                with suppress(MigrateError, OSError):  # what is wanted now is asked for again
                    _awaited([before[1]], is_over)
                self._release(before[0])
            self.bring(mine, is_over)
            free = free_bytes(self.workdir)
            if ahead and (free is None or free > 2 * sum(ahead.values())):
                self._use(ahead)
                self._ahead = [*ahead], self._beside.submit(self.bring, [*ahead], self._is_over)
            yield
        finally:
            self._release(mine)

    def keep(self, files: Mapping[str, Path]) -> None:
        """Write files as objects, and remove them here."""
        self.lend(files)
        for path in files.values():
            path.unlink()

    def lend(self, files: Mapping[str, Path]) -> None:
        """Write files as objects, and leave them here."""
        _awaited([self._pool.submit(self._put, name, path) for name, path in files.items()])

    def bring(self, names: Iterable[str], is_over: Over = never) -> None:
        """Have copies in the workdir of those that are not there; of what is gone there is none."""
        missing = [name for name in names if not (self.workdir / name).exists()]
        _awaited([self._pool.submit(self._fetch, name, is_over) for name in missing], is_over)

    def place(self, files: Mapping[str, Path]) -> None:
        """Do nothing: they were written under their names at once."""

    def remove(self, names: Sequence[str]) -> None:
        """Remove objects, and what there is of copies."""
        super().remove(names)
        self.drop(names)

    def drop(self, names: Iterable[str]) -> None:
        """Remove objects, and none of the copies."""
        with self._answering(_WRITING):
            for some in _by(_NAMES, names):
                remove(self._at, some)

    def listed(self, folder: str = "") -> Iterator[list[str]]:
        """Yield the names of all objects, or of those in a folder that ends with a slash, some at a time."""
        with self._answering():
            for some in _by(_NAMES, below(parsed(f"{self.url}{folder}"))):
                yield [one.url.removeprefix(self.url) for one in some]

    def check(self, files: Iterable[Kept], is_over: Over = never) -> None:
        """Raise Harmed where an object is not there, or of another size, Left as soon as it `is_over`."""
        _awaited([self._beside.submit(self._check, [*files], is_over)], is_over)

    def _check(self, files: Sequence[Kept], is_over: Over) -> None:
        left = {one.path.relative_to(self.workdir).as_posix(): one for one in files}
        with self._answering():
            for one in below(self._at) if left else ():
                if is_over():
                    return
                kept = left.pop(one.url.removeprefix(self.url), None)
                if kept is not None and one.entry.size != kept.seal.size:
                    why = f"found {one.entry.size:,} bytes where {kept.seal.size:,} were written"
                    raise Harmed(kept.path, why)
        for kept in left.values():
            raise Harmed(kept.path, "found no such object")

    def take(self) -> None:
        """Begin to have copies in the workdir, which this process holds; those of one that was killed go."""
        self._clear()
        self._is_taken = True

    def leave(self) -> None:
        """Have no copies there any more."""
        if self._is_taken:
            self._is_taken, self._is_left = False, True
            wait([] if self._ahead is None else [self._ahead[1]], 2 * _TICK)
            self._clear()

    def _clear(self) -> None:
        """Remove all copies. The folder stays: by it a plan is known that has lost its checkpoint."""
        (self.workdir / DAYS).mkdir(exist_ok=True)
        for folder in (self.workdir / DAYS).iterdir():
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def _at(self) -> Url:
        return parsed(self.url)

    def _is_over(self) -> bool:
        return self._is_left

    def _use(self, names: Iterable[str]) -> None:
        with self._lock:
            self._users.update([*names])

    def _release(self, names: Iterable[str]) -> None:
        """Remove the copies that nobody has near any more."""
        with self._lock:
            self._users.subtract(names)
            gone = [name for name in names if not self._users[name]]
            for name in gone:
                del self._users[name]
            super().remove(gone)

    def _fetch(self, name: str, is_over: Over) -> None:
        path = self.workdir / name
        beside = path.with_name(f"{path.name}.{threading.get_ident()}")
        try:
            with self._answering():
                ranges = Object(self.shown(name)).ranges(_RANGE)
                with self._lock:  # a folder that is empty may just be going
                    path.parent.mkdir(parents=True, exist_ok=True)
                    file = beside.open("wb")
                with file:
                    for data in ranges:
                        if is_over() or self._is_left:
                            return
                        file.write(data)
            beside.replace(path)
        except Gone:
            beside.unlink()

    def _put(self, name: str, path: Path) -> None:
        at = self._at
        with self._answering(_WRITING), path.open("rb") as file:
            put(at._replace(key=f"{at.key}{name}"), iter(partial(file.read, _PIECE), b""))

    @contextmanager
    def _answering(self, more: str = "") -> Iterator[None]:
        """Turn an answer that is none into Stopped."""
        try:
            yield
        except Trouble as error:
            kind = Gone if error.reason == "vanished" else Stopped
            raise kind(f"{self.url}: {error.why}{more}", "server") from None


class Gone(Stopped):
    """An object, or its bucket, is not there."""


def _by(most: int, found: Iterable[_T]) -> Iterator[list[_T]]:
    """Yield so many at a time."""
    rest = iter(found)
    while some := [*islice(rest, most)]:
        yield some


def _awaited(futures: Sequence[Future[None]], is_over: Over = never) -> None:
    """Wait for all of these; raise the first error, Left as soon as it `is_over`."""
    try:
        for one in futures:
            while not one.done():
                if is_over():
                    raise Left
                wait([one], _TICK)
            one.result()
    finally:
        for one in futures:
            one.cancel()
