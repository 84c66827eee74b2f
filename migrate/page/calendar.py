"""Days → a calendar for each year, weeks side by side: a path for each level of events, one for holes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final, NamedTuple

from migrate.page.days import Days

LEVELS: Final = 5
_USUAL_MOST: Final = 0.95
"""So many days have no more events than what levels are shares of: a peak does not make all others pale."""
_TOPS: Final = (0.1, 0.35, 0.6, 0.85)
"""Of it so much is the most of each level but the last."""


class Year(NamedTuple):
    """A calendar; the unit is a cell, weeks go to the right, Monday is on top."""

    year: int
    events: int
    days: int
    levels: Sequence[tuple[int, str]]
    holes: str
    differing: str
    months: Sequence[tuple[int, str]]
    """In which column a month begins, and its name."""
    missing: int
    """Holes."""


@dataclass(frozen=True)
class Calendar:
    """The calendars of the years with events, but for days far from all others; between which counts the levels are."""

    years: Sequence[Year] = ()
    bounds: Sequence[tuple[int, int]] = ()
    left_out: int = 0
    """Years that are not drawn: those with fewest events."""


def calendar(days: Days, most: int = 12) -> Calendar:
    """Return the calendars of a workdir: of so many years at the most, those with most events."""
    planned = days.planned
    bounds = _bounds(planned.values())
    by_year: dict[int, list[str]] = {}
    strays = set(days.strays)
    for day in planned:
        if day not in strays:
            by_year.setdefault(int(day[:4]), []).append(day)
    for day in days.holes:
        by_year.setdefault(int(day[:4]), [])
    events = {year: sum(planned[day] for day in found) for year, found in by_year.items()}
    drawn = sorted(sorted(events, key=lambda year: (-events[year], year))[:most])
    differing = [one.day for one in days.differing]
    years = []
    for year in drawn:
        mine = by_year[year]
        missing = [day for day in days.holes if int(day[:4]) == year]
        cells: dict[int, list[str]] = {}
        for day in mine:
            cells.setdefault(_level(planned[day], bounds), []).append(day)
        years.append(
            Year(
                year,
                events[year],
                len(mine),
                [(level, path(found)) for level, found in sorted(cells.items())],
                path(missing),
                path(day for day in differing if int(day[:4]) == year),
                [(_week(date(year, month, 1)), f"{date(year, month, 1):%b}") for month in range(1, 13)],
                len(missing),
            )
        )
    return Calendar(years, bounds, len(by_year) - len(drawn))


def path(days: Iterable[str]) -> str:
    """Return the cells of days as a path: strokes without length, to which a stroke's ends give their shape."""
    dates = (date.fromisoformat(day) for day in days)
    return "".join(f"M{_week(day)} {day.weekday()}h0" for day in dates)


def _week(day: date) -> int:
    """Return in which column a day is."""
    return (day.timetuple().tm_yday + date(day.year, 1, 1).weekday() - 1) // 7


def _bounds(counts: Iterable[int]) -> list[tuple[int, int]]:
    """Return the least and the most events of each level: small days matter, too."""
    found = sorted(counts)
    if not found:
        return []
    usual = found[int(_USUAL_MOST * (len(found) - 1))]
    tops = [max(1, round(usual * share)) for share in _TOPS]
    edges = [0, *dict.fromkeys(tops), max(found[-1], tops[-1])]
    return [(low + 1, high) for low, high in pairwise(edges) if high > low]


def _level(count: int, bounds: Sequence[tuple[int, int]]) -> int:
    """Return the level of a count, from 1; few levels are the darkest ones."""
    place = next(place for place, (_, most) in enumerate(bounds) if count <= most)
    return LEVELS - len(bounds) + place + 1
