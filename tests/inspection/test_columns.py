"""Rows → what their columns are."""

from migrate.inspection.columns import chosen, columns_of
from migrate.inspection.values import Value


def rows(*cells):
    """Rows of text cells."""
    return [{name: Value("text", text) for name, text in row.items()} for row in cells]


def by_name(columns):
    """Columns by their names."""
    return {column.name: column for column in columns}


def test_columns_of_rows():
    """Those of the header first, then what rows have beside them."""
    found = by_name(
        columns_of(
            ["uid", "ts", "gone"],
            rows(
                {"uid": "NULL", "ts": "2024-03-01T10:00:00Z", "new": "1.0"},
                {"uid": "u1", "ts": "2024-03-02T10:00:00Z"},
                {"uid": "u1", "ts": "soon"},
            ),
        )
    )
    assert [*found] == ["uid", "ts", "gone", "new"]
    uid = found["uid"]
    assert (uid.filled, uid.distinct, uid.words, uid.example) == (2 / 3, 1, 1, "u1")
    assert (found["ts"].type, found["ts"].odd, found["ts"].clock.unreadable) == ("time", 1, 1)
    assert (found["gone"].type, found["gone"].example) == ("nothing", None)
    assert found["new"].float_like == 1


def test_large_ids_are_no_times():
    """A number as large as a Unix time is one unless it is called an id."""
    found = by_name(
        columns_of([], rows({"ts": "1709287200", "user_id": "1709287200", "phone": "1709287200"}))
    )
    assert [found[name].type for name in ("ts", "user_id", "phone")] == [
        "Unix seconds",
        "whole number",
        "whole number",
    ]


def test_estimates_are_made_where_not_all_rows_were_seen():
    """What repeats will go on to; what is another each time is so in all rows."""
    some = rows(*({"id": str(n), "city": "ab"[n % 2]} for n in range(100)))
    found = by_name(columns_of([], some, 10_000))
    assert (found["id"].estimate, found["city"].estimate) == (10_000, 2)
    assert columns_of([], some)[0].estimate is None


def test_what_to_take_comes_first():
    """Of several columns that could be a part of an event."""
    some = rows(
        {"received_at": "2024-03-01T10:00:00Z", "event_time": "2024-03-01T10:00:00Z", "email": "a@b.c"}
    )
    found = chosen(columns_of([], some))
    assert [column.name for column in found["time"]] == ["event_time", "received_at"]
    assert [column.name for column in found["person"]] == ["email"]
    assert (found["event"], found["key"]) == ([], [])
