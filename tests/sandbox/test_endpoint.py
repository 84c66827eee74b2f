"""One request in, one answer out, and what came of it on record."""

import json

import pytest
from posting import NOW, OK, UUID, answer, batch, event, post

from migrate import SANDBOX
from migrate.sandbox.endpoint import BATCH_PATHS, SINGLE_PATHS
from migrate.sandbox.server import Sandbox


@pytest.fixture
def sandbox():
    """A sandbox whose clock stands still."""
    with Sandbox(now=lambda: NOW) as running:
        yield running


def got(sandbox, path):
    """What is answered to a GET."""
    return post(sandbox, None, path, "GET")


@pytest.mark.parametrize("path", [*BATCH_PATHS, *SINGLE_PATHS])
def test_every_route_takes_data_in_its_query(sandbox, path):
    """Also with GET, as a page's pixel does; the event is the same."""
    data = json.dumps(event(token="phc_key")).replace(" ", "%20").replace('"', "%22")  # noqa: S106 - made up
    assert got(sandbox, f"{path}?data={data}") == OK
    (stored,) = sandbox.events()
    assert (stored["uuid"], stored["historical"]) == (UUID, False)
    assert [one["path"] for one in sandbox.requests()] == [path]


def test_what_there_is_not_is_answered_without_a_word(sandbox):
    """An unknown path, another method; OPTIONS are taken, and a time in the query that is none is refused."""
    assert got(sandbox, "/i/v1/analytics/events") == (404, "")
    assert post(sandbox, None, "/batch/", "PUT") == (405, "")
    assert post(sandbox, None, "/batch/", "OPTIONS") == (200, "")
    words = "Failed to deserialize query string: _: invalid digit found in string"
    assert post(sandbox, batch(event()), "/batch/?_=abc") == (400, words)
    assert sandbox.events() == []


RECEIPTS = [
    pytest.param([], batch(event(), event()), ("200", True, 2, 2, ""), id="stored"),
    pytest.param([], batch(event(), historical_migration=False), ("200", False, 1, 1, ""), id="live"),
    pytest.param([], batch(event(), event(event="")), ("400", True, 2, 0, ""), id="refused"),
    pytest.param([], b"[", ("400", False, 0, 0, ""), id="unread"),
    pytest.param(
        [{"fault": "status", "status": 503}], batch(event()), ("503", False, 0, 0, "status"), id="fault"
    ),
    pytest.param(
        [{"fault": "poison"}], batch(event()), ("200", True, 1, 1, "poison"), id="fault that let it pass"
    ),
    pytest.param([{"fault": "over_quota"}], batch(event()), ("200", True, 1, 0, "over_quota"), id="lost"),
    pytest.param(
        [{"fault": "prefix", "events": 1, "status": 503}],
        batch(event(), event()),
        ("503", True, 2, 1, "prefix"),
        id="in part",
    ),
]


@pytest.mark.parametrize(("faults", "body", "told"), RECEIPTS)
def test_a_request_is_on_record(sandbox, faults, body, told):
    """What came, what was stored of it, what was answered, which faults have hit it."""
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    sandbox.faults(faults)
    status, _ = post(sandbox, body)
    names = ("status", "historical", "events", "stored", "faults")
    rest = {"request": 1, "received_at": "2026-01-02T03:04:05.000000Z", "path": "/batch/", "bytes": len(body)}
    assert sandbox.requests() == [dict(zip(names, told, strict=True)) | rest]
    assert told[0] == str(status)
    assert sandbox.summary()["raw"]["events"] == told[3]
    assert json.loads(got(sandbox, "/_sandbox/requests")[1]) == sandbox.requests()


def test_a_sandbox_says_that_it_is_one(sandbox):
    """In JSON, so that no PostHog is taken for it."""
    status, headers, text = answer(sandbox, None, "/_sandbox", "GET")
    assert (status, headers["Content-Type"]) == (200, "application/json; charset=utf-8")
    assert json.loads(text) == {"is": SANDBOX}


def test_a_long_list_of_events_comes_whole(sandbox):
    """Over the pages in which it is sent; a limit ends it, one of nothing too."""
    events = [event(event=f"e{n}") for n in range(2_345)]
    assert post(sandbox, batch(*events)) == OK
    names = [one["event"] for one in events]
    for query, count in (("", 2_345), ("?limit=1001", 1_001), ("?limit=0", 0), ("?view=raw&limit=1", 1)):
        status, text = got(sandbox, f"/_sandbox/events.jsonl{query}")
        assert (status, [json.loads(line)["event"] for line in text.splitlines()]) == (200, names[:count])


@pytest.mark.parametrize("query", ["view=both", "limit=-1", "limit=some", "view=raw&limit=1.5"])
def test_a_view_there_is_none_of_is_refused(sandbox, query):
    """With what there is."""
    assert got(sandbox, f"/_sandbox/events.jsonl?{query}") == (
        400,
        "view is raw or collapsed, limit is a number",
    )


def test_rules_that_cannot_be_read_leave_those_that_are_there(sandbox):
    """No JSON, or no list: refused, and the sandbox misbehaves as before."""
    sandbox.faults([{"fault": "status", "status": 503}])
    for body in (b"[", b"7"):
        assert post(sandbox, body, "/_sandbox/faults")[0] == 400
    assert post(sandbox, batch(event()))[0] == 503
