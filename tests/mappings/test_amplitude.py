"""The Amplitude mapping, behaviour by behaviour."""

import gzip
import json
import uuid
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from frames import made_of, opened, sent, told

from mappings.amplitude import MAPPING
from migrate.cli.commands import cli
from migrate.kit import schemas
from migrate.kit.declare import PERSON, ROW, Options
from migrate.kit.schemas import FRAMEWORK

EVENTS, MERGED_IDS, DASHBOARD = MAPPING.tables
SAMPLE = Path(__file__).parents[2] / "sample_data" / "amplitude"
SCHEMA = dict(EVENTS.columns) | FRAMEWORK
TIME = "2024-04-03 12:00:00.123456"
WEB = {"platform": "Web", "os_name": "Chrome", "os_version": "123.0.6312"}
SESSION = 1712145600000


def rows(*given):
    """A frame of rows as the reader delivers them: objects as JSON text, what is not given null."""
    defaults = {"event_type": "Search", "user_id": "anna", "device_id": "d-1", "event_time": TIME}
    told = [defaults | row | {ROW: place} for place, row in enumerate(given, 1)]
    lines = [{name: json.dumps(v) if isinstance(v, dict) else v for name, v in row.items()} for row in told]
    return pl.DataFrame(lines, schema=SCHEMA)


def mapped(*given, person_properties="set"):
    """The events of the rows, in their order, extra without nulls and objects decoded."""
    options = Options(person_properties=person_properties)
    frame = EVENTS.to_events(opened(EVENTS, rows(*given), options).lazy(), options).collect()
    assert schemas.schema_errors(frame.schema) == []
    found = []
    for event in frame.to_dicts():
        event["extra"] = {name: value for name, value in (event["extra"] or {}).items() if value is not None}
        event["properties"] = told(event)
        for name in ("set", "set_once", "groups"):
            event[name] = json.loads(event[name]) if event[name] else None
        found.append(event)
    return found


def one(**row):
    """The only event of one row."""
    (event,) = mapped(row)
    return event


def extra(**row):
    """The computed properties of one row's event."""
    return one(**row)["extra"]


def bag(**properties):
    """The computed properties of an event with these event properties."""
    return extra(event_properties=properties)


def holds(predicate, *given):
    """For each row, whether a predicate of the table holds."""
    return rows(*given).select(predicate.fill_null(value=False)).to_series().to_list()


def test_a_plain_event():
    """Name, person, time to the microsecond and the event's own properties pass on as they are."""
    row = {"event_type": "Search", "event_properties": {"term": "Gießkanne", "n": 1}, "_rest": '{"new":1}'}
    event = one(**row)
    assert (event["event"], event["distinct_id"]) == ("Search", "anna")
    assert event["timestamp"] == datetime(2024, 4, 3, 12, 0, 0, 123456, tzinfo=UTC)
    assert event["properties"] == {"term": "Gießkanne", "n": 1, "new": 1}
    assert event["uuid"] is None
    assert sent(EVENTS, rows(row)) == [event["properties"] | event["extra"]]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        pytest.param({"event_time": TIME}, 12, id="export"),
        pytest.param({"event_time": "2024-04-03T12:00:00.123456+00:00"}, 12, id="airbyte"),
        pytest.param({"event_time": "2024-04-03T12:00:00.123456"}, 12, id="fivetran"),
        pytest.param({"client_event_time": "2024-04-03 07:00:00"}, 12, id="event-time-first"),
        pytest.param({"event_time": None, "client_event_time": "2024-04-03 07:00:00"}, 7, id="absent"),
        pytest.param({"event_time": " ", "client_event_time": "2024-04-03 07:00:00"}, 7, id="blank"),
        pytest.param(
            {"event_time": "soon", "client_event_time": "2024-04-03 07:00:00"}, None, id="unreadable"
        ),
        pytest.param({"event_time": None}, None, id="none"),
    ],
)
def test_time(times, expected):
    """`event_time` is the time; the client's stands in where there is none, never for one that cannot be read."""
    timestamp = one(**times)["timestamp"]
    assert (timestamp and timestamp.hour) == expected


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        pytest.param({}, "anna", id="user"),
        pytest.param({"user_id": None}, "d-1", id="device"),
        pytest.param({"user_id": " "}, "d-1", id="blank-user"),
        pytest.param({"user_id": None, "device_id": None}, None, id="neither"),
    ],
)
def test_person(ids, expected):
    """The user, else the device; with neither there is no one, and the framework rejects the row."""
    assert one(**ids)["distinct_id"] == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("[Amplitude] Page Viewed", "$pageview", id="browser-sdk"),
        pytest.param("Page viewed", "$pageview", id="schema-page"),
        pytest.param("Viewed Page", "$pageview", id="viewed-page"),
        pytest.param("pagevisited", "$pageview", id="any-case"),
        pytest.param("[Amplitude] Screen Viewed", "$screen", id="screen"),
        pytest.param("[Amplitude] Element Clicked", "$autocapture", id="clicked"),
        pytest.param("[Amplitude] Element Changed", "$autocapture", id="changed"),
        pytest.param("$identify", "$set", id="identify"),
        pytest.param("[Shopify] Checkout Started", "[Shopify] Checkout Started", id="own"),
        pytest.param(None, None, id="none"),
    ],
)
def test_event_names(name, expected):
    """What PostHog has its own name for gets it; every other name stays."""
    assert one(event_type=name)["event"] == expected


