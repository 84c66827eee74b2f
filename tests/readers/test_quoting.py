"""Delimited text with other quotes, or none, becomes the text that RFC 4180 has for the same cells."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED

from migrate.readers.quoting import NOTHING, Escaped, Quoted, quoted

CELLS = st.text(st.sampled_from("ab ,;'\"\\\n"), max_size=5)
ROWS = st.lists(st.lists(CELLS, min_size=2, max_size=3), min_size=1, max_size=3)


def pieces(text, size):
    """A text in pieces."""
    stored = text.encode()
    return iter([stored[start : start + size] for start in range(0, len(stored), size)])


def read(plain, delimiter):
    """The cells of a text as RFC 4180 has it."""
    return [*csv.reader(io.StringIO(b"".join(plain).decode(), newline=""), delimiter=delimiter, strict=True)]


@COMPARED
@given(rows=ROWS, size=st.integers(1, 9), has_escape=st.booleans(), delimiter=st.sampled_from(",;"))
def test_cells_in_other_quotes_are_the_same_cells(rows, size, has_escape, delimiter):
    """With a quote doubled or behind an escape, wherever pieces of the text end."""

    def written(cell):
        inside = re.sub(r"([\\'])", r"\\\1", cell) if has_escape else cell.replace("'", "''")
        return f"'{inside}'"

    text = "".join(delimiter.join(map(written, row)) + "\n" for row in rows)
    plain = Quoted(delimiter, "'", "\\" if has_escape else None).plain(pieces(text, size), 1_000)
    assert read(plain, delimiter) == rows


@COMPARED
@given(rows=ROWS, size=st.integers(1, 9), delimiter=st.sampled_from(",;"))
def test_cells_without_quotes_are_the_same_cells(rows, size, delimiter):
    """All that would end them stands behind a backslash."""
    text = "".join(
        delimiter.join(re.sub(r"([\\,;\n])", r"\\\1", cell) for cell in row) + "\n" for row in rows
    )
    assert read(Escaped(delimiter).plain(pieces(text, size), 1_000), delimiter) == rows


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        (r"a\tb,c", ["a\tb", "c"]),
        (r"\N,\\N", [NOTHING, r"\N"]),
        (r"\x,\,", ["x", ","]),
        ('a"b,c', ['a"b', "c"]),
    ],
)
def test_what_stands_behind_a_backslash(line, cells):
    """A letter for a character, nothing, or the character itself."""
    assert read(Escaped(",").plain(iter([line.encode() + b"\n"]), 100), ",") == [cells]


@pytest.mark.parametrize("dialect", [Quoted(",", "'", None), Escaped(",")], ids=["quoted", "escaped"])
def test_what_never_ends_is_given_as_it_is(dialect):
    """After so many bytes, so that it is never held whole."""
    start = b"'abc" if isinstance(dialect, Quoted) else b"abcd"
    plain = dialect.plain(iter([start, b"efgh", b"ijkl"]), 6)
    assert next(plain) == start + b"efgh"
    assert [*plain] == [b"ijkl"]


def test_a_cell_in_quotes():
    """Its own are doubled."""
    assert quoted(b'a"b') == b'"a""b"'
