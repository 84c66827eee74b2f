"""The Segment mapping, behaviour by behaviour; what it shares with RudderStack's is tested here."""

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from frames import made_of, opened, sent, told
from samples import recognised

from mappings.segment import MAPPING
from migrate.cli.commands import cli
from migrate.inputs.listing import sources
from migrate.kit import schemas
from migrate.kit.declare import FILE, RECOVERED, REST, ROW, Options
from migrate.kit.schemas import FRAMEWORK
from migrate.readers.headers import read_header

SAMPLE = Path(__file__).parents[2] / "sample_data" / "segment"
TABLES = {table.name: table for table in MAPPING.tables}
MESSAGES = TABLES["messages"]
TIME = "2024-04-03T12:00:00.123Z"
DEVICE = ("$device_id", "a-1")
NOON = datetime(2024, 4, 3, 12, 0, 0, 123000, tzinfo=UTC)
DEFAULTS = {
    "messages": {
        "type": "track",
        "event": "Search",
        "userId": "anna",
        "anonymousId": "a-1",
        "timestamp": TIME,
    },
    "tracks": {
        "event": "search",
        "event_text": "Search",
        "user_id": "anna",
        "timestamp": TIME,
        FILE: "tracks",
    },
}
CHROME = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/123.0.0.0"
)
PIXEL = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/123.0.0.0 Mobile"
)


def rows(*given, table="messages"):
    """A frame of rows as the reader delivers them: objects as JSON text, what is not given null."""
    defaults = DEFAULTS.get(table, {"user_id": "anna", "timestamp": TIME, FILE: table})
    full = [defaults | row | {ROW: place} for place, row in enumerate(given, 1)]
    lines = [{name: json.dumps(v) if isinstance(v, dict) else v for name, v in row.items()} for row in full]
    return pl.DataFrame(lines, schema=dict(TABLES[table].columns) | dict(FRAMEWORK))


def whole(*given, table="messages", **options):
    """Rows with what is in their objects."""
    return opened(TABLES[table], rows(*given, table=table), Options(**options))


def decoded(event):
    """An event with its objects decoded, without nulls and `DEVICE`; `properties` are all that the source says."""
    known = (event["extra"] or {}).items()
    event["extra"] = {name: value for name, value in known if value is not None and (name, value) != DEVICE}
    event["groups"] = {name: value for name, value in (event["groups"] or {}).items() if value is not None}
    event["properties"] = told(event)
    for name in ("set", "set_once"):
        event[name] = json.loads(event[name]) if event[name] else None
    return event


def mapped(*given, table="messages", **options):
    """The events of the rows, in their order."""
    read = whole(*given, table=table, **options)
    frame = TABLES[table].to_events(read.lazy(), Options(**options)).collect()
    assert schemas.schema_errors(frame.schema) == []
    return [decoded(event) for event in frame.to_dicts()]


def one(table="messages", **row):
    """The only event of one row."""
    (event,) = mapped(row, table=table)
    return event


def extra(**row):
    """The computed properties of one message."""
    return one(**row)["extra"]


def seen(**context):
    """The computed properties of a message with this context."""
    return extra(context=context)


def left(**context):
    """What of a message's context is passed on under its own name."""
    return one(context=context)["properties"]


def filtered(name, *given, table="messages", **options):
    """For each row, whether a filter of the table holds."""
    rule = TABLES[table].filters[name]
    predicate = rule if isinstance(rule, pl.Expr) else rule(Options(**options))
    read = whole(*given, table=table, **options)
    return read.select(predicate.fill_null(value=False)).to_series().to_list()


def linked(*given, table="messages"):
    """The links of the rows: kind, the two ids, the hour and why; only the columns are there that links look at."""
    declared = TABLES[table]
    frame = rows(*given, table=table).select(ROW, *declared.link_columns)
    found = declared.to_links(frame.lazy(), Options()).collect()
    return [(kind, a, b, time and time.hour, why) for kind, a, b, time, why in found.iter_rows()]


def grouped(*given, table="messages", **options):
    """What the rows tell of groups."""
    read = whole(*given, table=table, **options)
    frame = TABLES[table].to_groups(read.lazy(), Options(**options)).collect()
    assert frame.schema == schemas.GROUP_SCHEMA
    return frame.to_dicts()


def test_a_plain_message():
    """Name, person, time and the event's own properties pass on as they are."""
    event = one(properties={"term": "Gießkanne", "n": 1}, channel="client", _rest='{"plan":["a"]}')
    assert (event["event"], event["distinct_id"], event["timestamp"]) == ("Search", "anna", NOON)
    assert event["properties"] == {"term": "Gießkanne", "n": 1, "plan": ["a"]}
    assert event["extra"] == {"channel": "client"}
    assert event["set"] is None
    assert event["uuid"] is None


def test_the_channel_of_a_message_yields_to_a_property_of_that_name():
    """As all that stands at the root of a message does."""
    channel = [{"channel": "web", "properties": {"channel": own}} for own in ("mail", "", 5, None)]
    assert [bag["channel"] for bag in sent(MESSAGES, rows(*channel))] == ["mail", "", 5, "web"]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        pytest.param({}, 12, id="timestamp"),
        pytest.param({"timestamp": "2024-04-03 12:00:00"}, 12, id="naive-is-utc"),
        pytest.param({"timestamp": "2024-04-03T17:30:00.000+05:30"}, 12, id="zone"),
        pytest.param({"timestamp": "2024-04-03 12:00:00.5 UTC"}, 12, id="bigquery"),
        pytest.param({"originalTimestamp": "2024-04-03T07:00:00Z"}, 12, id="timestamp-first"),
        pytest.param({"timestamp": None, "originalTimestamp": "2024-04-03T07:00:00Z"}, 7, id="absent"),
        pytest.param(
            {"timestamp": "soon", "originalTimestamp": "2024-04-03T07:00:00Z"}, None, id="unreadable"
        ),
        pytest.param(
            {"timestamp": None, REST: '{"receivedAt":"2024-04-03T09:00:00Z"}'}, None, id="never-received"
        ),
    ],
)
def test_time(times, expected):
    """`timestamp` is the time; the device's own stands in where there is none, never when it was received."""
    timestamp = one(**times)["timestamp"]
    assert (timestamp and timestamp.hour) == expected


