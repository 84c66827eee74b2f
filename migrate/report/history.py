"""What each command did in a workdir → a table, one line a command."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from migrate.report.numbers import Summary
from migrate.report.sections import Line
from migrate.report.tables import table
from migrate.workdir.history import Entry

_TITLES: Final = "begun (UTC)", "command", "took", "files", "planned", "accepted", "held", "aside", "exit"


def counts(numbers: Summary) -> dict[str, int]:
    """Return the numbers of a workdir by which its history tells what a command did (`workdir.history.Keeper`)."""
    events = numbers.events
    return {
        "planned": events.planned,
        "accepted": events.accepted,
        "duplicate": events.duplicate,
        "parked": events.parked,
        "rejected": sum(numbers.rows.rejected.values()),
        "held": events.held,
        "set_aside": len(numbers.set_aside),
    }


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
    numbers = (one.files, one.planned, one.accepted, one.held, one.set_aside)
    how = unended if one.exit_code is None else str(one.exit_code)
    cells = ("" if n is None else f"{n:,}" for n in numbers)
    return one.begun[:16].replace("T", " "), one.command, took, *cells, how
