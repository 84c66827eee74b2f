"""Event frames become payloads: strict JSON, the right members, the same bytes everywhere."""

import json
import math
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import polars as pl
import pytest
from frames import FORCED, IMPRINT, NOON, event_frame, made, properties, strict, table
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import examples

from migrate import VERSION
from migrate.payload import payloads
from migrate.sandbox import capture, requests

LIBRARY = {"$lib": "posthog-migrate", "$lib_version": VERSION}

# What a bag may hold that the columns, the renames or the tool hold too.
NAMES = (
    *("price", "old", "new", "old2", "gone", "url/path", 'say "hi"', "Größe", "😀", "a\\b", "tab\t"),
    *("$lib", "$lib_version", "$set", "$set_once", "$groups", "$geoip_disable", "$process_person_profile"),
    *("historical_migration", "analytics_source", "$import_job_id", "uuid", "properties", ""),
)
RENAME = {"old": "new", "old2": "new", "gone": None, "url/path": "$pathname", "Größe": "size"}
EXTRA = {
    "price": pl.Float64,
    "url/path": pl.String,
    "$lib": pl.String,
    "$set": pl.String,
    'say "hi"': pl.Int64,
}
EXTRA |= {"Größe": pl.Boolean, "😀": pl.List(pl.String), "$geoip_disable": pl.Boolean, "tab\t": pl.String}

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts
scalars |= st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(
    ['"$lib":', '{"$lib":1}', "}{", "\\"]
)
keys = st.sampled_from(NAMES) | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(keys, values, max_size=6)
extras = st.fixed_dictionaries(
    {
        name: st.none()
        | {
            pl.Float64: st.floats(allow_nan=False, allow_infinity=False),
            pl.Int64: st.integers(-(2**53), 2**53),
            pl.Boolean: st.booleans(),
            pl.String: texts,
        }.get(dtype, st.lists(texts, max_size=2))
        for name, dtype in EXTRA.items()
    }
)


@st.composite
def spelled(draw, some):
    """An object's text, as some writer spells it; or nothing."""
    value = draw(st.none() | some)
    if value is None:
        return None, None
    blank = draw(st.sampled_from(["", " ", "\n\t"]))
    text = json.dumps(
        value,
        ensure_ascii=draw(st.booleans()),
        indent=draw(st.sampled_from([None, 1])),
        separators=draw(st.sampled_from([None, (",", ":"), (" , ", " : ")])),
    )
    if draw(st.booleans()):
        text = text.replace("$", "\\u0024").replace("/", "\\/")
    return value, blank + ("{ }" if text == "{}" else text) + blank


rows = st.fixed_dictionaries(
    {
        "properties": spelled(objects),
        "rest": spelled(objects),
        "set_once": spelled(objects),
        "groups": spelled(objects),
        "extra": st.none() | extras,
        "set": st.none()
        | st.fixed_dictionaries({"name": st.none() | texts, "age": st.none() | st.integers(0, 9)}),
        "distinct_id": st.sampled_from(["u-1", "anonymous"]),
        "event": st.sampled_from(["e", 'a "b"', "$pageview"]),
    }
)
STRUCTS = {"extra": pl.Struct(EXTRA), "set": pl.Struct({"name": pl.String, "age": pl.Int64})}


def renamed(bag):
    """A bag's members under their new names: none is lost, nulls give way."""
    found = {key: value for key, value in bag.items() if key not in RENAME}
    for key, target in RENAME.items():
        if key in bag and target is not None:
            found[key if found.get(target) is not None else target] = bag[key]
    return found


def expected(row):
    """The properties of a row, computed the simple way."""
    merged = renamed(row["properties"][0] or {})
    for key, value in renamed(row["rest"][0] or {}).items():
        if merged.get(key) is None:
            merged[key] = value
    merged = {key: value for key, value in merged.items() if value is not None}
    for key, value in (row["extra"] or {}).items():
        if value is not None:
            merged[key] = value
    person = {key: value for key, value in (row["set"] or {}).items() if value is not None}
    objects = {"$set": person, "$set_once": row["set_once"][0], "$groups": row["groups"][0]}
    merged |= {key: value for key, value in objects.items() if value}
    merged |= FORCED | ({"$process_person_profile": False} if row["distinct_id"] == "anonymous" else {})
    if "$lib" not in merged:
        merged = LIBRARY | merged
    return merged


def framed(given_rows):
    """The event frame of hypothesis' rows."""
    spelled_out = [
        {key: value[1] if isinstance(value, tuple) else value for key, value in row.items()}
        for row in given_rows
    ]
    return event_frame(*spelled_out, structs=STRUCTS)