def test_naive_times_may_be_of_another_zone():
    """A warehouse client that wrote local time is put right by --source-timezone; a zone in the text counts more."""
    naive, zoned = mapped({"timestamp": "2024-04-03 12:00:00"}, {}, source_timezone="Europe/Berlin")
    assert (naive["timestamp"].hour, zoned["timestamp"].hour) == (10, 12)


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        pytest.param({}, "anna", id="user"),
        pytest.param({"userId": None}, "a-1", id="anonymous"),
        pytest.param({"userId": " "}, "a-1", id="blank"),
        pytest.param({"userId": "null"}, "a-1", id="null-as-text"),
        pytest.param({"userId": None, "anonymousId": None}, None, id="neither"),
    ],
)
def test_person(ids, expected):
    """The user, else the anonymous id; with neither there is no one, and the framework rejects the row."""
    assert one(**ids)["distinct_id"] == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        pytest.param({"type": "page"}, "$pageview", id="page"),
        pytest.param({"type": "Screen"}, "$screen", id="screen"),
        pytest.param({"type": "identify"}, "$set", id="identify"),
        pytest.param({"type": "track"}, "Search", id="track"),
        pytest.param({"type": "delete", "event": None}, None, id="unknown"),
    ],
)
def test_event_names(row, expected):
    """Pages and screens have PostHog's names, tracks their own; a call nobody knows has none and is a reject."""
    assert one(**row)["event"] == expected


def test_group_and_alias_calls_are_no_events():
    """They tell of a group and of ids; the framework makes of that what PostHog needs."""
    assert mapped({"type": "group", "groupId": "acme"}, {"type": "alias", "previousId": "a-1"}) == []


def test_event_text_stands_over_the_slug():
    """The slug is the table's name; a data lake has the real name in `event`; labels name what has only a slug."""
    assert one("tracks")["event"] == "Search"
    assert one("tracks", event="Suche 🔎", event_text=None)["event"] == "Suche 🔎"
    (event,) = mapped(
        {"event": "order_done", "event_text": None}, table="tracks", labels={"order_done": "Order Done"}
    )
    assert event["event"] == "Order Done"


def test_page_call():
    """A page call says itself where it happened; the query of the page's url holds the campaign."""
    url = "https://shop.example.com/a/b?utm_source=x&gclid=G1#y"
    properties = {"url": url, "path": "/a", "title": "Küche", "referrer": "https://www.google.com/"}
    event = one(
        type="page", name="Start", category="Shop", properties=properties, context={"page": {"url": "x"}}
    )
    page = event["extra"]
    assert (page["$current_url"], page["$host"], page["$pathname"]) == (url, "shop.example.com", "/a")
    assert (page["$referrer"], page["$referring_domain"]) == ("https://www.google.com/", "www.google.com")
    assert (page["title"], page["name"], page["category"]) == ("Küche", "Start", "Shop")
    assert (page["utm_source"], page["gclid"]) == ("x", "G1")
    assert event["properties"] == properties


def test_page_of_other_calls():
    """A track happened on the page of its context; its own `url` and `title` are properties like others."""
    page = {"url": "https://a.example.com/x", "path": "/x", "referrer": "", "title": "T"}
    own = {"url": "https://elsewhere.example.com", "path": "/own", "title": "Book", "referrer": "me"}
    event = one(properties=own, context={"page": page})
    assert (event["extra"]["$current_url"], event["extra"]["$pathname"]) == ("https://a.example.com/x", "/x")
    assert (event["extra"]["$referrer"], event["extra"]["$referring_domain"]) == ("$direct", "$direct")
    assert "title" not in event["extra"]
    assert event["extra"]["context_page_title"] == "T"
    assert event["properties"] == own


def test_a_server_call_has_no_page():
    """Without a page there is no referrer, and no address of ours stands in for the caller's."""
    assert extra(context={"library": {"name": "analytics-python", "version": "2.3.2"}}) == {
        "$lib": "analytics-python",
        "$lib_version": "2.3.2",
    }


def test_screen_name():
    """The screen's name stands beside the message, or among the properties of a warehouse row."""
    assert extra(type="screen", name="Cart")["$screen_name"] == "Cart"
    assert one("screens", _rest='{"name":"Cart"}')["extra"]["$screen_name"] == "Cart"
    assert "$screen_name" not in extra(name="Cart")


def test_campaign():
    """What the event says of its campaign counts before its context, and that before the address."""
    context = {
        "campaign": {"name": "Spring", "source": "news", "medium": "email", "custom": "c"},
        "page": {"url": "https://a.example.com/?utm_source=url&utm_term=t"},
    }
    event = one(properties={"utm_medium": "own"}, context=context)
    assert {name: value for name, value in event["extra"].items() if name.startswith("utm_")} == {
        "utm_campaign": "Spring",
        "utm_source": "news",
        "utm_medium": "own",
        "utm_term": "t",
    }
    assert event["properties"] == {"utm_medium": "own", "context_campaign_custom": "c"}


