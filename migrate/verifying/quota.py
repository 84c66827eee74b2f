"""What all is missing of from some moment on: the sign of a quota that is used up, which capture does not tell.

Days are sent oldest first and events in order of time, so that it takes the last events of a day, and all of the days
after it that were sent on the same date.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from migrate.verifying.counting import Difference
from migrate.verifying.ledger import Ledger, Sent
from migrate.verifying.progress import Tally
from migrate.verifying.verdict import Cause, Judged

_LEAST: Final = 20
"""Fewer events at the end of a day, and no whole day after it, are no sign."""
_MOST_OF_DAY: Final = 500_000
"""Of a larger day its last events are not looked for."""


@dataclass
class Left:
    """What is missing and not judged yet, of one difference."""

    one: Difference
    missing: int
    rows: pl.DataFrame | None = None
    """Those that were looked at and are nowhere else: uuid, event, distinct_id, timestamp."""


class Quota:
    """Looks for such moments in what is `missing`, where of each day so many events are `settled` otherwise."""

    def __init__(
        self, ledger: Ledger, tally: Tally, missing: Sequence[Difference], settled: Mapping[str, int]
    ) -> None:
        self._ledger, self._tally, self._settled = ledger, tally, settled
        lost = Counter[str]()
        for one in missing:
            lost[one.day] += max(0, one.planned.uuids - one.there.uuids)
        planned = {day: count - settled.get(day, 0) for day, count in tally.by_day.items()}
        self._whole, self.edges = tails(planned, lost, ledger.sent)
        """Days -> the first day of which nothing is there; `edges` are those before, of which something may be."""
        self._moments: dict[str, str] = {}
        """First day of which nothing is there -> the moment before it from which on nothing is."""
        self._is_all = len(self._whole) == sum(1 for count in planned.values() if count)

    def is_of(self, one: Difference) -> bool:
        """Return whether nothing of a difference's day is there, up to the end."""
        return one.day in self._whole

    def judged(self, day: str) -> Judged:
        """Return what it is of a day of which nothing is there; once the edges were looked at, from when on."""
        first = self._whole[day]
        return _judged(self._moments.get(first, first), is_all=self._is_all)

    def at_edge(self, day: str, left: Sequence[Left]) -> tuple[Judged, pl.DataFrame] | None:
        """Return the last events of an edge that are missing with all after them, and what that is; None of none.

        `left`: all that is missing of that day.
        """
        known = [one.rows for one in left if one.rows is not None and one.missing == one.rows.height]
        if self._settled.get(day) or len(known) < len(left) or self._tally.by_day[day] > _MOST_OF_DAY:
            return None
        missing, first = pl.concat(known), self.edges[day]
        planned = self._ledger.events(day, self._ledger.of(day), most=_MOST_OF_DAY)
        there = planned.join(missing, on=["uuid", "event"], how="anti")["timestamp"]
        last = missing.filter(pl.col("timestamp") > there.max()) if len(there) else missing
        if not last.height or (not first and last.height < _LEAST):
            return None
        since = str(last["timestamp"].dt.strftime("%Y-%m-%d %H:%M:%S").min())
        self._moments[first] = since
        return _judged(since), last


def _judged(since: str, *, is_all: bool = False) -> Judged:
    if is_all:
        return Judged(Cause.QUOTA, "nothing is there: the project was over its quota, or took no events")
    return Judged(
        Cause.QUOTA,
        f"all that was sent from the events of {since} on is missing, as when a quota is used up; raise it, and "
        "send them again from a new --workdir",
    )


def tails(
    planned: Mapping[str, int], missing: Mapping[str, int], sent: Mapping[str, Sent]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the days of which nothing is there, up to the end of what was sent on one date; and the days before them.

    Days are sent oldest first, so that a quota that is used up takes all days from one on, and the last events of the
    day before it. `planned` and `missing` are events by day. Both come with the first day of which nothing is there;
    the last day of a date, of which something is, with none.
    """
    by_date: dict[str, list[str]] = {}
    for day in sorted(day for day, count in planned.items() if count):
        by_date.setdefault(sent[day].last.date().isoformat(), []).append(day)
    whole, edges = dict[str, str](), dict[str, str]()
    before = ""
    for _, days in sorted(by_date.items()):
        kept = len(days)
        while kept and missing.get(days[kept - 1], 0) >= planned[days[kept - 1]]:
            kept -= 1
        first = days[kept] if kept < len(days) else ""
        whole.update(dict.fromkeys(days[kept:], first))
        edge = days[kept - 1] if kept else before
        if missing.get(edge, 0) and edge not in whole:
            edges[edge] = first or edges.get(edge, "")
        before = days[-1]
    return whole, edges
