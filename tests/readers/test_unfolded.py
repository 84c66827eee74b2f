"""Records that hold many rows in an array become these rows, the same whatever the file is and wherever it is cut."""

import csv
import io
import json
import re
from collections import Counter

import fastavro
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pyarrow import orc
from readings import read, source
from samples import examples

from migrate import numbering
from migrate.errors import UsageError
from migrate.kit.declare import POSITION, REST, ROW, WHOLE, Bag, Platform, Table
from migrate.readers import unfolded
from migrate.readers.headers import read_header
from migrate.readers.originals import Originals

SIZES = st.sampled_from([1, 16, 64, 300, 1 << 21])
"""Bytes of a block."""
SOME = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(20))


def table(**more):
    """A table of sessions with hits, of which `n` and `url` are known."""
    whole = {
        "name": "sessions",
        "columns": {"id": pl.String, "hits": pl.String},
        "matches": lambda _: True,
        "to_events": lambda rows, _: rows,
        "bags": {"hits": Bag(keys=["n", "url"])},
        "properties": ["hits", REST],
        "unfold": "hits",
    }
    return Table(**(whole | more))


def of(reading):
    """What rows say: where they stand, the id, what is known and what is left of the hit."""
    names = (ROW, POSITION, "id", "hits.n", "hits.url", "_properties")
    return [tuple(row[name] for name in names) for row in reading.rows]


def places(rows):
    """Records and elements of rows."""
    return [(numbering.record_of(row), numbering.element_of(row)) for row in rows]


def lines(*records):
    """Records as lines of JSON."""
    return b"".join(json.dumps(one).encode() + b"\n" for one in records)


HITS = st.lists(
    st.fixed_dictionaries({"n": st.integers(0, 9), "url": st.text('/ab"\\é\n', max_size=30)}), max_size=5
)
RECORDS = st.lists(
    st.fixed_dictionaries({"id": st.text("xyz", min_size=1), "hits": HITS | st.none(), "z": st.text("z")}),
    min_size=1,
    max_size=6,
)
HIT = pa.list_(pa.struct({"n": pa.int64(), "url": pa.string()}))


def jsonl(records):
    """A record a line."""
    return lines(*records)


def array(records):
    """An array over several lines."""
    return json.dumps(records, indent=1).encode()


def text(records):
    """A CSV with JSON in the cells of a column."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["id", "hits", "z"])
    cells = ([one["id"], "" if one["hits"] is None else json.dumps(one["hits"]), one["z"]] for one in records)
    writer.writerows(cells)
    return out.getvalue().encode()


def arrow(records):
    """A table with a column of lists."""
    return pa.Table.from_pylist(records, pa.schema({"id": pa.string(), "hits": HIT, "z": pa.string()}))


def parquet(records):
    """A file with two records a row group."""
    out = io.BytesIO()
    pl.from_arrow(arrow(records)).write_parquet(out, row_group_size=2)
    return out.getvalue()


def stripes(records):
    """A file of ORC."""
    out = io.BytesIO()
    orc.write_table(arrow(records), out)
    return out.getvalue()


def avro(records):
    """A file of Avro with a block for every few records."""
    fields = [{"name": "n", "type": "long"}, {"name": "url", "type": "string"}]
    hit = {"type": "array", "items": {"type": "record", "name": "Hit", "fields": fields}}
    kinds = {"id": "string", "hits": ["null", hit], "z": "string"}
    schema = {
        "type": "record",
        "name": "Session",
        "fields": [{"name": k, "type": t} for k, t in kinds.items()],
    }
    out = io.BytesIO()
    fastavro.writer(out, schema, records, sync_interval=64)
    return out.getvalue()


FORMATS = {
    "a.jsonl": jsonl,
    "a.json": array,
    "a.csv": text,
    "a.parquet": parquet,
    "a.orc": stripes,
    "a.avro": avro,
}


@pytest.mark.law
@pytest.mark.parametrize("name", FORMATS)
@settings(SOME)
@given(records=RECORDS, block_bytes=SIZES)
@example(records=[{"id": "x", "hits": [], "z": ""}], block_bytes=1)
def test_rows_are_the_same_in_every_format_and_in_blocks_of_any_size(tmp_path, name, records, block_bytes):
    """One for each element, in order, with the record's other columns; a record without elements stays one."""
    reading = read(tmp_path / name, FORMATS[name](records), table(), block_bytes=block_bytes)
    is_text = name.endswith("csv")
    hits = [
        (record["id"], position if hit else None, hit or {}, record["z"])
        for record in records
        for position, hit in enumerate(record["hits"] or [None], 1)
    ]
    assert reading.rejects == []
    assert [(row["id"], row[POSITION]) for row in reading.rows] == [hit[:2] for hit in hits]
    numbers = [row[ROW] for row in reading.rows]
    assert numbers == sorted({*numbers})
    assert [element or None for _, element in places(numbers)] == [position for _, position, *_ in hits]
    for row, (_, _, hit, z) in zip(reading.rows, hits, strict=True):
        assert (row["hits.n"], row["hits.url"]) == (str(hit["n"]) if hit else None, hit.get("url"))
        said = json.loads(row["_properties"] or "{}")
        assert said == hit | ({} if is_text and not z else {"z": z})


