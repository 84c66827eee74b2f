"""Small chunks → fewer, larger ones: what a chunk costs by itself is paid for more rows at once. Large ones are cut."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

import polars as pl

from migrate.distinct import slim
from migrate.readers.records import Chunk, Reject

_ROWS: Final = 18_000
"""A chunk of Amplitude costs 30 ms by itself, as much as 3,000 of its rows; one of a flat file 9 ms (measured)."""
_BYTES: Final = 9 << 20
"""As polars estimates them; what becomes of a chunk takes fifteen times as much while it is made (measured)."""


def gathered(chunks: Iterable[Chunk], *, rows: int = _ROWS, size: int = _BYTES) -> Iterator[Chunk]:
    """Yield neighbouring chunks as one until it has so many rows, or takes up so many bytes; no chunk much larger."""
    held: list[Chunk] = []
    height = taken = 0
    for chunk in chain.from_iterable(_cut(chunk, size) for chunk in chunks):
        held.append(chunk)
        height += chunk.rows.height
        taken += int(chunk.rows.estimated_size())
        if height >= rows or taken >= size:
            yield _together(held)
            held, height, taken = [], 0, 0
    if held:
        yield _together(held)


def _cut(chunk: Chunk, size: int) -> Iterator[Chunk]:
    """Yield a chunk in as many slices as make them about so many bytes; the first has what belongs to no row."""
    pieces = round(chunk.rows.estimated_size() / size)
    if pieces <= 1:
        yield chunk
        return
    rejects, counts = chunk.rejects, chunk.counts
    for rows in chunk.rows.iter_slices(max(1, -(-chunk.rows.height // pieces))):
        yield Chunk(rows, rejects, counts)
        rejects, counts = [], {}


def _together(chunks: list[Chunk]) -> Chunk:
    """Return the chunks as one."""
    if len(chunks) == 1:
        return chunks[0]
    rejects: list[Reject] = []
    counts: Counter[str] = Counter()
    for chunk in chunks:
        rejects += chunk.rejects
        counts.update(chunk.counts)
    return Chunk(slim(pl.concat([chunk.rows for chunk in chunks], rechunk=True)), rejects, counts)
