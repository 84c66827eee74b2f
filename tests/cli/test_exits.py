"""The exit code a scheduler acts on: what was stopped before what was refused before what was left out."""

import pytest
from rejected import BAD, written
from workdirs import applied, delivery, events, here, planned

from migrate.cli import exits
from migrate.planning import Planning
from migrate.report.numbers import Events, Summary, summary
from migrate.sandbox.server import Sandbox
from migrate.session import Session
from migrate.settings import Settings
from migrate.workdir.checkpoint import Checkpoint


@pytest.fixture
def session(tmp_path):
    """A session in a workdir of its own."""
    with Checkpoint.open(tmp_path, create=True) as checkpoint:
        yield Session(checkpoint)


def numbers(pending=0, *, whole=True, parked=0, **more):
    """A workdir's numbers, as far as codes depend on them."""
    return Summary(whole=whole, events=Events(pending=pending, parked=parked), **more)


CODES = [
    pytest.param({}, {}, 0, id="done"),
    pytest.param({}, {"pending": 3}, 4, id="pending"),
    pytest.param({}, {"whole": False}, 5, id="not-whole"),
    pytest.param({"set_aside": ["a"]}, {}, 5, id="set-aside"),
    pytest.param({"set_aside": ["a"]}, {"pending": 3}, 5, id="set-aside-and-pending"),
    pytest.param({"asked": "--window"}, {"pending": 3}, 6, id="stopped-as-asked"),
    pytest.param({"asked": "--window"}, {"whole": False}, 6, id="stopped-while-planning"),
    pytest.param({"asked": "--window"}, {}, 0, id="asked-when-all-was-done"),
    pytest.param({"asked": "--window", "set_aside": ["a"]}, {"pending": 3}, 6, id="stopped-and-set-aside"),
    pytest.param({"interrupted": True, "asked": "--window"}, {"pending": 3}, 130, id="interrupted"),
]


@pytest.mark.parametrize(("found", "state", "code"), CODES)
def test_the_first_that_holds_is_the_code(session, found, state, code):
    """130, 6, 5, 4, 3, then 0."""
    vars(session).update(found)
    assert exits.of_work(session, numbers(**state), sending=True) == code


def test_what_was_planned_may_be_pending(session):
    """A plan that is not sent yet is done."""
    assert exits.of_work(session, numbers(3), sending=False) == 0


def test_what_is_left_out_counts_once(tmp_path):
    """3 where there is more than when it was last told; a command that was stopped has not told it."""
    workdir, frame = tmp_path / "w", events(20, poison=(7,))
    written(tmp_path / "in" / "a.jsonl", [BAD, BAD])

    def codes(*, interrupted=False):
        """What a command that plans, and one that sends, end with, as the workdir is."""
        with Checkpoint.open(workdir) as checkpoint:
            session = Session(checkpoint, interrupted=interrupted)
            found = []
            for sending in (False, True):
                found.append(exits.of_work(session, summary(checkpoint), sending=sending))
                exits.note_told(checkpoint, found[-1])
            return found

    assert here("plan", "posthog", tmp_path / "in", "--workdir", workdir).returncode == 3
    assert codes() == [0, 0]
    written(tmp_path / "in" / "b.jsonl", [BAD])
    with Checkpoint.open(workdir) as checkpoint:
        session = Session(checkpoint)
        Planning.of(session, Settings(platform="posthog").work([str(tmp_path / "in")]), None).plan()
    assert codes(interrupted=True) == [130, 130]
    assert codes() == [3, 0]
    with Sandbox(faults=[{"fault": "poison"}]) as sandbox, planned(workdir, frame, "c.jsonl") as checkpoint:
        assert codes() == [0, 4]
        assert applied(checkpoint, delivery(sandbox.url))
    assert codes() == [3, 0]


def test_what_was_not_told_is_still_news(tmp_path):
    """4 says that something is left to be sent, and nothing of what is left out: the next that ends says 3, once."""
    with (
        Sandbox(faults=[{"fault": "poison"}]) as sandbox,
        planned(tmp_path, events(20, poison=(7,))) as checkpoint,
    ):
        assert applied(checkpoint, delivery(sandbox.url))
    with planned(tmp_path, events(5, start=100), "b.jsonl") as checkpoint:
        session = Session(checkpoint)
        for sending, code in [(True, 4), (True, 4), (False, 3), (False, 0)]:
            assert exits.of_work(session, summary(checkpoint), sending=sending) == code
            exits.note_told(checkpoint, code)


STATES = [
    pytest.param({}, 0, id="nothing-open"),
    pytest.param({"pending": 7}, 0, id="pending"),
    pytest.param({"parked": 1}, 3, id="parked"),
    pytest.param({"open_rejects": {"bad_timestamp": 1}}, 3, id="rejects"),
    pytest.param({"set_aside": {"a": "why"}}, 3, id="set-aside"),
    pytest.param({"whole": False, "parked": 1}, 5, id="not-whole"),
    pytest.param({"whole": False, "state": "running"}, 0, id="running"),
    pytest.param({"whole": False, "state": "running", "parked": 1}, 3, id="running-and-parked"),
    pytest.param({"state": "harmed"}, 5, id="harmed"),
    pytest.param({"state": "nothing_planned"}, 5, id="nothing-planned"),
]


@pytest.mark.parametrize(("state", "code"), STATES)
def test_a_look_says_whether_anything_is_open(state, code):
    """Also what was told before."""
    assert exits.of_state(numbers(**state)) == code


@pytest.mark.parametrize(
    ("codes", "code"), [([0], 0), ([3, 0], 3), ([3, 5, 0], 5), ([5, 4], 4), ([4, 2, 0], 2), ([2, 130], 130)]
)
def test_of_several_workdirs_the_gravest_counts(codes, code):
    """As of one in which several hold."""
    assert exits.of_several(codes) == code


def test_no_is_an_answer(session):
    """Who says no has what they wanted; who interrupts the question has not."""
    assert exits.of_no(session) == 0
    session.interrupted = True
    assert exits.of_no(session) == 130


@pytest.mark.parametrize(("is_set_aside", "code"), [(False, 0), (True, 5)])
def test_a_preview_says_whether_files_are_set_aside(is_set_aside, code):
    """What could be shown was."""
    assert exits.of_preview(is_set_aside=is_set_aside) == code
