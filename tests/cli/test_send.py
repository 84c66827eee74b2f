"""What is planned is sent, and what stops it is told."""

import pytest
from commands import KEY, migrate, rows, summary

from migrate.sandbox.server import Sandbox


def test_a_stopped_run_exits_4_and_says_how_to_go_on(tmp_path):
    """The reason, and the exact command."""
    source = rows(tmp_path / "in" / "a.jsonl")
    with Sandbox(
        faults=[{"fault": "status", "status": 401, "body": "API key is not valid: empty"}]
    ) as sandbox:
        words = ["run", "posthog", source, "--host", sandbox.url, "--workdir", tmp_path / "w", "--json"]
        done = migrate(*words, "--api-key", KEY)
        shown = migrate("status", tmp_path / "w")
    assert done.returncode == 4
    assert summary(done)["events"]["pending"] == 3
    assert "found 401 'API key is not valid: empty'; check --api-key" in done.stderr
    command = f"next     migrate run posthog {source} --host {sandbox.url} --json --workdir {tmp_path / 'w'}"
    assert command in done.stderr
    assert command in shown.stderr


def test_a_workdir_keeps_to_the_protocol_that_it_began_with(tmp_path):
    """It is asked for once; what PostHog says of events that it accepts is in the summary and on the screen."""
    source = rows(tmp_path / "in" / "a.jsonl")
    words = ["--api-key", KEY, "--json"]
    warning = {"fault": "verdicts", "result": "warning", "details": "person_processing_disabled", "each": 2}
    with Sandbox(has_v1=True, faults=[warning]) as sandbox:
        plan = ["run", "posthog", source, "--host", sandbox.url, "--workdir", tmp_path / "w"]
        done = migrate(*plan, *words)
        assert [one["path"] for one in sandbox.requests()] == ["/i/v1/analytics/events"] * 2
        assert [one["events"] for one in sandbox.requests()] == [0, 3]
        other = migrate("apply", tmp_path / "w", "--host", sandbox.url, "--protocol", "v0", *words)
        assert migrate(*plan, "--protocol", "v1", *words).returncode == 0
        assert len(sandbox.requests()) == 2
    told = summary(done)
    assert (done.returncode, told["protocol"], told["requests"]) == (0, "v1", 1)
    assert told["events"]["accepted"] == 3
    assert told["accepted_with_warning"] == {"person_processing_disabled": 1}
    assert "warning  1 event accepted, and PostHog says: person_processing_disabled" in done.stderr
    assert other.returncode == 5
    assert "--protocol: this workdir is sent over v1, found v0; leave the option out" in other.stderr


@pytest.mark.parametrize("command", ["apply", "resend"])
def test_a_workdir_that_is_not_there_is_said_first(tmp_path, command):
    """Before a host or a key is asked for."""
    done = migrate(command, tmp_path / "none")
    assert (done.returncode, done.stderr) == (
        5,
        f"error: {tmp_path / 'none'}: no such workdir; plan first with 'migrate plan'\n",
    )
