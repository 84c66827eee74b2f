"""The Google Analytics 4 mapping, behaviour by behaviour."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from frames import made_of, opened
from frames import told as own_of
from readings import read, source

from mappings.ga4 import MAPPING
from migrate.cli.commands import cli
from migrate.kit import events, nulls, schemas
from migrate.kit.declare import RECOVERED, REST, ROW, Options
from migrate.kit.schemas import FRAMEWORK
from migrate.payload.payloads import claimed
from migrate.plan.neighbours import marked
from migrate.readers.headers import read_header
from migrate.readers.records import Chunk

TABLES = {table.name: table for table in MAPPING.tables}
EVENTS, FLAT, ROWS, USERS = (
    TABLES[name] for name in ("events", "flat_events", "parameter_rows", "user_data")
)
SAMPLE = Path(__file__).parents[2] / "sample_data" / "ga4"
START = 1712131200
TIME = START * 1_000_000 + 5_347_831
WHEN = datetime(2024, 4, 3, 8, 0, 5, 347831, tzinfo=UTC)
ORDINARY = {
    "event_name": "page_view",
    "event_timestamp": str(TIME),
    "user_pseudo_id": "111.222",
    "stream_id": "3206",
    "event_date": "20240403",
}


def value(given):
    """A value as Google wraps it in Parquet: all four types spelled out."""
    wrapped = dict.fromkeys(("string_value", "int_value", "float_value", "double_value"))
    kinds = {str: "string_value", int: "int_value", float: "double_value"}
    return wrapped if given is None else wrapped | {kinds[type(given)]: given}


def params(**given):
    """Parameters as Google lists them."""
    return [{"key": key, "value": value(one)} for key, one in given.items()]


def rows(*given, table=EVENTS, ordinary=None):
    """A frame of rows as the reader delivers them: nested values as JSON text, what is not given null."""
    ordinary = ORDINARY if ordinary is None else ordinary
    told = [ordinary | row | {ROW: place} for place, row in enumerate(given, 1)]
    lines = [
        {name: json.dumps(one) if isinstance(one, dict | list) else one for name, one in row.items()}
        for row in told
    ]
    return pl.DataFrame(lines, schema=dict(table.columns) | FRAMEWORK)


def decoded(frame):
    """Events as dicts: extra without nulls, objects decoded, what the source itself says together."""
    assert schemas.schema_errors(frame.schema) == []
    found = []
    for event in frame.to_dicts():
        event["extra"] = {name: one for name, one in event["extra"].items() if one is not None}
        event["properties"] = own_of(event)
        for name in ("set", "set_once"):
            event[name] = json.loads(event[name]) if event[name] else None
        found.append(event)
    return found


def mapped(*given, table=EVENTS, ordinary=None, **options):
    """The events of the rows, in their order."""
    frame = opened(table, rows(*given, table=table, ordinary=ordinary), Options(**options))
    return decoded(table.to_events(frame.lazy(), Options(**options)).collect())


def one(**row):
    """The only event of one row."""
    (event,) = mapped(row)
    return event


def extra(**row):
    """The computed properties of one row's event."""
    return one(**row)["extra"]


def with_params(**given):
    """The only event of a row with these parameters."""
    return one(event_params=params(**given))


def key(**row):
    """The dedup key of one row's event."""
    return one(**row)["dedup_key"]


def holds(predicate, frame):
    """For each row, whether a predicate of a table holds."""
    return frame.select(predicate.fill_null(value=False)).to_series().to_list()


def test_a_plain_event():
    """Name, browser, time to the microsecond, parameters with their types; the rest stays."""
    event = one(
        event_params=params(page_location="https://a.example.com/x", entrances=1, share=0.5),
        _rest='{"new":1}',
    )
    assert (event["event"], event["distinct_id"], event["timestamp"]) == ("$pageview", "111.222", WHEN)
    params_ = {"page_location": "https://a.example.com/x", "entrances": 1, "share": 0.5}
    assert event["properties"] == params_ | {"new": 1}
    assert event["uuid"] is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("page_view", "$pageview", id="page"),
        pytest.param("screen_view", "$screen", id="screen"),
        pytest.param("user_engagement", "user_engagement", id="a-timer-is-no-autocapture"),
        pytest.param("click", "click", id="own"),
        pytest.param("session_start", "session_start", id="kept-when-the-filter-is-off"),
        pytest.param(None, None, id="none"),
    ],
)
def test_event_names(name, expected):
    """What PostHog has its own name for gets it; every other name stays."""
    assert one(event_name=name)["event"] == expected


def test_what_google_adds_is_filtered():
    """Session starts and first visits fall under one rule; engagement does not."""
    names = ["session_start", "first_visit", "first_open", "user_engagement", "page_view"]
    for table in (EVENTS, FLAT):
        frame = rows(*({"event_name": name} for name in names), table=table)
        assert holds(table.filters["automatic_events"], frame) == [True] * 3 + [False] * 2
    frame = rows({"name": "first_open"}, table=FLAT, ordinary={})
    assert holds(FLAT.filters["automatic_events"], frame) == [True]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param([], None, id="none"),
        pytest.param(params(a=None), None, id="null"),
        pytest.param([{"key": "a", "value": None}], None, id="no-value"),
        pytest.param([{"key": "a"}], None, id="left-out"),
        pytest.param(
            [{"key": "a", "value": {"int_value": "9007199254740993"}}], {"a": 9007199254740993}, id="int64"
        ),
        pytest.param([{"key": "a", "value": {"double_value": "1.5"}}], {"a": 1.5}, id="double-as-text"),
        pytest.param([{"key": "a", "value": {"double_value": "NaN"}}], None, id="nan"),
        pytest.param([{"key": "a", "value": {"float_value": 2.5}}], {"a": 2.5}, id="float"),
        pytest.param([{"key": "a", "value": {"string_value": ""}}], {"a": ""}, id="empty-text"),
        pytest.param([*params(a="x"), *params(a=1)], {"a": "x"}, id="twice"),
        pytest.param([*params(a=None), *params(a=1)], {"a": 1}, id="null-first"),
        pytest.param(params(session_engaged=1), {"session_engaged": "1"}, id="one-key-one-type"),
        pytest.param(
            params(firebase_screen_id=-8644180321436615000),
            {"firebase_screen_id": "-8644180321436615000"},
            id="id",
        ),
        pytest.param({"list": [{"element": params(a=1)[0]}]}, {"a": 1}, id="wrapped"),
        pytest.param({"a": 1, "b": "x", "c": None}, {"a": 1, "b": "x"}, id="plain-object"),
        pytest.param(
            [{"key": "a", "value": "x"}, {"key": 5, "value": 0.5}], {"a": "x", "5": 0.5}, id="bare-values"
        ),
        pytest.param("[{'key': 'a', 'value': {'string_value': \"it's\"}}]", {"a": "it's"}, id="python"),
        pytest.param(
            "[{'key': 'a', 'value': {'int_value': 1.0}}\n"
            " {'key': 'b', 'value': {'double_value': nan, 'string_value': None}}]",
            {"a": 1},
            id="numpy",
        ),
        pytest.param(
            r'[{"key":"a","value":{"string_value":"\ud83d cut"}}]', {"a": "\ufffd cut"}, id="cut-emoji"
        ),
        pytest.param(
            '[{"key":"a","value":{"string_value":"Küche 😀 \\"q\\" \\\\ \\n"}}]',
            {"a": 'Küche 😀 "q" \\ \n'},
            id="escapes",
        ),
    ],
)
def test_parameters(text, expected):
    """Every type, in every spelling of the list; what has no value is no property."""
    assert one(event_params=text)["properties"] == expected


