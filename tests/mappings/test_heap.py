"""The Heap mapping, behaviour by behaviour."""

import json
import re
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

import fastavro
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from frames import made_of, opened, sent

from mappings._heap_columns import address, heap_id, landing, moment, rounded
from mappings.heap import MAPPING
from migrate.cli.commands import cli
from migrate.kit import bags, schemas
from migrate.kit.declare import FILE, ROW, Options
from migrate.kit.schemas import FRAMEWORK

TABLES = {table.name: table for table in MAPPING.tables}
SAMPLE = Path(__file__).parents[2] / "sample_data" / "heap"
TIME = "2024-04-03 12:00:00.123456"
START = 1_712_145_000_000
"""2024-04-03 11:50:00 UTC."""


def frame(table, *given, file="signed_up"):
    """Rows as the reader delivers them, what is not given null."""
    told = [{FILE: file} | row | {ROW: place} for place, row in enumerate(given, 1)]
    return pl.LazyFrame(told, schema=FRAMEWORK | dict(TABLES[table].columns))


def mapped(*given, table="labelled_events", file="signed_up", **options):
    """The events of rows, extra without nulls."""
    ordinary = {"event_id": "81", "user_id": "48", "time": TIME}
    rows = frame(table, *(ordinary | row for row in given), file=file)
    whole = opened(TABLES[table], rows.collect(), Options(**options))
    found = TABLES[table].to_events(whole.lazy(), Options(**options)).collect()
    assert schemas.schema_errors(found.schema) == []
    return [
        event | {"extra": {name: value for name, value in event["extra"].items() if value is not None}}
        for event in found.to_dicts()
    ]


def one(table="labelled_events", file="signed_up", labels=None, **row):
    """The only event of one row."""
    (event,) = mapped(row, table=table, file=file, labels=labels or {})
    return event


def extra(**row):
    """The computed properties of one row's event."""
    return one(**row)["extra"]


def told(function, table, *given, **options):
    """What one of a table's other functions makes of rows."""
    return getattr(TABLES[table], function)(frame(table, *given), Options(**options)).collect().to_dicts()


def holds(table, predicate, *given):
    """For each row, whether a predicate of the table holds."""
    return frame(table, *given).select(predicate.fill_null(value=False)).collect().to_series().to_list()


@pytest.mark.parametrize(
    ("columns", "file", "expected"),
    [
        pytest.param("user_id identity email joindate last_modified", "users", "users", id="users"),
        pytest.param("USER_ID HANDLE EMAIL", "anything", "users", id="users-of-snowflake"),
        pytest.param("from_user_id to_user_id time", "user_migrations", "user_migrations", id="migrations"),
        pytest.param("event_id user_id session_id time event_table_name", "x", "all_events", id="all-events"),
        pytest.param("session_id user_id event_id time library", "Sessions", "sessions", id="sessions"),
        pytest.param(
            "session_id user_id time", "main_production.sessions_raw", "sessions", id="sessions-raw"
        ),
        pytest.param("event_id user_id session_id time path", "pageviews", "pageviews", id="pageviews"),
        pytest.param("event_id user_id session_id time path", "pageview", "pageviews", id="fivetran"),
        pytest.param(
            "event_id user_id time path", "pageviews_pricing", "labelled_events", id="not-pageviews"
        ),
        pytest.param("event_id user_id session_id time", "checkout", "labelled_events", id="event"),
        pytest.param("dump_id tables property_definitions", "sync_1", "manifest", id="manifest"),
        pytest.param("name properties", "_event_metadata", "event_metadata", id="metadata"),
        pytest.param("date count", "chart", None, id="chart"),
    ],
)
def test_tables(columns, file, expected):
    """A table is known by its columns; pageviews and sessions, which have those of an event, by their name."""
    table = MAPPING.table_for(columns.split(), file)
    assert (table and table.name) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("4810060720600030", "4810060720600030", id="integer"),
        pytest.param(" 4810060720600030 ", "4810060720600030", id="blanks"),
        pytest.param("4810060720600030.0", "4810060720600030", id="float"),
        pytest.param("4810060720600030.", "4810060720600030", id="point"),
        pytest.param("4.81006072060003E15", "4810060720600030", id="exponent"),
        pytest.param("4.810060720600031e+15", "4810060720600031", id="exponent-of-pandas"),
        pytest.param("4.8100607206000300e15", "4810060720600030", id="zeros"),
        pytest.param("8E0", "8", id="small"),
        pytest.param("9007199254740992.0", "9007199254740992", id="last-exact-float"),
        pytest.param("9007199254740994.0", None, id="float-beyond-2^53"),
        pytest.param("9.223372036854776E18", None, id="exponent-beyond-2^53"),
        pytest.param("9223372036854775807", "9223372036854775807", id="integer-beyond-2^53"),
        pytest.param("4.81E+15", None, id="rounded-by-a-spreadsheet"),
        pytest.param("4810060720600030.5", None, id="not-whole"),
        pytest.param("4.81E-3", "4.81E-3", id="no-id-at-all"),
        pytest.param("user-17", "user-17", id="text"),
        pytest.param(" ", None, id="blank"),
        pytest.param(None, None, id="null"),
    ],
)
def test_ids(text, expected):
    """Ids that went through floats are put together digit by digit; those that lost digits are none."""
    row = pl.DataFrame({"id": [text]}, schema={"id": pl.String})
    assert row.select(heap_id("id")).item() == expected
    lost = text is not None and text.strip() != "" and expected is None
    assert row.select(rounded("id").fill_null(value=False)).item() is lost


