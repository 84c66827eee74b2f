"""What history tells of persons, as the user wants it told: once, by the framework, whatever the platform says."""

import json
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner
from frames import made_of
from samples import FEW, SAMPLES, SEVERAL, settings

from migrate.cli.commands import cli
from migrate.preview import preview

pytestmark = pytest.mark.law

PERSON = {"$set", "$set_once", "$unset"}


@cache
def texts(name, choice):
    """The payloads of a platform's sample."""
    work = settings(name, person_properties=choice).work([str(SAMPLES / name)])
    return [text for row in preview(work, 1_000) for text in row.payloads]


def shown(name, choice):
    """The events of a platform's sample, with the persons and groups it tells of, by uuid."""
    events = [json.loads(text) for text in texts(name, choice)]
    return {event["uuid"]: event for event in events}


@pytest.mark.parametrize("name", FEW)
def test_no_person_is_told_of(name):
    """With `none`; all else is what it is, and events that tell of persons alone are left out."""
    usual, found = shown(name, "set"), shown(name, "none")
    assert found
    for uuid, event in found.items():
        assert event["event"] != "$set"
        assert PERSON.isdisjoint(event["properties"])
        before = {key: value for key, value in usual[uuid]["properties"].items() if key not in PERSON}
        assert without_id(before) == without_id(event["properties"])
    assert {event["event"] for uuid, event in usual.items() if uuid not in found} <= {"$set"}


@pytest.mark.parametrize("name", FEW)
def test_what_is_told_fills_in_what_a_live_project_does_not_know(name):
    """With `set_once`; of one key what was told once counts."""
    usual, found = shown(name, "set"), shown(name, "set_once")
    assert usual.keys() == found.keys()
    for uuid, event in found.items():
        before = usual[uuid]["properties"]
        told = before.pop("$set", {}) | before.pop("$set_once", {})
        assert event["properties"].pop("$set_once", {}) == told
        assert without_id(before) == without_id(event["properties"])


def without_id(bag):
    """Properties without the import's id, which the option decides, too."""
    return {key: value for key, value in bag.items() if key != "$import_job_id"}


def test_a_sample_tells_of_persons():
    """Else the laws above say nothing."""
    events = [event for name in SEVERAL for event in shown(name, "set").values()]
    told = {key for event in events for key in PERSON & event["properties"].keys()}
    assert told >= {"$set", "$set_once"}


AMPLITUDE = {"event_type": "e", "user_id": "u", "event_time": "2024-04-03 12:00:00"}
SEGMENT = {
    "type": "track",
    "event": "e",
    "userId": "u",
    "messageId": "m",
    "timestamp": "2024-04-03T12:00:00Z",
}
RECORD = {"event": "e", "distinct_id": "u", "timestamp": "2024-04-03T12:00:00Z"}
OWN = {"$set": {"a": 1}, "$set_once": {"a": 2, "b": "\u00fc"}, "$unset": ["c"], "x": 1}
ROWS = {
    "amplitude": AMPLITUDE | {"event_properties": OWN},
    "mixpanel": {
        "event": "e",
        "properties": {"time": 1712145600, "distinct_id": "u", "$insert_id": "i"} | OWN,
    },
    "posthog": RECORD | {"properties": OWN},
    "segment": SEGMENT | {"properties": OWN},
    "rudderstack": SEGMENT | {"properties": OWN},
    "heap": {"event_id": "1", "user_id": "2", "time": "2024-04-03 12:00:00"} | OWN,
}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        pytest.param("set", OWN, id="set"),
        pytest.param("set_once", {"$set_once": {"a": 2, "b": "\u00fc"}, "x": 1}, id="set_once"),
        pytest.param("none", {"x": 1}, id="none"),
    ],
)
@pytest.mark.parametrize("name", ROWS)
def test_what_a_source_says_in_posthogs_own_words_is_told_as_wanted_too(tmp_path, name, choice, expected):
    """`$set` among the properties of an event does in PostHog what it says, whatever platform it came from."""
    (tmp_path / "a.jsonl").write_text(json.dumps(ROWS[name]) + "\n")
    (bag,) = made_of(name, tmp_path / "a.jsonl", person_properties=choice).bags
    assert {key: value for key, value in bag.items() if key in {*PERSON, "x"}} == expected


