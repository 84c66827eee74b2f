"""Spans are parted into days: what is sent, and in which order, is as it would be without them."""

import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from commands import migrate

from migrate.apply.merge import pieces
from migrate.errors import Refused
from migrate.plan import bundles, choosing
from migrate.plan.executors import Inline
from migrate.plan.interrupted import Interrupted
from migrate.workdir import daynames, ordered, parting, rounds, runs, spans, stretches
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.harm import sources
from migrate.workdir.records import Settled
from migrate.workdir.seals import Kept

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 40


def export(folder, files=5, rows=90, start=0):
    """Files with events of all days; some of a timestamp that others have, some of a uuid, or as they are elsewhere."""
    folder.mkdir(exist_ok=True)
    for number in range(start, start + files):
        lines = []
        for row in range(rows):
            place = number * rows + row
            same = row % 9 == 0
            when = BEGIN + timedelta(days=row * 7 % DAYS, seconds=row if row % 3 == 0 else place % 50_000)
            name = f"{row if same else place:012d}"
            line = {
                "uuid": f"0189b3a0-0000-7000-8000-{name}",
                "event": "e" if same else f"e{row % 4}",
                "distinct_id": f"u{row % 5}",
                "timestamp": (when + timedelta(seconds=number * (row % 2) * same)).isoformat(),
                "properties": {"n": place},
            }
            lines.append(json.dumps(line) + "\n")
        (folder / f"{number:02d}.jsonl").write_text("".join(lines))


def plan(folder, workdir, *words):
    """Plan the files."""
    done = migrate("plan", "posthog", folder, "--workdir", workdir, *words)
    assert done.returncode == 0, done.stderr
    return done


def plan_apart(folder, workdir, monkeypatch):
    """Plan a folder, as a command does that is killed before it puts spans together."""
    with monkeypatch.context() as patch:
        patch.setattr(parting, "part", lambda *_, **__: None)
        plan(folder, workdir)


def stopped_after(frames):
    """A watch that has enough after so many frames."""
    left = [None] * frames

    def check():
        if not left:
            raise Interrupted
        left.pop()

    return parting.Watch(check=check)


def told(workdir):
    """What is to be sent, round by round in its order; what is counted; how many files there are."""
    with Checkpoint.open(workdir) as checkpoint:
        numbers = checkpoint.numbers().kept()
        sent = {
            (round_.day, round_.number): (
                [
                    payload
                    for piece in pieces(workdir, round_.parts, round_.earlier, piece_bytes=10_000_000)
                    for payload in piece.frame["payload"]
                ],
                sum(part.events for part in round_.parts),
            )
            for day in rounds.days(checkpoint)
            for round_ in rounds.of_day(checkpoint, day)
        }
        found = (sent, numbers, checkpoint.by_day(), checkpoint.extent(), [*daynames.events(checkpoint)])
        there = {path.relative_to(workdir).as_posix() for path in workdir.glob("*/**/*.parquet")}
        assert there == checkpoint.part_paths()
    return found, len(there)


def files(workdir):
    """The bytes of all day files, by their names."""
    folder = workdir / "days"
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.parquet")}


def send(workdir, days):
    """Note the first days as sent."""
    with Checkpoint.open(workdir) as checkpoint:
        for day in rounds.days(checkpoint)[:days]:
            for one in rounds.of_day(checkpoint, day):
                count = sum(part.events for part in one.parts)
                rounds.settle(checkpoint, [rounds.Outcome(one, Settled(accepted=count), True)])


@pytest.fixture(autouse=True)
def _in_twos(monkeypatch):
    """Two small files are planned together."""
    monkeypatch.setattr(bundles, "_MOST_FILES", 2)


def test_all_is_as_without_spans(tmp_path, monkeypatch):
    """Also once some is sent, a file has changed and others come: versions, duplicates, what is renewed, numbers."""
    monkeypatch.setattr(stretches, "_BYTES", 4_000)
    folder, apart, together = tmp_path / "in", tmp_path / "apart", tmp_path / "together"
    export(folder)

    def both(*words):
        with monkeypatch.context() as patch:
            patch.setattr(runs, "_FEW_BYTES", 0)
            plan(folder, apart, *words)
        plan(folder, together, *words)
        (one, many), (other, few) = told(apart), told(together)
        for key, that in one[0].items():
            assert other[0][key] == that, (key, words)
        assert other == one
        return many, few

    assert both() == (3 * DAYS, DAYS)
    for workdir in (apart, together):
        send(workdir, 10)
    lines = (folder / "02.jsonl").read_text().splitlines()
    changed = [line.replace('"n": ', '"n": 1') for line in lines[:50]]
    (folder / "02.jsonl").write_text("\n".join([*changed, *lines[60:]]) + "\n")
    both()
    export(folder, files=2, start=5)
    both()
    before = told(together)
    both("--again", folder / "03.jsonl")
    assert told(together) == before  # it is what it was, whatever of its days is sent


