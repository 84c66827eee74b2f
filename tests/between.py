"""A server between migrate and a storage: it counts, answers in the storage's place, cuts and changes."""

import http.client
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

BUSY = (503, b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>")
DENIED = (403, b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>")
_HOPS = {"transfer-encoding", "connection", "keep-alive"}


PAGE = """<ListBucketResult><Name>b</Name><KeyCount>{count}</KeyCount><IsTruncated>{more}</IsTruncated>{token}
{entries}</ListBucketResult>"""
LISTED = """<Contents><Key>in/{0:06}.jsonl.gz</Key><LastModified>2024-04-03T12:00:00.000Z</LastModified>
<ETag>&quot;{0:032x}&quot;</ETag><Size>{0}</Size><StorageClass>STANDARD</StorageClass></Contents>"""


class Asked(NamedTuple):
    """A request that was made."""

    method: str
    path: str
    range: str | None
    match: str | None


class Between:
    """What stands between; its faults are set by the tests."""

    def __init__(self, upstream):
        self.upstream = urlsplit(upstream).netloc
        self.asked = []
        """All requests, in order."""
        self.sent = 0
        """Bytes of bodies that went through."""
        self.answers = []
        """Answers for the next requests, in the storage's place: a status and a body."""
        self.refused = None
        """A pattern of paths that are answered with the first of them, always."""
        self.cut_after = None
        """So many bytes of an answer with more, and the connection is closed."""
        self.cuts = 0
        """How many answers are cut; each takes one."""
        self.page = None
        """So many objects on each page of a listing of S3's."""
        self.before = None
        """Called before each request goes on, with it."""
        self._lock = threading.Lock()

    def gets(self, ending=""):
        """The ranges that were asked for of objects, of those whose keys end so."""
        return [
            one.range
            for one in self.asked
            if one.method == "GET" and "list-type" not in one.path and one.path.endswith(ending)
        ]

    def own_answer(self, asked):
        """What is answered in the storage's place; None lets it answer."""
        with self._lock:
            self.asked.append(asked)
            if self.refused is not None and re.search(self.refused[0], asked.path):
                return self.refused[1]
            return self.answers.pop(0) if self.answers else None

    def paged(self, path):
        """The path that is asked for, of a listing with the size of its pages."""
        if self.page is None or "list-type" not in path:
            return path
        return f"{re.sub('&max-keys=[0-9]+|(?<=[?])max-keys=[0-9]+&', '', path)}&max-keys={self.page}"

    def is_cut(self, size):
        """Whether this answer is cut."""
        with self._lock:
            if self.cut_after is None or not self.cuts or size <= self.cut_after:
                return False
            self.cuts -= 1
            return True


@contextmanager
def between(upstream):
    """Such a server, as long as the block lasts; `address` is its own."""
    state = Between(upstream)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Asked(
                self.command, unquote(self.path), self.headers.get("Range"), self.headers.get("If-Match")
            )
            own = state.own_answer(asked)
            if own is not None:
                self.answer(own[0], {"Content-Length": str(len(own[1]))}, own[1])
                return
            if state.before is not None:
                state.before(asked)
            link = http.client.HTTPConnection(state.upstream)
            link.request(self.command, state.paged(self.path), body or None, dict(self.headers))
            found = link.getresponse()
            data = found.read()
            headers = {name: value for name, value in found.getheaders() if name.lower() not in _HOPS}
            if self.command != "HEAD":
                headers["Content-Length"] = str(len(data))
            link.close()
            self.answer(found.status, headers, data)

        do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 - as the class calls them

        def answer(self, status, headers, data):
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "HEAD":
                return
            if self.command == "GET" and state.is_cut(len(data)):
                data = data[: state.cut_after]
                self.close_connection = True
            state.sent += len(data)
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def server(answer):
    """A server, as long as the block lasts: `answer` of its handler gives a status, headers and a body."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            status, headers, body = answer(self)
            self.send_response_only(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body if self.command == "GET" else b"")

        do_HEAD = do_GET  # noqa: N815 - as the class calls it

        def log_message(self, *_):
            pass

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.daemon_threads = True
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{made.server_port}"
    finally:
        made.shutdown()
        thread.join()
        made.server_close()


@contextmanager
def many(count):
    """A server that lists so many objects, a thousand a page, and holds none of them."""

    def answer(handler):
        start = int(parse_qs(urlsplit(handler.path).query).get("continuation-token", ["0"])[0])
        end = min(start + 1_000, count)
        token = f"<NextContinuationToken>{end}</NextContinuationToken>" if end < count else ""
        entries = "".join(map(LISTED.format, range(start, end)))
        page = PAGE.format(count=end - start, more=str(end < count).lower(), token=token, entries=entries)
        return 200, {"Content-Type": "application/xml"}, page.encode()

    with server(answer) as address:
        yield address
