"""Delimited text: CSV, TSV and their like, block by block; a bad record costs one row."""

import codecs
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.csv as pc

from migrate.inputs.spans import Border, Span
from migrate.kit.declare import REST, ROW, Table
from migrate.readers.blocks import Text
from migrate.readers.delimiters import SEP_LINE, as_plain
from migrate.readers.quoting import NOTHING
from migrate.readers.records import Header, Part, Reject, aliases, reject, spelled
from migrate.readers.splitter import Splitter, Spoiled
from migrate.readers.wide import is_wide, stretches, together, wide_object_text

_NULL: Final = r"\N"
"""What MySQL, Postgres, Snowflake, Redshift and Hive write for null."""
_MARK: Final = "\0\0spoiled line "
_EMPTY_LINE: Final = re.compile(rb"\n[\r\n]")
"""Found in half the time that `in` takes, though there is none."""
_COLUMN_BYTES: Final = 128
"""Text taken up at once for each of very many columns: a column costs 50 µs a block by itself (measured)."""


def delimited_parts(
    text: Text, table: Table, header: Header, *, block_bytes: int, record_bytes: int
) -> Iterator[Part]:
    """Yield a file of delimited text block by block; `ROW` counts records, the header's being 0."""
    records = Records(table, header)
    if text.span is not None:
        records.go_on(text.span)
    if is_wide(header.columns):
        block_bytes = max(block_bytes, min(record_bytes, _COLUMN_BYTES * len(header.columns)))
    splitter = Splitter(records.delimiter, header.line_end, record_bytes, records.mark)
    pieces = text.pieces(block_bytes)
    pieces = _below_sep(pieces) if header.says_delimiter and text.span is None else pieces
    for piece in as_plain(header.layout, records.delimiter, pieces, record_bytes):
        for stretch in splitter.take(piece):
            yield records.part(text, *stretch)
    last = records.part(text, b"", [])
    for stretch in splitter.finish(truncated=text.truncated is not None):
        yield last
        last = records.part(text, *stretch)
    if text.truncated is not None and [one.reason for one in last.rejects[-1:]] != ["truncated_file"]:
        last.rejects.append(reject(records.next, "truncated_file", text.truncated))
    yield last


def delimited_borders(text: Text, header: Header, *, block_bytes: int, record_bytes: int) -> Iterator[Border]:
    """Yield places where a file of delimited text can be cut: where a record ends as `delimited_parts` has it.

    The records are counted as it counts them. Only of text that is read as it is, see `is_as_it_is`.
    """
    bare = Table(name="", columns={}, matches=lambda _: False, to_events=lambda rows, _: rows)
    records = Records(bare, header)
    splitter = Splitter(records.delimiter, header.line_end, record_bytes, records.mark)
    at = 0
    for piece in text.pieces(block_bytes):
        at += len(piece)
        for block, spoiled in splitter.take(piece):
            if records.next == 0 and block:
                records.part(text, block, spoiled)
            elif block:
                records.pass_over(text, block)
        if splitter.left is not None and records.next:
            yield Border(records.next, at - splitter.left, records.head)


def _are_lines(block: bytes) -> bool:
    """Return whether each line is a record, and each record is a line: none is empty, and nothing is in quotes."""
    return (
        b'"' not in block
        and b"\0" not in block
        and (b"\r" not in block or block.count(b"\r") == block.count(b"\r\n"))
        and not block.startswith((b"\n", b"\r"))
        and not _EMPTY_LINE.search(block)
    )


