"""What goes wrong in a kind of files."""

import json

from migrate.findings import findings
from migrate.inspecting import inspect


def found(path):
    """What is found in one kind: sort, reason and how often."""
    (kind,) = inspect([str(path)]).kinds
    return {(one.sort, one.reason, one.count, one.at) for one in findings(kind)}


def test_of_a_table_of_anyone(tmp_path):
    """What cannot be read, and what is odd in the columns that matter."""
    path = tmp_path / "a.csv"
    lines = [
        "event_id,user_id,ts,event,note",
        "e1,1.0,2024-03-01T10:00:00Z,a,",
        "e1,2.0,2024-03-01T10:00:00Z,a,",
        "e2,NULL,2024-03-01T10:00:00Z,b,",
        "e3,3.0,soon,b,",
        "e4,4.0,2024-03-01T10:00:00Z,b,",
        "e5,5.0,2024-03-01T10:00:00Z,b,,,",
    ]
    path.write_text("\n".join(lines) + "\n")
    assert found(path) == {
        ("rejected", "ragged_row", 1, (f"{path}:6",)),
        ("column", "duplicate_key", 1, ("event_id",)),
        ("column", "null_text", 1, ("user_id",)),
        ("column", "no_person", 1, ("user_id",)),
        ("column", "float_like_id", 4, ("user_id",)),
        ("column", "mixed_types", 1, ("ts",)),
        ("column", "bad_timestamp", 1, ("ts",)),
        ("column", "empty", 1, ("note",)),
    }


def test_of_a_platform_s_file_as_the_dry_run_says_it(tmp_path):
    """By reason, with places; and what would be one event."""
    path = tmp_path / "a.jsonl"
    line = {"event": "e", "distinct_id": "u", "timestamp": "2024-04-03T12:00:00Z", "properties": {}}
    path.write_text(
        "".join(json.dumps(one) + "\n" for one in (line, line, line | {"timestamp": "soon"})) + "{"
    )
    assert found(path) == {
        ("rejected", "bad_timestamp", 1, (f"{path}:3",)),
        ("rejected", "malformed_json", 1, (f"{path}:4",)),
        ("warning", "duplicate_key", 1, ()),
    }


def test_a_table_of_one_column_is_perhaps_none(tmp_path):
    """As a log is read."""
    path = tmp_path / "a.log"
    path.write_text("up and running\nstill up\n")
    assert ("column", "one_column", 1, ("up and running",)) in found(path)
