import datetime as dt
import json
import secrets
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from readings import read, source, table
from samples import examples

from migrate.kit.declare import REST, ROW
from migrate.readers.files import read_chunks
from migrate.readers.headers import read_header

NOON = dt.datetime(2024, 1, 2, 12, 0, 0, 123456)  # noqa: DTZ001 - naive is the case


def write(path, columns, **options):
    """A Parquet file."""
    pq.write_table(pa.table(columns), path, **options)
    return path


@pytest.mark.parametrize(
    ("array", "cells", "rest"),
    [
        pytest.param(pa.array(["x", "", None]), ["x", "", None], ["x", "", None], id="text"),
        pytest.param(pa.array([1, -5]), ["1", "-5"], [1, -5], id="integers"),
        pytest.param(pa.array([2**64 - 1], pa.uint64()), [str(2**64 - 1)], [2**64 - 1], id="uint64"),
        pytest.param(pa.array([0.1, 1.0, 1e22]), ["0.1", "1.0", "1e+22"], [0.1, 1, 1e22], id="floats"),
        pytest.param(pa.array([0.1], pa.float32()), ["0.1"], [0.1], id="float32"),
        pytest.param(pa.array([True, False]), ["true", "false"], [True, False], id="booleans"),
        pytest.param(pa.array([Decimal("1.50")]), ["1.50"], [1.5], id="decimal"),
        pytest.param(pa.array([Decimal("1.50")], pa.decimal256(60, 2)), ["1.50"], ["1.50"], id="decimal256"),
        pytest.param(
            pa.array([NOON]),
            ["2024-01-02T12:00:00.123456"],
            ["2024-01-02T12:00:00.123456"],
            id="naive timestamp",
        ),
        pytest.param(
            pa.array([NOON], pa.timestamp("us", "Europe/Berlin")),
            ["2024-01-02T12:00:00.123456Z"],
            ["2024-01-02T12:00:00.123456Z"],
            id="zoned timestamp",
        ),
        pytest.param(
            pa.array([1_999, -1], pa.timestamp("ns", "UTC")),
            ["1970-01-01T00:00:00.000001Z", "1969-12-31T23:59:59.999999Z"],
            ["1970-01-01T00:00:00.000001Z", "1969-12-31T23:59:59.999999Z"],
            id="nanoseconds",
        ),
        pytest.param(
            pa.array([1], pa.timestamp("ms", "+02:00")),
            ["1970-01-01T00:00:00.001000Z"],
            ["1970-01-01T00:00:00.001000Z"],
            id="offset",
        ),
        pytest.param(pa.array([dt.date(2024, 2, 29)]), ["2024-02-29"], ["2024-02-29"], id="date"),
        pytest.param(pa.array([0], pa.date64()), ["1970-01-01"], ["1970-01-01"], id="date64"),
        pytest.param(pa.array([dt.time(1, 2, 3, 4)]), ["01:02:03.000004"], ["01:02:03.000004"], id="time"),
        pytest.param(
            pa.array(["x", None, "x"]).dictionary_encode(),
            ["x", None, "x"],
            ["x", None, "x"],
            id="dictionary",
        ),
        pytest.param(pa.array([b"x", b"\xff\x01"]), ["x", "ff01"], ["x", "ff01"], id="binary"),
        pytest.param(pa.array([b"ab"], pa.binary(2)), ["ab"], ["ab"], id="fixed binary"),
        pytest.param(pa.nulls(2), [None, None], [None, None], id="nulls"),
        pytest.param(pa.array([[1, 2], [], None]), ["[1,2]", "[]", None], [[1, 2], [], None], id="list"),
        pytest.param(
            pa.array([[("k", 1), ("\n", None)], None], pa.map_(pa.string(), pa.int64())),
            ['{"k":1,"\\n":null}', None],
            [{"k": 1, "\n": None}, None],
            id="map",
        ),
        pytest.param(
            pa.array([{"x": '\x01\\"', "y": [{"z": None}]}, None]),
            ['{"x":"\\u0001\\\\\\"","y":[{"z":null}]}', None],
            [{"x": '\x01\\"', "y": [{"z": None}]}, None],
            id="struct",
        ),
        pytest.param(
            pa.array(
                [{"t": NOON, "d": dt.date(2024, 1, 2), "b": b"\xff", "n": Decimal("1.50"), "f": float("nan")}]
            ),
            ['{"t":"2024-01-02T12:00:00.123456","d":"2024-01-02","b":"ff","n":1.5,"f":null}'],
            [{"t": "2024-01-02T12:00:00.123456", "d": "2024-01-02", "b": "ff", "n": 1.5, "f": None}],
            id="struct of odd types",
        ),
        pytest.param(
            pa.array([[{"t": NOON}]]),
            ['[{"t":"2024-01-02T12:00:00.123456"}]'],
            [[{"t": "2024-01-02T12:00:00.123456"}]],
            id="list of structs of times",
        ),
        pytest.param(
            pa.array([[[("k", b"\xff")]]], pa.list_(pa.map_(pa.string(), pa.binary()))),
            ['[{"k":"ff"}]'],
            [[{"k": "ff"}]],
            id="maps of binary in a list",
        ),
    ],
)
def test_types_become_text(tmp_path, array, cells, rest):
    """Declared, a value is text; in the rest it keeps its JSON type; nulls stay out."""
    path = write(tmp_path / "a", {"a": array, "other": array})
    reading = read(path, None, table(["a"]))
    assert [row["a"] for row in reading.rows] == cells
    assert [row[ROW] for row in reading.rows] == list(range(1, len(cells) + 1))
    assert [json.loads(one or "{}") for one in reading.rests] == [
        {} if one is None else {"other": one} for one in rest
    ]
    assert reading.rejects == []


