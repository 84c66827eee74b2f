"""What files tell of who is who before they are planned: a unit's rows looked over, and what they told written aside.

As planning a unit does, it may run in any thread or process, twice, or be lost on the way.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import ClassVar, Final, Self

import polars as pl

from migrate import throwaway
from migrate.inputs.source import stamp
from migrate.kit import schemas
from migrate.kit.declare import FILE, Options, Table
from migrate.kit.schemas import FRAMEWORK
from migrate.people.aside import FrameFile
from migrate.plan.attempt import DAMAGE, check_unchanged
from migrate.plan.interrupted import until_stopped
from migrate.plan.jobs import Job
from migrate.plan.lean import gathered
from migrate.plan.notes import Hear, Read
from migrate.plan.units import Slice, Unit, Work
from migrate.rules.frames import Ruling

_HELD_ROWS: Final = 100_000
"""Links held of a unit before they are put together and written."""
SUFFIXES: Final = (".links", ".recoveries")
"""Of the files aside, whose names no other try has: one that is heard of no more may still be under way."""


@dataclass
class Harvest:
    """What the rows of a unit have told so far, until it is taken out."""

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

    @property
    def is_full(self) -> bool:
        """Whether so much is held that it is to be taken out."""
        return sum(frame.height for frame in (*self._links, *self._recoveries)) > _HELD_ROWS

    def links(self) -> pl.DataFrame:
        """Take out the links (`schemas.LINK_SCHEMA`), each once, at its first time."""
        found, self._links = self._links, []
        whole = pl.concat([pl.DataFrame(schema=schemas.LINK_SCHEMA), *found])
        together = whole.group_by("kind", "a", "b", "why").agg(pl.col("time").min())
        return together.select(schemas.LINK_SCHEMA.names())

    def recoveries(self) -> pl.DataFrame:
        """Take out what rows know of rows of other files (`schemas.RECOVERY_SCHEMA`)."""
        found, self._recoveries = self._recoveries, []
        return pl.concat([pl.DataFrame(schema=schemas.RECOVERY_SCHEMA), *found])

    def clock(self) -> pl.DataFrame:
        """Return month, offset and rows."""
        return _summed(self._clock)

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


def _summed(clocks: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return month, offset and rows, in how many frames ever they are."""
    schema = schemas.CLOCK_SCHEMA
    whole = pl.concat([pl.DataFrame(schema=schema), *(frame.cast(schema) for frame in clocks)])
    return whole.group_by("month", "offset").agg(pl.col("rows").sum()).sort("month", "offset")


@dataclass(frozen=True)
class Gathered:
    """A unit that is looked over whole: what its rows told, written aside, and what is to be noted of it."""

    number: int
    stamps: dict[str, str]
    """Each file's name, and the stamp that it had before it was read."""
    encodings: dict[str, str]
    """Each file's name, and the encoding that all of it was found to have."""
    links: list[Path]
    recoveries: list[Path]
    clock: pl.DataFrame
    rows: int
    seconds: float
    is_damaged: bool = False
    """Whether a source could not be read to its end."""
    slice: Slice | None = None
    """What it is of its file, where it is not all of it."""

    def aside(self) -> list[Path]:
        """Return the files of its links, and of its recoveries."""
        return [*self.links, *self.recoveries]

    def moved(self, was: Path, workdir: Path) -> Self:
        """Return it with these in another workdir."""
        links, recoveries = (
            [workdir / path.relative_to(was) for path in paths] for paths in (self.links, self.recoveries)
        )
        return replace(self, links=links, recoveries=recoveries)

    def discard(self) -> None:
        """Remove what is written aside, as far as it is there."""
        for path in self.aside():
            path.unlink(missing_ok=True)


def together(slices: list[Gathered], seconds: float) -> Gathered:
    """Return what slices of one file that are looked over are together."""
    return replace(
        slices[-1],
        links=[path for one in slices for path in one.links],
        recoveries=[path for one in slices for path in one.recoveries],
        clock=_summed([one.clock for one in slices]),
        rows=sum(one.rows for one in slices),
        seconds=seconds,
        is_damaged=slices[-1].is_damaged,
    )


@dataclass(kw_only=True)
class Gathering(Work[Gathered]):
    """Units are looked over, and what all of one command are looked over with."""

    pins: ClassVar[bool] = False
    harvest: Callable[[Job], Harvest]
    """What takes the rows of a job."""
    limit: int | None = None
    """How many rows are looked at, where that is not all."""

    def whole(self, unit: Unit, hear: Hear, stopping: Event) -> Gathered:
        """Look over a unit's sources, all of them; where it is a slice, its file is to be what it was."""
        began, bundle, done, is_damaged = time.monotonic(), unit.bundle.metered(), 0, False
        stamps = {
            job.source.name: unit.slice.stamp if unit.slice else stamp(job.source) for job in bundle.jobs
        }
        harvest = self.harvest(bundle.job)
        aside = self.workdir / throwaway.STAGING / self.mark / f"{unit.number:08d}-{secrets.token_hex(4)}"
        links, recoveries = (FrameFile(aside.with_suffix(suffix)) for suffix in SUFFIXES)
        chunks = gathered(bundle, limited=self.limit is not None)
        for chunk in until_stopped(chunks, stopping):
            rows = chunk.rows if self.limit is None else chunk.rows.head(self.limit - done)
            harvest.take(rows)
            done += chunk.rows.height
            is_damaged |= any(one.reason in DAMAGE for one in chunk.rejects)
            hear(Read(unit.key, chunk.rows.height, bundle.read()))
            is_over = self.limit is not None and done >= self.limit
            if harvest.is_full:
                links.write(harvest.links())
                recoveries.write(harvest.recoveries())
            if is_over:
                break
        links.write(harvest.links())
        recoveries.write(harvest.recoveries())
        found = Gathered(
            unit.number,
            stamps,
            {job.source.name: job.header.encoding for job in bundle.jobs},
            links.close(),
            recoveries.close(),
            harvest.clock(),
            done,
            time.monotonic() - began,
            is_damaged,
            unit.slice,
        )
        if unit.slice is not None:
            check_unchanged(bundle.job.source, unit.slice.stamp)
        return found