def test_it_goes_on_where_it_was(tmp_path, monkeypatch):
    """Stopped at any moment, what is parted stays, and what is not is parted next time."""
    monkeypatch.setattr(stretches, "_BYTES", 4_000)
    monkeypatch.setattr(stretches, "_OVERLAP", 1)
    monkeypatch.setattr(ordered, "MOST", 2)
    monkeypatch.setattr(ordered, "GROUP_BYTES", 900)
    folder = tmp_path / "in"
    export(folder)
    plan(folder, tmp_path / "calm")
    plan_apart(folder, tmp_path / "w", monkeypatch)
    calm, _ = told(tmp_path / "calm")
    with Checkpoint.open(tmp_path / "w") as checkpoint:
        _, *others = calm
        assert [checkpoint.numbers().kept(), checkpoint.by_day(), checkpoint.extent()] == others[:3]
        assert [*daynames.events(checkpoint)] == others[3]
        assert checkpoint.has_unsent(str(folder / "00.jsonl"))
        left = [len(one.span.days) for one in spans.noted(checkpoint)]
        stops = 0
        while spans.paths(checkpoint):
            try:
                parting.part(checkpoint, stopped_after(20), workers=1 + stops % 2)
            except Interrupted:
                stops += 1
                (done,) = {one.done for one in spans.noted(checkpoint)}
                assert done > ""
                _, *others = calm
                assert [checkpoint.by_day(), checkpoint.extent()] == others[1:3]
        assert left == [DAYS] * 3
        assert stops > 1
    assert told(tmp_path / "w")[0] == calm
    assert files(tmp_path / "w") == files(tmp_path / "calm")


