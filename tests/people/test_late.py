"""Ids whose events may be planned under themselves are merged once it is resolved whose they are."""

from datetime import UTC, datetime

import polars as pl
import pytest

from migrate.kit import schemas
from migrate.people import identity
from migrate.people.store import People

NOON = datetime(2024, 4, 3, 12, tzinfo=UTC)
MICROSECONDS = int(NOON.timestamp()) * 1_000_000
END = MICROSECONDS + 7
KEY = f"{schemas.KEY}1"


@pytest.fixture
def people():
    """People without a file."""
    with People() as people:
        yield people


def night(people, *told, end):
    """The merges that links of kind, a, b and time come to."""
    rows = [(*link, "test") for link in told]
    people.add(pl.DataFrame(rows, schema=schemas.LINK_SCHEMA, orient="row"))
    identity.resolve(people, end=end)
    return [
        one
        for found in identity.new_merges(people, "(identity)", 10)
        if isinstance(found, list)
        for one in found
    ]


@pytest.mark.parametrize(("time", "at"), [(NOON, MICROSECONDS), (None, END)], ids=["its own time", "the end"])
def test_an_id_that_stayed_its_own_is_merged_when_its_key_is_resolved(people, time, at):
    """At the time of the resolution, or without one at the end of what was planned."""
    assert night(people, ("own", "d-1", KEY, NOON), end=None) == []
    assert night(people, ("resolved", KEY, "anna", time), ("identified", None, "anna", NOON), end=END) == [
        ("d-1", "anna", at)
    ]


def test_an_id_that_is_resolved_only_now_is_merged(people):
    """Its events may be planned; a key that is no id has no events of its own."""
    assert night(people, ("identified", None, "anna", NOON), end=None) == []
    news = [("resolved", "d-1", "anna", None), ("resolved", KEY, "anna", None)]
    assert night(people, *news, end=END) == [("d-1", "anna", END)]


def test_what_is_resolved_from_the_start_needs_no_merge(people):
    """Nothing was planned before; and on the next night it is no news."""
    links = [("resolved", "d-1", "anna", NOON), ("identified", None, "anna", NOON)]
    assert night(people, *links, end=None) == []
    assert night(people, *links, end=END) == []
