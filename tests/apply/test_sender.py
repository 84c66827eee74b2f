"""What the sender makes of outcomes, over a transport that is handed to it."""

import asyncio
import json
import zlib

import polars as pl
import pytest
from workdirs import delivery, events

from migrate.apply.batches import Payloads
from migrate.apply.capture_v0 import CaptureV0
from migrate.apply.capture_v1 import CaptureV1
from migrate.apply.halt import Abandoned, Halt
from migrate.apply.outcome import Accepted, Judged, Retry, Split, Stop, Verdict
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


def settled(transport, frame, halt=None, kind=CaptureV0, choices=CHOICES):
    """Settle events over a transport; return what became of them."""

    async def run():
        envelope = kind(CHOICES.url, CHOICES.key).envelope
        sender = Sender(transport, envelope, choices, halt or Halt())
        settling = Settling()
        payloads = Payloads.joined(frame["payload"], "", frame["uuid"], envelope)
        await sender.settle(sender.prepare(payloads), settling)
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


class Judging:
    """A transport that judges each event, in rounds of verdicts by number; the others are ok."""

    def __init__(self, frame, *rounds):
        self.numbers = {uuid: number for number, uuid in enumerate(frame["uuid"])}
        self.rounds = list(rounds)
        self.requests = []

    async def send(self, request):
        """Play one request."""
        uuids = [event["uuid"] for event in json.loads(request.data)["batch"]]
        self.requests.append((request, [self.numbers[uuid] for uuid in uuids]))
        said = self.rounds.pop(0) if self.rounds else {}
        found = {uuid: said.get(self.numbers[uuid], Verdict("ok")) for uuid in uuids}
        verdicts = {uuid: one for uuid, one in found.items() if one}
        return Judged(verdicts, attempt=request.attempt + (2 if len(self.requests) == 1 else 0))


def test_each_event_is_settled_as_it_is_judged():
    """What is dropped is parked without halving; what is handed back goes again alone, as the same request."""
    frame = events(4)
    transport = Judging(
        frame, {0: Verdict("retry"), 1: Verdict("drop", "too_big"), 2: None}, {2: Verdict("retry")}
    )
    found = settled(transport, frame, kind=CaptureV1)
    assert found.accepted == 3
    assert [(one.payload, one.status, one.message) for one in found.parked] == [
        (frame["payload"][1], 200, "drop: too_big")
    ]
    assert [numbers for _, numbers in transport.requests] == [[0, 1, 2, 3], [0, 2], [2]]
    first, second, third = (request for request, _ in transport.requests)
    assert first.id == second.id == third.id
    assert (second.attempt, second.failed) == (3, Retry("handed back: 2 of 4 events, not stored"))
    assert (third.attempt, third.failed) == (3, Retry("handed back: 1 of 2 events, not stored"))


class Reluctant:
    """A transport that takes the first event of a request, and hands back the others."""

    async def send(self, request):
        """Play one request."""
        data = zlib.decompress(request.data, 31) if request.headers else request.data
        first, *others = [event["uuid"] for event in json.loads(data)["batch"]]
        return Judged(
            {first: Verdict("ok")} | dict.fromkeys(others, Verdict("retry")), attempt=request.attempt
        )


def test_events_may_be_handed_back_however_often():
    """A busy PostHog may do so for hours, a few events at a time."""
    choices = delivery(CHOICES.url, max_batch_events=600)
    assert settled(Reluctant(), events(600), kind=CaptureV1, choices=choices).accepted == 600


def test_what_is_said_of_accepted_events_is_counted():
    """By its words, and nothing of it is sent again."""
    frame = events(3)
    said = {0: Verdict("warning", "person_processing_disabled"), 1: Verdict("limited")}
    transport = Judging(frame, said)
    found = settled(transport, frame, kind=CaptureV1)
    assert (found.accepted, dict(found.warnings)) == (3, {"person_processing_disabled": 1, "limited": 1})
    assert len(transport.requests) == 1


UNKNOWN = (
    "https://posthog.example.com: the answer has a verdict that is not known on 1 of 3 events, found 'sampled' on {}; "
    "nothing of them counts as accepted: see whether there is a newer migrate, then run the same command again to "
    "resume"
)
SILENT = (
    "https://posthog.example.com: the answer is not PostHog's, found a verdict on none of 3 events; check --host, and "
    "whether a proxy stands in between, then run the same command again to resume"
)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        pytest.param({1: Verdict("sampled")}, UNKNOWN, id="an unknown verdict"),
        pytest.param(dict.fromkeys(range(3)), SILENT, id="none at all"),
    ],
)
def test_what_cannot_be_understood_stops(said, reason):
    """None of the batch counts as accepted."""
    frame, halt = events(3), Halt()
    with pytest.raises(Abandoned):
        settled(Judging(frame, said), frame, halt, CaptureV1)
    assert halt.reason == reason.format(frame["uuid"][1])


def test_versions_of_one_uuid_never_share_a_request():
    """V1 refuses a request that has one uuid twice."""
    frame = events(4)
    twice = pl.concat([frame[:2], frame[1:]])
    transport = Judging(frame)
    assert settled(transport, twice, kind=CaptureV1).accepted == 5
    assert [numbers for _, numbers in transport.requests] == [[0, 1], [1, 2, 3]]
