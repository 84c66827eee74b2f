"""Small parts → their events, many at once: opened one by one each takes a millisecond, whatever is in it."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import polars as pl

from migrate.workdir import dayfile
from migrate.workdir.depot import Depot
from migrate.workdir.records import Part
from migrate.workdir.seals import Seal

_LIGHT: Final = 2**20
"""Bytes of payloads up to which a part is read with others."""
_MOST: Final = 32 * 2**20
"""Bytes that are in memory at once, about, as `weight` has them."""
_EVENT: Final = 256
"""Bytes of an event beside its payload, about, with what is made of it."""

_T = TypeVar("_T")


class Lot(NamedTuple):
    """Parts that are read at once."""

    parts: Sequence[Part]
    frame: pl.DataFrame
    """The events of the light ones, in their order, with the place of each one's part, as `part`."""
    others: Sequence[int]
    """The places of those that are not light, or not what was written: each is to be read by itself."""


def weight(part: Part) -> int:
    """Return how much memory the events of a part take, about."""
    return part.bytes + _EVENT * part.events


def batches(weighed: Iterable[tuple[_T, int]]) -> Iterator[list[_T]]:
    """Yield neighbours together, as many as are to be in memory at once; one that is too much is by itself."""
    held: list[_T] = []
    total = 0
    for one, its in weighed:
        if held and total + its > _MOST:
            yield held
            held, total = [], 0
        held.append(one)
        total += its
    if held:
        yield held


def read(workdir: Path, parts: Sequence[Part], columns: Sequence[str]) -> Lot:
    """Return parts with these columns of their events; all of those that are light are in memory."""
    others, light, files = [], list[int](), list[bytes]()
    for place, part in enumerate(parts):
        data = _sound(workdir, part) if part.bytes <= _LIGHT else None
        if data is None:
            others.append(place)
        else:
            light.append(place)
            files.append(data)
    try:
        frame = dayfile.together(files, columns)
    except dayfile.UNREADABLE:
        return read_none(parts, columns)
    places = pl.DataFrame(
        {"part": light, "events": [parts[place].events for place in light]},
        schema={"part": pl.UInt32, "events": pl.UInt32},
    )
    of_events = places.select_seq(pl.col("part").repeat_by("events").explode(empty_as_null=False)).to_series()
    if of_events.len() != frame.height:
        return read_none(parts, columns)
    return Lot(parts, frame.with_columns(of_events), others)


def read_none(parts: Sequence[Part], columns: Sequence[str]) -> Lot:
    """Return parts each of which is to be read by itself."""
    frame = dayfile.together([], columns).with_columns(pl.lit(None, pl.UInt32).alias("part"))
    return Lot(parts, frame, range(len(parts)))


def lots(depot: Depot, parts: Iterable[Part], columns: Sequence[str]) -> Iterator[Lot]:
    """Yield all of these parts, as many at a time as are to be in memory; they are near while each lot is in use."""
    for some in batches((part, weight(part)) for part in parts):
        with depot.near(part.path for part in some):
            yield read(depot.workdir, some, columns)


def frames(depot: Depot, parts: Iterable[Part], columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Yield these columns of all their events, many parts at once where they are light.

    Raises what `UNREADABLE` names where one cannot be read.
    """
    for lot in lots(depot, parts, columns):
        yield lot.frame.drop("part")
        for place in lot.others:
            yield from dayfile.frames(depot.workdir / lot.parts[place].path, columns)


def _sound(workdir: Path, part: Part) -> bytes | None:
    """Return the bytes of a part's file; None where they are not those that were written."""
    try:
        data = (workdir / part.path).read_bytes()
    except OSError:
        return None
    return data if Seal.of_bytes(data) == part.seal else None
