"""Rows are opened once, as they were written: the laws of what becomes of a row's objects, whatever file holds it."""

import csv
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import msgspec
import polars as pl
import pytest
from frames import made_of
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonvalues import COMPARED
from samples import EVERY, FEW, some

from migrate.kit.declare import OWN, PROPERTIES, REST, ROW, Bag, inside
from migrate.readers.opener import Opener
from migrate.readers.records import Part

SAMPLES = Path(__file__).parents[2] / "sample_data"
SPEC = 'event = "action"\ndistinct_id = "user"\ntimestamp = "ts"\njson = ["bag"]\n'
NOON = "2024-04-03T12:00:00Z"
SECONDS = 1712145600
SIZES = st.sampled_from([1, 2, 32, 33, 300]) | st.integers(1, 300)

CONTAINERS = ("jsonl", "array", "csv", "parquet")


@dataclass(frozen=True)
class Kind:
    """A row without an id of its own: which column holds its object, and what else there is."""

    bag: str
    name: str
    others: dict[str, str]
    within: dict[str, object]
    """What the object has to hold."""


KINDS = {
    "amplitude": Kind("event_properties", "event_type", {"user_id": "u", "event_time": NOON}, {}),
    "mixpanel": Kind("properties", "event", {}, {"time": SECONDS, "distinct_id": "u"}),
    "posthog": Kind("properties", "event", {"distinct_id": "u", "timestamp": NOON, "$window_id": "wé"}, {}),
    "segment": Kind("properties", "event", {"type": "track", "userId": "u", "timestamp": NOON}, {}),
    "table": Kind("bag", "action", {"user": "u", "ts": NOON, "note": "1"}, {}),
}
"""`$window_id` and `note` are declared by nobody."""


@dataclass(frozen=True)
class Number:
    """A number by its exact value: whole `figures` times ten to the `exponent`."""

    figures: int
    exponent: int


NUMBERS = (
    *(Number(0, 0), Number(1, 0), Number(-1, 0), Number(10, -2), Number(1, 2), Number(-7, 15)),
    *(Number(2**53 + 1, 0), Number(-(2**64) - 1, 0), Number(int("123456789" * 6), 0), Number(17, 60)),
    *(Number(1, 400), Number(-3, 5000), Number(1, -400), Number(5, -324), Number(49, -5000)),
    *(Number(31415926535897932384626433832795, -31), Number(2675, -3), Number(1, -1)),
)
"""Every kind: 0, 1, 0.10, 1E+2, digits that no double holds, and exponents that none has."""

TEXTS = ("", "1", "1.0", "1e0", "-0", "null", "true", "[]", "{}", '"', "\\", "a b", "e1", "\\u0031", ",", ":")
LETTERS = (
    'abcABC019 "\\/{}[]:,\t\n\r\b\f\x00\x01\x1f\x7f'
    "\x85éüß\u00a0\u2028\u2029\ufeff\uffff\u4e2d\ud7ff\ue000😀\U0010ffff'`|;"
)


def a_text(random):
    """Any text, of any kind of letter."""
    if random.random() < 0.3:
        return random.choice(TEXTS)
    return "".join(random.choice(LETTERS) for _ in range(random.randrange(8)))


def a_number(random):
    """Any number, of any size."""
    if random.random() < 0.5:
        return random.choice(NUMBERS)
    return Number(random.randrange(-(10**6), 10**6), random.randrange(-8, 8))


def a_value(random, depth):
    """Any JSON value that is not null."""
    kind = random.random()
    if depth < 4 and kind < 0.12:
        return an_object(random, random.choice([0, 1, 2, 3, 4, 5, 40]) if depth < 2 else 2, depth + 1)
    if depth < 4 and kind < 0.22:
        return [random.choice([None, a_value(random, depth + 1)]) for _ in range(random.randrange(4))]
    if kind < 0.6:
        return a_number(random)
    return a_text(random) if kind < 0.95 else random.choice([True, False])