@pytest.mark.parametrize(
    "text", ["not a list", '["a"]', "[{}]", "7", "[" * 100_000, '[{"key":"a","value":{"int_value":"x"}}]']
)
@pytest.mark.parametrize("column", ["event_params", "user_properties", "items"])
def test_an_unreadable_list_rejects_the_row(column, text, tmp_path):
    """The row is kept aside, with the list as it is, rather than planned without it."""
    if column == "items" and text.startswith("[{"):
        pytest.skip("items have no keys and values")
    (tmp_path / "events.jsonl").write_text(json.dumps(ORDINARY | {"device": {}, column: text}))
    found = made_of("ga4", tmp_path)
    assert ([one["reason"] for one in found.rejects], found.payloads) == (["bad_json"], [])
    assert found.rejects[0]["value"].startswith(f"{column}: {text}"[:500])


def test_parquet(tmp_path):
    """What the reader makes of BigQuery's nested columns is what the mapping takes, null columns of any type too."""
    pair = pa.struct(
        [
            ("key", pa.string()),
            ("value", pa.struct([("string_value", pa.string()), ("int_value", pa.int64())])),
        ]
    )
    bare = pa.struct([("key", pa.int64()), ("value", pa.struct([("string_value", pa.int64())]))])
    schema = pa.schema(
        [
            ("event_name", pa.string()),
            ("event_timestamp", pa.int64()),
            ("event_params", pa.list_(pair)),
            ("user_properties", pa.list_(bare)),
        ]
    )
    told = [{"key": "a", "value": {"string_value": "Küche"}}, {"key": "n", "value": {"int_value": 7}}]
    given = {"event_name": "e", "event_timestamp": TIME, "event_params": told, "user_properties": []}
    pq.write_table(pa.Table.from_pylist([given], schema=schema), tmp_path / "events.parquet")
    found = read(tmp_path / "events.parquet", given=EVENTS)
    (event,) = mapped(*found.rows, ordinary={})
    assert (event["properties"], event["timestamp"], event["set"]) == ({"a": "Küche", "n": 7}, WHEN, None)


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        pytest.param({"user_id": "anna"}, "anna", id="user"),
        pytest.param({}, "111.222", id="browser"),
        pytest.param({"user_id": " "}, "111.222", id="blank-user"),
        pytest.param({"user_id": "(not set)"}, "111.222", id="no-user"),
        pytest.param({"user_id": "anna", "user_pseudo_id": None}, "anna", id="server"),
    ],
)
def test_person(ids, expected):
    """The user, else the browser; both have profiles."""
    event = one(**ids)
    assert event["distinct_id"] == expected
    assert "$process_person_profile" not in event["extra"]


def test_without_consent():
    """A row without ids is one event of no one: its own id, the same on every run, no profile, no session."""
    row = {
        "user_pseudo_id": None,
        "event_params": params(page_location="https://a.example.com/", ga_session_id=START),
    }
    other = row | {"event_params": params(page_location="https://a.example.com/b")}
    person = {"user_properties": params(plan="pro"), "user_ltv": {"revenue": 1.0}}
    first, second, again = mapped(row | person, other, row)
    assert first["distinct_id"] == again["distinct_id"] != second["distinct_id"]
    assert first["extra"]["$process_person_profile"] is False
    assert first["extra"].keys().isdisjoint({"$session_id", "$device_id"})
    assert (first["set"], first["set_once"]) == (None, None)
    assert holds(EVENTS.warnings["without_ids"], rows(row, {}, {"user_id": "a"})) == [True, False, False]


def test_a_session_of_decimals_is_the_session_of_whole_numbers():
    """Some copies of the tables have all numbers as decimals."""
    one, other = (
        extra(event_params=params(ga_session_id=number))["$session_id"] for number in (START, float(START))
    )
    assert one == other


def test_links():
    """A user seen in a browser is the same person, from the first time on."""
    frame = rows(
        {"user_id": None},
        {"user_id": "anna", "event_timestamp": str(TIME + 9)},
        {"user_id": "anna"},
        {"user_id": "(not set)"},
        {"user_id": "boris", "user_pseudo_id": None},
    ).select(EVENTS.link_columns)
    found = EVENTS.to_links(frame.lazy(), Options()).collect()
    assert found.rows() == [("linked", "111.222", "anna", WHEN, "seen together")]


def test_links_of_words_that_are_no_ids():
    """What programs write for nothing stays, so that the link is refused and counted; what Google does is no id."""
    frame = rows(
        {"user_id": "undefined"}, {"user_id": "(not set)"}, {"user_id": "a", "user_pseudo_id": "null"}
    )
    found = EVENTS.to_links(frame.lazy(), Options()).collect()
    assert found.select("a", "b").rows() == [("111.222", "undefined"), ("null", "a")]


def test_links_of_fivetran():
    """Its table is linked alike, by its own column of time."""
    row = {"timestamp": "2024-04-03 08:00:05.347831", "user_id": "anna", "user_pseudo_id": "1.2"}
    frame = rows(row, table=FLAT, ordinary={}).select(FLAT.link_columns)
    assert FLAT.to_links(frame.lazy(), Options()).collect().rows() == [
        ("linked", "1.2", "anna", WHEN, "seen together")
    ]


