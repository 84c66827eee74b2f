"""A plan arrives in PostHog: in order, once, whatever the server does."""

import asyncio
import itertools
import json
import socketserver
import time
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from random import Random
from threading import Thread

import polars as pl
import pytest
from workdirs import applied, delivery, events, planned

from migrate.apply import applier
from migrate.apply.applier import Applier
from migrate.apply.halt import Halt
from migrate.apply.pacing import Backoff
from migrate.apply.watch import Unwatched
from migrate.errors import Stopped
from migrate.sandbox.server import Sandbox
from migrate.workdir import rounds
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.parked import PARKED
from migrate.workdir.records import Settled

TUPLE = ("uuid", "event", "distinct_id", "timestamp")


def tuples(rows):
    """What PostHog deduplicates by, of stored or planned events."""
    return {tuple(row[name] for name in TUPLE) for row in rows}


def expected(frame):
    """The same tuples, of the plan."""
    return tuples(json.loads(text) for text in frame["payload"])


def first_arrivals(rows):
    """The first arrival of each event, in order of arrival."""
    seen = {}
    for row in rows:
        seen.setdefault(row["uuid"], row)
    return list(seen.values())


def test_every_planned_event_arrives_once(tmp_path):
    """Without trouble, what is stored is what was planned, and nothing was sent twice."""
    frame = events(3_000, days=3)
    with Sandbox() as sandbox, planned(tmp_path, frame) as checkpoint:
        assert applied(checkpoint, delivery(sandbox.url))
        assert tuples(sandbox.events("raw")) == expected(frame)
        assert sandbox.summary()["raw"]["events"] == 3_000
        assert rounds.outcome(checkpoint) == Settled(accepted=3_000)
        assert rounds.days(checkpoint) == []


def test_days_arrive_oldest_first_and_no_batch_mixes_them(tmp_path):
    """Nothing of a day is sent before all of the day before is settled."""
    with Sandbox() as sandbox, planned(tmp_path, events(2_000, days=4)) as checkpoint:
        applied(checkpoint, delivery(sandbox.url, max_batch_events=50))
        arrived = sandbox.events("raw")
    days = [row["timestamp"][:10] for row in arrived]
    assert days == sorted(days)
    assert all(
        len({r["timestamp"][:10] for r in arrived if r["request"] == n}) == 1
        for n in {r["request"] for r in arrived}
    )


FAULTS = [
    pytest.param([{"fault": "status", "status": 503, "rate": 0.2, "seed": 1}], id="503"),
    pytest.param(
        [{"fault": "status", "status": 429, "retry_after": 0.05, "rate": 0.2, "seed": 2}],
        id="429-retry-after",
    ),
    pytest.param([{"fault": "status", "status": 408, "rate": 0.2, "seed": 3}], id="408"),
    pytest.param([{"fault": "html", "rate": 0.2, "seed": 4}], id="502-html"),
    pytest.param([{"fault": "reset", "rate": 0.2, "seed": 5}], id="reset-before-storing"),
    pytest.param([{"fault": "reset", "stored": True, "rate": 0.2, "seed": 6}], id="acknowledgement-lost"),
    pytest.param([{"fault": "cut", "rate": 0.2, "seed": 7}], id="cut-in-mid-answer"),
    pytest.param(
        [{"fault": "prefix", "events": 3, "status": 503, "rate": 0.2, "seed": 8}], id="prefix-then-503"
    ),
    pytest.param([{"fault": "prefix", "events": 3, "status": 413, "times": 3}], id="prefix-then-413"),
    pytest.param(
        [{"fault": "stall", "seconds": 1.5, "stored": True, "times": 2}], id="slower-than-the-timeout"
    ),
    pytest.param([{"fault": "capacity", "limit": 2}], id="capacity-collapses"),
]


