"""Records are found however a file of JSON is laid out, and what is put around rows is taken off them."""

import json
import time
import tracemalloc
from collections import Counter
from datetime import UTC, datetime

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED, OBJECTS, same, value_of
from readings import read, source, table

from migrate.errors import UsageError
from migrate.inputs.listing import sources
from migrate.kit.declare import REST, ROW, Platform, Table, has
from migrate.plan.finished import finished
from migrate.plan.jobs import recognise
from migrate.readers.cutter import Broken, Cutter
from migrate.readers.files import read_chunks
from migrate.readers.headers import read_header
from migrate.settings import Settings

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("data", "numbers"),
    [
        pytest.param('{\n  "a": 1\n}\n{\n  "a": 2\n}\n', [1, 4], id="pretty"),
        pytest.param('{"a":1}{"a":2}', [1, 2], id="no break at all"),
        pytest.param('{"a":1} {"a":2}\n', [1, 2], id="on one line"),
        pytest.param('{"a":1}\r{"a":2}\r', [1, 2], id="carriage returns"),
        pytest.param('{"a":1}{"a":\n2}', [1, 2], id="one begins where the other ends"),
        pytest.param('{"a":\n1} {"a":2}', [1, 3], id="one ends where the other begins"),
        pytest.param('{\r\n"a":1}\r\n\r\n{"a":2}\r\n', [1, 4], id="crlf"),
        pytest.param('{"a":1,"c":[\n{\n"x":"}{"\n}\n]}\n{"a":2}', [1, 6], id="indented by nothing"),
        pytest.param('{"a":1,"c":{"n":NaN}}{"a":2}', [1, 2], id="beside a word of Python"),
        pytest.param('{"a":1,"c":"\\ud800"} {"a":2}', [1, 2], id="beside half an emoji"),
    ],
)
@pytest.mark.parametrize("block_bytes", [1, 2, 5, 1 << 20])
def test_layouts_make_no_difference(tmp_path, data, numbers, block_bytes):
    """A row's number is its line's, counted as if each further record of a line began a line of its own."""
    reading = read(tmp_path / "a", data.encode(), block_bytes=block_bytes)
    assert reading.column("a") == list(zip(numbers, ["1", "2"], strict=True))
    assert reading.rejects == []


LAYOUTS = st.tuples(
    st.sampled_from([None, 0, 1, 4, "\t"]), st.sampled_from(["\n", "", " ", "\r\n", "\n\n  "])
)


@COMPARED
@given(
    objects=st.lists(st.tuples(OBJECTS, LAYOUTS), min_size=1, max_size=6),
    array=st.booleans(),
    block_bytes=st.integers(1, 90),
)
@pytest.mark.law
def test_same_objects_are_the_same_rows(tmp_path, objects, array, block_bytes):
    """One a line, over many lines, several a line, without any break or in an array, in blocks of any size."""
    laid = [(json.dumps(one, indent=indent), after) for one, (indent, after) in objects]
    text = "".join(one + after for one, after in laid)
    if array:
        text = "[" + ",\n".join(one for one, _ in laid) + "]"
    given_table = table("ab", dropped=["gone"])
    reading = read(tmp_path / "a", text.encode("utf-8", "replace"), given_table, block_bytes=block_bytes)
    assert reading.rejects == []
    for row, (one, _) in zip(reading.rows, objects, strict=True):
        assert all(same(value_of(row[key], one.get(key)), one.get(key)) for key in "ab")
        rest = {key: one[key] for key in one if key not in {"a", "b", "gone"} and one[key] is not None}
        assert same(json.loads(row[REST] or "{}"), rest)
    numbers = [row[ROW] for row in reading.rows]
    assert numbers == ([*range(1, len(objects) + 1)] if array else places(laid))


def places(laid):
    """The number that each record should have."""
    numbers, line, fresh = [], 1, True
    for one, after in laid:
        line += not fresh
        numbers.append(line)
        line, fresh = line + one.count("\n") + after.count("\n"), "\n" in after
    return numbers