@pytest.mark.parametrize("odd", ["x", '{"a":1}', ["a"], 7, None, {}])
@pytest.mark.parametrize("choice", ["set_once", "none"])
def test_what_posthog_would_pass_over_is_gone(tmp_path, choice, odd):
    """A `$set` that is no object, or an empty one, tells nothing."""
    row = RECORD | {"properties": {"$set": odd, "x": 1}}
    (tmp_path / "a.jsonl").write_text(json.dumps(row) + "\n")
    (bag,) = made_of("posthog", tmp_path / "a.jsonl", person_properties=choice).bags
    assert not PERSON & bag.keys() or bag["$set_once"] == {}
    assert bag["x"] == 1


def test_properties_of_the_row_win_over_those_of_its_bag(tmp_path):
    """In whichever way they are wanted."""
    row = RECORD | {"$set": {"a": "row"}, "properties": {"$set": {"a": "bag", "b": 1}, "$set_once": {"b": 2}}}
    (tmp_path / "a.jsonl").write_text(json.dumps(row) + "\n")
    (bag,) = made_of("posthog", tmp_path / "a.jsonl", person_properties="set_once").bags
    assert bag["$set_once"] == {"a": "row", "b": 2}
    assert "$set" not in bag


def test_rows_that_only_tell_of_persons_are_counted_under_a_name(tmp_path):
    """Whether they would be events or profiles; a row that tells of ids, too, is still gathered."""
    calls = [
        SEGMENT,
        SEGMENT | {"type": "identify", "traits": {"plan": "pro"}, "anonymousId": "a", "messageId": "n"},
        SEGMENT | {"type": "identify", "messageId": "o"},
    ]
    (tmp_path / "calls.jsonl").write_text("".join(json.dumps(row) + "\n" for row in calls))
    (tmp_path / "users.csv").write_text("id,email,received_at\nu,u@example.com,2024-04-03 12:00:00\n")
    command = ["plan", "segment", str(tmp_path), "--workdir", str(tmp_path / "w"), "--json"]
    done = CliRunner().invoke(cli, [*command, "--person-properties", "none"])
    rows = json.loads(done.stdout.splitlines()[-1])["rows"]
    assert rows["filtered"] == {"identity_only": 1, "person_properties": 2}
    assert (rows["read"], rows["mapped"]) == (4, 1)
    told = [
        path.read_bytes()
        for path in Path(tmp_path / "w").rglob("*")
        if path.is_file() and path.name != "samples.jsonl"
    ]
    assert not any(b"u@example.com" in data for data in told)


@pytest.mark.parametrize(
    ("choice", "counts"),
    [
        pytest.param("set", {}, id="set"),
        pytest.param("set_once", {"set_left_out": 1, "unset_left_out": 2}, id="set_once"),
        pytest.param("none", {"person_properties_left_out": 3}, id="none"),
    ],
)
def test_what_is_left_out_of_what_is_told_of_persons_is_counted(tmp_path, choice, counts):
    """A property that would be taken away from a live project, and text that is no object, as cells of CSV are."""
    bags = [{"$unset": ["a"]}, {"$set": "{}", "$unset": ["a"]}, {"$set": {"a": 1}}, {"x": 1}]
    rows = [RECORD | {"uuid": None, "properties": bag} for bag in bags]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    made = made_of("posthog", tmp_path / "a.jsonl", person_properties=choice)
    assert made.numbers.repairs == counts
    assert all("$unset" not in bag for bag in made.bags if choice != "set")
