import io
import json
import math
import random
import sys
import zlib

import fastavro
import polars as pl
import pytest
from readings import read, source, table

from migrate.errors import UsageError
from migrate.inputs.listing import sources
from migrate.kit.declare import ROW
from migrate.readers.files import read_chunks
from migrate.readers.headers import read_header

NOON_MS = 1_704_196_800_123


def avro(fields, *records, codec="null", sync_interval=16_000, marker=b"0123456789abcdef"):
    """An Avro file of records; a field is a type, or a name is given its type."""
    schema = {
        "type": "record",
        "name": "Row",
        "namespace": "heap",
        "fields": [{"name": name, "type": kind} for name, kind in fields.items()],
    }
    data = io.BytesIO()
    fastavro.writer(
        data, plain(schema), records, codec=codec, sync_interval=sync_interval, sync_marker=marker
    )
    header = json.dumps(plain(schema)).encode(), json.dumps(schema).encode()
    return with_schema(data.getvalue(), *header)


def plain(schema):
    """A schema without logical types, so that a test writes what is stored."""
    if isinstance(schema, dict):
        return {key: plain(value) for key, value in schema.items() if key != "logicalType"}
    return [plain(one) for one in schema] if isinstance(schema, list) else schema


def with_schema(data, _written, schema):
    """The file with another schema in its header, in the same bytes otherwise."""
    reader = fastavro.block_reader(io.BytesIO(data))
    meta = {"avro.codec": reader.codec, "avro.schema": schema.decode()}
    start = data.index(b"0123456789abcdef")
    out = io.BytesIO()
    out.write(b"Obj\x01")
    map_schema = fastavro.parse_schema({"type": "map", "values": "bytes"})
    fastavro.schemaless_writer(out, map_schema, {key: value.encode() for key, value in meta.items()})
    return out.getvalue() + data[start:]


def logical(kind, name, **more):
    """A type with a logical type."""
    return {"type": kind, "logicalType": name, **more}


