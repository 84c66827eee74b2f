"""How far a phase is, on a clock of the test's own: what is left is of all that is left, and a wait has its reason."""

import pytest

from migrate.apply.outcome import Accepted, Request, Retry, Split
from migrate.apply.watch import Fate, Wait
from migrate.log import Log
from migrate.plan.progress import Progress
from migrate.report.live import line
from migrate.report.pace import Following, Pace
from migrate.report.progress import Planning, Sending
from migrate.workdir.records import Settled


class Clock:
    """Shows what the test says."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        """Show it."""
        return self.now


def planned(*steps, following=None, width=None):
    """The line after progress at these times, (seconds, phase, rows, bytes of 1,000)."""
    clock = Clock()
    phase = Planning(clock, following)
    for clock.now, name, rows, read in steps:
        phase.note(Progress(name, read, 1_000, 2, 7, rows))
    return line(phase.parts(clock.now), width)


def test_planning_alone_ends_with_the_files():
    """The rate is of rows, what is left of bytes."""
    found = planned((0, "planning", 0, 0), (5, "planning", 3_000, 250))
    assert found == "planning 3,000 rows · 600 rows/s · 0:00:15 left · 2/7 files"


def test_sending_that_follows_is_part_of_what_is_left():
    """At the rate that will hold, of what is planned and of what will be: 15 s, and 12,000 and 3,000 events."""
    following = Following(3_000, Pace(1_000.0, 500.0))
    found = planned((0, "planning", 0, 0), (5, "planning", 3_000, 250), following=following)
    assert found == "planning 3,000 rows · 600 rows/s · 0:00:45 left · 2/7 files"


def test_what_nobody_can_tell_is_said():
    """Without a limit and without a rate from before, or before planning has begun."""
    unknown = Following(0, Pace())
    steps = [(0, "planning", 0, 0), (5, "planning", 3_000, 250)]
    assert planned(*steps, following=unknown) == (
        "planning 3,000 rows · 600 rows/s · 0:00:15 left, then sending · 2/7 files"
    )
    looking = [(0, "looking over", 0, 0), (5, "looking over", 3_000, 250)]
    assert planned(*looking, following=Following(0, Pace(1_000.0))) == (
        "looking over 3,000 rows · 600 rows/s · 0:00:15 left, then planning and sending · 2/7 files"
    )
    assert planned((0, "planning", 0, 0)) == ("planning 0 rows · 0 rows/s · time left not known · 2/7 files")


def test_a_phase_without_numbers_has_its_name():
    """And what comes after it."""
    phase = Planning(Clock(), None)
    assert line(phase.parts(0.0), None) == "beginning"
    phase.note(Progress.begun("finding who is who"))
    assert line(phase.parts(9.0), None) == "finding who is who · time left not known, then planning"


def test_each_phase_has_its_own_rate():
    """Rows that were looked over are not planned."""
    steps = [(0, "looking over", 0, 0), (8, "looking over", 8_000, 1_000), (8, "planning", 0, 0)]
    assert planned(*steps, (9, "planning", 100, 500)) == (
        "planning 100 rows · 100 rows/s · 0:00:01 left · 2/7 files"
    )


HOST = "eu.i.posthog.com"
BUSY = Retry("503: transient error, please retry")


class Sent:
    """Sending on a clock of the test's own."""

    def __init__(self, total=10_000, *, before=45_000, pace=None):
        self.clock = Clock()
        self.phase = Sending(
            self.clock, total, before=before, host=HOST, pace=pace or Pace(1_000.0), log=Log()
        )

    def at(self, seconds, width=None):
        """The line after so many seconds."""
        self.clock.now = seconds
        return line(self.phase.parts(seconds), width)

    def request(self, seconds, outcome, events=1_000, lasts=0.0):
        """Have a request sent, and answered so."""
        self.clock.now = seconds
        self.phase.begin()
        self.clock.now = seconds + lasts
        self.phase.end(Fate(1, Request(b"", {}, events), outcome))


def test_this_run_is_apart_from_what_was_before():
    """What is left is at the rate of the last seconds."""
    sent = Sent()
    sent.request(1, Accepted())
    sent.request(3, Accepted(), events=200)
    assert sent.at(4) == "sending 1,200/10,000 events · 300 events/s · 0:00:29 left · 45,000 before"


def test_duplicates_and_parked_events_are_settled_too():
    """A batch that is halved is not; what is noted and what is answered is counted once."""
    sent = Sent(before=0)
    sent.request(1, Split(400, "no"), events=2)
    sent.request(1, Split(400, "no"), events=1)
    sent.request(2, Accepted(), events=99)
    sent.phase.settle(Settled(99, 40, 1))
    assert sent.at(7) == "sending 140/10,000 events · 20 events/s · 0:08:13 left"


def test_before_the_first_answer_the_rate_that_will_hold_is_taken():
    """If nobody knows one, that is said."""
    assert Sent(before=0).at(0) == "sending 0/10,000 events · 0 events/s · 0:00:10 left"
    unknown = Sent(before=0, pace=Pace())
    assert unknown.at(0) == "sending 0/10,000 events · 0 events/s · time left not known"


def test_the_rate_limit_is_why_it_waits():
    """As long as requests wait for it, one after another."""
    sent = Sent(before=0)
    sent.request(1, Accepted())
    sent.phase.wait(wait := Wait(0.8))
    assert sent.at(2) == (
        "sending 1,000/10,000 events · rate limit 1,000 events/s · 500 events/s · 0:00:18 left"
    )
    sent.phase.go_on(wait)
    assert "rate limit" in sent.at(2.7)
    assert sent.at(5) == "sending 1,000/10,000 events · 200 events/s · 0:00:45 left"


