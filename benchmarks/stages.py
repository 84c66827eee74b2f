"""Say where the time of plan goes: each stage of one file in turn, then the functions that cost most."""

import argparse
import cProfile
import pstats
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, Final

from migrate.cli.main import prepare

prepare()

import polars as pl  # noqa: E402 - what is measured is what the command does

from migrate import session  # noqa: E402
from migrate.kit.declare import Options  # noqa: E402
from migrate.payload import checks  # noqa: E402
from migrate.plan import finished, judged  # noqa: E402
from migrate.plan.jobs import Job  # noqa: E402
from migrate.readers.files import read_chunks  # noqa: E402
from migrate.readers.records import Chunk, regrouped  # noqa: E402
from migrate.settings import Settings  # noqa: E402
from migrate.workdir.days import DayWriter  # noqa: E402

_ROOT: Final = Path(session.__file__).parents[1]
_PARTS: Final = {
    "filters, warnings": ((finished, "_counted"), (finished, "filtered"), (finished, "within")),
    "checks": ((checks, "check"),),
    "payloads": ((judged, "payloads"),),
    "size, depth": ((judged, "_fitting"),),
}
"""The functions of finished.finished that are timed one by one."""


@dataclass
class Timers:
    """Wall and processor seconds by stage; a stage within another counts for itself alone."""

    wall: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    _under_way: list[str] = field(default_factory=list)

    @contextmanager
    def timing(self, stage: str) -> Iterator[None]:
        """Add the time spent inside to a stage, and take it from the stage around it."""
        outer = self._under_way[-1] if self._under_way else None
        self._under_way.append(stage)
        began = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            wall, cpu = time.perf_counter() - began[0], time.process_time() - began[1]
            self._under_way.pop()
            self._add(stage, wall, cpu)
            if outer is not None:
                self._add(outer, -wall, -cpu)

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function with its time added to a stage."""

        def call(*args: Any, **named: Any) -> Any:  # noqa: ANN401 - any function
            with self.timing(stage):
                return function(*args, **named)

        return call

    def _add(self, stage: str, wall: float, cpu: float) -> None:
        self.wall[stage] = self.wall.get(stage, 0.0) + wall
        self.cpu[stage] = self.cpu.get(stage, 0.0) + cpu


@contextmanager
def _patched(timers: Timers) -> Iterator[None]:
    """Time the parts of finished.finished while inside."""
    places = [(stage, module, name) for stage, parts in _PARTS.items() for module, name in parts]
    kept = [(module, name, getattr(module, name)) for _, module, name in places]
    for (stage, module, name), (_, _, function) in zip(places, kept, strict=True):
        setattr(module, name, timers.timed(stage, function))
    try:
        yield
    finally:
        for module, name, function in kept:
            setattr(module, name, function)


def staged(job: Job, settings: Settings, timers: Timers) -> int:
    """Plan one source stage by stage, in one thread, and return how many rows it has."""
    to_events = job.table.to_events

    def mapped(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
        with timers.timing("mapping"):
            return to_events(rows, options).collect().lazy()

    with timers.timing("bytes"), job.source.open() as stream:
        while stream.read(1 << 20):
            pass
    how = settings.transform(replace(job, table=replace(job.table, to_events=mapped)))
    rows, now = 0, datetime.now(UTC)
    with tempfile.TemporaryDirectory() as folder:
        writer = DayWriter(Path(folder), 1)
        chunks = regrouped(read_chunks(job.source, job.table, job.header))
        while (chunk := _next(chunks, timers)) is not None:
            with timers.timing("the rest of transform"):
                piece = finished.finished(chunk, how, now)
            rows += piece.numbers.read
            with timers.timing("day files"):
                writer.write(piece.frame.with_columns(pl.lit(job.source.name).alias("file")))
        with timers.timing("day files"):
            writer.finish()
    return rows


def _next(chunks: Iterator[Chunk], timers: Timers) -> Chunk | None:
    """Return the next chunk, timed."""
    with timers.timing("reading"):
        return next(chunks, None)


@dataclass
class Lines:
    """Seconds, processor seconds and calls of compiled code, by the line of ours that ran it.

    cProfile sees one `collect` for all of polars; which expressions it was for is told by the line alone.
    """

    found: dict[str, list[float]] = field(default_factory=dict)
    _began: tuple[float, float] = (0.0, 0.0)

    def watch(self, work: Callable[[], object]) -> None:
        """Run something, this thread's calls of compiled code noted."""
        sys.setprofile(self._note)
        try:
            work()
        finally:
            sys.setprofile(None)

    def _note(self, frame: FrameType, event: str, function: Any) -> None:  # noqa: ANN401 - as Python calls it
        if event == "c_call":
            self._began = time.perf_counter(), time.process_time()
        elif event == "c_return":
            wall, cpu = time.perf_counter() - self._began[0], time.process_time() - self._began[1]
            entry = self.found.setdefault(f"{_asking(frame)} → {function.__name__}", [0.0, 0.0, 0])
            for place, value in enumerate((wall, cpu, 1)):
                entry[place] += value


