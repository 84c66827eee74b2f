"""What a machine can do to a run: no space, no permission, a folder gone, two at once, a file replaced."""

import os
import resource
import shutil
import subprocess
import sys
import zipfile
from contextlib import contextmanager
from functools import partial

import pytest
from commands import KEY, migrate, rows, summary

from migrate.sandbox.server import Sandbox

pytestmark = pytest.mark.crash


@contextmanager
def started(*words, file_bytes=None):
    """Start the command line, perhaps with a bound on the size of any file; it does not outlive the test."""
    bound = (
        partial(resource.setrlimit, resource.RLIMIT_FSIZE, (file_bytes, file_bytes)) if file_bytes else None
    )
    command = [sys.executable, "-m", "migrate", *map(str, words)]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=bound,  # noqa: PLW1509 - no threads here
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def ended(process):
    """Wait for a process; return its exit code and what it said."""
    _, err = process.communicate(timeout=60)
    return process.returncode, err


def test_a_full_disk_while_planning_stops_and_resumes(tmp_path):
    """No space for the plan: exit code 4 and what to do; with space the same command goes on."""
    source = rows(tmp_path / "in" / "a.jsonl", 5_000)
    words = ["plan", "posthog", source, "--workdir", tmp_path / "w", "--json"]
    with started(*words, file_bytes=90_000) as process:
        code, err = ended(process)
    assert code == 4, err
    assert "cannot be written or read, found" in err
    assert "then run the same command again to resume" in err
    done = migrate(*words)
    assert done.returncode == 0, done.stderr
    assert summary(done)["events"]["planned"] == 5_000


@pytest.fixture
def disk(tmp_path):
    """A disk of its own, and what gives it another size in kB; where none can be mounted there is no test."""
    place = tmp_path / "disk"
    place.mkdir()

    def resize(kilobytes, *more):
        options = ",".join([f"size={kilobytes}k", *more])
        mount = shutil.which("mount")
        done = subprocess.run(
            [mount or "mount", "-t", "tmpfs", "-o", options, "tmpfs", place], check=False, capture_output=True
        )
        if done.returncode:
            pytest.skip("no disk can be mounted here")

    yield place, resize
    subprocess.run([shutil.which("umount") or "umount", place], check=False, capture_output=True)


@pytest.mark.skipif(shutil.which("mount") is None or os.geteuid() != 0, reason="needs to mount a disk")
@pytest.mark.parametrize("kilobytes", [20, 60, 140, 180, 220])
def test_a_full_disk_is_what_it_is_said_to_be(tmp_path, disk, kilobytes):
    """Whenever it is full: 4, and the reason is known later; no traceback; with space it goes on."""
    place, resize = disk
    resize(kilobytes)
    source = rows(tmp_path / "in" / "a.jsonl", 4_000)
    words = ["plan", "posthog", source, "--workdir", place / "w", "--json"]
    with started(*words) as process:
        code, err = ended(process)
    assert code == 4, err
    for wrong in ("Traceback", "Exception ignored", "without a word", "move the workdir aside"):
        assert wrong not in err
    known = summary(migrate("status", place / "w", "--history", "--json"))
    if known["state"] == "planning_stopped":  # else there was no space for a checkpoint
        assert known["stopped"]["why"] == "disk"
        assert [one["exit_code"] for one in known["history"]] == [4]
    resize(20_000, "remount")
    done = migrate(*words)
    assert (done.returncode, summary(done)["events"]["planned"]) == (0, 4_000)
    assert not (place / "w" / "reserve").exists()


def test_a_full_disk_while_applying_stops_and_resumes(tmp_path):
    """No space to note what was accepted: nothing is sent beyond it, and with space all arrives once in effect."""
    source = rows(tmp_path / "in" / "a.jsonl", 2_000)
    migrate("plan", "posthog", source, "--workdir", tmp_path / "w")
    with Sandbox() as sandbox:
        words = ["apply", tmp_path / "w", "--host", sandbox.url, "--json", "--api-key", KEY]
        with started(*words, file_bytes=4_096) as process:
            code, err = ended(process)
        assert code in {4, 5}, err
        assert "Traceback" not in err
        done = migrate(*words)
        assert done.returncode == 0, done.stderr
        assert summary(done)["events"]["accepted"] == 2_000
        assert sandbox.summary()["collapsed"]["events"] == 2_000


def test_a_workdir_that_cannot_be_made_is_told(tmp_path):
    """Where nothing can be written, the sentence says where and why."""
    source = rows(tmp_path / "in" / "a.jsonl")
    done = migrate("plan", "posthog", source, "--workdir", "/proc/nowhere")
    assert done.returncode == 4
    assert "error: /proc/nowhere: cannot be written or read, found" in done.stderr


