"""A plan that cannot fit is told before the disk is full; one that fits is never refused."""

import gzip
import json
import os
import random
import uuid
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.errors import Stopped
from migrate.inputs.listing import sources
from migrate.inputs.streams import Meter
from migrate.planning import Planning
from migrate.session import Session
from migrate.settings import Settings
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.room import ENOUGH, STEP, Measured, Room, free_bytes

pytestmark = pytest.mark.crash

MB = 1_000_000


def room(total, free, *, before=None, enough=0, folder="/w"):
    """What holds these bytes to read against so many free ones."""
    return Room(folder, total, before or {}, free=lambda _: free, enough=enough)


def test_what_cannot_fit_is_told_with_what_is_needed_and_free():
    """The sentence has where, how much, how it was measured, and what to do."""
    held = room({"events": 100 * MB}, 20 * MB)
    held.begin(1, "events", 10 * MB)
    held.finish(1, 5 * MB)
    with pytest.raises(Stopped) as raised:
        held.check()
    assert str(raised.value) == (
        "/w: what is still to be planned needs about 45.0 MB, and 20.0 MB are free there (measured: 5.0 MB written of "
        "10.0 MB read, 90.0 MB to read); make room, or plan fewer inputs, or all of them in another --workdir; with "
        "room, run the same command again to resume"
    )


def test_what_earlier_commands_measured_is_told_before_anything_is_planned():
    """A command that is tried again, or the next night's, stops at its start."""
    with pytest.raises(Stopped, match=r"needs about 100\.0 MB"):
        room({"events": 100 * MB}, 20 * MB, before={"events": Measured(MB, MB)})


def refusal(held):
    """Why a plan is refused, None where it is not."""
    try:
        held.check()
    except Stopped as stopped:
        return str(stopped)
    return None


def test_nothing_is_refused_on_a_guess():
    """Not before enough is written; nor for files of a kind not measured, set aside, or begun a moment ago."""
    for total, free, written, enough in [
        ({"events": 10**15}, 0, ENOUGH - 1, ENOUGH),
        ({"events": MB, "others": 10**15}, 0, MB, 0),
        ({"events": 10**15}, None, MB, 0),
    ]:
        held = room(total, free, enough=enough)
        held.begin(1, "events", MB)
        held.finish(1, written)
        assert refusal(held) is None
    held = room({"events": 10**9 + 2 * MB}, 0)
    for number, size in enumerate([MB, MB, 10**9]):
        held.begin(number, "events", size)
    held.finish(0, MB)
    held.finish(2)
    assert refusal(held) is None
    held = room({"events": 10**9}, 0)
    held.begin(1, "events", MB)
    held.finish(1, MB)
    assert "needs about" in refusal(held)  # as soon as there is more than a guess


def test_free_bytes_of_a_folder_that_is_gone_are_not_known(tmp_path):
    """Nobody is stopped by it."""
    assert free_bytes(tmp_path) > 0
    assert free_bytes(tmp_path / "gone") is None


@given(
    whole=st.integers(MB, 10**13),
    ratio=st.floats(0.01, 20),
    disk=st.floats(0.05, 3),
    steps=st.integers(20, 200),
)
def test_of_sources_that_are_alike_all_fits_or_the_disk_is_never_full(whole, ratio, disk, steps):
    """Whatever the sizes: what fits is planned, what does not is told before the last free byte is written."""
    need = whole * ratio
    free = capacity = need * disk
    held = Room("/w", {"events": whole}, {}, free=lambda _: free, enough=0)
    held.begin(1, "events", whole)
    is_near = need - capacity <= ratio * STEP + 2 * need / steps
    for step in range(1, steps + 1):
        written = need * step / steps
        free = capacity - written
        if disk >= 1.001:
            held.note(1, int(whole * step / steps), int(written))
            continue
        try:
            held.note(1, int(whole * step / steps), int(written))
        except Stopped:
            return
        assert free > 0 or is_near  # what is missing is less than what is written between two looks
    assert is_near


def lines(count, start=0, size=100):
    """Events of PostHog's own that do not compress well."""
    dice = random.Random(start)
    for n in range(start, start + count):
        row = {
            "event": f"e{n % 7}",
            "distinct_id": f"u{n % 1000}",
            "timestamp": f"2024-01-{1 + n % 2:02}T00:00:00Z",
            "uuid": str(uuid.UUID(int=dice.getrandbits(128), version=4)),
            "properties": {"text": dice.randbytes(size).hex()},
        }
        yield json.dumps(row) + "\n"


