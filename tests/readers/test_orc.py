"""ORC: what a stripe holds is what arrives, as from Parquet."""

import datetime as dt
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from frames import made_of
from pyarrow import orc
from readings import read, table

NOON = dt.datetime(2024, 1, 2, 12, 0, 0, 123456)  # noqa: DTZ001 - naive is the case


def columns(rows=3):
    """Columns of every kind."""
    return pa.table(
        {
            "a": [f"row {number}" for number in range(rows)],
            "user": pa.array([123.0, None, 5.0][:rows] + [1.0] * (rows - 3)),
            "at": pa.array([NOON, None, NOON][:rows] + [NOON] * (rows - 3), pa.timestamp("us")),
            "utc": pa.array([NOON] * rows, pa.timestamp("us", "UTC")),
            "day": pa.array([dt.date(2024, 1, 1)] * rows),
            "list": pa.array([[1, None]] * rows, pa.list_(pa.int64())),
            "map": pa.array([[("k", NOON)]] * rows, pa.map_(pa.string(), pa.timestamp("us"))),
            "inner": pa.array([{"q": 1.5}] * rows),
        }
    )


@pytest.mark.parametrize("rows", [3, 40_000])
def test_it_is_read_as_parquet_is(tmp_path, rows):
    """Whatever the stripes."""
    orc.write_table(columns(rows), tmp_path / "a.orc", stripe_size=1 << 16)
    pq.write_table(columns(rows), tmp_path / "a.parquet")
    given = table(["a", "at"])
    stored, other = (read(tmp_path / f"a.{form}", None, given) for form in ("orc", "parquet"))
    assert stored.rows == other.rows
    assert stored.rejects == []


def test_a_time_that_arrow_cannot_hold_costs_its_column(tmp_path):
    """It is counted, and never another date."""
    far = pa.array([dt.datetime(9999, 12, 31), NOON], pa.timestamp("us"))  # noqa: DTZ001 - naive is the case
    orc.write_table(pa.table({"a": ["x", "y"], "to": far}), tmp_path / "a.orc")
    reading = read(tmp_path / "a.orc")
    assert [(row["a"], json.loads(row["_rest"] or "{}")) for row in reading.rows] == [("x", {}), ("y", {})]
    assert reading.counts == {"unreadable_column.to": 2}


def test_text_that_is_no_utf8_is_mended_at_any_depth(tmp_path):
    """As of Parquet."""
    raw = pa.array([b"\x98y", b"x"], pa.binary())
    text = pa.Array.from_buffers(pa.string(), 2, raw.buffers())
    inner = pa.StructArray.from_arrays([text], ["s"])
    orc.write_table(
        pa.table({"a": inner, "list": pa.ListArray.from_arrays([0, 1, 2], text)}), tmp_path / "a.orc"
    )
    reading = read(tmp_path / "a.orc")
    assert [row["a"] for row in reading.rows] == ['{"s":"\ufffdy"}', '{"s":"x"}']
    assert (reading.rests, reading.counts) == (
        ['{"list":["\ufffdy"]}', '{"list":["x"]}'],
        {"invalid_utf8": 2},
    )


def test_a_damaged_file_is_one_reject(tmp_path):
    """By name, and no exception."""
    orc.write_table(columns(), tmp_path / "a.orc")
    whole = (tmp_path / "a.orc").read_bytes()
    for data in (whole[: len(whole) // 2], b"ORC and nothing"):
        assert read(tmp_path / "b.orc", data).reasons == [(None, "unreadable_file")]


def test_a_platform_reads_it(tmp_path):
    """Ids that are floats are spelled as whole numbers here, too."""
    rows = pa.table(
        {"event_type": ["A"] * 2, "user_id": [7.0, None], "device_id": ["d"] * 2, "event_time": [NOON] * 2}
    )
    orc.write_table(rows, tmp_path / "events.orc")
    assert [
        json.loads(text)["distinct_id"] for text in made_of("amplitude", tmp_path / "events.orc").payloads
    ] == ["7", "d"]
