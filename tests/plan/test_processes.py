"""Several processes plan what one does, whoever of them dies; and none is left behind."""

import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from threading import Lock

import polars as pl
import pytest
from owned import MAPPING
from samples import EVERY, PLATFORMS, SAMPLES, settings

from migrate.errors import Refused, UsageError
from migrate.handed import Making
from migrate.own import Own
from migrate.people.store import People
from migrate.plan import worker
from migrate.plan.executors import Inline
from migrate.plan.handing import packed, unpacked
from migrate.plan.processes import Processes
from migrate.planning import Planning
from migrate.session import Session
from migrate.settings import Settings
from migrate.workdir import samples
from migrate.workdir.checkpoint import Checkpoint

ROW = '{{"id":"{0}","what":"seen","who":"{0}","at":"2024-04-03T10:00:00Z"}}\n'
TOUCHED = MAPPING.replace('event=pl.col("what")', 'event=pl.col("what").map_elements(touched, pl.String)')
TOUCHED = TOUCHED.replace("\n\ndef to_events", "\n\n{}\n\n\ndef to_events", 1)
DIES = """
import os
import sys


def touched(text):
    print(f"touched {text}")
    if text == "dies" and sys.argv[0] == "-c":  # in a worker
        os._exit(7)
    return text
"""
RAISES = """
import sys
import threading


def touched(text):
    is_planned = sys.argv[0] == "-c" or threading.current_thread() is not threading.main_thread()
    return {"seen": text}[text] if is_planned else text
"""
WAITS = """
import os
import sys
import threading


def touched(text):
    if sys.argv[0] == "-c":  # in a worker
        os.write(os.open({!r}, os.O_WRONLY), b"x")  # open until the process ends
        threading.Event().wait()
    return text
"""


class Planned:
    """A plan by an executor; with `kills`, of those workers that are there when so many files were begun."""

    def __init__(self, workdir, work, executor, *, kills=(), stops=False, is_many=True):
        self.workers, self.events, self._left = [], [], list(kills)
        self._begun, self._stops = 0, stops
        self._is_many = isinstance(executor, Processes) and is_many
        workdir.mkdir()
        with Checkpoint.open(workdir, create=True) as checkpoint:
            self.session = Session(checkpoint, executor=lambda _: executor, on_log=self._hear)
            Planning.of(self.session, work, None).plan()
            self.numbers = checkpoint.numbers()
            self.aside = {name.rpartition("/")[2]: one.why for name, one in checkpoint.set_aside().items()}
            self.parts = {
                path: pl.read_parquet(workdir / path).rows() for path in sorted(checkpoint.part_paths())
            }
            self.looks = sorted(checkpoint.query("SELECT * FROM looks").fetchall(), key=str)
        rejects = workdir / "rejects.jsonl"
        self.rejects = rejects.read_text() if rejects.exists() else ""
        self.samples = samples.kept(workdir, 10**6)

    def _hear(self, record):
        self.events.append(record.event)
        if self._is_many:
            assert record.event != "planned_inline", record.text
        if record.event == "worker_begun":
            self.workers.append(record.fields["worker"])
        if record.event == "file_begun":
            self._begun += 1
            if self._stops:
                self.session.stop()
            if self._begun in self._left:
                self._left.remove(self._begun)
                for number in self.workers:
                    with suppress(ProcessLookupError):
                        os.kill(number, signal.SIGKILL)


def alive(planned):
    """Which of its workers there still are."""
    found = []
    for number in planned.workers:
        with suppress(ProcessLookupError):
            os.kill(number, 0)
            found.append(number)
    return found


