"""Typed columns become text: times as ISO 8601, numbers in plain digits, nested values as JSON."""

import json
import struct
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED, same

from migrate.readers import arrow
from migrate.readers.records import ROUNDED

NOON = datetime(2024, 4, 3, 12)  # noqa: DTZ001 - a time as a file without zones has it


def framed(column):
    """A column of Arrow as the readers have it, called `x`."""
    return pl.DataFrame({"x": pl.Series(arrow.simple(column, Counter()))})


def cells(column, how=arrow.text):
    """The cells that a column of Arrow comes to."""
    frame = framed(column)
    return frame.select(how(pl.col("x"), frame.schema["x"]).alias("cell"))["cell"].to_list()


def tallied(column, rule):
    """For how many values of each row a rule holds; None where it holds for no such type."""
    frame = framed(column)
    found = arrow.tally(pl.col("x"), frame.schema["x"], rule)
    return found if found is None else frame.select(count=found.fill_null(0))["count"].to_list()


def of_offsets(kind, offsets, **parts):
    """An array whose values are told by offsets, as a file has them: nothing is checked."""
    packed = pa.py_buffer(struct.pack(f"<{len(offsets)}i", *offsets))
    more = [pa.py_buffer(parts["data"])] if "data" in parts else []
    return pa.Array.from_buffers(
        kind, len(offsets) - 1, [None, packed, *more], children=parts.get("children")
    )


INNER = st.fixed_dictionaries(
    {
        "n": st.none() | st.integers(-(2**63), 2**63 - 1),
        "s": st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
        "f": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "list": st.none() | st.lists(st.none() | st.booleans(), max_size=3),
    }
)
MEMBERS = pa.struct(
    [("n", pa.int64()), ("s", pa.string()), ("f", pa.float64()), ("list", pa.list_(pa.bool_()))]
)


@COMPARED
@given(values=st.lists(st.none() | st.lists(st.none() | INNER, max_size=3), min_size=1, max_size=4))
def test_nested_values_are_json_of_the_same_values(values):
    """Nothing stays nothing, at any depth."""
    found = cells(pa.array(values, pa.list_(MEMBERS)))
    assert [text is None for text in found] == [value is None for value in values]
    assert all(
        same(json.loads(text), value) for text, value in zip(found, values, strict=True) if text is not None
    )


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        pytest.param(pa.array([b"x\xc3\xa9"]), "xé", id="bytes that are text"),
        pytest.param(pa.array([b"\xff\x01"]), "ff01", id="bytes that are none"),
        pytest.param(pa.array([b"\xff", b"\xff"]).dictionary_encode()[:1], "ff", id="of a dictionary"),
        pytest.param(
            pa.array([Decimal("1" * 50 + ".50")], pa.decimal256(60, 2)), "1" * 50 + ".50", id="wide"
        ),
        pytest.param(pa.array([86_400_000], pa.date64()), "1970-01-02", id="a date in milliseconds"),
        pytest.param(
            pa.array([{"a": [(7, b"\xff")]}], pa.struct([("a", pa.map_(pa.int8(), pa.binary()))])),
            '{"a":{"7":"ff"}}',
            id="nested",
        ),
        pytest.param(pa.array([NOON]), "2024-04-03T12:00:00.000000", id="a time without a zone"),
        pytest.param(
            pa.array([NOON], pa.timestamp("ns", "Asia/Tokyo")), "2024-04-03T12:00:00.000000Z", id="with one"
        ),
        pytest.param(pa.array([timedelta(seconds=1.5)], pa.duration("ms")), "1500", id="a length of time"),
        pytest.param(pa.array([float("inf")]), None, id="no number"),
    ],
)
def test_a_value_as_text(column, cell):
    """As it can be read, in the digits that it has."""
    assert cells(column) == [cell]


