"""The private API of the sandbox: a key, a question, an answer in PostHog's form."""

import json

import pytest
from asks import PERSONAL
from posting import NOW, answer, batch, event, post

from migrate.sandbox.server import Sandbox

QUERY = {
    "query": {"kind": "HogQLQuery", "query": "select max(timestamp) as newest, count() as events from events"}
}


@pytest.fixture
def sandbox():
    """A sandbox whose clock stands still."""
    with Sandbox(now=lambda: NOW) as running:
        yield running


def asked(sandbox, path, body=None, key=PERSONAL):
    """Ask; return the status and what is said."""
    bearer = {"Authorization": f"Bearer {key}"} if key else {}
    status, _, text = answer(sandbox, body, path, "GET" if body is None else "POST", **bearer)
    return status, json.loads(text)


def refused(found):
    """What a refusal says: its status, code and detail."""
    status, said = found
    assert said.keys() == {"type", "code", "detail", "attr"}
    return status, said["code"], said["detail"]


def test_the_project_is_the_one_that_events_came_to(sandbox):
    """It has the key of the last batch, also of an empty one; group types are numbered as they come."""
    assert asked(sandbox, "/api/projects/1/")[1]["api_token"] is None
    assert post(sandbox, batch(api_key="phc_mine"))[1] == "request holds no event"
    groups = {"company": "a", "team": "b"}
    told = {"$group_type": "plan", "$group_key": "k"}
    post(
        sandbox, batch(event(event="$groupidentify", properties=told), event(properties={"$groups": groups}))
    )
    sandbox.faults([{"fault": "project", "group_types": ["old"], "timezone": "Asia/Tokyo"}])
    facts = {"id": 1, "name": "sandbox", "api_token": "phc_key", "timezone": "Asia/Tokyo"}
    status, listed = asked(sandbox, "/api/projects/")
    assert (status, listed["results"]) == (200, [facts])
    assert asked(sandbox, "/api/projects/@current/")[1] == facts | {
        "event_retention_months": None,
        "events_retention_enforced": False,
        "drop_events_older_than_seconds": None,
    }
    types = asked(sandbox, "/api/projects/1/groups_types/")[1]
    assert [(one["group_type_index"], one["group_type"]) for one in types] == [
        *enumerate(["old", "plan", "company", "team"])
    ]


def test_the_key_and_its_scope_come_first(sandbox):
    """Refused are no key, a key of another kind, one that may not; a secret key of the project asks queries alone."""
    post(sandbox, batch(event()))
    missing = "API key missing required scope '{}'"
    invalid = (401, "authentication_failed", "Personal API key found in request is invalid.")
    assert refused(asked(sandbox, "/api/projects/", key=""))[0] == 401
    assert refused(asked(sandbox, "/api/projects/", key="phc_key")) == invalid
    assert refused(asked(sandbox, "/api/projects/", key="phs_key")) == (
        403,
        "permission_denied",
        missing.format("project:read"),
    )
    assert asked(sandbox, "/api/projects/1/query/", QUERY, key="phs_key")[1]["results"][0][1] == 1
    sandbox.faults([{"fault": "missing_scope", "scope": "group:read"}])
    assert refused(asked(sandbox, "/api/projects/1/groups_types/"))[2] == missing.format("group:read")
    assert asked(sandbox, "/api/projects/1/")[0] == 200
    for path in ("/api/projects/2/", "/api/projects/1/flags/", "/api/users/", "/api/projects/1/query/7/"):
        assert refused(asked(sandbox, path))[:2] == (404, "not_found")
    with Sandbox(personal_keys=["phx_other"]) as strict:
        assert refused(asked(strict, "/api/projects/")) == invalid


def test_questions_are_on_record_without_their_key(sandbox):
    """What was asked, and how it was answered; capture's requests are not among them, nor these among capture's."""
    asked(sandbox, "/api/projects/1/query/", QUERY | {"refresh": "force_blocking", "name": "mine"})
    refused(asked(sandbox, "/api/projects/1/query/", {"query": {"kind": "EventsQuery", "query": ""}}))
    refused(asked(sandbox, "/api/projects/1/query/", {"query": "select 1"}))
    assert [(one.path, one.status, one.body.get("name")) for one in sandbox.questions()] == [
        ("/api/projects/1/query/", 200, "mine"),
        ("/api/projects/1/query/", 400, None),
        ("/api/projects/1/query/", 400, None),
    ]
    assert PERSONAL not in repr(sandbox.questions())
    assert sandbox.requests() == []


def test_persons_are_found_by_an_id(sandbox):
    """With all ids of the person; an id of nobody finds none."""
    post(sandbox, batch(event(event="$identify", properties={"$anon_distinct_id": "d"})))
    (person,) = asked(sandbox, "/api/projects/1/persons/?distinct_id=d")[1]["results"]
    assert person["distinct_ids"] == ["ann", "d"]
    assert asked(sandbox, "/api/projects/1/persons/?distinct_id=x")[1]["results"] == []


def test_the_private_api_may_have_a_port_of_its_own():
    """As PostHog Cloud has a host for it: then capture's port knows nothing of it, and the other one takes no event."""
    with Sandbox(app_port=0) as sandbox:
        assert sandbox.app_url != sandbox.url
        assert answer(sandbox, None, "/api/projects/", "GET")[0] == 404
        sandbox.url, capture = sandbox.app_url, sandbox.url
        assert asked(sandbox, "/api/projects/")[0] == 200
        assert answer(sandbox, batch(event()))[0] == 404
        sandbox.url = capture


def test_people_are_deleted_with_their_events(sandbox):
    """A thousand at a time at the most."""
    path = "/api/projects/1/persons/bulk_delete/"
    post(sandbox, batch(event(), event(distinct_id="bob", uuid="018ea3c1-0000-7000-8000-000000000002")))
    ann = asked(sandbox, "/api/projects/1/persons/?distinct_id=ann")[1]["results"][0]["uuid"]
    status, told = asked(sandbox, path, {"ids": [ann], "delete_events": True})
    assert (status, told["persons_deleted"]) == (200, 1)
    assert [one["distinct_id"] for one in sandbox.events()] == ["bob"]
    status, told = asked(sandbox, path, {"ids": [ann] * 1_001})
    assert (status, told["detail"]) == (400, "You can only pass 1000 ids in one call")