def test_session_events_are_filtered_together():
    """All four names of a session's start and end fall under one rule, and nothing else does."""
    names = ["session_start", "session_end", "[Amplitude] Start Session", "[Amplitude] End Session", "Start"]
    found = holds(EVENTS.filters["session_events"], *({"event_type": name} for name in names))
    assert found == [True] * 4 + [False]
    assert one(event_type="session_end")["event"] == "session_end", "where the filter is turned off"


def test_page():
    """The address with its query, taken apart; the title on page views."""
    seen = extra(
        event_type="[Amplitude] Page Viewed",
        event_properties={
            "[Amplitude] Page Location": "https://shop.example.com/a/b?utm_source=x#y",
            "[Amplitude] Page URL": "https://shop.example.com/a/b",
            "[Amplitude] Page Title": "Küche",
            "referrer": "https://www.google.com/",
            "referring_domain": "www.google.com",
            "[Amplitude] Viewport Width": 1440,
        },
    )
    assert seen["$current_url"] == "https://shop.example.com/a/b?utm_source=x#y"
    assert (seen["$host"], seen["$pathname"], seen["title"]) == ("shop.example.com", "/a/b", "Küche")
    assert (seen["$referrer"], seen["$referring_domain"]) == ("https://www.google.com/", "www.google.com")
    assert seen["$viewport_width"] == 1440


def test_page_without_a_location():
    """The address without its query stands in, and of a path alone at least the path is known."""
    assert (
        bag(**{"[Amplitude] Page URL": "https://a.example.com/x"})["$current_url"]
        == "https://a.example.com/x"
    )
    parts = bag(**{"[Amplitude] Page Domain": "a.example.com", "[Amplitude] Page Path": "/x"})
    assert (parts["$host"], parts["$pathname"]) == ("a.example.com", "/x")
    assert "title" not in bag(**{"[Amplitude] Page Title": "T"})


def test_screen_name():
    """A screen view says which."""
    assert bag(**{"[Amplitude] Screen Name": "Cart"})["$screen_name"] == "Cart"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        pytest.param("[Amplitude] Element Clicked", "click", id="click"),
        pytest.param("[Amplitude] Element Changed", "change", id="change"),
    ],
)
def test_autocapture(kind, expected):
    """A clicked or changed element carries what PostHog's actions look for."""
    properties = {
        f"[Amplitude] Element {name}": value
        for name, value in {
            "Tag": "a",
            "Class": "small btn",
            "Href": "/cart",
            "Text": "Buy",
            "ID": "x",
        }.items()
    } | {"[Amplitude] Element Hierarchy": [{"tag": "a", "index": 2, "indexOfType": 0}, {"tag": "body"}]}
    seen = extra(event_type=kind, event_properties=properties)
    assert (seen["$event_type"], seen["$el_text"]) == (expected, "Buy")
    assert seen["$elements_chain"] == (
        'a.btn.small:attr__class="small btn"attr__href="/cart"attr__id="x"attr_id="x"href="/cart"nth-child="3"'
        'nth-of-type="1"text="Buy";body:'
    )


