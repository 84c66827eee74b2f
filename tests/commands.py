"""The command line as its own process, for tests."""

import json
import os
import subprocess
import sys
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
