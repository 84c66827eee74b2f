"""Requests to a sandbox, and what it answers."""

import http.client
import json
from datetime import UTC, datetime
from urllib.parse import urlsplit

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
UUID = "018ea3c1-0000-7000-8000-000000000001"
OK = (200, '{"status":"Ok"}')


def post(sandbox, body, path="/batch/", method="POST", **headers):
    """Send one request and return its status and text."""
    response = answer(sandbox, body, path, method, **headers)
    return response[0], response[2]


def answer(sandbox, body, path="/batch/", method="POST", **headers):
    """Send one request and return its status, headers and text."""
    if not isinstance(body, bytes | type(None)):
        body = json.dumps(body).encode()
    connection = http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=10)
    try:
        named = {"Content-Type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
        connection.request(method, path, body, named)
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read().decode()
    finally:
        connection.close()


def event(**fields):
    """Return a good event, with these fields instead."""
    good = {"event": "seen", "distinct_id": "ann", "uuid": UUID, "timestamp": "2024-04-03T12:00:00Z"}
    return {key: value for key, value in (good | {"properties": {}} | fields).items() if value is not ...}


def batch(*events, **root):
    """Return a good historical batch of these events."""
    return {"api_key": "phc_key", "historical_migration": True, "batch": list(events)} | root


V1 = "/i/v1/analytics/events"
V1_HEADERS = {
    "Authorization": "Bearer phc_key",
    "User-Agent": "posthog-migrate/0",
    "PostHog-Sdk-Info": "posthog-migrate",
    "PostHog-Attempt": "1",
    "PostHog-Request-Id": "018ea3c1-0000-7000-8000-0000000000ff",
    "PostHog-Request-Timestamp": "2026-01-02T03:04:05Z",
}


def batch_v1(*events, **root):
    """Return a good historical batch of these events, for capture v1."""
    return {"created_at": "2026-01-02T03:04:05Z", "historical_migration": True, "batch": list(events)} | root


def answer_v1(sandbox, body, **headers):
    """Send one request to capture v1, without the headers that are None; return status, headers and what is said."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    given = {"Content-Type": "application/json"} | V1_HEADERS | named
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    connection = http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=10)
    try:
        connection.request(
            "POST", V1, body, {name: value for name, value in given.items() if value is not None}
        )
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), json.loads(response.read() or b"null")
    finally:
        connection.close()


def post_v1(sandbox, body, **headers):
    """Send one request to capture v1; return its status, and its tag or its results."""
    status, _, said = answer_v1(sandbox, body, **headers)
    return status, said.get("error") or said["results"]
