"""A workdir held for one process; what its disk can refuse, told with what to do."""

import errno
import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from migrate.errors import Refused, Stopped

LOCK: Final = "lock"
MEND: Final = "move the workdir aside and plan again: what was sent already collapses with what is sent again"
"""What to do where a file of the workdir is damaged."""

_DISK: Final = frozenset(
    {
        *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES),
        *(errno.EPERM, errno.EIO, errno.ENOENT, errno.EMFILE),
        *(errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENOTEMPTY),
    }
)
"""What a disk can answer that is no bug of ours."""


@contextmanager
def hold(workdir: Path) -> Iterator[None]:
    """Hold a workdir for this process alone; a crash releases it. Raises Refused when another process has it."""
    with (workdir / LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(
                f"{workdir}: another migrate process is working in this workdir; "
                "wait for it to end, or use another --workdir"
            ) from None
        yield


@contextmanager
def writable(workdir: Path) -> Iterator[None]:
    """Turn what a disk can refuse (space, permission, a folder that is gone) into Stopped, with what to do."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if not isinstance(error, sqlite3.OperationalError):
            raise Refused(f"{workdir}: a file of it is damaged, found '{error}'; {MEND}") from error
        raise Stopped(
            f"{workdir}: cannot be written or read, found '{error}'; see to space and permissions, "
            "then run the same command again to resume"
        ) from error
    except OSError as error:
        if error.errno not in _DISK:
            raise
        raise Stopped(
            f"{error.filename or workdir}: cannot be written or read, found '{error.strerror}'; see to space and "
            "permissions, then run the same command again to resume"
        ) from error
