import gzip
import weakref

import polars as pl
import pytest
from readings import read, source, table

from migrate.errors import UsageError
from migrate.kit.declare import REST, ROW
from migrate.readers.files import read_chunks
from migrate.readers.headers import read_header
from migrate.readers.records import Chunk, Header, Reject, regrouped

CSV = b"a,b\n1,2\n"
JSONL = b'{"a":1,"b":2}\n'


@pytest.mark.parametrize(
    ("data", "found"),
    [
        pytest.param(CSV, Header("csv", ("a", "b"), ","), id="csv"),
        pytest.param(b"\n\r\n" + CSV, Header("csv", ("a", "b"), ","), id="csv after blank lines"),
        pytest.param(b"a\tb,c\td\n", Header("csv", ("a", "b,c", "d"), "\t"), id="tab"),
        pytest.param(b'"x,y,z";b\n', Header("csv", ("x,y,z", "b"), ";"), id="semicolon, commas in quotes"),
        pytest.param(b"a|b|c", Header("csv", ("a", "b", "c"), "|"), id="pipe, no newline"),
        pytest.param(b"only\n", Header("csv", ("only",), ","), id="one column"),
        pytest.param(b'"a\nb",c\n', Header("csv", ("a\nb", "c"), ","), id="newline in a name"),
        pytest.param(b"a,b\r1,2\r", Header("csv", ("a", "b"), ",", "utf-8", "\r"), id="carriage returns"),
        pytest.param(JSONL, Header("jsonl", ("a", "b")), id="jsonl"),
        pytest.param(b' \n\n{"a":1}', Header("jsonl", ("a",)), id="jsonl after blanks"),
        pytest.param(
            b'{"a":1}\n{"c":1}\nx\n{"b":1}\n', Header("jsonl", ("a", "c", "b")), id="keys of many lines"
        ),
        pytest.param(b'\n[\n{"a":1},\n{"b":2}\n]', Header("json", ("a", "b")), id="array"),
        pytest.param(b"PAR1 and nothing", Header("parquet", ()), id="no parquet after all"),
        pytest.param(b"\n \n", None, id="blank"),
        pytest.param(b" [\n]\n", None, id="empty array"),
        pytest.param(b"[1]", Header("json", ()), id="array without objects"),
        pytest.param(
            b"[" + b" " * (1 << 20) + b'{"a":1}]', Header("json", ("a",)), id="array that starts late"
        ),
        pytest.param(gzip.compress(b""), None, id="empty inside"),
    ],
)
def test_header_tells_format_and_columns_by_content(tmp_path, data, found):
    """The file's name never matters."""
    assert read_header(source(tmp_path / "a.xlsx", data)) == found


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        pytest.param("é,b\nü,2\n".encode(), None, id="utf-8"),
        pytest.param("é,b\nü,2\n".encode("utf-8-sig"), None, id="utf-8 with a mark"),
        pytest.param("é,b\nü,2\n".encode("utf-16"), None, id="utf-16 with a mark"),
        pytest.param(b"\xfe\xff" + "é,b\nü,2\n".encode("utf-16-be"), None, id="utf-16-be with a mark"),
        pytest.param("é,b\nü,2\n".encode("utf-16-le"), None, id="utf-16-le"),
        pytest.param("é,b\nü,2\n".encode("utf-16-be"), None, id="utf-16-be"),
        pytest.param("é,b\nü,2\n".encode("latin-1"), "latin-1", id="latin-1"),
        pytest.param("é,b\nü,2\n".encode("cp1252"), "windows-1252", id="windows"),
        pytest.param("é,b\nü,2\n".encode("utf-16"), "utf-16", id="utf-16 by name"),
        pytest.param("é,b\nü,2\n".encode("utf-8-sig"), "utf8", id="utf-8 by another name"),
    ],
)
def test_encodings(tmp_path, data, encoding):
    """UTF-8 and UTF-16 are recognised, others are given; the text is the same, and a mark is no text."""
    reading = read(tmp_path / "a", data, table(["é", "b"]), encoding=encoding)
    assert reading.rows == [{ROW: 1, "é": "ü", "b": "2", REST: None}]
    assert reading.counts == {}


