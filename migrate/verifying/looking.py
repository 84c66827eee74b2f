"""A difference → its events: which are missing, which are there and were not acknowledged, and where they are else."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import polars as pl

from migrate.asking import queries
from migrate.asking.api import Api
from migrate.errors import TookTooLong
from migrate.verifying.counting import NAME, Difference
from migrate.verifying.ledger import Ledger
from migrate.verifying.spans import DAY, halves, midnight

_PAGES: Final = 2
"""Answers of 50,000 uuids each; of more events of a day and a name those with the first uuids are looked at."""
_AT_ONCE: Final = 500
"""Uuids that one query names."""
_EVER, _NEVER = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_TEXTS: Final[dict[str, Any]] = {"uuid": pl.String, "distinct_id": pl.String}


class There(NamedTuple):
    """An event as PostHog has it, of any origin."""

    uuid: str
    event: str
    distinct_id: str
    timestamp: str
    import_id: str | None


@dataclass
class Looked:
    """What a difference is about, as far as it was looked at."""

    difference: Difference
    missing: pl.DataFrame
    """uuid, event, distinct_id, timestamp of what is not there under this day and name; the first of them."""
    extra: list[str] = field(default_factory=list)
    """Uuids that are there and were not acknowledged under this day and name."""
    others: list[There] = field(default_factory=list)
    """Events whose uuid was acknowledged for somebody else: one more of the same uuid, or in its place."""
    is_whole: bool = True
    """Whether all of its events were looked at."""


class Looking:
    """Asks for the events of an import themselves."""

    def __init__(self, api: Api, project: int | str, import_id: str, ledger: Ledger) -> None:
        self._api, self._project, self.import_id, self._ledger = api, project, import_id, ledger

    async def at(self, one: Difference) -> Looked:
        """Return what a difference is about; raises TookTooLong where PostHog cannot say in its ten seconds."""
        there, until = (await self._there(one)) if one.there.events else (_frame([]), None)
        most = _PAGES * queries.MOST_ROWS
        planned = await asyncio.to_thread(self._ledger.events, one.day, {one.event}, most=most, until=until)
        is_whole = until is None and planned.height < most
        gone = planned.join(there, on="uuid", how="anti", maintain_order="left")
        extra = there.join(planned, on="uuid", how="anti")["uuid"].unique().sort().to_list()
        if await asyncio.to_thread(self._ledger.has_versions, one.day):
            return Looked(one, gone, extra, is_whole=is_whole)
        # of one uuid several people may have an event each, and somebody else's may be there in the place of one
        other = there.join(planned, on=["uuid", "distinct_id"], how="anti").join(
            planned, on="uuid", how="semi"
        )
        lost = planned.join(there, on=["uuid", "distinct_id"], how="anti").join(gone, on="uuid", how="anti")
        lost = lost.join(other, on="uuid", how="anti")
        others = [
            There(uuid, one.event, distinct_id, one.day, self.import_id)
            for uuid, distinct_id in other.sort("uuid", "distinct_id").iter_rows()
        ]
        return Looked(one, pl.concat([gone, lost]).sort("uuid", "distinct_id"), extra, others, is_whole)

    async def _there(self, one: Difference) -> tuple[pl.DataFrame, str | None]:
        """Return the uuids and people of events that are there, and up to which uuid, where that is not all."""
        since = midnight(one.day)
        found: list[list[Any]] = []
        after = ""
        for _ in range(_PAGES):
            query = queries.uuids(since, since + DAY, one.event, self.import_id, after=after)
            rows = await self._api.query(self._project, query, name=NAME)
            found += rows
            if len(rows) < queries.MOST_ROWS:
                return _frame(found), None
            after = str(rows[-1][0])
        return _frame(found), after

    async def sought(self, uuids: Sequence[str], since: datetime, until: datetime) -> dict[str, list[There]]:
        """Return where else these uuids are, of any origin, in a range of time; or at any time, where it is said."""
        found = await self._within(uuids, since, until)
        rest = [uuid for uuid in uuids if uuid not in found]
        try:
            for start in range(0, len(rest), _AT_ONCE):
                some = rest[start : start + _AT_ONCE]
                rows = await self._api.query(self._project, queries.there(_EVER, _NEVER, some), name=NAME)
                for one in map(_there, rows):
                    found.setdefault(one.uuid, []).append(one)
        except TookTooLong:
            return found
        return found

    async def _within(self, uuids: Sequence[str], since: datetime, until: datetime) -> dict[str, list[There]]:
        """Return where these uuids are in a range of time."""
        found: dict[str, list[There]] = {}
        some = (uuids[start : start + _AT_ONCE] for start in range(0, len(uuids), _AT_ONCE))
        answers = await asyncio.gather(*(self._sought(ids, since, until) for ids in some))
        for one in (one for answer in answers for one in answer):
            found.setdefault(one.uuid, []).append(one)
        return found

    async def _sought(self, uuids: Sequence[str], since: datetime, until: datetime) -> list[There]:
        """Return what is there of these uuids, halving the time where that takes too long."""
        try:
            rows = await self._api.query(self._project, queries.there(since, until, uuids), name=NAME)
        except TookTooLong:
            if (pieces := halves(since, until)) is None:
                raise
            first, middle, last = pieces
            return [*await self._sought(uuids, first, middle), *await self._sought(uuids, middle, last)]
        return [*map(_there, rows)]


def _there(row: Sequence[Any]) -> There:
    uuid, event, distinct_id, timestamp, import_id = row
    return There(_text(uuid), _text(event), _text(distinct_id), _text(timestamp), import_id)


def _frame(rows: Collection[list[Any]]) -> pl.DataFrame:
    """Return what is there: each uuid and person once."""
    return pl.DataFrame([row[:2] for row in rows], schema=_TEXTS, orient="row").unique()


def _text(value: object) -> str:
    return "" if value is None else str(value)
