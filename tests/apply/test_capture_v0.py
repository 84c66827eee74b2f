import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.apply.capture import Answer, retry_after
from migrate.apply.capture_v0 import CaptureV0
from migrate.apply.outcome import Accepted, Request, Retry, Split, Stop

KEY = "phc_a-key-nobody-may-see"
AGAIN = "run the same command again to resume"
URL = "https://posthog.example.com"
NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT
OK = b'{"status":"Ok"}'
PAGE = b"<html>\n <title>Sign in</title>" + b"x" * 300


def outcome(status, headers, body, *, key=""):
    """What this answer means."""
    return CaptureV0(URL, key).outcome(Answer(status, headers, body), Request(b"", {}, 1), now=NOW)


@pytest.mark.parametrize(
    ("status", "answer", "expected"),
    [
        pytest.param(200, OK, Accepted(), id="ok"),
        pytest.param(200, b'{ "status" : "Ok", "more": [] }', Accepted(), id="ok with more"),
        pytest.param(200, b'{"status":1}', Accepted(), id="one, as the old server said"),
        pytest.param(400, b"request holds no event\n", Split(400, "request holds no event"), id="400"),
        pytest.param(413, b"too big", Split(413, "too big"), id="413"),
        pytest.param(413, b"", Split(413, "status 413 without a word"), id="413 without words"),
        pytest.param(408, b"slow", Retry("408: slow"), id="408"),
        pytest.param(429, b"rate limited", Retry("429: rate limited"), id="429"),
        pytest.param(500, b"", Retry("500"), id="500"),
        pytest.param(502, b"<html>bad\n gateway", Retry("502: <html>bad gateway"), id="502"),
        pytest.param(503, b"transient error", Retry("503: transient error"), id="503"),
        pytest.param(504, b"\xff\x1b[2J", Retry("504: \ufffd [2J"), id="504, not UTF-8, steering a terminal"),
        pytest.param(599, b"odd", Retry("599: odd"), id="599"),
    ],
)
def test_answer_means(status, answer, expected):
    """The table of answers: accepted, sent again, or cut in halves."""
    assert outcome(status, {}, answer) == expected


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (401, "check --api-key (the project's own key, phc_…)"),
        (402, "check the project's billing and quota"),
        (403, "check --api-key, and whether this network may reach the host"),
        (404, "check --host: there is no capture endpoint at this address"),
        (407, "check the proxy in HTTP_PROXY or HTTPS_PROXY"),
        (405, "check --host: what answers at this address takes no events"),
        (415, "check whether a proxy changes what is sent, or send with --no-gzip"),
        (451, "see what the server says"),
    ],
)
def test_refusal_stops_with_the_servers_words(status, advice):
    """A 4xx that no retry and no smaller batch can cure stops, and says what to look at."""
    assert outcome(status, {}, b"so it is") == Stop(
        f"{URL}: the batch was refused, found {status} 'so it is'; {advice}, then {AGAIN}"
    )


@pytest.mark.parametrize("answer", [b'{"status":"Ok","quota_limited":["events"]}', b'{"quota_limited":[]}'])
def test_quota_limited_stops(answer):
    """A 200 that names a quota stored nothing, whatever its status field says."""
    assert outcome(200, {}, answer) == Stop(
        f"{URL}: the project is over its quota and keeps nothing of this batch, found '{answer.decode()}';"
        f" raise the project's limit, then {AGAIN}"
    )


@pytest.mark.parametrize(
    ("status", "headers", "answer", "found"),
    [
        pytest.param(
            200,
            {"Content-Type": "text/html"},
            PAGE,
            "200, text/html, '<html> <title>Sign in</title>" + "x" * 171 + "'",
            id="captive portal",
        ),
        pytest.param(200, {}, b"", "200, no type, ''", id="empty 200"),
        pytest.param(200, {}, b'{"status":"ok"}', '200, no type, \'{"status":"ok"}\'', id="other case"),
        pytest.param(200, {}, b'{"status":true}', "200, no type, '{\"status\":true}'", id="true is not 1"),
        pytest.param(200, {}, b'{"status":0}', "200, no type, '{\"status\":0}'", id="zero"),
        pytest.param(200, {}, b'["Ok"]', "200, no type, '[\"Ok\"]'", id="not an object"),
        pytest.param(200, {}, b"[" * 60_000, f"200, no type, '{'[' * 200}'", id="nested too deep"),
        pytest.param(204, {}, b"", "204, no type, ''", id="204"),
        pytest.param(201, {}, OK, '201, no type, \'{"status":"Ok"}\'', id="201"),
        pytest.param(
            302,
            {"location": "https://login.example.com/", "content-type": "text/plain"},
            b"",
            "302 to https://login.example.com/, text/plain, ''",
            id="redirect",
        ),
        pytest.param(600, {}, b"what", "600, no type, 'what'", id="no status of HTTP"),
    ],
)
def test_answer_of_somebody_else_stops(status, headers, answer, found):
    """What is not unmistakably PostHog's own answer counts as nothing, and is shown as far as it helps."""
    assert outcome(status, headers, answer) == Stop(
        f"{URL}: the answer is not PostHog's, found {found}; check --host, and whether a proxy or a login"
        f" page stands in between, then {AGAIN}"
    )