def test_every_id_survives_a_float():
    """Law: whatever whole number below 2^53 a program prints as a float, its digits come back."""
    numbers = [4_810_060_720_600_000 + step * 7_919 for step in range(2000)] + [2**53, 10**15, 10**15 + 1]
    for spelling in (repr, "{:.1f}".format, "{:.15e}".format, "{:.16E}".format):
        texts = pl.DataFrame({"id": [spelling(float(number)) for number in numbers]})
        found = texts.select(heap_id("id")).to_series().to_list()
        # a number that ends in more than six zeros looks like one that was rounded
        expected = [None if n == 10**15 and "e" in spelling(1.0).lower() else str(n) for n in numbers]
        assert found == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(TIME, "2024-04-03T12:00:00.123456", id="warehouse"),
        pytest.param("2024-04-03 12:00:00.123 UTC", "2024-04-03T12:00:00.123000", id="bigquery"),
        pytest.param("2024-04-03 12:00:00UTC", "2024-04-03T12:00:00.000000", id="utc-close"),
        pytest.param("2024-04-03 12:00:00+00", "2024-04-03T12:00:00.000000", id="postgres"),
        pytest.param("2024-04-03T12:00:00.123456Z", "2024-04-03T12:00:00.123456", id="parquet"),
        pytest.param("1712145600123", "2024-04-03T12:00:00.123000", id="milliseconds"),
        pytest.param("1712145600123456", "2024-04-03T12:00:00.123456", id="microseconds"),
        pytest.param("1712145600", "2024-04-03T12:00:00.000000", id="seconds"),
        pytest.param("1712145600123.0", "2024-04-03T12:00:00.123000", id="float"),
        pytest.param("Invalid date", None, id="invalid-date"),
        pytest.param("0", None, id="zero"),
        pytest.param(" ", None, id="blank"),
    ],
)
def test_times(text, expected):
    """All spellings of a time; "Invalid date", which Heap writes into users, is none."""
    found = pl.DataFrame({"t": [text]}).select(moment(pl.col("t"), Options())).item()
    assert (found and found.strftime("%Y-%m-%dT%H:%M:%S.%f")) == expected


def test_times_of_another_zone():
    """A warehouse set to another zone says no zone either; `--source-timezone` tells it."""
    row = pl.DataFrame({"t": ["2024-04-03 14:00:00"]})
    found = row.select(moment(pl.col("t"), Options(source_timezone="Europe/Berlin"))).item()
    assert found == datetime(2024, 4, 3, 12, tzinfo=UTC)


def test_a_plain_event():
    """Name of the table, person, time to the microsecond; undeclared columns pass on."""
    event = one(_rest='{"method":"form"}')
    assert (event["event"], event["distinct_id"]) == ("signed_up", "48")
    assert event["timestamp"] == datetime(2024, 4, 3, 12, 0, 0, 123456, tzinfo=UTC)
    assert event["laid"] == '{"method":"form"}'
    assert event["extra"] == {"heap_event_id": "81", "heap_user_id": "48"}
    row = {"event_id": "81", "user_id": "48", "time": TIME, "_rest": '{"method":"form"}'}
    (properties,) = sent(TABLES["labelled_events"], frame("labelled_events", row).collect())
    assert properties == {"method": "form"} | event["extra"]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        pytest.param({"_person": "anna", "user_id": "48"}, "anna", id="resolved"),
        pytest.param({"user_id": "48.0"}, "48", id="anonymous"),
        pytest.param({"user_id": "4.81E+15"}, None, id="rounded"),
        pytest.param({"user_id": None}, None, id="nobody"),
    ],
)
def test_person(row, expected):
    """The person Heap has resolved, else the user's own number; a rounded number is nobody's."""
    assert one(**row)["distinct_id"] == expected


