"""What is joined to a row is what a dictionary has under its key, however the rows come."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from migrate.kit.declare import ROW
from migrate.plan.joined import Index, Joined, Joining
from migrate.readers.records import Chunk

KEYS = st.none() | st.sampled_from(["1", "2", "10", " 1", "é", "x"])
SMALL = st.lists(st.tuples(KEYS, st.none() | st.sampled_from(["1", "2", "b"])), max_size=8)


def index(rows):
    """The index of keys and values."""
    schema = {"key": pl.String, "value": pl.String}
    frame = pl.DataFrame(rows, schema, orient="row")
    return Index(frame["key"], frame)


@given(small=SMALL, rows=st.lists(KEYS, max_size=12), size=st.integers(1, 5))
def test_a_join_is_a_dictionary(small, rows, size):
    """Of rows with one key the last counts; the second join goes by what the first has found."""
    known = {key.strip(): value for key, value in small if key is not None}
    found = index(small)
    joined = Joined([Joining("one", "a", ["value"], found), Joining("two", "one.value", ["value"], found)])
    got, counts = [], {"not_found.one": 0, "not_found.two": 0}
    for start in range(0, len(rows), size):
        frame = pl.DataFrame({"a": rows[start : start + size]}, {"a": pl.String})
        chunk = joined.add(Chunk(frame, [], {"kept": 1}))
        assert chunk.rows.columns == ["a", "one.value", "two.value"]
        assert chunk.rows.schema["two.value"] == pl.String
        got += chunk.rows.rows()
        counts = {name: counts[name] + chunk.counts.get(name, 0) for name in counts}
        assert chunk.counts["kept"] == 1
    first = [None if key is None else known.get(key.strip()) for key in rows]
    second = [None if value is None else known.get(value) for value in first]
    assert got == list(zip(rows, first, second, strict=True))
    assert counts == {
        "not_found.one": sum(key is not None and key.strip() not in known for key in rows),
        "not_found.two": sum(value is not None and value not in known for value in first),
    }


@given(small=SMALL)
def test_rows_that_contradict_each_other_are_counted(small):
    """One that says the same is none of them."""
    told = {(key.strip(), value) for key, value in small if key is not None}
    found = index(small)
    assert found.height == len({key for key, _ in told})
    assert found.conflicts == len({(key, value) for key, value in small if key is not None}) - found.height


def test_without_a_lookup_all_is_null():
    """And counted, as far as there is a key; a join by a column that is not there is left out."""
    rows = pl.DataFrame({ROW: [1, 2], "a": ["1", None]})
    chunk = Joined([Joining("one", "a", ["v"], None), Joining("two", "b", ["v"], None)]).add(Chunk(rows, []))
    assert chunk.rows.rows() == [(1, "1", None), (2, None, None)]
    assert chunk.counts == {"not_found.one": 1}


def test_several_keys_of_a_row_make_a_list():
    """In their order, null for one that is not found, which is counted; a row without keys has none."""
    found = index([("1", 'Pur"chase'), ("200", "Event 1")])
    joined = Joined([Joining("event", "ids", ["value"], found, several=",")])
    ids = ["1,200", None, "200", "1, 9 ,1"]
    chunk = joined.add(Chunk(pl.DataFrame({"ids": ids}, {"ids": pl.String}), []))
    assert chunk.rows["event.value"].to_list() == [
        '["Pur\\"chase","Event 1"]',
        None,
        '["Event 1"]',
        '["Pur\\"chase",null,"Pur\\"chase"]',
    ]
    assert chunk.counts == {"not_found.event": 1}
