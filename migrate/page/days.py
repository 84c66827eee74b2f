"""Events by day, from the source to PostHog: what there is of each, which days are missing, which differ."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import groupby, pairwise
from math import inf, log
from typing import Final, NamedTuple, Self

from migrate.page.times import Bins, days, median
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.looks import Look
from migrate.workdir.verified import Verified

_FAR: Final = 60
"""Days without events, beyond which what is on the other side may be stray."""
_FEW: Final = 0.001
"""Share of all events that stray ones are at the most."""
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
_ROWS: Final = 20
"""Fewer rows of a day do not say much."""
_SETTLED: Final = "SELECT day, sum(accepted), sum(duplicate), sum(parked), min(done) FROM rounds GROUP BY day"
_UNSENT: Final = "SELECT DISTINCT day FROM parts WHERE round IS NULL"


class Day(NamedTuple):
    """What there is of a UTC day; None is not known."""

    source: int | None = None
    """Rows of the source whose own time lies on it."""
    planned: int = 0
    accepted: int = 0
    duplicate: int = 0
    parked: int = 0
    there: int | None = None
    """Events that PostHog has, as it was asked last."""
    is_settled: bool = False
    """Whether all that is planned for it was sent."""


class Differing(NamedTuple):
    """A day of which numbers differ that should not."""

    day: str
    why: str


@dataclass(frozen=True)
class Days:
    """All days of a workdir of which anything is known, in order."""

    all: Mapping[str, Day] = field(default_factory=dict)
    first: str = ""
    """Of the span in which the events lie, but for a few strays."""
    last: str = ""
    holes: Sequence[str] = ()
    """Days without events where there should be some."""
    strays: Sequence[str] = ()
    """Days far from all others, with hardly any event."""
    are_of_work: bool = False
    """Whether there is hardly anything on weekends, so that there will be holidays, too."""
    differing: Sequence[Differing] = ()
    knows_source: bool = False
    knows_there: bool = False

    @property
    def bins(self) -> Bins:
        """The months of the span."""
        return Bins.of(self.first, self.last) if self.first else Bins()

    @property
    def planned(self) -> dict[str, int]:
        """Planned events of each day that has some."""
        return {day: one.planned for day, one in self.all.items() if one.planned}

    def runs(self) -> list[tuple[str, str]]:
        """Return the holes, those side by side as one: the first day and the last."""
        return runs(self.holes)


def gather(checkpoint: Checkpoint, look: Look | None, verified: Verified | None) -> Days:
    """Return the days of a workdir."""
    planned = checkpoint.by_day()
    rows: Mapping[str, int] = look.rows if look else {}
    there = verified.there if verified else {}
    settled = {day: rest for day, *rest in checkpoint.query(_SETTLED)}
    parked = dict(checkpoint.query("SELECT day, count(*) FROM parked GROUP BY day"))
    unsent = {day for (day,) in checkpoint.query(_UNSENT)}
    found: dict[str, Day] = {}
    for day in sorted({*planned, *rows, *settled, *there}):
        accepted, duplicate, ever, done = settled.get(day, (0, 0, 0, 0))
        still = parked.get(day, 0)
        found[day] = Day(
            source=rows.get(day, 0) if look else None,
            planned=planned.get(day, 0),
            accepted=max(0, accepted + ever - still),
            duplicate=duplicate,
            parked=still,
            there=there.get(day),
            is_settled=bool(done) and day not in unsent,
        )
    counts = {day: count for day, count in planned.items() if count}
    bulk, strays = _apart(counts)
    return Days(
        all=found,
        first=bulk[0] if bulk else "",
        last=bulk[-1] if bulk else "",
        holes=list(holes({day: counts[day] for day in bulk})),
        strays=strays,
        are_of_work=are_of_work({day: counts[day] for day in bulk}),
        differing=list(_differing(found, look.left_out if look else {})),
        knows_source=look is not None,
        knows_there=bool(there),
    )


def _apart(counts: Mapping[str, int]) -> tuple[list[str], list[str]]:
    """Return the days with events, in order: those of the span, and those that are far from it and have hardly any."""
    stretches: list[list[str]] = []
    for day in counts:
        is_near = stretches and _between(stretches[-1][-1], day) <= _FAR
        stretches[-1].append(day) if is_near else stretches.append([day])
    few = _FEW * sum(counts.values())
    are_many = [sum(counts[day] for day in days) > few for days in stretches]
    if not any(are_many):
        return list(counts), []
    first, last = are_many.index(True), len(are_many) - are_many[::-1].index(True)
    bulk = [day for days in stretches[first:last] for day in days]
    return bulk, [day for days in (*stretches[:first], *stretches[last:]) for day in days]


def holes(counts: Mapping[str, int]) -> Iterator[str]:
    """Yield the days without events that lie among others and should have some, told by the days around them.

    A Sunday is missing where the Sundays before and after it have events, so that a product nobody uses on weekends
    has no holes there. So is all of a gap that is too long to have come about by chance, as the days around it tell.
    What was as silent in other years is not missing, nor are the days around New Year of a product that is used at
    work. `counts` are in order.
    """
    found = [*counts]
    gaps = [(before, after) for before, after in pairwise(found) if _between(before, after) > 1]
    if not gaps:
        return
    usual = _Usual.of(counts)
    for gap in gaps:
        is_long = _between(*gap) > max(_LONG, usual.longest(gap, _CHANCE / len(gaps)))
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
        begins, length = date.fromisoformat(first).weekday(), _between(first, last) + 1
        for place in range(_WEEK):
            every[(begins + place) % _WEEK] = (length - place + _WEEK - 1) // _WEEK
        return cls(counts, first, last, filled, every, are_of_work(counts))

    def longest(self, gap: tuple[str, str], chance: float) -> float:
        """Return how long a gap may be that comes about by no less a chance, on whichever side more days are empty."""
        length = max(_LEAST, _AROUND * _between(*gap))
        most = 0.0
        for edge, way in zip(gap, (-1, 1), strict=True):
            known = min(length, 1 + _between(self.first, edge) if way < 0 else 1 + _between(edge, self.last))
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
            weeks = -(-abs(_between(edge, day)) // _WEEK)
            for more in range(_WEEKS):
                other = _moved(day, way * _WEEK * (weeks + more))
                if self.first <= other <= self.last:
                    yield self.counts.get(other, 0)


def runs(found: Sequence[str]) -> list[tuple[str, str]]:
    """Return days, in order, as the first and the last of those side by side."""
    numbered = [(date.fromisoformat(day).toordinal() - place, day) for place, day in enumerate(found)]
    together = [[day for _, day in days] for _, days in groupby(numbered, key=lambda one: one[0])]
    return [(days[0], days[-1]) for days in together]


def _differing(found: Mapping[str, Day], left_out: Mapping[str, int]) -> Iterator[Differing]:
    """Yield the days of which PostHog has more or less than it acknowledged, or of whose rows few became events.

    `left_out`: rows of the source of which no event is wanted.
    """
    rows = {day: (one.source or 0) - left_out.get(day, 0) for day, one in found.items()}
    usual = median(one.planned / rows[day] for day, one in found.items() if rows[day] > 0 and one.planned)
    for day, one in found.items():
        if one.there is not None and one.there != one.accepted:
            word = "fewer" if one.there < one.accepted else "more"
            yield Differing(day, f"PostHog has {abs(one.there - one.accepted):,} {word} than it acknowledged")
        elif one.is_settled and (lost := one.planned - one.accepted - one.duplicate - one.parked):
            yield Differing(day, f"{abs(lost):,} events are neither accepted, duplicate nor parked")
        elif rows[day] >= _ROWS and not one.planned:
            yield Differing(day, "rows of the source, and no event of them")
        elif rows[day] >= _ROWS and one.planned < usual * rows[day] / 2:
            yield Differing(day, "far fewer events for its rows than on other days")


def _moved(day: str, by: int) -> str:
    """Return the day so many days after another; nothing where the calendar ends."""
    try:
        return (date.fromisoformat(day) + timedelta(by)).isoformat()
    except OverflowError:
        return ""


def _between(before: str, after: str) -> int:
    """Return how many days one day is after another."""
    return (date.fromisoformat(after) - date.fromisoformat(before)).days
