"""A workdir is sent over one protocol: as PostHog answers when it is first asked, as it was typed, as it is noted."""

import asyncio

import pytest
from workdirs import applied, delivery, events, planned

from migrate.apply.halt import Abandoned, Halt
from migrate.apply.protocol import spoken
from migrate.apply.target import PROTOCOL, noted
from migrate.errors import Stopped
from migrate.sandbox.server import Sandbox


def chosen(checkpoint, how, halt=None):
    """The version that is chosen, whether a PostHog has answered in it, and what is noted of it."""

    async def run():
        return await spoken(checkpoint, how, halt or Halt())

    found = asyncio.run(run())
    return found.capture.name, found.is_known, checkpoint.facts().get(PROTOCOL)


ASKED = [
    pytest.param({"has_v1": True}, ("v1", True, "v1"), id="v1"),
    pytest.param({}, ("v0", False, "v0"), id="no v1"),
    pytest.param(
        {"has_v1": True, "faults": [{"fault": "over_quota"}]}, ("v1", True, "v1"), id="over its quota"
    ),
    pytest.param(
        {"has_v1": True, "faults": [{"fault": "status", "status": 503, "times": 2, "retry_after": 0}]},
        ("v1", True, "v1"),
        id="after a while",
    ),
    pytest.param(
        {"has_v1": True, "faults": [{"fault": "status", "status": 404, "times": 2}]},
        ("v1", True, "v1"),
        id="not found, now and then",
    ),
    *(
        pytest.param({"has_v1": True, "faults": [{"fault": name}]}, ("v0", False, None), id=name)
        for name in ("captive", "redirect", "no_content")
    ),
]


@pytest.mark.parametrize(("server", "expected"), ASKED)
def test_posthog_is_asked_once(tmp_path, server, expected):
    """What it says for certain is noted; what may be no PostHog's answer is asked again, until events are settled."""
    with Sandbox(**server) as sandbox, planned(tmp_path, events(9)) as checkpoint:
        assert chosen(checkpoint, delivery(sandbox.url)) == expected
        asked = sandbox.requests()
        assert {one["events"] for one in asked} <= {0}
        assert sandbox.events() == []
        if expected[2]:
            assert chosen(checkpoint, delivery("http://127.0.0.1:9")) == (expected[0], True, expected[0])
            assert sandbox.requests() == asked


def test_what_is_typed_is_not_asked_and_noted_with_the_first_events(tmp_path):
    """Before them another one may be typed."""
    with Sandbox(has_v1=True) as sandbox, planned(tmp_path, events(9)) as checkpoint:
        assert chosen(checkpoint, delivery(sandbox.url, protocol="v0")) == ("v0", False, None)
        how = delivery(sandbox.url, protocol="v1")
        assert chosen(checkpoint, how) == ("v1", False, None)
        assert sandbox.requests() == []
        applied(checkpoint, how, "v1")
        assert chosen(checkpoint, how) == ("v1", True, "v1")


def test_a_workdir_of_an_earlier_version_stays_with_v0(tmp_path):
    """There was no other when its first events were sent."""
    with Sandbox(has_v1=True) as sandbox, planned(tmp_path, events(9)) as checkpoint:
        applied(checkpoint, delivery(sandbox.url))
        with checkpoint.change() as db:
            db.execute("DELETE FROM meta WHERE key = ?", (PROTOCOL,))
        assert noted(checkpoint) == "v0"
        assert chosen(checkpoint, delivery(sandbox.url)) == ("v0", True, None)


def test_nobody_is_asked_where_there_is_nothing_to_send(tmp_path):
    """All is settled, or too young."""
    with planned(tmp_path, events(9)) as checkpoint:
        how = delivery("http://127.0.0.1:9", min_age=1e9)
        assert chosen(checkpoint, how) == ("v0", False, None)


def test_a_question_that_nobody_answers_stops(tmp_path):
    """Or ends with the run, where that is halted."""
    with planned(tmp_path, events(9)) as checkpoint:
        with pytest.raises(Stopped, match="nothing accepted for 0.1 s, found connection refused"):
            chosen(checkpoint, delivery("http://127.0.0.1:9", deadline=0.1))
        halt = Halt(grace=0.0)
        with pytest.raises(Abandoned):
            asyncio.run(_halted(checkpoint, halt))


async def _halted(checkpoint, halt):
    """Ask in a run that is to end."""
    halt.call()
    await spoken(checkpoint, delivery("http://127.0.0.1:9"), halt)
