import csv
import io
import time
from dataclasses import replace

import pyarrow.csv
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from readings import read, source, table
from samples import examples

from migrate.kit.declare import REST, ROW
from migrate.readers.files import read_chunks
from migrate.readers.headers import read_header


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"a,b\n1,2\n3,4\n", id="lf"),
        pytest.param(b"a,b\r\n1,2\r\n3,4\r\n", id="crlf"),
        pytest.param(b"a,b\r1,2\r3,4\r", id="cr"),
        pytest.param(b"a,b\n1,2\n3,4", id="no newline at the end"),
        pytest.param(b"\n\na,b\n\n1,2\n\r\n\n3,4\n\n", id="blank lines"),
        pytest.param(b'"a","b"\n"1","2"\n"3","4"\n', id="quoted"),
        pytest.param(b"a\tb\n1\t2\n3\t4\n", id="tabs"),
        pytest.param(b"a;b\n1;2\n3;4\n", id="semicolons"),
    ],
)
def test_shapes_of_delimited_text(tmp_path, data):
    """Line ends, blank lines, quotes and delimiters make no difference; records count from 1."""
    reading = read(tmp_path / "a", data)
    assert reading.rows == [
        {ROW: 1, "a": "1", "b": "2", REST: None},
        {ROW: 2, "a": "3", "b": "4", REST: None},
    ]
    assert reading.rejects == []
    assert reading.counts == {}


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        pytest.param(b"", None, id="empty"),
        pytest.param(b'""', None, id="empty, quoted"),
        pytest.param(b" ", " ", id="blank"),
        pytest.param(b"NULL", "NULL", id="NULL is text"),
        pytest.param(b"NA", "NA", id="NA is text"),
        pytest.param(b"\\N", None, id="null of databases"),
        pytest.param(b"\\n", "\\n", id="another letter"),
        pytest.param(b"C:\\New", "C:\\New", id="path"),
        pytest.param(b'5" pipe', '5" pipe', id="quote in the middle"),
        pytest.param(b'"5"" pipe"', '5" pipe', id="doubled quote"),
        pytest.param(b'"5" pipe"', '5 pipe"', id="quote not doubled"),
        pytest.param(b'"x,y"', "x,y", id="delimiter in quotes"),
        pytest.param(b'"x\ny\r\nz"', "x\ny\r\nz", id="line ends in quotes"),
        pytest.param(b'"x\n""y""\n"', 'x\n"y"\n', id="quotes over lines"),
        pytest.param(b"x\0y", "x\0y", id="NUL"),
        pytest.param(b"0012345678901234567890.10", "0012345678901234567890.10", id="digits"),
        pytest.param("é😀\u2028".encode(), "é😀\u2028", id="beyond ASCII"),
    ],
)
@pytest.mark.parametrize("last", [pytest.param(True, id="last"), pytest.param(False, id="first")])
def test_cells(tmp_path, cell, value, last):
    """A cell is its text, null where it is empty; its neighbours are not touched."""
    row = b"x," + cell if last else cell + b",x"
    reading = read(tmp_path / "a", b"a,b\n1,2\n" + row + b"\n3,4\n")
    mine, other = ("b", "a") if last else ("a", "b")
    assert reading.column(mine) == [(1, "2" if last else "1"), (2, value), (3, "4" if last else "3")]
    assert reading.column(other)[1] == (2, "x")
    assert reading.rejects == []


def test_undeclared_columns_go_to_the_rest(tmp_path):
    """The rest is a JSON object of texts, without empty cells and without the dropped."""
    data = b'a,gone,"c ""q""",d\n1,2,"x\ny",4\n1,2,,\n1,2,\x01,"\\"\n'
    reading = read(tmp_path / "a", data, table(["a"], dropped=["gone"]))
    assert reading.rests == [
        '{"c \\"q\\"":"x\\ny","d":"4"}',
        None,
        '{"c \\"q\\"":"\\u0001","d":"\\\\"}',
    ]


