"""Stretches: days that are put together at a time, of spans that are parted together; and what room that needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import Final

from migrate.workdir import ordered, spans
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.spans import Noted

_BYTES: Final = 64 * 2**20
"""Payloads of a stretch, about: so much is done again after a kill, for each thread at it."""
_OVERLAP: Final = 16
"""A stretch has as many times the row group of each of its spans, of which one or two are of its neighbours, too."""


@dataclass
class _Day:
    spans: int = 0
    events: int = 0
    bytes: int = 0
    stored: float = 0
    let_go: int = 0


@dataclass(frozen=True)
class Stretch:
    """Neighbouring days, and what there is of them."""

    first: str
    last: str
    days: int
    events: int
    bytes: int
    """Of payloads."""
    stored: int
    """Bytes that spans take for it, as their files are; its day files take about as many."""
    let_go: int
    """Bytes of spans that end in it, and go as soon as it is done."""
    beside: int
    """Bytes of temporary files."""

    @property
    def span(self) -> tuple[int, int]:
        """When it begins and when it is over, in microseconds since 1970."""
        return ordered.micros(self.first), ordered.micros(self.last, 1)


def stretches(checkpoint: Checkpoint, group: Sequence[Noted]) -> list[Stretch]:
    """Return the stretches of what is left of spans that are parted together, in order: the same whenever it is asked.

    A span's days are read one span after another: all of them would be larger than the spans themselves.
    """
    inputs, days = {one.span.input for one in group}, dict[str, _Day]()
    for one in spans.noted(checkpoint):
        if one.span.input not in inputs:
            continue
        whole = sum(its.bytes for its in one.span.days.values()) or 1
        for name, its in one.span.days.items():
            day = days.setdefault(name, _Day())
            day.spans += 1
            day.events += its.events
            day.bytes += its.bytes
            day.stored += one.span.seal.size * its.bytes / whole
        days[max(one.span.days)].let_go += one.span.seal.size
    return _together(days, group[0].done)


def _together(days: dict[str, _Day], done: str) -> list[Stretch]:
    """Return the stretches of the days after those that are done.

    They are where they would be without that, so that they are the same after a kill; if an input is planned anew
    meanwhile they may be others, and the first one is a part of one.
    """
    names = sorted(days)
    at_once = max((day.spans for day in days.values()), default=0)
    most = max(_BYTES, _OVERLAP * ordered.GROUP_BYTES * at_once)
    ends = accumulate(days[name].bytes for name in names)
    place = {name: (end - 1) // most for name, end in zip(names, ends, strict=True)}
    found = []
    for _, some in groupby((name for name in names if name > done), key=place.__getitem__):
        its = [*some]
        stored = sum(days[name].stored for name in its)
        found.append(
            Stretch(
                first=its[0],
                last=its[-1],
                days=len(its),
                events=sum(days[name].events for name in its),
                bytes=sum(days[name].bytes for name in its),
                stored=int(stored),
                let_go=sum(days[name].let_go for name in its),
                beside=int(2 * stored) if at_once > ordered.MOST else 0,
            )
        )
    return found


def needs(stretches: Sequence[Stretch], workers: int) -> list[int]:
    """Return how many bytes more the disk takes at the most until all is done: before each stretch, and in the end.

    So many stretches are written at the same time; then what they were made of goes.
    """
    found = [0]
    for place in reversed(range(len(stretches))):
        one = stretches[place]
        at_once = sum(each.stored + each.beside for each in stretches[place : place + workers])
        found.append(max(at_once, one.stored - one.let_go + found[-1]))
    return found[::-1]
