"""What is new of groups is told, late states included, and nothing twice."""

import json
from datetime import UTC, datetime

import polars as pl
import pytest

from migrate.people.group_news import group_news
from migrate.people.states import FIRST, GROUP, SCHEMA, STATE
from migrate.people.store import People
from migrate.people.told import Known
from migrate.people.touches import Touches

ACME = f"{GROUP}company{chr(0x1F)}acme"


def day(number):
    """A time of that day."""
    return datetime(2024, 4, number, 12, tzinfo=UTC)


def states(*told):
    """States of one group: what is said, and when; None is that there is one."""
    rows = [
        {
            "owner": ACME,
            "what": STATE if fields else FIRST,
            "timestamp": when,
            "told": json.dumps(fields or {}),
        }
        for fields, when in told
    ]
    return pl.DataFrame(rows, SCHEMA)


def night(people, *told):
    """Plan a night; what is told, in order."""
    found = []
    with people.transaction() as db:
        known = Known.of(states(*told), Touches(people, db, "night"), people)
    for news in group_news(known, day(30)):
        with people.transaction():
            people.tell(news.notes)
        events = news.frame.sort("timestamp").iter_rows(named=True)
        found += [
            (one["timestamp"].day, json.loads(one["laid"] or one["properties"])["$group_set"])
            for one in events
        ]
    return found


@pytest.fixture
def people():
    """A project's people, of whom nothing is known."""
    with People() as opened:
        yield opened


def test_changes_are_told_once(people):
    """What is equal to what was told before is not told again, on this night or a later one."""
    assert night(people, ({"seats": 5}, day(1)), ({"seats": 5}, day(2)), ({"seats": 6}, day(3))) == [
        (1, {"seats": 5}),
        (3, {"seats": 6}),
    ]
    assert night(people, ({"seats": 6}, day(4))) == []


def test_a_group_of_which_nothing_is_said_is_told_to_be_there(people):
    """Once, and not where something is said of it."""
    assert night(people, (None, day(2))) == [(2, {})]
    assert night(people, (None, day(3))) == []


def test_a_late_state_tells_only_what_nothing_newer_says(people):
    """PostHog keeps of each name what it is sent last."""
    night(people, ({"seats": 5}, day(1)), ({"seats": 5}, day(10)))
    assert night(people, ({"seats": 9, "plan": "pro"}, day(5))) == [(5, {"plan": "pro"})]
    assert night(people, ({"seats": 9}, day(6))) == []
