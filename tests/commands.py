"""The command line as its own process, for tests."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from contextlib import contextmanager

KEY = "phc_do_not_tell_anyone"


def migrate(*words, cwd=None, env=None):
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
