"""What each command did in a workdir → a table, one line a command."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from migrate.report.sections import Line
from migrate.report.tables import table
from migrate.workdir.history import Entry

_TITLES: Final = "begun (UTC)", "command", "took", "files", "planned", "accepted", "held", "aside", "exit"


def lines(entries: Sequence[Entry], *, is_running: bool) -> Iterator[Line]:
    """Yield the table; the last command works still where one `is_running`."""
    if not entries:
        return
    rows = [_row(one, "killed") for one in entries]
    if is_running:
        rows[-1] = _row(entries[-1], "runs")
    yield from table(_TITLES, rows, texts={"begun (UTC)", "command", "exit"})
    yield Line("")


def _row(one: Entry, unended: str) -> Sequence[str]:
    """Return the cells of a command; `unended` is how it ended if it has no end."""
    took = "" if one.seconds is None else str(timedelta(seconds=round(one.seconds)))
    counts = (one.files, one.planned, one.accepted, one.held, one.set_aside)
    how = unended if one.exit_code is None else str(one.exit_code)
    return one.begun[:16].replace("T", " "), one.command, took, *(f"{n:,}" for n in counts), how
