"""Some of the first rows beside what they become, picked while all rows are planned, in whatever process.

Rows of a file count when all of it is planned, and are kept just before it is noted, as its events are.
"""

from collections.abc import Sequence
from contextlib import suppress
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
from migrate.session import Session
from migrate.settings import Settings
from migrate.workdir import samples


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

    def __init__(
        self, settings: Settings, names: Sequence[str], count: int, before: Sequence[Preview] = ()
    ) -> None:
        """Take rows of the files of these names, in their order; some of their rows were shown `before`."""
        self._settings = settings
        self._names = names
        self._count = count
        self._order = {name: place for place, name in enumerate(names)}
        self._whole: dict[tuple[str, bool], tuple[bool, int]] = {}
        """The lowest rank of files that are planned whole, which may be still to be noted."""
        self._lock = Lock()
        self._taken = {
            (table, True): self._shown_before(table, before)
            for table in dict.fromkeys(one.table for one in before)
        }
        for one in self._taken.values():
            self.whole(one)

    def __reduce__(self) -> tuple[type["Examples"], tuple[object, ...]]:
        """Hand on what rows are asked for; another process knows of those alone that it plans itself."""
        return Examples, (self._settings, self._names, self._count)

    def examine(self, bundle: Bundle, chunk: Chunk, made: Finished) -> Example | None:
        """Return the first rows of the first of these files that has an event, if they are the first known here by now.

        None, too, where they cannot be read again as they were.
        """
        job, offset = bundle.place(_first_number(chunk, made))
        rank, best = (False, self._order[job.source.name]), self._whole.get(_kind(job))
        if best is not None and best < rank:
            return None
        first = first_rows(bundle.of_file(chunk, offset, self._count), self._count)
        job = replace(job, source=replace(job.source, meter=None))
        try:
            found = [
                *previewed(job, first, self._settings.transform(job), _of_rows(made, first.rows[ROW], offset))
            ]
        except (Unfit, OSError):
            return None
        rank = _rank(found, rank[1])
        return Example(_kind(job), rank, found[: self._count]) if found else None

    def whole(self, example: Example) -> None:
        """Hear, in any thread, of what was found of files that are planned whole: those behind them need not be."""
        with self._lock:
            best = self._whole.get(example.kind)
            self._whole[example.kind] = example.rank if best is None else min(best, example.rank)

    def take(self, example: Example) -> bool:
        """Take what was found of files that are about to be noted; return whether these rows are the first now."""
        self.whole(example)
        best = self._taken.get(example.kind)
        if is_first := best is None or example.rank <= best.rank:
            self._taken[example.kind] = example
        return is_first

    def shown(self, jobs: Sequence[Job]) -> list[Preview]:
        """Return those of the kinds of these files: with payloads before those without, of different tables in turn."""
        kinds = dict.fromkeys([*map(_kind, jobs), *(kind for kind in self._taken if kind[1])])
        tables = [self._taken[kind].rows for kind in kinds if kind in self._taken]
        rows = [row for nth in zip_longest(*tables) for row in nth if row is not None]
        return sorted(rows, key=lambda row: not row.payloads)[: self._count]

    def _shown_before(self, table: str, before: Sequence[Preview]) -> Example:
        rows = [one for one in before if one.table == table]
        return Example((table, True), _rank(rows, self._order[rows[0].file]), rows)


def of(session: Session, settings: Settings, todo: Sequence[Job]) -> Examples | None:
    """Return what takes the first rows of these files; None where those that are kept in the workdir are to stay.

    What is left of an increment goes on with the rows of its files that were planned before. Those of what is planned
    anew are shown where rows of that were, and those of copies of rejects where there are no others.
    """
    checkpoint, count = session.checkpoint, max(session.rows, samples.KEPT)
    facts, kept = checkpoint.facts(), samples.kept(session.workdir, count)
    names = [job.source.name for job in todo]
    if kept and all(job.source.lines is not None for job in todo):
        return None
    if kept and {*names} <= {*facts.get("superseded", [])}:
        is_shown = any(row.get("file") in names for row in kept)
        return Examples(settings, names, count) if is_shown else None
    mine = samples.kept(session.workdir, count, facts.get("increment", 0))
    known = checkpoint.inputs([*names, *(str(row.get("file")) for row in mine)])
    planned = {name for name, one in known.items() if one.planned}.difference(names)
    before = [Preview(**row) for row in mine if row.get("file") in planned]
    return Examples(settings, [*known], count, before)


def keep(session: Session, examples: Examples, todo: Sequence[Job], example: Example) -> None:
    """Keep the first rows beside what they become, for who looks at the plan, where this one is among them.

    That is before its file is noted as planned: after a kill between the two the file is planned again, and they come
    again.
    """
    if not examples.take(example):
        return
    whole = [job for job in todo if job.source.lines is None]
    rows = examples.shown(whole or todo)
    if rows:
        with suppress(OSError):  # a plan without them is the same plan
            increment = session.checkpoint.facts().get("increment", 0)
            samples.keep(session.workdir, map(vars, rows), increment)


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


def _rank(rows: Sequence[Preview], place: int) -> tuple[bool, int]:
    """Return the rank of rows of the file in this place."""
    return not any(row.payloads for row in rows), place


def _kind(job: Job) -> tuple[str, bool]:
    return job.table.name, job.source.lines is None
