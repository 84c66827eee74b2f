"""Identical rows of one file → events of their own, where a table says that they are."""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from migrate.kit import expr
from migrate.workdir import dayfile

_BATCH_ROWS: Final = 131_072
_KEYS: Final = {"uuid": pl.String, "row": pl.Int64}
_HASHES: Final = 8_000_000
"""Hashes looked through at once; some 60 bytes each while they are sorted."""


def number_repeats(paths: Iterable[Path]) -> int:
    """Give the second and later of identical rows in one day's files uuids of their own; return how many got one.

    The n-th repeat, in the order of rows, gets the version-7 uuid of (first uuid, n): the same on every run and for
    every way the file is cut into chunks. Files without repeats are left as they are. Memory is bounded but for what
    uuids and rows of the repeated events take.
    """
    files = list(paths)
    few = _few(files)
    repeats = _repeats(pl.concat(_twice(files)) if few is None else few)
    for path in files if repeats.height else ():
        if any(batch.join(repeats, on=["uuid", "row"], how="semi").height for batch in _keys(path)):
            _rewrite(path, repeats)
    return repeats.height


def with_ordinals(frame: pl.DataFrame) -> pl.DataFrame:
    """Return finished events of one file with the repeats' own uuids, as `number_repeats` gives them."""
    return _renamed(frame, _repeats(frame.select("uuid", "row")))


def _keys(path: Path) -> Iterator[pl.DataFrame]:
    """Yield uuid and row of a file's events, batch by batch."""
    # Given a path, pyarrow looks it up in the file systems it knows, which takes longer than a small file.
    with pa.OSFile(str(path)) as source, pq.ParquetFile(source, pre_buffer=False) as file:
        for batch in file.iter_batches(_BATCH_ROWS, columns=["uuid", "row"], use_threads=False):
            yield pl.DataFrame(batch)


def _few(files: list[Path]) -> pl.DataFrame | None:
    """Return uuid and row of all events, None where they are more than a batch: those of a day nearly always fit."""
    found, height = [pl.DataFrame(schema=_KEYS)], 0
    for batch in chain.from_iterable(map(_keys, files)):
        found.append(batch)
        height += batch.height
        if height > _BATCH_ROWS:
            return None
    return pl.concat(found)


def _twice(files: list[Path]) -> Iterator[pl.DataFrame]:
    """Yield uuid and row of the events whose uuid may occur twice: those whose hash does."""
    again = _hashes_twice(files).implode()
    yield pl.DataFrame(schema=_KEYS)
    for path in files:
        for batch in _keys(path):
            few = batch.filter(pl.col("uuid").hash().is_in(again))
            # Copied, as the rows filtered out would else stay in memory beneath the others.
            yield pl.DataFrame(few.to_arrow(compat_level=pl.CompatLevel.oldest()))


def _hashes_twice(files: list[Path]) -> pl.Series:
    """Return the hashes that more than one uuid has, in as many passes as keep them within memory."""
    passes = sum(pq.read_metadata(path).num_rows for path in files) // _HASHES + 1
    found = [pl.Series(dtype=pl.UInt64)]
    for number in range(passes):
        hashes = (batch["uuid"].hash() for path in files for batch in _keys(path))
        own = [one.filter(one % passes == number) for one in hashes]
        ordered = pl.concat([*found[:1], *own]).sort()
        found.append(ordered.filter(ordered == ordered.shift()).unique())
    return pl.concat(found)


def _repeats(keys: pl.DataFrame) -> pl.DataFrame:
    """Return the uuid, row and ordinal of every row that has the uuid of an earlier one.

    A row may be several events; they have one ordinal.
    """
    if keys["uuid"].n_unique() == keys.height:
        return pl.DataFrame(schema={**_KEYS, "ordinal": pl.Int64})
    rows = keys.unique(["uuid", "row"]).filter(pl.col("uuid").is_duplicated())
    ordinal = (pl.col("row").rank("ordinal").over("uuid") - 1).cast(pl.Int64)
    return rows.with_columns(ordinal.alias("ordinal")).filter(pl.col("ordinal") > 0).sort("row", "uuid")


def _rewrite(path: Path, repeats: pl.DataFrame) -> None:
    """Write the file anew with the repeats' own uuids, its row groups as they are."""
    beside = path.with_suffix(".new")
    with pq.ParquetFile(path, pre_buffer=False) as file, dayfile.writer(beside) as writer:
        for group in range(file.num_row_groups):
            frame = pl.DataFrame(file.read_row_group(group))
            writer.write_table(dayfile.arrow(_renamed(frame, repeats)), row_group_size=max(1, frame.height))
    beside.replace(path)


def _renamed(frame: pl.DataFrame, repeats: pl.DataFrame) -> pl.DataFrame:
    """Return the events with the repeats' own uuids, in the column and in the payload."""
    joined = frame.select("timestamp", "uuid", "row", "payload").join(
        repeats, on=["uuid", "row"], how="left", maintain_order="left"
    )
    where = joined["ordinal"].is_not_null().arg_true()
    if not where.len():
        return frame
    own = expr.uuid7(pl.col("timestamp").dt.epoch("ms"), pl.col("uuid"), pl.col("ordinal"))
    again = joined.gather(where).with_columns(own.alias("own"))
    # A root key stands before `properties`, and no string of JSON holds its quotes unescaped: the first is the one.
    payloads = [
        payload.replace(f'"uuid":"{uuid}"', f'"uuid":"{new}"', 1)
        for payload, uuid, new in again.select("payload", "uuid", "own").iter_rows()
    ]
    changed = {"uuid": again["own"], "payload": pl.Series(payloads, dtype=pl.String)}
    return frame.with_columns(frame[name].scatter(where, column) for name, column in changed.items())
