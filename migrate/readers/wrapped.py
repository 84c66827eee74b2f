"""Rows inside of other objects: what a copying service or an API puts around them is taken off."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
import polars as pl

from migrate.jsontext.careful import BadJSON, careful_members
from migrate.jsontext.parse import Raw
from migrate.kit.declare import Table
from migrate.readers.cutter import Broken
from migrate.readers.structure import checked_line, one_line

AIRBYTE: Final = "_airbyte_data"
"""Airbyte's raw tables and files hold a row under this name, as an object or as its text, beside `_airbyte_…` of its
own (https://docs.airbyte.com/using-airbyte/core-concepts/basic-normalization, read 2026-11-28)."""
PAGE: Final = "results"
"""A page of PostHog's API holds rows under this name, and beside it where the next page is
(`next`; see `mappings.posthog`)."""
PAGES: Final = {PAGE: "next", "datapoints": "meta"}
"""Names under which an answer of an API holds rows -> what stands beside them; Simple Analytics has `meta`, which says
how many there are (see `mappings.simpleanalytics`)."""

_list: Final = msgspec.json.Decoder(list[Raw]).decode
_text: Final = msgspec.json.Decoder(str).decode
_FAILURES: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def wrapper(columns: Iterable[str], *, is_json: bool) -> str | None:
    """Return the column, or the key of JSON objects, that holds rows; None where these are a row's own."""
    names = list(columns)
    service = [name for name in names if name.lower().startswith("_airbyte_")]
    if len(service) > 1 and (held := [name for name in service if name.lower() == AIRBYTE]):
        return held[0]
    pages = (name for name, beside in PAGES.items() if {name, beside}.issubset(names))
    return next(pages, None) if is_json else None


def outer(column: str, columns: Iterable[str]) -> Table:
    """Return the table of a file with these columns of which one alone is wanted."""
    others = frozenset(name.lower() for name in columns if name != column)
    return Table(
        name=column,
        columns={column: pl.String},
        matches=lambda _: False,
        to_events=lambda rows, _: rows,
        dropped=others,
    )


class Wrapper:
    """Opens records that hold their rows under a key; a record without that key is a row itself."""

    def __init__(self, key: str) -> None:
        self._key = key
        self.is_paged = key in PAGES
        """Whether a record holds any number of rows, which are then numbered through the file."""

    def opened(
        self, found: Iterable[bytes | Broken], numbers: Sequence[int], last: int, counts: Counter[str]
    ) -> tuple[list[bytes | Broken], list[int]]:
        """Return the rows in these records, and their numbers, those of pages from after `last` on."""
        rows: list[bytes | Broken] = []
        places: list[int] = []
        for one, number in zip(found, numbers, strict=True):
            inside = [one] if isinstance(one, Broken) else self._inside(one, counts)
            rows += inside
            places += [number] * len(inside)
        return rows, [*range(last + 1, last + 1 + len(rows))] if self.is_paged else places

    def cell(self, text: str | None) -> bytes | Broken:
        """Return the row in a cell."""
        return self._row(checked_line(text.encode()) if text else b"null")

    def _inside(self, record: bytes, counts: Counter[str]) -> list[bytes | Broken]:
        """Return the rows in a record."""
        try:
            found = careful_members(one_line(record), counts)
        except BadJSON as error:
            return [Broken(str(error), record)]
        if self._key not in found:
            return [record]
        value = found[self._key]
        return [*self._page(value)] if self.is_paged else [self._row(bytes(value))]

    def _page(self, value: Raw) -> Iterable[bytes | Broken]:
        """Return the rows of a page."""
        try:
            return [bytes(one) for one in _list(value)]
        except _FAILURES:
            return [self._broken(bytes(value))]

    def _row(self, text: bytes) -> bytes | Broken:
        """Return an object, which may be told as a JSON string."""
        row = text.strip()
        if row.startswith(b'"'):
            try:
                row = checked_line(_text(row).strip().encode())
            except _FAILURES:
                return self._broken(text)
        return row if row.startswith(b"{") else self._broken(text)

    def _broken(self, text: bytes) -> Broken:
        """Return what is said of something else than an object."""
        return Broken("bad_json", f"{self._key}: ".encode() + text)
