"""Spans: files of events of many days, noted until they are parted into one file a day (`parting`)."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import msgspec

from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.database import Database, fact
from migrate.workdir.ordered import micros
from migrate.workdir.records import BEFORE, OfDay, Span, names_before
from migrate.workdir.seals import Seal

FOLDER: Final = "spans"
_DAYS: Final = msgspec.json.Decoder(dict[str, OfDay])


class Noted(NamedTuple):
    """A span as it is noted."""

    span: Span
    anew: bool
    """Whether its source was planned before, to events that may be sent."""
    increment: int
    done: str
    """The last day of which its events are in day files; empty where there is none."""
    was: int
    """In whose parts its events were before it was planned anew; 0 where they were in none."""
    home: int | None
    """In whose parts those are that are parted; None where none is."""

    @property
    def is_parted(self) -> bool:
        """Whether all its events are in day files: its file may be gone."""
        return self.done > "" and self.span.last < micros(self.done, 1)


def note(db: Database, found: Iterable[Span]) -> None:
    """Note spans of an input that is planned, within the transaction that notes it."""
    increment = int(fact(db, "increment", "1"))
    for one in found:
        sql = "SELECT name FROM inputs WHERE lead = ?"
        names = [name for (name,) in db.execute(sql, (one.input,)).fetchall()]
        was = next((home for name in names if (home := _was(db, name))), 0)
        of_events = (json.dumps(one.days), one.first, one.last, one.seal.size, one.seal.sums)
        new = (one.path, one.input, was > 0, increment, was, *of_events)
        db.execute("INSERT INTO spans VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '')", new)


def _was(db: Database, name: str) -> int:
    """Return in whose parts the events of a source were that is planned anew; 0 where nothing of them is left.

    So it is where its spans are lost: it is put together with others as if it were planned for the first time.
    """
    sql = """
        SELECT home, EXISTS (SELECT 1 FROM parts WHERE input = home) OR EXISTS (SELECT 1 FROM spans WHERE input = lead)
        FROM inputs WHERE name BETWEEN ? AND ? AND home IS NOT NULL ORDER BY id DESC
    """
    rows = db.execute(sql, names_before(name)).fetchall()
    return rows[0][0] if any(has_events for _, has_events in rows) else 0


def noted(checkpoint: Checkpoint) -> Iterator[Noted]:
    """Yield the spans that are to be parted, in the order of their inputs; of those that are, until all others are."""
    sql = """
        SELECT path, input, days, first, last, size, sums, anew, increment, done, was,
            CASE WHEN done > '' THEN (SELECT home FROM inputs WHERE id = input) END
        FROM spans ORDER BY input, path
    """
    for row in checkpoint.query(sql):
        yield _noted(*row)


def _noted(path: str, lead: int, days: str, *row: Any) -> Noted:  # noqa: ANN401 - as SQLite gives it
    first, last, size, sums, anew, *others = row
    return Noted(Span(path, lead, _DAYS.decode(days), first, last, Seal(size, sums)), bool(anew), *others)


def drop(checkpoint: Checkpoint, names: Iterable[str]) -> None:
    """Forget the spans of inputs that are about to be planned anew, with all that were planned with them."""
    given = set(names)
    leads = dict[int, set[str]]()
    for name, lead in checkpoint.leads().items():
        leads.setdefault(lead, set()).add(name.partition(BEFORE)[0])
    with checkpoint.change() as db:
        gone = [(lead,) for lead, its in leads.items() if its <= given]
        db.executemany("DELETE FROM spans WHERE input = ?", gone)


def paths(checkpoint: Checkpoint) -> set[str]:
    """Return the paths of the spans that are noted."""
    return {path for (path,) in checkpoint.query("SELECT path FROM spans")}


def largest(checkpoint: Checkpoint) -> int:
    """Return the bytes of the largest span of each input together."""
    sql = "SELECT coalesce(sum(size), 0) FROM (SELECT max(size) AS size FROM spans GROUP BY input)"
    (size,) = checkpoint.query(sql).fetchone()
    return int(size)


def tidy(checkpoint: Checkpoint) -> None:
    """Remove spans that were never noted, and those that are parted; copies of those that lie in a storage, too."""
    known = set[str]() if checkpoint.depot.is_far else paths(checkpoint)
    for path in (checkpoint.workdir / FOLDER).glob("*"):
        if f"{FOLDER}/{path.name}" not in known:
            path.unlink()
    if parted := [one.span.path for one in noted(checkpoint) if one.is_parted]:
        checkpoint.depot.remove(parted)
