"""Events of many days, in any order → runs: files in timestamp order, written as they come and merged in the end."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Final

import polars as pl

from migrate.workdir import ordered
from migrate.workdir.dayfile import Written
from migrate.workdir.records import OfDay

_MOST: Final = 32
"""Runs that are put together to a longer one."""
_FEW_BYTES: Final = 256 << 10
"""So much a day, in the mean, is worth a file of its own, which takes some milliseconds to write and to send."""
_MOST_BYTES: Final = 4 * 2**20
"""No span has more of a day: events of one timestamp are in memory at once while it is parted."""
_PIECE_BYTES: Final = 16 * 2**20
"""Payloads of a span, about, where an input comes to several."""


@dataclass
class Runs:
    """The runs of one input, in a folder that is there."""

    folder: Path
    days: dict[str, OfDay] = field(default_factory=dict)
    """What they have of each day."""
    first: int = 2**63 - 1
    last: int = -(2**63)
    """In microseconds since 1970."""
    names: Counter[str] = field(default_factory=Counter)
    """How many events of each name they have."""
    _levels: list[list[Path]] = field(default_factory=list)
    """Runs, those put together of `_MOST` of them, of as many of these, and so on."""
    _written: int = 0

    @property
    def are_few_a_day(self) -> bool:
        """Whether they have so few events a day that a file for each of the days is not worth it."""
        sizes = [one.bytes for one in self.days.values()]
        return sum(sizes) < _FEW_BYTES * len(sizes) and max(sizes) <= _MOST_BYTES

    def add(self, frame: pl.DataFrame) -> None:
        """Write events in timestamp order."""
        times, sizes = frame["timestamp"].to_physical(), pl.col("payload").str.len_bytes().cast(pl.Int64)
        day = frame["timestamp"].dt.date().dt.to_string("iso").alias("day")
        of_days = frame.group_by(day, maintain_order=True).agg(pl.len(), sizes.sum())
        for name, events, size in of_days.iter_rows():
            known = self.days.get(name, OfDay(0, 0))
            self.days[name] = OfDay(known.events + events, known.bytes + size)
        self.names.update(dict(frame["event"].value_counts().iter_rows()))
        self.first, self.last = min(self.first, times[0]), max(self.last, times[-1])
        self._write(0, [frame])

    def merged(self) -> Iterator[pl.DataFrame]:
        """Yield all events in timestamp order, those of one timestamp as they came."""
        return ordered.merged(self._paths())

    def put(self, new: Callable[[], Path]) -> list[Written]:
        """Write all of them as files of some days each, one after another; `new` is where the next one goes.

        So each can go as soon as its days are parted.
        """
        match self._paths():
            case [one] if sum(of_day.bytes for of_day in self.days.values()) <= _PIECE_BYTES:
                one.replace(path := new())
                self._levels = []
                return [_file(path, self.days, (self.first, self.last))]
            case several:
                return [*self._pieces(several, new)]

    def _pieces(self, files: Sequence[Path], new: Callable[[], Path]) -> Iterator[Written]:
        """Write files of days with about `_PIECE_BYTES` of payloads together."""
        sizes = pl.Series([self.days[day].bytes for day in sorted(self.days)])
        piece = dict(zip(sorted(self.days), (sizes.cum_sum() - 1) // _PIECE_BYTES, strict=True))
        days = [[*some] for _, some in groupby(piece, key=piece.__getitem__)]
        ends = [ordered.micros(some[-1], 1) for some in days]
        for place, some in groupby(_cut(ordered.merged(files), ends), key=itemgetter(0)):
            extents: list[tuple[int, int]] = []
            ordered.write(path := new(), _noting((frame for _, frame in some), extents))
            its = {day: self.days[day] for day in days[place]}
            yield _file(path, its, (extents[0][0], extents[-1][1]))

    def remove(self) -> None:
        """Remove the files."""
        _remove(self._paths())
        self._levels = []

    def _paths(self) -> list[Path]:
        """Return the files, in the order in which their events came."""
        return [path for level in reversed(self._levels) for path in level]

    def _write(self, level: int, events: Iterable[pl.DataFrame]) -> None:
        """Write a run; where there are many of its length they are put together."""
        path = self.folder / f"run_{self._written:06d}.parquet"
        self._written += 1
        ordered.write(path, events, most=2)
        if level == len(self._levels):
            self._levels.append([])
        self._levels[level].append(path)
        if len(shorter := self._levels[level]) == _MOST:
            self._write(level + 1, ordered.merged(shorter))
            self._levels[level] = []
            _remove(shorter)


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink()


def _cut(frames: Iterable[pl.DataFrame], ends: Sequence[int]) -> Iterator[tuple[int, pl.DataFrame]]:
    """Yield events, cut at the `ends`, each with the place of its end."""
    for frame in frames:
        start = 0
        for place, stop in enumerate(
            frame["timestamp"].to_physical().search_sorted(pl.Series(ends), side="left")
        ):
            if stop > start:
                yield place, frame.slice(start, stop - start)
                start = stop


def _noting(frames: Iterable[pl.DataFrame], extents: list[tuple[int, int]]) -> Iterator[pl.DataFrame]:
    """Yield events, and note the first and the last timestamp of each frame."""
    for frame in frames:
        times = frame["timestamp"].to_physical()
        extents.append((times[0], times[-1]))
        yield frame


def _file(path: Path, days: Mapping[str, OfDay], ends: tuple[int, int]) -> Written:
    events, size = (sum(of_days) for of_days in zip(*days.values(), strict=True))
    return Written(str(path), events, size, *ends, days=days)
