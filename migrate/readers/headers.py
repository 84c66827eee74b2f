"""A file → its format, encoding, dialect and columns, told by its content."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from typing import Final
from urllib.parse import unquote

from migrate.errors import Unfit
from migrate.inputs.source import Source
from migrate.inputs.streams import peek
from migrate.readers.arrays import Elements
from migrate.readers.avro import MARK as AVRO
from migrate.readers.avro import avro_header
from migrate.readers.blocks import Text, is_utf8
from migrate.readers.cutter import Cutter
from migrate.readers.delimiters import delimited_header
from migrate.readers.dialects import Layout
from migrate.readers.encodings import LineCount, detect, is_fine
from migrate.readers.files import JSON, TEXT_PARTS, file_parts
from migrate.readers.jsonl import root_keys
from migrate.readers.orc import MARK as ORC
from migrate.readers.orc import orc_header
from migrate.readers.parquet import parquet_header
from migrate.readers.records import (
    BLOCK_BYTES,
    RECORD_BYTES,
    Format,
    Header,
)
from migrate.readers.unnamed import Unnamed
from migrate.readers.wrapped import Wrapper, outer, wrapper

_NO_PARTITION: Final = "__HIVE_DEFAULT_PARTITION__"
_SNIFFED_BYTES: Final = 256
HEAD_BYTES: Final = 1 << 20
_LINES_SEEN: Final = 20
"""So many lines tell whether a file whose first line is no object is one of objects."""
NO_ROWS: Final = {b"", b"null"}
"""What some programs write for a list without elements."""
_HEADER_BYTES: Final = 8 << 20
"""The longest first line that is one of names."""


def read_header(  # noqa: PLR0913 - what is known of the file, by name
    source: Source,
    *,
    encoding: str | None = None,
    layout: Layout = Layout(),  # noqa: B008 - frozen
    partitions: bool = True,
    unnamed: Unnamed | None = None,
    head_bytes: int = HEAD_BYTES,
) -> Header | None:
    """Return a file's format and columns, told by its content; None if there is nothing in it.

    Parquet, Avro and ORC by their marks, JSON by its first character, or by the objects that stand below a first line
    which is none; all else is delimited text, the delimiter the one of , tab ; and | that its first line has most of.
    The encoding is told by a byte order mark or by its zeros, else UTF-8. For JSON the columns are the root keys seen
    in the first megabyte that has any, or the first `head_bytes`. Where rows may stand inside of a column or key,
    `within` is their header. A file of which nothing can be read has a header without columns; `chunks` says why.
    What a platform says of its files without a header is `unnamed`. Raises `UsageError` for an unknown encoding, and
    for Avro where the library to read it is not installed.
    """
    with source.open() as opened:
        head, stream = peek(opened, _SNIFFED_BYTES)
        if source.lines is not None:  # rows that are objects, or none, whatever the file is that they were in
            text = Text(stream, "utf-8")
            found: Header | None = _json_header("jsonl", text, text.pieces(head_bytes), head_bytes)
        elif head.startswith(b"PAR1"):
            found = parquet_header(source)
        elif head.startswith(AVRO):
            found = avro_header(source)
        elif head.startswith(ORC):
            found = orc_header(source)
        else:
            text = Text(stream, encoding or detect(head))
            pieces = text.pieces(head_bytes)
            first = next(pieces, b"")
            known = None if unnamed is None else unnamed.layout(source, first)
            if known is not None:
                found = delimited_header(first + b"\n", layout=known, encoding=text.encoding)
            else:
                found = _text_header(text, chain([first], pieces), layout, source, head_bytes)
            if text.truncated is not None:
                found = Header("jsonl", ()) if found is None else replace(found, damage=text.truncated)
    found = found if found is None or found.format in JSON else _with_cells(source, found)
    if found is None or not partitions or "=" not in source.name:
        return found
    said = partitions_of(source)
    inside = found.within and replace(found.within, partitions=said)
    return replace(found, partitions=said, within=inside)


def partitions_of(source: Source) -> tuple[tuple[str, str | None], ...]:
    """Return what the folders say that a file lies in, the innermost of a name."""
    found: dict[str, str | None] = {}
    for folder in re.split(r"[/!]", source.name)[:-1]:
        name, sign, value = folder.partition("=")
        if sign and name:
            found[unquote(name)] = None if value == _NO_PARTITION else unquote(value)
    return tuple(found.items())


def misread(source: Source, header: Header, most: int | None = None) -> tuple[str, str] | None:
    """Return why a file is not to be read in the encoding or dialect it seems to have, a word and a sentence, or None.

    Looks at all of it, or at so many bytes: what is not valid in its encoding would make one person of many.
    """
    return _looked_through(source, header, most)[1] if header.format in TEXT_PARTS else None


def settled(source: Source, header: Header, most: int | None = None) -> tuple[Header, tuple[str, str] | None]:
    """Return the header with the encoding the file has, and why it is not to be read all the same, see `misread`.

    Where a platform says what its text is in that is no UTF-8, it is that if more lines tell so than speak for UTF-8.
    """
    header = replace(header, is_unsettled=False)
    if header.format not in TEXT_PARTS:
        return header, None
    is_odd, complaint = _looked_through(source, header, most)
    fallback = header.layout.fallback
    if fallback is None or not is_odd or header.encoding != "utf-8" or not _is_other(source, most):
        return header, complaint
    other = replace(header, encoding=fallback)
    return other, misread(source, other, most)


def _looked_through(source: Source, header: Header, most: int | None) -> tuple[bool, tuple[str, str] | None]:
    """Return whether any byte of a text is not valid in its encoding, and why it is not to be read so, if it is not."""
    plain = header.plain()
    with source.open() as stream:
        if is_fine(Text(stream, header.encoding), plain, most):
            return False, None
    with source.open() as stream:
        text = Text(stream, header.encoding)
        lines = LineCount(text, plain)
        lines.read(most)
    complaint = lines.complaint()
    if complaint and text.truncated is not None:  # what stands there may be another file's
        complaint = "cut_short", f"{text.truncated}; fetch it again"
    return lines.is_odd, complaint


def _is_other(source: Source, most: int | None) -> bool:
    """Return whether more lines of a text are no UTF-8 than are, of those that are not ASCII."""
    balance, taken, held = 0, 0, b""
    with source.open() as stream:
        for piece in Text(stream, "utf-8").pieces(HEAD_BYTES):
            taken += len(piece)
            *lines, held = (held + piece).split(b"\n")
            balance += sum(1 - 2 * is_utf8(line) for line in lines if not line.isascii())
            if most is not None and taken >= most:
                break
    return balance + (0 if held.isascii() else 1 - 2 * is_utf8(held)) > 0


def _text_header(
    text: Text, pieces: Iterator[bytes], layout: Layout, source: Source, head_bytes: int
) -> Header | None:
    """Return the header of a file of text, however many blank lines stand above it."""
    found: Header | None = None
    data = b""
    for piece in pieces:
        data = (data + piece).lstrip(b"\r\n")
        bare = data.lstrip()
        start = bare[:1]
        if start in {b"{", b"["}:
            form: Format = "jsonl" if start == b"{" else "json"
            found = _json_header(form, text, chain([bare], pieces), head_bytes)
            break
        if start and layout == Layout() and _is_jsonl(data):
            found = _json_header("jsonl", text, chain([data], pieces), head_bytes)
            break
        if start and data.strip() not in NO_ROWS and (b"\n" in data or b"\r" in data):
            found = delimited_header(data, layout=layout, encoding=text.encoding)
        if found is not None:
            break
        if not start:
            data = data[-RECORD_BYTES:]
        elif len(data) > (longest := _HEADER_BYTES if layout.has_header else RECORD_BYTES):
            why = f"its first line is longer than {longest:,} bytes; fetch it again, or mend it"
            raise Unfit(source.name, "too_long_a_line", why)
    else:
        if data.strip() not in NO_ROWS:
            found = delimited_header(data + b"\n", layout=layout, encoding=text.encoding)
    return found


def _is_jsonl(data: bytes) -> bool:
    """Return whether most lines are objects of JSON by themselves, from the first that is, if not the first of all.

    As they stand in quotes in tables with more than one column, no line of such a table is one.
    """
    good, seen = 0, 0
    for line in data.splitlines():
        bare = line.strip()
        is_object = bare.startswith(b"{") and bare.endswith(b"}") and bool(root_keys([bare]))
        good += is_object
        seen += bool(bare) and good > 0
        if seen == _LINES_SEEN:
            break
    return 2 * good > seen


def _json_header(form: Format, text: Text, pieces: Iterable[bytes], head_bytes: int) -> Header | None:
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
        if seen > RECORD_BYTES or (seen >= head_bytes and (keys if key is None else inside)):
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
