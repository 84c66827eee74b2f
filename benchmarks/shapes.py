"""Measure data of awkward shapes: what is usual must not be what it is fast for."""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from measuring import FORMATS, HERE, MIGRATE, Run, measured, sink, size, target, what

SHAPES: Final = {
    "as it comes": (1, []),
    "shuffled ten years": (1, ["--shuffled", "--days", "3650"]),
    "half of one person": (1, ["--one-person-half"]),
    "one day": (1, ["--one-day"]),
    "5,000 files": (1, ["--files", "5000"]),
    "500 KB events": (1_000, ["--large-events"]),
}
"""Options of `run.py`, and by how much fewer rows there are of each."""
EXTREMES: Final = {
    "dictionary-table": ("table", "Parquet of 40,000 rows, 5 texts of 22 KB in a column"),
    "dictionary-posthog": ("posthog", "the same texts in properties"),
    "wide-csv": ("table", "CSV of 20,000 columns"),
    "wide-parquet": ("table", "Parquet of 20,000 columns"),
    "days": ("posthog", "30,000 events, each on a day of its own"),
    "instant": ("posthog", "2,000,000 people's events at one instant"),
    "keys": ("posthog", "100,000 keys an object, all rejected"),
    "fewer-keys": ("posthog", "30,000 keys an object"),
    "other-keys": ("posthog", "30,000 keys an object, others in each"),
}
"""Shapes of `extremes.py`: their platform, and what they are; the format and the number of rows are their own."""
_MOST: Final = 500
"""Megabytes that neither half may take."""
_LEFT_OUT: Final = 3
"""The exit code where rows were rejected."""


def shaped(shape: str, kind: str, rows: int) -> str:
    """Return a line of what `run.py` measures of a shape."""
    fewer, options = SHAPES[shape]
    rows = max(1, rows // fewer)
    command = [sys.executable, HERE / "run.py", "--json", "--one-size", "--rows", str(rows)]
    done = subprocess.run([*command, "--formats", kind, *options], check=True, stdout=subprocess.PIPE)
    (found,) = json.loads(done.stdout)
    rates = [count / found[half]["seconds"] for half, count in _counts(found).items()]
    memory = [found[half]["memory"] for half in ("plan", "apply", "run")]
    cells = "".join(f"{rate:>10,.0f}" for rate in rates) + "".join(f"{peak:>9,.0f}" for peak in memory)
    return f"{shape:<20}{rows:>10,}{cells}"


def extreme(shape: str) -> str:
    """Return a line of what plan and apply take of a file that holds much more than it looks like."""
    platform, title = EXTREMES[shape]
    with tempfile.TemporaryDirectory(prefix="migrate-shape-") as temporary:
        source, workdir = Path(temporary) / "data", Path(temporary) / "workdir"
        measured([sys.executable, HERE / "extremes.py", shape, "--out", source])
        fine = (0, _LEFT_OUT)
        plan = measured(
            [MIGRATE, "plan", *what(platform, source), "--workdir", workdir, "--quiet"], fine=fine
        )
        with sink() as url:
            apply = measured([MIGRATE, "apply", workdir, *target(url), "--quiet"], fine=fine)
        rows = json.loads((workdir / "report.json").read_text())["rows"]
        cells = f"{size(source) / 1e6:>9,.1f}{rows['read']:>11,}{sum(rows['rejected'].values()):>10,}"
        return f"{shape:<20}{cells}{_halves([plan, apply])}  {title}"


def _halves(halves: Sequence[Run]) -> str:
    """Return seconds and megabytes of each half, and by how much one is over what it may take."""
    seconds = "".join(f"{half.seconds:>9.1f}" for half in halves)
    memory = "".join(f"{half.memory:>9,.0f}" for half in halves)
    over = max(half.memory for half in halves) - _MOST
    return f"{seconds}{memory}{f'{over:+,.0f}' if over > 0 else '':>9}"


def _counts(found: dict[str, int]) -> dict[str, int]:
    """Return what each half is counted in."""
    return {"plan": found["rows"], "apply": found["events"], "run": found["rows"]}


def main() -> None:
    """Print a line for each shape, those of any format before those of their own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--format", choices=FORMATS, default="jsonl", help="of the shapes of any format")
    parser.add_argument("--rows", type=int, default=500_000, help="of the shapes of any format")
    parser.add_argument("--shapes", nargs="+", choices=[*SHAPES, *EXTREMES], default=[*SHAPES, *EXTREMES])
    choices = parser.parse_args()
    usual = [shape for shape in choices.shapes if shape in SHAPES]
    if usual:
        rates = f"{'plan/s':>10}{'apply/s':>10}{'run/s':>10}"
        print(f"{'shape':<20}{'rows':>10}{rates}{'plan MB':>9}{'apply MB':>9}{'run MB':>9}")
    for shape in usual:
        print(shaped(shape, choices.format, choices.rows), flush=True)
    extremes = [shape for shape in choices.shapes if shape in EXTREMES]
    if extremes:
        halves = f"{'plan s':>9}{'apply s':>9}{'plan MB':>9}{'apply MB':>9}{'over 500':>9}"
        print(f"{'shape':<20}{'file MB':>9}{'rows':>11}{'rejected':>10}{halves}")
    for shape in extremes:
        print(extreme(shape), flush=True)


if __name__ == "__main__":
    main()