def session(**row):
    """The `$session_id` of a row's event."""
    return extra(**row).get("$session_id")


def test_session():
    """Version 7 of the session's start; one browser's, before and after the login, and no other's."""
    row = {"event_params": params(ga_session_id=START)}
    found = uuid.UUID(session(**row))
    assert (found.version, found.int >> 80) == (7, START * 1000)
    later = row | {"event_timestamp": str(TIME + 3_600_000_000), "user_id": "anna"}
    assert session(**later) == str(found)
    assert session(**row, user_pseudo_id="333.444") != str(found)
    assert session(**row, stream_id="9") != str(found)
    assert session() is None


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(2315275013, id="future"),
        pytest.param(START - 90_000, id="old"),
        pytest.param("abc", id="text"),
    ],
)
def test_a_session_id_that_is_no_start(number):
    """Its events of a day are the session, beginning with the day, so that none comes before its start."""
    row = {"event_params": params(ga_session_id=number)}
    first, later, next_day = (
        session(**row, event_timestamp=str(TIME + hours * 3_600_000_000)) for hours in (0, 15, 20)
    )
    midnight = int(datetime(2024, 4, 3, tzinfo=UTC).timestamp() * 1000)
    assert uuid.UUID(first).int >> 80 == midnight
    assert first == later != next_day


def test_page():
    """The address taken apart, the title on page views."""
    seen = with_params(
        page_location="https://shop.example.com/a?x=1#y",
        page_title="Küche",
        page_referrer="https://www.google.com/",
    )["extra"]
    assert (seen["$current_url"], seen["$host"], seen["$pathname"]) == (
        "https://shop.example.com/a?x=1#y",
        "shop.example.com",
        "/a",
    )
    assert (seen["$referrer"], seen["$referring_domain"], seen["title"]) == (
        "https://www.google.com/",
        "www.google.com",
        "Küche",
    )


def test_no_referrer():
    """A page view without one came directly; another event says nothing about it."""
    url = {
        "event_params": params(page_location="https://shop.example.com/", page_referrer=None, page_title="T")
    }
    assert extra(**url)["$referrer"] == "$direct"
    assert extra(**url, event_name="scroll").keys().isdisjoint({"$referrer", "$referring_domain", "title"})


def test_host_without_an_address():
    """The device's record knows it, or the old event dimensions."""
    assert extra(device={"web_info": {"hostname": "a.example.com"}})["$host"] == "a.example.com"
    assert extra(event_dimensions={"hostname": "b.example.com"})["$host"] == "b.example.com"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({"firebase_screen": "Cart", "firebase_screen_class": "CartView"}, "Cart", id="name"),
        pytest.param({"firebase_screen_class": "CartView"}, "CartView", id="class"),
    ],
)
def test_screen(given, expected):
    """A screen has its name, else that of its class."""
    assert with_params(**given)["extra"]["$screen_name"] == expected


@pytest.mark.parametrize(
    ("device", "expected"),
    [
        pytest.param(
            {
                "category": "desktop",
                "mobile_brand_name": "Google",
                "mobile_model_name": "Chrome",
                "operating_system": "Macintosh",
                "operating_system_version": "Macintosh Intel 10.15",
                "web_info": {"browser": "Chrome", "browser_version": "123.0.6"},
            },
            ("Desktop", "Mac OS X", "10.15", "Chrome", 123.0, None, None),
            id="desktop-browser-is-no-model",
        ),
        pytest.param(
            {
                "category": "desktop",
                "mobile_brand_name": "Google",
                "mobile_model_name": "ChromeBook",
                "operating_system": "Web",
                "operating_system_version": "<Other>",
            },
            ("Desktop", None, None, None, None, "Google", "ChromeBook"),
            id="web-is-no-system",
        ),
        pytest.param(
            {
                "category": "mobile",
                "mobile_brand_name": "Samsung",
                "mobile_model_name": "SM-M426B",
                "operating_system": "Android",
                "operating_system_version": "Android 12",
                "browser": "Edge",
                "browser_version": "101",
            },
            ("Mobile", "Android", "12", "Microsoft Edge", 101.0, "Samsung", "SM-M426B"),
            id="phone",
        ),
        pytest.param(
            {"category": "tablet", "operating_system": "iOS"},
            ("Tablet", "iOS", None, None, None, None, None),
            id="tablet",
        ),
        pytest.param(
            {"category": "mobile", "operating_system": "iOS", "web_info": {"browser": "Safari"}},
            ("Mobile", "iOS", None, "Mobile Safari", None, None, None),
            id="browsers-have-other-names-on-ios",
        ),
        pytest.param(
            "{'category': 'tablet', 'web_info': None}",
            ("Tablet", None, None, None, None, None, None),
            id="python-text",
        ),
    ],
)
def test_device(device, expected):
    """In PostHog's spelling; what says nothing is left out."""
    seen = extra(device=device)
    names = (
        "$device_type",
        "$os",
        "$os_version",
        "$browser",
        "$browser_version",
        "$device_manufacturer",
        "$device_model",
    )
    assert tuple(seen.get(name) for name in names) == expected


def test_app():
    """An app and its phone."""
    seen = extra(
        app_info={"id": "com.example", "version": "2.3"},
        device={"mobile_marketing_name": "iPhone 13", "language": "de-de"},
    )
    assert (seen["$app_namespace"], seen["$app_version"]) == ("com.example", "2.3")
    assert (seen["$device_name"], seen["$browser_language"], seen["$device_id"]) == (
        "iPhone 13",
        "de-DE",
        "111.222",
    )


def test_place():
    """As Google resolved it, with the country's code; "(not set)" is no city."""
    seen = extra(geo={"continent": "Europe", "country": "Germany", "region": "Bavaria", "city": "(not set)"})
    assert {name: one for name, one in seen.items() if name.startswith("$geoip")} == {
        "$geoip_continent_name": "Europe",
        "$geoip_country_name": "Germany",
        "$geoip_country_code": "DE",
        "$geoip_subdivision_1_name": "Bavaria",
    }


