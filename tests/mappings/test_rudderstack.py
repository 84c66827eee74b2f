"""The RudderStack mapping, behaviour by behaviour: what it has that Segment's has not."""

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from frames import made_of, opened, sent, told
from samples import recognised

from mappings.rudderstack import MAPPING
from migrate.kit import schemas
from migrate.kit.declare import RECOVERED, REST, ROW, Options
from migrate.kit.schemas import FRAMEWORK

SAMPLE = Path(__file__).parents[2] / "sample_data" / "rudderstack"
TABLES = {table.name: table for table in MAPPING.tables}
TIME = "2024-04-03T10:00:00.500Z"
SESSION = 1712138400123
DEFAULTS = {
    "messages": {
        "type": "track",
        "event": "Search",
        "userId": "anna",
        "anonymousId": "a-1",
        "timestamp": TIME,
    },
    "discards": {},
}


def rows(*given, table="messages"):
    """A frame of rows as the reader delivers them: objects as JSON text, what is not given null."""
    stored = {"user_id": "anna", "anonymous_id": "a-1", "timestamp": TIME}
    stored |= {"event_text": "Search"} if table == "tracks" else {}
    full = [DEFAULTS.get(table, stored) | row | {ROW: place} for place, row in enumerate(given, 1)]
    lines = [{name: json.dumps(v) if isinstance(v, dict) else v for name, v in row.items()} for row in full]
    return pl.DataFrame(lines, schema=dict(TABLES[table].columns) | dict(FRAMEWORK))


def whole(*given, table="messages"):
    """Rows with what is in their objects."""
    return opened(TABLES[table], rows(*given, table=table))


def mapped(*given, table="messages"):
    """The events of the rows, extra without nulls and objects decoded."""
    frame = TABLES[table].to_events(whole(*given, table=table).lazy(), Options()).collect()
    assert schemas.schema_errors(frame.schema) == []
    found = frame.to_dicts()
    for event in found:
        event["extra"] = {name: value for name, value in event["extra"].items() if value is not None}
        event["properties"] = told(event)
        event["set"] = json.loads(event["set"]) if event["set"] else None
    return found


def one(table="messages", **row):
    """The only event of one row."""
    (event,) = mapped(row, table=table)
    return event


def session(event):
    """An event's session, or None."""
    return event["extra"].get("$session_id")


@pytest.mark.parametrize(
    "context",
    [
        pytest.param({"sessionId": SESSION}, id="milliseconds"),
        pytest.param({"sessionId": str(SESSION)}, id="text"),
        pytest.param({"sessionId": SESSION // 1000}, id="seconds-on-mobiles"),
    ],
)
def test_session(context):
    """The session's id is its start, and stays as it is beside PostHog's; all its events have one, over a login."""
    anonymous, known = mapped(
        {"context": context, "userId": None}, {"context": context | {"sessionStart": True}}
    )
    assert session(anonymous) == session(known) is not None
    start = int(session(known).replace("-", "")[:12], 16)
    assert datetime.fromtimestamp(start // 1000, UTC) == datetime(2024, 4, 3, 10, tzinfo=UTC)
    assert known["extra"]["context_session_id"] == str(context["sessionId"])
    assert known["properties"] == {"context_session_start": True}
    (stored,) = mapped({"context_session_id": str(context["sessionId"])}, table="tracks")
    assert session(stored) == session(known)


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(42, id="own-number"),
        pytest.param(12345678901, id="neither-seconds-nor-milliseconds"),
        pytest.param(SESSION + 2 * 86_400_000, id="ahead-of-the-event"),
        pytest.param("morning", id="word"),
    ],
)
def test_what_is_no_start_is_no_session(number):
    """A caller's own number tells no start; it stays a property."""
    event = one(context={"sessionId": number})
    assert session(event) is None
    assert event["extra"]["context_session_id"] == str(number)


def test_sessions_of_two_people():
    """Two devices that start in the same millisecond have two sessions."""
    one_device, other = mapped(
        *({"context": {"sessionId": SESSION}, "anonymousId": name} for name in ("a-1", "a-2"))
    )
    assert session(one_device) != session(other)


def test_traits_of_identify_calls_in_the_context():
    """RudderStack's libraries put the traits of an identify call into its context; its own traits come first."""
    inside = {"type": "identify", "context": {"traits": {"email": "a@example.com"}}}
    assert one(**inside)["set"] == {"email": "a@example.com"}
    assert one(**inside, traits={})["set"] == {"email": "a@example.com"}
    assert one(**inside, traits={"plan": "pro"})["set"] == {"plan": "pro", "email": "a@example.com"}
    rule = TABLES["messages"].filters["identity_only"]
    assert whole(inside, {"type": "identify"}).select(rule).to_series().to_list() == [False, True]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        pytest.param("203.0.113.7:53708", "203.0.113.7", id="ipv4-with-port"),
        pytest.param("203.0.113.7", "203.0.113.7", id="ipv4"),
        pytest.param("[::1]:53708", "::1", id="ipv6-with-port"),
        pytest.param("2001:db8::1", "2001:db8::1", id="ipv6"),
        pytest.param("", None, id="blank"),
    ],
)
def test_request_ip(address, expected):
    """The address of the request stands in for that of the context, without its port."""
    assert one(request_ip=address)["extra"].get("$ip") == expected
    assert one(request_ip=address, context={"ip": "198.51.100.4"})["extra"]["$ip"] == "198.51.100.4"


