"""A rejected row stands in rejects.jsonl as its file had it, so that it can be mended and planned again."""

import json
from datetime import date

import polars as pl
from readings import read, table

from migrate.jsontext.parse import encoded
from migrate.kit.declare import ROW
from migrate.payload.special import REJECTS
from migrate.plan.lines import as_read, python_rows, rejected_rows, unread
from migrate.readers.records import Reject


def test_a_row_is_given_back_as_its_file_had_it(tmp_path):
    """Declared columns and all others; what is null is not there."""
    lines = [{"a": "1", "x": {"deep": [1, None]}}, {"a": None, "b": "2", "y": 1.50}]
    data = "".join(json.dumps(line) + "\n" for line in lines).encode()
    rows = read(tmp_path / "in.jsonl", data).rows
    found = [json.loads(encoded(as_read(row, table()))) for row in rows]
    assert found == [{"a": "1", "x": {"deep": [1, None]}}, {"b": "2", "y": 1.50}]


def test_rejects_stand_in_the_order_of_their_rows():
    """Each with why and what was found, cut to 500 characters."""
    rows = pl.DataFrame({ROW: [1, 2, 3], "a": ["x", "y", "z"]})
    rejects = pl.DataFrame([(3, "bad", "v" * 600), (1, "worse", None)], REJECTS, orient="row")
    assert list(rejected_rows(rejects, rows, table())) == [
        {"row": 1, "reason": "worse", "value": None, "source": {"a": "x"}},
        {"row": 3, "reason": "bad", "value": "v" * 500, "source": {"a": "z"}},
    ]


def test_a_day_in_no_year_of_python_is_told_as_text():
    """A warehouse's "valid for ever", an hour west of Greenwich, is in the year 10000."""
    times = pl.Series([253_402_318_799_000_000, 0, None], dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))
    days = pl.Series([1, None, -1_000_000], dtype=pl.Int32).cast(pl.Date)
    rows = list(python_rows(pl.DataFrame({"far": times, "day": days, "near": days.clip(lower_bound=0)})))
    assert [row["far"] for row in rows] == [
        "+10000-01-01 04:59:59.000000+00:00",
        "1970-01-01 00:00:00.000000+00:00",
        None,
    ]
    assert [row["day"] for row in rows] == ["1970-01-02", None, "-0768-02-04"]
    assert [row["near"] for row in rows] == [date(1970, 1, 2), None, date(1970, 1, 1)]


def test_what_could_not_be_read_says_where_it_is_wrong_if_that_is_known():
    """`why` is there or is not; it is never null."""
    found = list(unread([Reject(4, "bad_json", "{"), Reject(None, "unreadable_file", "f", "at its end")]))
    assert found == [
        {"row": 4, "reason": "bad_json", "value": "{"},
        {"row": None, "reason": "unreadable_file", "value": "f", "why": "at its end"},
    ]
