"""Completions of slices → the completion of their file, once all of them are there."""

import shutil
import time
from dataclasses import dataclass, field

from migrate.people.statefiles import put_together
from migrate.plan.notes import Key
from migrate.plan.units import Completion
from migrate.workdir.days import DayWriter
from migrate.workdir.looks import Look
from migrate.workdir.records import Numbers


@dataclass
class Slicewise:
    """Holds what is planned of files whose slices are not all planned."""

    _held: dict[int, dict[int, Completion]] = field(default_factory=dict)
    """Number of an input -> place of a slice -> what was planned of it."""
    _counts: dict[int, int] = field(default_factory=dict)
    """Number of an input -> how many slices it has, once that is known."""
    _begun: dict[int, float] = field(default_factory=dict)
    """Number of an input -> when its planning began."""
    _fallen: set[int] = field(default_factory=set)
    """Numbers of inputs that are set aside."""

    def take(self, made: Completion) -> Completion | None:
        """Return what is planned whole by now: what was given, or all slices of its file put together; else None.

        A slice that is damaged ends its file, as those behind it would not have been read: what is planned of them does
        not count, and the file is left to be planned whole.
        """
        if made.slice is None:
            return made
        number, place = made.inputs[0].id, made.slice.place
        held = self._held.setdefault(number, {})
        held[place] = made
        began = time.monotonic() - made.seconds
        self._begun[number] = min(began, self._begun.get(number, began))
        if made.slice.pinned is not None:
            self._counts[number] = place + 1
        if number in self._fallen:
            self._drop(number)
        elif len(held) == self._counts.get(number):
            slices = [held[place] for place in sorted(held)]
            if not any(one.numbers.damaged for one in slices[:-1]):
                del self._held[number]
                return _whole(slices, time.monotonic() - self._begun.pop(number))
        return None

    def fall(self, unit: Key) -> None:
        """Let nothing count of a file of which one slice cannot be planned; called in any thread."""
        if isinstance(unit, tuple):
            self._fallen.add(unit[0])

    def left(self) -> dict[int, list[Key]]:
        """Drop what is held; return the numbers of files that are to be planned whole, with the slices dropped."""
        left: dict[int, list[Key]] = {
            number: [(number, place) for place in held] for number, held in self._held.items()
        }
        for number in left:
            self._drop(number)
        return {number: slices for number, slices in left.items() if number not in self._fallen}

    def _drop(self, number: int) -> None:
        for made in self._held.pop(number, {}).values():
            made.writer.discard()
            made.rejects.unlink()
            if made.states is not None:
                made.states.unlink()


def keys(made: Completion) -> list[Key]:
    """Return what the units of a completion were known by."""
    number = made.inputs[0].id
    return [number] if made.slice is None else [(number, place) for place in range(made.slice.place + 1)]


def _whole(slices: list[Completion], seconds: float) -> Completion:
    """Return what slices of one file, in their order, are together."""
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
    return Completion(last.inputs, writer, together, rejects, numbers, look, seconds, last.slice)
