"""Measure this tree against another commit: the same files, whole processes in turn, what each pair comes to.

    python benchmarks/against.py REV
    python benchmarks/against.py REV --cases csv jsonl --rows 100000 --keep FOLDER --data FOLDER

Ours is the `migrate` of the environment this runs in; theirs is installed into a fresh one, with the same versions of
all dependencies. Ratios are theirs over ours, so that x2.00 says that ours takes half: the median of all pairs, and
the least and the greatest of them. A machine that does something else slows both down, and pairs tell that apart.
"""

import argparse
import compileall
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import distributions
from pathlib import Path
from statistics import median
from typing import Any, Final

from measuring import HERE, MIGRATE, PLATFORMS, Data, Run, measured, sink, target, what

CASES: Final = {
    "mixpanel": Data(format="mixpanel", rows=60_000),
    "amplitude-compact": Data(format="amplitude-compact", rows=100_000),
    "amplitude-one-gzip": Data(format="amplitude-compact", rows=300_000, files=1),
    "amplitude-one-plain": Data(format="amplitude-compact", rows=300_000, files=1, shapes=("plain",)),
    "ga4": Data(format="ga4", rows=100_000),
    "parquet": Data(format="parquet", rows=200_000),
    "csv": Data(format="csv", rows=200_000),
    "jsonl": Data(format="jsonl", rows=200_000),
}
"""What is measured by default: ten to fifteen minutes where a plan makes 20,000 rows a second.

Of the two large files of one piece it is wall time that counts.
"""
COMMANDS: Final = ("plan", "apply", "run")
_PROJECT: Final = "posthog-migrate"
_DONE: Final = ".done"
_SAME: Final = ("rows", "events", "warnings", "repairs")
"""What both commits should say of the same files."""

Pair = tuple[Run, Run]
"""Theirs and ours."""


@contextmanager
def installed(revision: str, keep: Path | None) -> Iterator[Path]:
    """Give the `migrate` of a commit, in an environment that goes away again unless it is kept."""
    commit = _git("rev-parse", "--verify", f"{revision}^{{commit}}").decode().strip()
    with ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="migrate-against-")))
        environment = folder / commit[:12]
        if not (environment / _DONE).exists():
            print(f"installing {commit[:12]}", file=sys.stderr)
            _install(commit, environment)
            (environment / _DONE).touch()
        yield environment / "bin" / "migrate"


def _install(commit: str, environment: Path) -> None:
    """Install a commit and what it needs, in the versions that there are here."""
    measured([sys.executable, "-m", "venv", "--clear", environment])
    with tempfile.TemporaryDirectory(prefix="migrate-source-") as temporary:
        source, versions = Path(temporary) / "source", Path(temporary) / "versions.txt"
        with tarfile.open(fileobj=io.BytesIO(_git("archive", "--format=tar", commit))) as archive:
            archive.extractall(source, filter="data")
        versions.write_text("".join(_versions()))
        pip = [environment / "bin" / "python", "-m", "pip", "--disable-pip-version-check"]
        measured([*pip, "install", "--quiet", "--constraint", versions, source])


def _git(*words: str) -> bytes:
    """Return what git says of the repository this script is in; it says itself what is wrong."""
    command = [shutil.which("git") or "git", "-C", str(HERE.parent), *words]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE)
    if done.returncode:
        sys.exit(f"exit code {done.returncode}: git {' '.join(words)}")
    return done.stdout


def _versions() -> Iterator[str]:
    """Yield a line for each package of this environment but the project itself."""
    for found in distributions():
        if found.name != _PROJECT:
            yield f"{found.name}=={found.version}\n"


@dataclass(frozen=True)
class Program:
    """One of the two: its command, and a folder for what it writes."""

    migrate: Path
    folder: Path

    @property
    def planned(self) -> Path:
        """The workdir of a plan that is measured, or sent from copies."""
        return self.folder / "planned"

    def plan(self, inputs: Sequence[object]) -> Run:
        """Plan anew."""
        shutil.rmtree(self.planned, ignore_errors=True)
        return measured([self.migrate, "plan", *inputs, "--workdir", self.planned, "--quiet"])

    def apply(self, _: Sequence[object]) -> Run:
        """Send a copy of what is planned, to a sink of its own."""
        with self._workdir() as workdir, sink() as url:
            shutil.copytree(self.planned, workdir)
            return measured([self.migrate, "apply", workdir, *target(url), "--quiet"])

    def run(self, inputs: Sequence[object]) -> Run:
        """Plan and send, to a sink of its own."""
        with self._workdir() as workdir, sink() as url:
            sending = [*target(url), "--workdir", workdir, "--quiet"]
            return measured([self.migrate, "run", *inputs, *sending])

    def said(self) -> dict[str, Any]:
        """Return what the plan's report says that should be the same for both."""
        report = json.loads((self.planned / "report.json").read_text())
        return {name: report.get(name) for name in _SAME}

    @contextmanager
    def _workdir(self) -> Iterator[Path]:
        """Give a place for a workdir of one process."""
        workdir = self.folder / "workdir"
        try:
            yield workdir
        finally:
            shutil.rmtree(workdir, ignore_errors=True)


