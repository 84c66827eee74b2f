"""What was parked is sent again over the protocol of its workdir, and what is said of it is noted."""

import asyncio
import json
from random import Random

from workdirs import applied, delivery, events, planned

from migrate.apply.applier import Applier
from migrate.apply.pacing import Backoff
from migrate.apply.protocol import Spoken, capture_of
from migrate.sandbox.server import Sandbox
from migrate.workdir import rounds, warned
from migrate.workdir.parked import PARKED
from migrate.workdir.records import Settled


def resent(checkpoint, how):
    """Send what is parked again, over v1."""
    spoken = Spoken(capture_of("v1", how))
    return asyncio.run(
        Applier(checkpoint, how, backoff=Backoff(Random(0), base=0.02), spoken=spoken).resend()
    )


def test_dropped_events_are_parked_with_the_details_and_sent_again(tmp_path):
    """Each in one request with the others, as it was planned; what is taken with a warning is counted by its words."""
    frame = events(300, poison={5, 6, 250})
    with (
        Sandbox(has_v1=True, faults=[{"fault": "poison"}]) as sandbox,
        planned(tmp_path, frame) as checkpoint,
    ):
        how = delivery(sandbox.url, concurrency=1, max_batch_events=1_000)
        assert applied(checkpoint, how, "v1")
        requests = sandbox.summary()["requests"]
        lines = [json.loads(line) for line in (tmp_path / PARKED).read_text().splitlines()]
        assert {(line["status"], line["message"]) for line in lines} == {(200, "drop: rejected")}
        assert {line["payload"] for line in lines} == {text for text in frame["payload"] if "poison" in text}
        assert resent(checkpoint, how)
        assert rounds.outcome(checkpoint) == Settled(accepted=297, parked=3)
        assert sandbox.summary()["requests"] == requests + 1
        sandbox.faults([{"fault": "verdicts", "result": "warning", "details": "limit 7 reached", "each": 2}])
        assert resent(checkpoint, how)
        assert rounds.outcome(checkpoint) == Settled(accepted=300)
        assert warned.by_words(checkpoint) == {"limit … reached": 1}
        assert (tmp_path / PARKED).read_text() == ""
