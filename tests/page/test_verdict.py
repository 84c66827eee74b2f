"""The one sentence above all others."""

from dataclasses import replace

import pytest
from filled import Shape, made

from migrate.page.findings import Finding, Weight
from migrate.page.gathered import gather
from migrate.page.verdict import Verdict, verdict
from migrate.report.numbers import Events
from migrate.report.states import Found, State

AGAINST, LOOK = Finding(Weight.AGAINST, "a", "days"), Finding(Weight.LOOK, "b", "days")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """A plan of which nothing is sent."""
    with made(tmp_path_factory.mktemp("v"), Shape(days=3, names=1, planted=False, sent=False)) as checkpoint:
        return gather(checkpoint)


def test_it_says_what_speaks_against_it(found):
    """And what there is to look at; what is only to be known does not count."""
    start = "The plan is whole, and nothing of it is sent; "
    assert verdict(found, [Finding(Weight.KNOW, "c", "days")]) == Verdict(
        f"{start}nothing was found that speaks against sending it.", is_against=False
    )
    assert verdict(found, [LOOK]).sentence == f"{start}nothing speaks against sending it, 1 thing to look at."
    assert verdict(found, [AGAINST]) == Verdict(f"{start}1 thing speaks against sending it.", is_against=True)
    assert verdict(found, [AGAINST, AGAINST, LOOK]).sentence == (
        f"{start}2 things speak against sending it, 1 more to look at."
    )


@pytest.mark.parametrize(
    ("state", "events", "whole", "told"),
    [
        (State.HARMED, Events(9, pending=9), True, "The plan is harmed, and not to be sent as it is"),
        (
            State.RUNNING,
            Events(9, pending=9),
            True,
            "A command is at work here; these are the numbers so far",
        ),
        (
            State.PLANNING_STOPPED,
            Events(9, pending=9),
            False,
            "The plan is not whole, and not to be sent yet",
        ),
        (State.PLANNED_NOTHING, Events(), True, "Nothing is planned"),
        (State.ALL_SENT, Events(9, 7, held=2), True, "The plan is whole, and all of it that may be sent is"),
        (State.SENDING_STOPPED, Events(9, 7, pending=2), True, "The plan is whole, and a part of it is sent"),
    ],
)
def test_it_says_how_the_plan_is(found, state, events, whole, told):
    """By the gravest that holds."""
    numbers = replace(found.numbers, events=events, whole=whole)
    one = replace(found, numbers=numbers, found=[Found(state, "")])
    found_so = verdict(one, [])
    assert found_so.sentence.partition(";")[0] == told.partition(";")[0]
    against = "speaks against it" if state is State.ALL_SENT else "speaks against sending"
    assert [found_so.label(weight) for weight in Weight] == [against, "to look at", "to know"]
