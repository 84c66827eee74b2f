"""The first rows of a file as a platform's → what would become of them, and in which zone their times are.

Nothing is asked of anyone else: who is who, and what other files know of these rows, is not known here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

import polars as pl

from migrate.candidates import Candidate, Candidates
from migrate.inputs.source import Source, Stems
from migrate.inspection.clocks import Clock, Zone
from migrate.inspection.columns import column_of
from migrate.inspection.first import First, bounded
from migrate.inspection.values import Value
from migrate.kit import events
from migrate.kit.declare import FILE, PERSON, RECOVERED, ROW, Options, Table
from migrate.payload.payloads import claimed
from migrate.plan.finished import Finished, finished
from migrate.plan.jobs import Job
from migrate.plan.transform import Transform
from migrate.readers.records import Chunk, Header
from migrate.settings import Settings
from migrate.workdir.records import Numbers

_ELSEWHERE: Final = "+05:00"
"""Any zone but UTC: times that are others under it are those that `--source-timezone` decides."""
_KEY: Final = ("uuid", "event", "distinct_id", "day")


@dataclass
class Outlook:
    """What would become of rows; added to file by file."""

    numbers: Numbers = field(default_factory=Numbers)
    events: int = 0
    duplicates: int = 0
    """Events that another one of the same file is, to PostHog."""
    first: datetime | None = None
    last: datetime | None = None
    placed: int = 0
    """How many rows with a time were read under two zones."""
    shifted: int = 0
    """How many of them have another time then."""
    texts: list[str] = field(default_factory=list)
    """The times as the rows have them."""

    def clock(self, title: str) -> Clock | None:
        """Return when the events of the platform called so are, and how their zone is known; None without events."""
        if self.first is None or self.last is None:
            return None
        said = column_of("time", [Value("text", text) for text in self.texts], len(self.texts)).clock
        zone: Zone = "known" if said is None else said.zone
        why = f"read as {title} writes them" if said is None else said.why
        if self.shifted:
            some = "" if self.shifted == self.placed else f", of {self.shifted:,} of {self.placed:,} rows"
            joint = "and" if zone in {"unknown", "in some"} else "but"
            zone, why = "unknown", f"{why}, {joint} {title} writes its project's own clock{some}"
        elif zone in {"unknown", "in some"}:
            zone, why = "known", f"{why}; {title}'s are UTC"
        first, last = (f"{one:%Y-%m-%dT%H:%M:%SZ}" for one in (self.first, self.last))
        return Clock(first=first, last=last, zone=zone, why=why, unreadable=0)

    def add(self, made: Finished, rows: Chunk, table: Table, file: str) -> None:
        """Add what became of a chunk of rows of a file of this name."""
        places = {name: [f"{file}:{row}" for row in some] for name, some in made.numbers.examples.items()}
        self.numbers.add(replace(made.numbers, examples=places))
        frame = made.frame.with_columns(day=pl.col("timestamp").dt.date())
        self.events += frame.height
        self.duplicates += frame.height - frame.select(_KEY).unique().height
        times = [*frame["timestamp"].drop_nulls()] if frame.height else []
        self.first = min([*times, *([self.first] if self.first else [])], default=None)
        self.last = max([*times, *([self.last] if self.last else [])], default=None)
        if names := [name for name in table.times if name in rows.rows.columns]:
            first = pl.coalesce(pl.col(name).cast(pl.String) for name in names)
            self.texts += rows.rows.select(first).to_series().drop_nulls().to_list()


class Ahead:
    """Looks ahead at files of one candidate's table."""

    def __init__(self, candidate: Candidate, candidates: Candidates, names: Sequence[str]) -> None:
        """`names`: of all files, some of which may tell of rows of others; raises UsageError where it cannot be."""
        self.found = Outlook()
        self._candidate = candidate
        options = Options(files=Stems(names))
        elsewhere = replace(options, source_timezone=_ELSEWHERE)
        self._now = datetime.now(UTC)
        self._here = self._made(candidate.table, options)
        self._there = self._made(candidates.under(candidate, elsewhere), elsewhere)

    def _made(self, table: Table, options: Options) -> tuple[Settings, Table]:
        return Settings(platform=self._candidate.platform, options=options), claimed(table, options)

    def look(self, source: Source, header: Header) -> None:
        """Add what would become of the first rows of a file."""
        here, there = (self._transform(one, source, header) for one in (self._here, self._there))
        for number, read in enumerate(bounded(source, here.table, header, First())):
            chunk = replace(read, rows=_unjoined(read.rows, here.table))
            made = finished(chunk, here, self._now)
            self.found.add(made, chunk, here.table, source.name)
            if number == 0 and here.table.to_events is not events.none:
                ours, theirs = (_times(chunk.rows, way) for way in (here, there))
                both = ours.join(theirs, on=ROW, how="left").drop_nulls("timestamp")
                self.found.placed += both.height
                self.found.shifted += int(both["timestamp"].ne_missing(both["timestamp_right"]).sum())

    @staticmethod
    def _transform(way: tuple[Settings, Table], source: Source, header: Header) -> Transform:
        settings, table = way
        return settings.transform(Job(source=source, header=header, table=table))


def _unjoined(rows: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Return rows with null for what lookups would tell of them: no other file is looked at here."""
    lacking = [name for name in table.joined() if name not in rows.columns]
    return rows.with_columns(pl.lit(None, pl.String).alias(name) for name in lacking)


def _times(rows: pl.DataFrame, way: Transform) -> pl.DataFrame:
    """Return the time that each row's event gets."""
    told = {FILE: way.file, PERSON: None, RECOVERED: None}
    known = [pl.lit(text, pl.String).alias(name) for name, text in told.items() if name not in rows.columns]
    made = way.table.to_events(rows.with_columns(known).lazy(), way.options)
    return made.select(ROW, "timestamp").collect().group_by(ROW).agg(pl.col("timestamp").min())