@pytest.mark.parametrize(
    ("file", "row", "labels", "expected"),
    [
        pytest.param("signed_up", {}, {}, "signed_up", id="file"),
        pytest.param("signed_up", {}, {"Signed_Up": "Signed Up!"}, "Signed Up!", id="label"),
        pytest.param("pageviews", {}, {}, "$pageview", id="pageviews"),
        pytest.param("main_production.pageviews", {}, {}, "$pageview", id="schema"),
        pytest.param("pageviews", {}, {"pageviews": "Seite"}, "Seite", id="labelled-pageviews"),
        pytest.param("viewed_home", {}, {"viewed_home": "$pageview"}, "$pageview", id="labelled-a-pageview"),
        pytest.param("pageviews", {"view_controller": "Cart"}, {}, "$screen", id="screen"),
        pytest.param("pageviews", {"view_controller": "Cart", "domain": "a.com"}, {}, "$pageview", id="web-view"),
        pytest.param("tapped", {"view_controller": "Cart"}, {}, "tapped", id="event-on-a-screen"),
        pytest.param("event", {"event_name": "Signed up"}, {}, "Signed up", id="fivetran"),
        pytest.param("tapped", {"event_name": "own column"}, {}, "tapped", id="not-fivetran"),
        pytest.param("all_events", {"event_table_name": "viewed"}, {"viewed": "Viewed"}, "Viewed", id="all-events"),
        pytest.param("all_events", {"event_table_name": "pageviews"}, {}, "$pageview", id="all-events-page"),
    ],
)  # fmt: skip
def test_event_names(file, row, labels, expected):
    """An event is called as its table, or as `--labels` calls that; an app's pageview is a `$screen`."""
    assert one(file=file, labels=labels, **row)["event"] == expected


def keys(*given):
    """The deduplication keys of rows, each with its file."""
    return [one(**row)["dedup_key"] for row in given]


def test_an_event_is_its_number_and_its_table():
    """One action with two labels is two events; the same row again, in any spelling, is one."""
    first, again, label, other = keys(
        {"file": "Signed Up", "event_id": "81"},
        {"file": "signed_up", "event_id": "81.0"},
        {"file": "any_click", "event_id": "81"},
        {"file": "signed_up", "event_id": "82"},
    )
    assert first == again
    assert len({first, label, other}) == 3
    assert one(event_id="81", labels={"signed_up": "X"})["dedup_key"] == first, "a label names, and no more"
    assert one(file="all_events", event_id="81", event_table_name="signed_up")["dedup_key"] == first


def test_an_event_without_number_is_all_it_is_told_by():
    """Rows without an id are still told apart, by person, time and properties."""
    found = keys(
        *({"event_id": None, "_rest": rest} for rest in ('{"a":1}', '{"a":1}', '{"a":2}')),
        {"event_id": "4.81E+15", "time": "2024-04-03 12:00:01"},
    )
    assert len(set(found)) == 3
    assert None not in found


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        pytest.param(["a.com", "/x", "?q=1", "#top"], "https://a.com/x?q=1#top", id="marks-there"),
        pytest.param(["a.com", "x", "q=1", "top"], "https://a.com/x?q=1#top", id="marks-missing"),
        pytest.param(["a.com", None, "", None], "https://a.com", id="host-alone"),
        pytest.param([None, "/x", "?q=1", None], None, id="no-host"),
    ],
)
def test_url_of_its_parts(parts, expected):
    """Heap keeps a page's address in four columns."""
    row = pl.DataFrame([parts], schema=dict.fromkeys("dpqh", pl.String), orient="row")
    assert row.select(address(*map(pl.col, "dpqh")).alias("url")).item() == expected


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        pytest.param(["https://a.com/x", "?q=1", "#t"], "https://a.com/x?q=1#t", id="url-and-parts"),
        pytest.param(["http://a.com/x", None, None], "http://a.com/x", id="http-stays"),
        pytest.param(["a.com/x", "q=1", None], "https://a.com/x?q=1", id="no-scheme"),
        pytest.param(["a.com", None, None], "https://a.com", id="host-alone"),
        pytest.param(["https://a.com/x?q=1", "?q=1", None], "https://a.com/x?q=1", id="query-is-there"),
        pytest.param(["/x", "?q=1", None], "/x", id="path-alone"),
        pytest.param([None, "?q=1", None], None, id="none"),
    ],
)
def test_url_of_a_landing_page(parts, expected):
    """In three columns, with or without its scheme; what is no address stays as it is."""
    row = pl.DataFrame([parts], schema=dict.fromkeys("lqh", pl.String), orient="row")
    assert row.select(landing(*map(pl.col, "lqh")).alias("url")).item() == expected


