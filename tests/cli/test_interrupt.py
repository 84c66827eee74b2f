"""Ctrl-C at any moment is a line and 130, and never the middle of a module."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import types
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from commands import rows

from migrate.cli.interrupt import interrupt

AT = """
import os, signal, sys
class Finder:
    def find_spec(self, name, *_):
        if name == os.environ["AT"]:
            os.kill(os.getpid(), signal.SIGINT)
from migrate.__main__ import main
sys.meta_path.insert(0, Finder())
main()
"""


@pytest.mark.parametrize(
    "module", ["migrate.cli.interrupt", "migrate.cli.commands", "migrate.cli.plan", "polars"]
)
def test_an_interrupt_while_a_module_is_read_waits_until_it_is(tmp_path, module):
    """One line, the JSON line, 130, and no workdir."""
    source = rows(tmp_path / "in" / "a.jsonl")
    done = subprocess.run(
        [sys.executable, "-c", AT, "plan", "posthog", source, "--workdir", tmp_path / "w", "--json"],
        env=os.environ | {"AT": module},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.strip()) == (130, "interrupted; run the same command again")
    assert json.loads(done.stdout)["run"]["exit_code"] == 130
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize("given", ["s3://bucket/in/", "s3://bucket/in/a.jsonl", "http://{}/a.jsonl"])
def test_an_interrupt_ends_the_wait_for_a_storage_that_gives_no_answer(tmp_path, given):
    """It is listed, looked up or read; it would be waited for for minutes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        host = f"127.0.0.1:{server.getsockname()[1]}"
        keys = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "k", "AWS_ENDPOINT_URL": f"http://{host}"}
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "migrate",
                "plan",
                "posthog",
                given.format(host),
                "--workdir",
                tmp_path / "w",
            ],
            env=os.environ | keys,
            stderr=subprocess.PIPE,
            text=True,
        )
        asked, held = b"", []
        while not asked:  # the first connection only looks whether anybody is there
            held.append(server.accept()[0])
            asked = held[-1].recv(100)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=20)[1]
        for one in held:
            one.close()
    assert (process.returncode, said.strip()) == (130, "interrupted; run the same command again")


BROKEN = """
import threading
from migrate.cli import commands
from migrate.__main__ import main

def broken(**_):
    lock = threading.Lock()
    with lock:
        {}
        raise KeyboardInterrupt

commands.cli.main = broken
main()
"""


@pytest.mark.parametrize(
    ("before", "code", "said"),
    [
        # as Condition.wait does, which an interrupt may leave before it has the lock again
        ("lock.release()", 130, "interrupted; run the same command again"),
        ("raise ValueError", 1, "ValueError"),
        ("lock.release(); raise ValueError", 1, "RuntimeError: release unlocked lock"),
    ],
)
def test_an_interrupt_is_one_where_it_becomes_another_error(before, code, said):
    """Another error keeps its traceback."""
    done = subprocess.run(
        [sys.executable, "-c", BROKEN.format(before)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.strip().splitlines()[-1]) == (code, said)
    assert (len(done.stderr.strip().splitlines()) == 1) == (code == 130)


class Silent(BaseHTTPRequestHandler):
    """A file of a web server, which gives its second half once, and then says nothing."""

    protocol_version = "HTTP/1.1"
    data, given, silence, over = b"", set(), threading.Event(), threading.Event()

    def log_message(self, *_):
        """Say nothing."""

    def do_GET(self):
        """Give the range that is asked for."""
        start, end = map(int, re.match(r"bytes=(\d+)-(\d+)", self.headers["Range"]).groups())
        if start in self.given and start > len(self.data) // 2 and not self.over.is_set():
            self.silence.set()
            self.over.wait(60)
            return
        self.given.add(start)
        part = self.data[start : end + 1]
        self.send_response(206)
        for name, value in {
            "ETag": '"e"',
            "Last-Modified": "Wed, 03 Apr 2024 00:00:00 GMT",
            "Content-Range": f"bytes {start}-{start + len(part) - 1}/{len(self.data)}",
            "Content-Length": str(len(part)),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(part)


def test_an_interrupt_while_it_plans_ends_the_wait_for_a_storage(tmp_path):
    """What is planned so far is told, and how to go on; it goes on once there are answers."""
    Silent.data = rows(tmp_path / "rows.jsonl", 30_000).read_bytes()
    with ThreadingHTTPServer(("127.0.0.1", 0), Silent) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        words = ["plan", "posthog", f"http://127.0.0.1:{server.server_port}/a.jsonl", "--workdir", "w"]
        process = subprocess.Popen(
            [sys.executable, "-m", "migrate", *words], cwd=tmp_path, stderr=subprocess.PIPE, text=True
        )
        assert Silent.silence.wait(60)
        try:
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=20)[1]
        finally:
            Silent.over.set()
        assert process.returncode == 130, said
        assert "state    planning stopped, 0 of 1 file planned" in said
        done = subprocess.run(
            [sys.executable, "-m", "migrate", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        server.shutdown()
    assert (done.returncode, "30,000 read: 30,000 mapped" in done.stderr) == (0, True), done.stderr


@pytest.fixture
def ticks():
    """How often SIGALRM came, by which an interrupt that waits is told again."""
    came = []
    before = signal.signal(signal.SIGALRM, lambda *_: came.append(1))
    yield came
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def frame(name, behind=None):
    """A frame of the code of a file."""
    return types.SimpleNamespace(f_code=types.SimpleNamespace(co_filename=name), f_back=behind)


@pytest.mark.parametrize("name", ["<frozen importlib._bootstrap>", "/site-packages/polars/expr.py"])
def test_what_must_not_break_off_is_not_interrupted(ticks, name):
    """However deep it is called from there; it is told again soon."""
    interrupt(signal.SIGINT, frame("a.py", frame(name, frame("main.py"))))
    while not ticks:
        signal.pause()
    with pytest.raises(KeyboardInterrupt):
        interrupt(signal.SIGINT, frame("a.py", frame("main.py")))
