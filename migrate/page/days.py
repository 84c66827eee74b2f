"""Events by day, from the source to PostHog: what there is of each, which days are missing, which differ."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from migrate.page.holes import are_of_work, between, holes, runs
from migrate.page.times import Bins, median
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.looks import Look
from migrate.workdir.verified import Verified

_FAR: Final = 60
"""Days without events, beyond which what is on the other side may be stray."""
_FEW: Final = 0.001
"""Share of all events that stray ones are at the most."""
_ROWS: Final = 20
"""Fewer rows of a day do not say much."""
_SETTLED: Final = "SELECT day, sum(accepted), sum(duplicate), sum(parked), min(done) FROM rounds GROUP BY day"
_UNSENT: Final = "SELECT DISTINCT day FROM parts WHERE round IS NULL"


class Day(NamedTuple):
    """What there is of a UTC day; None is not known."""

    source: int | None = None
    """Rows of the source whose own time lies on it."""
    planned: int = 0
    accepted: int = 0
    duplicate: int = 0
    parked: int = 0
    there: int | None = None
    """Events that PostHog has, as it was asked last."""
    is_settled: bool = False
    """Whether all that is planned for it was sent."""


class Differing(NamedTuple):
    """A day of which numbers differ that should not."""

    day: str
    why: str


@dataclass(frozen=True)
class Days:
    """All days of a workdir of which anything is known, in order."""

    all: Mapping[str, Day] = field(default_factory=dict)
    first: str = ""
    """Of the span in which the events lie, but for a few strays."""
    last: str = ""
    holes: Sequence[str] = ()
    """Days without events where there should be some."""
    strays: Sequence[str] = ()
    """Days far from all others, with hardly any event."""
    are_of_work: bool = False
    """Whether there is hardly anything on weekends, so that there will be holidays, too."""
    differing: Sequence[Differing] = ()
    knows_source: bool = False
    knows_there: bool = False

    @property
    def bins(self) -> Bins:
        """The months of the span."""
        return Bins.of(self.first, self.last) if self.first else Bins()

    @property
    def planned(self) -> dict[str, int]:
        """Planned events of each day that has some."""
        return {day: one.planned for day, one in self.all.items() if one.planned}

    def runs(self) -> list[tuple[str, str]]:
        """Return the holes, those side by side as one: the first day and the last."""
        return runs(self.holes)


def gather(checkpoint: Checkpoint, look: Look | None, verified: Verified | None) -> Days:
    """Return the days of a workdir."""
    planned = checkpoint.by_day()
    rows: Mapping[str, int] = look.rows if look else {}
    there = verified.there if verified else {}
    settled = {day: rest for day, *rest in checkpoint.query(_SETTLED)}
    parked = dict(checkpoint.query("SELECT day, count(*) FROM parked GROUP BY day"))
    unsent = {day for (day,) in checkpoint.query(_UNSENT)}
    found: dict[str, Day] = {}
    for day in sorted({*planned, *rows, *settled, *there}):
        accepted, duplicate, ever, done = settled.get(day, (0, 0, 0, 0))
        still = parked.get(day, 0)
        found[day] = Day(
            source=rows.get(day, 0) if look else None,
            planned=planned.get(day, 0),
            accepted=max(0, accepted + ever - still),
            duplicate=duplicate,
            parked=still,
            there=there.get(day),
            is_settled=bool(done) and day not in unsent,
        )
    counts = {day: count for day, count in planned.items() if count}
    bulk, strays = _apart(counts)
    return Days(
        all=found,
        first=bulk[0] if bulk else "",
        last=bulk[-1] if bulk else "",
        holes=list(holes({day: counts[day] for day in bulk})),
        strays=strays,
        are_of_work=are_of_work({day: counts[day] for day in bulk}),
        differing=list(_differing(found, look.left_out if look else {})),
        knows_source=look is not None,
        knows_there=bool(there),
    )


def _apart(counts: Mapping[str, int]) -> tuple[list[str], list[str]]:
    """Return the days with events, in order: those of the span, and those that are far from it and have hardly any."""
    stretches: list[list[str]] = []
    for day in counts:
        is_near = stretches and between(stretches[-1][-1], day) <= _FAR
        stretches[-1].append(day) if is_near else stretches.append([day])
    few = _FEW * sum(counts.values())
    are_many = [sum(counts[day] for day in days) > few for days in stretches]
    if not any(are_many):
        return list(counts), []
    first, last = are_many.index(True), len(are_many) - are_many[::-1].index(True)
    bulk = [day for days in stretches[first:last] for day in days]
    return bulk, [day for days in (*stretches[:first], *stretches[last:]) for day in days]


def _differing(found: Mapping[str, Day], left_out: Mapping[str, int]) -> Iterator[Differing]:
    """Yield the days of which PostHog has more or less than it acknowledged, or of whose rows few became events.

    `left_out`: rows of the source of which no event is wanted.
    """
    rows = {day: (one.source or 0) - left_out.get(day, 0) for day, one in found.items()}
    usual = median(one.planned / rows[day] for day, one in found.items() if rows[day] > 0 and one.planned)
    for day, one in found.items():
        if one.there is not None and one.there != one.accepted:
            word = "fewer" if one.there < one.accepted else "more"
            yield Differing(day, f"PostHog has {abs(one.there - one.accepted):,} {word} than it acknowledged")
        elif one.is_settled and (lost := one.planned - one.accepted - one.duplicate - one.parked):
            yield Differing(day, f"{abs(lost):,} events are neither accepted, duplicate nor parked")
        elif rows[day] >= _ROWS and not one.planned:
            yield Differing(day, "rows of the source, and no event of them")
        elif rows[day] >= _ROWS and one.planned < usual * rows[day] / 2:
            yield Differing(day, "far fewer events for its rows than on other days")
