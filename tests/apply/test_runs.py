"""Runs of a day's files are merged into pieces: in timestamp order, of the bytes that were sealed, each event once."""

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonvalues import COMPARED
from samples import examples
from sealing import flipped
from workdirs import MIDNIGHT, events

from migrate.apply import runs
from migrate.apply.runs import merged, put_together
from migrate.workdir.dayfile import SCHEMA, DayFile, arrow
from migrate.workdir.records import Part
from migrate.workdir.seals import Harmed, Seal

SECONDS = st.lists(st.integers(0, 5), min_size=1, max_size=12)


def at(seconds):
    """Events at these seconds of a day, rows in their order."""
    times = pl.lit(MIDNIGHT).cast(pl.Datetime("us", "UTC")) + pl.duration(
        seconds=pl.Series(seconds, dtype=pl.Int64)
    )
    return events(len(seconds)).with_columns(times.alias("timestamp"))


def part(workdir, number, *groups):
    """A part with a row group of each list of seconds, in timestamp order within it."""
    frame = at([second for seconds in groups for second in seconds])
    path = workdir / f"{number}.parquet"
    file = DayFile(path)
    for seconds in groups:
        own, frame = frame.head(len(seconds)), frame.slice(len(seconds))
        file.add(arrow(own.sort("timestamp", maintain_order=True)), len(own) * 100)
    written = file.close()
    return Part(
        path.name, number, "2024-04-03", written.events, written.bytes, written.first, written.last,
        leads=False, seal=Seal.of(path),
    )  # fmt: skip


def told(frame):
    """The place of each event: its second, which part it is of, its row there, whether that was sent before."""
    return list(
        zip(
            ((frame["timestamp"].dt.epoch("us") - int(MIDNIGHT.timestamp()) * 10**6) // 10**6),
            frame["order"],
            frame["row"],
            frame["sent"],
            strict=True,
        )
    )


@given(
    st.lists(st.lists(SECONDS, min_size=1, max_size=3), min_size=1, max_size=4),
    st.integers(0, 2),
    st.none() | st.integers(2, 4),
)
@settings(COMPARED, max_examples=examples(40))
def test_all_events_come_in_time_order(tmp_path_factory, monkeypatch, groups, sent, at_once):
    """Those of one timestamp by part and row, however few fit in a batch and however few runs are merged at once."""
    monkeypatch.setattr(runs, "_MERGE_BYTES", 1)  # the least of events at once
    monkeypatch.setattr(runs, "_MAX_RUNS", at_once or 256)
    workdir = tmp_path_factory.mktemp("w")
    parts = [part(workdir, number, *one) for number, one in enumerate(groups)]
    sent = min(sent, len(parts) - 1)
    pieces = list(merged(workdir, parts[sent:], parts[:sent]))
    found = [place for piece in pieces for place in told(put_together([piece]))]
    seconds = [[second for group in one for second in group] for one in groups]
    assert sorted(found) == sorted(
        (second, order, row, order < sent)
        for order, rows in enumerate(seconds)
        for row, second in enumerate(rows)
    )
    assert [second for second, *_ in found] == sorted(second for rows in seconds for second in rows)
    assert found == sorted(found)
    assert sorted(path.name for path in workdir.iterdir()) == sorted(one.path for one in parts)


@given(st.lists(st.lists(SECONDS, min_size=1, max_size=3), min_size=1, max_size=3), st.randoms())
@settings(COMPARED, max_examples=examples(60))
def test_pieces_are_put_together_in_their_order(pieces, random):
    """Piece after piece; within each by timestamp, then part, then row, whatever order the rows had."""
    made, expected = [], []
    for piece in pieces:
        batches, places = [], []
        for order, seconds in enumerate(map(sorted, piece)):
            rows = random.sample(range(100), len(seconds))
            frame = at(seconds).with_columns(
                pl.Series("row", rows), pl.lit(order, pl.Int32).alias("order"), sent=pl.lit(False)
            )
            batches += frame.to_arrow(compat_level=pl.CompatLevel.oldest()).to_batches()
            places += [(second, order, row, False) for second, row in zip(seconds, rows, strict=True)]
        made.append(batches)
        expected += sorted(places)
    assert told(put_together(made)) == expected


def test_of_what_was_sent_no_payload_is_read(tmp_path):
    """It only says what is a duplicate; what is to be sent has its payload, as it was written."""
    sent, part_ = part(tmp_path, 0, [1, 3]), part(tmp_path, 1, [2, 4])
    frame = put_together(list(merged(tmp_path, [part_], [sent])))
    assert told(frame) == [(1, 0, 0, True), (2, 1, 0, False), (3, 0, 1, True), (4, 1, 1, False)]
    assert frame["payload"].to_list() == [None, events(2)["payload"][0], None, events(2)["payload"][1]]


@pytest.mark.parametrize("most_open", [16, 1])
def test_a_harmed_part_stops_the_merge(tmp_path, monkeypatch, most_open):
    """Files stay open or are opened again; what is read of them is compared with their seals either way."""
    monkeypatch.setattr(runs, "_MAX_OPEN", most_open)
    parts = [part(tmp_path, 0, [1, 3]), part(tmp_path, 1, [2, 4], [5])]
    assert put_together(list(merged(tmp_path, parts, []))).height == 5
    flipped(tmp_path / "1.parquet", 300)
    with pytest.raises(Harmed) as raised:
        list(merged(tmp_path, parts, []))
    assert (raised.value.path, raised.value.why) == (
        tmp_path / "1.parquet",
        "other bytes between 0 and 65,536",
    )


def test_a_plan_of_an_earlier_version_is_read(tmp_path):
    """There names of events are dictionaries; they come as text beside those of today."""
    table = arrow(at([2]).with_columns(event=pl.lit("old"))).cast(SCHEMA)
    old = table.set_column(1, "event", table.column("event").dictionary_encode())
    pq.write_table(old, tmp_path / "0.parquet", write_statistics=["timestamp"])
    assert pa.types.is_dictionary(pq.read_schema(tmp_path / "0.parquet").field("event").type)
    before = Part("0.parquet", 0, "2024-04-03", 1, 1, 0, 0, leads=False, seal=Seal.of(tmp_path / "0.parquet"))
    parts = [before, part(tmp_path, 1, [1, 3])]
    frame = put_together(list(merged(tmp_path, parts, [])))
    assert frame["event"].to_list() == ["e", "old", "e"]
    assert frame.schema["event"] == pl.String
