"""How planning scales: threads and processes side by side, what one process must do alone, and what that comes to.

    python benchmarks/scaling.py --rows 1000000
    python benchmarks/scaling.py --formats amplitude --rows 1000000 10000000 --most-threads 1000000 --data FOLDER

Each line is one `plan` as a whole process: its seconds, the processor seconds of the process that was started and of
the workers that it began, how many cores that kept busy, and the peak memory of it and of its largest worker; `its own`
is what is that worker's alone, without the libraries that all have in common (anonymous memory, looked at on the way).

Below each format stands the model. What the coordinator does is taken for serial, all of it: a fixed part, that of a
plan of a thousand rows by one worker or, of several sizes, what is left of the least, and a part for each row. What
workers do is spread over all cores, however many there are. So with c cores `seconds = fixed + rows x (alone + spread /
c)`; with more and more of them a plan becomes faster by `1 + spread / alone` at the most (Amdahl's bound). The points
that were measured on this machine are put beside it. What a model of processor time does not know: the disk, the
memory's bandwidth, hyper-threads.

Linux only: it reads /proc.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from measuring import FORMATS, MIGRATE, PLATFORMS, Data, what

_TICK: Final = 0.25
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_SMALL: Final = 1_000
"""Rows of which the fixed part is measured."""
_CORES: Final = (1, 2, 4, 16, 64, 256)
_ROWS: Final = (1e9, 1e10, 1e11)


@dataclass(frozen=True)
class Planned:
    """One plan: wall seconds; processor seconds of the process and of its workers; peak MB of it and of the largest.

    `alone`: peak MB that are a worker's own.
    """

    seconds: float
    own: float
    workers: float
    memory: float
    largest: float
    alone: float

    @property
    def cpu(self) -> float:
        """Processor seconds in all."""
        return self.own + self.workers


def planned(command: Sequence[object]) -> Planned:
    """Run a plan, looking at its processes all the while."""
    own, memory, alone = 0.0, 0.0, 0.0
    workers: dict[int, tuple[float, float]] = {}
    with tempfile.TemporaryFile() as words:
        began = time.perf_counter()
        process = subprocess.Popen([str(part) for part in command], stdout=words, stderr=subprocess.STDOUT)
        while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            if found := _looked_at(process.pid):
                own, memory, _ = found
            for child in _children(process.pid):
                if found := _looked_at(child):
                    workers[child], alone = found[:2], max(alone, found[2])
            time.sleep(_TICK)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            words.seek(0)
            sys.stderr.write(words.read().decode("utf-8", "replace"))
            sys.exit(f"exit code {process.returncode}: {' '.join(map(str, command))}")
    of_workers = sum(cpu for cpu, _ in workers.values())
    own = max(own, usage.ru_utime + usage.ru_stime - of_workers)
    largest = max((one for _, one in workers.values()), default=0)
    return Planned(seconds, own, of_workers, memory, largest, alone)


def _looked_at(process: int) -> tuple[float, float, float] | None:
    """Return a process's own processor seconds, its peak memory in MB, and now its own; None where it is gone."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return None
    said = {line.partition(":")[0]: line.split()[1] for line in status.splitlines() if line.endswith(" kB")}
    if "VmHWM" not in said:
        return None
    return (
        (int(fields[11]) + int(fields[12])) / _TICKS,
        int(said["VmHWM"]) / 1024,
        int(said["RssAnon"]) / 1024,
    )


def _children(process: int) -> Iterator[int]:
    """Yield the processes that a process has begun, from any thread of it."""
    for path in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            yield from map(int, path.read_text().split())
        except OSError:
            continue


@dataclass(frozen=True, kw_only=True)
class Model:
    """What planning takes: seconds that are fixed, and for each row those of the coordinator and those of workers."""

    fixed: float
    alone: float
    spread: float

    @classmethod
    def of(cls, small: Planned, runs: Mapping[int, Planned], workers: int) -> "Model":
        """Return the model of plans of so many rows by so many workers, beside a small one, which is all fixed.

        Of several sizes the least tells what is fixed: what days cost, whatever they hold, is none of the rows'.
        """
        rest = dict(runs)
        if len(rest) == 1:
            before, own, others, seconds = 0, small.own, workers * small.workers, small.seconds
        else:
            before = min(rest)
            least = rest.pop(before)
            own, others, seconds = least.own, least.workers, least.seconds
        alone = max(1e-9, median((run.own - own) / (rows - before) for rows, run in rest.items()))
        spread = median((run.workers - others) / (rows - before) for rows, run in rest.items())
        return cls(fixed=seconds - before * (alone + spread / workers), alone=alone, spread=spread)

    def seconds(self, rows: float, cores: int) -> float:
        """Return how long so many rows take with so many cores."""
        return self.fixed + rows * (self.alone + self.spread / cores)

    @property
    def bound(self) -> float:
        """How many times as fast as one core any number of them is."""
        return 1 + self.spread / self.alone