def test_device():
    """The context's names for the device become PostHog's, numbers and truths as such."""
    found = seen(
        app={"name": "Beet", "version": "7.1", "build": "712", "namespace": "com.example"},
        device={"id": "d-1", "manufacturer": "Apple", "model": "iPhone15,2", "name": "iPhone", "type": "ios"},
        os={"name": "iPhone OS", "version": "17.4"},
        screen={"width": 390, "height": "844", "density": 3},
        network={"carrier": "Telekom", "wifi": False, "cellular": True},
        locale="de_DE",
        timezone="Europe/Berlin",
        ip="203.0.113.7",
    )
    assert found == {
        "$app_name": "Beet",
        "$app_version": "7.1",
        "$app_build": "712",
        "$app_namespace": "com.example",
        "context_device_id": "d-1",
        "$device_manufacturer": "Apple",
        "$device_model": "iPhone15,2",
        "$device_name": "iPhone",
        "$device_type": "Mobile",
        "$os": "iOS",
        "$os_version": "17.4",
        "$screen_width": 390,
        "$screen_height": 844,
        "$screen_density": 3,
        "$network_carrier": "Telekom",
        "$network_wifi": False,
        "$network_cellular": True,
        "$locale": "de_DE",
        "$timezone": "Europe/Berlin",
        "$ip": "203.0.113.7",
        "context_device_type": "ios",
    }


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        pytest.param(CHROME, ("Chrome", 123, "Mac OS X", "Desktop"), id="chrome"),
        pytest.param(PIXEL, ("Chrome", 123, "Android", "Mobile"), id="android-phone"),
        pytest.param(PIXEL.replace(" Mobile", ""), ("Chrome", 123, "Android", "Tablet"), id="android-tablet"),
        pytest.param(f"{CHROME} Edg/122.5.1", ("Microsoft Edge", 122.5, "Mac OS X", "Desktop"), id="edge"),
        pytest.param(f"{CHROME} OPR/109.0", ("Opera", 109, "Mac OS X", "Desktop"), id="opera"),
        pytest.param(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) Version/17.4 Mobile/15E148 Safari/604.1",
            ("Mobile Safari", 17.4, "iOS", "Mobile"),
            id="iphone",
        ),
        pytest.param(
            "Mozilla/5.0 (X11; Linux x86_64; rv:124.0) Gecko/20100101 Firefox/124.0",
            ("Firefox", 124, "Linux", "Desktop"),
            id="firefox",
        ),
        pytest.param(
            "Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko",
            ("Internet Explorer", 11, "Windows", "Desktop"),
            id="ie",
        ),
        pytest.param("Mozilla/5.0 (compatible; Googlebot/2.1)", (None, None, None, None), id="bot"),
        *(
            pytest.param(one, (None, None, None, None), id=one.partition("/")[0])
            for one in (
                "okhttp/4.12.0",
                "curl/7.81.0 (x86_64-pc-linux-gnu) libcurl/7.81.0",
                "Apache-HttpClient/4.5 (Java/1.8; Linux)",
                "Shop/712 CFNetwork/1240.0.4 Darwin/20.6.0",
                "Robot/1.0 (+https://example.com/iPhone; Androids)",
                "Dalvik/2.1.0",
            )
        ),
        *(
            pytest.param(
                f"Dalvik/2.1.0 (Linux; U; Android {model})",
                (None, None, "Android", kind),
                id=f"dalvik-{kind}",
            )
            for model, kind in (
                ("9; SM-G960F Build/PPR1", "Mobile"),
                ("12; SM-T870 Build/SP1A", "Tablet"),
                ("9", "Mobile"),
            )
        ),
        pytest.param(
            "Shop/7.1 (Android 14; Pixel 8; Scale/2.63)", (None, None, "Android", "Mobile"), id="own-android"
        ),
        pytest.param(
            "Shop/7.1 (iPhone; iOS 17.4; Scale/3.00)", (None, None, "iOS", "Mobile"), id="own-iphone"
        ),
        pytest.param(
            "Shop/7.1 (com.example.shop; iPad; iOS 17.4)", (None, None, "iOS", "Tablet"), id="own-ipad"
        ),
        pytest.param(
            "Opera/9.80 (Windows NT 6.1; U; en) Presto/2.12.388 Version/12.14",
            ("Opera", 12.14, "Windows", "Desktop"),
            id="presto",
        ),
    ],
)
def test_user_agent(agent, expected):
    """Browser and system are told by the user agent, which is kept; what no rule knows stays open."""
    found = seen(userAgent=agent)
    assert (
        tuple(found.get(f"${name}") for name in ("browser", "browser_version", "os", "device_type"))
        == expected
    )
    assert found["$raw_user_agent"] == agent


def test_the_context_counts_before_the_user_agent():
    """A web view's user agent is not asked for what the context says itself."""
    assert seen(userAgent=CHROME, os={"name": "Android"})["$os"] == "Android"


def test_what_posthog_has_no_name_for_keeps_the_warehouse_name():
    """Other context is flattened as in the warehouse; lists stay whole, blanks and noise are left out."""
    found = left(
        userAgentData={"mobile": False, "brands": [{"brand": "Chromium"}]},
        device={"advertisingId": "", "IDFA": "i-1", "adTrackingEnabled": True},
        page={"search": "?a=b"},
        protocols={"sourceId": "s", "violations": [{"type": "Required"}]},
        traits={"email": "a@example.com"},
    )
    assert found == {
        "context_user_agent_data_mobile": False,
        "context_user_agent_data_brands": [{"brand": "Chromium"}],
        "context_device_idfa": "i-1",
        "context_device_ad_tracking_enabled": True,
        "context_traits_email": "a@example.com",
    }


