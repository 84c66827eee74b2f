"""The first rows of a plan beside what they become, kept so that a saved plan is shown without reading a source."""

import json
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

from migrate.workdir.disk import sync

SAMPLES: Final = "samples.jsonl"
_INCREMENT: Final = "increment"
_FIELDS: Final = {"source": str, "payloads": list, "place": str, "file": str, "why": str | None, "table": str}
"""What is kept of a row, see `migrate.preview.Preview`."""
KEPT: Final = 20
"""Rows that are kept, more where more are to be shown."""


def keep(workdir: Path, rows: Iterable[Mapping[str, object]], increment: int = 0) -> None:
    """Keep these rows of an increment in the place of those that were kept before; none leave what is there."""
    lines = [json.dumps({**row, _INCREMENT: increment}, ensure_ascii=False) for row in rows]
    if not lines:
        return
    beside = workdir / f"{SAMPLES}.new"
    beside.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    sync(beside)
    beside.replace(workdir / SAMPLES)


def kept(workdir: Path, count: int, increment: int | None = None) -> list[dict[str, Any]]:
    """Return so many of the rows that are kept, or as many as there are; none where the file is gone or harmed.

    Nor where they are not of an `increment` that is asked for.
    """
    try:
        with (workdir / SAMPLES).open(encoding="utf-8") as file:
            found = [json.loads(line) for line in islice(file, count)]
    except (OSError, ValueError):
        return []
    if not all(map(_is_sound, found)):
        return []
    numbers = {row.pop(_INCREMENT, None) for row in found}
    return found if increment is None or numbers == {increment} else []


def _is_sound(row: object) -> bool:
    """Return whether a row is one as it was kept."""
    if (
        not isinstance(row, dict)
        or not row.keys() <= {*_FIELDS, _INCREMENT}
        or not {"source", "payloads"} <= row.keys()
    ):
        return False
    payloads = row.get("payloads", [])
    fitting = all(isinstance(value, _FIELDS.get(name, int)) for name, value in row.items())
    return fitting and all(isinstance(text, str) for text in payloads)
