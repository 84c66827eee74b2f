"""A file → its first rows, each value as the file has it, and what could not be read of them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec
import polars as pl

from migrate.inputs.source import Source
from migrate.inputs.streams import Meter
from migrate.inspection.columns import Row
from migrate.inspection.values import Value
from migrate.jsontext.parse import raw_object
from migrate.kit import events
from migrate.kit.declare import REST, Table
from migrate.readers.files import read_chunks
from migrate.readers.records import Chunk, Header, Reject, first_rows

ROWS: Final = 1_000
"""So many rows of a file are looked at, readable or not."""
CELLS: Final = 200_000
"""So many cells at the most: of very wide files fewer rows."""
_BLOCK_BYTES: Final = 256 << 10
_BLOCKS: Final = 8
"""So many stretches of a file are read at the most, 2 MB of text."""
_MOST_BYTES: Final = 2 << 20
"""No more are read once so much was: rows may be as large as many stretches."""
_unescaped: Final = msgspec.json.Decoder(str).decode
_ALL: Final = Table(
    name="columns", columns={}, matches=bool, to_events=events.none, partitions=True, nulls=()
)
"""Declares nothing, so that all of a row comes as it is."""


@dataclass
class First:
    """The first rows of a file."""

    rows: list[Row] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    """What was repaired, by name, as `Chunk.counts`."""
    is_whole: bool = False
    """Whether these are all rows of the file."""
    share: float | None = None
    """How much of the file was read for them; None where that is not known."""

    @property
    def read(self) -> int:
        """How many rows were looked at, readable or not."""
        return len(self.rows) + sum(one.row is not None for one in self.rejects)


def most_rows(header: Header) -> int:
    """Return how many rows of a file with such a header are looked at."""
    return max(1, min(ROWS, CELLS // max(1, len(header.columns))))


def first(source: Source, header: Header) -> First:
    """Return the first rows of a file as it has them."""
    found = First()
    meter = Meter()
    for chunk in bounded(replace(source, meter=meter), _ALL, header, found):
        found.rows += map(_row, chunk.rows[REST])
        found.rejects += chunk.rejects
        found.counts.update(chunk.counts)
    found.share = 1.0 if found.is_whole else meter.share or None
    return found


def bounded(source: Source, table: Table, header: Header, found: First) -> Iterator[Chunk]:
    """Yield the first rows of a file for a table; `found` is told whether these are all."""
    left, size = most_rows(header), 0
    if not header.columns:  # nothing in it is a row: it would be read to its end to say so
        return
    chunks = read_chunks(source, table, header, block_bytes=_BLOCK_BYTES)
    for number, chunk in enumerate(chunks, 1):
        head = first_rows(chunk, left)
        unknown = [
            pl.lit(None, pl.String).alias(name) for name in table.joined()
        ]  # nothing is looked up here
        yield replace(head, rows=head.rows.with_columns(unknown)) if unknown else head
        left -= head.rows.height + len(head.rejects)
        size += int(chunk.rows.estimated_size())
        if left <= 0 or number == _BLOCKS or size >= _MOST_BYTES:
            found.is_whole = head is chunk and next(chunks, None) is None
            return
    found.is_whole = True


def _row(text: str | None) -> Row:
    members = {} if text is None else raw_object(text)
    return {name: value for name, raw in members.items() if (value := value_of(bytes(raw))) is not None}


def value_of(raw: bytes) -> Value | None:
    """Return the value that a JSON text is; None where it is null."""
    start = raw[:1]
    if start == b'"':
        return Value("text", _unescaped(raw))
    text = raw.decode("utf-8", "replace")
    if start in b"{[":
        return Value("object" if start == b"{" else "list", text)
    if start in b"tf":
        return Value("yes or no", text)
    return None if start == b"n" else Value("number", text)
