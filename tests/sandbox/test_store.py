"""What is stored is there: in order, in both views, and after the file was closed."""

import json
from collections import Counter
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED

from migrate.sandbox.capture import Event
from migrate.sandbox.store import Receipt, Store

AT = "2026-01-02T03:04:05.000000Z"
EVENTS = st.lists(
    st.builds(
        Event,
        uuid=st.sampled_from(["u1", "u2"]),
        event=st.sampled_from(["a", "b"]),
        distinct_id=st.sampled_from(["p", "q"]),
        timestamp=st.sampled_from(["2024-04-03T00:00:00Z", "2024-04-03T23:59:59Z", "2024-04-04T00:00:00Z"]),
        properties=st.integers(0, 9).map('{{"n":{}}}'.format),
    ),
    max_size=12,
)


@contextmanager
def opened(folder):
    """The store in a folder."""
    store = Store(folder)
    try:
        yield store
    finally:
        store.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One store for many examples, each of which begins with none."""
    with opened(tmp_path_factory.mktemp("store")) as store:
        yield store


def receipt(number, **more):
    """A request that came."""
    return Receipt(request=number, received_at=AT, path="/batch/", **more)


def texts(store, view, **more):
    """The stored events, without what the store has added."""
    lines = map(json.loads, store.lines(view, **more))
    return [
        Event(one["uuid"], one["event"], one["distinct_id"], one["timestamp"], json.dumps(one["properties"]))
        for one in lines
    ]


def counts(names):
    """How often each name is there, by name."""
    return dict(sorted(Counter(names).items()))


def same(events):
    """Events as the store gives them."""
    return [
        Event(
            *(getattr(e, n) for n in ("uuid", "event", "distinct_id", "timestamp")),
            e.properties.replace(":", ": "),
        )
        for e in events
    ]


@COMPARED
@given(EVENTS)
def test_the_collapsed_view_is_the_last_of_each(shared, events):
    """Of rows of one day, name, person and uuid the last stays, where it came; the counts are those of the view."""
    last = {(e.timestamp[:10], e.event, e.distinct_id, e.uuid): n for n, e in enumerate(events)}
    kept = [events[n] for n in sorted(last.values())]
    shared.reset()
    shared.add(events, receipt(1))
    assert texts(shared, "raw") == same(events)
    assert texts(shared, "collapsed") == same(kept)
    for view, its in (("raw", events), ("collapsed", kept)):
        assert shared.summary()[view] == {
            "events": len(its),
            "distinct_ids": len({e.distinct_id for e in its}),
            "first": min((e.timestamp for e in its), default=None),
            "last": max((e.timestamp for e in its), default=None),
            "by_event": counts(e.event for e in its),
            "by_day": counts(e.timestamp[:10] for e in its),
        }


def test_what_is_stored_outlives_its_process(tmp_path):
    """Events, requests and their numbers, as they were when the file was closed."""
    event = Event("u", "a", "p", "2024-04-03T00:00:00Z", "{}")
    with opened(tmp_path / "made" / "for it") as store:
        assert store.last_request() == 0
        store.add([event], one := receipt(7, historical=True, events=1, bytes=9))
        store.note(one)
        before = [list(store.lines("raw")), store.requests(), store.summary()]
    with opened(tmp_path / "made" / "for it") as store:
        assert [list(store.lines("raw")), store.requests(), store.summary()] == before
        assert store.last_request() == 7
        store.reset()
        assert (store.last_request(), list(store.lines("raw")), store.requests()) == (0, [], [])


def test_a_request_is_noted_once(tmp_path):
    """What is known of it later takes the place of what was known before, and all of them are in their order."""
    with opened(tmp_path) as store:
        store.note(receipt(2))
        store.note(receipt(1, status="400", faults="status"))
        store.note(receipt(2, status="200", historical=True, events=3, stored=2, bytes=10))
        common = {"received_at": AT, "path": "/batch/"}
        assert store.requests() == [
            common
            | {"request": 1, "status": "400", "historical": False, "events": 0, "stored": 0, "bytes": 0}
            | {"faults": "status"},
            common
            | {"request": 2, "status": "200", "historical": True, "events": 3, "stored": 2, "bytes": 10}
            | {"faults": ""},
        ]
        counted = {"requests": 2, "requests_by_status": {"200": 1, "400": 1}}
        counted |= {"historical_requests": 1, "bytes_received": 10}
        assert counted.items() <= store.summary().items()


def test_lines_are_read_while_others_come(tmp_path):
    """Each once and in order, over the pages in which they are read; no more than were asked for."""
    events = [Event(f"u{n}", "a", "p", "2024-04-03T00:00:00Z", f'{{"n":{n}}}') for n in range(2_500)]
    with opened(tmp_path) as store:
        store.add(events, first := receipt(1))
        store.add([], first)
        assert first.stored == 2_500
        lines = store.lines("raw")
        head = [next(lines) for _ in range(3)]
        store.add(events[:1], receipt(2))
        found = [json.loads(line) for line in [*head, *lines]]
        assert [one["properties"]["n"] for one in found][:2_500] == list(range(2_500))
        assert [one["properties"]["n"] for one in map(json.loads, store.lines("raw", limit=1_001))] == list(
            range(1_001)
        )
