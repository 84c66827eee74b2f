"""Months and days as a page counts them: which there are, and which of them stand together in a picture."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

MOST_BINS: Final = 120
"""So many months stand side by side: ten years."""
_YEAR: Final = 12
DAY: Final = timedelta(days=1)


def number(month: str) -> int:
    """Return the place of a month, or of a day's month, among all months."""
    return _YEAR * int(month[:4]) + int(month[5:7]) - 1


def month(place: int) -> str:
    """Return the month at a place."""
    return f"{place // _YEAR:04d}-{place % _YEAR + 1:02d}"


def days(first: str, last: str) -> Iterator[str]:
    """Yield each day of a span."""
    day, end = date.fromisoformat(first), date.fromisoformat(last)
    while day < end:
        yield day.isoformat()
        day += DAY
    yield end.isoformat()


@dataclass(frozen=True)
class Bins:
    """Months side by side, several of them as one where they are many."""

    start: int = 0
    """The place of the first month."""
    count: int = 0
    months: int = 1
    """Months of each bin."""

    @classmethod
    def of(cls, first: str, last: str) -> "Bins":
        """Return the bins from one day's month to another's."""
        start, end = number(first), number(last)
        months = -(-(end - start + 1) // MOST_BINS)
        return cls(start, -(-(end - start + 1) // months), months)

    def place(self, of: str) -> int | None:
        """Return in which bin a month, or a day, is; None where it is in none."""
        place = (number(of) - self.start) // self.months
        return place if 0 <= place < self.count else None

    @property
    def labels(self) -> Sequence[str]:
        """The first month of each bin."""
        return [month(self.start + place * self.months) for place in range(self.count)]

    @property
    def unit(self) -> str:
        """What a bin is, in words."""
        return "month" if self.months == 1 else f"{self.months} months"

    @property
    def years(self) -> Sequence[tuple[int, str]]:
        """Where a year begins, as a place, and which."""
        found: dict[str, int] = {}
        for place, label in enumerate(self.labels):
            found.setdefault(label[:4], place)
        return [(place, year) for year, place in found.items()]

    def yearly(self, counts: Sequence[int]) -> list[tuple[str, int]]:
        """Return counts by bin as counts by the year in which the bin begins."""
        found: dict[str, int] = {}
        for label, count in zip(self.labels, counts, strict=True):
            found[label[:4]] = found.get(label[:4], 0) + count
        return [*found.items()]

    def summed(self, counts: Mapping[str, int]) -> list[int]:
        """Return counts by month, or by day, as counts by bin; what lies in no bin is in none."""
        found = [0] * self.count
        for of, count in counts.items():
            if (place := self.place(of)) is not None:
                found[place] += count
        return found


def median(values: Iterable[float]) -> float:
    """Return the middle of values, the lower of two; 0 of none."""
    found = sorted(values)
    return found[(len(found) - 1) // 2] if found else 0
