"""What is planned anew takes the place of what was planned before: restored where it is the same, else replaced."""

from collections import Counter
from dataclasses import replace

import polars as pl
import pytest
from workdirs import events

from migrate.workdir import renewal, rounds
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.dayfile import names
from migrate.workdir.days import DayWriter
from migrate.workdir.records import Numbers, Renewed, Settled
from migrate.workdir.seals import Kept, Seal


@pytest.fixture
def checkpoint(tmp_path):
    """The checkpoint of a new workdir."""
    with Checkpoint.open(tmp_path, create=True) as made:
        yield made


def plan(checkpoint, frame, **digests):
    """Plan sources together, by name, with these digests; with states, as all that has persons."""
    checkpoint.register(digests)
    first, *beside = (
        checkpoint.inputs()[name]._replace(stamp=f"stamp of {digest}", digest=digest)
        for name, digest in digests.items()
    )
    writer = DayWriter(checkpoint.workdir, first.id)
    writer.write(frame)
    numbers = Numbers(read=frame.height, mapped=frame.height, names=Counter(frame["event"].to_list()))
    states = checkpoint.workdir / "states" / f"{first.id:08d}.states"
    states.parent.mkdir(exist_ok=True)
    states.touch()
    checkpoint.note_planned(first, numbers, writer.finish(), beside=beside, states=Kept.of(states))
    return first.id


def planned(checkpoint):
    """What is planned: the names of sources and their digests, events by day and by name, files of states."""
    return (
        {name: one.digest for name, one in checkpoint.inputs().items()},
        checkpoint.by_day(),
        checkpoint.numbers().names,
        [states.path.name for states in checkpoint.states()],
    )


def named(checkpoint, lead):
    """How many events of each name the files of an input hold that are not sent."""
    parts = renewal.unsent(checkpoint, [lead])
    return sum((names(checkpoint.workdir / part.path) for part in parts), Counter())


def test_what_was_planned_before_keeps_its_place_under_another_name(checkpoint):
    """Each time under another one; the source itself is to be planned, after all that are known."""
    plan(checkpoint, events(5), a="1")
    plan(checkpoint, events(5, start=5), b="1")
    renewal.supersede(checkpoint, ["a"])
    assert checkpoint.unplanned() == ["a"]
    second = plan(checkpoint, events(6), a="2")
    renewal.supersede(checkpoint, ["a"])
    assert [(name, one.digest) for name, one in checkpoint.inputs().items()] == [
        ("a (planned before, 1)", "1"),
        ("b", "1"),
        ("a (planned before, 2)", "2"),
        ("a", ""),
    ]
    assert renewal.superseded(checkpoint) == []
    third = plan(checkpoint, events(7), a="3")
    assert renewal.superseded(checkpoint) == [("a", second, third)]


def test_what_is_planned_anew_takes_those_with_it_that_were_planned_with_it(checkpoint):
    """But for what goes alone: all where the plan is whole, and else what told of people what it had to tell."""
    told = plan(checkpoint, events(9), a="1", b="1")
    checkpoint.note_told()
    waiting = plan(checkpoint, events(9, start=9), c="1", d="1")
    assert (told, renewal.untold(checkpoint)) == (1, {waiting})
    assert renewal.together(checkpoint, ["a", "x"]) == ["a", "b"]
    assert renewal.together(checkpoint, ["c"], ["a"]) == ["a", "c", "d"]
    assert renewal.apart(checkpoint, ["a", "c", "x"]) == {"a", "c"}
    checkpoint.note(planning=True)
    assert renewal.apart(checkpoint, ["a", "c", "x"]) == {"a"}


