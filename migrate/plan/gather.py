"""The look over all files before the first is planned: who is who, what rows know of others, how clocks are set."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import polars as pl

from migrate.errors import Unfit
from migrate.inputs.source import stamp
from migrate.kit import schemas
from migrate.kit.declare import FILE, POSITION, REST, Bag, Computed, Options, Table, inside
from migrate.kit.schemas import FRAMEWORK
from migrate.logline import Record
from migrate.people.store import People
from migrate.plan import diary
from migrate.plan.ahead import ahead
from migrate.plan.bundles import Bundle, bundles
from migrate.plan.interrupted import until_stopped
from migrate.plan.jobs import Job
from migrate.readers.records import Chunk, regrouped
from migrate.rules.frames import Ruling

_CHUNK_ROWS: Final = 65_536
"""What is gathered of a chunk of Mixpanel costs 15 ms by itself, as much as 6,000 of its rows (measured)."""
_HELD_ROWS: Final = 100_000
"""Links held of one file before they are put together and written."""


def has_news(table: Table, *, identity: bool) -> bool:
    """Return whether files of this table have anything to gather."""
    return bool((identity and table.to_links) or table.clock or table.to_recoveries)


@dataclass
class Harvest:
    """What the rows of one file have told so far, until it is written to the store."""

    people: People
    table: Table
    file: str
    options: Options
    identity: bool
    since: datetime | None = None
    until: datetime | None = None
    ruling: Ruling | None = None
    _links: list[pl.DataFrame] = field(default_factory=list)
    _recoveries: list[pl.DataFrame] = field(default_factory=list)
    _clock: list[pl.DataFrame] = field(default_factory=list)

    def take(self, rows: pl.DataFrame) -> None:
        """Take what rows tell."""
        nothing = (
            pl.lit(None, dtype).alias(name) for name, dtype in FRAMEWORK.items() if name not in rows.columns
        )
        file = [] if FILE in rows.columns else [pl.lit(self.file).alias(FILE)]
        whole = rows.with_columns(*nothing).with_columns(file).lazy()
        if self.identity and self.table.to_links:
            found = self._within(self.table.to_links(whole, self.options)).collect()
            found = found if self.ruling is None else self.ruling.unlinked(found)
            self._links.append(_where_needed(found) if self.table.tells_own else found)
        if self.table.to_recoveries:
            self._recoveries.append(self.table.to_recoveries(whole, self.options).collect())
        if self.table.clock:
            self._clock.append(self.table.clock(whole, self.options).collect())
        if sum(frame.height for frame in (*self._links, *self._recoveries)) > _HELD_ROWS:
            self.keep()

    def keep(self) -> None:
        """Write links and recoveries."""
        if self._links:
            together = pl.concat(self._links).group_by("kind", "a", "b", "why").agg(pl.col("time").min())
            self.people.add(together.select(schemas.LINK_SCHEMA.names()))
        if self._recoveries:
            self.people.recover(pl.concat(self._recoveries))
        self._links, self._recoveries = [], []

    def clock(self) -> pl.DataFrame:
        """Return month, offset and rows."""
        return _counted(self._clock)

    def _within(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Return the links seen before `until`; those first seen before `since` count from then on."""
        if self.since is not None:
            frame = frame.with_columns(pl.col("time").clip(lower_bound=pl.lit(self.since, schemas.TIMESTAMP)))
        if self.until is not None:
            frame = frame.filter(pl.col("time").is_null() | (pl.col("time") < self.until))
        return frame


def _where_needed(found: pl.DataFrame) -> pl.DataFrame:
    """Return links that are made only where the anonymous id turns out to have events of its own."""
    kind = pl.col("kind")
    return found.with_columns(pl.when(kind == "linked").then(pl.lit("needed")).otherwise(kind).alias("kind"))


