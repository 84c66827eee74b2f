"""The Matomo mapping, behaviour by behaviour."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from frames import made_of
from samples import some

from mappings._matomo_actions import action

START = 1720111385
LANGUAGES = {
    "24 hours": "%H:%M:%S",
    "AM and PM": "%I:%M:%S\u202f%p",
    "a word before it": "오후 %I:%M:%S",
}
ZONES = [
    "UTC",
    "Europe/Paris",
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Pacific/Auckland",
    "Pacific/Apia",
]


def offset(zone, at):
    """How far a zone is from UTC, in seconds."""
    return int(datetime.fromtimestamp(at, ZoneInfo(zone)).utcoffset().total_seconds())


def visit(zone, *times, lasting, clock=None, start=START, **more):
    """A visit to a site in a zone, with an action so many seconds after its start each."""
    bounds = {"firstActionTimestamp": start, "lastActionTimestamp": str(start + lasting)}
    actions = [
        {
            "type": "action",
            "pageId": str(place),
            "url": "https://a.example/",
            "timestamp": start + at + offset(zone, start + at),
        }
        for place, at in enumerate(times)
    ]
    shown = {}
    if clock is not None:
        ends = {"serverTimePrettyFirstAction": start, "serverTimePretty": start + lasting}
        shown = {
            name: datetime.fromtimestamp(at, ZoneInfo(zone)).strftime(clock) for name, at in ends.items()
        }
    return {"idSite": 1, "idVisit": 7, "visitorId": "aa", "actionDetails": actions} | bounds | shown | more


def made(folder, *visits, **options):
    """What becomes of visits, in one array."""
    path = folder / "visits.json"
    path.write_text(json.dumps(visits))
    done = made_of("matomo", path, **options)
    return [json.loads(payload) for payload in done.payloads], done.rejects


def after(events, start=START):
    """When events were, in seconds after the start."""
    times = [datetime.fromisoformat(event["timestamp"]) for event in events]
    return [int((time - datetime.fromtimestamp(start, UTC)).total_seconds()) for time in times]


@pytest.mark.parametrize("zone", ZONES)
def test_a_short_visit_tells_its_zone(tmp_path, zone):
    """An offset is a whole number of quarters, so that one alone fits; in whatever order the actions stand."""
    told, rejects = made(tmp_path, visit(zone, 400, 0, 899, lasting=899))
    assert (after(told), rejects) == ([400, 0, 899], [])


@pytest.mark.parametrize(
    ("zone", "clock"),
    some(
        [
            *((zone, "%H:%M:%S") for zone in ZONES),
            *((ZONES[0], clock) for clock in [*LANGUAGES.values()][1:]),
        ],
        4,
    ),
)
def test_a_long_visit_tells_its_zone_by_its_clocks(tmp_path, zone, clock):
    """In any language; one of the two is enough."""
    times = [0, 1000, 7200, 30_000]
    whole = visit(zone, *times, lasting=30_000, clock=clock)
    for without in ("", "serverTimePretty", "serverTimePrettyFirstAction"):
        told, rejects = made(tmp_path, {name: value for name, value in whole.items() if name != without})
        assert (after(told), rejects) == (times, [])


def test_what_nothing_tells_is_the_users_zone(tmp_path):
    """And a reject where nobody said it, or where it does not fit."""
    told = visit("Europe/Paris", 1000, lasting=7200)
    for zone, found in (("Europe/Paris", [1000]), ("+02:00", [1000]), ("UTC", []), ("Asia/Tokyo", [])):
        events, rejects = made(tmp_path, told, source_timezone=zone)
        assert after(events) == found
        assert [line["reason"] for line in rejects] == ["bad_timestamp"] * (1 - len(found))


def test_clocks_that_were_changed_tell_nothing(tmp_path):
    """In a visit across the end of summer time the site's zone does."""
    start = 1729988400  # 2024-10-27T00:20:00Z, forty minutes before
    changed = visit("Europe/Paris", 0, 1200, 6000, lasting=6000, clock="%H:%M:%S", start=start)
    assert made(tmp_path, changed)[0] == []
    told, _ = made(tmp_path, changed, source_timezone="Europe/Paris")
    assert after(told, start) == [0, 1200, 6000]


def test_the_rest_of_a_visit_does_not_move_an_action(tmp_path):
    """An action is at the same time, and the same event, beside fewer others."""
    times = [0, 5000, 9000]
    whole = visit("Europe/Paris", *times, lasting=9000, clock="%H:%M:%S")
    told, _ = made(tmp_path, whole)
    alone, _ = made(tmp_path, whole | {"actionDetails": whole["actionDetails"][1:2]})
    assert alone == told[1:2]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"type": "action"}, "$pageview"),
        ({"type": "event", "eventCategory": "Video", "eventAction": "play"}, "Video: play"),
        ({"type": "goal", "goalName": "Signup", "goalId": 2}, "goal: Signup"),
        ({"type": "goal", "goalId": 2}, "goal: 2"),
        ({"type": "ecommerceOrder", "orderId": "C-1"}, "Order Completed"),
        ({"type": 13, "contentInteraction": "click"}, "content_interaction"),
        ({"type": "13"}, "content_impression"),
        ({"type": "form"}, "form"),
    ],
)
def test_what_an_action_is_called(tmp_path, given, name):
    """By its type, which is a number at times."""
    one = visit("UTC", 0, lasting=0)
    one["actionDetails"][0] |= given
    ((event,), _) = made(tmp_path, one, keep=frozenset({"content_impressions"}))
    assert event["event"] == name


def test_numbers_and_ids_are_what_they_are_however_they_are_written():
    """Matomo writes them as it happens."""
    told = [
        json.loads(action(json.dumps(one)))
        for one in (
            {"pageId": 5, "revenue": "4.50", "items": "2", "itemDetails": [{"price": "1.5", "itemSKU": "7"}]},
            {"pageId": "5", "revenue": 4.5, "items": 2, "itemDetails": [{"price": 1.5, "itemSKU": "7"}]},
        )
    ]
    assert told[0] == told[1]
    assert told[0]["matomo_page_id"] == "5"


def test_one_goal_twice_in_a_visit_is_two_events(tmp_path):
    """At two times, or of two pages."""
    one = visit("UTC", 0, 0, 9, lasting=9)
    for place, page in enumerate(("1", "2", "1")):
        one["actionDetails"][place] |= {"type": "goal", "pageId": None, "goalId": 1, "goalPageId": page}
    told, _ = made(tmp_path, one)
    assert len({event["uuid"] for event in told}) == 3
