"""PostHog's own events: kept as they are, whatever the shape they were exported in."""

import json

import polars as pl
import pytest
from commands import migrate
from frames import made_of, opened, sent

from mappings.posthog import MAPPING
from migrate.kit.declare import REST, ROW, Options
from migrate.kit.schemas import schema_errors

UUID = "018d35bd-1280-7001-8a1b-2c3d4e5f0001"
TABLES = {table.name: table for table in MAPPING.tables}
EVENTS = TABLES["events"]


def rows(*records):
    """Return records as the reader delivers them: declared columns as text, the others in REST."""
    texts = []
    for number, record in enumerate(records, 1):
        cells = {
            name: value if isinstance(value, str) else json.dumps(value) for name, value in record.items()
        }
        declared = {name: cells.get(name) for name in EVENTS.columns}
        others = {
            name: record[name] for name in record if name not in declared and name not in EVENTS.dropped
        }
        texts.append({**declared, ROW: number, REST: json.dumps(others) if others else None})
    return pl.DataFrame(texts, schema={**EVENTS.columns, ROW: pl.Int64, REST: pl.String})


def frame(*records, options=Options()):  # noqa: B008 - frozen
    return EVENTS.to_events(opened(EVENTS, rows(*records), options).lazy(), options).collect()


def row(**columns):
    """Return a row that is sound but for these columns."""
    sound = {"event": "e", "distinct_id": "u", "timestamp": "2024-01-02T03:04:05.678901Z"}
    return {name: value for name, value in (sound | columns).items() if value is not None}


def event(*, options=Options(), **columns):  # noqa: B008 - frozen
    """Return the one event of a row, sound but for these columns."""
    [found] = frame(row(**columns), options=options).to_dicts()
    return found


def properties(*, options=Options(), **columns):  # noqa: B008 - frozen
    """Return the properties that are sent of a row, sound but for these columns."""
    [found] = sent(EVENTS, rows(row(**columns)), options)
    return found


def moment(found):
    return found["timestamp"].strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@pytest.mark.parametrize("table", MAPPING.tables, ids=lambda table: table.name)
def test_every_table_keeps_the_contract(table):
    """The event frame has the right columns and types, known without any data."""
    rows = opened(table, pl.DataFrame(schema={**table.columns, ROW: pl.Int64, REST: pl.String}))
    assert schema_errors(table.to_events(rows.lazy(), Options()).collect_schema()) == []


@pytest.mark.parametrize("person_properties", ["set", "set_once", "none"])
def test_no_rows_are_no_events(person_properties):
    """A chunk in which everything was filtered is no special case."""
    assert frame(options=Options(person_properties=person_properties)).height == 0


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        pytest.param("event distinct_id timestamp uuid properties", "events", id="capture"),
        pytest.param("event timestamp properties", "events", id="person_within_properties"),
        pytest.param("event timestamp properties $distinct_id", "events", id="alias_of_distinct_id"),
        pytest.param(
            "uuid event distinct_id person_id properties person_properties elements_chain timestamp"
            " created_at _inserted_at",
            "events",
            id="batch_export",
        ),
        pytest.param("uuid event properties timestamp distinct_id $session_id", "events", id="sql_editor"),
        pytest.param(
            "uuid event distinct_id timestamp properties.$os properties", "events", id="complete_bag"
        ),
        pytest.param(
            "id distinct_id properties.$browser event timestamp person elements_chain", "ui_csv", id="ui_csv"
        ),
        pytest.param("event person url timestamp", "ui_csv", id="ui_csv_as_shown"),
        pytest.param("*.uuid event timestamp *.distinct_id", "ui_csv", id="ui_csv_with_star"),
        pytest.param(
            "uuid event properties elements people_set people_set_once distinct_id team_id ip timestamp",
            "app_csv",
            id="app_csv",
        ),
        pytest.param(
            "team_id distinct_id person_id properties person_distinct_id_version person_version created_at"
            " _inserted_at is_deleted",
            "persons",
            id="persons",
        ),
        pytest.param(
            "session_id team_id distinct_id session_id_v7 $start_timestamp", "sessions", id="sessions"
        ),
    ],
)
def test_tables_are_told_apart_by_their_columns(columns, name):
    """What is recognised is what the file holds, not what it is called."""
    found = MAPPING.table_for(columns.split())
    assert found is not None
    assert found.name == name