def test_only_autocapture_has_elements():
    """Another event with such properties is not one."""
    seen = bag(**{"[Amplitude] Element Tag": "a", "[Amplitude] Element Text": "Buy"})
    assert seen.keys().isdisjoint({"$event_type", "$el_text", "$elements_chain"})


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        pytest.param(
            WEB | {"device_family": "Mac", "device_type": "Mac"},
            ("Chrome", 123.0, "Mac OS X", "Desktop"),
            id="mac",
        ),
        pytest.param(
            {"library": "amplitude-js/8.1", "os_name": "Edge", "os_version": "99", "device_type": "Windows"},
            ("Microsoft Edge", 99.0, "Windows", "Desktop"),
            id="by-library",
        ),
        pytest.param(
            WEB | {"os_name": "Mobile Safari", "device_family": "Apple iPhone"},
            ("Mobile Safari", 123.0, "iOS", "Mobile"),
            id="mobile-web",
        ),
        pytest.param(
            WEB | {"os_name": "Chrome Mobile", "device_type": "Samsung Galaxy Tab S9"},
            ("Chrome", 123.0, "Android", "Tablet"),
            id="tablet-web",
        ),
        pytest.param(
            WEB | {"device_type": "Chromebook"}, ("Chrome", 123.0, "Chrome OS", "Desktop"), id="chrome-os"
        ),
        pytest.param(WEB | {"device_type": "Linux"}, ("Chrome", 123.0, "Linux", "Desktop"), id="linux"),
        pytest.param(WEB, ("Chrome", 123.0, None, None), id="unknown-device"),
    ],
)
def test_browser(row, expected):
    """On the web `os_name` is the browser, and the device tells the system; all in PostHog's spelling."""
    seen = extra(**row)
    assert tuple(seen.get(n) for n in ("$browser", "$browser_version", "$os", "$device_type")) == expected
    assert "$os_version" not in seen


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        pytest.param(
            {"platform": "iOS", "os_name": "ios", "os_version": "18.1.1", "device_type": "Apple iPhone 12"},
            ("iOS", "18.1.1", "Apple iPhone 12", "Mobile"),
            id="iphone",
        ),
        pytest.param(
            {"platform": "iOS", "os_name": "ipados", "os_version": "17", "device_type": "Apple iPad"},
            ("iOS", "17", "Apple iPad", "Tablet"),
            id="ipad",
        ),
        pytest.param(
            {"platform": "Android", "os_name": "android", "os_version": "14", "device_model": "Pixel 8"},
            ("Android", "14", "Pixel 8", "Mobile"),
            id="android",
        ),
        pytest.param({"platform": "iOS"}, ("iOS", None, None, "Mobile"), id="platform-alone"),
        pytest.param({"os_name": "Tizen"}, ("Tizen", None, None, None), id="unknown"),
        pytest.param({"library": "http/2.0"}, (None, None, None, None), id="server"),
    ],
)
def test_native(row, expected):
    """Anywhere else `os_name` is the system, and there is no browser."""
    seen = extra(**row)
    assert tuple(seen.get(n) for n in ("$os", "$os_version", "$device_model", "$device_type")) == expected
    assert "$browser" not in seen


def test_place():
    """City, region, country and coordinates as Amplitude resolved them, and the address."""
    seen = extra(
        city="Berlin",
        region="Land Berlin",
        country="Germany",
        location_lat="52.5",
        location_lng="13.4",
        ip_address="192.0.2.1",
    )
    assert {name: value for name, value in seen.items() if name.startswith(("$geoip", "$ip"))} == {
        "$ip": "192.0.2.1",
        "$geoip_city_name": "Berlin",
        "$geoip_subdivision_1_name": "Land Berlin",
        "$geoip_country_code": "DE",
        "$geoip_country_name": "Germany",
        "$geoip_latitude": 52.5,
        "$geoip_longitude": 13.4,
    }


