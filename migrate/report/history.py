"""What each command did in a workdir → a table, one line a command."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from migrate.report.sections import Line
from migrate.workdir.history import Entry

_WIDTHS: Final = (-16, -6, 8, 6, 10, 10, 7, 5, -6)
"""Characters of the columns at least; below zero where they begin at one line, not end there."""
_TITLES: Final = ("begun (UTC)", "", "took", "files", "planned", "accepted", "held", "aside", "exit")


def lines(entries: Sequence[Entry], *, is_running: bool) -> Iterator[Line]:
    """Yield the table; the last command works still where one `is_running`."""
    if not entries:
        return
    yield _line(_TITLES)
    for number, one in enumerate(entries, 1):
        took = "" if one.seconds is None else str(timedelta(seconds=round(one.seconds)))
        counts = (one.files, one.planned, one.accepted, one.held, one.set_aside)
        unended = "runs" if is_running and number == len(entries) else "killed"
        how = unended if one.exit_code is None else str(one.exit_code)
        yield _line((one.begun[:16].replace("T", " "), one.command, took, *(f"{n:,}" for n in counts), how))
    yield Line("")


def _line(cells: Sequence[str]) -> Line:
    found = (
        cell.rjust(width) if width > 0 else cell.ljust(-width)
        for cell, width in zip(cells, _WIDTHS, strict=True)
    )
    return Line(" ".join(found).rstrip())
