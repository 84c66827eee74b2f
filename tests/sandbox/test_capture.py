# ruff: noqa: S106 - the tokens are made up


import gzip
import json
import threading
import zlib
from urllib.parse import urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from posting import NOW, OK, UUID, answer, batch, event, post

from migrate.sandbox.capture import events
from migrate.sandbox.requests import request
from migrate.sandbox.server import Sandbox
from migrate.sandbox.syntax import Broken, scan

NOW_TEXT = "2026-01-02T03:04:05.000000Z"
HYDRATE = "failed to hydrate events from request: non-engage request missing event name attribute"
NO_VARIANT = "failed to parse request: data did not match any variant of untagged enum RawRequest"


@pytest.fixture
def sandbox():
    """Run a sandbox whose clock stands still."""
    with Sandbox(now=lambda: NOW) as running:
        yield running


def stored(sandbox, *events, **root):
    """Post these events and return what is stored of them."""
    assert post(sandbox, batch(*events, **root)) == OK
    return sandbox.events()


def test_event_is_stored_as_sent(sandbox):
    """A good event is stored with its own uuid, name, id, time and properties, and visible after the 200."""
    assert stored(sandbox, event(properties={"a": 1, "$ip": "1.2.3.4"})) == [
        {
            "seq": 1,
            "uuid": UUID,
            "event": "seen",
            "distinct_id": "ann",
            "timestamp": "2024-04-03T12:00:00.000000Z",
            "properties": {"a": 1, "$ip": "1.2.3.4"},
            "received_at": NOW_TEXT,
            "historical": True,
            "request": 1,
        }
    ]


@pytest.mark.parametrize(
    "path", ["/batch", "/batch/", "/i/v0/e", "/i/v0/e/", "/e", "/e/", "/capture", "/capture/"]
)
def test_every_capture_route_takes_a_batch(sandbox, path):
    """All routes share one handler and answer without a redirect."""
    assert post(sandbox, batch(event()), path) == OK
    assert len(sandbox.events()) == 1


def test_success_is_json(sandbox):
    """The good answer is the JSON the client waits for; a beacon gets an empty 204."""
    assert answer(sandbox, batch(event()))[1]["Content-Type"] == "application/json"
    assert post(sandbox, batch(event()), "/batch/?beacon=1") == (204, "")
    assert len(sandbox.events()) == 2


def test_errors_are_plain_text_without_retry_after(sandbox):
    """Capture's errors are text, never JSON, and carry no Retry-After."""
    status, headers, text = answer(sandbox, batch())
    assert (status, text) == (400, "request holds no event")
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "Retry-After" not in headers


BODY = json.dumps(batch(event())).encode()


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        pytest.param(gzip.compress(BODY), {"Content_Encoding": "gzip"}, id="gzip"),
        pytest.param(gzip.compress(BODY), {}, id="gzip by its magic alone"),
        pytest.param(gzip.compress(BODY), {"Content_Encoding": "zstd"}, id="gzip under a wrong name"),
        pytest.param(gzip.compress(BODY) + b"more", {}, id="bytes after the gzip member"),
        pytest.param(BODY, {"Content_Encoding": "br"}, id="plain text under a wrong name"),
        pytest.param(BODY, {"Content_Type": "text/plain"}, id="any content type"),
        pytest.param(
            b"data=%7B%22api_key%22:%22k%22,%22batch%22:[{%22event%22:%22e%22,%22distinct_id%22:1}]%7D",
            {"Content_Type": "application/x-www-form-urlencoded"},
            id="form",
        ),
    ],
)
def test_encoding_is_accepted(sandbox, body, headers):
    """Encodings capture reads."""
    assert post(sandbox, body, **headers) == OK
    assert len(sandbox.events()) == 1


UTF8 = "failed to decode request: invalid UTF8 in request payload"
GZIP = "failed to decode request: invalid GZIP data"


