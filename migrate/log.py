"""What a command does, line by line: on stderr with --verbose, in a file with --log-file, as JSON with --log-json."""

import os
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import BinaryIO, Final

from migrate.errors import MigrateError, UsageError
from migrate.jsonlines import spoken
from migrate.logline import Record, as_json, as_text, begins_log, of_screen, single

_START: Final = 96
"""Bytes that hold a line's beginning."""
_METRICS: Final = b"# HELP migrate_"
"""How the metrics begin that `migrate.report.metrics` writes."""


@dataclass(frozen=True)
class Wanted:
    """Who wants to read a log, and how it is written."""

    file: Path | None = None
    verbose: bool = False
    quiet: bool = False
    """Whether stderr has errors and warnings only."""
    as_json: bool = False


class Log:
    """Takes records from any thread; where nobody wants them they go nowhere."""

    def __init__(
        self,
        wanted: Wanted = Wanted(),
        *,
        file: int | None = None,
        context: Mapping[str, object] | None = None,
    ) -> None:
        """`file`: the one that is wanted, open to append to; `context`: which command tells, as fields of JSON."""
        self._wanted = wanted
        self._file = file
        self._lock = RLock()  # a signal is told of in the thread that it interrupts
        self.context = dict(context or {})

    @property
    def is_wanted(self) -> bool:
        """Whether anybody reads what is told."""
        return self._wanted.verbose or self._file is not None

    def tell(self, record: Record) -> None:
        """Tell what is done: on stderr, in the file, or both, as was asked for."""
        if self._wanted.verbose:
            if (stderr := spoken()) is not None:
                stderr.tell(record)
            else:
                with self._lock:
                    sys.stderr.write(f"{single(record.text)}\n")
        self._keep(record)

    def keep(self, record: Record) -> None:
        """Tell what the screen says otherwise: in the file, or on stderr where that is the log."""
        if (stderr := spoken()) is not None and not self._wanted.quiet:
            stderr.tell(record)
        self._keep(record)

    def end(self, text: str, fields: Mapping[str, object]) -> None:
        """Tell how it ended; on stderr, where that is the log, after the error, which is still to be said there."""
        record = Record("ended", f"ended: {text}", fields)
        if (stderr := spoken()) is not None and not self._wanted.quiet:
            stderr.tell_last(record)
        self._keep(record)

    def said(self, text: str) -> None:
        """Tell the file alone: what stands on stderr anyway."""
        self._keep(of_screen(text))

    def _keep(self, record: Record) -> None:
        if self._file is None:
            return
        line = as_json(record, self.context).encode() if self._wanted.as_json else as_text(record)
        with self._lock:
            try:
                os.write(self._file, line)
            except OSError as error:
                self._file = None  # the work is worth more than its log
                sys.stderr.write(f"warning: --log-file: cannot be written any more, {error.strerror}\n")


@contextmanager
def opened(wanted: Wanted, begun: Record, context: Mapping[str, object] | None = None) -> Iterator[Log]:
    """Open a log for one command; how it ends is its last line. Raises UsageError where it cannot be written."""
    file = None if wanted.file is None else _open(wanted.file)
    log = Log(wanted, file=file, context=context)
    log.keep(begun)
    try:
        yield log
    except MigrateError as error:
        log.said(f"error: {error}")
        log.end(f"exit code {error.exit_code}", {"exit_code": error.exit_code})
        raise
    except SystemExit as leave:
        log.keep(Record("ended", f"ended: exit code {leave.code}", {"exit_code": leave.code}))
        raise
    except BaseException as error:
        log.end(type(error).__name__, {"exception": type(error).__name__})
        raise
    finally:
        if file is not None:
            os.close(file)


def own_kind(path: Path) -> str:
    """Return what a file of ours is that lies among others, `log` or `metrics`, told by its first line; "" is none."""
    try:
        with path.open("rb") as file:
            return kind_of(file)
    except OSError:
        return ""


def kind_of(file: BinaryIO) -> str:
    """Return the same of what is open."""
    start = file.read(_START)
    if begins_log(start):
        return "log"
    return "metrics" if start.startswith(_METRICS) else ""


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
        if status.st_size and own_kind(path) != "log":
            os.close(file)
            raise UsageError(
                f"--log-file: {path} is there and is no log of migrate's; name another, it would be written into"
            )
        with suppress(PermissionError):  # another's file, who lets us write into it
            os.fchmod(file, 0o600)
    return file
