"""What a request to capture v1 says, and what each answer to it means: a table, without a network."""

import json
from datetime import datetime

import pytest

from migrate.apply.capture import Answer
from migrate.apply.capture_v1 import CaptureV1, tag
from migrate.apply.outcome import Accepted, Judged, Request, Retry, Split, Stop, Verdict
from migrate.apply.verdicts import sort

KEY = "phc_a-key-nobody-may-see"
AGAIN = "run the same command again to resume"
URL = "https://posthog.example.com"
NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT
UUID = "018ea3c1-0000-7000-8000-000000000001"
UUIDS = f'{UUID}":{{"result":"ok"}},"{UUID[:-1]}2'.encode()
"""Two events', as an answer has them that takes both."""
PAGE = b"<html>\n <title>Sign in</title></html>"
CAPTURE = CaptureV1(URL, KEY)


def outcome(status, body, headers=None):
    """What this answer means; a text is a tag in v1's own JSON."""
    if isinstance(body, str):
        body = json.dumps({"error": body, "error_description": "in words", "error_uri": "u"}).encode()
    return CAPTURE.outcome(Answer(status, headers or {}, body), Request(b"", {}, 1, uuids=UUIDS), now=NOW)


def test_a_request_says_who_asks_which_attempt_it_is_and_that_clocks_are_to_be_left_alone():
    """The key stands in a header alone; the library is told without a version, so that events keep their own."""
    request = Request(b"", {}, 1, attempt=3)
    headers = CAPTURE.headers(request, now=NOW)
    assert headers == {
        "Authorization": f"Bearer {KEY}",
        "PostHog-Sdk-Info": "posthog-migrate",
        "PostHog-Attempt": "3",
        "PostHog-Request-Id": request.id,
        "PostHog-Request-Timestamp": "2023-11-14T22:13:20.000+00:00",
    }
    envelope = CAPTURE.envelope
    body = json.loads(envelope.head + b"{" + envelope.ending.encode()[1:] + envelope.tail)
    assert datetime.fromisoformat(body.pop("created_at")).tzinfo is not None
    options = {"options": {"disable_skew_correction": True}}
    assert body == {"historical_migration": True, "batch": [options]}
    assert envelope.is_distinct
    assert envelope.between in UUIDS.decode()
    assert envelope.most_bytes < 10 * 1024 * 1024
    assert KEY not in repr([CAPTURE, envelope, request])


VERDICTS = {UUID: Verdict("ok"), "b": Verdict("drop", "event_too_big")}
RESULTS = (
    b'{"results":{"%b":{"result":"ok"},"b":{"result":"drop","details":"event_too_big"}},"x":1}'
    % UUID.encode()
)
OVER = (
    f"{URL}: the project is over its quota and keeps nothing of this batch, found {{}} '{{}}'; raise the project's "
    f"limit, then {AGAIN}"
)
REFUSED = f"{URL}: the batch was refused, found {{}} '{{}}'; {{}}, then {AGAIN}"
PROXY = f"check --host, and whether a proxy or a login page stands in between, then {AGAIN}"
NO_V1 = (
    "there is no capture v1 at this address, found 404 ''; check --host, or send with --protocol v0, "
    f"then {AGAIN}"
)
BILLING = "billing_limit_exceeded: in words"


