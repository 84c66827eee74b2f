"""What capture v1 reads of a request, and in which order it refuses one; posthog-ingestion.md §2.1, §2.2, §2.4."""

import gzip
import json
import zlib

import pytest
import zstandard
from posting import NOW, UUID, V1_HEADERS, answer, answer_v1, batch_v1, event, post_v1

from migrate.sandbox.server import Sandbox
from migrate.sandbox.wire_v1 import DECODED_LIMIT, WIRE_LIMIT

BODY = json.dumps(batch_v1(event())).encode()
TAKEN = (200, {UUID: {"result": "ok"}})


@pytest.fixture(scope="module")
def sandbox():
    """A sandbox whose clock stands still; what one test stores does not matter to another."""
    with Sandbox(now=lambda: NOW, has_v1=True) as running:
        yield running


def raw_deflate(data):
    """Deflated data without a head."""
    pack = zlib.compressobj(wbits=-15)
    return pack.compress(data) + pack.flush()


def header(name, value):
    """One header as it is given to a request."""
    return {name.replace("-", "_"): value}


REFUSED = [
    pytest.param(header("Authorization", None), 401, "missing_authorization", id="no key"),
    pytest.param(header("Authorization", "Basic abc"), 400, "invalid_header_value", id="no bearer"),
    pytest.param(header("Authorization", "Bearer phx_secret"), 401, "invalid_api_token", id="personal key"),
    pytest.param(header("Content-Type", "text/plain"), 415, "unsupported_content_type", id="content type"),
    *(
        pytest.param(header(name, None), 400, "missing_required_headers", id=f"no {name}")
        for name in V1_HEADERS
        if name not in {"Authorization", "User-Agent"}
    ),
    pytest.param(header("User-Agent", ""), 400, "missing_required_headers", id="no User-Agent"),
    pytest.param(header("PostHog-Attempt", "0"), 400, "invalid_header_value", id="attempt 0"),
    pytest.param(header("PostHog-Request-Id", "7"), 400, "invalid_header_value", id="request id"),
    pytest.param(
        header("PostHog-Request-Timestamp", "2026-01-02T03:04:05"), 400, "invalid_header_value", id="no zone"
    ),
    *(
        pytest.param(header("Content-Encoding", name), 415, "unsupported_encoding", id=name)
        for name in ("identity", "lz64")
    ),
]


@pytest.mark.parametrize(("headers", "status", "tag"), REFUSED)
def test_a_header_that_is_wrong_is_refused(sandbox, headers, status, tag):
    """Before the body is looked at; JSON says so, without a Retry-After."""
    found, told, said = answer_v1(sandbox, b"rubbish", **headers)
    assert (found, said["error"]) == (status, tag)
    assert said.keys() == {"error", "error_description", "error_uri"}
    assert told["Content-Type"] == "application/json"
    assert "Retry-After" not in told


def test_the_key_is_looked_at_first(sandbox):
    """Whatever else is wrong."""
    wrong = {"Content_Type": "text/plain", "PostHog_Attempt": "x", "Content_Encoding": "identity"}
    assert post_v1(sandbox, b"", Authorization=None, **wrong) == (401, "missing_authorization")
    assert post_v1(sandbox, b"", Authorization="bearer k", **wrong) == (415, "unsupported_content_type")


TAKEN_AS = [
    pytest.param(BODY, {"Authorization": "bEARER phc_key"}, id="bearer in any case"),
    pytest.param(BODY, {"Content_Type": "Application/JSON; charset=utf-8"}, id="type with a parameter"),
    pytest.param(gzip.compress(BODY), {"Content_Encoding": "gzip"}, id="gzip"),
    pytest.param(zlib.compress(BODY), {"Content_Encoding": "deflate"}, id="zlib"),
    pytest.param(raw_deflate(BODY), {"Content_Encoding": "deflate"}, id="raw deflate"),
    pytest.param(zstandard.compress(BODY), {"Content_Encoding": "zstd"}, id="zstd"),
    pytest.param(BODY + b" " * (WIRE_LIMIT - 1 - len(BODY)), {}, id="the largest body"),
]


@pytest.mark.parametrize(("body", "headers"), TAKEN_AS)
def test_a_body_is_taken(sandbox, body, headers):
    """In the encodings v1 reads, which are those that the header names; the answer repeats the request's id."""
    status, told, said = answer_v1(sandbox, body, **headers)
    assert (status, said["results"]) == TAKEN
    assert told["PostHog-Request-Id"] == V1_HEADERS["PostHog-Request-Id"]
    assert "Date" in told


BODIES = [
    pytest.param(b"", {}, 400, "empty_body", id="nothing"),
    pytest.param(gzip.compress(BODY), {}, 400, "request_decoding_error", id="gzip that is not told"),
    pytest.param(
        gzip.compress(BODY)[:-9], {"Content_Encoding": "gzip"}, 400, "request_decoding_error", id="torn"
    ),
    pytest.param(BODY, {"Content_Encoding": "zstd"}, 400, "request_decoding_error", id="no zstd"),
    pytest.param(BODY + b" " * (WIRE_LIMIT - len(BODY)), {}, 413, "payload_too_large", id="10 MiB"),
    pytest.param(
        gzip.compress(b" " * DECODED_LIMIT, 1),
        {"Content_Encoding": "gzip"},
        413,
        "payload_too_large",
        id="50 MiB",
    ),
    pytest.param(b"[]", {}, 400, "request_parsing_error", id="an array"),
    pytest.param(b'{"batch":[]}', {}, 400, "request_parsing_error", id="no created_at"),
    pytest.param(BODY.replace(b"true", b'"true"'), {}, 400, "request_parsing_error", id="flag as a text"),
    pytest.param(BODY[:-1], {}, 400, "request_parsing_error", id="JSON cut short"),
    pytest.param(batch_v1(event(), created_at="today"), {}, 400, "invalid_batch", id="created_at is no time"),
    pytest.param(batch_v1(), {}, 400, "empty_batch", id="no event"),
]


@pytest.mark.parametrize(("body", "headers", "status", "tag"), BODIES)
def test_a_body_is_refused(sandbox, body, headers, status, tag):
    """As a whole, and nothing of it is stored."""
    before = len(sandbox.events())
    assert post_v1(sandbox, body, **headers) == (status, tag)
    assert len(sandbox.events()) == before


def test_a_posthog_without_v1_knows_no_such_path():
    """It answers 404, and counts no request."""
    with Sandbox() as sandbox:
        for path in ("/i/v1/analytics/events", "/i/v1/analytics/events/"):
            assert answer(sandbox, BODY, path)[0] == 404
        assert sandbox.requests() == []
