"""One command's work in a workdir: settings pinned, sources planned, the plan applied."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from migrate import apply as applying
from migrate import ordinals, parked, platforms, readers
from migrate.checkpoint import Checkpoint, Settled
from migrate.errors import Refused
from migrate.inputs import Source, sources
from migrate.jobs import Job, recognised
from migrate.mapping import Options, Platform, Table
from migrate.payload import FORMAT, Stamp
from migrate.plan import Planner, Progress
from migrate.sender import Delivery
from migrate.transform import Transform, finished, source


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is migrated and how its rows become events; a workdir is planned with one set of these."""

    platform: str
    options: Options = field(default_factory=Options)
    spec: Path | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int | None = None
    encoding: str | None = None
    delimiter: str | None = None
    import_id: str | None = None
    skip_unknown: bool = False

    def mapping(self) -> Platform:
        """Return the platform's mapping."""
        return platforms.platform(self.platform, self.spec)

    def facts(self) -> dict[str, Any]:
        """Return what decides the payloads, by the name it has for the user."""
        return {
            "platform": self.platform,
            "mapping": platforms.digest(self.platform, self.spec),
            "payload_format": FORMAT,
            "--person-properties": self.options.person_properties,
            "--source-timezone": self.options.source_timezone,
            "--keep": sorted(self.options.keep),
            "--since": None if self.since is None else self.since.isoformat(),
            "--until": None if self.until is None else self.until.isoformat(),
            "--limit": self.limit,
            "--encoding": self.encoding,
            "--delimiter": self.delimiter,
            "import_id": self.stamp().import_id,
        }

    def stamp(self) -> Stamp:
        """Return what every payload carries; the import id is the user's, or made from what decides payloads."""
        if self.import_id is not None:
            return Stamp(platform=self.platform, import_id=self.import_id)
        decides = [self.platform, FORMAT, self.options.person_properties, self.options.source_timezone]
        text = json.dumps([*decides, sorted(self.options.keep)])
        digest = hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
        return Stamp(platform=self.platform, import_id=f"{self.platform}-{digest}")

    def transform(self, table: Table) -> Transform:
        """Return how a table's rows become events."""
        bounds = {"since": self.since, "until": self.until}
        return Transform(table=table, stamp=self.stamp(), options=self.options, **bounds)

    def work(self, inputs: Sequence[str]) -> "Work":
        """Return what there is to plan in the inputs; raises UsageError before anything is made."""
        found = sources(inputs)
        skipped = {reason: list(names) for reason, names in found.skipped.items()}
        header = partial(readers.header, encoding=self.encoding, delimiter=self.delimiter)
        files = [source for source in found.sources if not self._is_spec(source)]
        jobs = recognised(files, self.mapping(), header, skip_unknown=self.skip_unknown, skipped=skipped)
        return Work(self, jobs, skipped)

    def _is_spec(self, source: Source) -> bool:
        """Return whether a source is the spec, which may lie in the folder that it describes."""
        return self.spec is not None and source.member is None and source.path == self.spec.absolute()


@dataclass(frozen=True)
class Work:
    """What there is to plan, and what was passed over, by reason."""

    settings: Settings
    jobs: list[Job]
    skipped: dict[str, list[str]]


def pinned(checkpoint: Checkpoint, settings: Settings) -> None:
    """Bind a workdir to its settings, or raise Refused when it was planned with others."""
    known, now = checkpoint.facts(), settings.facts()
    if "platform" not in known:
        checkpoint.note(**now)
        return
    if (known["mapping"], known["payload_format"]) != (now["mapping"], now["payload_format"]):
        raise Refused(
            f"{checkpoint.workdir}: planned with another version of the {settings.platform} mapping, of its spec or of "
            "migrate, so the same rows might become other events; finish with the version and spec it was planned "
            "with, or plan into another --workdir"
        )
    for name, value in now.items():
        if known.get(name) != value:
            raise Refused(
                f"{name}: this workdir was planned with {known.get(name)}, found {value}; "
                "use what it was planned with, or plan into another --workdir"
            )


@dataclass
class Session:
    """Work in one workdir; `stop` asks whatever runs to end early, resumable."""

    checkpoint: Checkpoint
    _stops: list[Callable[[], None]] = field(default_factory=list)
    interrupted: bool = False

    @property
    def workdir(self) -> Path:
        """The workdir."""
        return self.checkpoint.workdir

    def stop(self) -> None:
        """Finish what is in flight, then end."""
        self.interrupted = True
        for stop in self._stops:
            stop()

    def plan(
        self,
        work: Work,
        on_progress: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        """Plan what is not planned yet."""
        settings = work.settings
        pinned(self.checkpoint, settings)
        self.checkpoint.note(skipped={reason: len(names) for reason, names in work.skipped.items()})
        planner = Planner(
            workdir=self.workdir,
            checkpoint=self.checkpoint,
            transform=settings.transform,
            limit=settings.limit,
            on_progress=on_progress,
        )
        self._stops.append(planner.stopping.set)
        if not self.interrupted:
            planner.plan(work.jobs)

    def apply(self, delivery: Delivery, on_progress: Callable[[Settled], None] = lambda _: None) -> None:
        """Send what is planned and pending."""
        asyncio.run(self._applied(delivery, on_progress, resend=False))

    def resend(self, delivery: Delivery) -> None:
        """Send the parked events again."""
        asyncio.run(self._applied(delivery, lambda _: None, resend=True))

    async def _applied(
        self, delivery: Delivery, on_progress: Callable[[Settled], None], *, resend: bool
    ) -> None:
        """Send, so that `stop` reaches the sender."""
        applying.pinned(self.checkpoint, delivery)
        parked.restore(self.workdir, self.checkpoint)
        work = applying.Apply(self.workdir, self.checkpoint, delivery, on_progress=on_progress)
        loop = asyncio.get_running_loop()

        def stop() -> None:
            loop.call_soon_threadsafe(work.interrupt)

        self._stops.append(stop)
        try:
            if not self.interrupted:
                await (work.resend() if resend else work.run())
        finally:
            self._stops.remove(stop)


@dataclass(frozen=True)
class Preview:
    """One source row and the payloads it becomes; none, when it is left out."""

    source: dict[str, Any]
    payloads: list[str]


def preview(work: Work, limit: int) -> Iterator[Preview]:
    """Yield the first rows with their payloads, exactly as they would be sent, in the order of the files."""
    left = limit
    for job in work.jobs:
        for chunk in readers.chunks(job.source, job.table, job.header):
            first = readers.Chunk(chunk.rows.head(left), [], {})
            yield from _previewed(first, work.settings.transform(job.table))
            left -= first.rows.height
            if left <= 0:
                return


def _previewed(chunk: readers.Chunk, transform: Transform) -> Iterator[Preview]:
    """Yield the rows of a chunk with their payloads."""
    made = finished(chunk, transform, datetime.now(UTC)).frame
    if transform.table.ordinals:
        made = ordinals.numbered_frame(made)
    by_row = dict(made.group_by("row").agg(pl.col("payload")).iter_rows())
    for row in chunk.rows.iter_rows(named=True):
        yield Preview(source(row), by_row.get(row["_row"], []))