def test_unknown_encoding(tmp_path):
    """The message names the encoding and some that exist."""
    with pytest.raises(UsageError, match="encoding 'utf-9': unknown; use utf-8, utf-16 or latin-1"):
        read_header(source(tmp_path / "a", CSV), encoding="utf-9")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b'a,b\n1,x\n2,\xffy\xc3\n3,"\xe2\x82"\n4,z\n', id="csv"),
        pytest.param(
            b'{"a":1,"b":"x"}\n{"a":2,"b":"\xffy\xc3"}\n{"a":3,"b":"\xe2\x82"}\n{"a":4,"b":"z"}', id="jsonl"
        ),
        pytest.param(
            b'[{"a":1,"b":"x"},{"a":2,"b":"\xffy\xc3"},{"a":3,"b":"\xe2\x82"},{"a":4,"b":"z"}]', id="array"
        ),
    ],
)
def test_invalid_bytes_are_replaced_and_counted(tmp_path, data):
    """A bad byte costs nothing but itself."""
    reading = read(tmp_path / "a", data)
    assert reading.column("b") == [(1, "x"), (2, "\ufffdy\ufffd"), (3, "\ufffd"), (4, "z")]
    assert reading.counts == {"invalid_utf8": 3}
    assert reading.rejects == []


def test_cut_utf16_character_is_replaced_and_counted(tmp_path):
    """Half a character at the end of a UTF-16 file becomes U+FFFD."""
    reading = read(tmp_path / "a", "a,b\n1,\ufffd2".encode("utf-16") + b"x")
    assert reading.column("b") == [(1, "\ufffd2\ufffd")]
    assert reading.counts == {"invalid_utf8": 1}


@pytest.mark.parametrize(
    ("data", "kept", "cut"),
    [
        pytest.param(b"a,b\n" + b"1,2\n" * 90_000, "csv", b"1,2", id="csv"),
        pytest.param(b'{"a":"1","b":"2"}\n' * 90_000, "jsonl", b'{"a":"1","b":"2"}', id="jsonl"),
        pytest.param(
            b"[" + b'{"a":"1","b":"2"},' * 90_000 + b"{}]", "json", b'{"a":"1","b":"2"}', id="array"
        ),
    ],
)
def test_cut_file_keeps_its_readable_rows(tmp_path, data, kept, cut):
    """The rows before the cut are there; the last reject says that the file ends early, and where."""
    packed = gzip.compress(data, 0)
    reading = read(tmp_path / "a.gz", packed[: len(packed) // 2])
    assert reading.header is not None
    assert reading.header.format == kept
    assert 40_000 < len(reading.rows) < 50_000
    assert {(row["a"], row["b"]) for row in reading.rows} == {("1", "2")}
    assert reading.reasons == [(len(reading.rows) + 1, "truncated_file")]
    assert cut.startswith(reading.rejects[0].value.encode()) or "data end early" in reading.rejects[0].value


@pytest.mark.parametrize(
    ("data", "row"),
    [
        pytest.param(CSV, 2, id="csv"),
        pytest.param(JSONL, 2, id="jsonl"),
        pytest.param(b'[{"a":1,"b":2},', 2, id="array"),
        pytest.param(b'{"a":1,"b":2}', 2, id="jsonl, whole line without its newline"),
    ],
)
def test_file_cut_between_records(tmp_path, data, row):
    """A file that ends early between two records keeps both sides honest: all its rows, and a reject."""
    packed = gzip.compress(data)[:-6]
    reading = read(tmp_path / "a.gz", packed)
    assert reading.column("a") == [(1, "1")]
    assert [(one.row, one.reason, one.value) for one in reading.rejects] == [
        (row, "truncated_file", "the gzip data end early")
    ]


def test_chunk_has_exactly_the_declared_columns(tmp_path):
    """Row number, the declared columns in their order and type, and the rest, whatever the file has."""
    given = table(["n", "b", "missing"], dropped=["gone"], types={"n": pl.Int64})
    found = source(tmp_path / "a", b"gone,b,n,more\n1,2,3,4\n")
    (chunk,) = read_chunks(found, given, read_header(found))
    assert chunk.rows.schema == {
        ROW: pl.Int64,
        "n": pl.Int64,
        "b": pl.String,
        "missing": pl.String,
        REST: pl.String,
    }
    assert chunk.rows.row(0) == (1, 3, "2", None, '{"more":"4"}')


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"EVENT,Event_Time,More\nx,1,y\n", id="csv"),
        pytest.param(b'{"EVENT":"x","Event_Time":1,"More":"y"}', id="jsonl"),
    ],
)
def test_columns_match_in_any_case(tmp_path, data):
    """Warehouses write names in capitals; what is declared or dropped is found all the same."""
    reading = read(tmp_path / "a", data, table(["event", "event_time"], dropped=["more"]))
    assert reading.rows == [{ROW: 1, "event": "x", "event_time": "1", REST: None}]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"Name,name\nx,y\n", id="csv"),
        pytest.param(b'{"Name":"x","name":"y"}', id="jsonl"),
    ],
)
def test_exact_spelling_comes_first(tmp_path, data):
    """Where two columns differ in case only, the exact one is the declared one and the other is rest."""
    reading = read(tmp_path / "a", data, table(["name"]))
    assert reading.rows == [{ROW: 1, "name": "y", REST: '{"Name":"x"}'}]


