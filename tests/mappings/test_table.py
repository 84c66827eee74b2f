"""Flat files described by a TOML spec: every key, and every way to get it wrong."""

import json
import pickle
import textwrap
import tomllib
from pathlib import Path

import polars as pl
import pytest
from frames import made_of, opened, told
from pyarrow import orc

from mappings import table as mapping
from mappings.table import tables
from migrate.errors import UsageError
from migrate.kit.declare import REST, ROW, Options
from migrate.kit.schemas import schema_errors
from migrate.settings import Settings

UUID = "018d35bd-1280-7001-8a1b-2c3d4e5f0001"
SOUND = 'event = "action"\ndistinct_id = "user"\ntimestamp = "ts"\n'
ROW_OF_ACTION = {"action": "e", "user": "u", "ts": "2024-01-02T03:04:05Z"}


def table(text=SOUND):
    """Return the table of a spec."""
    [found] = tables(tomllib.loads(text))
    return found


def frame(text, *records, options=Options()):  # noqa: B008 - frozen
    """Return the events of records, delivered as by a reader: declared columns as text, others in REST."""
    found = table(text)
    rows = []
    for number, record in enumerate(records, 1):
        others = {
            name: record[name] for name in record if name not in found.columns and name not in found.dropped
        }
        declared = {name: record.get(name) for name in found.columns}
        rows.append({**declared, ROW: number, REST: json.dumps(others) if others else None})
    schema = {**found.columns, ROW: pl.Int64, REST: pl.String}
    whole = opened(found, pl.DataFrame(rows, schema=schema), options)
    return found.to_events(whole.lazy(), options).collect()


def event(text, *, options=Options(), **columns):  # noqa: B008 - frozen
    """Return the one event of a row that is sound but for these columns."""
    [found] = frame(text, ROW_OF_ACTION | columns, options=options).to_dicts()
    return found


def properties(text, **columns):
    return told(event(text, **columns)) or {}


def moment(found):
    return found["timestamp"] and found["timestamp"].strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def documented():
    """Return the spec in the module's docstring."""
    lines = str(mapping.__doc__).splitlines()
    return textwrap.dedent("\n".join(line for line in lines if not line or line.startswith("    ")))


FULL = documented()


@pytest.mark.parametrize("text", [pytest.param(SOUND, id="shortest"), pytest.param(FULL, id="every_key")])
def test_specs_keep_the_contract(text):
    """The event frame has the right columns and types, known without any data."""
    found = table(text)
    rows = opened(found, pl.DataFrame(schema={**found.columns, ROW: pl.Int64, REST: pl.String}))
    assert schema_errors(found.to_events(rows.lazy(), Options()).collect_schema()) == []


def test_the_documented_spec_has_every_key():
    """What is explained is what there is."""
    keys = "event distinct_id uuid dedup_key json numbers booleans drop keep timestamp rename constants nulls"
    keys += " dialect columns set set_once groups"
    assert sorted(tomllib.loads(FULL)) == sorted(keys.split())


def test_no_rows_are_no_events():
    """A chunk in which everything was filtered is no special case."""
    assert frame(FULL).height == 0


def test_any_file_is_taken():
    """The spec is for the files it is given with; what they lack is said by `missing`."""
    assert table().matches(frozenset({"whatever"}))


def test_tables_travel_between_processes():
    """Nothing in a table is bound to the process that read the spec."""
    assert pickle.loads(pickle.dumps(table().to_events)).keywords == table().to_events.keywords  # noqa: S301


def test_event_names_come_from_a_column():
    """Each row has its own name; null where it has none, which is a reject."""
    assert frame(SOUND, ROW_OF_ACTION, {"user": "u"})["event"].to_list() == ["e", None]


def test_event_names_can_be_one_constant():
    """All rows of a file of orders are orders; its columns named event or action are properties."""
    text = SOUND.replace('"action"', '{constant = "order placed"}')
    found = event(text)
    assert (found["event"], told(found)) == ("order placed", {"action": "e"})


