"""Texts tried in a process of its own, begun anew where one takes too long, or too much memory: no harm to the server.

server ─ Apart ──── connection ──── bench ─ Trial
          └ watches its clock and its memory, and kills it with all that it has begun
"""

import os
import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final

from migrate.plan.begun import begun
from migrate.plan.handing import packed, unpacked
from migrate.plan.worker import STOP
from migrate.screen import shown
from migrate.serving import bench
from migrate.serving.bench import ASK, AT, DONE, MOOT, SETUP, Answer, Question, Rows, failed
from migrate.serving.memory import EVERY, held
from migrate.serving.trial import READING, ROWS, TEXT, Asked, Outcomes
from migrate.throwaway import sweep

if TYPE_CHECKING:
    import subprocess
    from multiprocessing.connection import Connection

_TICK: Final = 0.05
"""Seconds after which its clock, its memory, and whether its text is the newest, are looked at."""
_BEGINS: Final = ("", "")
"""What a process is at that has not heard yet what it is asked."""
_BEGUN: Final = 60.0
"""Seconds in which a process has begun."""
_STDERR: Final = 2
"""Where what it writes goes, such as what a mapping prints: to the server's terminal."""


@dataclass
class Limits:
    """How much a trial may take."""

    seconds: float = 10.0
    """For the text, and for what becomes of the first rows."""
    reading: float = 60.0
    """For the files to be found, and for each to be read as far as its first rows."""
    size: int = 1_000_000_000
    """Bytes of memory."""
    grace: float = 1.0
    """Seconds that one goes on that a newer text came after: it may be about to end, and keeps what it has read."""


class _Ended(Exception):  # noqa: N818 - the word says what happened
    """The process was ended, or has ended; with what is to be told of that.

    `may_be_old`: what was asked before may be why, so that the same is asked of a new one, if this one was none.
    """

    def __init__(self, answer: Answer, *, may_be_old: bool = False) -> None:
        self.answer, self.may_be_old = answer, may_be_old


@dataclass
class _Process:
    """A process, and whether anything was asked of it before."""

    process: "subprocess.Popen[bytes]"
    connection: "Connection"
    is_new: bool = True
    lock: Lock = field(default_factory=Lock)

    def tell(self, what: str, data: bytes) -> None:
        """Tell it something; that it is gone is heard when it is listened to."""
        with suppress(OSError):
            self.connection.send_bytes(packed((what, data)))

    def end(self) -> int:
        """End it and all that it has begun, remove what they wrote aside; return how it ended."""
        with self.lock:
            if self.process.returncode is None:
                with suppress(ProcessLookupError, PermissionError):  # there is none any more
                    os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
                sweep(Path(tempfile.gettempdir()))
            return self.process.returncode