def test_the_model_says_more_than_the_kind_of_device():
    """A tablet's kind is its system in the words of the libraries; its model tells."""
    assert seen(device={"type": "android", "model": "SM-X200"})["$device_type"] == "Tablet"
    assert seen(device={"type": "android", "model": "shiba"})["$device_type"] == "Mobile"


def test_a_context_that_is_none_is_passed_on():
    """A text in the context's place is neither lost nor a reason to reject."""
    assert one(context="später")["properties"] == {"context": "später"}


def test_context_numbers_and_cut_emoji():
    """Large numbers keep their digits, and half an emoji is mended."""
    context = '{"a":12345678901234567890,"b":"\\ud83c","c":1e999}'
    assert one(context=context)["properties"]["context_a"] == 12345678901234567890
    assert one(context=context)["properties"]["context_b"] == "\ufffd"


def test_of_two_spellings_the_first_counts():
    """Names that are one column of the warehouse are one here, too, however deep they stand."""
    context = {"page_url": "https://a.example.com/", "page": {"url": "https://b.example.com/", "custom": 1}}
    event = one(context=context | {"pageCustom": 2})
    assert event["extra"]["$current_url"] == "https://a.example.com/"
    assert event["properties"] == {"context_page_custom": 1}


def test_numbers_of_the_context_keep_their_digits():
    """What is passed on is the text that the source wrote, also where a text is computed of it."""
    (event,) = sent(MESSAGES, rows({"context": '{"app":{"version":7.10,"build":712},"score":2.50}'}))
    assert (event["$app_version"], event["$app_build"]) == ("7.10", "712")
    frame = MESSAGES.to_events(whole({"context": '{"score":2.50}'}).lazy(), Options()).collect()
    assert frame["laid"].to_list() == ['{"context_score":2.50}']


@pytest.mark.parametrize(
    "length",
    [pytest.param(10, id="short"), pytest.param(1_000, id="one-kilobyte"), pytest.param(10_000, id="ten")],
)
def test_contexts_of_all_sizes(length):
    """What a context says does not depend on how much it says."""
    context = {"device": {"model": "x" * length, "custom": "y"}, "os": {"name": "Android"}}
    event = one(context=context)
    assert (event["extra"]["$device_model"], event["extra"]["$os"]) == ("x" * length, "Android")
    assert event["properties"] == {"context_device_custom": "y"}


def test_a_context_nested_too_deep_is_no_reason_to_fail():
    """It is passed on as the text that it is, which is refused in the end if PostHog cannot take it."""
    deep = '{"a":' * 5_000 + "1" + "}" * 5_000
    assert one(context=deep)["properties"] == {"context": deep}


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        pytest.param({"revenue": 19.5, "total": 23.2}, 19.5, id="revenue"),
        pytest.param({"total": "23.20"}, 23.2, id="total"),
        pytest.param({"revenue": "much"}, None, id="no-number"),
        pytest.param({}, None, id="none"),
    ],
)
def test_revenue(properties, expected):
    """Revenue is a number; where only a total is told that counts."""
    assert extra(properties=properties).get("revenue") == expected
    assert "revenue" not in extra(type="page", properties=properties)


def test_groups_of_events():
    """The context names the group, of the user's type; other properties may name more."""
    row = {"context": {"groupId": "acme"}, "properties": {"team": "t-1", "plan": 7}}
    assert mapped(row)[0]["groups"] == {"company": "acme"}
    (event,) = mapped(row, group_type="firm", group_keys={"team": "team", "plan": "plan"})
    assert event["groups"] == {"firm": "acme", "team": "t-1", "plan": "7"}


def test_group_calls():
    """A group call tells a group's properties, as who told it and when."""
    row = {"type": "group", "groupId": "acme", "traits": {"seats": 5}}
    (group,) = grouped(row, {"type": "track"}, {"type": "group"})
    assert group == {
        ROW: 1,
        "distinct_id": "anna",
        "timestamp": NOON,
        "group_type": "company",
        "group_key": "acme",
        "properties": '{"seats": 5}',
    }
    assert grouped(row, group_type="firm")[0]["group_type"] == "firm"


def test_groups_and_accounts_tables():
    """The table of group calls has traits as columns; that of accounts has the last of them, told by nobody."""
    rest = '{"name":"ACME","context_library_name":"x"}'
    (group,) = grouped({"group_id": "acme", REST: rest}, table="groups")
    assert (group["distinct_id"], group["group_key"], group["properties"]) == (
        "anna",
        "acme",
        '{"name":"ACME"}',
    )
    received = {"id": "acme", "user_id": None, "timestamp": None, "received_at": "2024-04-05 08:00:00"}
    (account,) = grouped(received | {REST: rest}, table="accounts")
    assert (account["distinct_id"], account["group_key"], account["timestamp"].day) == (None, "acme", 5)


def test_identify_calls():
    """The traits of an identify call are set on the person, and stand nowhere else."""
    raw = {"type": "identify", "traits": {"plan": "pro"}}
    table = {REST: '{"plan":"pro","context_active":true}'}
    for name, row in (("messages", raw), ("identifies", table)):
        (event,) = mapped(row, table=name)
        assert event["event"] == "$set"
        assert (event["set"], event["set_once"]) == ({"plan": "pro"}, None)
        assert "plan" not in {**(event["properties"] or {}), **event["extra"]}
    assert event["properties"] == {"context_active": True}