@COMPARED
@given(
    number=st.integers(-(2**62), 2**62) | st.sampled_from([2**24 - 1, 2**24, 2**53 - 1, 2**53, -(2**53)]),
    kind=st.sampled_from([pa.int64(), pa.float64(), pa.float32(), pa.decimal128(38, 2)]),
)
def test_an_id_is_a_whole_number_whatever_type_holds_it(number, kind):
    """A float that stands for several whole numbers, as it may have been rounded, is marked."""
    value = {pa.decimal128(38, 2): Decimal, pa.int64(): int}.get(kind, float)(number)
    (cell,) = cells(pa.array([value], kind), arrow.identifier)
    exact = {pa.float64(): 2**53, pa.float32(): 2**24}.get(kind)
    if exact is None or abs(number) < exact:
        assert cell == str(number)
    else:
        assert cell.startswith(ROUNDED)


def test_text_that_is_none_is_mended_and_counted():
    """Each cell once; what is damaged otherwise is no column."""
    counts = Counter()
    text = of_offsets(pa.string(), [0, 2, 4, 6], data=b"\xff\xffab\xc3c")
    assert arrow.simple(text, counts).to_pylist() == ["\ufffd\ufffd", "ab", "\ufffdc"]
    assert counts == {"invalid_utf8": 2}
    damaged = of_offsets(pa.list_(pa.int8()), [0, 3, 2], children=[pa.array([1, 2, 3], pa.int8())])
    with pytest.raises(pa.ArrowInvalid, match="non-monotonic offset"):
        arrow.simple(damaged, counts)


BAD = of_offsets(pa.string(), [0, 2, 4, 6], data=b"\xffabcde")
"""Three texts of which the first is no UTF-8."""
NUMBERS = pa.array([1, 2, 3])


def bad_as(kind):
    """The same texts of another type, unchecked."""
    plain = {pa.large_string(): pa.large_binary(), pa.string_view(): pa.binary_view()}[kind]
    return pa.Array.from_buffers(kind, 3, BAD.cast(pa.binary()).cast(plain).buffers())


@pytest.mark.parametrize(
    ("column", "found", "count"),
    [
        pytest.param(BAD, ["\ufffda", "bc", "de"], 1, id="alone"),
        pytest.param(bad_as(pa.large_string()), ["\ufffda", "bc", "de"], 1, id="large"),
        pytest.param(bad_as(pa.string_view()), ["\ufffda", "bc", "de"], 1, id="a view"),
        pytest.param(
            pa.DictionaryArray.from_arrays([0, 1, None, 0], BAD),
            ["\ufffda", "bc", None, "\ufffda"],
            2,
            id="words",
        ),
        pytest.param(
            pa.StructArray.from_arrays(
                [BAD, pa.array([b"\xff", b"x", None])], ["s", "b"], mask=pa.array([False, False, True])
            ),
            [{"s": "\ufffda", "b": "ff"}, {"s": "bc", "b": "x"}, None],
            1,
            id="beside bytes",
        ),
        pytest.param(
            pa.StructArray.from_arrays([bad_as(pa.string_view())], ["s"])[:2],
            [{"s": "\ufffda"}, {"s": "bc"}],
            1,
            id="a view in a struct",
        ),
        pytest.param(
            pa.StructArray.from_arrays([pa.DictionaryArray.from_arrays([0, 0], BAD)], ["s"]),
            [{"s": "\ufffda"}, {"s": "\ufffda"}],
            2,
            id="words in a struct",
        ),
        pytest.param(
            pa.ListArray.from_arrays([0, 2, None, 3], BAD), [["\ufffda", "bc"], ["de"], None], 1, id="lists"
        ),
        pytest.param(pa.ListArray.from_arrays([0, 1, 3], BAD)[:1], [["\ufffda"]], 1, id="the first list"),
        pytest.param(pa.ListArray.from_arrays([0, 1, 3], BAD)[1:], [["bc", "de"]], 0, id="the other list"),
        pytest.param(
            pa.LargeListArray.from_arrays([0, 0, 3], bad_as(pa.large_string())),
            [[], ["\ufffda", "bc", "de"]],
            1,
            id="large lists",
        ),
        pytest.param(
            pa.FixedSizeListArray.from_arrays(BAD, 1)[:2], [["\ufffda"], ["bc"]], 1, id="lists of one size"
        ),
        pytest.param(
            pa.MapArray.from_arrays([0, 1, 3], BAD, NUMBERS),
            [[("\ufffda", 1)], [("bc", 2), ("de", 3)]],
            1,
            id="keys",
        ),
        pytest.param(
            pa.MapArray.from_arrays([0, 1, 3], NUMBERS, BAD),
            [[(1, "\ufffda")], [(2, "bc"), (3, "de")]],
            1,
            id="values",
        ),
        pytest.param(
            pa.ListArray.from_arrays(
                [0, 3],
                pa.StructArray.from_arrays([pa.MapArray.from_arrays([0, 1, 1, 3], NUMBERS, BAD)], ["m"]),
            ),
            [[{"m": [(1, "\ufffda")]}, {"m": []}, {"m": [(2, "bc"), (3, "de")]}]],
            1,
            id="deep",
        ),
    ],
)
def test_text_that_is_none_is_mended_at_any_depth(column, found, count):
    """In whatever type it is; the type is that of sound text, so that the batches of a file are put together."""
    counts = Counter()
    mended = arrow.simple(column, counts)
    mended.validate(full=True)
    assert (mended.to_pylist(), counts["invalid_utf8"]) == (found, count)
    assert mended.type == arrow.simple(column.slice(0, 0), counts).type


