"""The look over all files is kept of each file that was seen whole, and what cannot be seen is said by name."""

import shutil
from pathlib import Path
from threading import Event

import pytest
from crews import DIES, known, own, told
from samples import SAMPLES, settings

from migrate.people.store import People
from migrate.plan import gather
from migrate.plan.executors import Inline
from migrate.plan.gather import Gatherer, has_news
from migrate.plan.interrupted import Interrupted


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
