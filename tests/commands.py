"""The command line, in this process or as its own, for tests."""

import fcntl
import io
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import tempfile
import termios
from contextlib import ExitStack, chdir, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

from migrate.cli.main import main

KEY = "phc_do_not_tell_anyone"


def migrate(*words, cwd=None, env=None):
    """Run the command line from its way in to its way out, without a terminal.

    In this process, for a process of its own reads polars and Arrow for a second first; see `apart`.
    """
    out, error = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    command = ["migrate", *map(str, words)]
    code = 0
    with ExitStack() as stack:
        stdin = stack.enter_context(Path(os.devnull).open(encoding="utf-8"))
        for each in (
            chdir(cwd or Path.cwd()),
            redirect_stdout(out),
            redirect_stderr(error),
            patch.object(sys, "argv", command),
            patch.object(sys, "stdin", stdin),
            patch.dict(os.environ, env or {}),
            patch.object(tempfile, "tempdir", None),
            undisturbed(),
        ):
            stack.enter_context(each)
        try:
            main()
        except SystemExit as leave:
            code = leave.code
    told, said = (one.buffer.getvalue().decode() for one in (out, error))
    return subprocess.CompletedProcess(command, code or 0, told, said)


@contextmanager
def undisturbed():
    """Keep what the command line sets for all of its process."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    hook = sys.excepthook
    mask, before = os.umask(0o077), {number: signal.getsignal(number) for number in numbers}
    try:
        yield
    finally:
        os.umask(mask)
        sys.excepthook = hook
        for number, handler in before.items():
            signal.signal(number, handler)


def apart(*words, cwd=None, env=None):
    """Run the command line as its own process."""
    return subprocess.run(
        [sys.executable, "-m", "migrate", *map(str, words)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=os.environ | (env or {}),
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@contextmanager
def started(*words):
    """Start the command line; whatever happens, it does not outlive the test."""
    command = [sys.executable, "-m", "migrate", *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


class Screen:
    """A terminal that a command runs on, and what it has shown so far."""

    def __init__(self, process, master):
        self.process = process
        self._master = master
        self.shown = ""

    def until(self, pattern, times=1):
        """Read on until so many different texts of a pattern are shown; the lines, without what steers a terminal."""
        while len(set(re.findall(pattern, self._plain()))) < times:
            try:
                self.shown += os.read(self._master, 65_536).decode(errors="replace")
            except OSError:
                break
        return re.split(r"[\r\n]+", self._plain())

    def _plain(self):
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.shown)


@contextmanager
def on_terminal(*words, columns, env=None):
    """Start the command line on a terminal of so many columns; it does not outlive the test."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    command = [sys.executable, "-m", "migrate", *map(str, words)]
    given = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "NO_COLOR"}}
    ways = dict.fromkeys(("stdin", "stdout", "stderr"), slave)
    with subprocess.Popen(command, env=given | {"TERM": "xterm"} | (env or {}), **ways) as process:
        os.close(slave)
        try:
            yield Screen(process, master)
        finally:
            process.kill()
            os.close(master)


def summary(done):
    """The JSON summary, the last line of stdout."""
    return json.loads(done.stdout.splitlines()[-1])


def rows(path, count=3, start=0, **more):
    """Write PostHog-shaped rows."""
    path.parent.mkdir(exist_ok=True)
    with path.open("w") as file:
        for n in range(start, start + count):
            when = f"2024-04-03T12:00:{n % 60:02d}Z"
            line = {"event": "e", "distinct_id": f"u{n}", "timestamp": when, "properties": {"n": n}} | more
            file.write(json.dumps(line) + "\n")
    return path
