import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from posting import NOW, OK, answer, batch, event, post

from migrate.errors import UsageError
from migrate.sandbox.capture import TOO_BIG
from migrate.sandbox.script import Script
from migrate.sandbox.server import Sandbox

TRANSIENT = "transient error, please retry"


@pytest.fixture
def sandbox():
    """Run a sandbox whose clock stands still."""
    with Sandbox(now=lambda: NOW) as running:
        yield running


def play(sandbox, *rules, body=None):
    """Set these rules and send one batch; return status and text."""
    sandbox.faults(rules)
    return post(sandbox, batch(event()) if body is None else body)


@pytest.mark.parametrize(
    ("status", "text"),
    [
        pytest.param(408, "request timeout", id="408"),
        pytest.param(429, "rate limited", id="429"),
        pytest.param(500, "internal error", id="500"),
        pytest.param(502, "Bad Gateway", id="502"),
        pytest.param(503, TRANSIENT, id="503"),
        pytest.param(504, "Gateway Timeout", id="504"),
    ],
)
def test_status_is_answered_and_nothing_stored(sandbox, status, text):
    """A bad status comes instead of capture's answer."""
    assert play(sandbox, {"fault": "status", "status": status}) == (status, text)
    assert sandbox.events() == []


@pytest.mark.parametrize(
    ("rule", "header"),
    [
        pytest.param({}, None, id="none"),
        pytest.param({"retry_after": 7}, "7", id="seconds"),
        pytest.param({"retry_after": 60, "as_date": True}, "Fri, 02 Jan 2026 03:05:05 GMT", id="HTTP date"),
    ],
)
def test_retry_after_is_sent_as_told(sandbox, rule, header):
    """Retry-After is absent, a number of seconds, or a date counted from the server's clock."""
    sandbox.faults([{"fault": "status", "status": 429, **rule}])
    assert answer(sandbox, batch(event()))[1].get("Retry-After") == header


PAGE = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center></body></html>\n"


@pytest.mark.parametrize(
    ("rule", "status", "kind", "text"),
    [
        pytest.param(
            {"fault": "html"}, 502, "text/html", PAGE.format("502 Bad Gateway"), id="HTML error page"
        ),
        pytest.param(
            {"fault": "captive"},
            200,
            "text/html",
            PAGE.format("Welcome! Please sign in to use this network"),
            id="captive portal",
        ),
        pytest.param(
            {"fault": "quota_limited"},
            200,
            "application/json",
            '{"status":"Ok","quota_limited":["events"]}',
            id="quota_limited",
        ),
        pytest.param({"fault": "no_content"}, 204, None, "", id="204"),
    ],
)
def test_misleading_answer_stores_nothing(sandbox, rule, status, kind, text):
    """Answers that a careless client would take for success, or cannot read."""
    sandbox.faults([rule])
    got, headers, body = answer(sandbox, batch(event()))
    assert (got, headers.get("Content-Type"), body) == (status, kind, text)
    assert sandbox.events() == []


def test_redirect_points_elsewhere(sandbox):
    """A 302 has a Location and stores nothing."""
    sandbox.faults([{"fault": "redirect", "location": "https://example.com/"}])
    status, headers, _ = answer(sandbox, batch(event()))
    assert (status, headers["Location"]) == (302, "https://example.com/")
    assert sandbox.events() == []


@pytest.mark.parametrize(
    ("stored", "count"), [pytest.param(False, 0, id="before"), pytest.param(True, 1, id="after")]
)
def test_connection_is_reset(sandbox, stored, count):
    """The client learns nothing, whether the events are stored or not."""
    with pytest.raises(ConnectionResetError):
        play(sandbox, {"fault": "reset", "stored": stored})
    assert len(sandbox.events()) == count
    assert sandbox.summary()["requests_by_status"] == {"cut": 1}


def test_answer_is_cut_in_the_middle(sandbox):
    """The events are stored; the answer's head promises more than comes."""
    with pytest.raises(http.client.IncompleteRead) as cut:
        play(sandbox, {"fault": "cut"})
    assert cut.value.partial == b'{"statu'
    assert len(sandbox.events()) == 1