@pytest.mark.parametrize(
    ("columns", "person"),
    [
        pytest.param({"user": "u", "device": "d"}, "u", id="first"),
        pytest.param({"user": None, "device": "d"}, "d", id="second"),
        pytest.param({"user": "  ", "device": "d"}, "d", id="blank_is_empty"),
        pytest.param({"user": None, "device": ""}, None, id="none"),
        pytest.param({"user": " u ", "device": "d"}, " u ", id="blanks_around_are_for_the_checks"),
    ],
)
def test_person_is_the_first_column_that_is_not_blank(columns, person):
    """Files often have one id for people known and another for people unknown."""
    assert event(SOUND.replace('"user"', '["user", "device"]'), **columns)["distinct_id"] == person


TIMES = [
    pytest.param('"ts"', "2024-01-02 03:04:05.678901", "2024-01-02T03:04:05.678901Z", id="iso"),
    pytest.param('"ts"', "2024-01-02T03:04:05+02:00", "2024-01-02T01:04:05.000000Z", id="iso_offset"),
    pytest.param('"ts"', "02.01.2024", None, id="iso_unreadable"),
    pytest.param('"ts"', None, None, id="empty"),
    pytest.param(
        '{column = "ts", format = "iso"}', "2024-01-02", "2024-01-02T00:00:00.000000Z", id="iso_named"
    ),
    pytest.param(
        '{column = "ts", format = "unix_s"}', "1704164645.5", "2024-01-02T03:04:05.500000Z", id="seconds"
    ),
    pytest.param(
        '{column = "ts", format = "unix_ms"}', "1704164645678", "2024-01-02T03:04:05.678000Z", id="millis"
    ),
    pytest.param(
        '{column = "ts", format = "unix_us"}', "1704164645678901", "2024-01-02T03:04:05.678901Z", id="micros"
    ),
    pytest.param('{column = "ts", format = "unix_s"}', "2024-01-02", None, id="unix_unreadable"),
    pytest.param(
        '{column = "ts", format = "%d.%m.%Y %H:%M"}',
        " 02.01.2024 03:04 ",
        "2024-01-02T03:04:00.000000Z",
        id="pattern",
    ),
    pytest.param(
        '{column = "ts", format = "%m/%d/%y"}', "01/02/24", "2024-01-02T00:00:00.000000Z", id="day_alone"
    ),
    pytest.param(
        '{column = "ts", format = "%d %b %Y %I:%M %p"}',
        "2 Jan 2024 03:04 PM",
        "2024-01-02T15:04:00.000000Z",
        id="pm",
    ),
    pytest.param(
        '{column = "ts", format = "%Y/%m/%d %H:%M:%S.%f"}',
        "2024/01/02 03:04:05.678901",
        "2024-01-02T03:04:05.678901Z",
        id="pythons_fraction",
    ),
    pytest.param(
        '{column = "ts", format = "%Y/%m/%d %H:%M:%S %z"}',
        "2024/01/02 03:04:05 -0500",
        "2024-01-02T08:04:05.000000Z",
        id="pattern_with_offset",
    ),
    pytest.param('{column = "ts", format = "%d.%m.%Y"}', "2024-01-02", None, id="pattern_unreadable"),
    pytest.param(
        '{column = "ts", zone = "Europe/Berlin"}',
        "2024-07-02 03:04:05",
        "2024-07-02T01:04:05.000000Z",
        id="zone",
    ),
    pytest.param(
        '{column = "ts", zone = "Europe/Berlin"}',
        "2024-07-02 03:04:05Z",
        "2024-07-02T03:04:05.000000Z",
        id="zone_said",
    ),
    pytest.param(
        '{column = "ts", format = "%d.%m.%Y %H:%M", zone = "Europe/Berlin"}',
        "31.03.2024 02:30",
        "2024-03-31T01:30:00.000000Z",
        id="hour_that_clocks_skip",
    ),
]


