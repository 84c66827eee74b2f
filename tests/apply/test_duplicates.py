"""Which events are there a second time, whatever frames they are cut into."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED

from migrate import numbering
from migrate.apply.duplicates import Ties, is_first

SCHEMA = {
    "timestamp": pl.Int64,
    "uuid": pl.String,
    "event": pl.String,
    "distinct_id": pl.String,
    "order": pl.Int32,
    "row": pl.Int64,
}
events = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from("uv"), st.sampled_from(["e", "f"]), st.sampled_from("ab")),
    max_size=25,
).map(sorted)


def frame(rows, order=0, number=1):
    return pl.DataFrame([(*row, order, number) for row in rows], schema=SCHEMA, orient="row")


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
            found += firsts(is_first(frame(part), ties), part)
        start += size
    assert found == [row not in rows[:number] for number, row in enumerate(rows)]


def test_of_versions_the_one_of_the_first_part_stays():
    """Where events may be versions the first part decides, or its first input; among an input's own parts, the time."""
    both = pl.concat([frame([(1, "u", "e", "a")], order=1), frame([(2, "u", "e", "a")], order=0)])
    assert is_first(both, Ties(), ranks=[0, 1]).to_list() == [False, True]
    assert is_first(both, Ties(), ranks=[0, 0]).to_list() == [True, False]
    assert is_first(both, Ties()).to_list() == [True, False]
    shared = [frame([(time, "u", "e", "a")], number=numbering.gathered(2 - time) + 1) for time in (1, 2)]
    assert is_first(pl.concat(shared), Ties(), ranks=[0, 1]).to_list() == [False, True]


def owned(planned):
    """Events of one uuid and name: of each part (its `order`) whose they are."""
    rows = [(1, "u", "e", who, order, 1) for order, owners in enumerate(planned) for who in owners]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


@pytest.mark.parametrize("cut", [1, 100])
@pytest.mark.parametrize(
    ("planned", "first"),
    [
        (["a", "b"], "a"),
        (["ab"], "ab"),
        (["x", "ab"], "xab"),
        (["ab", "c"], "ab"),
        (["ab", "cd"], "ab"),
        (["a", "ab"], "ab"),
        (["a", "ba"], "ab"),
        (["a", "b", "bc"], "ac"),
        (["a", "b", "c"], "a"),
    ],
)
def test_another_person_is_a_version_between_times_of_planning_alone(planned, first, cut):
    """As many as could be versions of those that are not there any more; within one time each is an event."""
    whole, ties, found = owned(planned), Ties(), []
    if cut == 1 and planned in (["x", "ab"], ["ab", "cd"], ["a", "ba"]):
        pytest.skip("what comes later is not known yet where a time is cut apart")
    for start in range(0, whole.height, cut):
        part = whole.slice(start, cut)
        found += firsts(is_first(part, ties, times=range(len(planned))), part.rows())
    assert "".join(whole["distinct_id"].filter(pl.Series(found))) == first
