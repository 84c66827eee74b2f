"""Some of the first rows beside what they become, picked while all rows are planned, in whatever process."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from threading import Lock
from typing import NamedTuple

import polars as pl

from migrate.errors import Unfit
from migrate.kit.declare import ROW
from migrate.plan.bundles import Bundle
from migrate.plan.finished import Finished
from migrate.plan.jobs import Job
from migrate.preview import Preview, previewed
from migrate.readers.records import Chunk, first_rows
from migrate.settings import Settings


class Example(NamedTuple):
    """The first rows of a file of one kind, see `Examples`."""

    kind: tuple[str, bool]
    rank: tuple[bool, int]
    """The lowest is shown: rows with any payload before others, then those of the file that comes first."""
    rows: list[Preview]


class Examples:
    """Some of the first rows with their payloads, as they are planned, with what is known of people from all rows.

    Of each table, and of copies of its rejects, those of the first file that has any payload among them.
    """

    def __init__(self, settings: Settings, names: Sequence[str], count: int) -> None:
        """Take rows of the files of these names, in their order."""
        self._settings = settings
        self._names = names
        self._count = count
        self._order = {name: place for place, name in enumerate(names)}
        self._taken: dict[tuple[str, bool], Example] = {}
        self._lock = Lock()

    def __reduce__(self) -> tuple[type["Examples"], tuple[object, ...]]:
        """Hand on what rows are asked for; another process knows of those alone that it plans itself."""
        return Examples, (self._settings, self._names, self._count)

    def examine(self, bundle: Bundle, chunk: Chunk, made: Finished) -> Example | None:
        """Return the first rows of the first of these files that has an event, if they are the first known here by now.

        None, too, where they cannot be read again as they were.
        """
        job, offset = bundle.place(_first_number(chunk, made))
        rank, best = (False, self._order[job.source.name]), self._taken.get(_kind(job))
        if best is not None and best.rank < rank:
            return None
        first = first_rows(bundle.of_file(chunk, offset, self._count), self._count)
        job = replace(job, source=replace(job.source, meter=None))
        try:
            found = [
                *previewed(job, first, self._settings.transform(job), _of_rows(made, first.rows[ROW], offset))
            ]
        except (Unfit, OSError):
            return None
        rank = (not any(row.payloads for row in found), rank[1])
        example = Example(_kind(job), rank, found[: self._count])
        return example if found and self.take(example) else None

    def take(self, example: Example) -> bool:
        """Take what was found here or in another process; return whether these rows are the first by now."""
        with self._lock:
            best = self._taken.get(example.kind)
            if is_first := best is None or example.rank <= best.rank:
                self._taken[example.kind] = example
        return is_first

    def shown(self, jobs: Sequence[Job]) -> list[Preview]:
        """Return those of these files: rows with payloads before those without, those of different tables in turn."""
        names = {job.source.name for job in jobs}
        with self._lock:
            tables = [
                self._taken[kind].rows for kind in dict.fromkeys(map(_kind, jobs)) if kind in self._taken
            ]
        rows = [row for nth in zip_longest(*tables) for row in nth if row is not None and row.file in names]
        return sorted(rows, key=lambda row: not row.payloads)[: self._count]


def _first_number(chunk: Chunk, made: Finished) -> int:
    """Return the number of the first row with an event, or else of the first row, readable or not."""
    if made.frame.height:
        (first,) = made.frame.select(pl.col("row").min()).row(0)
        return int(first)
    return min([*chunk.rows[ROW].head(1), *(one.row or 0 for one in chunk.rejects)], default=0)


def _of_rows(made: Finished, rows: pl.Series, offset: int) -> Finished:
    """Return what these rows have become, whose numbers there are greater by so many."""
    numbers = rows + offset
    known = {*numbers}
    return replace(
        made,
        frame=made.frame.filter(pl.col("row").is_in(numbers.implode())).with_columns(pl.col("row") - offset),
        states=made.states.filter(pl.col(ROW).is_in(numbers.implode())).with_columns(pl.col(ROW) - offset),
        rejects=[line | {"row": line["row"] - offset} for line in made.rejects if line["row"] in known],
        taken={
            name: left.filter(left.is_in(numbers.implode())) - offset for name, left in made.taken.items()
        },
    )


def _kind(job: Job) -> tuple[str, bool]:
    return job.table.name, job.source.lines is None
