"""How long the report of a large plan takes, in how much memory, and how large its page is.

    python benchmarks/page.py
    python benchmarks/page.py --events 30000000 --days 3650 --names 1000 --properties 300 --odd
    python benchmarks/page.py --days 700 --names 12 --keep demo

Fills a checkpoint as a plan of so many events would, without any (`tests/filled.py`, which plants a few things that
are to stand out), and measures `migrate report` as a whole process. `--keep FOLDER` keeps the workdir, to look at.
"""

import argparse
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

from measuring import HERE, measured

sys.path.insert(0, str(HERE.parent / "tests"))


def fill(workdir: Path, choices: argparse.Namespace) -> None:
    """Fill a checkpoint."""
    from filled import Shape, made  # noqa: PLC0415 - a process that measures starts small

    names = ("days", "names", "events", "properties", "odd")
    first = date(2014, 1, 1) if choices.days > 1_000 else date(2022, 3, 1)  # noqa: PLR2004 - before what is planted
    made(workdir, Shape(first, **{name: getattr(choices, name) for name in names})).close()


def main() -> None:
    """Print seconds, megabytes and kilobytes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=30_000_000)
    parser.add_argument("--days", type=int, default=3_650)
    parser.add_argument("--names", type=int, default=1_000)
    parser.add_argument("--properties", type=int, default=300)
    parser.add_argument("--odd", action="store_true", help="names of 200 letters that nobody expects")
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    parser.add_argument("--fill", type=Path, help=argparse.SUPPRESS)
    choices = parser.parse_args()
    if choices.fill is not None:
        fill(choices.fill, choices)
        return
    with tempfile.TemporaryDirectory() as folder:
        workdir = choices.keep or Path(folder) / "w"
        subprocess.run([sys.executable, *sys.argv, "--fill", workdir], check=True)
        took = measured([sys.executable, "-m", "migrate", "report", workdir])
        size = (workdir / "report.html").stat().st_size
    print(
        f"{took.seconds:.1f} s ({took.cpu:.1f} s of processor), {took.memory:.0f} MB, page of {size / 1000:.0f} kB"
    )


if __name__ == "__main__":
    main()