def test_traits_of_other_calls_set_nothing():
    """Traits in the context of a track are as old as the last identify call; they stay properties."""
    event = one(context={"traits": {"plan": "free"}})
    assert (event["set"], event["properties"]) == (None, {"context_traits_plan": "free"})


def test_calls_that_only_tell_who_is_who():
    """Aliases, and identify calls without traits, make no event."""
    identify = {"type": "identify"}
    given = [
        identify,
        identify | {"traits": {}},
        identify | {"traits": {"a": 1}},
        {"type": "alias"},
        {"type": "page"},
    ]
    assert filtered("identity_only", *given) == [True, True, False, True, False]
    stored = [{REST: '{"context_active":true}'}, {REST: '{"plan":"pro"}'}, {}]
    assert filtered("identity_only", *stored, table="identifies") == [True, False, True]
    assert filtered("identity_only", {"previous_id": "a-1"}, table="aliases") == [True]


def test_links_of_messages():
    """Every call that names both ids links them; identify calls say so."""
    found = linked(
        {"type": "identify", "timestamp": "2024-04-03T09:00:00Z"},
        {"timestamp": "2024-04-03T10:00:00Z"},
        {"timestamp": "2024-04-03T08:00:00Z"},
        {"userId": None},
        {"userId": "undefined"},
        {"anonymousId": None},
        {"type": None, "userId": "bert"},
    )
    assert sorted(found) == [
        ("linked", "a-1", "anna", 8, "seen together"),
        ("linked", "a-1", "anna", 9, "identify call"),
        ("linked", "a-1", "bert", 12, "seen together"),
        ("linked", "a-1", "undefined", 12, "seen together"),  # refused, and counted, by all mappings alike
    ]


def test_aliases():
    """An alias makes one person of two ids, of which the new one is known; of the old one it does not say."""
    raw = linked(
        {"type": "alias", "anonymousId": None, "previousId": "old"},
        {"type": "alias", "anonymousId": None, "previousId": "anna"},
        {"type": "alias", "anonymousId": None, "previousId": None},
    )
    stored = linked({"previous_id": "old"}, table="aliases")
    for found in (raw, stored):
        own = [("same", "anna", "anna", 12, "alias call")] if found is raw else []  # refused and counted
        assert sorted(found, key=str) == [
            ("identified", None, "anna", None, "alias call"),
            *own,
            ("same", "old", "anna", 12, "alias call"),
        ]


def test_links_of_tables():
    """Rows of all tables link the ids they name, also those of groups and aliases."""
    both = {"anonymous_id": "a-1"}
    expected = ("linked", "a-1", "anna", 12, "seen together")
    for table in ("tracks", "pages", "screens", "groups", "aliases", "pages_by_columns"):
        assert expected in linked(both, table=table), table
    assert linked(both, table="identifies") == [("linked", "a-1", "anna", 12, "identify call")]
    users = {"id": "anna", "timestamp": None, "received_at": "2024-04-05 08:00:00"}
    assert linked(both | users, table="users") == [("linked", "a-1", "anna", 8, "identify call")]


def test_users_are_profiles():
    """The table of users holds each person's last traits, as of when they were received; not the last context."""
    rest = '{"plan":"pro","context_library_name":"x"}'
    given = {"id": "anna", "timestamp": None, "received_at": "2024-04-05 08:00:00", REST: rest}
    frame = rows(given, {"id": "dora"}, table="users")
    found = TABLES["users"].to_profiles(frame.lazy(), Options()).collect()
    assert found.schema == schemas.PROFILE_SCHEMA
    (profile,) = found.to_dicts()
    assert (profile["distinct_id"], profile["timestamp"].hour) == ("anna", 8)
    assert (profile["set"], profile["set_once"]) == ('{"plan":"pro"}', None)
    assert filtered("no_traits", given, {"id": "dora"}, table="users") == [False, True]


def test_users_beside_identifies_are_told_too(tmp_path):
    """Of dora there is no identify call any more: what `users` says of her, and that anna's plan is newer, is told."""
    (tmp_path / "identifies.csv").write_text("id,user_id,timestamp,plan\ni-1,anna,2024-04-03 09:30:00,pro\n")
    (tmp_path / "users.csv").write_text(
        "id,received_at,plan\nanna,2024-04-03 10:00:00,team\ndora,2024-04-05 10:00:00,free\n"
    )
    told = sorted(
        (e["distinct_id"], e["timestamp"][:16], e["properties"]["$set"]["plan"]) for e in planned(tmp_path)
    )
    assert told == [
        ("anna", "2024-04-03T09:30", "pro"),
        ("anna", "2024-04-03T10:00", "team"),
        ("dora", "2024-04-05T10:00", "free"),
    ]


CALLS = "id,timestamp,user_id,event,event_text"


def call(number, slug="search", *more):
    """A line of `tracks` or, with its properties, of an event table."""
    return ",".join([f"m-{number}", TIME, "anna", slug, slug.title(), *more])


def planned(folder, *options):
    """The events that a folder comes to."""
    workdir = folder.parent / f"{folder.name}-plan"
    command = ["plan", "segment", str(folder), "--workdir", str(workdir), "--quiet", *options]
    done = CliRunner().invoke(cli, command)
    assert done.exit_code == 0, done.output
    parts = sorted(workdir.glob("days/*/*.parquet"))
    return [json.loads(text.rstrip(",")) for part in parts for text in pl.read_parquet(part)["payload"]]


