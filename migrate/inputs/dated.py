"""Inputs whose path holds a day, as `exports/{since:%Y-%m-%d}/*.json.gz` → the path of each day that is asked for."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from typing import Final

from migrate.errors import UsageError

_HOLE: Final = re.compile(r"\{since:([^{}]*)\}")
_FIELD: Final = re.compile(r"%(-?)(.)")
_FIELDS: Final[dict[str, Callable[[datetime], str]]] = {
    "Y": lambda time: f"{time.year:04}",
    "y": lambda time: f"{time.year % 100:02}",
    "m": lambda time: f"{time.month:02}",
    "d": lambda time: f"{time.day:02}",
    "j": lambda time: f"{time.timetuple().tm_yday:03}",
    "H": lambda time: f"{time.hour:02}",
}
"""As `strftime` has them, digits only: the same under any locale. `%-m` is without zeros before it."""
_MOST: Final = 100_000


@dataclass(frozen=True, kw_only=True)
class Span:
    """The days that are asked for: `since` and before `until`, as `zone` counts them."""

    since: datetime | None = None
    until: datetime | None = None
    zone: tzinfo = UTC


def is_dated(given: str) -> bool:
    """Return whether an input holds a day."""
    return _HOLE.search(given) is not None


def pattern(given: str) -> str:
    """Return the pattern that the paths of all days match."""
    return _HOLE.sub("*", given)


def paths(given: str, span: Span) -> list[str]:
    """Return the path of each day (or hour, where it holds one), each once, the oldest first.

    Raises UsageError where no first day is known, and for a field that is none.
    """
    if span.since is None:
        raise UsageError(f"input {given}: it holds a day, and --since is missing; say from which day on")
    fields = [found[2] for hole in _HOLE.findall(given) for found in _FIELD.finditer(hole)]
    if wrong := [one for one in fields if one not in _FIELDS]:
        known = ", ".join(f"%{one}" for one in _FIELDS)
        raise UsageError(f"input {given}: no part of a day, found '%{wrong[0]}'; known are {known}")
    time, until = span.since.astimezone(span.zone), (span.until or datetime.now(UTC)).astimezone(span.zone)
    is_hourly = "H" in fields
    time = time.replace(hour=time.hour if is_hourly else 0, minute=0, second=0, microsecond=0)
    step, found = timedelta(hours=1) if is_hourly else timedelta(days=1), dict[str, None]()
    while time < until and len(found) < _MOST:
        found[_HOLE.sub(partial(_written, time), given)] = None
        # Hours are counted on UTC's clock, which has each of them once; days on the zone's.
        time = (time.astimezone(UTC) + step).astimezone(span.zone) if is_hourly else time + step
    return list(found)


def _written(time: datetime, hole: re.Match[str]) -> str:
    """Return a time in the form that a hole asks for."""

    def field(found: re.Match[str]) -> str:
        text = _FIELDS[found[2]](time)
        return text.lstrip("0") or "0" if found[1] else text

    return _FIELD.sub(field, hole[1])
