"""A range of time → what PostHog has in it, by day and event, halved where that takes too long; and what differs."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from migrate.asking import queries
from migrate.asking.api import AT_ONCE, Api
from migrate.errors import TookTooLong
from migrate.verifying.ledger import NONE, Count
from migrate.verifying.spans import HOUR, Span, halves

NAME: Final = "migrate verify"
"""What its queries are called in PostHog's own log."""
Counts = dict[tuple[str, str], Count]
"""(day, event) → how many there are."""


class Difference(NamedTuple):
    """Events of one day and name of which PostHog has others than it acknowledged."""

    day: str
    event: str
    planned: Count
    there: Count

    @property
    def missing(self) -> int:
        """How many events are not there, as far as numbers tell."""
        return max(0, self.planned.uuids - self.there.uuids, self.planned.events - self.there.events)

    @property
    def is_all_missing(self) -> bool:
        """Whether none is there."""
        return not self.there.events


class Asked(NamedTuple):
    """A range, what PostHog has in it, and hours of it that PostHog could not count in time."""

    span: Span
    there: Counts
    uncounted: list[str]


class Counting:
    """Counts the events of an import; it knows by and by which ranges PostHog can count in its ten seconds."""

    def __init__(self, api: Api, project: int | str, import_id: str) -> None:
        self._api, self._project, self._import_id = api, project, import_id
        self._most = timedelta.max
        """The longest range that is asked for: half of the shortest that was given up."""

    async def ask(self, span: Span) -> Asked:
        """Return what there is in a range."""
        found: Counts = {}
        uncounted: list[str] = []
        await self._count(span.since, span.until, found, uncounted)
        return Asked(span, found, sorted(uncounted))

    async def over(self, spans: Iterator[Span]) -> AsyncIterator[Asked]:
        """Yield what there is in each range, in order; the next ones are asked for meanwhile."""
        waiting: deque[asyncio.Task[Asked]] = deque()
        try:
            while True:
                while len(waiting) < AT_ONCE and (span := await asyncio.to_thread(next, spans, None)):
                    waiting.append(asyncio.create_task(self.ask(span)))
                if not waiting:
                    return
                yield await waiting.popleft()
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    async def _count(self, since: datetime, until: datetime, found: Counts, uncounted: list[str]) -> None:
        """Add what there is in a range to what was `found`."""
        rows: list[list[object]] | None = None
        pieces = halves(since, until)
        if pieces is None or until - since <= self._most:
            try:
                rows = await self._api.query(
                    self._project, queries.counts(since, until, self._import_id), name=NAME
                )
            except TookTooLong:
                self._most = min(self._most, max((until - since) / 2, HOUR))
        if rows is not None and len(rows) < queries.MOST_ROWS:
            for day, event, events, uuids in rows:
                key = (str(day)[:10], str(event))
                found[key] = found.get(key, NONE).plus(Count(int(str(events)), int(str(uuids))))
            return
        if pieces is None:
            uncounted.append(since.isoformat(timespec="hours")[:13])
            return
        first, middle, last = pieces
        await asyncio.gather(
            self._count(first, middle, found, uncounted), self._count(middle, last, found, uncounted)
        )


def differences(asked: Asked) -> list[Difference]:
    """Return what differs in a range, by day and event; nothing of days that could not be counted whole."""
    planned = {
        (day, event): count
        for day, by_event in asked.span.planned.items()
        for event, count in by_event.items()
    }
    left_out = {hour[:10] for hour in asked.uncounted}
    return [
        Difference(*key, planned.get(key, NONE), asked.there.get(key, NONE))
        for key in sorted({*planned, *asked.there})
        if key[0] not in left_out and not _is_as(planned.get(key, NONE), asked.there.get(key, NONE))
    ]


def _is_as(planned: Count, there: Count) -> bool:
    """Return whether what is there is what was acknowledged."""
    return (
        there.uuids == planned.uuids and planned.events <= there.events <= planned.events + planned.versions
    )
