"""Capture v1 is known by what it says of a batch without events."""

import json

import pytest

from migrate.apply.capture import Answer
from migrate.apply.outcome import Accepted, Retry, Split
from migrate.apply.question import Question


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [
        (400, "empty_batch", Accepted()),
        (401, "invalid_api_token", Accepted()),
        (429, "billing_limit_exceeded", Accepted()),
        (401, "missing_authorization", Split(401, "in words")),
        (400, "missing_required_headers", Split(400, "in words")),
        (429, "rate_limited", Retry("429: in words")),
        (503, "service_unavailable", Retry("503: in words")),
        (403, "", Split(403, "in words")),
        (200, "", Split(200, "in words")),
    ],
)
def test_only_v1_says_what_is_wrong_with_no_event(status, error, expected):
    """Whatever else it says of the project; where a proxy lets its headers not pass there is none."""
    body = json.dumps({"error": error, "error_description": "in words"}) if error else "in words"
    question = Question("https://ph.example.com", "phc_key")
    found = question.outcome(Answer(status, {}, body.encode()), question.request(), now=0.0)
    assert type(found) is type(expected)
    if not error:
        assert found == expected