@pytest.mark.parametrize(
    ("body", "headers", "text"),
    [
        pytest.param(b"", {}, "request missing data payload", id="empty"),
        pytest.param(zlib.compress(BODY), {"Content_Encoding": "deflate"}, UTF8, id="deflate"),
        pytest.param(b"\x28\xb5\x2f\xfd" + BODY, {"Content_Encoding": "zstd"}, UTF8, id="zstd"),
        pytest.param(b"\x8b\x07\x80\xff", {"Content_Encoding": "br"}, UTF8, id="brotli"),
        pytest.param(BODY, {"Content_Encoding": "gzip"}, GZIP, id="no gzip"),
        pytest.param(gzip.compress(BODY)[:-9], {}, GZIP, id="gzip cut short"),
        pytest.param(
            gzip.compress(b"\xff"), {}, "failed to decode request: invalid gzip data", id="gzip of bytes"
        ),
        pytest.param(
            BODY, {"Content_Encoding": "lz64"}, "failed to decode request: invalid LZ64 data", id="lz64"
        ),
        pytest.param(
            BODY,
            {"Content_Type": "application/x-www-form-urlencoded"},
            "failed to decode request: expected form data in POST request payload",
            id="no form",
        ),
    ],
)
def test_encoding_is_refused(sandbox, body, headers, text):
    """Bodies capture cannot read are 400 in plain text; there is no 415."""
    assert post(sandbox, body, **headers) == (400, text)


@pytest.mark.parametrize("path", ["/batch/", "/e/"])
def test_the_routes_own_limits_do_not_bite(sandbox, path):
    """More than 20 MiB in one body is taken, as the real server does."""
    assert post(sandbox, BODY + b" " * 21_600_000, path) == OK
    assert len(sandbox.events()) == 1


def test_gzip_bomb_is_413(sandbox):
    """A body over 100 MiB once decompressed is refused."""
    limit = 100 * 1024 * 1024
    text = (
        "maximum event size exceeded: "
        f"Decompressed payload would exceed {limit} bytes (got {limit + 1} bytes)"
    )
    assert post(sandbox, gzip.compress(b" " * (limit + 7), 1)) == (413, text)


HEAD = b'{"api_key":"k","batch":[{"event":"e","distinct_id":"d","properties":{"p":'
TAIL = b"}}]}"


@pytest.mark.parametrize(
    ("value", "words", "column"),
    [
        pytest.param(b"NaN", "expected value", 1, id="NaN"),
        pytest.param(b"Infinity", "expected value", 1, id="Infinity"),
        pytest.param(b"nul", "expected ident", 4, id="half a word"),
        pytest.param(b'"\\ud800"', "unexpected end of hex escape", 8, id="lone high surrogate"),
        pytest.param(
            b'"\\ud800\\u0041"',
            "lone leading surrogate in hex escape",
            13,
            id="high surrogate, then a letter",
        ),
        pytest.param(b'"\\udc00"', "lone leading surrogate in hex escape", 7, id="lone low surrogate"),
        pytest.param(b'"\\x41"', "invalid escape", 3, id="escape"),
        pytest.param(b'"\\u00g1"', "invalid escape", 7, id="hex escape"),
        pytest.param(
            b'"a\tb"', "control character (\\u0000-\\u001F) found while parsing a string", 3, id="raw tab"
        ),
        pytest.param(b"1e400", "number out of range", 5, id="beyond a double"),
        pytest.param(b"-1.5E+309", "number out of range", 9, id="beyond a double, below"),
        pytest.param(b"9" * 400, "number out of range", 400, id="integer beyond a double"),
        pytest.param(b"01", "invalid number", 2, id="leading zero"),
        pytest.param(b"1.", "invalid number", 3, id="no digit after the point"),
        pytest.param(b"+1", "expected value", 1, id="plus"),
        pytest.param(b"[1,]", "trailing comma", 4, id="comma at the end"),
        pytest.param(b"[1 2]", "expected `,` or `]`", 4, id="no comma"),
        pytest.param(b'{"a" 1}', "expected `:`", 6, id="no colon"),
        pytest.param(b"{a:1}", "key must be a string", 2, id="bare key"),
        pytest.param(b"[" * 124 + b"]" * 124, "recursion limit exceeded", 124, id="too deep"),
    ],
)
def test_loose_json_is_refused_in_serdes_words(sandbox, value, words, column):
    """What a strict parser refuses is 400 with its message and place, and nothing is stored."""
    text = f"failed to parse request: {words} at line 1 column {len(HEAD) + column}"
    assert post(sandbox, HEAD + value + TAIL) == (400, text)
    assert sandbox.events() == []


