"""Measure plan, apply and run from outside, whole processes against the sink, and print rows a second and memory."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

HERE: Final = Path(__file__).parent
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
_SHAPES: Final = ("shuffled", "one_person_half", "one_day", "large_events", "plain")


@dataclass(frozen=True)
class Run:
    """One process: wall and processor seconds, peak resident memory in MB."""

    seconds: float
    cpu: float
    memory: float


@dataclass
class Result:
    """One format at one size; memory in MB, rates in rows a second, those of the limit in events a second."""

    format: str
    rows: int
    events: int
    file_bytes: int
    plan: Run
    apply: Run
    run: Run
    sink_cpu: float
    """Processor seconds the sink took for the apply."""
    wire_bytes: int
    limits: dict[str, float] = field(default_factory=dict)
    sdk: float | None = None
    """Rows a second of the posthog Python SDK, over the same files."""


def measured(command: Sequence[str | Path]) -> Run:
    """Run a command and return what it took; its words go to stderr if it fails."""
    with tempfile.TemporaryFile() as words:
        began = time.perf_counter()
        process = subprocess.Popen([str(part) for part in command], stdout=words, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
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


def generated(kind: str, rows: int, folder: Path, choices: argparse.Namespace) -> int:
    """Write the rows unless they are there; return the bytes of the files."""
    done = folder / ".done"
    if not done.exists():
        command = [sys.executable, HERE / "generate.py", "--format", kind, "--rows", rows, "--out", folder]
        command += ["--files", choices.files, "--seed", choices.seed, "--days", choices.days]
        command += [f"--{shape.replace('_', '-')}" for shape in _SHAPES if getattr(choices, shape, False)]
        measured([str(part) for part in command])
        done.touch()
    return sum(path.stat().st_size for path in folder.rglob("part-*")) + sum(
        path.stat().st_size for path in folder.rglob("*.json*")
    )


def one(kind: str, rows: int, folder: Path, scratch: Path, choices: argparse.Namespace) -> Result:
    """Measure one format at one size; generated files go to `folder`, workdirs to `scratch`."""
    source = folder / _variant(kind, rows, choices)
    file_bytes = generated(kind, rows, source, choices)
    what = _what(kind, source)
    sending = ["--api-key", "phc_bench", "--yes", "--concurrency", choices.concurrency]
    sending += ["--no-gzip"] if choices.no_gzip else []
    migrate = Path(sys.executable).with_name("migrate")
    planned, whole = scratch / "planned", scratch / "whole"
    plan = measured([migrate, "plan", *what, "--workdir", planned, "--quiet"])
    limits = _limits(migrate, planned, sending, choices) if choices.limit else {}
    with sink() as url:
        idle = counted(url)["cpu"]
        apply = measured([migrate, "apply", planned, "--host", url, *sending, "--quiet"])
        arrived = counted(url)
        run = measured([migrate, "run", *what, "--workdir", whole, "--host", url, *sending, "--quiet"])
        again = counted(url)
    if arrived["events"] != again["events"]:
        sys.exit(f"{kind}: apply sent {arrived['events']} events, run {again['events']}")
    for used in (planned, whole):
        shutil.rmtree(used)
    cpu = arrived["cpu"] - idle
    wire, sdk = arrived["bytes"], _sdk(kind, source, choices) if choices.sdk else None
    return Result(kind, rows, arrived["events"], file_bytes, plan, apply, run, cpu, wire, limits, sdk)


def profiled(kind: str, rows: int, folder: Path, scratch: Path, choices: argparse.Namespace) -> None:
    """Print where the time of plan and of apply goes, in this order."""
    source = folder / _variant(kind, rows, choices)
    generated(kind, rows, source, choices)
    migrate, workdir = Path(sys.executable).with_name("migrate"), scratch / "planned"
    what = [str(part) for part in _what(kind, source)]
    print(f"\n== {kind}: plan\n", flush=True)
    subprocess.run([sys.executable, HERE / "stages.py", *what, "--top", "25"], check=True)
    measured([migrate, "plan", *what, "--workdir", workdir, "--quiet"])
    print(f"\n== {kind}: apply\n", flush=True)
    subprocess.run([sys.executable, HERE / "sending.py", workdir], check=True)
    shutil.rmtree(workdir)


def _what(kind: str, source: Path) -> list[str | Path]:
    """Return what the command line says of platform and inputs."""
    what = [PLATFORMS[kind], _data(source, kind)]
    return [*what, "--spec", source / "spec.toml"] if PLATFORMS[kind] == "table" else what


def _sdk(kind: str, source: Path, choices: argparse.Namespace) -> float:
    """Return how many of the same rows the posthog Python SDK sends in a second."""
    with sink() as url:
        command = [sys.executable, HERE / "sdk.py", url, kind, source, "--rows", str(choices.sdk)]
        took = measured([*command, "--no-gzip"] if choices.no_gzip else command)
        return float(counted(url)["events"]) / took.seconds


def _variant(kind: str, rows: int, choices: argparse.Namespace) -> str:
    """Return a name for generated files that tells them from others."""
    shapes = [shape for shape in _SHAPES if getattr(choices, shape)]
    numbers = [rows, choices.files, choices.days, choices.seed]
    return "-".join(map(str, [kind, *numbers, *shapes]))


def _data(source: Path, kind: str) -> Path | str:
    """Return what to migrate: the folder, or the files beside the spec."""
    return f"{source}/*.{kind}" if kind in ("parquet", "csv") else source


def _limits(
    migrate: Path, planned: Path, sending: Sequence[str | Path], choices: argparse.Namespace
) -> dict[str, float]:
    """Return what a bare loop does with the bodies that apply sends for this plan."""
    copy, kept = planned.with_name("copy"), planned.with_name("bodies")
    shutil.copytree(planned, copy)
    with sink("--keep", kept) as url:
        measured([migrate, "apply", copy, "--host", url, *sending, "--quiet"])
        counted(url)
    shutil.rmtree(copy)
    with sink() as url:
        command = [sys.executable, HERE / "limit.py", url, kept, "--concurrency", choices.concurrency]
        command += ["--no-gzip"] if choices.no_gzip else []
        done = subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE)
    kept.unlink()
    return dict(json.loads(done.stdout))


def table(results: Sequence[Result]) -> str:
    """Return the results as an aligned table."""
    columns: dict[str, Callable[[Result], str]] = {
        "format": lambda r: r.format,
        "rows": lambda r: f"{r.rows:,}",
        "MB": lambda r: f"{r.file_bytes / 1e6:,.0f}",
        "plan/s": lambda r: _rate(r.rows, r.plan),
        "apply/s": lambda r: _rate(r.events, r.apply),
        "run/s": lambda r: _rate(r.rows, r.run),
        "plan cores": lambda r: _cores(r.plan),
        "apply cores": lambda r: _cores(r.apply),
        "sink cores": lambda r: f"{r.sink_cpu / r.apply.seconds:.2f}",
        "plan MB": lambda r: f"{r.plan.memory:.0f}",
        "apply MB": lambda r: f"{r.apply.memory:.0f}",
        "run MB": lambda r: f"{r.run.memory:.0f}",
    }
    if any(result.limits for result in results):
        columns["limit/s"] = lambda r: f"{r.limits['limit']:,.0f}"
        columns["apply/limit"] = lambda r: f"{r.events / r.apply.seconds / r.limits['limit']:.0%}"
    if any(result.sdk for result in results):
        columns["SDK/s"] = lambda r: f"{r.sdk or 0:,.0f}"
        columns["run/SDK"] = lambda r: f"x{r.rows / r.run.seconds / (r.sdk or 1):.1f}"
    return _aligned([list(columns), *([show(result) for show in columns.values()] for result in results)])


def ratios(results: Sequence[Result]) -> str:
    """Return each format's figures at the larger size as multiples of those at the smaller."""
    lines = [["format", "sizes", "plan s", "apply s", "run s", "plan memory", "apply memory", "run memory"]]
    for small in results:
        for large in results:
            if large.format == small.format and large.rows > small.rows:
                parts = ("plan", "apply", "run")
                pairs = [(getattr(small, part), getattr(large, part)) for part in parts]
                seconds = [f"x{after.seconds / before.seconds:.1f}" for before, after in pairs]
                memory = [f"x{after.memory / before.memory:.2f}" for before, after in pairs]
                lines.append([small.format, f"{large.rows:,} / {small.rows:,}", *seconds, *memory])
    return _aligned(lines)