@pytest.mark.parametrize(("spec", "text", "utc"), TIMES)
def test_times_are_read_as_the_spec_says(spec, text, utc):
    """Every format and zone; what cannot be read is null, which is a reject."""
    assert moment(event(SOUND.replace('"ts"', spec), ts=text)) == utc


@pytest.mark.parametrize(
    ("spec", "utc"),
    [
        pytest.param('"ts"', "2024-01-01T18:04:05.000000Z", id="none_in_the_spec"),
        pytest.param('{column = "ts", zone = "UTC"}', "2024-01-02T03:04:05.000000Z", id="the_spec_wins"),
    ],
)
def test_the_zone_can_be_an_option(spec, utc):
    """`--source-timezone` is for specs that name no zone."""
    found = event(
        SOUND.replace('"ts"', spec), ts="2024-01-02 03:04:05", options=Options(source_timezone="Asia/Tokyo")
    )
    assert moment(found) == utc


def test_columns_the_spec_does_not_name_pass_on_unchanged():
    """Types of Parquet and JSON lines stay what they are; what is null is no property."""
    found = properties(SOUND, n=1, name="ünï", nested={"a": [None]}, gone=None)
    assert found == {"n": 1, "name": "ünï", "nested": {"a": [None]}}


@pytest.mark.parametrize(
    ("more", "kept"),
    [
        pytest.param('uuid = "x"', {}, id="uuid"),
        pytest.param('[set]\nname = "x"', {}, id="set"),
        pytest.param('[set_once]\nname = "x"', {}, id="set_once"),
        pytest.param('[groups]\ncompany = "x"', {}, id="groups"),
        pytest.param('dedup_key = ["x"]', {"x": UUID}, id="dedup_key"),
        pytest.param('keep = ["x"]\n[set]\nname = "x"', {"x": UUID}, id="keep"),
        pytest.param('drop = ["x"]', {}, id="drop"),
        pytest.param('drop = ["x"]\ndedup_key = ["x"]', {}, id="drop_of_key"),
        pytest.param("", {"x": UUID}, id="unnamed"),
    ],
)
def test_columns_that_stand_elsewhere_are_not_repeated(more, kept):
    """A value stands in the event once, unless `keep` asks for it, and never not at all."""
    assert properties(SOUND + more, x=UUID) == kept


def test_further_columns_of_the_person_stay_properties():
    """Only the first of several ids is sure to stand elsewhere."""
    text = SOUND.replace('"user"', '["user", "device"]')
    assert properties(text, device="d") == {"device": "d"}


def test_the_columns_of_the_event_are_kept_on_demand():
    """`keep` makes properties of them, as text."""
    assert properties('keep = ["user", "ts"]\n' + SOUND) == {"user": "u", "ts": ROW_OF_ACTION["ts"]}


def test_uuid_is_the_events_own():
    """A UUID is kept, in its canonical spelling."""
    found = event('uuid = "id"\n' + SOUND, id=UUID.upper())
    assert (found["uuid"], told(found)) == (UUID, {})


def test_what_is_no_uuid_stays_a_property():
    """An id of another kind is not lost: it tells the row from others, and is a property."""
    one, other = (event('uuid = "id"\n' + SOUND, id=text) for text in ("A-1", "A-2"))
    assert (one["uuid"], told(one)) == (None, {"id": "A-1"})
    assert one["dedup_key"] != other["dedup_key"]


def test_dedup_key_is_of_its_columns_alone():
    """A row that was exported again with other properties is the same event."""
    text = 'dedup_key = ["id", "line"]\n' + SOUND
    one, same, other = (
        event(text, id="1", line=line, note=note)["dedup_key"]
        for line, note in [("1", "a"), ("1", "b"), ("2", "a")]
    )
    assert one == same
    assert one != other


