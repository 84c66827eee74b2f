"""Which events are there a second time, whatever frames they are cut into."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED

from migrate.apply.duplicates import Ties, is_first

KEY = ["uuid", "event", "distinct_id"]
SCHEMA = {
    "timestamp": pl.Int64,
    "uuid": pl.String,
    "event": pl.String,
    "distinct_id": pl.String,
    "order": pl.Int32,
}
events = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from("uv"), st.sampled_from(["e", "f"]), st.sampled_from("ab")),
    max_size=25,
).map(sorted)


def frame(rows, order=0):
    return pl.DataFrame([(*row, order) for row in rows], schema=SCHEMA, orient="row")


def firsts(found, rows):
    """What `is_first` says, as booleans."""
    return [True] * len(rows) if found is None else found.to_list()


@given(events, st.lists(st.integers(1, 4), min_size=25, max_size=25))
@COMPARED
def test_a_duplicate_of_one_timestamp_is_found_across_frames(rows, sizes):
    """However events are cut into frames, of those alike in time and key only the first one is no duplicate."""
    rows = [row for number, row in enumerate(rows) if row[0] == 1 or row not in rows[:number]]
    rows = [(time, uuid + str(time), *rest) for time, uuid, *rest in rows]
    ties, found, start = Ties(), [], 0
    for size in sizes:
        if part := rows[start : start + size]:
            found += firsts(is_first(frame(part), KEY, ties, has_versions=False), part)
        start += size
    assert found == [row not in rows[:number] for number, row in enumerate(rows)]


def test_of_versions_the_one_of_the_first_part_stays():
    """Where events may be versions of each other, the first part decides, not the time."""
    both = pl.concat([frame([(1, "u", "e", "a")], order=1), frame([(2, "u", "e", "a")], order=0)])
    assert is_first(both, KEY, Ties(), has_versions=True).to_list() == [False, True]
    assert is_first(both, KEY, Ties(), has_versions=False).to_list() == [True, False]