@pytest.mark.parametrize(
    ("body", "text"),
    [
        pytest.param(b"\xef\xbb\xbf" + BODY, "expected value at line 1 column 1", id="BOM"),
        pytest.param(
            BODY + b" x", f"trailing characters at line 1 column {len(BODY) + 2}", id="trailing bytes"
        ),
        pytest.param(b"{\n", "EOF while parsing an object at line 1 column 2", id="end in an object"),
        pytest.param(b'{"a":', "EOF while parsing a value at line 1 column 5", id="end before a value"),
        pytest.param(b'\n["a', "EOF while parsing a string at line 2 column 3", id="end in a string"),
        pytest.param(b"[1", "EOF while parsing a list at line 1 column 2", id="end in a list"),
    ],
)
def test_broken_body_is_refused_in_serdes_words(sandbox, body, text):
    """The place is counted in bytes, from the last line break."""
    assert post(sandbox, body) == (400, f"failed to parse request: {text}")


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"1e308", id="largest power"),
        pytest.param(b"1e-400", id="too small is zero"),
        pytest.param(b'"a 1e400, 4e999 in a text"', id="huge number in a text"),
        pytest.param(b'"' + b"7" * 400 + b'"', id="digits in a text"),
        pytest.param(b'"\\ud83d\\ude00"', id="surrogate pair"),
        pytest.param(b'"\\u0000"', id="NUL"),
        pytest.param(b"[" * 123 + b"]" * 123, id="as deep as can be"),
        pytest.param(b'"' + b"[{" * 200 + b'"', id="brackets in a text"),
        pytest.param(b'{"a":1,"a":2}', id="repeated unknown key"),
    ],
)
def test_strict_json_is_accepted(sandbox, value):
    """What a strict parser reads is stored with the same value."""
    assert post(sandbox, HEAD + value + TAIL) == OK
    assert sandbox.events()[0]["properties"]["p"] == json.loads(value)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(batch(event(event=None)), id="event null"),
        pytest.param(batch(event(event=5)), id="event number"),
        pytest.param(batch(event(event=...)), id="event missing"),
        pytest.param(batch(event(properties=None)), id="properties null"),
        pytest.param(batch(event(properties=[])), id="properties list"),
        pytest.param(batch(event(timestamp=1700000000)), id="timestamp number"),
        pytest.param(batch(event(offset=1.5)), id="offset float"),
        pytest.param(batch(event(offset=2**63)), id="offset too large"),
        pytest.param(batch(event(uuid="not-a-uuid")), id="uuid"),
        pytest.param(batch(event(uuid=UUID[:-1])), id="uuid too short"),
        pytest.param(batch(event(uuid=f"({UUID})")), id="uuid in parentheses"),
        pytest.param(batch(event(**{"$set": []})), id="$set list"),
        pytest.param(batch(event(**{"$set_once": "x"})), id="$set_once text"),
        pytest.param(batch(event(token=1)), id="token number"),
        pytest.param(batch(event(), "x"), id="event text"),
        pytest.param(batch(event(), historical_migration="true"), id="historical_migration text"),
        pytest.param(batch(event(), historical_migration=1), id="historical_migration number"),
        pytest.param(batch(event(), api_key=None), id="api_key null"),
        pytest.param({"batch": [event()]}, id="no api_key"),
        pytest.param({"batch": [event(api_key="k")]}, id="api_key in the event only"),
        pytest.param({"api_key": "k"}, id="no batch"),
        pytest.param(batch(event(**{"$distinct_id": "b"})), id="both spellings of distinct_id"),
        pytest.param(batch(event(token="a", api_key="b")), id="both spellings of an event's token"),
    ],
)
def test_wrong_type_anywhere_refuses_the_whole_batch(sandbox, wrong):
    """The batch shape does not fit, so the refusal talks of another shape; no event is named, none stored."""
    good = {**wrong, "batch": [event(), *wrong.get("batch", [])]} if "batch" in wrong else wrong
    assert post(sandbox, good) == (400, HYDRATE)
    assert sandbox.events() == []


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(batch(event(), token="b"), id="both spellings of the batch's key"),
        pytest.param(batch(event(), api_key=5), id="api_key number"),
        pytest.param([event(event=None)], id="array with a bad event"),
        pytest.param([event(), 5], id="array with a number"),
        pytest.param(event(properties=None), id="single event with bad properties"),
        pytest.param(5, id="number"),
        pytest.param("text", id="text"),
    ],
)
def test_body_of_no_known_shape_is_refused(sandbox, body):
    """What is no batch, no array, no event and no engage request is refused by name."""
    assert post(sandbox, body) == (400, NO_VARIANT)
    assert sandbox.events() == []


