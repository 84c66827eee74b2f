"""Events in timestamp order → which of them are there a second time, as they were or in another version."""

from collections.abc import Sequence
from hashlib import blake2b
from itertools import groupby
from typing import Final

import polars as pl
import pyarrow as pa

from migrate import numbering

_MAX_TIES: Final = 4_000_000
"""Keys remembered of one timestamp; where more events share it, PostHog collapses the duplicates among the rest."""
_KEY: Final = ("uuid", "event", "distinct_id")
_OF_ROW: Final = ("uuid", "event")
"""What the versions of an event have in common that were planned at several times: whose it is may be known better."""
_ODD: Final = 0x9E3779B97F4A7C15


def is_first(
    frame: pl.DataFrame, ties: "Ties", *, ranks: Sequence[int] = (), times: Sequence[int] = ()
) -> pl.Series | None:
    """Return which events are no duplicates, as booleans a row; None where none is one.

    `ties` knows the frames before: events of one timestamp may be cut apart between two. Of events with the same key
    the first in time is no duplicate. Where they may be versions of each other `ranks` says of each part (`order`)
    where it stands, all of one input alike, and it is the first one of the first rank. `times` says of each part at
    which time it was planned, as a number, where there are several: an event may be of another person then, and its
    `versions` are duplicates, too.
    """
    # Hashing one column tells nearly always that there is nothing to find, at a quarter of the price of all three.
    first = None
    if times:
        planned = pl.Series("planned", times, pl.Int64)
        frame = frame.with_columns(planned.gather(frame["order"]))
    if frame["uuid"].n_unique() < frame.height:
        first = _first_ranks(frame, ranks) if ranks else _first_in_time(frame)
        if times and (other := versions(frame, first)) is not None:
            first &= ~other
    again = ties.again(frame[["timestamp", *_KEY, *(["planned"] if times else [])]])
    if again is not None and again.any():
        first = ~again if first is None else first & ~again
    return first


def _first_in_time(frame: pl.DataFrame) -> pl.Series:
    """Return which events are the first of their key."""
    return frame.select(pl.struct(_KEY).is_first_distinct()).to_series()


