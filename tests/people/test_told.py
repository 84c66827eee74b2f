"""What was told of persons and groups before is found again, and what is told now is noted."""

from datetime import UTC, datetime

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED

from migrate.kit.declare import ROW
from migrate.people.states import GROUP, PERSON, SCHEMA, STATE
from migrate.people.store import People
from migrate.people.told import notes_of, numbered, of_kind, told_before

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
    """Of the persons of a bucket and no others; under another mark nothing was told."""
    bucket = states(*((f"{PERSON}{one}", STATE, NOON) for one in now))
    noted = states(*((f"{PERSON}{one}", STATE, NOON) for one in before))
    digests = noted.with_columns(pl.format("of {}", "owner").alias("digest"))
    with People() as people:
        with people.transaction():
            people.tell(notes_of(digests, "m", "timestamp", "digest"))
        found = told_before(people, "m", bucket)
        assert sorted(found.rows()) == sorted(
            (f"{PERSON}{one}", MICROSECONDS, f"of {PERSON}{one}") for one in before if one in now
        )
        assert told_before(people, "n", bucket).rows() == []


def test_groups_are_not_asked_for():
    """A group that is called as a person is was not told before."""
    with People() as people:
        with people.transaction():
            people.tell([("macme", 1, "digest")])
        assert told_before(people, "m", states((f"{GROUP}acme", STATE, NOON))).rows() == []
        assert told_before(people, "m", states((f"{PERSON}acme", STATE, NOON))).rows() == [
            (f"{PERSON}acme", 1, "digest")
        ]


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
