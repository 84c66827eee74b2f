"""What queries see of what was stored: all of it, or less, or more, as the script has it."""

import json
from datetime import UTC, datetime

import pytest
from asks import rows
from posting import NOW, batch, event, post

from migrate.asking import queries
from migrate.sandbox.server import Sandbox

SINCE, UNTIL = datetime(2024, 4, 1, tzinfo=UTC), datetime(2024, 5, 1, tzinfo=UTC)
COUNTS = queries.counts(SINCE, UNTIL, "history")
EVENTS = [
    event(
        uuid=f"018ea3c1-0000-7000-8000-00000000000{number}",
        event="seen" if number % 2 else "bought",
        distinct_id=f"u{number % 3}",
        timestamp=f"2024-04-0{number}T01:30:00.250000Z",
        properties={"$import_job_id": "history"} if number != 5 else {},
    )
    for number in range(1, 6)
]
DAYS = [[f"2024-04-0{number}", "seen" if number % 2 else "bought", 1, 1] for number in range(1, 5)]


@pytest.fixture
def sandbox():
    """A sandbox with five events, one of them of another origin."""
    with Sandbox(now=lambda: NOW) as running:
        post(running, batch(*EVENTS))
        yield running


def without(*places):
    """The days of all events but these."""
    return [row for place, row in enumerate(DAYS, 1) if place not in places]


SEEN = {
    "all": ([], DAYS),
    "each second is lost": ([{"fault": "lost", "nth": 2}], without(2, 4)),
    "a day is lost": ([{"fault": "lost", "day": "2024-04-03"}], without(3)),
    "a name is lost": ([{"fault": "lost", "event": "bought"}], without(2, 4)),
    "an id is lost": ([{"fault": "lost", "distinct_id": "u1"}], without(1, 4)),
    "lost from a time on": ([{"fault": "lost", "since": "2024-04-03"}], without(3, 4)),
    "lost, all told": ([{"fault": "lost", "event": "seen", "distinct_id": "u1"}], without(1)),
    "doubled": ([{"fault": "doubled", "nth": 3}], [*DAYS[:2], [*DAYS[2][:2], 2, 1], DAYS[3]]),
    "hidden by retention": (
        [{"fault": "project", "event_retention_months": 21, "events_retention_enforced": True}],
        without(1, 2),
    ),
    "retention that is not enforced": ([{"fault": "project", "event_retention_months": 1}], DAYS),
}


@pytest.mark.parametrize(("rules", "expected"), SEEN.values(), ids=SEEN.keys())
def test_what_is_there_is_counted_by_day_and_name(sandbox, rules, expected):
    """Rows, and distinct uuids among them."""
    sandbox.faults(rules)
    assert rows(sandbox, COUNTS) == [expected]


def test_events_come_late(sandbox):
    """They are seen so many queries after the first one that came after them, and are there to stay."""
    sandbox.faults([{"fault": "lag", "asks": 2}])
    assert rows(sandbox, COUNTS, COUNTS, COUNTS, COUNTS) == [[], [], DAYS, DAYS]


def test_events_are_told_apart_by_origin_and_uuid(sandbox):
    """All forms agree; a uuid that is asked for is found whoever sent it; of no events the time is 1970."""
    ids = [one["uuid"] for one in EVENTS]
    (listed, after, there, others, none, bounds) = rows(
        sandbox,
        queries.uuids(SINCE, UNTIL, "seen", "history"),
        queries.uuids(SINCE, UNTIL, "seen", "history", after=ids[0]),
        queries.there(SINCE, UNTIL, [ids[4], "00000000-0000-0000-0000-000000000000"]),
        queries.newest(SINCE, but="history"),
        queries.newest(UNTIL),
        queries.bounds("history"),
    )
    assert listed == [
        [ids[0], "u1", "2024-04-01T01:30:00.250000Z", "history"],
        [ids[2], "u0", "2024-04-03T01:30:00.250000Z", "history"],
    ]
    assert after == listed[1:]
    assert there == [[ids[4], "seen", "u2", "2024-04-05T01:30:00.250000Z", None]]
    assert others == [["2024-04-05T01:30:00.250000Z", 1]]
    assert none == [["1970-01-01T00:00:00.000000Z", 0]]
    assert bounds == [["2024-04-01T01:30:00.250000Z", "2024-04-04T01:30:00.250000Z", 4]]


def test_persons_are_asked_for_by_id_and_events_by_person(sandbox):
    """A merge makes one person of ids; one that is refused does not."""
    merge = event(event="$identify", distinct_id="u0", uuid=..., properties={"$anon_distinct_id": "u1"})
    post(sandbox, batch(merge))
    (found,) = rows(sandbox, queries.persons(["u0", "u1", "u2", "nobody"]))
    person = dict(found)
    assert person["u0"] == person["u1"] != person["u2"]
    assert person.keys() == {"u0", "u1", "u2"}
    (newest,) = rows(sandbox, queries.newest_of(person.values(), but="history"))
    assert {one: count for one, _, count in newest} == {person["u0"]: 1, person["u2"]: 1}
    sandbox.faults([{"fault": "refused_merges", "distinct_id": "u1"}])
    assert len({person for _, person in rows(sandbox, queries.persons(["u0", "u1", "u2"]))[0]}) == 3


def test_warnings_are_those_it_is_told_of(sandbox):
    """By type."""
    sandbox.faults([{"fault": "warned", "type": "event_dropped_too_old", "count": 7}])
    assert rows(sandbox, queries.warnings(SINCE)) == [[["event_dropped_too_old", 7]]]


def test_days_are_the_projects_where_nobody_asks_for_utc(sandbox):
    """That is what the modifier is for, which the client always sends: without it days are others."""
    sandbox.faults([{"fault": "project", "timezone": "America/New_York"}])
    assert rows(sandbox, COUNTS) == [DAYS]
    body = {"query": {"kind": "HogQLQuery", "query": COUNTS}}
    _, text = post(sandbox, body, "/api/projects/1/query/", Authorization="Bearer phx_aaaaaaaa")
    names = ["bought", "seen", "bought"]  # the first of April is outside of the month there
    assert json.loads(text)["results"] == [
        [f"2024-04-0{day}", name, 1, 1] for day, name in enumerate(names, 1)
    ]