@pytest.mark.parametrize(
    ("body", "text"),
    [
        pytest.param(b'{"api_key":"k","batch":[],"batch":[]}', HYDRATE, id="batch"),
        pytest.param(b'{"api_key":"k","api_key":"k","batch":[]}', NO_VARIANT, id="api_key"),
        pytest.param(
            b'{"api_key":"k","batch":[{"event":"e","event":"e","distinct_id":"d"}]}',
            HYDRATE,
            id="in an event",
        ),
        pytest.param(b'[{"event":"e","event":"e","distinct_id":"d"}]', NO_VARIANT, id="in an array's event"),
    ],
)
def test_repeated_known_key_is_refused(sandbox, body, text):
    """A known key may come once; msgspec would have taken the last one."""
    assert post(sandbox, body) == (400, text)


@pytest.mark.parametrize(
    ("bad", "text"),
    [
        pytest.param({"event": ""}, "event submitted with an empty event name", id="empty name"),
        pytest.param({"distinct_id": ...}, "event submitted without a distinct_id", id="no distinct_id"),
        pytest.param({"distinct_id": None}, "event submitted without a distinct_id", id="null distinct_id"),
        pytest.param({"distinct_id": ""}, "event submitted without a distinct_id", id="empty distinct_id"),
        pytest.param({"distinct_id": " \t"}, "event submitted without a distinct_id", id="blank distinct_id"),
        pytest.param(
            {"properties": {"$cookieless_mode": "yes"}},
            "event submitted with invalid cookieless mode",
            id="cookieless mode",
        ),
    ],
)
def test_one_bad_event_refuses_the_whole_batch(sandbox, bad, text):
    """The refusal comes before anything is stored."""
    assert post(sandbox, batch(event(), event(**bad))) == (400, text)
    assert sandbox.events() == []


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        pytest.param([event()], 401, "event submitted without an api_key", id="array without a key"),
        pytest.param(event(), 401, "event submitted without an api_key", id="event without a key"),
        pytest.param(
            [event(token="a"), event(token="b")],
            401,
            "batch submitted with inconsistent api_key values",
            id="array with two keys",
        ),
        pytest.param(batch(event(), api_key=" \n"), 401, "API key is not valid: empty", id="blank"),
        pytest.param(batch(event(), api_key="k" * 65), 401, "API key is not valid: too_long", id="too long"),
        pytest.param(batch(event(), api_key="clé"), 401, "API key is not valid: not_ascii", id="not ASCII"),
        pytest.param(
            batch(event(), api_key="phx_a"), 401, "API key is not valid: personal_api_key", id="personal key"
        ),
        pytest.param(batch(event(), api_key="a\0b"), 401, "API key is not valid: null_byte", id="NUL"),
        pytest.param(
            batch(event(event=""), api_key="phx_a"),
            401,
            "API key is not valid: personal_api_key",
            id="key before events",
        ),
        pytest.param(batch(api_key="phx_a"), 400, "request holds no event", id="no event before key"),
    ],
)
def test_key_is_refused(sandbox, body, status, text):
    """The key's shape is checked after the body's and before the events."""
    assert post(sandbox, body) == (status, text)
    assert sandbox.events() == []


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(event(api_key="k"), id="event with a key"),
        pytest.param(event(properties={"token": "k"}), id="event with a key in its properties"),
        pytest.param([event(token="k"), event(**{"$token": "k"})], id="array with one key"),
        pytest.param(batch(event(token="other"), api_key="k" * 64), id="longest key"),
        pytest.param({"token": " k\n", "batch": [event()]}, id="token, untrimmed"),
    ],
)
def test_every_shape_with_a_key_is_stored(sandbox, body):
    """Only the batch object can be historical."""
    assert post(sandbox, body) == OK
    assert sandbox.events()[0]["historical"] is (isinstance(body, dict) and "historical_migration" in body)