@pytest.mark.parametrize(
    ("kind", "values", "cells", "rest"),
    [
        pytest.param(["null", "string"], ["x", "", None], ["x", "", None], ["x", "", None], id="text"),
        pytest.param("long", [2**62 + 1, -5], [str(2**62 + 1), "-5"], [2**62 + 1, -5], id="integers"),
        pytest.param(["long", "null"], [9_007_199_254_740_993, None], ["9007199254740993", None], None, id="ids"),
        pytest.param("double", [0.1, 1.0, 1e22], ["0.1", "1.0", "1e+22"], [0.1, 1, 1e22], id="doubles"),
        pytest.param("float", [0.1], ["0.1"], [0.1], id="floats"),
        pytest.param("boolean", [True, False], ["true", "false"], [True, False], id="booleans"),
        pytest.param("null", [None], [None], [None], id="nulls"),
        pytest.param(
            {"type": "enum", "name": "E", "symbols": ["A", "B"]}, ["B"], ["B"], ["B"], id="enumeration"
        ),
        pytest.param("bytes", [b"x", b"\xff\x01"], ["x", "ff01"], ["x", "ff01"], id="bytes"),
        pytest.param({"type": "fixed", "name": "F", "size": 2}, [b"ab"], ["ab"], ["ab"], id="fixed"),
        pytest.param(
            logical("long", "timestamp-millis"),
            [NOON_MS],
            ["2024-01-02T12:00:00.123000Z"],
            ["2024-01-02T12:00:00.123000Z"],
            id="timestamp-millis",
        ),
        pytest.param(
            ["null", logical("long", "timestamp-micros")],
            [NOON_MS * 1000 + 456, None],
            ["2024-01-02T12:00:00.123456Z", None],
            None,
            id="timestamp-micros",
        ),
        pytest.param(
            logical("long", "timestamp-nanos"),
            [(NOON_MS * 1000 + 456) * 1000],
            ["2024-01-02T12:00:00.123456Z"],
            None,
            id="timestamp-nanos",
        ),
        pytest.param(
            logical("long", "local-timestamp-millis"),
            [NOON_MS],
            ["2024-01-02T12:00:00.123000"],
            None,
            id="no-zone",
        ),
        pytest.param(logical("int", "date"), [19_782], ["2024-02-29"], ["2024-02-29"], id="date"),
        pytest.param(logical("int", "time-millis"), [3_723_004], ["01:02:03.004000"], None, id="time-millis"),
        pytest.param(logical("long", "time-micros"), [3_723_000_004], ["01:02:03.000004"], None, id="time-micros"),
        pytest.param(
            logical("bytes", "decimal", precision=9, scale=2),
            [b"\x00\x96", b"\xff"],
            ["1.50", "-0.01"],
            None,
            id="decimal",
        ),
        pytest.param(
            logical("bytes", "decimal", precision=76, scale=1),
            [(10**60 + 7).to_bytes(30, "big")],
            ["1" + "0" * 59 + ".7"],
            None,
            id="wide decimal",
        ),
        pytest.param(
            logical("string", "uuid"),
            ["0190163D-8694-739B-AEA5-966C26F8AD91"],
            ["0190163D-8694-739B-AEA5-966C26F8AD91"],
            None,
            id="uuid",
        ),
        pytest.param(
            {"type": "fixed", "name": "U", "size": 16, "logicalType": "uuid"},
            [bytes(range(16))],
            ["00010203-0405-0607-0809-0a0b0c0d0e0f"],
            None,
            id="uuid as bytes",
        ),
        pytest.param(logical("long", "of-another-kind"), [5], ["5"], [5], id="unknown logical type"),
        pytest.param(["int", "long"], [5, 2**40], ["5", str(2**40)], [5, 2**40], id="two kinds of integer"),
        pytest.param(
            ["null", "long", "string"], [None, 2**60, "x"], [None, str(2**60), "x"], None, id="union of several"
        ),
        pytest.param(
            {"type": "array", "items": ["null", "long"]},
            [[1, None], []],
            ["[1,null]", "[]"],
            [[1, None], []],
            id="array",
        ),
        pytest.param(
            {"type": "map", "values": "string"}, [{"k": "ü"}], ['{"k":"ü"}'], [{"k": "ü"}], id="map"
        ),
        pytest.param(
            {
                "type": "record",
                "name": "R",
                "fields": [
                    {"name": "s", "type": "string"},
                    {"name": "t", "type": ["null", logical("long", "timestamp-millis")]},
                    {"name": "b", "type": "bytes"},
                ],
            },
            [{"s": '\x01\\"', "t": NOON_MS, "b": b"\xff"}, {"s": "", "t": None, "b": b"x"}],
            [
                '{"s":"\\u0001\\\\\\"","t":"2024-01-02T12:00:00.123000Z","b":"ff"}',
                '{"s":"","t":null,"b":"x"}',
            ],
            None,
            id="record",
        ),
        pytest.param(
            {
                "type": "array",
                "items": {
                    "type": "record",
                    "name": "P",
                    "fields": [
                        {"name": "key", "type": "string"},
                        {"name": "value", "type": {"type": "map", "values": "double"}},
                    ],
                },
            },
            [[{"key": "a", "value": {"x": 0.5}}]],
            ['[{"key":"a","value":{"x":0.5}}]'],
            None,
            id="array of records",
        ),
        pytest.param({"type": "record", "name": "N", "fields": []}, [{}], ["{}"], None, id="record of nothing"),
    ],
)  # fmt: skip
def test_types_become_text(tmp_path, kind, values, cells, rest):
    """Declared, a value is text in its own digits; in the rest it keeps its JSON type; nulls stay out."""
    data = avro({"a": kind}, *({"a": value} for value in values))
    reading = read(tmp_path / "a.avro", data, table(["a"]))
    assert [row["a"] for row in reading.rows] == cells
    assert [row[ROW] for row in reading.rows] == list(range(1, len(cells) + 1))
    assert (reading.rejects, reading.counts) == ([], {})
    if rest is not None:
        reading = read(tmp_path / "a.avro", data, table(["gone"]))
        assert [json.loads(one or "{}") for one in reading.rests] == [
            {} if one is None else {"a": one} for one in rest
        ]


def test_a_type_used_twice_and_a_type_in_itself(tmp_path):
    """A named type is known by its name; one that holds itself ends in JSON text, so that it can be a column."""
    node = {
        "type": "record",
        "name": "Node",
        "fields": [{"name": "n", "type": "long"}, {"name": "next", "type": ["null", "Node"]}],
    }
    tree = {"n": 1, "next": {"n": 2, "next": {"n": 3, "next": None}}}
    reading = read(tmp_path / "a", avro({"a": node, "b": "Node"}, {"a": tree, "b": tree["next"]}))
    assert reading.rejects == []
    assert json.loads(reading.rows[0]["a"]) == {"n": 1, "next": '{"n":2,"next":{"n":3,"next":null}}'}
    assert json.loads(reading.rows[0]["b"]) == {"n": 2, "next": '{"n":3,"next":null}'}


def test_numbers_that_are_none_become_null_and_are_counted(tmp_path):
    """NaN and infinity are no JSON."""
    values = [math.nan, math.inf, 1.5, None]
    fields = {"a": ["null", "double"], "z": ["null", "double"]}
    reading = read(tmp_path / "a", avro(fields, *({"a": one, "z": one} for one in values)))
    assert reading.column("a") == [(1, None), (2, None), (3, "1.5"), (4, None)]
    assert reading.rests == [None, None, '{"z":1.5}', None]
    assert reading.counts == {"non_finite_number": 4}


