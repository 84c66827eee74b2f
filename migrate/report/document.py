"""Numbers → the JSON summary: report.json, and the last line of stdout where it is asked for."""

import json
from pathlib import Path
from typing import Final

from migrate.report.numbers import NOTHING, Run, Summary
from migrate.workdir.disk import sync

REPORT: Final = "report.json"
_EARLY: Final = (
    *(
        "rows",
        "events",
        "requests",
        "retries",
        "bytes_sent",
        "first_timestamp",
        "last_timestamp",
        "held_until",
    ),
    *("workdir", "import_id", "seconds", "balanced", "whole", "state", "next"),
)
"""What is said of a command that did not come to a workdir."""


def document(numbers: Summary, run: Run | None = None) -> dict[str, object]:
    """Return the summary as JSON has it, with what this process did of it under `run`."""
    found = vars(numbers) | {"rows": vars(numbers.rows), "events": vars(numbers.events)}
    found |= found.pop("asked")
    if numbers.history is None:
        del found["history"]
    return found if run is None else found | {"run": _run(run)}


def early(run: Run, numbers: Summary = NOTHING) -> dict[str, object]:
    """Return the summary of a command that did not come to a workdir."""
    nothing = document(numbers)
    return {name: nothing[name] for name in _EARLY} | {"run": _run(run)}


def write(workdir: Path, numbers: Summary) -> None:
    """Write report.json, all of it or nothing."""
    beside = workdir / f"{REPORT}.new"
    text = json.dumps(document(numbers), indent=2, ensure_ascii=False)
    beside.write_text(text + "\n", encoding="utf-8")
    sync(beside)
    beside.replace(workdir / REPORT)


def _run(run: Run) -> dict[str, object]:
    return vars(run) | {"rows": vars(run.rows), "events": vars(run.events)}