def test_empty_dedup_keys_do_not_make_rows_one():
    """Rows without a key are known by all their columns."""
    text = 'dedup_key = ["id"]\n' + SOUND
    one, other = (event(text, id=None, note=note)["dedup_key"] for note in "ab")
    assert one != other


@pytest.mark.parametrize("column", ["user", "action", "ts", "note"])
def test_without_dedup_key_every_column_counts(column):
    """Rows that differ anywhere are different events."""
    assert event(SOUND, **{column: "2024-01-02T00:00:00Z"})["dedup_key"] != event(SOUND)["dedup_key"]


@pytest.mark.parametrize(
    ("more", "ordinals"),
    [
        pytest.param("", True, id="no_key"),
        pytest.param('dedup_key = ["id"]\n', False, id="dedup_key"),
        pytest.param('uuid = "id"\n', False, id="uuid"),
    ],
)
def test_identical_rows_are_events_of_their_own_only_without_a_key(more, ordinals):
    """Where nothing says which rows are one, none are."""
    assert table(more + SOUND).ordinals is ordinals


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        pytest.param("numbers", "12", 12, id="integer"),
        pytest.param("numbers", " 12.50 ", 12.5, id="decimal"),
        pytest.param("numbers", "-1E+2", -100.0, id="exponent"),
        pytest.param("numbers", "9007199254740993", 9007199254740993, id="every_digit"),
        pytest.param("numbers", "12,50", "12,50", id="decimal_comma"),
        pytest.param("numbers", "007", "007", id="leading_zeros"),
        pytest.param("numbers", "1e400", "1e400", id="beyond_a_double"),
        pytest.param("numbers", "NaN", "NaN", id="not_a_number"),
        pytest.param("booleans", "TRUE", True, id="true"),
        pytest.param("booleans", "no", False, id="no"),
        pytest.param("booleans", "1", True, id="one"),
        pytest.param("booleans", "maybe", "maybe", id="maybe"),
        pytest.param("json", '{"a": [1, null, "ü"]}', {"a": [1, None, "ü"]}, id="object"),
        pytest.param("json", "[1, 2]", [1, 2], id="list"),
        pytest.param("json", "12", 12, id="json_number"),
        pytest.param("json", '"text"', "text", id="json_text"),
        pytest.param("json", '{"cut": "\\ud83e"}', {"cut": "\ud83e"}, id="cut_emoji"),
        pytest.param("json", '[{"a": 1', '[{"a": 1', id="half_a_list"),
        pytest.param("json", "[NaN]", "[NaN]", id="json_nan"),
        pytest.param("json", "[1e400]", "[1e400]", id="json_beyond_a_double"),
        pytest.param("json", "[" * 200_000, "[" * 200_000, id="bottomless"),
        pytest.param("json", "plain", "plain", id="no_json"),
    ],
)
def test_columns_of_a_kind_are_values_of_that_kind(kind, text, value):
    """A value of the kind is JSON in its own digits; any other stays the text it is."""
    assert properties(f'{kind} = ["x"]\n{SOUND}', x=text) == {"x": value}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        pytest.param("numbers", None, id="number"),
        pytest.param("booleans", None, id="boolean"),
        pytest.param("json", None, id="json"),
        pytest.param("json", " null ", id="json_null"),
    ],
)
def test_empty_cells_are_no_properties(kind, text):
    """Null is not sent."""
    assert properties(f'{kind} = ["x"]\n{SOUND}', x=text) == {}


def test_declared_properties_stand_beside_the_others():
    """One bag holds what was declared and what passes on."""
    assert properties('numbers = ["a \\"b\\""]\n' + SOUND, **{'a "b"': "1", "c": "2"}) == {
        'a "b"': 1,
        "c": "2",
    }


def test_constants_are_typed():
    """TOML's types are kept; dates become ISO 8601."""
    text = (
        SOUND + "[constants]\ns = 'x'\ni = 2\nf = 0.5\nb = true\nd = 2024-01-02\nt = 2024-01-02T03:04:05Z\n"
    )
    assert event(text)["extra"] == {
        "s": "x",
        "i": 2,
        "f": 0.5,
        "b": True,
        "d": "2024-01-02",
        "t": "2024-01-02T03:04:05+00:00",
    }


