"""One day's files come back in timestamp order, each event once."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from samples import examples

from migrate.apply import merge, runs
from migrate.apply.duplicates import Ties
from migrate.workdir.days import DayWriter
from migrate.workdir.records import Part

MIDNIGHT = datetime(2024, 4, 3, tzinfo=UTC)


def frame(events, file="a.jsonl"):
    """Finished events of 2024-04-03 from (second, uuid) pairs, in the order of rows."""
    rows = [
        {
            "timestamp": MIDNIGHT + timedelta(seconds=second),
            "event": "e",
            "distinct_id": "d",
            "uuid": uuid,
            "payload": f'{{"uuid":"{uuid}"}}',
            "file": file,
            "row": row,
        }
        for row, (second, uuid) in enumerate(events, 1)
    ]
    return pl.DataFrame(rows, schema_overrides={"timestamp": pl.Datetime("us", "UTC"), "row": pl.Int64})


def written(workdir: Path, *inputs) -> list[Part]:
    """Write each input's events as a planned file; return the parts."""
    parts = []
    for number, events in enumerate(inputs, 1):
        writer = DayWriter(workdir, number)
        writer.write(frame(events))
        parts += writer.finish()
    return parts


def uuids(chunks) -> list[str]:
    """The uuids of all chunks, in order."""
    return [uuid for chunk in chunks for uuid in chunk.frame["uuid"]]


def test_two_files_interleave_by_timestamp(tmp_path):
    """Events of several inputs come in timestamp order, ties in the order of inputs and rows."""
    parts = written(tmp_path, [(5, "a5"), (1, "a1"), (9, "a9")], [(1, "b1"), (7, "b7"), (7, "b7b")])
    found = uuids(merge.pieces(tmp_path, parts, piece_bytes=1))
    assert found == ["a1", "b1", "a5", "b7", "b7b", "a9"]


def test_duplicates_are_left_out_and_counted(tmp_path):
    """The same uuid, event and distinct_id is sent once, whichever file it is in."""
    parts = written(tmp_path, [(1, "x"), (1, "x"), (2, "y")], [(1, "x"), (3, "z")])
    chunks = list(merge.pieces(tmp_path, parts, piece_bytes=1_000_000))
    assert uuids(chunks) == ["x", "y", "z"]
    assert sum(chunk.duplicate for chunk in chunks) == 2


def test_events_of_earlier_rounds_are_not_sent_again(tmp_path):
    """Parts sent before make later copies of their events duplicates, and are not counted themselves."""
    first, second = written(tmp_path, [(1, "x"), (4, "y")], [(1, "x"), (2, "new"), (4, "y")])
    chunks = list(merge.pieces(tmp_path, [second], [first], piece_bytes=1_000_000))
    assert uuids(chunks) == ["new"]
    assert sum(chunk.events for chunk in chunks) == 3


@pytest.mark.parametrize("skip", [0, 1, 3, 4, 9])
def test_skip_resumes_where_a_run_stopped(tmp_path, skip):
    """Passing over the first n settled events yields exactly the others."""
    events = [(second, f"u{second}") for second in range(9)]
    parts = written(tmp_path, events[::2], events[1::2])
    assert uuids(merge.pieces(tmp_path, parts, piece_bytes=200, skip=skip)) == [
        f"u{n}" for n in range(skip, 9)
    ]


def test_more_runs_than_can_be_open_are_merged_on_disk(tmp_path, monkeypatch):
    """A day of many unordered files comes back in order, and leaves no temporary files."""
    monkeypatch.setattr(runs, "_MAX_RUNS", 4)
    shuffled = random.Random(7).sample(range(300), 300)
    parts = written(tmp_path, *[[(n, f"{n:03d}") for n in shuffled[start::23]] for start in range(23)])
    assert uuids(merge.pieces(tmp_path, parts, piece_bytes=5_000)) == [f"{n:03d}" for n in range(300)]
    assert not list(tmp_path.glob("merge-*"))