def _first_ranks(frame: pl.DataFrame, ranks: Sequence[int]) -> pl.Series:
    """Return which events are, of those of their key, the first one of the first rank, or of its first input."""
    rank = pl.Series("rank", ranks, pl.Int64).gather(frame["order"])
    is_shared = pl.col("row") >= numbering.GATHERED
    place = pl.when(is_shared).then(pl.col("row") // numbering.INPUT).otherwise(0)
    first = pl.col("index").sort_by("rank", place, maintain_order=True).first().over(_KEY)
    return frame.with_columns(rank).with_row_index("index").select(pl.col("index") == first).to_series()


def versions(frame: pl.DataFrame, first: pl.Series) -> pl.Series | None:
    """Return which events are versions of others that were `planned` at another time; None where none is one.

    They have the same uuid and name, and another person. What is planned at one time are several events, and so are
    they where more are there than those whose versions they could be: what is there as it was has no other version.
    """
    known = frame.filter(first)["uuid"]
    if known.n_unique() == known.len():
        return None
    asked = frame.filter(pl.col("uuid").is_in(known.filter(known.is_duplicated()).unique().implode()))
    rows = asked.group_by(*_KEY, "planned").agg(pl.col("order").min())
    several = (pl.col("planned").n_unique() > 1) & (pl.col("distinct_id").n_unique() > 1)
    rows = rows.filter(several.over(_OF_ROW)).sort(*_OF_ROW, "order", "planned", "distinct_id")
    found = [
        (*of_row, owner)
        for of_row, group in groupby(rows.iter_rows(), key=lambda row: row[: len(_OF_ROW)])
        for owner in _other([row[len(_OF_ROW) :] for row in group])
    ]
    if not found:
        return None
    other = pl.DataFrame(found, schema=dict.fromkeys(_KEY, pl.String), orient="row")
    marked = frame.select_seq(*_KEY).join(
        other.with_columns(pl.lit(True).alias("is_other")), on=_KEY, how="left", maintain_order="left"
    )
    return marked["is_other"].fill_null(False)


def _other(rows: list[tuple[str, int, int]]) -> set[str]:
    """Return whose events are versions of others, of those of one uuid and name: (distinct_id, planned, order) each."""
    at: dict[int, set[str]] = {}
    for owner, planned, _ in rows:
        at.setdefault(planned, set()).add(owner)
    kept, other = set[str](), set[str]()
    for there in at.values():
        new = there - kept - other
        gone = len(kept - there) - len(there & other)
        if len(new) <= gone:
            other |= new
        else:
            kept |= new
    return other


class Ties:
    """Knows the events of the last timestamp, by a hash of 128 bits each.

    Where they were `planned` at several times, by one for each time at which they were, too.
    """

    def __init__(self) -> None:
        self._last = pl.DataFrame()
        """The events with the last timestamp of the last frame, not hashed yet."""
        self._known = {name: Hashes() for name in ("event", "row", "planned")}

    def again(self, frame: pl.DataFrame) -> pl.Series | None:
        """Return which of these events were at the end of the frame before; None if that cannot be."""
        times, found = frame["timestamp"], None
        is_going_on = self._last.height > 0 and times[0] == self._last["timestamp"][0]
        if is_going_on:
            for name, hashes in _hashes(self._last).items():
                self._known[name].add(hashes)
            same = int(times.search_sorted(times[0], side="right"))
            found = self._found(frame.head(same)).extend_constant(value=False, n=frame.height - same)
        if not is_going_on or times[-1] != times[0]:
            self._known = {name: Hashes() for name in self._known}
        is_single = frame.height == 1 or times[-2] != times[-1]
        self._last = frame.slice(-1 if is_single else int(times.search_sorted(times[-1], side="left")))
        return found

    def _found(self, frame: pl.DataFrame) -> pl.Series:
        """Return which of these are known, or are versions of what is known and was planned at another time."""
        hashes = _hashes(frame)
        found = self._known["event"].have(hashes["event"])
        if "planned" in hashes:
            other = ~found & self._known["row"].have(hashes["row"])
            if other.any():
                own = hashes["planned"]["first"]  # what is known of this frame itself, too
                is_own = self._known["planned"].have(hashes["planned"]) | own.is_in(
                    own.filter(found).implode()
                )
                found |= other & ~is_own
        return found


class Hashes:
    """Hashes of 128 bits, in the order of their first half, level by level; each at least twice as many as the next."""

    def __init__(self) -> None:
        self.levels: list[pl.DataFrame] = []

    def add(self, hashes: pl.DataFrame) -> None:
        """Take some, up to a bound."""
        if sum(level.height for level in self.levels) >= _MAX_TIES:
            return
        self.levels.append(hashes.sort("first"))
        while len(self.levels) > 1 and self.levels[-2].height < 2 * self.levels[-1].height:
            *self.levels, larger, smaller = self.levels
            self.levels.append(pl.concat([larger, smaller]).sort("first"))

    def have(self, hashes: pl.DataFrame) -> pl.Series:
        """Return which of these are known."""
        found = pl.repeat(False, hashes.height, eager=True)
        for level in self.levels:
            places = level["first"].search_sorted(hashes["first"]).clip(upper_bound=level.height - 1)
            like = level["first"].gather(places) == hashes["first"]
            if like.any():
                found |= like & (level["second"].gather(places) == hashes["second"])
        return found


def _hashes(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return a hash of each event's key, in two halves; with times, of its row, and of both."""
    found = {"event": _hashed(frame)}
    if "planned" in frame.columns:
        # A quarter of the time, and good enough: nothing goes by these alone.
        uuid, event = pl.col("uuid"), pl.col("event")
        halves = {
            name: uuid.hash(seed=n) * pl.lit(_ODD, pl.UInt64) + event.hash(seed=n)
            for n, name in enumerate(("first", "second"), 1)
        }
        row = frame.select_seq(**halves)
        own = frame["planned"].cast(pl.UInt64, wrap_numerical=True) * _ODD
        found |= {"row": row, "planned": row.with_columns(first=row["first"] + own)}
    return found


def _hashed(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a hash of each event's key, in two halves."""
    parts = ["uuid", pl.col("event").str.len_bytes(), "event", "distinct_id"]
    texts = frame.select(pl.concat_str(parts, separator=" ")).to_series()
    hashes = b"".join(blake2b(text.encode(), digest_size=16).digest() for text in texts)
    halves = pl.Series(pa.Array.from_buffers(pa.uint64(), 2 * frame.height, [None, pa.py_buffer(hashes)]))
    return pl.DataFrame({"first": halves.gather_every(2), "second": halves.gather_every(2, 1)})