@pytest.mark.parametrize("platform", PLATFORMS if EVERY else ["mixpanel", "segment", "table"])
def test_they_plan_what_one_process_plans_though_they_are_killed(tmp_path, platform):
    """Bytes, numbers, rejects, looks and samples are the same."""
    work = settings(platform).work([str(SAMPLES / platform)])
    one = Planned(tmp_path / "one", work, Inline())
    four = Planned(tmp_path / "four", work, Processes(4 if EVERY else 2), kills=(1, 3))
    assert one.parts
    assert "worker_lost" in four.events
    for name in ("parts", "numbers", "rejects", "looks", "samples", "aside"):
        assert getattr(one, name) == getattr(four, name), name
    assert not alive(four)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_what_every_platform_plans_with_can_be_handed_on(tmp_path, platform):
    """Its rows become the same elsewhere, and tables that files have in common still are."""
    work = settings(platform).work([str(SAMPLES / platform)])
    with People(tmp_path / "people.sqlite") as people:
        making = Making(work.settings, people)
        tables = list({id(job.table): job.table for job in work.jobs}.values())
        other, their = unpacked(packed((making, tables)))
        jobs = unpacked(packed(work.jobs, tables), their)
        for job, its in zip(work.jobs, jobs, strict=True):
            assert its.table is their[tables.index(job.table)]
            assert other(its).imprint == making(job).imprint
        with pytest.raises(Exception, match="readonly"):
            other.people.which()
        other.people.close()


def own(folder, touched, *rows):
    """A mapping of one's own that looks at each event's name, and what there is to plan with it, a row a file."""
    folder.mkdir(exist_ok=True)
    path = folder / "acme.py"
    path.write_text(TOUCHED.replace("{}", touched, 1))
    (folder / "in").mkdir()
    for number, what in enumerate(rows):
        (folder / "in" / f"{number}.jsonl").write_text(ROW.format(number).replace("seen", what))
    return Settings(platform="acme", own=Own(path)).work([str(folder / "in")])


def test_a_file_that_kills_whoever_plans_it_is_set_aside_by_name(tmp_path, capsys):
    """Those that were planned with it are planned; what a mapping prints comes to the first process."""
    found = Planned(tmp_path / "w", own(tmp_path, DIES, "seen", "dies", "seen"), Processes(1, tries=1))
    assert list(found.aside) == ["1.jsonl"]
    assert "died, the last by exit code 7" in found.aside["1.jsonl"]
    assert (found.numbers.read, found.numbers.mapped) == (2, 2)
    assert "touched dies\n" in capsys.readouterr().err


def test_what_a_mapping_raises_is_said_as_by_one_process(tmp_path):
    """With its file, the line there, and the row."""
    said = []
    for name, executor in (("one", Inline()), ("two", Processes(1))):
        work = own(tmp_path / name, RAISES, "seen", "other")
        with pytest.raises(UsageError) as error:
            Planned(tmp_path / name / "w", work, executor)
        said.append(str(error.value).replace(f"{tmp_path / name}", ""))
    assert said[0] == said[1]
    assert "acme.py:" in said[0]


def test_a_mapping_that_was_changed_meanwhile_plans_nothing(tmp_path):
    """Half of the rows would become something else."""
    work = own(tmp_path, RAISES, "seen")
    with People(tmp_path / "people.sqlite") as people:
        data = packed(Making(work.settings, people))
        unpacked(data).people.close()
        work.settings.own.path.write_text(TOUCHED.replace("{}", DIES, 1))
        with pytest.raises(Refused, match="changed while files were planned"):
            unpacked(data)


def test_a_worker_of_another_version_is_refused(tmp_path, monkeypatch):
    """It may have been installed since the command began."""
    monkeypatch.setattr(worker, "VERSION", "0.0.9")
    work = settings("posthog").work([str(SAMPLES / "posthog")])
    with pytest.raises(Refused, match=r"migrate .* where 0\.0\.9 began"):
        Planned(tmp_path / "w", work, Processes(1))


def test_a_mapping_that_cannot_be_handed_on_is_planned_here(tmp_path):
    """It holds a lock, say."""
    work = own(tmp_path, DIES, "seen", "seen")
    lock = Lock()
    table = replace(work.jobs[0].table, missing=lambda _: lock and None)
    work.jobs[:] = [replace(job, table=table) for job in work.jobs]
    found = Planned(tmp_path / "w", work, Processes(2), is_many=False)
    assert "planned_inline" in found.events
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
