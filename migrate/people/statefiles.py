"""Files of states: written while events are planned, read again with all of one owner together."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import chain
from pathlib import Path
from random import Random
from typing import Final, Self

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from migrate.ahead import ahead
from migrate.kit.declare import ROW
from migrate.people.states import COLUMNS, EARLIEST, ONCE, PERSON, SCHEMA, order
from migrate.people.store import People
from migrate.workdir.dayfile import ParquetWriter
from migrate.workdir.seals import Kept

_BUCKET_STATES: Final = 2**18
"""How many states of one bucket there may be while they are put in order."""
_BUCKET_BYTES: Final = 16 * 2**20
"""What they may take as a file does, uncompressed: three times as much in memory, and more."""
_HELD: Final = 3
"""So many buckets are held in memory instead."""
_MOST_BUCKETS: Final = 256
_OWNERS: Final = 2**13
"""Whose states are told of at once."""
_PART_BYTES: Final = 16 * 2**20
"""What their states take in memory; what is worked out of them takes many times as much."""
_PIECE: Final = 2**17
"""States that are read from a file at once."""
_PIECE_BYTES: Final = 16 * 2**20
"""What they take in the file, uncompressed."""
_SAMPLED: Final = 64
"""States of each bucket that are looked at to see where owners lie."""
_OWNED: Final = pl.Schema({**COLUMNS, "is_merged": pl.Boolean})
_PERSONS: Final = pl.Series("owner", [PERSON])
"""Where persons begin, in the order of owners: groups are before them."""


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


class Buckets:
    """The states of some files, all of one owner together: persons in their order, then groups, whatever the files.

    What is told of an id that was merged into a person's is that person's. How people first came, and when, stays that
    id's as well. Entered, it keeps states aside that are too many for memory, until it is left.
    """

    def __init__(self, files: Sequence[Kept], aside: Path, people: People) -> None:
        """`aside` is a folder for what does not fit into memory; `people` is asked as soon as any state is."""
        self._files, self._aside, self._people = files, aside, people
        self._has_once = False
        self._kept: list[Kept] | None = None
        self._whole: pl.DataFrame | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for kept in self._kept or ():
            kept.path.unlink(missing_ok=True)
        self._kept = self._whole = None

    def early(self) -> Iterator[pl.DataFrame]:
        """Yield how persons first came, and when, some owners at a time; nothing where no file tells how anybody came.

        What is told of a merged id is told of that id, too.
        """
        is_early = pl.col("what").is_in(EARLIEST) & pl.col("owner").str.starts_with(PERSON)
        for whole in self._buckets():
            if not self._has_once:
                return
            yield from _parts(whole.filter(is_early).drop("is_merged"))

    def all(self) -> Iterator[pl.DataFrame]:
        """Yield all states, some owners at a time, each as one owner's."""
        for whole in self._buckets():
            yield from _parts(whole.filter(~pl.col("is_merged")).drop("is_merged"))

    def _buckets(self) -> Iterator[pl.DataFrame]:
        """Yield the states as `_owned` returns them, one bucket of owners after another."""
        if self._kept is None and self._whole is None:
            self._part()
        if self._whole is not None:
            yield self._whole
        for kept in self._kept or ():
            yield _read(kept)

    def _part(self) -> None:
        """Read the files and part their states into buckets, or hold them where there is but one."""
        sizes = [_size(file) for file in self._files]
        rows, bytes_ = (sum(column) for column in zip((0, 0), *sizes, strict=True))
        weight = max(rows / _BUCKET_STATES, bytes_ / _BUCKET_BYTES)
        count = min(_MOST_BUCKETS, int(weight) + 1)
        pieces = ahead(frame for file in self._files for frame in _pieces(file))
        with closing(pieces):
            if weight <= _HELD:
                nothing = _owned(pl.DataFrame(schema=SCHEMA), self._people)
                self._whole = pl.concat([nothing, *(self._owned(frame) for frame in pieces)])
                return
            edges = _edges(self._files, rows, count)
            self._aside.mkdir(parents=True, exist_ok=True)
            paths = [self._aside / f"bucket-{number:03d}.parquet" for number in range(edges.len() + 1)]
            with ExitStack() as stack:
                schema = pl.DataFrame(schema=_OWNED).to_arrow().schema
                writers = [
                    stack.enter_context(
                        ParquetWriter(
                            path, schema, compression="lz4", use_dictionary=["what"], write_statistics=False
                        )
                    )
                    for path in paths
                ]
                for frame in pieces:
                    for bucket, part in _by_place(self._owned(frame), edges):
                        writers[bucket].write_table(part.to_arrow().cast(schema))
        first = int(edges.search_sorted(PERSON, side="right"))
        self._kept = [*map(Kept.of, paths[first:] + paths[:first])]

    def _owned(self, frame: pl.DataFrame) -> pl.DataFrame:
        self._has_once = self._has_once or bool((frame["what"] == ONCE).any())
        return _owned(frame, self._people)


