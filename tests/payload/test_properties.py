"""What stands inside of `properties`, the stronger before the weaker, and what is told of persons as the user wants."""

import json
from collections import Counter

import polars as pl
import pytest
from frames import event_frame, table
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED

from migrate.payload import special
from migrate.payload.properties import as_wanted, inner, sound, watched

FORCED = {"$geoip_disable": True}
EXTRA = {"extra": pl.Struct({"x": pl.String, "y": pl.String})}
MEMBERS = st.dictionaries(
    st.sampled_from(["$set", "$set_once", "$unset", "a"]), st.just({"k": 1}) | st.just("text")
)
PERSONS = st.none() | st.dictionaries(st.sampled_from(["k", "l"]), st.integers(0, 3), min_size=1)


def text(value):
    """A value's JSON; nothing of none."""
    return json.dumps(value) if value else None


def whole(frame, forced=FORCED):
    """The properties of each event of a sound frame."""
    pieces = inner(frame, frame.schema, forced, Counter())
    rows = pieces.select(
        pl.concat_str(pl.lit("{"), *(pl.col(name).fill_null("") for name in pieces.columns), pl.lit("}"))
    )
    return [json.loads(row) for row in rows.to_series()]


def test_the_stronger_of_two_of_a_name_stands_there_and_where_it_is_null_the_weaker():
    """What the source itself has, what is computed, what tells of persons, what every event gets, in this order."""
    own = text({"x": "own", "y": "own", "$set": {"own": 1}, "$geoip_disable": False, "$lib": "own"})
    frame = event_frame(
        {"laid": '{"a":1}', "own": own, "extra": {"x": "computed", "y": None}, "set": '{"mine":1}'},
        {"own": own, "extra": {"x": None, "y": None}},
        {"laid": "{}", "extra": {"x": None, "y": "computed"}},
        structs=EXTRA,
    )
    first, second, third = whole(frame)
    assert first == {
        "a": 1,
        "x": "computed",
        "y": "own",
        "$set": {"mine": 1},
        "$geoip_disable": True,
        "$lib": "own",
    }
    assert second == {"x": "own", "y": "own", "$set": {"own": 1}, "$geoip_disable": True, "$lib": "own"}
    assert third.pop("$lib_version")
    assert third == {"y": "computed", "$geoip_disable": True, "$lib": "posthog-migrate"}


def test_objects_that_a_mapping_made_are_laid_beside_what_the_reader_laid():
    """Under their new names; what is computed takes a name from them, and what stands for no object is none."""
    frame = event_frame(
        {"laid": '{"a":1}', "rest": ' {"old":2,"gone":3,"x":4} ', "extra": {"x": "c", "y": None}},
        {"rest": " null ", "properties": "", "extra": {"x": None, "y": None}},
        structs=EXTRA,
    )
    made = sound(frame, table({"old": "new", "gone": None}), FORCED, Counter())
    first, second = whole(made)
    assert {name: first.get(name) for name in ("a", "new", "x", "old", "gone")} == {
        "a": 1,
        "new": 2,
        "x": "c",
        "old": None,
        "gone": None,
    }
    assert {*second} == {"$geoip_disable", "$lib", "$lib_version"}


@COMPARED
@given(own=MEMBERS, told=PERSONS, once=PERSONS)
def test_told_once_nothing_overwrites_what_a_project_knows(own, told, once):
    """All that would is told as `$set_once`, in which what was so already counts; what is left out is counted."""
    counts = Counter()
    frame = event_frame({"own": text(own), "set": text(told), "set_once": text(once)})
    found = as_wanted(frame, "set_once", counts).row(0, named=True)
    bags = {name: own[name] for name in ("$set", "$set_once") if isinstance(own.get(name), dict)}
    expected = bags.get("$set", {}) | (told or {}) | bags.get("$set_once", {}) | (once or {})
    assert found["set"] is None
    assert json.loads(found["set_once"] or "{}") == expected
    assert json.loads(found["own"] or "{}") == {name: own[name] for name in own if name == "a"}
    left = {name[1:] for name in ("$set", "$set_once", "$unset") if name in own and name not in bags}
    assert +counts == Counter(f"{name}_left_out" for name in left)


@COMPARED
@given(own=MEMBERS, told=PERSONS, once=PERSONS)
def test_told_never_nothing_is_said_of_persons(own, told, once):
    """Each event of which something is left out is counted once; told as it is, nothing changes."""
    counts = Counter()
    frame = event_frame({"own": text(own), "set": text(told), "set_once": text(once)})
    found = as_wanted(frame, "none", counts).row(0, named=True)
    assert (found["set"], found["set_once"]) == (None, None)
    assert json.loads(found["own"] or "{}") == {name: own[name] for name in own if name == "a"}
    assert counts["person_properties_left_out"] == bool(told or once or {*own} - {"a"})
    assert as_wanted(frame, "set", counts) is frame


@pytest.mark.parametrize(
    ("row", "is_found"),
    [
        ({"laid": '{"a":[{"NAME":1}]}'}, True),
        ({"laid": '{"a":"\\"NAME\\""}'}, False),
        ({"laid": '{"a":1}'}, False),
        ({"set": '{"NAME":1}'}, True),
    ],
    ids=["inside", "a text", "none", "of a person"],
)
def test_names_that_posthog_treats_apart_are_found_at_any_depth(row, is_found):
    """A text that only says such a name is no name."""
    name = min(one for one in special.WATCHED if one.startswith("$"))
    frame = event_frame({key: value.replace("NAME", name) for key, value in row.items()})
    assert (name in watched(frame, frame.schema, {})) is is_found
    assert name in watched(frame, frame.schema, {"other": name})
