"""Files in timestamp order are merged, whatever their row groups, with little in memory."""

from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED
from workdirs import MIDNIGHT, events

from migrate.workdir import ordered
from migrate.workdir.seals import Harmed, Kept

runs = st.lists(st.lists(st.integers(0, 12), max_size=30).map(sorted), min_size=1, max_size=5)


def timed(times, start):
    """Events at these seconds of a day, numbered from `start` on."""
    frame = events(len(times), start=start)
    seconds = pl.Series([time * 1_000_000 for time in times], dtype=pl.Duration("us"))
    return frame.with_columns(timestamp=pl.lit(MIDNIGHT).cast(frame.schema["timestamp"]) + seconds)


@given(runs, st.integers(1, 2_000), st.none() | st.tuples(st.integers(0, 13), st.integers(0, 13)).map(sorted))
@COMPARED
def test_they_are_merged_in_time_and_then_in_their_order(tmp_path_factory, lists, group_bytes, span):
    """All of one timestamp are in one frame; rows are numbered from where they are to be; others are left out."""
    folder = tmp_path_factory.mktemp("runs")
    paths, expected = [], []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ordered, "GROUP_BYTES", group_bytes)
        for place, times in enumerate(lists):
            paths.append(folder / f"{place}.parquet")
            ordered.write(paths[-1], [timed(times, 1)] if times else [])
            expected += [(time, 1_000 * place + row) for row, time in enumerate(times, 1)]
        begin = int(timed([0], 1)["timestamp"].to_physical()[0])
        asked = ordered.ALWAYS if span is None else tuple(begin + end * 1_000_000 for end in span)
        firsts = [1_000 * place for place in range(len(paths))]
        frames = list(ordered.merged(paths, first_rows=firsts, span=asked))
    found = [
        [((time - begin) // 1_000_000, row) for time, row in zip(times, frame["row"], strict=True)]
        for frame in frames
        for times in [frame["timestamp"].to_physical()]
    ]
    assert [one for frame in found for one in frame] == [
        one for one in sorted(expected) if span is None or span[0] <= one[0] < span[1]
    ]
    ends = [(frame[-1][0], after[0][0]) for frame, after in pairwise(found)]
    assert all(last < first for last, first in ends)


def test_a_file_that_is_sealed_is_compared_with_its_seal(tmp_path):
    """Before any event of what was changed is returned."""
    path = tmp_path / "a.parquet"
    ordered.write(path, [events(500).sort("timestamp")])
    kept = Kept.of(path)
    assert sum(frame.height for frame in ordered.merged([kept])) == 500
    data = bytearray(path.read_bytes())
    data[1_000] ^= 1
    path.write_bytes(data)
    with pytest.raises(Harmed):
        list(ordered.merged([kept]))
