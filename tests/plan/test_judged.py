"""Events that PostHog would refuse or could not store are rejects; of the others it is counted what they are."""

import json

import polars as pl
import pytest
from frames import IMPRINT, LATER, event_frame
from frames import table as renaming

from migrate.jsontext.careful import MAX_DEPTH
from migrate.payload import special
from migrate.payload.payloads import MAX_RECORD_BYTES
from migrate.plan.judged import NOTHING_REJECTED, judged
from migrate.plan.transform import Transform
from migrate.workdir.records import Numbers

TRANSFORM = Transform(table=renaming(), imprint=IMPRINT)


def judge(frame, before=NOTHING_REJECTED):
    """The rows that are events, the rejects, and what is counted."""
    numbers = Numbers()
    kept, rejects = judged(frame, TRANSFORM, LATER, numbers, before)
    return kept["_row"].to_list(), rejects.select("_row", "reason", "value").rows(), numbers


def nested(depth):
    """An object that makes a payload this deep."""
    return '{"a":' * (depth - 1) + "1" + "}" * (depth - 1)


def test_a_row_is_one_reject_for_the_reason_found_first():
    """What was rejected before is no event, whatever else is wrong with it."""
    before = pl.DataFrame([(1, "bad_json", "x"), (2, "bad_json", "y")], special.REJECTS, orient="row")
    frame = event_frame({}, {"distinct_id": "null"}, {"distinct_id": "x" * 500}, {})
    kept, rejects, _ = judge(frame, before)
    assert kept == [4]
    assert [(row, reason) for row, reason, _ in rejects] == [
        (1, "bad_json"),
        (2, "bad_json"),
        (3, "distinct_id_too_long"),
    ]


def test_what_posthog_could_not_store_is_said_with_its_size():
    """As it would be stored: characters that are escaped there count double."""
    quotes = json.dumps({"a": '"' * (MAX_RECORD_BYTES // 3)})
    plain = json.dumps({"a": "x" * (MAX_RECORD_BYTES // 3)})
    large = json.dumps({"a": "x" * (MAX_RECORD_BYTES - 3_000)})
    kept, rejects, numbers = judge(event_frame({"laid": quotes}, {"laid": plain}, {"laid": large}))
    assert kept == [2, 3]
    assert (numbers.warnings, numbers.examples) == ({"large_event": 1}, {"large_event": ["3"]})
    ((row, reason, value),) = rejects
    assert (row, reason) == (1, "too_large")
    found, _, said = value.partition(" ")
    assert said == f"bytes as PostHog stores it, the limit is {MAX_RECORD_BYTES}"
    assert int(found) >= MAX_RECORD_BYTES


@pytest.mark.parametrize(("depth", "fits"), [(MAX_DEPTH, True), (MAX_DEPTH + 1, False)])
def test_what_is_nested_too_deep_is_a_reject(depth, fits):
    """The whole payload counts."""
    kept, rejects, _ = judge(event_frame({"laid": nested(depth)}, {}))
    assert kept == ([1, 2] if fits else [2])
    assert rejects == ([] if fits else [(1, "nested_too_deep", f"deeper than {MAX_DEPTH} levels")])


def test_only_what_is_planned_is_warned_of():
    """With its first row; a reject is told of as a reject."""
    before = pl.DataFrame([(1, "bad_json", "x")], special.REJECTS, orient="row")
    exception = {"event": "$exception", "extra": '{"$exception_list":[{"type":"E","value":"v"}]}'}
    frame = event_frame(exception, {}, exception, exception, exception | {"distinct_id": ""})
    kept, _, numbers = judge(frame, before)
    assert kept == [2, 3, 4]
    assert (numbers.warnings, numbers.examples) == ({"exception_lane": 2}, {"exception_lane": ["3"]})


@pytest.mark.parametrize("as_text", [True, False])
def test_group_types_are_those_that_any_event_names(as_text):
    """Not those of a struct that no row fills."""
    groups = [{"team": "red", "shop": None, "none": None}, {"team": None, "shop": "one", "none": None}]
    rows = [{"groups": json.dumps({k: v for k, v in one.items() if v}) if as_text else one} for one in groups]
    structs = None if as_text else {"groups": pl.Struct(dict.fromkeys(groups[0], pl.String))}
    assert judge(event_frame(*rows, {}, structs=structs))[2].group_types == {"team", "shop"}
