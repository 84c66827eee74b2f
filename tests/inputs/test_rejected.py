"""A rejects file stands for the rows that its lines hold, file by file, at the numbers of their lines."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED, OBJECTS

from migrate.errors import Unfit
from migrate.inputs.rejected import RejectedRows, Unreadable, is_rejects, origins

REJECTS = st.lists(
    st.tuples(st.sampled_from(["/a", '/b "c"\\']), st.integers(1, 99), OBJECTS), min_size=1, max_size=6
)


def lines_of(*rejects):
    """A rejects file."""
    found = [
        {"file": file, "row": row, "reason": "r", "value": None, "source": source}
        for file, row, source in rejects
    ]
    return "".join(json.dumps(one) + "\n" for one in found).encode()


@COMPARED
@given(rejects=REJECTS)
def test_each_file_has_its_rows_at_the_numbers_of_their_lines(rejects):
    """As they are written there, and it is known where they were first."""
    data = lines_of(*rejects)
    found = origins(io.BytesIO(data))
    assert [one.file for one in found] == [*dict.fromkeys(file for file, *_ in rejects)]
    assert sum(one.size for one in found) == len(data)
    for one in found:
        mine = [(n, row, source) for n, (file, row, source) in enumerate(rejects, 1) if file == one.file]
        rows = RejectedRows(io.BytesIO(data), "rejects.jsonl", one).read().decode().split("\n")
        assert {n: json.loads(text) for n, text in enumerate(rows, 1) if text} == {
            n: source for n, _, source in mine
        }
        assert [(n, place.row) for n, place in one.places(io.BytesIO(data))] == [
            (n, row) for n, row, _ in mine
        ]


@pytest.mark.parametrize(
    ("head", "is_ours"),
    [
        (b'{"file": "/a", "row": 7, "reason": "x"', True),
        (b'\xef\xbb\xbf {"file":"/\\"a","row":null,"reason":', True),
        (b'{"file": "/a", "reason": "x", "row": 7', True),
        (b'{"file": "/a", "row": "7", "reason": "x"', False),
        (b'{"row": 7, "file": "/a", "reason": "x"', False),
        (b"file,row,reason\n", False),
    ],
)
def test_a_rejects_file_is_told_by_how_it_begins(head, is_ours):
    """As it was written, or with its keys in order; of another file there are no lines."""
    assert is_rejects(head) is is_ours
    if not is_ours:
        assert origins(io.BytesIO(head)) is None


def test_a_line_that_is_none_is_named():
    """A blank one is passed over."""
    with pytest.raises(Unreadable, match=r"^line 3 cannot be read as one of a rejects.jsonl \("):
        origins(io.BytesIO(lines_of(("/a", 1, {})) + b"\n{]\n"))


def test_a_file_that_was_changed_since_is_not_read_on():
    """What stands on a line is another file's row by now."""
    (lines,) = origins(io.BytesIO(lines_of(("/a", 1, {}))))
    with pytest.raises(Unfit, match="line 1 is another than it was when the file was looked into; run again"):
        RejectedRows(io.BytesIO(lines_of(("/b", 1, {}))), "rejects.jsonl", lines).read()
