"""What is stored of a request that is let through, and what is answered, over v0 and over v1."""

import pytest
from posting import NOW, OK, UUID, answer_v1, batch, batch_v1, event, post, post_v1

from migrate.sandbox.server import Sandbox

SECOND, THIRD = (f"018ea3c1-0000-7000-8000-00000000000{n}" for n in (2, 3))
THREE = [event(uuid=uuid) for uuid in (UUID, SECOND, THIRD)]
SAID = {"result": "ok"}


@pytest.fixture
def sandbox():
    """A sandbox whose clock stands still."""
    with Sandbox(now=lambda: NOW, has_v1=True) as running:
        yield running


def stored(sandbox):
    """The uuids of what is stored."""
    return [row["uuid"] for row in sandbox.events()]


VERDICTS = [
    pytest.param(
        {"each": 2}, {SECOND: {"result": "retry", "details": "not_persisted"}}, [UUID, THIRD], id="retry"
    ),
    pytest.param(
        {"each": 3, "result": "drop", "details": "event_restriction_drop"},
        {THIRD: {"result": "drop", "details": "event_restriction_drop"}},
        [UUID, SECOND],
        id="drop",
    ),
    pytest.param({"each": 2, "result": None}, {SECOND: None}, [UUID, THIRD], id="absent"),
    pytest.param(
        {"each": 2, "result": None, "stored": True},
        {SECOND: None},
        [UUID, SECOND, THIRD],
        id="absent and stored",
    ),
    pytest.param(
        {"each": 2, "result": "sampled", "details": None},
        {SECOND: {"result": "sampled"}},
        [UUID, THIRD],
        id="unknown",
    ),
    pytest.param(
        {"event": "seen", "result": "warning", "details": "person_processing_disabled"},
        {
            uuid: {"result": "warning", "details": "person_processing_disabled"}
            for uuid in (UUID, SECOND, THIRD)
        },
        [UUID, SECOND, THIRD],
        id="warning",
    ),
]


@pytest.mark.parametrize(("rule", "verdicts", "kept"), VERDICTS)
def test_verdicts_are_as_told(sandbox, rule, verdicts, kept):
    """Stored is what is said to be; a Retry-After stands beside `retry`, and beside it alone."""
    sandbox.faults([{"fault": "verdicts", "retry_after": 0.5, **rule}])
    status, headers, said = answer_v1(sandbox, batch_v1(*THREE))
    expected = dict.fromkeys((UUID, SECOND, THIRD), SAID) | verdicts
    assert (status, said["results"]) == (200, {uuid: one for uuid, one in expected.items() if one})
    assert stored(sandbox) == kept
    is_asked = any(one and one["result"] == "retry" for one in verdicts.values())
    assert headers.get("Retry-After") == ("0.5" if is_asked else None)


EVERYWHERE = [
    pytest.param({"fault": "over_quota"}, event(), OK, (402, "billing_limit_exceeded"), id="over quota"),
    pytest.param(
        {"fault": "poison"},
        event(properties={"poison": True}),
        (400, "invalid event could not be processed"),
        (200, {UUID: {"result": "drop", "details": "rejected"}}),
        id="poison",
    ),
    pytest.param(
        {"fault": "scoped_quota"},
        event(event="$exception"),
        OK,
        (200, {UUID: {"result": "drop", "details": "exceptions_over_quota"}}),
        id="scoped quota",
    ),
    pytest.param({"fault": "drop_older_than", "seconds": 9}, event(), OK, (200, {UUID: SAID}), id="too old"),
    pytest.param(
        {"fault": "status", "status": 429, "error": "billing_limit_exceeded"},
        event(),
        (429, "rate limited"),
        (429, "billing_limit_exceeded"),
        id="billing",
    ),
    pytest.param(
        {"fault": "status", "status": 404}, event(), (404, ""), (404, "not_found"), id="now and then a 404"
    ),
    pytest.param(
        {"fault": "prefix", "events": 0},
        event(),
        (503, "transient error, please retry"),
        (503, "service_unavailable"),
        id="prefix",
    ),
]


@pytest.mark.parametrize(("rule", "sent", "v0", "v1"), EVERYWHERE)
def test_a_fault_is_told_as_each_protocol_tells_it(sandbox, rule, sent, v0, v1):
    """Of v0 silence or a text, of v1 a tag or a verdict; nothing is stored."""
    sandbox.faults([rule])
    assert post(sandbox, batch(sent)) == v0
    assert post_v1(sandbox, batch_v1(sent)) == v1
    assert stored(sandbox) == []


def test_unknown_keys_and_live_batches():
    """Taken and lost, as without the flag in import mode, where v1 says so; and a key that is wrong by rule."""
    with Sandbox(now=lambda: NOW, has_v1=True, accepted_keys=["phc_other"]) as sandbox:
        assert post_v1(sandbox, batch_v1(event())) == (200, {UUID: SAID})
        sandbox.faults([{"fault": "wrong_key"}])
        assert post_v1(sandbox, batch_v1(event())) == (401, "invalid_api_token")
        sandbox.faults([{"fault": "import_mode"}])
        said = {"result": "drop", "details": "non_historical_import_drop"}
        live = batch_v1(event(), historical_migration=False)
        assert post_v1(sandbox, live, Authorization="Bearer phc_other") == (200, {UUID: said})
        assert stored(sandbox) == []
