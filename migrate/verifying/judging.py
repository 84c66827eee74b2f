"""Differences → findings: each is judged by what is known, looked at where that does not do, and named."""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Final, TypeVar

import polars as pl

from migrate.errors import TookTooLong
from migrate.screen import shortened
from migrate.verifying.causes import Known, Warned, of_settings
from migrate.verifying.counting import Difference
from migrate.verifying.lately import Lately
from migrate.verifying.ledger import NONE, ByEvent, Ledger, day_of
from migrate.verifying.looking import Looked, Looking, There
from migrate.verifying.lying import lying
from migrate.verifying.progress import Tally
from migrate.verifying.quota import Left, Quota
from migrate.verifying.spans import DAY, midnight
from migrate.verifying.verdict import Cause, Example, Findings, Judged

T = TypeVar("T")
_MOST_LOOKED: Final = 1_500
"""Differences of which the events themselves are asked for, evenly chosen; two hundred a minute."""
_MOST_YOUNG: Final = 100
"""The same of those that may be on their way: few, as there may be nothing to see yet."""
_MOST_OVER: Final = 300
"""The same of those of which more is there than was acknowledged."""
_MOST_DOUBLED: Final = 40
"""The same of those in which rows are there twice."""
_MOST_SOUGHT: Final = 4_000
"""Events that are looked for elsewhere."""
_SHOWN: Final = 3
_CHANGED: Final = Judged(
    Cause.CHANGED_SINCE, "there under another day, name, person or import than PostHog acknowledged"
)
_AGAIN: Final = Judged(
    Cause.CHANGED_SINCE, "there once more, under another day, name or person, which PostHog never makes one"
)
_DOUBLED: Final = Judged(
    Cause.DUPLICATES_NOT_MERGED,
    "there twice and more, as batches were sent again; PostHog makes one of them by itself, later",
)
_ELSEWHERE: Final = Judged(
    Cause.SENT_ELSEWHERE,
    "of this import, and not of this workdir: another one sent them under the same name; give each its own --import-id",
)


