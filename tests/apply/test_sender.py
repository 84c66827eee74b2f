"""What the sender makes of outcomes, over a transport that is handed to it."""

import asyncio
import json
import zlib

import pytest
from workdirs import delivery, events

from migrate.apply.batches import Payloads
from migrate.apply.capture_v0 import CaptureV0
from migrate.apply.halt import Abandoned, Halt
from migrate.apply.outcome import Accepted, Retry, Split, Stop
from migrate.apply.sender import Sender, Settling

CHOICES = delivery("https://posthog.example.com", max_batch_events=4)


class Choosy:
    """A transport that takes all but some events, and remembers what it took."""

    def __init__(self, refused=()):
        self.refused = set(refused)
        self.taken = []
        self.requests = 0

    async def send(self, request):
        """Play one request."""
        self.requests += 1
        data = zlib.decompress(request.data, 31) if request.headers else request.data
        found = [event["uuid"] for event in json.loads(data)["batch"]]
        assert request.events == len(found)
        if self.refused.intersection(found):
            return Split(400, "one of them is wrong")
        self.taken += found
        return Accepted()


class Saying:
    """A transport that says the same of every request."""

    def __init__(self, outcome):
        self.outcome = outcome

    async def send(self, _):
        """Play one request."""
        return self.outcome


def settled(transport, frame, halt=None):
    """Settle events over a transport; return what became of them."""

    async def run():
        capture = CaptureV0(CHOICES.url, CHOICES.key)
        sender = Sender(transport, capture.envelope, CHOICES, halt or Halt())
        settling = Settling()
        await sender.settle(sender.prepare(Payloads.joined(frame["payload"])), settling)
        return settling

    return asyncio.run(run())


def test_any_transport_will_do():
    """The sender knows of no network: what it is handed takes the events, in order, each once."""
    frame, transport = events(10), Choosy()
    settling = settled(transport, frame)
    assert (settling.accepted, settling.parked) == (10, [])
    assert transport.taken == frame["uuid"].to_list()
    assert transport.requests == 3


def test_a_bad_event_is_found_by_halving():
    """What is refused is sent in halves until the bad event stands alone; the others are taken."""
    frame = events(8)
    bad = frame["uuid"][5]
    transport = Choosy({bad})
    settling = settled(transport, frame)
    assert settling.accepted == 7
    assert [(one.uuid, one.status, one.message) for one in settling.parked] == [
        (bad, 400, "one of them is wrong")
    ]
    assert transport.taken == [uuid for uuid in frame["uuid"] if uuid != bad]
    assert transport.requests == 1 + 1 + 2 + 2


@pytest.mark.parametrize("outcome", [Stop("the quota is used up"), Retry("nobody is there")])
def test_what_settles_nothing_halts_the_run(outcome):
    """To try again is another transport's business: what comes through to the sender is the last word."""
    halt = Halt()
    with pytest.raises(Abandoned):
        settled(Saying(outcome), events(3), halt)
    assert halt.is_called
    assert halt.reason == outcome.reason


def test_the_first_reason_stands():
    """Lanes that fail after it add nothing."""
    halt = Halt()
    for reason in ("first", "second"):
        with pytest.raises(Abandoned):
            halt.stop(reason)
    assert halt.reason == "first"
