"""Requests and outcomes are values that tell no key, and are equal whatever time they took."""

import pytest

from migrate.apply.outcome import Accepted, Request, Retry, Split, Stop


def test_a_request_shows_nothing_of_what_it_carries():
    """Its body holds the key and what people did."""
    request = Request(b'{"api_key":"phc_secret"}', {"Content-Encoding": "phc_secret"}, 3)
    assert repr(request) == "Request(events=3, day='', attempt=1)"


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
