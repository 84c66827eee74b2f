"""Measure data of awkward shapes: what is usual must not be what it is fast for."""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Final

from run import FORMATS

SHAPES: Final = {
    "as it comes": (1, []),
    "shuffled ten years": (1, ["--shuffled", "--days", "3650"]),
    "half of one person": (1, ["--one-person-half"]),
    "one day": (1, ["--one-day"]),
    "5,000 files": (1, ["--files", "5000"]),
    "500 KB events": (1_000, ["--large-events"]),
}
"""Options of `run.py`, and by how much fewer rows there are of each."""


def main() -> None:
    """Print a line for each shape."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--format", choices=FORMATS, default="jsonl")
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=SHAPES)
    choices = parser.parse_args()
    print(
        f"{'shape':<20}{'rows':>10}{'plan/s':>10}{'apply/s':>10}{'run/s':>10}{'plan MB':>9}{'apply MB':>9}{'run MB':>9}"
    )
    for shape in choices.shapes:
        fewer, options = SHAPES[shape]
        rows = max(1, choices.rows // fewer)
        command = [
            sys.executable,
            Path(__file__).with_name("run.py"),
            "--json",
            "--one-size",
            "--rows",
            str(rows),
        ]
        done = subprocess.run(
            [*command, "--formats", choices.format, *options], check=True, stdout=subprocess.PIPE
        )
        (found,) = json.loads(done.stdout)
        rates = [count / found[half]["seconds"] for half, count in _counts(found).items()]
        memory = [found[half]["memory"] for half in ("plan", "apply", "run")]
        cells = "".join(f"{rate:>10,.0f}" for rate in rates) + "".join(f"{peak:>9,.0f}" for peak in memory)
        print(f"{shape:<20}{rows:>10,}{cells}", flush=True)


def _counts(found: dict[str, int]) -> dict[str, int]:
    """Return what each half is counted in."""
    return {"plan": found["rows"], "apply": found["events"], "run": found["rows"]}


if __name__ == "__main__":
    main()
