"""One Parquet file of finished events: its columns, its row groups, what is known of it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

SCHEMA: Final = pa.schema(
    [
        ("timestamp", pa.timestamp("us", "UTC")),
        ("event", pa.dictionary(pa.int32(), pa.large_string())),
        ("distinct_id", pa.large_string()),
        ("uuid", pa.large_string()),
        ("payload", pa.large_string()),
        ("file", pa.dictionary(pa.int32(), pa.large_string())),
        ("row", pa.int64()),
    ]
)
GROUP_BYTES: Final = 8 * 2**20
"""Row groups are the runs that a day is merged from; their size bounds the memory of applying."""


@dataclass
class DayFile:
    """A file that is being written; `first` and `last` are microseconds since 1970."""

    path: Path
    events: int = 0
    bytes: int = 0
    first: int = 2**63 - 1
    last: int = -(2**63)
    _writer: pq.ParquetWriter = field(init=False)

    def __post_init__(self) -> None:
        self._writer = writer(self.path)

    def add(self, frame: pl.DataFrame) -> None:
        """Write events in timestamp order, as row groups of about `GROUP_BYTES` of payloads."""
        sizes = frame["payload"].str.len_bytes().cast(pl.Int64)
        start = 0
        for length in ((sizes.cum_sum() - 1) // GROUP_BYTES).rle().struct.field("len"):
            self._writer.write_table(arrow(frame.slice(start, length)), row_group_size=length)
            start += length
        times = frame["timestamp"].dt.epoch("us")
        self.events += frame.height
        self.bytes += int(sizes.sum())
        self.first = min(self.first, int(times[0]))
        self.last = max(self.last, int(times[-1]))

    def close(self) -> None:
        """Write the file's end."""
        self._writer.close()


def writer(path: Path) -> pq.ParquetWriter:
    """Return a writer of finished events; readers find the first timestamp of a row group in its statistics."""
    return pq.ParquetWriter(
        path,
        SCHEMA,
        compression="zstd",
        compression_level=1,
        use_dictionary=["event", "distinct_id", "file"],
        write_statistics=["timestamp"],
    )


def arrow(frame: pl.DataFrame) -> pa.Table:
    """Return finished events as an Arrow table of `SCHEMA`."""
    table = frame.select(SCHEMA.names).to_arrow(compat_level=pl.CompatLevel.oldest())
    return table.cast(SCHEMA)