def test_other_files_are_not_recognised():
    """A file of something else belongs to no table."""
    assert MAPPING.table_for(["order_id", "user_id", "price"]) is None


@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        pytest.param(
            "ui_csv",
            "an export of the events page has only the properties shown there, and 3,500 rows at most; export"
            " the events with a batch export, or in the SQL editor with select uuid, event, distinct_id,"
            " timestamp, properties, elements_chain from events",
            id="ui_csv",
        ),
        pytest.param(
            "app_csv",
            "the old export apps wrote CSV without quotes, so commas inside properties cannot be told from"
            " those between columns; export the events with a batch export",
            id="app_csv",
        ),
        pytest.param(
            "sessions",
            "an export of sessions, which PostHog derives from events; export the events table",
            id="sessions",
        ),
    ],
)
def test_what_cannot_be_migrated_is_refused_with_a_way_out(name, refusal):
    """A refusal says why, and what to export instead."""
    assert TABLES[name].refusal == refusal


def test_events_are_not_refused():
    """The one table with whole events is taken."""
    assert EVENTS.refusal is None


def test_identity_stays():
    """Name, person, uuid and bag are the source's own, to the byte; only what is null in the bag is no property."""
    whole = '{"price": 1.10, "big": 9007199254740993, "ünï": "a\\u00e9", "deep": {"none": null}}'
    found = event(uuid=UUID, properties=whole, event="order placed", distinct_id=" u ")
    assert (found["event"], found["distinct_id"], found["uuid"], found["laid"]) == (
        "order placed",
        " u ",
        UUID,
        whole,
    )
    assert [found[name] for name in ("own", "properties", "rest", "set", "set_once")] == [None] * 5
    bag = '{"price": 1.10, "big": 9007199254740993, "ünï": null}'
    assert event(properties=bag)["laid"] == '{"price":1.10,"big":9007199254740993}'
    assert properties(properties=bag) == {"price": 1.1, "big": "9007199254740993"}


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        pytest.param("2024-01-02T03:04:05.678901Z", "2024-01-02T03:04:05.678901Z", id="microseconds"),
        pytest.param("2024-01-02 03:04:05.678901+00:00", "2024-01-02T03:04:05.678901Z", id="sql_editor"),
        pytest.param("2024-01-02T03:04:05.5+01:00", "2024-01-02T02:04:05.500000Z", id="offset"),
        pytest.param("2024-01-02 03:04:05.123", "2024-01-02T03:04:05.123000Z", id="clickhouse"),
        pytest.param("2024-01-02T03:04:05", "2024-01-02T03:04:05.000000Z", id="naive"),
    ],
)
def test_times_keep_their_microseconds(text, utc):
    """The time is part of what PostHog deduplicates by, so none of it may be lost."""
    assert moment(event(timestamp=text)) == utc


def test_naive_times_are_in_the_zone_the_user_gives():
    """The SQL editor shows times in the project's zone, and may leave it out."""
    found = event(timestamp="2024-01-02 03:04:05", options=Options(source_timezone="Europe/Berlin"))
    assert moment(found) == "2024-01-02T02:04:05.000000Z"


@pytest.mark.parametrize("text", ["yesterday", "", None])
def test_unreadable_times_are_null(text):
    """A row without a usable time becomes a reject, never an event of now."""
    assert event(timestamp=text)["timestamp"] is None


@pytest.mark.parametrize(
    ("columns", "person"),
    [
        pytest.param({"distinct_id": 42}, "42", id="number"),
        pytest.param({"distinct_id": None, "properties": {"distinct_id": "p"}}, "p", id="in_properties"),
        pytest.param({"distinct_id": " ", "properties": {"distinct_id": 7}}, "7", id="blank_root"),
        pytest.param({"distinct_id": "r", "properties": {"distinct_id": "p"}}, "r", id="root_wins"),
        pytest.param({"distinct_id": None, "$distinct_id": "a"}, "a", id="alias"),
        pytest.param({"distinct_id": None, "properties": {"distinct_id": " "}}, None, id="blank_everywhere"),
        pytest.param({"distinct_id": None}, None, id="nowhere"),
    ],
)
def test_persons_are_found_where_capture_finds_them(columns, person):
    """The row names the person; where it does not, its properties may."""
    assert event(**columns)["distinct_id"] == person


