"""What rows and events tell of persons and groups: states, when and where people were seen, which groups there are."""

import json
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED

from migrate.kit import events, schemas
from migrate.kit.declare import Options, Table
from migrate.people import identity
from migrate.people.observed import groups_seen, states_in, when_seen, where_seen
from migrate.people.store import People


def at(hour):
    """A time of one day."""
    return datetime(2024, 4, 3, hour, tzinfo=UTC)


def seen(*rows):
    """Rows of an event frame, as far as it is looked at: who, the hour, and more columns."""
    frame = [
        {"_row": n, "distinct_id": who, "timestamp": at(hour)} | more
        for n, (who, hour, more) in enumerate(rows)
    ]
    return pl.DataFrame(frame, schema_overrides={"timestamp": schemas.TIMESTAMP})


def to_profiles(rows, _options):
    """What rows say of their person."""
    return events.profiles(
        rows,
        distinct_id=pl.col("who"),
        timestamp=pl.lit(at(1)),
        set=pl.lit('{"a":1}'),
        set_once=pl.lit('{"b":1}'),
    )


TABLE = Table(name="t", columns={}, matches=lambda _: True, to_events=events.none, to_profiles=to_profiles)


@pytest.mark.parametrize("resolves", [False, True])
def test_a_profile_goes_to_whom_its_id_is_resolved_to(resolves):
    """Unless the table resolves the ids of its rows itself: what it tells is the person's already."""
    rows = pl.LazyFrame({"_row": [1], "who": [" key "]})
    table = Table(**(vars(TABLE) | {"resolve": (lambda one, _: one) if resolves else None}))
    with People() as people:
        links = [("resolved", " key ", "anna", at(1), "test"), ("identified", None, "anna", at(1), "test")]
        people.add(pl.DataFrame(links, schemas.LINK_SCHEMA, orient="row"))
        identity.resolve(people, end=None)
        people_found = states_in(rows.with_columns(pl.col("who").str.strip_chars()), table, Options(), people)
    owner = "pkey" if resolves else "panna"
    assert people_found.frame.select("owner", "what", "told").rows() == [
        (owner, "state", '{"a":1}'),
        (owner, "once", '{"b":1}'),
    ]


@COMPARED
@given(hours=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 23)), min_size=1, max_size=12))
def test_people_were_seen_from_their_first_event_to_their_last(hours):
    """Each person of the events once with either, whatever the order of events."""
    found = when_seen(seen(*((who, hour, {}) for who, hour in hours)))
    times = {who: [at(hour) for one, hour in hours if one == who] for who, _ in hours}
    expected = {(f"p{who}", "first", min(all_of)) for who, all_of in times.items()}
    expected |= {(f"p{who}", "last", max(all_of)) for who, all_of in times.items()}
    rows = found.select("owner", "what", "timestamp").rows()
    assert (set(rows), len(rows)) == (expected, len(expected))


def test_where_nobody_is_there_is_no_place():
    """Events without a person, of placeholders, and events that know no place say nothing of where somebody was."""
    city = {"$geoip_city_name": "Bonn", "$process_person_profile": None}
    frame = seen(
        ("anna", 1, {"extra": city}),
        ("anna", 3, {"extra": city | {"$geoip_city_name": None}}),
        (" anna ", 2, {"extra": city | {"$geoip_city_name": "Ulm"}}),
        ("boris", 1, {"extra": city | {"$process_person_profile": False}}),
        ("undefined", 1, {"extra": city}),
    )
    assert where_seen(frame).select("owner", "timestamp", "told").rows() == [
        ("panna", at(2), '{"$geoip_city_name":"Ulm"}')
    ]
    assert where_seen(seen(("anna", 1, {"extra": {"x": "y"}}))).rows() == []


def test_a_group_is_there_from_its_first_event():
    """A key that is no text is its own JSON; without a key, or with one PostHog would refuse, there is none."""
    groups = [{"team": "red"}, {"team": 7, "shop": None}, {"team": "red"}, {"team": ""}, {"team": "k" * 401}]
    frame = seen(*(("u", 9 - n, {"groups": json.dumps(one)}) for n, one in enumerate(groups)))
    found = groups_seen(frame).select("owner", "timestamp", "distinct_id").rows()
    assert sorted(found) == [("gteam\x1f7", at(8), None), ("gteam\x1fred", at(7), None)]
    assert groups_seen(frame.with_columns(groups=pl.lit(None, pl.String))).rows() == []