@pytest.mark.parametrize("status", [200, 204, 302, 400, 401, 413, 429, 503])
def test_echoed_key_is_never_shown(status):
    """A key in a body, a redirect or a content type, escaped or cut, comes out as stars."""
    key = 'phc_"a\\b-' + "k" * 30
    echo = ("é" * 180 + key + json.dumps({"k": key})).encode()
    headers = {"Location": f"https://x/{key}", "Content-Type": key}
    shown = str(outcome(status, headers, echo, key=key))
    assert "***" in shown
    assert not [part for part in ('phc_"', "phc_\\", "kkk") if part in shown]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        pytest.param("120", 120.0, id="seconds"),
        pytest.param("1.5", 1.5, id="a fraction, against the RFC"),
        pytest.param("-3", 0.0, id="negative"),
        pytest.param("Tue, 14 Nov 2023 22:14:20 GMT", 60.0, id="date"),
        pytest.param("Tue, 14 Nov 2023 22:14:20 -0000", 60.0, id="date without a zone is UTC"),
        pytest.param("Tue, 14 Nov 2023 22:00:00 GMT", 0.0, id="past date"),
        pytest.param("soon", None, id="words"),
        pytest.param("inf", None, id="never"),
        pytest.param("", None, id="empty"),
        pytest.param(None, None, id="absent"),
    ],
)
def test_retry_after_is_seconds_or_a_date(value, seconds):
    """Both forms of the header are understood, nonsense is no header."""
    assert retry_after(value, now=NOW) == seconds
    headers = {} if value is None else {"RETRY-AFTER": value}
    assert outcome(503, headers, b"") == Retry("503", seconds)


@pytest.mark.parametrize(
    "value", ["120", "Tue, 14 Nov 2023 22:00:00 GMT", "Wed, 13 Nov 2024 22:00:00 GMT", None]
)
def test_a_retry_after_that_is_a_time_needs_no_word(value):
    """Nor does one that is past, as clocks differ, or none at all."""
    headers = {} if value is None else {"Retry-After": value}
    assert not outcome(503, headers, b"").unheeded
    assert outcome(503, {"Retry-After": "-3"}, b"").unheeded == "-3"


@pytest.mark.parametrize("status", [401, 403])
def test_a_login_page_is_not_posthogs_word_on_the_key(status):
    """Basic auth of a proxy says nothing of --api-key; PostHog's own line does."""
    found = outcome(status, {"Content-Type": "text/html"}, PAGE)
    assert "the words are not PostHog's: check --host, and whether a proxy" in found.reason
    assert "--api-key" not in found.reason


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(b"Client sent an HTTP request to an HTTPS server.\n", id="Go, Caddy"),
        pytest.param(b"400 Bad Request: missing required Host header", id="Go"),
    ],
)
def test_a_web_servers_own_refusal_costs_no_event(words):
    """In plain text as PostHog's, but of what never saw the batch."""
    found = outcome(400, {"Content-Type": "text/plain; charset=utf-8"}, words)
    assert isinstance(found, Stop)
    assert found.reason.startswith(f"{URL}: the refusal is not PostHog's, found 400")


def test_a_status_that_no_waiting_mends_is_told_where_it_is_a_page():
    """A file server takes no POST; a plain 501 may be a service that is starting."""
    page = outcome(501, {"Content-Type": "text/html"}, PAGE)
    assert isinstance(page, Retry)
    assert page.hopeless.startswith("the answer is not PostHog's, found 501, text/html")
    assert not outcome(501, {}, b"odd").hopeless
    assert not outcome(502, {"Content-Type": "text/html"}, PAGE).hopeless


@given(st.integers(100, 999), st.dictionaries(st.text(), st.text()), st.binary())
def test_every_answer_has_an_outcome(status, headers, answer):
    """Nothing a server can say raises, and only a 200 is ever accepted."""
    headers |= {"Retry-After": "".join(headers)}
    result = outcome(status, headers, answer, key=KEY)
    assert isinstance(result, Accepted | Retry | Split | Stop)
    assert not isinstance(result, Accepted) or status == 200


@pytest.mark.parametrize(
    ("headers", "answer", "is_ours"),
    [
        ({}, b"failed to parse request: trailing characters at line 1 column 9", True),
        ({"Content-Type": "text/plain"}, b"event submitted without a distinct_id", True),
        ({}, b'{"type":"validation_error","code":"invalid_payload","detail":"no"}', True),
        ({"Content-Type": "text/html; charset=utf-8"}, b"Bad Request", False),
        ({}, b"<html><head><title>400 Bad Request</title></head>", False),
        ({"Content-Type": "application/json"}, b'{"message":"blocked by policy 17"}', False),
        ({}, b"[]", False),
    ],
)
def test_a_refusal_that_is_not_posthogs_costs_no_event(headers, answer, is_ours):
    """A firewall's page would else park event by event what PostHog has never seen; a 413 passes when it is smaller."""
    found = outcome(400, headers, answer)
    assert isinstance(found, Split if is_ours else Stop)
    if not is_ours:
        assert found.reason.startswith(f"{URL}: the refusal is not PostHog's, found 400")
    assert isinstance(outcome(413, headers, answer), Split)


@pytest.mark.parametrize(
    "value",
    [
        "soon",
        "nan",
        "inf",
        "-inf",
        "1e999",
        "Mon, 32 Jan 2024 00:00:00 GMT",
        "Mon, 01 Jan 99999 00:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "1000000000000",
        "",
    ],
)
def test_a_retry_after_that_is_no_time_is_none(value):
    """As if the server had said nothing; what it did say is known."""
    found = outcome(503, {"Retry-After": value}, b"")
    assert found == Retry("503")
    assert found.unheeded == value