@pytest.mark.parametrize(
    ("fields", "distinct_id"),
    [
        pytest.param({"distinct_id": 23}, "23", id="integer"),
        pytest.param({"distinct_id": 23.40}, "23.4", id="float"),
        pytest.param({"distinct_id": True}, "true", id="bool"),
        pytest.param(
            {"distinct_id": {"b": 1, "a": {"d": 2, "c": 3}}}, '{"a":{"c":3,"d":2},"b":1}', id="object"
        ),
        pytest.param({"distinct_id": 2**64}, "1.8446744073709552e19", id="integer beyond 64 bits"),
        pytest.param({"distinct_id": ..., "$distinct_id": "b"}, "b", id="other spelling"),
        pytest.param({"distinct_id": None, "properties": {"distinct_id": "p"}}, "p", id="in the properties"),
        pytest.param({"properties": {"distinct_id": "p"}}, "ann", id="root wins"),
        pytest.param({"distinct_id": " ann "}, " ann ", id="whitespace is kept"),
        pytest.param({"distinct_id": "a\0b"}, "a\N{REPLACEMENT CHARACTER}b", id="NUL"),
        pytest.param({"distinct_id": "é" * 201}, "é" * 200, id="cut to 200 characters"),
        pytest.param({"distinct_id": "😀" * 200}, "😀" * 200, id="200 characters, not units"),
    ],
)
def test_distinct_id_is_made_a_short_text(sandbox, fields, distinct_id):
    """Any JSON value is an id; the answer says nothing of what became of it."""
    assert stored(sandbox, event(**fields))[0]["distinct_id"] == distinct_id


@pytest.mark.parametrize(
    ("timestamp", "moment"),
    [
        pytest.param("2024-04-03T12:00:00.123456Z", "2024-04-03T12:00:00.123456Z", id="microseconds"),
        pytest.param("2024-04-03T12:00:00.1234567Z", "2024-04-03T12:00:00.123456Z", id="more digits"),
        pytest.param("2024-04-03T12:00:00+02:00", "2024-04-03T10:00:00.000000Z", id="offset"),
        pytest.param("2024-04-03T12:00:00+03", "2024-04-03T09:00:00.000000Z", id="short offset"),
        pytest.param("2024-04-03T12:00:00", "2024-04-03T12:00:00.000000Z", id="no zone is UTC"),
        pytest.param("2024-04-03 12:00:00", "2024-04-03T12:00:00.000000Z", id="space"),
        pytest.param("2024-04-03", "2024-04-03T03:04:05.000000Z", id="a date has the time of day it came at"),
        pytest.param("01/02/2023", "2023-01-02T03:04:05.000000Z", id="month first"),
        pytest.param("Wed, 03 Apr 2024 12:00:00 GMT", "2024-04-03T12:00:00.000000Z", id="RFC 2822"),
        pytest.param("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z", id="before 1970"),
        pytest.param("2026-01-03T02:04:05.000000Z", "2026-01-03T02:04:05.000000Z", id="23 hours ahead"),
        pytest.param("2026-01-03T02:04:05.000001Z", NOW_TEXT, id="more than 23 hours ahead"),
        pytest.param("1700000000", "2023-11-14T22:13:20.000000Z", id="seconds since 1970"),
        pytest.param("1700000000.5", "2023-11-14T22:13:20.500000Z", id="with a fraction"),
        pytest.param("1700000000123", "2023-11-14T22:13:20.123000Z", id="milliseconds"),
        pytest.param("1700000000123456789", "2023-11-14T22:13:20.123456Z", id="nanoseconds"),
        pytest.param("17000000001", NOW_TEXT, id="another number"),
        pytest.param("0000-02-29T12:00:00Z", "0000-02-29T12:00:00.000000Z", id="year 0000"),
        pytest.param("2016-12-31T23:59:60.5Z", "2016-12-31T23:59:60.500000Z", id="leap second"),
        pytest.param("2016-12-31T23:59:61Z", NOW_TEXT, id="no second"),
        pytest.param("yesterday", NOW_TEXT, id="no date"),
        pytest.param("2024-02-30T12:00:00.000000Z", NOW_TEXT, id="no such day"),
        pytest.param("10000-01-01T00:00:00Z", NOW_TEXT, id="year 10000"),
        pytest.param(None, NOW_TEXT, id="null"),
        pytest.param(..., NOW_TEXT, id="missing"),
    ],
)
def test_timestamp_is_read(sandbox, timestamp, moment):
    """What cannot be read, or lies in the future, becomes the time of arrival without a word."""
    assert stored(sandbox, event(timestamp=timestamp))[0]["timestamp"] == moment


