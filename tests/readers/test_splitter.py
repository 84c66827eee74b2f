"""Delimited text is cut into whole records, the same wherever its pieces end."""

from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED

from migrate.readers.splitter import Splitter, Spoiled

MARK = "\0spoiled "
PARTS = st.lists(st.sampled_from(["a", ",", "\n", '"', '""', '"a\nb"', '"a,""b"', "a,b\n"]), max_size=30)


def split(pieces, limit=1_000, *, truncated=False):
    """The records of these pieces, and the spoiled lines among them, in order."""
    splitter = Splitter(",", "\n", limit, MARK)
    taken = [one for piece in pieces for one in splitter.take(piece)]
    records, spoiled = b"", []
    for stretch, lines in [*taken, *splitter.finish(truncated=truncated)]:
        text = stretch
        # Marks count the spoiled lines of one stretch: here, of all.
        for place in reversed(range(len(lines))):
            text = text.replace(f"{MARK}{place}\n".encode(), f"{MARK}{len(spoiled) + place}\n".encode())
        records, spoiled = records + text, spoiled + lines
    return records, spoiled


@COMPARED
@given(parts=PARTS, size=st.integers(1, 9))
def test_where_pieces_end_makes_no_difference(parts, size):
    """The same records, and the same lines spoiled."""
    data = "".join(parts).encode()
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    assert split(pieces) == split([data])


@COMPARED
@given(parts=PARTS)
def test_no_text_is_lost(parts):
    """With the spoiled lines in the place of their marks it is the text that was there."""
    data = "".join(parts).encode()
    records, spoiled = split([data])
    for place, line in enumerate(spoiled):
        records = records.replace(f"{MARK}{place}\n".encode(), line.text, 1)
    assert records == (data if data.endswith(b"\n") or not data else data + b"\n")


def test_an_open_quote_spoils_its_own_line_alone():
    """The next line is a record again."""
    records, spoiled = split([b'a,b\n1,"2\n3,4\n5,"6"\n'])
    assert records == f'a,b\n{MARK}0\n3,4\n5,"6"\n'.encode()
    assert spoiled == [Spoiled("unclosed_quote", b'1,"2\n')]


def test_the_last_line_of_a_text_that_was_cut_off_is_no_record():
    """It may be any part of one."""
    records, spoiled = split([b"1,2\n3,4"], truncated=True)
    assert records == f"1,2\n{MARK}0\n".encode()
    assert spoiled == [Spoiled("truncated_file", b"3,4")]


def test_a_record_beyond_the_limit_is_spoiled():
    """Those around it are read."""
    records, spoiled = split([b"1,2\n", b"x" * 50 + b"\n", b"3,4\n"], limit=20)
    assert records == f"1,2\n{MARK}0\n3,4\n".encode()
    assert [one.reason for one in spoiled] == ["record_too_large"]
