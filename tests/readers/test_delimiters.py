"""A delimiter is guessed by the first record, unless the user or the file itself says it."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED

from migrate.readers.delimiters import DELIMITERS, delimited_header, unique
from migrate.readers.dialects import Layout


def header(data, **layout):
    """The header of this text."""
    return delimited_header(data, layout=Layout(**layout), encoding="utf-8")


@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_the_delimiter_that_occurs_most_is_the_one(delimiter):
    """What stands inside of quotes does not count."""
    found = header(f'"a,,,;;;||| \t\t\t"{delimiter}b{delimiter}c\n1\n'.encode())
    assert found.delimiter == delimiter
    assert found.columns == ("a,,,;;;|||", "b", "c")


@pytest.mark.parametrize(
    ("data", "layout", "delimiter", "columns"),
    [
        pytest.param(b"a,b;c\n", {"delimiter": ";"}, ";", ("a,b", "c"), id="the user says it"),
        pytest.param(b"sep=;\na,b,c;d\n", {}, ";", ("a,b,c", "d"), id="the file says it"),
        pytest.param(b"sep=;\na;b,c\n", {"delimiter": ","}, ",", ("a;b", "c"), id="the user knows better"),
        pytest.param(b"a\n", {}, ",", ("a",), id="one column"),
        pytest.param(b"a\tb\r\n", {}, "\t", ("a", "b"), id="of Windows"),
        pytest.param(b"a,b\rc,d\r", {}, ",", ("a", "b"), id="of old Macs"),
    ],
)
def test_what_is_said_wins_over_what_is_guessed(data, layout, delimiter, columns):
    """The user first, then the line of Excel, then the guess."""
    found = header(data, **layout)
    assert (found.delimiter, found.columns) == (delimiter, columns)


def test_a_record_that_does_not_end_yet_makes_no_header():
    """More of the text has to be read first."""
    assert header(b"a,b,c") is None


NAMES = st.lists(
    st.text("ab,;\t|\"' ", min_size=1, max_size=4).filter(str.strip),
    min_size=3,
    max_size=6,
    unique_by=str.strip,
)


@COMPARED
@given(names=NAMES, delimiter=st.sampled_from(DELIMITERS))
def test_any_names_are_read_back(names, delimiter):
    """Quoted as the csv module quotes them; all are quoted, so that the delimiter is not outvoted."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerow(names)
    found = header(text.getvalue().encode())
    assert (found.delimiter, found.columns) == (delimiter, tuple(name.strip() for name in names))


@COMPARED
@given(cells=st.lists(st.sampled_from(["", "a", "a_2", "column_1", "column_2", " a "]), max_size=8))
def test_names_of_columns_are_unique_and_whole(cells):
    """As many names as cells, no two alike, and none empty; a cell that no other is like keeps its name."""
    names = unique(cells)
    assert len(names) == len(cells) == len(set(names))
    assert all(names)
    stripped = [cell.strip() for cell in cells]
    assert all(cell in names for cell in stripped if cell)