@pytest.mark.parametrize(
    ("data", "rows", "rejects"),
    [
        pytest.param(
            '{"a":1\n{"a":2}\n', [(2, "2")], [(1, '{"a":1')], id="object that does not end"
        ),
        pytest.param(
            '{"a":"x\n{"a":2}\n', [(2, "2")], [(1, '{"a":"x')], id="text that does not end"
        ),
        pytest.param(
            '{\n "a":"x\n y",\n "b":2\n}\n{"a":6}', [(6, "6")], [(1, '{\n "a":"x\n y",\n "b":2\n}')],
            id="line break in a text",
        ),
        pytest.param(
            '{"a":[{"b":1},\n{"a":2}\n{"a":3}', [(2, "2"), (3, "3")], [(1, '{"a":[{"b":1},')], id="list open"
        ),
        pytest.param(
            '{"a":1}{"a":"x}{"a":3}{"a":4}', [(1, "1"), (3, "3"), (4, "4")], [(2, '{"a":"x}')],
            id="quote lost on the only line",
        ),
        pytest.param(
            '{"a":1}{"a":2]}{"a":3}', [(1, "1"), (3, "3")], [(2, '{"a":2]}')], id="wrong bracket"
        ),
        pytest.param('{"a":1}{"a":01}{"a":3}', [(1, "1"), (3, "3")], [(2, '{"a":01}')], id="no number"),
        pytest.param('{"a":1},\n{"a":2}', [(2, "2")], [(1, '{"a":1},')], id="comma"),
        pytest.param('{"a":1} x\n x\n {"a":2}', [(3, "2")], [(1, '{"a":1} x'), (2, "x")], id="words"),
        pytest.param('{"a":1}\n{"a":', [(1, "1")], [(2, '{"a":')], id="cut"),
        pytest.param('{"a":1}\n{\n"a":[\n{"a":2},\n', [(1, "1")], [(2, '{\n"a":['), (4, '{"a":2},')], id="cut deep"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("block_bytes", [1, 3, 7, 1 << 20])
def test_broken_record_costs_itself_alone(tmp_path, data, rows, rejects, block_bytes):
    """It ends where the next can begin: at a line that begins with a brace, or at a brace after a brace."""
    reading = read(tmp_path / "a", data.encode(), block_bytes=block_bytes)
    assert reading.column("a") == rows
    found = [(one.row, one.reason, one.value) for one in reading.rejects]
    assert found == [(row, "malformed_json", value) for row, value in rejects]


SOUP = st.lists(
    st.sampled_from(
        [
            *(b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\n", b" ", b"\r", b"x", b"NaN", b"\xff"),
            *(
                b'{"a":1}',
                b'{"a":{"b":[]}}',
                b'"a":',
                b'{"a":"}{"}',
                b'{\n"a":[\n{}\n]}',
                b'\n{"a":1}\n',
                b"}{",
            ),
        ]
    ),
    max_size=40,
)


def cut(data, size, limit=1 << 20):
    """What a cutter finds in data that come in pieces of this size."""
    cutter = Cutter(limit)
    for start in range(0, len(data), size):
        cutter.take(data[start : start + size])
        cutter.cut()
    cutter.cut(final=True)
    return cutter.taken()


@COMPARED
@given(parts=SOUP, size=st.integers(1, 30), limit=st.integers(1, 60))
def test_records_do_not_depend_on_pieces(parts, size, limit):
    """However broken the text and however short records have to be."""
    data = b"".join(parts)
    assert cut(data, size, limit) == cut(data, len(data) + 1, limit)


@COMPARED
@given(parts=SOUP)
def test_nothing_vanishes(parts):
    """All text but blanks is in a record or in what is none, in its order; numbers rise."""
    data = b"".join(parts)
    found, numbers = cut(data, len(data) + 1)
    texts = [one.text if isinstance(one, Broken) else one for one in found]
    assert b"".join(b"".join(texts).split()) == b"".join(data.split())
    assert numbers == sorted(set(numbers))
    assert all(1 <= number <= 1 + data.count(b"\n") + len(found) for number in numbers)


@COMPARED
@given(parts=SOUP, block_bytes=st.integers(1, 60), record_bytes=st.integers(20, 80))
def test_rows_do_not_depend_on_blocks(tmp_path, parts, block_bytes, record_bytes):
    """Lines are read at once, or cut with care, and nobody can tell."""
    data = b'{"a":0}\n' + b"".join(parts)
    found = [
        read(tmp_path / "a", data, block_bytes=size, record_bytes=record_bytes)
        for size in (block_bytes, 1 << 20)
    ]
    assert found[0].rows == found[1].rows
    assert found[0].rejects == found[1].rejects
    assert found[0].counts == found[1].counts


@pytest.mark.law
@pytest.mark.parametrize("separator", [pytest.param(b"", id="one line"), pytest.param(b"\n", id="lines")])
@pytest.mark.parametrize("broken", [0, 7])
def test_memory_is_that_of_a_piece_and_a_record(separator, broken):
    """Of 16 MB on one line no more is held than what is at hand, whatever is broken in it."""
    good = b'{"a":1,"b":{"c":[1,2,{"d":"' + b"x" * 400 + b'"}]}}' + separator
    bad = b'{"a":"' + b"y" * 300 + b"}" + separator
    piece = good * 64 + bad * broken + good * 64
    cutter = Cutter(100_000)
    count = 0
    tracemalloc.start()
    for _ in range(256):
        cutter.take(piece)
        cutter.cut()
        count += sum(isinstance(one, bytes) for one in cutter.taken()[0])
    cutter.cut(final=True)
    count += sum(isinstance(one, bytes) for one in cutter.taken()[0])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 256 * 128
    assert peak < 8 * len(piece)


def test_record_without_an_end_is_let_go():
    """Of text that goes on for 16 MB only the start is kept, and what comes after it is read."""
    cutter = Cutter(100_000)
    tracemalloc.start()
    cutter.take(b'{"a":1}\n{"a":"')
    for _ in range(256):
        cutter.take(b"x" * 65_536)
        cutter.cut()
    cutter.take(b'"}\n{"a":3}')
    cutter.cut(final=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    found, numbers = cutter.taken()
    assert found == [b'{"a":1}', Broken("record_too_large", (b'{"a":"' + b"x" * 2_000)[:1024]), b'{"a":3}']
    assert numbers == [1, 2, 3]
    assert peak < 1_000_000


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(b'{"a":1,"b":{"c":[{"d":"},{"},{"e":2}]}}', id="sound"),
        pytest.param(b'{"a":NaN,"b":{"c":[{"d":"},{"},{"e":2}]}}', id="with a word of Python"),
        pytest.param(b'{"a":1,"b":"x', id="no end"),
        pytest.param(b'{"a":[', id="open"),
        pytest.param(b'{"a":1},', id="comma"),
    ],
)
@pytest.mark.parametrize("separator", [b"", b"\n", b"\n  "])
def test_cutting_takes_linear_time(record, separator):
    """Whatever the records are, none is gone through again and again."""
    data = separator.join([record] * 20_000)
    started = time.process_time()
    cut(data, 1 << 18)
    assert time.process_time() - started < 10


EVENT = {"event": "e", "distinct_id": "u", "timestamp": "2024-01-01T00:00:00Z"}


def planned(path, platform="posthog"):
    """What planning a file comes to: its events, the rejects by row, what was counted."""
    settings = Settings(platform=platform)
    work = settings.work([str(path)])
    events, rejects, repairs = [], [], Counter()
    for job in work.jobs:
        for chunk in read_chunks(job.source, job.table, job.header):
            made = finished(chunk, settings.transform(job), NOW)
            events += [json.loads(payload) for payload in made.frame["payload"]]
            rejects += [(line["row"], line["reason"]) for line in made.rejects]
            repairs.update(made.numbers.repairs)
    return events, rejects, repairs


def test_values_that_posthog_does_not_take(tmp_path):
    """A number that no double holds is null and counted like a word of Python; what is nested too deep is a reject."""
    bags = [
        '{"x":1e400,"y":[NaN,-1e999],"z":1}',
        '{"x":' + "[" * 101 + "]" * 101 + "}",
        '{"x":' + '{"a":' * 150 + "1" + "}" * 151,
        '{"x":' + "[" * 90 + "]" * 90 + "}",
    ]
    lines = [json.dumps(EVENT)[:-1] + f',"properties":{bag}}}' for bag in bags]
    (tmp_path / "a").write_text("\n".join(lines))
    events, rejects, repairs = planned(tmp_path / "a")
    assert rejects == [(2, "nested_too_deep"), (3, "nested_too_deep")]
    assert [event["properties"].get("z") for event in events] == [1, None]
    assert events[0]["properties"]["y"] == [None, None]
    assert events[0]["properties"].get("x") is None
    assert repairs == {"non_finite_number": 3}


@pytest.mark.parametrize(
    "layout",
    [
        pytest.param("\n".join, id="lines"),
        pytest.param("".join, id="firehose"),
        pytest.param(
            lambda texts: "\n".join(json.dumps(json.loads(one), indent=2) for one in texts), id="jq"
        ),
        pytest.param(lambda texts: f"[{','.join(texts)}]", id="array"),
        pytest.param(lambda texts: '{"next":null,"results":[' + ",".join(texts) + "]}", id="page"),
    ],
)
def test_same_events_from_any_layout(tmp_path, layout):
    """The bytes that are sent are the same, uuids that are derived included."""
    texts = [json.dumps(EVENT | {"event": name, "properties": {"n": 1, "m": [{"x": None}]}}) for name in "AB"]
    (tmp_path / "a").write_text("\n".join(texts))
    (tmp_path / "b").write_text(layout(texts))
    events, rejects, _ = planned(tmp_path / "b")
    assert (events, rejects) == (planned(tmp_path / "a")[0], [])
    assert [event["event"] for event in events] == ["A", "B"]


def test_results_of_posthogs_api_are_events(tmp_path):
    """`id` is the uuid; elements and person are left out by name."""
    result = EVENT | {"id": "0190a5d8-0000-7000-8000-000000000001", "properties": {"a": 1}}
    result |= {"elements": [{"text": "x"}], "person": {"is_identified": True}, "elements_chain": "a:text='x'"}
    (tmp_path / "a").write_text(json.dumps({"next": "https://x/?before=1", "results": [result]}, indent=1))
    [event], rejects, _ = planned(tmp_path / "a")
    assert rejects == []
    assert event["uuid"] == result["id"]
    own = {
        name: value
        for name, value in event["properties"].items()
        if name in {"a", "id", "elements", "person"}
    }
    assert own == {"a": 1}
    assert event["properties"]["$elements_chain"] == "a:text='x'"


def wrapped(path, data=None, columns="abc"):
    """The rows inside of a file, its rejects and its header."""
    found = source(path, data)
    head = read_header(found).within
    parts = list(read_chunks(found, table(columns), head, block_bytes=64))
    rows = [row for part in parts for row in part.rows.rows(named=True)]
    return rows, [one[:3] for part in parts for one in part.rejects], head


PAGES = [
    pytest.param(b'{"next":null,"results":[{"a":1},{"a":2,"b":"x"}]}', id="one"),
    pytest.param(b'{"next":"x","results":[{"a":1}]}\n{"results":[{"a":2,"b":"x"}],"next":null}', id="lines"),
    pytest.param(b'{"next":"x","results":[{"a":1}]}{"results":[{"a":2,"b":"x"}],"next":null}', id="firehose"),
    pytest.param(b'[{"next":"x","results":[{"a":1}]},{"results":[{"a":2,"b":"x"}],"next":null}]', id="array"),
    pytest.param(
        b'{"next":"x","results":[]}\n{"next":"x","results":[{"a":1},\n{"a":2,"b":"x"}]}', id="first empty"
    ),
]


@pytest.mark.parametrize("data", PAGES)
def test_pages_are_opened(tmp_path, data):
    """Results are rows, numbered through all pages."""
    rows, rejects, head = wrapped(tmp_path / "a", data)
    assert [(row[ROW], row["a"], row["b"], row[REST]) for row in rows] == [
        (1, "1", None, None),
        (2, "2", "x", None),
    ]
    assert rejects == []
    assert set(head.columns) == {"a", "b"}
    assert (head.wrapper, set(head.around)) == ("results", {"next", "results"})


def test_what_is_wrong_with_a_page_is_told(tmp_path):
    """Results that are no objects, pages that hold none or are broken, and what is no page are rejects or rows."""
    data = b'{"next":"x","results":[{"a":1},5,{"a":NaN}]}\n{"next":"x","results":7}\n{"next":\n{"detail":"slow"}\n'
    rows, rejects, _ = wrapped(tmp_path / "a", data)
    assert [(row[ROW], row["a"], row[REST]) for row in rows] == [
        (1, "1", None),
        (3, None, None),
        (6, None, '{"detail":"slow"}'),
    ]
    assert rejects == [
        (2, "malformed_json", "5"),
        (4, "bad_json", "results: 7"),
        (5, "malformed_json", '{"next":'),
    ]


WRAPPED = [
    ("1", '{"a":1,"b":"x"}', ("1", "x")),
    ("2", '{"a":\n2,"c":{"y":"\\u00e9"}}', ("2", None)),
    ("3", None, None),
    ("4", "oops", None),
    ("5", '{"a":', None),
    ("6", '{"b":null}', (None, None)),
]
"""Airbyte's id of a row, the row as text, and what of it is declared."""


def csv(path):
    """Write the wrapped rows as CSV."""
    cells = [(key, "" if text is None else '"' + text.replace('"', '""') + '"') for key, text, _ in WRAPPED]
    path.write_text("_AIRBYTE_RAW_ID,_AIRBYTE_DATA\n" + "".join(f"{key},{text}\n" for key, text in cells))


def parquet(path):
    """Write the wrapped rows as Parquet."""
    columns = {
        "_airbyte_raw_id": [key for key, *_ in WRAPPED],
        "_airbyte_data": [text for _, text, _ in WRAPPED],
    }
    pq.write_table(pa.table(columns), path)


def avro(path):
    """Write the wrapped rows as Avro."""
    fastavro = pytest.importorskip("fastavro")
    fields = [
        {"name": "_airbyte_raw_id", "type": "string"},
        {"name": "_airbyte_data", "type": ["null", "string"]},
    ]
    rows = [{"_airbyte_raw_id": key, "_airbyte_data": text} for key, text, _ in WRAPPED]
    with path.open("wb") as file:
        fastavro.writer(file, {"type": "record", "name": "r", "fields": fields}, rows)


def jsonl(path):
    """Write the wrapped rows as JSON lines, as texts."""
    rows = [{"_airbyte_raw_id": key, "_airbyte_data": text} for key, text, _ in WRAPPED]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def array(path):
    """Write the wrapped rows as an array, as objects where they are some."""
    rows = [
        f'{{"_airbyte_raw_id":"{key}","_airbyte_data":{text if inside else json.dumps(text)}}}'
        for key, text, inside in WRAPPED
    ]
    path.write_text(f"[{','.join(rows)}]")


@pytest.mark.parametrize("write", [csv, parquet, avro, jsonl, array])
def test_rows_of_airbyte_are_opened(tmp_path, write):
    """A row is what is inside, in any format; its number is that of the file's row; what is no object is told."""
    write(tmp_path / "a")
    rows, rejects, head = wrapped(tmp_path / "a")
    declared = [(int(key), *inside) for key, _, inside in WRAPPED if inside]
    assert [(row[ROW], row["a"], row["b"]) for row in rows] == declared
    assert json.loads(rows[1]["c"]) == {"y": "é"}
    assert [row[REST] for row in rows] == [None] * 3
    name = head.wrapper
    assert name.lower() == "_airbyte_data"
    assert rejects == [
        (3, "bad_json", f"{name}: null"),
        (4, "bad_json", f"{name}: " + ('"oops"' if write in {jsonl, array} else "oops")),
        (5, "malformed_json", '{"a":'),
    ]
    assert head.columns == ("a", "b", "c")


def test_nested_column_of_parquet_is_opened(tmp_path):
    """A row that Parquet holds as a struct is one too."""
    data = [{"a": 1, "b": "x"}, {"a": 2, "b": None}]
    pq.write_table(pa.table({"_airbyte_meta": ["m", "m"], "_airbyte_data": data}), tmp_path / "a")
    rows, rejects, _ = wrapped(tmp_path / "a")
    assert [(row[ROW], row["a"], row["b"]) for row in rows] == [(1, "1", "x"), (2, "2", None)]
    assert rejects == []


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b'{"_airbyte_data":{"a":1}}', id="alone"),
        pytest.param(b'{"results":[{"a":1}],"page":0}', id="page of another"),
        pytest.param(b"results,next\n1,2\n", id="columns"),
    ],
)
def test_what_is_no_wrapper_stays_closed(tmp_path, data):
    """A key of that name alone is a key like any other."""
    assert read_header(source(tmp_path / "a", data)).within is None


