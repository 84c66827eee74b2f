"""The screen of a trial: numbers beyond a thousand, each another, as the sandbox has stored them."""

import pytest
from posting import OK, batch, event, post

from migrate.report import arrived
from migrate.sandbox.server import Sandbox

COUNTS = {"Paid": 1_240, "Seen": 2_050}
FIRST = [
    "2024-04-03T12:00:00.000000Z Paid p0 (2 properties)",
    "2024-04-03T12:00:00.000000Z Paid p1 (2 properties)",
    "2024-04-03T12:00:00.000000Z Paid p2 (2 properties)",
    "2024-04-03T12:00:00.000000Z Paid p3 (2 properties)",
    "2024-04-03T12:00:00.000000Z Paid p4 (2 properties)",
]


@pytest.fixture(scope="module")
def sandbox():
    """A sandbox in which events of two names have arrived, those of p0 to p1729 by turns, a few of them twice."""
    made = [
        event(
            event=name, distinct_id=f"p{n % 1_730}", uuid=f"018ea3c1-0000-7000-8000-{n:012d}", properties=more
        )
        for name, count in COUNTS.items()
        for n, more in ((n, {"n": n}) for n in range(count))
    ]
    with Sandbox() as running:
        assert post(running, batch(*made[-3:])) == OK
        assert post(running, batch(*made)) == OK
        yield running


def test_every_number_is_in_its_place(sandbox):
    """As a person reads it: what came twice is one event, and the first are those that are kept."""
    assert [line.text for line in arrived.lines(sandbox)] == [
        "arrived in the sandbox: 3,290 events of 1,730 ids",
        "events by event",
        "  Seen        2,050 ██████████████████████████████",
        "  Paid        1,240 ██████████████████",
        "the first of them",
        *(f"  {line}" for line in FIRST),
        "",
    ]


def test_nothing_arrived_is_said_too():
    """No bars, and no first event."""
    with Sandbox() as empty:
        assert [line.text for line in arrived.lines(empty)] == [
            "arrived in the sandbox: 0 events of 0 ids",
            "the first of them",
            "",
        ]
