"""Rows kept beside the events they became: a mapping of the user's own is held to them before anything new is planned.

Nobody reviews that such a file says another `identity_version` when it means other events, nor what the file reads. So
a workdir keeps, of each kind of event of each table, some rows as their files have them: of those at the start of a
file, of which the rest is looked through before where any are kept, as a file that is set aside has none. They are
mapped again: where one has become another event, nothing new is planned, lest PostHog have the same row twice.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Self

import polars as pl

from migrate.errors import Unfit
from migrate.inputs.listing import sources
from migrate.jsontext.parse import encoded
from migrate.kit.declare import FILE, ROW, Options, Table
from migrate.kit.schemas import FRAMEWORK
from migrate.payload.payloads import claimed
from migrate.plan.bundles import Bundle
from migrate.plan.jobs import Job
from migrate.plan.lines import as_read, python_rows
from migrate.plan.mapped import mapped
from migrate.plan.readable import settle
from migrate.plan.transform import Transform
from migrate.readers.encodings import Unsettled
from migrate.readers.files import read_chunks
from migrate.readers.headers import read_header
from migrate.readers.originals import Originals
from migrate.readers.records import Chunk
from migrate.settings import Settings
from migrate.workdir.disk import sync

KEPT: Final = "witnesses.jsonl"
_FILES: Final = 20
"""So many files are looked at by one command."""
_GROUPS: Final = 200
"""So many of them are kept of, at most."""
_OF_EACH: Final = 3
"""Rows of each kind of event."""
_ROWS: Final = 60
_FIELDS: Final = ("event", "distinct_id", "timestamp", "uuid")
"""What PostHog tells events apart by."""
Told = Mapping[str, Sequence[Sequence[str]]]
"""The number of a row, as text -> the events it becomes."""


@dataclass(frozen=True)
class Group:
    """Rows of one file with the events they became, and what they told of who is who."""

    place: str
    """The file's name."""
    stem: str
    table: str
    numbers: Sequence[int]
    """Where in the file each row stands."""
    rows: Sequence[Mapping[str, Any]]
    events: Told
    links: Sequence[str]

    @classmethod
    def of(cls, line: str) -> Self:
        """Return the group that a kept line is; raises ValueError, TypeError or KeyError where it is none."""
        said = json.loads(line)
        return cls(**{name: said[name] for name in cls.__annotations__})

    @property
    def kinds(self) -> set[tuple[str, str]]:
        """The table with the events that there are of it."""
        return {(self.table, event[0]) for told in self.events.values() for event in told} | {
            (self.table, "")
        }


def kept(workdir: Path) -> list[Group]:
    """Return what is kept; nothing where the file is gone or harmed."""
    try:
        with (workdir / KEPT).open(encoding="utf-8") as file:
            return [Group.of(line) for line in file]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def forget(workdir: Path) -> None:
    """Forget what is kept, as no event is planned of it."""
    (workdir / KEPT).unlink(missing_ok=True)


def keep(
    workdir: Path, settings: Settings, jobs: Iterable[Job], is_stopping: Callable[[], bool] = lambda: False
) -> None:
    """Keep rows of these files, which are about to be planned, as far as they become events of new kinds.

    Nothing is kept where it is stopping, as nothing is planned then.
    """
    groups = kept(workdir)
    known = {kind for group in groups for kind in group.kinds}
    for job in islice((job for job in jobs if job.source.lines is None), _FILES):
        if is_stopping():
            return
        with suppress(Unfit, OSError):  # whoever plans it says so
            if len(groups) < _GROUPS and (group := _news(settings, job, known)) is not None:
                groups.append(group)
                known |= group.kinds
    beside = workdir / f"{KEPT}.new"
    beside.write_text(
        "".join(f"{json.dumps(vars(one), ensure_ascii=False)}\n" for one in groups), encoding="utf-8"
    )
    sync(beside)
    beside.replace(workdir / KEPT)


def differing(settings: Settings, groups: Iterable[Group]) -> Iterator[str]:
    """Yield which of these rows become another event now, or tell other ids to be one person's, and how."""
    for group in groups:
        events, links = _told(settings, (group.place, group.stem), group.rows)
        for number, before in group.events.items():
            now = events.get(number, ())
            if now and [*map(list, before)] != now:
                place = f"{group.place}:{group.numbers[int(number) - 1]}"
                yield f"{place}: {_difference(before, now)}"
        if links != [*group.links]:
            yield f"{group.place}: which ids are one person's"


