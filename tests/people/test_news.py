"""Of states what was not told before is told: the latest of a person, each change of a group."""

import json
from datetime import UTC, datetime

import polars as pl
import pytest

from migrate.kit import schemas
from migrate.people import identity
from migrate.people.news import latest_news
from migrate.people.statefiles import Buckets, States
from migrate.people.states import COLUMNS, FIRST, LAST, ONCE, PLACE_SEEN, STATE
from migrate.people.store import People
from migrate.people.touches import Touches
from migrate.workdir.seals import Kept

END = datetime(2024, 5, 1, tzinfo=UTC)


def at(hour):
    """A time of one day."""
    return None if hour is None else datetime(2024, 4, 3, hour, tzinfo=UTC)


@pytest.fixture
def people():
    """People without a file."""
    with People() as people:
        yield people


def merge(people, anonymous, identified):
    """Make an anonymous id a known person's."""
    links = [("linked", anonymous, identified, at(1), "test")]
    people.add(pl.DataFrame(links, schemas.LINK_SCHEMA, orient="row"))
    identity.resolve(people, end=None)
    list(identity.new_merges(people, "(identity 1)", 10))


def night(tmp_path, people, *rows, end=END):
    """What these states tell anew, kept as told: the whole events, each a dict."""
    full = [
        (n, owner, what, at(hour), owner[1:] if owner[0] == "p" else None, told)
        for n, (owner, what, hour, told) in enumerate(rows)
    ]
    written = States(tmp_path / "states")
    written.write(pl.DataFrame(full, {"_row": pl.Int64, **COLUMNS}, orient="row"))
    written.close()
    found = []
    with people.transaction() as db:
        touches = Touches(people, db, "night")
        buckets = Buckets([Kept.of(written.path)], tmp_path / "aside", people)
        for news in latest_news(buckets, people, touches, end):
            people.tell(news.notes)
            touches.add(news.touches)
            found += news.frame.iter_rows(named=True)
    return found


def told(events, *columns):
    """These columns of events; objects opened."""
    texts = {"set", "set_once", "properties"}
    return [
        tuple(json.loads(one[name]) if name in texts and one[name] else one[name] for name in columns)
        for one in events
    ]


def test_a_state_is_news_by_what_it_says_not_by_how_it_is_written(tmp_path, people):
    """Another order of keys or spelling of a number is the same state; another value is not."""
    night(tmp_path, people, ("panna", STATE, 1, '{"a":1,"b":"x"}'))
    assert night(tmp_path, people, ("panna", STATE, 2, '{"b": "x", "a": 1.0}')) == []
    changed = night(tmp_path, people, ("panna", STATE, 3, '{"b":"x","a":"1"}'))
    assert told(changed, "distinct_id", "timestamp", "set") == [("anna", at(3), {"b": "x", "a": "1"})]


def test_what_merged_ids_were_told_last_completes_a_person(tmp_path, people):
    """The latest of all of them wins name by name; a place is one, and not made of two."""
    merge(people, "phone", "anna")
    found = night(
        tmp_path,
        people,
        ("pphone", STATE, 1, '{"plan":"free","os":"iOS"}'),
        ("panna", STATE, 2, '{"plan":"pro"}'),
        ("panna", PLACE_SEEN, 1, '{"$geoip_city_name":"Bonn","$geoip_country_code":"DE"}'),
        ("pphone", PLACE_SEEN, 2, '{"$geoip_country_code":"FR"}'),
    )
    whole = {"plan": "pro", "os": "iOS", "$geoip_country_code": "FR"}
    assert told(found, "event", "distinct_id", "set") == [("$set", "anna", whole)]


def test_who_has_no_events_came_as_is_told_in_the_end(tmp_path, people):
    """Together with their state, once; who has events is told of by their first, not here."""
    rows = [
        ("panna", ONCE, None, '{"from":"ad"}'),
        ("panna", STATE, 2, '{"a":1}'),
        ("pboris", ONCE, 1, '{"from":"mail"}'),
        ("pboris", FIRST, 1, None),
    ]
    found = night(tmp_path, people, *rows)
    assert told(found, "distinct_id", "timestamp", "set", "set_once") == [
        ("anna", END, {"a": 1}, {"from": "ad"})
    ]
    assert night(tmp_path, people, *rows) == []


def test_a_state_without_a_time_and_an_end_has_none(tmp_path, people):
    """Whoever plans it has to ask for one; who was seen has the time of that."""
    rows = [("panna", STATE, None, '{"a":1}'), ("pboris", STATE, None, '{"b":1}'), ("pboris", LAST, 5, None)]
    found = night(tmp_path, people, *rows, end=None)
    assert told(found, "distinct_id", "timestamp") == [("anna", None), ("boris", at(5))]


def test_a_group_is_told_of_as_server_libraries_do(tmp_path, people):
    """Under an id made of type and key; each change in the order of time, and a group of which nothing else is told."""
    found = night(
        tmp_path,
        people,
        ("gteam\x1fred", STATE, 3, '{"n":2}'),
        ("gteam\x1fred", STATE, 1, '{"n":1}'),
        ("gteam\x1fred", STATE, 2, '{"n":1.0}'),
        ("gteam\x1fblue", FIRST, 4, None),
        ("gteam\x1fred", FIRST, 1, None),
    )
    team = {"$group_type": "team", "$group_key": "red"}
    assert sorted(told(found, "event", "distinct_id", "timestamp", "properties"), key=str) == [
        ("$groupidentify", "$team_blue", at(4), team | {"$group_key": "blue", "$group_set": {}}),
        ("$groupidentify", "$team_red", at(1), team | {"$group_set": {"n": 1}}),
        ("$groupidentify", "$team_red", at(3), team | {"$group_set": {"n": 2}}),
    ]
    later = night(tmp_path, people, ("gteam\x1fred", STATE, 2, '{"n":9}'), ("gteam\x1fblue", FIRST, 1, None))
    assert later == []