def test_int96_timestamps(tmp_path):
    """The timestamps of old Spark and Hive files are timestamps, of UTC."""
    path = write(tmp_path / "a", {"a": pa.array([NOON])}, use_deprecated_int96_timestamps=True)
    assert read(path).column("a") == [(1, "2024-01-02T12:00:00.123456Z")]


def test_numbers_that_are_none_become_null_and_are_counted(tmp_path):
    """NaN and infinity are no JSON."""
    floats = pa.array([float("nan"), float("inf"), 1.5, None])
    reading = read(write(tmp_path / "a", {"a": floats, "z": floats}))
    assert reading.column("a") == [(1, None), (2, None), (3, "1.5"), (4, None)]
    assert reading.rests == [None, None, '{"z":1.5}', None]
    assert reading.counts == {"non_finite_number": 4}


def test_declared_types_are_cast(tmp_path):
    """Whatever type the file has, the frame has the declared one."""
    path = write(tmp_path / "a", {"a": [1.0, 2.5], "b": ["true", "x"]})
    reading = read(path, None, table(types={"a": pl.Int64, "b": pl.Boolean}))
    assert [(row["a"], row["b"]) for row in reading.rows] == [(1, True), (None, None)]
    assert reading.counts == {"wrong_type.a": 1, "wrong_type.b": 1}


def test_columns_are_found_by_name_in_any_case(tmp_path):
    """Exact first, then another case; missing ones are null; the dropped are not read."""
    path = write(tmp_path / "a", {"GONE": [1], "B": [2], "A": [3], "a": [4], "x.y": [5]})
    reading = read(path, None, table(["a", "b", "c"], dropped=["gone"]))
    assert reading.rows == [{ROW: 1, "a": "4", "b": "2", "c": None, REST: '{"A":3,"x.y":5}'}]


def test_no_column_declared_keeps_the_rows(tmp_path):
    """A file with none of the columns has its rows all the same."""
    path = write(tmp_path / "a", {"gone": [1, 2]})
    reading = read(path, None, table(["a"], dropped=["gone"]))
    assert reading.rows == [{ROW: 1, "a": None, REST: None}, {ROW: 2, "a": None, REST: None}]


def test_objects_are_checked(tmp_path):
    """Structs and maps are objects; text must hold one."""
    structs = pa.array([{"x": 1}, None, {"x": 2}])
    reading = read(
        write(tmp_path / "a", {"a": structs, "b": ['{"y":1}', "", "no"]}), None, table(objects=["a", "b"])
    )
    assert [(row["a"], row["b"]) for row in reading.rows] == [('{"x":1}', '{"y":1}'), (None, None)]
    assert [one[:3] for one in reading.rejects] == [(3, "bad_json", "b: no")]