@settings(max_examples=examples(100))
@given(st.lists(rows, min_size=1, max_size=12))
@pytest.mark.law
def test_every_payload_is_strict_json_and_says_what_the_row_says(given_rows):
    """Whatever bag, rest, extra, person properties and groups hold, the payload is their merge, no key twice."""
    done = made(framed(given_rows), RENAME)
    assert done.frame.height == len(given_rows)
    for row, text in zip(given_rows, done.frame["payload"], strict=True):
        found = strict(text)
        assert list(found) == ["event", "distinct_id", "timestamp", "uuid", "properties"]
        assert (found["event"], found["distinct_id"]) == (row["event"], row["distinct_id"])
        assert found["properties"] == expected(row)
        assert msgspec.json.decode(text)["properties"] == found["properties"]


@settings(max_examples=examples(50))
@given(st.lists(rows, min_size=2, max_size=12), st.data())
@pytest.mark.law
def test_a_payload_depends_on_its_row_alone(given_rows, data):
    """The same row gives the same bytes, whatever other rows are in the frame and in whatever order."""
    frame = framed(given_rows)
    whole = dict(made(frame, RENAME).frame.select("_row", "payload").iter_rows())
    some = data.draw(st.lists(st.sampled_from(range(len(given_rows))), unique=True, min_size=1))
    part = dict(made(frame[some], RENAME).frame.select("_row", "payload").iter_rows())
    assert part == {number + 1: whole[number + 1] for number in some}


FOLDERS = [str(folder) for folder in Path(__file__).parents[:2]]
PROCESS = """
import sys
sys.path[:0] = {folders!r}
from test_payloads import FIXED, framed, made, RENAME
print("\\n".join(made(framed(FIXED), RENAME).frame["payload"]))
"""
PLAIN = {
    "properties": (None, '{"a": 1}'),
    "rest": (None, None),
    "set_once": (None, None),
    "groups": (None, None),
}
PLAIN |= {"extra": None, "set": None, "distinct_id": "u-1", "event": "e"}
FIXED = [
    PLAIN,
    PLAIN | {"rest": (None, '{"b": 2, "old": 3}'), "distinct_id": "null"},
    PLAIN | {"properties": (None, '{"price": 1, "x": null}'), "extra": dict.fromkeys(EXTRA) | {"price": 2.5}},
    PLAIN | {"properties": (None, '{"big": 9007199254740993}'), "set": {"name": "Ada", "age": None}},
]


