"""The first rows with their payloads, as they would be sent, without a workdir.

For a row that makes none it says why, in the words of the dry run.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, NamedTuple

import polars as pl

from migrate import numbering
from migrate.jsontext.parse import Raw, encoded
from migrate.kit.declare import ROW
from migrate.people.identity import Report
from migrate.people.statefiles import Buckets, States
from migrate.people.store import People
from migrate.people.touches import Touches
from migrate.plan import ordinals
from migrate.plan.bundles import Bundle, bundles, job_chunks
from migrate.plan.finished import Finished, why_no_event
from migrate.plan.jobs import Job
from migrate.plan.lines import as_read, python_rows
from migrate.plan.mapped import mapped
from migrate.plan.transform import Transform
from migrate.readers.files import read_chunks
from migrate.readers.originals import Originals
from migrate.readers.records import Chunk, Reject, first_rows, regrouped, row_of
from migrate.settings import Work
from migrate.throwaway import PREVIEW, throwaway
from migrate.workdir.records import Numbers
from migrate.workdir.seals import Kept

MAPPED: Final = "mapped: tells of a person or a group, shown after the rows"
"""Why a row makes no event of its own though it is not left out."""
_SHOWN: Final = 100


@dataclass(frozen=True)
class Preview:
    """One source row and the payloads it becomes, or why it becomes none; or payloads that come from no one row."""

    source: str
    """The row as JSON, as `rejects.jsonl` has it."""
    payloads: list[str]
    place: str = ""
    """`file:row`; the file alone where the file as a whole is rejected."""
    file: str = ""
    """The name of the row's file."""
    why: str | None = None
    """Why a row has no payloads, in the words of the dry run."""
    table: str = ""
    """The name of the row's table."""


class Reading:
    """Where a preview has its rows from, and who hears what becomes of them: the files, and nobody."""

    def chunks(self, job: Job) -> Iterator[Chunk]:
        """Yield the rows of a file."""
        return job_chunks(job)

    def originals(self, job: Job, numbers: Sequence[int]) -> Mapping[int, Mapping[str, Raw]]:
        """Return these rows as their file has them, by number."""
        return Originals(job.source, job.table, job.header).of(numbers)

    def made(self, bundle: Bundle, chunk: Chunk, transform: Transform, made: Finished) -> None:
        """Hear what became of some rows, numbered as the files are that they were mapped with."""

    def resolved(self, report: Report) -> None:
        """Hear who is who."""


_FILES: Final = Reading()


class _Part(NamedTuple):
    """First rows of a file, and the file's place among those that it is mapped with."""

    place: int
    job: Job
    chunk: Chunk


@dataclass(frozen=True)
class _Together:
    """Rows that are mapped at once: of small files that are neighbours, or some of a large one."""

    bundle: Bundle
    parts: Sequence[_Part]
    chunks: Sequence[Chunk]
    """The same rows, numbered through."""

    @classmethod
    def of(cls, bundle: Bundle, parts: Sequence[_Part]) -> "_Together":
        """Return these parts of a bundle."""
        return cls(bundle, parts, [*regrouped(bundle.numbered(one.place, one.chunk) for one in parts)])


def preview(
    work: Work, limit: int, numbers: Numbers | None = None, reading: Reading = _FILES
) -> Iterator[Preview]:
    """Yield the first rows with their payloads in the order of the files, and what all of them tell of people.

    What is counted is added to `numbers`; `reading` gives the rows.

    What is known of people comes from the rows shown alone: who is who before them, persons and groups after them.
    """
    settings, now = work.settings, datetime.now(UTC)
    with settings.explained(), People() as people, throwaway(PREVIEW) as folder:
        census = settings.census(people)
        first = list(_together(_first(work, limit, reading)))
        if work.is_about_people:
            _gather(work, first, people)
            census.resolve()
            merges = [made.frame for made in census.merges("preview", now)]
            if census.report is not None:
                reading.resolved(census.report)
            yield from (Preview("{}", frame["payload"].to_list()) for frame in merges)
        states = States(folder / "states")
        times: list[datetime] = []
        for together in first:
            transform, became = settings.transform(together.bundle.job, people), _Became()
            for chunk in together.chunks:
                made = mapped(_read(chunk), transform, now, together.bundle.whence)
                if numbers is not None:
                    numbers.add(made.numbers)
                reading.made(together.bundle, chunk, transform, made)
                states.write(made.states)
                times += made.frame.select(pl.col("timestamp").max()).drop_nulls().to_series().to_list()
                became.note(chunk, transform, made)
            for part in together.parts:
                yield from _previewed(
                    part.job, part.chunk, became, reading, part.place * together.bundle.step
                )
        if states.close():
            files, end = [Kept.of(states.path)], max(times, default=settings.until)
            with Buckets(files, folder, people) as buckets:
                came = census.first_touches(buckets, now, "preview")
                yield from (Preview("{}", made.frame["payload"].to_list()) for made in came)
                with people.transaction() as db:
                    last = census.tellings(buckets, end, now, Touches(people, db, "preview"))
                    yield from (Preview("{}", made.frame["payload"].to_list()) for made in last)


def files_beyond(work: Work, last: str) -> list[str]:
    """Return the names of the files after this one that hold any row, readable or not."""
    names = [job.source.name for job in work.jobs]
    return [job.source.name for job in work.jobs[names.index(last) + 1 :] if _has_rows(job)]


def _has_rows(job: Job) -> bool:
    chunks = read_chunks(job.source, job.table, job.header)
    return any(chunk.rows.height or chunk.rejects for chunk in chunks)


