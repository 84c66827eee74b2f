"""A span of a file: some of its rows that are read by themselves, as others are by somebody else."""

from collections.abc import Mapping
from typing import NamedTuple


class Span(NamedTuple):
    """Which rows of a file: those from a place on and before another one. All spans of a file are all of its rows."""

    row: int
    """The number of its first row in the file."""
    start: int
    """Where it begins: the byte in a file of text, the row group in one of Parquet."""
    end: int
    """Where it ends, likewise."""
    size: int
    """How many bytes of the file it takes."""
    is_last: bool = False
    """Whether the file ends with it."""
    head: Mapping[str, str | None] = {}
    """Of delimited text: the cells of the header, which stands in the first span alone."""

    @property
    def is_first(self) -> bool:
        """Whether the file begins with it."""
        return self.start == 0


class Border(NamedTuple):
    """A place where a file of text can be cut: a row ends before it, whatever stands behind."""

    row: int
    """The number of the row behind it."""
    at: int
    """How many bytes are before it."""
    head: Mapping[str, str | None] = {}
    """The cells of the header of delimited text."""
