"""A stream of pieces is the same bytes however it is read, and an early end is told after all that could be read."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED

from migrate.inputs.streams import Meter, Metered, Slice, Stream, Truncated, peek, read_up_to

PIECES = st.lists(st.binary(max_size=6), max_size=6)


class Pieces(Stream):
    """A stream of these pieces, with an early end where one is asked for."""

    def __init__(self, pieces, *, is_cut=False):
        super().__init__()
        self._pieces, self._is_cut = iter(pieces), is_cut

    def piece(self):
        """The next piece."""
        found = next(self._pieces, None)
        if found is None and self._is_cut:
            raise Truncated("cut")
        return found


@COMPARED
@given(pieces=PIECES, sizes=st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_reads_of_any_size_make_the_same_bytes(pieces, sizes):
    """An empty piece is no end; `readinto` and `readall` give what `read` does."""
    whole = b"".join(pieces)
    stream, parts, turn = Pieces(pieces), [], 0
    while part := stream.read(sizes[turn % len(sizes)]):
        assert len(part) <= sizes[turn % len(sizes)]
        parts.append(part)
        turn += 1
    assert b"".join(parts) == whole
    assert Pieces(pieces).read() == whole
    assert io.BufferedReader(Pieces(pieces), 3).read() == whole


@COMPARED
@given(pieces=PIECES, count=st.integers(0, 12), is_cut=st.booleans())
def test_what_was_looked_at_is_read_again(pieces, count, is_cut):
    """An early end comes where it was, after the first bytes too."""
    whole = b"".join(pieces)
    head, stream = peek(Pieces(pieces, is_cut=is_cut), count)
    assert head == whole[:count]
    assert read_up_to(stream, len(whole) + 1) == whole
    if is_cut:
        with pytest.raises(Truncated):
            stream.read(1)
    else:
        assert stream.read(1) == b""


@pytest.mark.parametrize(("size", "is_whole"), [(3, True), (4, True), (5, False)])
def test_a_part_of_a_file_ends_where_it_ends(size, is_whole):
    """And early where the file does."""
    part = Slice(io.BytesIO(b"--abcd"), 2, size)
    assert read_up_to(part, 9) == b"abcd"[:size]
    if not is_whole:
        with pytest.raises(Truncated, match=r"^the archive ends early$"):
            part.read(1)


def test_what_was_read_before_does_not_count_again():
    """A meter only rises, to the whole and no further."""
    meter = Meter()
    Metered(Pieces([b"ab"]), meter, 8).read()
    assert meter.share == 0.25
    Metered(Pieces([b"a"]), meter, 8).read()
    assert meter.share == 0.25
    Metered(Pieces([b"a" * 9]), meter, 8).read()
    assert meter.share == 1.0
