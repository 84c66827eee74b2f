"""Folders that go away when they are done with: at once, or where their process was killed, at the next start."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from errno import EPERM
from pathlib import Path
from stat import S_ISDIR
from typing import BinaryIO, Final

DRY_RUN: Final = "dry-run-"
PREVIEW: Final = "migrate-preview-"
SANDBOX: Final = "migrate-sandbox-"
TRIAL: Final = "migrate-trial-"
FETCH: Final = "migrate-fetch-"
GUEST: Final = "migrate-guest-"
STAGING: Final = "staging"
"""In a workdir: what is written of sources that are not planned whole."""
MERGE: Final = "merge-"
"""In a workdir: how folders are called into which a day's many files are merged."""
_KINDS: Final = (DRY_RUN, PREVIEW, SANDBOX, TRIAL, FETCH, GUEST)
MARK: Final = "throwaway"
"""The file that marks a folder as ours: locked while a process of it lives, and removed last."""
_OURS: Final = b"a folder of migrate's that is removed when its process has ended\n"


@contextmanager
def throwaway(kind: str, beside: Path | None = None) -> Iterator[Path]:
    """Make a folder in `beside`, or where temporary files are; it is removed when the block ends.

    Folders that killed processes left there are removed first: those with our mark, of this user, held by no process.
    """
    parent = Path(tempfile.gettempdir()) if beside is None else beside
    sweep(parent)
    folder = Path(tempfile.mkdtemp(prefix=kind, dir=parent))
    with (folder / MARK).open("xb") as mark:
        with suppress(OSError):  # where nothing can be locked, nothing is swept
            fcntl.flock(mark, fcntl.LOCK_EX)
        mark.write(_OURS)
        mark.flush()
        try:
            yield folder
        finally:
            _remove(folder)


@contextmanager
def shared(kind: str, name: str) -> Iterator[Path]:
    """Make a folder where temporary files are, which processes of one user share that know its name.

    Whoever comes first makes it; when the last of them is done with it, it is removed. Raises OSError where it is
    another user's, or cannot be locked.
    """
    parent = Path(tempfile.gettempdir())
    sweep(parent)
    folder = parent / f"{kind}{name}"
    mark = _joined(folder)
    try:
        yield folder
    finally:
        with mark, suppress(BlockingIOError):  # others are at it
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(folder)


def _joined(folder: Path) -> BinaryIO:
    """Make a shared folder, or find it; return its mark, locked as others lock it, too."""
    while True:
        with suppress(FileNotFoundError), ExitStack() as stack:  # it may just be going
            folder.mkdir(mode=0o700, exist_ok=True)
            status = folder.lstat()
            if not S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
                raise PermissionError(EPERM, "a folder of somebody else's", str(folder))
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            mark = stack.enter_context(os.fdopen(os.open(folder / MARK, flags, 0o600), "r+b"))
            fcntl.flock(mark, fcntl.LOCK_SH)
            if (folder / MARK).stat().st_ino == os.fstat(mark.fileno()).st_ino:
                mark.write(_OURS)
                mark.flush()
                stack.pop_all()
                return mark


def tidy(workdir: Path) -> None:
    """Remove what was written aside in a workdir, which this process holds."""
    for folder in [workdir / STAGING, *workdir.glob(f"{MERGE}*")]:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(parent: Path) -> None:
    """Remove what killed processes left in a folder."""
    for kind in _KINDS:
        for folder in parent.glob(f"{kind}*"):
            with suppress(OSError), _hold(folder):
                _remove(folder)


@contextmanager
def _hold(folder: Path) -> Iterator[BinaryIO]:
    """Hold a folder that is ours and that no process holds; raises OSError for any other."""
    status = folder.lstat()
    if not S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise NotADirectoryError(folder)
    with os.fdopen(os.open(folder / MARK, os.O_RDWR | os.O_NOFOLLOW), "rb") as mark:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if mark.read(len(_OURS) + 1) != _OURS:
            raise FileNotFoundError(folder)
        yield mark


def _remove(folder: Path) -> None:
    """Remove a folder, its mark last: if a kill comes in between, the rest is found at the next start."""
    with suppress(OSError):
        for child in folder.iterdir():
            if child.name == MARK:
                continue
            if child.is_dir() and not child.is_symlink():
                shutil.rmtree(child, ignore_errors=True)
            else:
                child.unlink(missing_ok=True)
        (folder / MARK).unlink(missing_ok=True)
        folder.rmdir()
