"""Identical rows of one file → events of their own, where a table says that they are."""

import os
from collections.abc import Iterable
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from migrate import days, expr


def numbered(paths: Iterable[Path]) -> int:
    """Give the second and later of identical rows in one day's files uuids of their own; return how many got one.

    The n-th repeat, in the order of rows, gets the version-7 uuid of (first uuid, n): the same on every run and for
    every way the file is cut into chunks. Files without repeats are left as they are.
    """
    files = list(paths)
    repeats = _repeats(
        pl.concat([pl.DataFrame(pq.read_table(path, columns=["uuid", "row"])) for path in files])
    )
    if repeats.height:
        for path in files:
            _rewrite(path, repeats)
    return repeats.height


def numbered_frame(frame: pl.DataFrame) -> pl.DataFrame:
    """Return finished events of one file with the repeats' own uuids, as `numbered` gives them."""
    repeats = _repeats(frame.select("uuid", "row"))
    return _renamed(frame, repeats) if repeats.height else frame


def _repeats(keys: pl.DataFrame) -> pl.DataFrame:
    """Return the uuid, row and ordinal of every event whose uuid an earlier row has."""
    return (
        keys.filter(pl.col("uuid").is_duplicated())
        .sort("row")
        .with_columns(pl.int_range(pl.len()).over("uuid").alias("ordinal"))
        .filter(pl.col("ordinal") > 0)
    )


def _rewrite(path: Path, repeats: pl.DataFrame) -> None:
    """Write the file anew with the repeats' own uuids."""
    beside = path.with_suffix(".new")
    with pq.ParquetFile(path) as file, pq.ParquetWriter(beside, days.SCHEMA, compression="zstd") as writer:
        for group in range(file.num_row_groups):
            frame = pl.DataFrame(file.read_row_group(group))
            writer.write_table(days.arrow(_renamed(frame, repeats)), row_group_size=max(1, frame.height))
    os.replace(beside, path)


def _renamed(frame: pl.DataFrame, repeats: pl.DataFrame) -> pl.DataFrame:
    """Return the events with the repeats' own uuids, in the column and in the payload."""
    own = expr.uuid7(pl.col("timestamp").dt.epoch("ms"), pl.col("uuid"), pl.col("ordinal"))
    joined = frame.join(repeats, on=["uuid", "row"], how="left", maintain_order="left")
    return (
        joined.with_columns(pl.when(pl.col("ordinal").is_not_null()).then(own).otherwise("uuid").alias("own"))
        .with_columns(
            pl.col("payload").str.replace(
                pl.format('"uuid":"{}"', "uuid"), pl.format('"uuid":"{}"', "own"), literal=True
            )
        )
        .with_columns(pl.col("own").alias("uuid"))
        .select(frame.columns)
    )