@pytest.mark.parametrize(
    ("stored", "count"), [pytest.param(False, 0, id="before"), pytest.param(True, 1, id="after")]
)
def test_stalled_answer_outlasts_the_client(sandbox, stored, count):
    """A client that gives up finds its events stored or not; stopping the sandbox does not wait."""
    sandbox.faults([{"fault": "stall", "seconds": 3600, "stored": stored}])
    connection = http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=0.1)
    connection.request("POST", "/batch/", json.dumps(batch(event())), {"Content-Type": "text/plain"})
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()
    assert len(sandbox.events()) == count


@pytest.mark.parametrize(
    ("status", "text"),
    [
        pytest.param(413, TOO_BIG, id="413"),
        pytest.param(503, TRANSIENT, id="503"),
    ],
)
def test_prefix_is_stored_before_the_refusal(sandbox, status, text):
    """The first events stay stored although the whole request is refused."""
    body = batch(*(event(event=name) for name in "abc"))
    assert play(sandbox, {"fault": "prefix", "events": 2, "status": status}, body=body) == (status, text)
    assert [e["event"] for e in sandbox.events()] == ["a", "b"]


def test_over_quota_stores_nothing_and_says_nothing(sandbox):
    """Even a batch capture would refuse is answered Ok; a key it would refuse is not."""
    rule = {"fault": "over_quota"}
    assert play(sandbox, rule) == OK
    assert play(sandbox, rule, body=batch(event(event=""))) == OK
    assert play(sandbox, rule, body=batch(event(), api_key="phx_a"))[0] == 401
    assert sandbox.events() == []


def test_scoped_quota_drops_its_events_only(sandbox):
    """Exceptions, surveys outside product tours and AI events vanish from the batch."""
    names = ["$exception", "survey sent", "$ai_generation", "seen"]
    tour = event(event="survey shown", properties={"$product_tour_id": "t"})
    assert play(sandbox, {"fault": "scoped_quota"}, body=batch(*(event(event=n) for n in names), tour)) == OK
    assert [e["event"] for e in sandbox.events()] == ["seen", "survey shown"]


def test_import_mode_discards_other_batches(sandbox):
    """Without historical_migration a batch is answered Ok and gone."""
    assert play(sandbox, {"fault": "import_mode"}, body=batch(event(), historical_migration=False)) == OK
    assert sandbox.events() == []
    assert play(sandbox, {"fault": "import_mode"}) == OK
    assert len(sandbox.events()) == 1


def test_old_events_are_dropped_in_silence(sandbox):
    """Events older than the project's limit are answered Ok and gone."""
    old, young = event(timestamp="2026-01-01T03:04:04Z"), event(timestamp="2026-01-01T03:04:05Z")
    assert play(sandbox, {"fault": "drop_older_than", "seconds": 86400}, body=batch(old, young)) == OK
    assert [e["timestamp"] for e in sandbox.events()] == ["2026-01-01T03:04:05.000000Z"]


def test_wrong_key_is_401():
    """With accepted keys and this fault, any other key is refused."""
    with Sandbox(accepted_keys=["phc_key"], faults=[{"fault": "wrong_key"}]) as sandbox:
        assert post(sandbox, batch(event(), api_key="phc_other")) == (401, "API key is not valid: unknown")
        assert post(sandbox, batch(event())) == OK
        assert len(sandbox.events()) == 1