@pytest.mark.law
@pytest.mark.parametrize("faults", FAULTS)
def test_nothing_is_lost_or_doubled_or_overtakes(tmp_path, faults):
    """Under each fault all events are stored, the collapsed view has no duplicate, each person's order holds."""
    frame = events(1_200, people=7)
    with Sandbox(faults=faults) as sandbox, planned(tmp_path, frame) as checkpoint:
        applied(checkpoint, delivery(sandbox.url, max_batch_events=40, timeout=1.0))
        assert tuples(sandbox.events("raw")) == expected(frame)
        assert sandbox.summary()["collapsed"]["events"] == 1_200
        assert rounds.outcome(checkpoint) == Settled(accepted=1_200)
        arrived = first_arrivals(sandbox.events("raw"))
    for person in {row["distinct_id"] for row in arrived}:
        times = [row["timestamp"] for row in arrived if row["distinct_id"] == person]
        assert times == sorted(times)


HANDED_BACK = {"fault": "verdicts", "retry_after": 0, "rate": 0.3}
OVER_V1 = [
    pytest.param([HANDED_BACK | {"each": 3, "seed": 1}], id="some again"),
    pytest.param([HANDED_BACK | {"each": 5, "seed": 2, "result": None}], id="some without a verdict"),
    pytest.param(
        [HANDED_BACK | {"each": 4, "seed": 3, "result": None, "stored": True}],
        id="some stored without a verdict",
    ),
    pytest.param(
        [
            {"fault": "status", "status": 404, "after": 1, "rate": 0.2, "seed": 4},
            {"fault": "status", "status": 503, "retry_after": 0, "rate": 0.1, "seed": 5},
            {"fault": "status", "status": 429, "rate": 0.1, "seed": 6},
            {"fault": "reset", "stored": True, "rate": 0.1, "seed": 7},
            {"fault": "cut", "rate": 0.1, "seed": 8},
            {"fault": "too_large", "bytes": 3_000},
        ],
        id="404, 503, 429, resets, cuts, 413",
    ),
]


@pytest.mark.parametrize("faults", OVER_V1)
def test_nothing_is_lost_or_doubled_over_v1(tmp_path, faults):
    """What is handed back is sent again; each event ends as accepted, once, with the plan's own text."""
    frame = events(600, people=7)
    with Sandbox(faults=faults, has_v1=True) as sandbox, planned(tmp_path, frame) as checkpoint:
        applied(checkpoint, delivery(sandbox.url, max_batch_events=40), "v1")
        assert tuples(sandbox.events("raw")) == expected(frame)
        assert sandbox.summary()["collapsed"]["events"] == 600
        assert rounds.outcome(checkpoint) == Settled(accepted=600)
        assert checkpoint.facts()["protocol"] == "v1"
        assert {one["path"] for one in sandbox.requests()} == {"/i/v1/analytics/events"}
        assert all(row["historical"] and row["properties"]["n"] == 1 for row in sandbox.events())


STOPS_V1 = [
    pytest.param(
        {"fault": "over_quota"}, "the project is over its quota and keeps nothing of this batch", id="402"
    ),
    pytest.param(
        {"fault": "status", "status": 404}, "there is no capture v1 at this address", id="404 at first"
    ),
    pytest.param({"fault": "captive"}, "the answer is not PostHog's, found 200, text/html", id="foreign"),
    pytest.param({"fault": "verdicts", "result": None}, "found a verdict on none of 10 events", id="silence"),
    pytest.param(
        {"fault": "verdicts", "result": "sampled", "each": 3}, "a verdict that is not known on 3", id="new"
    ),
]


@pytest.mark.parametrize(("fault", "words"), STOPS_V1)
def test_answers_of_v1_that_stop(tmp_path, fault, words):
    """Nothing of the batch counts as accepted; afterwards the same command goes on."""
    frame = events(10)
    with Sandbox(faults=[fault], has_v1=True) as sandbox, planned(tmp_path, frame) as checkpoint:
        with pytest.raises(Stopped, match=words):
            applied(checkpoint, delivery(sandbox.url), "v1")
        assert rounds.outcome(checkpoint) == Settled()
        assert sandbox.summary()["requests"] == 1
        sandbox.faults([])
        assert applied(checkpoint, delivery(sandbox.url), "v1")
        assert rounds.outcome(checkpoint) == Settled(accepted=10)


