"""What is sent over a connection to a server that misbehaves is settled, and what went over it is counted."""

import asyncio
from random import Random

import pytest
from workdirs import delivery

from migrate.apply.capture_v0 import CaptureV0
from migrate.apply.connection import Connection
from migrate.apply.halt import Abandoned, Halt
from migrate.apply.outcome import Accepted, Request, Split, Stop
from migrate.apply.pacing import Backoff
from migrate.apply.watch import Unwatched
from migrate.sandbox.server import Sandbox

EVENT = (
    b'{"event":"e","distinct_id":"u","uuid":"018ea3c1-0000-7000-8000-000000000001",'
    b'"timestamp":"2024-04-03T12:00:00Z","properties":{}}'
)


def sent(url, *, requests=1, halt=None, warnings=None, **choices):
    """Send a good batch so often, all at once; return what came of it, and what was counted."""
    how = delivery(url, **choices)
    capture = CaptureV0(url, how.key)
    data = capture.envelope.head + EVENT + capture.envelope.tail
    said = [] if warnings is None else warnings

    async def run():
        connection = Connection(
            capture,
            how,
            halt or Halt(),
            watch=Unwatched(),
            backoff=Backoff(Random(0), base=0.0),
            on_warning=said.append,
        )
        async with connection:
            found = await asyncio.gather(*(connection.send(Request(data, {}, 1)) for _ in range(requests)))
            connection.note_progress()
            counters = connection.counters()
        assert asyncio.all_tasks() == {asyncio.current_task()}  # nothing runs on when it is closed
        counters.pop("seconds")
        assert counters.pop("bytes_sent") == counters["requests"] * len(data)
        return found, counters

    return asyncio.run(run())


def test_what_fails_is_sent_again_until_it_is_settled():
    """Each try is a request, each but the first of a batch a retry; what is said on the way is said once."""
    warnings = []
    fault = {"fault": "status", "status": 503, "retry_after": -5, "times": 3}
    with Sandbox(faults=[fault]) as sandbox:
        found, counters = sent(sandbox.url, requests=2, warnings=warnings)
        assert sandbox.summary()["collapsed"]["events"] == 1
    assert found == [Accepted(), Accepted()]
    assert counters == {"requests": 5, "retries": 3}
    assert warnings == [
        f"{sandbox.url}: its Retry-After is no time to come back, found '-5'; it is tried again as if there were none"
    ]


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        pytest.param({"status": 413, "body": "too large"}, Split(413, "too large"), id="413"),
        pytest.param(
            {"status": 503, "body": "busy"},
            "no success in 2 attempts, found 503: busy; run the same command again to resume, or raise "
            "--max-attempts",
            id="no patience left",
        ),
        pytest.param(
            {"status": 402, "body": "pay"},
            "the batch was refused, found 402 'pay'; check the project's billing and quota, then run the same command "
            "again to resume",
            id="402",
        ),
    ],
)
def test_every_outcome_settles_what_is_sent(fault, outcome):
    """It is to be split, or the run is to stop; never is it to be tried again by whoever sent it."""
    with Sandbox(faults=[{"fault": "status"} | fault]) as sandbox:
        (found,), _ = sent(sandbox.url, max_attempts=2)
    assert found == (Stop(f"{sandbox.url}: {outcome}") if isinstance(outcome, str) else outcome)


def test_a_run_that_has_stopped_sends_nothing():
    """What is handed to it is given up before it reaches the network."""
    halt = Halt()
    with pytest.raises(Abandoned):
        halt.stop("the quota is used up")
    with Sandbox() as sandbox:
        with pytest.raises(Abandoned):
            sent(sandbox.url, halt=halt)
        assert sandbox.summary()["requests"] == 0
