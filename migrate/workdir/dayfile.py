"""One Parquet file of finished events: its columns, its row groups, what is known of it."""

from base64 import b64encode
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from migrate.workdir.records import OfDay
from migrate.workdir.seals import Kept

SCHEMA: Final = pa.schema(
    [
        ("timestamp", pa.timestamp("us", "UTC")),
        ("event", pa.large_string()),
        ("distinct_id", pa.large_string()),
        ("uuid", pa.large_string()),
        ("payload", pa.large_string()),
        ("file", pa.large_string()),
        ("row", pa.int64()),
    ]
)
_VIEWS: Final = pa.schema(
    [(one.name, pa.string_view() if one.type == pa.large_string() else one.type) for one in SCHEMA]
)
"""The same as polars holds it, and as it is written: texts are not copied for it."""
_TYPES: Final = pl.Schema(
    {"timestamp": pl.Datetime("us", "UTC")}
    | dict.fromkeys(("event", "distinct_id", "uuid", "payload", "file"), pl.String)
    | {"row": pl.Int64}
)
_READ_AS: Final = {"ARROW:schema": b64encode(SCHEMA.serialize()).decode()}
"""Readers are told of `SCHEMA`, where Arrow is asked for the columns as they were."""
GROUP_BYTES: Final = 8 * 2**20
"""Row groups are the runs that a day is merged from; their size bounds the memory of applying."""
STRIPPED: Final = ""
"""What stands in the place of a payload that is not kept any longer."""
UNREADABLE: Final = (pa.ArrowException, OSError)
"""What is raised for a file that is harmed."""
_FAILURES: Final = (pl.exceptions.PolarsError, pl.exceptions.PanicException)
_PAGE_BYTES: Final = 128 << 10
"""While runs are merged one page of each column of each run is in memory; of a dictionary all would be."""
_PAGE_ROWS: Final = 256
"""Rows between two looks at how large a page is."""


@dataclass(frozen=True, slots=True)
class Written:
    """A file that is written; `first` and `last` are microseconds since 1970."""

    path: str
    events: int
    bytes: int
    first: int
    last: int
    names: Counter[str] = field(default_factory=Counter)
    """How many events of each name it holds, where whoever wrote it has counted them."""
    days: Mapping[str, OfDay] = field(default_factory=dict)
    """What it has of each day, where it is a span."""


class ParquetWriter(pq.ParquetWriter):  # type: ignore[misc]
    """A writer that says once that the disk is full: when it is collected, it is too late to say so again."""

    def __del__(self) -> None:
        with suppress(Exception):
            super().__del__()


class DayFile:
    """A file that is being written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._events = self._bytes = 0
        self.names: Counter[str] = Counter()
        """For whoever writes, to count the events of each name."""
        self._first, self._last = 2**63 - 1, -(2**63)
        # Given a path, pyarrow looks it up in the file systems it knows, which takes longer than a small file.
        self._sink = pa.OSFile(str(path), "wb")
        self._writer = writer(self._sink)

    def add(self, table: pa.Table, size: int) -> None:
        """Write events in timestamp order, as `arrow` gives them, as a row group; `size` is that of their payloads."""
        self._writer.write_table(table, row_group_size=table.num_rows)
        times = table.column("timestamp")
        self._events += table.num_rows
        self._bytes += size
        self._first = min(self._first, times[0].value)
        self._last = max(self._last, times[-1].value)

    def close(self) -> Written:
        """Write the end of the file and return what is in it; a writer that is kept would take 20 kB."""
        self._writer.close()
        self._sink.close()
        return Written(str(self._path), self._events, self._bytes, self._first, self._last, self.names)


def writer(where: Path | pa.NativeFile, compression: str = "zstd") -> ParquetWriter:
    """Return a writer of what `arrow` gives; readers find the first timestamp of a row group in its statistics."""
    made = ParquetWriter(
        where,
        _VIEWS,
        compression=compression,
        compression_level=1 if compression == "zstd" else None,
        use_dictionary=["event", "file"],
        data_page_size=_PAGE_BYTES,
        write_batch_size=_PAGE_ROWS,
        write_statistics=["timestamp"],
        store_schema=False,
    )
    made.add_key_value_metadata(_READ_AS)
    return made


def frames(file: Path | Kept, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
    """Yield a file's events, all columns or these, a row group at a time; raises what `UNREADABLE` names.

    Of a sealed file none are what was not written; raises Harmed where it is harmed.
    """
    opened = pa.OSFile(str(file)) if isinstance(file, Path) else file.opened()
    with opened as source, pq.ParquetFile(source, pre_buffer=False) as parquet:
        for group in range(parquet.num_row_groups):
            yield pl.DataFrame(parquet.read_row_group(group, columns=columns and [*columns]))


def together(files: Sequence[bytes], columns: Sequence[str]) -> pl.DataFrame:
    """Return these columns of the events of many small files, given as their bytes, one file after another.

    Raises what `UNREADABLE` names where one of them cannot be read.
    """
    if not files:
        return pl.DataFrame(SCHEMA.empty_table()).select_seq(columns)
    try:
        return pl.scan_parquet([*files]).select(columns).collect()
    except _FAILURES as error:
        raise OSError(str(error)) from error


def names(path: Path) -> Counter[str]:
    """Return how many events of each name a file holds; none of one that cannot be read."""
    try:
        with pa.OSFile(str(path)) as source:
            events = pq.read_table(source, columns=["event"]).column("event")
    except UNREADABLE:
        return Counter()
    return Counter({one["values"].as_py(): one["counts"].as_py() for one in events.value_counts()})


def arrow(frame: pl.DataFrame) -> pa.Table:
    """Return finished events as an Arrow table of `SCHEMA`, its texts as they lie in the frame, to be written."""
    events = frame.select_seq(SCHEMA.names)
    events = events if events.schema == _TYPES else events.cast(_TYPES)
    table = events.to_arrow(compat_level=pl.CompatLevel.newest())
    return table if table.schema.equals(_VIEWS) else table.cast(_VIEWS)


def groups(
    path: Path, columns: Sequence[str], uuids: Collection[str] | None = None
) -> Iterator[list[tuple[Any, ...]]]:
    """Yield these columns of a file's events, a row group at a time; of those with one of the `uuids`, if given.

    None are of a file that cannot be read.
    """
    asked = (
        None
        if uuids is None
        else pl.Series(uuids, dtype=pl.String).to_arrow(compat_level=pl.CompatLevel.oldest())
    )
    try:
        with pa.OSFile(str(path)) as source, pq.ParquetFile(source) as file:
            for group in range(file.num_row_groups):
                is_one = None
                if asked is not None:
                    is_one = pc.is_in(file.read_row_group(group, ["uuid"]).column("uuid"), value_set=asked)
                    if not pc.any(is_one).as_py():
                        continue
                table = file.read_row_group(group, [*columns])
                table = table if is_one is None else table.filter(is_one)
                yield [*zip(*(table.column(name).to_pylist() for name in columns), strict=True)]
    except (pa.ArrowException, OSError):
        return


def found(path: Path, uuids: Collection[str], columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Yield these columns of the events of a file that have one of these uuids; none of one that cannot be read."""
    for rows in groups(path, columns, uuids):
        yield from rows
