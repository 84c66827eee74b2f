"""The event frame, and what rows tell of whole persons and groups: built without a look at any value."""

from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED

from migrate.errors import UsageError
from migrate.kit import events, schemas
from migrate.kit.declare import OWN, PROPERTIES, ROW

NOON = datetime(2024, 4, 3, 12, tzinfo=UTC)
SCHEMA = {
    ROW: pl.Int64,
    "who": pl.String,
    "at": schemas.TIMESTAMP,
    "n": pl.Int64,
    "text": pl.String,
    PROPERTIES: pl.String,
    OWN: pl.String,
}
COMPUTED = {"$n": pl.col("n"), "$at": pl.col("at"), "list": pl.concat_list("n", "n")}
CHOICES = {
    "uuid": [None, pl.col("text")],
    "laid": [None, pl.col(PROPERTIES)],
    "properties": [None, pl.col("text")],
    "rest": [None, pl.col("text")],
    **{name: [None, pl.col("text"), {}, COMPUTED] for name in ("extra", "set", "set_once", "groups")},
}


def rows(*told):
    """Rows of which some columns are told."""
    return pl.LazyFrame([{ROW: place} | row for place, row in enumerate(told, 1)], SCHEMA)


def never_read(frame):
    """The same rows, which cannot be read."""

    def fail(_):
        raise AssertionError("it is looked at the values")

    return frame.map_batches(fail, schema=frame.collect_schema())


def event(frame, **more):
    """The event frame of rows: a name, an id that is a number, a time, a key."""
    return events.events(
        frame,
        event=pl.lit("e"),
        distinct_id=pl.col("n"),
        timestamp=pl.col("at"),
        dedup_key=pl.col(ROW),
        **more,
    )


@COMPARED
@given(chosen=st.fixed_dictionaries({name: st.sampled_from(values) for name, values in CHOICES.items()}))
def test_an_event_frame_is_right_whatever_a_mapping_tells(chosen):
    """Its columns and types, known before any row is read."""
    frame = event(never_read(rows({})), **chosen)
    assert schemas.schema_errors(frame.collect_schema()) == []
    assert event(rows({"n": 7}, {}), **chosen).collect().height == 2


def test_an_event_is_what_is_told_of_it():
    """Ids and keys as text; objects by key, or as the text they are; what is not told is null."""
    told = rows({"n": 7, "at": NOON, "text": '{"a":1}', PROPERTIES: '{"b":2}', OWN: '{"$n":8}'})
    frame = event(told, laid=pl.col(PROPERTIES), extra={"$n": pl.col("n")}, set=pl.col("text"))
    assert frame.collect().row(0, named=True) == {
        ROW: 1,
        "event": "e",
        "distinct_id": "7",
        "timestamp": NOON,
        "dedup_key": "1",
        "uuid": None,
        "laid": '{"b":2}',
        "properties": None,
        "rest": None,
        "extra": {"$n": 7},
        "set": '{"a":1}',
        "set_once": None,
        "groups": None,
        "own": '{"$n":8}',
    }
    assert event(told).collect()["own"].to_list() == [None]


def test_rows_that_only_tell_of_others_are_no_events():
    """In a frame that is right."""
    frame = events.none(rows({"n": 7, "at": NOON})).collect()
    assert schemas.schema_errors(frame.schema) == []
    assert frame.rows() == []


def test_profiles_are_rows_that_tell_of_someone():
    """Without an id, or with nothing told, a row is none; nulls are not told, and text is told as it stands."""
    frame = events.profiles(
        rows(
            {"who": "anna", "at": NOON, "n": 7, "text": '{"first":1}'},
            {"who": None, "n": 7, "text": '{"first":1}'},
            {"who": "ben", "n": None, "text": None},
            {"who": "carl", "n": None, "text": "{}"},
            {"who": "dora", "n": 8, "text": "{}"},
        ),
        distinct_id=pl.col("who"),
        timestamp=pl.col("at"),
        set={"n": pl.col("n"), "none": pl.lit(None, pl.String)},
        set_once=pl.col("text"),
    )
    assert frame.collect_schema() == schemas.PROFILE_SCHEMA
    assert frame.collect().rows() == [
        (1, "anna", NOON, '{"n":7}', '{"first":1}'),
        (5, "dora", None, '{"n":8}', None),
    ]


@pytest.mark.parametrize("timestamp", [None, pl.lit(None, schemas.TIMESTAMP)])
def test_groups_are_rows_that_name_a_type_and_a_key(timestamp):
    """Told by someone or by no one; without a time it is so as of the export."""
    told = rows(
        {"who": "anna", "n": 7, "text": "company"}, {"n": 8, "text": None}, {"n": None, "text": "team"}
    )
    frame, by = (
        events.groups(
            told,
            group_type=pl.col("text"),
            group_key=pl.col("n"),
            timestamp=timestamp,
            properties={"size": pl.col("n") * 2},
            distinct_id=person,
        )
        for person in (None, pl.col("who"))
    )
    assert frame.collect_schema() == by.collect_schema() == schemas.GROUP_SCHEMA
    assert frame.collect().rows() == [(1, None, None, "company", "7", '{"size":14}')]
    assert by.collect().rows() == [(1, "anna", None, "company", "7", '{"size":14}')]


def test_several_frames_are_one():
    """One after another; a key of `extra` is of one type in all of them."""
    one, other = (event(rows({"n": n}), extra={"k": pl.lit(n).cast(pl.Int64)}) for n in (1, 2))
    whole = events.concat([one, other]).collect()
    assert whole.select("distinct_id", "extra").rows() == [("1", {"k": 1}), ("2", {"k": 2})]
    assert schemas.schema_errors(whole.schema) == []


def test_a_branch_without_computed_properties_leaves_those_of_the_others():
    """Polars makes text of a struct where the other frame has text, of which nothing would arrive."""
    whole = events.concat([event(rows({"n": 1}), extra={"$n": pl.col("n")}), event(rows({"n": 2}))])
    assert whole.collect()["extra"].to_list() == [{"$n": 1}, None]


def test_a_struct_beside_text_is_refused():
    """Nobody would see that it is lost."""
    frames = [event(rows({"n": 1}), set={"n": pl.col("n")}), event(rows({"n": 2}), set=pl.lit("{}"))]
    with pytest.raises(UsageError) as refused:
        events.concat(frames)
    assert str(refused.value) == (
        "events.concat: set is made of expressions in one frame and is text in another; make it of expressions in all "
        "of them"
    )