@pytest.mark.law
@settings(SOME)
@given(records=RECORDS, block_bytes=SIZES, data=st.data())
def test_where_a_file_is_cut_changes_nothing(tmp_path, records, block_bytes, data):
    """Also among lines and elements that are none; no two rows have one number."""
    odd = st.sampled_from([b"x", b'{"hits":[1]}', b'{"hits":"q"}', b'{"hits":[null,{"n":1},[]]}', b"", b"{}"])
    mixed = data.draw(st.permutations([*lines(*records).splitlines(), *data.draw(st.lists(odd))]))
    given_ = b"\n".join(mixed)
    small = read(tmp_path / "a.jsonl", given_, table(), block_bytes=block_bytes)
    large = read(tmp_path / "a.jsonl", given_, table())
    assert of(small) == of(large)
    assert (small.rejects, small.counts) == (large.rejects, large.counts)
    numbers = sorted([row[ROW] for row in small.rows] + [one.row for one in small.rejects])
    assert len({*numbers}) == len(numbers)


def test_an_element_has_its_own_text_and_its_place_in_the_record(tmp_path):
    """All digits, and the order of keys; what is null counts for the place, and is no row."""
    data = b'{"id":1,"hits":[{"n":1.50, "b":1e400,"a":-0},null,{"a":12345678901234567890}],"k":{"x":1.0}}'
    reading = read(tmp_path / "a.jsonl", data, table(whole=True))
    assert [(row["hits"], row[POSITION]) for row in reading.rows] == [
        ('{"n":1.50, "b":1e400,"a":-0}', 1),
        ('{"a":12345678901234567890}', 3),
    ]
    assert [(row[REST], row[WHOLE]) for row in reading.rows] == [('{"k":{"x":1.0}}', '{"k":{"x":1e0}}')] * 2
    assert reading.counts == Counter(null_element=1)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        pytest.param(b"null", [None], id="null"),
        pytest.param(b"[]", [None], id="an empty array"),
        pytest.param(b" [ ] ", [None], id="with spaces"),
        pytest.param(b"[null]", [None], id="nulls alone"),
        pytest.param(b'""', [None], id="no text"),
        pytest.param(b'{"n":1}', ["1"], id="an object"),
        pytest.param(b'"[{\\"n\\":1},{\\"n\\":2}]"', ["1", "2"], id="the text of an array"),
        pytest.param(b'"\\"[{\\\\\\"n\\\\\\":1}]\\""', ["1"], id="the text of a text"),
        pytest.param(b'["{\\"n\\":1}", {"n":2}]', ["1", "2"], id="texts of objects"),
        pytest.param(b'[{"n":NaN},{"n":"\\ud800"}]', [None, "\ufffd"], id="what is repaired"),
    ],
)
def test_what_is_an_array(tmp_path, cell, expected):
    """And what has no elements, but is a row."""
    reading = read(tmp_path / "a.jsonl", b'{"id":"x","hits":' + cell + b"}\n", table())
    assert ([row["hits.n"] for row in reading.rows], reading.rejects) == (expected, [])
    assert {row["id"] for row in reading.rows} == {"x"}


@pytest.mark.parametrize(
    ("cell", "rejects"),
    [
        pytest.param("7", [(1, 0, "hits: 7")], id="a number"),
        pytest.param('"never"', [(1, 0, "hits: never")], id="a word"),
        pytest.param("true", [(1, 0, "hits: true")], id="true"),
        pytest.param('[{"n":1},7,"x",[{"n":2}]]', [(1, n, v) for n, v in
            ((2, "hits: 7"), (3, 'hits: "x"'), (4, 'hits: [{"n":2}]'))], id="elements"),
    ],
)  # fmt: skip
def test_what_is_none_costs_its_row(tmp_path, cell, rejects):
    """The record, if nothing of it can be told apart; else the element alone, which is named."""
    data = f'{{"id":"x","hits":{cell}}}\n'.encode() + lines({"id": "y", "hits": [{"n": 1}]})
    reading = read(tmp_path / "a.jsonl", data, table())
    assert [(*places([one.row])[0], one.value) for one in reading.rejects] == rejects
    assert {one.reason for one in reading.rejects} == {"bad_json"}
    assert [row["id"] for row in reading.rows] == ["x"] * cell.startswith("[") + ["y"]