def test_what_is_superseded_is_named_once_it_is_planned_anew(checkpoint):
    """With the leads of both, also of a source that was planned beside another; until it is settled."""
    before = plan(checkpoint, events(9), a="1", b="1", c="1")
    renewal.supersede(checkpoint, ["a", "b", "c"])
    assert renewal.superseded(checkpoint) == []
    now = plan(checkpoint, events(9), a="1", b="2")
    both = [("a", before, now), ("b", before, now)]
    assert renewal.superseded(checkpoint) == both
    alone = plan(checkpoint, events(9), c="1")
    assert renewal.superseded(checkpoint) == [*both, ("c", before, alone)]
    assert renewal.digests(checkpoint, before) == {"a": "1", "b": "1", "c": "1"}
    assert renewal.digests(checkpoint, now) == {"a": "1", "b": "2"}
    assert renewal.renewed(checkpoint, before, now) == [
        Renewed(1, 4, is_same=True, is_same_time=True),
        Renewed(2, 5, is_same=False, is_same_time=True),
    ]
    with checkpoint.change() as db:
        db.execute("UPDATE inputs SET until = '2024-04-02' WHERE id = 5")
    assert [one.is_same_time for one in renewal.renewed(checkpoint, before, now)] == [True, False]
    with checkpoint.change() as db:
        assert renewal.names(db, now) == ["a", "b"]
        renewal.forget_superseded(db, ["a", "b"])
    assert renewal.superseded(checkpoint) == [("c", before, alone)]


def test_the_same_events_are_restored(checkpoint):
    """All is as it was, the round that was begun too; stamps are the new ones, and so are files that were put back."""
    before = plan(checkpoint, events(20, days=2), a="1", b="1")
    _, days, counted, _ = planned(checkpoint)
    begun = rounds.of_day(checkpoint, min(days))[0]
    rounds.settle(checkpoint, [rounds.Outcome(begun, Settled(accepted=3), is_last=False)])
    renewal.supersede(checkpoint, ["a", "b"])
    now = plan(checkpoint, events(20, days=2), a="2", b="2")
    old, new = checkpoint.parts_of(before), checkpoint.parts_of(now)
    twice = named(checkpoint, now)
    other = replace(new[1], bytes=77, seal=Seal(7, b"1234"))
    with checkpoint.change() as db:
        renewal.restore(db, before, now, twice, [(old[1], other)])
    assert planned(checkpoint) == ({"a": "2", "b": "2"}, days, counted, [f"{now:08d}.states"])
    assert {one.stamp for one in checkpoint.inputs().values()} == {"stamp of 2"}
    assert [one.id for one in checkpoint.inputs().values()] == [before, before + 1]
    assert checkpoint.parts_of(before) == [old[0], replace(old[1], bytes=77, seal=other.seal)]
    assert rounds.of_day(checkpoint, begun.day)[0] == replace(begun, position=3)
    assert renewal.superseded(checkpoint) == []


@pytest.mark.parametrize("is_sent", [True, False])
def test_other_events_replace_what_was_not_sent(checkpoint, is_sent):
    """What was sent stays, with its numbers; of an input of which nothing was, no event counts any more."""
    before = plan(checkpoint, events(20, days=2).with_columns(event=pl.lit("old")), a="1")
    first, second = checkpoint.by_day()
    if is_sent:
        rounds.settle(
            checkpoint, [rounds.Outcome(rounds.of_day(checkpoint, first)[0], Settled(), is_last=True)]
        )
    sent = [part for part in checkpoint.parts_of(before) if is_sent and part.day == first]
    kept = sum(part.events for part in sent)
    renewal.supersede(checkpoint, ["a"])
    now = plan(checkpoint, events(30, days=2, start=100), a="2")
    new = checkpoint.parts_of(now)
    with checkpoint.change() as db:
        renewal.uncount(db, named(checkpoint, before))
        renewal.replace(db, before)
    assert checkpoint.parts_of(before) == sent
    assert renewal.sent(checkpoint, ["a"]) == (sent, [])
    assert checkpoint.parts_of(now) == new
    assert sum(checkpoint.by_day().values()) == kept + 30
    found, _, counted, states = planned(checkpoint)
    assert found == {"a (planned before, 1)": "1", "a": "2"}
    assert (counted, states) == ({"e": 30} | ({"old": kept} if is_sent else {}), [f"{now:08d}.states"])
    assert checkpoint.numbers().mapped == 30 + (20 if is_sent else 0)
    assert second in rounds.days(checkpoint)