@pytest.mark.parametrize(
    ("library", "expected"),
    [
        pytest.param("amplitude-ts/2.16.1", ("amplitude-ts", "2.16.1", None), id="one"),
        pytest.param("a-flutter/1.0_b/2.0", ("a-flutter", "1.0", "a-flutter/1.0_b/2.0"), id="two"),
        pytest.param("adapter/shopify", ("adapter/shopify", None, None), id="no-version"),
        pytest.param(None, (None, None, None), id="none"),
    ],
)
def test_library(library, expected):
    """Amplitude's library is the event's library."""
    seen = extra(library=library)
    assert tuple(seen.get(name) for name in ("$lib", "$lib_version", "amplitude_library")) == expected


def test_language():
    """Only a code is a browser's language; a name is kept as Amplitude's."""
    assert extra(language="en_US")["$browser_language"] == "en-US"
    assert "$browser_language" not in extra(language="English")
    assert extra(language="English")["amplitude_language"] == "English"


def test_what_posthog_has_no_name_for_is_kept():
    """Columns worth keeping stand under their own names; empty objects and Amplitude's "(none)" do not."""
    columns = {
        "device_carrier": "--",
        "dma": "Berlin",
        "paying": "(none)",
        "plan": "{}",
        "id": "7",
        "ad_id": "a",
    }
    seen = extra(amplitude_id="880000000001", **columns)
    assert seen == {
        "$device_id": "d-1",
        "amplitude_device_carrier": "--",
        "amplitude_dma": "Berlin",
        "amplitude_id": "880000000001",
        "amplitude_event_id": 7,
        "amplitude_adid": "a",
    }


@pytest.mark.law
@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        pytest.param('["a", "b"]', ["a", "b"], id="list"),
        pytest.param('["a"]', ["a"], id="one"),
        pytest.param("[1, {}, null]", [1, {}, None], id="odd-list"),
        pytest.param('{"x":1.50,"y":[1]}', {"x": 1.5, "y": [1]}, id="object"),
        pytest.param("a,b", "a,b", id="text"),
        pytest.param("['a']", "['a']", id="text-like-a-list"),
        pytest.param("[NaN]", "[NaN]", id="no-json"),
        pytest.param("[" * 5000, "[" * 5000, id="too-deep"),
        *(pytest.param(empty, None, id=f"empty-{empty}") for empty in ("[]", "{}", "null", '""')),
    ],
)
@pytest.mark.parametrize("column", ["amplitude_attribution_ids", "plan", "global_user_properties"])
def test_lists_and_objects_stay_what_they_are(tmp_path, column, cell, kept):
    """In JSON and as the text of a cell; what is empty is left out, and what is neither stays text."""
    row = {"event_type": "Search", "user_id": "anna", "device_id": "d-1", "event_time": TIME}
    (tmp_path / "text.jsonl").write_text(json.dumps(row | {column: cell}))
    if kept is not None and not isinstance(kept, str):
        (tmp_path / "nested.jsonl").write_text(json.dumps(row)[:-1] + f',"{column}":{cell}}}')
    made = made_of("amplitude", tmp_path)
    name = f"amplitude_{column.removeprefix('amplitude_')}"
    assert made.rejects == []
    assert [bag.get(name) for bag in made.bags] == [kept] * len(list(tmp_path.iterdir()))


@pytest.mark.parametrize(
    ("column", "good", "odd", "said"),
    [
        *(
            pytest.param(
                name,
                ("true", "False", "1", None, " "),
                ("(none)", "maybe", "2"),
                "neither_true_nor_false",
                id=name,
            )
            for name in ("paying", "is_attribution_event", "followed_an_identify")
        ),
        *(
            pytest.param(name, ("1.5", "-7", None, ""), ("north", "1,5"), "no_number", id=name)
            for name in ("location_lat", "location_lng", "sample_rate")
        ),
    ],
)
def test_what_is_not_of_its_type_is_counted(column, good, odd, said):
    """A column that is sent as true, false or a number has no place for other words; the rows go on without."""
    given = [{column: value} for value in (*good, *odd)]
    rule = EVENTS.warnings[f"{column}_{said}"]
    assert holds(rule, *given) == [False] * len(good) + [True] * len(odd)
    assert len(mapped(*given)) == len(given)


