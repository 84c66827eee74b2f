"""A large file that is planned in slices is the same plan, whoever plans them, and whoever of them dies."""

from dataclasses import replace

import polars as pl
import pytest
from crews import Planned
from samples import EVERY, settings
from sliced import CASES, compare, file_of

from migrate.plan.bundles import Bundle
from migrate.plan.choosing import MANY, chosen
from migrate.plan.executors import Inline
from migrate.plan.processes import Processes
from migrate.plan.slices import SLICE_BYTES, Slicing
from migrate.plan.units import Unit

TRIED = list(CASES) if EVERY else ["ga4", "mparticle", "segment"]


@pytest.mark.parametrize("platform", TRIED)
def test_a_plan_in_slices_is_the_same(tmp_path, platform):
    """Payloads in their order, numbers, rejects and what was seen; in threads, and in processes that are killed."""
    path = file_of(tmp_path, platform)
    size = path.stat().st_size // 6
    work = settings(platform).work([str(path)])
    one = Planned(tmp_path / "one", work, Inline())
    assert one.numbers.rejected
    threads = Planned(tmp_path / "threads", work, Inline(2, slice_bytes=size))
    compare(one, threads)
    assert len(threads.parts) > len(one.parts)
    if platform == "ga4":
        compare(one, Planned(tmp_path / "two", work, Processes(2, slice_bytes=size), kills=(1,)))


def rows_of(folder, name, count, bad=()):
    """A file of PostHog's events, some of which are none."""
    path = folder / name
    row = '{{"event":"e","distinct_id":"u{0}","timestamp":"2024-04-{1:02}T10:00:00Z","uuid":"{0}"}}\n'
    path.write_text("".join("oops\n" if n in bad else row.format(n, n % 3 + 1) for n in range(count)))
    return path


def units(folder, *sizes):
    """A unit of each of so many files, said to be so large."""
    (folder / "in").mkdir()
    for number, _ in enumerate(sizes):
        rows_of(folder / "in", f"{number}.jsonl", 10)
    jobs = settings("posthog").work([str(folder / "in")]).jobs
    return [
        Unit(Bundle([replace(job, source=replace(job.source, size=size))]), {job.source.name: None})
        for job, size in zip(jobs, sizes, strict=True)
    ]


def test_a_file_is_cut_that_keeps_a_worker_busy_longer_than_others(tmp_path):
    """Not one of many, nor a small one; nor any where there is one worker, or identical rows are told apart."""
    whole = units(tmp_path, SLICE_BYTES, 8 * SLICE_BYTES, 0)
    assert Slicing(whole, 2, SLICE_BYTES).count == 1 + 8 + 1
    assert Slicing(whole, 1, SLICE_BYTES).count == Slicing(whole, 2, None).count == 3
    assert Slicing([*whole[1:2] * 8], 2, SLICE_BYTES).count == 8
    assert Slicing([*whole[1:2] * 8], 16, SLICE_BYTES).count == 64
    job = replace(whole[1].bundle.job, table=replace(whole[1].bundle.job.table, ordinals=True))
    assert Slicing([Unit(Bundle([job]), whole[1].known)], 2, SLICE_BYTES).count == 1
    assert [one.slice for one in Slicing(whole[:1], 2, SLICE_BYTES).units()] == [None]
    assert chosen(whole, workers=MANY) == Processes(MANY)


def test_row_groups_are_slices(tmp_path):
    """One that is damaged ends its file, which is planned whole then, as far as it can be read."""
    found = pl.read_ndjson(rows_of(tmp_path, "a.jsonl", 400)).with_columns(
        filler=pl.int_range(pl.len()).hash()
    )
    path = tmp_path / "a.parquet"
    found.write_parquet(path, row_group_size=50, compression="uncompressed", statistics=False)
    for name in ("sound", "torn"):
        folder = tmp_path / name
        folder.mkdir()
        work = settings("posthog").work([str(path)])
        one = Planned(folder / "one", work, Inline())
        two = Planned(folder / "two", work, Inline(2, slice_bytes=2_000))
        compare(one, two)
        assert bool(one.warnings) == (name == "torn")
        assert (len(two.parts) > len(one.parts)) == (name == "sound")
        assert not [*(folder / "two" / "staging").iterdir()]
        data = bytearray(path.read_bytes())
        data[len(data) // 2 : len(data) // 2 + 200] = bytes(200)
        path.write_bytes(data)