def test_what_posthog_has_no_name_for_is_kept():
    """Fields of records, known and new, under the record's name; nested ones too, with their types."""
    event = one(
        device={"vendor_id": "v", "form_factor": "foldable", "time_zone_offset_seconds": "7200"},
        session_traffic_source_last_click={"manual_campaign": {"source": "x", "medium": None}},
        publisher={"ad_revenue_in_usd": 0.5},
        privacy_info={"analytics_storage": "Yes", "ads_storage": "(not set)"},
        is_active_user="true",
        event_value_in_usd="1.5",
    )
    assert event["properties"] == {
        "ga_device_vendor_id": "v",
        "ga_device_form_factor": "foldable",
        "ga_device_time_zone_offset_seconds": 7200,
        "ga_session_traffic_source_last_click_manual_campaign_source": "x",
        "ga_publisher_ad_revenue_in_usd": 0.5,
        "ga_privacy_info_analytics_storage": "Yes",
    }
    kept = {name: one for name, one in event["extra"].items() if name.startswith("ga_")}
    assert kept == {
        "ga_event_date": "20240403",
        "ga_event_value_in_usd": 1.5,
        "ga_is_active_user": True,
        "ga_stream_id": "3206",
    }


def test_a_record_that_is_none_is_kept_as_it_is():
    """Nothing is lost where someone wrote something else into the column."""
    for text in ("Berlin", "[1]", "7"):
        assert one(geo=text)["properties"] == {"ga_geo": text}


def utm(event):
    """Campaign properties, wherever they stand."""
    both = (event["properties"] or {}) | event["extra"]
    return {name: one for name, one in both.items() if name.startswith(("utm_", "gclid", "ga_collected"))}


def test_campaign_of_the_event():
    """A tagged link's parameters, and clicks."""
    record = {
        "manual_source": "news",
        "manual_medium": "email",
        "manual_campaign_name": "may",
        "manual_campaign_id": "7",
        "gclid": "g",
    }
    assert utm(one(collected_traffic_source=record)) == {
        "utm_source": "news",
        "utm_medium": "email",
        "utm_campaign": "may",
        "utm_id": "7",
        "gclid": "g",
    }


def test_a_guess_is_no_campaign():
    """What Google made of the referrer is kept apart, here and among the parameters."""
    record = {"manual_source": "google", "manual_medium": "organic", "manual_campaign_name": "(organic)"}
    event = one(collected_traffic_source=record, event_params=params(source="google", medium="organic"))
    assert utm(event) == {
        "ga_collected_source": "google",
        "ga_collected_medium": "organic",
        "ga_collected_campaign": "(organic)",
    }
    assert EVENTS.rename["source"] == "ga_source"


def test_campaign_of_the_address():
    """Where there is no record of it, as in older exports, the address has it."""
    assert utm(with_params(page_location="https://a.example.com/?utm_source=url&gclid=g%201")) == {
        "utm_source": "url",
        "gclid": "g 1",
    }


@pytest.mark.parametrize(
    "row",
    [
        pytest.param({"event_params": params(gclid="own")}, id="parameter"),
        pytest.param({"_rest": '{"gclid":"own"}'}, id="column"),
        pytest.param({"collected_traffic_source": {"gclid": "own"}}, id="record"),
    ],
)
def test_a_campaign_that_the_row_tells_stands_before_that_of_the_address(row):
    """The address only says what nothing else does."""
    address = params(page_location="https://a.example.com/?gclid=url&fbclid=f&utm_source=&utm_source=x")
    event = one(**row | {"event_params": address + row.get("event_params", [])})
    seen = (event["properties"] or {}) | event["extra"]
    assert {name: seen[name] for name in ("gclid", "fbclid", "utm_source")} == {
        "gclid": "own",
        "fbclid": "f",
        "utm_source": "x",
    }
    assert ("gclid" in event["extra"]) == ("collected_traffic_source" in row)


def snapshots(*given, table=EVENTS, ordinary=None, **options):
    """What rows say of whole persons, objects decoded."""
    frame = opened(table, rows(*given, table=table, ordinary=ordinary), Options(**options))
    found = table.to_profiles(frame.lazy(), Options(**options)).collect()
    assert found.schema == schemas.PROFILE_SCHEMA
    decode = {name: lambda text: json.loads(text) if text else None for name in ("set", "set_once")}
    return [row | {name: read(row[name]) for name, read in decode.items()} for row in found.to_dicts()]


def first(**record):
    """What `traffic_source` sets once."""
    return next((one["set_once"] for one in snapshots({"traffic_source": record})), None)


def test_first_touch_is_of_the_user():
    """It is set once, as part of the person's last state, and never shown as the event's."""
    row = {
        "traffic_source": {"source": "news", "medium": "email", "name": "may"},
        "user_first_touch_timestamp": str(TIME),
    }
    (person,), event = snapshots(row), one(**row)
    assert person["set_once"] == {
        "$initial_utm_source": "news",
        "$initial_utm_medium": "email",
        "$initial_utm_campaign": "may",
        "ga_first_source": "news",
        "ga_first_medium": "email",
        "ga_first_campaign": "may",
        "ga_first_touch_timestamp": "2024-04-03T08:00:05.347831Z",
    }
    assert (utm(event), event["set_once"]) == ({}, None)


def test_snapshots_of_users():
    """Of all events the last tells what a user is worth; rows of intraday tables, which do not, yield to others."""
    worth, came = {"revenue": "12.5", "currency": "EUR"}, str(TIME - 7)
    told = snapshots(
        {"user_ltv": worth, "user_id": "anna", "user_first_touch_timestamp": came},
        {"user_first_touch_timestamp": came},
        {"user_pseudo_id": None, "user_ltv": worth},
        {"event_timestamp": "soon", "user_ltv": worth},
        {},
    )
    assert [(row["distinct_id"], row["timestamp"], row["set"]) for row in told] == [
        ("anna", WHEN, {"ga_user_ltv_revenue": 12.5, "ga_user_ltv_currency": "EUR"}),
        ("111.222", WHEN - timedelta(microseconds=7), None),
    ]
    assert all(row["set_once"] == {"ga_first_touch_timestamp": "2024-04-03T08:00:05.347824Z"} for row in told)


