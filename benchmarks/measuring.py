"""What the measuring scripts share: made-up data, whole processes, and the sink they send to.

Nothing heavy is imported here: a process starts with the memory of the one that starts it as its peak.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

HERE: Final = Path(__file__).parent
MIGRATE: Final = Path(sys.executable).with_name("migrate")
"""The command of the environment that the script runs in."""
PLATFORMS: Final = {
    "parquet": "table",
    "csv": "table",
    "jsonl": "posthog",
    "amplitude": "amplitude",
    "amplitude-compact": "amplitude",
    "mixpanel": "mixpanel",
    "ga4": "ga4",
}
"""The platform of a format."""
FORMATS: Final = tuple(kind for kind, name in PLATFORMS.items() if find_spec(f"mappings.{name}"))
SHAPES: Final = ("shuffled", "one_person_half", "one_day", "large_events", "plain")
"""Options of `generate.py` that say how the rows lie."""
_NOT_DATA: Final = (".done", "spec.toml")


@dataclass(frozen=True)
class Run:
    """One process: wall and processor seconds, peak resident memory in MB."""

    seconds: float
    cpu: float
    memory: float


@dataclass(frozen=True, kw_only=True)
class Data:
    """What `generate.py` writes: rows of a format, spread over files and days."""

    format: str
    rows: int
    files: int = 4
    days: int = 90
    seed: int = 0
    shapes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """A folder's name that tells these files from others."""
        numbers = [self.rows, self.files, self.days, self.seed]
        return "-".join(map(str, [self.format, *numbers, *self.shapes]))

    def generated(self, folder: Path) -> Path:
        """Write the files into a folder of their name unless they are there; return it."""
        source = folder / self.name
        done = source / ".done"
        if not done.exists():
            command: list[object] = [sys.executable, HERE / "generate.py", "--format", self.format]
            command += ["--rows", self.rows, "--files", self.files, "--days", self.days]
            command += ["--seed", self.seed, "--out", source]
            command += [f"--{shape.replace('_', '-')}" for shape in self.shapes]
            measured(command)
            done.touch()
        return source


def measured(command: Sequence[object], *, fine: Collection[int] = (0,)) -> Run:
    """Run a command and return what it took; its words go to stderr if it ends with a code that is not fine."""
    with tempfile.TemporaryFile() as words:
        began = time.perf_counter()
        process = subprocess.Popen([str(part) for part in command], stdout=words, stderr=subprocess.STDOUT)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in fine:
            words.seek(0)
            sys.stderr.write(words.read().decode("utf-8", "replace"))
            sys.exit(f"exit code {process.returncode}: {' '.join(map(str, command))}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


@contextmanager
def sink(*options: str | Path) -> Iterator[str]:
    """Run a sink of its own; give its URL."""
    command = [sys.executable, str(HERE / "sink.py"), *map(str, options)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout  # noqa: S101 - it was asked for
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def counted(url: str) -> dict[str, Any]:
    """Return what the sink has counted since it was last asked."""
    with urlopen(url) as answer:  # noqa: S310 - our own sink
        return dict(json.load(answer))


def what(platform: str, source: Path) -> list[str | Path]:
    """Return what the command line says of platform and inputs: the folder, or the files beside a spec."""
    spec = source / "spec.toml"
    if not spec.exists():
        return [platform, source]
    return [platform, f"{source}/part-*", "--spec", spec]


def target(url: str) -> list[str | Path]:
    """Return what the command line says of where to send: a sink, without asking."""
    return ["--host", url, "--api-key", "phc_bench", "--yes"]


def size(source: Path) -> int:
    """Return the bytes of the files to migrate."""
    files = (path for path in source.rglob("*") if path.is_file() and path.name not in _NOT_DATA)
    return sum(path.stat().st_size for path in files)