def test_failures_are_why_it_waits_until_one_is_answered():
    """How often, and when it is tried next, counted down; a failure among successes is none."""
    sent = Sent(before=0)
    sent.request(1, Accepted())
    sent.request(1, BUSY)
    assert sent.at(1.5) == "sending 1,000/10,000 events · 667 events/s · 0:00:14 left"
    sent.phase.wait(Wait(9.0, BUSY.reason, 1))
    sent.phase.wait(sooner := Wait(6.5, BUSY.reason, 1))
    line_ = "sending 1,000/10,000 events · 503 from eu.i.posthog.com, 1 try, next in {} s · {} events/s"
    assert sent.at(3) == f"{line_.format(5, 333)} · time left not known"
    assert sent.at(4) == f"{line_.format(4, 250)} · time left not known"
    sent.phase.go_on(sooner)
    sent.clock.now = 8
    sent.phase.begin()
    assert "503 from eu.i.posthog.com, 1 try, next in 3 s" in sent.at(8)
    sent.phase.end(Fate(3, Request(b"", {}, 1_000), BUSY))
    assert "503 from eu.i.posthog.com, 2 tries, next in 3 s" in sent.at(8)
    sent.request(9, Accepted())
    assert sent.at(10) == "sending 2,000/10,000 events · 200 events/s · 0:00:40 left"


WORDS = [
    pytest.param(
        Retry("429: slow down", 30.0),
        Wait(30.0, "429: slow down", 1, is_asked=True),
        "429 from eu.i.posthog.com, 1 try, next in 28 s as its Retry-After asks",
        id="asked",
    ),
    pytest.param(
        Retry("connection refused: nothing listens at there:443"),
        None,
        "connection refused (eu.i.posthog.com), 1 try, trying again",
        id="no connection",
    ),
]


@pytest.mark.parametrize(("outcome", "wait", "words"), WORDS)
def test_a_wait_has_the_words_of_its_reason(outcome, wait, words):
    """Whatever it is."""
    sent = Sent(before=0)
    sent.request(0, outcome)
    if wait:
        sent.phase.wait(wait)
    assert sent.at(2) == f"sending 0/10,000 events · {words} · 0 events/s · time left not known"


def test_while_it_fails_it_is_said_when_it_gives_up():
    """In the place of the time left, which nobody knows then; after a success no more."""
    sent = Sent(before=0)
    sent.request(0, BUSY)
    sent.phase.wait(Wait(7.0, BUSY.reason, 1, left=900.0))
    assert sent.at(61) == (
        "sending 0/10,000 events · 503 from eu.i.posthog.com, 1 try, next in 1 s · 0 events/s · gives up in 0:13:59"
    )
    sent.request(62, Accepted())
    assert "gives up" not in sent.at(63)


def test_a_silent_server_is_why_it_waits():
    """A request is under way, and nothing is heard for a while."""
    sent = Sent(before=0)
    sent.request(1, Accepted())
    sent.phase.begin()
    assert "no answer" not in sent.at(3)
    assert sent.at(13) == (
        "sending 1,000/10,000 events · no answer for 12 s from eu.i.posthog.com · 0 events/s · time left not known"
    )


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (
            119,
            (
                "sending 1,000/10,000 events · 503 from eu.i.posthog.com, 1 try, next in 5 s · 333 events/s · "
                "time left not known"
            ),
        ),
        (79, "sending 1,000/10,000 · 503 from eu.i.posthog.com, 1 try, next in 5 s · 333/s"),
        (59, "sending 1,000/10,000 · 503, next in 5 s · 333/s"),
        (39, "sending 1,000/10,000 · 503, next in 5 s"),
        (31, "sending 10 % · 503, next in 5 s"),
        (30, "503, next in 5 s"),
        (15, "503"),
    ],
)
def test_a_narrow_terminal_keeps_what_matters(width, text):
    """How far it is and why it waits; never a second line."""
    sent = Sent()
    sent.request(1, Accepted())
    sent.request(1, BUSY)
    sent.phase.wait(Wait(7.0, BUSY.reason, 1))
    found = sent.at(3, width)
    assert len(found) <= width
    assert found == text


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (60, "sending 4,300,000/10,000,000 · 430,000/s · 0:04:45 left"),
        (39, "sending 43 % · 0:04:45 left"),
        (27, "sending 43 % · 0:04:45 left"),
        (26, "sending 43 %"),
    ],
)
def test_the_time_left_is_the_last_to_go(width, text):
    """After the share there is nothing that matters more."""
    sent = Sent(10_000_000, pace=Pace(20_000.0))
    sent.request(1, Accepted(), events=4_300_000)
    assert sent.at(10, width) == text
    sent.phase.wait(Wait(0.8))
    assert sent.at(10, 39) == "sending 43 % · 0:04:45 left"


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (49, "looking over 25 % · 0:00:15 left, then more"),
        (39, "looking over 25 % · over 0:00:15 left"),
        (36, "looking over 25 %"),
    ],
)
def test_a_narrow_terminal_says_that_more_follows(width, text):
    """Of all that is left the time of a part is the least."""
    name = "looking over 7 files for who is who"
    assert planned((0, name, 0, 0), (5, name, 3_000_000, 250), width=width) == text
