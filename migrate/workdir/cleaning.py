"""A workdir that stays small: payloads of what PostHog has acknowledged go, later what tells its events apart, too.

What is planned again within `dedup` days is known by uuid, event, distinct_id and time, and is not sent again. What
comes again later is sent as the same event, and PostHog keeps it once.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

import polars as pl

from migrate.workdir import dayfile, daynames
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.database import Database
from migrate.workdir.depot import Depot
from migrate.workdir.disk import sync
from migrate.workdir.seals import Kept, Seal

_AT_ONCE: Final = 100
_ACKNOWLEDGED: Final = """
    SELECT path, size, sums FROM parts JOIN rounds USING (day, round)
    WHERE done AND date(ended) <= ?1 AND NOT (?2 AND is_stripped) ORDER BY parts.day, path
"""


class Cleaned(NamedTuple):
    """How many files of a plan have lost their payloads, and how many are gone; bytes that are free now."""

    stripped: int
    removed: int
    freed: int
    harmed: int = 0
    """How many files that were to lose them are missing or harmed, and stay as they are."""


def clean(checkpoint: Checkpoint, today: date, *, keep: int, dedup: int) -> Cleaned:
    """Clean what was acknowledged `keep` days ago and longer; of the last `dedup` days events stay known.

    Killed at any moment, nothing is lost that is not to go.
    """
    last, gone = (today - timedelta(days=days) for days in (keep, max(keep, dedup)))
    removed = _paths(checkpoint, gone, is_whole=False)
    freed = sum(
        _remove(checkpoint, removed[start : start + _AT_ONCE]) for start in range(0, len(removed), _AT_ONCE)
    )
    stripped = _paths(checkpoint, last, is_whole=True)
    less = [_strip(checkpoint, path, seal) for path, seal in stripped]
    done = [count for count in less if count is not None]
    return Cleaned(len(done), len(removed), freed + sum(done), len(less) - len(done))


def _paths(checkpoint: Checkpoint, until: date, *, is_whole: bool) -> list[tuple[str, Seal]]:
    """Return the parts that were acknowledged on this day or before, with their seals; `is_whole`: with payloads."""
    rows = checkpoint.query(_ACKNOWLEDGED, (until.isoformat(), is_whole)).fetchall()
    return [(path, Seal(size, sums)) for path, size, sums in rows]


def _remove(checkpoint: Checkpoint, parts: Sequence[tuple[str, Seal]]) -> int:
    """Remove parts, of which the numbers stay; return how many bytes they took."""
    with checkpoint.change() as db:
        let_go(db, checkpoint.depot, [path for path, _ in parts])
    checkpoint.depot.remove([path for path, _ in parts])
    return sum(seal.size for _, seal in parts)


def let_go(db: Database, depot: Depot, paths: Iterable[str]) -> None:
    """Know no more of parts that were sent than their numbers, within a transaction."""
    for path in paths:
        names = daynames.with_cleaned(db, depot, path)
        sql = """
            INSERT INTO cleaned SELECT day, events, bytes, first, last, ? FROM parts WHERE path = ?
            ON CONFLICT DO UPDATE SET events = events + excluded.events, bytes = bytes + excluded.bytes,
                first = min(first, excluded.first), last = max(last, excluded.last), names = excluded.names
        """
        db.execute(sql, (names, path))
        db.execute("DELETE FROM parts WHERE path = ?", (path,))


def _strip(checkpoint: Checkpoint, path: str, seal: Seal) -> int | None:
    """Write a part anew without its payloads; return how many bytes less it takes, None where it is not as written."""
    stem, _, ending = path.rpartition(".")
    name = f"{stem}k.{ending}"
    beside = checkpoint.workdir / name
    with checkpoint.depot.near([path]):
        kept = Kept(checkpoint.workdir / path, seal)
        if not kept.is_sound():
            return None
        writer = dayfile.DayFile(beside)
        for frame in dayfile.frames(kept):
            writer.add(dayfile.arrow(frame.with_columns(pl.lit(dayfile.STRIPPED).alias("payload"))), 0)
        writer.close()
        sync(beside)
        sync(beside.parent)
    new = Seal.of(beside)
    checkpoint.depot.keep({name: beside})
    with checkpoint.change() as db:
        sql = "UPDATE parts SET path = ?, size = ?, sums = ?, is_stripped = 1 WHERE path = ?"
        db.execute(sql, (name, new.size, new.sums, path))
    checkpoint.depot.remove([path])
    return seal.size - new.size
