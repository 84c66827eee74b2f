"""Questions to a sandbox: within limits, asked again where it may help, answers that are counted now and in UTC."""

import asyncio
import json
from datetime import UTC, datetime

import pytest
from asks import PERSONAL, asked, rows
from posting import batch, event, post

from migrate.apply.halt import Abandoned, Halt
from migrate.asking import api as module
from migrate.asking import queries
from migrate.asking.api import Api
from migrate.errors import TookTooLong, Unasked
from migrate.sandbox.server import Sandbox

SINCE = datetime(2024, 4, 3, tzinfo=UTC)
QUERY = queries.newest(SINCE)
FOUND = [["2024-04-03T12:00:00.000000Z", 1]]


@pytest.fixture
def sandbox():
    """A sandbox with one event, whose private API has a port of its own."""
    with Sandbox(app_port=0) as running:
        post(running, batch(event()))
        yield running


def refused(sandbox, query=QUERY, **choices):
    """Why a query has no answer."""
    with pytest.raises(Unasked) as error:
        rows(sandbox, query, **choices)
    assert PERSONAL not in str(error.value)
    return error.value


def test_a_query_says_that_times_are_utc_and_that_it_counts_now(sandbox):
    """Whatever the project's zone is."""
    sandbox.faults([{"fault": "project", "timezone": "Asia/Tokyo"}])
    assert rows(sandbox, QUERY) == [FOUND]
    (question,) = sandbox.questions()
    assert question.body == {
        "query": {"kind": "HogQLQuery", "query": QUERY, "modifiers": {"convertToProjectTimezone": False}},
        "refresh": "force_blocking",
        "name": "a test's",
    }


@pytest.mark.parametrize(
    ("rule", "waits"),
    [
        ({"fault": "ask_status", "retry_after": 0, "times": 2}, ["429: Request was throttled."] * 2),
        ({"fault": "ask_status", "status": 503, "detail": "Busy", "times": 2}, ["503: Busy"] * 2),
        ({"fault": "cached", "times": 2}, ["an answer from its cache"] * 2),
        ({"fault": "asynchronous", "polls": 1}, ["a query that runs"] * 2),
    ],
    ids=["429", "503", "cached", "asynchronous"],
)
def test_it_is_asked_until_it_is_answered(sandbox, rule, waits):
    """A cached answer is none, and one that comes later is waited for; each wait is told."""
    sandbox.faults([rule])
    heard = []
    assert rows(sandbox, QUERY, waits=heard) == [FOUND]
    assert heard == waits


@pytest.mark.parametrize(
    ("rule", "kind", "said"),
    [
        (
            {"fault": "cached"},
            Unasked,
            "3 answers from a cache, and none that was counted now; ask again later",
        ),
        (
            {"fault": "ask_status", "status": 500, "detail": "Oh"},
            Unasked,
            "no answer in 3 attempts, found 500: Oh; ask again later",
        ),
        (
            {"fault": "ask_status", "retry_after": 4_000},
            Unasked,
            (
                "it asks to come back in 4,000 s, which is longer than it is waited for, found 429: Request was "
                "throttled.; ask again later"
            ),
        ),
        (
            {"fault": "time_out"},
            TookTooLong,
            (
                "PostHog gave the query up, found 504 'Query has hit the max execution time before completing.'; ask "
                "for less at once"
            ),
        ),
    ],
    ids=["cached", "500", "long wait", "time-out"],
)
def test_there_is_an_end_to_asking(sandbox, rule, kind, said):
    """With a sentence."""
    sandbox.faults([rule])
    error = refused(sandbox, attempts=3)
    assert (type(error), str(error)) == (kind, f"{sandbox.app_url}: {said}")


def test_a_range_that_takes_too_long_is_told_apart_from_one_that_does_not(sandbox):
    """So that whoever asks can halve it."""
    sandbox.faults([{"fault": "time_out", "hours": 12}])
    day, half = SINCE.replace(day=4), SINCE.replace(hour=12)
    assert isinstance(refused(sandbox, queries.counts(SINCE, day, "x")), TookTooLong)
    assert rows(sandbox, queries.counts(SINCE, half, "x")) == [[]]


def test_three_are_asked_at_once(monkeypatch):
    """Others wait their turn; the server here answers when three are there, or all have come."""
    monkeypatch.setattr(module, "A_SECOND", 1_000.0)
    there, numbers, changed = set(), [], asyncio.Condition()

    async def play(reader, writer):
        while await reader.readuntil(b"\r\n\r\n"):
            async with changed:
                numbers.append(len(there) + 1)
                there.add(writer)
                changed.notify_all()
                await changed.wait_for(lambda: len(there) == module.AT_ONCE or len(numbers) > 6)
            there.remove(writer)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    async def run():
        server = await asyncio.start_server(play, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server, Api(url, PERSONAL) as api:
            await asyncio.gather(*(api.get("/api/projects/1/") for _ in range(8)))

    asyncio.run(run())
    assert (max(numbers), len(numbers)) == (module.AT_ONCE, 8)


def test_a_list_is_read_page_by_page_from_where_it_was_asked(monkeypatch):
    """Where the next page is said to be on another host, that is not asked: the key goes nowhere else."""
    monkeypatch.setattr(module, "_PAGES", 4)
    paths = []

    async def play(reader, writer):
        while head := await reader.readuntil(b"\r\n\r\n"):
            paths.append(path := head.split()[1].decode())
            page = int(path.partition("offset=")[2] or 0)
            after = (
                f"http://elsewhere.example/api/things/?offset={page + 1}"
                if page != 1 or "endless" in path
                else None
            )
            text = json.dumps({"results": [{"page": page}], "next": after}).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(text), text))

    async def run(path):
        server = await asyncio.start_server(play, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server, Api(url, PERSONAL) as api:
            return await api.all(path)

    assert asyncio.run(run("/api/things/")) == [{"page": 0}, {"page": 1}]
    assert paths == ["/api/things/", "/api/things/?offset=1"]
    with pytest.raises(Unasked, match=r"over 4 pages at /api/endless/, found no end of them"):
        asyncio.run(run("/api/endless/"))


def test_nobody_there_is_a_sentence_that_names_the_option():
    """The words are those of sending."""
    with Sandbox() as gone:
        pass
    error = refused(gone, attempts=1)
    place = gone.url.removeprefix("http://")
    assert str(error) == (
        f"{gone.url}: no answer in 1 attempt, found connection refused: nothing listens at {place}; check that PostHog "
        "runs there, and the port in --app-host"
    )


def test_what_is_no_posthog_is_a_sentence(sandbox):
    """Such as capture's own host in PostHog Cloud."""

    async def ask(api):
        return await api.all("/api/projects/")

    with pytest.raises(Unasked, match=r"the answer is not PostHog's, found 404 ''; check --app-host"):
        asked(sandbox.url, ask)


def test_asking_ends_where_the_run_does(sandbox):
    """No wait outlasts it."""
    sandbox.faults([{"fault": "ask_status", "retry_after": 600}])
    halt = Halt(grace=0.0)
    halt.call()
    with pytest.raises(Abandoned):
        rows(sandbox, QUERY, halt=halt)
