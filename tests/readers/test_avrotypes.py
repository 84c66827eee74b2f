"""Avro's types become Arrow's by the file's schema alone, never by the values that happen to be there."""

import json
from collections import Counter
from decimal import Decimal

import fastavro
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED

from migrate.readers.avrotypes import plain, typed

DAY = 86_400_000_000


def column(schema, values):
    """The column that values of a schema come to, and what was lost of it."""
    counts = Counter()
    return typed(schema, {}, ()).array(values, counts), counts


def logical(kind, name, **more):
    """A type with a logical type."""
    return {"type": kind, "logicalType": name, **more}


def of_schema(schema):
    """Values of a schema, as fastavro decodes them."""
    if isinstance(schema, list):
        return st.one_of(*map(of_schema, schema))
    if isinstance(schema, dict):
        if schema["type"] == "array":
            return st.lists(of_schema(schema["items"]), max_size=3)
        return st.fixed_dictionaries({one["name"]: of_schema(one["type"]) for one in schema["fields"]})
    texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
    simple = {"null": st.none(), "long": st.integers(-(2**63), 2**63 - 1), "string": texts}
    return simple[schema] if schema in simple else st.booleans()


SCHEMAS = st.recursive(
    st.sampled_from(["long", "string", "boolean", ["null", "long"], ["string", "null"]]),
    lambda inner: (
        st.builds(lambda items: {"type": "array", "items": items}, inner)
        | st.builds(
            lambda types: {
                "type": "record",
                "name": "R",
                "fields": [{"name": f"f{place}", "type": one} for place, one in enumerate(types)],
            },
            st.lists(inner, min_size=1, max_size=3),
        )
    ),
    max_leaves=5,
)


@COMPARED
@given(data=st.data(), schema=SCHEMAS)
def test_values_are_kept_and_their_type_is_the_schemas(data, schema):
    """Whichever of them are there, and be it none."""
    values = data.draw(st.lists(of_schema(schema), max_size=4), label="values")
    found, counts = column(schema, values)
    assert found.to_pylist() == values
    assert found.type == column(schema, [])[0].type
    assert not counts


@pytest.mark.parametrize(
    ("schema", "fine", "beyond"),
    [
        pytest.param(logical("int", "date"), [-719_162, 2_932_896], [-719_163, 2_932_898], id="date"),
        pytest.param(
            logical("long", "timestamp-micros"),
            [-62_135_596_800_000_000, 253_402_300_799_999_999],
            [-62_135_596_800_000_001, 253_402_300_801_000_000],
            id="microseconds",
        ),
        pytest.param(
            logical("long", "local-timestamp-millis"),
            [-62_135_596_800_000, 253_402_300_799_999],
            [-62_135_596_800_001, 253_402_300_801_000],
            id="milliseconds",
        ),
        pytest.param(logical("long", "time-micros"), [0, DAY - 1], [-1, DAY], id="clock"),
    ],
)
def test_a_time_that_no_calendar_or_clock_has_is_nothing_and_counted(schema, fine, beyond):
    """Also inside of others; the first and the last that there is are kept."""
    found, counts = column({"type": "array", "items": schema}, [fine, [*beyond, None], None])
    assert [found[0].as_py(), found[2].as_py()] == [column(schema, fine)[0].to_pylist(), None]
    assert None not in found[0].as_py()
    assert found[1].as_py() == [None, None, None]
    assert counts == {"impossible_time": 2}


def test_a_decimal_keeps_all_of_its_digits():
    """As text where Arrow has no room for so many; more than were declared are nothing, and counted."""
    digits = int("1234567890" * 6)
    stored = digits.to_bytes(26, "big")
    wide, counts = column(logical("bytes", "decimal", precision=60, scale=7), [stored, b"\xff"])
    assert wide.to_pylist() == [f"{str(digits)[:-7]}.{str(digits)[-7:]}", "-0.0000001"]
    assert not counts
    narrow, counts = column(logical("bytes", "decimal", precision=9, scale=2), [stored, b"\x00\x96"])
    assert narrow.to_pylist() == [None, Decimal("1.50")]
    assert counts == {"impossible_number": 1}


def test_what_has_no_type_of_its_own_is_text():
    """Unions of several types, and types inside of themselves: strings as they are, all else as JSON."""
    anything, _ = column(["null", "long", "string", "boolean"], [None, 2**60, "x", True])
    assert anything.to_pylist() == [None, str(2**60), "x", "true"]
    tree = {
        "type": "record",
        "name": "Tree",
        "fields": [{"name": "n", "type": "long"}, {"name": "next", "type": ["null", "Tree"]}],
    }
    value = {"n": 1, "next": {"n": 2, "next": {"n": 3, "next": None}}}
    (found,) = column(tree, [value])[0].to_pylist()
    assert (found["n"], json.loads(found["next"])) == (1, value["next"])
    assert column(["null", "int", "long"], [])[0].type == pa.int64()


def test_a_type_is_told_by_the_name_it_was_given_before():
    """As fastavro tells a named type that is used again."""
    schema = {
        "type": "record",
        "name": "a.Row",
        "fields": [
            {"name": "one", "type": {"type": "enum", "name": "Kind", "symbols": ["x", "y"]}},
            {"name": "other", "type": ["null", "Kind"]},
        ],
    }
    found, _ = column(
        fastavro.parse_schema(schema), [{"one": "x", "other": "y"}, {"one": "y", "other": None}]
    )
    assert found.to_pylist() == [{"one": "x", "other": "y"}, {"one": "y", "other": None}]


def test_a_schema_without_logical_types_is_otherwise_the_same():
    """At any depth; so numbers come as they are stored, also those that Python has no time for."""
    schema = {"type": "record", "name": "R", "fields": [
        {"name": "t", "type": ["null", logical("long", "timestamp-millis")], "doc": "when"}]}  # fmt: skip
    assert plain(schema) == {"type": "record", "name": "R", "fields": [
        {"name": "t", "type": ["null", {"type": "long"}], "doc": "when"}]}  # fmt: skip
