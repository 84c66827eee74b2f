"""HogQL of exactly the forms that migrate sends → SQL over what the sandbox has; any other is refused in a sentence.

A query is its skeleton, in which each text is `?` and each list of texts `?*`, and the texts. Skeletons are looked up
whole: what is selected, of which table, in which order, under which conditions.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from math import inf
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from migrate.sandbox.moments import canonical

DEFAULT_ROWS: Final = 100
"""Rows of an answer where the query has no LIMIT."""
MOST_ROWS: Final = 50_000
WARNINGS: Final = "system.ingestion_warnings"
_EPOCH: Final = "'1970-01-01T00:00:00.000000Z'"
"""What ClickHouse gives as the least or the greatest time of no rows."""
_TEXT: Final = re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL)
_LIST: Final = re.compile(r" in \(\?(?:, \?)*\)")
_STARS: Final = re.compile(r"\*+")
_SHAPE: Final = re.compile(
    r"select (?P<select>.+) from (?P<table>\S+)(?: where (?P<where>.+?))?(?P<tail>(?: (?:group|order) by .+?)*)"
    r"(?: limit (?P<limit>\d+))?;?"
)


class Unknown(Exception):  # noqa: N818 - an answer to the client, not a failure of this program
    """A query of none of the forms, or with what none of them may have."""


class Sql(NamedTuple):
    """What to run over the relations `seen`, `person_distinct_ids` and `warnings`, and what comes of it."""

    text: str
    values: dict[str, Any]
    table: str
    columns: list[str]
    types: list[str]
    hours: float
    """How long a time of events it looks at; infinite where it has no bounds."""


class _Form(NamedTuple):
    select: str
    table: str
    tail: str
    sql: str
    """The columns in SQL."""
    source: str
    types: str


_IMPORT: Final = "json_extract(properties, '$.\"$import_job_id\"')"
_DAY: Final = "day_in(timestamp, :zone)"
_TIME: Final = "time_in(timestamp, :zone)"
_NEWEST: Final = f"time_in(coalesce(max(timestamp), {_EPOCH}), :zone)"
_OLDEST: Final = f"time_in(coalesce(min(timestamp), {_EPOCH}), :zone)"
_JOINED: Final = "seen JOIN person_distinct_ids USING (distinct_id)"
_FORMS: Final = [
    _Form(
        "toDate(timestamp) as day, event, count() as events, count(distinct uuid) as uuids",
        "events",
        "group by day, event order by day, event",
        f"{_DAY} AS day, event, count(*), count(DISTINCT uuid)",
        "seen",
        "Date String UInt64 UInt64",
    ),
    _Form(
        "toString(uuid) as id, distinct_id, timestamp, properties.$import_job_id as import_id",
        "events",
        "order by id",
        f"uuid AS id, distinct_id, {_TIME}, {_IMPORT}",
        "seen",
        "String String DateTime64(6,'UTC') Nullable(String)",
    ),
    _Form(
        "toString(uuid) as id, event, distinct_id, timestamp, properties.$import_job_id as import_id",
        "events",
        "order by id",
        f"uuid AS id, event, distinct_id, {_TIME}, {_IMPORT}",
        "seen",
        "String String String DateTime64(6,'UTC') Nullable(String)",
    ),
    _Form(
        "distinct_id, toString(person_id) as person",
        "person_distinct_ids",
        "",
        "distinct_id, person_id",
        "person_distinct_ids",
        "String String",
    ),
    _Form(
        "type, count() as warnings",
        WARNINGS,
        "group by type order by type",
        "type, sum(times)",
        "warnings",
        "String UInt64",
    ),
    _Form(
        "max(timestamp) as newest, count() as events",
        "events",
        "",
        f"{_NEWEST}, count(*)",
        "seen",
        "DateTime64(6,'UTC') UInt64",
    ),
    _Form(
        "toString(person_id) as person, max(timestamp) as newest, count() as events",
        "events",
        "group by person order by person",
        f"person_id AS person, {_NEWEST}, count(*)",
        _JOINED,
        "String DateTime64(6,'UTC') UInt64",
    ),
    _Form(
        "min(timestamp) as oldest, max(timestamp) as newest, count() as events",
        "events",
        "",
        f"{_OLDEST}, {_NEWEST}, count(*)",
        "seen",
        "DateTime64(6,'UTC') DateTime64(6,'UTC') UInt64",
    ),
]
_SINCE: Final = "timestamp >= toDateTime(?)"
_UNTIL: Final = "timestamp < toDateTime(?)"
_CONDITIONS: Final = {
    _SINCE: "timestamp >= {}",
    _UNTIL: "timestamp < {}",
    "event = ?": "event = {}",
    "properties.$import_job_id = ?": f"{_IMPORT} = {{}}",
    "(properties.$import_job_id is null or properties.$import_job_id != ?)": f"ifnull({_IMPORT} != {{}}, 1)",
    "uuid in (?*)": "uuid IN (SELECT value FROM json_each({}))",
    "toString(uuid) > ?": "uuid > {}",
    "distinct_id in (?*)": "distinct_id IN (SELECT value FROM json_each({}))",
    "person_id in (?*)": "person_id IN (SELECT value FROM json_each({}))",
}
"""A condition's skeleton -> SQL, with the place of its texts."""


