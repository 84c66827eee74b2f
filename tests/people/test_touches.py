"""How people first came is told once for ever, and an heir knows what was told of the ids merged into theirs."""

import polars as pl
import pytest

from migrate.kit import schemas
from migrate.people import identity
from migrate.people.store import People
from migrate.people.touches import Touches


@pytest.fixture
def people():
    """People without a file."""
    with People() as people:
        yield people


def merge(people, *pairs):
    """Merge anonymous ids into known ones."""
    rows = [{"kind": "linked", "a": a, "b": b, "why": "row", "time": 0} for a, b in pairs]
    people.add(pl.DataFrame(rows, schema=schemas.LINK_SCHEMA))
    identity.resolve(people, end=None)
    list(identity.new_merges(people, "(identity 1)", 10))


def told(people, name, *notes):
    """Note what is told with an input."""
    with people.transaction() as db:
        Touches(people, db, name).add(notes)


def known(people, *ids):
    """Of which of these ids it was told."""
    with people.transaction() as db:
        return sorted(Touches(people, db, "later").known(ids))


def test_what_was_told_first_stays(people):
    """A later note of the same id changes nothing; of an id that was not asked for nothing is said."""
    told(people, "one", ("anna", 5, '{"a":1}'), ("boris", 5, "{}"))
    told(people, "two", ("anna", 1, '{"a":2}'))
    merge(people, ("anna", "anna s"))
    assert known(people, "anna", "carla") == ["anna"]
    with people.transaction() as db:
        assert Touches(people, db, "x").inherited(["anna s"]) == [("anna s", '{"a":1}')]


def test_an_heir_has_what_was_told_of_merged_ids_in_order_of_time(people):
    """Of their own it is not said again, nor what is told only now."""
    told(people, "one", ("tv", 9, '{"t":1}'), ("phone", 3, '{"p":1}'), ("anna", 1, '{"a":1}'))
    merge(people, ("tv", "anna"), ("phone", "anna"), ("tablet", "boris"))
    with people.transaction() as db:
        touches = Touches(people, db, "two")
        touches.add([("tablet", 1, "{}")])
        assert touches.inherited(["anna", "boris"]) == [("anna", '{"p":1}'), ("anna", '{"t":1}')]


def test_what_was_never_planned_is_forgotten(people):
    """As a killed process leaves it: the input is not among those that are planned."""
    told(people, "planned", ("anna", 1, "{}"))
    told(people, "killed", ("boris", 1, "{}"))
    people.keep_planned(["planned"])
    assert known(people, "anna", "boris") == ["anna"]
