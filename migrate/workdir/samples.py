"""The first rows of a plan beside what they become, kept so that a saved plan is shown without reading a source."""

import json
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

from migrate.workdir.disk import sync

SAMPLES: Final = "samples.jsonl"
KEPT: Final = 20
"""Rows that are kept, more where more are to be shown."""


def keep(workdir: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """Keep these rows in the place of those that were kept before; none leave what is there."""
    lines = [json.dumps(dict(row), ensure_ascii=False) for row in rows]
    if not lines:
        return
    beside = workdir / f"{SAMPLES}.new"
    beside.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    sync(beside)
    beside.replace(workdir / SAMPLES)


def are_kept(workdir: Path) -> bool:
    """Return whether any rows are kept."""
    return (workdir / SAMPLES).exists()


def kept(workdir: Path, count: int) -> list[dict[str, Any]]:
    """Return so many of the rows that are kept, or as many as there are; none where the file is gone or harmed."""
    try:
        with (workdir / SAMPLES).open(encoding="utf-8") as file:
            return [dict(json.loads(line)) for line in islice(file, count)]
    except (OSError, ValueError):
        return []