def test_times_no_calendar_has_become_null_and_are_counted(tmp_path):
    """A time in the year 3 170 843 is one wrong cell, not the end of the file."""
    fields = {"a": logical("long", "timestamp-millis"), "b": logical("int", "time-millis")}
    reading = read(tmp_path / "a", avro(fields, {"a": 10**17, "b": 86_400_000}, {"a": NOON_MS, "b": 0}))
    assert reading.column("a") == [(1, None), (2, "2024-01-02T12:00:00.123000Z")]
    assert reading.column("b") == [(1, None), (2, "00:00:00.000000")]
    assert reading.counts == {"impossible_time": 2}


def test_a_decimal_of_more_digits_than_it_says_is_counted(tmp_path):
    """A number beyond 38 digits in a column of fewer is null, and counted."""
    kind = logical("bytes", "decimal", precision=9, scale=2)
    reading = read(tmp_path / "a", avro({"a": kind}, {"a": (10**40).to_bytes(20, "big")}))
    assert reading.column("a") == [(1, None)]
    assert reading.counts == {"impossible_number": 1}


def test_text_that_is_no_utf8_is_mended(tmp_path):
    """A bad character costs a character, and the cell is counted."""
    data = avro({"a": "string", "b": "string"}, {"a": "xyz", "b": "ok"}, {"a": "fine", "b": "ok"})
    reading = read(tmp_path / "a", data.replace(b"xyz", b"x\x98z"))
    assert reading.column("a") == [(1, "x\ufffdz"), (2, "fine")]
    assert reading.counts == {"invalid_utf8": 1}


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy", "zstandard", "bzip2", "xz"])
def test_codecs(tmp_path, codec):
    """Whatever the blocks are compressed with; snappy is what Heap and Spark write."""
    data = avro({"a": "long"}, *({"a": number} for number in range(5000)), codec=codec, sync_interval=500)
    reading = read(tmp_path / "a", data)
    assert reading.column("a") == [(number + 1, str(number)) for number in range(5000)]
    assert reading.header.format == "avro"
    assert reading.header.columns == ("a",)


def test_columns_are_found_by_name_in_any_case(tmp_path):
    """Exact first, then another case; missing ones are null; the dropped are not read."""
    data = avro(dict.fromkeys(["GONE", "B", "A", "a"], "int"), {"GONE": 1, "B": 2, "A": 3, "a": 4})
    reading = read(tmp_path / "a", data, table(["a", "b", "c"], dropped=["gone"]))
    assert reading.rows == [{ROW: 1, "a": "4", "b": "2", "c": None, "_rest": '{"A":3}'}]
    reading = read(tmp_path / "a", data, table(["c"], dropped=["gone", "a", "b"]))
    assert reading.rows == [{ROW: 1, "c": None, "_rest": None}], (
        "a file with none of the columns has its rows"
    )


def test_content_tells_not_the_name(tmp_path):
    """Avro under another name, and compressed once more outside, is Avro."""
    data = avro({"a": "int"}, {"a": 1})
    assert read(tmp_path / "a.csv", data).column("a") == [(1, "1")]
    packed = zlib.compressobj(wbits=31)
    assert read(tmp_path / "a.avro.gz", packed.compress(data) + packed.flush()).column("a") == [(1, "1")]


def test_no_records(tmp_path):
    """A file of a schema alone has columns and no rows."""
    reading = read(tmp_path / "a", avro({"a": "int"}))
    assert (reading.header.columns, reading.rows, reading.rejects) == (("a",), [], [])


def test_parts_are_cut_by_size(tmp_path):
    """Rows are numbered through all blocks; wide ones come few at a time, narrow ones in thousands."""
    data = avro(
        {"a": "long", "w": "string"}, *({"a": n, "w": "x" * 1000} for n in range(5000)), sync_interval=10**7
    )
    found = source(tmp_path / "a", data)
    frames = [
        chunk.rows for chunk in read_chunks(found, table(["a"]), read_header(found), block_bytes=100_000)
    ]
    assert {frame.height for frame in frames[:-1]} == {100}
    assert pl.concat(frames)[ROW].to_list() == list(range(1, 5001))
    narrow = source(tmp_path / "b", avro({"a": "long"}, *({"a": n} for n in range(30_000))))
    frames = [chunk.rows for chunk in read_chunks(narrow, table(["a"]), read_header(narrow))]
    assert [frame.height for frame in frames] == [12_288, 12_288, 5424]