def test_ragged_rows_are_rejected(tmp_path):
    """Records with too few or too many cells are rejects; the others keep their numbers."""
    data = b'a,b\n1,2\n3\n4,5,6\n"x\ny"\n7,8\n9'
    reading = read(tmp_path / "a", data)
    assert reading.column("a") == [(1, "1"), (5, "7")]
    assert [one[:3] for one in reading.rejects] == [
        (2, "ragged_row", "3"),
        (3, "ragged_row", "4,5,6"),
        (4, "ragged_row", '"x\ny"'),
        (6, "ragged_row", "9"),
    ]


@pytest.mark.parametrize(
    ("data", "rows", "rejects"),
    [
        pytest.param(b'1,"6\n7,8\n', [(2, "7")], [(1, '1,"6')], id="to the end"),
        pytest.param(b'1,"6\n7,8', [(2, "7")], [(1, '1,"6')], id="to the end, without newline"),
        pytest.param(b'7,8\n1,"6', [(1, "7")], [(2, '1,"6')], id="in the last line"),
        pytest.param(b'1,"6\n7,8\n"9","0"\n', [(2, "7"), (3, "9")], [(1, '1,"6')], id="quotes further down"),
        pytest.param(b'1,"6\n7,8\n2,"5\n9,0\n', [(2, "7"), (4, "9")], [(1, '1,"6'), (3, '2,"5')], id="twice"),
        pytest.param(
            b'"p\nq","6\n7,8\n"9","0"\n',
            [(2, "7"), (3, "9")],
            [(1, '"p\nq","6')],
            id="after a good cell of two lines",
        ),
    ],
)
@pytest.mark.parametrize("block_bytes", [5, 8 << 20])
def test_unclosed_quote_costs_one_row(tmp_path, data, rows, rejects, block_bytes):
    """The line whose quote is never closed is a reject; the next line is a row again."""
    reading = read(tmp_path / "a", b"a,b\n" + data, block_bytes=block_bytes)
    assert reading.column("a") == rows
    assert [one[:3] for one in reading.rejects] == [(row, "unclosed_quote", text) for row, text in rejects]


@pytest.mark.parametrize("block_bytes", [16, 64, 8 << 20])
def test_record_beyond_the_limit_is_rejected(tmp_path, block_bytes):
    """A record too large is a reject with its start; its neighbours are rows."""
    long = b"x" * 500
    data = b"a,b\n1,2\n" + long + b",2\n3,4\n5," + long
    reading = read(tmp_path / "a", data, block_bytes=block_bytes, record_bytes=200)
    assert reading.column("a") == [(1, "1"), (3, "3")]
    assert reading.reasons == [(2, "record_too_large"), (4, "record_too_large")]
    assert all(long.decode()[:10] in one.value for one in reading.rejects)


def test_unclosed_quote_gives_up_at_the_limit(tmp_path):
    """A quote is looked for no further than a record may be long."""
    data = b'a,b\n1,"2\n' + b"3,4\n" * 200 + b'5,"6"\n'
    reading = read(tmp_path / "a", data, block_bytes=50, record_bytes=200)
    assert reading.reasons == [(1, "unclosed_quote")]
    assert len(reading.rows) == 201


def test_repeated_header_is_rejected(tmp_path):
    """Files put together carry their header in the middle; it is no row."""
    reading = read(tmp_path / "a", b"a,b,c\n1,2,3\na,b,c\n4,5,6\na,b,x\n")
    assert reading.column("a") == [(1, "1"), (3, "4"), (4, "a")]
    assert [one[:3] for one in reading.rejects] == [(2, "repeated_header", "a,b,c")]


def test_single_column_may_hold_its_own_name(tmp_path):
    """One equal cell is too little to call a row a header."""
    reading = read(tmp_path / "a", b"a\na\n\nb\n")
    assert reading.column("a") == [(1, "a"), (2, "b")]


def test_single_column_can_have_spoiled_lines(tmp_path):
    """Ragged and unclosed records are found in files of one column too."""
    reading = read(tmp_path / "a", b'a\n1\n2,3\n"4\n5\n')
    assert reading.column("a") == [(1, "1"), (4, "5")]
    assert [one[:3] for one in reading.rejects] == [(2, "ragged_row", "2,3"), (3, "unclosed_quote", '"4')]