@pytest.mark.parametrize(
    ("seed", "threads"), [pytest.param("1", "1", id="one"), pytest.param("77", "2", id="two")]
)
def test_another_process_makes_the_same_bytes(seed, threads):
    """Neither the hash seed nor the number of threads is in a payload."""
    here = "\n".join(made(framed(FIXED), RENAME).frame["payload"])
    run = subprocess.run(
        [sys.executable, "-c", PROCESS.format(folders=FOLDERS)],
        env=os.environ | {"PYTHONHASHSEED": seed, "POLARS_MAX_THREADS": threads},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.rstrip("\n") == here


def test_an_event_looks_like_this():
    """The root has five keys; the bag stands first, then what is computed, then where it came from."""
    row = {
        "properties": '{"plan":"pro"}',
        "extra": {"$os": "iOS"},
        "set": {"name": "Ada"},
        "groups": '{"org":"x"}',
    }
    structs = {"extra": pl.Struct({"$os": pl.String}), "set": pl.Struct({"name": pl.String})}
    (text,) = made(event_frame(row, structs=structs)).frame["payload"]
    assert text == (
        '{"event":"e","distinct_id":"u-1","timestamp":"2024-04-03T12:00:00.000000Z",'
        '"uuid":"018ea3d4-8e00-7b59-9c99-4d99b5f81579","properties":{"plan":"pro","$os":"iOS",'
        '"$set":{"name":"Ada"},"$groups":{"org":"x"},"$geoip_disable":true,"historical_migration":true,'
        f'"analytics_source":"test","$import_job_id":"import-1","$lib":"posthog-migrate","$lib_version":"{VERSION}"}}}}'
    )


@pytest.mark.parametrize(
    ("time", "text"),
    [
        pytest.param(datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00.000000Z", id="year_1"),
        pytest.param(
            datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC), "1969-12-31T23:59:59.999999Z", id="before_1970"
        ),
        pytest.param(NOON + timedelta(microseconds=7), "2024-04-03T12:00:00.000007Z", id="microseconds"),
    ],
)
def test_times_are_rfc_3339_in_utc(time, text):
    """Every timestamp has a zone and six decimals."""
    assert strict(made(event_frame({"timestamp": time})).frame["payload"][0])["timestamp"] == text


@pytest.mark.parametrize(
    ("bag", "library"),
    [
        pytest.param("{}", LIBRARY, id="none"),
        pytest.param('{"$lib":"web"}', {"$lib": "web"}, id="own"),
        pytest.param(
            '{"$lib_version":"2"}', {"$lib": "posthog-migrate", "$lib_version": "2"}, id="version_alone"
        ),
        pytest.param('{"a":"\\"$lib\\":1"}', LIBRARY, id="inside_a_string"),
        pytest.param('{"a":"$lib"}', LIBRARY, id="as_a_value"),
        pytest.param('{"a":{"$lib":"web"}}', LIBRARY, id="deeper"),
        pytest.param('{"\\u0024lib":"web"}', {"$lib": "web"}, id="escaped"),
        pytest.param('{"$lib":null}', LIBRARY, id="null"),
    ],
)
def test_the_library_is_ours_where_the_source_names_none(bag, library):
    """A `$lib` of the bag's own root stays and no second one comes beside it."""
    (found,) = properties(event_frame({"properties": bag}))
    assert {key: value for key, value in found.items() if key.startswith("$lib")} == library


@pytest.mark.parametrize(
    ("bag", "rest", "found"),
    [
        pytest.param('{"old":1}', None, {"new": 1}, id="renamed"),
        pytest.param('{"gone":1,"a":2}', None, {"a": 2}, id="dropped_by_name"),
        pytest.param('{"old":1,"new":2}', None, {"new": 2, "old": 1}, id="own_name_wins_and_none_is_lost"),
        pytest.param('{"old":1,"new":null}', None, {"new": 1}, id="null_gives_way"),
        pytest.param('{"old2":1,"old":2}', None, {"new": 2, "old2": 1}, id="two_of_one_name"),
        pytest.param('{"a":1}', '{"a":2,"b":3}', {"a": 1, "b": 3}, id="rest_yields"),
        pytest.param('{"a":null}', '{"a":2}', {"a": 2}, id="rest_over_null"),
        pytest.param(None, '{"old":1,"new":2}', {"new": 2, "old": 1}, id="rest_is_renamed_too"),
        pytest.param('{"old":1}', '{"new":2}', {"new": 1}, id="renamed_bag_over_rest"),
        pytest.param('{"a":null,"b":{"c":null}}', None, {"b": {"c": None}}, id="null_is_not_sent"),
        pytest.param('{"a":1.10,"b":1E5}', None, {"a": 1.1, "b": 1e5}, id="numbers_keep_their_text"),
        pytest.param('{"old":1,"x":1,"x":2}', None, {"new": 1, "x": 2}, id="last_of_equal_keys"),
        pytest.param(" null ", "", {}, id="nothing"),
    ],
)
def test_renames(bag, rest, found):
    """A property is renamed, dropped by name, or passed on; nothing vanishes silently."""
    (row,) = properties(event_frame({"properties": bag, "rest": rest}), RENAME)
    assert {key: value for key, value in row.items() if key not in FORCED | LIBRARY} == found


def test_computed_text_wins_over_the_bag_but_not_over_the_stamp():
    """Computed properties may come as JSON text; their nulls count for nothing."""
    extra = '{"a":2,"b":null,"$geoip_disable":false,"$lib":"x"}'
    (found,) = properties(event_frame({"properties": '{"a":1,"b":1,"c":1}', "extra": extra}))
    assert found == {"a": 2, "b": 1, "c": 1, "$lib": "x"} | FORCED


@pytest.mark.parametrize(
    ("event", "person", "flag"),
    [
        pytest.param("e", "u-1", None, id="person"),
        pytest.param("e", "Anonymous", False, id="junk"),
        pytest.param("e", "'null'", False, id="quoted_junk"),
        pytest.param("$set", "0", False, id="set"),
        pytest.param("$identify", "null", None, id="identify"),
        pytest.param("$create_alias", "null", None, id="alias"),
        pytest.param("$merge_dangerously", "null", None, id="merge"),
        pytest.param("$groupidentify", "null", None, id="group"),
    ],
)
def test_junk_ids_make_no_person(event, person, flag):
    """An id that is no one's is sent without a profile, except where PostHog would drop the event for it."""
    bag = '{"$process_person_profile":true}'
    plain, bagged = properties(
        event_frame(
            {"event": event, "distinct_id": person},
            {"event": event, "distinct_id": person, "properties": bag},
        )
    )
    assert plain.get("$process_person_profile") is flag
    assert bagged["$process_person_profile"] is (True if flag is None else flag)


BAD_BAG = '{"big":9007199254740993,"nan":NaN,"huge":1e400,"nul":"a\\u0000","half":"\\ud83d","raw":"a\nb","k\\u0000":1}'
MENDED = {
    "big": "9007199254740993",
    "nan": None,
    "huge": None,
    "nul": "a�",
    "half": "�",
    "raw": "a\nb",
    "k�": 1,
}
COUNTS = {"big_integer": 1, "non_finite_number": 2, "nul_character": 2, "lone_surrogate": 1}


@pytest.mark.parametrize(
    ("row", "path"),
    [
        pytest.param({"properties": BAD_BAG}, (), id="bag"),
        pytest.param({"rest": BAD_BAG}, (), id="rest"),
        pytest.param({"properties": "{}", "rest": BAD_BAG}, (), id="merged"),
        pytest.param({"properties": BAD_BAG[:-1] + ',"gone":1}'}, (), id="renamed"),
        pytest.param({"set": BAD_BAG}, ("$set",), id="set"),
        pytest.param({"set_once": BAD_BAG}, ("$set_once",), id="set_once"),
        pytest.param({"groups": BAD_BAG}, ("$groups",), id="groups"),
    ],
)
def test_what_posthog_would_mangle_is_repaired_and_counted_once(row, path):
    """Numbers no double holds, NUL and cut surrogates are mended wherever JSON text comes from."""
    done = made(event_frame(row), RENAME)
    found = strict(done.frame["payload"][0])["properties"]
    for key in path:
        found = found[key]
    assert {key: found.get(key) for key in MENDED} == MENDED
    assert done.repairs == COUNTS


def test_extra_text_without_a_number_omits_it():
    """In computed properties a number that is none is no value."""
    done = made(event_frame({"extra": '{"a":NaN,"b":1}'}))
    assert strict(done.frame["payload"][0])["properties"] == {"b": 1} | FORCED | LIBRARY


STRANGE = {
    "int": (pl.Int64, 2**53 + 1, "9007199254740993"),
    "unsigned": (pl.UInt64, 2**64 - 1, "18446744073709551615"),
    "negative": (pl.Int64, -(2**53), -(2**53)),
    "text": (pl.String, "a\0b\u2028\x01", "a�b\u2028\x01"),
    "list": (pl.List(pl.Int64), [1, 2**60], [1, "1152921504606846976"]),
    "naive": (pl.Datetime("us"), datetime(2024, 1, 2), "2024-01-02T00:00:00.000000Z"),  # noqa: DTZ001
    "zoned": (pl.Datetime("ms", "Europe/Prague"), NOON, "2024-04-03T12:00:00.000000Z"),
    "date": (pl.Date, date(2024, 1, 2), "2024-01-02"),
    "lasting": (pl.Duration("us"), timedelta(seconds=90), "PT1M30S"),
    "object": (
        pl.Struct({"t": pl.Date, "n": pl.Null}),
        {"t": date(2024, 1, 2)},
        {"t": "2024-01-02", "n": None},
    ),
    "enum": (pl.Enum(["x"]), "x", "x"),
}


def test_types_json_does_not_know():
    """Computed values of any type come out as PostHog can keep them."""
    structs = {"extra": pl.Struct({name: dtype for name, (dtype, _, _) in STRANGE.items()})}
    row = {"extra": {name: value for name, (_, value, _) in STRANGE.items()}}
    done = made(event_frame(row, {}, structs=structs))
    full, empty = (strict(text)["properties"] for text in done.frame["payload"])
    assert full == {name: sent for name, (_, _, sent) in STRANGE.items()} | FORCED | LIBRARY
    assert empty == FORCED | LIBRARY
    assert done.repairs == {"big_integer": 3, "nul_character": 1}


def test_numbers_that_are_none_are_omitted_and_counted():
    """NaN and infinity are no values, in lists and objects neither."""
    dtype = pl.Struct({"a": pl.Float64, "l": pl.List(pl.Float64), "o": pl.Struct({"x": pl.Float32})})
    row = {"a": math.nan, "l": [1.5, math.inf], "o": {"x": -math.inf}}
    done = made(event_frame({"extra": row, "set": row}, structs={"extra": dtype, "set": dtype}))
    found = strict(done.frame["payload"][0])["properties"]
    assert (found["l"], found["o"], found["$set"]) == (
        [1.5, None],
        {"x": None},
        {"l": [1.5, None], "o": {"x": None}},
    )
    assert "a" not in found
    assert done.repairs == {"non_finite_number": 6}


def test_a_source_uuid_is_kept_and_another_one_derived():
    """A uuid of the source's own is canonicalised; without one it is made of platform, key and time."""
    own = "{018EA3D48E007B599C994D99B5F81579}".strip("{}")
    found = made(event_frame({"uuid": own}, {"uuid": "no uuid"}, {})).frame["uuid"].to_list()
    assert found[0] == "018ea3d4-8e00-7b59-9c99-4d99b5f81579"
    assert found[1].startswith("018ea3d4-8e00-7")
    assert len(set(found)) == 3
    alone = made(event_frame({}, {}, {})[2:]).frame["uuid"].to_list()
    assert alone == found[2:]


@settings(max_examples=examples(100))
@given(st.integers(-20, 20), st.integers(0, 200_000), st.sampled_from(["x", "ü", "😀"]))
def test_large_is_what_the_event_takes_escaped_once_more(off, quotes, letter):
    """To the byte: the event's JSON, encoded once more as a JSON string, 1 KiB, and its name and id three times."""
    body = '"' * (quotes // 2) + "\\" * (quotes - quotes // 2)
    room = 899_000 - 1_024 - 2 - 2 * quotes - 3 * len('"e""u-1"')
    text = body + letter * (room // len(letter.encode())) + "y" * (room % len(letter.encode()) + off + 20)
    text = text[: len(text) - 20]
    record = len(json.dumps(text, ensure_ascii=False).encode()) + 1_024 + 3 * len('"e""u-1"')
    frame = pl.DataFrame({"payload": [text, "{}"], "event": "e", "distinct_id": "u-1"})
    assert payloads.large(frame).to_list() == [record if record >= 899_000 else None, None]


@pytest.mark.parametrize(
    ("fill", "row"),
    [
        pytest.param('"x"', {"event": '"' * 200, "distinct_id": "\x01" * 200}, id="escaped_names"),
        pytest.param('"\\""', {"event": "😀" * 100, "distinct_id": "😀" * 200}, id="quotes"),
        pytest.param("1e9", {}, id="exponents"),
        pytest.param("-1.5E+15", {}, id="exponents_in_capitals"),
        pytest.param("0.1234567890123456", {}, id="long_decimals"),
        pytest.param(' { "k" : 12.5 } ', {}, id="spaces"),
    ],
)
def test_no_record_is_larger_than_is_reckoned(fill, row):
    """What the sandbox stores, as PostHog does, with each number printed anew, is no larger than what we say it is."""
    bag = '{"a":[' + ",".join([fill] * (300_000 // len(fill))) + "]}"
    (payload,), (event,), (person,) = made(event_frame(row | {"properties": bag})).frame.select(
        "payload", "event", "distinct_id"
    )
    body = f'{{"api_key":"phc_{"k" * 60}","historical_migration":true,"batch":[{payload}]}}'.encode()
    (stored,) = capture.events(requests.request(body), now=NOON, ip="203.0.113.255")
    assert 200_000 < stored.record_bytes <= payloads.record_bytes(payload, event, person)


@pytest.mark.parametrize(
    ("text", "deep"),
    [
        pytest.param("[" * 100 + "]" * 100, False, id="just"),
        pytest.param("[" * 101 + "]" * 101, True, id="too_deep"),
        pytest.param("[" * 60 + "{" * 41 + "}" * 41 + "]" * 60, True, id="mixed"),
        pytest.param('{"a":"' + "[" * 500 + '"}', False, id="inside_a_string"),
        pytest.param("[" + "{}," * 500 + "{}]", False, id="wide"),
        pytest.param(None, False, id="null"),
    ],
)
def test_too_deep(text, deep):
    """Nesting counts where it is nesting, not in strings."""
    assert payloads.too_deep(pl.Series([text, "{}"], dtype=pl.String)).to_list() == [deep, False]


def test_an_empty_frame_makes_no_payloads():
    """Nothing in, nothing out, with the columns of a finished frame."""
    done = payloads.payloads(event_frame().with_columns(junk=pl.lit(False)), table(), IMPRINT)
    assert done.frame.columns == ["_row", "event", "distinct_id", "timestamp", "uuid", "payload"]
    assert (done.frame.height, done.rejects.height) == (0, 0)
