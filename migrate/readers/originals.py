"""Rows as their file has them, for those who look for what is wrong with one."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import polars as pl

from migrate.inputs.source import Source
from migrate.jsontext.parse import Raw, raw_object
from migrate.kit.declare import REST, ROW, Table
from migrate.readers.files import row_parts
from migrate.readers.opener import Opener
from migrate.readers.partitions import with_partitions
from migrate.readers.records import (
    BLOCK_BYTES,
    RECORD_BYTES,
    Header,
)

_AS_WRITTEN: Final = Opener(bags={})


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
        self._parts = row_parts(source, bare, header, BLOCK_BYTES, RECORD_BYTES)
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
                part = with_partitions(part, self._bare, self._header)
            self._held = _AS_WRITTEN.open(part)
        return found