@pytest.mark.parametrize(
    ("fields", "root", "moment"),
    [
        pytest.param({}, {"sent_at": "2024-04-03T12:00:10Z"}, "2026-01-02T03:03:55.000000Z", id="sent_at"),
        pytest.param({}, {"sent_at": "soon"}, "2024-04-03T12:00:00.000000Z", id="unreadable sent_at"),
        pytest.param(
            {"properties": {"$ignore_sent_at": True}},
            {"sent_at": "2024-04-03T12:00:10Z"},
            "2024-04-03T12:00:00.000000Z",
            id="sent_at ignored",
        ),
        pytest.param(
            {"properties": {"$ignore_sent_at": "true"}},
            {"sent_at": "2024-04-03T12:00:10Z"},
            "2026-01-02T03:03:55.000000Z",
            id="sent_at ignored only by a bool",
        ),
        pytest.param({"offset": 1500}, {}, "2026-01-02T03:04:03.500000Z", id="offset"),
    ],
)
def test_sent_at_and_offset_shift_the_event(sandbox, fields, root, moment):
    """The event moves with the server's clock: a retry would land elsewhere."""
    assert stored(sandbox, event(**fields), **root)[0]["timestamp"] == moment


def test_sent_at_in_the_query_shifts_the_event(sandbox):
    """`_` in the query is sent_at in milliseconds, if its year is after 2020."""
    assert post(sandbox, batch(event()), "/batch/?_=1712145610000") == OK
    assert post(sandbox, batch(event()), "/batch/?_=1000") == OK
    assert [e["timestamp"] for e in sandbox.events()] == [
        "2026-01-02T03:03:55.000000Z",
        "2024-04-03T12:00:00.000000Z",
    ]


@pytest.mark.parametrize(
    ("fields", "properties"),
    [
        pytest.param({"properties": ...}, {"$ip": "127.0.0.1"}, id="no properties"),
        pytest.param({"properties": {"$ip": ""}}, {"$ip": "127.0.0.1"}, id="empty $ip"),
        pytest.param({"properties": {"$ip": None, "a": 1}}, {"$ip": "127.0.0.1", "a": 1}, id="null $ip"),
        pytest.param(
            {"properties": {"a": {"$ip": "1.2.3.4"}}},
            {"a": {"$ip": "1.2.3.4"}, "$ip": "127.0.0.1"},
            id="$ip deeper down",
        ),
        pytest.param(
            {"$set": {"a": 1}, "$set_once": {"b": 2}},
            {"$set": {"a": 1}, "$set_once": {"b": 2}},
            id="root $set",
        ),
        pytest.param(
            {"$set": {"a": 1}, "properties": {"$set": {"a": 0, "c": 3}}},
            {"$set": {"a": 1, "c": 3}},
            id="root $set wins",
        ),
        pytest.param(
            {"properties": {"n": 12345678901234567890}}, {"n": 12345678901234567000}, id="long integer"
        ),
        pytest.param(
            {"properties": {"n": "12345678901234567890"}},
            {"n": "12345678901234567890"},
            id="long integer as text",
        ),
        pytest.param({"properties": {"n": 2**53}}, {"n": 2**53}, id="longest exact integer"),
        pytest.param({"properties": {"$heatmap_data": {}, "a": 1}}, {"a": 1}, id="heatmap data"),
        pytest.param(
            {"$groups": {"company": "x"}, "$unset": ["a"], "ip": "1.1.1.1"}, {}, id="unknown root keys"
        ),
    ],
)
def test_properties_are_stored_as_ingestion_leaves_them(sandbox, fields, properties):
    """`$ip` is filled with the sender's, root `$set` moves in, numbers are doubles, unknown keys are gone."""
    assert stored(sandbox, event(**fields))[0]["properties"] == {"$ip": "127.0.0.1"} | properties


def test_escaped_key_is_the_key(sandbox):
    """A key spelt with an escape is found like any other."""
    body = json.dumps(batch(event(properties={"$ip": "1.2.3.4"}))).replace('"$ip"', '"\\u0024ip"')
    assert post(sandbox, body.encode()) == OK
    assert sandbox.events()[0]["properties"] == {"$ip": "1.2.3.4"}


