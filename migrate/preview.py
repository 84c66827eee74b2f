"""The first rows with their payloads, as they would be sent, without a workdir."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from migrate import ordinals, readers
from migrate.jobs import Job
from migrate.people import People
from migrate.settings import Work
from migrate.states import States
from migrate.transform import Finished, Transform, finished, source


@dataclass(frozen=True)
class Preview:
    """One source row and the payloads it becomes, none when it is left out; or payloads that come from no one row."""

    source: dict[str, Any]
    payloads: list[str]


def preview(work: Work, limit: int) -> Iterator[Preview]:
    """Yield the first rows with their payloads in the order of the files, and what all of them tell of people.

    What is known of people comes from the rows shown alone: who is who before them, persons and groups after them.
    """
    settings, now = work.settings, datetime.now(UTC)
    with People() as people, TemporaryDirectory() as folder:
        census = settings.census(people)
        shown = list(_first(work, limit))
        if work.is_about_people:
            _gather(work, shown, people)
            census.resolve()
            merges = [made.frame for made in census.merges("preview", now)]
            yield from (Preview({}, frame["payload"].to_list()) for frame in merges)
        states = States(Path(folder) / "states")
        times: list[datetime] = []
        for job, chunk in shown:
            transform = settings.transform(job, people)
            made = finished(chunk, transform, now)
            states.write(made.states)
            times += made.frame.select(pl.col("timestamp").max()).drop_nulls().to_series().to_list()
            yield from _previewed(chunk, transform, made)
        if states.close():
            tellings = census.tellings([states.path], max(times, default=settings.until), Path(folder), now)
            yield from (Preview({}, made.frame["payload"].to_list()) for made, _ in tellings)


def examples(work: Work, limit: int, people: People | None) -> Iterator[Preview]:
    """Yield the first rows with their payloads as they are planned, with what is known of people from all rows."""
    now = datetime.now(UTC)
    for job, chunk in _first(work, limit):
        transform = work.settings.transform(job, people)
        yield from _previewed(chunk, transform, finished(chunk, transform, now))


def _gather(work: Work, shown: list[tuple[Job, readers.Chunk]], people: People) -> None:
    """Look over the rows that are shown."""
    gatherer = work.settings.gatherer(people)
    for job, chunk in shown:
        harvest = gatherer.harvest(job)
        harvest.take(chunk.rows)
        harvest.keep()
        people.note_gathered({job.source.name: ""}, harvest.clock())


def _first(work: Work, limit: int) -> Iterator[tuple[Job, readers.Chunk]]:
    """Yield the first rows of all files."""
    left = limit
    for job in work.jobs:
        for chunk in readers.chunks(job.source, job.table, job.header):
            yield job, readers.Chunk(chunk.rows.head(left), [], {})
            left -= chunk.rows.height
            if left <= 0:
                return


def _previewed(chunk: readers.Chunk, transform: Transform, made: Finished) -> Iterator[Preview]:
    """Yield the rows of a chunk with their payloads."""
    frame = ordinals.numbered_frame(made.frame) if transform.table.ordinals else made.frame
    by_row = dict(frame.group_by("row").agg(pl.col("payload")).iter_rows())
    for row in chunk.rows.iter_rows(named=True):
        yield Preview(source(row), by_row.get(row["_row"], []))