def test_the_landing_page_is_not_the_page():
    """`landing_page` stands on every row of a session: it is where that began, and never `$current_url`."""
    found = extra(
        library="web",
        domain="a.com",
        path="/two",
        title="Zwei",
        query="?n=1",
        landing_page="https://a.com/one",
        landing_page_query="?utm_source=x",
        utm_source="x",
        referrer="https://www.google.com/search",
    )
    assert found["$current_url"] == "https://a.com/two?n=1"
    assert (found["$host"], found["$pathname"], found["title"]) == ("a.com", "/two", "Zwei")
    assert found["$session_entry_url"] == "https://a.com/one?utm_source=x"
    assert (found["$session_entry_host"], found["$session_entry_pathname"]) == ("a.com", "/one")
    assert found["$session_entry_referring_domain"] == found["$referring_domain"] == "www.google.com"
    assert found["utm_source"] == "x"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        pytest.param({"library": "web", "landing_page": "a.com"}, "$direct", id="web"),
        pytest.param({"domain": "a.com", "landing_page": "a.com"}, "$direct", id="web-by-domain"),
        pytest.param({"library": "web"}, None, id="session-columns-not-synced"),
        pytest.param({"library": "ios", "landing_page": "a.com"}, None, id="app"),
        pytest.param({"library": "web", "landing_page": "a.com", "referrer": "https://b.de/x"}, "b.de", id="from"),
    ],
)  # fmt: skip
def test_no_referrer_is_direct(row, expected):
    """NULL means direct, where the session was one of the web and its columns are there at all."""
    assert extra(**row).get("$referring_domain") == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        pytest.param(
            {"browser": "Chrome 99.0.48", "platform": "Mac OS X 10.15.7", "device_type": "Desktop"},
            {"$browser": "Chrome", "$browser_version": 99.0, "$os": "Mac OS X", "$os_version": "10.15.7"},
            id="web",
        ),
        pytest.param(
            {"platform": "iOS 17.4", "browser": "Safari 17.4"},
            {"$browser": "Mobile Safari", "$os": "iOS", "$os_version": "17.4"},
            id="iphone",
        ),
        pytest.param({"platform": "iOS"}, {"$os": "iOS", "$device_type": "Mobile"}, id="no-version"),
        pytest.param({"platform": "Linux"}, {"$os": "Linux", "$device_type": "Desktop"}, id="linux"),
        pytest.param({"platform": "Windows 10"}, {"$os": "Windows", "$os_version": "10"}, id="windows"),
        pytest.param(
            {"platform": "Android 4.4.2", "device_type": "Tablet", "device": "Nexus 7"},
            {"$os": "Android", "$os_version": "4.4.2", "$device_type": "Tablet", "$device_model": "Nexus 7"},
            id="tablet",
        ),
    ],
)
def test_device(row, expected):
    """Names and versions stand in one column and are taken apart; many systems have no version."""
    assert extra(**row).items() >= expected.items()


def test_twins():
    """Of a column and its newer `heap_` twin one is null."""
    found = extra(
        heap_app_name="Blumen", app_version="2.1", heap_device="iPhone15,2", heap_device_id="d", ip="1.2.3.4"
    )
    assert (
        found.items() >= {"$app_name": "Blumen", "$app_version": "2.1", "$device_model": "iPhone15,2"}.items()
    )
    assert (found["$device_id"], found["$ip"]) == ("d", "1.2.3.4")
    assert extra(browser_ip="1.2.3.4")["$ip"] == "1.2.3.4"


def test_place():
    """Countries come as English names, and get their code."""
    found = extra(country="Germany", region="Hesse", city="Gießen")
    assert found.items() >= {"$geoip_country_name": "Germany", "$geoip_country_code": "DE"}.items()
    assert (found["$geoip_subdivision_1_name"], found["$geoip_city_name"]) == ("Hesse", "Gießen")


def test_a_click_is_an_event_of_its_own():
    """A labelled click keeps its name and what was clicked; it is no `$autocapture`."""
    event = one(type="click", target_text="Los!", target_tag="a", href="/x", hierarchy="@div;@a;|")
    assert event["event"] == "signed_up"
    assert event["extra"].items() >= {"$event_type": "click", "$el_text": "Los!", "target_tag": "a"}.items()
    assert (event["extra"]["href"], event["extra"]["hierarchy"]) == ("/x", "@div;@a;|")


def known(**session):
    """What the framework hands on of what the sessions table knows."""
    return {"_recovered": json.dumps({"session": json.dumps(session)})}


