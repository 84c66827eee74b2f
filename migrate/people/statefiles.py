"""Files of states: written while events are planned, read again with all of one owner together."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from migrate.kit.declare import ROW
from migrate.people.states import AT_ONCE, EARLIEST, ONCE, PERSON, SCHEMA, order
from migrate.people.store import People
from migrate.workdir.dayfile import ParquetWriter
from migrate.workdir.seals import Kept

_BUCKET_BYTES: Final = 64 * 2**20
"""What the states of one bucket may take, uncompressed, while they are put in order."""
_MOST_BUCKETS: Final = 256


class States:
    """The states of one input, written aside as they are told."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer: ParquetWriter | None = None

    def write(self, frame: pl.DataFrame) -> None:
        """Take states. Of each person the latest of these is enough, and the first; of groups all are needed.

        What lies between two states of a group may stand in another file.
        """
        if not frame.height:
            return
        is_person = pl.col("owner").str.starts_with(PERSON)
        ordered = frame.drop(ROW).sort(*order())
        is_early = pl.col("what").is_in(EARLIEST)
        early = ordered.filter(is_early).unique(["owner", "what", "told"], keep="first", maintain_order=True)
        late = ordered.filter(is_person & ~is_early)
        latest = late.unique(["owner", "what"], keep="last", maintain_order=True)
        groups = ordered.filter(~is_person & ~is_early).unique(maintain_order=True)
        table = pl.concat([early, latest, groups]).select_seq(SCHEMA.names()).to_arrow()
        if self._writer is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = ParquetWriter(self.path, table.schema, compression="zstd")
        self._writer.write_table(table)

    def close(self) -> bool:
        """Write the file's end; return whether there is a file."""
        if self._writer is None:
            return False
        self._writer.close()
        return True


def put_together(paths: Sequence[Path], whole: Path) -> Path:
    """Put files of states together in one, in their order, and remove them; return where it is."""
    with ExitStack() as stack:
        writer = None
        for path in paths:
            for frame in _pieces(Kept.of(path)):
                table = frame.to_arrow()
                writer = writer or stack.enter_context(ParquetWriter(whole, table.schema, compression="zstd"))
                writer.write_table(table)
            path.unlink()
    return whole


def buckets(
    files: Sequence[Kept], aside: Path, people: People, what: Sequence[str] | None = None
) -> Iterator[pl.DataFrame]:
    """Yield the states, or those of persons of some kinds, all of one owner in the same frame.

    What is told of an id that was merged into a person's is that person's; of kinds that are asked for it stays that
    id's as well.
    """
    if what is not None and not any(_has_once(file) for file in files):
        return
    size = sum(_bytes(file) for file in files)
    count = min(_MOST_BUCKETS, size // _BUCKET_BYTES + 1)
    if count == 1:
        with ThreadPoolExecutor(thread_name_prefix="states") as pool:
            found = [_chosen(frame, people, what) for frame in pool.map(_read, files)]
        yield pl.concat([pl.DataFrame(schema=SCHEMA), *found])
        return
    aside.mkdir(parents=True, exist_ok=True)
    buckets = [aside / f"bucket-{number:03d}.parquet" for number in range(count)]
    with ExitStack() as stack:
        schema = pl.DataFrame(schema=SCHEMA).to_arrow().schema
        writers = [stack.enter_context(ParquetWriter(path, schema, compression="lz4")) for path in buckets]
        for file in files:
            for frame in _pieces(file):
                number = (pl.col("owner").hash() % count).alias("bucket")
                chosen = _chosen(frame, people, what).with_columns_seq(number)
                for (bucket,), part in chosen.partition_by("bucket", as_dict=True).items():
                    writers[bucket].write_table(part.drop("bucket").to_arrow().cast(schema))
    for kept in map(Kept.of, buckets):
        yield _read(kept)
        kept.path.unlink()


def _chosen(frame: pl.DataFrame, people: People, what: Sequence[str] | None) -> pl.DataFrame:
    """Return the states of these kinds, those of merged ids as their persons', see `buckets`."""
    is_persons = pl.col("owner").str.starts_with(PERSON)
    if what is not None:
        frame = frame.filter(pl.col("what").is_in(what) & is_persons)
    found = frame.with_columns_seq(people.identified(frame["distinct_id"]).alias("person"))
    is_merged = pl.col("person").is_not_null() & is_persons
    merged = found.filter(is_merged).with_columns_seq(pl.concat_str(pl.lit(PERSON), "person").alias("owner"))
    return pl.concat([found if what is not None else found.filter(~is_merged), merged]).drop("person")


def _has_once(file: Kept) -> bool:
    """Return whether a file tells how anybody first came."""
    with file.opened() as source, pq.ParquetFile(source, pre_buffer=False) as parquet:
        return bool((pl.DataFrame(parquet.read(["what"]))["what"] == ONCE).any())


def _read(file: Kept) -> pl.DataFrame:
    """Return all states of a file."""
    with file.opened() as source, pq.ParquetFile(source, pre_buffer=False) as parquet:
        return pl.DataFrame(parquet.read()).select_seq(SCHEMA.names()).cast(SCHEMA)


def _pieces(file: Kept) -> Iterator[pl.DataFrame]:
    """Yield a file's states, some at a time."""
    with file.opened() as source, pq.ParquetFile(source, pre_buffer=False) as parquet:
        for batch in parquet.iter_batches(AT_ONCE):
            yield pl.DataFrame(pa.Table.from_batches([batch])).select_seq(SCHEMA.names()).cast(SCHEMA)


def _bytes(file: Kept) -> int:
    """Return what a file takes, uncompressed."""
    with file.opened() as source:
        metadata = pq.read_metadata(source)
    return sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
