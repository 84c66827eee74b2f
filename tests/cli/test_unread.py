"""Output that nobody reads any more."""

import json
import os
import shlex
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


WORK = ["run", "posthog", "in", "--host", "sandbox", "--workdir", "w", "--json"]


def shelled(command, cwd, *, more, env=None):
    """Run a command with what a shell does to its streams."""
    line = f"exec {shlex.join([sys.executable, '-m', 'migrate', *command])} {more}"
    return subprocess.run(
        ["/bin/sh", "-c", line], cwd=cwd, check=False, capture_output=True, env=os.environ | (env or {})
    )


@pytest.mark.parametrize("more", ["2>&-", "2>/dev/full"])
@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_work_does_not_need_anybody_to_talk_to(tmp_path, more, quiet):
    """A closed stderr, or one on a full disk, costs what is said there, and nothing else."""
    rows(tmp_path / "in" / "a.jsonl", 40)
    done = shelled([*WORK, *quiet], tmp_path, more=more)
    assert done.returncode == 0
    assert json.loads(done.stdout.splitlines()[-1])["events"]["accepted"] == 40


def test_data_that_has_nowhere_to_go_is_an_error(tmp_path):
    """A closed stdout is no reader that has gone; what has no data to print does not need it."""
    rows(tmp_path / "in" / "a.jsonl", 40)
    for command in (WORK, ["preview", "posthog", "in"], ["platforms"]):
        done = shelled(command, tmp_path, more=">&-")
        said = "error: stdout: cannot be written, found it closed; leave '>&-' out, or write to a file"
        assert (done.returncode, done.stderr.decode().splitlines()[-1]) == (4, said), command
    assert shelled(["status", "w", "--json"], tmp_path, more="").returncode == 0
    assert shelled(WORK[:-1], tmp_path, more=">&-").returncode == 0


@pytest.mark.parametrize(
    "command", [WORK, ["preview", "posthog", "in"], ["status", "w", "--json"], ["platforms"]]
)
def test_data_that_cannot_be_written_is_an_error(tmp_path, command):
    """Whoever has a full disk behind `>>` is told so, and runs the same command again."""
    rows(tmp_path / "in" / "a.jsonl", 40)
    shelled(["plan", "posthog", "in", "--workdir", "w"], tmp_path, more="")
    done = shelled(command, tmp_path, more=">/dev/full")
    assert done.returncode == 4
    assert done.stderr.decode().splitlines()[-1] == (
        "error: stdout: cannot be written, found 'No space left on device'; see to space, then run the same command "
        "again"
    )


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_data_is_utf_8_in_any_language(tmp_path, encoding):
    """JSON is, and what is said on stderr is spelled so that it can be said."""
    rows(tmp_path / "in" / "a.jsonl", 1, properties={"name": "Jürgen 😀"})
    given = {"PYTHONIOENCODING": encoding}
    shown = shelled(["preview", "posthog", "in"], tmp_path, more="", env=given)
    assert json.loads(shown.stdout)["properties"]["name"] == "Jürgen 😀"
    planned = shelled(["plan", "posthog", "in", "--workdir", "w", "--json"], tmp_path, more="", env=given)
    assert planned.returncode == 0, planned.stderr
    assert json.loads(planned.stdout)["next"] == "migrate apply w --host …"


def test_writing_goes_on_into_nothing():
    """Whatever is written after the reader has gone is taken, and lost."""
    with subprocess.Popen([sys.executable, "-c", ""], stdin=subprocess.PIPE, text=True) as gone:
        gone.wait()
        stream = Lasting(gone.stdin)
        for _ in range(3):
            assert stream.write("x" * 100_000) == 100_000
            stream.flush()
        assert stream.fileno() == gone.stdin.fileno()
