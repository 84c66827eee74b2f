"""Output that nobody reads any more."""

import subprocess
import sys

import pytest
from commands import rows

from migrate.cli.unread import Lasting


def unread(command, cwd, *, stream):
    """The exit code of a command whose stdout or stderr is closed on the other side before it begins."""
    words = [sys.executable, "-m", "migrate", *map(str, command)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, "-c", ""], stdin=subprocess.PIPE) as gone:
        gone.wait()
        return subprocess.run(words, cwd=cwd, check=False, **quiet | {stream: gone.stdin}).returncode


@pytest.mark.parametrize(
    "command",
    [["--help"], ["run", "--help"], ["platforms"], ["preview", "posthog", "in"]],
    ids=" ".join,
)
def test_a_command_that_only_prints_ends_well(tmp_path, command):
    """`migrate preview … | head -1` is 0."""
    rows(tmp_path / "in" / "a.jsonl", 40)
    assert unread(command, tmp_path, stream="stdout") == 0


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_work_is_done_to_its_end_with_its_own_code(tmp_path, stream):
    """`migrate run … 2>&1 | head` sends all there is, and says 3 where rows were rejected."""
    rows(tmp_path / "in" / "a.jsonl", 40)
    rows(tmp_path / "in" / "b.jsonl", 1, timestamp="soon")
    command = ["run", "posthog", "in", "--host", "sandbox", "--workdir", "w", "--json"]
    assert unread(command, tmp_path, stream=stream) == 3
    assert '"accepted": 40' in (tmp_path / "w" / "report.json").read_text()


def test_writing_goes_on_into_nothing():
    """Whatever is written after the reader has gone is taken, and lost."""
    with subprocess.Popen([sys.executable, "-c", ""], stdin=subprocess.PIPE, text=True) as gone:
        gone.wait()
        stream = Lasting(gone.stdin)
        for _ in range(3):
            assert stream.write("x" * 100_000) == 100_000
            stream.flush()
        assert stream.fileno() == gone.stdin.fileno()