def _difference(before: Sequence[Sequence[str]], now: Sequence[Sequence[str]]) -> str:
    """Return what of an event is another, in words."""
    if len(before) != len(now):
        return f"{len(before)} events were made of the row, now {len(now)}"
    pairs = (
        (name, *values)
        for one, other in zip(before, now, strict=True)
        for name, *values in zip(_FIELDS, one, other, strict=True)
    )
    name, was, found = next((name, was, found) for name, was, found in pairs if was != found)
    return f"{name} was '{was}', is '{found}'"


def _news(settings: Settings, job: Job, known: Collection[tuple[str, str]]) -> Group | None:
    """Return some rows of a file where they become events that are not `known`, in the encoding that all of it shows.

    Raises Unfit where it cannot be read.
    """
    with suppress(Unsettled):
        group = _group(settings, job)
        if group is None or not group.kinds.difference(known):
            return None
        if not job.header.is_unsettled:
            return group
    group = _group(settings, settle(job))
    return group if group is not None and group.kinds.difference(known) else None


def _group(settings: Settings, job: Job) -> Group | None:
    """Return some rows of a file as its start has them; None where there is none."""
    chunk = next(iter(read_chunks(job.source, job.table, job.header)), None)
    if chunk is None or not chunk.rows.height:
        return None
    transform = replace(settings.transform(job), since=None, until=None)
    made = mapped(_sound(chunk), transform, datetime.now(UTC), Bundle([job]).whence)
    each = made.frame.group_by("event", maintain_order=True).head(_OF_EACH)["row"].to_list()
    numbers = sorted({*each[:_ROWS], *chunk.rows[ROW].head(_OF_EACH).to_list()})
    originals = Originals(job.source, job.table, job.header).of(numbers)
    rows = [
        json.loads(encoded(originals.get(row[ROW]) or as_read(row, job.table)))
        for row in python_rows(chunk.rows.filter(pl.col(ROW).is_in(numbers)))
    ]
    events, links = _told(settings, (job.source.called, job.source.stem), rows)
    return Group(job.source.name, job.source.stem, job.table.name, numbers, rows, events, links)


def _sound(chunk: Chunk) -> Chunk:
    """Return a chunk without what could not be read."""
    return Chunk(chunk.rows, [], {})


def _told(
    settings: Settings, file: tuple[str, str], rows: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, list[list[str]]], list[str]]:
    """Return the events that rows become and the links they tell, by the mapping alone: of people nothing is known.

    They are of a file of this name, and of this stem.
    """
    name, stem = file
    with TemporaryDirectory(prefix="migrate-witnesses-") as folder:
        path = Path(folder) / "rows.jsonl"
        path.write_bytes(b"".join(encoded(dict(row)) + b"\n" for row in rows))
        (source,) = sources([str(path)]).sources
        header = read_header(source)
        options = replace(settings.options, files=frozenset([stem.lower()]))
        mapping = settings.mapping().under(options, [stem])
        table = None if header is None else mapping.table_for(header.columns, stem, name)
        if header is None or table is None or table.refusal:
            return {}, []
        table = claimed(table, options)
        transform = Transform(
            table=table,
            imprint=settings.imprint(),
            options=options,
            file=stem,
            explained=None if settings.own is None else settings.own.explained,
        )
        events: dict[str, list[list[str]]] = {}
        links: list[str] = []

        def whence(_: int) -> tuple[str, None]:
            return name, None

        for chunk in read_chunks(source, table, header):
            made = mapped(chunk, transform, datetime.now(UTC), whence).frame
            for row, payload in made.select("row", "payload").iter_rows():
                event = json.loads(payload)
                events.setdefault(str(row), []).append([event[name] for name in _FIELDS])
            links += _links(table, stem, chunk.rows, options)
    return events, sorted(links)


def _links(table: Table, stem: str, rows: pl.DataFrame, options: Options) -> list[str]:
    """Return what rows tell of who is who, each as a text."""
    if table.to_links is None:
        return []
    unknown = {name: pl.lit(None, kind) for name, kind in FRAMEWORK.items() if name not in rows.columns}
    whole = rows.with_columns(**unknown | {FILE: pl.lit(stem)})
    told = table.to_links(whole.lazy(), options).collect()
    return [json.dumps(row, default=str) for row in told.iter_rows()]