def test_renames_and_drops_are_the_frameworks():
    """They are named in the table, so that types pass through them unchanged."""
    found = table('drop = ["secret"]\n' + SOUND + '[rename]\nchannel = "utm_source"\n')
    assert (found.rename, found.dropped) == ({"channel": "utm_source"}, frozenset({"secret"}))


PERSON = SOUND + 'numbers = ["age"]\n[set]\nage = "age"\ncity = "town"\n[set_once]\ncity = "born"\n'


def test_person_properties():
    """Columns become person properties, typed like properties."""
    found = event(PERSON, age="34", town="Köln", born="Ulm")
    parsed = [json.loads(found[name]) for name in ("set", "set_once")]
    assert parsed == [{"age": 34, "city": "Köln"}, {"city": "Ulm"}]


def test_empty_cells_are_no_person_properties():
    """A blank does not overwrite what is known of a person."""
    assert event(PERSON, age=None, town=" ", born="Ulm")["set"] == "{}"


def test_groups_are_named_by_columns():
    """A group type for each column; a blank names no group."""
    text = SOUND + '[groups]\ncompany = "company_id"\nteam = "team_id"\n'
    assert event(text, company_id="acme", team_id=" ")["groups"] == {"company": "acme", "team": None}


ERRORS = [
    pytest.param(
        "evnt = 'x'",
        "spec: evnt: no such key; the keys are event, distinct_id, timestamp, uuid, json, numbers, booleans,"
        " dedup_key, drop, keep, rename, set, set_once, groups, properties, constants, session_id, where, events,"
        " values, types, links, profile, explode, nulls, dialect, quote, escape, no_header, columns, header_file;"
        " did you mean event or events?",
        id="unknown_key",
    ),
    pytest.param(
        "distinct_id = 'u'\ntimestamp = 't'",
        'spec: event: missing; use event = "column" or event = {constant = "name"}',
        id="no_event",
    ),
    pytest.param(
        "event = 'e'\ntimestamp = 't'",
        'spec: distinct_id: missing; use distinct_id = "column" or distinct_id = ["first", "second"]',
        id="no_distinct_id",
    ),
    pytest.param(
        "event = 'e'\ndistinct_id = 'u'",
        'spec: timestamp: missing; use timestamp = "column" or'
        ' timestamp = {column = "…", format = "…", zone = "…"}',
        id="no_timestamp",
    ),
    pytest.param(
        "event = 3",
        'spec: event: expected the name of a column, found 3; use event = "column" or event = {constant = "name"}',
        id="event_is_a_number",
    ),
    pytest.param(
        "event = {column = 'x'}",
        'spec: event: expected a column or a constant, found {"column": "x"}; use event = "column" or'
        ' event = {constant = "name"}',
        id="event_is_another_table",
    ),
    pytest.param(
        "event = {constant = ' '}",
        'spec: event: expected a column or a constant, found {"constant": " "}; use event = "column" or'
        ' event = {constant = "name"}',
        id="blank_constant",
    ),
    pytest.param(
        "distinct_id = []",
        'spec: distinct_id: expected a list of columns, found []; use distinct_id = ["column", …]',
        id="no_columns_for_the_person",
    ),
    pytest.param(
        "timestamp = {format = 'iso'}",
        "spec: timestamp.column: expected the name of a column, found null; use timestamp ="
        ' "column" or timestamp = {column = "…", format = "…", zone = "…"}',
        id="timestamp_without_column",
    ),
    pytest.param(
        "timestamp = {column = 't', fmt = 'iso'}",
        "spec: timestamp.fmt: no such key; the keys are column, format, zone",
        id="unknown_key_of_timestamp",
    ),
    *(
        pytest.param(
            f"timestamp = {{column = 't', format = {shape}}}",
            "spec: timestamp.format: expected iso, unix_s, unix_ms, unix_us or a strftime pattern with year, month"
            f' and day, found {found}; use one like "%d.%m.%Y %H:%M:%S"',
            id=name,
        )
        for name, shape, found in [
            ("format_of_another_language", "'dd.mm.yyyy'", '"dd.mm.yyyy"'),
            ("format_without_day", "'%m/%Y'", '"%m/%Y"'),
            ("format_without_minutes", "'%d.%m.%Y %H'", '"%d.%m.%Y %H"'),
            ("format_without_half_of_the_day", "'%d.%m.%Y %I:%M'", '"%d.%m.%Y %I:%M"'),
            ("format_of_unknown_directives", "'%Q'", '"%Q"'),
            ("format_is_a_number", "3", "3"),
        ]
    ),
    pytest.param(
        "timestamp = {column = 't', format = '%Y-%m-%d %H:%M %Z'}",
        'spec: timestamp.format: found "%Y-%m-%d %H:%M %Z", and a zone\'s name does not say its offset; use %z,'
        " or leave the zone to timestamp.zone",
        id="format_with_a_zones_name",
    ),
    pytest.param(
        "timestamp = {column = 't', format = '%s'}",
        'spec: timestamp.format: found "%s", and seconds since 1970 are no calendar time; use unix_s',
        id="format_in_seconds",
    ),
    pytest.param(
        "timestamp = {column = 't', format = '%Y%m%d%H%M%S%f'}",
        'spec: timestamp.format: found "%Y%m%d%H%M%S%f", and decimals after a point are %.f, those without one'
        " %3f, %6f or %9f; use one of these",
        id="format_with_a_bare_fraction",
    ),
    pytest.param(
        "timestamp = {column = 't', zone = 'CEST'}",
        "spec: timestamp.zone: not an IANA zone, found 'CEST'; give one such as Europe/Berlin or +02:00",
        id="unknown_zone",
    ),
    pytest.param(
        "timestamp = {column = 't', zone = 2}",
        "spec: timestamp.zone: not an IANA zone, found 2; give one such as Europe/Berlin or +02:00",
        id="zone_is_a_number",
    ),
    pytest.param(
        "timestamp = {column = 't', format = 'unix_s', zone = 'UTC'}",
        "spec: timestamp.zone: unix_s says the zone itself; take timestamp.zone out",
        id="zone_of_unix_time",
    ),
    pytest.param(
        "timestamp = {column = 't', format = '%Y-%m-%d %H:%M %z', zone = 'UTC'}",
        "spec: timestamp.zone: %Y-%m-%d %H:%M %z says the zone itself; take timestamp.zone out",
        id="zone_beside_an_offset",
    ),
    pytest.param(
        "uuid = ['id']",
        'spec: uuid: expected the name of a column, found ["id"]; use uuid = "column"',
        id="uuid_is_a_list",
    ),
    pytest.param(
        "drop = 'price'",
        'spec: drop: expected a list of columns, found "price"; use drop = ["column", …]',
        id="list_is_text",
    ),
    pytest.param(
        "json = ['a', 3]",
        'spec: json: expected a list of columns, found ["a", 3]; use json = ["column", …]',
        id="list_with_a_number",
    ),
    pytest.param(
        "dedup_key = []",
        'spec: dedup_key: expected a list of columns, found []; use dedup_key = ["column", …]',
        id="empty_key",
    ),
    pytest.param(
        "set = ['email']",
        'spec: set: expected a table, found ["email"]; use [set] with lines of name = "column"',
        id="table_is_a_list",
    ),
    pytest.param(
        "set = {email = 3}",
        'spec: set.email: expected the name of a column, found 3; use name = "column"',
        id="column_is_a_number",
    ),
    pytest.param(
        "rename = {email = ''}",
        'spec: rename.email: expected a name, found ""; use column = "new name"',
        id="blank_name",
    ),
    pytest.param(
        "constants = 3",
        "spec: constants: expected a table, found 3; use [constants] with lines of name = value",
        id="constants_are_a_number",
    ),
    pytest.param(
        "constants = {tags = ['a']}",
        'spec: constants.tags: expected text, a number, true, false or a date, found ["a"]; use tags = "value"',
        id="constant_is_a_list",
    ),
    pytest.param(
        "constants = {x = inf}",
        'spec: constants.x: expected text, a number, true, false or a date, found Infinity; use x = "value"',
        id="constant_is_infinite",
    ),
    pytest.param(
        "json = ['a']\nnumbers = ['a']", "spec: json: a is in numbers too; take it out of one", id="two_kinds"
    ),
    pytest.param(
        "numbers = ['user']",
        "spec: numbers: user is the column of distinct_id; take it out of numbers",
        id="id_is_text",
    ),
    pytest.param(
        "json = ['c']\ngroups = {company = 'c'}",
        "spec: json: c is the column of groups.company; take it out of json",
        id="group_is_text",
    ),
    pytest.param(
        "drop = ['user']", "spec: drop: user is used by distinct_id; take it out of one", id="dropped_person"
    ),
    pytest.param(
        "drop = ['a']\nset = {email = 'a'}",
        "spec: drop: a is used by set.email; take it out of one",
        id="dropped_set",
    ),
    pytest.param(
        "drop = ['a']\nrename = {a = 'b'}",
        "spec: drop: a is used by rename.a; take it out of one",
        id="dropped_rename",
    ),
    pytest.param(
        "keep = ['a']", "spec: keep: a stays a property anyway; take it out of keep", id="kept_anyway"
    ),
    pytest.param(
        "rename = {user = 'customer'}",
        "spec: rename.user: user is used by distinct_id and no property; add it to keep",
        id="renamed_person",
    ),
    pytest.param(
        "rename = {a = 'c', b = 'c'}",
        'spec: rename.b: rename.a gives a property "c" already; choose another name',
        id="two_renames_to_one",
    ),
    pytest.param(
        "rename = {a = 'c'}\nconstants = {c = 1}",
        'spec: constants.c: rename.a gives a property "c" already; choose another name',
        id="constant_and_rename",
    ),
    pytest.param(
        "numbers = ['c']\nrename = {a = 'c'}",
        'spec: rename.a: c gives a property "c" already; choose another name',
        id="rename_onto_a_column",
    ),
]