def an_object(random, size, depth=0):
    """An object of so many keys; those of the outermost are no names that a mapping knows."""
    found = {}
    while len(found) < size:
        found[f"k{a_text(random)}" if not depth or random.random() < 0.5 else a_text(random)] = None
        if len(found) < size and random.random() < 0.9:
            found[f"k{len(found)}"] = None
    return {key: a_value(random, depth) for key in found}


def spelled_text(random, text):
    """A text as JSON, each character in any of the ways it may be written."""
    pieces = ['"']
    for letter in text:
        units = letter.encode("utf-16-be")
        escaped = "".join(f"\\u{units[n] * 256 + units[n + 1]:04x}" for n in range(0, len(units), 2))
        short = {'"': '\\"', "\\": "\\\\", "/": "\\/", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b"}
        ways = [escaped, escaped.upper().replace("U", "u"), short.get(letter, escaped)]
        if letter >= " " and letter not in '"\\':
            ways += [letter] * 6
        pieces.append(random.choice(ways))
    return "".join([*pieces, '"'])


def spelled_number(random, number):
    """A number in any of the ways its exact value may be written."""
    sign, figures, exponent = "-" if number.figures < 0 else "", abs(number.figures), number.exponent
    if not figures:
        return random.choice(["0", "-0", "0.0", "-0.00", "0e0", "0E+7", "-0e-7", "0.0e400"])
    if abs(exponent) < 80 and random.random() < 0.6:
        zeros = random.choice([0, 0, 1, 2])
        if exponent >= 0:
            return f"{sign}{figures}{'0' * exponent}{'.' if zeros else ''}{'0' * zeros}"
        digits = str(figures).rjust(1 - exponent, "0")
        return f"{sign}{digits[:exponent]}.{digits[exponent:]}{'0' * zeros}"
    digits = str(figures) + "0" * random.choice([0, 0, 2])
    exponent += len(str(figures)) - len(digits)
    places = random.randrange(len(digits))
    mantissa = f"{digits[: len(digits) - places]}{'.' if places else ''}{digits[len(digits) - places :]}"
    power = exponent + places
    plus = random.choice(["", "+"]) if power >= 0 else "-"
    return f"{sign}{mantissa}{random.choice('eE')}{plus}{random.choice(['', '0'])}{abs(power)}"


def spelled(random, value, blanks):
    """A value as JSON text: keys in any order, any spelling, any spaces, and null members nobody misses."""

    def blank():
        return random.choice(blanks)

    if isinstance(value, dict):
        members = list(value.items())
        missing = [f"none{n}" for n in range(random.choice([0, 0, 0, 1, 3]))]
        members += [(name, None) for name in missing if name not in value]
        random.shuffle(members)
        texts = [
            f"{blank()}{spelled_text(random, key)}{blank()}:{blank()}{spelled(random, item, blanks)}{blank()}"
            for key, item in members
        ]
        return f"{{{','.join(texts) or blank()}}}"
    if isinstance(value, list):
        texts = [f"{blank()}{spelled(random, item, blanks)}{blank()}" for item in value]
        return f"[{','.join(texts) or blank()}]"
    if isinstance(value, Number):
        return spelled_number(random, value)
    return spelled_text(random, value) if isinstance(value, str) else json.dumps(value)


def changed(random, value):
    """Another value: a text for a number, another digit, another letter, another key; never null for nothing."""
    if isinstance(value, Number):
        return random.choice([spelled_number(random, value), Number(value.figures * 10 + 1, value.exponent)])
    if isinstance(value, str):
        return random.choice([f"{value}x", value.encode().hex() or "00"])
    if isinstance(value, bool):
        return random.choice([not value, str(value).lower(), Number(int(value), 0)])
    if isinstance(value, list):
        places = [place for place, item in enumerate(value) if item is not None]
        if not places:
            return [*value, Number(0, 0)]
        place = random.choice(places)
        return [*value[:place], changed(random, value[place]), *value[place + 1 :]]
    key = random.choice([*value, None])
    return value | ({"another key": ""} if key is None else {key: changed(random, value[key])})


def row_text(random, kind, name, bag, blanks):
    """A row as a JSON object around the text of its own one."""
    members = [(kind.name, spelled_text(random, name)), (kind.bag, bag)]
    members += [(key, spelled_text(random, text)) for key, text in kind.others.items()]
    members += [(key, "null") for key in ("none", "$lib_version", "uuid") if random.random() < 0.2]
    random.shuffle(members)
    keys = [spelled_text(random, key) if random.random() < 0.1 else json.dumps(key) for key, _ in members]
    blank = random.choice(blanks)
    return (
        f"{{{','.join(f'{blank}{key}:{text}' for key, (_, text) in zip(keys, members, strict=True))}{blank}}}"
    )


def write(random, path, container, kind, rows):
    """Write rows, each a name and an object or its text, into a file."""
    blanks = ["", "", " ", "\t"] if container == "jsonl" else ["", "", " ", "\t", "\n", "\r\n"]
    cells = [(name, _cell(random, kind, bag, blanks)) for name, bag in rows]
    if container in {"jsonl", "array"}:
        texts = [row_text(random, kind, name, bag, blanks) for name, bag in cells]
        whole = f"[{', '.join(texts)}]" if container == "array" else "".join(f"{text}\n" for text in texts)
        path.write_text(whole, encoding="utf-8", newline="")
        return
    columns = {kind.name: [name for name, _ in cells], kind.bag: [bag for _, bag in cells]}
    columns |= {name: [text] * len(cells) for name, text in kind.others.items()}
    frame = pl.DataFrame(columns).select(random.sample([*columns], len(columns)))
    if container == "parquet":
        frame.write_parquet(path)
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator=random.choice(["\n", "\r\n"]))
        writer.writerows([frame.columns, *frame.rows()])


