"""How a person first came: the first of each name, told on the first event of any of their ids, and not twice."""

import itertools
import json
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from jsonvalues import COMPARED, OBJECTS, same

from migrate.kit import schemas
from migrate.people import identity
from migrate.people.firsts import completed, first_seen, first_touches, firsts_of
from migrate.people.statefiles import Buckets, States
from migrate.people.states import COLUMNS, FIRST, ONCE
from migrate.people.store import People
from migrate.people.touches import Touches
from migrate.workdir.seals import Kept


def at(hour):
    """A time of one day."""
    return datetime(2024, 4, 3, hour, tzinfo=UTC)


def states(*rows):
    """States of persons: kind, whose, the hour, and what is told."""
    full = [
        (number, f"p{who}", what, None if hour is None else at(hour), who, text and json.dumps(text))
        for number, (what, who, hour, text) in enumerate(rows)
    ]
    return pl.DataFrame(full, {"_row": pl.Int64, **COLUMNS}, orient="row")


@pytest.fixture
def people():
    """People without a file."""
    with People() as people:
        yield people


NIGHTS = itertools.count(1)
"""Each night is an input of its own name, as `plan` calls them."""


def touched(tmp_path, people, *rows):
    """What a night tells of how people first came: when, of whom, what."""
    written = States(tmp_path / "states")
    written.write(states(*rows))
    written.close()
    found = []
    with people.transaction() as db:
        touches = Touches(people, db, f"(first touches {next(NIGHTS)})")
        buckets = Buckets([Kept.of(written.path)], tmp_path / "aside", people)
        for news in first_touches(buckets, touches):
            touches.add(news.touches)
            told = news.frame.select("timestamp", "distinct_id", "set_once").rows()
            found += [(time.hour, who, json.loads(text)) for time, who, text in told]
    return found


@COMPARED
@given(first=OBJECTS, other=OBJECTS)
def test_an_object_is_completed_with_what_it_lacks(first, other):
    """Its own members count and stand first."""
    found = json.loads(completed(json.dumps(first), json.dumps(other)))
    assert same(found, other | first)
    assert [*found] == [*first, *(name for name in other if name not in first)]


def test_of_several_things_told_of_a_person_the_first_of_each_name_counts():
    """By time, what is of the export last; the time is the first one's."""
    bucket = states(
        (ONCE, "anna", None, {"a": 3, "c": 3}),
        (ONCE, "anna", 2, {"a": 1}),
        (ONCE, "anna", 5, {"a": 2, "b": 2}),
        (FIRST, "anna", 1, None),
        (ONCE, "boris", None, {"d": 1}),
    )
    found = firsts_of(bucket.drop("_row")).rows()
    assert [(owner, time, json.loads(text)) for owner, time, text in found] == [
        ("panna", at(2), {"a": 1, "b": 2, "c": 3}),
        ("pboris", None, {"d": 1}),
    ]


def test_a_person_was_first_seen_at_the_earliest_of_all_events():
    """One of whom there is no event was not seen."""
    bucket = states((FIRST, "anna", 4, None), (FIRST, "anna", 3, None), (ONCE, "boris", 1, {"a": 1}))
    assert first_seen(bucket.drop("_row")).rows() == [("panna", at(3))]


def test_it_is_told_at_the_first_event_once_for_ever(tmp_path, people):
    """Not of those without an event; a later night tells nothing, whatever it knows."""
    night = [(ONCE, "anna", 5, {"a": 1}), (FIRST, "anna", 3, None), (ONCE, "boris", 1, {"b": 1})]
    assert touched(tmp_path, people, *night) == [(3, "anna", {"a": 1})]
    assert touched(tmp_path, people, (ONCE, "anna", 1, {"a": 0, "z": 9}), (FIRST, "anna", 1, None)) == []


def test_a_person_came_as_an_id_of_theirs_that_it_was_told_of(tmp_path, people):
    """What was told before goes first: it would win when PostHog merges the two."""
    assert touched(tmp_path, people, (ONCE, "d-1", 2, {"from": "ad"}), (FIRST, "d-1", 2, None)) == [
        (2, "d-1", {"from": "ad"})
    ]
    links = [("linked", "d-1", "anna", at(4), "test")]
    people.add(pl.DataFrame(links, schemas.LINK_SCHEMA, orient="row"))
    identity.resolve(people, end=None)
    list(identity.new_merges(people, "(identity 1)", 10))
    later = [(ONCE, "anna", 4, {"from": "mail", "to": "shop"}), (FIRST, "anna", 4, None)]
    assert touched(tmp_path, people, *later) == [(4, "anna", {"from": "ad", "to": "shop"})]