def test_damage_beside_text_that_is_none_is_damage():
    """Nothing is counted of a column that is not read."""
    counts = Counter()
    damaged = of_offsets(pa.list_(pa.int8()), [0, 3, 2], children=[pa.array([1, 2, 3], pa.int8())])
    with pytest.raises(pa.ArrowInvalid, match="Struct child array #1 invalid"):
        arrow.simple(pa.StructArray.from_arrays([BAD[:2], damaged], ["s", "d"]), counts)
    with pytest.raises(pa.ArrowInvalid, match="non-monotonic offset"):
        arrow.simple(of_offsets(pa.string(), [0, 3, 2, 6], data=b"\xffabcde"), counts)
    assert not counts


@pytest.mark.parametrize("unit", ["s", "ms", "us"])
def test_times_that_no_calendar_has_are_nothing_and_counted(unit):
    """Beyond the years 1 to 9999, to the microsecond, at any depth."""
    per_second = {"s": 1, "ms": 1_000, "us": 1_000_000}[unit]
    least, most = -62_135_596_800 * per_second, 253_402_300_800 * per_second - 1
    nested = pa.array([[[least - 1, most]], [[least], [most + 1, least - 1]]], pa.list_(pa.list_(pa.int64())))
    times = nested.cast(pa.list_(pa.list_(pa.timestamp(unit, "UTC"))))
    found = [json.loads(cell) for cell in cells(times)]
    assert [[[time and time[:19] for time in inner] for inner in outer] for outer in found] == [
        [[None, "9999-12-31T23:59:59"]],
        [["0001-01-01T00:00:00"], [None, None]],
    ]
    assert tallied(times, arrow.is_impossible) == [1, 2]


def test_digits_below_microseconds_are_cut_and_counted():
    """Of each time in a row; types that have none have nothing to count."""
    whole = int(NOON.replace(tzinfo=UTC).timestamp()) * 10**9
    dtype = pa.struct([("a", pa.timestamp("ns", "UTC")), ("b", pa.list_(pa.timestamp("ns")))])
    column = pa.array([{"a": whole + 1_999, "b": [whole, whole + 1]}, {"a": whole + 1_000, "b": None}], dtype)
    assert json.loads(cells(column)[0]) == {
        "a": "2024-04-03T12:00:00.000001Z",
        "b": ["2024-04-03T12:00:00.000000", "2024-04-03T12:00:00.000000"],
    }
    assert tallied(column, arrow.is_finer) == [2, 0]
    assert tallied(pa.array([[NOON]], pa.list_(pa.timestamp("us"))), arrow.is_finer) is None