def _cell(random, kind, bag, blanks):
    """The text of a row's object."""
    if isinstance(bag, str):
        within = json.dumps(kind.within)[1:-1]
        return f"{bag[:-1]}{', ' if within else ''}{within}}}"
    return spelled(random, bag | kind.within, blanks)


def payloads(folder, platform, container, rows, random):
    """What comes of rows in a file, none of which is left out."""
    path, spec = Path(folder) / f"rows.{container}", Path(folder) / "spec.toml"
    spec.write_text(SPEC)
    write(random, path, container, KINDS[platform], rows)
    made = made_of(platform, path, spec=spec if platform == "table" else None)
    assert (made.rejects, len(made.payloads)) == ([], len(rows))
    return made


@pytest.mark.parametrize("platform", KINDS)
@settings(max_examples=4 if EVERY else 2)
@given(st.lists(st.tuples(SIZES, st.integers(0, 2**32)), min_size=1, max_size=3))
@pytest.mark.law
def test_a_row_has_one_uuid_in_any_spelling_and_container(platform, rows):
    """Order of keys, spaces, escapes, digits and nulls are no part of what a row says; values and their kinds are."""
    alike, given_rows = [], []
    for size, seed in rows:
        bag, name = an_object(Random(seed), size), f"e{len(alike)}"
        given_rows += [(name, bag), (name, bag), (name, changed(Random(seed), bag))]
        alike += [f"{name} same", f"{name} same", f"{name} other"]
    found = {}
    with TemporaryDirectory() as folder:
        for container in CONTAINERS:
            random = Random(f"{container} {rows}")
            made = payloads(folder, platform, container, given_rows, random)
            for same, uuid in zip(alike, made.uuids, strict=True):
                found.setdefault(same, set()).add(uuid)
    assert {same: len(uuids) for same, uuids in found.items()} == dict.fromkeys(alike, 1)
    assert len(set.union(*found.values())) == len(found)


WAREHOUSE = {"user_id": "u", "timestamp": NOON, "received_at": NOON}
FLAT = {
    "heap": ("signed_up", {"event_id": None, "user_id": "48", "time": NOON}),
    "table": ("rows", {"action": "e", "user": "u", "ts": NOON}),
    "mixpanel": ("copy", {"event": "e", "distinct_id": "u", "time": NOON}),
    "posthog": ("events", {"event": "e", "distinct_id": "u", "timestamp": NOON}),
    "segment": ("pages", {"id": None, "name": "x", "url": "https://a.example/x"} | WAREHOUSE),
    "rudderstack": ("signed_up", {"id": None, "event": "signed_up", "event_text": "Signed Up"} | WAREHOUSE),
    "ga4": (
        "events",
        {
            "event_name": "e",
            "event_timestamp": f"{SECONDS}000000",
            "user_pseudo_id": "u",
            "event_date": "20240403",
        },
    ),
}
"""Rows without an id of their own, a column a property, and what a file of them is called."""


