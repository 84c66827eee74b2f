"""Records that hold many rows in an array → a row for each of its elements, with all else that the record says."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import msgspec
import polars as pl

from migrate import numbering
from migrate.inputs.source import Source
from migrate.jsontext.careful import BadJSON, careful_elements
from migrate.jsontext.parse import texts
from migrate.kit.declare import POSITION, ROW, Table
from migrate.readers.arrays import Elements
from migrate.readers.records import Part, reject, row_of

_BLANK: Final = " \t\r\n"
_NOTHING: Final = ("", "null")
_BLOCKS: Final = 4
"""A part is cut where its rows take as much as so many blocks of text, about what is planned at once."""
MOST: Final = 1_000_000
"""A record with more elements is a reject: each of them takes 130 bytes while it is unfolded, however small it is."""
_PIECE: Final = 1 << 20
_VIEW: Final = 16
"""Bytes that a cell takes in a frame, whatever its text."""
_text: Final = msgspec.json.Decoder(str).decode
_FAILURES: Final = (msgspec.DecodeError, UnicodeDecodeError)


def unfolded(parts: Iterator[Part], table: Table, source: Source, *, block_bytes: int) -> Iterator[Part]:
    """Yield the rows that the records of a file unfold into, in parts of about so many bytes, in the file's order.

    As they are where the table does not unfold, or where the column it unfolds is not among those that are read.
    """
    if table.unfold is None or table.unfold not in table.columns:
        yield from parts
        return
    places = Places(source)
    for part in parts:
        yield from _Unfolding(part, table.unfold, places).parts(_BLOCKS * block_bytes)


def elements(cell: str | None, counts: Counter[str]) -> list[bytes]:
    """Return the elements of a cell, each in its own text: none of an empty one, an object is its one element.

    An object may be told as a JSON string, and so may all of the cell. Raises `BadJSON` for what is no array.
    """
    bare = (cell or "").strip(_BLANK)
    if bare.startswith('"'):
        bare = _unquoted(bare)
    if bare in _NOTHING:
        return []
    if bare.startswith("{"):
        return [bare.encode("utf-8", "surrogatepass")]
    found = [bytes(one) for one in careful_elements(bare, counts)]
    return found if all(one.startswith(b"{") for one in found) else [*map(_object, found)]


def _are_too_many(cell: str) -> bool:
    """Return whether a cell has more elements than are unfolded at once; found out before it is decoded."""
    if cell.count(",") < MOST:
        return False
    cutter, count = Elements(len(cell)), 0
    for start in range(0, len(cell), _PIECE):
        cutter.take(cell[start : start + _PIECE].encode("utf-8", "surrogatepass"))
        cutter.cut()
        count += len(cutter.taken()[0])
    return count > MOST


class Places:
    """Where in its record the one element of each line of a copy of rejects was: it keeps that place."""

    def __init__(self, source: Source) -> None:
        self._coming = source.places()
        self._line = self._element = 0

    def of(self, line: int) -> int:
        """Return the place of a line's element, 0 where the line holds a whole record, or the file is no copy.

        Lines are asked for in order.
        """
        while self._line < line and (found := next(self._coming, None)) is not None:
            self._line, self._element = found[0], numbering.element_of(found[1].row or 0)
        return self._element if self._line == line else 0


class _Unfolding:
    """A part whose records are being unfolded."""

    def __init__(self, part: Part, column: str, places: Places) -> None:
        self._part, self._column = part, column
        self._records: list[int] = []
        """Which of the part's records each row is of; in the next lists, its number, its place there, its element."""
        self._numbers: list[int] = []
        self._positions: list[int | None] = []
        self._elements: list[bytes | None] = []
        self._rejects = [
            one if one.row is None else one._replace(row=numbering.number(one.row)) for one in part.rejects
        ]
        cells = part.rows.select_seq(ROW, column).iter_rows()
        for place, (record, cell) in enumerate(cells):
            self._unfold(place, record, cell, places.of(record))
        self._rejects.sort(key=row_of)

    def _unfold(self, place: int, record: int, cell: str | None, first: int) -> None:
        """Add the rows of a record, or its reject; its one element is said to be the `first`-th, if at all."""
        counts = self._part.counts
        if cell is not None and _are_too_many(cell):
            why = f"{self._column}: more than {MOST:,} elements"
            self._rejects.append(reject(numbering.number(record), "record_too_large", why))
            return
        try:
            found = [] if cell is None else elements(cell, counts)
        except BadJSON:
            self._rejects.append(reject(numbering.number(record), "bad_json", f"{self._column}: {cell}"))
            return
        start = first if first and len(found) == 1 else 1
        rows = len(found)
        for position, element in enumerate(found, start):
            number = numbering.number(record, position)
            if element.startswith(b"{"):
                self._add(place, number, position, element)
            elif element == b"null":
                counts["null_element"] += 1
                rows -= 1
            else:
                value = f"{self._column}: ".encode() + element
                self._rejects.append(reject(number, "bad_json", value))
        if not rows:
            self._add(place, numbering.number(record), None, None)

    def _add(self, place: int, number: int, position: int | None, element: bytes | None) -> None:
        """Add a row."""
        self._records.append(place)
        self._numbers.append(number)
        self._positions.append(position)
        self._elements.append(element)

    def parts(self, size: int) -> Iterator[Part]:
        """Yield the rows in parts of about so many bytes, each with the rejects that stand before its end."""
        part, counts, begun = self._part, self._part.counts, 0
        records = pl.Series(self._records, dtype=pl.UInt32)
        ends, rejected = self._ends(records, size), [row_of(one) for one in self._rejects]
        for start, end in zip([0, *ends], [*ends, records.len()], strict=True):
            taken, until = records[start:end], len(self._rejects)
            if end < records.len():
                until = bisect_right(rejected, self._numbers[end - 1])
            yield replace(
                part,
                rows=self._frame(taken, slice(start, end)),
                rejects=self._rejects[begun:until],
                counts=counts,
                flat=None if part.flat is None else _gathered(part.flat, taken),
            )
            counts, begun = Counter(), until

    def _frame(self, records: pl.Series, here: slice) -> pl.DataFrame:
        """Return the rows of these records, one for each of their elements."""
        columns = {
            ROW: pl.Series(ROW, self._numbers[here], dtype=pl.Int64),
            self._column: texts(self._elements[here]).alias(self._column),
        }
        rest = _gathered(self._part.rows.drop(*columns), records)
        position = pl.Series(POSITION, self._positions[here], dtype=pl.Int64)
        return pl.DataFrame([*columns.values(), position, *rest.get_columns()])

    def _ends(self, records: pl.Series, size: int) -> list[int]:
        """Return where all parts end but the last, so that none takes much more than so many bytes."""
        height = self._part.rows.height
        if records.len() <= height:
            return []
        frames = [self._part.rows.drop(self._column), self._part.flat]
        columns = [column for frame in frames if frame is not None for column in frame.get_columns()]
        weight = pl.repeat(_VIEW * (len(columns) + 1), height, dtype=pl.Int64, eager=True)
        for column in columns:
            if column.dtype == pl.String:
                weight += column.str.len_bytes().fill_null(0)
            elif column.dtype.is_nested():
                weight += int(column.estimated_size()) // height
        own = texts(self._elements).str.len_bytes().fill_null(0)
        reached = (weight.gather(records) + own).cum_sum() // size
        return (reached.diff().fill_null(0) > 0).arg_true().to_list()


def _gathered(frame: pl.DataFrame, rows: pl.Series) -> pl.DataFrame:
    """Return these rows of a frame, put together without a query, which costs more than most parts."""
    return pl.DataFrame([column.gather(rows) for column in frame.get_columns()])


def _unquoted(text: str) -> str:
    """Return what a JSON string holds; raises `BadJSON` where it is none."""
    try:
        return _text(text).strip(_BLANK)
    except _FAILURES as error:
        raise BadJSON("malformed_json") from error


def _object(element: bytes) -> bytes:
    """Return an element that is told as a JSON string as the object it holds, if it does."""
    if not element.startswith(b'"'):
        return element
    inside = _text(element).strip(_BLANK).encode("utf-8", "surrogatepass")
    return inside if inside.startswith(b"{") else element