def test_poison_events_are_parked_alone_with_the_servers_words(tmp_path):
    """Of a refused batch only the bad events are parked, found in O(k log n) requests."""
    poison = {3, 77, 78, 901}
    frame = events(1_000, poison=poison)
    with Sandbox(faults=[{"fault": "poison"}]) as sandbox, planned(tmp_path, frame) as checkpoint:
        applied(checkpoint, delivery(sandbox.url, concurrency=1))
        assert rounds.outcome(checkpoint) == Settled(accepted=996, parked=4)
        assert sandbox.summary()["requests"] <= 4 * 2 * 10 + 4
    lines = [json.loads(line) for line in (tmp_path / PARKED).read_text().splitlines()]
    assert [line["payload"] for line in lines] == [
        p for p in frame.sort("timestamp")["payload"] if "poison" in p
    ]
    assert {(line["status"], line["message"]) for line in lines} == {
        (400, "invalid event could not be processed")
    }
    assert all(json.loads(line["payload"])["uuid"] == line["uuid"] for line in lines)


def test_resend_moves_parked_events_to_accepted(tmp_path):
    """Once the cause is fixed, parked events are sent and leave parked.jsonl; others stay in it."""
    with (
        Sandbox(faults=[{"fault": "poison"}]) as sandbox,
        planned(tmp_path, events(300, poison={5, 6})) as checkpoint,
    ):
        applied(checkpoint, delivery(sandbox.url))
        assert asyncio.run(Applier(checkpoint, delivery(sandbox.url)).resend())
        assert rounds.outcome(checkpoint) == Settled(accepted=298, parked=2)
        sandbox.faults([])
        assert asyncio.run(Applier(checkpoint, delivery(sandbox.url)).resend())
        assert rounds.outcome(checkpoint) == Settled(accepted=300)
        assert (tmp_path / PARKED).read_text() == ""
        assert sandbox.summary()["collapsed"]["events"] == 300


STOPS = [
    pytest.param(
        {"fault": "status", "status": 401, "body": "API key is not valid: empty"},
        "API key is not valid: empty",
        id="401",
    ),
    pytest.param({"fault": "status", "status": 402}, "check the project's billing and quota", id="402"),
    pytest.param({"fault": "status", "status": 403}, "check --api-key", id="403"),
    pytest.param(
        {"fault": "status", "status": 404}, "there is no capture endpoint at this address", id="404"
    ),
    pytest.param({"fault": "quota_limited"}, "over its quota", id="200-quota-limited"),
    pytest.param({"fault": "captive"}, "the answer is not PostHog's", id="200-captive-portal"),
    pytest.param({"fault": "redirect"}, "the answer is not PostHog's", id="302"),
    pytest.param({"fault": "no_content"}, "the answer is not PostHog's", id="204"),
]


@pytest.mark.parametrize(("fault", "words"), STOPS)
def test_answers_that_stop_the_run_count_nothing_as_accepted(tmp_path, fault, words):
    """The run stops at once with the reason, all stays pending, and going on delivers everything."""
    frame = events(500)
    with Sandbox(faults=[fault]) as sandbox, planned(tmp_path, frame) as checkpoint:
        with pytest.raises(Stopped) as stopped:
            applied(checkpoint, delivery(sandbox.url))
        assert words in str(stopped.value)
        assert rounds.outcome(checkpoint) == Settled()
        sandbox.faults([])
        assert applied(checkpoint, delivery(sandbox.url))
        assert tuples(sandbox.events("collapsed")) == expected(frame)


def test_a_server_that_is_gone_stops_the_run_at_the_deadline(tmp_path):
    """Without any progress for the deadline the run stops, resumable."""
    with planned(tmp_path, events(10)) as checkpoint:
        with pytest.raises(
            Stopped, match=r"nothing accepted for 0\.3 s, found connection refused.*raise --deadline"
        ):
            applied(checkpoint, delivery("http://127.0.0.1:9", deadline=0.3))
        assert rounds.outcome(checkpoint) == Settled()


