"""Stored bytes become pieces of text of one size, whatever the encoding, and what is no text is counted and said."""

import io
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonvalues import COMPARED
from readings import source

from migrate.errors import UsageError
from migrate.inputs.streams import Stream, Truncated
from migrate.readers.blocks import Text, is_utf8
from migrate.readers.encodings import text_of
from migrate.readers.records import Header

LINES = st.text(st.sampled_from("a,é\u20ac\U0001f600\n"), max_size=30)


@COMPARED
@given(text=LINES, encoding=st.sampled_from(["utf-8", "utf-16-le", "utf-16-be"]), size=st.integers(1, 9))
def test_the_same_text_comes_of_every_encoding(text, encoding, size):
    """Without its mark, wherever pieces end; nothing is counted."""
    stored = Text(io.BytesIO(("\ufeff" + text).encode(encoding)), encoding)
    size = max(size, 3)  # a piece is never shorter than a mark
    assert b"".join(stored.pieces(size)) == text.encode()
    assert (stored.truncated, stored.take_counts()) == (None, {})


@pytest.mark.parametrize("is_unsettled", [False, True])
def test_nothing_is_held_of_a_piece_that_is_in_use(tmp_path, is_unsettled):
    """A piece is large, and rows are made of it: who has it may let it go."""
    stored = b"\xef\xbb\xbf" + b"name\n" * 200
    header = Header("csv", ("name",), is_unsettled=is_unsettled)
    for piece in text_of(io.BytesIO(stored), source(tmp_path / "a.csv", stored), header).pieces(300):
        alone = bytes(piece[:-1])
        assert sys.getrefcount(piece) == sys.getrefcount(alone)


def test_an_unknown_encoding_is_a_wrong_command():
    """The message says what is known."""
    with pytest.raises(UsageError) as raised:
        Text(io.BytesIO(), "utf-9")
    assert str(raised.value) == "encoding 'utf-9': unknown; use utf-8, utf-16 or latin-1"


def test_an_early_end_is_noted_after_all_that_was_read():
    """It is no error: what was read before is."""

    class Cut(Stream):
        pieces = iter([b"abc", b"de"])

        def piece(self):
            if (found := next(self.pieces, None)) is None:
                raise Truncated("cut")
            return found

    text = Text(Cut(), "utf-8")
    assert list(text.pieces(4)) == [b"abcd", b"e"]
    assert text.truncated == "cut"


@COMPARED
@example(block=b"\xff\xef\xbf\xbd")
@given(block=st.binary(max_size=12) | LINES.map(str.encode))
def test_a_block_is_made_valid_and_each_place_counted(block):
    """A block that is valid stays as it is."""
    text = Text(io.BytesIO(), "utf-8")
    clean = text.clean(block)
    assert is_utf8(clean)
    assert (clean == block) == is_utf8(block)
    replaced = clean.decode().count("\ufffd") - block.count("\ufffd".encode())
    assert text.take_counts()["invalid_utf8"] == replaced
    assert text.take_counts() == {}
