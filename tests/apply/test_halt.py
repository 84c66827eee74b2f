"""A run that is to end finishes what it has begun, or gives it up for a reason."""

import asyncio

import pytest

from migrate.apply.halt import Abandoned, Halt


def test_a_run_that_is_asked_to_end_finishes_what_it_has_begun():
    """Nothing more is begun, and yet what waits to be sent goes."""
    halt = Halt()
    halt.check()
    assert not halt.is_called
    halt.call()
    halt.call()
    assert (halt.is_called, halt.reason) == (True, None)
    halt.check()


def test_what_is_begun_is_given_up_when_the_grace_is_over():
    """A slow server does not keep a run that is to end: the time is counted from when that was asked for first."""
    seconds = iter([100.0, 102.0, 105.0, 105.1])
    halt = Halt(grace=5.0, clock=lambda: next(seconds))
    halt.call()
    halt.call()
    halt.check()
    halt.check()
    with pytest.raises(Abandoned):
        halt.check()


@pytest.mark.parametrize("is_asked", [True, False])
def test_a_run_that_stops_for_a_reason_gives_up_its_work(is_asked):
    """The reason that came first is the one that is told, of all who stop, and also after an end that was asked for."""
    halt = Halt()
    if is_asked:
        halt.call()
    for reason in ("the quota is used up", "the key is wrong"):
        with pytest.raises(Abandoned):
            halt.stop(reason)
    assert (halt.is_called, halt.reason) == (True, "the quota is used up")
    with pytest.raises(Abandoned):
        halt.check()


def test_work_that_waits_for_the_rate_waits_as_long_as_there_is_grace():
    """A wait of an hour ends when the run is to end; a short one is waited for."""

    async def run():
        halt = Halt(grace=0.05)
        await halt.idle(0.0)
        waiting = asyncio.create_task(halt.idle(3_600.0))
        await asyncio.sleep(0)
        halt.call()
        await halt.idle(0.001)
        with pytest.raises(Abandoned):
            await waiting

    asyncio.run(run())


def test_a_pause_lasts_until_the_run_is_to_end():
    """Whoever waits is called back at once, however long the wait was to be, and waits no more after that."""

    async def run():
        halt = Halt()
        await halt.pause(0.0)
        waiting = [asyncio.create_task(halt.pause(86_400.0)) for _ in range(3)]
        await asyncio.sleep(0)
        assert not any(task.done() for task in waiting)
        halt.call()
        found = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(one) for one in found] == [Abandoned] * 3
        with pytest.raises(Abandoned):
            await halt.pause(86_400.0)

    asyncio.run(run())
