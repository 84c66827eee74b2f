"""Capture is known by what it says of a batch without events; no event is sent to find out."""

import asyncio
import gzip
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from posting import OK, batch, event, post

from migrate.apply.outcome import Retry
from migrate.asking.reach import Reach, Reached
from migrate.errors import Unasked
from migrate.sandbox.server import Sandbox

KEY = "phc_do_not_tell_anyone"
EMPTY = (400, "text/plain", b"request holds no event")
PAGE = (200, "text/html", b"<html>Please sign in</html>")
JSON = "application/json"
V1 = "/i/v1/analytics/events"


class Server:
    """Answers each request as a function of it says: path, headers, body -> status, type, body; a context manager."""

    def __init__(self, answer):
        self.heard = heard = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                heard.append((self.path, dict(self.headers), body))
                status, kind, text = answer(*heard[-1])
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


def fully(url):
    """All that is seen of capture."""
    return asyncio.run(Reach(url, KEY, timeout=5.0).fully())


def shortly(url, *, is_packed=True):
    """What is seen of it in passing."""
    return asyncio.run(Reach(url, KEY, timeout=5.0).shortly(is_packed=is_packed))


def test_a_posthog_is_known_and_keeps_nothing():
    """A sandbox counts the requests; there is no event in them."""
    with Sandbox() as sandbox:
        assert post(sandbox, batch(event())) == OK
        assert fully(sandbox.url).takes_gzip
        assert shortly(sandbox.url) == Reached(sandbox.url, takes_gzip=True)
        assert len(sandbox.events()) == 1
        assert [(one["events"], one["stored"]) for one in sandbox.requests() if one["path"] == "/batch/"][
            1:
        ] == [
            (0, 0),
            (0, 0),
        ]


def test_what_is_asked_says_that_it_is_history():
    """A batch without events, packed as batches are, then one for v1; the key as each of them has it."""

    def answer(path, _headers, _body):
        return (401, JSON, b'{"error": "empty_batch", "error_description": "none"}') if path == V1 else EMPTY

    with Server(answer) as server:
        assert fully(server.url) == Reached(server.url, takes_gzip=True, has_v1=True)
    (one, headers, body), (other, more, nothing) = server.heard
    assert (one, other) == ("/batch/", V1)
    told = json.loads(nothing)
    assert (told["historical_migration"], told["batch"]) == (True, [])
    assert json.loads(gzip.decompress(body)) == {"api_key": KEY, "historical_migration": True, "batch": []}
    assert (headers["Content-Encoding"], more["Authorization"]) == ("gzip", f"Bearer {KEY}")


def test_older_and_poorer_ones_are_known_too():
    """One that nods at a batch without events; one behind a proxy that unpacks badly; v1 that is not there."""

    def answer(path, headers, _body):
        if path == V1:
            return (404, "text/plain", b"not found")
        if headers.get("Content-Encoding"):
            return (400, "text/plain", b"failed to decode request: invalid GZIP data")
        return (200, JSON, b'{"status": 1}')

    with Server(answer) as server:
        assert fully(server.url) == Reached(server.url, takes_gzip=False, has_v1=False)
        assert shortly(server.url, is_packed=False) == Reached(server.url, takes_gzip=False)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            PAGE,
            "the answer is not PostHog's, found 200, text/html, '<html>Please sign in</html>'; check --host, and ",
        ),
        (
            (404, "text/plain", b"no"),
            "found 404 'no'; check --host: there is no capture endpoint at this address",
        ),
        (
            (400, JSON, b'{"error": "what?"}'),
            'not what PostHog says of a batch without events, found 400 \'{"error"',
        ),
        (
            (200, JSON, b'{"ok": true}'),
            "the answer is not PostHog's, found 200, application/json, '{\"ok\": true}'",
        ),
        (
            (401, "text/plain", b"API key is not valid: empty"),
            "found 401 'API key is not valid: empty'; check --api-key",
        ),
    ],
    ids=["page", "nothing there", "other 400", "other 200", "key"],
)
def test_what_is_no_posthog_is_said(answer, said):
    """In the words in which sending would say it."""
    with Server(lambda *_: answer) as server:
        for look in (fully, shortly):
            with pytest.raises(Unasked) as error:
                look(server.url)
            assert str(error.value).startswith(f"{server.url}: ")
            assert said in str(error.value)
            assert KEY not in str(error.value)


def test_one_that_does_not_answer_now_may_later():
    """In passing that is no matter, as there is patience when events are sent; who asks for a check is told."""
    with Server(lambda *_: (503, "text/plain", b"busy")) as server:
        assert shortly(server.url) == Retry("503: busy")
        with pytest.raises(Unasked, match=r": no answer, found 503: busy; try again later$"):
            fully(server.url)