def many(folder, pack):
    """Eight files, each large enough to be planned by itself."""
    for number in range(8):
        pack(folder / f"part-{number:02}", "".join(lines(2_200, number * 2_200)).encode())


def as_lines(path, data):
    path.with_suffix(".jsonl").write_bytes(data)


def as_gzip(path, data):
    path.with_suffix(".jsonl.gz").write_bytes(gzip.compress(data, 0))


def as_zip(path, data):
    with zipfile.ZipFile(path.parent / "all.zip", "a") as archive:
        archive.writestr(path.with_suffix(".jsonl").name, data)


def as_parquet(path, data):
    rows = [json.loads(line) for line in data.splitlines()]
    table = pa.Table.from_pylist([row | {"properties": json.dumps(row["properties"])} for row in rows])
    pq.write_table(table, path.with_suffix(".parquet"), compression="none")


class Disk:
    """A disk of so many bytes, which knows how full it was."""

    def __init__(self, capacity):
        self.capacity = self.least = capacity

    def room(self, workdir, total, measured):
        """Hold a plan against this disk."""
        return Room(workdir, total, measured, free=self.free, enough=200_000)

    def free(self, folder):
        """Give what is free, as if nothing but the plan were there."""
        used = sum(path.stat().st_size for path in folder.rglob("*.parquet") if path.exists())
        self.least = min(self.least, self.capacity - used)
        return self.capacity - used


def planned(workdir, inputs, capacity):
    """Plan on a disk of so many bytes; return why it stopped and the least that was free."""
    work = Settings(platform="posthog").work([str(inputs)])
    workdir.mkdir(exist_ok=True)
    with Checkpoint.open(workdir, create=True) as checkpoint:
        disk = Disk(capacity)
        try:
            Planning.of(Session(checkpoint, make_room=disk.room), work, None).plan()
        except Stopped as stopped:
            return str(stopped), disk.least, checkpoint.extent()[0]
        return None, disk.least, checkpoint.extent()[0]


def size_of(workdir):
    return sum(path.stat().st_size for path in (workdir / "days").rglob("*.parquet"))


@pytest.mark.parametrize("pack", [as_lines, as_zip, as_parquet])
def test_files_that_do_not_fit_are_told_early_and_go_on_with_room(tmp_path, pack, monkeypatch):
    """Of each format: stopped before the disk is full, what is planned stays, and with room the rest is planned."""
    monkeypatch.setattr(os, "cpu_count", lambda: 1)  # of eight files, many are not on their way at a time
    folder = tmp_path / "in"
    folder.mkdir()
    many(folder, pack)
    assert planned(tmp_path / "all", folder, 10**12)[0] is None
    need = size_of(tmp_path / "all")
    assert planned(tmp_path / "fits", folder, int(need * 1.02))[0] is None
    why, least, events = planned(tmp_path / "w", folder, int(need * 0.55))
    assert "what is still to be planned needs about" in why
    assert least > 0
    assert 0 < events < 8 * 2_200
    assert not list((tmp_path / "w" / "staging").glob("*/*"))
    again, _, still = planned(tmp_path / "w", folder, int(need * 0.55))
    assert (again is None, still >= events) == (False, True)
    assert planned(tmp_path / "w", folder, 10**12)[::2] == (None, 8 * 2_200)


def test_a_single_large_file_is_told_while_it_is_read(tmp_path):
    """Before its end, and nothing of it stays."""
    (tmp_path / "one.jsonl").write_text("".join(lines(40_000, size=1_000)))
    why, _, events = planned(tmp_path / "w", tmp_path / "one.jsonl", 8 * MB)
    assert "what is still to be planned needs about" in why
    assert ", 0 B to read" not in why
    assert events == 0
    assert not list((tmp_path / "w").rglob("*.parquet"))


@pytest.mark.parametrize("pack", [as_lines, as_gzip])
def test_a_meter_tells_how_far_a_file_is_read(tmp_path, pack):
    """In bytes as they lie on the disk, whatever they unpack to; a second reading does not count again."""
    pack(tmp_path / "a", "".join(lines(3_000)).encode())
    (source,) = sources([str(tmp_path)]).sources
    object.__setattr__(source, "meter", Meter())
    with source.open() as stream:
        stream.read(1000)
        assert 0 < source.meter.share < 1
        while stream.read(1 << 20):
            pass
    assert source.meter.share == 1.0
