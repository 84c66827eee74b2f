"""What was inspected, as one JSON object."""

import json

from commands import rows

from migrate.inspecting import inspect
from migrate.report.kinds import document


def test_all_that_was_found(tmp_path):
    """Each kind with its platform, format, columns, times, rows, problems."""
    path = rows(tmp_path / "a.jsonl", 4)
    with path.open("a") as file:
        file.write('{"event": "e", "distinct_id": "u", "timestamp": "soon", "properties": {}}\n')
    found = json.loads(json.dumps(document(inspect([str(path)]), [], 0)))
    (kind,) = found["kinds"]
    assert (kind["platform"], kind["table"], kind["format"]) == ("posthog", "events", "jsonl")
    assert kind["files"] == [str(path)]
    assert kind["looked_at"] == {"files": [str(path)], "rows": 5, "whole": True, "of_about": 5}
    assert kind["rows"] == {"read": 5, "mapped": 4, "filtered": {}, "rejected": {"bad_timestamp": 1}}
    assert kind["times"]["first"] == "2024-04-03T12:00:00Z"
    assert (kind["times"]["zone"], kind["times"]["needs_source_timezone"]) == ("in the text", False)
    (problem,) = kind["problems"]
    assert problem == {
        "sort": "rejected",
        "reason": "bad_timestamp",
        "count": 1,
        "why": "",
        "at": [f"{path}:5"],
    }
    columns = {column["name"]: column for column in kind["columns"]}
    person = columns["distinct_id"]
    assert (person["filled"], person["distinct"], person["example"]) == (1.0, 5, "u…")
    assert [role["what"] for role in person["could_be"]] == ["person"]
    assert kind["could_be"]["time"] == ["timestamp"]
    assert found["run"] == {"exit_code": 0, "error": None}


def test_secrets_are_masked(tmp_path):
    """Also in the name of a column, and in what it holds."""
    key = "phc_0123456789abcdefghijWXYZ"
    path = tmp_path / "a.csv"
    path.write_text(f"{key},note\n1,{key}\n2,x\n")
    text = json.dumps(document(inspect([str(path)]), [], 0))
    assert key not in text
    assert "phc_***" in text