@pytest.mark.parametrize(
    ("dtype", "cells", "values"),
    [
        pytest.param(
            pl.Int64,
            ["7", "-3", "1.0", "1e3", "", "1.5", "x", "9223372036854775807", "9223372036854775808"],
            [7, -3, 1, 1000, None, None, None, 9223372036854775807, None],
            id="integers",
        ),
        pytest.param(
            pl.Float64,
            ["7", "1.25", "", "nan", "inf", "1,5", "-0"],
            [7, 1.25, None, None, None, None, 0],
            id="floats",
        ),
        pytest.param(
            pl.Boolean,
            ["true", "FALSE", "1", "0", "t", "", "yes"],
            [True, False, True, False, True, None, None],
            id="booleans",
        ),
    ],
)
def test_declared_types_are_cast_strictly(tmp_path, dtype, cells, values):
    """Text that is no value of the type becomes null and is counted under its column."""
    data = "a;b\n" + "".join(f"{cell};x\n" for cell in cells)
    reading = read(tmp_path / "a", data.encode(), table(types={"a": dtype}), delimiter=";")
    assert [row["a"] for row in reading.rows] == values
    assert reading.counts == {"wrong_type.a": sum(v is None for v in values) - cells.count("")}


OBJECTS = [
    pytest.param('{"x":1}', '{"x":1}', id="object"),
    pytest.param(' {"x":\n 1.50}\n', '{"x":\n 1.50}', id="object over lines"),
    pytest.param("", None, id="empty"),
    pytest.param("null", None, id="null"),
    pytest.param("[]", None, id="empty list"),
    pytest.param('"{\\"x\\":\\"\\\\t\\"}"', '{"x":"\\t"}', id="object in a JSON string"),
    pytest.param('""', None, id="empty JSON string"),
    pytest.param('{"x":"\\u0001\\u0000\\n\\\\"}', '{"x":"\\u0001\\u0000\\n\\\\"}', id="escapes stay"),
    pytest.param('{"x":"\\ud83d\\ude00\\ud83d"}', '{"x":"\\ud83d\\ude00\\ufffd"}', id="cut emoji"),
    pytest.param('{"x":1e400}', '{"x":1e400}', id="number no double holds"),
    pytest.param('{"x":' + "[" * 101 + "]" * 101 + "}", '{"x":' + "[" * 101 + "]" * 101 + "}", id="deep"),
]


@pytest.mark.parametrize(("cell", "value"), OBJECTS)
def test_object_cells(tmp_path, cell, value):
    """A cell of an object column is a JSON object in its own text, or null."""
    quoted = '"' + cell.replace('"', '""') + '"'
    reading = read(tmp_path / "a", f"a,b\n1,{quoted}\n".encode(), table(objects=["b"]))
    assert [(row["a"], row["b"] and row["b"].strip()) for row in reading.rows] == [("1", value)]
    assert reading.rejects == []
    assert reading.counts == ({"lone_surrogate": 1} if "ufffd" in (value or "") else {})


