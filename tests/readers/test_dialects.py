"""Delimited text as programs write it: recognised where it shows, told where it does not, never torn in silence."""

import csv
import io
import json

import pytest
from commands import migrate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from readings import source, table
from samples import examples

from migrate.kit.declare import ROW
from migrate.readers.dialects import Layout
from migrate.readers.files import read_chunks
from migrate.readers.headers import misread, read_header

TIME = "2024-03-01T10:00:00Z"
SPEC = 'event = "event"\ndistinct_id = ["uid"]\ntimestamp = {column = "time", format = "iso", zone = "UTC"}\n'
HEADER = ("a", "b")
CELLS = st.text(st.sampled_from("ab\"\\,;\t\n\r'é{}:N nt0"), max_size=6).filter(lambda cell: cell != r"\N")
ROWS = st.tuples(CELLS, CELLS).filter(lambda row: row != HEADER)  # a header that is repeated is no row
COMPARED = settings(max_examples=examples(120), suppress_health_check=[HealthCheck.function_scoped_fixture])


def read(path, data, layout, *, block_bytes=1 << 20):
    """The rows of a file with the columns a and b, and the counts."""
    found = source(path, data)
    head = read_header(found, layout=layout)
    rows, rejects, counts = [], [], {}
    for chunk in read_chunks(found, table(), head, block_bytes=block_bytes):
        rows += chunk.rows.select("a", "b").rows()
        rejects += chunk.rejects
        counts = {**counts, **chunk.counts}
    return rows, rejects, counts


def spark(cell):
    """A cell as Spark writes it."""
    plain = not any(sign in cell for sign in '",\n\r\\')
    return (
        cell if plain and cell == cell.strip() else '"' + cell.replace("\\", "\\\\").replace('"', '\\"') + '"'
    )


def clickhouse(cell):
    """A cell as ClickHouse, Postgres and MySQL write it."""
    for sign, letter in (("\\", "\\"), ("\t", "t"), ("\n", "n"), ("\r", "r")):
        cell = cell.replace(sign, f"\\{letter}")
    return cell


RAW = st.text(st.sampled_from("ab\"\\,;'é{}:N nt0"), max_size=6).filter(lambda cell: cell != r"\N")


@COMPARED
@given(rows=st.lists(st.tuples(RAW, RAW), min_size=1, max_size=5), block_bytes=st.integers(3, 60))
def test_in_raw_text_quotes_and_backslashes_are_data(tmp_path, rows, block_bytes):
    """Whatever stands in a cell, and wherever a block ends; only its tabs and line ends are none of it."""
    text = "".join(f"{a}\t{b}\r\n" for a, b in [("id", "name"), *rows])
    layout = Layout(delimiter="\t", dialect="raw", columns=("a", "b"), has_header=False)
    read_rows, rejects, _ = read(tmp_path / "raw", text.encode(), layout, block_bytes=block_bytes)
    assert rejects == []
    assert read_rows == [(a or None, b or None) for a, b in [("id", "name"), *rows] if a or b]


@COMPARED
@given(
    rows=st.lists(ROWS, min_size=1, max_size=5),
    written=st.sampled_from([("spark", spark, ","), ("clickhouse", clickhouse, "\t")]),
    block_bytes=st.integers(3, 60),
)
def test_what_a_dialect_writes_is_read_back(tmp_path, rows, written, block_bytes):
    """Any cells, in blocks of any size."""
    dialect, cell, delimiter = written
    data = "".join(f"{delimiter.join(map(cell, row))}\n" for row in [HEADER, *rows]).encode()
    found, rejects, _ = read(
        tmp_path / "a", data, Layout(delimiter=delimiter, dialect=dialect), block_bytes=block_bytes
    )
    assert found == [(one or None, other or None) for one, other in rows if one or other]
    assert rejects == []