def test_max_attempts_bounds_the_tries_of_one_request(tmp_path):
    """A request that failed so often stops the run."""
    with (
        Sandbox(faults=[{"fault": "status", "status": 500}]) as sandbox,
        planned(tmp_path, events(10)) as checkpoint,
    ):
        with pytest.raises(Stopped, match=r"no success in 2 attempts, found 500"):
            applied(checkpoint, delivery(sandbox.url, max_attempts=2))
        assert sandbox.summary()["requests"] == 2


def test_an_interrupted_run_finishes_what_is_in_flight(tmp_path):
    """What was sent before the interruption is noted, and nothing of it is sent again."""
    frame = events(4_000, days=8)
    with Sandbox() as sandbox, planned(tmp_path, frame) as checkpoint:
        work = Applier(checkpoint, delivery(sandbox.url), watch=(watch := Unwatched()))
        watch.settle = lambda _: work.interrupt()
        assert not asyncio.run(work.run())
        assert 0 < rounds.outcome(checkpoint).accepted < 4_000
        assert applied(checkpoint, delivery(sandbox.url))
        assert sandbox.summary()["raw"]["events"] == 4_000


def test_an_interrupted_run_does_not_wait_for_all_of_a_slow_day(tmp_path, monkeypatch):
    """When the grace is over, what is in flight is answered and the rest of the day goes when it is resumed."""
    monkeypatch.setattr(applier, "Halt", partial(Halt, grace=0.0))
    faults = [{"fault": "latency", "seconds": 0.05}]
    with Sandbox(faults=faults) as sandbox, planned(tmp_path, events(2_000)) as checkpoint:
        choices = delivery(sandbox.url, max_batch_events=10, concurrency=2)
        work = Applier(checkpoint, choices, watch=(watch := Unwatched()))
        watch.end = lambda _: work.interrupt()
        assert not asyncio.run(work.run())
        assert sandbox.summary()["requests"] <= 2
        sandbox.faults([])
        assert applied(checkpoint, choices)
        assert rounds.outcome(checkpoint) == Settled(accepted=2_000)
        assert sandbox.summary()["collapsed"]["events"] == 2_000


def test_events_of_a_later_file_are_sent_without_those_sent_before(tmp_path):
    """A nightly export that overlaps the last one sends only what is new."""
    with Sandbox() as sandbox:
        with planned(tmp_path, events(100)) as checkpoint:
            applied(checkpoint, delivery(sandbox.url))
        with planned(tmp_path, events(150), "b.jsonl") as checkpoint:
            applied(checkpoint, delivery(sandbox.url))
            assert rounds.outcome(checkpoint) == Settled(accepted=150, duplicate=100)
        assert sandbox.summary()["raw"]["events"] == 150


def test_a_clock_that_steps_back_an_hour_changes_nothing(tmp_path, monkeypatch):
    """Rates, deadlines and backoff go by a clock that cannot be set; the time of day may jump as it likes."""
    start = time.time()
    steps = itertools.count()
    monkeypatch.setattr(time, "time", lambda: start - 3_600 * (next(steps) % 2))
    frame = events(600)
    faults = [{"fault": "status", "status": 503, "rate": 0.3, "seed": 1}]
    with Sandbox(faults=faults) as sandbox, planned(tmp_path, frame) as checkpoint:
        assert applied(checkpoint, delivery(sandbox.url, max_batch_events=20, deadline=5.0))
        assert tuples(sandbox.events("collapsed")) == expected(frame)
    assert checkpoint_counts(tmp_path) == Settled(accepted=600)


def checkpoint_counts(workdir):
    """What the workdir's checkpoint says."""
    with Checkpoint.open(workdir) as checkpoint:
        return rounds.outcome(checkpoint)


