"""What a query sees of what was stored, and its rows: late, lost, doubled or hidden, as the script has it."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from migrate.sandbox.hogql import Sql
from migrate.sandbox.lapses import AnyLapse, Doubled, Lag, Lost, Project, RefusedMerges, Warned
from migrate.sandbox.moments import canonical
from migrate.sandbox.persons import People
from migrate.sandbox.store import Store

_MONTH: Final = timedelta(days=365.25 / 12)
_RELATIONS: Final = """
WITH told AS (SELECT * FROM events WHERE {visible}),
seen AS (SELECT * FROM told{doubled}),
person_distinct_ids AS (
  SELECT json_extract(value, '$[0]') AS distinct_id, json_extract(value, '$[1]') AS person_id FROM json_each(:people)
),
warnings AS (
  SELECT json_extract(value, '$[0]') AS type, json_extract(value, '$[1]') AS times, '9999' AS timestamp
  FROM json_each(:warned)
)
"""
_INDEX: Final = "CREATE INDEX IF NOT EXISTS by_time ON events (timestamp, event)"
"""Made when it is first asked: what nobody asks takes in more events a second."""
_MERGING: Final = "SELECT event, distinct_id, properties FROM events ORDER BY seq"


class Sight:
    """What queries see; it remembers what there was when each was asked, for those that see late."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._there: list[int] = []
        store.define("day_in", _day)
        store.define("time_in", _time)

    def rows(
        self, sql: Sql, lapses: Sequence[AnyLapse], project: Project, *, zone: str, now: datetime
    ) -> list[list[Any]]:
        """Return the rows of a query, its days and times in `zone`."""
        self._store.query(_INDEX)
        self._there.append(self._store.query("SELECT coalesce(max(seq), 0) FROM events")[0][0])
        visible, values = self._visible(lapses, project, now)
        doubled = "".join(
            f" UNION ALL SELECT * FROM told WHERE seq % {one.nth} = 0"  # noqa: S608 - a number
            for one in lapses
            if isinstance(one, Doubled)
        )
        values |= sql.values | {
            "zone": zone,
            "people": json.dumps(self.people(lapses) if "person_distinct_ids" in sql.text else []),
            "warned": json.dumps([(one.type, one.count) for one in lapses if isinstance(one, Warned)]),
        }
        text = _RELATIONS.format(visible=visible, doubled=doubled) + sql.text
        return [list(row) for row in self._store.query(text, values)]

    def people(self, lapses: Iterable[AnyLapse]) -> list[tuple[str, str]]:
        """Return each id with the id of its person."""
        refused = [one.distinct_id for one in lapses if isinstance(one, RefusedMerges)]
        people = People(None if None in refused else [one for one in refused if one])
        for event, distinct_id, properties in self._store.query(_MERGING):
            people.note(event, distinct_id, properties)
        return [*people.ids()]

    def _visible(
        self, lapses: Iterable[AnyLapse], project: Project, now: datetime
    ) -> tuple[str, dict[str, Any]]:
        """Return the condition for what is seen, and its values."""
        conditions, values = ["1"], dict[str, Any]()
        if project.events_retention_enforced and project.event_retention_months is not None:
            conditions.append("timestamp >= :floor")
            values["floor"] = canonical(now - project.event_retention_months * _MONTH)
        for number, lapse in enumerate(lapses):
            if isinstance(lapse, Lag):
                before = self._there[: max(0, len(self._there) - lapse.asks)]
                conditions.append(f"seq <= {before[-1] if before else 0}")
            if isinstance(lapse, Lost):
                lost, more = _lost(lapse, f"l{number}_")
                conditions.append(f"NOT ({lost})")
                values |= more
        return " AND ".join(conditions), values


def _lost(lapse: Lost, prefix: str) -> tuple[str, dict[str, Any]]:
    """Return the condition for what is lost, and its values under names of its own."""
    tests = {
        "day": (lapse.day, "day = "),
        "event": (lapse.event, "event = "),
        "distinct_id": (lapse.distinct_id, "distinct_id = "),
        "since": (lapse.since, "timestamp >= "),
    }
    given = {name: (value, test) for name, (value, test) in tests.items() if value is not None}
    conditions = [f"seq % {lapse.nth} = 0", *(f"{test}:{prefix}{name}" for name, (_, test) in given.items())]
    return " AND ".join(conditions), {f"{prefix}{name}": value for name, (value, _) in given.items()}


def _time(timestamp: str, zone: str) -> str:
    """Return a time of the store's as it is in a zone, in the form of answers."""
    if zone == "UTC":
        return timestamp
    return datetime.fromisoformat(timestamp).astimezone(ZoneInfo(zone)).isoformat(timespec="microseconds")


def _day(timestamp: str, zone: str) -> str:
    return _time(timestamp, zone)[:10]
