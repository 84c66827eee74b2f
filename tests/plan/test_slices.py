"""A large file that is planned in slices is the same plan, whoever plans them, and whoever of them dies."""

import json
from dataclasses import replace
from threading import Event
from uuid import UUID

import polars as pl
import pytest
from crews import Planned
from samples import EVERY, settings
from sliced import CASES, compare, file_of, telling

from migrate.plan.bundles import Bundle
from migrate.plan.changed import look
from migrate.plan.choosing import MANY, chosen
from migrate.plan.executors import Inline
from migrate.plan.processes import Processes
from migrate.plan.slices import SLICE_BYTES, Slicing
from migrate.plan.units import Unit
from migrate.stores import reading, waiting
from migrate.stores.tallies import BLOCK

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


def test_of_thousands_at_one_timestamp_the_same_are_sent_in_the_same_order(tmp_path):
    """Each uuid as the first file tells it, however late there and early in the second, in slices or not."""
    row = '{{"event":"e","distinct_id":"u","timestamp":"2024-04-01","uuid":"{}","properties":{{"told":"{}"}}}}\n'
    uuids = [str(UUID(int=number, version=4)) for number in range(12_000)]
    folder = tmp_path / "in"
    folder.mkdir()
    for name, numbers in (("a", range(6_000)), ("b", range(5_990, 12_000))):
        (folder / f"{name}.jsonl").write_text("".join(row.format(uuids[number], name) for number in numbers))
    work = settings("posthog").work([str(folder)])
    one = Planned(tmp_path / "one", work, Inline())
    compare(one, Planned(tmp_path / "threads", work, Inline(2, slice_bytes=200_000)))
    (payloads,) = one.payloads.values()
    sent = [json.loads(payload) for payload in payloads]
    assert [event["uuid"] for event in sent] == uuids
    assert [event["properties"]["told"] for event in sent] == 6_000 * ["a"] + 6_000 * ["b"]


def rows_of(folder, name, count, bad=()):
    """A file of PostHog's events, some of which are none."""
    path = folder / name
    row = '{{"event":"e","distinct_id":"u{0}","timestamp":"2024-04-{1:02}T10:00:00Z","uuid":"{0}"}}\n'
    path.write_text("".join("oops\n" if n in bad else row.format(n, n % 3 + 1) for n in range(count)))
    return path


def whole(job):
    """The unit of a file."""
    return Unit(Bundle([job]), {job.source.name: None})


def units(folder, *sizes):
    """A unit of each of so many files, said to be so large."""
    (folder / "in").mkdir()
    for number, _ in enumerate(sizes):
        rows_of(folder / "in", f"{number}.jsonl", 10)
    jobs = settings("posthog").work([str(folder / "in")]).jobs
    return [
        whole(replace(job, source=replace(job.source, size=size)))
        for job, size in zip(jobs, sizes, strict=True)
    ]


def test_a_file_is_cut_that_keeps_a_worker_busy_longer_than_others(tmp_path):
    """Not one of many, nor a small one; nor any where there is one worker, or identical rows are told apart."""
    given = units(tmp_path, SLICE_BYTES, 8 * SLICE_BYTES, 0)
    assert Slicing(given, 2, SLICE_BYTES).count == 1 + 8 + 1
    assert Slicing(given, 1, SLICE_BYTES).count == Slicing(given, 2, None).count == 3
    assert Slicing([*given[1:2] * 8], 2, SLICE_BYTES).count == 8
    assert Slicing([*given[1:2] * 8], 16, SLICE_BYTES).count == 64
    job = replace(given[1].bundle.job, table=replace(given[1].bundle.job.table, ordinals=True))
    assert Slicing([Unit(Bundle([job]), given[1].known)], 2, SLICE_BYTES).count == 1
    assert [one.slice for one in Slicing(given[:1], 2, SLICE_BYTES).units()] == [None]
    assert chosen(given, workers=MANY) == Processes(MANY)


