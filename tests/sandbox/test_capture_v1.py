"""What capture v1 makes of events: refused together, dropped alone, stored as v1 does; posthog-ingestion.md §2."""

import json

import pytest
from posting import NOW, UUID, batch, batch_v1, event, post, post_v1

from migrate.sandbox.server import Sandbox

OTHER = "018ea3c1-0000-7000-8000-000000000002"
SHIFTED = {"PostHog_Request_Timestamp": "2026-01-02T03:05:05Z"}  # the client's clock is a minute ahead


@pytest.fixture
def sandbox():
    """A sandbox whose clock stands still."""
    with Sandbox(now=lambda: NOW, has_v1=True) as running:
        yield running


@pytest.mark.parametrize(
    ("events", "tag"),
    [
        pytest.param([event(), event(uuid=UUID.upper())], "duplicate_event_uuid", id="one uuid twice"),
        pytest.param([event(), event(uuid="7")], "invalid_event_uuid", id="no uuid"),
        pytest.param([event(), event(uuid=" ")], "missing_event_uuid", id="empty uuid"),
        *(
            pytest.param([event(**{name: value})], "request_parsing_error", id=f"{name} {value}")
            for name, value in [
                ("uuid", ...),
                ("event", 7),
                ("distinct_id", 7),
                ("timestamp", ...),
                ("session_id", 7),
            ]
        ),
    ],
)
def test_some_faults_refuse_the_whole_request(sandbox, events, tag):
    """A uuid that is none, or there twice, and what is not of its type."""
    assert post_v1(sandbox, batch_v1(*events)) == (400, tag)
    assert sandbox.events() == []


@pytest.mark.parametrize(
    ("fields", "details"),
    [
        pytest.param({"event": ""}, "missing_event_name", id="no name"),
        pytest.param({"event": "é" * 101}, "event_name_too_long", id="name of 202 bytes"),
        pytest.param({"distinct_id": " \t"}, "missing_distinct_id", id="blank id"),
        pytest.param({"distinct_id": "é" * 101}, "distinct_id_too_large", id="id of 202 bytes"),
        pytest.param(
            {"timestamp": "2024-04-03T12:00:00"}, "invalid_event_timestamp", id="time without a zone"
        ),
        pytest.param({"timestamp": "2024-04-03"}, "invalid_event_timestamp", id="a day alone"),
        pytest.param({"properties": []}, "malformed_event_properties", id="no object"),
        pytest.param({"options": 7}, "invalid_options", id="options"),
        pytest.param({"options": {"cookieless_mode": "x"}}, "invalid_options", id="option"),
        pytest.param({"event": "$performance_event"}, "performance_event", id="performance"),
        pytest.param({"properties": {"p": "x" * 900_000}}, "event_too_big", id="too big"),
    ],
)
def test_a_bad_event_is_dropped_alone(sandbox, fields, details):
    """The others of its request are stored."""
    sent = batch_v1(event(**fields), event(uuid=OTHER))
    dropped = {"result": "drop", "details": details}
    assert post_v1(sandbox, sent) == (200, {UUID: dropped, OTHER: {"result": "ok"}})
    assert [row["uuid"] for row in sandbox.events()] == [OTHER]


def test_what_v1_drops_v0_takes(sandbox):
    """Ids and names of 200 characters and more bytes, events of nearly a megabyte: both are as the real ones."""
    long = event(distinct_id="é" * 101, event="é" * 101)
    large = event(uuid=OTHER, properties={"p": "x" * 950_000})
    assert {one["result"] for one in post_v1(sandbox, batch_v1(long, large))[1].values()} == {"drop"}
    assert post(sandbox, batch(long, large))[0] == 200
    assert [row["uuid"] for row in sandbox.events()] == [UUID, OTHER]


STORED = [
    pytest.param({"distinct_id": " ann\t", "uuid": f" {UUID.upper()} "}, {}, {}, id="ids are trimmed"),
    pytest.param({"uuid": UUID.replace("-", "")}, {}, {}, id="uuid in another spelling"),
    pytest.param(
        {"$set": {"a": 1}, "offset": 7, "other": 1}, {}, {}, id="the rest of the root is not looked at"
    ),
    pytest.param({"distinct_id": " ann"}, SHIFTED, {"timestamp": "2024-04-03T11:59:00.000000Z"}, id="skew"),
    pytest.param(
        {"options": {"disable_skew_correction": True}},
        SHIFTED,
        {"properties": {"$ignore_sent_at": True}},
        id="no skew",
    ),
    pytest.param(
        {"options": {"cookieless_mode": "1", "process_person_profile": 0, "product_tour_id": 7, "x": 1}},
        {},
        {
            "properties": {
                "$cookieless_mode": True,
                "$process_person_profile": False,
                "$product_tour_id": "7",
            }
        },
        id="options",
    ),
    pytest.param(
        {"session_id": "s", "window_id": "w"},
        {},
        {"properties": {"$session_id": "s", "$window_id": "w"}},
        id="session and window",
    ),
    pytest.param(
        {"properties": {"$lib": "mine", "$lib_version": "2"}},
        {"PostHog_Sdk_Info": "a/b/1.0"},
        {"properties": {"$lib": "a/b", "$lib_version": "1.0"}},
        id="the library is told by the header",
    ),
    pytest.param(
        {"properties": {"$lib": "mine"}}, {}, {"properties": {"$lib": "mine"}}, id="but not without a slash"
    ),
    pytest.param(
        {"timestamp": "2026-01-03T02:04:06Z"},
        {},
        {"timestamp": "2026-01-02T03:04:05.000000Z"},
        id="the future",
    ),
    pytest.param(
        {"timestamp": "2024-04-03t14:00:00.5+02:00"}, {}, {"timestamp": "2024-04-03T12:00:00.500000Z"}
    ),
]


@pytest.mark.parametrize(("fields", "headers", "expected"), STORED)
def test_an_event_is_stored_as_v1_stores_it(sandbox, fields, headers, expected):
    """The result stands under its canonical uuid."""
    assert post_v1(sandbox, batch_v1(event(**fields)), **headers) == (200, {UUID: {"result": "ok"}})
    good = {"event": "seen", "distinct_id": "ann", "uuid": UUID, "timestamp": "2024-04-03T12:00:00.000000Z"}
    properties = {"$ip": "127.0.0.1"} | expected.get("properties", {})
    (row,) = sandbox.events()
    assert {name: row[name] for name in (*good, "properties", "historical")} == good | expected | {
        "properties": properties,
        "historical": True,
    }


def test_nobody_is_taken_without_a_person(sandbox):
    """Ids that are on v1's list, in any case, are ok with a detail."""
    said = {"result": "ok", "details": "person_processing_disabled"}
    assert post_v1(sandbox, batch_v1(event(distinct_id=" Undefined "))) == (200, {UUID: said})


def test_long_numbers_keep_their_text(sandbox):
    """V1 passes properties on as they are written."""
    text = json.dumps(batch_v1(event())).replace(
        '"properties": {}', '"properties": {"n": 123.71000000000001}'
    )
    assert post_v1(sandbox, text.encode())[0] == 200
    assert '"n": 123.71000000000001' in next(iter(sandbox._endpoint.store.lines("raw")))  # noqa: SLF001 - its text