@COMPARED
@given(rows=st.lists(ROWS, min_size=1, max_size=5), quote=st.sampled_from("'`"))
def test_other_quotes(tmp_path, rows, quote):
    """As Python's own writer writes them."""
    out = io.StringIO(newline="")
    csv.writer(out, quotechar=quote, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([HEADER, *rows])
    found, rejects, _ = read(tmp_path / "a", out.getvalue().encode(), Layout(quote=quote))
    assert found == [(one or None, other or None) for one, other in rows if one or other]
    assert rejects == []


@pytest.mark.parametrize(
    ("data", "dialect", "cell"),
    [
        pytest.param('a,b\n1,"{\\"k\\":1}"\n', "spark", '{"k":1}', id="spark"),
        pytest.param("a\tb\n\\N\tone\\ntwo\\\\\n", "clickhouse", "one\ntwo\\", id="clickhouse"),
        pytest.param("a,b\n1,C:\\new\n", None, "C:\\new", id="path"),
        pytest.param('a,b\n1,"C:\\"\n', None, "C:\\", id="backslash at the end of quotes"),
        pytest.param(
            'a,b\n1,"{""k"":""say \\""hi\\""""}"\n', None, '{"k":"say \\"hi\\""}', id="JSON in plain quotes"
        ),
        pytest.param("a\tb\n1\tone\\ntwo\n", None, "one\\ntwo", id="tabs without a null"),
        pytest.param("a\tb\n\\N\tplain\n", None, "plain", id="null and nothing else"),
    ],
)
def test_a_dialect_is_recognised_where_the_file_shows_it(tmp_path, data, dialect, cell):
    """And counted; plain text with backslashes is plain."""
    rows, rejects, counts = read(tmp_path / "a", data.encode(), Layout())
    assert (rows[0][1], rejects) == (cell, [])
    assert {name for name in counts if name.startswith("dialect")} == (
        {f"dialect_{dialect}"} if dialect else set()
    )


def test_nulls_of_clickhouse_are_null_and_its_backslashes_are_text(tmp_path):
    r"""`\\N` is a backslash and a letter, `\N` is nothing."""
    rows, _, counts = read(tmp_path / "a", b"a\tb\n\\N\tx\\ty\n\\\\N\tz\n", Layout())
    assert rows == [(None, "x\ty"), (r"\N", "z")]
    assert counts["null_cell"] == 1


def test_numbers_of_rows_are_those_of_records(tmp_path):
    """Below Excel's line and a header they run from 1; of a file without a header the first is 1."""
    for data, layout in (
        (b"sep=;\na;b\n1;2\n;;\n", Layout()),
        (b"1,2\n", Layout(columns=("a", "b"), has_header=False)),
    ):
        found = source(tmp_path / "a", data)
        (chunk, *_) = read_chunks(found, table(), read_header(found, layout=layout))
        assert chunk.rows.select(ROW, "a", "b").rows() == [(1, "1", "2")]


@pytest.mark.parametrize("size", [100_000, 2_000_000])
def test_the_first_row_may_be_as_long_as_any(tmp_path, size):
    """It is looked at to know the columns."""
    data = f'a,b\n1,"{{""k"":""{"x" * size}""}}"\n'.encode()
    rows, rejects, _ = read(tmp_path / "a", data, Layout())
    assert (len(rows[0][1]), rejects) == (size + 8, [])


def test_the_line_about_the_delimiter_above_a_file_without_a_header(tmp_path):
    """It is no row there, either."""
    rows, rejects, _ = read(tmp_path / "a", b"sep=;\n1;2\n", Layout(columns=("a", "b"), has_header=False))
    assert (rows, rejects) == ([("1", "2")], [])


def test_trailing_delimiters(tmp_path):
    """Of rows, of rows and header, and rows of empty cells."""
    for data in (b"a,b\n1,2,\n3,4,\n", b"a,b,\n1,2,\n3,4,\n", b"a,b\n1,2\n,\n3,4\n"):
        rows, rejects, _ = read(tmp_path / "a", data, Layout())
        assert (rows, rejects) == ([("1", "2"), ("3", "4")], [])


def planned(folder, data, *words, spec=SPEC):
    """What a file and a spec come to: exit code, payloads' properties, and what was said."""
    (folder / "a.csv").write_bytes(data)
    (folder / "spec.toml").write_text(spec)
    done = migrate("preview", "table", "a.csv", "--spec", "spec.toml", *words, cwd=folder)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


HEADLESS = f"buy,u1,{TIME},1\nbuy,u2,{TIME},\n".encode()


@pytest.mark.parametrize(
    ("words", "spec"),
    [
        pytest.param(["--columns", "event,uid,time,amount"], SPEC, id="columns"),
        pytest.param([], SPEC + 'columns = ["event", "uid", "time", "amount"]\n', id="spec"),
        pytest.param(
            ["--no-header"],
            SPEC.replace('"event"', '"column_1"')
            .replace('"uid"', '"column_2"')
            .replace('"time"', '"column_3"'),
            id="numbered",
        ),
    ],
)
def test_a_file_without_a_header(tmp_path, words, spec):
    """All of its rows are rows, once its columns have names."""
    code, events, _ = planned(tmp_path, HEADLESS, *words, spec=spec)
    assert (code, [event["distinct_id"] for event in events]) == (0, ["u1", "u2"])


@pytest.mark.parametrize(
    "spec", [SPEC, SPEC.replace('"event"', '"buy"').replace('"uid"', '"u1"').replace('"time"', f'"{TIME}"')]
)
def test_a_file_without_a_header_is_refused_with_its_two_ways_out(tmp_path, spec):
    """Also where a spec names what stands in its first row, which would be lost."""
    code, events, said = planned(tmp_path, HEADLESS, spec=spec)
    assert (code, events) == (2, [])
    assert f"its first line is a row and no header, found '{TIME}'" in said
    assert "--columns" in said
    assert "--no-header" in said


def test_quotes_that_contradict_each_other_are_refused(tmp_path):
    """Either way some cells would be torn."""
    data = f'event,uid,time,note\nbuy,u,{TIME},"say \\"hi\\""\nbuy,u,{TIME},"say ""hi"" too"\n'.encode()
    code, events, said = planned(tmp_path, data)
    assert (code, events) == (2, [])
    assert "--dialect plain, spark, clickhouse or raw" in said
    code, events, _ = planned(tmp_path, data, "--dialect", "spark")
    assert (code, events[0]["properties"]["note"]) == (0, 'say "hi"')


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("dialect = 'excel'", 'spec: dialect: expected one of plain, spark, clickhouse, raw, found "excel"'),
        ("quote = 'ab'", 'spec: quote: expected one ASCII character, found "ab"'),
        ("no_header = 1", "spec: no_header: expected true or false, found 1"),
        ("columns = 3", "spec: columns: expected a list of columns, found 3"),
    ],
)
def test_wrong_words_about_a_file_are_refused_by_key(tmp_path, line, message):
    """As those about its columns are."""
    code, _, said = planned(tmp_path, HEADLESS, spec=f"{line}\n{SPEC}")
    assert code == 2
    assert message in said