def main() -> None:
    """Measure each format, and print what it comes to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--formats", nargs="*", choices=FORMATS, default=["amplitude", "mixpanel", "csv", "parquet"]
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--files", type=int, default=24)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--workers", type=int, nargs="*", default=[os.cpu_count() or 1])
    parser.add_argument(
        "--most-threads", type=int, help="the most rows that are planned by threads, too (default: all)"
    )
    parser.add_argument("--data", type=Path, help="folder for generated files (default: a temporary one)")
    choices = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="migrate-scaling-") as temporary:
        for kind in choices.formats:
            heads = f"{'s':>9}{'own CPU':>10}{'workers':>10}{'cores':>7}{'MB':>7}{'worker':>8}{'its own':>9}"
            print(f"\n{kind}\n{'rows':>12}{'':>14}{heads}")
            _measure(kind, choices, choices.data or Path(temporary), Path(temporary) / "workdir")


def _measure(kind: str, choices: argparse.Namespace, folder: Path, workdir: Path) -> None:
    """Measure one format, and print what it comes to."""
    few = Data(format=kind, rows=_SMALL, files=1, days=1)
    _show(_SMALL, "threads", _plan(few, folder, workdir, "inline"))
    small = _plan(few, folder, workdir, "processes", "--workers", 1)
    _show(_SMALL, "1 process", small)
    by_workers: dict[int, dict[int, Planned]] = {}
    for rows in choices.rows:
        data = Data(format=kind, rows=rows, files=choices.files, days=choices.days)
        threads = None
        if choices.most_threads is None or rows <= choices.most_threads:
            threads = _plan(data, folder, workdir, "inline")
            _show(rows, "threads", threads)
        for workers in choices.workers:
            run = _plan(data, folder, workdir, "processes", "--workers", workers)
            _show(rows, f"{workers} processes", run)
            if threads is not None:
                beside = f"{threads.seconds / run.seconds:.2f} times as fast, {run.cpu / threads.cpu:.2f}"
                print(f"{'':26}{beside} of the processor time")
            by_workers.setdefault(workers, {})[rows] = run
    most, runs = max(by_workers.items())
    model = Model.of(small, runs, most)
    print(
        f"model: {model.fixed:.1f} s and {model.alone * 1e6:.2f} µs a row alone, {model.spread * 1e6:.1f} µs a row "
        f"spread; at the most {model.bound:.0f} times as fast as one core"
    )
    for rows, run in runs.items():
        print(
            f"  {rows:,} rows with {most} workers: {model.seconds(rows, most):.1f} s, measured {run.seconds:.1f} s"
        )
    print(f"  {'cores':>14}" + "".join(f"{cores:>10}" for cores in _CORES))
    first = model.seconds(_ROWS[0], 1)
    print(
        f"  {'times as fast':>14}"
        + "".join(f"{first / model.seconds(_ROWS[0], cores):>10.1f}" for cores in _CORES)
    )
    for total in _ROWS:
        hours = (f"{model.seconds(total, cores) / 3600:>8,.1f} h" for cores in _CORES)
        print(f"  {total / 1e9:>8,.0f} G rows" + "".join(hours), flush=True)


def _plan(data: Data, folder: Path, workdir: Path, executor: str, *options: object) -> Planned:
    """Plan a format's files."""
    source = data.generated(folder)
    words = ["plan", *what(PLATFORMS[data.format], source), "--workdir", workdir, "--executor", executor]
    try:
        return planned([MIGRATE, *words, *options, "--quiet"])
    finally:
        shutil.rmtree(workdir, ignore_errors=True)


def _show(rows: int, how: str, run: Planned) -> None:
    """Print what one plan took."""
    print(
        f"{rows:>12,}{how:>14}{run.seconds:>9.1f}{run.own:>10.1f}{run.workers:>10.1f}{run.cpu / run.seconds:>7.2f}"
        f"{run.memory:>7.0f}{run.largest:>8.0f}{run.alone:>9.0f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