def test_name_says_zst_and_it_is_parquet(tmp_path):
    """PostHog writes `.parquet.zst` for Parquet compressed inside; one compressed outside is read too."""
    path = write(tmp_path / "a.parquet.zst", {"a": [1]}, compression="zstd")
    assert read(path).column("a") == [(1, "1")]
    outside = tmp_path / "b.parquet"
    assert read(outside, zstandard.compress(path.read_bytes())).column("a") == [(1, "1")]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: data[:100], id="cut"),
        pytest.param(lambda _: b"PAR1" + b"x" * 100 + b"PAR1", id="foreign"),
        pytest.param(lambda data: data[:4] + b"\xff" * 300 + data[304:], id="pages damaged"),
    ],
)
def test_parquet_that_cannot_be_read(tmp_path, damage):
    """The file is one reject that says why."""
    path = write(tmp_path / "a", {"a": [str(number) for number in range(1000)]}, compression="zstd")
    reading = read(path, damage(path.read_bytes()))
    assert reading.rows == []
    assert reading.reasons == [(None, "unreadable_file")]
    assert reading.rejects[0].value


def test_chunks_are_cut_by_rows(tmp_path):
    """Rows are numbered through all row groups, and no chunk is larger than its size allows."""
    path = write(tmp_path / "a", {"a": list(range(200_000))}, row_group_size=30_000)
    found = source(path)
    frames = [chunk.rows for chunk in read_chunks(found, table(["a"]), read_header(found))]
    assert max(frame.height for frame in frames) <= 65_536
    rows = pl.concat(frames)
    assert rows[ROW].to_list() == list(range(1, 200_001))
    assert rows["a"].to_list() == [str(number) for number in range(200_000)]


def few(count, size=20_000):
    """Five texts of a size over and over: dictionary pages of thousands of times what is stored."""
    texts = pa.array([str(number) * size for number in range(5)])
    return pa.DictionaryArray.from_arrays(pa.array([place % 5 for place in range(count)], pa.int32()), texts)


@pytest.mark.parametrize(
    ("column", "options"),
    [
        pytest.param(few(3000), {"store_schema": False}, id="text"),
        pytest.param(few(3000), {}, id="dictionary"),
        pytest.param(
            pa.ListArray.from_arrays(range(0, 3001, 3), few(3000)), {"store_schema": False}, id="list"
        ),
        pytest.param(pa.ListArray.from_arrays(range(0, 3001, 3), few(3000)), {}, id="list of dictionaries"),
        pytest.param(pa.StructArray.from_arrays([few(3000)], ["t"]), {"store_schema": False}, id="struct"),
        pytest.param(["x"] * 2000 + few(1000).to_pylist(), {}, id="only later"),
        pytest.param(few(3000).cast(pa.string()), {"use_dictionary": False}, id="plain"),
    ],
)
def test_chunks_are_cut_by_what_rows_decode_to(tmp_path, column, options):
    """However little is stored, a chunk holds some megabytes; where it ends changes no row."""
    path = write(tmp_path / "a", {"a": column, "z": column}, compression="zstd", **options)
    assert path.stat().st_size < 100_000
    found = source(path)
    frames = [chunk.rows for chunk in read_chunks(found, table(["a"]), read_header(found))]
    assert max(int(frame.estimated_size()) for frame in frames) < 10_000_000
    assert len(frames) < 80
    rows = pl.concat(frames)
    values = column if isinstance(column, list) else column.to_pylist()
    assert rows[ROW].to_list() == list(range(1, len(values) + 1))
    assert [json.loads(text)["z"] for text in rows[REST]] == values
    plain = [
        text if isinstance(value, str) else json.loads(text)
        for text, value in zip(rows["a"], values, strict=True)
    ]
    assert plain == values


def test_one_row_may_be_larger_than_a_chunk(tmp_path):
    """Rows of more than a chunk should hold come one by one."""
    found = source(write(tmp_path / "a", {"a": few(20, 5_000_000)}, compression="zstd"))
    assert [chunk.rows.height for chunk in read_chunks(found, table(["a"]), read_header(found))] == [1] * 20


def test_rows_before_damage_are_read(tmp_path):
    """Where the pages of a later row group are damaged, what was decoded before is delivered."""
    numbers = [str(number) for number in range(300)]
    path = write(tmp_path / "a", {"a": numbers}, row_group_size=100, compression="zstd", use_dictionary=False)
    start = pq.read_metadata(path).row_group(2).column(0).data_page_offset
    data = path.read_bytes()
    reading = read(path, data[:start] + b"\xff" * 50 + data[start + 50 :])
    assert reading.column("a") == [(int(number) + 1, number) for number in numbers[: len(reading.rows)]]
    assert reading.reasons == [(None, "unreadable_file")]
    assert len(reading.rows) >= 72


