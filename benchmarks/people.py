"""How people's file bears many ids: seconds, bytes of the disk and of memory an id, phase by phase.

    python benchmarks/people.py --ids 1000000 10000000 30000000
    python benchmarks/people.py --ids 10000000 --shape resolved --folder /mnt/large

Links are put straight into the store, a million at a time in the order of their time, as files that were looked over
tell them; then who is who is found out, and looked up a chunk at a time. Each size runs in a process of its own.
`linked`: three anonymous ids a user, each becomes a merge (Segment, GA4). `resolved`: the source's own number and one
device a user, as Amplitude has them: no merge.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Final

import polars as pl
import polars_hash as plh

from migrate.kit import links, schemas
from migrate.people import identity
from migrate.people.lookup import Lookup
from migrate.people.schema import PEOPLE_FILE
from migrate.people.store import People

SHAPES: Final = {"linked": 4, "resolved": 3}
"""How many ids there are a user."""
_CHUNK: Final = 1_000_000
_ROWS: Final = 65_536
"""Ids that are looked up at once, as a chunk of rows does."""
_LOOKUPS: Final = 20
_START: Final = 1_700_000_000_000_000
_TICK: Final = 0.5


def frames(shape: str, ids: int) -> Iterator[pl.DataFrame]:
    """Yield links, a million at a time."""
    users = ids // SHAPES[shape]
    rows = users * (SHAPES[shape] - 1) if shape == "linked" else users
    for start in range(0, rows, _CHUNK):
        number = pl.int_range(start, min(start + _CHUNK, rows), eager=True)
        at = pl.DataFrame({"n": number, "who": (number * 7_919) % users}).lazy()
        when = (pl.lit(_START) + pl.col("n") * 97_000).cast(schemas.TIMESTAMP)
        device, user = uuid("n"), pl.format("user-{}@example.com", "who")
        if shape == "linked":
            found = links.linked(at, anonymous=device, identified=user, time=when, why="seen together")
        else:
            key = links.key("amplitude_id", (pl.col("who") * 104_729).cast(pl.String))
            found = links.concat(
                [
                    links.resolved(at, key=key, person=user, time=when, why="amplitude_id"),
                    links.own(at, anonymous=device, key=key),
                ]
            )
        yield found.collect()


def uuid(name: str) -> pl.Expr:
    """Return an expression of a random id for each number."""
    digest = plh.col(name).cast(pl.String).nchash.md5()
    parts = (
        digest.str.slice(start, length) for start, length in ((0, 8), (8, 4), (12, 4), (16, 4), (20, 12))
    )
    return pl.concat_str(*parts, separator="-")


class Phases:
    """Notes of each phase the seconds, the peak of memory so far, and the most bytes of temporary files."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, float]] = {}
        self._most = 0

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Measure one."""
        over, self._most = Event(), 0
        watching = Thread(target=self._watch, args=[over])
        watching.start()
        began, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            over.set()
            watching.join()
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        self.found[name] = {"seconds": seconds, "cpu": cpu, "peak_mb": peak, "temporary": self._most}
        print(
            f"    {name:<12} {seconds:>8.1f} s {cpu:>8.1f} s cpu {peak:>7.0f} MB", file=sys.stderr, flush=True
        )

    def _watch(self, over: Event) -> None:
        while not over.wait(_TICK):
            self._most = max(self._most, _unlinked())


def _unlinked() -> int:
    """Return how many bytes files take that have no name any more, as SQLite's temporary ones; 0 but on Linux."""
    total = 0
    for path in Path("/proc/self/fd").glob("*"):
        with suppress(OSError):
            status = path.stat()
            total += status.st_size if status.st_nlink == 0 else 0
    return total