@pytest.mark.parametrize(("text", "message"), ERRORS)
def test_wrong_specs_are_refused_by_key(text, message):
    """The message names the key, what was found, and what to write instead."""
    document = tomllib.loads(text)
    complete = document if "missing" in message else tomllib.loads(SOUND) | document
    with pytest.raises(UsageError) as caught:
        tables(complete)
    assert str(caught.value) == message


COLUMNS = ["action", "user", "ts", "price", "Channel"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        pytest.param("", None, id="nothing"),
        pytest.param('numbers = ["price"]', None, id="a_column_that_is_there"),
        pytest.param('[rename]\nprice = "cost"\nChannel = "price"', None, id="names_change_places"),
        pytest.param('drop = ["price"]\n[constants]\nprice = 1', None, id="constant_for_a_dropped_column"),
        pytest.param("[constants]\nuser = 1", None, id="constant_for_a_consumed_column"),
        pytest.param(
            'dedup_key = ["id"]',
            'spec: dedup_key: no column "id" in the file, found action, user, ts, price, Channel;'
            " spell it as there",
            id="dedup_key",
        ),
        pytest.param(
            'drop = ["secret"]',
            'spec: drop: no column "secret" in the file, found action, user, ts, price, Channel;'
            " spell it as there",
            id="drop",
        ),
        pytest.param(
            '[rename]\nchannel = "x"',
            'spec: rename.channel: no column "channel" in the file, found action, user, ts, price, Channel;'
            " did you mean Channel?",
            id="other_case",
        ),
        pytest.param(
            '[groups]\ncompany = "c"',
            'spec: groups.company: no column "c" in the file, found action, user, ts, price, Channel;'
            " spell it as there",
            id="group",
        ),
        pytest.param(
            '[set_once]\ncity = "c"',
            'spec: set_once.city: no column "c" in the file, found action, user, ts, price, Channel;'
            " spell it as there",
            id="person_property",
        ),
        pytest.param(
            '[rename]\nChannel = "price"',
            'spec: rename.Channel: the file has a column "price" already; choose another name',
            id="rename_onto_a_column",
        ),
        pytest.param(
            "[constants]\nprice = 1",
            'spec: constants.price: the file has a column "price" already; choose another name',
            id="constant_over_a_column",
        ),
    ],
)
def test_files_are_held_against_the_spec(more, message):
    """A column the file lacks, or a name it has already, is said before anything is planned."""
    missing = table(SOUND + more).missing
    assert missing is not None
    assert missing(COLUMNS) == message


