"""Which events are sent together, and what became of them."""

import pytest
from workdirs import events, planned

from migrate.workdir import rounds
from migrate.workdir.records import Settled


def test_a_round_is_frozen_when_it_begins(tmp_path):
    """Parts planned while a day is half sent wait for the day's next round."""
    planned(tmp_path, events(10)).close()
    with planned(tmp_path, events(5, start=50), "b.jsonl") as checkpoint:
        (day,) = rounds.days(checkpoint)
        (begun,) = rounds.of_day(checkpoint, day)
        assert (begun.number, begun.position, len(begun.parts), begun.earlier) == (1, 0, 2, ())
        rounds.settle(checkpoint, [rounds.Outcome(begun, Settled(accepted=3, duplicate=1), is_last=False)])
    with planned(tmp_path, events(5, start=90), "c.jsonl") as checkpoint:
        again = rounds.of_day(checkpoint, day)[0]
        assert (again.number, again.position, len(again.parts)) == (1, 4, 2)
        rounds.settle(checkpoint, [rounds.Outcome(again, Settled(), is_last=True)])
        (later,) = rounds.of_day(checkpoint, day)
        assert (later.number, later.position, len(later.parts), len(later.earlier)) == (2, 0, 1, 2)
        rounds.settle(checkpoint, [rounds.Outcome(later, Settled(), is_last=True)])
        assert rounds.of_day(checkpoint, day) == []
        assert rounds.days(checkpoint) == []


def test_outcomes_add_up_and_hold_together(tmp_path):
    """What several rounds came to is noted with the facts beside it, all of it or nothing."""
    planned(tmp_path, events(4, days=2)).close()
    with planned(tmp_path, events(4, days=2, start=50), "b.jsonl") as checkpoint:
        begun = [round_ for day in rounds.days(checkpoint) for round_ in rounds.of_day(checkpoint, day)]
        outcomes = [rounds.Outcome(round_, Settled(accepted=1), is_last=False) for round_ in begun]

        def fail(_db):
            raise OSError("the disk is full")

        with pytest.raises(OSError, match="full"):
            rounds.settle(checkpoint, outcomes, also=fail, requests=7)
        assert (rounds.outcome(checkpoint), checkpoint.facts()["requests"]) == (Settled(), 0)
        rounds.settle(checkpoint, outcomes, requests=7)
        assert rounds.outcome(checkpoint) == Settled(accepted=len(begun))
        assert checkpoint.facts()["requests"] == 7
        day = rounds.days(checkpoint)[-1]
        left = sum(part.events for part in begun[-1].parts) - 1
        assert rounds.unsettled(checkpoint, day) == left
