"""Elements of a JSON array are cut from a stream, wherever its pieces end, and what is none costs itself alone."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED, OBJECTS, VALUES
from readings import table

from migrate.kit.declare import REST, ROW
from migrate.readers.arrays import Elements, array_parts
from migrate.readers.blocks import Text
from migrate.readers.cutter import START_BYTES
from migrate.readers.records import Header


def cut(text, size, limit=1 << 20):
    """The elements of a text that comes in pieces of this size, their places, and whether its arrays end."""
    elements, found, places = Elements(limit), [], []
    for start in range(0, len(text), size):
        elements.take(text[start : start + size])
        elements.cut()
        some, numbers = elements.taken()
        found += some
        places += numbers
    elements.cut(final=True)
    some, numbers = elements.taken()
    return [*found, *some], [*places, *numbers], elements.closed


@COMPARED
@given(values=st.lists(VALUES, max_size=6), indent=st.sampled_from([None, 1]), size=st.integers(1, 40))
def test_elements_are_those_of_the_array(values, indent, size):
    """However it is laid out, numbered from 1."""
    text = json.dumps(values, indent=indent).encode()
    found, places, is_closed = cut(text, size)
    assert [json.loads(one) for one in found] == values
    assert places == [*range(1, len(values) + 1)]
    assert is_closed


@COMPARED
@given(objects=st.lists(OBJECTS, min_size=1, max_size=4), size=st.integers(1, 40), data=st.data())
def test_an_array_without_its_end_is_not_closed(objects, size, data):
    """What stands whole before the cut is found, and of what is cut its text."""
    text = json.dumps(objects).encode()
    end = data.draw(st.integers(1, len(text) - 1), label="cut off at")
    found, _, is_closed = cut(text[:end], size)
    whole, _, _ = cut(text, size)
    assert (is_closed, whole) == (False, [json.dumps(one).encode() for one in objects])
    assert found[:-1] == whole[: len(found)][:-1]
    assert found == [] or whole[len(found) - 1].startswith(found[-1])


@pytest.mark.parametrize("size", [1, 9, 100, 500])
def test_an_element_beyond_the_limit_is_never_held_whole(size):
    """Its start is kept, and the elements beside it are what they are."""
    long = b'{"a":[' + b"1,[2]," * 500 + b"3]}"
    found, _, is_closed = cut(b'[{"a":1},' + long + b',{"a":3}]', size, limit=2_000)
    assert is_closed
    assert [found[0], found[2]] == [b'{"a":1}', b'{"a":3}']
    assert found[1].reason == "record_too_large"
    assert long.startswith(found[1].text)
    assert len(found[1].text) == START_BYTES


def came_to(text, header, block_bytes):
    """Rows and rejects of a text that is read in blocks of this size."""
    stored = Text(io.BytesIO(text), "utf-8")
    parts = list(array_parts(stored, table("a"), header, block_bytes=block_bytes, record_bytes=100))
    rows = [row for part in parts for row in part.rows.select(ROW, "a", REST).rows()]
    return rows, [reject[:3] for part in parts for reject in part.rejects]


@pytest.mark.parametrize("block_bytes", [1, 30, 1 << 20])
def test_rows_in_an_array_of_pages_are_numbered_through_all_of_them(block_bytes):
    """A place is that among the rows of all pages, also of a bad row and of what says that the end is missing."""
    pages = b'[{"next":"2","results":[{"a":1},5,{"a":3}]},{"next":null,"results":[{"a":4}]}'
    rows, rejects = came_to(pages, Header("json", ("a",), wrapper="results"), block_bytes)
    assert rows == [(1, "1", None), (3, "3", None), (4, "4", None)]
    assert rejects == [(2, "malformed_json", "5"), (5, "truncated_file", "the JSON array does not end")]


@pytest.mark.parametrize("block_bytes", [1, 1 << 20])
def test_a_line_break_in_a_text_stays_an_error(block_bytes):
    """One between values is a space."""
    rows, rejects = came_to(b'[{"a":\n1},{"a":"x\ny"},{"a":3}]', Header("json", ("a",)), block_bytes)
    assert rows == [(1, "1", None), (3, "3", None)]
    assert [(place, reason) for place, reason, _ in rejects] == [(2, "malformed_json")]


@pytest.mark.parametrize(
    ("text", "reject"),
    [
        pytest.param(b'[{"a":1},{"a":', (2, "truncated_file", '{"a":'), id="in an element"),
        pytest.param(b'[{"a":1}', (2, "truncated_file", "the JSON array does not end"), id="behind one"),
    ],
)
def test_an_array_that_was_cut_is_one_reject(text, reject):
    """Of an element that was cut it is the reason."""
    assert came_to(text, Header("json", ("a",)), 4) == ([(1, "1", None)], [reject])
