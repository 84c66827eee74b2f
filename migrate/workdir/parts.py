"""Parts as rows of the checkpoint: their columns, read and written in one place."""

from typing import Any, Final

from migrate.workdir.database import Database
from migrate.workdir.records import Fate, Part
from migrate.workdir.seals import Seal

_OF_EVENTS: Final = ("path", "input", "day", "events", "bytes", "first", "last", "leads")
PARTS: Final = """
    SELECT path, input, day, events, bytes, first, last, leads, size, sums, anew, increment, fate, round FROM parts
"""
"""The columns of a part, as `part_of` takes them, then its round."""


def part_of(*row: Any) -> Part:  # noqa: ANN401 - as SQLite gives it
    """Return the part of a row of `PARTS`, which ends before its round."""
    *of_events, size, sums, anew, increment, fate = row
    return Part(
        **dict(zip(_OF_EVENTS, of_events, strict=True)),
        seal=Seal(size, sums),
        anew=anew,
        increment=increment,
        fate=Fate(fate),
    )


def add_part(db: Database, part: Part, number: int | None = None) -> None:
    """Add a part, of a round of this number if it has one, within a transaction."""
    of_events = (getattr(part, name) for name in _OF_EVENTS)
    row = (*of_events, part.anew, part.increment, part.seal.size, part.seal.sums, number, part.fate, 0)
    db.execute(
        "INSERT INTO parts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*row, part.names)
    )