def _owned(frame: pl.DataFrame, people: People) -> pl.DataFrame:
    """Return states with those of merged ids as their persons'; the early ones as the ids' as well, `is_merged`."""
    persons = people.identified(frame["distinct_id"])
    owned = frame.with_columns_seq(pl.lit(value=False).alias("is_merged"))
    if persons.null_count() == persons.len():
        return owned
    found = owned.with_columns_seq(persons.alias("person"))
    is_merged = pl.col("person").is_not_null() & pl.col("owner").str.starts_with(PERSON)
    merged = found.filter(is_merged)
    own = merged.filter(pl.col("what").is_in(EARLIEST)).with_columns_seq(
        pl.lit(value=True).alias("is_merged")
    )
    persons_ = merged.with_columns_seq(pl.concat_str(pl.lit(PERSON), "person").alias("owner"))
    return pl.concat([found.filter(~is_merged), own, persons_]).drop("person")


def _edges(files: Sequence[Kept], rows: int, count: int) -> pl.Series:
    """Return the first owners of all buckets but the first, about as many of these rows to each, by a sample of all."""
    step = max(1, rows // (count * _SAMPLED))
    random = Random(0)  # noqa: S311 - the same ones each time, and where a bucket ends changes nothing that is told
    # One of every so many rows of all files together; which one hangs on no file, as each begins with its least.
    places = (start + random.randrange(step) for start in range(0, rows, step))
    before, place, found = 0, next(places), []
    for table in chain.from_iterable(_tables(file, ["owner"]) for file in files):
        chosen = []
        while place < before + table.num_rows:
            chosen.append(place - before)
            place = next(places, rows)
        found.append(pl.DataFrame(table)["owner"].gather(chosen))
        before += table.num_rows
    owners = pl.concat(found).sort()
    firsts = owners.gather([number * owners.len() // count for number in range(1, count)])
    return pl.concat([firsts, _PERSONS]).unique().sort()


def _parts(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Yield the states of some owners at a time, in order: those of persons, then those of groups."""
    is_person = pl.col("owner").str.starts_with(PERSON)
    for some in (frame.filter(is_person), frame.filter(~is_person)):
        owners = some["owner"].unique().sort()
        fitting = owners.len() * _PART_BYTES // max(1, int(some.estimated_size()))
        at_once = max(1, min(_OWNERS, fitting))
        for _, part in _by_place(some, owners.gather_every(at_once, at_once)):
            yield part


def _by_place(frame: pl.DataFrame, edges: pl.Series) -> Iterator[tuple[int, pl.DataFrame]]:
    """Yield, in order, states before the first of these owners, those from it to the next, and so on."""
    if not edges.len():
        yield from ((0, frame) for _ in range(min(1, frame.height)))
        return
    placed = frame.with_columns_seq(edges.search_sorted(frame["owner"], side="right").alias("place"))
    parts = placed.partition_by("place", include_key=False, as_dict=True)
    for place in sorted(parts):
        yield place[0], parts.pop(place)


def _read(file: Kept) -> pl.DataFrame:
    """Return all states of a bucket."""
    with file.opened() as source, pq.ParquetFile(source, pre_buffer=False) as parquet:
        return pl.DataFrame(parquet.read()).select_seq(_OWNED.names()).cast(_OWNED)


def _pieces(file: Kept) -> Iterator[pl.DataFrame]:
    """Yield a file's states, some at a time."""
    for table in _tables(file):
        yield pl.DataFrame(table).select_seq(SCHEMA.names()).cast(SCHEMA)


def _tables(file: Kept, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """Yield a file's columns, row groups together as far as they are few states, or few bytes."""
    with file.opened() as source, pq.ParquetFile(source, pre_buffer=False) as parquet:
        groups: list[int] = []
        rows = size = 0
        for group in range(parquet.num_row_groups):
            of_group = parquet.metadata.row_group(group)
            if groups and (
                rows + of_group.num_rows > _PIECE or size + of_group.total_byte_size > _PIECE_BYTES
            ):
                yield parquet.read_row_groups(groups, columns)
                groups, rows, size = [], 0, 0
            groups.append(group)
            rows, size = rows + of_group.num_rows, size + of_group.total_byte_size
        if groups:
            yield parquet.read_row_groups(groups, columns)


def _size(file: Kept) -> tuple[int, int]:
    """Return how many states a file has, and the bytes they take uncompressed."""
    with file.opened() as source:
        metadata = pq.read_metadata(source)
    groups = range(metadata.num_row_groups)
    return metadata.num_rows, sum(metadata.row_group(group).total_byte_size for group in groups)