def session_start(session):
    """The milliseconds in a version-7 UUID."""
    assert uuid.UUID(session).version == 7
    return uuid.UUID(session).int >> 80


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        pytest.param(known(start="2024-04-03T11:50:00.000000Z"), START, id="sessions"),
        pytest.param({"session_time": "2024-04-03 11:50:00"}, START, id="session_time"),
        pytest.param(
            known(start="2024-04-03T11:50:00.000000Z") | {"session_time": "2024-04-03 11:00:00"},
            START,
            id="sessions-first",
        ),
        pytest.param({"session_time": "2024-04-03 12:30:00"}, 1_712_102_400_000, id="after-the-event"),
        pytest.param({"session_time": "37"}, 1_712_102_400_000, id="seconds-since-the-start"),
        pytest.param({}, 1_712_102_400_000, id="unknown-midnight"),
    ],
)  # fmt: skip
def test_session(row, expected):
    """A session's id carries its start: by the sessions table, else `session_time`, else the UTC day."""
    found = extra(session_id="7001", **row)
    assert session_start(found["$session_id"]) == expected
    assert found["heap_session_id"] == "7001"


def test_one_session_has_one_id():
    """All events of one person in a session, before and after login, share it; who logs in after them does not."""
    began = known(start="2024-04-03T11:50:00.000000Z")
    found = [
        event["extra"].get("$session_id")
        for event in mapped(
            {"session_id": "7001", "user_id": "1", "_person": "anna"} | began,
            {"session_id": "7001.0", "user_id": "2", "_person": "anna", "time": "2024-04-03 12:20:00"}
            | began,
            {"session_id": "7002", "user_id": "1"} | began,
            {"session_id": "7001", "user_id": "3", "_person": "bo"} | began,
            {"session_id": None},
        )
    ]
    assert found[0] == found[1]
    assert len(set(found[1:4])) == 3
    assert found[4] is None


def test_what_sessions_know():
    """When and how a session began goes to its events; a session itself is no event unless it is kept."""
    row = {"session_id": "7001.0", "user_id": "48", "time": "2024-04-03 11:50:00"}
    found = told("to_recoveries", "sessions", row | {"referrer": "https://b.de/", "utm_source": "x"})
    assert [(r["key"], r["name"], json.loads(r["value"])) for r in found] == [
        (
            "7001",
            "session",
            {"start": "2024-04-03T11:50:00.000000Z", "referrer": "https://b.de/", "utm_source": "x"},
        )
    ]
    assert holds("sessions", TABLES["sessions"].filters["sessions"], row) == [True]
    assert set(TABLES["sessions"].link_columns) <= set(TABLES["sessions"].columns)
    kept = one(table="sessions", file="sessions", **row)
    assert kept["event"] == "session_start"
    assert one(table="sessions", labels={"sessions": "Visit"}, **row)["event"] == "Visit"


def test_events_have_what_their_session_knows():
    """What an event table was synced without comes from the sessions table; its own columns win."""
    session = known(start="2024-04-03T11:50:00.000000Z", landing_page="a.com/x", utm_source="s")
    found = extra(session_id="7001", library="web", utm_source="own", **session)
    assert found["$session_entry_url"] == "https://a.com/x"
    assert (found["utm_source"], found["$referrer"]) == ("own", "$direct")


def test_links_of_users():
    """A user with an identity is that person; the identity is known, and a user without tells nothing."""
    found = told(
        "to_links",
        "users",
        {"user_id": "48.0", "identity": " anna ", "joindate": "2024-04-01 08:00:00"},
        {"user_id": "49", "identity": None, "joindate": "Invalid date"},
        {"user_id": "4.81E+15", "identity": "bo"},
    )
    assert {(r["kind"], r["a"], r["b"]) for r in found} == {
        ("resolved", "48", "anna"),
        ("identified", None, "anna"),
        ("identified", None, "bo"),
    }
    assert found[0]["time"] == datetime(2024, 4, 1, 8, tzinfo=UTC)
    assert set(TABLES["users"].link_columns) <= set(TABLES["users"].columns)


def test_links_of_user_migrations():
    """A user who became another is the other, whatever types the two columns have; the rows make no event."""
    row = {"from_user_id": "47", "to_user_id": "48.0", "time": "1712145600123"}
    (found,) = told("to_links", "user_migrations", row, {"from_user_id": "9", "to_user_id": None})
    assert (found["kind"], found["a"], found["b"]) == ("resolved", "47", "48")
    assert found["time"] == datetime(2024, 4, 3, 12, 0, 0, 123000, tzinfo=UTC)
    assert holds("user_migrations", TABLES["user_migrations"].filters["identity_only"], row) == [True]
    assert told("to_events", "user_migrations", row) == []


def profile(**row):
    """The profile of one user, its objects decoded."""
    (found,) = told("to_profiles", "users", {"user_id": "48"} | row)
    return found | {name: json.loads(found[name] or "{}") for name in ("set", "set_once")}