def translated(query: str, *, zone: str) -> Sql:
    """Return a query as SQL; times without a zone in it are of `zone`. Raises Unknown."""
    skeleton, texts = _taken_apart(query)
    found = _SHAPE.fullmatch(skeleton)
    form = found and next(
        (
            one
            for one in _FORMS
            if (found["select"], found["table"], found["tail"].strip()) == (one.select, one.table, one.tail)
        ),
        None,
    )
    if found is None or form is None:
        known = "; ".join(f"{one.select}, of {one.table}, {one.tail or 'in no order'}" for one in _FORMS)
        raise Unknown(
            f"this sandbox answers what migrate asks and nothing else, found '{skeleton[:200]}'; it knows: {known}"
        )
    given = _conditions(found["where"], iter(texts), zone)
    values = {f"v{place}": value for place, value in enumerate(given.values())}
    wheres = [_CONDITIONS[one].format(f":v{place}") for place, one in enumerate(given)]
    limit = min(int(found["limit"] or DEFAULT_ROWS), MOST_ROWS)
    where = f" WHERE {' AND '.join(wheres)}" if wheres else ""
    text = f"SELECT {form.sql} FROM {form.source}{where} {form.tail} LIMIT {limit}"  # noqa: S608 - our own words
    columns = [one.rpartition(" ")[2] for one in form.select.split(", ")]
    return Sql(text, values, form.table, columns, form.types.split(" "), _hours(given))


def _taken_apart(query: str) -> tuple[str, list[str]]:
    """Return a query's skeleton and its texts in order; blanks are one blank each."""
    texts = [re.sub(r"\\(.)", r"\1", one, flags=re.DOTALL) for one in _TEXT.findall(query)]
    skeleton = " ".join(_TEXT.sub("?", query).split())
    return _LIST.sub(lambda one: f" in (?{'*' * one[0].count('?')})", skeleton), texts


def _conditions(where: str | None, texts: Iterator[str], zone: str) -> dict[str, str]:
    """Return the conditions by their skeletons, with what is compared: a text, a time of the store's, a JSON list."""
    found: dict[str, str] = {}
    for one in where.split(" and ") if where else []:
        bare = _STARS.sub("*", one)
        if bare not in _CONDITIONS or bare in found:
            raise Unknown(
                f"this sandbox knows no condition '{one}', or not twice; it knows: {'; '.join(_CONDITIONS)}"
            )
        if "*" in one:
            found[bare] = json.dumps([next(texts) for _ in range(one.count("*"))])
        else:
            found[bare] = _moment(next(texts), zone) if "toDateTime" in bare else next(texts)
    return found


def _moment(text: str, zone: str) -> str:
    """Return a time in UTC as the store has it; one without a zone is of `zone`."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Unknown(f"not a time, found '{text}'; times are YYYY-MM-DD hh:mm:ss") from None
    return canonical(found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone)))


def _hours(given: Mapping[str, str]) -> float:
    bounds = [datetime.fromisoformat(given[one]) for one in (_SINCE, _UNTIL) if one in given]
    return inf if len(bounds) < len((_SINCE, _UNTIL)) else (bounds[1] - bounds[0]) / timedelta(hours=1)