def test_compressed_parquet_that_ends_early(tmp_path):
    """A Parquet file whose outer compression is cut is one reject."""
    path = write(tmp_path / "a", {"a": [secrets.token_hex(1000) for _ in range(1000)]}, compression="none")
    reading = read(path, zstandard.compress(path.read_bytes())[:-1000])
    assert [one[:3] for one in reading.rejects] == [(None, "unreadable_file", "the zstd data end early")]


def test_odd_names(tmp_path):
    """Names that mean something to polars are only names."""
    path = write(tmp_path / "a", {"*": [1], "^x$": [2], "_row": [3], "c0": [4]})
    reading = read(path, None, table(["*"]))
    assert reading.rows == [{ROW: 1, "*": "1", REST: '{"^x$":2,"_row":3,"c0":4}'}]


def test_text_that_is_no_utf8_is_mended(tmp_path):
    """Some writers put any bytes into text columns; a bad cell costs a character and is counted."""
    raw = pa.array([b"x", b"\x98y", None], pa.binary())
    text = pa.Array.from_buffers(pa.string(), 3, raw.buffers())
    reading = read(write(tmp_path / "a", {"a": text, "z": text}, store_schema=False))
    assert reading.column("a") == [(1, "x"), (2, "\ufffdy"), (3, None)]
    assert reading.rests == ['{"z":"x"}', '{"z":"\ufffdy"}', None]
    assert reading.counts == {"invalid_utf8": 2}


def test_text_inside_of_others_that_is_no_utf8_is_mended(tmp_path):
    """As it is at the top; and batches with it are put together with batches without."""
    count = 5_000
    raw = pa.array([b"x"] * (count - 1) + [b"\x98y"], pa.binary())
    text = pa.Array.from_buffers(pa.string(), count, raw.buffers())
    each = pa.array(range(count + 1), pa.int32())
    columns = {
        "a": pa.StructArray.from_arrays([text], ["s"]),
        "list": pa.ListArray.from_arrays(each, text),
        "map": pa.MapArray.from_arrays(each, text, text),
        "text": text,
    }
    reading = read(write(tmp_path / "a", columns, store_schema=False))
    assert reading.column("a")[-2:] == [(count - 1, '{"s":"x"}'), (count, '{"s":"\ufffdy"}')]
    assert [json.loads(rest) for rest in reading.rests[-2:]] == [
        {"list": [one], "map": {one: one}, "text": one} for one in ("x", "\ufffdy")
    ]
    assert (reading.counts, reading.rejects) == ({"invalid_utf8": 5}, [])


@pytest.mark.parametrize(
    ("stored", "dtype"),
    [
        pytest.param([0, 10**17, None], pa.timestamp("ms", "UTC"), id="zoned"),
        pytest.param([0, -(10**18), None], pa.timestamp("us"), id="naive"),
        pytest.param([0, 2**31 - 1, None], pa.date32(), id="date"),
    ],
)
def test_a_time_no_calendar_has_costs_one_cell(tmp_path, stored, dtype):
    """Also where it is nested or undeclared; it is left out and counted."""
    times = pa.array(stored, dtype)
    table_ = pa.table({"a": times, "rest": times, "inside": pa.StructArray.from_arrays([times], ["t"])})
    pq.write_table(table_, tmp_path / "a.parquet")
    reading = read(tmp_path / "a.parquet")
    assert [value is None for _, value in reading.column("a")] == [False, True, True]
    assert ["rest" in json.loads(rest or "{}") for rest in reading.rests] == [True, False, False]
    assert reading.counts["impossible_time"] == 3


MICROSECONDS = st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999)
NANOSECONDS = st.integers(-9_223_372_036_854_775_000, 9_223_372_036_854_775_000)


@st.composite
def typed(draw, depth=0):
    """A type of Arrow's, what values of it are made of, and how each is to arrive."""
    kinds = ["us", "utc", "ns", "ms", "date", "time", "text", "whole"]
    kind = draw(st.sampled_from(kinds + ["list", "struct", "map"] * (depth < 3)))
    if kind == "list":
        inner, values, written = draw(typed(depth + 1))
        made = st.lists(st.none() | values, max_size=2)
        return pa.list_(inner), made, lambda some: [None if one is None else written(one) for one in some]
    if kind == "struct":
        inner, values, written = draw(typed(depth + 1))
        found = pa.struct([("t", inner), ("n", pa.int64())])
        made = st.fixed_dictionaries({"t": st.none() | values, "n": st.integers(0, 9)})
        return found, made, lambda one: {"t": None if one["t"] is None else written(one["t"]), "n": one["n"]}
    if kind == "map":
        inner, values, written = draw(typed(depth + 1))
        numbered = draw(st.booleans())
        keys = st.integers(0, 9) if numbered else st.sampled_from(["a", "b"])
        made = st.dictionaries(keys, st.none() | values, max_size=2).map(lambda one: list(one.items()))
        found = pa.map_(pa.int64() if numbered else pa.string(), inner)
        return found, made, lambda some: {str(k): None if v is None else written(v) for k, v in some}
    return draw(st.just(LEAVES[kind]))


