"""How long a night without news takes after many of them, and how much of the checkpoint is a file's.

    python benchmarks/nights.py
    python benchmarks/nights.py --nights 300 --files 100

All files are there, of one row each; what the checkpoint knows of them is written into it as planned and sent, since
planning a hundred thousand files for real takes minutes. What is measured is `migrate plan` as a whole process.
"""

import argparse
import json
import shutil
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from measuring import MIGRATE

from migrate.inputs.source import stamp_of
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.database import FILE
from migrate.workdir.parts import add_part

ROW = json.dumps(
    {
        "event": "e",
        "distinct_id": "u",
        "uuid": "0190d1a0-0000-7000-8000-000000000001",
        "timestamp": "2024-04-03T12:00:00Z",
    }
)


def main() -> None:
    """Make the nights, measure, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nights", type=int, default=1_000)
    parser.add_argument("--files", type=int, default=100, help="of each night")
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="nights-"))
    try:
        files = [
            _written(folder / "in" / f"{n:05}" / f"{k}.jsonl")
            for n in range(given.nights)
            for k in range(given.files)
        ]
        (folder / "first").mkdir()
        first = _written(folder / "first" / "0.jsonl")
        _run(folder, "run", first, "--host", "sandbox")
        size = _known(folder / "w", files)
        _run(folder, "plan", first, folder / "in")  # what is kept of all of them is kept from now on
        times = [_run(folder, "plan", first, folder / "in") for _ in range(given.runs)]
        told = ", ".join(f"{seconds:.2f}" for seconds in times)
        print(
            f"{given.nights:,} nights of {given.files} files: {told} s; "
            f"{size / len(files):.0f} bytes of the checkpoint a file"
        )
    finally:
        shutil.rmtree(folder)


def _written(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(ROW + "\n")
    return path


def _run(folder: Path, command: str, *words: object) -> float:
    """Run a command in the workdir; return how many seconds it took."""
    begun = time.perf_counter()
    line = [MIGRATE, command, "posthog", *map(str, words), "--workdir", str(folder / "w"), "--quiet"]
    subprocess.run(line, check=True)
    return time.perf_counter() - begun


def _known(workdir: Path, files: list[Path]) -> int:
    """Write into a checkpoint that these files are planned and sent, as its first one is; return its bytes."""
    with Checkpoint.open(workdir) as checkpoint, checkpoint.change() as db:
        sql = "SELECT id, size, digest, numbers FROM inputs WHERE numbers IS NOT NULL AND name NOT LIKE '(%'"
        first, *same = db.execute(sql).fetchone()
        (part,) = checkpoint.parts_of(first)
        for file in files:
            sql = "INSERT INTO inputs (name, stamp, size, digest, numbers) VALUES (?, ?, ?, ?, ?)"
            number = db.execute(sql, (str(file), stamp_of(file), *same)).lastrowid or 0
            db.execute("UPDATE inputs SET lead = id WHERE id = ?", (number,))
            path = f"days/{part.day}/{number:08}-000000.parquet"
            add_part(db, replace(part, path=path, input=number), 1)
        db.execute("UPDATE rounds SET accepted = accepted + ? WHERE day = ?", (len(files), part.day))
    return (workdir / FILE).stat().st_size


if __name__ == "__main__":
    main()
