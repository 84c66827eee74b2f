"""What every platform plans with can be handed to another process."""

import pytest
from samples import PLATFORMS, SAMPLES, settings

from migrate.handed import Looking, Making
from migrate.people.store import People
from migrate.plan.handing import packed, unpacked


@pytest.mark.parametrize("platform", PLATFORMS)
def test_what_every_platform_plans_with_can_be_handed_on(tmp_path, platform):
    """Its rows become the same elsewhere, and tables that files have in common still are."""
    work = settings(platform).work([str(SAMPLES / platform)])
    with People(tmp_path / "people.sqlite") as people:
        making = Making(work.settings, people)
        tables = list({id(job.table): job.table for job in work.jobs}.values())
        other, looking, their = unpacked(packed((making, Looking(work.settings), tables)))
        jobs = unpacked(packed(work.jobs, tables), their)
        for job, its in zip(work.jobs, jobs, strict=True):
            assert its.table is their[tables.index(job.table)]
            assert other(its).imprint == making(job).imprint
            assert (looking(its).table, looking(its).file) == (its.table, job.source.stem)
        assert not isinstance(other.people, People)  # nothing is written through what looks things up
        other.people.close()