def _counted(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """Return clock counts put together."""
    schema = schemas.CLOCK_SCHEMA
    whole = pl.concat([pl.DataFrame(schema=schema), *(frame.cast(schema) for frame in frames)])
    return whole.group_by("month", "offset").agg(pl.col("rows").sum()).sort("month", "offset")


@dataclass(kw_only=True)
class Gatherer:
    """Looks over files, several at a time; a file counts when all of it was looked over."""

    people: People
    options: Options
    identity: bool = True
    since: datetime | None = None
    """From when on events are asked for."""
    ruling: Ruling | None = None
    limit: int | None = None
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    on_log: Callable[[Record], None] = lambda _: None
    on_rows: Callable[[int, str, int], None] = lambda *_: None
    """Told of rows that were looked at, the first of their files, and how many bytes are read of these."""
    on_file: Callable[[int, str], None] = lambda *_: None
    """Told of the bytes of a file that was looked over, and of the first file that it was looked over with."""
    stopping: threading.Event = field(default_factory=threading.Event)

    def todo(self, jobs: Sequence[Job]) -> list[Job]:
        """Return the jobs that are to be looked over."""
        known = self.people.gathered()
        return [
            job
            for job in jobs
            if has_news(job.table, identity=self.identity) and job.source.name not in known
        ]

    def gather(self, jobs: Sequence[Job]) -> None:
        """Look over these jobs; of limited ones, the first rows, one after another."""
        if self.limit is not None:
            left = self.limit
            for job in jobs:
                left -= self._bundle(Bundle([job]), left) if left > 0 else 0
            return
        with ThreadPoolExecutor(self.workers, thread_name_prefix="gather") as pool:
            try:
                for _ in pool.map(lambda bundle: self._bundle(bundle, None), bundles(jobs)):
                    pass
            except BaseException:
                self.stopping.set()
                raise

    def _bundle(self, bundle: Bundle, limit: int | None) -> int:
        """Look over files, those that cannot be read any more apart; return how many rows were looked at."""
        while bundle.jobs:
            try:
                return self._whole(bundle, limit)
            except Unfit as error:
                bundle = Bundle([job for job in bundle.jobs if job.source.name != error.name])
        return 0

    def _whole(self, bundle: Bundle, limit: int | None) -> int:
        """Look over files, all of them; return how many rows of them were looked at."""
        began = time.monotonic()
        harvest = self.harvest(bundle.job)
        before, done = [stamp(job.source) for job in bundle.jobs], 0
        bundle = bundle.metered()
        for chunk in until_stopped(gathered(bundle, limited=limit is not None), self.stopping):
            harvest.take(chunk.rows if limit is None else chunk.rows.head(limit - done))
            done += chunk.rows.height
            self.on_rows(chunk.rows.height, bundle.names[0], bundle.read())
            if limit is not None and done >= limit:
                break
        harvest.keep()
        self.people.note_gathered(dict(zip(bundle.names, before, strict=True)), harvest.clock())
        self.on_log(diary.looked_over(bundle.names, done, time.monotonic() - began))
        for job in bundle.jobs:
            self.on_file(job.source.size, bundle.names[0])
        return done

    def harvest(self, job: Job) -> Harvest:
        """Return what takes a file's rows."""
        return Harvest(
            self.people,
            job.table,
            job.source.stem,
            self.options,
            self.identity,
            *job.window,
            self.ruling,
        )


def gathered(bundle: Bundle, *, limited: bool = False) -> Iterator[Chunk]:
    """Yield what files are looked over for, in large chunks, the next one read while one is in use.

    Records are unfolded only where something is read of their elements, as all rows of a record tell the same of who is
    who; or where rows are `limited`, so that the same rows are counted as when they are planned.
    """
    asked = bundle.job.table.link_columns
    few = Bundle([lean(job, unfolds=limited) for job in bundle.jobs])
    read = (*few.job.table.columns, *few.job.table.computed)
    spent = [] if asked is None else [name for name in read if name not in asked]

    def chunks() -> Iterator[Chunk]:
        for chunk in few.chunks():
            yield replace(chunk, rows=chunk.rows.drop(spent))

    return ahead(regrouped(chunks(), rows=_CHUNK_ROWS))


def lean(job: Job, *, unfolds: bool = False) -> Job:
    """Return a file to be read for the columns and keys its table gathers from, and no others.

    With `unfolds` the column that the table unfolds is read, too.
    """
    table = job.table
    bags = table.bags_under(Options())
    asked = table.link_columns
    wanted = set(
        asked or (*table.columns, *bags, *(name for bag in bags for name in _inside(bag, bags[bag]).values()))
    )
    computed = _computed(table, wanted, is_all=asked is None)
    for name, join in reversed([*table.joins.items()]):
        if not wanted.isdisjoint(inside(name, column) for column in join.columns):
            wanted.add(join.on)
    opened = {
        column: replace(bag, keys=[key for key, name in _inside(column, bag).items() if name in wanted])
        for column, bag in bags.items()
        if not wanted.isdisjoint(_inside(column, bag).values())
    }
    wanted |= {table.unfold} if table.unfold and (unfolds or POSITION in wanted) else set()
    columns = {name: dtype for name, dtype in table.columns.items() if name in wanted or name in opened}
    mine = {name.lower() for name in columns}
    every = {way for name in (*table.columns, *job.header.columns) for way in (name, name.lower())}
    others = {name for name in every if name.lower() not in mine and not _may_hold(opened.get(REST), name)}
    objects = [name for name in table.objects if name in columns and name not in opened]
    return replace(
        job,
        table=replace(
            table,
            columns=columns,
            objects=objects,
            bags=opened,
            computed=computed,
            properties=(),
            dropped=table.dropped | others,
        ),
    )


def _may_hold(rest: Bag | None, column: str) -> bool:
    """Return whether an undeclared column may be one of those that are asked for in the rest."""
    if rest is None:
        return False
    return rest.read is not None or column in rest.keys or (rest.name or str)(column) in rest.keys


def _computed(table: Table, wanted: set[str], *, is_all: bool) -> dict[str, Computed]:
    """Return the columns to compute, and add to what is wanted the columns that they are computed of."""
    found = {}
    for name, one in reversed([*table.computed.items()]):
        if is_all or name in wanted:
            found[name] = one
            wanted.update(one.asked())
    return {name: found[name] for name in reversed([*found])}


def _inside(column: str, bag: Bag) -> dict[str, str]:
    """Return key -> the column of rows it becomes."""
    return {key: inside(column, key) for key in bag.keys}
