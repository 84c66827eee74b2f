"""Whose ids are: events that merge, in order of arrival → people, as ingestion makes them."""

import json
from collections.abc import Iterable, Iterator
from typing import Final
from uuid import NAMESPACE_OID, uuid5

_OTHER: Final = {
    "$identify": "$anon_distinct_id",
    "$create_alias": "alias",
    "$merge_dangerously": "alias",
}
"""An event that merges -> the property that holds the other id (posthog-ingestion.md §3.7)."""


class People:
    """People and their ids; `refuses` says of which ids merges are refused."""

    def __init__(self, refuses: Iterable[str] | None = ()) -> None:
        self._refuses = None if refuses is None else {*refuses}
        """None: of all."""
        self._above: dict[str, str] = {}
        self._identified: set[str] = set()

    def note(self, event: str, distinct_id: str, properties: str) -> None:
        """Note an event."""
        held = json.loads(properties)
        other = held.get(_OTHER.get(event, ""))
        if other and isinstance(other, str) and other != distinct_id:
            self._merge(distinct_id, other, is_forced=event == "$merge_dangerously")
        elif held.get("$process_person_profile") is not False:
            self._above.setdefault(distinct_id, distinct_id)

    def ids(self) -> Iterator[tuple[str, str]]:
        """Yield each id with the id of its person, a uuid."""
        for distinct_id in sorted(self._above):
            yield distinct_id, str(uuid5(NAMESPACE_OID, self._top(distinct_id)))

    def _merge(self, into: str, other: str, *, is_forced: bool) -> None:
        """Make one person of two ids, unless the other one is somebody known already."""
        for one in (into, other):
            self._above.setdefault(one, one)
        mine, theirs = self._top(into), self._top(other)
        is_known = theirs in self._identified and not is_forced
        self._identified.add(mine)
        if mine != theirs and not is_known and not self._is_refused(into, other):
            self._above[theirs] = mine

    def _is_refused(self, *ids: str) -> bool:
        return self._refuses is None or not self._refuses.isdisjoint(ids)

    def _top(self, one: str) -> str:
        while (above := self._above[one]) != one:
            one = above
        return one
