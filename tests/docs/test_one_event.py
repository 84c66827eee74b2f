"""What makes two rows one event, as each platform's page says it."""

import json

import polars as pl
import pytest
from commands import migrate
from frames import made_of
from markdown import ROOT

pytestmark = pytest.mark.law
AMPLITUDE = {
    "event_type": "A",
    "user_id": "u1",
    "device_id": "d1",
    "event_time": "2024-04-03 10:00:00.000000",
    "uuid": "11111111-1111-4111-8111-111111111111",
    "$insert_id": "i1",
}
INSERTED = AMPLITUDE | {"uuid": None}
BARE = INSERTED | {"$insert_id": None}
MIXPANEL = {"time": 1712138400, "distinct_id": "u1", "$insert_id": "i1"}
CALL = {
    "type": "track",
    "event": "A",
    "userId": "u1",
    "anonymousId": "a1",
    "messageId": "m1",
    "timestamp": "2024-04-03T10:00:00.000Z",
    "properties": {"x": 1},
}
NO_ID = CALL | {"messageId": None}
GA4 = {
    "event_timestamp": "1712138400000000",
    "event_name": "click",
    "user_pseudo_id": "1.2",
    "stream_id": "7",
    "event_bundle_sequence_id": "5",
    "event_params": [{"key": "x", "value": {"int_value": "1"}}],
    "device": {"category": "desktop"},
}
HEAP = {"event_id": "11", "user_id": "5", "session_id": "3", "time": "2024-04-03 10:00:00", "path": "/a"}
UNNUMBERED = HEAP | {"event_id": None}
POSTHOG = {
    "event": "A",
    "distinct_id": "u1",
    "timestamp": "2024-04-03T10:00:00Z",
    "uuid": "11111111-1111-4111-8111-111111111111",
    "properties": {"x": 1, "y": 2},
}
UNMARKED = POSTHOG | {"uuid": None}
JUNE = {
    "user_id": "u1",
    "name": "A",
    "type": "track",
    "timestamp": "2024-04-03T10:00:00Z",
    "properties": {"x": 1, "y": 2},
    "context": {},
}
STATSIG = {
    "eventName": "A",
    "userID": "u1",
    "timestamp": 1712138400000,
    "timeUUID": "11111111-1111-1111-8111-111111111111",
    "metadata": {"x": 1},
    "statsigMetadata": {},
}
UNNUMBERED_STATSIG = STATSIG | {"timeUUID": None}
KISSMETRICS = {"_n": "a", "_p": "u1", "_t": 1712138400, "x": 1}
OTHER_DAY, LATER = "2024-04-04T10:00:00Z", "2024-04-03T11:00:00Z"


def mixpanel(event="A", **properties):
    """A row of Mixpanel's raw export."""
    return {"event": event, "properties": {k: v for k, v in (MIXPANEL | properties).items() if v is not None}}


def parameter(value):
    """A list of one parameter."""
    return {"event_params": [{"key": "x", "value": {"int_value": value}}]}


