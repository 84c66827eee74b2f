"""A file → frames of declared text types, chunk by chunk; bad lines come out as rejects; all formats are read here."""

import re
from collections.abc import Iterator
from typing import Final

from migrate.inputs import Source, peek
from migrate.mapping import Table
from migrate.readers.arrays import array_parts, array_start
from migrate.readers.avro import MARK, avro_header, avro_parts
from migrate.readers.blocks import Text, detect
from migrate.readers.cells import finished
from migrate.readers.delimited import delimited_header, delimited_parts
from migrate.readers.gathered import gathered
from migrate.readers.jsonl import jsonl_parts, root_keys
from migrate.readers.parquet import parquet_header, parquet_parts
from migrate.readers.records import BLOCK_BYTES, RECORD_BYTES, Chunk, Header, Reject

__all__ = ["BLOCK_BYTES", "RECORD_BYTES", "Chunk", "Header", "Reject", "chunks", "gathered", "header"]

_SNIFFED_BYTES: Final = 256
_EMPTY_ARRAY: Final = re.compile(rb"\s*\[\s*\]\s*")
_HEAD_BYTES: Final = 1 << 20
_TEXT_PARTS: Final = {"csv": delimited_parts, "json": array_parts, "jsonl": jsonl_parts}


def header(source: Source, *, encoding: str | None = None, delimiter: str | None = None) -> Header | None:
    """Return a file's format and columns, told by its content; None if there is nothing in it.

    Parquet and Avro by their marks, JSON by its first character, all else is delimited text, the delimiter the one
    of , tab ; and | that its first line has most of. The encoding is told by a byte order mark or by its zeros, else
    UTF-8. For JSON the columns are the root keys seen in the first megabyte. A file of which nothing can be read has a
    header without columns; `chunks` says why. Raises `UsageError` for an unknown encoding, and for Avro where the
    library to read it is not installed.
    """
    with source.open() as opened:
        head, stream = peek(opened, _SNIFFED_BYTES)
        if head.startswith(b"PAR1"):
            return parquet_header(source)
        if head.startswith(MARK):
            return avro_header(source)
        text = Text(stream, encoding or detect(head))
        data = b""
        for piece in text.pieces(_HEAD_BYTES):
            data += piece
            if (found := _header(data, text, delimiter)) is not None:
                return found
            if len(data) > RECORD_BYTES:
                break
        found = _header(data + b"\n", text, delimiter, whole=True)
        return Header("jsonl", ()) if found is None and text.truncated is not None else found


def _header(data: bytes, text: Text, delimiter: str | None, *, whole: bool = False) -> Header | None:
    """Return the header this start of a file shows; None if there is no whole record in it yet."""
    start = data.lstrip()[:1]
    if not start or _EMPTY_ARRAY.fullmatch(data):
        return None
    if start == b"{":
        lines = data.lstrip().split(b"\n")[:-1]
        return Header("jsonl", root_keys(lines), encoding=text.encoding) if lines else None
    if start == b"[":
        keys = root_keys(array_start(data))
        return Header("json", keys, encoding=text.encoding) if keys or whole else None
    return delimited_header(data, delimiter=delimiter, encoding=text.encoding)


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
    cannot be read at all gives `unreadable_file`.
    """
    if header.format == "parquet":
        for part in parquet_parts(source, table, header):
            yield finished(part, table)
        return
    if header.format == "avro":
        for part in avro_parts(source, table, header, block_bytes=block_bytes):
            yield finished(part, table)
        return
    parts = _TEXT_PARTS[header.format]
    block_bytes = min(block_bytes, record_bytes)
    with source.open() as stream:
        text = Text(stream, header.encoding)
        for part in parts(text, table, header, block_bytes=block_bytes, record_bytes=record_bytes):
            part.counts.update(text.take_counts())
            chunk = finished(part, table)
            if chunk.rows.height or chunk.rejects or chunk.counts:
                yield chunk
