"""A file → chunks of rows with declared types; what cannot be read comes out as rejects."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from migrate.inputs.rejected import RejectLine
from migrate.inputs.source import Source
from migrate.jsontext.careful import fault
from migrate.kit.declare import Table
from migrate.numbering import record_of
from migrate.readers.arrays import array_parts
from migrate.readers.avro import avro_parts
from migrate.readers.blocks import Text
from migrate.readers.chunks import chunk_of
from migrate.readers.delimited import delimited_parts
from migrate.readers.encodings import text_of
from migrate.readers.jsonl import cell_parts, jsonl_parts
from migrate.readers.opener import Opener
from migrate.readers.orc import orc_parts
from migrate.readers.parquet import parquet_parts
from migrate.readers.partitions import with_partitions
from migrate.readers.records import (
    BLOCK_BYTES,
    RECORD_BYTES,
    VALUE_CHARACTERS,
    Chunk,
    Header,
    Part,
    Reject,
    reject,
)
from migrate.readers.unfolded import unfolded
from migrate.readers.wrapped import outer

_NO_OBJECT: Final = frozenset({"malformed_json", "nested_too_deep", "record_too_large"})
_DAMAGE = frozenset({"truncated_file", "unreadable_file"})
JSON: Final = frozenset({"json", "jsonl"})
TEXT_PARTS: Final = {"csv": delimited_parts, "json": array_parts, "jsonl": jsonl_parts}


def read_chunks(
    source: Source,
    table: Table,
    header: Header,
    *,
    block_bytes: int = BLOCK_BYTES,
    record_bytes: int = RECORD_BYTES,
) -> Iterator[Chunk]:
    """Yield a file's rows for a table, in order, with flat memory.

    Where chunks end depends on the file's content and `block_bytes` alone; what a record becomes does not depend
    on where they end. A file that ends early gives its readable rows and a last reject, `truncated_file`; one that
    cannot be read at all gives `unreadable_file`, one of JSON in which nothing is a record `no_record`.
    """
    opener = Opener.of(table)
    sizes = (block_bytes, record_bytes)
    nothing = None
    kept = _Kept(source)
    if header.format in JSON and not header.columns and source.lines is None:
        nothing = _nothing(row_parts(source, table, header, *sizes))
    if nothing is not None:
        nothing.rejects.append(reject(None, "no_record", _lines(source, header)))
    parts = row_parts(source, table, header, *sizes) if nothing is None else iter([nothing])
    for part in unfolded(parts, table, source, block_bytes=block_bytes):
        chunk = chunk_of(with_partitions(part, table, header) if header.partitions else part, table, opener)
        if chunk.rejects and source.lines is not None:
            chunk = replace(chunk, rejects=[*map(kept.as_first, chunk.rejects)])
        if chunk.rows.height or chunk.rejects or chunk.counts:
            yield chunk


class _Kept:
    """Rejects of a rejects.jsonl of ours: text that is still no record keeps the reason that it was rejected for."""

    def __init__(self, source: Source) -> None:
        self._texts = source.texts()
        self._number, self._line = 0, RejectLine("", None)

    def as_first(self, found: Reject) -> Reject:
        """Return a reject as it was when the row was first rejected; rows of which more is known now stay as they are.

        Given in the order of the rows.
        """
        if found.row is None or found.reason not in _NO_OBJECT:
            return found
        number = record_of(found.row)
        while self._number < number and (one := next(self._texts, None)):
            self._number, self._line = one
        line = self._line
        if self._number != number:
            return found
        value = line.value or ""
        why = line.why
        if line.reason == "malformed_json" and len(value) != VALUE_CHARACTERS:  # else it is cut
            why = fault(value.encode())
        return Reject(found.row, line.reason, value, why)


def row_parts(
    source: Source, table: Table, header: Header, block_bytes: int, record_bytes: int
) -> Iterator[Part]:
    """Yield a file's rows, or those inside of one of its columns."""
    sizes = {"block_bytes": block_bytes, "record_bytes": record_bytes}
    if header.wrapper is None or header.format in JSON:
        yield from file_parts(source, table, header, **sizes)
    else:
        around = replace(header, columns=header.around, wrapper=None)
        parts = file_parts(source, outer(header.wrapper, header.around), around, **sizes)
        yield from cell_parts(parts, table, header, record_bytes=record_bytes)


def _nothing(parts: Iterator[Part]) -> Part | None:
    """Return a part without anything in it if these hold no row, and no damage that tells why."""
    nothing: Part | None = None
    for part in parts:
        if part.rows.height or any(one.reason in _DAMAGE for one in part.rejects):
            return None
        nothing = Part(part.rows)
    return nothing


def _lines(source: Source, header: Header) -> str:
    """Return how many lines a file of text has, in words."""
    lines, last = 0, b""
    with source.open() as stream:
        for piece in Text(stream, header.encoding).pieces(BLOCK_BYTES):
            lines, last = lines + piece.count(b"\n"), piece or last
    lines += not last.endswith(b"\n")
    return f"{lines:,} line" if lines == 1 else f"{lines:,} lines"


def file_parts(
    source: Source, table: Table, header: Header, *, block_bytes: int, record_bytes: int
) -> Iterator[Part]:
    """Yield a file's rows part by part; what is inside of a column is not looked at."""
    if header.format == "parquet":
        yield from parquet_parts(source, table, header)
    elif header.format == "orc":
        yield from orc_parts(source, table, header)
    elif header.format == "avro":
        yield from avro_parts(source, table, header, block_bytes=block_bytes)
    else:
        size = min(block_bytes, record_bytes)
        with source.open() as stream:
            text = text_of(stream, source, header)
            parts = TEXT_PARTS[header.format]
            for part in parts(text, table, header, block_bytes=size, record_bytes=record_bytes):
                part.counts.update(text.take_counts())
                yield part
