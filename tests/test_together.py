"""Days are put together by any number of threads to the same bytes, with progress, before the disk is full."""

import json
from datetime import UTC, datetime, timedelta
from shutil import copytree

import pytest

from migrate.errors import Stopped
from migrate.planning import Planning
from migrate.session import Session
from migrate.settings import Settings
from migrate.workdir import light, ordered, runs, spans, stretches
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.room import Room

FILES, ROWS, DAYS = 3, 4_000, 40
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files, each with events of all days; too large to be planned together."""
    made = tmp_path_factory.mktemp("in")
    for number in range(FILES):
        lines = []
        for row in range(ROWS):
            place = number * ROWS + row
            line = {
                "uuid": f"0189b3a0-0000-7000-8000-{place:012d}",
                "event": f"e{row % 3}",
                "distinct_id": f"u{row % 50}",
                "timestamp": (BEGIN + timedelta(days=place * 7 % DAYS, seconds=row)).isoformat(),
                "properties": {"text": f"{place * 7919:x}" * 15},
            }
            lines.append(json.dumps(line) + "\n")
        (made / f"{number}.jsonl").write_text("".join(lines))
    return made


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    """Spans are in several pieces, and days are put together some at a time."""
    monkeypatch.setattr("migrate.workdir.days._FLUSH_BYTES", 300_000)
    monkeypatch.setattr(runs, "_PIECE_BYTES", 300_000)
    monkeypatch.setattr(ordered, "GROUP_BYTES", 20_000)
    monkeypatch.setattr(stretches, "_OVERLAP", 0)
    monkeypatch.setattr(stretches, "_BYTES", 300_000)


def planned(workdir, folder, on_progress=lambda _: None, again=(), stops_at=None, **session):
    """Plan the files, until a phase if it `stops_at` one; return what is in the day files, and the log."""
    workdir.mkdir(exist_ok=True)
    log = []
    with Checkpoint.open(workdir, create=True) as checkpoint:
        session = Session(checkpoint, on_log=log.append, **session)

        def tell(progress):
            on_progress(progress)
            if progress.phase == stops_at and progress.done_files:
                session.stop()

        work = Settings(platform="posthog").work([str(folder)])
        Planning.of(session, work, None).plan(tell, again=[str(one) for one in again])
        assert not spans.paths(checkpoint)
    days = workdir / "days"
    return {path.relative_to(days): path.read_bytes() for path in days.rglob("*.parquet")}, log


def test_any_number_of_threads_writes_the_same_and_tells_how_far_it_is(tmp_path, folder, monkeypatch):
    """Days and events of all there are, on the line of planning and in the log; the spans go on the way."""
    monkeypatch.setattr("migrate.together.usual", lambda: 4)
    one, log = planned(tmp_path / "one", folder, workers=1)
    found, held = [], []
    room = Room.hold
    monkeypatch.setattr(
        Room,
        "hold",
        lambda self, need: (held.append((need, size(tmp_path / "w", "spans"))), room(self, need)),
    )
    assert planned(tmp_path / "w", folder, found.append, workers=3)[0] == one
    assert len(one) == DAYS
    told = [each for each in found if each.phase == "putting days together:"]
    assert {(each.counts, each.total_files, each.total_bytes) for each in told} == {
        (("event", "day"), DAYS, told[-1].done_bytes)
    }
    assert max(each.rows for each in told) == FILES * ROWS
    records = [each for each in log if each.event == "days_put_together"]
    assert sum(each.fields["events"] for each in records) == FILES * ROWS
    assert sum(each.fields["days"] for each in records) == DAYS
    assert records[0].text.startswith("put together: ")
    assert [records[0].fields["first"], records[-1].fields["last"]] == ["2024-01-01", "2024-02-09"]
    (whole, spans_whole), *_, (left, spans_left) = held
    assert whole < 0.9 * spans_whole  # three threads have much of it under way
    assert (left, spans_left) == (0, 0)


def size(workdir, *names):
    """Bytes of the plan's files."""
    return sum(path.stat().st_size for name in names for path in (workdir / name).rglob("*.parquet"))


def test_it_stops_before_the_disk_is_full_and_goes_on_with_room(tmp_path, folder):
    """What is put together stays; nothing is lost, and the files are those of a plan that never stopped."""
    calm, _ = planned(tmp_path / "calm", folder)
    workdir, least = tmp_path / "w", []

    class Disk(Room):
        """One that has half of what is needed at first."""

        capacity = 10**12

        def hold(self, need):
            """Take what is there and half of the need for all there is."""
            if not least:
                self.__class__.capacity = size(workdir, "spans", "days") + need // 2
            least.append(need)
            super().hold(need)

    def free(_):
        return Disk.capacity - size(workdir, "spans", "days")

    def make_room(*words):
        return Disk(*words, free=free)

    with pytest.raises(
        Stopped, match=r"putting days together needs about .*, and .* are free there; make room"
    ):
        planned(workdir, folder, make_room=make_room)
    assert free(None) > 0
    Disk.capacity = 10**12
    assert planned(workdir, folder, make_room=make_room)[0] == calm


def test_a_changed_file_is_settled_some_days_at_a_time(tmp_path, folder, monkeypatch):
    """With progress; stopped on the way, the same command goes on, and comes to the same files."""
    monkeypatch.setattr(light, "_MOST", 500_000)
    source = tmp_path / "in"
    copytree(folder, source)
    file = source / "1.jsonl"
    for name in ("calm", "rough"):
        planned(tmp_path / name, source)
    lines = file.read_text().splitlines(keepends=True)
    changed = [line for line in lines if int(json.loads(line)["distinct_id"][1:]) < 40]
    file.write_text("".join(line for line in changed if "2024-01-05" not in line))
    found = []
    calm, _ = planned(tmp_path / "calm", source, found.append, [file])
    for phase in ("comparing with what was planned before:", "writing changed days:"):
        told = [each for each in found if each.phase == phase]
        far = [(each.done_bytes, each.done_files, each.rows) for each in told]
        assert far == sorted(set(far))
        assert far[0] == (0, 0, 0)
        assert {(each.counts, each.total_files) for each in told} == {(("event", "day"), DAYS)}
        assert all(each.done_bytes < each.total_bytes for each in told)
        assert len(far) > 2
        planned(tmp_path / "rough", source, again=[file], stops_at=phase)
        with Checkpoint.open(tmp_path / "rough") as checkpoint:
            assert not checkpoint.is_whole()
    assert planned(tmp_path / "rough", source)[0].keys() == calm.keys()
    assert planned(tmp_path / "rough", source)[0] == calm
