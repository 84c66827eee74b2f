"""In which zone times without one were read, and which hours of the plan occur twice in it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from migrate.page.days import Days

_MOST: Final = 200
"""Years that are gone through."""


class Twice(NamedTuple):
    """An hour, or another stretch, of a zone's clock that occurs twice; `events` are those of that UTC day."""

    day: str
    local: str
    events: int


@dataclass(frozen=True)
class Zones:
    """The zone that was given; what clocks of the source say against it."""

    zone: str
    warning: str = ""
    twice: Sequence[Twice] = ()


def gather(facts: Mapping[str, Any], days: Days) -> Zones:
    """Return the zone of a workdir."""
    zone = facts.get("--source-timezone") or "UTC"
    return Zones(zone, facts.get("clock") or "", [*_twice(zone, days)])


def _twice(zone: str, days: Days) -> Iterator[Twice]:
    """Yield what occurs twice on days with events."""
    try:
        clock = ZoneInfo(zone)
    except (KeyError, ValueError, OSError):  # an offset has no such hours
        return
    if not days.first:
        return
    first, last = date.fromisoformat(days.first), date.fromisoformat(days.last)
    for year in range(max(first.year, last.year - _MOST), last.year + 1):
        for moment, hours in _set_back(clock, year):
            day = moment.date()
            known = days.all.get(day.isoformat())
            if first <= day <= last and known is not None and known.planned:
                end = moment.astimezone(clock).replace(tzinfo=None) + hours
                start = end - hours
                yield Twice(day.isoformat(), f"{start:%Y-%m-%d %H:%M} to {end:%H:%M}", known.planned)


def _set_back(clock: ZoneInfo, year: int) -> Iterator[tuple[datetime, timedelta]]:
    """Yield the moments of a year at which clocks are set back, and by how much."""
    moment = datetime(year, 1, 1, tzinfo=UTC)
    while moment.year == year and moment < datetime(9999, 12, 1, tzinfo=UTC):
        after = moment + timedelta(days=1)
        back = _offset(moment, clock) - _offset(after, clock)
        if back > timedelta(0):
            low, high = moment, after
            while high - low > timedelta(minutes=1):
                middle = low + (high - low) / 2
                low, high = (
                    (middle, high) if _offset(middle, clock) == _offset(moment, clock) else (low, middle)
                )
            yield high.replace(second=0, microsecond=0), back
        moment = after


def _offset(moment: datetime, clock: ZoneInfo) -> timedelta:
    return moment.astimezone(clock).utcoffset() or timedelta(0)