@pytest.mark.law
@pytest.mark.parametrize(("platform", "container"), some(product(FLAT, CONTAINERS), 10))
def test_columns_in_any_order_are_the_same_row(tmp_path, platform, container):
    """Where a column stands in its file is no part of what a row says; what stands in it is."""
    name, known = FLAT[platform]
    spec = tmp_path / "spec.toml"
    spec.write_text(SPEC.replace('json = ["bag"]', ""))
    whole = known | {"color": "red", "size": "1"}
    uuids = []
    for row in (whole, dict(reversed(whole.items())), whole | {"size": "2"}):
        path = tmp_path / f"{name}.{container}"
        if container in {"jsonl", "array"}:
            path.write_text(json.dumps(row) + "\n" if container == "jsonl" else json.dumps([row]))
        else:
            frame = pl.DataFrame([row], schema=dict.fromkeys(row, pl.String))
            frame.write_parquet(path) if container == "parquet" else frame.write_csv(path)
        made = made_of(platform, path, spec=spec if platform == "table" else None)
        assert made.rejects == []
        uuids += made.uuids
    one, again, other = uuids
    assert one == again
    assert one != other


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("platform", KINDS)
def test_what_costs_a_value_costs_it_in_every_container(tmp_path, platform, container):
    """NaN and infinity are as if they were not there, half a surrogate pair is U+FFFD; for the uuid as well."""
    texts = [
        '{"a":NaN,"b":[-Infinity],"c":1}',
        '{"c":1.0,"b":[null]}',
        '{"a":"\\ud83d","\\udc00":[1]}',
        '{"\\udc00":[1],"a":"\\ud83d"}',
        '{"a":"\\ufffd","\ufffd":[1]}',
    ]
    rows = [("e", text) for text in texts]
    made = payloads(tmp_path, platform, container, rows, Random(1))
    assert made.uuids[:1] * 2 + made.uuids[2:3] * 3 == made.uuids
    assert made.uuids[0] != made.uuids[2]


KEYS = [f"k{(n * 7) % 40:02}" for n in range(40)]
FORTY = ", ".join(f'"{key}" :{n}.0' for n, key in enumerate(KEYS))
NESTED = (
    '{"z":  [1.0, -0, 0.10,1E+2 , 1e-7,"\\u00e9\\/é\\"\\\\\\n" ], "a" : {"y":null,"\\u0078":{}, "b":[ ]},'
    f' "forty":{{{FORTY}}}, "long": 123456789012345.678901234567890}}'
)
"""Nothing in it is as any writer of ours would write it."""


BIG = f'{{"big": 9007199254740993, "cut" :"\\ud83d", "z9": {NESTED}}}'
MENDED = f'{{"big": "9007199254740993", "cut" :"\\ufffd", "z9": {NESTED}}}'
M = '"\\u00e9 \\/"'


BAGS = {
    "nothing_taken_out": (
        f'{{"z9": {NESTED}, "a0" :1.50, "m": {M}}}',
        {"z9": NESTED, "a0": "1.50", "m": M},
    ),
    "null": (
        f'{{"z9": {NESTED}, "none": null, "a0" :1.50, "m": {M}}}',
        {"z9": NESTED, "a0": "1.50", "m": M},
    ),
    "claimed": (
        f'{{"z9": {NESTED}, "$lib":"own", "$geoip_disable": [1], "a0" :1.50, "m": {M}}}',
        {"z9": NESTED, "a0": "1.50", "m": M},
    ),
    "mended": (f'{{"z9": {BIG}, "a0": 1}}', {"z9": MENDED, "a0": "1"}),
}
"""An object's text, and its members as they are sent."""