def _asking(frame: FrameType | None) -> str:
    """Return the innermost line of ours among the calls under way."""
    while frame is not None:
        path = frame.f_code.co_filename
        if _is_ours(path):
            return f"{path.removeprefix(f'{_ROOT}/')}:{frame.f_lineno} {frame.f_code.co_name}"
        frame = frame.f_back
    return "elsewhere"


def _is_ours(path: str) -> bool:
    return path.startswith((f"{_ROOT}/migrate/", f"{_ROOT}/mappings/"))


def _profiled(work: Callable[[], object]) -> pstats.Stats:
    """Run something under the profiler."""
    profile = cProfile.Profile()
    profile.runcall(work)
    return pstats.Stats(profile)


def _own_functions(stats: pstats.Stats, top: int) -> list[tuple[str, float, float, int]]:
    """Return the project's functions that cost most: name, seconds with what they call, own seconds, calls."""
    found = []
    for (path, line, name), (_, calls, own, whole, _) in stats.stats.items():  # type: ignore[attr-defined]
        if _is_ours(path):
            found.append((f"{path.removeprefix(f'{_ROOT}/')}:{line} {name}", whole, own, calls))
    return sorted(found, key=lambda each: -each[1])[:top]


def _outside(stats: pstats.Stats, top: int) -> list[tuple[str, float, int]]:
    """Return the functions of any kind that take most themselves: name, seconds, calls."""
    found = [
        (f"{Path(path).name}:{line} {name}" if line else name, own, calls)
        for (path, line, name), (_, calls, own, _, _) in stats.stats.items()  # type: ignore[attr-defined]
    ]
    return sorted(found, key=lambda each: -each[1])[:top]


def main() -> None:
    """Print the stages of the first source, and the functions below them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("platform")
    parser.add_argument("inputs", nargs="+")
    parser.add_argument("--spec", type=Path)
    parser.add_argument("--top", type=int, default=20, help="how many functions to show")
    choices = parser.parse_args()
    settings = Settings(platform=choices.platform, spec=choices.spec)
    job = settings.work(choices.inputs).jobs[0]
    timers = Timers()
    with _patched(timers):
        rows = staged(job, settings, timers)
    wall, cpu = sum(timers.wall.values()), sum(timers.cpu.values())
    print(f"{job.source.name.rpartition('/')[2]}: {rows:,} rows, one stage at a time in one thread\n")
    print(f"{'stage':<24}{'seconds':>9}{'share':>8}{'cpu s':>9}{'rows/s':>13}")
    for stage, seconds in sorted(timers.wall.items(), key=lambda item: -item[1]):
        rate = f"{rows / seconds:,.0f}" if seconds > 0 else ""
        print(f"{stage:<24}{seconds:>9.2f}{seconds / wall:>8.0%}{timers.cpu[stage]:>9.2f}{rate:>13}")
    print(f"{'together':<24}{wall:>9.2f}{1:>8.0%}{cpu:>9.2f}{rows / wall:>13,.0f}\n")
    lines = Lines()
    lines.watch(lambda: staged(job, settings, Timers()))
    print(f"{'seconds':>10}{'cpu s':>8}{'calls':>10}  compiled code, by the line of ours that runs it")
    for line, (seconds, used, calls) in sorted(lines.found.items(), key=lambda item: -item[1][0])[
        : choices.top
    ]:
        print(f"{seconds:>10.2f}{used:>8.2f}{calls:>10,.0f}  {line}")
    stats = _profiled(lambda: staged(job, settings, Timers()))
    print(f"\n{'with calls':>10}{'own':>8}{'calls':>10}  function of ours (under the profiler)")
    for name, whole, own, calls in _own_functions(stats, choices.top):
        print(f"{whole:>10.2f}{own:>8.2f}{calls:>10,}  {name}")
    print(f"\n{'own':>10}{'calls':>18}  function of any kind")
    for name, own, calls in _outside(stats, choices.top):
        print(f"{own:>10.2f}{calls:>18,}  {name}")


if __name__ == "__main__":
    main()
