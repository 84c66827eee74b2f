"""A file → frames of declared text types, chunk by chunk; bad lines come out as rejects; all formats are read here."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Final
from urllib.parse import unquote

import polars as pl

from migrate import expr
from migrate.errors import Unfit
from migrate.inputs import Source, peek
from migrate.jsontext import Raw, encoded, raw_object
from migrate.mapping import REST, ROW, Table
from migrate.readers.arrays import Elements, array_parts
from migrate.readers.avro import MARK as AVRO
from migrate.readers.avro import avro_header, avro_parts
from migrate.readers.blocks import Lines, Text, detect
from migrate.readers.cutter import Cutter
from migrate.readers.delimited import delimited_header, delimited_parts
from migrate.readers.dialects import Layout, Plain
from migrate.readers.jsonl import cell_parts, jsonl_parts, root_keys
from migrate.readers.opened import Opener
from migrate.readers.orc import MARK as ORC
from migrate.readers.orc import orc_header, orc_parts
from migrate.readers.parquet import parquet_header, parquet_parts
from migrate.readers.records import (
    BLOCK_BYTES,
    RECORD_BYTES,
    ROUNDED,
    Chunk,
    Format,
    Header,
    Part,
    Reject,
    gathered,
    reject,
)
from migrate.readers.wrapped import Wrapper, outer, wrapper

__all__ = [
    "BLOCK_BYTES",
    "RECORD_BYTES",
    "Chunk",
    "Header",
    "Layout",
    "Originals",
    "Reject",
    "chunks",
    "gathered",
    "header",
    "misread",
]

_WORDS: Final = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}
_DAMAGE = frozenset({"truncated_file", "unreadable_file"})
_NO_PARTITION: Final = "__HIVE_DEFAULT_PARTITION__"
_JSON: Final = frozenset({"json", "jsonl"})
_AS_WRITTEN: Final = Opener(bags={})
_SNIFFED_BYTES: Final = 256
_HEAD_BYTES: Final = 1 << 20
_LINES_SEEN: Final = 20
"""So many lines tell whether a file whose first line is no object is one of objects."""
_NOTHING: Final = {b"", b"null"}
"""What some programs write for a list without elements."""
_HEADER_BYTES: Final = 8 << 20
"""The longest first line that is one of names."""
_TEXT_PARTS: Final = {"csv": delimited_parts, "json": array_parts, "jsonl": jsonl_parts}


def header(
    source: Source,
    *,
    encoding: str | None = None,
    layout: Layout = Layout(),  # noqa: B008 - frozen
    partitions: bool = True,
) -> Header | None:
    """Return a file's format and columns, told by its content; None if there is nothing in it.

    Parquet, Avro and ORC by their marks, JSON by its first character, or by the objects that stand below a first line
    which is none; all else is delimited text, the delimiter the one of , tab ; and | that its first line has most of.
    The encoding is told by a byte order mark or by its zeros, else UTF-8. For JSON the columns are the root keys seen
    in the first megabyte that has any. Where rows may stand inside of a column or key, `within` is their header. A file
    of which nothing can be read has a header without columns;
    `chunks` says why. Raises `UsageError` for an unknown encoding, and for Avro where the library to read it is not
    installed.
    """
    with source.open() as opened:
        head, stream = peek(opened, _SNIFFED_BYTES)
        if head.startswith(b"PAR1"):
            found: Header | None = parquet_header(source)
        elif head.startswith(AVRO):
            found = avro_header(source)
        elif head.startswith(ORC):
            found = orc_header(source)
        else:
            found = _text_header(Text(stream, encoding or detect(head)), layout, source)
    found = found if found is None or found.format in _JSON else _with_cells(source, found)
    if found is None or not partitions or "=" not in source.name:
        return found
    said = _partitions(source)
    inside = found.within and replace(found.within, partitions=said)
    return replace(found, partitions=said, within=inside)


def _partitions(source: Source) -> tuple[tuple[str, str | None], ...]:
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
    if header.format not in _TEXT_PARTS:
        return None
    with source.open() as stream:
        plain = Plain(header.delimiter) if header.seems_plain and header.delimiter else None
        text = Text(stream, header.encoding)
        lines = Lines(text, plain)
        lines.read(most)
    complaint = lines.complaint()
    if complaint and text.truncated is not None:  # what stands there may be another file's
        return "cut_short", f"{text.truncated}; fetch it again"
    return complaint


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
    if header.format in _JSON and not header.columns:
        nothing = _nothing(_parts(source, table, header, *sizes))
    if nothing is not None:
        nothing.rejects.append(reject(None, "no_record", _lines(source, header)))
    for part in _parts(source, table, header, *sizes) if nothing is None else (nothing,):
        chunk = _finished(_placed(part, table, header) if header.partitions else part, table, opener)
        if chunk.rows.height or chunk.rejects or chunk.counts:
            yield chunk


class Originals:
    """Rows as their file has them, all columns and words, for those who look for what is wrong with one.

    Asked for in order: the file is read a second time for it, as far as the last row asked for.
    """

    def __init__(self, source: Source, table: Table, header: Header) -> None:
        bare = Table(name="", columns={}, matches=table.matches, to_events=table.to_events, partitions=True)
        known = {name.lower() for name in table.columns}
        said = (one for one in header.partitions if table.partitions or one[0].lower() in known)
        self._header = replace(header, partitions=tuple(said))
        self._bare = bare
        self._parts = _parts(source, bare, header, BLOCK_BYTES, RECORD_BYTES)
        self._held = pl.DataFrame(schema={ROW: pl.Int64, REST: pl.String})

    def of(self, rows: Sequence[int]) -> dict[int, dict[str, Raw]]:
        """Return each of these rows that there is, none of which may stand before one asked for earlier."""
        found: dict[int, dict[str, Raw]] = {}
        wanted = sorted(rows)
        while wanted:
            here = self._held.filter(pl.col(ROW).is_in(wanted))
            for number, rest in here.select_seq(ROW, REST).iter_rows():
                found[number] = raw_object(rest or "{}")
            last = self._held[ROW].max()
            if isinstance(last, int) and wanted[-1] <= last:
                break
            part = next(self._parts, None)
            if part is None:
                break
            if self._header.partitions:
                part = _placed(part, self._bare, self._header)
            self._held = _AS_WRITTEN.opened(part)
        return found


def _parts(
    source: Source, table: Table, header: Header, block_bytes: int, record_bytes: int
) -> Iterator[Part]:
    """Yield a file's rows, or those inside of one of its columns."""
    sizes = {"block_bytes": block_bytes, "record_bytes": record_bytes}
    if header.wrapper is None or header.format in _JSON:
        yield from _file_parts(source, table, header, **sizes)
    else:
        around = replace(header, columns=header.around, wrapper=None)
        parts = _file_parts(source, outer(header.wrapper, header.around), around, **sizes)
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