@pytest.mark.law
@pytest.mark.parametrize(("name", "platform", "container"), some(product(BAGS, KINDS, CONTAINERS), 27))
def test_an_object_reaches_the_payload_in_its_own_text(tmp_path, platform, container, name):
    """Order of keys, digits, escapes and the spaces inside values are the file's, whatever is taken out beside them."""
    bag, sent = BAGS[name]
    (text,) = payloads(tmp_path, platform, container, [("e", bag)], Random(2)).payloads
    properties = members(members(text)["properties"])
    if platform == "table":
        sent = {"bag": bag.replace(BIG, MENDED)}
    found = {key: text.replace("\ufffd", "\\ufffd") for key, text in properties.items() if key in sent}
    assert [*found.items()] == [*sent.items()]


def members(text):
    """The members of a JSON object, each in its own text."""
    return {
        key: bytes(raw).decode()
        for key, raw in msgspec.json.decode(text, type=dict[str, msgspec.Raw]).items()
    }


@pytest.mark.parametrize("container", ["jsonl", "array"])
def test_what_no_table_declares_reaches_the_payload_in_its_own_text(tmp_path, container):
    """A column that holds an object is a property as it stands, in every row of its file."""
    rows = [f'{{"action":"e","user":"u{n}","ts":"{NOON}","x":{NESTED}}}' for n in range(3)]
    path, spec = tmp_path / f"rows.{container}", tmp_path / "spec.toml"
    path.write_text("\n".join(rows) + "\n" if container == "jsonl" else f"[{','.join(rows)}]")
    spec.write_text(SPEC.replace("json", "numbers"))
    made = made_of("table", path, spec=spec)
    assert [members(members(text)["properties"])["x"] for text in made.payloads] == [NESTED] * 3


PROCESS = """
import json, sys
from click.testing import CliRunner
from migrate.cli.commands import cli
for command in json.loads(sys.argv[1]):
    shown = CliRunner().invoke(cli, ["preview", *command, "--limit", "1000"])
    assert shown.exit_code == 0, shown.output
    sys.stdout.write(shown.stdout)
"""