@pytest.mark.parametrize(
    ("tracks", "table"),
    [
        pytest.param("tracks.csv", "search.csv", id="plain"),
        pytest.param("tracks_000.csv", "zoom_000.csv", id="numbered"),
        pytest.param("web.tracks.csv", "web.search_view.csv", id="schema-and-view"),
        pytest.param("tracks_000000000000.csv", "search_000000000000.csv", id="bigquery"),
        pytest.param("tracks_0_0_0.csv", "search_0_1_0.csv", id="snowflake"),
        pytest.param("tracks/0001_part_00.csv", "search/0001_part_00.csv", id="redshift"),
        pytest.param("tracks/part-00000-of-00010.csv", "search/part-00000-of-00010.csv", id="parts"),
        pytest.param("tracks-00001.csv", "what we call it.csv", id="any-name"),
        pytest.param("tracks.csv", "play_tracks.csv", id="called-like-tracks"),
    ],
)
def test_tracks_or_event_table_never_both(tmp_path, tracks, table):
    """What an event table holds comes from there, with its properties, whatever its file is called.

    What it does not hold comes from `tracks`: of another source, or of a time before the table's first row.
    """
    slug = "play_tracks" if table.startswith("play") else "search"
    for name, lines in {
        f"in/web/{tracks}": [CALLS, call(1, slug), call(2, slug)],
        f"in/web/{table}": [f"{CALLS},revenue", call(1, slug, "5")],
        f"in/ios/{tracks}": [CALLS, call(3, slug)],
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    found = [event["properties"].get("revenue") for event in planned(tmp_path / "in")]
    assert sorted(found, key=str) == [5.0, None, None]


def test_rows_in_event_tables_can_be_kept(tmp_path):
    """With the filter off each row is planned, and says nothing of the mark; one uuid is sent once."""
    for name, lines in {
        "tracks": [CALLS, call(1)],
        "zoom": [f"{CALLS},revenue", call(1, "search", "5")],
    }.items():
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / f"in/{name}.csv").write_text("\n".join(lines) + "\n")
    found = planned(tmp_path / "in", "--keep", "in_event_table")
    assert len({event["uuid"] for event in found}) == 1
    assert all("event_table" not in key for event in found for key in event["properties"])


def held(table, *given, **options):
    """What a table tells of the rows it holds."""
    told = TABLES[table].to_recoveries(rows(*given, table=table).lazy(), Options(**options)).collect()
    return told["key"].to_list()


def test_what_event_tables_tell():
    """By id, and only where there is a `tracks` to be asked; a row of "Play Tracks" is its event's own."""
    row = {"id": " m-1 ", "timestamp": TIME, "event": "search"}
    beside = frozenset({"prod_tracks_2024", "search"})
    assert held("event_tables", row, {"id": None}, files=beside) == ["event_table\x1fm-1"]
    assert held("event_tables", row, files=frozenset({"search", "trackers"})) == []
    assert held("event_tables", row, files=beside, keep=frozenset({"in_event_table"})) == []
    assert held("tracks", row, files=beside) == []
    own = row | {"event": "play_tracks", FILE: "Play Tracks"}
    assert held("tracks", own, files=beside) == ["event_table\x1fm-1"]
    assert rows(row, table="tracks").select(TABLES["tracks"].recover).item() == "event_table\x1fm-1"


@pytest.mark.parametrize(
    ("slug", "file", "expected"),
    [
        pytest.param("search", "tracks", True, id="tracks"),
        pytest.param("play_tracks", "play_tracks", False, id="own-name-like-tracks"),
        pytest.param("tracks", "tracks", True, id="event-called-tracks"),
        pytest.param("tracks", "_tracks", False, id="rudderstack-renamed"),
        pytest.param("straße_verfolgt_track", "Straße verfolgt Track", False, id="spaces-and-umlauts"),
    ],
)
def test_events_named_like_tables(slug, file, expected):
    """A row of an event's own table stays, also where the event is called like `tracks`; others yield to it."""
    row = {"event": slug, FILE: file, RECOVERED: r'{"event_table\u001f":"true"}'}
    assert filtered("in_event_table", row, row | {RECOVERED: None}, table="tracks") == [expected, False]


def test_the_same_call_has_the_same_key_in_every_form():
    """Raw message, `tracks` and event table have one message id; another kind of call is another event."""
    raw = one(messageId="m-1", properties={"a": 1})["dedup_key"]
    assert raw == one("tracks", id="m-1")["dedup_key"] == one("tracks", id="m-1", _file="search")["dedup_key"]
    assert raw == one("tracks", message_id="m-1", user_id="bert", _rest='{"a":2}')["dedup_key"]
    assert one(type="page", messageId="m-1")["dedup_key"] == one("pages", id="m-1")["dedup_key"] != raw
    assert one(type="identify", messageId="m-1")["dedup_key"] == one("identifies", id="m-1")["dedup_key"]


def test_a_message_id_beside_the_id():
    """Where rows have both, the id is the call's, and the other a property of it."""
    event = one("tracks", id="m-1", message_id="chat-7")
    assert event["dedup_key"] == one("tracks", id="m-1")["dedup_key"]
    assert event["extra"] == {"segment_message_id": "m-1", "message_id": "chat-7"}
    assert one("tracks", message_id="m-1")["extra"] == {"segment_message_id": "m-1"}


