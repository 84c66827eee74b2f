"""A simulated quarter: 90 nights of four platforms' exports, each night checked, and what they came to.

python benchmarks/quarter.py [--nights 90] [--events 100] [--platforms amplitude mixpanel ga4 table]

Files are late, rewritten, empty, missing and repeated; there is a crash a week, a night over its window, one over the
quota, a bad row and a bad file, and towards the end another payload and another identity version. What PostHog must
hold after each night, and each exit code, is known beforehand (`tests/quarter.py`): it stops where one differs.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from quarter import Quarter
from shop import EXPORTS

from migrate.sandbox.server import Sandbox

_WEEK = ("usual", "changed", "usual", "rewritten", "usual", "repeated", "killed")
_ONCE = {10: "bad row", 17: "missing", 24: "empty", 31: "window", 38: "quota", 45: "bad file", 52: "missing"}
_HEAD = (
    *(
        "platform",
        "files",
        "events",
        "merges",
        "lost",
        "again",
        "duplicates",
        "replanned",
        "kept",
        "vanished",
    ),
    *("exit codes", "begin s", "end s", "checkpoint kB a file"),
)


def kinds(nights: int) -> list[str]:
    """Return what each night is like; the versions change in the last quarter of them."""
    found = [_ONCE.get(night, _WEEK[night % 7] if night > 6 else "usual") for night in range(nights)]
    found[nights * 3 // 4] = "payload version"
    found[nights * 5 // 6] = "identity version"
    return found


def measured(export: Any, folder: Path, nights: int, events: int) -> list[Any]:  # noqa: ANN401 - tests have no types
    """Return what the nights of an export came to, in the order of the head."""
    with Sandbox(folder / "sandbox") as sandbox:
        quarter = Quarter(export(folder / "in", nights, events=events), folder, sandbox)
        begin: float = 0
        for kind in kinds(nights):
            if kind == "identity version":  # the workdir is another from here on
                end, size = (
                    median(quarter.seconds[-10:]),
                    (quarter.workdir / "checkpoint.sqlite").stat().st_size,
                )
                found = {name: said.get(name, 0) for name in ("kept", "vanished_sent")}
                anew, duplicate = said["files"], told["events"]["duplicate"]
                files = len(quarter.export.files)
            told = quarter.night(kind)
            said = told["replanned"]
            begin = begin or (median(quarter.seconds[1:]) if quarter.number > 10 else 0)
        codes = " ".join(f"{code}:{count}" for code, count in sorted(quarter.codes.items()))
        return [
            *(
                export.platform,
                len(quarter.export.files),
                len(quarter.sent),
                len(quarter.merges),
                len(quarter.lost),
            ),
            *(quarter.again, duplicate, anew, *found.values(), codes),
            *(f"{begin:.2f}", f"{end:.2f}", f"{size / 1024 / files:.1f}"),
        ]


def main() -> None:
    """Run the quarter of each platform and print its line of the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nights", type=int, default=90)
    parser.add_argument("--events", type=int, default=100, help="a day, at the most")
    parser.add_argument("--platforms", nargs="*", default=[one.platform for one in EXPORTS])
    given = parser.parse_args()
    print(f"| {' | '.join(_HEAD)} |\n|{'---|' * len(_HEAD)}", flush=True)
    for export in EXPORTS:
        if export.platform in given.platforms:
            with tempfile.TemporaryDirectory() as folder:
                line = measured(export, Path(folder), given.nights, given.events)
            print(f"| {' | '.join(map(str, line))} |", flush=True)


if __name__ == "__main__":
    main()