@pytest.mark.parametrize("parts", [[5], [2, 3], [1, 1, 3]], ids=str)
def test_the_same_events_in_any_files_are_the_same(tmp_path, parts):
    """Nothing depends on what stood before a row in its file: the person ends as the last event says."""
    given = [("pro", 0), ("pro", 3), ("free", 2), ("free", 1), ("pro", 4)]
    lines = [
        json.dumps(
            ORDINARY
            | {"event_timestamp": str(TIME + n), "user_properties": params(plan=plan)}
            | {"user_ltv": {"revenue": str(n)}, "event_params": []}
        )
        for plan, n in given
    ]
    (tmp_path / "in").mkdir()
    for number, size in enumerate(parts):
        text = "\n".join(lines[:size]) + "\n"
        (tmp_path / f"in/{number}.jsonl").write_text(text)
        del lines[:size]
    command = ["plan", "ga4", str(tmp_path / "in"), "--workdir", str(tmp_path / "w"), "--quiet"]
    assert CliRunner().invoke(cli, command).exit_code == 0
    texts = [
        t for part in (tmp_path / "w").glob("days/*/*.parquet") for t in pl.read_parquet(part)["payload"]
    ]
    found = [json.loads(text.rstrip(",")) for text in texts]
    sets = sorted((e["timestamp"], e["event"], e["properties"]["$set"]) for e in found)
    moments = [f"2024-04-03T08:00:05.34783{n}Z" for n in range(1, 6)]
    plans = ["pro", "free", "free", "pro", "pro"]
    told = [(at, "$pageview", {"plan": plan}) for at, plan in zip(moments, plans, strict=True)]
    assert sets == sorted([*told, (moments[-1], "$set", {"ga_user_ltv_revenue": 4})])


@pytest.mark.parametrize(
    "record",
    [
        pytest.param({"source": "google", "medium": "organic", "name": "(organic)"}, id="search"),
        pytest.param({"source": "(direct)", "medium": "(none)", "name": "(direct)"}, id="direct"),
        pytest.param({"source": "x.example.com", "medium": "referral", "name": "(referral)"}, id="referral"),
    ],
)
def test_first_touch_without_a_campaign(record):
    """Google's guesses are kept, and no campaign."""
    names = {"source": "source", "medium": "medium", "name": "campaign"}
    assert first(**record) == {f"ga_first_{names[name]}": one for name, one in record.items()}


def test_first_touch_deleted():
    """What Google has deleted or hides says nothing."""
    assert first(source="(data deleted)", medium="<Other>", name="(not set)") is None


@pytest.mark.parametrize(
    ("name", "given", "ecommerce", "expected"),
    [
        pytest.param(
            "purchase",
            {"value": 59.7},
            {"purchase_revenue": 60.0, "purchase_revenue_in_usd": 64.0},
            (59.7, 64.0),
            id="the-parameter-is-exact",
        ),
        pytest.param("purchase", {"value": 5}, None, (5.0, None), id="whole"),
        pytest.param("purchase", {}, {"purchase_revenue": "60.5"}, (60.5, None), id="record-alone"),
        pytest.param(
            "refund", {}, {"refund_value": 10.0, "refund_value_in_usd": 11.0}, (-10.0, -11.0), id="refund"
        ),
        pytest.param("refund", {"value": 10.0}, None, (-10.0, None), id="refund-by-parameter"),
        pytest.param(
            "add_to_cart", {"value": 5.0}, {"purchase_revenue": 5.0}, (None, None), id="a-cart-is-no-revenue"
        ),
    ],
)
def test_revenue(name, given, ecommerce, expected):
    """Only purchases and refunds have any."""
    seen = extra(event_name=name, event_params=params(**given), ecommerce=ecommerce)
    assert (seen.get("revenue"), seen.get("revenue_usd")) == expected


@pytest.mark.parametrize(
    ("own", "other", "expected"),
    [
        pytest.param(7565397217, "397217", ("7565397217", "397217"), id="they-differ"),
        pytest.param("t-1", "t-1", ("t-1", None), id="same"),
        pytest.param("t-1", "(not set)", ("t-1", None), id="not-set"),
        pytest.param(None, "t-2", ("t-2", None), id="record-alone"),
        pytest.param(None, "(not set)", (None, None), id="none"),
    ],
)
def test_transaction_id(own, other, expected):
    """The site's own counts, as text; Google's is kept where it differs."""
    seen = extra(event_params=params(transaction_id=own), ecommerce={"transaction_id": other})
    assert (seen.get("transaction_id"), seen.get("ga_ecommerce_transaction_id")) == expected


def test_items():
    """A list of objects, numbers as numbers, without "(not set)"; their own parameters among their fields."""
    item = {
        "item_id": "0815",
        "item_name": "Gießkanne",
        "quantity": "3",
        "price": 19.9,
        "item_brand": "(not set)",
        "coupon": "",
    }
    event = one(items=[item | {"item_params": params(colour="grün", item_id="other")}, {"item_id": "2"}])
    assert event["properties"] == {
        "items": [
            {"item_id": "0815", "item_name": "Gießkanne", "quantity": 3, "price": 19.9, "colour": "grün"},
            {"item_id": "2"},
        ]
    }
    assert one(items=[])["properties"] is None


def told(*pairs):
    """User properties: key, value, when it was set."""
    return [{"key": name, "value": value(one) | {"set_timestamp_micros": when}} for name, one, when in pairs]


def test_user_properties():
    """With their types, the last one set of each."""
    properties = told(
        ("plan", "free", 1),
        ("plan", "pro", "3"),
        ("plan", "old", 2),
        ("n", 3, 1),
        ("x", 0.5, None),
        ("none", None, 9),
    )
    assert one(user_properties=properties)["set"] == {"plan": "pro", "n": 3, "x": 0.5}


def test_dedup_key_without_a_place_in_the_batch():
    """The tuple, and all parameters and items: two clicks of one bundle and time are two."""
    row = {"event_bundle_sequence_id": "41", "event_params": params(a=1, b="x")}
    assert key(**row) == key(**row, traffic_source={"source": "x"}, user_ltv={"revenue": 1}, user_id="anna")
    for other in (
        {"event_params": params(a=2, b="x")},
        {"items": [{"item_id": "1"}]},
        {"event_bundle_sequence_id": "42"},
        {"user_pseudo_id": "3.4"},
        {"event_timestamp": str(TIME + 1)},
        {"stream_id": "1"},
        {"event_name": "click"},
    ):
        assert key(**(row | other)) != key(**row)


