"""Files written in a test and read back: what the tests of the readers share."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from migrate.inputs.listing import sources
from migrate.inputs.source import Source
from migrate.kit.declare import REST, ROW, Table
from migrate.readers.dialects import Layout
from migrate.readers.files import read_chunks
from migrate.readers.headers import read_header
from migrate.readers.records import Header, Reject


@dataclass
class Reading:
    """What a file came to."""

    header: Header | None
    rows: list[dict[str, Any]]
    rejects: list[Reject]
    counts: Counter[str]
    chunks: int

    @property
    def reasons(self) -> list[tuple[int | None, str]]:
        """Where rejects stand, and why."""
        return [(one.row, one.reason) for one in self.rejects]

    def column(self, name: str) -> list[tuple[int, Any]]:
        """Row numbers with a column's values."""
        return [(row[ROW], row[name]) for row in self.rows]

    @property
    def rests(self) -> list[str | None]:
        """The rest of each row."""
        return [row[REST] for row in self.rows]


def table(
    columns: Collection[str] = ("a", "b"),
    *,
    dropped: Collection[str] = (),
    objects: Sequence[str] = (),
    types: dict[str, Any] | None = None,
) -> Table:
    """A table of text columns, some perhaps of other types."""
    return Table(
        name="rows",
        columns={name: (types or {}).get(name, pl.String) for name in columns},
        matches=lambda _: True,
        to_events=lambda rows, _: rows,
        objects=objects,
        dropped=frozenset(dropped),
    )


def source(path: Path, data: bytes | None = None) -> Source:
    """The one source at this path."""
    if data is not None:
        path.write_bytes(data)
    return sources([str(path)]).sources[0]


def read(
    path: Path,
    data: bytes | None = None,
    given: Table | None = None,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    **sizes: int,
) -> Reading:
    """Read a file for a table, by default one of the columns a and b."""
    found = source(path, data)
    head = read_header(found, encoding=encoding, layout=Layout(delimiter=delimiter))
    reading = Reading(head, [], [], Counter(), 0)
    for chunk in read_chunks(found, given or table(), head, **sizes) if head else ():
        reading.rows += chunk.rows.rows(named=True)
        reading.rejects += chunk.rejects
        reading.counts.update(chunk.counts)
        reading.chunks += 1
    return reading
