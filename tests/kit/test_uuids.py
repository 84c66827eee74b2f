"""Digests and keys are the same on every machine, and tell nothing from something."""

import hashlib
from uuid import UUID

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED

from migrate.kit.uuids import digest, key, keys_where, session_ids, uuid7

PLAIN = st.characters(exclude_categories=["Cs"], exclude_characters="\x00\x1f")
PARTS = st.tuples(*[st.none() | st.text(PLAIN, max_size=3)] * 2)


@COMPARED
@given(rows=st.lists(PARTS, min_size=1, max_size=6))
def test_keys_and_digests_are_alike_exactly_where_all_parts_are(rows):
    """A null part differs from an empty one."""
    frame = pl.DataFrame(rows, {"a": pl.String, "b": pl.String}, orient="row")
    for function in (key, digest):
        found = frame.select(function(pl.col("a"), pl.col("b"))).to_series().to_list()
        assert [found.index(one) for one in found] == [rows.index(row) for row in rows]


def test_a_digest_is_the_md5_of_its_parts():
    """Between them stands the separator of units, for null a zero byte."""
    expected = [hashlib.md5(text).hexdigest() for text in (b"x\x1f1", b"\x00\x1f2")]  # noqa: S324 - no secret
    frame = pl.DataFrame({"a": ["x", None], "b": [1, 2]})
    assert frame.select(digest(pl.col("a"), pl.col("b"))).to_series().to_list() == expected


@COMPARED
@given(ms=st.none() | st.integers(-(2**50), 2**50), part=st.text(PLAIN, max_size=5))
def test_a_uuid_is_its_time_and_the_digest_of_its_parts(ms, part):
    """Version 7; times that it cannot hold are the nearest that it can, and none is the first."""
    frame = pl.DataFrame({"a": [ms], "b": [part]}, {"a": pl.Int64, "b": pl.String})
    found = UUID(frame.select(uuid7(pl.col("a"), pl.col("b"))).item())
    hashed = int(hashlib.md5(part.encode()).hexdigest(), 16)  # noqa: S324 - no secret
    assert (found.version, found.variant) == (7, "specified in RFC 4122")
    assert found.int >> 80 == min(max(ms or 0, 0), 2**48 - 1)
    assert (found.int >> 64) % (1 << 12) == hashed >> 116
    assert found.int % (1 << 60) == (hashed >> 52) % (1 << 60)


def test_keys_are_made_where_they_are_asked_for():
    """And are null elsewhere, also where nowhere."""
    rows = pl.Series("k", [{"where": True, "a": "x", "b": None}, {"where": False, "a": "y", "b": "z"}])
    assert keys_where(rows).to_list() == ["x\x1f\x00", None]
    assert keys_where(rows[1:]).to_list() == [None]


def test_a_session_has_an_id_for_each_of_its_days():
    """It begins where that day does; of another owner it is another; without a start there is none."""
    told = [(5, 0, "d"), (5, 1, "d"), (5, 0, "e"), (None, 0, "d"), (5, 0, "d")]
    sessions = pl.Series("s", [{"start": start, "day": day, "owner": owner} for start, day, owner in told])
    first, next_day, others, none, again = session_ids(sessions)
    assert (none, again) == (None, first)
    assert len({first, next_day, others}) == 3
    assert [UUID(one).int >> 80 for one in (first, next_day, others)] == [5, 5 + 86_400_000, 5]