def test_row_groups_are_slices(tmp_path, s3):
    """One that is damaged ends its file, or object, which is planned whole then, as far as it can be read."""
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
        s3.put("a.parquet", path.read_bytes())
        work = settings("posthog").work([s3.url])
        far = Planned(folder / "far", work, Inline(2, slice_bytes=2_000))
        assert (far.payloads, len(far.parts), len(far.warnings)) == (
            two.payloads,
            len(two.parts),
            len(two.warnings),
        )
        assert not [*(folder / "two" / "staging").iterdir()]
        data = bytearray(path.read_bytes())
        data[len(data) // 2 : len(data) // 2 + 200] = bytes(200)
        path.write_bytes(data)


def objects(folder):
    """Large objects of events of Segment's, one of each format that is cut, by their keys; no two are at one time."""
    path = telling(folder, "segment")
    rows = pl.read_parquet(path).with_columns(filler=pl.format("{}-{}", pl.lit("x" * 300), "id"))
    rows.write_parquet(path, row_group_size=100, compression="uncompressed", statistics=False)
    time = pl.col("timestamp").dt
    csv = rows.with_columns(time.offset_by("1s"), id="c" + pl.col("id")).write_csv() + "oops\n"
    text = time.offset_by("2s").dt.to_string("iso")
    jsonl = rows.with_columns(text, id="j" + pl.col("id")).write_ndjson() + '{"oops": \n[]}\n'
    return {
        "a/tracks.parquet": path.read_bytes(),
        "b/tracks.csv": csv.encode(),
        "c/tracks.jsonl": jsonl.encode(),
    }


def changed(data, key):
    """Other rows in as many bytes; those of Parquet below the same footer."""
    found = data.replace(b"d-300", b"e-300")
    if key.endswith("parquet"):
        assert found[-8:] == data[-8:]
        size = int.from_bytes(data[-8:-4], "little")
        assert found[-8 - size :] == data[-8 - size :]
    return found


def test_large_objects_are_planned_in_slices(tmp_path, s3):
    """As one process plans each at once; and the next night they are known by what was read, cut or not."""
    given = objects(tmp_path / "in")
    for key, data in given.items():
        s3.put(key, data)
    work = settings("segment").work([s3.url])
    one = Planned(tmp_path / "one", work, Inline())
    two = Planned(tmp_path / "two", work, Processes(2, slice_bytes=250_000))
    compare(one, two)
    assert len(one.rejects.splitlines()) == 2
    assert two.people["merged"]
    cut = {int(name.rpartition("/")[2].split("-")[0]) for name in {*two.parts} - {*one.parts}}
    assert cut == {two.inputs[f"{s3.url}{key}"].id for key in given}
    for key, data in given.items():
        s3.put_in_parts(key, data)
    found = look(two.inputs, settings("segment").work([s3.url]).jobs, None)
    assert [*found.looked] == [f"{s3.url}{key}" for key in given]
    assert not found.replan
    for key, data in given.items():
        s3.put(key, changed(data, key))
    found = look(two.inputs, settings("segment").work([s3.url]).jobs, None)
    assert found.replan == [*found.looked] == [f"{s3.url}{key}" for key in given]


def test_an_object_that_changes_while_it_is_planned_in_slices_is_set_aside(tmp_path, s3, monkeypatch):
    """Or goes; nothing of it is planned."""
    monkeypatch.setattr(reading, "_KEPT", 0)
    for key, data in objects(tmp_path / "in").items():
        s3.put(key, data)
        work, folder = settings("segment").work([f"{s3.url}{key}"]), tmp_path / key[0]
        assert Slicing([whole(*work.jobs)], 2, 250_000).count > 1
        change = s3.delete if key.startswith("b") else lambda key: s3.put(key, b"another")
        found = Planned(
            folder,
            work,
            Inline(2, slice_bytes=250_000),
            then={"file_begun": lambda key=key, change=change: change(key)},
        )
        (why,) = found.aside.values()
        assert ("is not there" if key.startswith("b") else "was replaced by another object") in why
        assert not found.inputs[f"{s3.url}{key}"].planned
        assert found.numbers.read == 0
        assert not [*(folder / "staging").glob("*/*")]


def test_the_text_of_an_object_is_read_once_to_cut_it(tmp_path, s3, s3_between, monkeypatch):
    """And once by those who plan the slices, but for the blocks in which two meet; not where work is to stop."""
    monkeypatch.setattr(reading, "_KEPT", 1)
    data = b"".join([rows_of(tmp_path, "a.jsonl", 1_000).read_bytes()] * 40)
    s3.put("a.jsonl", data)
    unit = whole(*settings("posthog").work([s3.url]).jobs)
    s3_between.sent = 0
    units = [*Slicing([unit], 2, 600_000).units()]
    assert len(data) <= s3_between.sent <= len(data) + BLOCK
    assert len(units) > 4
    slicing = Slicing([unit], 2, 600_000, stopping=(stopping := Event()))
    assert slicing.count > 4
    waiting.end()  # no answer is waited for any more
    with pytest.raises(KeyboardInterrupt):
        next(slicing.units())
    stopping.set()
    assert [*slicing.units()] == []
    waiting.begin()
    s3_between.sent, found = 0, []
    for unit in units:
        with unit.bundle.job.source.open() as stream:
            found += iter(lambda stream=stream: stream.read(1 << 20), b"")
    assert b"".join(found) == data
    assert s3_between.sent <= len(data) + BLOCK * len(units)
