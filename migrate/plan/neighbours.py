"""Rows that stand near each other in a file and are one event → which of them come again, however chunks are cut."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

import polars as pl

from migrate.kit.declare import AGAIN
from migrate.readers.records import Chunk

NEAR: Final = 16_384
"""So many rows before a row are near it: their keys are all that is held of them."""


def marked(chunks: Iterable[Chunk], key: pl.Expr) -> Iterator[Chunk]:
    """Yield the chunks of one file with `AGAIN`: whether any of the rows near before a row has the same key."""
    held = pl.Series("key", dtype=pl.String)
    for chunk in chunks:
        keys = chunk.rows.select(key.cast(pl.String).alias("key")).to_series()
        known = pl.concat([held, keys], rechunk=True)
        place = pl.col("place")
        is_near = (place - place.shift().over("key") <= NEAR) & pl.col("key").is_not_null()
        again = known.to_frame().with_row_index("place").select(is_near.fill_null(value=False).alias(AGAIN))
        yield replace(chunk, rows=chunk.rows.with_columns(again.to_series().slice(held.len())))
        held = known.tail(NEAR)