@pytest.mark.parametrize(
    "cell",
    [
        pytest.param("oops", id="text"),
        pytest.param("[1]", id="list"),
        pytest.param("5", id="number"),
        pytest.param('{"x":1', id="cut"),
        pytest.param('{"x":1}}', id="too much"),
        pytest.param('{"x":1x}', id="no number"),
        pytest.param('{"x":"\t"}', id="raw tab"),
        pytest.param('"{"', id="cut object in a string"),
        pytest.param('{"x":' + "[" * 5_000 + "]" * 5_000 + "}", id="nested too deep"),
    ],
)
def test_cell_that_is_no_object_rejects_its_row(tmp_path, cell):
    """The row is a reject that names the column and shows the cell; its neighbours stay."""
    quoted = '"' + cell.replace('"', '""') + '"'
    reading = read(tmp_path / "a", f"a,b\n1,{{}}\n2,{quoted}\n3,\n".encode(), table(objects=["b"]))
    assert reading.column("b") == [(1, "{}"), (3, None)]
    assert [one[:3] for one in reading.rejects] == [(2, "bad_json", f"b: {cell}"[:500])]


def test_object_keys_of_json_lines(tmp_path):
    """Object columns in JSON lines may be objects, or strings that hold one."""
    data = b'{"a":1,"b":{"x":1}}\n{"a":2,"b":"{\\"x\\":1}"}\n{"a":3,"b":[]}\n{"a":4,"b":[1]}\n'
    data += b'{"a":5,"b":"x"}\n{"a":6}\n'
    reading = read(tmp_path / "a", data, table(objects=["b"]))
    assert reading.column("b") == [(1, '{"x":1}'), (2, '{"x":1}'), (3, None), (6, None)]
    assert [one[:3] for one in reading.rejects] == [(4, "bad_json", "b: [1]"), (5, "bad_json", "b: x")]


def test_reject_shows_the_start_of_a_long_value(tmp_path):
    """A value is shortened to 500 characters of valid text."""
    reading = read(tmp_path / "a", b"a,b\n" + "é".encode() * 5000 + b"\n")
    assert [one[:3] for one in reading.rejects] == [(1, "ragged_row", "é" * 500)]


def test_cut_file_of_which_nothing_can_be_read_is_no_empty_file(tmp_path):
    """A header without columns leads to the reject; the file is not passed over as empty."""
    reading = read(tmp_path / "a.gz", gzip.compress(CSV)[:10])
    assert reading.header == Header("jsonl", ())
    assert [one[:3] for one in reading.rejects] == [(1, "truncated_file", "the gzip data end early")]


def test_small_chunks_are_put_together():
    """Rows, rejects and counts of neighbours, in order, until there are enough rows or bytes."""

    def chunk(first, height, text="x"):
        rows = pl.DataFrame({ROW: range(first, first + height), "a": [text] * height})
        return Chunk(rows, [Reject(first, "bad_json", "{")], {"invalid_utf8": 1})

    def gathered_rows(chunks, **limits):
        return [one.rows[ROW].to_list() for one in regrouped(chunks, **limits)]

    small = [chunk(1, 2), chunk(3, 2), chunk(5, 1), chunk(6, 4)]
    (whole,) = regrouped(small)
    assert whole.rows[ROW].to_list() == list(range(1, 10))
    assert ([one.row for one in whole.rejects], whole.counts) == ([1, 3, 5, 6], {"invalid_utf8": 4})
    assert gathered_rows(small, rows=4) == [[1, 2, 3, 4], [5, 6, 7, 8, 9]]
    assert gathered_rows([chunk(1, 1, "x" * 999), chunk(2, 1)], size=500) == [[1], [2]]
    assert gathered_rows([]) == []
    giving = regrouped((chunk(first, 2) for first in (1, 3, 5)), rows=4)
    for _ in range(2):
        taken = weakref.ref(next(giving))
        assert taken() is None  # but for whoever takes it


def test_large_chunks_are_cut():
    """A chunk of many times the bytes comes in slices; what was rejected and counted comes with the first."""
    rows = pl.DataFrame({ROW: range(100), "a": ["x" * 1_000] * 100})
    found = list(regrouped([Chunk(rows, [Reject(100, "bad_json", "{")], {"invalid_utf8": 1})], size=10_000))
    assert [one.rows.height for one in found] == [10] * 10
    assert pl.concat([one.rows for one in found]).equals(rows)
    assert [(len(one.rejects), dict(one.counts)) for one in found] == [
        (1, {"invalid_utf8": 1}),
        *[(0, {})] * 9,
    ]