def _placed(part: Part, table: Table, header: Header) -> Part:
    """Return a part with what the folders say of its rows; where the file has a column of that name, that counts."""
    own = {name.lower(): name for name in header.columns}
    declared = {name.lower(): name for name in table.columns}
    passing: dict[str, str] = {}
    for name, value in header.partitions:
        column, lowered = declared.get(name.lower()), name.lower()
        if lowered in own:
            _compare(part, column, own[lowered], value)
        elif column is not None:
            part.rows = part.rows.with_columns(pl.lit(value, pl.String).alias(column))
        elif table.partitions and value is not None:
            passing[name] = value
        elif not table.partitions and lowered not in {one.lower() for one in table.dropped}:
            part.counts[f"partition_left_out.{name}"] += part.rows.height
    if passing and part.flat is not None:
        height = part.rows.height
        told = (pl.Series(name, [value]).new_from_index(0, height) for name, value in passing.items())
        part.flat = pl.DataFrame([*part.flat.get_columns(), *told])
    elif passing:
        said = pl.lit(encoded(passing).decode())
        part.rows = part.rows.with_columns(expr.completed(pl.col(REST), said).alias(REST))
    return part


def _compare(part: Part, column: str | None, name: str, value: str | None) -> None:
    """Count the rows whose own column says something else than their folder."""
    if column is not None:
        own = part.rows[column]
    elif part.flat is None:
        own = part.rows.select_seq(expr.fields(pl.col(REST), [name]).struct.field(name)).to_series()
    elif name in part.flat.columns:
        own = part.flat[name].cast(pl.String)
    else:
        return
    differing = int((own.is_not_null() & own.ne_missing(pl.Series([value], dtype=pl.String))).sum())
    if differing:
        part.counts[f"partition_differs.{name}"] += differing


