"""Sets of nodes come together as links say, two owners never, and each pair remembers since when."""

from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED

from migrate.people.forest import NONE, Forest

SIZE = 8
NODES = st.integers(0, SIZE - 1)
JOINS = st.lists(st.tuples(NODES, NODES), max_size=20)


def sets_of(forest):
    """The node that stands for each one's set."""
    return [forest.root(node) for node in range(SIZE)]


@COMPARED
@given(joins=JOINS, owners=st.sets(NODES))
def test_joined_sets_have_one_owner_at_most(joins, owners):
    """Two sets become one unless both have an owner, and the owner is the whole set's then."""
    forest = Forest(SIZE)
    sets = [{node} for node in range(SIZE)]
    for node in owners:
        forest.owner[node] = node
    for time, (one, other) in enumerate(joins):
        both = sets[one] | sets[other]
        may = sets[one] is sets[other] or len(both & owners) <= 1
        assert forest.join(one, other, time) == may
        for node in both if may else ():
            sets[node] = both
    for one in range(SIZE):
        assert {node for node, root in enumerate(sets_of(forest)) if root == forest.root(one)} == sets[one]
        assert forest.owner[forest.root(one)] == next(iter(sets[one] & owners), NONE)


@COMPARED
@given(joins=JOINS)
def test_two_nodes_remember_the_join_that_brought_them_together(joins):
    """The first after which they stand in one set, in whatever order one asks."""
    forest, expected = Forest(SIZE), {}
    for number, (one, other) in enumerate(joins):
        forest.join(one, other, 10 * number)
        roots = sets_of(forest)
        for a in range(SIZE):
            for b in range(SIZE):
                if a != b and roots[a] == roots[b]:
                    expected.setdefault((a, b), 10 * number)
    assert {pair: forest.since(*pair) for pair in expected} == expected


def test_what_was_merged_before_is_one_set_in_any_case():
    """Where both have an owner, the other's stays, whichever set is larger."""
    forest = Forest(4)
    forest.join(0, 2, 1)
    forest.join(0, 3, 2)
    forest.owner[forest.root(0)], forest.owner[1] = 0, 1
    forest.unite(0, 1, 3)
    assert {forest.root(node) for node in range(4)} == {forest.root(1)}
    assert forest.owner[forest.root(0)] == 1