def jobs_of(path, *tables):
    """The jobs of a platform with these tables, and what is skipped."""
    skipped = {}
    found = recognise(
        sources([str(path)]).sources,
        Platform(title="P", tables=tables),
        read_header,
        skip_unknown=False,
        skipped=skipped,
    )
    jobs, unfit = found
    assert unfit == []
    return jobs, {reason: len(names) for reason, names in skipped.items()}


def of(*columns):
    """A table of files that have these columns."""
    return Table(
        name="-".join(columns),
        columns=dict.fromkeys(columns, pl.String),
        matches=has(*columns),
        to_events=lambda rows, _: rows,
    )


def test_tables_that_take_the_wrapper_come_first(tmp_path):
    """A file is opened only where no table wants it as it is; one that nobody wants is named by what is inside."""
    (tmp_path / "a.json").write_bytes(b'{"next":null,"results":[{"a":1}]}')
    [[job], _] = jobs_of(tmp_path, of("a"), of("results"))
    assert (job.table.name, job.header.wrapper, job.header.columns) == ("results", None, ("next", "results"))
    [[job], _] = jobs_of(tmp_path, of("x"), of("a"))
    assert (job.table.name, job.header.wrapper, job.header.columns) == ("a", "results", ("a",))
    with pytest.raises(UsageError, match=r"no table of P \(x\) has these columns, found a;"):
        jobs_of(tmp_path, of("x"))


