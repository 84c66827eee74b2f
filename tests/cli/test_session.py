"""A workdir is held by one command, which ends in good order."""

import json
import signal

from commands import KEY, migrate, rows, started

from migrate.sandbox.server import Sandbox


def test_an_interrupted_run_exits_130_and_goes_on(tmp_path):
    """SIGINT once: what is in flight is noted; the same command delivers the rest, nothing twice."""
    source = rows(tmp_path / "in" / "a.jsonl", 3_000)
    with Sandbox(faults=[{"fault": "latency", "seconds": 0.05}]) as sandbox:
        words = ["run", "posthog", source, "--host", sandbox.url, "--workdir", tmp_path / "w", "--json"]
        words += ["--rate", "500", "--api-key", KEY]
        with started(*words) as process:
            while not sandbox.summary()["requests"]:
                assert process.poll() is None
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "interrupted: finishing what is in flight" in err
        assert 0 < json.loads(out)["events"]["accepted"] < 3_000
        sent = sandbox.summary()["raw"]["events"]
        assert sent == json.loads(out)["events"]["accepted"]
        again = migrate(*words, "--rate", "100000")
        assert again.returncode == 0
        assert sandbox.summary()["raw"]["events"] == 3_000
