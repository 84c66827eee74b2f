"""How long a night takes after many of them, and how much of the checkpoint is a file's.

    python benchmarks/nights.py
    python benchmarks/nights.py --nights 300 --files 100

All files are there, of one row each; what the checkpoint knows of them is written into it as planned and sent, since
planning a hundred thousand files for real takes minutes. What is measured is a command as a whole process: `plan` and
`run` where nothing is new, `run` where a night's files are new, and where as many were rewritten; `first` is that night
as the first one in a new workdir.
"""

import argparse
import json
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from measuring import MIGRATE

from migrate.inputs.stored import stamp_of
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
        host = ("--host", "sandbox")
        _run(folder, "w", "run", first, *host)
        size = _known(folder / "w", files)
        print(
            f"{given.nights:,} nights of {given.files} files; {size / len(files):.0f} bytes of the checkpoint a file"
        )
        inputs = (first, folder / "in")
        _run(folder, "w", "plan", *inputs)  # what is kept of all of them is kept from now on
        _tell("plan, nothing new", (_run(folder, "w", "plan", *inputs) for _ in range(given.runs)))
        _tell("run, nothing new", (_run(folder, "w", "run", *inputs, *host) for _ in range(given.runs)))
        news = [folder / "in" / f"new {n}" for n in range(given.runs)]
        for name, text in (("new", ROW), ("rewritten", ROW.replace('"u"', '"v"'))):
            _tell(
                f"run, {given.files} files {name}",
                (_night(folder, "w", new, given.files, text) for new in news),
            )
        _tell(
            f"first, {given.files} files", (_night(folder, new.name, new, given.files, ROW) for new in news)
        )
    finally:
        shutil.rmtree(folder)


def _tell(what: str, times: Iterable[float]) -> None:
    """Print how many seconds something took."""
    print(f"{what:26} {', '.join(f'{seconds:.2f}' for seconds in times)} s", flush=True)


def _night(folder: Path, workdir: str, new: Path, files: int, text: str) -> float:
    """Write a night's files of one row each, and run it; return how many seconds it took."""
    uuids = (uuid.uuid5(uuid.NAMESPACE_OID, f"{new.name} {n}") for n in range(files))
    for n, its in enumerate(uuids):
        row = json.loads(text) | {"uuid": str(its), "timestamp": "2024-04-04T12:00:00Z"}
        _written(new / f"{n}.jsonl", json.dumps(row))
    inputs = (folder / "first" / "0.jsonl", folder / "in") if workdir == "w" else (new,)
    return _run(folder, workdir, "run", *inputs, "--host", "sandbox")


def _written(path: Path, row: str = ROW) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(row + "\n")
    return path


def _run(folder: Path, workdir: str, command: str, *words: object) -> float:
    """Run a command in a workdir; return how many seconds it took."""
    begun = time.perf_counter()
    line = [MIGRATE, command, "posthog", *map(str, words), "--workdir", str(folder / workdir), "--quiet"]
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
