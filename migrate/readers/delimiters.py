"""The first record of delimited text → its delimiter and dialect, guessed where nobody says them, and its columns."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from migrate.readers.dialects import Layout, Name, guess
from migrate.readers.quoting import Escaped, Quoted, Raw
from migrate.readers.records import RECORD_BYTES, Header

SEP_LINE: Final = re.compile(rb'"?sep=([,;|\t])"?\r?\n', re.IGNORECASE)
_VALUE: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}.*|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[^@\s]+@[^@\s]+\.[a-z]+"
)
"""What no column is called: a time, a uuid, an address."""
_SNIFFED_BYTES: Final = 1 << 18
_FEW_ROWS: Final = 20
"""Rows that tell how many cells rows of a file without a header have."""
csv.field_size_limit(RECORD_BYTES)  # the cells of a first row may be as long as any
DELIMITERS: Final = (",", "\t", ";", "|")


def delimited_header(data: bytes, *, layout: Layout, encoding: str) -> Header | None:
    """Return the header that the first record of this text makes; None if no record ends in it."""
    data = data.lstrip(b"\r\n")
    delimiter = layout.delimiter
    if said := SEP_LINE.match(data):
        data, delimiter = data[said.end() :], delimiter or said[1].decode()
    head = data.decode("utf-8", "replace")
    line_end = "\n" if "\n" in head else "\r"
    if line_end not in head:
        return None
    if delimiter is None:
        delimiter = _shown(head)
    said_layout = bool(layout.dialect or layout.quote or layout.escape)
    dialect, doubt = _dialect(layout, delimiter, data)
    layout = replace(layout, delimiter=None, dialect=None if dialect == "plain" else dialect)
    plain = b"".join(as_plain(layout, delimiter, iter([data]), len(data))).decode("utf-8", "replace")
    records = csv.reader(io.StringIO(plain, newline=""), delimiter=delimiter)
    cells, value = next(records), None
    if layout.has_header:
        value = next((cell for cell in cells if _VALUE.fullmatch(cell.strip())), None)
        columns = unique(cells) + _trailing(cells, next(records, []))
    else:
        columns = unique(layout.columns) or [f"column_{place}" for place in range(1, len(cells) + 1)]
        if layout.columns and len(columns) != len(cells):
            cells = _usual([cells, *islice(records, _FEW_ROWS)], is_whole=plain.endswith(("\n", "\r")))
        columns += _trailing(columns, cells)
        if len(columns) != len(cells):
            doubt = (
                f"its first row has {len(cells)} cells, found {len(columns)} names for its columns; name each"
            )
    return Header(
        *("csv", tuple(columns), delimiter, encoding, line_end),
        layout=layout,
        says_delimiter=said is not None,
        seems_plain=dialect == "plain" and not said_layout,
        doubt=doubt,
        is_torn=layout.has_header and _is_torn(plain, delimiter),
        value=value,
    )


def first_records(data: bytes, layout: Layout) -> list[list[str]]:
    """Return the first records of a text that is written so, a few; of the dialect nothing is guessed."""
    delimiter = layout.delimiter or _shown(data.lstrip(b"\r\n").decode("utf-8", "replace"))
    start = data[:_SNIFFED_BYTES]
    if len(data) > len(start):
        start = start[: start.rfind(b"\n") + 1] or data
    plain = b"".join(as_plain(layout, delimiter, iter([start]), len(start))).decode("utf-8", "replace")
    records = csv.reader(io.StringIO(plain, newline=""), delimiter=delimiter)
    return [*islice((record for record in records if record), _FEW_ROWS)]


def _shown(head: str) -> str:
    """Return the delimiter that the first line of a text has most of."""
    line = re.sub(r'"[^"]*"', "", head.split("\n" if "\n" in head else "\r", 1)[0])
    return max(DELIMITERS, key=line.count)


def _usual(records: Sequence[list[str]], *, is_whole: bool) -> list[str]:
    """Return the first record of those that have as many cells as most have; the last may be cut."""
    whole = records if is_whole or len(records) == 1 else records[:-1]
    (length, _), *_ = Counter(map(len, filter(None, whole))).most_common(1) or [(len(records[0]), 1)]
    return next((one for one in whole if len(one) == length), records[0])


def _dialect(layout: Layout, delimiter: str, data: bytes) -> tuple[Name | None, str | None]:
    """Return the dialect that the user says or the file shows, and why it is to be said where it shows two."""
    if layout.quote == delimiter:
        return layout.dialect, f"its quote is said to be '{delimiter}', which is its delimiter; say another"
    if layout.dialect or layout.quote or layout.escape:
        return layout.dialect, None
    found = guess(data[:_SNIFFED_BYTES], delimiter)
    return found, None if found else (
        "some quotes are doubled and some stand behind a backslash, so that cells would be torn either way; "
        "say how it is written with --dialect plain, spark, clickhouse or raw"
    )


def _is_torn(plain: str, delimiter: str) -> bool:
    """Return whether a quote in the first line is not closed: what breaks a line in a name is in quotes, else.

    Told by a quote that is left over, and by the row below, which has as many cells as there are names.
    """
    cells, *below = islice(csv.reader(io.StringIO(plain, newline=""), delimiter=delimiter), 3)
    if not any("\n" in cell.strip() for cell in cells):
        return False
    try:
        next(csv.reader(io.StringIO(plain, newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        return True
    is_whole = len(below) > 1 or plain.endswith(("\n", "\r"))
    row = below[0] if below and is_whole else cells
    return any(cell.count('"') % 2 for cell in cells) or len(row) != len(cells) + len(_trailing(cells, row))


def _trailing(cells: Sequence[str], row: Sequence[str]) -> list[str]:
    """Return a column more where rows end with a delimiter and the header does not."""
    return [f"column_{len(row)}"] if len(row) == len(cells) + 1 and not row[-1] else []


def is_as_it_is(layout: Layout) -> bool:
    """Return whether text of this layout is as RFC 4180 has it."""
    return layout.dialect is None and layout.quote in {None, '"'} and layout.escape in {None, '"'}


def as_plain(layout: Layout, delimiter: str, pieces: Iterator[bytes], most: int) -> Iterator[bytes]:
    """Return the text as RFC 4180 has it."""
    if layout.dialect == "clickhouse":
        return Escaped(delimiter).plain(pieces, most)
    if layout.dialect == "raw":
        return Raw(delimiter).plain(pieces, most)
    quote, escape = layout.quote or '"', layout.escape or ("\\" if layout.dialect == "spark" else None)
    if quote == '"' and escape in {None, '"'}:
        return pieces
    return Quoted(delimiter, quote, escape).plain(pieces, most)


def unique(cells: Sequence[str]) -> list[str]:
    """Return column names for the cells of a header: repeats get `_2` …, empty ones `column_` and their place."""
    names: dict[str, None] = {}
    stripped = [cell.strip() for cell in cells]
    given, numbers = set(stripped), Counter[str]()
    for place, cell in enumerate(stripped, 1):
        name = stem = cell or f"column_{place}"
        while name in names or (name != cell and name in given):
            numbers[stem] += 1
            name = f"{stem}_{numbers[stem] + 1}"
        names[name] = None
    return list(names)