def test_a_rate_limit_is_kept(tmp_path):
    """Beyond the first second's worth, events leave at the rate."""
    with Sandbox() as sandbox, planned(tmp_path, events(600)) as checkpoint:
        applied(checkpoint, delivery(sandbox.url, rate=300.0))
        assert checkpoint.facts()["seconds"] >= 0.9
        assert sandbox.summary()["raw"]["events"] == 600


def test_what_says_who_is_who_is_all_settled_before_the_rest(tmp_path):
    """A day's leading parts go first, whole, though the others are read and packed meanwhile."""
    with planned(tmp_path, events(600, people=300)) as checkpoint:
        checkpoint._db.execute("UPDATE parts SET leads = 1")  # noqa: SLF001 - as the census plans them
    with (
        Sandbox(faults=[{"fault": "latency", "seconds": 0.02}]) as sandbox,
        planned(tmp_path, events(600, people=300, start=600), "b.jsonl") as checkpoint,
    ):
        assert applied(checkpoint, delivery(sandbox.url, max_batch_events=40))
        rows = [row["uuid"] for row in sandbox.events("raw")]
    leading = set(events(600, people=300)["uuid"])
    assert len(rows) == 1_200
    assert set(rows[:600]) == leading


def test_a_piece_of_many_lanes_is_interrupted_whole_or_not_at_all(tmp_path):
    """Interrupted between two days, the second is not begun in some of its lanes: nothing is sent twice."""
    frame = events(4_000, days=8, people=300)
    with Sandbox() as sandbox, planned(tmp_path, frame) as checkpoint:
        choices = delivery(sandbox.url, max_batch_events=20)
        work = Applier(checkpoint, choices, watch=(watch := Unwatched()))
        watch.settle = lambda _: work.interrupt()
        assert not asyncio.run(work.run())
        settled = rounds.outcome(checkpoint).accepted
        assert 0 < settled < 4_000
        assert sandbox.summary()["raw"]["events"] == settled
        assert applied(checkpoint, choices)
        assert sandbox.summary()["raw"]["events"] == 4_000


def stopped(folder, frame, faults, **choices):
    """Why sending stops by itself, what is settled then, and how many requests it took."""
    with Sandbox(faults=faults) as sandbox, planned(folder, frame) as checkpoint:
        with pytest.raises(Stopped) as raised:
            applied(checkpoint, delivery(sandbox.url, **choices))
        return str(raised.value), rounds.outcome(checkpoint), sandbox.summary()["requests"]


def test_a_plan_of_which_nothing_is_taken_stops_before_all_of_it_is_parked(tmp_path):
    """A broken mapping must not cost two requests an event; nothing of it counts as parked."""
    frame = events(5_000, poison=range(5_000))
    why, settled, requests = stopped(
        tmp_path, frame, [{"fault": "poison"}], concurrency=1, max_batch_events=50
    )
    assert "all 50 events of the first batch are refused in the same words" in why
    assert "found 400 'invalid event could not be processed'" in why
    assert settled == Settled()
    assert requests <= 4 * 100
    assert not (tmp_path / PARKED).exists() or not (tmp_path / PARKED).read_text()


@pytest.mark.parametrize("good", [1, 3])
def test_one_event_that_is_taken_says_that_the_others_are_bad(tmp_path, good):
    """Then each bad one is parked, as ever; so are the few of a small plan."""
    frame = events(60, poison=set(range(60)) - set(range(good)))
    with Sandbox(faults=[{"fault": "poison"}]) as sandbox, planned(tmp_path, frame) as checkpoint:
        applied(checkpoint, delivery(sandbox.url, concurrency=1))
        assert rounds.outcome(checkpoint) == Settled(accepted=good, parked=60 - good)
    few = tmp_path / "few"
    few.mkdir()
    with (
        Sandbox(faults=[{"fault": "poison"}]) as sandbox,
        planned(few, events(9, poison=range(9))) as checkpoint,
    ):
        applied(checkpoint, delivery(sandbox.url))
        assert rounds.outcome(checkpoint) == Settled(parked=9)


