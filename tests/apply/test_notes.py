"""What became of pieces, noted in order beside the sending."""

import asyncio
import threading

from workdirs import events, planned

from migrate.apply.notes import InFlight, Notes, note
from migrate.apply.sender import Gate, Settling
from migrate.workdir import rounds
from migrate.workdir.records import Settled


def piece(round_, accepted, *, duplicate=0, is_last=False):
    """A piece of a round of which so many events were accepted."""
    return InFlight(
        round_, 1, is_last, Gate(), duplicates={"e": duplicate}, settling=Settling(accepted=accepted)
    )


def noted(pieces, note):
    """What is called of these pieces, in order, and the errors."""
    seen, errors = [], []

    async def run():
        notes = Notes(note, on_noted=lambda one: seen.append(one.outcome.duplicate), on_error=errors.append)
        for one in pieces:
            await notes.add(one)
        await notes.end()

    asyncio.run(run())
    return seen, errors


def test_every_piece_is_noted_once_in_order_and_in_another_thread():
    """However many are added while one call is under way, each is in one call, in the order of adding."""
    calls, threads = [], set()

    def keep(pieces):
        threads.add(threading.current_thread())
        calls.extend(one.outcome.duplicate for one in pieces)

    seen, errors = noted([piece(None, 0, duplicate=number) for number in range(50)], keep)
    assert (calls, seen, errors) == ([*range(50)], [*range(50)], [])
    assert threading.main_thread() not in threads


def test_nothing_is_noted_after_an_error():
    """The checkpoint knows how many events are settled, not which: a hole would lose events."""
    calls = []

    def full(pieces):
        calls.append(len(pieces))
        raise OSError("no space")

    seen, errors = noted([piece(None, 0) for _ in range(9)], full)
    assert (len(calls), seen, [str(error) for error in errors]) == (1, [], ["no space"])


def test_lanes_that_end_make_the_piece_done():
    """A piece is done when the last of its lanes is through."""
    one = InFlight(None, 2, False, Gate())
    one.finish_lane()
    assert not one.done.is_set()
    one.finish_lane()
    assert one.done.is_set()


def test_a_noted_piece_moves_its_round_on(tmp_path):
    """The round goes on behind what was accepted and what was a duplicate; facts are noted with it."""
    with planned(tmp_path, events(10)) as checkpoint:
        (day,) = rounds.days(checkpoint)
        (begun,) = rounds.of_day(checkpoint, day)
        note(checkpoint, [piece(begun, 3, duplicate=1)], {"requests": 2})
        assert rounds.of_day(checkpoint, day)[0].position == 4
        note(checkpoint, [piece(begun, 6, is_last=True)], {"requests": 3})
        assert rounds.days(checkpoint) == []
        assert rounds.outcome(checkpoint) == Settled(accepted=9, duplicate=1)
        assert checkpoint.facts()["requests"] == 3
