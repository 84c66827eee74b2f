"""Counts as bars: of many days neighbours are put together, of many names the rest."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import pairwise
from typing import Final

from migrate.report.sections import BOLD, WARNING, Line

BAR: Final = "█"
_WIDTH: Final = 30
_MOST_DAYS: Final = 30
_MOST_NAMES: Final = 15
_NAME_LENGTH: Final = 60
_DAY, _MONTH, _YEAR = (len(form) for form in ("YYYY-MM-DD", "YYYY-MM", "YYYY"))


def by_day(counts: Mapping[str, int]) -> Iterator[Line]:
    """Yield events by day, month or year: the finest that still fits a screen; holes between them are said.

    Days are spelled YYYY-MM-DD, in order.
    """
    grouped = _grouped(counts)
    if not grouped:
        return
    names = list(grouped)
    title = {_DAY: "day", _MONTH: "month"}.get(len(names[0]), "year")
    holes = {after: _holes(before, after) for before, after in pairwise(names)}
    yield from _bars(f"events by {title}", grouped, holes)


def by_name(counts: Mapping[str, int]) -> Iterator[Line]:
    """Yield events by name: the largest counts, and the sum of the others."""
    yield from _bars("events by event", _largest(counts))


def _bars(title: str, counts: Mapping[str, int], holes: Mapping[str, str] | None = None) -> Iterator[Line]:
    if not counts:
        return
    width, most = max(map(len, counts)), max(counts.values())
    yield Line(title, BOLD)
    for name, count in counts.items():
        if hole := (holes or {}).get(name):
            yield Line(f"  … {hole}", WARNING)
        share = count / most
        yield Line(f"  {name:<{width}} {count:>12,} {bar(share)}", bar=share)


def bar(share: float, room: int = _WIDTH) -> str:
    """Return a bar, where there is room for so many letters of the longest."""
    return BAR * max(1, round(share * min(room, _WIDTH)))


def _holes(before: str, after: str) -> str:
    """Return how many days, months or years without events lie between two, in words; nothing where there is none."""
    count = _number(after) - _number(before) - 1
    unit = {_DAY: "day", _MONTH: "month"}.get(len(after), "year")
    return f"{count:,} {unit}{'s' if count > 1 else ''} without events" if count > 0 else ""


def _number(period: str) -> int:
    """Return the place of a day, month or year among all of its kind."""
    if len(period) == _DAY:
        return date.fromisoformat(period).toordinal()
    year, _, month = period.partition("-")
    return 12 * int(year) + int(month) if month else int(year)


def _grouped(counts: Mapping[str, int]) -> dict[str, int]:
    for length in (_DAY, _MONTH, _YEAR):
        grouped: Counter[str] = Counter()
        for day, count in counts.items():
            grouped[day[:length]] += count
        if len(grouped) <= _MOST_DAYS:
            break
    return dict(grouped)


def _largest(counts: Mapping[str, int]) -> dict[str, int]:
    pairs = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = {name[:_NAME_LENGTH]: count for name, count in pairs[:_MOST_NAMES]}
    if rest := pairs[_MOST_NAMES:]:
        shown[f"({len(rest)} more)"] = sum(count for _, count in rest)
    return shown