def test_dedup_key_is_the_same_in_every_format():
    """Text or number, nulls spelled out or left out, in any order."""
    extract = [
        {"key": "b", "value": {"string_value": "x"}},
        {"key": "n", "value": {}},
        {"key": "a", "value": {"int_value": "1"}},
        {"key": "d", "value": {"double_value": 3}},
    ]
    item = {"item_id": "1", "quantity": 2, "price": 3.0, "coupon": None}
    other = {"quantity": "2", "item_id": "1", "price": 3}
    parquet = key(event_params=params(a=1, b="x", d=3.0), items=[item])
    assert key(event_params=extract, items=[other]) == parquet


PLACE = {"batch_page_id": 9, "batch_ordering_id": 1, "batch_event_index": 2}
TABLES_OF_A_DAY = {
    "events_20240403": PLACE,
    "events_intraday_20240403": {},
    "events_fresh_20240403": dict.fromkeys(PLACE),
    "events_decimal_20240403": {name: float(number) for name, number in PLACE.items()},
    "events_partly_20240403": {"batch_page_id": 9, "batch_ordering_id": None},
}
"""What each says of the place in the batch."""


def uuids(folder):
    """The distinct uuids of what the files of a folder come to, as they are planned; and how many events are."""
    planned = folder / "w"
    done = CliRunner().invoke(cli, ["plan", "ga4", str(folder / "in"), "--workdir", str(planned), "--quiet"])
    assert done.exit_code == 0, done.output
    days = [pl.read_parquet(part) for part in planned.glob("days/*/*.parquet")]
    found = pl.concat(days).filter(pl.col("event") == "$pageview")["uuid"]
    return found.n_unique(), found.len()


@pytest.mark.parametrize("form", ["jsonl", "parquet", "fivetran", "unnested", "flattener"])
def test_one_event_in_all_tables_of_a_day(tmp_path, form):
    """Whether the columns of the batch are there, null or absent, of any type; twins of other parameters stay two."""
    (tmp_path / "in").mkdir()
    for name, place in TABLES_OF_A_DAY.items():
        path = tmp_path / "in" / f"{name}.{form}"
        listed = [params(n=n, batch_page_id=9, batch_ordering_id=1) for n in (1, 2)]
        row = ORDINARY | place | {"event_bundle_sequence_id": "41"}
        if form in {"jsonl", "parquet"}:
            given = [row | {"event_params": one} for one in listed]
            if "intraday" not in name:  # which lacks what is attributed to users and sessions
                given = [one | {"traffic_source": {"source": "x"}} for one in given]
        elif form == "fivetran":
            given = [row | {"param_n": n, "param_batch_page_id": 9} for n in (1, 2)]
            if "intraday" not in name:
                given = [one | {"session_traffic_source_last_click_manual_campaign_id": "7"} for one in given]
        elif form == "unnested":
            place_ = [{"batch_event_index": n} if "batch_event_index" in place else {} for n in (1, 2)]
            given = [
                row | {"event_timestamp": str(TIME + n), "key": key, "int_value": value} | place_[n - 1]
                for n in (1, 2)
                for key, value in (("n", n), ("batch_page_id", 9))
            ]
        else:
            ids = [
                f"3206.111.222.page_view.{TIME}.41.{'.'.join(map(str, place.values()))}.{n}" for n in (1, 2)
            ]
            given = [ORDINARY | {"event_id": one, "event_bundle_sequence_id": "41"} for one in ids]
            keyed = [
                {"event_id": one, "event_params_key": "n", "event_params_int_value": str(n)}
                for n, one in enumerate(ids, 1)
            ]
            (tmp_path / "in" / f"flat_event_params_{name}.jsonl").write_text(
                "\n".join(map(json.dumps, keyed))
            )
        if form == "parquet":
            pq.write_table(pa.Table.from_pylist(given), path)
        else:
            path.with_suffix(".jsonl").write_text("\n".join(map(json.dumps, given)))
    assert uuids(tmp_path) == (2, 2 * len(TABLES_OF_A_DAY))


@pytest.mark.parametrize(
    ("column", "given"),
    [
        ("event_params", params(n=7)),
        ("user_properties", params(plan="pro")),
        ("items", [{"item_id": "1", "item_params": params(c="x")}]),
        ("device", {"category": "mobile", "web_info": {"browser": "Chrome"}}),
        ("geo", {"country": "France", "metro": "m"}),
        ("ecommerce", {"transaction_id": "t", "unique_items": 2}),
        ("user_ltv", {"revenue": 3.0}),
    ],
)
def test_a_cell_wrapped_in_its_own_name(column, given):
    """`{"event_params":[…]}` in the column event_params is the list itself; so are records, in any case of letters."""
    plain = one(**{column: given})
    for wrapped in ({column: given}, {column.upper(): given}, str({column: given})):
        assert one(**{column: wrapped}) == plain
    assert one(**{column: {column: None}}) == one()
    assert plain != one() or column == "user_ltv"


def test_what_is_named_like_its_column_is_not_unwrapped():
    """A parameter of that name in a plain object, and an object with more in it, stay as they are."""
    assert one(event_params={"event_params": 7})["properties"] == {"event_params": 7}
    assert one(event_params={"event_params": "a", "b": 1})["properties"] == {"event_params": "a", "b": 1}


def test_apps_do_not_put_their_session_on_the_person():
    """Firebase lists it among the user's properties, too: it is the event's, whose parameters have it."""
    number = {"ga_session_id": START, "ga_session_number": 4}
    of_user = params(plan="pro", **number, _sid=START, _sno=4, session_engaged="1")
    event = one(platform="ANDROID", event_params=params(**number), user_properties=of_user)
    assert event["set"] == {"plan": "pro"}
    assert event["properties"]["ga_session_number"] == 4
    assert uuid.UUID(event["extra"]["$session_id"]).int >> 80 == START * 1000
    assert one(user_properties=params(**number))["set"] is None
    text = json.dumps(of_user)
    (flat,) = mapped({"user_properties": text}, table=FLAT)
    assert flat["set"] == {"plan": "pro"}