def test_profile():
    """Own properties without their underscore, first touches as `$initial_…`, the time they were so."""
    rest = {"email": "a@b.de", "_plan": "pro", "n": 1.50, "initial_utm_source": "x", "_initial_shop": "y"}
    found = profile(
        _person="anna",
        identity="anna",
        last_modified="2024-04-05 09:00:00",
        _rest=json.dumps(rest),
        joindate="1712145600123",
        initial_landing_page="https://a.com/x",
        initial_platform="iOS 17.4",
        initial_browser="Mobile Safari 17.4",
        initial_country="Brazil",
        initial_referrer=None,
    )
    assert (found["distinct_id"], found["timestamp"]) == ("anna", datetime(2024, 4, 5, 9, tzinfo=UTC))
    assert found["set"] == {
        "email": "a@b.de",
        "plan": "pro",
        "n": 1.5,
        "heap_user_id": "48",
        "heap_identity": "anna",
    }
    assert found["set_once"] == {
        "$initial_utm_source": "x",
        "$initial_shop": "y",
        "created": "2024-04-03T12:00:00.123000Z",
        "$initial_current_url": "https://a.com/x",
        "$initial_host": "a.com",
        "$initial_pathname": "/x",
        "$initial_referrer": "$direct",
        "$initial_referring_domain": "$direct",
        "$initial_browser": "Mobile Safari",
        "$initial_browser_version": 17.4,
        "$initial_os": "iOS",
        "$initial_os_version": "17.4",
        "$initial_device_type": "Mobile",
        "$initial_geoip_country_name": "Brazil",
        "$initial_geoip_country_code": "BR",
    }


def test_profile_of_nobody_in_particular():
    """Without an identity, or with one that everybody has, a profile is the user's own; "Invalid date" is no date."""
    found = profile(identity="guest", joindate="Invalid date", last_modified="Invalid date")
    assert (found["distinct_id"], found["timestamp"], found["set_once"]) == ("48", None, {})
    assert found["set"] == {"heap_user_id": "48", "heap_identity": "guest"}


@pytest.mark.parametrize(
    ("bag", "expected"),
    [
        pytest.param('{"_plan":"pro","x_y":1}', '{"plan":"pro","x_y":1}', id="underscore"),
        pytest.param('{"_plan":"new","plan":"old"}', '{"_plan":"new","plan":"old"}', id="name-is-taken"),
        pytest.param('{"_a":1,"__a":2}', '{"a":1,"__a":2}', id="taken-by-another"),
        pytest.param('{"_PLAN":"PRO","MRR":1e400}', '{"plan":"PRO","mrr":1e400}', id="snowflake"),
        pytest.param('{"MRR":1,"plan":"x"}', '{"MRR":1,"plan":"x"}', id="own-capitals"),
        pytest.param('{"_":1}', '{"_":1}', id="nothing-else"),
        pytest.param('{ "_a" : {"_b": "{\\"_c\\":1}"}, "n":12345678901234567890.10 }',
            '{"a":{"_b": "{\\"_c\\":1}"},"n":12345678901234567890.10}', id="values-stay"),
        pytest.param('{"_größe":"\\ud83d"}', '{"größe":"\\ud83d"}', id="non-ascii"),
        pytest.param("{}", "{}", id="empty"),
    ],
)  # fmt: skip
def test_names_without_underscore(bag, expected):
    """Only keys change, none is lost, and every value keeps its own text."""
    assert bags.bare_names(bag) == expected


def test_all_events_come_once():
    """Rows of all_events whose own table is planned too are left out, whatever their file is called."""
    rule = TABLES["all_events"].filters["own_table"]
    rows = [{"event_table_name": name} for name in ("signed_up", "PAGEVIEWS", "sessions", "other", None)]
    files = frozenset({"signed up", "main_production.pageviews", "session", "all_events"})
    assert holds("all_events", rule(Options(files=files)), *rows) == [True, True, True, False, False]
    assert holds("all_events", rule(Options()), *rows) == [False] * 5
    assert holds("all_events", TABLES["all_events"].warnings["no_properties"], {}) == [True]


def test_rounded_ids_are_counted():
    """Every table with ids says how many were rounded."""
    assert holds("pageviews", TABLES["pageviews"].warnings["rounded_id"], {"user_id": "4.81E+15"}, {}) == [
        True,
        False,
    ]
    assert holds("users", TABLES["users"].warnings["rounded_id"], {"user_id": "4.81E+15"}) == [True]


def preview(*paths, labels=None, tmp_path=None):
    """The events the command makes of files."""
    command = ["preview", "heap", *map(str, paths), "--limit", "1000"]
    if labels:
        (tmp_path / "labels.json").write_text(json.dumps(labels))
        command += ["--labels", str(tmp_path / "labels.json")]
    shown = CliRunner().invoke(cli, command)
    assert shown.exit_code == 0, shown.output
    return [json.loads(line) for line in shown.stdout.splitlines()]


