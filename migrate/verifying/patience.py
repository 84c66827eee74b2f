"""What is missing is asked for again: events that PostHog acknowledged are on their way for a while.

The way of history has no published lag (posthog-ingestion.md §9.6): where it is to be waited, it is asked until two
counts some minutes apart are the same and what is missing was acknowledged an hour ago.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from migrate.apply.halt import Halt
from migrate.verifying.causes import ONCE_MORE, YOUNG
from migrate.verifying.counting import Counting, Difference, differences
from migrate.verifying.ledger import Ledger
from migrate.verifying.progress import Tally
from migrate.verifying.spans import spans

_BETWEEN: Final = 120.0
"""Seconds between two counts, where it is waited."""
_GLANCE: Final = 10.0
"""The same where it is not: enough to see whether more comes."""


class Waited(NamedTuple):
    """How long it was waited, and whether more came in the end."""

    until: datetime
    is_growing: bool


@dataclass(frozen=True)
class Patience:
    """How long to wait for what is missing: seconds, 0 for a glance."""

    wait: float = 0.0
    between: float = _BETWEEN
    glance: float = _GLANCE

    async def ask_again(
        self, counting: Counting, ledger: Ledger, tally: Tally, now: datetime, halt: Halt
    ) -> Waited:
        """Count what is missing again, into the tally, as long as more comes or may be on its way.

        What was sent long ago is not asked for again, unless it is to be waited.
        """
        waited, is_growing = 0.0, False
        while missing := self._days(ledger, tally, now):
            before = tally.there.uuids
            pause = min(self.between, self.wait / 2) if self.wait else self.glance
            await halt.pause(pause)
            waited += pause
            await _recount(counting, ledger, tally, missing)
            is_growing = tally.there.uuids > before
            has_begun = tally.there.uuids > 0
            young = now + timedelta(seconds=waited) - YOUNG
            may_come = any(ledger.sent[day].last > young for day in missing if day in ledger.sent)
            if waited >= self.wait or (has_begun and not is_growing and not may_come):
                break
        return Waited(now + timedelta(seconds=waited), is_growing)

    def _days(self, ledger: Ledger, tally: Tally, now: datetime) -> list[str]:
        """Return the days on which events are missing that may be on their way."""
        return sorted(
            {
                one.day
                for one in tally.differences
                if one.missing
                and (self.wait or (one.day in ledger.sent and ledger.sent[one.day].last > now - ONCE_MORE))
            }
        )


async def _recount(counting: Counting, ledger: Ledger, tally: Tally, days: list[str]) -> None:
    found: list[Difference] = []
    async for asked in counting.over(spans(((day, ledger.of(day)) for day in days), is_whole=False)):
        found += differences(asked)
    tally.replace(days, found)