@pytest.mark.parametrize(
    ("text", "uuid"),
    [
        pytest.param(UUID.upper(), UUID, id="upper_case"),
        pytest.param(UUID.replace("-", ""), UUID, id="without_hyphens"),
        pytest.param("not-a-uuid", None, id="none"),
        pytest.param(None, None, id="missing"),
    ],
)
def test_uuids_are_canonical(text, uuid):
    """PostHog takes several spellings of a uuid; the plan and the answers know one."""
    assert event(uuid=text)["uuid"] == uuid


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"event": "f"}, id="event"),
        pytest.param({"distinct_id": "v"}, id="distinct_id"),
        pytest.param({"timestamp": "2024-01-02T03:04:05.678902Z"}, id="timestamp"),
        pytest.param({"properties": '{"a":2}'}, id="properties"),
        pytest.param({"$set": '{"a":2}'}, id="set"),
        pytest.param({"$window_id": "w"}, id="undeclared"),
        pytest.param({"uuid": "odd"}, id="uuid_that_is_none"),
    ],
)
def test_rows_without_uuid_are_told_apart_by_what_they_say(other):
    """Rows that differ in anything an event carries have different keys."""
    base = {"properties": '{"a":1}'}
    assert event(**base | other)["dedup_key"] != event(**base)["dedup_key"]


@pytest.mark.parametrize(
    "same",
    [
        pytest.param({}, id="repeat"),
        pytest.param({"_inserted_at": "2024-02-02T00:00:00Z"}, id="exported_again"),
        pytest.param({"timestamp": "2024-01-02T04:04:05.678901+01:00"}, id="other_spelling_of_the_time"),
        pytest.param({"person_id": UUID}, id="person_known_by_now"),
    ],
)
def test_rows_without_uuid_keep_their_key(same):
    """The same event exported twice has one key."""
    assert event(**same)["dedup_key"] == event()["dedup_key"]


def test_only_the_old_projects_token_is_dropped():
    """Every other property stays, `distinct_id` among them."""
    assert EVENTS.rename == {"token": None}


def test_columns_of_the_event_are_properties():
    """A column beside the bag passes on, and yields to the bag's key of the same name."""
    assert properties(properties='{"a":1}', **{"$session_id": UUID}) == {"a": 1, "$session_id": UUID}
    assert properties(properties='{"a":1}', a=2, b=3) == {"a": 1, "b": 3}
    assert properties(properties='{"a":null}', a=2) == {"a": 2}


@pytest.mark.parametrize("name", ["person_id", "_inserted_at", "team_id", "sent_at", "offset", "api_key"])
def test_columns_of_the_journey_are_no_properties(name):
    """What PostHog computes, and what belongs to a request, is left behind by name."""
    assert name in EVENTS.dropped


@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        pytest.param('a:href="/x"', 'a:href="/x"', id="chain"),
        pytest.param("", None, id="empty"),
        pytest.param(None, None, id="null"),
    ],
)
def test_elements_chain_becomes_a_property(chain, expected):
    """Clicks keep the elements they were made on."""
    assert event(elements_chain=chain)["extra"]["$elements_chain"] == expected


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        pytest.param({"a": 1}, "203.0.113.9", id="missing"),
        pytest.param({"$ip": "198.51.100.4"}, None, id="bag_has_its_own"),
        pytest.param({"$set": {"$ip": "198.51.100.4"}}, "203.0.113.9", id="nested"),
        pytest.param(None, "203.0.113.9", id="no_bag"),
    ],
)
def test_ip_column_fills_a_missing_ip(properties, expected):
    """Without `$ip` PostHog would store the importer's address."""
    assert event(properties=properties, ip="203.0.113.9")["extra"]["$ip"] == expected


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        pytest.param({"$set": {"a": 1}}, {"$set": {"a": 1}}, id="alone"),
        pytest.param(
            {"properties": {"x": 1, "$set": {"a": 0, "b": 0}}, "$set": {"a": 1}},
            {"x": 1, "$set": {"a": 1, "b": 0}},
            id="row_wins",
        ),
        pytest.param(
            {"properties": {"$set_once": {"a": 0}}, "set": '{"b":"é"}', "set_once": '{"a":1}'},
            {"$set": {"b": "é"}, "$set_once": {"a": 1}},
            id="columns_of_batch_exports",
        ),
        pytest.param(
            {"properties": {"$set": "odd"}, "$set": {"a": 1}},
            {"$set": {"a": 1}},
            id="bag_has_no_object",
        ),
        pytest.param({"properties": {"$set": {"a": 1}}}, {"$set": {"a": 1}}, id="only_the_bag"),
        pytest.param({"properties": {"$set": {"a": 1}}, "$set": {}}, {"$set": {"a": 1}}, id="empty"),
        pytest.param({"properties": {"$set": "odd"}}, {"$set": "odd"}, id="only_the_bag_and_no_object"),
    ],
)
def test_the_rows_person_properties_win_over_the_bags(columns, expected):
    """Key by key, as PostHog merges them; a bag that is alone is not touched."""
    assert properties(**columns) == expected


