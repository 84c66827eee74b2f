"""A column of times → the span that it covers, and in which zone its clock is, with the evidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

from migrate.inspection.values import Type, zone_of
from migrate.kit import times

Zone = Literal["in the text", "Unix", "known", "in some", "unknown"]
"""Where a zone comes from: an offset behind each time, a number that counts from 1970 in UTC, what is known of the
platform, or nowhere; `in some`: an offset stands behind some times only."""
_DIGITS: Final[dict[str, tuple[int, int]]] = {
    "Unix seconds": (6, 1),
    "Unix milliseconds": (3, 1),
    "Unix microseconds": (0, 1),
    "Unix nanoseconds": (0, 1_000),
}
"""Type → how many digits its numbers lack to microseconds, and by what they are to be divided."""


@dataclass(frozen=True, kw_only=True)
class Clock:
    """When the times of a column are, and how that is known."""

    first: str | None
    """ISO 8601: in UTC with a `Z` where the zone is known, else as the clock stood, without one."""
    last: str | None
    zone: Zone
    why: str
    """The evidence, as a sentence without its first capital letter."""
    unreadable: int
    """How many of the texts are no time."""


def clock_of(texts: Sequence[str], kind: Type) -> Clock:
    """Return when these times are; `kind` is the type of their column."""
    zone: Zone
    if kind in _DIGITS:
        found = _unix(texts, kind)
        zone, why = "Unix", f"{kind}, which count from 1970 in UTC"
    elif kind == "local date":
        return Clock(
            first=None,
            last=None,
            zone="unknown",
            why="not ISO 8601: whether day or month stands first is not told by the text, nor in which zone it is",
            unreadable=0,
        )
    else:
        found = times.read(pl.Series(texts, dtype=pl.String), "UTC")
        found = found.set(
            ~found.dt.year().is_between(1, 9999), None
        )  # by its offset in no year that can be written
        zone, why = _told([text for text, is_none in zip(texts, found.is_null(), strict=True) if not is_none])
    mark = "" if zone == "unknown" else "Z"
    there = sorted(found.drop_nulls().to_list())
    first, last = (
        (f"{one:%Y-%m-%dT%H:%M:%S}{mark}" for one in (there[0], there[-1])) if there else (None, None)
    )
    return Clock(first=first, last=last, zone=zone, why=why, unreadable=found.null_count())


def _told(texts: Sequence[str]) -> tuple[Zone, str]:
    """Return what the texts themselves say of their zone."""
    offsets = [zone_of(text) for text in texts]
    said = [one for one in offsets if one is not None]
    if not said:
        return "unknown", "no offset stands behind the times"
    some = sorted(set(said))[:3]
    named = " or ".join(f"'{one}'" for one in some)
    if len(said) == len(offsets):
        return "in the text", f"each time ends with its offset, {named}"
    return (
        "in some",
        f"{len(said):,} of {len(offsets):,} times end with an offset, {named}; the others with none",
    )


def _unix(texts: Sequence[str], kind: str) -> pl.Series:
    digits, divided = _DIGITS[kind]
    series = pl.Series([text.strip() for text in texts], dtype=pl.String)
    if divided > 1:
        series = (series.cast(pl.Int64, strict=False) // divided).cast(pl.String)
    return times.unix(series, digits)
