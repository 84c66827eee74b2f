"""Stored bytes become pieces of text of one size, whatever the encoding, and what is no text is counted and said."""

import codecs
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonvalues import COMPARED

from migrate.errors import UsageError
from migrate.inputs.streams import Stream, Truncated
from migrate.readers.blocks import LineCount, Text, detect, is_utf8

LINES = st.text(st.sampled_from("a,é\u20ac\U0001f600\n"), max_size=30)


@COMPARED
@given(text=LINES, encoding=st.sampled_from(["utf-8", "utf-16-le", "utf-16-be"]), size=st.integers(1, 9))
def test_the_same_text_comes_of_every_encoding(text, encoding, size):
    """Without its mark, wherever pieces end; nothing is counted."""
    stored = Text(io.BytesIO(("\ufeff" + text).encode(encoding)), encoding)
    size = max(size, 3)  # a piece is never shorter than a mark
    assert b"".join(stored.pieces(size)) == text.encode()
    assert (stored.truncated, stored.take_counts()) == (None, {})


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        (codecs.BOM_UTF8 + b"a", "utf-8"),
        ("\ufeffé".encode("utf-16-le"), "utf-16-le"),
        ("\ufeffé".encode("utf-16-be"), "utf-16-be"),
        ("name,age\né,1\n".encode("utf-16-le"), "utf-16-le"),
        ("name,age\né,1\n".encode("utf-16-be"), "utf-16-be"),
        ("naïve,é\n".encode(), "utf-8"),
        (b"a\0b\0", "utf-8"),
        (b"", "utf-8"),
    ],
)
def test_an_encoding_is_told_by_its_mark_or_its_zeros(head, encoding):
    """Else it is UTF-8."""
    assert detect(head) == encoding


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


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ("name\ncafé\n".encode("cp1252") * 20, "the first bad byte is 0xe9 on line 2, byte 4"),
        (("name\n" + "a" * 9 + "\u20ac").encode()[:-1], None),
        (b"name\n" * 150 + b"caf\xe9\n", None),
        ("é\n".encode() * 9, None),
    ],
    ids=["another encoding", "a character that was cut", "one of very many", "valid"],
)
def test_another_encoding_is_complained_of(stored, said):
    """Not a few bad bytes among very many lines, nor a character that was cut."""
    lines = LineCount(Text(io.BytesIO(stored), "utf-8"))
    lines.read()
    complaint = lines.complaint()
    if said is None:
        assert complaint is None
    else:
        reason, sentence = complaint
        assert reason == "wrong_encoding"
        assert sentence.startswith("20 of 40 lines are not valid utf-8, ")
        assert said in sentence
        assert "--encoding cp1252" in sentence


@pytest.mark.parametrize("before", ["name\n" * 50, "é\n" * 50, "a,b\n" * 3 + "c,"])
def test_a_torn_copy_is_complained_of_as_one(before):
    """Zeros are no text in any encoding but UTF-16 and UTF-32; where there is another bad byte they are not all."""
    stored = before.encode() + bytes(2_000)
    lines = LineCount(Text(io.BytesIO(stored), "utf-8"))
    lines.read()
    reason, sentence = lines.complaint()
    last = before.rpartition("\n")[2]
    count = before.count("\n") + 1
    first = f"1 of {count} lines hold bytes of zero, which no text has, the first on line {count}, byte {len(last) + 1}"
    assert sentence == f"{first}: the file is torn, as a copy that was cut off is; fetch it again"
    assert reason == "nul_bytes"
    lines = LineCount(Text(io.BytesIO(b"caf\xe9\n" + stored), "utf-8"))
    lines.read()
    assert lines.complaint()[0] == "wrong_encoding"


def test_zeros_that_fill_up_a_cell_are_no_sign_of_a_torn_copy():
    """ClickHouse writes texts of a fixed length so; zeros that end in no quote, or are too many, are a torn file's."""
    for cell, is_fine in (
        ('"\0\0\0"', True),
        ('"EU\0"', True),
        ("\0\0\0", False),
        ('"' + 400 * "\0" + '"', False),
    ):
        lines = LineCount(Text(io.BytesIO(f"a,{cell}\n".encode() * 40), "utf-8"))
        lines.read()
        assert (lines.complaint() is None) is is_fine, cell


def test_a_text_in_utf_16_is_not_torn():
    """Its zeros say what it is."""
    lines = LineCount(Text(io.BytesIO(b"name\n" + "name,b\n".encode("utf-16-le") * 9), "utf-8"))
    lines.read()
    assert "--encoding utf-16" in lines.complaint()[1]
