"""A process of its own in a fraction of a second: forked from one that has read polars, Arrow and the command line.

That one has worked with none of them yet. What is forked is killed as any other process, and nothing of it is shared.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path

READ = (
    *("cli.commands", "cli.main", "cli.plan", "cli.run", "cli.send", "planning", "sending", "session"),
    *("kit.values", "page.render", "report.samples", "report.terminal", "workdir.became"),
)
"""What is read once, of `migrate`."""
SECONDS = 120
"""No command of a test takes as long."""
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload([f"migrate.{name}" for name in READ])


def python(text, *words, env=None):
    """Run Python text as its own process, as `python -c` does; it ends like one, by an exit code or a signal."""
    with tempfile.TemporaryDirectory() as folder:
        told, said = Path(folder, "stdout"), Path(folder, "stderr")
        command = ["-c", *map(str, words)]
        process = _SERVER.Process(
            target=_run,
            args=(text, command, os.environ | (env or {})),
            kwargs={"stdout": told, "stderr": said},
        )
        process.start()
        process.join(SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(command, SECONDS, said.read_bytes())
        code = process.exitcode
        process.close()
        return subprocess.CompletedProcess(command, code, told.read_text(), said.read_text())


def _run(text, command, env, **streams):
    """Be that process; multiprocessing has brought it into the folder."""
    os.environ.clear()
    os.environ.update(env)
    tempfile.tempdir = None
    sys.argv = command
    for number, (name, path) in enumerate(streams.items(), 1):
        with path.open("wb") as file:
            os.dup2(file.fileno(), number)
        setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115 - until it ends
    exec(text, {"__name__": "__main__"})  # noqa: S102 - what a test has written
