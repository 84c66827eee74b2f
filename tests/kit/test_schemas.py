"""What comes out of a mapping is an event frame, or it is said column by column what is wrong with it."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED

from migrate.kit.declare import ROW
from migrate.kit.schemas import OBJECT_COLUMNS, TEXT_COLUMNS, TIMESTAMP, schema_errors

RIGHT = {ROW: pl.Int64, "timestamp": TIMESTAMP} | dict.fromkeys((*TEXT_COLUMNS, *OBJECT_COLUMNS), pl.String)


@COMPARED
@given(
    order=st.permutations([*RIGHT]),
    structs=st.sets(st.sampled_from(OBJECT_COLUMNS)),
    gone=st.sets(st.sampled_from([*RIGHT]), max_size=3),
    wrong=st.sets(st.sampled_from([*RIGHT]), max_size=3),
    more=st.sets(st.sampled_from(["_rest", "Event", "user_id"])),
)
def test_each_column_that_is_wrong_is_named_and_no_other(order, structs, gone, wrong, more):
    """In any order of the columns, an object as a struct or as text."""
    known = RIGHT | dict.fromkeys(structs, pl.Struct({"a": pl.Int8})) | dict.fromkeys(wrong, pl.Boolean)
    schema = {name: known[name] for name in order if name not in gone} | dict.fromkeys(more, pl.String)
    named = [error.partition(":")[0] for error in schema_errors(pl.Schema(schema))]
    assert sorted(named) == sorted(gone | wrong | more)


def test_what_is_wrong_is_said_with_what_was_found():
    """A sentence each."""
    zoneless = RIGHT | {"timestamp": pl.Datetime("us"), "extra": pl.Int64, "user": pl.String}
    del zoneless["uuid"]
    assert schema_errors(pl.Schema(zoneless)) == [
        "timestamp: expected Datetime(time_unit='us', time_zone='UTC'), found Datetime(time_unit='us', time_zone=None)",
        "uuid: expected String, found None",
        "extra: expected a struct or text, found Int64",
        "user: not a column of the event frame",
    ]
