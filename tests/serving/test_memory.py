"""What a process holds is told, by the system or by ps; of one that is gone nothing."""

import os
import subprocess
import sys

from migrate.serving.memory import held, told_by_ps


def test_what_a_process_holds_is_told():
    """About as much by either way, and without what it only maps of files."""
    text = "import sys; held = bytearray(64 << 20); print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", text], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        assert 64 << 20 < held(process.pid) <= told_by_ps(process.pid) < 128 << 20
        process.stdin.close()
    assert held(process.pid) == 0
    assert held(os.getpid()) > 0