def filled(shape: str, ids: int, folder: Path) -> Phases:
    """Return what it took to put links into a people's file, in this process."""
    phases = Phases()
    with People(folder / PEOPLE_FILE) as people:
        with phases.phase("making"):
            for _ in frames(shape, ids):
                pass
        with phases.phase("adding"):
            for frame in frames(shape, ids):
                people.hold(frame)
                if people.held >= max(64 << 20, people.stored() // 2):  # as `plan.gather` does
                    people.settle()
            people.settle()
    return phases


def used(shape: str, ids: int, folder: Path) -> Phases:
    """Return what it took to find out who is who, and to look it up, in this process."""
    path, phases, users = folder / PEOPLE_FILE, Phases(), ids // SHAPES[shape]
    with phases.phase("nothing"):
        list(frames(shape, 1_000))
    with People(path) as people:
        with phases.phase("resolving"):
            identity.resolve(people, end=None)
        with phases.phase("merging"):
            for _ in identity.new_merges(people, "(identity 1)", 1_000):
                pass
    asked = []
    for place in range(_LOOKUPS):
        number = (pl.int_range(_ROWS, eager=True) * 1_000_003 + place * 500_009) % users
        key = uuid("n") if shape == "linked" else pl.format("\x1famplitude_id\x1f{}", pl.col("n") * 104_729)
        asked.append(pl.DataFrame({"n": number}).select(key).to_series())
    with Lookup.opened(path, "", is_shared=False) as people, phases.phase("looking up"):
        for keys in asked:
            people.identified(keys) if shape == "linked" else people.persons(keys)
    return phases


STEPS: Final = {"filled": filled, "used": used}


def measured(shape: str, ids: int, folder: Path) -> dict[str, dict[str, float]]:
    """Return what each phase took, in processes of their own."""
    found = {}
    for step in STEPS:
        command = [
            sys.executable,
            __file__,
            "--step",
            step,
            "--ids",
            str(ids),
            "--shape",
            shape,
            "--folder",
            folder,
        ]
        more = {"SQLITE_TMPDIR": str(folder)}
        ran = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=os.environ | more)
        found |= json.loads(ran.stdout)
    return found


def main() -> None:
    """Print a line for each number of ids."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ids", type=int, nargs="+", default=[1_000_000, 10_000_000, 30_000_000])
    parser.add_argument("--shape", choices=SHAPES, default="linked")
    parser.add_argument(
        "--folder", type=Path, help="where the files are made, which go away [default: temporary]"
    )
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    choices = parser.parse_args()
    if choices.step:
        phases = STEPS[choices.step](choices.shape, choices.ids[0], choices.folder)
        print(json.dumps(phases.found))
        return
    names = ("adding", "resolving", "merging", "looking up")
    heads = "".join(f"{name:>16}" for name in names)
    print(f"{choices.shape}: seconds and those of a processor, ms for a chunk that is looked up; bytes an id")
    print(f"{'ids':>12}{heads}{'MB':>8}{'memory':>8}{'disk':>8}{'temporary':>11}")
    for ids in choices.ids:
        with tempfile.TemporaryDirectory(dir=choices.folder) as folder:
            phases = measured(choices.shape, ids, Path(folder))
            disk = (Path(folder) / PEOPLE_FILE).stat().st_size / ids
        took = {kind: [phases[name][kind] for name in names] for kind in ("seconds", "cpu")}
        for kind, some in took.items():
            some[0] -= phases["making"][kind]
            some[-1] *= 1000 / _LOOKUPS
        memory = phases["merging"]["peak_mb"]
        more = (memory - phases["nothing"]["peak_mb"]) * 2**20 / ids
        temporary = max(phases[name]["temporary"] for name in names) / ids
        columns = "".join(
            f"{f'{one:.1f} / {other:.1f}':>16}" for one, other in zip(*took.values(), strict=True)
        )
        print(f"{ids:>12,}{columns}{memory:>8.0f}{more:>8.0f}{disk:>8.0f}{temporary:>11.0f}", flush=True)


if __name__ == "__main__":
    main()