def _finished(part: Part, table: Table, opener: Opener) -> Chunk:
    """Return the chunk a part comes to: objects opened, declared types cast."""
    rows = _with_ids(opener.opened(part), table.ids, part)
    if table.left_out is not None:
        _note_left_out(rows, table.left_out, part)
    for column, dtype in table.columns.items():
        if dtype != pl.String:
            rows = _cast(rows, column, dtype, part.counts)
    rejects = sorted(part.rejects, key=lambda one: -1 if one.row is None else one.row)
    return Chunk(rows, rejects, part.counts)


def _note_left_out(rows: pl.DataFrame, is_left_out: Callable[[str], object], part: Part) -> None:
    """Count what rows have in columns that go nowhere."""
    for rest in rows[REST].drop_nulls():
        for name in raw_object(rest):
            if is_left_out(name):
                part.counts[f"column_left_out.{name}"] += 1


def _with_ids(rows: pl.DataFrame, ids: Iterable[str], part: Part) -> pl.DataFrame:
    """Return the rows with nothing in the place of ids that mean nothing, which are counted.

    Rows with an id that was rounded, or of which a part could not be read, are rejects: each stands for many.
    """
    names = [name for name in ids if name in rows.columns and rows[name].null_count() < rows.height]
    if not names:
        return rows
    is_word = expr.means_nothing(pl.col(names))
    rules: dict[str, Callable[[pl.Expr], pl.Expr]] = {
        "invalid_text": lambda text: text.str.contains("\ufffd", literal=True),
        "rounded_id": lambda text: text.str.starts_with(ROUNDED),
    }
    found = {"word": is_word} | {reason: rule(pl.col(names)) for reason, rule in rules.items()}
    odd = rows.select_seq(
        pl.any_horizontal(one.fill_null(value=False)).alias(name) for name, one in found.items()
    )
    if odd["word"].any():
        part.counts["null_text"] += int(odd["word"].sum())
        rows = rows.with_columns(pl.when(~is_word).then(pl.col(names)))
    for reason, rule in rules.items():
        if not odd[reason].any():
            continue
        first = pl.coalesce(pl.when(rule(pl.col(name))).then(pl.col(name)) for name in names)
        for number, text in rows.filter(odd[reason]).select_seq(ROW, first).iter_rows():
            part.rejects.append(reject(number, reason, text.removeprefix(ROUNDED)))
        rows, odd = rows.filter(~odd[reason]), odd.filter(~odd[reason])
    return rows


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


def _file_parts(
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
            text = Text(stream, header.encoding)
            parts = _TEXT_PARTS[header.format]
            for part in parts(text, table, header, block_bytes=size, record_bytes=record_bytes):
                part.counts.update(text.take_counts())
                yield part


def _text_header(text: Text, layout: Layout, source: Source) -> Header | None:
    """Return the header of a file of text, however many blank lines stand above it."""
    found: Header | None = None
    data = b""
    pieces = text.pieces(_HEAD_BYTES)
    for piece in pieces:
        data = (data + piece).lstrip(b"\r\n")
        bare = data.lstrip()
        start = bare[:1]
        if start in {b"{", b"["}:
            found = _json_header("jsonl" if start == b"{" else "json", text, chain([bare], pieces))
            break
        if start and layout == Layout() and _is_jsonl(data):
            found = _json_header("jsonl", text, chain([data], pieces))
            break
        if start and data.strip() not in _NOTHING and (b"\n" in data or b"\r" in data):
            found = delimited_header(data, layout=layout, encoding=text.encoding)
        if found is not None:
            break
        if not start:
            data = data[-RECORD_BYTES:]
        elif len(data) > (longest := _HEADER_BYTES if layout.has_header else RECORD_BYTES):
            why = f"its first line is longer than {longest:,} bytes; fetch it again, or mend it"
            raise Unfit(source.name, "too_long_a_line", why)
    else:
        if data.strip() not in _NOTHING:
            found = delimited_header(data + b"\n", layout=layout, encoding=text.encoding)
    if text.truncated is None:
        return found
    return Header("jsonl", ()) if found is None else replace(found, damage=text.truncated)


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
    for part in _file_parts(source, around, found, block_bytes=BLOCK_BYTES, record_bytes=RECORD_BYTES):
        keys |= dict.fromkeys(root_keys(map(Wrapper(key).cell, part.rows[key])))
        if keys:
            break
    return found.holding(key, keys)
