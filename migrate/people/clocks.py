"""What zone a source's times are in, told by rows that carry a UTC time beside their own (sources-1.md §2.3)."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from migrate.errors import UsageError
from migrate.kit import times

_SHARP: Final = 0.5
"""Share of a month's rows that must agree, for the month to say anything."""
_ENOUGH: Final = 0.05
"""Share of the rows that must be in months which are not UTC, for the source not to be."""
_SHOWN: Final = 6
_COMMON: Final = (
    *("America/Los_Angeles", "America/New_York", "America/Chicago", "America/Denver", "America/Sao_Paulo"),
    *("Europe/London", "Europe/Berlin", "Europe/Paris", "Europe/Madrid", "Europe/Helsinki", "Asia/Kolkata"),
    *("Asia/Tokyo", "Asia/Shanghai", "Asia/Singapore", "Asia/Jerusalem", "Australia/Sydney"),
)

Counts = Iterable[tuple[str, int, int]]
"""Month ("2024-03"), seconds that the times shown are behind UTC, rows."""


def check(counts: Counts, zone: str | None) -> str | None:
    """Return a warning where the zone given is not what the rows say, None where they agree or say nothing.

    Raises UsageError where none was given and the rows say that their times are not UTC.
    """
    found = months(counts)
    rows = sum(count for _, count in found.values())
    if not rows:
        return None
    if zone is not None:
        wrong = sum(count for month, (offset, count) in found.items() if offset not in _offsets(zone, month))
        if wrong <= _ENOUGH * rows:
            return None
        return f"--source-timezone: {zone} was given, but {wrong:,} of {rows:,} rows say {_said(found)}"
    elsewhere = sum(count for offset, count in found.values() if offset)
    if elsewhere <= _ENOUGH * rows:
        return None
    zones = fitting(found)
    like = f"; these zones fit: {', '.join(zones)}" if zones else "; no one zone fits all months"
    raise UsageError(
        f"--source-timezone: the times in these files are not UTC, found {_said(found)}{like}; give the zone the "
        "project had with --source-timezone (UTC, if the times are UTC after all)"
    )


def months(counts: Counts) -> dict[str, tuple[int, int]]:
    """Return for each month that is clear what most of its rows say, and how many rows do."""
    by_month: dict[str, dict[int, int]] = {}
    for month, offset, rows in counts:
        by_month.setdefault(month, {})[offset] = rows
    found = {}
    for month, offsets in sorted(by_month.items()):
        offset = min(offsets, key=lambda one: (-offsets[one], abs(one)))
        if offsets[offset] >= _SHARP * sum(offsets.values()):
            found[month] = (offset, offsets[offset])
    return found


def fitting(found: Mapping[str, tuple[int, int]]) -> list[str]:
    """Return IANA zones that every month agrees with, well-known ones first."""
    others = sorted(
        name
        for name in available_timezones()
        if "/" in name and not name.startswith(("Etc/", "posix", "right"))
    )
    names = dict.fromkeys([*_COMMON, *others])
    fit = (
        name for name in names if all(offset in _offsets(name, month) for month, (offset, _) in found.items())
    )
    return [name for name, _ in zip(fit, range(_SHOWN), strict=False)]


def _offsets(zone: str, month: str) -> set[int]:
    """Return how far behind UTC, in seconds, the zone's clocks are at the start and the end of a month."""
    if (fixed := times.offset(zone)) is not None:
        return {-fixed}
    start = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    moments = (start, start + timedelta(days=27))
    return {-int(moment.astimezone(ZoneInfo(zone)).utcoffset().total_seconds()) for moment in moments}  # type: ignore[union-attr]


def _said(found: Mapping[str, tuple[int, int]]) -> str:
    """Return what the months say, in words."""
    by_offset: dict[int, list[str]] = {}
    for month, (offset, _) in found.items():
        by_offset.setdefault(offset, []).append(month)
    parts = []
    for offset, said in sorted(by_offset.items()):
        hours = abs(offset) / 3600
        way = "behind" if offset > 0 else "ahead of"
        when = said[0] if len(said) == 1 else f"{said[0]} to {said[-1]}, {len(said)} months"
        parts.append(f"UTC ({when})" if not offset else f"{hours:g} h {way} UTC ({when})")
    return ", ".join(parts)