def test_the_sample_fits_its_spec():
    """The example to start from names the columns its file has."""
    folder = Path(__file__).parents[2] / "sample_data" / "table"
    [found] = tables(tomllib.loads((folder / "spec.toml").read_text(encoding="utf-8")))
    header = (folder / "orders.csv").read_text(encoding="utf-8").splitlines()[0]
    assert found.missing is not None
    assert found.missing(header.split(",")) is None


@pytest.mark.parametrize("way", ["spec.toml", "../in/spec.toml", "{}/in/../in/spec.toml", "link.toml"])
def test_a_spec_in_the_folder_it_describes_is_no_row(tmp_path, monkeypatch, way):
    """However it is named."""
    (tmp_path / "in").mkdir()
    (tmp_path / "link.toml").symlink_to(tmp_path / "in" / "spec.toml")
    monkeypatch.chdir(tmp_path if way == "link.toml" else tmp_path / "in")
    (tmp_path / "in" / "spec.toml").write_text('event = "e"\ndistinct_id = "u"\ntimestamp = "t"\n')
    (tmp_path / "in" / "a.csv").write_text("e,u,t\na,b,2024-01-01\n")
    work = Settings(platform="table", spec=Path(way.format(tmp_path))).work([str(tmp_path / "in")])
    assert [job.source.stem for job in work.jobs] == ["a"]


