"""Avro: block by block through fastavro, an optional library, then as Parquet is read."""

import importlib
import json
import struct
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from lzma import LZMAError
from typing import Any, BinaryIO, Final

import pyarrow as pa

from migrate.errors import UsageError
from migrate.inputs.source import Source
from migrate.inputs.streams import Truncated
from migrate.kit.declare import Table
from migrate.readers.avrotypes import Column, plain, typed
from migrate.readers.columnar import Columns
from migrate.readers.records import RECORD_BYTES, Header, Part, reject

MARK: Final = b"Obj\x01"
_MOST_ROWS: Final = 12_288
_STEP: Final = 1 << 18
_REPLACED: Final = "\ufffd"
_DAMAGE: Final = (
    *(ValueError, LookupError, EOFError, OSError, ArithmeticError, TypeError, AttributeError, RecursionError),
    *(struct.error, zlib.error, LZMAError),
)
"""What fastavro and the codecs raise for data that are none."""


def avro_header(source: Source) -> Header:
    """Return the header; of a file that cannot be read, one without columns.

    Raises `UsageError` where the library, or the one of the file's compression, is not installed.
    """
    with source.open() as stream:
        file = _File(source, stream)
        try:
            names = file.open()
            next(file.blocks, None)  # told now whether the compression can be taken off
        except file.damage as error:
            file.check(error)
            names = file.names
        return Header("avro", names)


def avro_parts(source: Source, table: Table, header: Header, *, block_bytes: int) -> Iterator[Part]:
    """Yield an Avro file in parts of whole records of about `block_bytes`; `ROW` is the record's place, from 1.

    Damage ends the file: what was read before it is delivered, up to the record that cannot be read.
    """
    columns = Columns.of(table, header)
    first = 1
    with source.open() as stream:
        file = _File(source, stream)
        for records in file.records(block_bytes):
            yield _part(columns, file, records, first)
            first += len(records)
        if file.why is not None:
            part = _part(columns, file, [], first)
            part.rejects.append(reject(None, file.reason, f"after record {first - 1}: {file.why}"))
            yield part


def _part(columns: Columns, file: "_File", records: list[Mapping[str, Any]], first: int) -> Part:
    """Return records as a part, and with it what was counted on the way."""
    arrays = {
        name: column.array([record[name] for record in records], file.counts)
        for name, column in file.columns.items()
        if name in columns.needed
    }
    length = pa.nulls(len(records))  # a batch without columns would have none
    batch = pa.RecordBatch.from_arrays([*arrays.values(), length], [*arrays, ""])
    part = columns.part(columns.simple(batch), first)
    part.counts.update(file.counts)
    file.counts.clear()
    return part


class _File:
    """An Avro file being read; `why` tells, after the last record, what was wrong with it, if anything."""

    def __init__(self, source: Source, stream: BinaryIO) -> None:
        self._library = _installed(source)
        self._source = source
        self._stream = _Whole(stream)
        self.damage = (*_DAMAGE, self._library.schema.SchemaParseException, *_codec_errors())
        self.blocks: Any = None
        self.columns: dict[str, Column] = {}
        self.counts = Counter[str]()
        self.why: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The fields of its records."""
        return tuple(self.columns)

    @property
    def reason(self) -> str:
        """Whether it ended early or is damaged."""
        return "truncated_file" if self.columns and self._stream.ended else "unreadable_file"

    def open(self) -> tuple[str, ...]:
        """Read the schema; return the fields of its records."""
        self.blocks = self._library.block_reader(self._stream)
        written = self.blocks.writer_schema
        if not isinstance(written, dict) or written.get("type") not in {"record", "error"}:
            raise ValueError(f"it holds no records, found {json.dumps(written)[:200]}")
        self._schema = self._library.parse_schema(plain(written))
        named: dict[str, Any] = {}
        self.columns = {field["name"]: typed(field["type"], named, ()) for field in written["fields"]}
        return self.names

    def check(self, error: BaseException) -> None:
        """Raise `UsageError` if this error only says that a compression's library is not installed."""
        if "you need to install" in str(error):
            raise UsageError(
                f"{self._source.name}: {error}; pip install '.[avro]' in migrate's folder"
            ) from error

    def records(self, block_bytes: int) -> Iterator[list[Mapping[str, Any]]]:
        """Yield records, about `block_bytes` of them at a time."""
        found: list[Mapping[str, Any]] = []
        taken = 0
        try:
            self.open()
            for block in self.blocks:
                data, before = block.bytes_, 0
                for _ in range(block.num_records):
                    found.append(self._record(data))
                    taken, before = taken + data.tell() - before, data.tell()
                    if taken >= block_bytes or len(found) == _MOST_ROWS:
                        yield found
                        found, taken = [], 0
                if data.read(1):
                    raise ValueError("a block holds more than its records")
                self._stream.mark()
        except self.damage as error:
            self.check(error)
            self.why = self._stream.why or str(error) or type(error).__name__
        if found:
            yield found
        self.why = self.why or self._stream.left()

    def _record(self, data: BinaryIO) -> Mapping[str, Any]:
        """Return the next record; text that is not UTF-8 has U+FFFD in those places."""
        start = data.tell()
        try:
            record = self._library.schemaless_reader(data, self._schema, None)
        except UnicodeDecodeError:
            data.seek(start)
            record = self._library.schemaless_reader(
                data, self._schema, None, handle_unicode_errors="replace"
            )
            self.counts["invalid_utf8"] += max(1, sum(_REPLACED in str(value) for value in record.values()))
        return record  # type: ignore[no-any-return]


class _Whole:
    """A stream whose reads are short only where it ends, as fastavro expects."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._place = self._marked = 0
        self.ended = False
        self.why: str | None = None

    def read(self, size: int) -> bytes:
        """Return `size` bytes, fewer at the end; raise `ValueError` for more than a record may have."""
        if size > RECORD_BYTES:
            raise ValueError(f"a block of {size} bytes, the limit is {RECORD_BYTES}")
        parts: list[bytes] = []
        while size > 0 and (data := self._piece(min(size, _STEP))):
            parts.append(data)
            size -= len(data)
        self.ended |= size > 0
        read = b"".join(parts)
        self._place += len(read)
        return read

    def _piece(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except Truncated as error:
            self.why = str(error)
            return b""

    def tell(self) -> int:
        """Return how much was read."""
        return self._place

    def mark(self) -> None:
        """Note that a block ends here."""
        self._marked = self._place

    def left(self) -> str | None:
        """Return why the data do not end with a block, None if they do."""
        cut = "the Avro data end early" if self._place > self._marked > 0 else None
        return self.why or cut


def _installed(source: Source) -> Any:  # noqa: ANN401 - a module, not there for all
    try:
        return importlib.import_module("fastavro")
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{source.name}: an Avro file, and the library to read it is not installed;"
            " pip install '.[avro]' in migrate's folder"
        ) from error


def _codec_errors() -> tuple[type[Exception], ...]:
    """Return what the library for snappy raises, where it is installed."""
    try:
        found: type[Exception] = importlib.import_module("cramjam").DecompressionError
    except ModuleNotFoundError:
        return ()
    return (found,)
