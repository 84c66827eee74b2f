"""Identical rows of one file become events of their own, the same ones on every run."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import examples

from migrate.kit import expr
from migrate.plan import ordinals
from migrate.workdir import dayfile, days

MIDNIGHT = datetime(2024, 4, 3, tzinfo=UTC)


def frame(letters, start=1):
    """Finished events, one a letter, equal letters being equal events; the payload has the uuid's text twice."""
    rows = [
        {"timestamp": MIDNIGHT + timedelta(seconds=ord(letter)), "event": "e", "distinct_id": "d"}
        | {"file": "a.csv", "row": row, "key": letter}
        for row, letter in enumerate(letters, start)
    ]
    schema = {"timestamp": pl.Datetime("us", "UTC"), "event": pl.String, "distinct_id": pl.String}
    schema |= {"file": pl.String, "row": pl.Int64, "key": pl.String}
    uuid = expr.uuid7(pl.col("timestamp").dt.epoch("ms"), pl.col("key"))
    payload = pl.concat_str(
        pl.lit('{"event":"\\"uuid\\":\\"","uuid":"'),
        "uuid",
        pl.lit('","properties":{"uuid":"'),
        "uuid",
        pl.lit('"}}'),
    )
    return (
        pl.DataFrame(rows, schema=schema)
        .with_columns(uuid.alias("uuid"))
        .with_columns(payload.alias("payload"))
    )


def numbered(workdir, *frames):
    """The events of a day after `numbered`, in the order of rows, and how many got a uuid."""
    writer = days.DayWriter(workdir, 1)
    for one in frames:
        writer.write(one)
        writer._flush()  # noqa: SLF001 - every frame a row group of its own
    (paths,) = writer.files().values()
    count = ordinals.number_repeats(paths)
    events = pl.concat(pl.DataFrame(pq.read_table(path)) for path in paths).sort("row")
    return events.select("row", "uuid", "payload").rows(), count


def test_the_second_and_later_get_a_uuid_of_their_own(tmp_path):
    """The first keeps its uuid; the n-th repeat has that of (first uuid, n) at the root, not in its properties."""
    rows, count = numbered(tmp_path, frame("abaca"))
    uuids = [uuid for _, uuid, _ in rows]
    assert count == 2
    assert uuids[0] == frame("a")["uuid"][0]
    assert len(set(uuids)) == 5
    second = pl.select(
        expr.uuid7(pl.lit(frame("a")["timestamp"][0]).dt.epoch("ms"), pl.lit(uuids[0]), pl.lit(1))
    ).item()
    assert uuids[2] == second
    assert rows[2][2] == (
        f'{{"event":"\\"uuid\\":\\"","uuid":"{second}","properties":{{"uuid":"{uuids[0]}"}}}}'
    )


@settings(max_examples=examples(40))
@given(st.text("abc", min_size=1, max_size=12), st.lists(st.integers(1, 11), max_size=4))
def test_however_the_file_is_cut_the_events_are_the_same(tmp_path_factory, letters, cuts):
    """Chunks, row groups and files do not matter, and a preview shows the same."""
    bounds = sorted({0, len(letters), *(cut for cut in cuts if cut < len(letters))})
    pieces = [frame(letters[a:b], start=a + 1) for a, b in pairwise(bounds)]
    whole, count = numbered(tmp_path_factory.mktemp("whole"), frame(letters))
    cut, _ = numbered(tmp_path_factory.mktemp("cut"), *pieces)
    shown = ordinals.with_ordinals(frame(letters)).select("row", "uuid", "payload").rows()
    assert cut == whole == shown
    assert len({uuid for _, uuid, _ in whole}) == len(letters)
    assert count == len(letters) - len(set(letters))


def test_more_files_than_one_are_one_day(tmp_path):
    """A day that was closed and opened again is numbered as a whole; a file without repeats stays untouched."""
    paths = []
    for number, letters in enumerate(["ab", "ac", "de"]):
        writer = days.DayWriter(tmp_path / str(number), 1)
        writer.write(frame(letters, start=1 + 2 * number))
        paths += writer.files()["2024-04-03"]
    before = [path.stat().st_ino for path in paths]
    assert ordinals.number_repeats(paths) == 1
    assert [path.stat().st_ino == inode for path, inode in zip(paths, before, strict=True)] == [
        True,
        False,
        True,
    ]
    assert not list(tmp_path.rglob("*.new"))


def test_several_events_of_one_row_are_no_repeats():
    """A row that is two events of one uuid stays so; its repeat is two events of another."""
    twice = pl.concat([frame("a"), frame("a").with_columns(event=pl.lit("f")), frame("a", start=2)])
    found = ordinals.with_ordinals(twice)["uuid"].to_list()
    assert found[0] == found[1] == twice["uuid"][0]
    assert found[2] != found[0]


@pytest.mark.parametrize("letters", [pytest.param("", id="empty"), pytest.param("abc", id="all_different")])
def test_without_repeats_the_frame_is_as_it_was(letters):
    """Nothing is changed where nothing repeats."""
    assert ordinals.with_ordinals(frame(letters)).equals(frame(letters))


def test_statistics_survive_the_rewriting(tmp_path):
    """A rewritten file has its row groups, their first timestamps and its schema."""
    writer = days.DayWriter(tmp_path, 1)
    writer.write(frame("bba"))
    (paths,) = writer.files().values()
    before = pq.read_metadata(paths[0])
    ordinals.number_repeats(paths)
    after = pq.read_metadata(paths[0])
    assert after.num_row_groups == before.num_row_groups
    assert after.row_group(0).column(0).statistics.min == MIDNIGHT + timedelta(seconds=ord("a"))
    assert pq.read_schema(paths[0]).names == dayfile.SCHEMA.names


def test_a_day_too_large_to_look_through_at_once(tmp_path, monkeypatch):
    """Repeats are found however many passes it takes."""
    letters = "abcdefghijklmnopqrstuvwxyz" * 3
    for name in ("one", "many"):
        (tmp_path / name).mkdir()
    at_once = numbered(tmp_path / "one", frame(letters))
    monkeypatch.setattr(ordinals, "_HASHES", 3)
    monkeypatch.setattr(ordinals, "_BATCH_ROWS", 10)
    rows, count = numbered(tmp_path / "many", frame(letters))
    assert (rows, count) == at_once
    uuids = [uuid for _, uuid, _ in rows]
    assert uuids[:26] == frame(letters)["uuid"].to_list()[:26]
    assert count == len(set(uuids[26:]) - set(uuids[:26])) == 52