@pytest.mark.parametrize(
    "line", ["\0\0spoiled line 7", "\0\0spoiled line ", "\0\0spoiled line x", "\0\0spoiled line 0"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_that_looks_like_our_mark_costs_itself(tmp_path, line, end):
    """It is as long as it is, whatever it says; beside it a line that is spoiled is told by its own text."""
    lines = ["a,b", "1,2", '3,"4', line, "5,6", ""]
    reading = read(tmp_path / "a", end.join(lines).encode())
    assert reading.column("a") == [(1, "1"), (4, "5")]
    assert [one[:3] for one in reading.rejects] == [(2, "unclosed_quote", '3,"4'), (3, "ragged_row", line)]


def test_duplicate_and_empty_names(tmp_path):
    """Repeats get a number and are counted, empty names their place; no cell is lost."""
    reading = read(tmp_path / "a", b"a,b,a,,a,a_2\n1,2,3,4,5,6\n")
    assert reading.header is not None
    assert reading.header.columns == ("a", "b", "a_3", "column_4", "a_4", "a_2")
    assert reading.rows == [
        {ROW: 1, "a": "1", "b": "2", REST: '{"a_3":"3","column_4":"4","a_4":"5","a_2":"6"}'}
    ]
    assert reading.counts == {"duplicate_header": 2}


def test_odd_names(tmp_path):
    """Names that mean something to polars or to Arrow are only names."""
    data = b"a,*,^b.*$,\0,_row,c0\n1,2,3,4,5,6\n"
    reading = read(tmp_path / "a", data, table(["a", "*", "^b.*$"]))
    assert reading.rows == [
        {ROW: 1, "a": "1", "*": "2", "^b.*$": "3", REST: '{"\\u0000":"4","_row":"5","c0":"6"}'}
    ]
    assert reading.counts == {}


@pytest.mark.parametrize("data", [pytest.param(b"a,b\n", id="newline"), pytest.param(b"a,b", id="none")])
def test_header_without_rows(tmp_path, data):
    """A header alone gives no chunks."""
    reading = read(tmp_path / "a", data)
    assert (reading.chunks, reading.rows, reading.rejects) == (0, [], [])


def test_given_delimiter_wins(tmp_path):
    """What the user says about the delimiter is not sniffed."""
    reading = read(tmp_path / "a", b"a,x:b,x\n1:2\n", table(["a,x", "b,x"]), delimiter=":")
    assert [(row["a,x"], row["b,x"]) for row in reading.rows] == [("1", "2")]


def test_many_spoiled_lines_take_linear_time(tmp_path):
    """A file with a quote gone wrong in every line is read, each line its own reject."""
    count = 20_000
    started = time.process_time()
    reading = read(tmp_path / "a", b"a,b\n" + b'1,"x\ny\n' * count)
    assert time.process_time() - started < 10
    assert reading.rows == []
    assert [(one.row, one.reason) for one in reading.rejects] == [
        (number, "unclosed_quote" if number % 2 else "ragged_row") for number in range(1, 2 * count + 1)
    ]


CELL = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('",\n\r;\t"'), max_size=8)
COMPARED = settings(max_examples=examples(100), suppress_health_check=[HealthCheck.function_scoped_fixture])


@COMPARED
@given(
    rows=st.lists(st.tuples(CELL, CELL, CELL).filter(lambda row: row != ("a", "b", "c")), max_size=12),
    delimiter=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    line_end=st.sampled_from(["\n", "\r\n"]),
    block_bytes=st.integers(4, 60),
)
def test_what_the_csv_module_writes_is_read_back(  # noqa: PLR0913, PLR0917 - what a dialect is
    tmp_path, rows, delimiter, quoting, line_end, block_bytes
):
    """Any cells, in any usual dialect, in blocks of any size, come back as they were."""
    # Python 3.11 writes a carriage return without quotes where it does not end lines.
    assume(
        quoting == csv.QUOTE_ALL
        or line_end == "\r\n"
        or not any("\r" in cell for row in rows for cell in row)
    )
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=line_end)
    writer.writerows([("a", "b", "c"), *rows])
    reading = read(
        tmp_path / "a", out.getvalue().encode(), table("abc"), delimiter=delimiter, block_bytes=block_bytes
    )
    expected = {place: tuple(cell or None for cell in row) for place, row in enumerate(rows, 1) if any(row)}
    assert {row[ROW]: (row["a"], row["b"], row["c"]) for row in reading.rows} == expected
    assert reading.counts["empty_row"] == len(rows) - len(expected)
    assert reading.rejects == []