def _gather(work: Work, first: Sequence[_Together], people: People) -> None:
    """Note in `people` what the first rows tell of who is who."""
    for together in first:
        harvest = work.settings.harvest(together.bundle.job)
        for chunk in together.chunks:
            harvest.take(chunk.rows)
        people.add(harvest.links())
        people.recover(harvest.recoveries())
        people.note_gathered(dict.fromkeys(together.bundle.names, ""), harvest.clock())


def _first(work: Work, limit: int, reading: Reading) -> Iterator[tuple[Job, Chunk]]:
    """Yield the first rows of all files; those that could not be read count."""
    left = limit
    for job in work.jobs:
        for chunk in reading.chunks(job):
            head = first_rows(chunk, left)
            yield job, head
            left -= head.rows.height + len(head.rejects)
            if left <= 0:
                return


def _together(first: Iterable[tuple[Job, Chunk]]) -> Iterator[_Together]:
    """Yield the first rows of all files in order, those of small files together: a chunk costs by itself."""
    read: dict[str, tuple[Job, list[Chunk]]] = {}
    for job, chunk in first:
        read.setdefault(job.source.name, (job, []))[1].append(chunk)
    for bundle in bundles([job for job, _ in read.values()]):
        parts = [
            _Part(place, job, chunk)
            for place, job in enumerate(bundle.jobs)
            for chunk in read[job.source.name][1]
        ]
        if len(bundle.jobs) > 1:
            yield _Together.of(bundle, parts)
        else:
            yield from (_Together.of(bundle, [part]) for part in parts)


def _read(chunk: Chunk) -> Chunk:
    """Return a chunk without what could not be read."""
    return Chunk(chunk.rows, [], {})


def previewed(
    job: Job, chunk: Chunk, transform: Transform, made: Finished, reading: Reading = _FILES
) -> Iterator[Preview]:
    """Yield the rows of a chunk with their payloads, or why they have none, in the order of the file."""
    became = _Became()
    became.note(chunk, transform, made)
    yield from _previewed(job, chunk, became, reading)


@dataclass(frozen=True)
class _Became:
    """What rows have become, by number."""

    payloads: dict[int, list[str]] = field(default_factory=dict)
    whys: dict[int, str] = field(default_factory=dict)
    """Why a row has no payloads, if it has none."""

    def note(self, chunk: Chunk, transform: Transform, made: Finished) -> None:
        """Take what became of the rows of a chunk."""
        frame = ordinals.with_ordinals(made.frame) if transform.table.ordinals else made.frame
        self.payloads.update(frame.group_by("row", maintain_order=True).agg(pl.col("payload")).iter_rows())
        self.whys.update(_whys(chunk.rows[ROW], made, transform))
        self.whys.update({line["row"]: _rejected(line["reason"], line["value"]) for line in made.rejects})


def _previewed(
    job: Job, chunk: Chunk, became: _Became, reading: Reading, offset: int = 0
) -> Iterator[Preview]:
    """Yield the rows of a chunk, whose numbers in `became` are greater by so many."""
    unread = sorted(chunk.rejects, key=row_of, reverse=True)
    numbers = chunk.rows[ROW].to_list()
    originals = reading.originals(job, numbers)
    first = _first_places(job, [*numbers, *(one.row for one in unread if one.row is not None)])
    for row in python_rows(chunk.rows):
        number = row[ROW]
        while unread and row_of(unread[-1]) < number:
            yield _unread(job, unread.pop(), first)
        yield Preview(
            encoded(originals.get(number) or as_read(row, job.table)).decode(),
            became.payloads.get(offset + number, []),
            first.get(number, numbering.place(job.source.name, number)),
            job.source.name,
            None if offset + number in became.payloads else became.whys[offset + number],
            job.table.name,
        )
    yield from (_unread(job, one, first) for one in reversed(unread))


def _first_places(job: Job, numbers: Sequence[int]) -> dict[int, str]:
    """Return where rows of a copy of rejects were first, as messages say it; nothing of other files."""
    found = Bundle([job]).places()(numbers) if job.source.lines is not None and numbers else {}
    return {
        number: numbering.place(one.file, one.row) for number, one in found.items() if one.row is not None
    }


def _unread(job: Job, reject: Reject, first: Mapping[int, str]) -> Preview:
    """Return the preview of a row that could not be read."""
    place = numbering.place(job.source.name, reject.row)
    place = first.get(reject.row or 0, place)
    row = {"reason": reject.reason, "value": reject.value}
    why = "" if reject.why is None else f", {reject.why}"
    said = _rejected(reject.reason, reject.value) + why
    return Preview(encoded(row).decode(), [], place, job.source.name, said, job.table.name)


def _rejected(reason: str, value: str | None) -> str:
    """Return why a row is rejected, in words."""
    found = "" if value is None else f", found {json.dumps(value[:_SHOWN], ensure_ascii=False)}"
    return f"rejected: {reason}{found}"


def _whys(rows: pl.Series, made: Finished, transform: Transform) -> dict[int, str]:
    """Return why each of these rows would make no event, if it makes none and is not rejected.

    All of them are judged together, as they are planned: what becomes of a row may be said by those before it.
    """
    nothing = f"filtered: {why_no_event(transform.table, transform)}"
    whys = dict.fromkeys(rows, nothing) | dict.fromkeys(made.states[ROW], MAPPED)
    for name, numbers in made.taken.items():
        whys |= dict.fromkeys(numbers, f"filtered: {name}")
    return whys