@pytest.mark.parametrize(
    ("status", "body", "headers", "expected"),
    [
        pytest.param(200, RESULTS, {}, Judged(VERDICTS), id="verdicts"),
        pytest.param(200, RESULTS, {"Retry-After": "2"}, Judged(VERDICTS, 2.0), id="some again"),
        pytest.param(200, b'{"results":{"%b":{"result":"ok"}}}' % UUIDS, {}, Accepted(), id="all taken"),
        pytest.param(
            200,
            b'{"results": {"%b":{"result":"ok"}}}' % UUIDS,
            {},
            Judged({UUID: Verdict("ok"), UUID[:-1] + "2": Verdict("ok")}),
            id="all taken, in other words",
        ),
        pytest.param(
            200,
            b'{"results":{"%b":{"result":"ok"}}}' % UUID.encode(),
            {},
            Judged({UUID: Verdict("ok")}),
            id="a verdict on one",
        ),
        pytest.param(200, b'{"results":{}}', {}, Judged({}), id="a verdict on none"),
        pytest.param(400, "duplicate_event_uuid", {}, Split(400, "duplicate_event_uuid: in words"), id="400"),
        pytest.param(413, "payload_too_large", {}, Split(413, "payload_too_large: in words"), id="413"),
        pytest.param(413, PAGE, {}, Split(413, "<html> <title>Sign in</title></html>"), id="413 of a proxy"),
        pytest.param(402, "billing_limit_exceeded", {}, Stop(OVER.format(402, BILLING)), id="402"),
        pytest.param(
            429, "billing_limit_exceeded", {}, Stop(OVER.format(429, BILLING)), id="429 for the quota"
        ),
        pytest.param(
            429, "rate_limited", {"retry-after": "1"}, Retry("429: rate_limited: in words", 1.0), id="429"
        ),
        pytest.param(408, "request_timeout", {}, Retry("408: request_timeout: in words"), id="408"),
        pytest.param(503, b"busy", {}, Retry("503: busy"), id="503"),
        pytest.param(404, b"", {}, Retry("404", hopeless=NO_V1), id="404"),
        pytest.param(
            401,
            "invalid_api_token",
            {},
            Stop(
                REFUSED.format(
                    401, "invalid_api_token: in words", "check --api-key (the project's own key, phc_…)"
                )
            ),
            id="401",
        ),
        pytest.param(
            400,
            "invalid_header_value",
            {},
            Stop(REFUSED.format(400, "invalid_header_value: in words", "see what the server says")),
            id="400 of headers",
        ),
        pytest.param(
            415,
            "unsupported_encoding",
            {},
            Stop(
                REFUSED.format(
                    415,
                    "unsupported_encoding: in words",
                    "check whether a proxy changes what is sent, or send with --no-gzip",
                )
            ),
            id="415",
        ),
        pytest.param(
            400,
            b"bad",
            {},
            Stop(f"{URL}: the refusal is not PostHog's, found 400, no type, 'bad'; {PROXY}"),
            id="400 of another's",
        ),
        *(
            pytest.param(
                status,
                body,
                {},
                Stop(
                    f"{URL}: the answer is not PostHog's, found {status}, no type, '{body.decode()}'; {PROXY}"
                ),
                id=f"{status} {body.decode()}",
            )
            for status, body in [
                (200, b"Welcome"),
                (200, b'{"status":"Ok"}'),
                (200, b'{"results":[]}'),
                (200, b'{"results":{"u":{}}}'),
                (200, b'{"results":{"u":{"result":1}}}'),
                (204, b""),
                (302, b""),
            ]
        ),
    ],
)
def test_answer_means(status, body, headers, expected):
    """Judged event by event, sent again, cut in halves, or the end."""
    found = outcome(status, body, headers)
    assert found == expected
    if isinstance(expected, Stop):
        assert found.why == {401: "key", 402: "quota", 429: "quota"}.get(status, "server")
    if isinstance(expected, Retry):
        assert found.hopeless == expected.hopeless


def test_an_echoed_key_is_never_shown():
    """Neither in a verdict, nor in an error."""
    found = outcome(200, b'{"results":{"u":{"result":"drop","details":"no %b"}}}' % KEY.encode())
    assert found.verdicts == {"u": Verdict("drop", "no ***")}
    said = b'{"results":{"k":{"result":"ok"},"b":{"result":"kept","details":"k"}}}'
    short = CaptureV1(URL, "k").outcome(Answer(200, {}, said), Request(b"", {}, 2), now=NOW)
    assert short.verdicts == {"k": Verdict("ok"), "b": Verdict("***ept", "***")}
    said = rb'{"results":{"u":{"result":"drop","details":{"a":"\u006b\u00e9"}}}}'
    escaped = CaptureV1(URL, "ké").outcome(Answer(200, {}, said), Request(b"", {}, 1), now=NOW)
    assert escaped.verdicts == {"u": Verdict("drop", "{'a': '***'}")}
    body = json.dumps({"error": "invalid_api_token", "error_description": KEY}).encode()
    assert KEY not in str(outcome(401, body))


@pytest.mark.parametrize("key", [KEY, "e"])
def test_what_is_nested_as_deep_as_can_be_is_an_answer_as_well(key):
    """It is read, and shown, or it is not PostHog's."""
    for depth in (*range(900, 1_000), 50_000):
        details = b"[" * depth + b"]" * depth
        said = b'{"results":{"u":{"result":"drop","details":%b}}}' % details
        found = CaptureV1(URL, key).outcome(Answer(200, {}, said), Request(b"", {}, 1), now=NOW)
        if isinstance(found, Stop):
            assert "the answer is not PostHog's, found 200" in found.reason
        else:
            assert sort(found.verdicts, ["u"]).dropped.keys() == {0}
    assert isinstance(found, Stop)


def test_an_answer_may_be_as_long_as_it_has_events():
    """A verdict on each is read, and of what is no answer not much more."""
    assert 200_000 < CAPTURE.answer_bytes(1_000) < 1_000_000


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"not found", b'{"error":1,"error_description":"x"}', b'{"error":"x"}']
)
def test_what_is_not_v1s_has_no_tag(body):
    """It may be another's error."""
    assert tag(body) == ""
