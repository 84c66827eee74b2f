"""JSON objects one after another become rows, however they are laid out, and each has its line or place."""

import io
import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED, OBJECTS, same, value_of
from readings import table

from migrate.inputs.streams import Stream, Truncated
from migrate.kit.declare import REST, ROW
from migrate.readers.blocks import Text
from migrate.readers.cutter import Broken
from migrate.readers.jsonl import cell_parts, cut_off, jsonl_parts, root_keys
from migrate.readers.records import Header, Part, reject
from migrate.readers.wrapped import AIRBYTE, PAGE

WHOLE = 1 << 20


class Cut(Stream):
    """A stream that ends early."""

    def __init__(self, data):
        super().__init__()
        self._data = data

    def piece(self):
        """All that there is, then why there is no more."""
        data, self._data = self._data, b""
        if data:
            return data
        raise Truncated("the gzip data end early")


def came_to(stored, block_bytes=WHOLE, wrapper=None):
    """Rows and rejects of what is stored, read in blocks of this size."""
    stream = io.BytesIO(stored) if isinstance(stored, bytes) else stored
    header = Header("jsonl", ("a", "b"), wrapper=wrapper)
    text = Text(stream, "utf-8")
    parts = list(jsonl_parts(text, table("ab"), header, block_bytes=block_bytes, record_bytes=WHOLE))
    rows = [row for part in parts for row in part.rows.rows()]
    return rows, [one[:3] for part in parts for one in part.rejects]


@pytest.mark.law
@COMPARED
@given(
    values=st.lists(st.tuples(OBJECTS, st.sampled_from([None, 1]), st.booleans()), max_size=5),
    block_bytes=st.integers(1, 60),
)
def test_objects_are_the_same_rows_however_they_are_laid_out(values, block_bytes):
    """Over several lines or several on one, they are numbered as if each further one of a line began a line."""
    laid, numbers, number = "", [], 1
    for one, indent, is_on_one_line in values:
        text = json.dumps(one, indent=indent) + ("" if is_on_one_line else "\n")
        numbers.append(number)
        number += text.count("\n") + is_on_one_line
        laid += text
    rows, rejects = came_to(laid.encode(), block_bytes)
    assert rejects == []
    assert [row[0] for row in rows] == numbers
    for (_, a, b, rest), (one, *_) in zip(rows, values, strict=True):
        assert same(value_of(a, one.get("a")), one.get("a"))
        assert same(value_of(b, one.get("b")), one.get("b"))
        others = {key: value for key, value in one.items() if key not in "ab" and value is not None}
        assert same(json.loads(rest or "{}"), others)


@pytest.mark.parametrize("block_bytes", [1, 7, WHOLE])
def test_what_is_no_object_is_a_reject_with_its_line(block_bytes):
    """In the order of the lines, whatever it was that showed it."""
    rows, rejects = came_to(b'5\n{"a":\n1}\n{"a":01}\nx\n{"a":2}\n{"b" 3}', block_bytes)
    assert rows == [(2, "1", None, None), (6, "2", None, None)]
    assert rejects == [
        (1, "malformed_json", "5"),
        (4, "malformed_json", '{"a":01}'),
        (5, "malformed_json", "x"),
        (7, "malformed_json", '{"b" 3}'),
    ]


@pytest.mark.parametrize("block_bytes", [1, 7, WHOLE])
@pytest.mark.parametrize(
    ("stored", "rejects"),
    [
        pytest.param(b'{"a":1}\n{"a":', [(2, "truncated_file", '{"a":')], id="in a record"),
        pytest.param(b'{"a":1}\n', [(2, "truncated_file", "the gzip data end early")], id="behind one"),
        pytest.param(
            b'{"a":1}\n{"a":01}',
            [(2, "malformed_json", '{"a":01}'), (3, "truncated_file", "the gzip data end early")],
            id="behind a bad one",
        ),
    ],
)
def test_a_file_that_ends_early_says_so_once(stored, rejects, block_bytes):
    """Of a record that was cut it is the reason; else it stands where the next one would have."""
    assert came_to(Cut(stored), block_bytes) == ([(1, "1", None, None)], rejects)


@pytest.mark.parametrize("block_bytes", [1, 40, WHOLE])
def test_rows_of_pages_are_numbered_through_the_file(block_bytes):
    """A bad one among them has its place, and so has what says that the file ends early."""
    pages = (
        b'{"results":[{"a":1},5,{"a":3}],"next":"2"}\n{"results":[],"next":"3"}\n{"results":[\n\n{"a":4}]}\n'
    )
    rows, rejects = came_to(Cut(pages), block_bytes, PAGE)
    assert rows == [(1, "1", None, None), (3, "3", None, None), (4, "4", None, None)]
    assert rejects == [(2, "malformed_json", "5"), (5, "truncated_file", "the gzip data end early")]


def test_rows_inside_of_cells_keep_the_place_of_their_cell():
    """A cell that holds none is a reject; rejects and counts of before stay."""
    cells = ['{"a":1}', "[1]", '"{\\"a\\":\\n2,\\"z\\":3}"', None]
    before = Part(pl.DataFrame({ROW: [1, 2, 4, 6], AIRBYTE: cells, REST: [None] * 4}))
    before.rejects.append(reject(3, "ragged_row", "x"))
    before.counts["invalid_utf8"] = 1
    header = Header("csv", ("a", "z"), wrapper=AIRBYTE)
    (part,) = cell_parts([before], table("a"), header, record_bytes=WHOLE)
    assert part.rows.rows() == [(1, "1", None), (4, "2", '{"z":3}')]
    assert sorted(one[:3] for one in part.rejects) == [
        (2, "bad_json", f"{AIRBYTE}: [1]"),
        (3, "ragged_row", "x"),
        (6, "bad_json", f"{AIRBYTE}: null"),
    ]
    assert part.counts == {"invalid_utf8": 1}


def test_root_keys_are_those_of_all_objects():
    """In the order in which they first appear; what is no object has none."""
    found = [b'{"b":1,"a":{"x":1}}', Broken("malformed_json", b'{"c":'), b"[1]", b'{"a":2,"d":NaN}']
    assert root_keys(found) == ("b", "a", "d")


def test_only_a_last_record_that_is_broken_was_cut():
    """One that was complete after all keeps its reason, and so does one before it."""
    part = Part(pl.DataFrame(), [reject(1, "malformed_json", "x"), reject(2, "malformed_json", "{")])
    assert not cut_off(part, 3)
    assert cut_off(part, 2)
    assert not cut_off(Part(pl.DataFrame(), [reject(2, "bad_json", "x")]), 2)
    assert [one.reason for one in part.rejects] == ["malformed_json", "truncated_file"]
