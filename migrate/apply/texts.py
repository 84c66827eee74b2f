"""The bytes of a text in a column, where they lie."""

from typing import Final

import polars as pl

_VIEW: Final = 16
"""Bytes of a text's view, in Arrow's layout."""
_INLINE: Final = 12
"""Bytes a text may have to stand in its view itself."""


def text_of(single: pl.Series) -> memoryview:
    """Return the bytes of a column's only text, not copied."""
    found = single.rechunk().to_arrow(compat_level=pl.CompatLevel.newest())
    _, views, *texts = found.buffers()
    # Arrow's view of a text: its length, then up to 12 bytes of it, or four of them, which buffer, and where in it.
    place = found.offset * _VIEW
    length, _, which, start = memoryview(views)[place : place + _VIEW].cast("I")
    data, start = (views, place + 4) if length <= _INLINE else (texts[which], start)
    return memoryview(data).cast("B")[start : start + length]