LATE = [
    pytest.param('buy,LATE,{},"{{\\"sku\\":\\"a\\"}}"\n', ",", "spark", '{"sku":"a"}', id="spark"),
    pytest.param("buy\tLATE\t{}\t\\N\tone\\ntwo\n", "\t", "clickhouse", None, id="clickhouse"),
]


@pytest.mark.law
@pytest.mark.parametrize(("row", "delimiter", "dialect", "cell"), LATE)
def test_a_dialect_that_shows_late_is_not_torn_in_silence(tmp_path, row, delimiter, dialect, cell):
    """The start of a file is plain, and further on something is not: it is set aside with the option to give."""
    names = ["event", "uid", "time", "note", *(["more"] if delimiter == "\t" else [])]
    plain = delimiter.join(["buy", "u", TIME, "x" * 80, *(["y"] if delimiter == "\t" else [])])
    lines = [delimiter.join(names), *[plain] * 8_000, row.format(TIME).rstrip("\n")]
    data = ("\n".join(lines) + "\n").encode()
    (tmp_path / "a.csv").write_bytes(data)
    (tmp_path / "spec.toml").write_text(SPEC)
    command = ["plan", "table", "a.csv", "--spec", "spec.toml", "--json", "--workdir"]

    def planning(workdir, *words):
        done = migrate(*command, workdir, *words, cwd=tmp_path)
        return done.returncode, json.loads(done.stdout.splitlines()[-1]), done.stderr

    code, summary, said = planning("w")
    assert (code, summary["rows"]["read"], summary["skipped_files"]) == (5, 0, {"unclear_dialect": 1})
    assert f"as --dialect {dialect} has it" in said
    code, summary, _ = planning("x", "--dialect", dialect)
    assert (code, summary["rows"]["mapped"]) == (0, 8_001)
    code, summary, _ = planning("y", "--dialect", "plain")
    assert (code, summary["rows"]["mapped"]) == (0, 8_001)
    code, events, _ = planned(tmp_path, "\n".join([lines[0], lines[-1], ""]).encode(), "--dialect", dialect)
    assert events[0]["properties"].get("note") == cell


@pytest.mark.parametrize(
    "cell", ['"{""a"":""x\\""y""}"', '"C:\\dir\\"', '"a\n""b\\"""', "C:\\new", '"\\""', 'a \\"b']
)
def test_plain_text_with_backslashes_is_plain_wherever_it_stands(tmp_path, cell):
    """Also far behind the start of a file."""
    lines = ["event,uid,time,note", *[f"buy,u,{TIME},{'x' * 80}"] * 8_000, f"buy,u,{TIME},{cell}", ""]
    found = source(tmp_path / "a.csv", "\n".join(lines).encode())
    assert misread(found, read_header(found)) is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--columns", "event,uid,time"], "its first row has 4 cells, found 3 names for its columns"),
        (["--columns", "event,uid,time,amount,more"], "its first row has 4 cells, found 5 names"),
        (["--no-header", "--quote", ","], "its quote is said to be ',', which is its delimiter"),
    ],
)
def test_what_does_not_fit_a_file_is_said_and_costs_no_row(tmp_path, words, message):
    """A row for each of a million lines would help nobody."""
    code, events, said = planned(tmp_path, HEADLESS, *words)
    assert (code, events) == (2, [])
    assert message in said
