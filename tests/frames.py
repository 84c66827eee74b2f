"""Event frames for tests, from plain rows."""

import json
from collections import Counter
from datetime import UTC, datetime

import polars as pl

from migrate import checks, payload
from migrate.events import OBJECT_COLUMNS, TEXT_COLUMNS, TIMESTAMP
from migrate.mapping import Table

NOON = datetime(2024, 4, 3, 12, tzinfo=UTC)
LATER = datetime(2025, 1, 1, tzinfo=UTC)
STAMP = payload.Stamp(platform="test", import_id="import-1")
FORCED = {
    "$geoip_disable": True,
    "historical_migration": True,
    "analytics_source": "test",
    "$import_job_id": "import-1",
}


def event_frame(*rows, structs=None):
    """Return an event frame; a row says what differs from an ordinary event, `structs` the types of objects."""
    ordinary = {"event": "e", "distinct_id": "u-1", "timestamp": NOON}
    full = [
        {"_row": number, "dedup_key": f"key-{number}"} | ordinary | row for number, row in enumerate(rows, 1)
    ]
    schema = {"_row": pl.Int64, "timestamp": TIMESTAMP} | dict.fromkeys(TEXT_COLUMNS, pl.String)
    objects = dict.fromkeys(OBJECT_COLUMNS, pl.String) | (structs or {})
    return pl.DataFrame(full, schema=schema | objects, orient="row")


def table(rename=None):
    """Return a table of which only the renames matter."""
    return Table(
        name="t",
        columns={},
        matches=lambda _: True,
        to_events=lambda rows, _: rows,
        rename=rename or {},
    )


def made(frame, rename=None):
    """Return what becomes of an event frame that passes the checks."""
    verdict = checks.checked(frame, LATER)
    assert verdict.rejects.height == 0
    return payload.payloads(verdict.frame, table(rename), STAMP)


def properties(frame, rename=None):
    """Return the properties of each payload as sent."""
    return [strict(text)["properties"] for text in made(frame, rename).frame["payload"]]


def strict(text):
    """Return a JSON text's value; no object may hold a key twice, no number be NaN."""

    def members(pairs):
        twice = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
        assert not twice, text
        return dict(pairs)

    return json.loads(text, object_pairs_hook=members, parse_constant=_never)


def _never(name):
    """Fail on a word that is no JSON."""
    raise AssertionError(name)
