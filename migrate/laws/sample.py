"""A mapping with its sample: the files, and of each table some rows as their files have them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

import msgspec
import polars as pl

from migrate.jsontext.parse import encoded
from migrate.kit.declare import ROW, Table
from migrate.plan.jobs import Job
from migrate.plan.lines import as_read, python_rows
from migrate.readers.files import read_chunks
from migrate.readers.originals import Originals
from migrate.settings import Settings, Work

_ROWS: Final = 8
"""Rows of a table that laws are tried on: of each kind of event one, then the first ones."""

Row = Mapping[str, Any]
"""A row as its file has it, as Python has JSON."""


class Broken(NamedTuple):
    """What breaks a law: a table, or a row of a file; the column, where it is of one; and what is wrong."""

    place: str
    what: str
    column: str | None = None


@dataclass(frozen=True)
class Rows:
    """Some rows of a table, of one file of the sample."""

    table: Table
    stem: str
    name: str
    """The file's."""
    numbers: Sequence[int]
    rows: Sequence[Row]

    def place(self, index: int) -> str:
        """Return where the row stands that is the n-th of these."""
        return f"{self.name}:{self.numbers[index]}"


@dataclass(frozen=True)
class Sample:
    """The sample of a platform, found and recognised as it is when it is planned."""

    settings: Settings
    work: Work

    @classmethod
    def of(cls, settings: Settings, inputs: Sequence[str]) -> "Sample":
        """Return the sample in these files; raises UsageError as planning it does."""
        work = settings.work(inputs)
        return cls(work.settings, work)

    @property
    def tables(self) -> list[Table]:
        """The platform's tables that can be migrated."""
        names = [job.source.name for job in self.work.jobs]
        mapping = self.settings.mapping().under(self.settings.options, names)
        return [table for table in mapping.tables if not table.refusal]

    @cached_property
    def rows(self) -> list[Rows]:
        """Some rows of each table that the sample has any of."""
        return [*self._rows()]

    def _rows(self) -> Iterator[Rows]:
        seen: set[str] = set()
        for job in self.work.jobs:
            if job.table.name in seen:
                continue
            found = _some(job)
            if found.rows:
                seen.add(job.table.name)
                yield found


def _some(job: Job) -> Rows:
    """Return the first rows of a file, of those that differ in most columns the first of each kind."""
    chunk = next(iter(read_chunks(job.source, job.table, job.header)), None)
    if chunk is None or not chunk.rows.height:
        return Rows(job.table, job.source.stem, job.source.name, (), ())
    shape = pl.concat_str(
        [pl.col(name).is_not_null().cast(pl.Int8) for name in job.table.columns] or [pl.lit("")]
    )
    kinds = chunk.rows.group_by(shape, maintain_order=True).head(1)[ROW].to_list()[: _ROWS // 2]
    numbers = sorted([*kinds, *(number for number in chunk.rows[ROW] if number not in kinds)][:_ROWS])
    originals = Originals(job.source, job.table, job.header).of(numbers)
    rows = [
        msgspec.json.decode(encoded(originals.get(row[ROW]) or as_read(row, job.table)))
        for row in python_rows(chunk.rows.filter(pl.col(ROW).is_in(numbers)))
    ]
    return Rows(job.table, job.source.stem, job.source.name, numbers, rows)