WORKER = Options(uuid_compat="posthog-worker")
OWN = "8F1E6D2C-0000-4000-8000-0000000000AB"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        pytest.param({"uuid": OWN}, (OWN.lower(), "Search", "anna"), id="own"),
        pytest.param({"uuid": OWN, "user_id": None}, (OWN.lower(), "Search", "d-1"), id="device"),
        pytest.param(
            {"uuid": OWN, "user_id": None, PERSON: "anna"}, (OWN.lower(), "Search", "d-1"), id="resolved"
        ),
        pytest.param({"uuid": None}, (None, "Search", "anna"), id="none"),
        pytest.param({"uuid": "no-uuid"}, (None, "Search", "anna"), id="no-uuid"),
        *(
            pytest.param({"uuid": OWN, "event_type": name}, (OWN.lower(), sent, "anna"), id=name)
            for name, sent in (
                ("[Amplitude] Page Viewed", "$pageview"),
                ("[Amplitude] Element Clicked", "$autocapture"),
                ("[Amplitude] Element Changed", "$autocapture"),
                ("[Amplitude] Screen Viewed", "[Amplitude] Screen Viewed"),
                ("Page Viewed", "Page Viewed"),
                ("[amplitude] page viewed", "[amplitude] page viewed"),
                ("$identify", "$set"),
            )
        ),
    ],
)
def test_events_of_the_managed_migration(row, expected):
    """With `--uuid-compat` an event has the uuid, name and id that PostHog's own importer sends; else our own."""
    frame = opened(EVENTS, rows(row), WORKER).lazy()
    (event,) = EVENTS.to_events(frame, WORKER).collect().to_dicts()
    assert (event["uuid"], event["event"], event["distinct_id"]) == expected
    assert one(**row)["uuid"] is None


def test_a_migration_begun_by_posthog_collapses_into_one_person(tmp_path):
    """Events without a user stay with their device, as they were sent: one merge makes them the user's."""
    row = {"device_id": "d-1", "amplitude_id": 7, "event_type": "Search"}
    given = [
        row | {"uuid": OWN, "event_time": TIME},
        row | {"user_id": "anna", "uuid": OWN.replace("AB", "AC"), "event_time": "2024-04-03 12:01:00"},
    ]
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.jsonl").write_text("\n".join(map(json.dumps, given)))
    found = {}
    for number, more in enumerate(([], ["--uuid-compat", "posthog-worker"])):
        workdir = tmp_path / str(number)
        command = ["plan", "amplitude", str(tmp_path / "in"), "--workdir", str(workdir), "--quiet", *more]
        assert CliRunner().invoke(cli, command).exit_code == 0
        days = pl.concat([pl.read_parquet(part) for part in workdir.glob("days/*/*.parquet")])
        found[number] = sorted(days.select("event", "distinct_id").rows())
        if more:
            assert {OWN.lower(), OWN.lower().replace("ab", "ac")} < set(days["uuid"])
    assert found == {
        0: [("Search", "anna"), ("Search", "anna")],
        1: [("$identify", "anna"), ("Search", "anna"), ("Search", "d-1")],
    }


def test_the_clients_time_is_kept_where_it_differs():
    """A corrected clock is worth knowing, an uncorrected one is not."""
    assert "amplitude_client_event_time" not in extra(client_event_time=TIME)
    assert (
        extra(client_event_time="2024-04-03 11:00:00")["amplitude_client_event_time"] == "2024-04-03 11:00:00"
    )


