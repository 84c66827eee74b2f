"""parked.jsonl: the events PostHog refused, with its words, never a line more than the checkpoint knows."""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from migrate.checkpoint import Checkpoint, synced

PARKED: Final = "parked.jsonl"
_WAITING: Final = "parked.jsonl.next"
_AT_ONCE: Final = 1_000


def append(workdir: Path, lines: Iterable[dict[str, Any]]) -> int:
    """Add lines, durably; return the size of the file, which the checkpoint is to note."""
    path = workdir / PARKED
    texts = [json.dumps(line, ensure_ascii=False) + "\n" for line in lines]
    if texts:
        with path.open("a", encoding="utf-8") as file:
            file.writelines(texts)
            file.flush()
            os.fsync(file.fileno())
        synced(workdir)
    return path.stat().st_size if path.exists() else 0


def days(workdir: Path) -> Iterator[list[dict[str, Any]]]:
    """Yield the lines, day by day, a bounded number at once."""
    path = workdir / PARKED
    if not path.exists():
        return
    held: list[dict[str, Any]] = []
    day = ""
    with path.open(encoding="utf-8") as file:
        for text in file:
            line = json.loads(text)
            its_day = json.loads(line["payload"])["timestamp"][:10]
            if held and (its_day != day or len(held) >= _AT_ONCE):
                yield held
                held = []
            held.append(line)
            day = its_day
    if held:
        yield held


def replace(
    workdir: Path, checkpoint: Checkpoint, lines: Iterable[dict[str, Any]], accepted: int, **facts: object
) -> None:
    """Put other lines in the place of all, and note how many events were accepted; both or neither."""
    waiting = workdir / _WAITING
    with waiting.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        file.flush()
        os.fsync(file.fileno())
    synced(workdir)
    checkpoint.unpark(accepted, parked_bytes=waiting.stat().st_size, parked_swap=True, **facts)
    restore(workdir, checkpoint)


def restore(workdir: Path, checkpoint: Checkpoint) -> None:
    """Bring the file back to what the checkpoint knows, after a kill in the middle of a change."""
    facts = checkpoint.facts()
    path, waiting = workdir / PARKED, workdir / _WAITING
    if facts.get("parked_swap"):
        if waiting.exists():
            waiting.replace(path)
            synced(workdir)
        checkpoint.note(parked_swap=False)
    waiting.unlink(missing_ok=True)
    size = facts.get("parked_bytes", 0)
    if path.exists() and path.stat().st_size > size:
        os.truncate(path, size)
