"""Requests and outcomes are values that tell no key, and are equal whatever time they took."""

import pytest

from migrate.apply.outcome import Accepted, Judged, Request, Retry, Split, Stop, Verdict


def test_a_request_shows_nothing_of_what_it_carries():
    """Its body holds the key and what people did."""
    request = Request(b'{"api_key":"phc_secret"}', {"Content-Encoding": "phc_secret"}, 3)
    assert repr(request) == "Request(events=3, day='', attempt=1)"


def test_an_answer_to_each_settles_what_is_taken_or_dropped():
    """What is handed back, or said in a word that no one knows, is not at its end."""
    results = ("ok", "warning", "limited", "drop", "retry", "sampled")
    assert Judged({name: Verdict(name) for name in results}, 1.0).settled == 4
    assert Judged({name: Verdict(name) for name in results[:4]}).settled == 4
    assert Judged({name: Verdict(name) for name in results}).settled == 4


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        pytest.param(Accepted, {}, id="accepted"),
        pytest.param(Retry, {"reason": "503: ", "retry_after": 2.0}, id="retry"),
        pytest.param(Split, {"status": 413, "message": "too large"}, id="split"),
        pytest.param(Stop, {"reason": "wrong key"}, id="stop"),
    ],
)
def test_outcomes_are_equal_by_what_they_say(kind, said):
    """How long an answer took, and whether this process slept meanwhile, is no part of it; what was said is."""
    assert kind(**said) == kind(**said, seconds=2.0, suspended=1.0)
    for name, value in said.items():
        assert kind(**said) != kind(**said | {name: value * 2})
