"""Small tables that tell of the rows of others: found beside each file by their names, read once, held in memory."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import polars as pl

from migrate.errors import Unfit, UsageError
from migrate.inputs.nearest import container, nearest
from migrate.inputs.source import Source
from migrate.kit.declare import REST, Join, Table, inside
from migrate.plan.jobs import Job
from migrate.plan.joined import Index, Joined, Joining
from migrate.readers.files import read_chunks
from migrate.readers.headers import settled
from migrate.readers.records import Header
from migrate.screen import counted
from migrate.workdir.records import Aside

MOST_BYTES: Final = 256 << 20
MOST_ROWS: Final = 5_000_000
_CUT: Final = frozenset({"truncated_file", "unreadable_file"})


@dataclass
class Lookups:
    """The lookups of a platform, among files of these names."""

    tables: Sequence[Table]
    called: Callable[[Sequence[str]], list[str]]
    """Globs -> the names of the sources that are called so."""
    source: Callable[[str], Source]
    """Name -> the source, also one that was passed by as unchanged; raises `Unfit` where it is gone."""
    header: Callable[[Source], Header | None]
    aside: Collection[str] = ()
    """Names of the files that cannot be read as they are."""
    most_bytes: int = MOST_BYTES
    most_rows: int = MOST_ROWS
    remarks: list[str] = field(default_factory=list)
    """What people should know of the lookups that were asked for."""
    _read: dict[tuple[str, tuple[str, ...]], Index] = field(default_factory=dict)

    def joined(self, jobs: Sequence[Job]) -> tuple[list[Job], dict[str, Aside]]:
        """Return the jobs with what is to be joined, and why others wait for a lookup.

        Raises UsageError where a lookup is not small.
        """
        ready, waiting = [], dict[str, Aside]()
        for job in jobs:
            try:
                ready.append(replace(job, joined=self._of(job)) if job.table.joins else job)
            except Unfit as error:
                waiting[job.source.name] = Aside(error.reason, error.why)
        return ready, waiting

    def _of(self, job: Job) -> Joined:
        """Return the joins of a file; raises `Unfit` where a lookup is needed that is not there or cannot be read."""
        lines = job.source.lines  # of rows that were rejected: those of a file that was there before
        whose = job.source.name if lines is None else lines.file
        return Joined(
            [
                Joining(
                    name,
                    join.on,
                    join.columns,
                    self._index(whose, name, join, is_asked=_may_have(job, join.on)),
                    join.several,
                    join.nothing,
                )
                for name, join in job.table.joins.items()
            ]
        )

    def _index(self, name: str, what: str, join: Join, *, is_asked: bool) -> Index | None:
        """Return what the lookups nearest to a file come to, None where there is none and none is needed."""
        table = next(one for one in self.tables if one.name == join.table)
        on = join.on.removeprefix(inside(REST, ""))
        globs = table.lookup.files if table.lookup else ()
        found = nearest(name, self.called(globs))
        if not found:
            called = " or ".join(globs)
            where = f"no input called {called} is in {container(name)}, and none of its day elsewhere"
            if join.required:
                why = f"{on} is looked up in {join.table}, and {where}; name it, or its folder, as an input, too"
                raise Unfit(name, "no_lookup", why)
            if is_asked:
                self._remark(f"{name}: {what} is empty in all of its rows: {where}")
            return None
        places = sorted({container(one) for one in found})
        if len(places) > 1:
            why = f"{on} is looked up in {join.table}, and nobody can tell whether in {places[0]} or {places[1]}"
            raise Unfit(name, "several_lookups", f"{why}; leave the one it was exported with in its folder")
        key = join.table, tuple(found)
        if key not in self._read:
            self._read[key] = self._load(name, table, found)
        return self._read[key]

    def _load(self, name: str, table: Table, files: Sequence[str]) -> Index:
        """Return what these files of a lookup hold; raises `Unfit` of the file that needs them where one is broken."""
        wanted = self._wanted(table)
        try:
            frames = [frame for file in files for frame in self._frames(file, table, wanted)]
        except Unfit as error:
            why = f"it is looked up in {error.name}, which {error.why}; it waits until that is there"
            raise Unfit(name, "no_lookup", why) from error
        whole = pl.concat([pl.DataFrame(schema=dict.fromkeys(wanted, pl.String)), *frames])
        key = table.lookup.key if table.lookup else ""
        index = Index(whole[key], whole)
        if index.conflicts:
            self._remark(
                f"{files[-1]}: {counted(index.conflicts, 'row')} of {table.name} beside one that says something else "
                f"of the same {key}; of each {key} the last row counts"
            )
        return index

    def _frames(self, file: str, table: Table, wanted: Sequence[str]) -> list[pl.DataFrame]:
        """Return the rows of a file, of these columns alone."""
        if file in self.aside:
            raise Unfit(file, "no_lookup", "is set aside as it is")
        source = self.source(file)
        header = self.header(source)
        if header is None:
            return []
        columns = frozenset(name.lower() for name in header.columns)
        if not table.takes(columns, source.stem.lower(), source.called):
            raise Unfit(file, "no_lookup", f"is called as {table.name} are, and has not their columns")
        header, complaint = settled(source, header)
        if complaint is not None:
            raise Unfit(file, *complaint)
        lowered = {name.lower() for name in wanted}
        others = {name for name in (*table.columns, *header.columns) if name.lower() not in lowered}
        few = replace(
            table,
            columns=dict.fromkeys(wanted, pl.String()),
            dropped=table.dropped | others,
            bags={},
            objects=(),
            properties=(),
            whole=False,
            ids=(),
        )
        frames, rows, size = [], 0, 0
        for chunk in read_chunks(source, few, header):
            if any(one.reason in _CUT for one in chunk.rejects):
                raise Unfit(file, "no_lookup", "is cut short")
            frames.append(chunk.rows.select(wanted))
            rows, size = rows + chunk.rows.height, size + int(frames[-1].estimated_size())
            if size > self.most_bytes or rows > self.most_rows:
                otherwise = table.lookup.otherwise if table.lookup else ""
                raise UsageError(
                    f"{file}: {table.name} is looked up row by row, and held in memory for it; found more than "
                    f"{rows:,} rows and {size:,} bytes in {', '.join(wanted)}, where {self.most_rows:,} rows and "
                    f"{self.most_bytes:,} bytes are held; {otherwise}"
                )
        return frames

    def _wanted(self, table: Table) -> list[str]:
        """Return the key of a lookup and the columns that any join asks for."""
        key = [table.lookup.key] if table.lookup else []
        joins = (join for one in self.tables for join in one.joins.values() if join.table == table.name)
        return [*dict.fromkeys([*key, *(column for join in joins for column in join.columns)])]

    def _remark(self, text: str) -> None:
        if text not in self.remarks:
            self.remarks.append(text)


def changed(jobs: Mapping[str, Job], names: Collection[str]) -> list[str]:
    """Return what is to be said of lookups among files that have changed."""
    return [
        f"{name}: has changed since rows were planned with it; those stand, rows planned now have what it says now"
        for name in names
        if name in jobs and jobs[name].table.lookup is not None
    ]


def _may_have(job: Job, on: str) -> bool:
    """Return whether a file may have what is looked up: not where its header has not the column that holds it."""
    if job.header.format != "csv":
        return True  # what the first records lack may stand in later ones
    own = {name.lower() for name in job.header.columns}
    return not any(
        (on == column or on.startswith(inside(column, ""))) and column.lower() not in own
        for column in job.table.columns
    )
