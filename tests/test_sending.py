"""What is planned or parked in a workdir is sent, to the one target it is bound to, until the session is to end."""

from dataclasses import replace

import pytest
from sealing import flipped
from workdirs import delivery, events, planned

from migrate.apply.watch import Unwatched
from migrate.errors import Refused
from migrate.sandbox.server import Sandbox
from migrate.sending import resend, send
from migrate.session import Session
from migrate.workdir import rounds
from migrate.workdir.parked import PARKED
from migrate.workdir.records import Settled

POISON = [{"fault": "poison"}]
NOBODY = Unwatched()


def sent(checkpoint, url, watch=NOBODY, **choices):
    """Send in a session of its own; return it."""
    session = Session(checkpoint)
    send(session, delivery(url, **choices), watch)
    return session


def test_all_that_is_pending_is_sent_and_told(tmp_path):
    """What became of it is told as it is settled; sending again sends nothing."""
    told = []
    watch = Unwatched()
    watch.settle = told.append
    with Sandbox() as sandbox, planned(tmp_path, events(300, days=3)) as checkpoint:
        sent(checkpoint, sandbox.url, watch)
        assert sum(one.accepted for one in told) == 300
        assert rounds.outcome(checkpoint) == Settled(accepted=300)
        before = sandbox.summary()
        assert before["raw"]["events"] == 300
        sent(checkpoint, sandbox.url, watch)
        assert sandbox.summary() == before


def test_how_old_a_day_is_to_be_is_noted_and_judged(tmp_path):
    """What is old enough is sent; which age was asked for is known to later commands, and when it was judged."""
    with Sandbox() as sandbox, planned(tmp_path, events(30)) as checkpoint:
        session = sent(checkpoint, sandbox.url, min_age=3_600.0)
        assert (checkpoint.facts()["min_age"], rounds.outcome(checkpoint)) == (3_600.0, Settled(accepted=30))
    assert session.judged is not None
    assert session.judged >= session.started


def test_a_session_that_is_stopped_ends_early_and_the_next_goes_on(tmp_path):
    """Days that are settled stay so, the rest arrives in the next session; a stop that comes later is none."""
    fault = {"fault": "status", "status": 503, "retry_after": -5, "after": 15, "times": 1}
    with Sandbox(faults=[fault]) as sandbox, planned(tmp_path, events(300, days=3)) as checkpoint:
        session = Session(checkpoint)
        session.on_warning = lambda _: session.stop_as_asked("--until")
        how = delivery(sandbox.url, max_batch_events=10, concurrency=1)
        send(session, how, NOBODY)
        found = sandbox.summary()
        assert 0 < rounds.outcome(checkpoint).accepted <= found["raw"]["events"] < 300
        send(session, how, NOBODY)
        assert sandbox.summary() == found
        again = sent(checkpoint, sandbox.url)
        assert rounds.outcome(checkpoint) == Settled(accepted=300)
        assert sandbox.summary()["collapsed"]["events"] == 300
    again.stop()
    assert again.is_stopping


def test_parked_events_are_sent_again(tmp_path):
    """What is still refused stays parked; what is taken leaves parked.jsonl."""
    with Sandbox(faults=POISON) as sandbox, planned(tmp_path, events(30, poison={5, 6})) as checkpoint:
        sent(checkpoint, sandbox.url)
        resend(Session(checkpoint), delivery(sandbox.url), NOBODY)
        assert rounds.outcome(checkpoint) == Settled(accepted=28, parked=2)
        sandbox.faults([])
        resend(Session(checkpoint), delivery(sandbox.url), NOBODY)
        assert rounds.outcome(checkpoint) == Settled(accepted=30)
        assert sandbox.summary()["collapsed"]["events"] == 30
    assert (tmp_path / PARKED).read_text() == ""


def test_remarks_on_a_file_for_people_are_the_sessions(tmp_path):
    """What was found of parked.jsonl is said there."""
    with Sandbox(faults=POISON) as sandbox, planned(tmp_path, events(30, poison={5})) as checkpoint:
        sent(checkpoint, sandbox.url)
        (tmp_path / PARKED).unlink()
        session = Session(checkpoint)
        resend(session, delivery(sandbox.url), NOBODY)
    assert session.remarks == [f"{tmp_path / PARKED}: was gone, and is made again of what is known"]


def test_a_harmed_day_is_told_with_its_source(tmp_path):
    """Nothing of it is sent; the error names the source to plan anew."""
    with Sandbox() as sandbox, planned(tmp_path, events(30), "/in/a.jsonl") as checkpoint:
        (part,) = (tmp_path / path for path in checkpoint.part_paths())
        flipped(part, 300)
        with pytest.raises(Refused) as raised:
            sent(checkpoint, sandbox.url)
        assert sandbox.summary()["requests"] == 0
    assert str(raised.value) == (
        f"{part}: harmed since it was planned, other bytes between 0 and 65,536; nothing of this day (2024-04-03) or "
        "a later one is sent any more; it is of /in/a.jsonl: plan it anew, with --again /in/a.jsonl"
    )


@pytest.mark.parametrize("way", [send, resend], ids=["send", "resend"])
def test_a_workdir_sends_to_one_target(tmp_path, way):
    """Another one is refused before anything is sent to it."""
    with Sandbox() as sandbox, Sandbox() as other, planned(tmp_path, events(30)) as checkpoint:
        way(Session(checkpoint), delivery(sandbox.url), NOBODY)
        with pytest.raises(Refused, match="--host: this workdir sends to sandbox, found http://other"):
            way(Session(checkpoint), replace(delivery(other.url), target="http://other"), NOBODY)
        assert other.summary()["requests"] == 0
