"""Rows as their file has them, for those who look for what is wrong with one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import polars as pl

from migrate import numbering
from migrate.inputs.source import Source
from migrate.jsontext.parse import Raw, cells, raw_object
from migrate.kit.declare import REST, ROW, Table
from migrate.readers.files import row_parts
from migrate.readers.opener import Opener
from migrate.readers.partitions import with_partitions
from migrate.readers.records import (
    BLOCK_BYTES,
    RECORD_BYTES,
    Header,
    spelled,
)
from migrate.readers.unfolded import Places, elements

_AS_WRITTEN: Final = Opener(bags={})


class _Unfolded:
    """Records of which an array is unfolded."""

    def __init__(self, source: Source, column: str, header: Header) -> None:
        self._column, self._places = column, Places(source)
        self._name = spelled({column: None}, header.columns).get(column, column)
        self._record, self._first = -1, 1
        self._elements: list[bytes] = []

    def alone(self, record: dict[str, Raw], row: int) -> dict[str, Raw]:
        """Return a record with the element alone that a row is; as it is, where the row is all of it.

        Rows are asked for in order, as one record may have many that are asked for.
        """
        element, number = numbering.element_of(row), numbering.record_of(row)
        name = self._name if self._name in record else self._spelling(record)
        if not element or name is None:
            return record
        if self._record != number:
            self._record, first = number, self._places.of(number)
            self._elements = elements(cells([record[name]])[0], Counter())
            self._first = first if first and len(self._elements) == 1 else 1
        return record | {name: Raw(b"[" + self._elements[element - self._first] + b"]")}

    def _spelling(self, record: dict[str, Raw]) -> str | None:
        """Return how a record spells the column, None where it lacks it."""
        return next((name for name in record if name.lower() == self._column.lower()), None)


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
        self._unfolded = None if table.unfold is None else _Unfolded(source, table.unfold, header)
        self._held = pl.DataFrame(schema={ROW: pl.Int64, REST: pl.String})

    def of(self, rows: Sequence[int]) -> dict[int, dict[str, Raw]]:
        """Return each of these rows that there is, none of which may stand before one asked for earlier.

        Of one that is an element of a record it is the record, with that element alone in its array.
        """
        if self._unfolded is None:
            return self._records(rows)
        found = self._records([*{numbering.record_of(row) for row in rows}])
        return {
            row: self._unfolded.alone(found[record], row)
            for row in sorted(rows)
            if (record := numbering.record_of(row)) in found
        }

    def _records(self, rows: Sequence[int]) -> dict[int, dict[str, Raw]]:
        """Return each of these records that there is."""
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