@pytest.mark.parametrize("order", [("n", "t", "x", "b"), ("t", "n", "b", "x"), ("b", "x", "n", "t")])
def test_a_row_of_text_and_numbers_is_one_event_in_any_kind_of_file(tmp_path, order):
    """However its columns stand there; what is told apart is told apart in each of them."""
    values = {
        "n": [1, 2, 2, None],
        "t": ["a", "a", "b", "ü"],
        "x": [0.5, 2.0, 2.0, 1e20],
        "b": [True, False, None, True],
    }
    frame = pl.DataFrame(
        {"who": ["u"] * 4, "at": ["2024-04-03T12:00:00Z"] * 4} | {name: values[name] for name in order}
    )
    (tmp_path / "spec.toml").write_text(
        'event = {constant = "e"}\ndistinct_id = ["who"]\ntimestamp = {column = "at"}\n'
    )
    frame.write_ndjson(tmp_path / "a.jsonl")
    frame.write_parquet(tmp_path / "a.parquet")
    orc.write_table(frame.to_arrow(compat_level=pl.CompatLevel.oldest()), tmp_path / "a.orc")
    found = [
        [
            json.loads(text)["uuid"]
            for text in made_of("table", tmp_path / name, spec=tmp_path / "spec.toml").payloads
        ]
        for name in ("a.jsonl", "a.parquet", "a.orc")
    ]
    assert found == [found[0]] * 3
    assert len(set(found[0])) == 4