def previewed(commands):
    """What two processes, whose hashes have different seeds, print of files."""
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, json.dumps(commands)],
            env=os.environ | {"PYTHONHASHSEED": seed, "POLARS_MAX_THREADS": threads},
            stdout=subprocess.PIPE,
        )
        for seed, threads in (("1", "1"), ("4711", "4"))
    ]
    printed = [run.communicate()[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    return printed


@pytest.mark.law
def test_two_processes_make_the_same_bytes_of_a_sample():
    """No hash seed, no order of a set, no cache and no number of threads is in a payload."""
    commands = [[name, str(SAMPLES / name)] for name in FEW]
    commands = [[*command, *_spec(command[0])] for command in commands]
    one, other = previewed(commands)
    assert one.count(b"\n") > 100
    assert one == other


def _spec(name):
    """The option that names a sample's spec, where it has one."""
    path = SAMPLES / name / "spec.toml"
    return ["--spec", str(path)] if path.exists() else []


WIDE_KEYS = [f"k{n:02}" for n in range(40)]


def wide(platform, keys):
    """A row with an object of so many keys."""
    bag = {key: int(key[1:]) for key in keys}
    return {
        "amplitude": {
            "event_type": "A",
            "user_id": "u",
            "device_id": "d",
            "event_time": "2024-01-01 00:00:00.000000",
            "event_properties": bag,
            "user_properties": {},
            "session_id": -1,
            "amplitude_id": 1,
        },
        "mixpanel": {"event": "A", "properties": {"time": 1704067200, "distinct_id": "u"} | bag},
        "posthog": {"event": "A", "distinct_id": "u", "timestamp": NOON, "properties": bag},
        "segment": {"type": "track", "event": "A", "userId": "u", "timestamp": NOON, "properties": bag},
    }[platform]


def test_a_wide_row_is_the_same_on_every_run(tmp_path):
    """An object of more keys than any hash table keeps in order has the file's order, and one uuid in any other."""
    commands = []
    for platform in ("amplitude", "mixpanel", "posthog", "segment"):
        for name, keys in (("in_order", WIDE_KEYS), ("reversed", WIDE_KEYS[::-1])):
            path = tmp_path / f"{platform} {name}.jsonl"
            path.write_text(json.dumps(wide(platform, keys)) + "\n")
            commands.append([platform, str(path)])
    one, other = previewed(commands)
    assert one == other
    events = [event for event in map(json.loads, one.splitlines()) if event["event"] == "A"]
    found = [[key for key in event["properties"] if key in WIDE_KEYS] for event in events]
    assert found == [WIDE_KEYS, WIDE_KEYS[::-1]] * 4
    uuids = [event["uuid"] for event in events]
    assert uuids[::2] == uuids[1::2]
    assert len(set(uuids)) == 4


def laid(bags, *, rename=None, claims=()):
    """What is left of the objects of a row as one, and what is claimed of it, as texts."""
    row = pl.DataFrame({ROW: [1], **{f"c{place}": [text] for place, text in enumerate(bags)}})
    opener = Opener(bags={}, laid=row.columns[1:], rename=rename, claims=frozenset(claims))
    part = Part(row)
    found = opener.open(part)
    assert part.rejects == []
    return found[PROPERTIES].item(), found[OWN].item()


def test_what_is_left_keeps_each_value_in_its_own_text():
    """Digits and blanks inside values stay; keys come in the object's order, renamed ones last."""
    first = '{"old": 1.10, "big":12345678901234567890, "l":[1, 2], "gone":0, "out":1}'
    found = laid([first, '{"l":0,"more":1E2}'], rename={"old": "new", "gone": None}, claims=["out"])
    assert found == ('{"big":12345678901234567890,"l":[1, 2],"new":1.10,"more":1E2}', '{"out":1}')


@pytest.mark.parametrize(
    ("text", "rename", "found"),
    [
        pytest.param('{"a":1,"b":2}', {"a": "b", "b": "a"}, {"b": 1, "a": 2}, id="swap"),
        pytest.param('{"a":1,"b":2}', {"a": "b", "b": None}, {"b": 1}, id="into_a_dropped_name"),
        pytest.param('{"a":1,"b":2}', {"a": "b"}, {"b": 2, "a": 1}, id="taken"),
        pytest.param('{"a":1,"b":null}', {"a": "b"}, {"b": 1}, id="over_null"),
        pytest.param('{"a":null,"b":2}', {"a": "b"}, {"b": 2}, id="null_over_nothing"),
        pytest.param('{"\\u0061":1}', {"a": "b"}, {"b": 1}, id="escaped_key"),
    ],
)
def test_renames_lose_nothing(text, rename, found):
    """A rename into a name that is taken leaves the key as it was."""
    assert json.loads(laid([text], rename=rename)[0]) == found


def test_a_rename_into_a_claimed_name_that_the_source_has_loses_nothing():
    """The source's own is claimed, the other stays under its old name."""
    found = laid(['{"url":1,"$current_url":2}'], rename={"url": "$current_url"}, claims=["$current_url"])
    assert found == ('{"url":1}', '{"$current_url":2}')
    assert laid(['{"url":1}'], rename={"url": "$current_url"}, claims=["$current_url"]) == (
        None,
        '{"$current_url":1}',
    )


def test_of_two_that_are_renamed_alike_none_is_lost():
    """The first of the rules has the name, claimed or not; where that says nothing, the other."""
    rename = {"z": "url", "a": "url"}
    assert laid(['{"a":1,"z":2}'], rename=rename)[0] == '{"url":2,"a":1}'
    assert laid(['{"a":1,"z":null}'], rename=rename)[0] == '{"url":1}'
    assert laid(['{"a":1,"z":2}'], rename=rename, claims=["url"]) == ('{"a":1}', '{"url":2}')


CALLED = {"a": "c", "b": "c", "B": "c", "d": "e", "swap": "paws", "paws": "swap", "into_b": "b"}
"""How a bag calls keys: several alike, one as another key is called, two the other way round."""
SHARED_NAMES = [
    "a",
    "b",
    "B",
    "c",
    "d",
    "e",
    "swap",
    "paws",
    "into_b",
    "old",
    "older",
    "new",
    "claimed",
    "out",
]


def opened(rows, *, is_flat):
    """What becomes of rows of undeclared columns: (properties, claimed, the key `c` as a column)."""
    opener = Opener(
        bags={REST: Bag(keys=["c", "b"], name=lambda key: CALLED.get(key, key), drops=frozenset({"e"}))},
        laid=[REST],
        rename={"old": "new", "older": "new", "c": "claimed", "out": "claimed"},
        claims=frozenset({"claimed"}),
    )
    frame = pl.DataFrame({ROW: range(len(rows))}, schema={ROW: pl.Int64})
    if is_flat:
        part = Part(frame, flat=pl.DataFrame(rows, schema=dict.fromkeys(SHARED_NAMES, pl.String)))
    else:
        texts = [json.dumps(row) for row in rows]
        part = Part(frame.with_columns(pl.Series(REST, texts, dtype=pl.String)))
    found = opener.open(part).select(PROPERTIES, OWN, inside(REST, "c"), inside(REST, "b"))
    return [
        (json.loads(laid or "{}"), json.loads(own or "{}"), *keys) for laid, own, *keys in found.iter_rows()
    ]


@COMPARED
@given(
    st.lists(
        st.fixed_dictionaries({name: st.sampled_from([None, f"of {name}"]) for name in SHARED_NAMES}),
        min_size=1,
        max_size=4,
    )
)
def test_columns_that_get_one_name_are_the_same_in_every_format_and_none_is_lost(rows):
    """Whatever holds something is there under the new name or its own; a name that is free is given."""
    found = opened(rows, is_flat=True)
    assert found == opened(rows, is_flat=False)
    assert found == [opened([row], is_flat=False)[0] for row in rows]
    for row, (laid, own, *_) in zip(rows, found, strict=True):
        some = {value for value in row.values() if value is not None}
        lost = some - {*laid.values(), *own.values()}
        assert lost <= {"of d", "of e"}  # what is called `e` is dropped by that name
        assert len(laid) + len(own) == len(some - lost)


@pytest.mark.parametrize("types", [(pl.Int64, pl.String), (pl.String, pl.Float64), (pl.Boolean, pl.Int64)])
def test_columns_of_several_types_that_get_one_name_keep_each_value(types):
    """Numbers stay numbers beside text."""
    values = {
        pl.Int64: [5, None, 6],
        pl.String: ["x", "5", None],
        pl.Float64: [0.5, None, 1.5],
        pl.Boolean: [True, None, False],
    }
    first, other = (values[kind] for kind in types)
    flat = pl.DataFrame([pl.Series("a", first, types[0]), pl.Series("b", other[::-1], types[1])])
    opener = Opener(bags={REST: Bag(keys=["c"], name=lambda _: "c")}, laid=[REST])
    frame = opener.open(Part(pl.DataFrame({ROW: [1, 2, 3]}), flat=flat))
    rows = list(zip(first, other[::-1], strict=True))
    expected = [{"c": b} if a is None else {"c": a} | ({} if b is None else {"b": b}) for a, b in rows]
    assert [json.loads(text or "{}") for text in frame[PROPERTIES]] == [
        {key: value for key, value in one.items() if value is not None} for one in expected
    ]
    assert frame[inside(REST, "c")].to_list() == [
        None if one["c"] is None else one["c"] if isinstance(one["c"], str) else json.dumps(one["c"])
        for one in expected
    ]


def test_a_rest_that_is_read_is_read_of_flat_columns_too():
    """Which format a row came in decides nothing."""
    bag = Bag(read=lambda text: text.replace("one", "two"), keys=["two"], whole="all")
    rows = pl.DataFrame({ROW: [1, 2]})
    flat = Part(rows, flat=pl.DataFrame({"one": ["x", None], "b": ["one", None]}))
    nested = Part(rows.with_columns(pl.Series(REST, ['{"one":"x","b":"one"}', None])))
    wanted = [PROPERTIES, inside(REST, "two"), inside(REST, "all")]
    found = [
        Opener(bags={REST: bag}, laid=[REST]).open(part).select(wanted).rows() for part in (flat, nested)
    ]
    assert found == [[('{"two":"x","b":"two"}', "x", '{"two":"x","b":"two"}'), (None, None, None)]] * 2


NAMES = st.sampled_from(["a", "b", "claimed", "old", "new", "gone", 'a"b', "é", "nul", "list"])
TOKENS = st.sampled_from(["1", "1.50", "null", '"x"', '"null"', "{}", "[1, 2]", '{"claimed": 1}', "true"])


def spelled_key(draw, name):
    """A key as JSON, perhaps with its first letter escaped."""
    if draw(st.booleans()):
        return json.dumps(name, ensure_ascii=False)
    return f'"\\u{ord(name[0]):04x}{json.dumps(name[1:])[1:]}'


@st.composite
def objects(draw):
    """The text of an object, with or without blanks, of keys that may be renamed, dropped or claimed."""
    names = draw(st.lists(NAMES, max_size=5, unique=True))
    blank = draw(st.sampled_from(["", " "]))
    inside = f",{blank}".join(f"{spelled_key(draw, name)}:{blank}{draw(TOKENS)}" for name in names)
    return f"{{{blank}{inside}}}"


def parts_of(texts, column="bag", sound=frozenset()):
    """What is laid and what is claimed of these cells, as values."""
    opener = Opener(
        bags={column: Bag(keys=["list"], drops=frozenset({"gone"}))},
        laid=[column],
        rename={"old": "new", "nul": None},
        claims=frozenset({"claimed"}),
    )
    rows = pl.DataFrame({ROW: range(len(texts)), column: texts}, schema={ROW: pl.Int64, column: pl.String})
    frame = opener.open(Part(rows, sound=sound))
    return [
        tuple(list(json.loads(text).items()) if text else None for text in pair)
        for pair in frame.select(PROPERTIES, OWN).iter_rows()
    ]


@COMPARED
@given(st.lists(objects(), min_size=1, max_size=6))
def test_what_becomes_of_an_object_does_not_depend_on_the_others(texts):
    """Neither on whether it is laid as it stands, nor on whether objects of its keys are met often."""
    alone = [parts_of([text])[0] for text in texts]
    assert parts_of(texts) == alone
    assert parts_of(texts * 30) == alone * 30
    assert parts_of([*texts, '{"broken'])[: len(texts)] == alone


@pytest.mark.parametrize(
    "bag",
    [
        '{"a": 1, "caf\\u00e9": "null"}',
        '{ "a": "nullable" }',
        '{"a": 1, "a": 2}',
        '{"a":{}}',
    ],
)
def test_what_nothing_is_taken_out_of_stays_as_written_however_often_it_comes(bag):
    """Also where it had to be looked at to know it."""
    rows = pl.DataFrame({ROW: range(100), "bag": [bag] * 100})
    opener = Opener(bags={"bag": Bag(keys=["list"])}, laid=["bag"], claims=frozenset({"claimed"}))
    assert opener.open(Part(rows))[PROPERTIES].to_list() == [bag] * 100


def test_a_nan_is_left_out_of_an_object_in_a_cell(tmp_path):
    """As it is of one in a line."""
    told = {"event": "e", "distinct_id": "u", "timestamp": NOON}
    (tmp_path / "line.jsonl").write_text(json.dumps(told)[:-1] + ',"properties":{"k":NaN,"b":1}}')
    (tmp_path / "cell.jsonl").write_text(json.dumps(told | {"properties": '{"k":NaN,"b":1}'}))
    line, cell = (made_of("posthog", tmp_path / f"{name}.jsonl") for name in ("line", "cell"))
    assert line.payloads == cell.payloads
    assert "k" not in line.bags[0]
    assert line.numbers.repairs == cell.numbers.repairs == {"non_finite_number": 1}


def test_a_row_that_is_rejected_is_told_as_it_was_written(tmp_path):
    """With all its digits, however many, so that it can be mended and planned again."""
    digits = "9" * 5_000
    line = f'{{"event":"e","distinct_id":"u","timestamp":"soon","x":1.50,"y":1e400,"z":{digits}}}'
    (tmp_path / "a.jsonl").write_text(line)
    (reject,) = made_of("posthog", tmp_path / "a.jsonl").rejects
    assert msgspec.json.encode(reject["source"]).decode() == line
