"""One command's work in a workdir: whatever runs in it ends when it is asked to, and what is found is said."""

import pytest
from workdirs import events, planned

from migrate.errors import Refused
from migrate.session import Session
from migrate.workdir.typed import Command


@pytest.fixture
def session(tmp_path):
    """A session in a workdir with a planned file."""
    with planned(tmp_path, events(3)) as checkpoint:
        checkpoint.note(linked=True)
        yield Session(checkpoint)


def test_whatever_runs_is_asked_to_end(session):
    """All of it, as often as the user asks; what is done already is not."""
    asked = []
    session.on_stop(lambda: asked.append("planning"))
    with session.stopped_by(lambda: asked.append("sending")):
        session.stop()
        assert asked == ["planning", "sending"]
    session.stop()
    assert asked == ["planning", "sending", "planning"]


def test_what_fails_is_asked_no_more(session):
    """A block that ends with an error has ended, too."""
    asked = []
    with pytest.raises(ZeroDivisionError), session.stopped_by(lambda: asked.append("sending")):
        assert 1 / len(asked)
    session.stop()
    assert asked == []


def test_why_it_stops_is_known(session):
    """The user's interrupt, or the option that came first."""
    assert (session.is_stopping, session.interrupted, session.asked) == (False, False, None)
    session.stop_as_asked("--window")
    session.stop_as_asked("--for")
    assert (session.is_stopping, session.interrupted, session.asked) == (True, False, "--window")
    session.stop()
    assert (session.is_stopping, session.interrupted, session.asked) == (True, True, "--window")


def test_a_whole_plan_may_be_sent(session):
    """Nothing is noted of it, though --partial is given for nothing."""
    session.check_whole(partial=False)
    session.check_whole(partial=True)
    assert "partial" not in session.checkpoint.facts()


NOT_WHOLE = [
    pytest.param([], "the command that began it", id="nobody knows"),
    pytest.param(["a"], "migrate a {w}", id="one"),
    pytest.param(["a", "b"], "migrate a {w} and migrate b {w}", id="two"),
]


@pytest.mark.parametrize(("commands", "how"), NOT_WHOLE)
def test_a_plan_that_is_not_whole_is_sent_with_partial_alone(session, commands, how):
    """Without it, it is refused with how far it is and what finishes it; with it, that is noted for ever."""
    session.checkpoint.register(["b.jsonl", "c.jsonl"])
    session.checkpoint.note(unfinished=[Command(name, None, [], [], "/").fact() for name in commands])
    with pytest.raises(Refused) as refused:
        session.check_whole(partial=False)
    how = how.format(w=session.workdir)
    assert str(refused.value) == (
        f"{session.workdir}: the plan is not whole, 1 of 3 files are planned; finish it with: {how}; or send what is "
        "there with --partial"
    )
    assert "partial" not in session.checkpoint.facts()
    session.check_whole(partial=True)
    assert session.checkpoint.facts()["partial"] is True


def test_what_is_not_told_yet_is_part_of_the_plan(session):
    """All files are planned, but planning has not come to its end."""
    session.checkpoint.note(planning=True)
    with pytest.raises(
        Refused, match="the plan is not whole, persons and groups are not told yet; finish it with: "
    ):
        session.check_whole(partial=False)


def test_what_is_found_is_said_and_kept(session):
    """As it is found, in its order; a file for people that somebody has changed is said, and kept."""
    said = []
    session.on_remark = said.append
    session.remark(["one", "two"])
    session.refresh()
    assert said == session.remarks == ["one", "two"]
    path = session.workdir / "parked.jsonl"
    path.write_text("mine\n")
    session.refresh()
    (remark,) = said[2:]
    assert remark.startswith(f"{path}: was changed by hand")
    assert "mine\n" in [one.read_text() for one in session.workdir.glob("parked*.jsonl")]
    assert session.remarks == said