def test_channel_is_no_trait():
    """Every row says by which channel it came, also those of traits."""
    event = one("identifies", **{REST: '{"channel":"web","plan":"pro","channel_of_choice":"mail"}'})
    assert event["set"] == {"plan": "pro", "channel_of_choice": "mail"}
    assert event["properties"] == {"channel": "web"}


def test_discards_are_told_by_the_id_of_their_row():
    """Each discarded value is told as it is, under the id of the call it is missing from."""
    discard = {
        "table_name": "order_completed",
        "row_id": "r-1",
        "column_name": "REVENUE",
        "column_value": "19.50",
    }
    frame = rows(discard, discard | {"column_value": None}, table="discards")
    found = TABLES["discards"].to_recoveries(frame.lazy(), Options()).collect()
    assert found.schema == schemas.RECOVERY_SCHEMA
    assert found.rows() == [(key, "revenue", "19.50") for key in ("r-1", "event_table\x1fr-1")]
    assert TABLES["discards"].link_columns == ("row_id", "column_name", "column_value")


def test_discarded_values_come_back():
    """What was discarded stands among the properties again, and is understood there; what the row has stays."""
    row = {REST: '{"order_id":"o-1","gift":true}', RECOVERED: '{"revenue":"19.50","gift":"jein"}'}
    event = one("tracks", id="r-1", **row)
    assert event["properties"] == {"order_id": "o-1", "gift": True, "revenue": "19.50"}
    assert event["extra"]["revenue"] == 19.5
    assert one("tracks", id="r-2", **{RECOVERED: '{"a":"1"}'})["properties"] == {"a": "1"}
    assert one("identifies", id="r-3", **{RECOVERED: '{"age":"old"}'})["set"] == {"age": "old"}


def test_discarded_values_under_names_that_are_computed():
    """They are sent where nothing is computed, and each name once."""
    row = {"id": "r-1", REST: '{"name":"Rose","ORDER_ID":"o-1"}', RECOVERED: '{"revenue":"much","title":"T"}'}
    (found,) = sent(TABLES["tracks"], rows(row, table="tracks"))
    call = {"$device_id": "a-1", "rudderstack_message_id": "r-1"}
    assert found == call | {"name": "Rose", "ORDER_ID": "o-1", "revenue": "much", "title": "T"}


def test_rows_ask_for_their_discards_by_id():
    """Every stored table with more than ids has its rows looked up, `tracks` by its own key; a raw message is whole."""
    asked = {name for name, table in TABLES.items() if table.recover is not None}
    assert asked == set(TABLES) - {"aliases", "discards", "identity_graph", "staging", "messages"}
    for name, key in {"tracks": "event_table\x1fr-1", "event_tables": "r-1"}.items():
        frame = rows({"id": " r-1 "}, {"id": None}, table=name)
        assert frame.select(TABLES[name].recover).to_series().to_list() == [key, None]


def test_a_discard_makes_no_row_of_tracks_one_of_an_event_table():
    """Whatever the column is called whose value was discarded."""
    row = {"id": "r-1", "event": "search", RECOVERED: '{"event_table":"x"}'}
    frame = rows(row, table="tracks")
    assert frame.select(TABLES["tracks"].filters["in_event_table"]).item() is False
    assert one("tracks", **row)["properties"] == {"event_table": "x"}


