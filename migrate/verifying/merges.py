"""Some of the planned merges, evenly spread → whether PostHog has one person for both ids."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from migrate.asking import queries
from migrate.asking.api import Api
from migrate.verifying.counting import NAME
from migrate.verifying.ledger import Ledger

MOST: Final = 100
_AT_ONCE: Final = 200
"""Ids that one query names."""


class Merge(NamedTuple):
    """An event that makes one person of two ids."""

    day: str
    event: str
    uuid: str
    ids: tuple[str, str]


class _Properties(msgspec.Struct):
    anonymous: object = msgspec.field(default=None, name="$anon_distinct_id")
    alias: object = None


class _Event(msgspec.Struct):
    event: str
    distinct_id: str
    uuid: str
    properties: _Properties


def sample(ledger: Ledger, planned: Mapping[str, int], most: int = MOST) -> list[Merge]:
    """Return so many merges at the most, evenly spread over all of them; `planned` says how many a day has."""
    total = sum(planned.values())
    wanted = deque(
        sorted({number * total // most for number in range(most)} if total > most else range(total))
    )
    found: list[Merge] = []
    start = 0
    for day, count in sorted(planned.items()):
        if wanted and wanted[0] < start + count:
            found += _of_day(ledger, day, start, start + count, wanted)
        start += count
    return found


def _of_day(ledger: Ledger, day: str, start: int, end: int, wanted: deque[int]) -> Iterator[Merge]:
    """Yield those of a day's merges, numbered from `start` on, that are wanted."""
    for number, payload in enumerate(ledger.merging(day), start):
        if wanted and wanted[0] <= number < end:
            wanted.popleft()
            if one := _merge(day, payload):
                yield one
    while wanted and wanted[0] < end:  # duplicates are left out where they are counted
        wanted.popleft()


def _merge(day: str, payload: str) -> Merge | None:
    """Return the merge that an event is, if it is one."""
    try:
        one = msgspec.json.decode(payload.rstrip(","), type=_Event)
    except msgspec.DecodeError:
        return None
    other = one.properties.anonymous if one.event == "$identify" else one.properties.alias
    if not isinstance(other, str) or not other or other == one.distinct_id:
        return None
    return Merge(day, one.event, one.uuid, (one.distinct_id, other))


async def refused(api: Api, project: int | str, merges: Sequence[Merge]) -> list[Merge]:
    """Return those of the merges of which PostHog has not one person for both ids."""
    ids = sorted({name for one in merges for name in one.ids})
    people: dict[str, str] = {}
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        for distinct_id, person in await api.query(project, queries.persons(some), name=NAME):
            people[str(distinct_id)] = str(person)
    return [one for one in merges if len({people.get(name, name) for name in one.ids}) > 1]
