"""Slots of time add up, and there are never more than are kept."""

from collections import Counter

from migrate.workdir import sendings
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.records import Settled
from migrate.workdir.sendings import MOST, Heard, Minute


def heard(requests, answer="200", **waited):
    """What was heard of requests that were answered alike."""
    one = Heard()
    one.requests, one.bytes, one.answers, one.waited = (
        requests,
        10 * requests,
        Counter({answer: requests}),
        waited,
    )
    return one


def test_a_slot_has_what_happened_in_it(tmp_path):
    """Added to by each transaction; what is settled stands where it was noted."""
    with Checkpoint.open(tmp_path, create=True) as checkpoint:
        assert sendings.minutes(checkpoint) == []
        with checkpoint.change() as db:
            sendings.add(db, {59: heard(2, rate=1.5), 61: heard(1, "503", retry=2.25)}, Settled(5, 1), 62.9)
        with checkpoint.change() as db:
            sendings.add(db, {119: heard(1)}, Settled(parked=1), 125)
            sendings.add(db, {}, Settled(), 999)
        at = "1970-01-01T00:0"
        assert sendings.minutes(checkpoint) == [
            Minute(f"{at}0:00+00:00", 60, 0, 0, 0, 2, 20, {"200": 2}, {"rate": 1.5}),
            Minute(f"{at}1:00+00:00", 60, 5, 1, 0, 2, 20, {"200": 1, "503": 1}, {"retry": 2.25}),
            Minute(f"{at}2:00+00:00", 60, 0, 0, 1, 0, 0, {}, {}),
        ]


def test_slots_grow_so_that_there_are_not_too_many(tmp_path):
    """A long run's, and those of nights a day apart; nothing of them is lost."""
    with Checkpoint.open(tmp_path, create=True) as checkpoint:
        for start, step in ((0, 60), (10_000_000, 86_400)):
            with checkpoint.change() as db:
                for n in range(MOST + 300):
                    sendings.add(
                        db, {start + n * step: heard(1, rate=0.5)}, Settled(accepted=3), start + n * step
                    )
        found = sendings.minutes(checkpoint)
        assert MOST / 3 < len(found) <= MOST
        assert {one.seconds for one in found} == {60 * 2**11}
        assert (
            sum(one.accepted for one in found) == 3 * sum(one.requests for one in found) == 6 * (MOST + 300)
        )
        assert sum(one.waited["rate"] for one in found) == MOST + 300
        assert [one.begun for one in found] == sorted(one.begun for one in found)
