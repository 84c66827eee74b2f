"""Small files of one table → planned together: what a chunk costs by itself is paid once for many of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from typing import Final

import polars as pl

from migrate import numbering
from migrate.ahead import ahead
from migrate.inputs.rejected import Place
from migrate.inputs.source import Source
from migrate.inputs.stored import Stored, warmed
from migrate.inputs.streams import Meter
from migrate.jsontext.parse import Raw
from migrate.kit.declare import FILE, ROW
from migrate.plan.jobs import Job
from migrate.plan.neighbours import marked
from migrate.readers.chunks import computed_chunk
from migrate.readers.files import read_chunks
from migrate.readers.originals import Originals
from migrate.readers.records import Chunk, regrouped

_SMALL: Final = 512 << 10
"""A file of more bytes is planned alone."""
_MOST_BYTES: Final = 4 << 20
_MOST_FILES: Final = 64
_NONE: Final[Mapping[str, int]] = MappingProxyType({})


@dataclass(frozen=True)
class Bundle:
    """Files that are planned at once, whole or not at all; a large one alone."""

    jobs: Sequence[Job]

    @property
    def names(self) -> list[str]:
        """The files' names."""
        return [job.source.name for job in self.jobs]

    @property
    def job(self) -> Job:
        """The first of the files, of whose table all are."""
        return self.jobs[0]

    @property
    def may_share(self) -> bool:
        """Whether events of these files may be in one part with those of others.

        Not where rows are counted by days, or of copies of rejects, whose events are asked for by themselves.
        """
        table = self.job.table
        return not table.ordinals and table.unfold is None and _copy(self.job) is None

    @property
    def is_far(self) -> bool:
        """Whether any of the files lies in a storage, which is waited for."""
        return not all(isinstance(job.source.path, Path) for job in self.jobs)

    @property
    def step(self) -> int:
        """How far the rows of two neighbouring files are apart."""
        return numbering.FILE if self.job.table.unfold is None else numbering.UNFOLDED_FILE

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows of all files, one file after another, numbered through; each row knows its file."""
        for place, job in enumerate(warmed(self.jobs, lambda job: job.source.path)):
            for chunk in job_chunks(job):
                yield self.numbered(place, chunk)

    def numbered(self, place: int, chunk: Chunk) -> Chunk:
        """Return a chunk of the file in this place, numbered as here; each row knows its file."""
        first = place * self.step
        number = (pl.col(ROW) + first).alias(ROW)
        stem = pl.lit(self.jobs[place].source.stem).alias(FILE)
        file = [] if FILE in self.job.table.columns else [stem]  # which has the column of that name then
        rows = chunk.rows.with_columns_seq(number, *file)
        rejects = [one._replace(row=first + (one.row or 0)) for one in chunk.rejects]
        return replace(chunk, rows=rows, rejects=rejects)

    def metered(self) -> "Bundle":
        """Return the same, each file with what notes how far it is read."""
        return Bundle([replace(job, source=replace(job.source, meter=Meter())) for job in self.jobs])

    def tallied(self) -> "Bundle":
        """Return the same, each file with what notes which bytes of it are read, where it is an object."""
        return Bundle([replace(job, source=job.source.tallied()) for job in self.jobs])

    def read(self) -> int:
        """Return how many bytes are read of files that are metered, as they lie on the disk."""
        return sum(int(one.source.size * one.source.meter.share) for one in self.jobs if one.source.meter)

    def regrouped(self, *, reads_ahead: bool = True) -> Iterator[Chunk]:
        """Yield the same in fewer, larger chunks, the next one read while one is in use if it `reads_ahead`."""
        chunks = regrouped(self.chunks())
        return ahead(chunks) if reads_ahead else chunks

    def whence(self, number: int) -> tuple[str, int | None]:
        """Return a row's file and its number there; None for the file as a whole."""
        place, row = divmod(number, self.step)
        return self.names[place], row or None

    def place(self, number: int) -> tuple[Job, int]:
        """Return the file of a row, and how far its rows are from their numbers there."""
        place = number // self.step
        return self.jobs[place], place * self.step

    def of_file(self, chunk: Chunk, first: int, count: int) -> Chunk:
        """Return so many rows of the file whose rows begin behind `first`, numbered as there, and all its rejects."""
        before = int((chunk.rows[ROW] < first).sum())
        rows = chunk.rows.slice(before, count).filter(pl.col(ROW) < first + self.step)
        rejects = [
            one._replace(row=(one.row or 0) - first or None)
            for one in chunk.rejects
            if first <= (one.row or 0) < first + self.step
        ]
        return Chunk(rows.with_columns(pl.col(ROW) - first), rejects, {})

    def originals(self) -> Callable[[Sequence[int]], dict[int, dict[str, Raw]]]:
        """Return what gives rows as their files have them, see `readers.originals`."""
        opened: dict[int, Originals] = {}

        def of(numbers: Sequence[int]) -> dict[int, dict[str, Raw]]:
            found: dict[int, dict[str, Raw]] = {}
            for place, some in groupby(sorted(numbers), lambda number: number // self.step):
                job = self.jobs[place]
                if place not in opened:
                    opened[place] = Originals(job.source, job.table, job.header)
                first = place * self.step
                rows = opened[place].of([number - first for number in some])
                found |= {first + row: columns for row, columns in rows.items()}
            return found

        return of

    def places(self) -> Callable[[Sequence[int]], dict[int, Place]]:
        """Return what tells where rows of a rejects.jsonl of ours were first; they are asked for chunk by chunk."""
        opened: dict[int, _Places] = {}

        def of(numbers: Sequence[int]) -> dict[int, Place]:
            found: dict[int, Place] = {}
            for number in sorted(numbers):
                place, row = divmod(number, self.step)
                if place not in opened:
                    opened[place] = _Places(self.jobs[place].source)
                if (first := opened[place].of(row)) is not None:
                    found[number] = first
            return found

        return of

    def files(self, numbers: pl.Series) -> pl.Series:
        """Return the file's name for each of these rows."""
        names = pl.Series(self.names, dtype=pl.String)
        return (
            names.gather(numbers // self.step)
            if len(self.jobs) > 1
            else names.new_from_index(0, numbers.len())
        )


class _Places:
    """Where the rows of a copy of rejects were first; asked for in order."""

    def __init__(self, source: Source) -> None:
        self._coming = source.places()
        self._line, self._first = 0, Place("", None)

    def of(self, row: int) -> Place | None:
        """Return where a row was first; of an element, whatever its line was rejected as, where the element was."""
        line = numbering.record_of(row)
        while self._line < line and (found := next(self._coming, None)) is not None:
            self._line, self._first = found
        first = self._first
        if self._line != line or not line:
            return None
        return first if first.row is None else first._replace(row=numbering.within(first.row, row))


def job_chunks(job: Job, chunks: Iterator[Chunk] | None = None) -> Iterator[Chunk]:
    """Yield the rows of a file with what is joined to them, what is computed of that, and which come again.

    `chunks` are its rows, where they are read already.
    """
    chunks = read_chunks(job.source, job.table, job.header) if chunks is None else chunks
    if job.table.joins:
        joined = chunks if job.joined is None else map(job.joined.add, chunks)
        chunks = (computed_chunk(chunk, job.table) for chunk in joined)
    return chunks if job.table.neighbours is None else marked(chunks, job.table.neighbours)


def bundles(jobs: Sequence[Job], anew: Mapping[str, int] = _NONE) -> Iterator[Bundle]:
    """Yield the files in bundles, in order: small ones that are neighbours, of one table and not told apart by rows.

    Where identical rows of one file are events of their own, they are counted file by file. Files that are planned
    `anew` come last, those of each home among themselves: so they come to the files that they came to before, and whose
    rows are read again is counted by bundles.
    """

    def home(job: Job) -> int:
        return anew.get(job.source.name, -1)

    for _, its in groupby(sorted(jobs, key=home), home):
        held: list[Job] = []
        for job in its:
            if held and not _fits(held, job):
                yield Bundle(held)
                held = []
            held.append(job)
        yield Bundle(held)


def _copy(job: Job) -> Stored | None:
    """Return the rejects file a job's rows are taken from: one that a person makes, and may remove, by itself."""
    return None if job.source.lines is None else job.source.path


def _fits(held: Sequence[Job], job: Job) -> bool:
    """Return whether a file may be planned with those before it."""
    if job.table is not held[0].table or job.table.ordinals or len(held) >= _MOST_FILES:
        return False
    if _copy(job) != _copy(held[0]) or job.window != held[0].window:
        return False
    sizes = [one.source.size for one in (*held, job)]
    return max(sizes) <= _SMALL and sum(sizes) <= _MOST_BYTES