def test_a_server_that_asks_for_more_time_than_there_is_stops_at_once(tmp_path):
    """With when to come back, and not after the deadline."""
    fault = {"fault": "status", "status": 503, "retry_after": 7_200}
    why, settled, requests = stopped(tmp_path, events(10), [fault], deadline=900.0, concurrency=1)
    assert "it asks to come back in 7,200 s, at 20" in why
    assert (settled, requests) == (Settled(), 1)


@pytest.mark.parametrize("gzip", [False, True])
def test_a_size_that_is_refused_is_not_tried_again_and_again(tmp_path, gzip):
    """A proxy's limit on bodies is met once or twice, also by what was made ready before; then bodies fit."""
    frame = events(12_000, people=300).with_columns(
        pl.col("payload").str.replace('"n":1', '"n":1,"text":"' + "x" * 600 + '"', literal=True)
    )
    limit = 20_000 if gzip else 200_000
    said = []
    with (
        Sandbox(faults=[{"fault": "too_large", "bytes": limit}]) as sandbox,
        planned(tmp_path, frame) as checkpoint,
    ):
        choices = delivery(sandbox.url, max_batch_events=1_000, concurrency=2, gzip=gzip)
        assert asyncio.run(Applier(checkpoint, choices, on_warning=said.append).run())
        assert rounds.outcome(checkpoint) == Settled(accepted=12_000)
        refused = [request for request in sandbox.requests() if request["status"] == "413"]
        assert sandbox.summary()["collapsed"]["events"] == 12_000
    assert 1 <= len(refused) <= 8  # what four lanes have in flight until the first has found what fits
    assert said
    assert "is refused as too large (413)" in said[0]
    assert "--max-batch-bytes" in said[0]


def test_an_event_that_is_too_large_makes_no_other_bodies_smaller(tmp_path):
    """It is parked, and what travels without it is as large as ever."""
    frame = events(2_000).with_columns(
        pl.when(pl.col("row") == 7)
        .then(pl.col("payload").str.replace('"n":1', '"n":"' + "x" * 300_000 + '"', literal=True))
        .otherwise(pl.col("payload"))
        .alias("payload")
    )
    said = []
    with (
        Sandbox(faults=[{"fault": "too_large", "bytes": 250_000}]) as sandbox,
        planned(tmp_path, frame) as checkpoint,
    ):
        choices = delivery(sandbox.url, concurrency=1, gzip=False)
        assert asyncio.run(Applier(checkpoint, choices, on_warning=said.append).run())
        assert rounds.outcome(checkpoint) == Settled(accepted=1_999, parked=1)
    assert said == []


def test_a_retry_after_that_is_no_time_is_ignored_with_one_word(tmp_path):
    """Tried again as if there were none, and said once, whatever the number of answers."""
    said = []
    with (
        Sandbox(faults=[{"fault": "status", "status": 503, "retry_after": -5, "times": 3}]) as sandbox,
        planned(tmp_path, events(10)) as checkpoint,
    ):
        hasty = Backoff(Random(0), base=0.02)
        work = Applier(checkpoint, delivery(sandbox.url), on_warning=said.append, backoff=hasty)
        assert asyncio.run(work.run())
        assert rounds.outcome(checkpoint) == Settled(accepted=10)
    assert said == [
        f"{sandbox.url}: its Retry-After is no time to come back, found '-5'; it is tried again as if there were none"
    ]


@contextmanager
def speaking(banner):
    """Serve something that says these bytes to whoever connects."""

    class Banner(socketserver.BaseRequestHandler):
        def handle(self):
            with suppress(OSError):
                self.request.sendall(banner)
                self.request.recv(1 << 20)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Banner) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


