"""Planned events by UTC day and event name: counted as they are written, kept beside each part and cleaned day."""

import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from heapq import merge
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Final

import msgspec

from migrate.workdir import dayfile
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.database import Database

UNKNOWN: Final = ""
"""The name of events that have one which nobody knows any more: no event is called so.

Their file is harmed, or an earlier version of ours has cleaned it away and kept no names.
"""
_SMALL: Final = 256
"""Bytes from which on it pays to deflate them."""
_OPEN: Final = b"{"
_DECODER: Final = msgspec.json.Decoder(dict[str, int])


def packed(names: Mapping[str, int]) -> bytes:
    """Return how many events of each name there are, as it is kept: JSON, deflated where it is long."""
    text = msgspec.json.encode(dict(sorted(names.items())))
    return text if len(text) < _SMALL else zlib.compress(text, 1)


def unpacked(kept: bytes) -> dict[str, int]:
    """Return what `packed` made."""
    return _DECODER.decode(kept if kept.startswith(_OPEN) else zlib.decompress(kept))


def events(checkpoint: Checkpoint) -> Iterator[tuple[str, Mapping[str, int]]]:
    """Yield each UTC day, oldest first, with how many events of each name are planned for it, in order of the names.

    Their sums are those of `Checkpoint.by_day`. Where no names are kept the part's own file is read.
    """
    parts = checkpoint.query("SELECT day, events, names, path FROM parts ORDER BY day")
    cleaned = checkpoint.query("SELECT day, events, names, '' FROM cleaned ORDER BY day")
    day_of = itemgetter(0)
    for day, rows in groupby(merge(parts, cleaned, key=day_of), key=day_of):
        total = Counter[str]()
        for _, count, kept, path in rows:
            total.update(_names(checkpoint.workdir, path, count, kept))
        if total:
            yield day, dict(sorted(total.items()))


def with_cleaned(db: Database, workdir: Path, path: str) -> bytes:
    """Return the names of a part that is about to go, with those of what is gone of its day."""
    day, count, kept = db.execute("SELECT day, events, names FROM parts WHERE path = ?", (path,)).fetchone()
    total = Counter(_names(workdir, path, count, kept))
    before = db.execute("SELECT events, names FROM cleaned WHERE day = ?", (day,)).fetchone()
    if before is not None:
        total.update(_names(workdir, "", *before))
    return packed(total)


def _names(workdir: Path, path: str, events: int, kept: bytes | None) -> Mapping[str, int]:
    """Return the names of so many events: as they are kept, else as the file has them; the rest is `UNKNOWN`."""
    found = Counter[str]()
    if kept is not None:
        found.update(unpacked(kept))
    elif path:
        found = dayfile.names(workdir / path)
    return found + Counter({UNKNOWN: events - found.total()})
