"""Measure plan, apply and run from outside, whole processes against the sink, and print rows a second and memory."""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from measuring import (
    FORMATS,
    HERE,
    MIGRATE,
    PLATFORMS,
    SHAPES,
    Data,
    Run,
    counted,
    measured,
    sink,
    size,
    target,
    what,
)


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


def one(data: Data, folder: Path, scratch: Path, choices: argparse.Namespace) -> Result:
    """Measure one format at one size; generated files go to `folder`, workdirs to `scratch`."""
    source = data.generated(folder)
    inputs = what(PLATFORMS[data.format], source)
    sending = ["--concurrency", choices.concurrency, "--quiet"]
    sending += ["--no-gzip"] if choices.no_gzip else []
    planned, whole = scratch / "planned", scratch / "whole"
    plan = measured([MIGRATE, "plan", *inputs, "--workdir", planned, "--quiet"])
    limits = _limits(planned, sending, choices) if choices.limit else {}
    with sink() as url:
        idle = counted(url)["cpu"]
        apply = measured([MIGRATE, "apply", planned, *target(url), *sending])
        arrived = counted(url)
        run = measured([MIGRATE, "run", *inputs, "--workdir", whole, *target(url), *sending])
        again = counted(url)
    if arrived["events"] != again["events"]:
        sys.exit(f"{data.format}: apply sent {arrived['events']} events, run {again['events']}")
    for used in (planned, whole):
        shutil.rmtree(used)
    cpu = arrived["cpu"] - idle
    wire, sdk = arrived["bytes"], _sdk(data.format, source, choices) if choices.sdk else None
    return Result(
        data.format, data.rows, arrived["events"], size(source), plan, apply, run, cpu, wire, limits, sdk
    )


def profiled(data: Data, folder: Path, scratch: Path) -> None:
    """Print where the time of plan and of apply goes, in this order."""
    source, workdir = data.generated(folder), scratch / "planned"
    inputs = [str(part) for part in what(PLATFORMS[data.format], source)]
    print(f"\n== {data.format}: plan\n", flush=True)
    subprocess.run([sys.executable, HERE / "stages.py", *inputs, "--top", "25"], check=True)
    measured([MIGRATE, "plan", *inputs, "--workdir", workdir, "--quiet"])
    print(f"\n== {data.format}: apply\n", flush=True)
    subprocess.run([sys.executable, HERE / "sending.py", workdir], check=True)
    shutil.rmtree(workdir)


def _sdk(kind: str, source: Path, choices: argparse.Namespace) -> float:
    """Return how many of the same rows the posthog Python SDK sends in a second."""
    with sink() as url:
        command = [sys.executable, HERE / "sdk.py", url, kind, source, "--rows", str(choices.sdk)]
        took = measured([*command, "--no-gzip"] if choices.no_gzip else command)
        return float(counted(url)["events"]) / took.seconds


def _limits(planned: Path, sending: Sequence[object], choices: argparse.Namespace) -> dict[str, float]:
    """Return what a bare loop does with the bodies that apply sends for this plan."""
    copy, kept = planned.with_name("copy"), planned.with_name("bodies")
    shutil.copytree(planned, copy)
    with sink("--keep", kept) as url:
        measured([MIGRATE, "apply", copy, *target(url), *sending])
        counted(url)
    shutil.rmtree(copy)
    with sink() as url:
        command = [sys.executable, HERE / "limit.py", url, kept, "--concurrency", choices.concurrency]
        command += ["--no-gzip"] if choices.no_gzip else []
        done = subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE)
    kept.unlink()
    return dict(json.loads(done.stdout))


def _data(kind: str, rows: int, choices: argparse.Namespace) -> Data:
    """Return which files of a format the command line asks for."""
    shapes = tuple(shape for shape in SHAPES if getattr(choices, shape))
    return Data(
        format=kind, rows=rows, files=choices.files, days=choices.days, seed=choices.seed, shapes=shapes
    )


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
    for shape in SHAPES:
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
                profiled(_data(kind, sizes[-1], choices), folder, scratch)
                continue
            for rows in sizes:
                results.append(one(_data(kind, rows, choices), folder, scratch, choices))
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
