"""A file → frames of declared text types, chunk by chunk; bad lines come out as rejects; all formats are read here."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import polars as pl

from migrate.inputs import Source
from migrate.mapping import Table
from migrate.readers.blocks import Text
from migrate.readers.formats import JSON, file_parts, header
from migrate.readers.gathered import gathered
from migrate.readers.jsonl import cell_parts
from migrate.readers.opened import Opener
from migrate.readers.records import BLOCK_BYTES, RECORD_BYTES, Chunk, Header, Part, Reject, reject
from migrate.readers.wrapped import outer

__all__ = ["BLOCK_BYTES", "RECORD_BYTES", "Chunk", "Header", "Reject", "chunks", "gathered", "header"]

_WORDS: Final = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}
_DAMAGE = frozenset({"truncated_file", "unreadable_file"})


def chunks(
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
    if header.format in JSON and not header.columns:
        nothing = _nothing(_parts(source, table, header, *sizes))
    if nothing is not None:
        nothing.rejects.append(reject(None, "no_record", _lines(source, header)))
    for part in _parts(source, table, header, *sizes) if nothing is None else (nothing,):
        chunk = _finished(part, table, opener)
        if chunk.rows.height or chunk.rejects or chunk.counts:
            yield chunk


def _parts(
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


def _finished(part: Part, table: Table, opener: Opener) -> Chunk:
    """Return the chunk a part comes to: objects opened, declared types cast."""
    rows = opener.opened(part)
    for column, dtype in table.columns.items():
        if dtype != pl.String:
            rows = _cast(rows, column, dtype, part.counts)
    rejects = sorted(part.rejects, key=lambda one: -1 if one.row is None else one.row)
    return Chunk(rows, rejects, part.counts)


def _cast(
    rows: pl.DataFrame, column: str, dtype: pl.DataType | type[pl.DataType], counts: Counter[str]
) -> pl.DataFrame:
    text = pl.col(column).str.strip_chars()
    if dtype == pl.Boolean:
        value = text.str.to_lowercase().replace_strict(_WORDS, default=None, return_dtype=pl.Boolean)
    elif dtype.is_float():
        number = text.cast(dtype, strict=False)
        value = pl.when(number.is_finite()).then(number)
    elif dtype.is_integer():
        number = text.cast(pl.Float64, strict=False)
        whole = pl.when(number == number.floor()).then(number).cast(dtype, strict=False)
        value = pl.coalesce(text.cast(dtype, strict=False), whole)
    else:
        value = text.cast(dtype, strict=False)
    cast = rows.with_columns_seq(value.alias(column))
    lost = cast[column].null_count() - rows[column].null_count()
    if lost:
        counts[f"wrong_type.{column}"] += lost
    return cast
