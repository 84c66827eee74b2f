"""Measure apply over capture v0 and over v1: one plan, whole processes in turn, what each pair comes to."""

import argparse
import shutil
import tempfile
from pathlib import Path
from statistics import median

from generate import FORMATS
from measuring import MIGRATE, PLATFORMS, Data, Run, counted, measured, sink, target, what


def applied(planned: Path, url: str, protocol: str) -> Run:
    """Send a plan over one protocol; the plan stays as it is."""
    copy = planned.with_name("copy")
    shutil.copytree(planned, copy)
    run = measured([MIGRATE, "apply", copy, *target(url), "--quiet", "--protocol", protocol])
    shutil.rmtree(copy)
    return run


def main() -> None:
    """Print events a second of both, and the ratios of v1 over v0, the middle one and how far they go."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=["parquet", "mixpanel"])
    parser.add_argument("--pairs", type=int, default=5)
    choices = parser.parse_args()
    print(f"{'format':<20}{'v0 events/s':>13}{'v1 events/s':>13}   time, v1 over v0     cpu, v1 over v0")
    for kind in choices.formats:
        with tempfile.TemporaryDirectory(prefix="migrate-protocols-") as scratch, sink("--v1") as url:
            folder = Path(scratch)
            source = Data(format=kind, rows=choices.rows).generated(folder)
            planned = folder / "planned"
            inputs = what(PLATFORMS[kind], source)
            measured([MIGRATE, "plan", *inputs, "--workdir", planned, "--quiet"])
            pairs = [[applied(planned, url, name) for name in ("v0", "v1")] for _ in range(choices.pairs + 1)]
            events = counted(url)["events"]  # of the last run: each asks the sink whether it is a sandbox
        line = f"{kind:<20}"
        for runs in zip(*pairs[1:], strict=True):
            line += f"{events / median([run.seconds for run in runs]):>13,.0f}"
        for part in ("seconds", "cpu"):
            ratios = [getattr(v1, part) / getattr(v0, part) for v0, v1 in pairs[1:]]
            line += f"   x{median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
        print(line, flush=True)


if __name__ == "__main__":
    main()
