"""What a command does, line by line: on stderr with --verbose, in a file with --log-file."""

import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import Final

from migrate.errors import MigrateError, UsageError
from migrate.screen import shown

_LINE: Final = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z migrate\[\d+\]: ")
"""How each line of a log begins; so a log is told from an export, and from any file that is to stay as it is."""
_START: Final = 64
"""Bytes that hold a line's beginning."""


class Log:
    """Takes lines from any thread; where nobody wants them they go nowhere."""

    def __init__(self, *, verbose: bool = False, file: int | None = None) -> None:
        self._verbose = verbose
        self._file = file
        self._lock = RLock()  # a signal is told of in the thread that it interrupts

    @property
    def is_wanted(self) -> bool:
        """Whether anybody reads what is told."""
        return self._verbose or self._file is not None

    def tell(self, text: str) -> None:
        """Tell what is done: on stderr, in the file, or both, as was asked for."""
        if self._verbose:
            with self._lock:
                sys.stderr.write(f"{_single(text)}\n")
        self.keep(text)

    def keep(self, text: str) -> None:
        """Tell the file alone: what stands on stderr anyway."""
        if self._file is None:
            return
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = f"{now} migrate[{os.getpid()}]: {_single(text)}\n".encode(errors="backslashreplace")
        with self._lock:
            try:
                os.write(self._file, line)
            except OSError as error:
                self._file = None  # the work is worth more than its log
                sys.stderr.write(f"warning: --log-file: cannot be written any more, {error.strerror}\n")


@contextmanager
def opened(path: Path | None, command: str, *, verbose: bool) -> Iterator[Log]:
    """Open a log for one command; how it ends is its last line. Raises UsageError where it cannot be written."""
    file = None if path is None else _open(path)
    log = Log(verbose=verbose, file=file)
    log.keep(f"begun: {command}")
    try:
        yield log
    except MigrateError as error:
        log.keep(f"error: {error}")
        log.keep(f"ended: exit code {error.exit_code}")
        raise
    except SystemExit as leave:
        log.keep(f"ended: exit code {leave.code}")
        raise
    except BaseException as error:
        log.keep(f"ended: {type(error).__name__}")
        raise
    finally:
        if file is not None:
            os.close(file)


def is_log(path: Path) -> bool:
    """Return whether a file is a log of ours, told by its first line."""
    try:
        with path.open("rb") as file:
            return _LINE.match(file.read(_START)) is not None
    except OSError:
        return False


def _open(path: Path) -> int:
    """Return the file to append to: the owner's only, and a new one, an empty one, a log, or no file but a device."""
    try:
        # A pipe that nobody reads is an error, and is not waited for.
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_NOCTTY, 0o600)
    except OSError as error:
        raise UsageError(
            f"--log-file: {path} cannot be written, {error.strerror}; name a file in a folder that is there"
        ) from None
    status = os.fstat(file)
    if stat.S_ISREG(status.st_mode):
        if status.st_size and not is_log(path):
            os.close(file)
            raise UsageError(
                f"--log-file: {path} is there and is no log of migrate's; name another, it would be written into"
            )
        with suppress(PermissionError):  # another's file, who lets us write into it
            os.fchmod(file, 0o600)
    return file


def _single(text: str) -> str:
    """Return a text as it may be shown, on one line."""
    return shown(text).replace("\n", "\\n").replace("\t", "\\t")
