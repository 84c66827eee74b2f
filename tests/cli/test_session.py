"""A workdir is held by one command, which ends in good order."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_who_is_told_to_end_ends_in_good_order(tmp_path, number):
    """A terminal that is gone says so more than once, and means no more by it."""
    source = rows(tmp_path / "in" / "a.jsonl", 3_000)
    with Sandbox(faults=[{"fault": "latency", "seconds": 0.05}]) as sandbox:
        words = ["run", "posthog", source, "--host", sandbox.url, "--workdir", tmp_path / "w", "--json"]
        with started(*words, "--rate", "500", "--api-key", KEY) as process:
            while not sandbox.summary()["requests"]:
                assert process.poll() is None
            process.send_signal(number)
            if number == signal.SIGHUP:
                process.stderr.readline()
                process.send_signal(number)
            out, err = process.communicate(timeout=60)
    assert (process.returncode, json.loads(out)["run"]["exit_code"]) == (130, 130)
    assert "left at once" not in err
    assert summary(migrate("status", tmp_path / "w", "--json"))["stopped"]["why"] == "interrupted"


def _run(source, sandbox):
    """The words of a command that sends a file in `in`, beside which its workdir is."""
    workdir = source.parents[1] / "w"
    return ["run", "posthog", source, "--host", sandbox.url, "--workdir", workdir, "--api-key", KEY]


def test_nohup_goes_on(tmp_path):
    """A signal that is ignored where the command begins stays so."""
    source = rows(tmp_path / "in" / "a.jsonl", 3)
    with Sandbox(faults=[{"fault": "latency", "seconds": 0.5}]) as sandbox:
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            words = _run(source, sandbox)
            with started(*words) as process:
                while not sandbox.summary()["requests"]:
                    assert process.poll() is None
                    process.send_signal(signal.SIGHUP)
                process.communicate(timeout=60)
        finally:
            signal.signal(signal.SIGHUP, before)
    assert process.returncode == 0


def test_a_killed_command_did_what_it_noted(tmp_path):
    """Its line in the history has the numbers that the checkpoint had when it ended, whatever was done since."""
    source = rows(tmp_path / "in" / "a.jsonl", 3_000)
    with Sandbox(faults=[{"fault": "latency", "seconds": 0.05}]) as sandbox:
        words = _run(source, sandbox)
        with started(*words, "--rate", "500") as process:
            while not summary(migrate("status", tmp_path / "w", "--json"))["events"]["accepted"]:
                assert process.poll() is None
            process.kill()
            process.wait()
        left = summary(migrate("status", tmp_path / "w", "--json"))["events"]
        for _ in range(2):
            history = summary(migrate("status", tmp_path / "w", "--history", "--json"))["history"]
            killed = history[0]
            assert (killed["planned"], killed["accepted"], killed["exit_code"]) == (
                3_000,
                left["accepted"],
                None,
            )
            assert migrate(*words).returncode == 0
    assert 0 < left["accepted"] < 3_000
    assert history[1]["accepted"] == 3_000 - left["accepted"]


@pytest.mark.parametrize("number", [1, 2])
def test_what_was_not_said_is_said_again(tmp_path, number):
    """A disk that took no JSON made the command end with 4: the next one ends with 3 for the same row, and one with 0.

    The history says so, too.
    """
    source = rows(tmp_path / "a.jsonl", 2)
    with source.open("a") as file:
        file.write('{"event": "e", "distinct_id": "u", "timestamp": "soon"}\n')
    run = ["run", "posthog", "a.jsonl", "--host", "sandbox", "--workdir", "w", "--json"]
    for _ in range(number):
        with Path("/dev/full").open("w") as full:
            words = [sys.executable, "-m", "migrate", *run]
            assert subprocess.run(words, stdout=full, cwd=tmp_path, check=False).returncode == 4
    assert [migrate(*run, cwd=tmp_path).returncode for _ in range(2)] == [3, 0]
    history = summary(migrate("status", tmp_path / "w", "--history", "--json"))["history"]
    assert [one["exit_code"] for one in history] == [4] * number + [3, 0]


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


def test_quiet_says_why_it_ends_with_3(tmp_path):
    """In one line, with the command that lists what is open; where nothing stays, without one. 0 says nothing."""
    source = rows(tmp_path / "a.jsonl", 2)
    lines = ['{"event": "e", "distinct_id": "u", "timestamp": "soon"}', '{"event": "e"']
    source.write_text(source.read_text() + "".join(f"{line}\n" for line in lines))
    rejected = "2 rows rejected (1 bad_timestamp, 1 malformed_json)"
    workdir = tmp_path / "w"
    look = f"warning: {workdir}: {{}}; next: migrate rejects {workdir}\n"
    with Sandbox(faults=[{"fault": "poison"}]) as sandbox:
        run = ["run", "posthog", source, "--workdir", workdir, "--host", sandbox.url, "--api-key", KEY]
        ends = [
            (["run", "posthog", source, "--dry-run"], f"warning: {rejected}\n"),
            (["plan", "posthog", source, "--workdir", workdir], look.format(rejected)),
            (["status", workdir], look.format(rejected)),
            (["show", workdir], look.format(rejected)),
            (["rejects", workdir], look.format(rejected)),
        ]
        for words, said in ends:
            done = migrate(*words, "--quiet")
            assert (done.returncode, done.stderr) == (3, said), words
        assert (migrate(*run, "--quiet").returncode, migrate(*run, "--quiet").stderr) == (0, "")
        rows(tmp_path / "b.jsonl", 1, start=5, properties={"poison": True})
        done = migrate(*run, tmp_path / "b.jsonl", "--quiet")
        assert (done.returncode, done.stderr) == (3, look.format(f"{rejected}, 1 event parked"))


def test_quiet_says_why_it_ends_with_5(tmp_path):
    """A plan that is harmed, and what goes on."""
    source = rows(tmp_path / "a.jsonl", 2)
    assert migrate("plan", "posthog", source, "--workdir", tmp_path / "w").returncode == 0
    for path in (tmp_path / "w" / "days").rglob("*.parquet"):
        path.unlink()
    done = migrate("status", tmp_path / "w", "--quiet")
    assert done.returncode == 5
    assert re.fullmatch(
        rf"warning: {tmp_path}/w: harmed: 1 file .*; next: migrate plan posthog .*\n", done.stderr
    )


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
        known = summary(migrate("status", workdir, "--history", "--json"))
        assert (known["state"], known["stopped"]["why"]) == ("sending_stopped", "interrupted")
        assert [one["exit_code"] for one in known["history"]] == [0, 130]
        assert summary(migrate(*words))["events"]["accepted"] == 3