def moment(microseconds, zone):
    """A time as it is to arrive."""
    told = dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=microseconds)  # noqa: DTZ001 - the zone is said apart
    return f"{told.isoformat(timespec='microseconds')}{zone}"


LEAVES = {
    "us": (pa.timestamp("us"), MICROSECONDS, lambda one: moment(one, "")),
    "utc": (pa.timestamp("us", "UTC"), MICROSECONDS, lambda one: moment(one, "Z")),
    "ns": (pa.timestamp("ns"), NANOSECONDS, lambda one: moment(one // 1_000, "")),
    "ms": (
        pa.timestamp("ms", "Europe/Berlin"),
        st.integers(-62_135_596_800_000, 253_402_300_799_999),
        lambda one: moment(one * 1_000, "Z"),
    ),
    "date": (
        pa.date32(),
        st.integers(-719_162, 2_932_896),
        lambda one: moment(one * 86_400_000_000, "")[:10],
    ),
    "time": (pa.time64("us"), st.integers(0, 86_399_999_999), lambda one: moment(one, "")[11:]),
    "text": (pa.string(), st.text(st.sampled_from('aé"\\ 0'), max_size=3), lambda one: one),
    "whole": (pa.int64(), st.integers(-(2**53), 2**53), lambda one: one),
}


@settings(max_examples=examples(150))
@given(typed().flatmap(lambda kind: st.tuples(st.just(kind), st.lists(kind[1], min_size=1, max_size=3))))
def test_what_arrow_reads_at_microseconds_is_what_arrives(case):
    """Times, dates and numbers, at any depth of lists, structs and maps."""
    (dtype, _, written), values = case
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.parquet"
        pq.write_table(pa.table({"a": pa.array([1] * len(values)), "z": pa.array(values, dtype)}), path)
        reading = read(path)
    expected = [{"z": written(value)} for value in values]
    assert [json.loads(rest) for rest in reading.rests] == expected


@settings(max_examples=examples(80))
@given(st.lists(MICROSECONDS, min_size=1, max_size=3), st.sampled_from(["plain", "list", "struct", "map"]))
def test_int96_over_its_whole_range(values, around):
    """Spark and Hive write times in it, in UTC; read as nanoseconds, 9999 would be 1816."""
    times = pa.array(values, pa.timestamp("us"))
    whole = {
        "plain": lambda: times,
        "list": lambda: pa.array([[one] for one in times.to_pylist()], pa.list_(times.type)),
        "struct": lambda: pa.StructArray.from_arrays([times], ["t"]),
        "map": lambda: pa.array(
            [[("k", one)] for one in times.to_pylist()], pa.map_(pa.string(), times.type)
        ),
    }[around]()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.parquet"
        pq.write_table(pa.table({"a": times, "z": whole}), path, use_deprecated_int96_timestamps=True)
        reading = read(path)
    texts = [moment(one, "Z") for one in values]
    shown = {
        "plain": lambda t: t,
        "list": lambda t: [t],
        "struct": lambda t: {"t": t},
        "map": lambda t: {"k": t},
    }
    assert [cell for _, cell in reading.column("a")] == texts
    assert [json.loads(rest)["z"] for rest in reading.rests] == [shown[around](text) for text in texts]


def test_digits_below_microseconds_are_cut_and_counted(tmp_path):
    """However deep they stand."""
    times = pa.array([1_000_001, 1_999, 5_000, None], pa.timestamp("ns"))
    lists = pa.array([[1_001, 2_000], [], None, [None, 7]], pa.list_(pa.timestamp("ns")))
    pq.write_table(pa.table({"a": times, "z": lists}), tmp_path / "a.parquet")
    reading = read(tmp_path / "a.parquet")
    assert reading.counts == {"time_cut": 4}
    assert reading.column("a")[:2] == [(1, "1970-01-01T00:00:00.001000"), (2, "1970-01-01T00:00:00.000001")]