def test_a_workdir_deleted_underneath_is_told(tmp_path):
    """The run ends with a sentence, not with a traceback."""
    source = rows(tmp_path / "in" / "a.jsonl", 4_000)
    migrate("plan", "posthog", source, "--workdir", tmp_path / "w")
    with Sandbox(faults=[{"fault": "latency", "seconds": 0.1}]) as sandbox:
        words = ["apply", tmp_path / "w", "--host", sandbox.url, "--rate", "1000", "--api-key", KEY]
        with started(*words) as process:
            while not sandbox.summary()["requests"]:
                assert process.poll() is None
            while (tmp_path / "w").exists():  # SQLite's journal may come and go meanwhile
                shutil.rmtree(tmp_path / "w", ignore_errors=True)
            code, err = ended(process)
    assert code in {4, 5}, err
    assert "Traceback" not in err


def test_two_processes_never_share_a_workdir(tmp_path):
    """The second is refused while the first works, and its work is not disturbed.

    The first is known to hold the lock once it sends, and keeps it until the second is through: nothing is accepted
    before, however long the second takes to start.
    """
    source, workdir = rows(tmp_path / "in" / "a.jsonl", 2_000), tmp_path / "w"
    with Sandbox(faults=[{"fault": "status", "status": 503, "retry_after": 0.1}]) as sandbox:
        words = ["run", "posthog", source, "--workdir", workdir, "--host", sandbox.url, "--api-key", KEY]
        with started(*words) as process:
            while not sandbox.summary()["requests"]:
                assert process.poll() is None
            second = migrate(*words)
            assert process.poll() is None
            sandbox.faults([])
            code, err = ended(process)
        assert code == 0, err
        assert sandbox.summary()["raw"]["events"] == 2_000
    assert second.returncode == 5
    assert "another migrate process is working in this workdir" in second.stderr


def test_a_source_replaced_while_it_is_planned_is_set_aside(tmp_path):
    """What was read is not passed off as what is there now."""
    source = rows(tmp_path / "in" / "a.jsonl", 200_000)
    other = rows(tmp_path / "other.jsonl", 200_000, start=5)
    with started("plan", "posthog", source, "--workdir", tmp_path / "w") as process:
        while not (tmp_path / "w" / "staging").exists():
            assert process.poll() is None
        os.replace(other, source)  # noqa: PTH105 - as cron jobs do
        code, err = ended(process)
    assert code == 5, err
    assert f"error: {source}: set aside: changed while it was being planned" in err


@pytest.mark.parametrize("name", ["../escape.jsonl", "/absolute.jsonl", "a/../../escape.jsonl"])
def test_archive_members_cannot_escape(tmp_path, name):
    """A member's name is only a name: nothing is written outside the workdir."""
    inner = rows(tmp_path / "a.jsonl").read_bytes()
    folder = tmp_path / "in"
    folder.mkdir()
    with zipfile.ZipFile(folder / "e.zip", "w") as archive:
        archive.writestr(name, inner)
    before = set(tmp_path.rglob("*"))
    done = migrate("plan", "posthog", folder / "e.zip", "--workdir", tmp_path / "w")
    assert done.returncode == 0, done.stderr
    workdir = tmp_path / "w"
    assert {path for path in tmp_path.rglob("*") if workdir not in [path, *path.parents]} == before


def test_how_it_is_sent_can_change_on_resume(tmp_path):
    """Rate, concurrency, sizes and patience are of a run, not of a workdir: the rest arrives, once in effect."""
    source = rows(tmp_path / "in" / "a.jsonl", 3_000)
    out_of_quota = {"fault": "status", "status": 402, "after": 4}
    with Sandbox(faults=[out_of_quota]) as sandbox:
        words = [
            "posthog",
            source,
            "--workdir",
            tmp_path / "w",
            "--host",
            sandbox.url,
            "--api-key",
            KEY,
            "--json",
        ]
        slow = ["--rate", "400", "--concurrency", "1", "--max-batch-events", "100", "--no-gzip"]
        first = migrate("run", *words, *slow, "--max-attempts", "3", "--deadline", "1m", "--timeout", "20s")
        assert first.returncode == 4, first.stderr
        assert 0 < summary(first)["events"]["accepted"] < 3_000
        before = sandbox.summary()["requests"]
        sandbox.faults([])
        fast = [
            "--rate",
            "100000",
            "--concurrency",
            "6",
            "--max-batch-events",
            "70",
            "--max-batch-bytes",
            "20000",
        ]
        second = migrate("run", *words, *fast, "--deadline", "2m", "--timeout", "30s")
        assert second.returncode == 0, second.stderr
        assert summary(second)["events"]["accepted"] == 3_000
        assert sandbox.summary()["collapsed"]["events"] == 3_000
        later = [request["events"] for request in sandbox.requests()][before:]
    assert max(later) <= 70
