"""What is done with each file, and with the days of all of them, for a log."""

from collections.abc import Sequence

from migrate.logline import Record
from migrate.plan.jobs import Job
from migrate.screen import amount, counted
from migrate.workdir.parting import Together
from migrate.workdir.records import Numbers


def begun(job: Job, size: int) -> Record:
    """Return that a file's planning begins: its table, format and size, which is more than that of a slice of it."""
    source, table, form = job.source, job.table.name, job.header.format
    return Record(
        "file_begun",
        f"begun: {source.name}: table {table}, {form}, {amount(size)}",
        {"file": source.name, "table": table, "format": form, "bytes": size},
    )


def looked_over(names: Sequence[str], rows: int, seconds: float) -> Record:
    """Return that files were looked over."""
    return Record(
        "file_looked_over",
        f"looked over: {_together(names)}: {counted(rows, 'row')}, in {seconds:.2f} s",
        {"file": names[0], "files": len(names), "rows": rows, "seconds": round(seconds, 3)},
    )


def planned(names: Sequence[str], numbers: Numbers, events: int, seconds: float) -> Record:
    """Return what became of the rows of files that were planned."""
    filtered, rejected = numbers.filtered.total(), numbers.rejected.total()
    return Record(
        "file_planned",
        f"planned: {_together(names)}: {counted(numbers.read, 'row')}: {numbers.mapped:,} mapped, "
        f"{filtered:,} filtered, {rejected:,} rejected; {counted(events, 'event')}, in {seconds:.2f} s",
        {
            "file": names[0],
            "files": len(names),
            "rows": numbers.read,
            "mapped": numbers.mapped,
            "filtered": dict(numbers.filtered),
            "rejected": dict(numbers.rejected),
            "events": events,
            "seconds": round(seconds, 3),
        },
    )


def put_together(days: Together) -> Record:
    """Return that days were put together of what many sources have of each."""
    since, until = days.first, days.last
    return Record(
        "days_put_together",
        f"put together: {counted(days.days, 'day')}, {since} to {until}: {counted(days.events, 'event')}, "
        f"in {days.seconds:.2f} s",
        {
            "days": days.days,
            "first": since,
            "last": until,
            "events": days.events,
            "seconds": round(days.seconds, 3),
        },
    )


def damaged(name: str) -> str:
    """Return that a file is planned as far as it could be read."""
    return f"{name}: could not be read to its end; what was readable is planned"


def _together(names: Sequence[str]) -> str:
    first, *others = names
    return f"{first} and {len(others):,} more, together" if others else first
