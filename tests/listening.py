"""A host that checks and webhooks are on, for tests: it keeps what it is told, and answers as it is asked to."""

import json
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit


class Told(NamedTuple):
    """One request: its path, its query, its headers and its body."""

    path: str
    query: dict
    headers: dict
    body: str


class Listener:
    """A context manager; `told` is what it was told, in order, `asked` what it was asked for as a proxy.

    `answers`: what each request gets, one after another: a status, `hangs` or `drops`; then 200.
    """

    def __init__(self, *answers, context=None):
        self.told, self.asked = [], []
        self._answers, self._ends = list(answers), Event()
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                url = urlsplit(self.path)
                listener.told.append(Told(url.path, parse_qs(url.query), dict(self.headers), body))
                listener._answer(self)

            def do_CONNECT(self):
                listener.asked.append(f"{self.command} {self.path}")
                self.send_error(502)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self.url = f"{'http' if context is None else 'https'}://127.0.0.1:{self.port}"

    def __enter__(self):
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._ends.set()
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, handler):
        answer = self._answers.pop(0) if self._answers else 200
        if answer == "hangs":
            self._ends.wait()
        if isinstance(answer, str):
            return
        with suppress(ConnectionError):
            handler.send_response(answer)
            if answer in {301, 302, 307}:
                handler.send_header("Location", f"{self.url}/elsewhere")
            handler.send_header("Content-Length", "0")
            handler.end_headers()

    @property
    def paths(self):
        """Where it was told something, in order."""
        return [one.path for one in self.told]

    def bodies(self, path):
        """What it was told there, from JSON."""
        return [json.loads(one.body) for one in self.told if one.path == path]
