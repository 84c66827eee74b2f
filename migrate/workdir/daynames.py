"""Planned events by UTC day and event name: counted as they are written, kept beside each part and cleaned day."""

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple

import msgspec
import polars as pl

from migrate.workdir import dayfile, spans
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.database import Database
from migrate.workdir.depot import Depot
from migrate.workdir.seals import Harmed, Kept

UNKNOWN: Final = ""
"""The name of events that have one which nobody knows any more: no event is called so.

Their file is harmed, or an earlier version of ours has cleaned it away and kept no names.
"""
_SMALL: Final = 256
"""Bytes from which on it pays to deflate them."""
_OPEN: Final = b"{"
_PARTS: Final = """
    SELECT parts.day, events, names, path,
        CASE WHEN done THEN 0 WHEN accepted + duplicate + parked > 0 THEN 1 ELSE 2 END
    FROM parts LEFT JOIN rounds USING (day, round) ORDER BY parts.day
"""
_CLEANED: Final = "SELECT day, events, names, '', 0 FROM cleaned ORDER BY day"
"""With each what stage of `Day` its events are in; what is cleaned was settled."""
_WAITS: Final = 2
"""The stage of what is not parted yet."""
_DECODER: Final = msgspec.json.Decoder(dict[str, int])


def packed(names: Mapping[str, int]) -> bytes:
    """Return how many events of each name there are, as it is kept: JSON, deflated where it is long."""
    text = msgspec.json.encode(dict(sorted(names.items())))
    return text if len(text) < _SMALL else zlib.compress(text, 1)


def unpacked(kept: bytes) -> dict[str, int]:
    """Return what `packed` made."""
    return _DECODER.decode(kept if kept.startswith(_OPEN) else zlib.decompress(kept))


class Day(NamedTuple):
    """How many events of each name there are on a UTC day, by how far their rounds have come."""

    day: str
    settled: Mapping[str, int]
    """Of rounds that are done."""
    under_way: Mapping[str, int]
    """Of rounds of which some events are settled, and some are not."""
    waiting: Mapping[str, int]
    """Of which nothing is settled."""

    @property
    def planned(self) -> Mapping[str, int]:
        """All of them."""
        return summed(names for names in (self.settled, self.under_way, self.waiting) if names)


def days(checkpoint: Checkpoint) -> Iterator[Day]:
    """Yield each UTC day that has events, oldest first.

    Sums of what is planned are those of `Checkpoint.by_day`. Where no names are kept the part's own file is read.
    """
    parts, cleaned = checkpoint.query(_PARTS), checkpoint.query(_CLEANED)
    day_of = itemgetter(0)
    for day, rows in groupby(merge(parts, cleaned, _of_spans(checkpoint), key=day_of), key=day_of):
        found: tuple[list[Mapping[str, int]], ...] = ([], [], [])
        for _, count, kept, path, stage in rows:
            found[stage].append(_names(checkpoint.depot, path, count, kept))
        one = Day(day, *map(summed, found))
        if any(one[1:]):
            yield one


def events(checkpoint: Checkpoint) -> Iterator[tuple[str, Mapping[str, int]]]:
    """Yield each UTC day, oldest first, with how many events of each name are planned for it, in order of the names."""
    for one in days(checkpoint):
        yield one.day, dict(sorted(one.planned.items()))


def _of_spans(checkpoint: Checkpoint) -> Iterator[tuple[str, int, bytes, str, int]]:
    """Yield each day of what is not parted yet, with how many events there are, and their names as they are kept.

    Of a span that is harmed names are told as far as it is what was written.
    """
    total, known = Counter[str](), dict[str, Counter[str]]()
    for one in spans.noted(checkpoint):
        if one.is_parted:
            continue
        total.update({day: its.events for day, its in one.span.days.items() if day > one.done})
        kept = Kept(checkpoint.workdir / one.span.path, one.span.seal)
        with suppress(Harmed, *dayfile.UNREADABLE), checkpoint.depot.near([one.span.path]):
            for frame in dayfile.frames(kept, ["timestamp", "event"]):
                day = pl.col("timestamp").dt.date().dt.to_string("iso").alias("day")
                counts = frame.group_by(day, "event").len().filter(pl.col("day") > one.done)
                for of_day, name, count in counts.iter_rows():
                    known.setdefault(of_day, Counter())[name] += count
    for of_day, count in sorted(total.items()):
        yield of_day, count, packed(known.get(of_day, {})), "", _WAITS


def of_part(db: Database, depot: Depot, path: str) -> Mapping[str, int]:
    """Return how many events of each name a part holds."""
    count, kept = db.execute("SELECT events, names FROM parts WHERE path = ?", (path,)).fetchone()
    return _names(depot, path, count, kept)


def with_cleaned(db: Database, depot: Depot, path: str) -> bytes:
    """Return the names of a part that is about to go, with those of what is gone of its day."""
    (day,) = db.execute("SELECT day FROM parts WHERE path = ?", (path,)).fetchone()
    total = Counter(of_part(db, depot, path))
    before = db.execute("SELECT events, names FROM cleaned WHERE day = ?", (day,)).fetchone()
    if before is not None:
        total.update(_names(depot, "", *before))
    return packed(total)


def _names(depot: Depot, path: str, events: int, kept: bytes | None) -> Mapping[str, int]:
    """Return the names of so many events: as they are kept, else as the file has them; the rest is `UNKNOWN`."""
    found: Mapping[str, int] = {}
    if kept is not None:
        found = unpacked(kept)
    elif path:
        with depot.near([path]):
            found = dayfile.names(depot.workdir / path)
    unknown = events - sum(found.values())
    return {**found, UNKNOWN: unknown} if unknown > 0 else found


def summed(some: Iterable[Mapping[str, int]]) -> Mapping[str, int]:
    """Return counts by name, put together; those of one are not copied."""
    first, *others = [*some] or [{}]
    if not others:
        return first
    total = Counter(first)
    for names in others:
        total.update(names)
    return total
