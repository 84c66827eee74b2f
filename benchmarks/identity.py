"""How long it takes to find out who is who, and in how much memory: people with three anonymous ids each.

    python benchmarks/identity.py --people 100000 300000 1000000

Writes a table of Segment events that each show a user with one of three anonymous ids, plans it in a process of its
own, and prints seconds, the peak of resident memory, and seconds per million links: with n log n they grow slowly.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

LINKS = 3
_CHUNK = 500_000


def written(path: Path, people: int) -> None:
    """Write a table in which each of so many people is seen with three anonymous ids, in no order."""
    with path.open("wb") as file:
        for start in range(0, LINKS * people, _CHUNK):
            number = pl.int_range(start, min(start + _CHUNK, LINKS * people), eager=True)
            frame = pl.DataFrame({"n": (number * 7_919) % (LINKS * people)}).select(
                pl.format("m-{}", "n").alias("id"),
                pl.format("0f9c1a52-0000-4000-8000-{}", pl.col("n").cast(pl.String).str.zfill(12)).alias(
                    "anonymous_id"
                ),
                pl.format("user-{}@example.com", pl.col("n") % people).alias("user_id"),
                pl.lit("Order Completed").alias("event_text"),
                pl.lit("order_completed").alias("event"),
                (pl.lit(1_700_000_000_000) + pl.col("n") * 97)
                .cast(pl.Datetime("ms"))
                .dt.to_string("iso")
                .alias("timestamp"),
            )
            frame.write_csv(file, include_header=start == 0)


def planned(people: int) -> tuple[float, float, dict[str, int]]:
    """Return seconds, megabytes at the peak, and what is reported of people."""
    with tempfile.TemporaryDirectory() as folder:
        path, workdir = Path(folder) / "order_completed.csv", Path(folder) / "plan"
        written(path, people)
        command = [sys.executable, "-m", "migrate", "plan", "segment", str(path), "--workdir", str(workdir)]
        began = time.monotonic()
        process = subprocess.Popen([*command, "--quiet", "--json"], stdout=subprocess.PIPE)
        said, _ = process.communicate()
        seconds = time.monotonic() - began
        peak = _peak()
        return seconds, peak, json.loads(said)["identity"]


def _peak() -> float:
    """Return the most memory any child has taken, in megabytes."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def main() -> None:
    """Print a line for each number of people."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, nargs="+", default=[100_000, 300_000, 1_000_000])
    print(f"{'people':>10} {'links':>10} {'merges':>10} {'seconds':>8} {'s/M links':>10} {'peak MB':>8}")
    for people in parser.parse_args().people:
        seconds, peak, identity = planned(people)
        per = seconds / identity["links"] * 1_000_000
        counts = f"{people:>10,} {identity['links']:>10,} {identity['merges']:>10,}"
        print(f"{counts} {seconds:>8.1f} {per:>10.1f} {peak:>8.0f}")


if __name__ == "__main__":
    main()
