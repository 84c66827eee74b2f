"""Frames written aside by whoever looks over files, in whatever process, and read once when they are added."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa


class FrameFile:
    """Frames of one schema, one after another in a file of Arrow's; there is none without a row."""

    def __init__(self, path: Path) -> None:
        """Write into a file at this place, of which nothing is left that was there."""
        self._path = path
        self._writer: pa.ipc.RecordBatchFileWriter | None = None

    def write(self, frame: pl.DataFrame) -> None:
        """Write a frame."""
        if not frame.height:
            return
        table = frame.rechunk().to_arrow()
        if self._writer is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pa.ipc.new_file(str(self._path), table.schema)
        self._writer.write_table(table)

    def close(self) -> list[Path]:
        """Write the file's end; return where it is, nothing where there is none."""
        if self._writer is None:
            return []
        self._writer.close()
        return [self._path]


def taken(paths: Iterable[Path]) -> Iterator[pl.DataFrame]:
    """Yield the frames of files, each of which is removed after its last."""
    for path in paths:
        with pa.memory_map(str(path)) as data, pa.ipc.open_file(data) as file:
            for place in range(file.num_record_batches):
                yield pl.DataFrame(pa.Table.from_batches([file.get_batch(place)]))
        path.unlink()