def test_the_sample():
    """The sample, start to end: an anonymous past and two migrations end in one person, and no merge is sent."""
    found = preview(SAMPLE)
    assert {event["event"] for event in found} == {
        *("$pageview", "$screen", "$set", "signed_up", "purchase_completed", "any_click_on_signup"),
        *("checkout_step_2", "Order Placed", "click"),
    }
    users = {event["properties"].get("heap_user_id"): event["distinct_id"] for event in found}
    assert users["4810060720600029"] == users["4810060720600030"] == "anna@example.com"
    assert users["5310060720600070"] == users["5310060720600077"] == "bo@example.com"
    assert users["4810060720600031"] == "4810060720600031"
    guests = [event for event in found if event["distinct_id"] in {"6000000000000001", "6000000000000002"}]
    assert len({event["distinct_id"] for event in guests}) == 2, "two guests are two people"
    sessions = {
        (event["distinct_id"], event["properties"]["$session_id"])
        for event in found
        if event["properties"].get("heap_session_id") == "7001000000000001"
    }
    assert sorted(person for person, _ in sessions) == ["anna@example.com", "bo@example.com"], (
        "a shared device"
    )
    assert len({session for _, session in sessions}) == 2
    assert not [event for event in found if re.search("rounded|no user", json.dumps(event))]


def test_csv_parquet_and_avro_make_the_same_events(tmp_path):
    """What a table was exported as makes no difference, not even to ids read as floats."""
    table = pa_csv.read_csv(
        SAMPLE / "pageviews.csv", convert_options=pa_csv.ConvertOptions(strings_can_be_null=True)
    )
    floats = table["user_id"].cast(pa.float64())
    assert table["event_id"].type == pa.float64(), "the case this is about"
    (tmp_path / "parquet").mkdir()
    (tmp_path / "avro" / "pageviews").mkdir(parents=True)
    pq.write_table(table.set_column(1, "user_id", floats), tmp_path / "parquet" / "pageviews.parquet")
    rows = [
        {name: str(value) if name == "time" else value for name, value in row.items() if value is not None}
        for row in table.to_pylist()
    ]
    kinds = {"event_id": "double", "user_id": "double", "session_id": "long"}
    fields = [
        {"name": name, "type": ["null", kinds.get(name, "string")], "default": None}
        for name in table.column_names
    ]
    with (tmp_path / "avro" / "pageviews" / "part-00000-0a1b-c000.avro").open("wb") as file:
        rows = [row | {n: str(v) for n, v in row.items() if n not in kinds} for row in rows]
        fastavro.writer(file, {"type": "record", "name": "p", "fields": fields}, rows, codec="snappy")
    others = [SAMPLE / "users.csv", SAMPLE / "user_migrations.csv", SAMPLE / "sessions.csv"]
    csv, parquet, avro = (
        [
            event
            for event in preview(path, *others)
            if "4810000000000000" not in {event["distinct_id"], event["properties"].get("heap_user_id")}
        ]
        for path in (SAMPLE / "pageviews.csv", tmp_path / "parquet", tmp_path / "avro")
    )
    assert len(csv) == 15
    for other in (parquet, avro):
        for mine, theirs in zip(csv, other, strict=True):
            assert mine | {"properties": stable(mine)} == theirs | {"properties": stable(theirs)}


def stable(event):
    """The properties of an event that do not name the run."""
    return {name: value for name, value in event["properties"].items() if name != "$import_job_id"}


def test_labels_name_events(tmp_path):
    """`--labels` gives mangled tables their names, and changes nothing else of an event."""
    labels = {"signed_up": "Signed Up", "purchase_completed": "Purchase: completed"}
    named = [e for e in preview(SAMPLE, labels=labels, tmp_path=tmp_path) if e["event"] in labels.values()]
    plain = [event for event in preview(SAMPLE) if event["event"] in labels]
    assert [event["uuid"] for event in named] == [event["uuid"] for event in plain]
    assert len(named) == 6


def test_profiles_are_put_together_in_stages():
    """What is used twice is worked out once: nested, the same plan took 1.7 s to make, for each file of users."""
    users = next(table for table in MAPPING.tables if table.name == "users")
    rows = pl.LazyFrame(schema=dict(users.columns) | FRAMEWORK)
    started = time.process_time()
    users.to_profiles(rows, Options()).collect()
    assert time.process_time() - started < 0.6


USER, OTHER = "4910060720600030", "4910060720600031"