@pytest.mark.parametrize(
    "uuid",
    [
        pytest.param(UUID.upper(), id="upper case"),
        pytest.param(UUID.replace("-", ""), id="no hyphens"),
        pytest.param(f"{{{UUID}}}", id="braces"),
        pytest.param(f"urn:uuid:{UUID}", id="urn"),
    ],
)
def test_uuid_is_stored_in_its_canonical_spelling(sandbox, uuid):
    """Any spelling of a uuid is the same uuid."""
    assert stored(sandbox, event(uuid=uuid))[0]["uuid"] == UUID


@pytest.mark.parametrize(
    "uuid", [pytest.param("", id="empty"), pytest.param(None, id="null"), pytest.param(..., id="missing")]
)
def test_missing_uuid_is_made_anew_each_time(sandbox, uuid):
    """A made uuid is version 7 with the event's milliseconds, and a retry gets another one."""
    stored(sandbox, event(uuid=uuid))
    first, second = [e["uuid"] for e in stored(sandbox, event(uuid=uuid))]
    assert first != second
    assert first[:13].replace("-", "") == f"{1712145600000:012x}"
    assert first[14] == "7"


def test_long_event_name_is_cut(sandbox):
    """Names are cut to 200 UTF-16 units."""
    assert stored(sandbox, event(event="n" * 201))[0]["event"] == "n" * 200


def test_performance_events_are_dropped_in_silence(sandbox):
    """A batch of nothing else is still Ok."""
    assert stored(sandbox, event(event="$performance_event")) == []


def test_event_over_the_kafka_limit_is_413_after_the_ones_before_it(sandbox):
    """The record holds the event as a string in JSON, so quotes count more; earlier events are stored."""
    large = event(event="large", properties={"html": '"' * 300_000})
    status, text = post(sandbox, batch(event(), large, event(event="after")))
    assert (status, text) == (413, "maximum event size exceeded: Event rejected by kafka during send")
    assert [e["event"] for e in sandbox.events()] == ["seen"]


def test_event_up_to_the_kafka_limit_is_stored(sandbox):
    """An event of plain text may be almost as large as the limit."""
    text = "x" * 999_300
    assert [one["properties"]["text"] for one in stored(sandbox, event(properties={"text": text}))] == [text]
    status, _ = post(sandbox, batch(event(properties={"text": "x" * 1_000_000})))
    assert status == 413


def test_collapsed_view_keeps_the_latest_of_equal_keys(sandbox):
    """Rows collapse if day, event, distinct_id and uuid are all equal, and only then."""
    stored(
        sandbox,
        event(properties={"v": 1}),
        event(distinct_id="bob"),
        event(event="other"),
        event(timestamp="2024-04-04T00:00:00Z"),
        event(timestamp="2024-04-03T23:59:59Z", properties={"v": 2}),
    )
    assert len(sandbox.events("raw")) == 5
    assert [e["seq"] for e in sandbox.events("collapsed")] == [2, 3, 4, 5]
    assert sandbox.events("collapsed")[-1]["properties"]["v"] == 2


def test_summary_counts_what_is_stored_and_what_came(sandbox):
    """Events raw and collapsed by name and day, persons, span, requests by status, bytes."""
    post(
        sandbox,
        batch(event(), event(), event(event="b", distinct_id="bob", timestamp="2023-01-01T00:00:00Z")),
    )
    post(sandbox, batch(event(), historical_migration=False))
    post(sandbox, b"[")
    collapsed = {
        "events": 2,
        "distinct_ids": 2,
        "first": "2023-01-01T00:00:00.000000Z",
        "last": "2024-04-03T12:00:00.000000Z",
        "by_event": {"b": 1, "seen": 1},
        "by_day": {"2023-01-01": 1, "2024-04-03": 1},
    }
    status, text = post(sandbox, None, "/_sandbox/summary", "GET")
    assert status == 200
    assert json.loads(text) == sandbox.summary()
    assert sandbox.summary() == {
        "raw": collapsed
        | {"events": 4, "by_event": {"b": 1, "seen": 3}, "by_day": {"2023-01-01": 1, "2024-04-03": 3}},
        "collapsed": collapsed,
        "requests": 3,
        "requests_by_status": {"200": 2, "400": 1},
        "historical_requests": 1,
        "bytes_received": sum(request["bytes"] for request in sandbox.requests()),
    }