@pytest.mark.parametrize(
    ("device", "anonymous", "expected"),
    [
        pytest.param("d-1", "a-1", ("a-1", "d-1"), id="both"),
        pytest.param("a-1", "a-1", ("a-1", None), id="one"),
        pytest.param(None, "a-1", ("a-1", None), id="anonymous"),
        pytest.param("d-1", None, ("d-1", None), id="maker"),
        pytest.param("d-1", "null", ("d-1", None), id="word"),
        pytest.param(None, None, (None, None), id="neither"),
    ],
)
def test_whose_device_it_is(device, anonymous, expected):
    """The anonymous id, as PostHog's own libraries have it; what the maker calls the device is not lost beside it."""
    raw = {"anonymousId": anonymous, "context": {"device": {"id": device}}}
    stored = {"anonymous_id": anonymous, "context_device_id": device}
    made = sent(MESSAGES, rows(raw)) + sent(TABLES["tracks"], rows(stored, table="tracks"))
    assert [(bag.get("$device_id"), bag.get("context_device_id")) for bag in made] == [expected] * 2


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        pytest.param("2024-04-03T11:59:00Z", "2024-04-03T11:59:00.000000Z", id="differs"),
        pytest.param("2024-04-03 11:59:00", "2024-04-03T11:59:00.000000Z", id="warehouse"),
        pytest.param("1712145540000000", "2024-04-03T11:59:00.000000Z", id="microseconds"),
        pytest.param(TIME, None, id="same"),
        pytest.param("2024-04-03T14:00:00.123+02:00", None, id="same-elsewhere"),
        pytest.param(None, None, id="none"),
        pytest.param("soon", None, id="no-time"),
    ],
)
def test_the_clock_of_the_device(clock, expected):
    """It is kept where `timestamp` is another."""
    for found in (one(originalTimestamp=clock), one("tracks", original_timestamp=clock)):
        assert found["extra"].get("segment_original_timestamp") == expected
    (alone,) = mapped({"timestamp": None, "originalTimestamp": clock})
    assert "segment_original_timestamp" not in alone["extra"]


def test_traits_at_the_root_come_before_those_of_the_context():
    """In a message and in a warehouse's table; a group's own are not completed by its member's."""
    inside = {"country": "USA", "email": "m@example.com", "note": ""}
    raw = {"type": "identify", "traits": {"country": "UK"}, "context": {"traits": inside}}
    table = '{"country":"UK","context_traits_country":"USA","context_traits_email":"m@example.com","context_ip":"1"}'
    only = '{"context_traits_email":"m@example.com"}'
    assert one(**raw)["set"] == {"country": "UK", "email": "m@example.com", "note": ""}
    assert one("identifies", _rest=table)["set"] == {"country": "UK", "email": "m@example.com"}
    assert one("identifies", _rest=only)["set"] == {"email": "m@example.com"}
    given = [{"_rest": only}, {"_rest": '{"context_ip":"1"}'}]
    assert filtered("identity_only", *given, table="identifies") == [False, True]
    for odd in ('["x"]', '"x"', "7"):
        assert one(type="identify", traits={"a": 1}, context=f'{{"traits":{odd}}}')["set"] == {"a": 1}
    (group,) = grouped(
        {"type": "group", "groupId": "g", "traits": {"plan": "pro"}, "context": {"traits": inside}}
    )
    assert json.loads(group["properties"]) == {"plan": "pro"}
    (group,) = grouped({"group_id": "g", "_rest": table}, table="groups")
    assert json.loads(group["properties"]) == {"country": "UK"}


def test_dedup_key_without_an_id():
    """Without a message id a call is told by all that it says."""
    bare = one(properties={"a": 1})["dedup_key"]
    assert bare == one(properties={"a": 1})["dedup_key"] is not None
    assert (
        len(
            {
                bare,
                *(one(**row)["dedup_key"] for row in [{}, {"userId": "b"}, {"timestamp": TIME[:-1] + "4Z"}]),
            }
        )
        == 4
    )


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.parquet"])
def test_a_call_without_an_id_is_one_in_every_file(tmp_path, name):
    """In any order of keys, with any spaces, numbers spelled in any way, and in any kind of file."""
    plain = {"type": "track", "event": "Search", "userId": "anna", "timestamp": TIME}
    bags = {
        "properties": '{"b": [1, {"y": 2.50, "x": "ü"}], "a": 1e2}',
        "context": '{"page": {"title": "T", "url": "https://a.example.com/"}, "mine": {"k": null}}',
    }
    other = {
        "context": r'{"mine":{},"page":{"url":"https:\/\/a.example.com/","title":"T"}}',
        "properties": '{"a":100,"b":[1.0,{"x":"\\u00fc","y":2.5}]}',
    }
    line = (
        json.dumps(plain)[:-1] + ",".join(["", *(f'"{name}": {text}' for name, text in bags.items())]) + "}"
    )
    (tmp_path / "first.jsonl").write_text(line)
    path = tmp_path / name
    whole = ",".join(f'"{name}":{text}' for name, text in other.items()) + "," + json.dumps(plain)[1:-1]
    if name.startswith("a.json"):
        path.write_text(f"{{{whole}}}" if name == "a.jsonl" else f"[{{{whole}}}]")
    else:
        frame = pl.DataFrame([other | plain])
        frame.write_csv(path) if name == "a.csv" else frame.write_parquet(path)
    (uuid,) = made_of("segment", tmp_path / "first.jsonl").uuids
    assert made_of("segment", path).uuids == [uuid]


def test_columns_in_capitals_of_a_file(tmp_path):
    """A file of Snowflake's is read as others are, whatever name its columns have that we compute, too."""
    path = tmp_path / "tracks.csv"
    path.write_text(
        f"ID,TIMESTAMP,USER_ID,EVENT,EVENT_TEXT,TOTAL,NAME\nm-1,{TIME},anna,search,Search,5,Rose\n"
    )
    made = made_of("segment", path)
    (bag,) = made.bags
    assert {name: bag.get(name) for name in ("total", "revenue", "name", "TOTAL")} == {
        "total": "5",
        "revenue": 5,
        "name": "Rose",
        "TOTAL": None,
    }