ONE = {
    "amplitude": [
        ("uuid", AMPLITUDE, AMPLITUDE | {"event_properties": {"x": 1}}),
        ("insert id", INSERTED, INSERTED | {"event_properties": {"x": 1}}),
        ("all it says", BARE, BARE | {"country": "Germany", "user_properties": {"plan": "pro"}}),
    ],
    "mixpanel": [
        ("insert id", mixpanel(), mixpanel(x=1)),
        ("all it says", mixpanel(**{"$insert_id": None}), mixpanel(**{"$insert_id": None})),
    ],
    "segment": [
        ("other properties", CALL, CALL | {"properties": {"x": 2}}),
        ("all it says", NO_ID, NO_ID),
    ],
    "rudderstack": [("other properties", CALL, CALL | {"properties": {"x": 2}})],
    "ga4": [
        ("columns of the batch", GA4, GA4 | {"batch_page_id": "1", "batch_event_index": "2"}),
        ("other device", GA4, GA4 | {"device": {"category": "mobile"}}),
    ],
    "heap": [("other path", HEAP, HEAP | {"path": "/b"}), ("all it says", UNNUMBERED, UNNUMBERED)],
    "june": [
        ("the same twice", JUNE, JUNE),
        ("other order, other digits", JUNE, JUNE | {"properties": {"y": 2.0, "x": 1}}),
    ],
    "statsig": [("other metadata", STATSIG, STATSIG | {"metadata": {"x": 2}})],
    "kissmetrics": [("other order", KISSMETRICS, dict(reversed(KISSMETRICS.items())))],
    "posthog": [
        ("other properties", POSTHOG, POSTHOG | {"properties": {"x": 2}}),
        ("other time of the day", POSTHOG, POSTHOG | {"timestamp": LATER}),
        ("other order, other digits", UNMARKED, UNMARKED | {"properties": {"y": 2.0, "x": 1}}),
    ],
}
TWO = {
    "amplitude": [
        ("other time", AMPLITUDE, AMPLITUDE | {"event_time": "2024-04-03 11:00:00"}),
        ("other day", AMPLITUDE, AMPLITUDE | {"event_time": "2024-04-04 10:00:00"}),
        ("other type", AMPLITUDE, AMPLITUDE | {"event_type": "B"}),
        ("other person", AMPLITUDE, AMPLITUDE | {"user_id": "u2"}),
        ("other uuid, same insert id", AMPLITUDE, AMPLITUDE | {"uuid": AMPLITUDE["uuid"].replace("4", "5")}),
        ("insert id, other device", INSERTED, INSERTED | {"device_id": "d2"}),
        ("insert id, other time", INSERTED, INSERTED | {"event_time": "2024-04-03 10:00:01"}),
        ("other properties", BARE, BARE | {"event_properties": {"x": 1}}),
    ],
    "mixpanel": [
        ("a second later", mixpanel(), mixpanel(time=1712138401)),
        ("other day", mixpanel(), mixpanel(time=1712238401)),
        ("other name", mixpanel(), mixpanel("B")),
        ("other properties", mixpanel(**{"$insert_id": None}), mixpanel(x=1, **{"$insert_id": None})),
    ],
    "segment": [
        ("other time", CALL, CALL | {"timestamp": "2024-04-03T11:00:00.000Z"}),
        ("other day", CALL, CALL | {"timestamp": "2024-04-04T10:00:00.000Z"}),
        ("other user", CALL, CALL | {"userId": "u2"}),
        ("other name", CALL, CALL | {"event": "B"}),
        ("other kind", CALL, CALL | {"type": "page"}),
        ("other properties", NO_ID, NO_ID | {"properties": {"x": 2}}),
    ],
    "rudderstack": [("other time", CALL, CALL | {"timestamp": "2024-04-03T11:00:00.000Z"})],
    "ga4": [
        ("a microsecond later", GA4, GA4 | {"event_timestamp": "1712138400000001"}),
        ("other parameter", GA4, GA4 | parameter("2")),
        ("other bundle", GA4, GA4 | {"event_bundle_sequence_id": "6"}),
        ("user known later", GA4, GA4 | {"user_id": "u1"}),
    ],
    "heap": [
        ("other time", HEAP, HEAP | {"time": "2024-04-03 10:00:01"}),
        ("other user", HEAP, HEAP | {"user_id": "6"}),
        ("other path", UNNUMBERED, UNNUMBERED | {"path": "/b"}),
    ],
    "june": [
        ("other properties", JUNE, JUNE | {"properties": {"x": 2}}),
        ("other delivery", *(JUNE | {"name": name, "properties": {"delivery_id": "d"}} for name in "AB")),
        ("other time", JUNE, JUNE | {"timestamp": LATER}),
    ],
    "statsig": [
        ("other time", STATSIG, STATSIG | {"timestamp": 1712138400001}),
        ("other metadata", UNNUMBERED_STATSIG, UNNUMBERED_STATSIG | {"metadata": {"x": 2}}),
    ],
    "kissmetrics": [
        ("other property", KISSMETRICS, KISSMETRICS | {"x": 2}),
        ("a second later", KISSMETRICS, KISSMETRICS | {"_t": 1712138401}),
    ],
    "posthog": [
        ("other day", POSTHOG, POSTHOG | {"timestamp": OTHER_DAY}),
        ("other name", POSTHOG, POSTHOG | {"event": "B"}),
        ("other person", POSTHOG, POSTHOG | {"distinct_id": "u2"}),
    ],
}


def cases(table):
    """The cases of a table, each with its platform."""
    return [
        pytest.param(platform, first, second, id=f"{platform}: {why}")
        for platform, some in table.items()
        for why, first, second in some
    ]


def key(event):
    """What PostHog tells an event by: uuid, name, person and UTC day."""
    return event["uuid"], event["event"], event["distinct_id"], event["timestamp"][:10]


def alike(payloads):
    """A letter for each row's event, the same for those that are one event to PostHog: "aab"."""
    letters = {}
    keys = (key(json.loads(text)) for text in payloads)
    return "".join(letters.setdefault(one, "abc"[len(letters) : len(letters) + 1]) for one in keys)


def of_rows(folder, platform, *rows, **options):
    """The payloads of the rows of one file."""
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return made_of(platform, path, **options).payloads


@pytest.mark.parametrize(("platform", "first", "second"), cases(ONE))
def test_rows_that_are_one_event(platform, first, second, tmp_path):
    """What differs between the two is not what an event is told by."""
    assert alike(of_rows(tmp_path, platform, first, second)) == "aa"


@pytest.mark.parametrize(("platform", "first", "second"), cases(TWO))
def test_rows_that_are_two_events(platform, first, second, tmp_path):
    """What differs between the two tells them apart, for PostHog too."""
    assert alike(of_rows(tmp_path, platform, first, second)) == "ab"


