"""A process that works at units for another one, which has begun it and which it does not outlive.

It is told what to do, and tells what comes of it, over one connection; it says nothing on stdout and stderr.
"""

import gc
import io
import os
import platform
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import Any, Final, Protocol

import polars as pl

from migrate import VERSION
from migrate.errors import MigrateError
from migrate.plan.handing import packed, unpacked
from migrate.plan.interrupted import Interrupted
from migrate.plan.notes import Note
from migrate.plan.units import Work

HELLO: Final = "hello"
READY: Final = "ready"
NOTE: Final = "note"
SAID: Final = "said"
DONE: Final = "done"
LEFT: Final = "left"
FAILED: Final = "failed"
"""What a worker says: who it is; that it knows its work; what is told on the way; what a mapping prints; a completion,
None where nothing is left of a unit; that it left a unit as it was asked to; an error."""
SETUP: Final = "setup"
UNIT: Final = "unit"
STOP: Final = "stop"
"""What a worker is told."""


def kind() -> tuple[str, str, str]:
    """Return what both processes must be alike in: our version, Python's and polars'."""
    return VERSION, platform.python_version(), pl.__version__


def unlike(found: tuple[str, str, str]) -> str:
    """Return in what a process of this kind differs from ours, in words; "" where it does not."""
    names = ("migrate", "Python", "polars")
    pairs = zip(names, found, kind(), strict=True)
    return ", ".join(f"{name} {its} where {ours} began" for name, its, ours in pairs if its != ours)


class _Told(io.TextIOBase):
    """What stands for stdout and stderr, of which only the first process has any."""

    def __init__(self, link: "Link") -> None:
        self._link = link

    def writable(self) -> bool:
        """Whether anything can be written: it can."""
        return True

    def write(self, text: str) -> int:
        """Have a text said."""
        self._link.send(SAID, text)
        return len(text)


class Link:
    """The connection; several threads may send."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = Lock()
        self.stopping = Event()
        self.on_stop: Callable[[], object] = lambda: None
        self.tasks = SimpleQueue[tuple[str, bytes]]()

    def send(self, what: str, value: object = None) -> None:
        """Send something; where nobody is there to take it, there is nothing more to do."""
        data = packed((what, value))
        try:
            with self._lock:
                self._connection.send_bytes(data)
        except OSError:
            os._exit(1)

    def note(self, note: Note) -> None:
        """Pass on what is told of a unit."""
        self.send(NOTE, note)

    def listen(self) -> None:
        """Take what is to be done, as long as there is a coordinator; the process ends with it, whatever it is at."""
        try:
            while True:
                what, data = unpacked(self._connection.recv_bytes())
                if what == STOP:
                    self.stopping.set()
                    self.on_stop()
                else:
                    self.stopping.clear()  # it was meant for what was told before
                    self.tasks.put((what, data))
        except (EOFError, OSError):
            os._exit(1)


def main(descriptor: int) -> None:
    """Do what is to be done with units as they come, over the connection with this number."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # what ends it is the connection
    link = Link(Connection(descriptor))
    sys.stdout = sys.stderr = _Told(link)
    Thread(target=link.listen, name="listen", daemon=True).start()
    link.send(HELLO, kind())
    try:
        while True:
            what, data = link.tasks.get()
            if what == SETUP:
                setup, shared = unpacked(data)
                link.on_stop = setup.on_stop
                gc.collect()
                gc.freeze()  # see `session.collect_rarely`
                link.send(READY)
            else:
                work(link, data, setup, shared)
    except Exception as error:  # noqa: BLE001 - the coordinator raises it
        link.send(FAILED, sendable(error))


class Speaks(Protocol):
    """Who hears what comes of a unit."""

    stopping: Event

    def send(self, what: str, value: object = None) -> None:
        """Say something, by its word."""

    def note(self, note: Note) -> None:
        """Pass on what is told of the unit."""


def work(link: Speaks, data: bytes, setup: Work[Any], shared: Sequence[object]) -> None:
    """Do what is to be done with one unit, and say what came of it."""
    try:
        link.send(DONE, setup.do(unpacked(data, shared), link.note, link.stopping))
    except Interrupted:
        link.send(LEFT)
    except BaseException as error:  # noqa: BLE001 - the coordinator raises it
        link.send(FAILED, sendable(error))


def sendable(error: BaseException) -> BaseException:
    """Return an error that can be handed on, a bug with where it arose."""
    if not isinstance(error, MigrateError):
        error.add_note("In a worker: " + "".join(traceback.format_exception(error)))
    try:
        unpacked(packed(error))
    except Exception:  # noqa: BLE001 - whatever an error holds
        return RuntimeError("".join(traceback.format_exception(error)))
    return error