def test_flat_columns():
    """Fields of records, parameters and Fivetran's names, each under the name it has in the nested table."""
    rest = {
        "param_percent_scrolled": "90",
        "param_colour": "grün",
        "param_ga_session_id": str(START),
        "param_value": "007",
        "geo_metro": "(not set)",
        "device_vendor_id": "v",
        "mine": "param_x",
    }
    row = {
        "name": "scroll",
        "timestamp": "2024-04-03 08:00:05.347831",
        "date": "2024-04-03",
        "value_in_usd": "1.5",
        "user_pseudo_id": "1.2",
        "device_category": "mobile",
        "device.web_info.browser": "Edge",
        "geo_country": "Germany",
        "traffic_source_source": "(direct)",
        "traffic_source_name": "(not set)",
        "user_ltv_revenue": "2",
        REST: json.dumps(rest, separators=(",", ":")),
    }
    (event,) = mapped(row, table=FLAT, ordinary={})
    assert (event["event"], event["timestamp"], event["distinct_id"]) == ("scroll", WHEN, "1.2")
    assert event["properties"] == {
        "percent_scrolled": 90,
        "colour": "grün",
        "ga_session_id": str(START),
        "value": "007",
        "ga_device_vendor_id": "v",
        "mine": "param_x",
    }
    seen = event["extra"]
    assert (seen["$device_type"], seen["$browser"], seen["$geoip_country_code"], seen["ga_event_date"]) == (
        "Mobile",
        "Microsoft Edge",
        "DE",
        "20240403",
    )
    assert uuid.UUID(seen["$session_id"]).int >> 80 == START * 1000
    (person,) = snapshots(row, table=FLAT, ordinary={})
    assert (person["timestamp"], person["set"], person["set_once"]) == (
        WHEN,
        {"ga_user_ltv_revenue": 2.0},
        {"ga_first_source": "(direct)"},
    )


def test_flat_times_are_in_the_zone_the_user_gives():
    """Where someone made text of them; microseconds are UTC."""
    texts = mapped(
        {"timestamp": "2024-04-03 08:00:05"},
        table=FLAT,
        ordinary={"name": "e"},
        source_timezone="Europe/Berlin",
    )
    micros = mapped({}, source_timezone="Europe/Berlin")
    assert (texts[0]["timestamp"].hour, micros[0]["timestamp"].hour) == (6, 8)


def test_a_header_given_twice(tmp_path):
    """Fivetran writes `param_session_engaged` twice, and both come through."""
    names = "name,timestamp,date,user_pseudo_id,param_session_engaged,param_session_engaged"
    data = f"{names}\ne,2024-04-03 08:00:00,2024-04-03,1.2,true,0\n".encode()
    found = read(tmp_path / "event.csv", data, given=FLAT)
    (event,) = mapped(*found.rows, table=FLAT, ordinary={})
    assert event["properties"] == {"session_engaged": "true", "session_engaged_2": "0"}


def recovered(table, *given, ordinary=None):
    """What rows of a table tell others: by key, a JSON object each."""
    frame = table.to_recoveries(
        rows(*given, table=table, ordinary=ordinary or {}).lazy(), Options()
    ).collect()
    found = {}
    for owner, name, one in frame.rows():
        found.setdefault(owner, {})[name] = one
    return {owner: json.dumps(names) for owner, names in found.items()}


def test_one_row_a_parameter():
    """Every row of an event makes the same event, with all parameters and their types."""
    given = [
        {"key": "page_location", "string_value": "https://a.example.com/"},
        {"key": "ga_session_id", "int_value": str(START)},
        {"key": "share", "double_value": "0.5"},
        {"key": "n", "int_value": "7"},
        {"key": "zip", "string_value": "01234"},
    ]
    (told_by,) = recovered(ROWS, *given, ordinary=ORDINARY).items()
    frame = rows(*(row | {RECOVERED: told_by[1]} for row in given), {"event_name": "bare"}, table=ROWS)
    assert frame.select(ROWS.recover).to_series().to_list()[:5] == [told_by[0]] * 5
    found = decoded(ROWS.to_events(frame.lazy(), Options()).collect())
    assert {event["dedup_key"] for event in found[:5]} == {found[0]["dedup_key"]}
    assert found[0]["properties"] == {
        "page_location": "https://a.example.com/",
        "ga_session_id": str(START),
        "share": 0.5,
        "n": 7,
        "zip": "01234",
    }
    assert uuid.UUID(found[3]["extra"]["$session_id"]).int >> 80 == START * 1000
    assert found[5]["properties"] is None
    found = [one.rows for one in marked([Chunk(frame[:2], []), Chunk(frame[2:], [])], ROWS.neighbours)]
    again = holds(ROWS.filters["row_of_same_event"], pl.concat(found))
    assert again == [False, True, True, True, True, False]


@pytest.mark.parametrize(
    "odd",
    [
        *({"event_timestamp": time} for time in (None, "", "soon", "(not set)", "1.71248E+15")),
        *({"event_name": name} for name in (None, "", " ", "$feature_flag", "e" * 101, "caf\ufffd")),
        *({who: of} for who in ("user_id", "user_pseudo_id") for of in ("u" * 101, "\ufffd")),
    ],
    ids=str,
)
def test_a_row_that_may_be_rejected_stands_for_no_other(odd):
    """All rows of a rejected event are rejects; where the first row alone is odd, the next one is the event."""
    same = {"event_id": "e1", "key": "a", "string_value": "x"}
    (chunk,) = marked([Chunk(rows(same | odd, same | odd, same, same, table=ROWS), [])], ROWS.neighbours)
    assert holds(ROWS.filters["row_of_same_event"], chunk.rows) == [False, False, False, True]


@pytest.mark.parametrize(
    ("prefix", "at"),
    [
        pytest.param("event_params.", "event_params.value.", id="dots"),
        pytest.param("event_params_", "event_params_value_", id="legacy"),
        pytest.param("", "value.", id="alias"),
    ],
)
def test_spellings_of_a_parameter_row(prefix, at):
    """The console, legacy SQL and people name the columns in their own ways."""
    columns = [*ORDINARY, f"{prefix}key", f"{at}string_value"]
    assert MAPPING.table_for(columns).name == "parameter_rows"
    assert list(
        recovered(ROWS, {f"{prefix}key": "a", f"{at}string_value": "x"}, ordinary=ORDINARY).values()
    ) == ['{"params:text:a": "x"}']