@pytest.mark.parametrize("column", [pytest.param({}, id="alone"), pytest.param({"a": 1}, id="merged")])
def test_a_bag_that_is_alone_keeps_its_own_text(column):
    """Only where a row brings some beside the bag's are person properties put together."""
    found = event(properties='{"$set": {"b": 1.10}}', **({"$set": column} if column else {}))
    assert found["own"] == '{"$set":{"b": 1.10}}'
    assert found["set"] == ('{"b":1.10,"a":1}' if column else None)


def test_merging_keeps_cut_emoji_and_big_integers(tmp_path):
    """Taking a bag apart changes no value but what is to be mended, and that is counted, once."""
    line = row(properties={"cut": "\ud83e", "big": 90071992547409931, "é": 1}, **{"$set": {"a": 1}})
    (tmp_path / "a.jsonl").write_text(json.dumps(line) + "\n")
    made = made_of("posthog", tmp_path / "a.jsonl")
    expected = {"cut": "\ufffd", "big": "90071992547409931", "é": 1, "$set": {"a": 1}}
    assert expected.items() <= made.bags[0].items()
    assert made.numbers.repairs == {"lone_surrogate": 1, "big_integer": 1}


@pytest.mark.parametrize(
    ("name", "is_filtered"),
    [
        pytest.param("$snapshot", True, id="recording"),
        pytest.param("$snapshot_items", True, id="recording_items"),
        pytest.param("$$heatmap", True, id="heatmap"),
        pytest.param("$performance_event", True, id="performance"),
        pytest.param("$pageview", False, id="event"),
        pytest.param("$feature_flag_called", False, id="flag"),
    ],
)
def test_recordings_and_heatmaps_are_filtered_by_name(name, is_filtered):
    """What is no event for `/batch/` is left out under one rule."""
    found = rows({"event": name}).select(EVENTS.filters["replay_and_heatmap"]).item()
    assert found is is_filtered


def test_what_a_library_says_of_itself_is_filtered_by_name():
    """It is never an event of PostHog's, and no fault of the file's."""
    found = [
        rows({"event": name}).select(EVENTS.filters["ingestion_warning"]).item()
        for name in ("$$client_ingestion_warning", "$pageview")
    ]
    assert found == [True, False]


def test_rows_keep_their_place():
    """Each event carries the number of its row, in the file's order."""
    assert frame(*[{"event": "e"}] * 3)[ROW].to_list() == [1, 2, 3]


def test_distinct_ids_of_one_person_become_one_and_deleted_ones_do_not(tmp_path):
    """A user's id stands for the person, in any order of rows; each other one is merged into it, at its creation."""
    at = "2024-01-02T03:04:05Z"
    rows = [
        {
            "distinct_id": one,
            "person_id": person,
            "properties": {"n": n},
            "created_at": at,
            "is_deleted": gone,
        }
        for n, (one, person, gone) in enumerate(
            [("018d35bd-1280-7001-8a1b-2c3d4e5f0001", "p1", False), ("anna", "p1", False), ("b", "p2", True)]
        )
    ]
    for name, some in (("one", rows), ("other", rows[::-1])):
        folder = tmp_path / name
        folder.mkdir()
        for number, line in enumerate(some):
            (folder / f"{number}.jsonl").write_text(json.dumps(line) + "\n")
        done = migrate("preview", "posthog", folder)
        told = [json.loads(line) for line in done.stdout.splitlines()]
        [merge] = [one for one in told if one["event"] == "$identify"]
        assert (merge["distinct_id"], merge["timestamp"]) == ("anna", "2024-01-02T03:04:05.000000Z")
        assert merge["properties"]["$anon_distinct_id"] == rows[0]["distinct_id"]
        assert {one["distinct_id"] for one in told} == {"anna"}
