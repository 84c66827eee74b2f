"""The bytes of a text in a column, where they lie."""

from typing import Final

import polars as pl

_INLINE: Final = 12
"""Bytes a text may have to stand in its view itself, in Arrow's layout."""


def text_of(single: pl.Series) -> memoryview:
    """Return the bytes of a column's only text, not copied."""
    _, views, *texts = single.rechunk().to_arrow(compat_level=pl.CompatLevel.newest()).buffers()
    # Arrow's view of a text: its length, then up to 12 bytes of it, or four of them, which buffer, and where in it.
    length, _, which, start = memoryview(views)[:16].cast("I")
    data, start = (views, 4) if length <= _INLINE else (texts[which], start)
    return memoryview(data).cast("B")[start : start + length]
