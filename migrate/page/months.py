"""Days → months: source, planned, accepted and PostHog's own count side by side, and every day of them as a table."""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from migrate.page import sparks
from migrate.page.days import Days
from migrate.page.times import Bins

STEP: Final = 5
"""Units between months: a bar is one wide."""
_WIDE: Final = 31


class Month(NamedTuple):
    """A month, or some of them, and what there is of its days; None is not known, or not asked."""

    name: str
    source: int | None
    planned: int
    accepted: int
    duplicate: int
    parked: int
    there: int | None


class Series(NamedTuple):
    """Bars of one kind."""

    name: str
    kind: str
    path: str


@dataclass(frozen=True)
class Months:
    """The months of a span."""

    all: Sequence[Month]
    series: Sequence[Series]
    most: int
    """What the height of the picture is."""
    bins: Bins

    @property
    def width(self) -> int:
        """Of the picture."""
        return max(1, self.bins.count) * STEP


def months(days: Days) -> Months:
    """Return the months of a workdir's days; strays, which lie in none of them, are told by themselves."""
    bins = days.bins
    counts = {
        "source": bins.summed({day: one.source or 0 for day, one in days.all.items()}),
        "planned": bins.summed({day: one.planned for day, one in days.all.items()}),
        "accepted": bins.summed({day: one.accepted for day, one in days.all.items()}),
        "duplicate": bins.summed({day: one.duplicate for day, one in days.all.items()}),
        "parked": bins.summed({day: one.parked for day, one in days.all.items()}),
        "there": bins.summed({day: one.there or 0 for day, one in days.all.items()}),
    }
    asked = bins.summed({day: 1 for day, one in days.all.items() if one.there is not None})
    found = [
        Month(
            name=name,
            source=counts["source"][place] if days.knows_source else None,
            planned=counts["planned"][place],
            accepted=counts["accepted"][place],
            duplicate=counts["duplicate"][place],
            parked=counts["parked"][place],
            there=counts["there"][place] if asked[place] else None,
        )
        for place, name in enumerate(bins.labels)
    ]
    drawn = {
        "source": "rows of the source",
        "planned": "planned",
        "accepted": "accepted",
        "there": "in PostHog",
    }
    most = max((max(counts[kind]) for kind in drawn if counts[kind]), default=0)
    series = [
        Series(words, kind, sparks.bars(counts[kind], most, offset=0.5 + place, step=STEP))
        for place, (kind, words) in enumerate(drawn.items())
    ]
    return Months(found, series, most, bins)


class Row(NamedTuple):
    """A month of the table of days: of each, planned events; None is a hole, -1 a day that the month has not."""

    month: str
    counts: Sequence[int | None]


def table(days: Days, years: Sequence[int]) -> list[Row]:
    """Return each month of these years, as far as it has events or holes."""
    planned, holes = days.planned, set(days.holes)
    known = sorted({day[:7] for day in (*planned, *holes) if int(day[:4]) in set(years)})
    return [Row(one, [_cell(one, number, planned, holes) for number in range(1, _WIDE + 1)]) for one in known]


def _cell(of: str, number: int, planned: dict[str, int], holes: set[str]) -> int | None:
    day = f"{of}-{number:02d}"
    if day in holes:
        return None
    return planned[day] if day in planned else (0 if number <= _length(of) else -1)


def _length(of: str) -> int:
    """Return how many days a month has."""
    return monthrange(int(of[:4]), int(of[5:7]))[1]
