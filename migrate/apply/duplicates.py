"""Events in timestamp order → which of them are there a second time."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

import polars as pl
import pyarrow as pa

_MAX_TIES: Final = 4_000_000
"""Keys remembered of one timestamp; where more events share it, PostHog collapses the duplicates among the rest."""


def is_first(
    frame: pl.DataFrame, key: Sequence[str], ties: "Ties", *, has_versions: bool
) -> pl.Series | None:
    """Return which events are no duplicates, as booleans a row; None where none is one.

    `ties` knows the frames before: events of one timestamp may be cut apart between two. Of events with the same key
    the first in time is no duplicate; where they may be versions of each other (`has_versions`) it is the first one
    of the first part.
    """
    # Hashing one column tells nearly always that there is nothing to find, at a quarter of the price of all three.
    first = None
    if frame["uuid"].n_unique() < frame.height:
        first = _first_parts(frame, key) if has_versions else _first_in_time(frame, key)
    again = ties.again(frame[["timestamp", *key]])
    if again is not None and again.any():
        first = ~again if first is None else first & ~again
    return first


def _first_in_time(frame: pl.DataFrame, key: Sequence[str]) -> pl.Series:
    """Return which events are the first of their key."""
    return frame.select(pl.struct(key).is_first_distinct()).to_series()


def _first_parts(frame: pl.DataFrame, key: Sequence[str]) -> pl.Series:
    """Return which events are, of those of their key, the first one of the first part."""
    first = pl.col("index").sort_by("order", maintain_order=True).first().over(key)
    return frame.with_row_index("index").select(pl.col("index") == first).to_series()


class Ties:
    """Knows the events of the last timestamp, by a hash of 128 bits each."""

    def __init__(self) -> None:
        self._last = pl.DataFrame()
        """The events with the last timestamp of the last frame, not hashed yet."""
        self._levels: list[pl.DataFrame] = []
        """Hashes in the order of their first half; each at least twice as many as the next."""

    def again(self, frame: pl.DataFrame) -> pl.Series | None:
        """Return which of these events were at the end of the frame before; None if that cannot be."""
        times, found = frame["timestamp"], None
        is_going_on = self._last.height > 0 and times[0] == self._last["timestamp"][0]
        if is_going_on:
            self._remember()
            same = int(times.search_sorted(times[0], side="right"))
            found = self._known(_hashes(frame.head(same))).extend_constant(value=False, n=frame.height - same)
        if not is_going_on or times[-1] != times[0]:
            self._levels = []
        is_single = frame.height == 1 or times[-2] != times[-1]
        self._last = frame.slice(-1 if is_single else int(times.search_sorted(times[-1], side="left")))
        return found

    def _known(self, hashes: pl.DataFrame) -> pl.Series:
        """Return which of these are known."""
        found = pl.repeat(False, hashes.height, eager=True)
        for level in self._levels:
            places = level["first"].search_sorted(hashes["first"]).clip(upper_bound=level.height - 1)
            like = level["first"].gather(places) == hashes["first"]
            if like.any():
                found |= like & (level["second"].gather(places) == hashes["second"])
        return found

    def _remember(self) -> None:
        """Hash the events of the last frame."""
        if sum(level.height for level in self._levels) >= _MAX_TIES:
            return
        self._levels.append(_hashes(self._last).sort("first"))
        while len(self._levels) > 1 and self._levels[-2].height < 2 * self._levels[-1].height:
            *self._levels, larger, smaller = self._levels
            self._levels.append(pl.concat([larger, smaller]).sort("first"))


def _hashes(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a hash of each event's key, in two halves."""
    owner = [name for name in ("distinct_id",) if name in frame.columns]
    parts = ["uuid", pl.col("event").str.len_bytes(), "event", *owner]
    texts = frame.select(pl.concat_str(parts, separator=" ")).to_series()
    hashes = b"".join(blake2b(text.encode(), digest_size=16).digest() for text in texts)
    halves = pl.Series(pa.Array.from_buffers(pa.uint64(), 2 * frame.height, [None, pa.py_buffer(hashes)]))
    return pl.DataFrame({"first": halves.gather_every(2), "second": halves.gather_every(2, 1)})
