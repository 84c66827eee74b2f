"""Several processes plan what one does, whoever of them dies; and none is left behind."""

import os
import select
import signal
import subprocess
import sys
from dataclasses import replace
from threading import Lock

import pytest
from crews import DIES, DIES_ONCE, LINKED, WAITS, Planned, alive, own
from samples import EVERY, PLATFORMS, SAMPLES, settings

from migrate.plan.executors import Inline
from migrate.plan.processes import Processes


@pytest.mark.parametrize("platform", PLATFORMS if EVERY else ["segment"])
def test_they_plan_what_one_process_plans_though_they_are_killed(tmp_path, platform):
    """While they look over files, and plan them: bytes, numbers, rejects, looks, samples and people are the same."""
    work = settings(platform).work([str(SAMPLES / platform)])
    one = Planned(tmp_path / "one", work, Inline())
    four = Planned(
        tmp_path / "four",
        work,
        Processes(4 if EVERY else 2, tries=9),
        kills=(1, 3) if EVERY else (1,),
        kills_first=True,
    )
    assert one.parts
    assert "warning" in four.events
    for name in ("parts", "numbers", "rejects", "looks", "samples", "aside", "people"):
        assert getattr(one, name) == getattr(four, name), name
    assert not alive(four)


def test_a_file_that_kills_whoever_plans_it_is_set_aside_by_name(tmp_path, capsys):
    """Those that were planned with it are planned; what a mapping prints comes to the first process."""
    found = Planned(tmp_path / "w", own(tmp_path, DIES, "seen", "dies", "seen"), Processes(1, tries=1))
    assert list(found.aside) == ["1.jsonl"]
    assert "died, the last by exit code 7" in found.aside["1.jsonl"]
    assert (found.numbers.read, found.numbers.mapped) == (2, 2)
    assert "touched dies\n" in capsys.readouterr().err


def test_the_last_try_of_a_file_comes_when_all_else_is_done(tmp_path):
    """What it died of may have been others; it is planned, though it had one try left."""
    work = own(tmp_path, DIES_ONCE.format(str(tmp_path / "died")), "dies", "seen")
    for job in work.jobs:
        with job.source.path.open("a") as file:
            file.write("\n" * 600_000)  # too large to be planned with others
    found = Planned(tmp_path / "w", work.settings.work([str(tmp_path / "in")]), Processes(1, tries=2))
    assert found.order == ["1.jsonl", "0.jsonl"]


def test_a_file_that_kills_whoever_looks_over_it_is_not_planned(tmp_path):
    """Its events would go out under ids of which nothing is known; what was looked over with it is planned."""
    work = own(tmp_path, DIES, "seen", "dies", "seen", text=LINKED)
    found = Planned(tmp_path / "w", work, Processes(1, tries=1))
    assert list(found.aside) == ["1.jsonl"]
    assert (found.numbers.read, found.numbers.mapped) == (2, 2)
    assert [name.rpartition("/")[2] for _, name, _ in found.people["gathered"]] == ["0.jsonl", "2.jsonl"]


def test_a_mapping_that_cannot_be_handed_on_is_planned_here(tmp_path):
    """It holds a lock, say."""
    work = own(tmp_path, DIES, "seen", "seen")
    lock = Lock()
    table = replace(work.jobs[0].table, missing=lambda _: lock and None)
    work.jobs[:] = [replace(job, table=table) for job in work.jobs]
    found = Planned(tmp_path / "w", work, Processes(2), is_many=False)
    assert "note" in found.events
    assert found.numbers.mapped == 2


def test_they_stop_when_work_is_to_stop(tmp_path):
    """Nothing of what was under way is planned, and nobody is left."""
    work = settings("posthog").work([str(SAMPLES / "posthog")])
    found = Planned(tmp_path / "w", work, Processes(1), stops=True)
    assert found.workers
    assert not alive(found)
    assert found.numbers.read <= len(work.jobs[0].header.columns) * 10**6


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_no_worker_outlives_its_coordinator(tmp_path, number):
    """Killed, or interrupted as a terminal does it, with all of its process group, while a mapping does not answer."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    own(tmp_path, WAITS.format(str(pipe)), "seen")
    words = ["plan", tmp_path / "acme.py", tmp_path / "in", "--executor", "processes", "--workers", "1"]
    with subprocess.Popen(
        [sys.executable, "-m", "migrate", *words, "--workdir", tmp_path / "w"],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        reader = os.open(pipe, os.O_RDONLY)
        assert os.read(reader, 1) == b"x"
        os.killpg(process.pid, number)
        assert select.select([reader], [], [], 60)[0]
        assert os.read(reader, 1) == b""
        os.close(reader)
        process.communicate()
    assert process.returncode == (130 if number == signal.SIGINT else -number)