def _below_sep(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the text below Excel's line about its delimiter."""
    first = next(pieces, b"").lstrip(b"\r\n")
    said = SEP_LINE.match(first)
    yield first[said.end() :] if said else first
    yield from pieces


class Records:
    """Turns stretches of whole records into parts."""

    def __init__(self, table: Table, header: Header) -> None:
        self.delimiter = header.delimiter or ","
        self._dialect = None if header.layout.is_known else header.layout.dialect
        self.next = int(not header.layout.has_header)
        """The number of the next record."""
        self._columns = aliases(header.columns)
        self.mark = _MARK if len(self._columns) > 1 else f"{_MARK}{self.delimiter}"
        self._declared = tuple(table.columns)
        self._spelling = spelled(table.columns, header.columns)
        taken = set(self._spelling.values())
        dropped = {name.lower() for name in table.dropped}
        self._rest = [name for name in self._columns if name not in taken and name.lower() not in dropped]
        self._needed = [*dict.fromkeys(self._spelling.values()), *self._rest] or list(header.columns[:1])
        self._is_wide = is_wide(self._rest)
        self._stretches = stretches(self._rest)
        self.head: dict[str, str | None] = {}
        """The cells of the header, once it was read."""
        null = NOTHING if header.layout.dialect == "clickhouse" else _NULL
        self._nulls = [text for text in dict.fromkeys((null, *table.nulls)) if text]

    def go_on(self, span: Span) -> None:
        """Go on with the rows of a span, below the header and other rows."""
        self.next = span.row
        self.head = {name: span.head[name] for name in self._needed if name in span.head}

    def pass_over(self, text: Text, block: bytes) -> None:
        """Count whole records without a look at their cells."""
        if _are_lines(block):
            self.next += block.count(b"\n")
        else:
            table, ragged = self._read(text.clean(block), self._needed[:1])
            self.next += table.num_rows + len(ragged)

    def part(self, text: Text, block: bytes, spoiled: Sequence[Spoiled]) -> Part:
        """Return the rows of these records; spoiled lines and those of a wrong length are rejects."""
        first = self.next
        block = text.clean(block)
        table, ragged = self._read(block)
        gaps = {first + number - 1 for number, _ in ragged}
        table, nulls = self._without_nulls(table, block, below=int(first == 0 and 0 not in gaps))
        self.next += table.num_rows + len(ragged)
        numbers = (
            [number for number in range(first, self.next) if number not in gaps]
            if gaps
            else range(first, self.next)
        )
        numbered = pl.Series(ROW, numbers, dtype=pl.Int64)
        empty = self._empty(table, block) & (numbered > 0)
        if empty.any():
            kept = (~empty).arg_true()
            table, numbered = table.take(kept.to_arrow()), numbered.gather(kept)
        rows = self._rows(table, numbered)
        part = Part(rows, [*self._rejects(first, ragged, spoiled)])
        if self._dialect and rows.height:
            part.counts[f"dialect_{self._dialect}"] += rows.height
        if empty.any():
            part.counts["empty_row"] += int(empty.sum())
        if nulls:
            part.counts["null_cell"] += nulls
        table = self._take_headers(part, table)
        if not self._is_wide:
            flat = pl.DataFrame(table.select([self._columns[name] for name in self._rest]))
            part.flat = pl.DataFrame([flat[self._columns[name]].alias(name) for name in self._rest])
        return part

    def _rows(self, table: pa.Table, numbers: pl.Series) -> pl.DataFrame:
        """Return the declared columns; and the rest as text where there are very many, seen a stretch at a time."""
        declared = table.select([self._columns[name] for name in dict.fromkeys(self._spelling.values())])
        frame = pl.DataFrame(declared).insert_column(0, numbers)
        cells = [self._cell(name).alias(name) for name in self._declared]
        if not self._is_wide:
            return frame.select_seq(ROW, *cells)
        texts = [self._text(table, names) for names in self._stretches]
        frame = frame.hstack([text.alias(f"rest{n}") for n, text in enumerate(texts)])
        rest = together([pl.col(f"rest{n}") for n in range(len(texts))])
        return frame.select_seq(ROW, *cells, rest.cast(pl.String).alias(REST))

    def _text(self, table: pa.Table, names: Sequence[str]) -> pl.Series:
        """Return these columns as JSON objects."""
        frame = pl.DataFrame(table.select([self._columns[name] for name in names]))
        return frame.select_seq(wide_object_text({name: self._column(name) for name in names})).to_series()

    def _read(self, block: bytes, names: Sequence[str] = ()) -> tuple[pa.Table, list[tuple[int, str]]]:
        """Return columns of a block, by default the needed, and its records of a wrong length with their places."""
        names = names or self._needed
        ragged: list[tuple[int, str]] = []
        if not block.strip(b"\r\n"):
            schema = pa.schema([(self._columns[name], pa.large_string()) for name in names])
            return pa.Table.from_batches([], schema), ragged

        def skip(row: Any) -> str:  # noqa: ANN401 - pyarrow ships no types
            ragged.append((row.number, row.text))
            return "skip"

        if block.startswith(codecs.BOM_UTF8):  # of which pyarrow passes over one, wherever the block begins
            block = codecs.BOM_UTF8 + block
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
                include_columns=[self._columns[name] for name in names],
                null_values=[""],
                strings_can_be_null=True,
                check_utf8=False,
            ),
        )
        return table, ragged

    def _empty(self, table: pa.Table, block: bytes) -> pl.Series:
        """Return which records have nothing in any column, as spreadsheets write below what there is."""
        nothing = self._nothing_in(table)
        if nothing.any() and len(self._needed) < len(self._columns):
            whole, _ = self._read(block, list(self._columns))
            nothing = self._nothing_in(whole)
        return nothing

    def _nothing_in(self, table: pa.Table) -> pl.Series:
        """Return which records have nothing in these columns."""
        nothing = pl.repeat(True, table.num_rows, dtype=pl.Boolean, eager=True)
        for column in table.columns if len(self._columns) > 1 else ():
            if not nothing.any():
                break
            nothing &= pl.Series(column).is_null() if column.null_count else False
        return nothing & (len(self._columns) > 1)

    def _without_nulls(self, table: pa.Table, block: bytes, *, below: int) -> tuple[pa.Table, int]:
        """Return the columns without texts that stand for nothing `below` the header, and how many there were."""
        nulls, count = [text for text in self._nulls if text.encode() in block], 0
        for place, name in enumerate(table.column_names if nulls else ()):
            cells = pl.Series(table.column(name))
            is_null = cells.is_in(nulls) & (pl.int_range(cells.len(), eager=True) >= below)
            if found := int(is_null.sum()):
                bare = cells.set(is_null, None).to_arrow(compat_level=pl.CompatLevel.oldest())
                table, count = table.set_column(place, name, bare), count + found
        return table, count

    def _rejects(
        self, first: int, ragged: Sequence[tuple[int, str]], spoiled: Sequence[Spoiled]
    ) -> Iterator[Reject]:
        """Yield the rejects that lines of a wrong length are, those marked as spoiled in the order of their marks.

        A mark that is not the next one is a line of the file.
        """
        marked = 0
        for place, line in ragged:
            number = first + place - 1
            if marked < len(spoiled) and line == f"{self.mark}{marked}":
                found = spoiled[marked]
                yield reject(number, found.reason, found.text.rstrip(b"\r\n"))
                marked += 1
            else:
                yield reject(number, "ragged_row", line)

    def _take_headers(self, part: Part, table: pa.Table) -> pa.Table:
        """Take the header out of the rows, and reject where it comes again, as in files put together.

        Return the table without them.
        """
        if part.rows.height and part.rows[ROW][0] == 0:
            self.head = {name: table.column(self._columns[name])[0].as_py() for name in self._needed}
            part.rows, table = part.rows.slice(1), table.slice(1)
            repeats = [name for name in self._needed if (self.head[name] or name).strip() != name]
            if repeats:
                part.counts["duplicate_header"] += len(repeats)
        part.rejects = [one for one in part.rejects if one.row != 0]
        if len(self.head) > 1 and (again := self._again(table)).len():
            line = self.delimiter.join(self._columns)
            part.rejects += [reject(row, "repeated_header", line) for row in part.rows[ROW].gather(again)]
            kept = pl.Series(range(table.num_rows), dtype=pl.UInt32)
            kept = kept.filter(~kept.is_in(again.implode()))
            part.rows, table = part.rows[kept], table.take(kept.to_arrow())
        return table

    def _again(self, table: pa.Table) -> pl.Series:
        """Return where in the rows the header stands again; a look at the first cells nearly always tells."""
        places = pl.Series(range(table.num_rows), dtype=pl.UInt32)
        for name, cell in self.head.items():
            if not places.len():
                break
            cells = pl.Series(table.column(self._columns[name])).gather(places)
            places = places.filter(cells.eq_missing(pl.Series([cell], dtype=pl.String)))
        return places

    def _cell(self, declared: str) -> pl.Expr:
        name = self._spelling.get(declared)
        return pl.lit(None, dtype=pl.String) if name is None else self._column(name)

    def _column(self, name: str) -> pl.Expr:
        return pl.col(self._columns[name])
