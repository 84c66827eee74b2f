"""When rules of the sandbox fire."""

import pytest

from migrate.errors import UsageError
from migrate.sandbox.script import Script

RULE = {"fault": "status", "status": 503}


def test_unknown_rules_are_refused():
    """A rule that is none is an error of usage, before any request."""
    with pytest.raises(UsageError, match="--faults: "):
        Script([{"kind": "no such fault"}])


def test_no_rules_never_fire():
    """Without rules no request is hit."""
    assert Script().fired() == []


@pytest.mark.parametrize(
    ("rule", "hit"),
    [
        pytest.param({}, "xxxxxx", id="each"),
        pytest.param({"after": 2}, "..xxxx", id="after the first two"),
        pytest.param({"every": 2}, ".x.x.x", id="every second"),
        pytest.param({"times": 2}, "xx....", id="twice"),
        pytest.param({"after": 1, "every": 2, "times": 2}, "..x.x.", id="all of it"),
    ],
)
def test_a_rule_fires_on_the_requests_it_names(rule, hit):
    """`after` leaves out the first requests, `every` counts from there, `times` ends it."""
    script = Script([RULE | rule])
    assert "".join("x" if script.fired() else "." for _ in hit) == hit


def test_the_same_seed_throws_the_same_dice():
    """Rules with a rate hit the same requests in two scripts of one seed, and others with another seed."""
    one, same, other = (Script([RULE | {"rate": 0.5, "seed": seed}]) for seed in (1, 1, 2))
    hits = [[bool(script.fired()) for _ in range(50)] for script in (one, same, other)]
    assert hits[0] == hits[1] != hits[2]
    assert set(hits[0]) == {True, False}
