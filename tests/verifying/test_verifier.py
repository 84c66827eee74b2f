"""What PostHog acknowledged beside what it has: what was taken out is named, and nothing is where nothing is wrong."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from imported import BEGIN, IMPORT, causes, events, sent, store, verified

from migrate.asking import api
from migrate.sandbox.server import Sandbox
from migrate.verifying.patience import Patience
from migrate.verifying.verdict import Merges

COUNT = 4_000
"""Events of five days: every 108 s one, of 40 people, seven in a row each, and of four names in turn."""
DAYS = [(BEGIN + timedelta(days=n)).date().isoformat() for n in range(5)]
OWN = "json_extract(properties, '$.\"$import_job_id\"')"


@pytest.fixture(autouse=True)
def _no_limit(monkeypatch):
    """As many questions a second as it takes."""
    monkeypatch.setattr(api, "A_SECOND", 10_000.0)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An import and the sandbox that has all of it: (checkpoint, sandbox, its folder)."""
    folder = tmp_path_factory.mktemp("import")
    with Sandbox(folder / "sandbox") as sandbox, sent(folder / "work", sandbox, events(COUNT)) as checkpoint:
        with store(folder / "sandbox") as db:
            db.execute("CREATE TABLE kept AS SELECT * FROM events")
        yield checkpoint, sandbox, folder / "sandbox"


def after(whole, *changes, rules=(), **choices):
    """The verdict when these changes were made behind PostHog's back; they are undone."""
    checkpoint, sandbox, folder = whole
    with store(folder) as db:
        for change in changes:
            db.execute(change)
    sandbox.faults([*rules])
    try:
        return verified(checkpoint, sandbox, **choices)
    finally:
        sandbox.faults([])
        with store(folder) as db:
            db.execute("DELETE FROM events")
            db.execute("INSERT INTO events SELECT * FROM kept")


def test_nothing_is_said_where_nothing_is_wrong(whole):
    """All is there; two requests find the project, one counts, one asks for warnings."""
    verdict = after(whole)
    assert (verdict.passes, verdict.findings, verdict.planned, verdict.there) == (
        True,
        (),
        (COUNT, COUNT),
        (COUNT, COUNT),
    )
    assert (verdict.days, verdict.unseen, verdict.not_compared) == (5, (), {})


WAYS = {
    "some, by their uuids": (["DELETE FROM events WHERE seq % 97 = 5"], {"unexplained": 42}),
    "a day": ([f"DELETE FROM events WHERE day = '{DAYS[2]}'"], {"unexplained": 800}),
    "an event": (["DELETE FROM events WHERE event = 'order'"], {"unexplained": 1000}),
    "a person": (["DELETE FROM events WHERE distinct_id = 'u7'"], {"unexplained": 105}),
    "from a moment on": (
        [f"DELETE FROM events WHERE timestamp >= '{DAYS[3]}T18:00'"],
        {"quota": 1000},
    ),
    "the last hours": ([f"DELETE FROM events WHERE timestamp >= '{DAYS[4]}T18:00'"], {"quota": 200}),
    "an hour": ([f"DELETE FROM events WHERE timestamp GLOB '{DAYS[1]}T07*'"], {"unexplained": 33}),
    "each tenth of an event": (
        ["DELETE FROM events WHERE event = 'seen' AND seq % 20 = 1"],
        {"unexplained": 200},
    ),
    "all of a way of its own": (["DELETE FROM events WHERE event = '$exception'"], {"lane": 1000}),
    "all": (["DELETE FROM events"], {"quota": 4000}),
    "another name": (
        ["UPDATE events SET event = 'renamed' WHERE seq IN (10, 20, 30)"],
        {"changed_since": 3},
    ),
    "another day": (
        [
            f"UPDATE events SET timestamp = '2024-04-10T00:00:00.000000Z', day = '2024-04-10' WHERE seq IN (10, 11)"
        ],
        {"changed_since": 2},
    ),
    "another import": (
        ['UPDATE events SET properties = \'{"$import_job_id":"other"}\' WHERE seq IN (10, 11)'],
        {"changed_since": 2},
    ),
    "twice": (
        [
            "INSERT INTO events SELECT seq + 10000, received_at, uuid, event, distinct_id, timestamp, day, properties, "
            "historical, request FROM events WHERE seq % 100 = 0"
        ],
        {"duplicates_not_merged": 40},
    ),
    "once more, for another person": (
        [
            "INSERT INTO events SELECT seq + 10000, received_at, uuid, event, 'other', timestamp, day, properties, "
            "historical, request FROM events WHERE seq % 1000 = 0"
        ],
        {"changed_since": 4},
    ),
    "more of the same import": (
        [
            "INSERT INTO events SELECT seq + 10000, received_at, '018ea000-0000-7000-8000-000000000001', event, "
            "distinct_id, timestamp, day, properties, historical, request FROM events WHERE seq = 7"
        ],
        {"sent_elsewhere": 1},
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_each_way_to_lose_events_is_named(whole, way):
    """With the number of events, and an example that is one of them."""
    changes, expected = WAYS[way]
    verdict = after(whole, *changes)
    print(verdict.document())
    assert causes(verdict) == expected
    assert verdict.passes == (set(expected) <= {"duplicates_not_merged"})
