"""Days without events that should have some, told by the days around them and by other years."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby, pairwise
from math import inf, log
from typing import Final, Self

from migrate.page.times import days, median

_MOST_DAYS: Final = 36_525
"""Days from the first to the last: of a longer time nobody knows, for its clocks are wrong."""
_WEEKS: Final = 4
"""So many of the same weekday on each side tell whether a day is missing."""
_BUSY: Final = 5
"""Events of a usual day, from which on one of those may be empty, too."""
_LONG: Final = 7
"""Days of a gap that may be a hole for its length alone,"""
_CHANCE: Final = 0.001
"""where it is less likely than that that any gap of the workdir is so long by chance."""
_RARE: Final = 0.1
"""Share of a weekday with events, below which it is no loss."""
_SELDOM: Final = 0.01
"""Share of it without events, beyond which a day of a few is no loss either."""
_STEADY: Final = 10
"""So often a weekday has to be there, before one of a few events is missed."""
_AROUND: Final = 4
"""So many times as long as a gap is looked at on each side of it,"""
_LEAST: Final = 28
"""so many days at the least,"""
_TELLS: Final = 14
"""and so many have to be there: of fewer nobody knows what is usual."""
_OF_WORK: Final = 0.1
"""Of their share of the events so much is on weekends, at the most, where a product is used at work."""
_HOLIDAYS: Final = ("12-22", "01-06")
"""Between these most of those rest, in many countries."""
_WEEK: Final = 7
_YEAR: Final = 52 * _WEEK
"""Days after which it is about the same time of the year, and the same weekday."""
_WEEKEND: Final = 5
_MOST: Final = 0.8
"""Share of days with events, from which on a working day without is missing in a span of few weeks."""


def holes(counts: Mapping[str, int]) -> Iterator[str]:
    """Yield the days without events that lie among others and should have some, told by the days around them.

    A Sunday is missing where the Sundays before and after it have events, so that a product nobody uses on weekends
    has no holes there. So is all of a gap that is too long to have come about by chance, as the days around it tell.
    What was as silent in other years is not missing, nor are the days around New Year of a product that is used at
    work. `counts` are in order.
    """
    found = [*counts]
    gaps = [(before, after) for before, after in pairwise(found) if between(before, after) > 1]
    if not gaps or between(found[0], found[-1]) > _MOST_DAYS:
        return
    usual = _Usual.of(counts)
    for gap in gaps:
        is_long = between(*gap) > max(_LONG, usual.longest(gap, _CHANCE / len(gaps)))
        for day in [*days(*gap)][1:-1]:
            if usual.is_missed(day, gap, is_long=is_long) and not usual.is_silent(day):
                yield day


def are_of_work(counts: Mapping[str, int]) -> bool:
    """Return whether there is hardly anything on weekends."""
    weekends = sum(count for day, count in counts.items() if date.fromisoformat(day).weekday() >= _WEEKEND)
    return weekends < _OF_WORK * sum(counts.values()) * (_WEEK - _WEEKEND) / _WEEK


@dataclass(frozen=True)
class _Usual:
    """What days are like as a rule."""

    counts: Mapping[str, int]
    first: str
    last: str
    filled: Sequence[int]
    """How many Mondays have events, Tuesdays, and so on."""
    all: Sequence[int]
    """How many there are."""
    is_of_work: bool

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> Self:
        """Return what the days of these counts are like."""
        first, last = next(iter(counts)), next(reversed([*counts]))
        filled, every = [0] * _WEEK, [0] * _WEEK
        for day in counts:
            filled[date.fromisoformat(day).weekday()] += 1
        begins, length = date.fromisoformat(first).weekday(), between(first, last) + 1
        for place in range(_WEEK):
            every[(begins + place) % _WEEK] = (length - place + _WEEK - 1) // _WEEK
        return cls(counts, first, last, filled, every, are_of_work(counts))

    def longest(self, gap: tuple[str, str], chance: float) -> float:
        """Return how long a gap may be that comes about by no less a chance, on whichever side more days are empty."""
        length = max(_LEAST, _AROUND * between(*gap))
        most = 0.0
        for edge, way in zip(gap, (-1, 1), strict=True):
            known = min(length, 1 + between(self.first, edge) if way < 0 else 1 + between(edge, self.last))
            if known < _TELLS:
                return inf
            there = sum(_moved(edge, way * place) in self.counts for place in range(known))
            most = max(most, log(chance) / log((known - there + 1) / (known + 2)))
        return most

    def is_silent(self, day: str) -> bool:
        """Return whether a day without events is one each year, or one of holidays."""
        if self.is_of_work and (day[5:] >= _HOLIDAYS[0] or day[5:] <= _HOLIDAYS[1]):
            return True
        years = range(int(self.first[:4]), int(self.last[:4]) + 1)
        same_date = [f"{year:04d}{day[4:]}" for year in years]
        same_weekday = [_moved(day, _YEAR * (year - int(day[:4]))) for year in years]
        return any(self._have_nothing(set(others) - {day}) for others in (same_date, same_weekday))

    def _have_nothing(self, days: AbstractSet[str]) -> bool:
        """Return whether there are such days in the span, and none of them has events."""
        found = [day for day in days if self.first <= day <= self.last and self._is_usual(day)]
        return bool(found) and not any(day in self.counts for day in found)

    def _is_usual(self, day: str) -> bool:
        """Return whether there is such a day, and a weekday on which there are events as a rule."""
        try:
            weekday = date.fromisoformat(day).weekday()
        except ValueError:  # the 29th of February
            return False
        return self.filled[weekday] > self.all[weekday] / 2

    def is_missed(self, day: str, gap: tuple[str, str], *, is_long: bool) -> bool:
        """Return whether a day in a gap should have events: told by the same weekdays on both sides of it."""
        weekday = date.fromisoformat(day).weekday()
        filled, every = self.filled[weekday], self.all[weekday]
        if is_long:
            return filled > _RARE * every
        near = [*self._near(day, gap)]
        if len(near) <= 1:
            return weekday < _WEEKEND and len(self.counts) > _MOST * sum(self.all)
        none = near.count(0)
        if none <= 1 and median(near) >= _BUSY:
            return True
        return not none and filled >= _STEADY and every - filled <= max(1, _SELDOM * every)

    def _near(self, day: str, gap: tuple[str, str]) -> Iterator[int]:
        """Yield the events of the next same weekdays before and after a gap."""
        for edge, way in zip(gap, (-1, 1), strict=True):
            weeks = -(-abs(between(edge, day)) // _WEEK)
            for more in range(_WEEKS):
                other = _moved(day, way * _WEEK * (weeks + more))
                if self.first <= other <= self.last:
                    yield self.counts.get(other, 0)


def runs(found: Sequence[str]) -> list[tuple[str, str]]:
    """Return days, in order, as the first and the last of those side by side."""
    numbered = [(date.fromisoformat(day).toordinal() - place, day) for place, day in enumerate(found)]
    together = [[day for _, day in days] for _, days in groupby(numbered, key=lambda one: one[0])]
    return [(days[0], days[-1]) for days in together]


def _moved(day: str, by: int) -> str:
    """Return the day so many days after another; nothing where the calendar ends."""
    try:
        return (date.fromisoformat(day) + timedelta(by)).isoformat()
    except OverflowError:
        return ""


def between(before: str, after: str) -> int:
    """Return how many days one day is after another."""
    return (date.fromisoformat(after) - date.fromisoformat(before)).days
