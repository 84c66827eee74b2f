"""Records of JSON are cut the same wherever the pieces of their text end, and nothing of the text is lost."""

import json

from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED, OBJECTS

from migrate.readers.cutter import Broken, Cutter

PIECES = st.lists(
    st.one_of(
        OBJECTS.map(json.dumps),
        st.sampled_from(
            [
                '{"a":',
                "}",
                "\n",
                " ",
                "null\n",
                "[1]\n",
                "word",
                '{"a":"b\n"}',
                "\r\n",
                '"',
                '{"a":1}{"b":2}\n',
            ]
        ),
    ),
    max_size=12,
)


def cut(pieces, limit=10_000):
    """The records of these pieces, and text that is none, with their numbers."""
    cutter = Cutter(limit)
    for piece in pieces:
        cutter.take(piece)
        cutter.cut()
    cutter.cut(final=True)
    found, numbers = cutter.taken()
    return list(zip(numbers, found, strict=True))


@COMPARED
@given(pieces=PIECES, size=st.integers(1, 20))
def test_where_pieces_end_makes_no_difference(pieces, size):
    """The same records at the same places."""
    data = "".join(pieces).encode()
    assert cut([data[start : start + size] for start in range(0, len(data), size)]) == cut([data])


@COMPARED
@given(pieces=PIECES)
def test_no_text_is_lost(pieces):
    """What is no record comes out as text that is none: together they are all there was but blanks."""
    data = "".join(pieces).encode()
    found = [one.text if isinstance(one, Broken) else one for _, one in cut([data])]
    assert b"".join(b"".join(found).split()) == b"".join(data.split())


@COMPARED
@given(values=st.lists(OBJECTS, max_size=5), layout=st.sampled_from(["\n", "", "\r\n", "\n\n", " "]))
def test_records_are_found_whole(values, layout):
    """Whatever stands between them."""
    records = [json.dumps(value).encode() for value in values]
    assert [one for _, one in cut([layout.encode().join(records)])] == records


def test_a_record_beyond_the_limit_is_none():
    """Its start is kept, and its neighbours are records."""
    long = b'{"a":"' + b"x" * 3_000 + b'"}'
    first, (number, broken), last = cut([b'{"a":1}\n' + long + b'\n{"a":3}\n'], limit=2_000)
    assert (first, last) == ((1, b'{"a":1}'), (3, b'{"a":3}'))
    assert number == 2
    assert broken.reason == "record_too_large"
    assert long.startswith(broken.text)