def test_events_are_streamed_as_json_lines(sandbox):
    """The view and a limit are chosen in the query; an unknown view is refused."""
    stored(sandbox, event(), event(properties={"v": 2}), event(event="b"))
    _, text = post(sandbox, None, "/_sandbox/events.jsonl?view=collapsed&limit=1", "GET")
    assert [json.loads(line) for line in text.splitlines()] == sandbox.events("collapsed")[:1]
    _, text = post(sandbox, None, "/_sandbox/events.jsonl", "GET")
    assert [json.loads(line) for line in text.splitlines()] == sandbox.events()
    refused = (400, "view is raw or collapsed, limit is a number")
    assert post(sandbox, None, "/_sandbox/events.jsonl?view=x", "GET") == refused


def test_reset_forgets_everything(sandbox):
    """Events and requests are gone and numbering starts anew."""
    stored(sandbox, event())
    assert post(sandbox, b"", "/_sandbox/reset") == (200, '{"status": "Ok"}')
    assert sandbox.summary()["requests"] == 0
    assert stored(sandbox, event())[0]["seq"] == 1


def test_stored_events_survive_a_restart(tmp_path):
    """The same folder and port go on where they stopped."""
    with Sandbox(tmp_path) as sandbox:
        stored(sandbox, event())
        port = urlsplit(sandbox.url).port
    with Sandbox(tmp_path, port) as sandbox:
        assert urlsplit(sandbox.url).port == port
        assert [e["request"] for e in stored(sandbox, event(event="b"))] == [1, 2]


def test_taken_port_is_an_error(sandbox):
    """A port that somebody else listens on is reported to the caller."""
    with pytest.raises(OSError, match="address already in use"), Sandbox(port=urlsplit(sandbox.url).port):
        pass


def test_key_is_never_kept(tmp_path):
    """Nothing on disk has the key in it."""
    with Sandbox(tmp_path) as sandbox:
        post(sandbox, batch(event(), api_key="phc_very_secret"))
        assert all(b"very_secret" not in file.read_bytes() for file in tmp_path.iterdir())


def test_events_under_an_unknown_key_are_lost_in_silence():
    """Capture does not look keys up: the batch is checked, answered Ok, and gone."""
    with Sandbox(accepted_keys=["phc_good"]) as sandbox:
        assert stored(sandbox, event(), api_key="phc_other") == []
        assert post(sandbox, batch(event(event="")))[0] == 400
        assert len(stored(sandbox, event(), api_key="phc_good")) == 1


def test_requests_side_by_side_are_all_stored(sandbox):
    """Twenty clients at once lose nothing."""
    bodies = [batch(event(event=str(n)), event(event=str(n))) for n in range(20)]
    threads = [threading.Thread(target=post, args=(sandbox, body)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sandbox.summary()["raw"]["by_event"] == {str(n): 2 for n in range(20)}


TEXT = st.text(st.characters(codec="utf-8"), max_size=5)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(value=JSON, ascii_only=st.booleans(), spaced=st.booleans())
def test_every_spelling_of_a_batch_is_stored_alike(value, ascii_only, spaced):
    """Escapes, white space and unknown keys change the way a batch is read, never what is stored."""
    sent = event(distinct_id="é", properties={"v": value})
    separators = (", ", ": ") if spaced else (",", ":")
    body = json.dumps(batch(sent), ensure_ascii=ascii_only, separators=separators).encode()
    scan(body)
    found = request(body)
    rows = events(found, now=NOW, ip="1.1.1.1")
    assert [(row.event, row.distinct_id, row.uuid) for row in rows] == [("seen", "é", UUID)]
    assert json.loads(rows[0].properties) == {"v": value, "$ip": "1.1.1.1"}


@given(st.binary(max_size=12) | st.text('[]{}",:\\u0dx8eE+-.1 tnrfals', max_size=14).map(str.encode))
def test_scanner_and_decoder_agree_on_what_is_json(body):
    """What msgspec refuses, the scanner can explain; what it accepts, the scanner reads too."""
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        if utf8(body):
            with pytest.raises(Broken):
                scan(body)
    else:
        scan(body)


def utf8(body):
    """Say whether the bytes are text, which is decided before JSON is."""
    try:
        return body.decode() is not None
    except UnicodeDecodeError:
        return False