@pytest.mark.parametrize(
    ("properties", "kind", "expected"),
    [
        pytest.param({"$revenue": -4.5, "$price": 9}, "Buy", -4.5, id="revenue"),
        pytest.param({"$price": 19.9, "$quantity": 3}, "Buy", 59.7, id="price-times-quantity"),
        pytest.param({"$price": 19.9}, "Buy", 19.9, id="one"),
        pytest.param({"$quantity": 3}, "Buy", None, id="no-price"),
        pytest.param({"$revenue": "much"}, "Buy", None, id="no-number"),
        pytest.param({"$price": 5}, "revenue_amount", 5.0, id="legacy"),
        pytest.param({"$price": 5, "$receipt": "r"}, "revenue_amount", None, id="counted-in-its-copy"),
        pytest.param({"$price": 5, "$receipt": "r"}, "[Amplitude] Revenue", None, id="and-by-its-other-name"),
        pytest.param({"$revenue": 5, "$receipt": "r"}, "[Amplitude] Revenue (Verified)", 5.0, id="the-copy"),
    ],
)
def test_revenue(properties, kind, expected):
    """Plain revenue beside the originals, never twice for one purchase."""
    event = one(event_type=kind, event_properties=properties | {"$currency": "EUR"})
    assert event["extra"].get("revenue") == expected
    assert event["extra"]["currency"] == "EUR"
    assert event["properties"] == properties | {"$currency": "EUR"}


def test_campaign_parameters():
    """Those of the event stay; an event that has none gets those of its page's address."""
    url = {"[Amplitude] Page Location": "https://a.example.com/?utm_source=url&gclid=g%201&q=1"}
    assert one(event_properties=url)["properties"] == url | {"utm_source": "url", "gclid": "g 1"}
    own = url | {"utm_source": "own"}
    assert one(event_properties=own)["properties"] == own


def test_session():
    """A version-7 id of the session's start, the same for the device before and after its user is known."""
    first, known, other = mapped(
        {"session_id": str(SESSION), "user_id": None},
        {"session_id": str(SESSION)},
        {"session_id": str(SESSION), "device_id": "d-2"},
    )
    found = uuid.UUID(first["extra"]["$session_id"])
    assert (found.version, found.int >> 80) == (7, SESSION)
    assert first["extra"]["$session_id"] == known["extra"]["$session_id"] != other["extra"]["$session_id"]
    assert first["extra"]["amplitude_session_id"] == str(SESSION)


@pytest.mark.parametrize(
    ("session", "kept"),
    [
        pytest.param("-1", None, id="none"),
        pytest.param(None, None, id="null"),
        pytest.param("abc", "abc", id="no-number"),
        pytest.param("0", "0", id="zero"),
    ],
)
def test_no_session(session, kept):
    """-1 is Amplitude's word for none, and what is no time starts none."""
    seen = extra(session_id=session)
    assert "$session_id" not in seen
    assert seen.get("amplitude_session_id") == kept


def test_a_session_of_days_is_split():
    """PostHog ignores a session of 24 hours and more."""
    ids = [
        event["extra"]["$session_id"]
        for event in mapped(
            *(
                {"session_id": str(SESSION), "event_time": f"2024-04-0{time}:00"}
                for time in ("3 12:30", "3 12:31", "4 12:30", "4 12:31")
            )
        )
    ]
    assert [ids.index(one) for one in ids] == [0, 0, 2, 2]


def person(event):
    """The person properties of an event."""
    return event["set"], event["set_once"]


def profiled(*given):
    """What rows tell of persons: whose, `$set`, `$set_once`."""
    frame = EVENTS.to_profiles(rows(*given).lazy(), Options()).collect()
    assert frame.schema == schemas.PROFILE_SCHEMA
    texts = frame.select("distinct_id", "set", "set_once").rows()
    return [(who, *(json.loads(text) if text else None for text in parts)) for who, *parts in texts]


def test_initial_properties_are_set_once():
    """`initial_…` go to `$set_once` as `$initial_…` without EMPTY, the others to `$set`."""
    bag = {"plan": "EMPTY", "initial_utm_source": "x", "initial_gclid": "EMPTY", "n": 1}
    assert profiled({"user_properties": bag}) == [
        ("anna", {"plan": "EMPTY", "n": 1}, {"$initial_utm_source": "x"})
    ]


