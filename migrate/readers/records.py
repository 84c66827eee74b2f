"""What every reader hands on: a header, chunks of rows, rejects; small chunks put together, large ones cut."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from typing import Final, Literal, NamedTuple

import polars as pl

from migrate.jsontext.careful import fault
from migrate.kit.declare import ROW
from migrate.kit.distinct import together
from migrate.readers.dialects import Layout, Plain

BLOCK_BYTES: Final = 2 << 20
"""Text taken up at once; the only thing that decides where chunks end."""

RECORD_BYTES: Final = 64 << 20
"""The longest record; a longer one is a reject, and is never held in memory whole."""

_ROWS: Final = 18_000
"""A chunk of Amplitude costs 30 ms by itself, as much as 3,000 of its rows; one of a flat file 9 ms (measured)."""
_BYTES: Final = 11 << 20
"""As `_size` has them; what becomes of a chunk takes five times as much while it is made (measured)."""
_CELL_BYTES: Final = 16
"""What polars' own estimate leaves out: the place of each text, where a column is not null throughout."""
VALUE_CHARACTERS: Final = 500
ROUNDED: Final = "\0\0rounded id "
"""Stands before an id that may not be what the source once had; its row becomes a reject."""

Format = Literal["csv", "jsonl", "json", "parquet", "avro", "orc"]


class Reject(NamedTuple):
    """A record that cannot become a row."""

    row: int | None
    """Where it stands, counted as `ROW`; None for the file as a whole."""
    reason: str
    value: str
    """What was found, shortened."""
    why: str | None = None
    """Where in it something is wrong, and what, as far as that can be said."""


@dataclass(frozen=True)
class Chunk:
    """The rows of a stretch of a file: `ROW`, every declared column with its declared type, `REST`."""

    rows: pl.DataFrame
    rejects: list[Reject]
    counts: Mapping[str, int] = field(default_factory=dict)
    """Repairs and oddities by name: `invalid_utf8`, `lone_surrogate`, `wrong_type.<column>` …"""


_LAYOUT: Final = Layout()


@dataclass(frozen=True)
class Header:
    """What a file is and which columns (root keys, for JSON) it has."""

    format: Format
    columns: tuple[str, ...]
    delimiter: str | None = None
    encoding: str = "utf-8"
    line_end: str = "\n"
    layout: Layout = _LAYOUT
    """How a file of delimited text is written: what the user says of it, and what was found out."""
    says_delimiter: bool = False
    """Whether Excel's line `sep=;` stands above all others."""
    seems_plain: bool = field(default=False, compare=False)
    """Whether its start is plain delimited text, of which nobody has said what it is."""
    is_unsettled: bool = field(default=False, compare=False)
    """Whether it is still to be seen, by who reads all of it, if its text is what its start shows, see `settled`."""
    damage: str | None = None
    """Why its start could not be read to the end."""
    is_torn: bool = False
    """Whether a quote in the first line of delimited text is not closed there."""
    doubt: str | None = None
    """Why the file cannot be read so, and what to say instead."""
    value: str | None = None
    """A cell of the first line that no column is called, so that it may be a row."""
    partitions: tuple[tuple[str, str | None], ...] = ()
    """Names and values of the folders `name=value` that the file lies in, as Hive and Spark lay files out."""
    wrapper: str | None = None
    """The column or root key that rows with these `columns` stand inside of, see `wrapped`; None for the file's own."""
    around: tuple[str, ...] = ()
    """The file's own columns, where there is a `wrapper`."""
    within: "Header | None" = None
    """The header of the rows inside of a wrapper, where the file may be read in that way too."""

    @property
    def beside(self) -> list[str]:
        """Return the columns that stand beside those that rows stand inside of, which are no row's."""
        return [name for name in self.around if name != self.wrapper]

    def plain(self) -> Plain | None:
        """Return what looks whether what seems plain delimited text is; None for all other."""
        return Plain(self.delimiter) if self.seems_plain and self.delimiter else None

    def partition(self, name: str) -> bool:
        """Return whether folders say something under a name, in any case, that the file has no column for."""
        lowered = {column.lower() for column in self.columns}
        return name.lower() in {one.lower() for one, _ in self.partitions} and name.lower() not in lowered

    def holding(self, wrapper: str, columns: Iterable[str]) -> "Header":
        """Return this header, and with it that of the rows which stand inside of a wrapper."""
        return replace(
            self, within=replace(self, columns=tuple(columns), wrapper=wrapper, around=self.columns)
        )


