"""Finished events → Parquet files, one folder per UTC day."""

import os
from collections import Counter, OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from migrate.ahead import in_parallel
from migrate.throwaway import STAGING
from migrate.workdir import dayfile, daynames, spans
from migrate.workdir.dayfile import DayFile, Written
from migrate.workdir.depot import DAYS, Depot
from migrate.workdir.disk import AT_ONCE, sync
from migrate.workdir.records import Part, Span
from migrate.workdir.runs import Runs
from migrate.workdir.seals import Seal

_SPAN: Final = "span"
_OPEN_DAYS: Final = 32
"""Days written at once; more would need more file handles than a process has."""
_FLUSH_BYTES: Final = 8 * 2**20
_SEVERAL: Final = 32
"""Events a day from which on the names of each day are counted by themselves: below, that takes longer than all."""


@dataclass
class DayWriter:
    """Writes one input's events aside; moves them into their day folders when all of them are written.

    Memory is about `_FLUSH_BYTES` of payloads, and one frame. Where the events held belong to more days than can be
    written at once they go into runs first, files in timestamp order, which are merged in the end: into files of days,
    or, if it `gathers` and they are few a day, into spans, to be parted with those of other inputs (`parting`).
    """

    workdir: Path
    input: int
    leads: bool = False
    """Whether its events go before all others of their days."""
    mark: str = ""
    """In which folder of its own it writes aside, where another writer of the same input may be at it."""
    slice: int | None = None
    """Which one it writes of several slices of the input, see `join`."""
    depot: Depot | None = None
    """Where the files come to lie; None is the workdir."""
    gathers: bool = False
    """Whether few events of many days become a span."""
    spans: list[Span] = field(default_factory=list)
    """The spans it came to, when it is finished."""
    _held: list[pl.DataFrame] = field(default_factory=list)
    _held_bytes: int = 0
    _open: OrderedDict[str, DayFile] = field(default_factory=OrderedDict)
    _closed: list[tuple[str, Written]] = field(default_factory=list)
    _runs: Runs | None = None
    _spanned: Counter[str] = field(default_factory=Counter)
    """How many events of each name spans have."""
    _files: int = 0
    _seals: dict[str, Seal] | None = None
    _joined: list["DayWriter"] = field(default_factory=list)

    @property
    def aside(self) -> Path:
        """Where the files are until the input is planned whole."""
        part = "" if self.slice is None else f"-{self.slice:04d}"
        return self.workdir / STAGING / self.mark / f"{self.input:08d}{part}"

    def write(self, frame: pl.DataFrame) -> None:
        """Take finished events: the columns of `SCHEMA`, in any order of time."""
        self._held.append(frame)
        self._held_bytes += int(frame["payload"].str.len_bytes().sum())
        if self._held_bytes >= _FLUSH_BYTES:
            self._flush()

    def files(self) -> dict[str, list[Path]]:
        """Close what is open; return the files of each day."""
        self._close_all()
        if runs := self._runs:
            self._runs = None
            self._put_together(runs)
        found: dict[str, list[Path]] = {}
        for day, written in self._closed:
            if day != _SPAN:
                found.setdefault(day, []).append(Path(written.path))
        return found

    def names(self) -> Counter[str]:
        """Close what is open; return how many events there are of each name."""
        self.files()
        return sum((written.names for _, written in self._closed), self._spanned)

    def seal(self) -> None:
        """Close the files, seal them and make them durable, far from here or where they are; any thread may do so."""
        self.files()
        seals = in_parallel(self._sealed, [Path(written.path) for _, written in self._closed], AT_ONCE)
        self._seals = {written.path: seal for (_, written), seal in zip(self._closed, seals, strict=True)}
        self._depot.keep({self._name(day, written): Path(written.path) for day, written in self._closed})

    def _sealed(self, path: Path) -> Seal:
        """Return a file's seal, and make it durable where it comes to lie here."""
        seal = Seal.of(path)
        if not self._depot.is_far:
            sync(path)
        return seal

    def finish(self) -> list[Part]:
        """Move the files to their final names, durably; return what they are."""
        if self._seals is None:
            self.seal()
        found = [(self._name(day, written), day, written) for day, written in self._closed]
        self._depot.place({name: Path(written.path) for name, _, written in found})
        self.spans = [self._span(name, written) for name, day, written in found if day == _SPAN]
        return [self._part(name, day, written) for name, day, written in found if day != _SPAN]

    def join(self, other: "DayWriter") -> None:
        """Take over the files of another slice of the input, sealed as these are."""
        self._closed += other._closed  # noqa: SLF001 - of the same class
        self._seals = (self._seals or {}) | (other._seals or {})  # noqa: SLF001
        self._joined.append(other)

    def stored(self) -> int:
        """Return how many bytes are written aside by now."""
        try:
            return sum(entry.stat().st_size for entry in os.scandir(self.aside))
        except FileNotFoundError:
            return 0  # nothing yet, or what was counted has just been put together

    def discard(self) -> None:
        """Remove what was written aside."""
        for written in self._open.values():
            with suppress(OSError):  # the disk may be full, which is why
                written.close()
        self._open.clear()
        if self.aside.exists():
            for path in self.aside.iterdir():
                path.unlink()
            self.aside.rmdir()
        for other in self._joined:
            other.discard()

    def _flush(self) -> None:
        """Write the events held, each day's in timestamp order, as row groups of its file."""
        if not self._held:
            return
        held = pl.concat(self._held).sort("timestamp", maintain_order=True)
        self._held, self._held_bytes = [], 0
        day = held["timestamp"].dt.date()
        days = day.rle().struct.unnest()
        if days.height > _OPEN_DAYS or self._runs:
            self.aside.mkdir(parents=True, exist_ok=True)
            self._runs = self._runs or Runs(self.aside)
            self._runs.add(held)
            return
        names = days["value"].dt.to_string("iso")
        self._append(held, days["len"], names)
        self._count(held, days["len"], names)

    def write_in_order(self, frame: pl.DataFrame) -> None:
        """Take finished events that are in timestamp order, as all that come later are; nothing of them is held."""
        days = frame["timestamp"].dt.date().rle().struct.unnest()
        start = 0
        for some in days.iter_slices(_OPEN_DAYS):
            length, names = int(some["len"].sum()), some["value"].dt.to_string("iso")
            piece = frame.slice(start, length)
            self._append(piece, some["len"], names)
            self._count(piece, some["len"], names)
            start += length

    def _put_together(self, runs: Runs) -> None:
        """Make spans of the runs, or files of days."""
        if self.gathers and runs.are_few_a_day and not self._closed:
            self._closed += [(_SPAN, written) for written in runs.put(lambda: self._new(_SPAN))]
            self._spanned = runs.names
        else:
            for frame in runs.merged():
                self.write_in_order(frame)
            self._close_all()
        runs.remove()

    def _count(self, frame: pl.DataFrame, lengths: pl.Series, days: pl.Series) -> None:
        """Count the events of each name: the first `lengths` of the first of these days, whose files are open."""
        if frame.height < _SEVERAL * days.len():
            day = pl.col("timestamp").dt.date().dt.to_string("iso")
            for name, event, count in frame.group_by(day, "event").len().iter_rows():
                self._open[name].names[event] += count
            return
        start = 0
        for length, day in zip(lengths, days, strict=True):
            found = frame["event"].slice(start, length).value_counts()
            self._open[day].names.update(dict(found.iter_rows()))
            start += length

    def _append(self, frame: pl.DataFrame, lengths: pl.Series, names: pl.Series) -> None:
        """Add events in timestamp order to files: the first `lengths` to the first of `names`, and so on.

        Those of several small files are turned into Arrow's columns at once, as that takes longer than it takes to
        write them; those of a large one row group by row group, so that there is never more than one of them twice.
        """
        sizes = frame["payload"].str.len_bytes().cast(pl.Int64)
        start, begun, held = 0, 0, 0
        small: list[tuple[str, int, int]] = []
        for length, name in zip(lengths, names, strict=True):
            size = int(sizes.slice(start, length).sum())
            if held + size > dayfile.GROUP_BYTES:
                self._add(frame.slice(begun, start - begun), small)
                small, begun, held = [], start, 0
            if size > dayfile.GROUP_BYTES:
                self._add_large(frame.slice(start, length), sizes.slice(start, length), name)
                begun = start + length
            else:
                small.append((name, length, size))
                held += size
            start += length
        self._add(frame.slice(begun), small)

    def _add(self, frame: pl.DataFrame, files: list[tuple[str, int, int]]) -> None:
        """Add events to some files, each given as its name, how many events it gets, and their bytes."""
        if not files:
            return
        table, start = dayfile.arrow(frame), 0
        for name, length, size in files:
            self._file(name).add(table.slice(start, length), size)
            start += length

    def _add_large(self, frame: pl.DataFrame, sizes: pl.Series, name: str) -> None:
        """Add events to a file in row groups of about `GROUP_BYTES` of payloads."""
        start = 0
        for length in ((sizes.cum_sum() - 1) // dayfile.GROUP_BYTES).rle().struct.field("len"):
            size = int(sizes.slice(start, length).sum())
            self._file(name).add(dayfile.arrow(frame.slice(start, length)), size)
            start += length

    def _file(self, name: str) -> DayFile:
        """Return the open file of this name, closing the one used longest ago when too many are open."""
        if name in self._open:
            self._open.move_to_end(name)
            return self._open[name]
        if len(self._open) >= _OPEN_DAYS:
            self._close(next(iter(self._open)))
        self._open[name] = DayFile(self._new(name))
        return self._open[name]

    def _new(self, name: str) -> Path:
        """Return where the next file is written, a day's or another one."""
        if not self._files:
            self.aside.mkdir(parents=True, exist_ok=True)
        part = "" if self.slice is None else f"{self.slice:04d}-"
        # One who is thought to be gone, and is not, writes no object of the one who took its place.
        own = f"-{self.mark.replace('/', '-')}" if self.mark and self._depot.is_far else ""
        path = self.aside / f"{name}_{part}{self._files:06d}{own}.parquet"
        self._files += 1
        return path

    def _close(self, name: str) -> None:
        """Close one file."""
        self._closed.append((name, self._open.pop(name).close()))

    def _close_all(self) -> None:
        """Write what is held and close what is open."""
        self._flush()
        for name in list(self._open):
            self._close(name)

    @property
    def _depot(self) -> Depot:
        return self.depot or Depot(self.workdir)

    def _name(self, day: str, written: Written) -> str:
        """Return the final name of a file."""
        number = Path(written.path).stem.rpartition("_")[2]
        folder = spans.FOLDER if day == _SPAN else f"{DAYS}/{day}"
        return f"{folder}/{self.input:08d}-{number}.parquet"

    def _part(self, name: str, day: str, written: Written) -> Part:
        """Return what a file is."""
        seal = (self._seals or {})[written.path]
        found = (written.events, written.bytes, written.first, written.last)
        return Part(name, self.input, day, *found, self.leads, seal, names=daynames.packed(written.names))

    def _span(self, name: str, written: Written) -> Span:
        """Return what a span is."""
        seal = (self._seals or {})[written.path]
        return Span(name, self.input, written.days, written.first, written.last, seal)
