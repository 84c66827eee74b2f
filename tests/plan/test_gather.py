"""The look over all files is kept of each file that was seen whole, and what cannot be seen is said by name."""

import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest
from crews import DIES, known, own, told
from samples import SAMPLES, settings
from sliced import tear, telling

from migrate.handed import Looking
from migrate.people.store import People
from migrate.plan import gather
from migrate.plan.executors import Inline
from migrate.plan.gather import Gatherer, has_news
from migrate.plan.interrupted import Interrupted
from migrate.plan.processes import Processes
from migrate.plan.progress import Counting


def gatherer(work, people, workdir, **more):
    """What looks over a folder of samples."""
    return Gatherer(people=people, harvest=work.settings.harvest, workdir=workdir, **more)


def test_a_table_that_tells_nothing_is_not_looked_over(tmp_path):
    """Nor is one that only links ids where ids are not to be linked."""
    jobs = own(tmp_path, DIES, "seen").jobs
    assert not has_news(jobs[0].table, identity=True)
    linking = settings("segment").work([str(SAMPLES / "segment")]).jobs
    told = [(has_news(job.table, identity=True), has_news(job.table, identity=False)) for job in linking]
    assert (True, False) in told


@pytest.mark.parametrize("platform", ["amplitude", "mixpanel", "segment"])
def test_the_store_says_the_same_however_it_was_filled(tmp_path, platform, monkeypatch):
    """By threads in any order, put in their places all at once, or one by one; and nothing is left beside it."""
    work, found = settings(platform).work([str(SAMPLES / platform)]), []
    for held, workers in ((1 << 30, 4), (0, 1)):
        monkeypatch.setattr(gather, "_HELD", held)
        with People() as people:
            one = gatherer(work, people, tmp_path / str(workers), executor=lambda _, n=workers: Inline(n))
            one.gather(todo := one.todo(work.jobs), known(work.jobs))
            assert sorted(people.gathered()) == sorted(job.source.name for job in todo)
            assert one.todo(work.jobs) == []
            found.append(told(people))
        assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert found[0] == found[1]
    assert found[0]["links"]


def test_a_file_is_what_it_was_found_to_be_as_long_as_nobody_writes_it(tmp_path):
    """Then its text is looked through once more, by who plans it."""
    path = tmp_path / "in" / "a.csv"
    path.parent.mkdir()
    path.write_bytes((SAMPLES / "segment" / "warehouse" / "tracks.csv").read_bytes())
    work = settings("segment").work([str(path.parent)])
    (job,) = (replace(job, header=replace(job.header, is_unsettled=True)) for job in work.jobs)
    with People() as people:
        one = gatherer(work, people, tmp_path / "w")
        one.gather([job], known([job]))
    assert not one.settled(job).header.is_unsettled
    path.write_bytes(path.read_bytes() + b"\xfc")
    assert one.settled(job).header.is_unsettled
    path.unlink()
    assert one.settled(job).header.is_unsettled


def test_what_was_looked_over_before_it_is_stopped_is_kept(tmp_path):
    """The rest is looked over by the same command, given again."""
    work, stopping = settings("segment").work([str(SAMPLES / "segment")]), Event()
    with People() as people:
        one = gatherer(work, people, tmp_path, executor=lambda _: Inline(1), stopping=stopping)
        one.on_file = lambda *_: stopping.set()
        with pytest.raises(Interrupted):
            one.gather(one.todo(work.jobs), known(work.jobs))
        assert people.gathered()
        assert people.held == 0


def test_what_cannot_be_looked_over_is_told(tmp_path):
    """It would be planned as if nothing were known of its people; the others are looked over."""
    folder, unfit = tmp_path / "in", []
    shutil.copytree(SAMPLES / "segment", folder)
    work = settings("segment").work([str(folder)])
    with People() as people:
        one = gatherer(work, people, tmp_path / "w", on_unfit=unfit.append)
        gone, *others = one.todo(work.jobs)
        Path(gone.source.name).unlink()
        one.gather([gone, *others], known(work.jobs))
        assert [error.name for error in unfit] == [gone.source.name]
        assert sorted(people.gathered()) == sorted(job.source.name for job in others)


@pytest.fixture(scope="module")
def crew():
    """Two processes, which are kept."""
    with Processes(2) as found:
        yield found


@pytest.mark.parametrize("platform", ["amplitude", "mixpanel", "segment", "torn"])
def test_a_large_file_is_looked_over_in_slices(tmp_path, crew, platform):
    """A worker is killed: the same is known of people, and counted; a file that is torn is looked over whole then."""
    path = telling(tmp_path / "in", "segment" if platform == "torn" else platform)
    if platform == "torn":
        tear(path)
    work = settings("segment" if platform == "torn" else platform).work([str(path)])
    crew.slice_bytes = path.stat().st_size // 6
    units, lost, found = set(), set(), []

    def read(rows, unit, size):
        counting.note_rows(rows, unit, size)
        if platform == "amplitude" and logs and not units:
            os.kill(logs[0].fields["worker"], signal.SIGKILL)
        units.update([unit] if isinstance(unit, tuple) else [])

    for executor in (Inline(), crew):
        said, logs = [], []
        counting = Counting(work.jobs, said.append)
        with People() as people:
            one = gatherer(work, people, tmp_path / "w", executor=lambda _, one=executor: one)
            one.harvest, one.on_rows, one.on_file = Looking(work.settings), read, counting.note_file
            one.on_lost = lambda unit, counting=counting: (lost.add(unit), counting.forget(unit))
            one.on_log = logs.append
            one.gather(one.todo(work.jobs), known(work.jobs))
            found.append((told(people), said[-1], logs[-1].fields | {"seconds": None}))
        assert not [one for one in (tmp_path / "w").rglob("*") if one.is_file()]
    assert found[0] == found[1]
    assert found[0][0]["links"]
    assert len(units) > 4
    assert lost >= (units if platform == "torn" else set())


def test_nothing_is_known_of_a_file_that_changes_between_slices(tmp_path):
    """It is said, and not planned as if it had nothing to tell."""
    path, unfit = telling(tmp_path / "in", "amplitude"), []
    work = settings("amplitude").work([str(path)])
    with People() as people:
        one = gatherer(work, people, tmp_path / "w", on_unfit=unfit.append)
        one.executor = lambda _: Inline(2, slice_bytes=path.stat().st_size // 6)
        one.on_rows = lambda *_: os.utime(path, (1, 1))
        one.gather(one.todo(work.jobs), known(work.jobs))
        assert {(error.name, error.reason) for error in unfit} == {(str(path), "changed")}
        assert not any(told(people).values())
    assert not [one for one in (tmp_path / "w").rglob("*") if one.is_file()]
