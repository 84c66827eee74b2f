"""A simulated quarter: 90 nights of four platforms' exports, each night checked, and what they came to.

    python benchmarks/quarter.py
    python benchmarks/quarter.py --nights 30 --platforms mixpanel

Files are late, rewritten, empty, missing and repeated; there is a crash a week, a night over its window, one over the
quota, a bad row and a bad file, and towards the end another payload version and another identity version. What PostHog
must hold after each night, and each exit code, is known beforehand (`tests/quarter.py`): it stops where one differs.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from quarter import Quarter
from shop import EXPORTS

from migrate.sandbox.server import Sandbox

WEEK: Final = ("usual", "changed", "usual", "rewritten", "usual", "repeated", "killed")
ONCE: Final = {
    10: "bad row",
    17: "missing",
    24: "empty",
    31: "window",
    38: "quota",
    45: "bad file",
    52: "missing",
}
"""Nights that are like no other of the week."""
SOME: Final = 10
"""Of so many nights the seconds in the middle are taken."""


def main() -> None:
    """Run the quarter of each platform and print its line of the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nights", type=int, default=90)
    parser.add_argument("--events", type=int, default=100, help="a day, at the most")
    parser.add_argument("--platforms", nargs="*", default=[one.platform for one in EXPORTS])
    given = parser.parse_args()
    is_first = True
    for export in EXPORTS:
        if export.platform in given.platforms:
            with tempfile.TemporaryDirectory() as folder:
                found = measured(export, Path(folder), given.nights, given.events)
            if is_first:
                _print(found)
                _print(["---"] * len(found))
            _print(found.values())
            is_first = False


def kinds(nights: int) -> list[str]:
    """Return what each night is like; the versions change in the last quarter of them."""
    found = [ONCE.get(night, WEEK[night % 7] if night >= len(WEEK) else "usual") for night in range(nights)]
    found[nights * 3 // 4] = "payload version"
    found[nights * 5 // 6] = "identity version"
    return found


def measured(export: Any, folder: Path, nights: int, events: int) -> dict[str, object]:  # noqa: ANN401 - tests have no types
    """Return what the nights of an export came to."""
    with Sandbox(folder / "sandbox") as sandbox:
        quarter = Quarter(export(folder / "in", nights, events=events), folder, sandbox)
        told = {}
        for kind in kinds(nights):
            if kind == "identity version":  # the workdir is another one from here on
                before, seconds = told, [*quarter.seconds]
            told = quarter.night(kind)
        replanned = before["replanned"]
        return {
            "platform": f"`{export.platform}`",
            "files": len(quarter.export.files),
            "events": f"{len(quarter.sent):,}",
            "merges": len(quarter.merges),
            "planned anew": replanned["files"],
            "duplicates": f"{before['events']['duplicate']:,}",
            "changed, kept": replanned.get("kept", 0),
            "sent again": quarter.again,
            "left out": len(quarter.lost),
            "exit codes": ", ".join(f"{count}x {code}" for code, count in sorted(quarter.codes.items())),
            "a night": f"{median(seconds[1 : SOME + 1]):.2f} s, then {median(seconds[-SOME:]):.2f} s",
        }


def _print(cells: Any) -> None:  # noqa: ANN401 - of any kind
    """Print a line of the table."""
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


if __name__ == "__main__":
    main()
