"""A workdir is held by one command, which ends in good order."""

import json
import signal

from commands import KEY, migrate, rows, started, summary

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


def test_a_disk_that_refuses_is_told_with_what_was_done(tmp_path):
    """The numbers are the workdir's, and it knows why it stopped."""
    rows(tmp_path / "in" / "a.jsonl", 4)
    words = ["plan", "posthog", tmp_path / "in", "--workdir", tmp_path / "w", "--json"]
    assert migrate(*words).returncode == 0
    rows(tmp_path / "in" / "b.jsonl", 4, start=9, timestamp="2024-04-05T00:00:00Z")
    day = tmp_path / "w" / "days" / "2024-04-05"
    day.touch()
    stopped = migrate(*words)
    told = summary(stopped)
    assert (stopped.returncode, told["rows"]["read"], told["workdir"]) == (4, 4, str(tmp_path / "w"))
    assert told["state"] == "planning_stopped"
    assert "cannot be written or read, found 'File exists'" in told["run"]["error"]
    assert summary(migrate("status", tmp_path / "w", "--json"))["stopped"]["message"] == told["run"]["error"]
    day.unlink()
    assert migrate(*words).returncode == 0


def test_a_second_interrupt_leaves_at_once_and_tells_programs(tmp_path):
    """The numbers are those from before the command, for nothing is asked any more; the same command goes on."""
    source = rows(tmp_path / "in" / "a.jsonl", 3)
    workdir = tmp_path / "w"
    assert migrate("plan", "posthog", source, "--workdir", workdir).returncode == 0
    with Sandbox(faults=[{"fault": "stall", "seconds": 30, "stored": True, "times": 1}]) as sandbox:
        words = ["apply", workdir, "--host", sandbox.url, "--api-key", KEY, "--json"]
        with started(*words) as process:
            while not sandbox.summary()["raw"]["events"]:
                assert process.poll() is None
            process.send_signal(signal.SIGINT)
            line = "-"
            while line and "interrupted: finishing" not in line:
                line = process.stderr.readline()
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        told = json.loads(out.splitlines()[-1])
        assert (process.returncode, told["run"]["exit_code"]) == (130, 130)
        assert "left at once; the same command goes on" in err
        assert told["run"]["error"].startswith("left at once: the numbers are those from before this command")
        assert (told["events"]["planned"], told["events"]["pending"]) == (3, 3)
        assert told["run"]["events"]["accepted"] == 0
        assert summary(migrate(*words))["events"]["accepted"] == 3