def test_the_flattener():
    """Parameters, user properties and items of the flattener's tables come back to their event."""
    key_values = [
        {"event_id": "e1", "event_params_key": "n", "event_params_value": "7", "event_params_int_value": "7"},
        {"event_id": "e1", "event_params_key": "value", "event_params_value": "3"},
        {"event_id": "e1", "event_params_key": "share", "event_params_value": "0.5"},
        {
            "event_id": "e1",
            "event_params_key": "zip",
            "event_params_value": "01234",
            "event_params_string_value": "01234",
        },
    ]
    of_user = {"event_id": "e1", "user_properties_key": "plan", "user_properties_value": "pro"}
    items = [
        {"event_id": "e1", "items_item_id": one, "items_quantity": "2", "items_coupon": "(not set)"}
        for one in ("a", "a", "b")
    ]
    told_by = {}
    for table, given in (
        ("flat_event_params", key_values),
        ("flat_user_properties", [of_user]),
        ("flat_items", items),
    ):
        told_by |= json.loads(recovered(TABLES[table], *given)["e1"])
    (event,) = mapped({"event_id": "e1", RECOVERED: json.dumps(told_by)}, table=FLAT)
    assert event["set"] == {"plan": "pro"}
    assert event["properties"] == {"n": 7, "value": 3, "share": 0.5, "zip": "01234"} | {
        "items": [
            {"item_id": "a", "quantity": 2},
            {"item_id": "a", "quantity": 2},
            {"item_id": "b", "quantity": 2},
        ]
    }


def test_joined_rows_make_no_event():
    """They are counted under their rule."""
    for name in ("flat_event_params", "flat_user_properties", "flat_items"):
        frame = rows({"event_id": "e"}, table=TABLES[name], ordinary={})
        assert holds(TABLES[name].filters["joined_to_its_event"], frame) == [True]
        assert TABLES[name].to_events(frame.lazy(), Options()).collect().height == 0


def test_users():
    """Each user as known at the end of the day; what was first is set once."""
    row = {
        "user_id": "anna",
        "last_updated_date": "20240404",
        "user_info": {
            "last_active_timestamp_micros": str(TIME),
            "user_first_touch_timestamp_micros": TIME,
            "first_purchase_date": "20240403",
        },
        "user_ltv": {"sessions": "2", "revenue_in_usd": 1.5},
        "audiences": [{"id": 12, "name": "Käufer"}, {"id": 13}],
        "user_properties": [
            {"key": "slot_1", "value": {"string_value": "pro", "user_property_name": "plan"}}
        ],
        "predictions": {"churn_score_7d": 0.25},
    }
    frame = rows(row, {"pseudo_user_id": "1.2", "user_info": {}, "user_ltv": {}}, table=USERS, ordinary={})
    (profile,) = USERS.to_profiles(frame.lazy(), Options()).collect().to_dicts()
    assert (profile["distinct_id"], profile["timestamp"]) == ("anna", datetime(2024, 4, 5, tzinfo=UTC))
    assert json.loads(profile["set"]) == {
        "ga_last_active_timestamp": "2024-04-03T08:00:05.347831Z",
        "ga_user_info_first_purchase_date": "20240403",
        "ga_user_ltv_sessions": 2,
        "ga_user_ltv_revenue_in_usd": 1.5,
        "ga_predictions_churn_score_7d": 0.25,
        "ga_audiences": ["Käufer", "13"],
        "plan": "pro",
    }
    assert json.loads(profile["set_once"]) == {"ga_first_touch_timestamp": "2024-04-03T08:00:05.347831Z"}


@pytest.mark.parametrize(
    ("columns", "table"),
    [
        pytest.param(
            ["event_date", "event_timestamp", "event_name", "event_params", "device"], "events", id="nested"
        ),
        pytest.param(
            ["event_timestamp", "event_name", "event_params", "device_category", "user_pseudo_id"],
            "flat_events",
            id="mixed",
        ),
        pytest.param(
            ["name", "timestamp", "date", "user_pseudo_id", "param_source"], "flat_events", id="fivetran"
        ),
        pytest.param(
            ["event_id", "event_name", "event_timestamp", "device_category"], "flat_events", id="flattener"
        ),
        pytest.param(
            ["event_id", "event_params_key", "event_params_value"], "flat_event_params", id="its-params"
        ),
        pytest.param(["event_id", "items_item_id"], "flat_items", id="its-items"),
        pytest.param(["event_id", "user_properties_key"], "flat_user_properties", id="its-properties"),
        pytest.param(["EVENT_NAME", "event_timestamp", "key", "string_value"], "parameter_rows", id="unnest"),
        pytest.param(["pseudo_user_id", "user_info", "user_ltv"], "user_data", id="users"),
        pytest.param(["fullVisitorId", "visitId", "hits"], "universal_analytics", id="universal"),
        pytest.param(["# ----------------------------------------"], "report", id="report"),
        pytest.param(["name", "price"], None, id="something-else"),
    ],
)
def test_tables_are_told_apart(columns, table):
    """By their columns alone."""
    found = MAPPING.table_for(columns)
    assert (found and found.name) == table


@pytest.mark.parametrize("name", ["universal_analytics", "report"])
def test_refusals_say_what_to_export(name):
    """What holds no events is refused with a way out."""
    assert "events_YYYYMMDD" in TABLES[name].refusal


FILES = sorted(path for path in SAMPLE.rglob("*") if path.is_file())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_field_of_the_sample_is_carried_or_dropped_by_name(path):
    """Every leaf of every readable row is a property, a part of one, or says nothing."""
    table = claimed(MAPPING.table_for(read_header(source(path)).columns, path.stem), Options())
    found = read(path, given=table)
    if table.to_events is events.none:
        return
    schema = dict.fromkeys(found.rows[0], pl.String) | {ROW: pl.Int64}
    frame = pl.DataFrame(found.rows, schema=schema)
    more = (pl.lit(None, dtype).alias(name) for name, dtype in FRAMEWORK.items() if name not in schema)
    made = table.to_events(frame.with_columns(more).lazy(), Options()).collect()
    made = decoded(made.filter(pl.col("properties").str.starts_with("{").fill_null(value=True)))
    names = {name for event in made for name in event["properties"] or {}}
    for row in frame.filter(pl.col(ROW).is_in([event[ROW] for event in made])).to_dicts():
        given = {name for name, one in json.loads(row[REST] or "{}").items() if one not in nulls.NOTHING}
        expected = {table.rename.get(name, name) for name in given}
        assert {name for name in expected if name.removeprefix("ga_") not in names} - names == set()
        if table is EVENTS and path.suffix != ".csv":
            keys = {
                pair["key"]
                for pair in json.loads(row["event_params"] or "[]")
                if any(one is not None for one in (pair["value"] or {}).values())
            }
            assert keys - names == set()
