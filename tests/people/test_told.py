"""What was told of persons and groups before is found again, and what is told now is noted."""

from datetime import UTC, datetime

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED

from migrate.kit import expr
from migrate.kit.declare import ROW
from migrate.people.schema import Note
from migrate.people.states import GROUP, PERSON, PLACE_OF, SCHEMA, STATE
from migrate.people.store import People
from migrate.people.told import NOTED, Known, key_after, numbered, of_kind
from migrate.people.touches import Touches

NOON = datetime(2024, 4, 3, 12, tzinfo=UTC)
MICROSECONDS = int(NOON.timestamp()) * 1_000_000
IDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)


def states(*told):
    """States; of each is told whose it is, what it is and when, or only whose it is."""
    rows = [{"owner": one[0], "what": one[1], "timestamp": one[2], "told": "{}"} for one in told]
    return pl.DataFrame(rows, SCHEMA)


@COMPARED
@given(before=st.lists(IDS, unique=True, max_size=5), now=st.lists(IDS, unique=True, max_size=5))
def test_what_was_noted_is_found_again_under_its_mark(before, now):
    """Of the persons who are asked for and no others; under another mark nothing was told."""
    with People() as people:
        with people.transaction() as db:
            for mark in (PERSON, GROUP):
                people.tell(Note(f"{mark}{one}", MICROSECONDS, f"{mark} of {one}", times=1) for one in before)
            touches = Touches(people, db, "now")
            touches.add((one, MICROSECONDS, "{}") for one in before)
            owners = states(*((f"{mark}{one}", STATE, NOON) for mark in (PERSON, GROUP) for one in now))
            known = Known.of(owners, touches, people)
            others = Known.of(owners, touches)
        expected = sorted(one for one in before if one in now)
        for mark, found in ((PERSON, known.of_persons(PERSON)), (GROUP, known.of_groups())):
            assert found.schema == NOTED
            assert sorted(found.select("owner", "told_time", "known", "times").rows()) == [
                (f"{mark}{one}", MICROSECONDS, f"{mark} of {one}", 1) for one in expected
            ]
        assert known.of_persons(PLACE_OF).rows() == []
        assert sorted(known.touched) == sorted(others.touched) == [f"{PERSON}{one}" for one in expected]
        assert others.of_groups().rows() == []  # nobody was asked


def test_an_event_that_tells_again_has_another_key():
    """The first telling has the key it always had; each later one its own, the same on every run."""
    frame = pl.DataFrame({"owner": ["a"] * 4, "times": [None, 0, 1, 2]})
    keys = frame.select(key_after(pl.col("owner")).alias("key"))["key"].to_list()
    assert keys[0] == keys[1] == frame.select(expr.key(pl.col("owner")))["owner"][0]
    assert len({*keys}) == 3


def test_states_of_a_kind_stand_in_order():
    """By owner, then by time, those as of the export last; of persons, or of those with another mark."""
    told = [
        (f"{PERSON}b", STATE, None),
        (f"{PERSON}b", STATE, NOON),
        (f"{GROUP}a", STATE, NOON),
        (f"{PERSON}a", "first", NOON),
        (f"{PERSON}a", STATE, NOON),
    ]
    chosen = of_kind(states(*told), STATE)
    assert chosen.select("owner", "timestamp").rows() == [
        (f"{PERSON}a", NOON),
        (f"{PERSON}b", NOON),
        (f"{PERSON}b", None),
    ]
    assert of_kind(states(*told), STATE, GROUP)["owner"].to_list() == [f"{GROUP}a"]
    rows = numbered(chosen).collect()
    assert rows[ROW].to_list() == [1, 2, 3]
    assert rows.schema[ROW] == pl.Int64
    assert rows.drop(ROW).equals(chosen)
