"""The Simple Analytics mapping, behaviour by behaviour."""

import json

import pytest
from commands import migrate

from mappings._simpleanalytics_columns import metadata
from mappings.simpleanalytics import MAPPING


def previewed(path):
    """The events of a file."""
    done = migrate("preview", "simpleanalytics", path, "--limit", "1000")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


ROW = {
    "added_iso": "2024-04-03T10:00:00.000Z",
    "datapoint": "pageview",
    "hostname": "a.de",
    "path": "/",
    "uuid": "u",
}


def test_a_uuid_is_an_event_only_with_its_name_time_and_page(tmp_path):
    """The vendor says that it is not always unique; the same moment in another zone is the same."""
    path = tmp_path / "a.jsonl"
    changes = (
        {},
        {"added_iso": "2024-04-03T12:00:00+02:00"},
        {"path": "/b"},
        {"datapoint": "x"},
        {"uuid": "v"},
    )
    path.write_text("".join(f"{json.dumps(ROW | change)}\n" for change in changes))
    uuids = [event["uuid"] for event in previewed(path)]
    assert len(set(uuids)) == 4
    assert uuids[0] == uuids[1]


def test_an_event_is_the_same_in_csv_json_and_lines(tmp_path):
    """Its number, session and metadata; whatever holds the rows."""
    row = ROW | {
        "session_id": "s",
        "metadata.seats_int": 3,
        "metadata.plan_text": "7",
        "metadata.on_bool": True,
    }
    (tmp_path / "a.csv").write_text(f"{','.join(row)}\n{','.join(map(str, row.values()))}\n")
    (tmp_path / "a.json").write_text(json.dumps({"datapoints": [row], "meta": {"amount": 1}}, indent=2))
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    one, *others = (previewed(tmp_path / name)[0] for name in ("a.csv", "a.json", "a.jsonl"))
    job = {"$import_job_id": ""}
    assert [other | {"properties": other["properties"] | job} for other in others] == [
        one | {"properties": one["properties"] | job}
    ] * 2
    assert {name: one["properties"][name] for name in ("seats", "plan", "on")} == {
        "seats": 3,
        "plan": "7",
        "on": True,
    }
    assert one["properties"]["$process_person_profile"] is False
    assert one["distinct_id"] == "s"


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"metadata.a_b_int": "-2"}, {"a_b": -2}),
        ({"metadata.a_int": "07"}, {"a": "07"}),
        ({"metadata.a_bool": "yes"}, {"a": "yes"}),
        ({"metadata.a_text": "x", "metadata.a_int": "1"}, {"a": "x", "metadata.a_int": 1}),
        ({"metadata.a": "1", "other_int": "1"}, {"metadata.a": "1", "other_int": "1"}),
        ({"metadata.a_int": None, "metadata.b_int": 5}, {"a": None, "b": 5}),
    ],
)
def test_metadata_have_the_type_that_their_columns_say(given, found):
    """Where they can; of two types under one key both are kept."""
    assert json.loads(metadata(json.dumps(given))) == found


@pytest.mark.parametrize(
    ("columns", "table"),
    [
        ("added_iso path", "datapoints"),
        ("added_unix uuid datapoint", "datapoints"),
        ("added_date path document_referrer", "without_times"),
        ("added_iso", None),
        ("path hostname", None),
    ],
)
def test_files_are_told_by_whatever_fields_were_asked_for(columns, table):
    """Those without times are refused."""
    found = MAPPING.table_for(columns.split())
    assert (found and found.name) == table
    assert found is None or bool(found.refusal) is (table == "without_times")
