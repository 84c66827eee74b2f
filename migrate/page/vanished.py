"""Which event names came or went on the way: steady on one side of a silence that is far longer than usual."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, groupby
from typing import Final, NamedTuple

from migrate.page.times import Bins, median

_OURS: Final = {"$identify", "$set", "$groupidentify"}
"""What is told of people and groups: that there is nothing new of them is no loss."""
_LONG: Final = 14
"""Days with events of others, at the least, on which one that is gone is not there."""
_TIMES: Final = 10
"""So many times longer than it is silent as a rule."""
_STEADY: Final = 10
"""Days on which it was there, at the least."""
_STRAGGLING: Final = 0.01
"""Of what should have come so much may be left of one that is gone: an old app, a cache, a clock."""
_RESTING: Final = 0.1
"""Of a usual month so much is there in one of a season that is over."""
_BEFORE: Final = 3
"""Months that tell what was usual, just before."""


class Gone(NamedTuple):
    """A name that vanished: its last day but for stragglers, and how many these are."""

    last: str
    stragglers: int


@dataclass
class Seen:
    """The days of a span, and which names there were on each."""

    bins: Bins
    _places: dict[str, int] = field(default_factory=dict)
    """Of all days with events: a name is silent on days on which others are not."""
    _last: list[dict[str, str]] = field(default_factory=list)
    """The last day of each name in each bin."""
    _active: list[Counter[str]] = field(default_factory=list)
    """On how many days of each bin each name was there."""

    def __post_init__(self) -> None:
        self._last = [{} for _ in range(self.bins.count)]
        self._active = [Counter() for _ in range(self.bins.count)]

    def add(self, day: str, place: int, names: Collection[str]) -> None:
        """Add a day, which lies in the bin at this place; days come in order."""
        self._places[day] = len(self._places)
        self._last[place].update(dict.fromkeys(names, day))
        self._active[place].update(names)

    def gone(self, name: str, first: str, counts: Sequence[int]) -> Gone | None:
        """Return how a name vanished, given its first day and its events by bin; None where it did not."""
        if not self._is_steady(name):
            return None
        end = _end(counts)
        last, usual = self._last_day(name, end), self._usual(name, first, end)
        silent = len(self._places) - 1 - self._places[last]
        stragglers = sum(one[name] for one in self._active[end:])
        is_gone = silent >= max(_LONG, _TIMES * usual) and stragglers * _TIMES * usual <= silent
        return Gone(last, sum(counts[end:])) if is_gone and not _is_seasonal(counts, end) else None

    def has_come(self, name: str, first: str) -> bool:
        """Return whether a name was not there at first, given its first day, and steady since."""
        usual = self._usual(name, first, self.bins.count) if self._is_steady(name) else 0.0
        return bool(usual) and self._places.get(first, 0) >= max(_LONG, _TIMES * usual)

    def _is_steady(self, name: str) -> bool:
        return name not in _OURS and sum(one[name] for one in self._active) >= _STEADY

    def _last_day(self, name: str, end: int) -> str:
        """Return the last day of a name in the bins before a place."""
        return next(one[name] for one in reversed(self._last[:end]) if name in one)

    def _usual(self, name: str, first: str, end: int) -> float:
        """Return after how many days a name comes again as a rule, from its first day to its last before a place."""
        begins, ends = self._places.get(first, 0), self._places[self._last_day(name, end)]
        return (ends - begins + 1) / sum(one[name] for one in self._active[:end])


def _end(counts: Sequence[int]) -> int:
    """Return the place from which on there are stragglers alone: next to nothing beside what the bins before it had.

    These are those just before, so that what fades away, or was larger long ago, has none.
    """
    whole = len(counts)
    if counts[-1] > _STRAGGLING * whole * max(counts):
        return whole
    left = [*accumulate(reversed(counts))][::-1]
    few = (_STRAGGLING * (whole - place) * _usual(counts, place) for place in range(1, whole))
    return next((place for place, most in enumerate(few, 1) if left[place] <= most), whole)


def _usual(counts: Sequence[int], place: int) -> float:
    """Return how many events are usual in the bins before a place."""
    return median(counts[max(0, place - _BEFORE) : place])


def _is_seasonal(counts: Sequence[int], end: int) -> bool:
    """Return whether a name was silent on its way for as many bins as from `end` on: it may come again."""
    few = _RESTING * _usual(counts, end)
    runs = [len([*some]) if not is_there else 0 for is_there, some in groupby(counts, lambda n: n > few)]
    return len(runs) > 1 and counts[-1] <= few and max(runs[1:-1], default=0) >= runs[-1]
