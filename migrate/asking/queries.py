"""Every question in HogQL that is asked, word for word; nothing is asked that does not stand here.

Times are UTC, which holds only with the modifier that `Api.query` sends. A range is [since, until). HogQL gives 100
rows unless LIMIT asks for more, and never more than `MOST_ROWS`: whoever may meet more asks on, by key.

    rows = await api.query(1, queries.counts(since, until, "history"), name="counts")
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

MOST_ROWS: Final = 50_000
"""Rows of an answer at the most (posthog-ingestion.md §9.6)."""

_IS_OF: Final = "properties.$import_job_id = {}"
_IS_OF_OTHERS: Final = "(properties.$import_job_id is null or properties.$import_job_id != {})"
_COUNTS: Final = (
    "select toDate(timestamp) as day, event, count() as events, count(distinct uuid) as uuids from events "
    "where {where} group by day, event order by day, event limit {limit}"
)
_UUIDS: Final = (
    "select toString(uuid) as id, distinct_id, timestamp, properties.$import_job_id as import_id from events "
    "where {where} order by id limit {limit}"
)
_THERE: Final = (
    "select toString(uuid) as id, event, distinct_id, timestamp, properties.$import_job_id as import_id from events "
    "where {where} order by id limit {limit}"
)
_PERSONS: Final = (
    "select distinct_id, toString(person_id) as person from person_distinct_ids where {where} limit {limit}"
)
_WARNINGS: Final = (
    "select type, count() as warnings from system.ingestion_warnings where {where} group by type order by type "
    "limit {limit}"
)
_NEWEST: Final = "select max(timestamp) as newest, count() as events from events where {where}"
_NEWEST_OF_PERSONS: Final = (
    "select toString(person_id) as person, max(timestamp) as newest, count() as events from events "
    "where {where} group by person order by person limit {limit}"
)
_BOUNDS: Final = (
    "select min(timestamp) as oldest, max(timestamp) as newest, count() as events from events where {where}"
)


def counts(since: datetime, until: datetime, import_id: str) -> str:
    """Ask what of an import there is, by UTC day and event: day, event, rows, distinct uuids."""
    return _asked(_COUNTS, *_span(since, until), _IS_OF.format(text(import_id)))


def uuids(since: datetime, until: datetime, event: str, import_id: str, *, after: str = "") -> str:
    """Ask for the events of an import that have one name: uuid, distinct_id, timestamp, import id; in order of uuid.

    `after`: the last uuid of the answer before, where that had `MOST_ROWS` rows.
    """
    where = [*_span(since, until), f"event = {text(event)}", _IS_OF.format(text(import_id))]
    return _asked(_UUIDS, *where, *([f"toString(uuid) > {text(after)}"] if after else []))


def there(since: datetime, until: datetime, ids: Iterable[str]) -> str:
    """Ask which uuids are there, of any origin: uuid, event, distinct_id, timestamp, import id."""
    return _asked(_THERE, *_span(since, until), f"uuid in {texts(ids)}")


def persons(distinct_ids: Iterable[str]) -> str:
    """Ask whose ids are: distinct_id, person id. An id without a person has no row."""
    return _asked(_PERSONS, f"distinct_id in {texts(distinct_ids)}")


def warnings(since: datetime) -> str:
    """Ask what ingestion has warned of since then: type, how often. Not every PostHog has this table."""
    return _asked(_WARNINGS, f"timestamp >= {moment(since)}")


def newest(since: datetime, *, but: str | None = None) -> str:
    """Ask for events since then: the newest one's time, how many; `but` those of an import."""
    return _asked(_NEWEST, f"timestamp >= {moment(since)}", *_others(but))


def newest_of(person_ids: Iterable[str], *, but: str) -> str:
    """Ask for events of persons but those of an import: person id, the newest one's time, how many; of none no row."""
    return _asked(_NEWEST_OF_PERSONS, f"person_id in {texts(person_ids)}", *_others(but))


def is_of(since: datetime, until: datetime, import_id: str) -> str:
    """Return what holds of the events of an import in a range, and of no other event."""
    return " and ".join([*_span(since, until), _IS_OF.format(text(import_id))])


def every_uuid(since: datetime, until: datetime, import_id: str, *, after: str = "") -> str:
    """Return the query that people give PostHog for the uuids of an import, in their order; it is never asked here."""
    where = f"{is_of(since, until, import_id)} and toString(uuid) > {text(after)}"
    return f"select distinct uuid from events where {where} order by toString(uuid) limit {MOST_ROWS}"  # noqa: S608 - quoted


def bounds(import_id: str) -> str:
    """Ask when the events of an import are: the oldest one's time, the newest one's, how many."""
    return _asked(_BOUNDS, _IS_OF.format(text(import_id)))


def text(value: str) -> str:
    """Return a text as HogQL reads it."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def texts(values: Iterable[str]) -> str:
    """Return several texts as the right side of `in`."""
    return f"({', '.join(map(text, values))})"


def moment(value: datetime) -> str:
    """Return a time as HogQL reads it, to the second, which all bounds are."""
    return f"toDateTime('{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}')"


def _span(since: datetime, until: datetime) -> list[str]:
    return [f"timestamp >= {moment(since)}", f"timestamp < {moment(until)}"]


def _others(import_id: str | None) -> list[str]:
    return [] if import_id is None else [_IS_OF_OTHERS.format(text(import_id))]


def _asked(form: str, *where: str) -> str:
    return form.format(where=" and ".join(where), limit=MOST_ROWS)
