"""ORC: stripe by stripe, columns found by name, as Hive and Spark write it."""

from collections.abc import Iterator
from typing import Final

import pyarrow as pa
from pyarrow import orc

from migrate.inputs.source import Source
from migrate.inputs.streams import Truncated
from migrate.kit.declare import Table
from migrate.readers.columnar import Columns, cut, damage
from migrate.readers.records import Header, Part, reject

MARK: Final = b"ORC"
_UNREADABLE: Final = (pa.ArrowException, OSError, Truncated)


def orc_header(source: Source) -> Header:
    """Return the header; of a file that cannot be read, one without columns."""
    try:
        with source.seekable() as stream:
            return Header("orc", tuple(dict.fromkeys(orc.ORCFile(stream).schema.names)))
    except _UNREADABLE:
        return Header("orc", ())


def orc_parts(source: Source, table: Table, header: Header) -> Iterator[Part]:
    """Yield an ORC file in parts of its stripes; `ROW` is the row's place in the file, from 1.

    A column of a stripe that cannot be read costs its cells, counted as `unreadable_column.<name>`: such is one with a
    time before 1677 or after 2262, as Arrow reads ORC's times in nanoseconds.
    """
    columns, row = Columns.of(table, header), 1
    try:
        with source.seekable() as stream:
            file = orc.ORCFile(stream)
            for number in range(file.nstripes):
                stripe, lost = _stripe(file, number, columns.needed)
                for batch in cut(columns.simple(stripe)):
                    part = columns.part(batch, row)
                    part.counts.update({f"unreadable_column.{name}": batch.num_rows for name in lost})
                    yield part
                    row += batch.num_rows
                if source.meter:
                    source.meter.at(row, file.nrows)
    except _UNREADABLE as error:
        part = columns.part(pa.RecordBatch.from_pylist([], pa.schema([])), row)
        part.rejects.append(reject(None, "unreadable_file", damage(error)))
        yield part


def _stripe(file: orc.ORCFile, number: int, names: list[str]) -> tuple[pa.RecordBatch, list[str]]:
    """Return the needed columns of a stripe, and the names of those that cannot be read; the first one is there."""
    asked = names or file.schema.names[:1]
    try:
        return file.read_stripe(number, columns=asked), []
    except pa.ArrowInvalid:
        if len(asked) == 1:
            raise
    found, lost = {}, []
    for name in asked:
        try:
            found[name] = file.read_stripe(number, columns=[name]).column(0)
        except pa.ArrowInvalid:
            lost.append(name)
    if not found:
        raise pa.ArrowInvalid(f"stripe {number + 1}: none of its columns can be read")
    return pa.RecordBatch.from_arrays(list(found.values()), list(found)), lost
