"""A large file → spans of it that can be read by themselves, and give the rows that all of it gives.

Where it can be cut is told by what the reader of its format itself takes for the end of a row.
"""

import codecs
import re
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Final

import pyarrow as pa

from migrate.inputs.source import Source
from migrate.inputs.spans import Border, Span
from migrate.readers.blocks import Text
from migrate.readers.cutter import Cutter
from migrate.readers.delimited import delimited_borders
from migrate.readers.delimiters import is_as_it_is
from migrate.readers.encodings import text_of
from migrate.readers.parquet import parquet_spans, unpacked_bytes
from migrate.readers.records import BLOCK_BYTES, RECORD_BYTES, Header

_SEAMS: Final = (b"}\n{", b"}\r\n{")
"""No object has one of these inside, and no text that is no record goes on behind it: see `cutter`."""
_EDGE: Final = 2
"""Bytes of a seam that may stand in the piece before."""
_NEIGHBOURS: Final = re.compile(rb"\}[ \t\r\n]*\{")
_LEAST: Final = 4
"""Bytes read at once at the least, so that a byte order mark is whole."""
_WEIGHT: Final = 4
"""Of a row of Parquet there are a third to a quarter of the bytes that text has of it, even unpacked (measured)."""
_UNREADABLE: Final = (pa.ArrowException, OSError)


def read_bytes(source: Source, header: Header) -> int:
    """Return how many bytes there are to read of a file that can be cut, those of Parquet by their weight; 0 of others.

    Those are Parquet, delimited text that is read as it is and JSON objects one after another, in UTF-8 and not packed,
    on a disk or in a storage. An array is one value, and rows inside of pages are numbered through.
    """
    is_sound = not (header.doubt or header.damage or header.is_torn) and header.columns
    if not is_sound or not source.is_plain:
        return 0
    if header.format == "parquet":
        try:
            return _WEIGHT * unpacked_bytes(source)
        except _UNREADABLE:
            return 0
    if not _is_utf8(header):
        return 0
    if header.format == "csv":
        return 0 if header.says_delimiter or not is_as_it_is(header.layout) else source.size
    return source.size if header.format == "jsonl" and header.wrapper is None else 0


def spans(source: Source, header: Header, most: int) -> Iterator[Span]:
    """Yield the spans of a file that can be cut, of about so many bytes each: each one as soon as its end is found.

    Raises Unsettled where its text is odd and its header is still to be settled; what was yielded is fine.
    """
    if header.format == "parquet":
        yield from parquet_spans(source, most // _WEIGHT)
        return
    block_bytes = min(BLOCK_BYTES, max(_LEAST, most // 4))
    row, start = 1, 0
    head: Mapping[str, str | None] = {}
    with source.open() as stream:
        text = text_of(stream, source, header)
        for border in (
            delimited_borders(text, header, block_bytes=block_bytes, record_bytes=RECORD_BYTES)
            if header.format == "csv"
            else _between_objects(text, block_bytes, most)
        ):
            at = border.at + text.mark_bytes
            if most <= at - start and at < source.size:
                yield Span(row, start, at, at - start, head=head)
                row, start, head = border.row, at, border.head
    yield Span(row, start, source.size, source.size - start, is_last=True, head=head)


def _is_utf8(header: Header) -> bool:
    return codecs.lookup(header.encoding).name == "utf-8"


def _between_objects(text: Text, block_bytes: int, most: int) -> Iterator[Border]:
    """Yield places between objects that lie on lines of their own, numbered as `jsonl_parts` does it.

    None follow where the text has been without one for too long.
    """
    row, at = 1, 0
    held: list[bytes] = []
    waiting, edge = 0, b""
    for piece in (pieces := text.pieces(block_bytes)):
        last = _last_seam(edge + piece)
        if last is not None:
            end = last - len(edge)  # in this piece; what is before it may stand in the last one
            block = b"".join([*held, piece[:end]])
            row += _rows(block)
            at += len(block)
            yield Border(row, at)
            held, waiting, edge = [], 0, b""
        left = piece if last is None else piece[end:]
        held.append(left)
        waiting += len(left)
        edge = (edge + left)[-_EDGE:]
        if waiting > 2 * max(most, block_bytes):
            deque(pieces, maxlen=0)  # all of it is looked through, where it is watched


def _last_seam(text: bytes) -> int | None:
    """Return where the second of the last two objects begins between which a line ends."""
    ends = [place + len(seam) - 1 for seam in _SEAMS if (place := text.rfind(seam)) >= 0]
    return max(ends, default=None)


def _rows(text: bytes) -> int:
    """Return by how much the numbers of rows go on over this text, which begins and ends between objects."""
    lines, between = text.count(b"\n"), _NEIGHBOURS.findall(text)
    if text.startswith(b"{") and len(between) == lines - 1 and {*between}.issubset(_SEAMS):
        return lines
    cutter = Cutter(RECORD_BYTES)
    cutter.take(text)
    cutter.cut(final=True)
    return cutter.next - 1