@dataclass
class Part:
    """A stretch of a file before it is a chunk: every declared column as text, objects not opened yet."""

    rows: pl.DataFrame
    rejects: list[Reject] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    sound: frozenset[str] = frozenset()
    """Columns known to hold objects or nothing."""
    flat: pl.DataFrame | None = None
    """Of flat files: the undeclared columns as values that JSON has; `rows` are then without `REST`."""
    json: frozenset[str] = frozenset()
    """Which of these are JSON text already."""


def reject(row: int | None, reason: str, value: bytes | str) -> Reject:
    """Return a reject with its value shortened to what a file, a screen and a database can take."""
    text = value.encode("utf-8", "replace") if isinstance(value, str) else value
    shown = text[: VALUE_CHARACTERS * 4].decode("utf-8", "replace")[:VALUE_CHARACTERS]
    return Reject(row, reason, shown, fault(text) if reason == "malformed_json" else None)


def aliases(columns: Sequence[str]) -> dict[str, str]:
    """Return names for frames: whatever a file calls its columns, polars may read `*` or `^x$` as a pattern."""
    return {name: f"c{index}" for index, name in enumerate(columns)}


def spelled(declared: Mapping[str, object], columns: tuple[str, ...]) -> dict[str, str]:
    """Return declared column → its name in the file, in any case; the very name is preferred. Others are left out."""
    lowered: dict[str, str] = {}
    for column in columns:
        lowered.setdefault(column.lower(), column)
    spelling = {name: name if name in columns else lowered.get(name.lower()) for name in declared}
    return {name: column for name, column in spelling.items() if column is not None}


def regrouped(chunks: Iterable[Chunk], *, rows: int = _ROWS, size: int = _BYTES) -> Iterator[Chunk]:
    """Yield neighbouring chunks as one until it has so many rows and rejects, or so many bytes; none much larger.

    It holds nothing of what it has yielded, which is taken from it, not lent.
    """
    held: list[Chunk] = []
    height = taken = 0
    for chunk in chain.from_iterable(map(partial(_cut, size), chunks)):
        held.append(chunk)
        height += chunk.rows.height + len(chunk.rejects)
        taken += _size(chunk.rows)
        del chunk
        if height >= rows or taken >= size:
            whole = [_together(held)]
            held, height, taken = [], 0, 0
            yield whole.pop()
    if held:
        whole = [_together(held)]
        del held
        yield whole.pop()


def first_rows(chunk: Chunk, count: int) -> Chunk:
    """Return the first rows of a chunk, readable or not; what was repaired in it is counted of all of them."""
    numbers = sorted([*chunk.rows[ROW].head(count), *map(row_of, chunk.rejects)])
    if len(numbers) <= count and chunk.rows.height <= count:
        return chunk
    last = numbers[count - 1]
    rejects = [one for one in chunk.rejects if row_of(one) <= last]
    return Chunk(chunk.rows.filter(pl.col(ROW) <= last), rejects, chunk.counts)


def row_of(reject: Reject) -> float:
    """Return the row of a reject; one of the file as a whole comes after all rows."""
    return reject.row or math.inf


def _cut(size: int, chunk: Chunk) -> Iterator[Chunk]:
    """Yield a chunk in as many slices as make them about so many bytes; the first has what belongs to no row."""
    pieces = round(_size(chunk.rows) / size)
    if pieces <= 1:
        whole = [chunk]
        del chunk
        yield whole.pop()
        return
    rejects, counts = chunk.rejects, chunk.counts
    for rows in chunk.rows.iter_slices(max(1, -(-chunk.rows.height // pieces))):
        yield Chunk(rows, rejects, counts)
        rejects, counts = [], {}


def _size(rows: pl.DataFrame) -> int:
    """Return how many bytes rows take in memory."""
    texts = sum(
        column.dtype == pl.String and column.null_count() < rows.height for column in rows.get_columns()
    )
    return int(rows.estimated_size()) + _CELL_BYTES * rows.height * texts


def _together(chunks: list[Chunk]) -> Chunk:
    """Return the chunks as one."""
    if len(chunks) == 1:
        return chunks[0]
    rejects: list[Reject] = []
    counts: Counter[str] = Counter()
    for chunk in chunks:
        rejects += chunk.rejects
        counts.update(chunk.counts)
    return Chunk(together([chunk.rows for chunk in chunks]), rejects, counts)
