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


@pytest.mark.parametrize("command", ["apply", "resend"])
def test_a_workdir_that_is_not_there_is_said_first(tmp_path, command):
    """Before a host or a key is asked for."""
    done = migrate(command, tmp_path / "none")
    assert (done.returncode, done.stderr) == (
        5,
        f"error: {tmp_path / 'none'}: no such workdir; plan first with 'migrate plan'\n",
    )