def test_mixpanel_event_keeps_its_uuid_when_people_are_merged(tmp_path):
    """The exported id changes, the one it was taken in under stays."""
    rows = [mixpanel(distinct_id=one, **{"$distinct_id_before_identity": "b"}) for one in ("u1", "u2")]
    one, other = map(json.loads, of_rows(tmp_path, "mixpanel", *rows))
    assert one["uuid"] == other["uuid"]
    assert (one["distinct_id"], other["distinct_id"]) == ("u1", "u2")


@pytest.mark.parametrize(
    ("platform", "first", "second"),
    [
        ("amplitude", AMPLITUDE, AMPLITUDE | {"event_time": "2024-04-03 11:00:00"}),
        ("mixpanel", mixpanel(), mixpanel(time=1712138401)),
    ],
)
def test_uuid_of_the_managed_migration_does_not_know_the_time(platform, first, second, tmp_path):
    """With `--uuid-compat` the same uuid at another time of the day is one event."""
    rows = (first, second)
    assert alike(of_rows(tmp_path, platform, *rows)) == "ab"
    assert alike(of_rows(tmp_path, platform, *rows, uuid_compat="posthog-worker")) == "aa"


def test_one_click_in_two_of_heaps_tables_is_two_events(tmp_path):
    """The table belongs to what makes an event one."""
    paths = [tmp_path / name for name in ("signed_up.jsonl", "clicked.jsonl")]
    for path in paths:
        path.write_text(json.dumps(HEAP) + "\n")
    one, other = map(json.loads, made_of("heap", *paths).payloads)
    assert {one["event"], other["event"]} == {"signed_up", "clicked"}
    assert one["uuid"] != other["uuid"]


def test_call_of_two_platforms_is_two_events(tmp_path):
    """The platform's name is in the uuid."""
    (one,), (other,) = (of_rows(tmp_path, platform, CALL) for platform in ("segment", "rudderstack"))
    assert alike([one, other]) == "ab"
    assert json.loads(one)["uuid"] != json.loads(other)["uuid"]


SPEC = 'event = {constant = "A"}\ndistinct_id = "who"\ntimestamp = "at"\n'
ROW = "u1,2024-04-03T10:00:00Z,1,a"
UUID = "11111111-1111-4111-8111-111111111111"


@pytest.mark.parametrize(
    ("more", "files", "letters"),
    [
        pytest.param("", [[ROW, ROW]], "ab", id="nothing named, one file"),
        pytest.param("", [[ROW], [ROW]], "aa", id="nothing named, two files"),
        pytest.param('dedup_key = ["key"]', [[ROW, ROW]], "aa", id="key"),
        pytest.param('dedup_key = ["key"]', [[ROW, ROW.replace("a", "b")]], "aa", id="key, other cells"),
        pytest.param('dedup_key = ["key"]', [[ROW, ROW.replace("T10", "T11")]], "ab", id="key, other time"),
        pytest.param('dedup_key = ["key"]', [[ROW, ROW.replace("u1", "u2")]], "ab", id="key, other person"),
        pytest.param('dedup_key = ["key"]', [[ROW.replace(",1,", ",,")] * 2], "aa", id="empty key"),
        pytest.param(
            'uuid = "key"',
            [[f"u1,2024-04-03T10:00:00Z,{UUID},a", f"u1,2024-04-03T11:00:00Z,{UUID},a"]],
            "aa",
            id="uuid, other time of the day",
        ),
        pytest.param(
            'uuid = "key"',
            [[f"u1,2024-04-03T10:00:00Z,{UUID},a", f"u1,2024-04-04T10:00:00Z,{UUID},a"]],
            "ab",
            id="uuid, other day",
        ),
    ],
)
def test_rows_of_a_table_are_told_apart_as_its_spec_says(more, files, letters, tmp_path):
    """By the whole row and how often it was there, by a key, or by the event's own uuid."""
    (tmp_path / "spec.toml").write_text(SPEC + more)
    for number, rows in enumerate(files):
        (tmp_path / f"{number}.csv").write_text("\n".join(["who,at,key,x", *rows, ""]))
    inputs = sorted(str(path) for path in tmp_path.glob("*.csv"))
    done = migrate(
        "preview", "table", *inputs, "--spec", tmp_path / "spec.toml", env={"PYTHONPATH": str(ROOT)}
    )
    assert alike(done.stdout.splitlines()) == letters


def test_row_of_text_is_the_same_in_every_format(tmp_path):
    """Without a key, too."""
    row = {"who": "u1", "at": "2024-04-03T10:00:00Z", "x": "a", "y": "b"}
    (tmp_path / "spec.toml").write_text(SPEC)
    (tmp_path / "rows.csv").write_text(f"{','.join(row)}\n{','.join(row.values())}\n")
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    pl.DataFrame([row]).write_parquet(tmp_path / "rows.parquet")
    paths = [tmp_path / f"rows.{ending}" for ending in ("csv", "jsonl", "parquet")]
    assert alike(made_of("table", *paths, spec=tmp_path / "spec.toml").payloads) == "aaa"