def test_what_is_computed_and_told_is_sent_once():
    """Where nothing is computed under a name, what the row itself says is sent, in every form."""
    own = {"name": "Rose", "title": "T", "revenue": "much", "$os": "BeOS"}
    expected = own | {"$os": "Windows", "$device_type": "Desktop"}
    given = {"anonymousId": None, "properties": own, "context": {"os": {"name": "Windows"}}}
    assert sent(MESSAGES, rows(given)) == [expected]
    for bag in (own, {name.upper(): value for name, value in own.items()}):
        row = {REST: json.dumps(bag), "context_os_name": "Windows"}
        assert sent(TABLES["tracks"], rows(row, table="tracks")) == [expected]


def test_columns_in_capitals():
    """Snowflake writes all names in capitals; properties and traits have them as the calls do."""
    assert one("tracks", _rest='{"REVENUE":19.5,"ORDER_ID":"o-1"}')["properties"] == {
        "revenue": 19.5,
        "order_id": "o-1",
    }
    assert one("tracks", _rest='{"REVENUE":19.5}')["extra"]["revenue"] == 19.5
    assert one("identifies", _rest='{"PLAN":"pro","CONTEXT_ACTIVE":true}')["set"] == {"plan": "pro"}
    assert one("tracks", _rest='{"SKU":1,"name":"x"}')["properties"] == {"SKU": 1, "name": "x"}


def test_a_warehouse_row():
    """Context columns become PostHog's names, the others are the event's properties; arrays stay the text they are."""
    event = one(
        "tracks",
        context_page_url="https://a.example.com/x",
        context_os_name="Windows",
        context_user_agent=CHROME,
        _rest='{"products":"[507f1, 505bd]","total":"23.2"}',
    )
    assert (event["extra"]["$pathname"], event["extra"]["$os"], event["extra"]["$browser"]) == (
        "/x",
        "Windows",
        "Chrome",
    )
    assert event["extra"]["revenue"] == 23.2
    assert event["properties"] == {"products": "[507f1, 505bd]", "total": "23.2"}


def test_texts_that_were_probably_cut():
    """A text as long as a warehouse's column is counted, wherever in the row it stands; others are not."""
    bags = ({"a": 1, "note": "ä" * length, "b": "x"} for length in (511, 512, 513))
    given = [{REST: json.dumps(bag, ensure_ascii=False)} for bag in bags]
    for table in ("tracks", "pages", "identifies", "users"):
        predicate = TABLES[table].warnings["text_of_512_characters"]
        frame = rows(*given, {}, table=table)
        assert frame.select(predicate.fill_null(value=False)).to_series().to_list() == [
            False,
            True,
            False,
            False,
        ]


CALL = ["id", "anonymous_id", "user_id", "timestamp"]


@pytest.mark.parametrize(
    ("columns", "file", "table"),
    [
        pytest.param(["type", "messageId", "timestamp", "context"], "1712138400", "messages", id="raw"),
        pytest.param(["TYPE", "MESSAGEID", "TIMESTAMP"], "x", "messages", id="raw-capitals"),
        pytest.param([*CALL, "event", "event_text"], "tracks", "tracks", id="tracks"),
        pytest.param([*CALL, "EVENT", "type"], "Order Completed", "event_tables", id="event-table"),
        pytest.param([*CALL, "event", "previous_id", "url"], "users", "event_tables", id="event-table-users"),
        pytest.param([*CALL, "email"], "identifies", "identifies", id="identifies"),
        pytest.param(
            [*CALL, "url", "group_id"], "prod_identifies_2024", "identifies", id="identifies-in-a-long-name"
        ),
        pytest.param(["id", "received_at", "email"], "users", "users", id="users"),
        pytest.param(["id", "received_at", "name"], "accounts", "accounts", id="accounts"),
        pytest.param([*CALL, "name"], "pages", "pages", id="pages"),
        pytest.param([*CALL, "name"], "screens", "screens", id="screens"),
        pytest.param([*CALL, "group_id"], "x", "groups", id="groups"),
        pytest.param([*CALL, "previous_id"], "x", "aliases", id="aliases"),
        pytest.param(
            [*CALL, "url", "path"], "warehouse_pages_seed", "pages_by_columns", id="pages-by-columns"
        ),
        pytest.param([*CALL, "name"], "homepages", None, id="no-such-table"),
        pytest.param(["name", "price"], "pages", None, id="something-else"),
    ],
)
def test_tables_are_told_apart(columns, file, table):
    """By an event's name in each row, else by the file's name, else by what only one table has."""
    found = MAPPING.table_for(columns, file)
    assert (found and found.name) == table


def test_the_sample_is_recognised():
    """Every file of the sample is of a table, the message file though its `.gz` is plain text."""
    assert recognised("segment", MAPPING) == {
        "1712138400.aBc123": "messages",
        "newsletter_ordered": "event_tables",
        "order_completed": "event_tables",
        **{name: name for name in ("tracks", "pages", "screens", "identifies", "users", "groups", "aliases")},
    }


def test_every_column_of_the_sample_is_carried_or_dropped_by_name():
    """What no table declares or drops is a property or a trait, which passes on under its own name."""
    known = {name.lower() for table in MAPPING.tables for name in (*table.columns, *table.dropped)}
    strangers = set()
    for source in sources([str(SAMPLE)]).sources:
        head = read_header(source)
        strangers |= {name for name in head.columns if name.lower() not in known} if head else set()
    words = (
        "consent list_size price double_opt_in order_id revenue total currency products coupon"
        " path referrer search title url items email plan address_city seats"
    )
    assert strangers == set(words.split())