NO_POSTHOG = [
    pytest.param(
        "http", b"SSH-2.0-OpenSSH_9.2\r\n", "speaks no HTTP, found 'SSH-2.0-OpenSSH_9.2'; check", id="ssh"
    ),
    pytest.param("http", bytes([21, 3, 1, 0, 2, 2, 70]), "whether it is https://", id="a TLS port"),
    pytest.param(
        "https",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        "what is there speaks no TLS, found an answer that is not encrypted; check the port in --host, and whether it "
        "is http://, then ",
        id="a plain port",
    ),
    pytest.param(
        "http",
        b"HTTP/1.1 501 Unsupported\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>",
        "the answer is not PostHog's, found 501",
        id="a file server",
    ),
    pytest.param(
        "http",
        b"HTTP/1.1 301 Moved\r\nLocation: https://there/batch/\r\nContent-Length: 0\r\n\r\n",
        "found 301 to https://there/batch/",
        id="moved",
    ),
    pytest.param(
        "http",
        b"HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n",
        "what answers at this address takes no events",
        id="no POST",
    ),
]


@pytest.mark.parametrize(("scheme", "banner", "words"), NO_POSTHOG)
def test_what_is_no_posthog_stops_at_once(tmp_path, scheme, banner, words):
    """Its first answer says so, and no more than one batch was offered to it."""
    with speaking(banner) as port, planned(tmp_path, events(500, people=300)) as checkpoint:
        choices = delivery(f"{scheme}://127.0.0.1:{port}", max_batch_events=20, deadline=900.0)
        with pytest.raises(Stopped) as raised:
            applied(checkpoint, choices)
        assert words in str(raised.value)
        assert str(raised.value).endswith("then run the same command again to resume")
        assert (rounds.outcome(checkpoint), checkpoint.facts()["requests"]) == (Settled(), 1)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        pytest.param(
            "http://127.0.0.1:9",
            "found connection refused: nothing listens at 127.0.0.1:9; check that PostHog runs there, and the port in "
            "--host, then run the same command again to resume, or raise --deadline",
            id="refused",
        ),
        pytest.param("http://nowhere.invalid", "found name not ", id="no such name"),
    ],
)
def test_a_target_that_is_down_is_tried_until_the_deadline(tmp_path, url, words):
    """Then it stops with what was found."""
    with planned(tmp_path, events(10)) as checkpoint:
        with pytest.raises(Stopped, match=r"nothing accepted for 0\.3 s, found ") as raised:
            applied(checkpoint, delivery(url, deadline=0.3, timeout=5.0))
        assert words in str(raised.value)
        assert checkpoint.facts()["requests"] > 1


def test_a_target_that_comes_up_within_the_deadline_gets_everything(tmp_path):
    """Nobody listens when the run begins; after its first try somebody does."""
    with socketserver.TCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler) as server:
        port = server.server_address[1]
    with ExitStack() as stack, planned(tmp_path, events(300)) as checkpoint:

        class Rising(Backoff):
            """Has the server there when the first try has failed."""

            def delay(self, attempt, retry_after=None):
                """Give the time to wait."""
                if not started:
                    started.append(stack.enter_context(Sandbox(port=port)))
                return super().delay(attempt, retry_after)

        started = []
        choices = delivery(f"http://127.0.0.1:{port}", deadline=60.0)
        assert asyncio.run(Applier(checkpoint, choices, backoff=Rising(Random(0), base=0.02)).run())
        assert rounds.outcome(checkpoint) == Settled(accepted=300)
        assert checkpoint.facts()["retries"] >= 1


def test_a_proxys_page_for_all_of_the_deadline_is_shown(tmp_path):
    """A proxy whose PostHog is down may have one again; who waited in vain is told what was there."""
    why, settled, requests = stopped(tmp_path, events(10), [{"fault": "html"}], deadline=0.3)
    assert "nothing accepted for 0.3 s, found 502: <html><head><title>502 Bad Gateway" in why
    assert settled == Settled()
    assert requests > 1


def test_a_posthog_that_answered_before_is_waited_for(tmp_path):
    """What would be no PostHog at the start is a disturbance later."""
    page = {"fault": "html", "status": 501, "after": 3, "times": 2}
    with Sandbox(faults=[page]) as sandbox, planned(tmp_path, events(300)) as checkpoint:
        assert applied(checkpoint, delivery(sandbox.url, max_batch_events=20, concurrency=1))
        assert rounds.outcome(checkpoint) == Settled(accepted=300)
