"""Which events are versions of each other: by the hashes that tell them apart, and as many as are gone."""

from datetime import UTC, datetime

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED

from migrate.kit import expr
from migrate.plan.versions import accepted, hashed, ids, renamed, single
from migrate.workdir.parked import Key

WHEN = datetime(2024, 4, 3, 12, 30, 1, 234_567, tzinfo=UTC)
THREE = ["uuid", "event", "distinct_id"]
events = st.lists(st.tuples(*[st.sampled_from("ab")] * 3), max_size=6, unique=True)


def frame(rows):
    """Events of uuid, name and person, hashed."""
    given_ = pl.DataFrame(rows, dict.fromkeys(THREE, pl.String), orient="row")
    payload, file = pl.lit("{}").alias("payload"), pl.lit("f").alias("file")
    return hashed(given_.with_columns(pl.lit(WHEN).dt.cast_time_unit("us").alias("timestamp"), payload, file))


def sent(rows, *, is_sent=True):
    """The same, of what was sent or is there now."""
    return frame(rows).with_columns(pl.lit(is_sent, pl.Boolean).alias("is_sent"))


def keys(*stamped, who="u"):
    """The keys of events, of uuids and their times."""
    rows = [(uuid, "e", who, when, "{}", "f") for uuid, when in stamped]
    schema = dict.fromkeys(THREE, pl.String) | {"timestamp": pl.Datetime("us", "UTC")}
    return hashed(pl.DataFrame(rows, {**schema, "payload": pl.String, "file": pl.String}, orient="row"))[
        "key"
    ]


def made(key, when):
    """The uuid that is made of a key and a time."""
    asked = pl.DataFrame({"when": [when], "key": [key]}, {"when": pl.Datetime("us", "UTC"), "key": pl.String})
    return asked.select(expr.uuid7(pl.col("when").dt.epoch("ms"), pl.col("key"))).item()


def test_only_a_uuid_that_is_made_here_is_known_at_another_time():
    """By what it is made of: its time is its event's. All others are known by themselves, however they end."""
    later, before = WHEN.replace(day=5), datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)
    one, two, other = (keys((made("k", when), when)).item() for when in (WHEN, later, before))
    assert one == two == other
    assert keys((made("k", WHEN), WHEN), who="v").item() != one
    assert keys((made("l", WHEN), WHEN)).item() != one
    assert keys((made("k", WHEN), later)).item() != one
    tail = "-5a3c-11f0-9b1c-0242ac120002"
    assert keys((f"00000001{tail}", WHEN), (f"00000002{tail}", WHEN)).n_unique() == 2
    assert keys((f"00000001{tail}", WHEN), (f"00000001{tail}", later)).n_unique() == 1


def test_an_event_is_known_by_all_that_tells_it_apart():
    """Whatever stands between the three."""
    rows = [("a", "b", "c"), ("ab", "", "c"), ("a", "bc", ""), ("b", "a", "c"), ("a", "c", "b")]
    found = frame(rows)
    assert found["id"].n_unique() == len(rows)
    three = pl.DataFrame(rows, dict.fromkeys(THREE, pl.String), orient="row")
    assert found["id"].equals(ids(three.with_columns(timestamp=pl.lit(WHEN))))
    later = ids(three.with_columns(timestamp=pl.lit(WHEN.replace(hour=23))))
    assert later.equals(found["id"])
    assert not {*ids(three.with_columns(timestamp=pl.lit(WHEN.replace(day=4))))} & {*later}


def test_what_was_refused_is_one_event_of_its_uuid():
    """That one; where a uuid stands for none that was refused so, its name was mended, and all of it is meant."""
    found = frame([("a", "e", "u"), ("a", "f", "u"), ("b", "e", "u"), ("c", "e", "u")])
    day = "2024-04-03"
    refused = [Key(day, "a", "f", "u"), Key(day, "b", "mended", "u"), Key("2024-04-04", "c", "e", "u")]
    assert accepted(found, refused).to_list() == [True, False, False, True]
    assert accepted(found, []).to_list() == [True] * 4
    assert accepted(found.clear(), refused).len() == 0


@given(events, events)
@COMPARED
def test_each_event_that_is_gone_answers_once_and_nothing_is_lost(old, now):
    """Of one uuid; what is left and what is paired are together what there was, and pairs no more than those gone."""
    gone = sent([one for one in old if one not in now])
    new = sent([one for one in now if one not in old], is_sent=None)
    pairs, left, fresh = renamed(gone, new)
    assert sorted([*pairs["id"], *fresh["id"]]) == sorted(new["id"])
    assert set(left["id"]) <= set(gone["id"])
    assert pairs.height == gone.height - left.height
    assert set(pairs["uuid"]) <= set(gone["uuid"])
    for uuid in set(gone["uuid"]) & set(new["uuid"]):
        counts = [one.filter(pl.col("uuid") == uuid).height for one in (gone, new)]
        if counts[0] == counts[1]:
            assert not fresh.filter(pl.col("uuid") == uuid).height
    assert pairs["is_sent"].all()


def test_keys_that_stand_there_once():
    """Others say nothing."""
    found = pl.DataFrame({"key": [1, 2, 2, 3]}, {"key": pl.UInt64})
    assert sorted(single(found)["key"]) == [1, 3]