def test_a_record_of_too_many_elements_is_a_reject_before_it_is_decoded(tmp_path, monkeypatch):
    """Millions of tiny elements would take gigabytes at once; commas within elements are not counted."""
    monkeypatch.setattr(unfolded, "MOST", 4)
    many = {"id": "x", "hits": [{}] * 5}
    few = {"id": "y", "hits": [{"n": 1, "url": "a,b,c", "more": [1, 2, 3]}] * 3}
    reading = read(tmp_path / "a.jsonl", lines(many, few), table())
    (rejected,) = reading.rejects
    assert (*places([rejected.row]), rejected.reason, rejected.value) == (
        (1, 0),
        "record_too_large",
        "hits: more than 4 elements",
    )
    assert places(row[ROW] for row in reading.rows) == [(2, 1), (2, 2), (2, 3)]


def test_a_broken_line_is_a_reject_in_its_place(tmp_path):
    """Numbered as its record would be."""
    data = lines({"hits": [{"n": 1}, {"n": 2}]}) + b"broken\n" + lines({"hits": [{"n": 3}]})
    reading = read(tmp_path / "a.jsonl", data, table())
    assert places(row[ROW] for row in reading.rows) == [(1, 1), (1, 2), (3, 1)]
    assert places(one.row for one in reading.rejects) == [(2, 0)]
    assert numbering.place("a", reading.rows[1][ROW]) == "a:1#2"
    assert numbering.place("a", reading.rejects[0].row) == "a:2"


def test_the_column_may_be_spelled_otherwise(tmp_path):
    """As every other; so it is in the row as it is shown."""
    found = source(tmp_path / "a.jsonl", lines({"ID": "x", "Hits": [{"n": 1}, {"n": 2}]}))
    reading = read(tmp_path / "a.jsonl", None, table())
    assert [row["hits.n"] for row in reading.rows] == ["1", "2"]
    originals = Originals(found, table(), read_header(found)).of([row[ROW] for row in reading.rows])
    assert [bytes(row["Hits"]) for row in originals.values()] == [b'[{"n": 1}]', b'[{"n": 2}]']


@pytest.mark.law
@pytest.mark.parametrize("name", FORMATS)
@settings(SOME)
@given(records=RECORDS)
def test_the_original_of_a_row_is_its_record_with_that_element_alone(tmp_path, name, records):
    """Of a record without elements, all of it; whatever is asked for at once."""
    reading = read(tmp_path / name, FORMATS[name](records), table())
    found = source(tmp_path / name)
    numbers = [row[ROW] for row in reading.rows]
    originals = Originals(found, table(), read_header(found))
    half = len(numbers) // 2
    shown = originals.of(numbers[half - 1 : half]) | originals.of(numbers[half:])
    for row in reading.rows[half:]:
        record = {key: json.loads(bytes(value)) for key, value in shown[row[ROW]].items()}
        assert record["id"] == row["id"]
        if row[POSITION]:
            (hit,) = record["hits"]
            assert {key: str(value) for key, value in hit.items()} == {
                "n": row["hits.n"],
                "url": row["hits.url"],
            }
        else:
            assert record.get("hits") in ([], None, "[]")


def test_a_record_of_many_elements_is_cut(tmp_path):
    """What is said once in the file is not held as often as it is repeated."""
    parent = {f"k{n}": "x" * 1_000 for n in range(20)}
    data = lines(parent | {"id": "x", "hits": [{"n": n} for n in range(2_000)]})
    reading = read(tmp_path / "a.jsonl", data, table())
    assert [row["hits.n"] for row in reading.rows] == [str(n) for n in range(2_000)]
    assert reading.chunks > 3


def test_tables_that_do_not_read_the_column_do_not_unfold(tmp_path):
    """As in the look over all files, for what records say of who is who."""
    lean = table(columns={"id": pl.String}, bags={}, properties=[], dropped=frozenset(["hits"]))
    reading = read(tmp_path / "a.jsonl", lines({"id": "x", "hits": [{}, {}]}), lean)
    assert [(row[ROW], row["id"]) for row in reading.rows] == [(1, "x")]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param(
            {"unfold": "hit"}, "unfold: no column 'hit', known are id, hits; spell it as there", id="no"
        ),
        pytest.param(
            {"bags": {}, "properties": [REST]},
            "unfold: nothing opens the objects in 'hits'; name it in objects, bags or properties",
            id="closed",
        ),
    ],
)
def test_what_cannot_be_unfolded_is_said(changes, said):
    """When the mapping is loaded."""
    with pytest.raises(UsageError, match=re.escape(f"Acme: sessions: {said}")):
        Platform(title="Acme", tables=[table(**changes)])
