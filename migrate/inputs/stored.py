"""What bytes lie in: a file on disk, or an object in a storage; the one place that tells which a name stands for."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from migrate.errors import Unfit
from migrate.inputs.names import path_text
from migrate.stores.objects import Object
from migrate.stores.troubles import Trouble
from migrate.stores.urls import is_url

Stored = Path | Object
UNREADABLE: Final = (OSError, Trouble)
"""What is raised where what is stored cannot be read: of a disk, of a storage."""

_AHEAD: Final = 16
"""So many objects: each is a wait for an answer, and what is kept of them is little."""
_Item = TypeVar("_Item")


def stored(path: str) -> Stored:
    """Return what lies at a path, or at an address."""
    return Object(path) if is_url(path) else Path(path)


def stored_of(name: str) -> Stored:
    """Return the file or object, or the archive, of a source by its name."""
    return stored(path_text(name))


def located(folder: str, given: str) -> str:
    """Return the path that is meant in a folder; an address as it is."""
    return given if is_url(given) else str(Path(folder, given))


def is_there(one: Stored) -> bool:
    """Return whether it is there, and is no folder."""
    return one.exists() if isinstance(one, Object) else one.is_file()


def size_of(one: Stored) -> int:
    """Return how many bytes it has; raises one of `UNREADABLE`."""
    return one.entry.size if isinstance(one, Object) else one.stat().st_size


def stamp_of(one: Stored) -> str:
    """Return what stays the same while its bytes do; raises one of `UNREADABLE`."""
    return one.entry.stamp if isinstance(one, Object) else stamped(one.stat())


def stamp_now(name: str) -> str:
    """Return the stamp of a source's file by the source's name, nothing where it is gone."""
    try:
        return stamp_of(stored_of(name))
    except UNREADABLE:
        return ""


def stamped(status: os.stat_result) -> str:
    """Return the same of what `stat` says of a file."""
    return f"{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}:{status.st_ino}"


def identity_of(one: Stored) -> tuple[object, object]:
    """Return what is the same of one file under two names, as links have them; raises one of `UNREADABLE`."""
    if isinstance(one, Object):
        return "", one.url
    status = one.stat()
    return status.st_dev, status.st_ino


def unfit(name: str, error: OSError | Trouble) -> Unfit:
    """Return why the source of this name cannot be read any more, and what to do."""
    if isinstance(error, Trouble):
        return Unfit(name, error.reason, error.why)
    reason = "vanished" if isinstance(error, FileNotFoundError) else "unreadable"
    return Unfit(name, reason, f"cannot be read any more ({error.strerror}); put the file back or plan again")


def warmed(items: Iterable[_Item], lying: Callable[[_Item], Stored]) -> Iterator[_Item]:
    """Yield what is to be looked into, one after another; of objects the first bytes are read some way ahead."""
    coming: deque[_Item] = deque()
    for one in items:
        if isinstance(where := lying(one), Object):
            where.warm()
        coming.append(one)
        if len(coming) > _AHEAD:
            yield coming.popleft()
    yield from coming