@pytest.mark.parametrize(
    ("rule", "bad"),
    [
        pytest.param({}, {"properties": {"poison": True}}, id="property"),
        pytest.param({"property": "bad"}, {"properties": {"bad": True}}, id="another property"),
        pytest.param({"event": "bad"}, {"event": "bad"}, id="event name"),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_poison_event_refuses_its_batch(sandbox, rule, bad, place):
    """One event anywhere makes the whole batch a 400; without it the rest is stored."""
    rest = [event(event="a"), event(event="b", properties={"poison": "no"})]
    spoilt = [*rest[:place], event(**bad), *rest[place:]]
    refused = (400, "invalid event could not be processed")
    assert play(sandbox, {"fault": "poison", **rule}, body=batch(*spoilt)) == refused
    assert sandbox.events() == []
    assert play(sandbox, {"fault": "poison", **rule}, body=batch(*rest)) == OK


@pytest.mark.parametrize(
    ("rule", "seconds"),
    [
        pytest.param({"fault": "latency", "seconds": 0.05}, 0.05, id="latency"),
        pytest.param({"fault": "bandwidth", "bytes_per_second": 4000}, 0.05, id="bandwidth"),
        pytest.param({"fault": "stall", "seconds": 0.05, "stored": True}, 0.05, id="stall"),
    ],
)
def test_slowness_is_measurable(sandbox, rule, seconds):
    """The request succeeds, later."""
    begun = time.perf_counter()
    assert play(sandbox, rule) == OK
    assert time.perf_counter() - begun >= seconds


def test_bandwidth_is_shared_by_all_requests(sandbox):
    """Four requests at once take as long as one after another."""
    sandbox.faults([{"fault": "bandwidth", "bytes_per_second": 8000}])
    begun = time.perf_counter()
    at_once(sandbox, 4)
    assert time.perf_counter() - begun >= 4 * len(json.dumps(batch(event()))) / 8000


def at_once(sandbox, count):
    """Send this many batches side by side and return the statuses."""
    statuses = []
    threads = [
        threading.Thread(target=lambda: statuses.append(post(sandbox, batch(event()))[0]))
        for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(statuses)


def test_capacity_refuses_what_is_too_much(sandbox):
    """Requests beyond the limit get the status; one at a time is never refused."""
    slow = {"fault": "latency", "seconds": 0.3}
    sandbox.faults([slow, {"fault": "capacity", "limit": 2, "status": 429, "retry_after": 1}])
    assert at_once(sandbox, 5) == [200, 200, 429, 429, 429]
    assert play(sandbox, {"fault": "capacity", "limit": 1, "status": 429}) == OK


def test_capacity_slows_down_what_is_too_much(sandbox):
    """With status null nothing is refused: each request in flight above the limit adds its seconds."""
    sandbox.faults([{"fault": "capacity", "limit": 0, "status": None, "seconds": 0.05}])
    begun = time.perf_counter()
    assert post(sandbox, batch(event())) == OK
    assert time.perf_counter() - begun >= 0.05


@pytest.mark.parametrize(
    ("schedule", "statuses"),
    [
        pytest.param({}, [503] * 6, id="always"),
        pytest.param({"times": 2}, [503, 503, 200, 200, 200, 200], id="times"),
        pytest.param({"every": 3}, [200, 200, 503, 200, 200, 503], id="every"),
        pytest.param({"after": 4}, [200, 200, 200, 200, 503, 503], id="after"),
        pytest.param({"after": 1, "times": 1}, [200, 503, 200, 200, 200, 200], id="once, after the first"),
        pytest.param({"every": 2, "times": 2}, [200, 503, 200, 503, 200, 200], id="every second, twice"),
        pytest.param({"rate": 1.0}, [503] * 6, id="surely"),
        pytest.param({"rate": 0.0}, [200] * 6, id="never"),
    ],
)
def test_schedule_says_which_requests_are_hit(sandbox, schedule, statuses):
    """Requests are counted from the moment the rule is set."""
    sandbox.faults([{"fault": "status", **schedule}])
    assert [post(sandbox, batch(event()))[0] for _ in range(6)] == statuses


def test_same_seed_hits_the_same_requests():
    """A failure replays; another seed is another failure."""

    def hits(seed):
        script = Script([{"fault": "status", "rate": 0.5, "seed": seed}])
        return [bool(script.fired()) for _ in range(64)]

    assert hits(1) == hits(1)
    assert hits(1) != hits(2)
    assert 16 < sum(hits(1)) < 48


def test_several_faults_hit_one_request(sandbox):
    """The first rule that answers wins, and the request's record names all that fired."""
    status, text = play(
        sandbox, {"fault": "latency", "seconds": 0.01}, {"fault": "captive", "every": 2}, {"fault": "status"}
    )
    assert (status, text) == (503, TRANSIENT)
    assert post(sandbox, batch(event()))[0] == 200
    assert [request["faults"] for request in sandbox.requests()] == [
        "latency,status",
        "latency,captive,status",
    ]


def test_faults_are_set_and_cleared_over_http(sandbox):
    """The control endpoint replaces all rules; an empty list makes the sandbox behave again."""
    done = (200, '{"status": "Ok"}')
    assert post(sandbox, [{"fault": "status", "status": 500}], "/_sandbox/faults") == done
    assert post(sandbox, batch(event())) == (500, "internal error")
    assert post(sandbox, [], "/_sandbox/faults") == done
    assert post(sandbox, batch(event())) == OK


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        pytest.param(
            [{"fault": "zzz"}],
            "--faults: rule 1: no fault 'zzz'; there are status, html, too_large, captive, quota_limited, redirect, "
            "no_content, wrong_key, reset, cut, stall, prefix, over_quota, scoped_quota, import_mode, drop_older_than, "
            "poison, verdicts, latency, bandwidth, capacity, project, ask_status, missing_scope, lag, lost, doubled, "
            "time_out, cached, asynchronous, refused_merges, no_warnings, warned; see docs/reliability.md",
            id="name",
        ),
        pytest.param(
            [{"fault": "html", "odds": 1}],
            "--faults: rule 1, html: no field 'odds'; there are status, rate, times, every, after, seed; see "
            "docs/reliability.md",
            id="parameter",
        ),
        pytest.param(
            [{"fault": "cut"}, {"fault": "poison", "propertey": "x"}],
            "--faults: rule 2, poison: no field 'propertey'; did you mean property?; see docs/reliability.md",
            id="nearly a parameter",
        ),
        pytest.param(
            [{"fault": "stal", "seconds": 1}],
            "--faults: rule 1: no fault 'stal'; did you mean stall?; see docs/reliability.md",
            id="nearly a name",
        ),
        pytest.param(
            [{"seconds": 1}],
            "--faults: Object missing required field `fault` - at `$[0]`; see docs/reliability.md",
            id="no name",
        ),
        pytest.param(
            ["cut"],
            "--faults: Expected `object`, got `str` - at `$[0]`; see docs/reliability.md",
            id="no rule",
        ),
        pytest.param(
            [{"fault": "latency"}],
            "--faults: Object missing required field `seconds` - at `$[0]`; see docs/reliability.md",
            id="missing",
        ),
    ],
)
def test_wrong_rule_is_refused(sandbox, rules, text):
    """A mistake in a rule is a usage error with its place, over HTTP a 400; the old rules stay."""
    with pytest.raises(UsageError) as error:
        sandbox.faults(rules)
    assert str(error.value) == text
    assert post(sandbox, rules, "/_sandbox/faults") == (400, text)
    assert post(sandbox, batch(event())) == OK


SERVE = """
import sys
from pathlib import Path
from migrate.sandbox.server import serve
serve(port=0, data=Path(sys.argv[1]), on_ready=lambda url, _: print(url, flush=True))
"""


@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGINT, id="SIGINT"), pytest.param(signal.SIGTERM, id="SIGTERM")]
)
def test_served_sandbox_stops_cleanly_and_keeps_its_data(tmp_path, number):
    """In the foreground it runs until it is told to stop, leaves with 0, and its data is there."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, tmp_path], stdout=subprocess.PIPE, text=True
    ) as process:
        url = process.stdout.readline().strip()
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
        connection.request("POST", "/batch/", json.dumps(batch(event())), {"Content-Type": "text/plain"})
        assert connection.getresponse().read() == b'{"status":"Ok"}'
        connection.close()
        process.send_signal(number)
        assert process.wait(10) == 0
    with Sandbox(tmp_path) as sandbox:
        assert len(sandbox.events()) == 1
        assert datetime.fromisoformat(sandbox.events()[0]["received_at"]) <= datetime.now(UTC)


def test_client_that_leaves_in_mid_upload_stores_nothing(tmp_path, caplog):
    """Half a body is noted as a cut request, without a word in the log."""
    with Sandbox(tmp_path) as sandbox:
        there = urlsplit(sandbox.url)
        with socket.create_connection((there.hostname, there.port), timeout=10) as client:
            client.sendall(b'POST /batch/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"api')
            client.shutdown(socket.SHUT_WR)
            assert client.recv(1) == b""
    with Sandbox(tmp_path) as sandbox:
        assert sandbox.summary()["requests_by_status"] == {"cut": 1}
    assert caplog.records == []


def test_killed_sandbox_keeps_what_it_answered(tmp_path):
    """What was answered Ok survives a kill."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, tmp_path], stdout=subprocess.PIPE, text=True
    ) as process:
        connection = http.client.HTTPConnection(
            urlsplit(process.stdout.readline().strip()).netloc, timeout=10
        )
        connection.request("POST", "/batch/", json.dumps(batch(event())), {"Content-Type": "text/plain"})
        assert connection.getresponse().read() == b'{"status":"Ok"}'
        connection.close()
        process.kill()
    with Sandbox(tmp_path) as sandbox:
        assert len(sandbox.events()) == 1