SPOILED = st.lists(
    st.sampled_from([b'"', b'""', b",", b"\n", b"\r\n", b"\r", b"x", b"1,2\n", b"\0", b"\xff"]), max_size=40
)


@COMPARED
@example(parts=[b",", b",", b"\n"], block_bytes=3)
@example(parts=[b"\\N", b",", b"x", b",", b"\n"], block_bytes=3)
@given(parts=SPOILED, block_bytes=st.integers(3, 40))
def test_any_text_is_read_the_same_in_blocks_of_any_size(tmp_path, parts, block_bytes):
    """However broken the text, rows and rejects do not depend on blocks, and their numbers run from 1."""
    data = b"a,b\n" + b"".join(parts)
    small = read(tmp_path / "a", data, block_bytes=block_bytes)
    large = read(tmp_path / "a", data)
    assert small.rows == large.rows
    assert sorted(small.rejects) == sorted(large.rejects)
    numbers = {row[ROW] for row in large.rows} | {one.row for one in large.rejects}
    assert len(numbers) == len(large.rows) + len(large.rejects)
    assert numbers <= set(range(1, len(numbers) + large.counts["empty_row"] + 1))


@COMPARED
@given(
    parts=st.lists(
        st.sampled_from([b"x", b"1,2\n", b",", b"\n", b'"y"', b'"y\nz"', b'"a""b",', b'5" ']), max_size=30
    )
)
def test_text_pyarrow_reads_is_read_as_pyarrow_reads_it(tmp_path, parts):
    """Where quotes are closed, cutting into blocks changes nothing."""
    data = b"".join(parts)
    reading = read(tmp_path / "a", b"a,b\n" + data, block_bytes=16)
    if any(one.reason == "unclosed_quote" for one in reading.rejects) or not data.strip():
        return
    if reading.header.columns != ("a", "b"):
        return  # rows end with a delimiter
    whole = pyarrow.csv.read_csv(
        io.BytesIO(data),
        pyarrow.csv.ReadOptions(column_names=["a", "b"]),
        pyarrow.csv.ParseOptions(newlines_in_values=True, invalid_row_handler=lambda _: "skip"),
        pyarrow.csv.ConvertOptions(
            column_types={"a": "string", "b": "string"}, strings_can_be_null=True, null_values=[""]
        ),
    )
    some = [row for row in whole.to_pylist() if any(cell is not None for cell in row.values())]
    assert [{"a": row["a"], "b": row["b"]} for row in reading.rows] == some


def test_memory_stays_flat(tmp_path):
    """No chunk holds more than a block of text, however large the file."""
    found = source(tmp_path / "a", b"a,b\n" + b"1,2\n" * 500_000)
    heights = [
        chunk.rows.height for chunk in read_chunks(found, table(), read_header(found), block_bytes=1 << 18)
    ]
    assert sum(heights) == 500_000
    assert max(heights) <= (1 << 18) // 4


@pytest.mark.parametrize("separator", [b",", b"\t"])
@pytest.mark.parametrize("columns", [2, 300])
def test_what_stands_for_nothing(tmp_path, separator, columns):
    """What databases and the user say for nothing is nothing in every column, declared or not, and is counted."""
    names = [b"a", b"b", *(b"x%d" % n for n in range(columns - 2))]
    cells = [rb"\N", rb"C:\N", *[b"-"] * (columns - 2)]
    data = separator.join(names) + b"\n" + separator.join(cells) + b"\n"
    reading = read(tmp_path / "a", data, replace(table(), nulls=("-", "")))
    assert reading.rows == [{ROW: 1, "a": None, "b": r"C:\N", REST: None}]
    assert reading.counts == {"null_cell": columns - 1}


def test_a_header_is_none_of_what_stands_for_nothing(tmp_path):
    """A column may be called as others write nothing."""
    reading = read(tmp_path / "a", b"a,NULL\n1,NULL\n2,x\n", replace(table(["a", "NULL"]), nulls=("NULL",)))
    assert reading.column("NULL") == [(1, None), (2, "x")]
    assert reading.counts == {"null_cell": 1}