def _rate(count: int, run: Run) -> str:
    return f"{count / run.seconds:,.0f}"


def _cores(run: Run) -> str:
    return f"{run.cpu / run.seconds:.2f}"


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    """Return lines of cells, the first column to the left and the others to the right."""
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def _arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rows", type=int, default=1_000_000, help="the larger size; a tenth is the smaller one"
    )
    parser.add_argument("--one-size", action="store_true", help="leave the smaller size out")
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=FORMATS)
    parser.add_argument("--files", type=int, default=4, help="how many files the rows are spread over")
    parser.add_argument("--days", type=int, default=90, help="how many days the rows span")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--concurrency", type=int, default=8, help="requests at once")
    parser.add_argument("--no-gzip", action="store_true", help="send bodies uncompressed")
    parser.add_argument("--limit", action="store_true", help="measure a bare loop over the same bodies too")
    parser.add_argument(
        "--sdk",
        type=int,
        metavar="ROWS",
        help="measure the posthog Python SDK too, over so many of the same rows",
    )
    parser.add_argument(
        "--profile", action="store_true", help="say where the time goes instead, in one thread"
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON instead")
    parser.add_argument("--data", type=Path, help="folder to keep generated files in, for another time")
    for shape in _SHAPES:
        parser.add_argument(f"--{shape.replace('_', '-')}", action="store_true", help="as in generate.py")
    return parser.parse_args()


def main() -> None:
    """Measure what the command line asks for, and print it."""
    choices = _arguments()
    sizes = [choices.rows] if choices.one_size else [max(1, choices.rows // 10), choices.rows]
    results = []
    with tempfile.TemporaryDirectory(prefix="migrate-bench-") as temporary:
        scratch = Path(temporary)
        folder = choices.data or scratch
        folder.mkdir(parents=True, exist_ok=True)
        for kind in choices.formats:
            if choices.profile:
                profiled(kind, sizes[-1], folder, scratch, choices)
                continue
            for rows in sizes:
                results.append(one(kind, rows, folder, scratch, choices))
                print(f"{kind} {rows:,} rows: measured", file=sys.stderr)
    if choices.profile:
        return
    if choices.json:
        print(json.dumps([asdict(result) for result in results]))
        return
    print(table(results))
    if len(sizes) > 1:
        print(f"\n{ratios(results)}")


if __name__ == "__main__":
    main()