def test_table_that_lacks_a_column_does_not_take_the_wrapper(tmp_path):
    """A table of any file, described by a spec, is of what is inside where the spec's columns are there."""
    csv(tmp_path / "a.csv")
    spec = Table(
        name="any",
        columns={"a": pl.String},
        matches=lambda _: True,
        to_events=lambda rows, _: rows,
        missing=lambda columns: None if "a" in columns else "no column a",
    )
    [[job], _] = jobs_of(tmp_path, spec)
    assert (job.header.wrapper, job.header.columns) == ("_AIRBYTE_DATA", ("a", "b", "c"))


def test_wrapper_without_rows_in_it(tmp_path):
    """A raw table of no rows is of the first table, and so is one of which no row is an object: it is told."""
    (tmp_path / "a.csv").write_text("_airbyte_raw_id,_airbyte_data\n")
    (tmp_path / "b.csv").write_text("_airbyte_raw_id,_airbyte_data\n1,5\n")
    jobs, skipped = jobs_of(tmp_path, of("x"), of("y"))
    assert ([job.table.name for job in jobs], skipped) == (["x", "x"], {})
    told = [
        reject
        for job in jobs
        for chunk in read_chunks(job.source, job.table, job.header)
        for reject in chunk.rejects
    ]
    assert [one[:3] for one in told] == [(1, "bad_json", "_airbyte_data: 5")]


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        pytest.param(b"{\n", "1 line", id="brace"),
        pytest.param(b'{"a":1\nx\n\ny', "4 lines", id="broken"),
        pytest.param(b"[1, null, [{}]]", "1 line", id="array of other values"),
        pytest.param(b"[\n1,\n2\n]\n", "4 lines", id="array over lines"),
        pytest.param(b'{"a":1},\n' * 1500, "1,500 lines", id="many"),
        pytest.param("\ufeff{'a':1}".encode("utf-16-le"), "1 line", id="utf-16"),
    ],
)
@pytest.mark.parametrize("block_bytes", [7, 1 << 20])
def test_file_without_a_record_is_one_reject(tmp_path, data, lines, block_bytes):
    """The reject is of the file as a whole, and says how much there was."""
    reading = read(tmp_path / "a", data, block_bytes=block_bytes)
    assert reading.rows == []
    assert [one[:3] for one in reading.rejects] == [(None, "no_record", lines)]