FILE = avro(
    {"a": "long", "b": "string"}, *({"a": n, "b": f"row {n}"} for n in range(300)), sync_interval=1000
)


def test_a_file_cut_anywhere_tells_it(tmp_path):
    """Whole blocks before the cut are rows, and the file is `truncated_file`; a cut between blocks cannot be seen."""
    ends = {block.offset + block.size for block in fastavro.block_reader(io.BytesIO(FILE))}
    header_end = min(block.offset for block in fastavro.block_reader(io.BytesIO(FILE)))
    for end in random.Random(1).sample(range(header_end + 1, len(FILE)), 150):
        reading = read(tmp_path / "a", FILE[:end])
        assert reading.column("a") == [(n + 1, str(n)) for n in range(len(reading.rows))]
        assert len(reading.rows) >= max([0, *(300 * e // len(FILE) - 30 for e in ends if e <= end)])
        if end not in ends:
            assert reading.reasons == [(None, "truncated_file")], end
    for end in (4, 20, header_end - 1):
        reading = read(tmp_path / "a", FILE[:end])
        assert (reading.rows, reading.reasons) == ([], [(None, "unreadable_file")])


def test_a_compressed_file_cut_anywhere_tells_it(tmp_path):
    """Where the outer compression ends early, the message is that."""
    packer = zlib.compressobj(wbits=31)
    packed = packer.compress(FILE) + packer.flush(zlib.Z_FULL_FLUSH)
    reading = read(tmp_path / "a", packed)
    assert len(reading.rows) == 300
    assert [one[:3] for one in reading.rejects] == [
        (None, "truncated_file", "after record 300: the gzip data end early")
    ]


def test_damage_ends_the_file(tmp_path):
    """A block whose end is not where it says ends the file; what was read stays."""
    blocks = list(fastavro.block_reader(io.BytesIO(FILE)))
    third = blocks[2].offset + blocks[2].size
    reading = read(tmp_path / "a", FILE[: third - 3] + b"?" + FILE[third - 2 :])
    whole = blocks[0].num_records + blocks[1].num_records
    assert reading.column("a") == [(n + 1, str(n)) for n in range(whole)]
    assert [one[:3] for one in reading.rejects] == [
        (None, "unreadable_file", f"after record {whole}: expected sync marker not found")
    ]


@pytest.mark.fuzz
@pytest.mark.parametrize("codec", ["null", "deflate", "snappy"])
def test_any_damage_is_a_reject_and_never_an_exception(tmp_path, codec):
    """Bytes changed anywhere: the file is read as far as it can be."""
    records = ({"a": n, "b": {"k": [f"row {n}", None]}} for n in range(300))
    kind = {"type": "map", "values": {"type": "array", "items": ["null", "string"]}}
    good = avro({"a": "long", "b": kind}, *records, codec=codec, sync_interval=1000)
    chance = random.Random(2)
    for _ in range(300):
        data = bytearray(good)
        for _ in range(chance.randint(1, 3)):
            data[chance.randrange(4, len(data))] = chance.randrange(256)
        reading = read(tmp_path / "a", bytes(data))
        assert len(reading.rejects) <= 1
        assert [row[ROW] for row in reading.rows] == list(range(1, len(reading.rows) + 1))


def test_a_file_of_something_else_than_records(tmp_path):
    """Numbers alone have no columns; the file is one reject that says so."""
    data = io.BytesIO()
    fastavro.writer(data, "long", [1, 2])
    reading = read(tmp_path / "a", data.getvalue())
    assert [one[:3] for one in reading.rejects] == [
        (None, "unreadable_file", 'after record 0: it holds no records, found "long"')
    ]


def test_without_the_library(tmp_path, monkeypatch):
    """Avro is an extra; the message says how to get it."""
    path = tmp_path / "a.avro"
    path.write_bytes(FILE)
    monkeypatch.setitem(sys.modules, "fastavro", None)
    with pytest.raises(UsageError) as error:
        read_header(sources([str(path)]).sources[0])
    assert str(error.value) == (
        f"{path.as_posix()}: an Avro file, and the library to read it is not installed;"
        " pip install '.[avro]' in migrate's folder"
    )


def test_without_the_library_of_a_codec(tmp_path, monkeypatch):
    """A compression whose own library is missing is told before anything is planned, not as damage."""
    monkeypatch.setattr("migrate.readers.avro._File.open", _needs_lz4)
    with pytest.raises(UsageError, match=r"a: lz4 codec .* you need to install lz4; pip install"):
        read_header(source(tmp_path / "a", FILE))


def _needs_lz4(_file):
    """What fastavro says of a codec it could read with one more library."""
    raise ValueError("lz4 codec is supported but you need to install lz4")
