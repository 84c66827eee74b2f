"""Which format a file has, told by its content: its header, and its parts as that format is read."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from migrate.inputs import Source, peek
from migrate.mapping import Table
from migrate.readers.arrays import Elements, array_parts
from migrate.readers.avro import MARK, avro_header, avro_parts
from migrate.readers.blocks import Text, detect
from migrate.readers.cutter import Cutter
from migrate.readers.delimited import delimited_header, delimited_parts
from migrate.readers.jsonl import jsonl_parts, root_keys
from migrate.readers.parquet import parquet_header, parquet_parts
from migrate.readers.records import BLOCK_BYTES, RECORD_BYTES, Format, Header, Part
from migrate.readers.wrapped import Wrapper, outer, wrapper

JSON: Final = frozenset({"json", "jsonl"})
_SNIFFED_BYTES: Final = 256
_HEAD_BYTES: Final = 1 << 20
_TEXT_PARTS: Final = {"csv": delimited_parts, "json": array_parts, "jsonl": jsonl_parts}


def header(source: Source, *, encoding: str | None = None, delimiter: str | None = None) -> Header | None:
    """Return a file's format and columns, told by its content; None if there is nothing in it.

    Parquet and Avro by their marks, JSON by its first character, all else is delimited text, the delimiter the one
    of , tab ; and | that its first line has most of. The encoding is told by a byte order mark or by its zeros, else
    UTF-8. For JSON the columns are the root keys seen in the first megabyte that has any. Where rows may stand inside
    of a column or key, `within` is their header. A file of which nothing can be read has a header without columns;
    `chunks` says why. Raises `UsageError` for an unknown encoding, and for Avro where the library to read it is not
    installed.
    """
    with source.open() as opened:
        head, stream = peek(opened, _SNIFFED_BYTES)
        if head.startswith(b"PAR1"):
            found: Header | None = parquet_header(source)
        elif head.startswith(MARK):
            found = avro_header(source)
        else:
            found = _text_header(Text(stream, encoding or detect(head)), delimiter)
    return found if found is None or found.format in JSON else _with_cells(source, found)


def file_parts(
    source: Source, table: Table, header: Header, *, block_bytes: int, record_bytes: int
) -> Iterator[Part]:
    """Yield a file's rows part by part; what is inside of a column is not looked at."""
    if header.format == "parquet":
        yield from parquet_parts(source, table, header)
    elif header.format == "avro":
        yield from avro_parts(source, table, header, block_bytes=block_bytes)
    else:
        size = min(block_bytes, record_bytes)
        with source.open() as stream:
            text = Text(stream, header.encoding)
            parts = _TEXT_PARTS[header.format]
            for part in parts(text, table, header, block_bytes=size, record_bytes=record_bytes):
                part.counts.update(text.take_counts())
                yield part


def _text_header(text: Text, delimiter: str | None) -> Header | None:
    """Return the header of a file of text."""
    found: Header | None = None
    data = b""
    pieces = text.pieces(_HEAD_BYTES)
    for piece in pieces:
        data += piece
        start = data.lstrip()[:1]
        if start in {b"{", b"["}:
            found = _json_header("jsonl" if start == b"{" else "json", text, chain([data], pieces))
            break
        if start:
            found = delimited_header(data, delimiter=delimiter, encoding=text.encoding)
        if found is not None or len(data) > RECORD_BYTES:
            break
    else:
        if data.strip():
            found = delimited_header(data + b"\n", delimiter=delimiter, encoding=text.encoding)
    return Header("jsonl", ()) if found is None and text.truncated is not None else found


def _json_header(form: Format, text: Text, pieces: Iterable[bytes]) -> Header | None:
    """Return the header of a file of JSON; None if there is nothing in it."""
    cutter = Elements(RECORD_BYTES) if form == "json" else Cutter(RECORD_BYTES)
    keys: dict[str, None] = {}
    inside: dict[str, None] = {}
    key, seen, is_blank = None, 0, True
    for piece in chain(pieces, [None]):
        cutter.take(piece or b"")
        cutter.cut(final=piece is None)
        found, numbers = cutter.taken()
        keys |= dict.fromkeys(root_keys(found))
        key = wrapper(keys, is_json=True)
        if key is not None:
            found, _ = Wrapper(key).opened(found, numbers, 0, Counter())
            inside |= dict.fromkeys(root_keys(found))
        is_blank &= not found
        seen += len(piece or b"")
        if seen > RECORD_BYTES or (seen >= _HEAD_BYTES and (keys if key is None else inside)):
            break
    if is_blank and seen <= RECORD_BYTES:
        return None
    whole = Header(form, tuple(keys), encoding=text.encoding)
    return whole if key is None else whole.holding(key, inside)


def _with_cells(source: Source, found: Header) -> Header:
    """Return the header of a file of columns, and with it that of the rows that one of them may hold."""
    key = wrapper(found.columns, is_json=False)
    if key is None:
        return found
    keys: dict[str, None] = {}
    around = outer(key, found.columns)
    for part in file_parts(source, around, found, block_bytes=BLOCK_BYTES, record_bytes=RECORD_BYTES):
        keys |= dict.fromkeys(root_keys(map(Wrapper(key).cell, part.rows[key])))
        if keys:
            break
    return found.holding(key, keys)
