"""Another Python of ours, begun to do work for this one: in a process group of its own, at the end of a connection.

Ctrl-C in a terminal does not reach it. What it runs is to listen to the connection, and to end where that does, so that
it does not outlive whoever began it.
"""

import gc
import os
import subprocess
import sys
from multiprocessing.connection import Connection, Pipe
from typing import IO, Final

_BEGIN: Final = """\
import gc, sys
gc.set_threshold(*{!r})
sys.path[:] = {!r}
from {} import main
main({})
"""
_ARENAS: Final = "MALLOC_ARENA_MAX"
"""Each thread has an arena of glibc's else, which keeps what Python's reader has freed: one keeps 20 MB less."""
_KEPT: Final = "_RJEM_MALLOC_CONF"
_SOONER: Final = ("dirty_decay_ms:500", "dirty_decay_ms:50")
"""There are several of them: each gives back sooner what polars has freed, 18 MB of its peak for 1 % of its time."""


def begun(module: str, output: IO[bytes] | int) -> "tuple[subprocess.Popen[bytes], Connection]":
    """Begin one that runs a module's `main` with its end of a connection, by number; return it and our end.

    What it writes goes to `output`; raises OSError where none can be begun.
    """
    kept = os.environ.get(_KEPT, "").replace(*_SOONER)
    ours, theirs = Pipe()
    with theirs:
        process = subprocess.Popen(  # noqa: S603 - our own command line
            [sys.executable, "-c", _BEGIN.format(gc.get_threshold(), sys.path, module, theirs.fileno())],
            env={_ARENAS: "1"} | os.environ | ({_KEPT: kept} if kept else {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=[theirs.fileno()],
            process_group=0,
        )
    return process, ours
