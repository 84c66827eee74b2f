"""What is heard of requests and waits is kept with what is settled, over time."""

import asyncio
from collections import Counter
from random import Random

import pytest
from workdirs import delivery, events, planned

from migrate.apply.applier import Applier
from migrate.apply.heard import Hearing, answer
from migrate.apply.outcome import Accepted, Judged, Request, Retry, Split, Stop
from migrate.apply.pacing import Backoff
from migrate.apply.watch import Fate, Unwatched, Wait
from migrate.sandbox.server import Sandbox
from migrate.workdir import rounds, sendings
from migrate.workdir.records import Settled


@pytest.mark.parametrize(
    ("outcome", "word"),
    [
        (Accepted(), "200"),
        (Judged(verdicts={}), "200"),
        (Split(413, "too large"), "413"),
        (Retry("503: transient error"), "503"),
        (Retry("429"), "429"),
        (Retry("no answer within 60 s"), "timeout"),
        (Retry("answer cut short: its end did not come"), "cut short"),
        (Retry("nothing listens at secret.example:443"), "no connection"),
        (Stop("https://secret.example: 401", "key"), "stopped: key"),
    ],
)
def test_an_answer_is_a_word(outcome, word):
    """Without the name of a host, and of few different ones."""
    assert answer(outcome) == word


def test_requests_and_waits_are_kept_in_the_minute_they_end_in(tmp_path):
    """A wait counts as long as it took; what is noted is not noted again."""
    now = [120.0, 0.0]
    hearing = Hearing(Unwatched(), lambda: now[0], lambda: now[1])
    request = Request(b"12345", {}, 2)
    rate, asked, retry = Wait(1.0), Wait(9.0, "429", is_asked=True), Wait(2.0, "503")
    with planned(tmp_path, events(1)) as checkpoint:
        for wait in (rate, asked, retry):
            hearing.wait(wait)
        now[1] = 1.5
        hearing.go_on(rate)
        hearing.begin()
        hearing.end(Fate(1, request, Retry("429")))
        now[:] = 185.0, 9.25
        for wait in (asked, retry):
            hearing.go_on(wait)
        hearing.end(Fate(2, request, Accepted()))
        for settled in (Settled(accepted=2), Settled()):
            with checkpoint.change() as db:
                hearing.note(settled, db)
        first, second = sendings.minutes(checkpoint)
    assert (first.begun, first.requests, first.bytes, first.answers, first.waited) == (
        "1970-01-01T00:02:00+00:00",
        1,
        5,
        {"429": 1},
        {"rate": 1.5},
    )
    assert (second.accepted, second.answers, second.waited) == (
        2,
        {"200": 1},
        {"server asked": 9.25, "retry": 9.25},
    )


def test_a_run_is_kept_as_it_was(tmp_path):
    """Sums are those of the checkpoint, refused and failed requests included; sent again, what was parked is there."""
    faults = [
        {"fault": "status", "status": 503, "times": 2},
        {"fault": "poison"},
    ]
    with planned(tmp_path, events(300, days=3, poison=[5])) as checkpoint:
        with Sandbox(faults=faults) as sandbox:
            choices = delivery(sandbox.url, max_batch_events=50, rate=5_000.0)
            hasty = Backoff(Random(0), base=0.02)
            assert asyncio.run(Applier(checkpoint, choices, backoff=hasty).run())
        found, facts = sendings.minutes(checkpoint), checkpoint.facts()
        settled = rounds.outcome(checkpoint)
        assert sum(one.accepted for one in found) == settled.accepted == 299
        assert sum(one.parked for one in found) == settled.parked == 1
        assert sum(one.requests for one in found) == facts["requests"]
        answers = sum((Counter(one.answers) for one in found), Counter())
        assert answers["503"] == facts["retries"] == 2
        assert answers.total() == facts["requests"]
        assert answers["400"] >= 1
        assert sum(one.bytes for one in found) == facts["bytes_sent"]
        with Sandbox() as sandbox:
            assert asyncio.run(Applier(checkpoint, delivery(sandbox.url)).resend())
        again = sendings.minutes(checkpoint)
        assert sum(one.accepted for one in again) == 300
        assert sum(one.requests for one in again) == checkpoint.facts()["requests"]
