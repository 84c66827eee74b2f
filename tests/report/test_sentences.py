"""A request's fate and a wait, in words for a log."""

import pytest

from migrate.apply.outcome import Accepted, Judged, Request, Retry, Split, Stop, Verdict
from migrate.apply.watch import Fate, Wait
from migrate.report.sentences import of_fate, of_wait

REQUEST = Request(b"x" * 2_048, {}, 1_000, "2024-04-03", 2)


@pytest.mark.parametrize(
    ("outcome", "words", "result"),
    [
        (Accepted(seconds=0.25), "0.25 s: 200, accepted", "accepted"),
        (Split(400, "no such event"), "0.00 s: 400: no such event", "refused"),
        (
            Judged({"a": Verdict("ok"), "b": Verdict("drop"), "c": Verdict("ok"), "d": Verdict("\x1bx")}),
            "0.00 s: 200, 2 ok, 1 drop, 1 \\x1bx",
            "judged",
        ),
        (Retry("503: busy", seconds=1.0), "1.00 s: 503: busy", "failed"),
        (
            Stop("https://ph: the batch was refused"),
            "0.00 s: https://ph: the batch was refused",
            "stopped",
        ),
    ],
)
def test_a_request_has_all_that_is_known_of_it(outcome, words, result):
    """Number, day, events, bytes, attempt, seconds, and the status or the error."""
    start = "request 7: 2024-04-03, 1,000 events, 2.0 kB, attempt 2, "
    told = of_fate(Fate(7, REQUEST, outcome))
    assert told.text == start + words
    answer = words.partition(" s: ")[2]
    known = {"request": 7, "day": "2024-04-03", "events": 1_000, "bytes": 2_048, "attempt": 2}
    assert told.fields == known | {"seconds": outcome.seconds, "result": result, "answer": answer}


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Accepted(), "there is"),
        (Split(404, ""), "no, 404"),
        (Retry("503: busy"), "503: busy"),
        (Stop("no certificate"), "no certificate"),
    ],
)
def test_a_question_has_its_answer(outcome, words):
    """A request without an event asks for the version."""
    told = of_fate(Fate(1, Request(b"", {}, 0), outcome))
    assert told.text == f"asked whether there is capture v1: {words}"
    assert (told.event, told.fields["answer"]) == ("question", words)


@pytest.mark.parametrize(
    ("wait", "words"),
    [
        (Wait(0.84), "waits 0.8 s: rate limit"),
        (Wait(0.04), ""),
        (Wait(8.2, "503: busy", 3), "waits 8.2 s: attempt 3 failed, 503: busy"),
        (
            Wait(30.0, "429: later", 1, is_asked=True),
            "waits 30.0 s (its Retry-After): attempt 1 failed, 429: later",
        ),
    ],
)
def test_a_wait_has_its_reason(wait, words):
    """And its length; a moment that the rate takes is none."""
    told = of_wait(wait)
    assert (told.text if told else "") == words
    if told:
        assert told.fields == {
            "seconds": wait.seconds,
            "attempt": wait.attempt,
            "is_asked": wait.is_asked,
            "why": wait.reason or "rate limit",
        }