def exported(tmp_path, users=(), **row):
    """What a row of the one-time export comes to, with what users there are; each file a name of no event's."""
    ordinary = {"id": f"(2008543124,{USER})", "time": TIME, "type": "Search", "properties": {}}
    for name, given in (("events", [ordinary | row]), ("users", users)):
        if given:
            (tmp_path / f"{name}.json").write_text("\n".join(map(json.dumps, given)))
    return made_of("heap", tmp_path)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        pytest.param({}, ("Search", USER), id="id-of-two"),
        pytest.param({"id": f"( 2008543124 , {USER} )"}, ("Search", USER), id="blanks"),
        pytest.param({"user_id": OTHER}, ("Search", OTHER), id="user-id"),
        pytest.param({"id": None, "user_id": OTHER}, ("Search", OTHER), id="user-id-alone"),
        pytest.param({"type": "pageview"}, ("$pageview", USER), id="pageview"),
        pytest.param({"type": None, "object": "Cart"}, ("Cart", USER), id="object"),
        pytest.param({"type": "click", "event_name": "Buy"}, ("Buy", USER), id="event-name"),
        pytest.param({"type": "Search", "identity": "gerda"}, ("Search", USER), id="with-identity"),
        pytest.param({"type": None}, "no_event_name", id="no-name-of-a-file"),
        pytest.param({"id": "7"}, "no_distinct_id", id="no-pair"),
        pytest.param({"id": "(1,2,3)"}, "no_distinct_id", id="three"),
        pytest.param({"time": "soon"}, "bad_timestamp", id="time"),
        pytest.param({"properties": [1]}, "bad_json", id="properties"),
    ],
)
def test_events_of_the_one_time_export(tmp_path, row, expected):
    """They are called as they say and not as their file; the second number of an id is the user's."""
    made = exported(tmp_path, object=None, **row) if "object" not in row else exported(tmp_path, **row)
    found = [(event["event"], event["distinct_id"]) for event in map(json.loads, made.payloads)]
    assert found + [one["reason"] for one in made.rejects] == [expected]


def test_what_events_of_the_one_time_export_say(tmp_path):
    """Own properties stand in an object; the environment's number is kept."""
    row = {"type": "click", "object": "button", "properties": {"n": 1, "deep": {"a": [1]}}, "plan": "pro"}
    (bag,) = exported(tmp_path, event_id="9000000000000001", **row).bags
    assert {name: bag[name] for name in ("n", "deep", "plan", "$event_type", "heap_object")} == {
        "n": 1,
        "deep": {"a": [1]},
        "plan": "pro",
        "$event_type": "click",
        "heap_object": "button",
    }
    assert (bag["heap_environment_id"], bag["heap_user_id"]) == ("2008543124", USER)


def test_people_of_the_one_time_export(tmp_path):
    """Users and identify events say who a number is: all of it is that person's, and no merge is sent."""
    (tmp_path / "in").mkdir()
    user = {"id": f"(1,{USER})", "identity": "gerda", "last_modified": TIME, "properties": {"_plan": "pro"}}
    events = [
        {"id": f"(1,{USER})", "type": "Search", "time": TIME, "properties": {}},
        {"id": f"(1,{OTHER})", "type": "Search", "time": TIME, "properties": {}},
        {"id": f"(1,{OTHER})", "identity": "hans", "time": TIME, "properties": {}, "type": "identify"},
    ]
    (tmp_path / "in/users.json").write_text(json.dumps(user | {"email": "g@example.com"}))
    (tmp_path / "in/events.json").write_text("\n".join(map(json.dumps, events)))
    command = ["plan", "heap", str(tmp_path / "in"), "--workdir", str(tmp_path / "w"), "--quiet"]
    assert CliRunner().invoke(cli, command).exit_code == 0
    texts = [
        t for part in (tmp_path / "w").glob("days/*/*.parquet") for t in pl.read_parquet(part)["payload"]
    ]
    found = [json.loads(text.rstrip(",")) for text in texts]
    assert sorted((event["event"], event["distinct_id"]) for event in found) == [
        ("$set", "gerda"),
        ("Search", "gerda"),
        ("Search", "hans"),
    ]
    (told,) = (event["properties"]["$set"] for event in found if event["event"] == "$set")
    assert (told["plan"], told["email"]) == ("pro", "g@example.com")


def test_lines_that_were_escaped_twice(tmp_path):
    """Heap's nested objects have each backslash twice, so that their quotes end the text: they are read as meant."""
    nested = json.dumps({"a": 'b "c"', "path": "x\\y\nz"})
    (plain,) = exported(tmp_path, properties={"nested": nested, "n": 1}).bags
    path = tmp_path / "events.json"
    path.write_text(path.read_text().replace("\\", "\\\\"))
    made = made_of("heap", tmp_path)
    assert (made.bags, made.rejects) == ([plain], [])
    assert made.numbers.repairs["escaped_twice"] == 1
    assert json.loads(plain["nested"])["path"] == "x\\y\nz"
