"""Stretches of hours or days, as a vendor's clock counts them, and the names of their files; pure.

Times have no zone: Amplitude's are UTC, Mixpanel's those of the project. A stretch goes from `start` until before its
`end`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

_DAY: Final = timedelta(days=1)


class Span(NamedTuple):
    """A stretch of time."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Calendar:
    """How a vendor divides time: the least that can be asked for, and what the files of it are called."""

    step: timedelta
    """An hour or a day; every stretch is a number of them within a day."""
    ending: str
    """Of the names of files."""

    @property
    def word(self) -> str:
        """What a step is called."""
        return "day" if self.step == _DAY else "hour"

    def shown(self, span: Span) -> str:
        """Return a stretch as names of files and messages have it: `2024-04-03`, `2024-04-03T05_2024-04-03T06`.

        Names sort by time, and hold nothing that a file system or a shell minds.
        """
        if self.step == _DAY:
            return f"{span.start:%Y-%m-%d}"
        return f"{span.start:%Y-%m-%dT%H}_{span.end:%Y-%m-%dT%H}"

    def name(self, span: Span) -> str:
        """Return what the file of a stretch is called."""
        return f"{self.shown(span)}{self.ending}"

    def span(self, shown: str) -> Span | None:
        """Return the stretch that is shown so; None for any other text."""
        pattern = (
            r"(\d{4}-\d\d-\d\d)()" if self.step == _DAY else r"(\d{4}-\d\d-\d\dT\d\d)_(\d{4}-\d\d-\d\dT\d\d)"
        )
        if (found := re.fullmatch(pattern, shown, re.ASCII)) is None:
            return None
        try:
            start = datetime.fromisoformat(found[1])
            end = datetime.fromisoformat(found[2]) if found[2] else start + self.step
        except (ValueError, OverflowError):
            return None
        return Span(start, end) if start < end else None

    def of_name(self, name: str) -> Span | None:
        """Return the stretch whose file is called so; None for any other file."""
        return self.span(name.removesuffix(self.ending)) if name.endswith(self.ending) else None

    def floor(self, time: datetime) -> datetime:
        """Return when the hour or day began that holds a time."""
        hour = 0 if self.step == _DAY else time.hour
        return time.replace(hour=hour, minute=0, second=0, microsecond=0, tzinfo=None)

    def steps(self, span: Span) -> int:
        """Return how many hours or days there are in a stretch."""
        return (span.end - span.start) // self.step

    def halves(self, span: Span) -> Sequence[Span]:
        """Return the two halves of a stretch; none of one that cannot be divided."""
        steps = self.steps(span)
        if steps < 2:  # noqa: PLR2004 - two halves
            return ()
        middle = span.start + steps // 2 * self.step
        return Span(span.start, middle), Span(middle, span.end)


def missing(whole: Span, there: Iterable[Span]) -> Iterator[Span]:
    """Yield what of a stretch is in none of those that are there, the oldest first, divided where days begin."""
    at = whole.start
    for span in [*sorted(there), Span(whole.end, whole.end)]:
        while at < min(span.start, whole.end):
            midnight = at.replace(hour=0) + _DAY
            end = min(span.start, whole.end, midnight)
            yield Span(at, end)
            at = end
        at = max(at, span.end)


def finest(spans: Iterable[Span]) -> list[Span]:
    """Return the stretches, the oldest first, without those of which others have all, in smaller parts.

    Such a one was too much to be asked for once more, and its halves came instead.
    """
    found = sorted({*spans})
    return [span for span in found if any(missing(span, [one for one in found if _is_inside(one, span)]))]


def _is_inside(one: Span, other: Span) -> bool:
    return one != other and other.start <= one.start and one.end <= other.end
