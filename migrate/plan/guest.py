"""What plans units in a process that is another's, such as a worker of Dask: it comes when it is called, and goes.

A process may have guests of several commands, each under a token. Its functions are called from elsewhere, some while
units are being planned in other threads; what they return is small. A guest whom nobody asks any more leaves its work.
"""

import os
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from threading import Event, Lock, Thread
from typing import Any, Final

from migrate import VERSION, throwaway
from migrate.plan import worker
from migrate.plan.handing import packed, unpacked
from migrate.plan.interrupted import Interrupted
from migrate.plan.notes import Note
from migrate.plan.units import Work

SILENCE: Final = 60.0
"""Seconds after which a guest whom nobody asks leaves its work: whoever called it is gone."""
_TICK: Final = 1.0
"""Seconds between two looks at the clock."""

Ended = tuple[list[Note], str, Any]
"""Notes that were not taken before, then what came of a unit, as `worker` says it."""


@dataclass
class _Trying:
    """One try of a unit, and what it has to say."""

    stopping: Event
    _notes: list[Note] = field(default_factory=list)
    _ended: tuple[str, Any] = (worker.LEFT, None)
    _lock: Lock = field(default_factory=Lock)

    def send(self, what: str, value: object = None) -> None:
        """Keep what came of the unit."""
        self._ended = what, value

    def note(self, note: Note) -> None:
        """Keep what is told of the unit."""
        with self._lock:
            self._notes.append(note)

    def take(self) -> list[Note]:
        """Return the notes that were not taken yet."""
        with self._lock:
            notes, self._notes = self._notes, []
        return notes

    def ended(self) -> Ended:
        """Return the last notes, and what came of it."""
        return self.take(), *self._ended


@dataclass
class _Guest:
    """What one command plans with, and what it has under way in this process."""

    data: bytes
    token: str = ""
    away: bytes = b""
    """How it works where the workdir is not seen, see `travel.Away`; nothing where it is."""
    stopping: Event = field(default_factory=Event)
    has_left: Event = field(default_factory=Event)
    trying: list[_Trying] = field(default_factory=list)
    asked: float = field(default_factory=time.monotonic)
    """When it was last asked."""
    _lock: Lock = field(default_factory=Lock)
    _setup: tuple[Work[Any], Sequence[object]] | None = None
    _room: ExitStack = field(default_factory=ExitStack)
    """The folder that it works in, where it has one of its own."""

    def setup(self) -> tuple[Work[Any], Sequence[object]]:
        """Return what units are planned with, and what they have in common; unpacked once.

        Raises Interrupted where it is asked to stop before all is there.
        """
        with self._lock:
            if self._setup is None and self.away:
                if self.stopping.is_set():
                    raise Interrupted
                folder = self._room.enter_context(throwaway.shared(throwaway.GUEST, self.token))
                self._setup = unpacked(self.away).arrive(self.data, folder, self.stopping)
            self._setup = self._setup or unpacked(self.data)
            return self._setup

    def tidy(self) -> None:
        """Give up the folder that it works in, where it has left, as soon as nothing is under way there."""
        if self.has_left.is_set() and not self.trying:
            with self._lock, self._room:
                self._setup = None

    def stop(self) -> None:
        """Have its units left, where there are any; nobody waits for a storage any more then, unless others may."""
        self.stopping.set()
        others = [one for one in list(_guests.values()) if one.trying and not one.stopping.is_set()]
        if self.trying and self._setup is not None and not others:
            self._setup[0].on_stop()

    def watch(self) -> None:
        """Stop when nobody has asked for long."""
        while not self.has_left.wait(_TICK):
            if time.monotonic() - self.asked > SILENCE:
                self.stop()
                self.has_left.set()
                self.tidy()


_guests: Final[dict[str, _Guest]] = {}
"""Those that are here, by their tokens."""


def greet(
    token: str, data: bytes, ours: tuple[str, str, str], paths: Sequence[str], away: bytes = b""
) -> tuple[tuple[str, str, str], list[str]]:
    """Have a guest come: with the setup that is `data`, called by a process of this kind, to whom these paths exist.

    `away` is how it works where it does not see the workdir.

    Return the kind of this process, and those of the paths that do not exist here; the guest stays only where the kinds
    are alike and all exist.
    """
    leave(token)
    found, unseen = worker.kind(), [path for path in paths if not os.path.exists(path)]  # noqa: PTH110 - text
    if found == ours and not unseen:
        _guests[token] = guest = _Guest(data, token, away)
        Thread(target=guest.watch, name="guest", daemon=True).start()
    return found, unseen


def ask(token: str) -> bytes | None:
    """Return the notes of all units by now; nothing where the guest has left its work, None where it is not here."""
    guest = _guests.get(token)
    if guest is None:
        return None
    if guest.has_left.is_set():
        return b""
    guest.asked = time.monotonic()
    return packed([note for one in list(guest.trying) for note in one.take()])


def plan(token: str, mark: str, data: bytes) -> bytes | None:
    """Work at a unit, and return how it `Ended`; None where the guest has left."""
    guest = _guests.get(token)
    if guest is None:
        return None
    trying = _Trying(guest.stopping)
    guest.trying.append(trying)
    try:
        _try(guest, trying, mark, data)
    finally:
        guest.trying.remove(trying)
        guest.tidy()
    return packed(trying.ended())


def _try(guest: _Guest, trying: _Trying, mark: str, data: bytes) -> None:
    """Work at a unit, and say what came of it."""
    try:
        setup, shared = guest.setup()
        if guest.stopping.is_set():
            return
        setup.on_begin()
    except Interrupted:
        return
    except BaseException as error:  # noqa: BLE001 - whoever has called raises it
        trying.send(worker.FAILED, worker.sendable(error))
        return
    worker.work(trying, data, replace(setup, mark=mark), shared)


def stop(token: str) -> None:
    """Have the guest's units left; what becomes of them is said as ever."""
    if (guest := _guests.get(token)) is not None:
        guest.stop()


def leave(token: str) -> None:
    """Have the guest gone: units that it is at are left, and nobody hears of them."""
    if (guest := _guests.pop(token, None)) is not None:
        with suppress(Exception):  # it is over, whatever a storage says
            guest.stop()
        guest.has_left.set()
        guest.tidy()


def unfit(address: str, answer: Any) -> str:  # noqa: ANN401 - what `greet` returns, or an exception
    """Return why nothing can be planned with a worker, "" if that is not so."""
    if isinstance(answer, Exception):
        return f"the worker {address} cannot plan, found {answer!r}; install migrate {VERSION} there, as it is here"
    found, unseen = answer
    if others := worker.unlike(found):
        return f"the worker {address} is of another version, found {others}; install there what is here"
    if unseen:
        return (
            f"the worker {address} does not see {unseen[0]}; the workdir and what is read must lie on a file system "
            "that all workers share, under the same path, or with --parts what is read alone"
        )
    return ""
