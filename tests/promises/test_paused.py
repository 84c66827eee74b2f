"""A process that is stopped for a while takes up again what it did: its own silence is not the server's."""

import gzip
import json
import signal
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest
from commands import started
from workdirs import events, planned

pytestmark = pytest.mark.crash

DEADLINE = 2.0
STOPPED = DEADLINE + 0.5
KEY = "phc_secret"


@contextmanager
def holding():
    """Serve what holds its answer to the first events, a 503, until it is released, and accepts all after it."""

    class Held(BaseHTTPRequestHandler):
        asked, released = Event(), Event()
        requests = 0

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if b'"batch":[]' in (gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body):
                self.answer(400, b"request holds no event")
                return
            Held.requests += 1
            is_first = not self.asked.is_set()
            self.asked.set()
            if is_first:
                self.released.wait(60)
            self.answer(*((503, b"transient error") if is_first else (200, b'{"status":"Ok"}')))

        def answer(self, status, text):
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            with suppress(OSError):  # who timed out has gone
                self.end_headers()
                self.wfile.write(text)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Held)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", Held
    finally:
        Held.released.set()
        server.shutdown()
        server.server_close()


def applying(workdir, url, *more):
    """Apply a plan in a process of its own."""
    words = ["apply", workdir, "--host", url, "--api-key", KEY, "--concurrency", "1"]
    return started(*words, "--protocol", "v0", "--yes", "--json", *more)


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no such signal here")
def test_a_stopped_process_is_not_the_servers_silence(tmp_path):
    """Stopped for longer than --deadline, or than --timeout in its only attempt, it goes on and delivers."""
    with ExitStack() as stack:
        runs = []
        for name, answers, more in [
            ("deadline", True, ["--deadline", f"{DEADLINE}s"]),
            ("timeout", False, ["--timeout", f"{DEADLINE}s", "--max-attempts", "1"]),
        ]:
            (tmp_path / name).mkdir()
            planned(tmp_path / name, events(50)).close()
            url, server = stack.enter_context(holding())
            runs.append((stack.enter_context(applying(tmp_path / name, url, *more)), server, answers))
        for process, server, answers in runs:
            assert server.asked.wait(60)
            process.send_signal(signal.SIGSTOP)
            if answers:
                server.released.set()
        Event().wait(STOPPED)  # the deadline goes by while they are stopped
        for process, _, _ in runs:
            process.send_signal(signal.SIGCONT)
        for process, server, _ in runs:
            out, err = process.communicate(timeout=60)
            assert process.returncode == 0, err
            numbers = json.loads(out.splitlines()[-1])
            assert numbers["events"]["accepted"] == 50
            assert (numbers["retries"], server.requests) == (1, 2)