def test_user_properties_are_told_of_the_person_and_not_on_every_event():
    """Each row is a snapshot of its person, whom Amplitude may have found where the row names none."""
    state = {"user_properties": {"plan": "pro"}}
    assert person(one(**state)) == (None, None)
    anonymous = state | {"user_id": None}
    assert [who for who, *_ in profiled(state, anonymous, anonymous | {PERSON: "boris"})] == [
        "anna",
        "d-1",
        "boris",
    ]
    assert profiled({"user_properties": {}}, {"user_properties": None}, state | {"event_time": "soon"}) == []


def test_identify_rows_say_what_they_say():
    """Amplitude's `$identify` sets properties, changed or not, and never becomes PostHog's."""
    state = {"user_properties": {"plan": "pro"}}
    plain, told = mapped(state, state | {"event_type": "$identify", "event_time": "2024-04-03 13:00:00"})
    assert (plain["set"], told["event"], told["set"]) == (None, "$set", {"plan": "pro"})


def test_groups():
    """One group of each type; a second of the same type is counted."""
    assert one(groups={"company": ["acme", "globex"], "team": [7]})["groups"] == {
        "company": "acme",
        "team": "7",
    }
    assert one(groups={})["groups"] is None
    given = [
        {"company": ["acme"], "team": [1]},
        {"company": ["a", "b"]},
        {"company": ['a"],"', "b"]},
        {"n": [1, 2]},
        {},
    ]
    found = holds(EVENTS.warnings["several_group_values"], *({"groups": groups} for groups in given))
    assert found == [False, True, True, True, False]


def grouped(*given):
    """What rows tell of groups: type, key, properties, who told it."""
    frame = EVENTS.to_groups(rows(*given).lazy(), Options()).collect()
    assert frame.schema == schemas.GROUP_SCHEMA
    columns = ("group_type", "group_key", "properties", "distinct_id")
    return frame.select(columns).rows()


def test_group_properties():
    """What an event repeats of its group is told of the group; an event without any tells nothing."""
    row = {"groups": {"company": ["acme"]}, "group_properties": {"company": {"acme": {"seats": 1}}}}
    assert grouped(row, {"groups": {"company": ["acme"]}, "group_properties": {}}) == [
        ("company", "acme", '{"seats":1}', "anna")
    ]


def test_groupidentify_rows():
    """Amplitude's own group update is no event of its own, and tells of each group, in either shape."""
    row = {"event_type": "$groupidentify", "groups": {"company": ["acme", "globex"]}}
    row |= {"group_properties": {"$set": {"seats": 1}}, "user_id": None, "device_id": None}
    assert mapped(row) == []
    told = [("company", name, '{"seats":1}', None) for name in ("acme", "globex")]
    assert grouped(row) == told


def linked(*given):
    """What rows tell of ids."""
    frame = EVENTS.to_links(rows(*given).lazy(), Options()).collect()
    assert frame.schema == schemas.LINK_SCHEMA
    return sorted(frame.select("kind", "a", "b").rows())


def test_who_is_who():
    """A user stands for an Amplitude id; a device belongs to the user it was seen with; alone it speaks for itself."""
    row = {"amplitude_id": "17", "device_id": "d-1"}
    number = "\x1famplitude_id\x1f17"
    assert linked(row) == [("linked", "d-1", "anna"), ("resolved", number, "anna")]
    assert linked(row | {"user_id": None}) == [("own", "d-1", number)]
    assert linked({"user_id": None, "amplitude_id": None}) == [("own", "d-1", "\x1fnone\x1fd-1")]
    resolve = rows(row, row | {"user_id": None}).select(EVENTS.resolve).to_series().to_list()
    assert resolve == [None, number]


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        pytest.param({"library": "http/2.0"}, "refused", id="http"),
        pytest.param({"session_id": "-1", "library": "amplitude-python/1.0"}, "refused", id="no-session"),
        pytest.param({"session_id": "1712145600000", "library": "amplitude-ts/2.1"}, "linked", id="browser"),
        pytest.param({"library": "http/2.0", "device_id": "d-1"}, "linked", id="named-by-the-sender"),
    ],
)
def test_a_device_made_of_the_user_is_no_link(row, kind):
    """Where no device was sent Amplitude stores a version-5 UUID of the user's id."""
    device = {"device_id": "ba776225-cd1a-5f37-a8c2-1e6f5bd9b2a1"}
    assert [found for found, *_ in linked(device | row)] == [kind]


