"""Whose ids are, as ingestion makes people of them."""

import json

import pytest

from migrate.sandbox.persons import People

CASES = {
    "nobody merges": ([("e", "a", {}), ("e", "b", {})], [["a"], ["b"]]),
    "identified": ([("e", "d", {}), ("$identify", "u", {"$anon_distinct_id": "d"})], [["d", "u"]]),
    "an id of two users": (
        [("$identify", "u", {"$anon_distinct_id": "d"}), ("$identify", "v", {"$anon_distinct_id": "d"})],
        [["d", "u"], ["v"]],
    ),
    "a device between": (
        [("$identify", "u", {"$anon_distinct_id": "d"}), ("$identify", "u", {"$anon_distinct_id": "e"})],
        [["d", "e", "u"]],
    ),
    "two users": (
        [("$identify", "u", {"$anon_distinct_id": "d"}), ("$create_alias", "v", {"alias": "u"})],
        [["d", "u"], ["v"]],
    ),
    "two users, forced": (
        [("$identify", "u", {"$anon_distinct_id": "d"}), ("$merge_dangerously", "v", {"alias": "u"})],
        [["d", "u", "v"]],
    ),
    "of no one": ([("e", "x", {"$process_person_profile": False})], []),
    "no text": ([("$identify", "u", {"$anon_distinct_id": 7})], [["u"]]),
}


def people(events, refuses=()):
    """The ids of each person."""
    found = People(refuses)
    for event, distinct_id, properties in events:
        found.note(event, distinct_id, json.dumps(properties))
    by_person = {}
    for distinct_id, person in found.ids():
        by_person.setdefault(person, []).append(distinct_id)
    return sorted(by_person.values())


@pytest.mark.parametrize(("events", "expected"), CASES.values(), ids=CASES.keys())
def test_ids_that_are_merged_are_one_person(events, expected):
    """An identified person is merged into no other one, unless it is forced; who has no profile is nobody."""
    assert people(events) == expected


def test_merges_may_be_refused():
    """All, or those of an id; the ids stay people of their own."""
    events = [("$identify", "u", {"$anon_distinct_id": one}) for one in ("d", "e")]
    assert people(events, None) == [["d"], ["e"], ["u"]]
    assert people(events, ["d"]) == [["d"], ["e", "u"]]
