"""What a run is watched by hears of every request and every wait, and of their ends."""

import asyncio

from workdirs import delivery, events, planned

from migrate.apply.applier import Applier
from migrate.apply.outcome import Accepted, Request, Retry, Split, Stop
from migrate.apply.watch import Fate
from migrate.sandbox.server import Sandbox


class Heard:
    """Keeps what it hears."""

    def __init__(self):
        self.under_way = 0
        self.fates, self.waits, self.over, self.settled = [], [], [], []

    def begin(self):
        """Count it."""
        self.under_way += 1

    def end(self, fate):
        """Keep it."""
        self.under_way -= 1
        self.fates.append(fate)

    def wait(self, wait):
        """Keep it."""
        self.waits.append(wait)

    def go_on(self, wait):
        """Keep it."""
        self.over.append(wait)

    def settle(self, more):
        """Keep it."""
        self.settled.append(more)


def test_every_request_and_every_wait_is_heard(tmp_path):
    """With day, attempt and outcome; a wait ends, and all events are settled in the end."""
    heard = Heard()
    faults = [{"fault": "status", "status": 503, "retry_after": 0.01, "times": 1}]
    with Sandbox(faults=faults) as sandbox, planned(tmp_path, events(40, days=2)) as checkpoint:
        choices = delivery(sandbox.url, rate=100.0, max_batch_events=30)
        assert asyncio.run(Applier(checkpoint, choices, watch=heard).run())
        days = sorted(checkpoint.by_day())
    assert [fate.number for fate in heard.fates] == list(range(1, len(heard.fates) + 1))
    first, again = (fate for fate in heard.fates if fate.request.data == heard.fates[0].request.data)
    assert (first.outcome, first.request.attempt) == (Retry("503: transient error, please retry", 0.01), 1)
    assert (again.outcome, again.request.attempt) == (Accepted(), 2)
    assert sorted({fate.request.day for fate in heard.fates}) == days
    assert sum(fate.settled for fate in heard.fates) == 40
    assert sum(one.accepted for one in heard.settled) == 40
    assert heard.under_way == 0
    assert sorted(map(id, heard.over)) == sorted(map(id, heard.waits))
    [failed] = [wait for wait in heard.waits if wait.reason]
    assert (failed.reason, failed.attempt, failed.is_asked) == (first.outcome.reason, 1, True)
    assert failed.seconds >= 0.01


def test_what_settles_events():
    """A batch that is accepted, and an event that is refused alone."""
    several, single = Request(b"", {}, 7), Request(b"", {}, 1)
    settled = [
        Fate(1, request, outcome).settled
        for outcome in (Accepted(), Split(400, "no"), Retry("503: "), Stop("no"))
        for request in (several, single)
    ]
    assert settled == [7, 1, 0, 1, 0, 0, 0, 0]