@dataclass
class Apart:
    """The process of the moment, which may be asked one thing at a time, from any thread."""

    asked: Asked
    what: str = "spec"
    """What is tried, as messages call it."""
    mend: str = "make it shorter"
    """What is to be done where it takes too much."""
    limits: Limits = field(default_factory=Limits)
    saved: Outcomes | None = None
    """What became of rows under what is saved, for a process that is begun."""
    _process: _Process | None = field(default=None, init=False)
    _is_over: bool = field(default=False, init=False)
    _lock: Lock = field(default_factory=Lock, init=False)

    @property
    def is_new(self) -> bool:
        """Whether nothing was asked of the process of the moment, so that it has no rows."""
        return self._process is None or self._process.is_new

    def begin(self) -> _Process | None:
        """Begin a process, if there is none; None where all is over."""
        with self._lock:
            if self._process is None and not self._is_over:
                process = _Process(*begun(bench.__name__, _STDERR))
                process.tell(SETUP, packed((self.asked, self.saved)))
                self._process = process
            return self._process

    def answer(self, question: Question, is_moot: Callable[[], bool] = lambda: False) -> Answer:
        """Return the answer; where the process had to be ended, another one is begun, and what is said is why.

        Once `is_moot`, it is asked to stop, and soon ended. What was full, or gone, before it was asked this is not
        blamed on it: the same is asked of a new one; but for rows, which a new one does not have.
        """
        while (process := self.begin()) is not None:
            was_new, process.is_new = process.is_new, False
            try:
                return self._heard(process, question, is_moot)
            except _Ended as ended:
                self._replace(process)
                if was_new or not ended.may_be_old or isinstance(question, Rows):
                    return ended.answer
        return Answer(MOOT)

    def anew(self, question: Question, is_moot: Callable[[], bool] = lambda: False) -> Answer:
        """Return the answer of a new process, which takes the place of the one before if it answers well."""
        with self._lock:
            before, self._process = self._process, None
        answer = self.answer(question, is_moot)
        with self._lock:
            spare, keeps = (before, self._process) if answer.is_fine else (self._process, before)
            self._process = None if self._is_over else keeps
            gone = [one for one in ((spare, keeps) if self._is_over else (spare,)) if one is not None]
        for one in gone:
            one.end()
        return answer

    def end(self) -> None:
        """End it, whatever it does, and begin none any more."""
        with self._lock:
            self._is_over, process = True, self._process
        if process is not None:
            process.end()

    def _replace(self, process: _Process) -> None:
        """Have another process begun in the place of one that is gone."""
        with self._lock:
            if self._process is process:
                self._process = None
        self.begin()

    def _heard(self, process: _Process, question: Question, is_moot: Callable[[], bool]) -> Answer:
        """Return what it answers; raises _Ended where it does not, and is no more."""
        process.tell(ASK, packed(question))
        at, since, stopped, looked = _BEGINS, time.monotonic(), None, 0.0
        try:
            while True:
                if process.connection.poll(_TICK):
                    what, value = unpacked(process.connection.recv_bytes())
                    if what == DONE:
                        return value  # type: ignore[no-any-return]
                    if what == AT and value != at:
                        at, since = value, time.monotonic()
                now = time.monotonic()
                if stopped is None and at != _BEGINS and is_moot():
                    stopped = now
                    process.tell(STOP, b"")
                self._check_newest(stopped, now)
                self._check_time(at, now - since)
                if now - looked >= EVERY:
                    looked = now
                    self._check_memory(process)
        except (EOFError, OSError) as error:
            if self._is_over:
                raise _Ended(Answer(MOOT)) from error
            raise _Ended(failed(self._gone(process.end())), may_be_old=at == _BEGINS) from error
        except _Ended:
            process.end()
            raise

    def _check_newest(self, stopped: float | None, now: float) -> None:
        """Raise _Ended where it was asked to stop a while ago."""
        if stopped is not None and now - stopped > self.limits.grace:
            raise _Ended(Answer(MOOT))

    def _check_time(self, at: tuple[str, str], seconds: float) -> None:
        """Raise _Ended where what it is at takes too long."""
        (what, name), limits = at, self.limits
        if at == _BEGINS and seconds > _BEGUN:
            raise _Ended(
                failed(f"{self.what}: the process that tries it does not begin; load this page again")
            )
        if what == READING and seconds > limits.reading:
            where = shown(name) or "the files"
            said = f"{where}: not read within {limits.reading:g} s; see whether the disk, or the storage, answers"
            raise _Ended(failed(f"{said}, and load this page again"))
        if what in {TEXT, ROWS} and seconds > limits.seconds:
            said = f"{self.what}: takes longer than {limits.seconds:g} s {self._rows}, and was ended; {self.mend}"
            raise _Ended(failed(said))

    def _check_memory(self, process: _Process) -> None:
        """Raise _Ended where it takes too much of it."""
        if (size := held(process.process.pid)) > self.limits.size:
            said = f"takes more than {self.limits.size / 1e9:.1f} GB of memory {self._rows}, and was ended"
            found = f"found {size / 1e9:.1f} GB"
            raise _Ended(failed(f"{self.what}: {said}, {found}; {self.mend}"), may_be_old=True)

    @property
    def _rows(self) -> str:
        return f"on the first {self.asked.limit:,} rows"

    def _gone(self, code: int) -> str:
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return f"{self.what}: ended the process that tried it, with {how}; {self.mend}"