def test_each_utc_day_has_its_own_folder(tmp_path):
    """Events around midnight go to the day they happened on."""
    parts = written(tmp_path, [(-1, "late"), (0, "early")])
    assert [(part.day, part.events) for part in parts] == [("2024-04-02", 1), ("2024-04-03", 1)]
    assert all((tmp_path / part.path).is_file() for part in parts)


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    inputs=st.lists(
        st.lists(st.tuples(st.integers(0, 6), st.sampled_from("abcdef")), max_size=12), min_size=1, max_size=4
    ),
    piece_bytes=st.integers(1, 2_000),
    skip=st.integers(0, 10),
)
def test_however_it_is_cut_the_events_are_the_same(tmp_path_factory, inputs, piece_bytes, skip):
    """Every event is sent once or counted as a duplicate, in order, for any size of chunk and any place to resume."""
    workdir = tmp_path_factory.mktemp("day")
    named = [[(second, f"{name}{second}") for second, name in events] for events in inputs]
    parts = written(workdir, *[events for events in named if events])
    total = sum(len(events) for events in named)
    whole = list(merge.pieces(workdir, parts, piece_bytes=10**9))
    cut = list(merge.pieces(workdir, parts, piece_bytes=piece_bytes))
    assert uuids(cut) == uuids(whole) == list(dict.fromkeys(uuids(whole)))
    assert sum(chunk.events for chunk in cut) == total
    assert set(uuids(cut)) == {uuid for events in named for _, uuid in events}
    times = [time for chunk in cut for time in chunk.frame["timestamp"]]
    assert times == sorted(times)
    rest = list(merge.pieces(workdir, parts, piece_bytes=piece_bytes, skip=skip))
    assert sum(chunk.events for chunk in rest) == max(0, total - skip)


def test_duplicates_among_many_events_of_one_instant(tmp_path):
    """However many chunks events of one time are cut into, what comes again is known; it takes 16 bytes an event."""
    events = [(7, f"u{number}") for number in range(3_000)]
    again = [(7, f"u{number}") for number in range(0, 3_000, 7)]
    parts = written(tmp_path, [(3, "before"), *events], [*again, (7, "new"), (9, "after")])
    chunks = list(merge.pieces(tmp_path, parts, piece_bytes=2_000))
    assert len(chunks) > 20
    assert sorted(uuids(chunks)) == sorted(["before", *(uuid for _, uuid in events), "new", "after"])
    assert sum(chunk.duplicate for chunk in chunks) == len(again)
    ties = Ties()
    for start in range(0, 3_000, 10):
        ties.again(frame(events[start : start + 10]))
    levels = ties._known["event"].levels  # noqa: SLF001
    assert sum(level.height for level in levels) == 2_990
    assert sum(level.estimated_size() for level in levels) == 16 * 2_990
    assert all(larger.height >= 2 * smaller.height for larger, smaller in pairwise(levels))


def test_runs_take_little_memory(tmp_path):
    """A plan's files have no dictionaries of ids: of every run one would be held while a day is merged."""
    (part,) = written(tmp_path, [(second, f"u{second}") for second in range(9)])
    group = pq.read_metadata(tmp_path / part.path).row_group(0)
    found = {group.column(place).path_in_schema: group.column(place) for place in range(group.num_columns)}
    assert [name for name, column in found.items() if column.has_dictionary_page] == ["event", "file"]


def versions(workdir: Path, parts: list[Part], piece_bytes: int) -> dict[str, str]:
    """Which file's version of each event is sent."""
    frames = [chunk.frame for chunk in merge.pieces(workdir, parts, piece_bytes=piece_bytes)]
    sent = pl.concat(frames)
    assert sent["timestamp"].is_sorted()
    assert sent["uuid"].n_unique() == sent.height
    return dict(zip(sent["uuid"], sent["distinct_id"], strict=True))


@pytest.mark.parametrize(("many", "piece_bytes"), [(1, 1), (1, 10**9), (5_000, 20_000), (5_000, 10**9)])
def test_of_several_versions_the_later_increments_is_sent(tmp_path, many, piece_bytes):
    """What is told again before it was sent is sent as it was told last, also of an instant that spans batches."""
    events = [(7, f"u{number}") for number in range(many)]
    parts = []
    for number, told in enumerate(
        [[(3, "a"), *events], [(3, "a"), *events[::2]], [*events[::4], (9, "z")]], 1
    ):
        writer = DayWriter(tmp_path, number)
        writer.write(frame(told).with_columns(pl.lit(f"told {number}").alias("distinct_id")))
        parts += [replace(part, increment=number) for part in writer.finish()]
    last = {"a": 2, "z": 3} | {
        f"u{number}": 1 if number % 2 else 2 if number % 4 else 3 for number in range(many)
    }
    found = versions(tmp_path, parts[::-1], piece_bytes)
    assert found == {uuid: f"told {number}" for uuid, number in last.items()}
