"""Before the first event leaves for a PostHog somebody is asked, with all that speaks against it on one screen."""

import json
import os
import pty
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from captures import Capture
from nights import BAD, GOOD, lines
from sealing import migrate, summary

from migrate.sandbox.server import Sandbox

KEY = "phc_0123456789abcdefghijWXYZ"


def asked(*words, answer):
    """Run a command on a terminal of which it has only stdin; return it, and what the terminal showed.

    `answer`: what is typed, or a signal, when it asks.
    """
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "migrate", *map(str, words)],
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"POSTHOG_API_KEY": KEY},
    )
    os.close(slave)
    screen = b""
    with process, open(master, "rb+", buffering=0) as terminal:  # noqa: PTH123 - a terminal has no path here
        while b"[y/N]" not in screen:
            screen += terminal.read(4_096)
        if isinstance(answer, int):
            process.send_signal(answer)
        else:
            terminal.write(answer.encode())
        out, error = process.communicate()
    done = subprocess.CompletedProcess(words, process.returncode, out, error)
    return done, screen.decode()


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """A plan with much to be said of."""
    folder = tmp_path_factory.mktemp("asked")
    now = datetime.now(UTC)
    old = [(now - timedelta(days=days)).isoformat() for days in (400, 800, 1_900, 2_600, 20)]
    rows = [
        {"event": "e", "distinct_id": f"u{n}", "uuid": f"0190d1a0-0000-7000-8000-{n:012}", "timestamp": time}
        for n, time in enumerate([*old, BAD])
    ]
    source = folder / "in.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert migrate("plan", "posthog", source, "--workdir", folder / "w").returncode == 3
    return folder / "w"


def test_all_that_speaks_against_it_is_on_the_screen(planned):
    """Also where stdout and stderr are pipes; of the key only the end. No is 0, and nothing leaves."""
    with Capture() as capture:
        done, screen = asked("apply", planned, "--host", capture.url, "--json", answer="n\n")
        assert capture.events == []
    assert done.returncode == 0
    assert "nothing was sent" in done.stderr
    assert summary(done)["run"]["exit_code"] == 0
    assert summary(done)["events"]["pending"] == 5
    assert "WXYZ" in screen
    assert KEY[4:20] not in screen + done.stdout + done.stderr
    for text in (
        f"project {capture.url}, key …WXYZ",
        "events 5 to send now",
        "span 20",
        "older than 1 year: 4 events, than 2 years: 3, than 5 years: 2, than 7 years: 1",
        "ids 5 distinct",
        "rows 6 read, 5 mapped, 0 filtered, 1 rejected",
        "rejected rows: 1 bad_timestamp",
        "--person-properties set: what the source knows of people overwrites newer values",
        "of payloads, about 5 requests",
        "as fast as the host answers",
        f"send 5 events to {capture.url}? this cannot be undone",
    ):
        assert text in " ".join(screen.split())
    assert len(screen.splitlines()) <= 24
    again, screen = asked("apply", planned, "--host", capture.url, "--rate", "2", answer="nein\nno\n")
    assert again.returncode == 0
    assert "about 0:00:02 at 2 events/s" in screen
    assert screen.count("[y/N]") >= 1


def test_an_interrupt_is_a_no(planned):
    """At once, resumable, with nothing sent."""
    with Capture() as capture:
        done, _ = asked("apply", planned, "--host", capture.url, answer=int(signal.SIGINT))
        assert capture.events == []
    assert done.returncode == 130
    assert "nothing was sent" in done.stderr


def test_it_is_asked_once_a_workdir(tmp_path):
    """Who said yes is not asked again, on a terminal or without one."""
    source = lines(tmp_path / "in" / "1.jsonl", GOOD).parent
    with Capture() as capture:
        words = ["run", "posthog", source, "--workdir", tmp_path / "w", "--host", capture.url, "--json"]
        done, screen = asked(*words, answer="y\n")
        assert done.returncode == 0
        assert "send 1 event " in screen
        assert len(capture.events) == 1
        lines(source / "2.jsonl", GOOD, start=10)
        again = migrate(*words, "--api-key", KEY)
        assert again.returncode == 0
        assert len(capture.events) == 2


@pytest.mark.parametrize("command", ["run", "apply", "resend"])
def test_without_a_terminal_yes_is_needed_once(tmp_path, command):
    """Before anything is planned or made; a sandbox of ours needs none."""
    source, workdir = lines(tmp_path / "in" / "1.jsonl", GOOD).parent, tmp_path / "w"
    words = ["run", "posthog", source, "--workdir", workdir]
    if command != "run":
        assert migrate("plan", *words[1:]).returncode == 0
        words = [command, workdir]
    with Capture() as capture:
        target = ["--host", capture.url, "--json"]
        done = migrate(*words, *target)
        if (
            command == "resend"
        ):  # of a workdir with nothing parked there is nothing to ask, and all is pending
            assert done.returncode == 4
            assert capture.events == []
            return
        assert done.returncode == summary(done)["run"]["exit_code"] == 2
        assert f"--yes: needed before the first event goes to {capture.url}" in done.stderr
        assert capture.events == []
        assert workdir.exists() == (command != "run")
        assert migrate(*words, *target, "--yes").returncode == 0
        lines(source / "2.jsonl", GOOD, start=10)
        assert migrate("run", "posthog", source, "--workdir", workdir, *target).returncode == 0
        assert len(capture.events) == 2


def test_a_sandbox_of_ours_is_no_posthog(tmp_path):
    """Neither asks nor needs a word, wherever it listens on this machine."""
    source = lines(tmp_path / "in" / "1.jsonl", GOOD).parent
    with Sandbox() as sandbox:
        done = migrate("run", "posthog", source, "--workdir", tmp_path / "w", "--host", sandbox.url)
        assert (done.returncode, "--yes" in done.stderr) == (0, False), done.stderr
        assert [event["uuid"] for event in sandbox.events()] == ["0190d1a0-0000-7000-8000-000000000000"]
