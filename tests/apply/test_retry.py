"""What is sent again over a transport that fails, and when that ends."""

import asyncio
from dataclasses import replace
from random import Random

import pytest

from migrate.apply.halt import Abandoned, Halt
from migrate.apply.outcome import Accepted, Request, Retry, Split, Stop
from migrate.apply.pacing import Backoff, Deadline
from migrate.apply.retry import Retrying

REQUEST = Request(b"{}", {}, 1)
HOST = "https://posthog.example.com"
AGAIN = "run the same command again to resume"


class Script:
    """A transport with a list of outcomes, one a request; the last is that of all further ones."""

    def __init__(self, *outcomes):
        self.outcomes = list(outcomes)
        self.requests = []

    async def send(self, request):
        """Play one request."""
        self.requests.append(request)
        return self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]


def retrying(transport, *, seconds=60.0, halt=None, **choices):
    """A transport that retries without waiting."""
    backoff = Backoff(Random(0), base=0.0)
    return Retrying(transport, HOST, Deadline(seconds), backoff, halt or Halt(), **choices)


@pytest.mark.parametrize("outcome", [Accepted(), Split(400, "no"), Stop("wrong key")])
def test_the_same_request_until_it_settles(outcome):
    """Failures are gone through, the very same request each time; any other outcome is handed on."""
    script = Script(Retry("503: "), Retry("503: "), outcome)
    transport = retrying(script)
    assert asyncio.run(transport.send(REQUEST)) == outcome
    assert script.requests == [REQUEST] * 3
    assert transport.retries == 2


def test_a_request_that_is_handed_back_in_part_goes_on_counting():
    """Its last attempt has failed already: it is waited for, and the next one is made; both count."""
    script = Script(Retry("503: busy"))
    rest = replace(REQUEST, attempt=2, failed=Retry("handed back: 1 of 9 events, not stored"))
    found = asyncio.run(retrying(script, max_attempts=4).send(rest))
    assert [(one.attempt, one.failed, one.id) for one in script.requests] == [
        (n, None, rest.id) for n in (3, 4)
    ]
    assert found == Stop(
        f"{HOST}: no success in 4 attempts, found 503: busy; {AGAIN}, or raise --max-attempts"
    )
    assert asyncio.run(retrying(Script(Accepted())).send(rest)) == Accepted()


def test_attempts_are_counted():
    """The last one allowed is the last."""
    script = Script(Retry("503: busy"))
    found = asyncio.run(retrying(script, max_attempts=3).send(REQUEST))
    assert found == Stop(
        f"{HOST}: no success in 3 attempts, found 503: busy; {AGAIN}, or raise --max-attempts"
    )
    assert len(script.requests) == 3


def test_a_failure_while_suspended_is_no_attempt():
    """A laptop that slept through its requests has tried nothing yet."""
    asleep = Retry("no answer within 60 s", suspended=3_600.0)
    script = Script(asleep, asleep, asleep, Accepted())
    assert asyncio.run(retrying(script, max_attempts=1).send(REQUEST)) == Accepted()


def test_patience_ends():
    """After the deadline without progress it is a reason to stop."""
    found = asyncio.run(retrying(Script(Retry("503: busy")), seconds=0.0).send(REQUEST))
    assert found == Stop(f"{HOST}: nothing accepted for 0 s, found 503: busy; {AGAIN}, or raise --deadline")


def test_a_longer_wait_than_there_is_patience_ends_it_at_once():
    """The reason says when to come back."""
    script = Script(Retry("429: later", 3_600.0))
    found = asyncio.run(retrying(script).send(REQUEST))
    assert isinstance(found, Stop)
    assert found.reason.startswith(f"{HOST}: it asks to come back in 3,600 s, at ")
    assert len(script.requests) == 1


@pytest.mark.parametrize(("before", "expected"), [((), Stop), ((Accepted(),), Accepted)])
def test_what_is_hopeless_may_be_a_moment_of_what_was_a_posthog(before, expected):
    """Where PostHog has answered in this run, it may come back; else it is not there."""
    odd = Retry("no answer: odd", hopeless="what is there speaks no HTTP")
    transport = retrying(Script(*before, odd, Accepted()))

    async def run():
        for _ in before:
            await transport.send(REQUEST)
        return await transport.send(REQUEST)

    assert isinstance(asyncio.run(run()), expected)


def test_a_halt_ends_the_wait():
    """What waits to be tried again is given up when the run is to end."""
    halt = Halt()
    halt.call()
    script = Script(Retry("429: later", 30.0))
    with pytest.raises(Abandoned):
        asyncio.run(retrying(script, halt=halt).send(REQUEST))
    assert len(script.requests) == 1
