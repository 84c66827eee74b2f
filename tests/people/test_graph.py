"""Ids that links hold together are read as numbers in a fixed order, and answers are written back by name."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from migrate.kit import schemas
from migrate.people.graph import linked_graph, resolved_graph
from migrate.people.store import People

NOON = datetime(2024, 4, 3, 12, tzinfo=UTC)


def links_of(*rows):
    """Links of a kind between two ids, at an hour."""
    frame = [
        {"kind": kind, "a": a, "b": b, "why": "row", "time": NOON + timedelta(hours=hour)}
        for kind, a, b, hour in rows
    ]
    return pl.DataFrame(frame, schema=schemas.LINK_SCHEMA)


@pytest.fixture
def people():
    """A store of a few links, told in no order."""
    with People() as opened:
        opened.add(
            links_of(("linked", "z-1", "b-1", 3), ("same", "m-1", "z-1", 1), ("resolved", "k-1", "b-1", 0))
        )
        yield opened


def test_edges_come_in_the_order_of_time(people):
    """Nodes are numbered in the order of their names; known is the person that is linked to."""
    with linked_graph(people, is_resolved=False) as graph:
        edges = [graph.names((one, other)) for one, other, _ in graph.edges()]
        assert edges == [["m-1", "z-1"], ["z-1", "b-1"]]
        assert graph.names(range(graph.size)) == ["b-1", "m-1", "z-1"]
        assert graph.names(graph.known()) == ["b-1"]


def test_answers_stand_for_the_ids_they_resolve(people):
    """Afterwards the store knows the person, and links are between those."""
    with resolved_graph(people) as graph:
        b, k = (graph.names(range(graph.size)).index(name) for name in ("b-1", "k-1"))
        graph.resolve([(k, b)])
    assert people.count_resolved() == 1
    assert people.persons(pl.Series(["k-1", "b-1"])).to_list() == ["b-1", None]


def test_merges_are_kept_by_the_input_that_made_them(people):
    """They come back by time; those of an input that was never planned whole are forgotten."""
    with linked_graph(people, is_resolved=False) as graph:
        b, m, z = range(3)
        graph.keep([(z, b, 20), (m, b, 10)], "(identity 1)")
        assert list(graph.merges("(identity 1)")) == [[("m-1", "b-1", 10), ("z-1", "b-1", 20)]]
    assert people.count_merges() == 2
    people.keep_planned(["(identity 1)"])
    assert people.count_merges() == 2
    people.keep_planned([])
    assert people.count_merges() == 0


def test_what_fails_midway_is_not_kept(people):
    """A transaction holds all of it."""

    def fail():
        with linked_graph(people, is_resolved=False) as graph:
            graph.keep([(1, 0, 5)], "(identity 1)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert people.count_merges() == 0
