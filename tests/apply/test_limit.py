"""When a request may go: how many at once, and that a halted run sends no more."""

import asyncio

import pytest

from migrate.apply.halt import Abandoned, Halt
from migrate.apply.limit import Limited
from migrate.apply.outcome import Accepted, Request, Retry
from migrate.apply.pacing import Awake, Limiter, TokenBucket

REQUEST = Request(b"{}", {}, 1)


class Held:
    """A transport whose requests wait until they are let go, all with one outcome."""

    def __init__(self, outcome):
        self.outcome = outcome
        self.waiting = []
        self.most = 0

    async def send(self, _):
        """Wait."""
        free = asyncio.Event()
        self.waiting.append(free)
        self.most = max(self.most, len(self.waiting))
        await free.wait()
        return self.outcome

    def let_go(self):
        """Let go all that wait."""
        while self.waiting:
            self.waiting.pop().set()


def limited(transport, halt=None, limit=4):
    """A transport with a limit on requests at once, and none on the rate."""
    awake = Awake()
    return Limited(transport, Limiter(limit), TokenBucket(None, awake), awake, halt or Halt())


async def until_quiet():
    """Let all tasks run as far as they come."""
    for _ in range(10):
        await asyncio.sleep(0)


async def at_once(held, transport, requests):
    """Send requests at once; return how many were in flight before and after the first was answered."""
    sending = [asyncio.create_task(transport.send(REQUEST)) for _ in range(requests)]
    await until_quiet()
    before, held.most = held.most, 0
    held.let_go()
    await until_quiet()
    after = held.most
    while not all(task.done() for task in sending):
        held.let_go()
        await until_quiet()
    return before, after


def test_one_request_until_posthog_has_answered():
    """What turns out to be no PostHog sees one batch; after its answer as many go as the limit allows."""
    held = Held(Accepted())
    assert asyncio.run(at_once(held, limited(held), 9)) == (1, 4)


def test_a_failure_is_no_answer():
    """A server that is not there is asked by one at a time."""
    held = Held(Retry("503: busy"))
    assert asyncio.run(at_once(held, limited(held), 3)) == (1, 1)


def test_what_waits_is_given_up_when_the_run_stops():
    """A reason to stop keeps back what has no room yet; what is in flight comes to its end."""

    async def run():
        held, halt = Held(Accepted()), Halt()
        transport = limited(held, halt)
        first, second = (asyncio.create_task(transport.send(REQUEST)) for _ in range(2))
        await until_quiet()
        with pytest.raises(Abandoned):
            halt.stop("the quota is used up")
        held.let_go()
        assert await first == Accepted()
        with pytest.raises(Abandoned):
            await second

    asyncio.run(run())
