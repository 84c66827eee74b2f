"""The first rows of files as they were read, kept while the same is read in the same way: mapping alone runs again."""

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Final

from migrate import numbering
from migrate.errors import Unfit
from migrate.inputs.source import stamp
from migrate.jsontext.parse import Raw
from migrate.kit.declare import ROW, Table
from migrate.people.identity import Report
from migrate.plan.bundles import Bundle, job_chunks
from migrate.plan.finished import Finished
from migrate.plan.jobs import Job
from migrate.plan.transform import Transform
from migrate.preview import Reading
from migrate.readers.files import read_chunks
from migrate.readers.records import Chunk, first_rows
from migrate.serving.warned import warned

_BLOCK_BYTES: Final = 256 << 10
"""Text taken up at once: a thousand rows are seldom more than a few of these."""
_MOST_BYTES: Final = 128 << 20
"""So much is kept of what was read, as polars estimates it; what has been here longest goes first."""
_ROW_BYTES: Final = 8 << 10
"""So long rows may be on average, as polars estimates it; of longer ones fewer are looked at than were asked for."""
_NOT_READ_BY: Final = frozenset(
    {
        *(
            "matches",
            "missing",
            "refusal",
            "file",
            "files",
            "to_events",
            "to_profiles",
            "to_groups",
            "to_links",
        ),
        *("tells_own", "link_columns", "resolve", "to_recoveries", "recover", "clock", "filters", "warnings"),
        *("ordinals", "neighbours", "joins", "lookup"),
    }
)
"""Fields of a table that have no part in how its rows are read."""

_Key = tuple[object, ...]


class Kept(Reading):
    """What was read of each file, and what was heard of the rows of the last preview."""

    def __init__(
        self,
        limit: int,
        on_reading: Callable[[str], None] = lambda _: None,
        on_rows: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_reading` is told of a file before it is read; `on_rows` when it was, and before more is made of rows."""
        self._limit = limit
        self._on_reading, self._on_rows = on_reading, on_rows
        self._chunks: dict[_Key, list[Chunk]] = {}
        self._originals: dict[_Key, Mapping[int, Mapping[str, Raw]]] = {}
        self._shown: set[_Key] = set()
        self._numbers: dict[str, list[int]] = {}
        self._left = limit * _ROW_BYTES
        self.warnings: dict[str, list[str]] = {}
        """Where a row is -> the warnings that it is counted under."""
        self.tables: dict[str, Table] = {}
        """Name of a file -> what it was read as."""
        self.report: Report | None = None

    @property
    def is_full(self) -> bool:
        """Whether the rows of the last preview are so long that no further ones were looked at."""
        return self._left <= 0

    def begin(self) -> None:
        """Forget what was heard of the last preview, and the originals that it did not show."""
        self._originals = {key: rows for key, rows in self._originals.items() if key in self._shown}
        self._shown.clear()
        self._numbers, self._left = {}, self._limit * _ROW_BYTES
        self.warnings, self.tables, self.report = {}, {}, None

    def chunks(self, job: Job) -> Iterator[Chunk]:
        """Yield the first rows of a file, read if they are not here."""
        if self.is_full:
            return
        key = _key(job)
        if key is None or (found := self._chunks.get(key)) is None:
            self._on_reading(job.source.name)
            found = self._read(job)
            self._on_rows()
            if key is not None:
                self._keep(key, found)
        numbers = self._numbers[job.source.name] = []
        for chunk in job_chunks(job, iter(found)):
            numbers.extend(chunk.rows[ROW])
            self._left -= int(chunk.rows.estimated_size())
            yield chunk
            if self.is_full:
                return

    def _read(self, job: Job) -> list[Chunk]:
        """Return the first rows of a file, as many as are shown of all files."""
        found: list[Chunk] = []
        left, room = self._limit, self._limit * _ROW_BYTES
        for chunk in read_chunks(job.source, job.table, job.header, block_bytes=_BLOCK_BYTES):
            found.append(head := first_rows(chunk, left))
            left -= head.rows.height + len(head.rejects)
            room -= int(head.rows.estimated_size())
            if left <= 0 or room <= 0:
                break
        return found

    def _keep(self, key: _Key, found: list[Chunk]) -> None:
        """Keep the rows of a file, and forget what has been here longest where that is too much."""
        self._chunks[key] = found
        sizes = {one: sum(chunk.rows.estimated_size() for chunk in of) for one, of in self._chunks.items()}
        for one in [*self._chunks][:-1]:
            if sum(sizes.values()) <= _MOST_BYTES:
                break
            del self._chunks[one], sizes[one]

    def originals(self, job: Job, numbers: Sequence[int]) -> Mapping[int, Mapping[str, Raw]]:
        """Return rows as their file has them; if they are not here, all that are shown of it are read at once."""
        table = job.table
        columns = tuple(sorted(table.columns)) if job.header.partitions else ()
        key = (job.source.name, _stamp(job), job.header, table.unfold, table.partitions, columns)
        self._shown.add(key)
        known = self._originals.get(key, {})
        if not known.keys() >= {*numbers}:
            self._on_reading(job.source.name)
            known = self._originals[key] = super().originals(job, self._numbers[job.source.name])
            self._on_rows()
        return known

    def made(self, bundle: Bundle, chunk: Chunk, transform: Transform, made: Finished) -> None:
        """Note which of the rows warnings are of."""
        self._on_rows()
        self.tables |= {job.source.name: job.table for job in bundle.jobs}
        for row, names in warned(chunk, transform, made).items():
            self.warnings[numbering.place(*bundle.whence(row))] = names

    def resolved(self, report: Report) -> None:
        """Note who is who."""
        self.report = report


def _stamp(job: Job) -> str:
    """Return what tells a file's content from another; nothing of one that is gone, which its reader says."""
    try:
        return stamp(job.source)
    except Unfit:
        return ""


def _key(job: Job) -> _Key | None:
    """Return what the rows of a file hang on; None where that cannot be told, as of functions made on the way."""
    table = job.table
    says = [getattr(table, one.name) for one in fields(Table) if one.name not in _NOT_READ_BY]
    says.append(bool(table.joins))  # then what is computed is computed behind them
    try:
        return job.source.name, _stamp(job), job.header, pickle.dumps(says)
    except (pickle.PicklingError, AttributeError, TypeError):
        return None
