"""Persons and groups: the rows in which each platform's page has seen something tell what the page says."""

import json
import re

import pages
import pytest
from commands import migrate
from markdown import ROOT, blocks

AMPLITUDE = {"event_type": "A", "event_time": "2024-04-03 10:00:00"}
CALL = {"timestamp": "2024-04-03T10:00:00Z"}
GA4 = {"event_timestamp": "1712138400000000", "event_name": "click", "event_params": []}
BATCH = {"events": [{"event_type": "screen_view", "data": {"timestamp_unixtime_ms": 1712138400000}}]}
REST = "0000-4000-8000-000000000000"
"""What a uuid on a page is cut off by."""
POSTHOG = {"event": "A", "distinct_id": "anna", "timestamp": "2024-04-03T10:00:00Z"}


def test_who_is_who_is_shown_as_the_screen_shows_it(tmp_path):
    """The example of the page is the sample's, line for line."""
    (example,) = blocks(ROOT / "docs" / "people.md", "")
    words = ["mixpanel", ROOT / "sample_data" / "mixpanel", "--samples", "full"]
    screen = migrate("run", *words, "--dry-run", cwd=tmp_path).stderr
    assert f"\n{example}changed" in screen


def seen(platform):
    """The rows on a platform's page."""
    text = (pages.PAGES / f"{platform}.md").read_text(encoding="utf-8")
    part = text.split("\n## Persons and groups\n")[1].split("\n## ")[0]
    cells = [line.split(" | ") for line in part.splitlines() if line.startswith("| ")]
    texts = [text for cell in cells for text in re.findall(r"`(\{.*?\})`", cell[-1])]
    return [json.loads(text.replace("…", REST)) for text in texts]


def amplitude(row):
    """A row of Amplitude's with a time, and of somebody."""
    return AMPLITUDE | ({} if {"user_id", "device_id"} & set(row) else {"user_id": "u3"}) | row


def mixpanel(row):
    """A row of Mixpanel's, with a time; profiles are whole."""
    if "$properties" in row:
        return row
    bare = row if "event" in row else {"event": "A", "properties": row}
    return bare | {"properties": {"time": 1712138400, "distinct_id": "u-18"} | bare["properties"]}


def ga4(row):
    """A row of GA4's, of somebody."""
    return GA4 | {"user_pseudo_id": "3.4"} | row


def june(row):
    """A row of June's, with a time; events have a name and properties."""
    of_event = {} if "traits" in row else {"properties": {}, "type": "track"}
    return {"timestamp": CALL["timestamp"], "context": {}} | of_event | row


def made(folder, platform, whole):
    """What all rows of a page become, each in a file of its own."""
    for number, row in enumerate(seen(platform)):
        (folder / f"{number}.json").write_text(json.dumps(whole(row)) + "\n")
    done = migrate("preview", platform, folder, "--limit", "100", env={"PYTHONPATH": str(ROOT)})
    return [json.loads(line) for line in done.stdout.splitlines()]


def told(events, name):
    """What events say under a name."""
    return [event["properties"][name] for event in events if name in event["properties"]]


PLAN, SEATS = {"plan": "pro"}, {"seats": 5}
CASES = {
    "amplitude": (amplitude, {"$initial_utm_source": "google"}, PLAN, SEATS),
    "mixpanel": (
        mixpanel,
        {"$initial_referrer": "$direct"},
        {"name": "Anna", "last_seen": "2024-03-04T12:00:30"},
        SEATS,
    ),
    "segment": (CALL.__or__, None, PLAN, SEATS),
    "rudderstack": (CALL.__or__, None, PLAN, SEATS),
    "ga4": (
        ga4,
        {"$initial_utm_medium": "cpc", "$initial_utm_source": "google"},
        {"ga_user_ltv_currency": "USD", "ga_user_ltv_revenue": 5},
        None,
    ),
    "june": (june, None, PLAN, SEATS),
    "kissmetrics": ({"_t": 1712138400}.__or__, None, PLAN, None),
    "statsig": ({"timestamp": 1712138400000}.__or__, None, PLAN, None),
    "mparticle": (BATCH.__or__, None, PLAN, None),
    "posthog": (POSTHOG.__or__, {"$initial_utm_source": "news"}, PLAN, None),
}
"""How a page's rows are made whole, and what they tell: first touch, last state, group."""
DEVICES = {"d1", f"225CC746-{REST}"}
"""Ids of devices on the pages, whose events the source itself gives to somebody."""


@pytest.mark.parametrize("platform", CASES)
def test_rows_tell_what_the_page_says(platform, tmp_path):
    """Whose event it is, how they first came, what is known last, which groups there are."""
    whole, first, last, group = CASES[platform]
    events = made(tmp_path, platform, whole)
    assert not DEVICES & {event["distinct_id"] for event in events}
    assert platform in {"amplitude", "mixpanel"} or told(events, "$anon_distinct_id")
    assert first is None or any(first.items() <= once.items() for once in told(events, "$set_once"))
    assert any(last.items() <= now.items() for now in told(events, "$set"))
    assert group is None or group in told(events, "$group_set")


def test_heap_users_tell_what_the_page_says(tmp_path):
    """The same of tables: an identity, a first touch, a property."""
    (tmp_path / "users.csv").write_text(
        "user_id,identity,initial_utm_source,plan\n4810060720600030,anna@example.com,news,pro\n"
    )
    (tmp_path / "signed_up.csv").write_text(
        "event_id,user_id,session_id,time\n1,4810060720600030,2,2024-04-03 10:00:00\n"
    )
    done = migrate("preview", "heap", tmp_path, env={"PYTHONPATH": str(ROOT)})
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert {event["distinct_id"] for event in events} == {"anna@example.com"}
    assert {"$initial_utm_source": "news"} in told(events, "$set_once")
    assert any(now["plan"] == "pro" for now in told(events, "$set"))
