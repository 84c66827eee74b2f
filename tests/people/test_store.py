"""The store keeps what it is told, once, for the workdir that tells it or for all of them."""

import sqlite3
from datetime import UTC, datetime

import polars as pl
import pytest

from migrate.kit import schemas
from migrate.people.schema import APPLICATION_ID, PEOPLE_FILE
from migrate.people.store import Note, People

NOON = datetime(2024, 4, 3, 12, tzinfo=UTC)


def linked(*pairs):
    """Links between these ids, at noon."""
    rows = [{"kind": "linked", "a": a, "b": b, "why": "row", "time": NOON} for a, b in pairs]
    return pl.DataFrame(rows, schema=schemas.LINK_SCHEMA)


@pytest.fixture
def path(tmp_path):
    """Where a people's file may be."""
    return tmp_path / PEOPLE_FILE


def test_a_file_is_marked_as_ours(path):
    """So that one in a folder of exports is not taken for one of them."""
    People(path).close()
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)


def test_refused_links_are_counted_once(path):
    """However often rows repeat them."""
    with People(path) as people:
        for _ in range(2):
            people.add(linked(("a", "a"), ("b", "b"), ("c", "d")))
        assert people.refusals() == {"self_link": 2}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_what_has_a_time_anywhere_is_not_refused_for_having_none(path, order):
    """Whichever unit has the row without, in one go or over nights; what never has one is, once."""
    never, timed = linked(("c", "d")), linked(("a", "b"))
    nothing = pl.lit(None, schemas.TIMESTAMP).alias("time")
    units = [timed, timed.with_columns(nothing), pl.concat([never, never, timed]).with_columns(nothing)]
    for held in (True, False):
        with People(path, f"{held}") as people:
            for place in order:
                people.hold(units[place])
                if not held:
                    people.settle()
            people.settle()
            assert people.refusals() == {"no_time": 1}
            people.begin_again()


def test_files_are_gathered_by_the_workdir_that_reads_them(path):
    """Another workdir looks over its own, and their clocks are not added up."""
    clock = pl.DataFrame([("2024-04", 3600, 7)], schemas.CLOCK_SCHEMA, orient="row")
    with People(path, "one") as one, People(path, "two") as two:
        one.note_gathered({"a.csv": "s1"}, clock)
        two.note_gathered({"b.csv": "s2"}, clock)
        assert (one.gathered(), two.gathered()) == ({"a.csv": "s1"}, {"b.csv": "s2"})
        assert one.clock() == two.clock() == [("2024-04", 3600, 7)]
        one.forget_gathered(["a.csv", "b.csv"])
        assert (one.gathered(), two.gathered()) == ({}, {"b.csv": "s2"})


def test_a_transaction_holds_whole_or_not_at_all(path):
    """What is told in one that fails is not told."""
    with People(path) as people:

        def fail():
            with people.transaction():
                people.tell([Note("pu", 1, "digest")])
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        assert people.told(["pu"]) == []
        with people.transaction():
            people.tell([Note("pu", 1, "first")])
            people.tell([Note("pu", 2, "second")])
        assert people.told(["pu", "pv"]) == [Note("pu", 2, "second")]


def test_what_is_told_counts_for_all_workdirs_and_what_began_again_for_none(path):
    """A workdir of which nothing is planned forgets its links; what was told of persons stays."""
    with People(path, "one") as one, People(path, "two") as two:
        one.use("/one")
        two.use("/two")
        assert one.has_others()
        assert two.has_others()
        with one.transaction():
            one.tell([Note("pu", 1, "digest")])
        one.begin_again()
        assert two.told(["pu"]) == [Note("pu", 1, "digest")]
        assert not two.has_others()
