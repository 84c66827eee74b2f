"""What comes of slices → what comes of their file, once all of them are there."""

import shutil
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain
from threading import Event
from typing import Generic, Protocol, TypeVar

from migrate.inputs.source import fingerprint_of_spans
from migrate.people.statefiles import put_together
from migrate.plan.executors import Executor, Inline
from migrate.plan.notes import Hear, Key, Lost
from migrate.plan.planned import Completion
from migrate.plan.units import Done, Slice, Unit, Work
from migrate.workdir.days import DayWriter
from migrate.workdir.looks import Look
from migrate.workdir.records import Input, Numbers


class Piece(Done, Protocol):
    """What comes of a unit that may be a slice."""

    @property
    def slice(self) -> Slice | None:
        """What it is of its file, where it is not all of it."""

    @property
    def seconds(self) -> float:
        """How long it took."""

    @property
    def is_damaged(self) -> bool:
        """Whether it could not be read to its end."""

    def discard(self) -> None:
        """Remove what is written aside, as far as it is there."""


P = TypeVar("P", bound=Piece)


@dataclass
class Slicewise(Generic[P]):
    """Holds what came of slices of files whose other slices are not done."""

    together: Callable[[list[P], float], P]
    """Puts together what came of all slices of a file, in their order; in so many seconds."""
    on_slice: Callable[[P], object] = lambda _: None
    """Told of each slice that is done."""
    _held: dict[int, dict[int, P]] = field(default_factory=dict)
    """Number of an input -> place of a slice -> what came of it."""
    _counts: dict[int, int] = field(default_factory=dict)
    """Number of an input -> how many slices it has, once that is known."""
    _begun: dict[int, float] = field(default_factory=dict)
    """Number of an input -> when it was begun."""
    _fallen: set[int] = field(default_factory=set)
    """Numbers of inputs that are set aside."""

    def work(
        self, units: Sequence[Unit], work: Work[P], executor: Executor, hear: Hear, stopping: Event
    ) -> Generator[P, None, None]:
        """Yield what comes of units, of a file when all of it is done, see `Executor.map`.

        A file that is `left`, as not all its slices count, is done whole in the end, by this process.
        """
        with closing(executor.map(units, work, hear, stopping)) as found:
            for made in found:
                if (whole := self.take(made)) is not None:
                    yield whole
        left = self.left()
        for piece in chain.from_iterable(left.values()):
            hear(Lost(piece))
        again = [unit for unit in units if unit.number in left]
        if again and not stopping.is_set():
            with closing(Inline().map(again, work, hear, stopping)) as found:
                yield from found

    def take(self, made: P) -> P | None:
        """Return what is done whole by now: what was given, or all slices of its file put together; else None.

        A slice that is damaged ends its file, as those behind it would not have been read: what came of them does not
        count, and the file is left to be done whole.
        """
        if made.slice is None:
            return made
        self.on_slice(made)
        number, place = made.number, made.slice.place
        held = self._held.setdefault(number, {})
        held[place] = made
        began = time.monotonic() - made.seconds
        self._begun[number] = min(began, self._begun.get(number, began))
        if made.slice.is_last:
            self._counts[number] = place + 1
        if number in self._fallen:
            self._drop(number)
        elif len(held) == self._counts.get(number):
            slices = [held[place] for place in sorted(held)]
            if not any(one.is_damaged for one in slices[:-1]):
                del self._held[number]
                return self.together(slices, time.monotonic() - self._begun.pop(number))
        return None

    def fall(self, unit: Key) -> None:
        """Let nothing count of a file of which one slice is not fit; called in any thread."""
        if isinstance(unit, tuple):
            self._fallen.add(unit[0])

    def left(self) -> dict[int, list[Key]]:
        """Drop what is held; return the numbers of files that are to be done whole, with the slices dropped."""
        left: dict[int, list[Key]] = {
            number: [(number, place) for place in held] for number, held in self._held.items()
        }
        for number in left:
            self._drop(number)
        return {number: slices for number, slices in left.items() if number not in self._fallen}

    def _drop(self, number: int) -> None:
        for made in self._held.pop(number, {}).values():
            made.discard()


def keys(made: Piece) -> list[Key]:
    """Return what the units were known by of which this came."""
    number = made.number
    return [number] if made.slice is None else [(number, place) for place in range(made.slice.place + 1)]


def planned(slices: list[Completion], seconds: float) -> Completion:
    """Return what slices of one file that are planned are together."""
    last = slices[-1]
    writer = DayWriter(last.writer.workdir, last.writer.input, depot=last.writer.depot)
    numbers, look = Numbers(), Look()
    for one in slices:
        writer.join(one.writer)
        numbers.go_on(one.numbers)
        look.add(one.look)
    rejects = writer.aside.with_suffix(".rejects")
    with rejects.open("wb") as lines:
        for one in slices:
            with one.rejects.open("rb") as some:
                shutil.copyfileobj(some, lines)
            one.rejects.unlink()
    states = [one.states for one in slices if one.states is not None]
    together = put_together(states, writer.aside.with_suffix(".states")) if states else None
    ends = last.slice, slices[0].examined
    return Completion(_inputs(slices), writer, together, rejects, numbers, look, seconds, *ends)


def _inputs(slices: list[Completion]) -> list[Input]:
    """Return what is to be noted of a file: with what the last slice tells of it, or what all read of an object."""
    inputs = slices[-1].inputs
    if not (spans := [one.source for one in slices if one.source is not None]):
        return inputs
    size, digest = fingerprint_of_spans(spans)
    return [one._replace(size=size, digest=digest) for one in inputs]