def pairs(
    theirs: Program, ours: Program, command: str, inputs: Sequence[object], count: int
) -> tuple[list[Pair], str]:
    """Return so many pairs after one that is not counted, and what differs in the two plans."""
    theirs.plan(inputs)
    ours.plan(inputs)
    differing = _differing(theirs.said(), ours.said())
    once: list[Callable[[Sequence[object]], Run]] = [getattr(each, command) for each in (theirs, ours)]
    if command != "plan":
        _pair(once, inputs)
    return [_pair(once, inputs) for _ in range(count)], differing


def _pair(once: Sequence[Callable[[Sequence[object]], Run]], inputs: Sequence[object]) -> Pair:
    """Run one after the other."""
    first, second = (each(inputs) for each in once)
    return first, second


def _differing(theirs: dict[str, Any], ours: dict[str, Any]) -> str:
    """Say what the reports of two plans tell differently; nothing if they agree."""
    return "; ".join(
        f"{name}: theirs {theirs[name]}, ours {ours[name]}" for name in _SAME if theirs[name] != ours[name]
    )


def line(title: str, rows: int, found: Sequence[Pair]) -> str:
    """Return a case's figures: processor time, wall time and memory of theirs and ours, and their ratios."""
    memory = [median(pair[place].memory for pair in found) for place in (0, 1)]
    cpu = [(theirs.cpu, ours.cpu) for theirs, ours in found]
    wall = [(theirs.seconds, ours.seconds) for theirs, ours in found]
    return (
        f"{title:<19}{rows:>9,}"
        + "".join(f"{median(each) / rows * 1e6:>8.1f}" for each in zip(*cpu, strict=True))
        + _ratios(cpu)
        + "".join(f"{median(each):>8.2f}" for each in zip(*wall, strict=True))
        + _ratios(wall)
        + "".join(f"{each:>7.0f}" for each in memory)
    )


def _ratios(found: Sequence[tuple[float, float]]) -> str:
    """Return the median of theirs over ours, and the least and the greatest."""
    ratios = [theirs / ours for theirs, ours in found]
    return f"{f'x{median(ratios):.2f}':>8}{f'{min(ratios):.2f}-{max(ratios):.2f}':>11}"


def _header() -> str:
    """Return the names of the columns, in two lines: what is measured, and whose it is."""
    cells = ["theirs", "ours", "ratio", "min-max"]
    measures = f"{'':<28}{'processor µs a row':>35}{'wall seconds':>35}{'peak MB':>14}"
    halves = "".join(f"{cells[0]:>8}{cells[1]:>8}{cells[2]:>8}{cells[3]:>11}" for _ in range(2))
    return f"{measures}\n{'case':<19}{'rows':>9}{halves}{cells[0]:>7}{cells[1]:>7}"


def _arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("revision", metavar="REV", help="the other commit, as git names it")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--rows", type=int, help="so many rows of each case instead of its own")
    parser.add_argument("--pairs", type=int, default=5, help="how many pairs count (default: 5)")
    parser.add_argument("--command", choices=COMMANDS, default="plan", help="what is measured")
    parser.add_argument("--data", type=Path, help="folder to keep generated files in, for another time")
    parser.add_argument("--keep", type=Path, help="folder to keep the commit's environment in, likewise")
    return parser.parse_args()


def _compiled() -> None:
    """Compile our modules, as an installation does: where Python may not keep them it takes 0.1 s of every process."""
    for package in ("migrate", "mappings"):
        compileall.compile_dir(HERE.parent / package, quiet=1)


def main() -> None:
    """Print a line for each case."""
    choices = _arguments()
    _compiled()
    with (
        installed(choices.revision, choices.keep) as migrate,
        tempfile.TemporaryDirectory(prefix="migrate-pairs-") as temporary,
    ):
        scratch = Path(temporary)
        theirs, ours = Program(migrate, scratch / "theirs"), Program(MIGRATE, scratch / "ours")
        print(f"migrate {choices.command}: {choices.revision} against this tree\n\n{_header()}", flush=True)
        for title in choices.cases:
            data = replace(CASES[title], rows=choices.rows or CASES[title].rows)
            inputs = what(PLATFORMS[data.format], data.generated(choices.data or scratch))
            found, differing = pairs(theirs, ours, choices.command, inputs, choices.pairs)
            print(line(title, data.rows, found), flush=True)
            if differing:
                print(f"  the plans differ: {differing}", flush=True)


if __name__ == "__main__":
    main()
