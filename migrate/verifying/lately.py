"""What was acknowledged within the last hour: it may be on its way, and that it is missing says nothing yet.

The way of history has no published lag (posthog-ingestion.md §9.6). An hour is what is granted to it: later the same
events have another cause.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import polars as pl

from migrate.verifying.causes import YOUNG
from migrate.verifying.counting import Difference
from migrate.verifying.ledger import Ledger
from migrate.verifying.quota import Left
from migrate.verifying.verdict import Cause, Judged


class Lately:
    """Tells what was acknowledged within the last hour, of the days of which something is `missing`."""

    def __init__(self, ledger: Ledger, now: datetime, missing: Sequence[Difference]) -> None:
        self._since = now - YOUNG
        self._whole: set[str] = set()
        self._some: dict[str, pl.DataFrame] = {}
        names: dict[str, set[str]] = {}
        for one in missing:
            names.setdefault(one.day, set()).add(one.event)
        last = now
        for day in names.keys() & ledger.sent.keys():
            sent = ledger.sent[day]
            if sent.first > self._since:
                self._whole.add(day)
            elif sent.last > self._since:
                self._some[day] = ledger.lately(day, self._since, names[day])
        if young := [ledger.sent[day].last for day in (*self._whole, *self._some)]:
            last = max(young)
        self.judged: Final = Judged(
            Cause.NOT_THERE_YET,
            "accepted within the last hour, and history takes its time; it is not known yet whether they are missing: "
            f"ask again after {(last + YOUNG).astimezone(UTC):%H:%M} UTC, or with --wait 70m",
        )
        self._counts = Counter(
            {
                (day, event): count
                for day, frame in self._some.items()
                for event, count in frame.group_by("event").len().iter_rows()
            }
        )

    def __contains__(self, one: Difference) -> bool:
        """Return whether all that is missing of a difference may be on its way."""
        return self.of(one) >= one.missing > 0

    def of(self, one: Difference) -> int:
        """Return how many of what is missing may be on its way, as far as numbers tell."""
        return one.missing if one.day in self._whole else min(one.missing, self._counts[one.day, one.event])

    def take(self, left: Left) -> int:
        """Take off what may be on its way; return how many events that are."""
        day = left.one.day
        if day in self._whole:
            count, left.missing, left.rows = left.missing, 0, None
            return count
        if day not in self._some:
            return 0
        if left.rows is None:
            count = min(left.missing, self._counts[day, left.one.event])
        else:
            is_young = pl.col("uuid").is_in(self._some[day]["uuid"].implode())
            count = left.rows.filter(is_young).height
            left.rows = left.rows.filter(~is_young)
        left.missing -= count
        return count
