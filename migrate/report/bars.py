"""Counts as bars: of many days neighbours are put together, of many names the rest."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from migrate.report.sections import BOLD, Line

_WIDTH: Final = 30
_MOST_DAYS: Final = 30
_MOST_NAMES: Final = 15
_NAME_LENGTH: Final = 60


def by_day(counts: Mapping[str, int]) -> Iterator[Line]:
    """Yield events by day, month or year: the finest that still fits a screen. Days are spelled YYYY-MM-DD."""
    yield from _bars("events by day", _grouped(counts))


def by_name(counts: Mapping[str, int]) -> Iterator[Line]:
    """Yield events by name: the largest counts, and the sum of the others."""
    yield from _bars("events by event", _largest(counts))


def _bars(title: str, counts: Mapping[str, int]) -> Iterator[Line]:
    if not counts:
        return
    width, most = max(map(len, counts)), max(counts.values())
    yield Line(title, BOLD)
    for name, count in counts.items():
        yield Line(f"  {name:<{width}} {count:>12,} {'█' * max(1, round(count * _WIDTH / most))}")


def _grouped(counts: Mapping[str, int]) -> dict[str, int]:
    for length in (len("YYYY-MM-DD"), len("YYYY-MM"), len("YYYY")):
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
