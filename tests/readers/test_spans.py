"""A file read span by span gives what it gives at once, wherever it can be cut."""

import codecs
import gzip
import json
from collections import Counter
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from jsonvalues import OBJECTS
from readings import source, table
from samples import examples

from migrate.readers.dialects import Layout
from migrate.readers.files import read_chunks
from migrate.readers.headers import read_header
from migrate.readers.originals import Originals
from migrate.readers.spans import read_bytes, spans

COMPARED = settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])


def reading(found, header, given_table):
    """Rows, rejects and counts of a file, or of a span."""
    chunks = [*read_chunks(found, given_table, header)]
    rows = [row for chunk in chunks for row in chunk.rows.rows(named=True)]
    rejects = sorted((one for chunk in chunks for one in chunk.rejects), key=str)
    return rows, rejects, sum((Counter(chunk.counts) for chunk in chunks), Counter())


def check(path, data, most, *, layout=Layout(), least=0):  # noqa: B008 - frozen
    """Compare a file with its spans; at least so many are asked for."""
    found = source(path, data)
    header = read_header(found, layout=layout)
    if header is None or not read_bytes(found, header):
        assert not least
        return
    cut = [*spans(found, header, most)]
    pieces = [replace(found, span=span, size=span.size) for span in cut]
    assert [span.is_last for span in cut] == [False] * (len(cut) - 1) + [True]
    assert sum(span.size for span in cut) == (found.size if header.format != "parquet" else read_size(path))
    for given_table in (table(), table(("a", "c"), dropped={"b"})):
        rows, rejects, counts = reading(found, header, given_table)
        parts = [reading(piece, header, given_table) for piece in pieces]
        assert [row for part in parts for row in part[0]] == rows
        assert sorted((one for part in parts for one in part[1]), key=str) == rejects
        assert sum((part[2] for part in parts), Counter()) == counts
    for piece, (its, wrong, _) in zip(pieces, parts, strict=True):
        numbers = sorted([row["_row"] for row in its] + [one.row for one in wrong if one.row])
        whole = Originals(found, table(), header).of(numbers)
        assert Originals(piece, table(), header).of(numbers) == whole
    assert len(cut) >= least


def read_size(path):
    """What all columns of a Parquet file take."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    metadata = pq.read_metadata(path)
    groups = map(metadata.row_group, range(metadata.num_row_groups))
    return sum(group.column(n).total_compressed_size for group in groups for n in range(group.num_columns))


MOST = st.integers(1, 60)


@COMPARED
@example(parts=[b"1,2\n", codecs.BOM_UTF8, b"a,b\n", b"3,4\n"], above=b"a,b\n", most=1)
@example(parts=[b'x,"y\n', b"1,2\n1,2\n", b'z"x\n1,2\n', b'"'], above=b"a,b\n", most=1)
@given(
    parts=st.lists(
        st.sampled_from(
            [
                b'"',
                b'""',
                b",",
                b"\n",
                b"\r\n",
                b"\r",
                b"x",
                b"1,2\n",
                b'"x\ny",z\n',
                b"\0",
                b"\xff",
                b"a,b\n",
            ]
        ),
        max_size=60,
    ),
    above=st.sampled_from([b"a,b\n", codecs.BOM_UTF8 + b"a,b\r\n", b'\n"a","b"\n', b"a,b,c\n", b"a\n"]),
    most=MOST,
)
def test_delimited_text(tmp_path, parts, above, most):
    """Quotes that hold line ends, quotes that are not closed, empty lines, other headers, bytes that are no text."""
    check(tmp_path / "a.csv", above + b"".join(parts), most)


@COMPARED
@example(values=[b'{"a":"x}\n{', b'"}\n', b'{"a":1}\n'], most=1, between=b"")
@given(
    values=st.lists(
        st.one_of(
            OBJECTS.map(lambda value: json.dumps(value).encode()),
            OBJECTS.map(lambda value: json.dumps(value, indent=1).encode()),
            st.sampled_from(
                [
                    *(
                        b'{"a":',
                        b"}",
                        b"\n",
                        b"}\n{",
                        b" ",
                        b"null\n",
                        b"[1]\n",
                        b"word",
                        b"\r\n",
                        b'"',
                        b"{\\",
                    ),
                    *(b'{"a":"b\n"}', b'{"a":1}\n', b'{"a":1}\r\n', b'{"a":1}{"b":2}\n'),
                    b'{"a":1} {"a":[\n{"b":1}\n]}\n',
                ]
            ),
        ),
        max_size=30,
    ),
    between=st.sampled_from([b"\n", b"", b"\r\n", b"\n\n"]),
    most=MOST,
)
def test_json(tmp_path, values, between, most):
    """Objects on lines of their own or laid out in any other way, and what is none."""
    check(tmp_path / "a.json", b'{"a":1}\n' + between.join(values), most)


@pytest.mark.parametrize(
    ("name", "data", "layout"),
    [
        ("a.csv", b"a,b\n" + b"1,2\n" * 50, {}),
        ("a.csv", codecs.BOM_UTF8 + b"a,b\r\n" + b'1,"2\r\n3"\r\n' * 50, {}),
        ("a.csv", b"a,b\r" + b"1,2\r" * 50, {}),
        ("a.csv", b"1,2\n" * 50, {"columns": ("a", "b"), "has_header": False}),
        ("a.tsv", b"a\tb\n" + b"1\t2\n\n" * 50 + b"3\t4", {}),
        ("a.jsonl", b'{"a":1,"b":"}{"}\n' * 50, {}),
        ("a.json", b'{"a":1,\n"b":{"x":[\n{}\n]}}\r\n' * 50 + b'{"a":2', {}),
    ],
)
def test_files_that_are_cut(tmp_path, name, data, layout):
    """Into about as many spans as are asked for."""
    check(tmp_path / name, data, len(data) // 5, layout=Layout(**layout), least=4)


def test_parquet_is_cut_between_row_groups(tmp_path):
    """Small ones that are neighbours are read together."""
    path = tmp_path / "a.parquet"
    pl.DataFrame({"a": [*map(str, range(100))], "b": ["x"] * 100}).write_parquet(path, row_group_size=10)
    check(path, None, 1, least=10)
    check(path, None, 500, least=2)
    path.write_bytes(path.read_bytes()[:-20])
    found = source(path)
    assert not read_bytes(found, read_header(found))


@pytest.mark.parametrize(
    ("name", "data", "layout"),
    [
        ("a.csv.gz", gzip.compress(b"a,b\n1,2\n", mtime=0), {}),
        ("a.csv", "a,b\n1,2\n".encode("utf-16"), {}),
        ("a.csv", b"sep=;\na;b\n1;2\n", {}),
        ("a.csv", b"a,b\n1,2\n", {"dialect": "spark"}),
        ("a.csv", b"a,b\n1,2\n", {"quote": "'"}),
        ("a.json", b'[{"a":1},\n{"a":2}]', {}),
        ("a.json", b'{"results":[{"a":1}],"next":null}\n', {}),
        ("a.json", b"{oops\n", {}),
    ],
)
def test_files_that_are_not_cut(tmp_path, name, data, layout):
    """Their rows are told by more than stands between two of them."""
    found = source(tmp_path / name, data)
    header = read_header(found, layout=Layout(**layout))
    header = header.within or header
    assert not read_bytes(found, header)
