"""Who becomes whom is what the payloads ask PostHog for."""

import json

from migrate.people.identity import Report
from migrate.serving.rows import payload
from migrate.serving.who import persons, told


def said(event, person, **properties):
    """What is known of a payload."""
    return payload(json.dumps({"event": event, "distinct_id": person, "properties": properties}))


def test_persons_have_the_ids_that_become_theirs():
    """By each of the events that merge, once each; others merge nothing."""
    found = [
        said("$identify", "ada", **{"$anon_distinct_id": "d-1"}),
        said("$create_alias", "ada", alias="d-2"),
        said("$identify", "ada", **{"$anon_distinct_id": "d-1"}),
        said("$merge_dangerously", "bob", alias=7),
        said("$identify", "eve"),
        said("paid", "eve", alias="x"),
    ]
    listed = [{"person": "ada", "ids": ["d-1", "d-2"]}, {"person": "bob", "ids": ["7"]}]
    assert persons(found) == {"persons": listed, "of": 2}


def test_many_are_counted():
    """And the first listed."""
    found = persons(said("$identify", f"u{n}", **{"$anon_distinct_id": f"d{n}"}) for n in range(300))
    assert (len(found["persons"]), found["of"]) == (200, 300)


def test_people_are_told_in_the_words_of_the_dry_run():
    """Where anything is known of them."""
    assert told(None) == told(Report()) == []
    (line,) = told(Report(people=1, links=2, merges=1))
    said = "people   1 known: 2 links between ids, 1 merge planned, 0 ids resolved by the source itself"
    assert line.text == said