@pytest.mark.parametrize(
    ("columns", "file", "table"),
    [
        pytest.param(
            ["table_name", "row_id", "column_name", "column_value"],
            "rudder_discards",
            "discards",
            id="discards",
        ),
        pytest.param(
            ["MERGE_PROPERTY_TYPE", "RUDDER_ID"], "rudder_identity_mappings", "identity_graph", id="graph"
        ),
        pytest.param(["data", "metadata"], "x", "staging", id="staging"),
        pytest.param(["messageId", "type", "originalTimestamp"], "x", "messages", id="raw"),
        pytest.param(
            ["id", "event", "event_text", "timestamp"], "_users", "event_tables", id="event-called-users"
        ),
        pytest.param(["id", "received_at"], "users", "users", id="users"),
    ],
)
def test_tables_are_told_apart(columns, file, table):
    """RudderStack's own tables are told by their columns."""
    assert MAPPING.table_for(columns, file).name == table


def test_staging_files_are_refused_with_a_way_out():
    """The refusal says what to export instead."""
    assert "tables of the warehouse" in (TABLES["staging"].refusal or "")


def test_rows_of_other_kinds_are_left_out_by_name():
    """Every row of the discards, and of the identity graph that the calls themselves tell, falls under a rule."""
    frame = pl.DataFrame({ROW: [1, 2]})
    for name, rule in (("discards", "discards"), ("identity_graph", "identity_graph")):
        assert frame.select(TABLES[name].filters[rule]).to_series().to_list() == [True, True]


def test_the_sample_is_recognised():
    """Every file of the sample is of a table."""
    assert recognised("rudderstack", MAPPING) == {
        "1712138400.aBc": "messages",
        "_users": "event_tables",
        "order_completed": "event_tables",
        "rudder_discards": "discards",
        "rudder_identity_merge_rules": "identity_graph",
        **{name: name for name in ("tracks", "pages", "users")},
    }


def test_one_call_is_one_event_in_every_store(tmp_path):
    """Raw, in a warehouse and in a data lake, whose times are `_timestamp` and whole numbers of microseconds."""
    instant = datetime(2022, 9, 20, 14, 18, 16, 78000, tzinfo=UTC)
    micros = int(instant.timestamp()) * 1_000_000 + 78_000
    device = micros - 1_000_000
    call = {
        "id": "m1",
        "anonymous_id": "a",
        "event": "test_track",
        "event_text": "Test Track",
        "user_id": "u1",
    }
    lake = call | {"_timestamp": micros, "original_timestamp": device}
    files = {
        "raw.jsonl": {
            "type": "track",
            "messageId": "m1",
            "event": "Test Track",
            "userId": "u1",
            "anonymousId": "a",
            "timestamp": "2022-09-20T14:18:16.078Z",
            "originalTimestamp": "2022-09-20T14:18:15.078Z",
        },
        "tracks.jsonl": call
        | {"timestamp": "2022-09-20 14:18:16.078", "original_timestamp": "2022-09-20 14:18:15.078"},
        "lake.jsonl": lake,
        "text.jsonl": lake | {"_timestamp": "2022-09-20T14:18:16.078Z", "original_timestamp": str(device)},
        "copied.jsonl": lake | {"_timestamp": float(micros), "original_timestamp": device // 1000},
        "named.jsonl": call | {"timestamp": str(micros), "original_timestamp": device},
    }
    for name, row in files.items():
        (tmp_path / name).write_text(json.dumps(row))
    pl.DataFrame([lake]).write_parquet(tmp_path / "whole.parquet")
    times = pl.col("_timestamp", "original_timestamp").cast(pl.Datetime("us"))
    pl.DataFrame([lake]).with_columns(times).write_parquet(tmp_path / "times.parquet")
    made = made_of("rudderstack", tmp_path)
    assert made.rejects == []
    assert len(made.payloads) == len(files) + 2
    assert len(set(made.payloads)) == 1
    (bag,) = {json.dumps(bag) for bag in made.bags}
    assert json.loads(bag)["rudderstack_original_timestamp"] == "2022-09-20T14:18:15.078000Z"


def test_numbers_that_are_no_time(tmp_path):
    """A year, or a count of any other size, is no time of any unit: a reject with what was found."""
    call = {"id": "m", "event": "a", "event_text": "A", "user_id": "u"}
    odd = ["2020", 20200102, "16636834960780001", "-1663683496078000", "1663683496078000.5"]
    text = "\n".join(json.dumps(call | {"_timestamp": value}) for value in odd)
    (tmp_path / "lake.jsonl").write_text(text)
    made = made_of("rudderstack", tmp_path)
    assert [(one["reason"], str(one["value"])) for one in made.rejects] == [
        ("bad_timestamp", str(value)) for value in odd
    ]