def test_record_that_comes_late_is_one(tmp_path):
    """What stands before the first record is told line by line, as anywhere."""
    reading = read(tmp_path / "a", b"{\n" + b"x\n" * 600_000 + b'{"a":1}\n')
    assert reading.header.columns == ("a",)
    assert reading.column("a") == [(600_002, "1")]
    assert len(reading.rejects) == 1


def test_empty_object_is_a_record(tmp_path):
    """It has no keys, and is a row all the same."""
    reading = read(tmp_path / "a", b"{}\nx\n")
    assert [row[ROW] for row in reading.rows] == [1]
    assert reading.reasons == [(2, "malformed_json")]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b" \n\n", id="blank"),
        pytest.param(b"[]", id="array"),
        pytest.param(b"[ ]\n[]\n", id="arrays"),
        pytest.param(b'{"next":null,"results":[]}', id="page"),
        pytest.param(b'[{"next":1,"results":[]},{"next":null,"results":[ ]}]', id="pages"),
    ],
)
def test_files_that_say_that_there_is_nothing(tmp_path, data):
    """They are skipped as empty, and are no rejects."""
    (tmp_path / "a.json").write_bytes(data)
    (tmp_path / "b.json").write_bytes(b'{"a":1}')
    jobs, skipped = jobs_of(tmp_path, of("a"))
    assert [job.source.stem for job in jobs] == ["b"]
    assert skipped == {"empty": 1}


@pytest.mark.parametrize(
    ("data", "rejects"),
    [
        pytest.param(b"[1", [(1, "truncated_file")], id="array"),
        pytest.param(b"[{", [(1, "truncated_file")], id="element"),
    ],
)
def test_cut_file_keeps_its_reason(tmp_path, data, rejects):
    """A file that ends early says so, whether or not a record was in it."""
    assert read(tmp_path / "a", data).reasons == rejects
