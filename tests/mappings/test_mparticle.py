"""The mParticle mapping, behaviour by behaviour."""

import json

import pytest
from frames import made_of

from mappings._mparticle_batch import event, identities

TIME = 1712138400000
PHONE = {"platform": "iOS"}
WEB = {"platform": "web"}


def one(kind="custom_event", **data):
    """An event of a batch."""
    return {"event_type": kind, "data": {"event_name": "E", "timestamp_unixtime_ms": TIME} | data}


def made(folder, *batches, **options):
    """What becomes of batches, each a line."""
    path = folder / "a.jsonl"
    path.write_text("".join(json.dumps({"mpid": "7"} | batch) + "\n" for batch in batches))
    done = made_of("mparticle", path, **options)
    return [json.loads(payload) for payload in done.payloads], done.rejects


@pytest.mark.parametrize(
    ("device", "given", "name"),
    [
        (PHONE, one("screen_view"), "$screen"),
        (WEB, one("screen_view"), "$pageview"),
        (PHONE, one("commerce_event", product_action={"action": "checkout"}), "checkout"),
        (PHONE, one("commerce_event", promotion_action={"action": "view"}), "promotion_view"),
        (PHONE, one("commerce_event", product_impressions=[{"products": []}]), "product_impression"),
        (PHONE, one("commerce_event", product_action={"action": "unknown"}), "commerce_event"),
        (
            PHONE,
            one("application_state_transition", application_transition_type="application_initialized"),
            "Application Opened",
        ),
        (
            WEB,
            one(
                "application_state_transition",
                application_transition_type="application_initialized",
                is_first_run=True,
            ),
            "application_initialized",
        ),
        (
            PHONE,
            one("application_state_transition", application_transition_type="application_exit"),
            "application_exit",
        ),
        (PHONE, one("push_registration"), "push_registration"),
    ],
)
def test_what_an_event_is_called(tmp_path, device, given, name):
    """By its type, and by what PostHog's own libraries say of the same on the same kind of device."""
    (event,), _ = made(tmp_path, {"device_info": device, "events": [given]})
    assert event["event"] == name


@pytest.mark.parametrize(("action", "revenue"), [("purchase", 19.9), ("refund", -19.9), ("checkout", None)])
def test_revenue_is_of_purchases_and_refunds(tmp_path, action, revenue):
    """A cart's amount is none."""
    bought = {"action": action, "total_amount": "19.90"}
    (event,), _ = made(tmp_path, {"events": [one("commerce_event", product_action=bought)]})
    assert event["properties"].get("revenue") == revenue


def test_an_id_that_was_rounded_does_not_make_two_events_one(tmp_path):
    """The sender's id is beside it; the same event in a batch that came twice is one."""
    first, second = (one(event_id=6004677780660780000, source_message_id=name) for name in ("a", "b"))
    told, _ = made(tmp_path, {"events": [first, second]}, {"events": [first]})
    uuids = [event["uuid"] for event in told]
    assert len(uuids) == 3
    assert uuids[0] == uuids[2] != uuids[1]
    assert told[0]["properties"]["mparticle_event_id"] == "6004677780660780000"


def test_events_without_any_id_are_told_by_their_place(tmp_path):
    """Two that say the same in one batch are two."""
    told, _ = made(tmp_path, {"events": [one(), one()]})
    assert len({event["uuid"] for event in told}) == 2


def test_what_the_app_sends_keeps_its_name():
    """But where it is called as a field of mParticle's."""
    told = json.loads(
        event(json.dumps(one(custom_attributes={"mparticle_event_id": "x", "n": 1}, event_id=5)))
    )
    assert told["mparticle_event_id"] == "5"
    assert told["mparticle_custom_mparticle_event_id"] == "x"
    assert told["n"] == 1


@pytest.mark.parametrize(
    "given",
    [
        {"customer_id": "a", "email": "a@b.example"},
        [
            {"identity_type": "email", "identity": "a@b.example", "timestamp_unixtime_ms": 2},
            {"identity_type": "email", "identity": "old@b.example", "timestamp_unixtime_ms": "1"},
            {"identity_type": "customer_id", "identity": "a"},
        ],
    ],
)
def test_identities_are_the_same_as_an_object_and_as_a_list(given):
    """Of a type that stands twice the newest counts."""
    assert json.loads(identities(json.dumps(given))) == {
        "customer_id": "a",
        "others": {"email": "a@b.example"},
    }


def test_a_developer_is_nobody_unless_development_is_kept(tmp_path):
    """Neither events nor merges nor persons come of the development environment."""
    ids = {"user_identities": {"customer_id": "ada"}, "user_attributes": {"plan": "pro"}}
    batch = {"environment": "development", "events": [one()]} | ids
    assert made(tmp_path, batch) == ([], [])
    told, _ = made(tmp_path, batch, keep=frozenset({"development"}))
    assert {event["distinct_id"] for event in told} == {"ada"}


@pytest.mark.parametrize(("start", "id_"), [(TIME - 5, "018ea366-b0fb-7"), (TIME + 5, "018ea141-6000-7")])
def test_a_session_begins_no_later_than_its_events(tmp_path, start, id_):
    """One that is said to is a UTC day's."""
    given = one(session_uuid="S", session_start_unixtime_ms=start)
    (event,), _ = made(tmp_path, {"events": [given]})
    assert event["properties"]["$session_id"].startswith(id_)
