"""A workdir held for one process; what its disk can refuse, told with what to do."""

import errno
import fcntl
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final, NamedTuple

from migrate.errors import Refused, Stopped, UsageError

LOCK: Final = "lock"
MEND: Final = "move the workdir aside and plan again: what was sent already collapses with what is sent again"
"""What to do where a file of the workdir is damaged."""

_DISK: Final = frozenset(
    {
        *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES),
        *(errno.EPERM, errno.EIO, errno.ENOENT, errno.EMFILE),
        *(errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENOTEMPTY),
        *(errno.ENAMETOOLONG, errno.ELOOP, errno.ESTALE, errno.ENXIO),
    }
)
"""What a disk can answer that is no bug of ours."""
_WITHOUT_LOCKS: Final = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL}
"""What a file system answers that locks nothing."""
_RESERVE: Final = "reserve"
_RESERVED: Final = 64 << 10
"""Bytes; a few pages of the checkpoint and of its journal."""
_TRIES: Final = 5
_PAUSE: Final = 0.02
"""Seconds between two tries: who only asks for the `holder` has the lock for an instant."""


class Holder(NamedTuple):
    """A process that holds a workdir, and since when (ISO 8601, UTC); 0 and nothing where it has not said so."""

    pid: int = 0
    since: str = ""

    def __str__(self) -> str:
        return f"process {self.pid} since {self.since}" if self.pid else "another process"


@contextmanager
def hold(workdir: Path) -> Iterator[None]:
    """Hold a workdir for this process alone; a crash releases it. Raises Refused when another process has it."""
    with (workdir / LOCK).open("a+") as lock:
        if not _lock(lock, workdir):
            raise Refused(
                f"{workdir}: another migrate process is working in this workdir, found {_read(lock)}; "
                "wait for it to end, or use another --workdir"
            )
        lock.truncate(0)
        lock.write(f"{os.getpid()} {datetime.now(UTC).isoformat(timespec='seconds')}\n")
        lock.flush()
        yield


@contextmanager
def made(workdir: Path) -> Iterator[Callable[[], bool]]:
    """Hold a workdir, see `hold`, which is made where it is not there.

    What is yielded has one that was just made removed in the end, and returns whether it will be.
    """
    is_new, unwanted = not workdir.exists(), []
    workdir.mkdir(parents=True, exist_ok=True)

    def unmake() -> bool:
        if is_new:
            unwanted.append(workdir)
        return is_new

    with hold(workdir):
        try:
            yield unmake
        finally:
            for folder in unwanted:
                shutil.rmtree(folder, ignore_errors=True)


def holder(workdir: Path) -> Holder | None:
    """Return who holds a workdir now; None where nobody does, whatever a process that has ended left there."""
    try:
        with (workdir / LOCK).open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _read(lock)
    except OSError:
        return None
    return None


@contextmanager
def reserved(workdir: Path) -> Iterator[Callable[[], None]]:
    """Keep some room on the disk as long as the block lasts; what is yielded gives it back.

    Why work has stopped is to be noted also where the disk has no room for it any more.
    """
    path = workdir / _RESERVE

    def release() -> None:
        with suppress(OSError):
            path.unlink(missing_ok=True)

    try:
        path.write_bytes(bytes(_RESERVED))
    except OSError:  # it may be full already
        release()
    try:
        yield release
    finally:
        release()


def try_lock(lock: IO[str], where: Path) -> bool:
    """Lock a file for this process alone, and return whether no other has it.

    Raises UsageError where its file system locks nothing, as some that are reached over a network.
    """
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _WITHOUT_LOCKS:
            raise
        raise UsageError(
            f"{where}: files cannot be locked where it lies ({error.strerror}), and two commands at once would spoil "
            "it; name a folder on a disk of this machine"
        ) from None
    return True


def _lock(lock: IO[str], workdir: Path) -> bool:
    """Return the same, after a few tries."""
    for pause in [_PAUSE] * (_TRIES - 1) + [0.0]:
        if try_lock(lock, workdir):
            return True
        time.sleep(pause)
    return False


def _read(lock: IO[str]) -> Holder:
    """Return what the process that has locked a file says of itself there."""
    lock.seek(0)
    pid, _, since = lock.read(100).strip().partition(" ")
    return Holder(int(pid), since) if pid.isdigit() and since else Holder()


@contextmanager
def writable(workdir: Path) -> Iterator[None]:
    """Turn what a disk can refuse (space, permission, a folder that is gone) into Stopped, with what to do."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if not isinstance(error, sqlite3.OperationalError):
            raise Refused(f"{workdir}: a file of it is damaged, found '{error}'; {MEND}") from error
        raise unwritable(workdir, str(error)) from error
    except OSError as error:
        if error.errno not in _DISK:
            raise
        raise unwritable(error.filename or workdir, error.strerror or "") from error


def unwritable(where: Path | str, found: str) -> Stopped:
    """Return that a disk refuses, with what to do."""
    return Stopped(
        f"{where}: cannot be written or read, found '{found}'; see to space and permissions, then run the same command "
        "again to resume"
    )