@pytest.mark.parametrize("few_bytes", [0, 256 << 10], ids=["days", "spans"])
def test_of_a_file_in_slices_the_same_events_are_sent(tmp_path, monkeypatch, few_bytes):
    """Also once others come: of two events alike but for their time the first stays, not that of the first slice."""
    monkeypatch.setattr(runs, "_FEW_BYTES", few_bytes)
    folder, whole, sliced = tmp_path / "in", tmp_path / "whole", tmp_path / "sliced"
    export(folder, files=1)
    file = folder / "00.jsonl"
    lines = file.read_text().splitlines(keepends=True)
    earlier = [line.replace("2024-01-01T00:", "2024-01-01T23:").replace('"n": ', '"n": 1') for line in lines]
    file.write_text("".join(earlier + lines))
    for others in range(2):
        export(folder, files=others, start=1)
        plan(folder, whole)
        with monkeypatch.context() as patch:
            patch.setattr(choosing, "Inline", lambda *_: Inline(2, slice_bytes=file.stat().st_size // 4))
            plan(folder, sliced)
        assert told(sliced)[0] == told(whole)[0]


def test_a_file_may_change_before_all_is_parted(tmp_path, monkeypatch):
    """The first of those that are parted, whose days are of all of them: nothing of the others goes with it."""
    monkeypatch.setattr(stretches, "_BYTES", 4_000)
    monkeypatch.setattr(stretches, "_OVERLAP", 1)
    monkeypatch.setattr(ordered, "GROUP_BYTES", 900)
    folder, calm, rough = tmp_path / "in", tmp_path / "calm", tmp_path / "rough"
    export(folder)
    plan(folder, calm)
    plan_apart(folder, rough, monkeypatch)
    with Checkpoint.open(rough) as checkpoint, pytest.raises(Interrupted):
        parting.part(checkpoint, stopped_after(9))
    lines = (folder / "00.jsonl").read_text().splitlines(keepends=True)
    (folder / "00.jsonl").write_text("".join(lines[:60]))
    for workdir in (calm, rough):
        plan(folder, workdir, "--again", folder / "00.jsonl")
    assert told(rough)[0] == told(calm)[0]


def test_a_harmed_part_of_several_inputs_is_put_back(tmp_path):
    """All of them are planned anew, though one was named; of a harmed span its own input is."""
    folder, workdir = tmp_path / "in", tmp_path / "w"
    export(folder)
    plan(folder, workdir)
    calm = told(workdir)
    send(workdir, 3)
    half = told(workdir)
    with Checkpoint.open(workdir) as checkpoint:
        first = rounds.of_day(checkpoint, rounds.days(checkpoint)[0])[0]
        rounds.settle(checkpoint, [rounds.Outcome(first, Settled(accepted=1), False)])
        (part,) = first.parts
        assert len(sources(checkpoint, part.path)) == 5
    path = workdir / part.path
    kept = path.read_bytes()
    path.write_bytes(kept[:50] + b"x" + kept[51:])
    plan(folder, workdir, "--again", folder / "00.jsonl")
    assert path.read_bytes() == kept
    assert Kept(path, part.seal).is_sound()
    assert half[1] == calm[1]
    with Checkpoint.open(workdir) as checkpoint:
        again = rounds.of_day(checkpoint, first.day)[0]
        assert (again.position, again.parts) == (1, first.parts)


def test_a_harmed_span_is_refused_by_name(tmp_path, monkeypatch):
    """And planned anew where that is asked for."""
    folder, workdir = tmp_path / "in", tmp_path / "w"
    export(folder)
    plan(folder, tmp_path / "calm")
    plan_apart(folder, workdir, monkeypatch)
    path = min((workdir / spans.FOLDER).iterdir())
    frame = pl.read_parquet(path)
    late = pl.lit(2**63 - 1).cast(frame["timestamp"].dtype)  # a day that is none
    ordered.write(path, [frame.with_columns(timestamp=late)])
    with Checkpoint.open(workdir) as checkpoint:
        assert {day: sum(names.values()) for day, names in daynames.events(checkpoint)} == checkpoint.by_day()
    done = migrate("plan", "posthog", folder, "--workdir", workdir)
    assert done.returncode == 5
    assert "--again" in done.stderr
    assert str(folder / "00.jsonl") in done.stderr
    with Checkpoint.open(workdir) as checkpoint, pytest.raises(Refused, match="harmed"):
        parting.part(checkpoint)
    plan(folder, workdir, "--again", folder / "00.jsonl")
    (_, _, *sent), _ = told(workdir)
    (_, _, *calm), _ = told(tmp_path / "calm")
    assert sent == calm


def test_all_spans_that_are_gone_are_named_at_once(tmp_path, monkeypatch):
    """With one command that plans anew what is of them; files planned together are named once."""
    folder, workdir = tmp_path / "in", tmp_path / "w"
    export(folder)
    plan(folder, tmp_path / "calm")
    plan_apart(folder, workdir, monkeypatch)
    first, kept, last = sorted((workdir / spans.FOLDER).iterdir())
    first.unlink()
    last.unlink()
    done = migrate("plan", "posthog", folder, "--workdir", workdir)
    again = ["--again", str(folder / "00.jsonl"), "--again", str(folder / "04.jsonl")]
    assert done.returncode == 5
    assert f"plan them anew, with {' '.join(again)}" in done.stderr
    assert str(first) in done.stderr
    assert kept.exists()
    plan(folder, workdir, *again)
    (sent, _, *counted), _ = told(workdir)
    (calm, _, *calmly), _ = told(tmp_path / "calm")
    assert counted == calmly
    assert {key: sorted(payloads) for key, (payloads, _) in sent.items()} == {
        key: sorted(payloads) for key, (payloads, _) in calm.items()
    }


def test_how_far_it_is_counts_days(tmp_path, monkeypatch):
    """Each once, though a stretch has many of them; with the events."""
    folder, workdir = tmp_path / "in", tmp_path / "w"
    export(folder)
    plan_apart(folder, workdir, monkeypatch)
    monkeypatch.setattr(ordered, "GROUP_BYTES", 2_000)
    far = []
    with Checkpoint.open(workdir) as checkpoint:
        parting.part(checkpoint, parting.Watch(on_far=far.append))
        assert (far[-1].days, far[-1].of_days) == (DAYS, DAYS)
        assert far[-1].events == sum(checkpoint.by_day().values())
    assert [one.days for one in far] == sorted(one.days for one in far)
    assert far[0].days > 0
