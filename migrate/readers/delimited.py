"""Delimited text: CSV, TSV and their like, block by block; a bad record costs one row."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.csv as pc

from migrate.jsontext import object_text
from migrate.mapping import REST, ROW, Table
from migrate.readers.blocks import Text
from migrate.readers.quotes import Splitter, Spoiled
from migrate.readers.records import Header, Part, Reject, aliases, reject, spelled

DELIMITERS: Final = (",", "\t", ";", "|")
_MARK: Final = "\0\0spoiled line "


def delimited_header(data: bytes, *, delimiter: str | None, encoding: str) -> Header | None:
    """Return the header that the first record of this text makes; None if no record ends in it."""
    head = data.decode("utf-8", "replace").lstrip("\r\n")
    line_end = "\n" if "\n" in head else "\r"
    if line_end not in head:
        return None
    if delimiter is None:
        line = re.sub(r'"[^"]*"', "", head.split(line_end, 1)[0])
        delimiter = max(DELIMITERS, key=line.count)
    cells = next(csv.reader(io.StringIO(head, newline=""), delimiter=delimiter))
    return Header("csv", tuple(unique(cells)), delimiter, encoding, line_end)


def unique(cells: Sequence[str]) -> list[str]:
    """Return column names for the cells of a header: repeats get `_2` …, empty ones `column_` and their place."""
    names: list[str] = []
    given = [cell.strip() for cell in cells]
    for place, cell in enumerate(given, 1):
        name = stem = cell or f"column_{place}"
        number = 2
        while name in names or (name != cell and name in given):
            name, number = f"{stem}_{number}", number + 1
        names.append(name)
    return names


def delimited_parts(
    text: Text, table: Table, header: Header, *, block_bytes: int, record_bytes: int
) -> Iterator[Part]:
    """Yield a file of delimited text block by block; `ROW` counts records, the header's being 0."""
    records = Records(table, header)
    splitter = Splitter(records.delimiter, header.line_end, record_bytes, records.mark)
    for piece in text.pieces(block_bytes):
        yield records.part(text, *splitter.take(piece))
    last = records.part(text, *splitter.finish(truncated=text.truncated is not None))
    if text.truncated is not None and [one.reason for one in last.rejects[-1:]] != ["truncated_file"]:
        last.rejects.append(reject(records.next, "truncated_file", text.truncated))
    yield last


class Records:
    """Turns stretches of whole records into parts."""

    def __init__(self, table: Table, header: Header) -> None:
        self.delimiter = header.delimiter or ","
        self.next = 0
        """The number of the next record."""
        self._columns = aliases(header.columns)
        self.mark = _MARK if len(self._columns) > 1 else f"{_MARK}{self.delimiter}"
        self._declared = tuple(table.columns)
        self._spelling = spelled(table.columns, header.columns)
        taken = set(self._spelling.values())
        dropped = {name.lower() for name in table.dropped}
        self._rest = [name for name in self._columns if name not in taken and name.lower() not in dropped]
        self._needed = [*dict.fromkeys(self._spelling.values()), *self._rest] or list(header.columns[:1])
        self._header: dict[str, str | None] = {}

    def part(self, text: Text, block: bytes, spoiled: Sequence[Spoiled]) -> Part:
        """Return the rows of these records; spoiled lines and those of a wrong length are rejects."""
        first = self.next
        frame, ragged = self._read(text.clean(block))
        self.next += frame.height + len(ragged)
        gaps = {first + number - 1 for number, _ in ragged}
        numbers = (
            [number for number in range(first, self.next) if number not in gaps]
            if gaps
            else range(first, self.next)
        )
        frame = frame.insert_column(0, pl.Series(ROW, numbers, dtype=pl.Int64))
        part = Part(frame, [self._reject(first + number - 1, line, spoiled) for number, line in ragged])
        self._take_headers(part)
        part.rows = part.rows.select_seq(
            ROW,
            *(self._cell(name).alias(name) for name in self._declared),
            object_text({name: self._column(name) for name in self._rest}).cast(pl.String).alias(REST),
        )
        return part

    def _read(self, block: bytes) -> tuple[pl.DataFrame, list[tuple[int, str]]]:
        """Return the needed columns of a block, and its records of a wrong length with their places, from 1."""
        ragged: list[tuple[int, str]] = []
        if not block.strip(b"\r\n"):
            return pl.DataFrame(schema={self._columns[name]: pl.String for name in self._needed}), ragged

        def skip(row: Any) -> str:  # noqa: ANN401 - pyarrow ships no types
            ragged.append((row.number, row.text))
            return "skip"

        table = pc.read_csv(
            pa.BufferReader(block),
            read_options=pc.ReadOptions(
                column_names=list(self._columns.values()), use_threads=False, block_size=len(block) + 1
            ),
            parse_options=pc.ParseOptions(
                delimiter=self.delimiter, newlines_in_values=True, invalid_row_handler=skip
            ),
            convert_options=pc.ConvertOptions(
                column_types=dict.fromkeys(self._columns.values(), pa.large_string()),
                include_columns=[self._columns[name] for name in self._needed],
                null_values=[""],
                strings_can_be_null=True,
                check_utf8=False,
            ),
        )
        return pl.DataFrame(table), ragged

    def _reject(self, number: int, line: str, spoiled: Sequence[Spoiled]) -> Reject:
        if not line.startswith(self.mark):
            return reject(number, "ragged_row", line)
        found = spoiled[int(line.removeprefix(self.mark))]
        return reject(number, found.reason, found.text.rstrip(b"\r\n"))

    def _take_headers(self, part: Part) -> None:
        """Take the header out of the rows, and reject where it comes again, as in files put together."""
        if part.rows.height and part.rows[ROW][0] == 0:
            self._header = dict(zip(self._needed, part.rows.row(0)[1:], strict=True))
            part.rows = part.rows.slice(1)
            repeats = [name for name in self._needed if (self._header[name] or name).strip() != name]
            if repeats:
                part.counts["duplicate_header"] += len(repeats)
        part.rejects = [one for one in part.rejects if one.row != 0]
        cells = [self._column(name).eq_missing(cell) for name, cell in self._header.items()]
        if len(cells) > 1:
            again = part.rows.filter(pl.all_horizontal(cells))
            if again.height:
                part.rows = part.rows.filter(~pl.all_horizontal(cells))
                line = self.delimiter.join(self._columns)
                part.rejects += [reject(row, "repeated_header", line) for row in again[ROW]]

    def _cell(self, declared: str) -> pl.Expr:
        name = self._spelling.get(declared)
        return pl.lit(None, dtype=pl.String) if name is None else self._column(name)

    def _column(self, name: str) -> pl.Expr:
        return pl.col(self._columns[name])
