"""What is done with each file, in words for a log."""

from collections.abc import Sequence

from migrate.plan.jobs import Job
from migrate.screen import amount, counted
from migrate.workdir.records import Numbers


def begun(job: Job) -> str:
    """Return that a file's planning begins: its table, format and size."""
    source = job.source
    return f"begun: {source.name}: table {job.table.name}, {job.header.format}, {amount(source.size)}"


def looked_over(names: Sequence[str], rows: int, seconds: float) -> str:
    """Return that files were looked over."""
    return f"looked over: {_together(names)}: {counted(rows, 'row')}, in {seconds:.2f} s"


def planned(names: Sequence[str], numbers: Numbers, events: int, seconds: float) -> str:
    """Return what became of the rows of files that were planned."""
    filtered, rejected = numbers.filtered.total(), numbers.rejected.total()
    return (
        f"planned: {_together(names)}: {counted(numbers.read, 'row')}: {numbers.mapped:,} mapped, "
        f"{filtered:,} filtered, "
        f"{rejected:,} rejected; {counted(events, 'event')}, in {seconds:.2f} s"
    )


def damaged(name: str) -> str:
    """Return that a file is planned as far as it could be read."""
    return f"{name}: could not be read to its end; what was readable is planned"


def _together(names: Sequence[str]) -> str:
    first, *others = names
    return f"{first} and {len(others):,} more, together" if others else first