def test_an_anonymous_event_of_a_person_amplitude_found():
    """It is planned under that person's id, and costs no merge."""
    assert one(user_id=None, **{PERSON: "anna"})["distinct_id"] == "anna"
    assert one(user_id=None)["distinct_id"] == "d-1"


def key(**row):
    """The dedup key of one row's event."""
    return one(**row)["dedup_key"]


def test_dedup_key_is_the_uuid():
    """Amplitude's uuid is the event, however it is spelled and whatever else differs."""
    own = "0c1d2e3f-0000-4000-8000-00000000000a"
    assert key(uuid=own.upper(), city="Berlin") == key(uuid=own, os_version="2") == own


def test_dedup_key_without_a_uuid():
    """The insert id counts with its device, name and time; a row without one is told by all it says."""
    inserted = key(**{"$insert_id": "order:17"})
    assert inserted == key(_insert_id="order:17", event_id="3") == key(uuid="no uuid", insert_id="order:17")
    assert inserted == key(_insert_id="order:17", event_time="2024-04-03T12:00:00.123456+00:00")
    assert inserted != key(_insert_id="order:17", device_id="d-2")
    assert inserted != key(_insert_id="order:17", event_time="2024-05-03 12:00:00")
    assert key(event_id="1") == key(id="1") != key(event_id="2")
    assert key(event_properties={"a": 1}) != key(event_properties={"a": 2})


@pytest.mark.parametrize(
    ("columns", "table"),
    [
        pytest.param(
            ["$insert_id", "event_type", "event_time", "user_id", "amplitude_id"], "events", id="export"
        ),
        pytest.param(["EVENT_TYPE", "EVENT_TIME", "UUID"], "events", id="snowflake"),
        pytest.param(
            ["scope", "merge_time", "amplitude_id", "merged_amplitude_id"], "merged_ids", id="merged-ids"
        ),
        pytest.param(["\tUser ID", "\tAmplitude ID", "\tCountry"], "dashboard_csv", id="users-with-tabs"),
        pytest.param(["User ID", "Amplitude ID"], "dashboard_csv", id="users"),
        pytest.param(["\tEvent Segmentation"], "dashboard_csv", id="chart"),
        pytest.param(["name", "price"], None, id="something-else"),
        pytest.param(["event_type", "user_id"], None, id="no-time"),
    ],
)
def test_tables_are_told_apart(columns, table):
    """Raw events, merged ids and what the dashboard saves, by their columns alone."""
    found = MAPPING.table_for(columns)
    assert (found and found.name) == table


def test_the_dashboard_is_refused_with_a_way_out():
    """The refusal says what to export instead."""
    assert DASHBOARD.refusal is not None
    assert "Export API" in DASHBOARD.refusal


def test_merged_ids():
    """The merged id goes by the other's name; the row itself makes no event."""
    given = pl.DataFrame({"amplitude_id": ["1"], "merged_amplitude_id": ["2"]}).lazy()
    (found,) = MERGED_IDS.to_links(given, Options()).collect().select("kind", "a", "b").rows()
    assert found == ("resolved", "\x1famplitude_id\x1f1", "\x1famplitude_id\x1f2")
    frame = pl.DataFrame({ROW: [1, 2]})
    assert frame.select(MERGED_IDS.filters["identity_only"]).to_series().to_list() == [True, True]


def sample(name):
    """The lines of a sample file that are JSON."""
    data = (SAMPLE / "123456" / name).read_bytes()
    text = (gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data).decode()
    return [json.loads(line) for line in text.splitlines() if line.endswith("}")]


@pytest.mark.parametrize("hour", ["9#0", "10#0", "11#0"])
def test_every_column_of_an_export_is_carried_or_dropped_by_name(hour):
    """The 55 keys of an exported row are declared or named as dropped, with one stranger in the last row."""
    known = {name.lower() for name in (*EVENTS.columns, *EVENTS.dropped)}
    strangers = {key for row in sample(f"123456_2024-04-03_{hour}.json.gz") for key in row} - known
    assert strangers == ({"new_column"} if hour == "11#0" else set())