@dataclass
class Judge:
    """Judges all differences of a tally."""

    ledger: Ledger
    looking: Looking
    known: Known
    warned: Warned
    tally: Tally
    found: Findings = field(default_factory=Findings)

    async def judge(self) -> Findings:
        """Return what was found."""
        differences = self.tally.differences
        missing, settled = self._by_settings([one for one in differences if one.missing])
        quota = Quota(self.ledger, self.tally, missing, settled)
        lacking = dict.fromkeys(one for one in missing if not quota.is_of(one))
        lately = Lately(self.ledger, self.known.now, missing)
        old, young = ([one for one in lacking if (one in lately) is is_young] for is_young in (False, True))
        edges = [one for one in old if one.day in quota.edges]
        asked = {*evenly(edges, _MOST_LOOKED), *evenly(old, _MOST_LOOKED), *evenly(young, _MOST_YOUNG)}
        looked, sought = dict[Difference, Looked](), dict[str, list[There]]()
        while asked:
            more = await self._looked(asked)
            looked |= more
            sought |= await self._sought([*more.values()])
            asked = self._hidden(looked, sought) if more else set()
            lacking |= dict.fromkeys(sorted(asked))
        left = [self._left(one, looked.get(one), sought) for one in lacking]
        doubled = [one for one in differences if _doubled(one)]
        come = self._come(sought)
        over = [one for one in differences if one not in lacking and _excess(one) > come[one.day, one.event]]
        looked |= await self._looked(
            {*evenly(over, _MOST_OVER), *evenly(doubled, _MOST_DOUBLED)} - looked.keys()
        )
        for one in [*lacking, *over]:
            self._extra(one, looked.get(one), sought)
        for one in doubled:
            self._doubled(one, looked.get(one))
        for some in left:
            self.found.add(lately.judged, lately.take(some), some.one.day, some.one.event)
        self._by_quota(missing, [one for one in left if one.missing], quota, lately)
        self._by_warnings(left)
        for how in lying(self.ledger, self.tally, [one for one in left if one.missing], settled):
            self._add(how.judged, how.left, how.events, how.rows)
        return self.found

    def _by_settings(self, missing: Sequence[Difference]) -> tuple[list[Difference], Counter[str]]:
        """Return what the settings do not explain, and how many events of each day they do."""
        left, settled = [], Counter[str]()
        for one in missing:
            if (judged := of_settings(one, self.known)) is None:
                left.append(one)
            else:
                settled[one.day] += one.planned.uuids
                self.found.add(judged, one.missing, one.day, one.event)
        return left, settled

    async def _looked(self, chosen: Collection[Difference]) -> dict[Difference, Looked]:
        """Return what differences are about; not of those that take too long to ask for."""
        found: dict[Difference, Looked] = {}
        room = asyncio.Semaphore(3)

        async def look(one: Difference) -> None:
            async with room:
                try:
                    found[one] = await self.looking.at(one)
                except TookTooLong:
                    return

        await asyncio.gather(*map(look, sorted(chosen)))
        return found

    async def _sought(self, looked: Sequence[Looked]) -> dict[str, list[There]]:
        """Return where else missing events are, by uuid; of many some of each difference are looked for."""
        each = max(5, _MOST_SOUGHT // max(1, len(looked)))
        uuids = sorted(
            {uuid for one in looked for uuid in evenly(one.missing["uuid"].unique().sort().to_list(), each)}
        )
        if not uuids:
            return {}
        days, today = self.ledger.days, self.known.now.astimezone(UTC).date().isoformat()
        since, until = midnight(days[0]) - 2 * DAY, midnight(max(days[-1], today)) + 2 * DAY
        try:
            return await self.looking.sought(uuids, since, until)
        except TookTooLong:
            return {}

    def _come(self, sought: Mapping[str, Sequence[There]]) -> Counter[tuple[str, str]]:
        """Return how many events that are missing elsewhere are there of a day and a name."""
        return Counter(
            (there.timestamp[:10], there.event)
            for found in sought.values()
            for there in found
            if there.import_id == self.looking.import_id
        )

    def _hidden(
        self, looked: Collection[Difference], sought: Mapping[str, Sequence[There]]
    ) -> set[Difference]:
        """Return what is to be looked at, as events have come there from elsewhere: they may hide missing ones."""
        known = {one[:2]: one for one in self.tally.differences}
        at = {one[:2] for one in looked}
        days, found = dict[str, ByEvent](), set[Difference]()
        for (day, event), count in self._come(sought).items():
            one = known.get((day, event))
            if one is None and day in self.ledger.sent:
                if day not in days:
                    days[day] = self.ledger.of(day)
                planned = days[day].get(event, NONE)
                one = Difference(day, event, planned, planned)
            if one is not None and one[:2] not in at and _excess(one) < count:
                found.add(one)
        return found

    def _left(self, one: Difference, looked: Looked | None, sought: Mapping[str, Sequence[There]]) -> Left:
        """Return what of a difference is missing and nowhere else."""
        if looked is None:
            return Left(one, one.missing)
        rows = looked.missing
        missing = rows.height if looked.is_whole else max(one.missing, rows.height)
        fates = [
            self._fate(one, uuid, owner, sought)
            for uuid, owner in zip(rows["uuid"], rows["distinct_id"], strict=True)
        ]
        changed = [
            Example(one.day, one.event, uuid, now=fate)
            for uuid, fate in zip(rows["uuid"], fates, strict=True)
            if fate
        ]
        if not _doubled(one):  # else they are there once more
            changed += map(_of_other, looked.others)
        self.found.add(_CHANGED, len(changed), one.day, one.event, changed)
        gone = rows.filter(pl.Series([fate is None for fate in fates], dtype=pl.Boolean))
        return Left(one, max(0, missing - (rows.height - gone.height)), gone)

    def _fate(
        self, one: Difference, uuid: str, owner: str, sought: Mapping[str, Sequence[There]]
    ) -> str | None:
        """Return what a missing event is now, in words; none where it came meanwhile, None where it is nowhere."""
        found = [
            there
            for there in sought.get(uuid, ())
            # of one uuid several people may have an event each
            if not self._is_here(one, there)
            or there.distinct_id == owner
            or self.ledger.has_versions(one.day)
        ]
        if not found:
            return None
        if any(self._is_here(one, there) for there in found):
            return ""
        now = found[0]
        if now.event != one.event or now.timestamp[:10] != one.day:
            return f"{now.event} on {now.timestamp[:10]}"
        return "of no import" if now.import_id is None else f"of import {now.import_id}"

    def _is_here(self, one: Difference, there: There) -> bool:
        """Return whether an event is where a difference looked for it."""
        where = (there.timestamp[:10], there.event, there.import_id)
        return where == (one.day, one.event, self.looking.import_id)

    def _extra(self, one: Difference, looked: Looked | None, sought: Collection[str]) -> None:
        """Name what is there of the import and was not acknowledged."""
        if one.day in self.ledger.cleaned:
            return
        if looked is None:
            self.found.add(_ELSEWHERE, one.there.uuids - one.planned.uuids, one.day, one.event)
            return
        extra = [uuid for uuid in looked.extra if uuid not in sought]
        mine = self._known(one.day, extra)
        again = [uuid for uuid in extra if uuid in mine and not mine[uuid] & self.ledger.unsettled]
        strange = [uuid for uuid in extra if uuid not in mine]
        for judged, uuids in ((_AGAIN, again), (_ELSEWHERE, strange)):
            examples = [Example(one.day, one.event, uuid) for uuid in uuids[:_SHOWN]]
            self.found.add(judged, len(uuids), one.day, one.event, examples)

    def _known(self, day: str, uuids: Sequence[str]) -> dict[str, set[str]]:
        """Return under which days the plan has these uuids: under this one, and that which each carries."""
        by_day: dict[str, set[str]] = {day: {*uuids}} if uuids else {}
        for uuid in uuids:
            if (own := day_of(uuid)) is not None:
                by_day.setdefault(own, set()).add(uuid)
        found: dict[str, set[str]] = {}
        for own, some in by_day.items():
            for uuid in self.ledger.known(own, some):
                found.setdefault(uuid, set()).add(own)
        return found

    def _doubled(self, one: Difference, looked: Looked | None) -> None:
        """Name rows that are there more often than they were acknowledged."""
        others = looked.others[: _doubled(one)] if looked else []
        self.found.add(_AGAIN, len(others), one.day, one.event, map(_of_other, others))
        self.found.add(_DOUBLED, _doubled(one) - len(others), one.day, one.event)

    def _by_quota(
        self, missing: Sequence[Difference], left: Sequence[Left], quota: Quota, lately: Lately
    ) -> None:
        """Name what is missing with all after it, of what is `left` and of the days after."""
        for day in quota.edges:
            mine = [one for one in left if one.one.day == day]
            found = quota.at_edge(day, mine) if mine else None
            for one in mine if found else ():
                if found is not None and one.rows is not None:
                    is_last = pl.col("uuid").is_in(found[1]["uuid"].implode())
                    last, one.rows = one.rows.filter(is_last), one.rows.filter(~is_last)
                    one.missing -= last.height
                    self._add(found[0], one, last.height, last)
        for difference in (one for one in missing if quota.is_of(one)):
            young = lately.of(difference)
            self.found.add(lately.judged, young, difference.day, difference.event)
            judged = quota.judged(difference.day)
            self.found.add(judged, difference.missing - young, difference.day, difference.event)

    def _by_warnings(self, left: Sequence[Left]) -> None:
        """Name as dropped as many as PostHog has warned of."""
        for one in left:
            for judged, count in self.warned.take(one.one.event, one.missing).items():
                one.missing -= count
                self._add(judged, one, count)

    def _add(self, judged: Judged, left: Left, count: int, rows: pl.DataFrame | None = None) -> None:
        uuids = [] if rows is None else rows["uuid"].head(_SHOWN).to_list()
        examples = [Example(left.one.day, left.one.event, uuid) for uuid in uuids]
        self.found.add(judged, count, left.one.day, left.one.event, examples)


def evenly(values: Sequence[T], most: int) -> list[T]:
    """Return so many of the values at the most, evenly spread."""
    if len(values) <= most:
        return [*values]
    return [values[number * len(values) // most] for number in range(most)]


def _excess(one: Difference) -> int:
    """Return how many uuids are there that were not acknowledged, as far as numbers tell."""
    return one.there.uuids - one.planned.uuids


def _doubled(one: Difference) -> int:
    """Return how many rows are there beside those that were acknowledged, of the same uuids."""
    beside = one.there.events - one.there.uuids
    return max(0, beside - (one.planned.events - one.planned.uuids + one.planned.versions))


def _of_other(there: There) -> Example:
    return Example(there.timestamp, there.event, there.uuid, now=f"of {shortened(there.distinct_id)}")
