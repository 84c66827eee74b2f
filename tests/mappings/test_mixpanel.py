"""The Mixpanel mapping, behaviour by behaviour."""

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from frames import opened, sent, told

from mappings._mixpanel_labels import relabelled
from mappings.mixpanel import MAPPING
from migrate.cli.commands import cli
from migrate.kit import schemas
from migrate.kit.declare import FILE, PERSON, REST, ROW, Options
from migrate.kit.schemas import FRAMEWORK

SAMPLE = Path(__file__).parents[2] / "sample_data" / "mixpanel"
TABLES = {table.name: table for table in MAPPING.tables}
EXPORT = TABLES["export"]
T = 1709546400  # 2024-03-04T10:00:00Z
NOON = datetime(2024, 3, 4, 10, tzinfo=UTC)
HEAD = "10be417a-0000-4000-8000-0000000000aa"


def rows(table, *given):
    """Rows as the reader delivers them: what is no column in `REST`, objects as JSON text, what is not given null."""
    known = dict(FRAMEWORK) | dict(table.columns)
    told = []
    for place, row in enumerate(given, 1):
        rest = {name: value for name, value in row.items() if name not in known}
        line = {name: value for name, value in row.items() if name in known}
        line = {
            n: v if isinstance(v, str | None) else json.dumps(v, ensure_ascii=False) for n, v in line.items()
        }
        told.append(line | {ROW: place} | ({REST: json.dumps(rest)} if rest else {}))
    return pl.DataFrame(told, schema=known)


def whole(table, *given, **options):
    """Rows with what is in their objects."""
    return opened(TABLES[table], rows(TABLES[table], *given), Options(**options))


def mapped(table, *given, **options):
    """The events of the rows, extra without nulls and objects decoded."""
    read = whole(table, *given, **options)
    frame = TABLES[table].to_events(read.lazy(), Options(**options)).collect()
    assert schemas.schema_errors(frame.schema) == []
    found = []
    for event in frame.to_dicts():
        event["extra"] = {name: value for name, value in (event["extra"] or {}).items() if value is not None}
        event["properties"] = told(event)
        event["groups"] = {k: v for k, v in event["groups"].items() if v} if event["groups"] else None
        found.append(event)
    return found


def exported(event="Ordered", *, person=None, time=T, distinct_id="u-1", **properties):
    """A row of the Raw Event Export; `_x` stands for `$x`."""
    bag = {f"${name[1:]}" if name.startswith("_") else name: value for name, value in properties.items()}
    return {"event": event, "properties": {"time": time, "distinct_id": distinct_id} | bag, PERSON: person}


def one(event="Ordered", *, options=None, **properties):
    """The only event of one exported row."""
    (found,) = mapped("export", exported(event, **properties), **(options or {}))
    return found


def links(table, *given, **options):
    """What the rows tell of ids, as kind, from and to, sorted."""
    read = whole(table, *given, **options)
    frame = TABLES[table].to_links(read.lazy(), Options(**options)).collect()
    return sorted(frame.select("kind", "a", "b").rows(), key=str)


def filtered(table, *given, **options):
    """For each row, the filters that hold."""
    frame = whole(table, *given, **options)
    rules = {
        n: r if isinstance(r, pl.Expr) else r(Options(**options)) for n, r in TABLES[table].filters.items()
    }
    held = frame.select(rule.fill_null(value=False).alias(name) for name, rule in rules.items())
    return [[name for name, value in row.items() if value] for row in held.to_dicts()]


def profiles(table, *given, **options):
    """Profiles of people that rows tell: id -> `$set` and `$set_once`."""
    frame = TABLES[table].to_profiles(rows(TABLES[table], *given).lazy(), Options(**options)).collect()
    decoded = [
        (json.loads(row["set"] or "{}"), json.loads(row["set_once"] or "{}")) for row in frame.to_dicts()
    ]
    return dict(zip(frame["distinct_id"], decoded, strict=True))


def groups(table, *given, **options):
    """Groups that rows tell of: type and key -> properties."""
    frame = TABLES[table].to_groups(rows(TABLES[table], *given).lazy(), Options(**options)).collect()
    return {(r["group_type"], r["group_key"]): json.loads(r["properties"]) for r in frame.to_dicts()}


def previewed(*arguments):
    """The payloads that `migrate preview mixpanel` prints."""
    shown = CliRunner().invoke(cli, ["preview", "mixpanel", *map(str, arguments), "--limit", "1000"])
    assert shown.exit_code == 0, shown.output
    return [json.loads(line) for line in shown.stdout.splitlines() if line.startswith("{")]


@pytest.mark.parametrize("compat", [None, "posthog-worker"])
@pytest.mark.parametrize("table", MAPPING.tables, ids=lambda table: table.name)
def test_contract_on_an_empty_frame(table, compat):
    """Without data, whatever the options, every frame has its schema."""
    options = Options(uuid_compat=compat, labels={"a": "B"}, group_keys={"company_id": "company"})
    empty = opened(table, rows(table), options).lazy()
    assert schemas.schema_errors(table.to_events(empty, options).collect_schema()) == []
    for tell in (table.to_links, table.to_profiles, table.to_groups, table.clock):
        assert tell is None or tell(empty, options).collect().height == 0


def test_a_plain_event():
    """Name, person, time and properties pass on, also a key that only this row has."""
    event = one("Bestellt", item="Gießkanne", n=1)
    assert (event["event"], event["distinct_id"], event["timestamp"]) == ("Bestellt", "u-1", NOON)
    assert event["properties"] == {"item": "Gießkanne", "n": 1}
    assert event["uuid"] is None
    (properties,) = sent(EXPORT, rows(EXPORT, exported("Bestellt", item="Gießkanne", n=1)))
    assert properties == {"item": "Gießkanne", "n": 1}
    assert {EXPORT.rename[name] for name in ("time", "distinct_id", "$mp_api_timestamp_ms")} == {None}


@pytest.mark.parametrize(
    ("time", "microseconds"),
    [
        pytest.param(T, 0, id="seconds"),
        pytest.param(T * 1000 + 250, 250_000, id="milliseconds"),
        pytest.param(T + 0.002, 2_000, id="fraction"),
        pytest.param(f"{T}", 0, id="text"),
        pytest.param("2024-03-04T10:00:00.5Z", 500_000, id="iso"),
        pytest.param("2024-03-04 10:00:00.250 UTC", 250_000, id="bigquery"),
    ],
)
def test_time(time, microseconds):
    """Seconds, milliseconds, fractions or ISO 8601; the milliseconds stay, as an order hangs on them."""
    assert one(time=time)["timestamp"] == NOON.replace(microsecond=microseconds)


@pytest.mark.parametrize("time", [pytest.param("soon", id="no-time"), pytest.param(None, id="null")])
def test_no_time(time):
    """What is no time is null, and no time of another kind stands in for it."""
    assert one(time=time, _mp_api_timestamp_ms=T * 1000)["timestamp"] is None


@pytest.mark.parametrize(
    ("shown", "utc"),
    [
        pytest.param("2020-10-13T17:48:31", "2020-10-13T21:48:31", id="summer"),
        pytest.param("2020-12-13T17:48:31", "2020-12-13T22:48:31", id="winter"),
        pytest.param("2020-03-08T02:30:00", "2020-03-08T07:30:00", id="skipped-moves-on"),
        pytest.param("2020-11-01T01:30:00", "2020-11-01T05:30:00", id="twice-takes-the-first"),
    ],
)
def test_project_time(shown, utc):
    """The project's wall clock, written as an epoch, becomes UTC, with summer time, gaps and folds."""
    zone = {"source_timezone": "America/New_York"}
    wall, true = (datetime.fromisoformat(f"{text}+00:00") for text in (shown, utc))
    assert one(time=wall.timestamp() + 0.25, options=zone)["timestamp"] == true.replace(microsecond=250_000)
    (flat,) = mapped("flat", {"event": "e", "time": f"{shown}Z", "distinct_id": "u"}, **zone)
    (old,) = mapped("old_pipeline", {"mp_event_name": "e", "time": str(int(wall.timestamp()))}, **zone)
    assert flat["timestamp"] == old["timestamp"] == true


@pytest.mark.parametrize(
    ("table", "row"),
    [
        pytest.param("pipeline", {"event_name": "e", "time": str(T), "properties": {}}, id="pipeline"),
        pytest.param("stitch", {"event": "e", "time": "2024-03-04T10:00:00Z"}, id="stitch"),
        pytest.param("fivetran", {"name": "e", "time": "2024-03-04 10:00:00"}, id="fivetran"),
    ],
)
def test_tables_in_utc(table, row):
    """Tables that are UTC by definition do not move with the project's zone, and say nothing of it."""
    (event,) = mapped(table, row | {"distinct_id": "u"}, source_timezone="America/New_York")
    assert event["timestamp"] == NOON
    assert TABLES[table].clock is None


def clock(table, *given):
    """What the rows tell of the clock: month, offset and how many rows show it."""
    options = Options(source_timezone="Asia/Tokyo")
    return sorted(TABLES[table].clock(whole(table, *given).lazy(), options).collect().rows())


def test_clock():
    """How far `time` is from when the servers took the event, by month, whatever zone the user gave."""
    assert clock("export", exported(time=T, _mp_api_timestamp_ms=(T + 28_805) * 1000)) == [
        ("2024-03", 28_800, 1)
    ]
    assert clock("export", exported(time=T, mp_processing_time_ms=(T + 61) * 1000)) == [("2024-03", 0, 1)]
    both = exported(time=T, _mp_api_timestamp_ms=T * 1000, mp_processing_time_ms=(T + 9_000) * 1000)
    assert clock("export", both) == [("2024-03", 0, 1)], "when it came in, not when it was worked on"
    flat = {"event": "e", "time": "2021-06-16T16:28:00Z", "mp_processing_time_ms": "1623886083321"}
    assert clock("flat", flat) == [("2021-06", 25_200, 1)]
    old = {"mp_event_name": "e", "time": f"{T}", "mp_mp_api_timestamp_ms": f"{(T + 3_600) * 1000}"}
    assert clock("old_pipeline", old) == [("2024-03", 3_600, 1)]
    assert clock("flat", flat, flat, flat | {"time": "2021-06-16T15:28:00Z"}, {"event": "e"}) == [
        ("2021-06", 25_200, 2),
        ("2021-06", 28_800, 1),
    ]


def test_clock_of_imported_history():
    """Rows that were imported say nothing of the clock."""
    late = (T + 90_000) * 1000
    assert clock("export", exported(_import=True, _mp_api_timestamp_ms=late), exported()) == []
    assert (
        clock("flat", {"event": "e", "time": f"{T}", "import": "True", "mp_api_timestamp_ms": str(late)})
        == []
    )


def test_a_project_that_is_not_utc_is_refused(tmp_path):
    """Without a zone nothing is planned; with one the times are right."""
    lines = [exported(time=T + n, _mp_api_timestamp_ms=(T + n + 28_801) * 1000) for n in range(40)]
    path = tmp_path / "export.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    shown = CliRunner().invoke(cli, ["preview", "mixpanel", str(path)])
    assert shown.exit_code != 0
    assert "--source-timezone" in str(shown.output) + str(shown.exception)
    found = previewed(path, "--source-timezone", "America/Los_Angeles")
    assert found[0]["timestamp"] == "2024-03-04T18:00:00.000000Z"


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        pytest.param({"distinct_id": "u-1"}, "u-1", id="distinct-id"),
        pytest.param({"distinct_id": "$device:d-1"}, "d-1", id="device-prefix"),
        pytest.param({"distinct_id": HEAD, "_user_id": "u-1"}, "u-1", id="user"),
        pytest.param({"distinct_id": HEAD, "person": "u-1"}, "u-1", id="resolved"),
        pytest.param({"distinct_id": "a", "_user_id": "u-1", "person": "u-2"}, "u-1", id="user-first"),
        pytest.param({"distinct_id": "u-1", "_user_id": "null"}, "u-1", id="junk-user"),
        pytest.param(
            {"distinct_id": "ABC-123", "_distinct_id_before_identity": "b"}, "ABC-123", id="capitals"
        ),
        pytest.param({"distinct_id": None, "_device_id": "d-1"}, "d-1", id="device"),
        pytest.param({"distinct_id": "", "mp_original_distinct_id": "u-1"}, "u-1", id="hot-shard"),
        pytest.param({"distinct_id": "undefined"}, "undefined", id="no-one"),
        pytest.param({"distinct_id": 17}, "17", id="number"),
        pytest.param({"distinct_id": "$device:$device:d-1"}, "d-1", id="device-prefix-twice"),
        pytest.param({"distinct_id": "d-1", "_user_id": "$device:d-2"}, "d-1", id="device-as-user"),
        pytest.param({"distinct_id": None, "_distinct_id_before_identity": "b"}, "b", id="before"),
    ],
)
def test_person(ids, expected):
    """The user, else who Mixpanel says it is, else the id without its prefix, else another id of the row."""
    assert one(**ids)["distinct_id"] == expected


def test_the_id_an_event_is_not_sent_under_is_kept():
    """Where the person is another than Mixpanel exports, its id is a property."""
    assert one(distinct_id=HEAD, _user_id="u-1")["extra"]["mixpanel_distinct_id"] == HEAD
    assert "mixpanel_distinct_id" not in one(distinct_id="$device:d-1")["extra"]


def test_resolution_is_asked_for_by_the_exported_id():
    """Rows ask for their person under the id `to_links` told of, in every shape."""
    told = {
        "export": exported(distinct_id="$device:d-1"),
        "pipeline": {"event_name": "e", "distinct_id": "d-1", "properties": {}},
        "flat": {"event": "e", "distinct_id": "$device:d-1"},
        "people": {"distinct_id": "$device:d-1", "properties": {}},
        "people_flat": {"$distinct_id": "d-1"},
    }
    for name, row in told.items():
        assert whole(name, row).select(TABLES[name].resolve).item() == "d-1", name
    hot = whole("export", exported(distinct_id="", mp_original_distinct_id="u-9"))
    assert hot.select(EXPORT.resolve).item() == "u-9"


def test_links_of_a_device_that_stands_for_a_person():
    """A canonical id that is no device's prefix is the user's, and so is the id an event was taken in under."""
    row = exported(
        distinct_id=HEAD, _user_id="346298", _device_id="d79", _distinct_id_before_identity="346298"
    )
    assert links("export", row) == [
        ("identified", None, "346298"),
        ("likely", None, "346298"),
        ("linked", "d79", "346298"),
        ("resolved", HEAD, "346298"),
        ("resolved", HEAD, "346298"),
    ]


def test_links_of_simplified_ids():
    """A device is its user's; anonymous events are its own, so that a merge is spent only where there are some."""
    assert links("export", exported(distinct_id="u-1", _user_id="u-1", _device_id="d-1")) == [
        ("identified", None, "u-1"),
        ("linked", "d-1", "u-1"),
    ]
    assert links("export", exported(distinct_id="$device:d-1", _device_id="d-1")) == [("own", "d-1", "d-1")]
    assert links("export", exported(distinct_id="$device:d-1", _device_id="d-1", _user_id="u-1")) == [
        ("identified", None, "u-1"),
        ("linked", "d-1", "u-1"),
    ]


def test_links_of_ids_that_are_no_ones():
    """Words that are no one's id link nobody and are counted; rows without a time tell nothing at all."""
    row = exported(distinct_id="null", _user_id="anonymous", _device_id="undefined")
    assert links("export", row) == [("refused", "undefined", "anonymous")]
    assert links("export", row, uuid_compat="posthog-worker")[-1] == ("refused", "undefined", "anonymous")
    for event, given in {
        "$identify": {"_identified_id": "lmy47d", "_anon_id": "d-1"},
        "$create_alias": {"alias": "lmy47d", "distinct_id": "d-1"},
    }.items():
        assert ("refused", "d-1", "lmy47d") in links("export", exported(event, **given))
    assert links("export", exported(time="soon", _user_id="u-1", _device_id="d-1")) == []


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        pytest.param(
            exported("$identify", _identified_id="u-1", _anon_id="$device:d-1"),
            [("identified", None, "u-1"), ("linked", "d-1", "u-1")],
            id="identify",
        ),
        pytest.param(
            exported("$create_alias", distinct_id="a", alias="b"), [("same", "a", "b")], id="create-alias"
        ),
        pytest.param(exported("$merge", _distinct_ids=["a,1", "b"]), [("same", "a,1", "b")], id="merge"),
        pytest.param(exported("$merge", _distinct_ids=[17, 18]), [("same", "17", "18")], id="numbers"),
        pytest.param(
            exported("$merge", _distinct_ids=["a", '$device:Mül"ler', "null", "c", "a"]),
            [("identified", None, "a"), ("same", "a", 'Mül"ler'), ("same", "a", "c")],
            id="merge-of-three",
        ),
        pytest.param(
            exported("$merge", _distinct_ids="['a', 'b,1', 'c']"),
            [("same", "a", "b,1"), ("same", "a", "c")],
            id="merge-as-airbyte-writes-it",
        ),
        pytest.param(
            exported("$create_alias", distinct_id="b", alias="b", _distinct_id_before_identity="a"),
            [("same", "a", "b")],
            id="alias-exported-under-itself",
        ),
        pytest.param(
            exported("$create_alias", distinct_id="c", alias="b", _distinct_id_before_identity="a"),
            [("same", "a", "b"), ("same", "c", "b")],
            id="alias-exported-under-a-third",
        ),
        pytest.param(
            exported("$identify", _identified_id="$device:d-1", _anon_id="e-1"),
            [("same", "e-1", "d-1")],
            id="a-device-is-identified",
        ),
        pytest.param(exported("$merge", _distinct_ids=["a"]), [], id="merge-of-one"),
        pytest.param(
            exported("$hotshard_events", mp_original_event_name="$create_alias", distinct_id="a", alias="b"),
            [("same", "a", "b")],
            id="hot-shard",
        ),
    ],
)
def test_verbs_are_links(row, expected):
    """Mixpanel's identity verbs tell who is who and are no events: PostHog would read them in its own way."""
    assert links("export", row) == expected
    assert filtered("export", row) == [["identity_only"]]


def test_verbs_in_columns():
    """The old pipelines' table of an identity verb is known by its name."""
    row = {FILE: "mp_identify", "time": str(T), "mp_identified_id": "u-1", "mp_anon_id": "d-1"}
    assert ("linked", "d-1", "u-1") in links("old_pipeline_events", row)
    assert filtered("old_pipeline_events", row) == [["identity_only"]]


def test_identity_mappings():
    """The table of identity mappings is Mixpanel's own resolution; its rows are no events."""
    row = {"distinct_id": "$device:d-1", "resolved_distinct_id": "u-1"}
    same = {"distinct_id": "u-1", "resolved_distinct_id": "u-1"}
    assert links("identity_mappings", row, same) == [("resolved", "d-1", "u-1")]
    assert filtered("identity_mappings", row) == [["identity_only"]]


def test_one_person_in_the_end():
    """In the sample: an anonymous past, a device that stands for its user, a kiosk, an alias, a mapping table."""
    found = previewed(SAMPLE)
    whose = {(event["event"], event["properties"].get("$insert_id")): event["distinct_id"] for event in found}
    assert whose["Added to Cart", "aa02"] == "u-17"
    assert whose["Device Online", "aa11"] == "346298"
    assert whose["Paid", "aa09"] == "u-18"
    merges = {
        e["properties"]["$anon_distinct_id"]: e["distinct_id"] for e in found if e["event"] == "$identify"
    }
    assert merges["c4d1-kiosk"] == "u-17"
    assert merges["carla@example.com"] == merges["b7-phone"] == "u-19"
    assert "5f0c2a1e-anna-laptop" not in merges, "resolved by Mixpanel, no merge is spent"
    assert [e["distinct_id"] for e in found if e["properties"].get("total") == 12.5] == ["p-user"]


def key(**properties):
    """The dedup key of one exported row."""
    return one(**properties)["dedup_key"]


def test_dedup_key():
    """Name, id, time and insert id make an event one; the id is that under which it was taken in."""
    ids = {"_insert_id": "i-1"}
    assert key(**ids) == key(**ids, other=1)
    assert key(**ids) == key(**ids, distinct_id="new", _distinct_id_before_identity="u-1")
    assert key(**ids) == key(**ids, distinct_id="$device:u-1")
    different = [{"event": "Paid"}, {"time": T + 1}, {"distinct_id": "u-2"}, {"_insert_id": "i-2"}]
    assert len({key(**ids), *(key(**(ids | other)) for other in different)}) == 5


def test_dedup_key_without_an_insert_id():
    """A row without one is told by all it says."""
    assert key(n=1) == key(n=1) != key(n=2)
    assert key(_insert_id="") != key(_insert_id="x")


def test_the_same_event_from_another_export():
    """The API's row, the pipeline's and a copy's of one event get one uuid."""
    ids = {"distinct_id": "u-1", "insert_id": "i-1"}
    (pipeline,) = mapped("pipeline", ids | {"event_name": "Ordered", "time": str(T), "properties": {}})
    (flat,) = mapped("flat", ids | {"event": "Ordered", "time": "2024-03-04T10:00:00Z"})
    assert pipeline["dedup_key"] == flat["dedup_key"] == key(_insert_id="i-1")


def test_worker_uuid():
    """With `--uuid-compat` the uuid is version 5 of the insert id in PostHog's namespace, else our own."""
    compat = {"uuid_compat": "posthog-worker"}
    namespace = uuid.UUID("706f7374-686f-675f-6d69-7870616e656c")
    assert one(_insert_id="Gießkanne 1", options=compat)["uuid"] == str(uuid.uuid5(namespace, "Gießkanne 1"))
    assert one(_insert_id="evt-1", options=compat)["uuid"] == "b1e8294d-c1b5-55f9-bb71-a01a10983447"
    assert one(options=compat)["uuid"] is None
    assert one(_insert_id="evt-1")["uuid"] is None


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        pytest.param({"distinct_id": "$device:d"}, "$device:d", id="prefix-stays"),
        pytest.param({"distinct_id": "$device:d", "_distinct_id_before_identity": "b"}, "b", id="device"),
        pytest.param({"distinct_id": "AB-1", "_distinct_id_before_identity": "b"}, "b", id="capitals"),
        pytest.param({"distinct_id": "12-3", "_distinct_id_before_identity": "b"}, "12-3", id="digits"),
        pytest.param({"distinct_id": HEAD, "_user_id": "u-1"}, HEAD, id="user-only-where-nothing-else"),
        pytest.param({"distinct_id": "", "_user_id": "u-1"}, "u-1", id="fallback"),
    ],
)
def test_worker_person(ids, expected):
    """PostHog collapses two events only of one name and id, so those are the managed migration's as well."""
    event = one("$mp_click", options={"uuid_compat": "posthog-worker"}, **ids)
    assert (event["event"], event["distinct_id"]) == ("$mp_click", expected)
    assert one("$mp_web_page_view", options={"uuid_compat": "posthog-worker"})["event"] == "$pageview"


def test_worker_links():
    """Where events keep the managed migration's ids, merges make one person of them."""
    compat = {"uuid_compat": "posthog-worker"}
    assert links("export", exported(distinct_id=HEAD, _user_id="u-1", _device_id="d"), **compat) == [
        ("identified", None, "u-1"),
        ("linked", "$device:d", "u-1"),
        ("linked", HEAD, "u-1"),
        ("linked", "d", "u-1"),
        ("own", HEAD, HEAD),
    ]
    row = exported(distinct_id="AB-1", _distinct_id_before_identity="b")
    assert links("export", row, **compat) == [("own", "b", "b"), ("same", "AB-1", "b")]
    row = exported(distinct_id=HEAD, _distinct_id_before_identity="b")
    assert links("export", row, **compat) == [
        ("linked", HEAD, "b"),
        ("linked", HEAD, "b"),
        ("own", HEAD, HEAD),
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("$mp_web_page_view", "$pageview", id="page-view"),
        pytest.param("$mp_page_view", "$pageview", id="older-page-view"),
        pytest.param("Loaded a Page", "$pageview", id="segment"),
        pytest.param("$mp_click", "$autocapture", id="click"),
        pytest.param("$mp_input_change", "$autocapture", id="change"),
        pytest.param("$mp_submit", "$autocapture", id="submit"),
        pytest.param("$mp_rage_click", "$rageclick", id="rage"),
        pytest.param("$mp_dead_click", "$dead_click", id="dead"),
        pytest.param("$mp_page_leave", "$pageleave", id="leave"),
        pytest.param("$ae_first_open", "Application Installed", id="install"),
        pytest.param("$ae_updated", "Application Updated", id="update"),
        pytest.param("$mp_scroll", "$mp_scroll", id="nothing-like-it"),
        pytest.param("Viewed Product Page", "Viewed Product Page", id="own"),
    ],
)
def test_event_names(name, expected):
    """What PostHog has its own name for gets it, and what it was called is a property; every other name stays."""
    event = one(name)
    assert event["event"] == expected
    assert event["extra"].get("mixpanel_event") == (None if name == expected else name)


def test_segment_pages():
    """Segment names page views after the page; what it is called is kept."""
    page = one("Viewed E-commerce Page", mp_lib="Segment: analytics.js")
    assert (page["event"], page["extra"]["name"]) == ("$pageview", "E-commerce")
    screen = one("Viewed Cart Screen", mp_lib="Segment: ios")
    assert (screen["event"], screen["extra"]["$screen_name"]) == ("$screen", "Cart")


def test_hot_shards():
    """An event that was too much for one shard has its name and person aside."""
    event = one(
        "$hotshard_events", distinct_id="", mp_original_event_name="Beat", mp_original_distinct_id="u-1"
    )
    assert (event["event"], event["distinct_id"]) == ("Beat", "u-1")
    (old,) = mapped("old_pipeline", {"mp_event_name": "$hotshard_events", "mp_original_event_name": "Beat"})
    assert old["event"] == "Beat"


def test_replays_are_left_out():
    """A replay's marker is no event."""
    assert filtered("export", exported("$mp_session_record"), exported()) == [["session_replay"], []]


def test_page():
    """The address taken apart, campaign parameters from it, and a title on page views."""
    event = one(
        "$mp_web_page_view",
        _current_url="https://shop.example.com/a?utm_source=x&gclid=1",
        current_page_title="Küche",
        current_domain="other.example.com",
    )
    extra = event["extra"]
    assert (extra["$host"], extra["$pathname"], extra["title"]) == ("shop.example.com", "/a", "Küche")
    assert (extra["$referrer"], extra["$referring_domain"]) == ("$direct", "$direct")
    assert {name: event["properties"][name] for name in ("utm_source", "gclid")} == {
        "utm_source": "x",
        "gclid": "1",
    }
    parts = one("$mp_web_page_view", current_domain="a.example.com", current_url_path="/x")["extra"]
    assert (parts["$host"], parts["$pathname"]) == ("a.example.com", "/x")


def test_device_and_place():
    """PostHog's names and spellings beside Mixpanel's own."""
    given = {"_os": "iOS", "_model": "iPad13,1", "_manufacturer": "Apple", "_app_version_string": "3.2"}
    given |= {"_app_build_number": 4213, "_carrier": "Telekom", "mp_lib": "iphone"}
    given |= {"_city": "Köln", "_region": "NRW", "mp_country_code": "DE"}
    event = one(**given)
    expected = {
        "$device_type": "Tablet",
        "$device_model": "iPad13,1",
        "$device_manufacturer": "Apple",
        "$os": "iOS",
    }
    expected |= {"$app_version": "3.2", "$app_build": "4213", "$network_carrier": "Telekom", "$lib": "iphone"}
    expected |= {"$geoip_city_name": "Köln", "$geoip_subdivision_1_name": "NRW"}
    expected |= {"$geoip_country_code": "DE", "$geoip_country_name": "Germany"}
    assert expected.items() <= event["extra"].items()
    assert event["properties"]["$city"] == "Köln"
    assert one(_browser_version="91.0.4472.101")["extra"]["$browser_version"] == 91


def test_autocapture():
    """A click has what PostHog's actions look for; Mixpanel's own list of elements gets another name."""
    elements = [
        {"$tag_name": "a", "$classes": ["btn", ""], "$attr-href": "/k", "$id": "b", "$nth_child": 2},
        {"$tag_name": "body", "$classes": []},
    ]
    event = one("$mp_click", _el_text="Kaufen", _el_attr__href="/k", _elements=elements)
    assert event["extra"]["$elements_chain"] == (
        'a.btn:attr__class="btn"attr__href="/k"attr__id="b"attr_id="b"href="/k"nth-child="2"text="Kaufen";body:'
    )
    assert EXPORT.rename["$elements"] == "mixpanel_elements"
    assert "$elements_chain" not in one("Clicked", _el_text="Kaufen")["extra"]


def test_revenue_of_purchases_in_an_app():
    """Mixpanel has no column for money but that of purchases it sees itself."""
    assert one("$ae_iap", _ae_iap_price=4.5, _ae_iap_quantity=2)["extra"]["revenue"] == 9
    assert one("$ae_iap", _ae_iap_price="4.5")["extra"]["revenue"] == 4.5
    assert "revenue" not in one("Ordered", _ae_iap_price=4.5)["extra"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("acme", "acme", id="text"),
        pytest.param(["Acme, Inc.", "globex"], "Acme, Inc.", id="first-of-a-list"),
        pytest.param([17, 18], "17", id="numbers"),
        pytest.param(17, "17", id="number"),
        pytest.param("['acme', 'globex']", "acme", id="airbyte"),
        pytest.param([], None, id="empty-list"),
        pytest.param("Undefined", None, id="no-one"),
    ],
)
def test_groups(value, expected):
    """The properties the user names as group keys become groups, and stay properties."""
    event = one(company_id=value, options={"group_keys": {"company_id": "company"}})
    assert event["groups"] == ({"company": expected} if expected else {})
    assert event["properties"]["company_id"] == value
    assert one(company_id=value)["groups"] is None


def test_a_group_key_that_is_read_anyway():
    """A group key may be a property that is looked at for something else."""
    keys = {"group_keys": {"browser": "engine", "$city": "town"}}
    (flat,) = mapped("flat", {"event": "e", "browser": "Chrome", "city": "Bonn"}, **keys)
    assert flat["groups"] == {"engine": "Chrome", "town": "Bonn"}


def test_groups_of_copies():
    """Group keys are found among the columns, and among Fivetran's properties."""
    keys = {"group_keys": {"company_id": "company"}}
    (flat,) = mapped("flat", {"event": "e", "company_id": "acme"}, **keys)
    (fivetran,) = mapped("fivetran", {"name": "e", "properties": {"company_id": ["acme"]}}, **keys)
    assert flat["groups"] == fivetran["groups"] == {"company": "acme"}


def test_pipeline_columns_are_properties():
    """What the JSON pipelines set apart comes together again."""
    row = {
        "event_name": "e",
        "time": str(T),
        "distinct_id": "u",
        "user_id": "u",
        "device_id": "d",
        "insert_id": "i",
    }
    row |= {"properties": {"a": 1, "b": None, "both": 3}, "b": 4, "both": 5, "new": 2}
    (event,) = mapped("pipeline", row)
    assert {"$user_id": "u", "$device_id": "d", "$insert_id": "i"}.items() <= event["extra"].items()
    assert event["properties"] == {"a": 1, "b": 4, "both": 3, "new": 2}
    assert sent(TABLES["pipeline"], rows(TABLES["pipeline"], row)) == [event["properties"] | event["extra"]]


def test_airbyte_names():
    """Airbyte takes the `$`: names that are surely Mixpanel's get it back, those a shop may have stay."""
    rename = TABLES["flat"].rename
    assert (rename["browser"], rename["current_url"]) == ("$browser", "$current_url")
    assert {"brand", "city", "elements", "failure_reason", "device"}.isdisjoint(rename)
    (event,) = mapped(
        "flat",
        {
            "event": "e",
            "distinct_id": "u",
            "browser": "Chrome",
            "city": "Bonn",
            "brand": "Nike",
            "os": "Windows",
        },
    )
    assert event["extra"] == {
        "$browser": "Chrome",
        "$geoip_city_name": "Bonn",
        "$os": "Windows",
        "$device_type": "Desktop",
    }


def test_a_user_id_that_may_be_the_customers():
    """Without `$`, a `user_id` is Mixpanel's own where there is a device too, and a property elsewhere."""
    row = {"event": "e", "time": str(T), "distinct_id": "a@example.com", "user_id": "4711"}
    own, theirs = mapped("flat", row | {"device_id": "d"}, row)
    assert (own["distinct_id"], own["extra"]["$user_id"]) == ("4711", "4711")
    assert (theirs["distinct_id"], theirs["extra"]) == ("a@example.com", {"user_id": "4711"})
    assert links("flat", row) == [("own", "a@example.com", "a@example.com")]


def test_stitch_names():
    """Stitch writes `mp_reserved_` for the `$`."""
    row = {"event": "e", "distinct_id": "a", "mp_reserved_user_id": "u", "mp_reserved_insert_id": "i"}
    (event,) = mapped(
        "stitch", row | {"mp_reserved_city": "Bern", "mp_reserved_new": 'of "mp_reserved_x', "city": "own"}
    )
    assert (event["distinct_id"], event["extra"]["$insert_id"]) == ("u", "i")
    assert event["extra"]["$geoip_city_name"] == "Bern"
    assert event["properties"] == {"$city": "Bern", "$new": 'of "mp_reserved_x', "city": "own"}


def test_old_pipelines():
    """The mangled columns of the old pipelines; an event with a table of its own is named after it."""
    row = {"time": str(T), "distinct_id": "a", "mp_user_id": "u", "mp_browser": "Firefox", "browser": "own"}
    (mono,) = mapped("old_pipeline", row | {"mp_event_name": "Signed Up", "mp_properties": {"n 9501": 1}})
    assert (mono["event"], mono["distinct_id"], mono["extra"]["$browser"]) == ("Signed Up", "u", "Firefox")
    assert mono["properties"] == {"$browser": "Firefox", "browser": "own", "n 9501": 1}
    (multi,) = mapped("old_pipeline_events", row | {FILE: "signed_up"})
    assert multi["event"] == "signed_up"
    rename = TABLES["old_pipeline"].rename
    assert (rename["mp_browser"], rename["mp_mp_api_timestamp_ms"]) == ("$browser", None)
    assert "browser" not in rename


def test_labels():
    """The schema files undo the mangling, of columns and of tables; nested keys and taken names stay."""
    labels = {"plan_type": "Plan Type", "signed_up": "Signed Up", "mp_os": "$os", "x_1": "x"}
    row = {"time": str(T), "plan_type": "pro", "mp_os": "Linux", "x": 1, "x_1": 2, "deep": {"plan_type": 1}}
    (event,) = mapped("old_pipeline_events", row | {FILE: "signed_up"}, labels=labels)
    assert event["event"] == "Signed Up"
    assert event["properties"] == {
        "Plan Type": "pro",
        "$os": "Linux",
        "x": 1,
        "x_1": 2,
        "deep": {"plan_type": 1},
    }
    assert event["extra"]["$os"] == "Linux"
    (upper,) = mapped("old_pipeline_events", {"PLAN_TYPE": "pro"}, labels=labels)
    assert upper["properties"] == {"Plan Type": "pro"}, "as Snowflake spells it"


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"plan_type": "Plan Type", "mp_os": "$os", "x_string": "X"}, id="mangled-to-original"),
        pytest.param({"Plan Type": "plan_type", "$os": "mp_os", "X": "x_string"}, id="original-to-mangled"),
        pytest.param(
            {"Signed Up": {"properties": {"Plan Type": "plan_type", "$os": "mp_os", "X": "x_string"}}},
            id="by-event",
        ),
        pytest.param(
            [
                {"name": "Plan Type", "column": "plan_type", "type": "string"},
                {"name": "$os", "column": "mp_os", "type": "string"},
                {"name": "X", "column": "x_string", "type": "string"},
            ],
            id="list",
        ),
        pytest.param(
            {
                "properties": {
                    "Plan Type": {"name": "plan_type"},
                    "$os": {"name": "mp_os"},
                    "X": {"name": "x_string"},
                }
            },
            id="objects",
        ),
    ],
)
def test_read_labels(document):
    """A schema file in any likely form tells which column was which property."""
    assert MAPPING.read_labels(document) == {"plan_type": "Plan Type", "mp_os": "$os", "x_string": "X"}


def test_read_labels_of_names_that_no_rule_makes():
    """What the user writes down holds, whatever the rules say; events and reserved words are names too."""
    assert MAPPING.read_labels({"ev1": "Größe gewählt"}) == {"ev1": "Größe gewählt"}
    assert MAPPING.read_labels({"events": {"Signed Up": "signed_up", "order": "res_order"}}) == {
        "signed_up": "Signed Up",
        "res_order": "order",
    }


def test_a_parquet_file_of_the_old_pipelines(tmp_path):
    """The old pipelines' Parquet, with numbers for times and a schema file."""
    frame = pl.DataFrame(
        {
            "mp_event_name": ["Signed Up"],
            "time": [T],
            "distinct_id": ["u-1"],
            "mp_insert_id": ["i"],
            "plan_type": [7],
        }
    )
    frame.write_parquet(tmp_path / "mp_master_event.parquet")
    labels = tmp_path / "events.json"
    labels.write_text(json.dumps({"plan_type": "Plan Type"}), encoding="utf-8")
    (event,) = previewed(tmp_path / "mp_master_event.parquet", "--labels", labels)
    assert (event["timestamp"], event["properties"]["Plan Type"]) == ("2024-03-04T10:00:00.000000Z", 7)


PROFILE = {
    "$email": "anna@example.com",
    "$name": "Anna Müller",
    "$city": "Köln",
    "$country_code": "DE",
    "$last_seen": "2024-03-04T10:00:00",
    "$initial_referrer": "$direct",
    "initial_utm_source": "news",
    "city": "own",
    "plan": "undefined",
    "phone": "",
    "tags": ["a"],
    "visits": 12345678901234567890,
}
TOLD = (
    {
        "email": "anna@example.com",
        "name": "Anna Müller",
        "$geoip_city_name": "Köln",
        "$geoip_country_code": "DE",
        "last_seen": "2024-03-04T10:00:00",
        "city": "own",
        "tags": ["a"],
        "visits": 12345678901234567890,
    },
    {"$initial_referrer": "$direct", "$initial_utm_source": "news"},
)


def test_a_page_of_profiles():
    """A page of the engage API is one row and many people; ids may be numbers, "undefined" is none."""
    results = [
        {"$distinct_id": "u-17", "$properties": PROFILE},
        {"$distinct_id": 17, "$properties": {"a": 1}},
    ]
    assert profiles("engage_pages", {"results": results}) == {"u-17": TOLD, "17": ({"a": 1}, {})}
    assert profiles("engage_pages", {"results": []}) == {}


@pytest.mark.parametrize(
    ("table", "row"),
    [
        pytest.param(
            "engage_pages",
            lambda seen: {"results": [{"$distinct_id": "u", "$properties": {"a": 1, "$last_seen": seen}}]},
            id="engage",
        ),
        pytest.param(
            "people",
            lambda seen: {"distinct_id": "u", "properties": {"a": 1, "$last_seen": seen}},
            id="people",
        ),
        pytest.param(
            "people_flat", lambda seen: {"distinct_id": "u", "a": 1, "last_seen": seen}, id="airbyte"
        ),
        pytest.param(
            "people_flat", lambda seen: {"distinct_id": "u", "a": 1, "$last_seen": seen}, id="users-page"
        ),
    ],
)
@pytest.mark.parametrize(
    ("seen", "hour"),
    [
        pytest.param("2024-03-04T10:00:00", 9, id="wall-clock"),
        pytest.param("2024-03-04T10:00:00Z", 10, id="zoned"),
        pytest.param("soon", None, id="unreadable"),
        pytest.param(None, None, id="missing"),
    ],
)
def test_profiles_are_as_of_when_a_person_was_last_seen(table, row, seen, hour):
    """So that of two exports the newer one counts; without that time a profile is as of the export."""
    frame = rows(TABLES[table], row(seen))
    options = Options(source_timezone="Europe/Berlin")
    (time,) = TABLES[table].to_profiles(frame.lazy(), options).collect()["timestamp"]
    assert (time and time.hour) == hour


def test_the_newest_snapshot_of_a_person_wins(tmp_path):
    """Whatever the files are called, and whatever stands in them."""
    for name, seen, value in (("1", "2024-02-01T00:00:00", 1), ("2", "2024-01-01T00:00:00", 9)):
        people = [{"$distinct_id": "u-1", "$properties": {"$last_seen": seen, "v": value}}]
        (tmp_path / f"{name}.json").write_text(json.dumps({"page": 0, "results": people}))
    (event,) = previewed(tmp_path)
    assert event["properties"]["$set"] == {"v": 1, "last_seen": "2024-02-01T00:00:00"}


def test_a_profile_a_line():
    """The same profile, one a line or in a people table; who it is may be resolved."""
    assert profiles("profiles", {"$distinct_id": "u-17", "$properties": PROFILE}) == {"u-17": TOLD}
    assert profiles("people", {"distinct_id": "$device:d", "properties": PROFILE}) == {"d": TOLD}
    assert profiles("people", {"distinct_id": HEAD, "properties": PROFILE, PERSON: "u-1"}) == {"u-1": TOLD}


@pytest.mark.parametrize(
    "row",
    [
        pytest.param({"email": "a@example.com", "city": "Bonn", "initial_referrer": "x"}, id="airbyte"),
        pytest.param({"$email": "a@example.com", "$city": "Bonn", "$initial_referrer": "x"}, id="users-csv"),
        pytest.param(
            {
                "mp_reserved_email": "a@example.com",
                "mp_reserved_city": "Bonn",
                "mp_reserved_initial_referrer": "x",
            },
            id="stitch",
        ),
        pytest.param({"mp_email": "a@example.com", "mp_city": "Bonn", "mp_initial_referrer": "x"}, id="old"),
    ],
)
def test_people_with_a_column_a_property(row):
    """Mixpanel's own names are known whatever stands for the `$`; the customer's stay."""
    known = (
        {"email": "a@example.com", "$geoip_city_name": "Bonn", "Favourite": "Rosen"},
        {"$initial_referrer": "x"},
    )
    found = profiles("people_flat", row | {"$distinct_id": "u-1", "Favourite": "Rosen"})
    assert found == {"u-1": known}


def test_labels_of_people():
    """The schema file of people undoes the mangling of their columns."""
    found = profiles("people_flat", {"distinct_id": "u", "plan_type": 1}, labels={"plan_type": "Plan Type"})
    assert found == {"u": ({"Plan Type": 1}, {})}


@pytest.mark.parametrize(
    ("file", "bag", "options", "expected"),
    [
        pytest.param(
            "page-0", {"$group_key": "company_id"}, {"company_id": "company"}, "company", id="says-it"
        ),
        pytest.param("page-0", {"$group_key": "team"}, {}, "team", id="says-it-alone"),
        pytest.param(
            "company_id-3", {}, {"company_id": "company", "team": "team"}, "company", id="file-of-a-key"
        ),
        pytest.param(
            "Company", {}, {"company_id": "company", "team": "team"}, "company", id="file-of-a-type"
        ),
        pytest.param("group-0", {}, {"team_id": "team"}, "team", id="file-of-groups"),
        pytest.param("group-0", {}, {}, "company", id="default-type"),
        pytest.param("page-0", {}, {"company_id": "company"}, None, id="people"),
        pytest.param("grouped_people", {}, {}, None, id="another-word"),
    ],
)
def test_group_profiles(file, bag, options, expected):
    """Groups come as people do; what they are is told by themselves or by the name of the file."""
    result = {"$distinct_id": "acme", "$properties": {"$name": "Acme GmbH", "seats": 5} | bag}
    rows_given = [("engage_pages", {"results": [result]}), ("profiles", result)]
    for table, row in rows_given:
        found = groups(table, row | {FILE: file}, group_keys=options)
        told = {(expected, "acme"): {"name": "Acme GmbH", "seats": 5}} if expected else {}
        assert found == told
        assert (profiles(table, row | {FILE: file}, group_keys=options) == {}) == bool(expected)


@pytest.mark.parametrize(
    ("columns", "table"),
    [
        pytest.param(["event", "properties"], "export", id="export"),
        pytest.param(
            ["event_name", "time", "properties", "distinct_id", "insert_id"], "pipeline", id="pipeline"
        ),
        pytest.param(["EVENT_NAME", "TIME", "PROPERTIES", "DISTINCT_ID"], "pipeline", id="snowflake"),
        pytest.param(["distinct_id", "properties"], "people", id="people"),
        pytest.param(["distinct_id", "resolved_distinct_id"], "identity_mappings", id="mappings"),
        pytest.param(["page", "results", "session_id", "status"], "engage_pages", id="engage"),
        pytest.param(["$distinct_id", "$properties"], "profiles", id="profile-a-line"),
        pytest.param(["mp_event_name", "time", "distinct_id", "mp_os"], "old_pipeline", id="old"),
        pytest.param(["time", "distinct_id", "mp_os"], "old_pipeline_events", id="old-by-event"),
        pytest.param(["event", "time", "distinct_id", "browser"], "flat", id="airbyte"),
        pytest.param(["Event Name", "Time", "Distinct ID"], "flat", id="events-page"),
        pytest.param(["event", "time", "mp_reserved_os"], "stitch", id="stitch"),
        pytest.param(
            ["_fivetran_id", "name", "time", "distinct_id", "properties"], "fivetran", id="fivetran"
        ),
        pytest.param(["distinct_id", "email", "last_seen"], "people_flat", id="airbyte-engage"),
        pytest.param(["$distinct_id", "$name", "$email"], "people_flat", id="users-page"),
        pytest.param(["cohort_id", "distinct_id"], None, id="cohort-members"),
        pytest.param(["id", "price"], None, id="something-else"),
    ],
)
def test_tables_are_told_apart(columns, table):
    """Each kind of file by its columns."""
    found = MAPPING.table_for(columns)
    assert (found and found.name) == table


def test_every_property_of_the_sample_arrives():
    """Every property of every exported row is in a payload, under its name or its new one, or dropped by name."""
    found = json.dumps(previewed(SAMPLE / "export"), ensure_ascii=False)
    lines = [
        line
        for path in sorted((SAMPLE / "export").iterdir())
        for line in path.read_text("utf-8").splitlines()
    ]
    left_out = {"$identify", "$create_alias", "$merge", "$mp_session_record"}
    bags = [row["properties"] for row in map(json.loads, lines) if row["event"] not in left_out]
    names = {name for bag in bags for name, value in bag.items() if value is not None}
    sent = {EXPORT.rename.get(name, name) for name in names} - {None}
    assert {name for name in sent if f'"{name}"' not in found} == set()


# Whose event it is, over the whole input

UUID = "225CC746-0000-4222-8333-ABCDEFABCDEF"
OTHER = "7d0f4a56-1111-4222-8333-0123456789ab"
WEB = "18b4a1c5d2e1a2-0a5d6c7e8f9a0b-26031e51-1fa400-18b4a1c5d2f2b3"


def whose(tmp_path, *lines, people=(), options=()):
    """Whose each event is, by its insert id, and which id each `$identify` made whose."""
    given = [{"event": row["event"], "properties": row["properties"]} for row in lines]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(line) + "\n" for line in given))
    if people:
        results = [{"$distinct_id": one, "$properties": {"plan": "pro"}} for one in people]
        (tmp_path / "people.json").write_text(json.dumps({"page": 0, "results": results}))
    found = previewed(tmp_path, *options)
    merged = {
        e["properties"]["$anon_distinct_id"]: e["distinct_id"] for e in found if e["event"] == "$identify"
    }
    return [e["distinct_id"] for e in found if e["event"] not in {"$identify", "$set"}], merged


def before(distinct_id, taken_in, **more):
    """A row of a project with merged ids: exported under one, taken in under another."""
    return exported(distinct_id=distinct_id, _distinct_id_before_identity=taken_in, **more)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param([before(UUID, "324172")], ["324172"], id="uuid-and-the-users"),
        pytest.param([before(WEB, "324172")], ["324172"], id="web-librarys"),
        pytest.param([before("$device:$device:d-1", "324172")], ["324172"], id="prefix-twice"),
        pytest.param([before("d-1", "324172", _device_id="d-1")], ["324172"], id="the-rows-own-device"),
        pytest.param([before("324172", UUID)], ["324172"], id="the-reverse"),
        pytest.param([before("324172", "anna")], ["324172"], id="neither-is-a-device"),
        pytest.param([before(UUID, OTHER)], [UUID], id="both-are"),
        pytest.param([before("ABC-123", "anna")], ["ABC-123"], id="capitals-are-no-device"),
        pytest.param(
            [before(UUID, "324172"), before(UUID, "999", time=T + 1), exported(distinct_id=UUID, time=T + 2)],
            [UUID] * 3,
            id="two-users-of-a-device-stay-as-they-are",
        ),
        pytest.param(
            [
                exported(distinct_id=UUID),
                before(UUID, "324172", time=T + 1),
                exported(distinct_id="324172", time=T + 2),
            ],
            ["324172"] * 3,
            id="all-of-a-persons-events",
        ),
        pytest.param(
            [before(UUID, OTHER), exported(distinct_id="x", _user_id=OTHER, time=T + 1)],
            [OTHER, OTHER],
            id="a-user-elsewhere",
        ),
        pytest.param(
            [before(UUID, OTHER), exported("$identify", _identified_id=OTHER, _anon_id="d-1", time=T + 1)],
            [OTHER],
            id="a-link",
        ),
        pytest.param(
            [before(UUID, OTHER), exported("$create_alias", distinct_id="d-1", alias=OTHER, time=T + 1)],
            [UUID],
            id="an-alias-of-neither-decides-nothing",
        ),
        pytest.param(
            [before(UUID, "324172"), exported(distinct_id=UUID, _user_id="u-1", time=T + 1)],
            ["u-1", "u-1"],
            id="a-user-before-shapes",
        ),
    ],
)
def test_the_users_own_id(tmp_path, given, expected):
    """By a user, by a link, or where exactly one of two ids has the shape of a device's; else as exported."""
    assert whose(tmp_path, *given)[0] == expected


@pytest.mark.parametrize(
    ("verb", "expected"),
    [
        pytest.param(
            exported("$create_alias", distinct_id=UUID, alias="324172"), {UUID: "324172"}, id="alias"
        ),
        pytest.param(
            exported("$create_alias", distinct_id="324172", alias=UUID), {UUID: "324172"}, id="reversed"
        ),
        pytest.param(
            exported(
                "$create_alias", distinct_id="324172", alias="324172", _distinct_id_before_identity=UUID
            ),
            {UUID: "324172"},
            id="exported-under-itself",
        ),
        pytest.param(
            exported("$merge", _distinct_ids=[UUID, OTHER, "324172"]),
            {UUID: "324172", OTHER: "324172"},
            id="merge",
        ),
        pytest.param(exported("$merge", _distinct_ids=["anna", "324172"]), {}, id="nobody-is-known"),
    ],
)
def test_a_verb_that_puts_a_device_and_a_user_together(tmp_path, verb, expected):
    """By their shapes, where nothing else says who is known; two of one shape stay apart, and are counted."""
    events_of = [exported(distinct_id=one) for one in (UUID, OTHER, "anna")]
    assert whose(tmp_path, *events_of, verb)[1] == expected


def test_without_links_every_row_keeps_its_own_id(tmp_path):
    """`--identity none`: nothing is found out over the whole input."""
    rows_given = [before(UUID, "324172"), exported(distinct_id=UUID, _user_id="u-1", time=T + 1)]
    assert whose(tmp_path, *rows_given, people=[OTHER], options=["--identity", "none"]) == ([UUID, "u-1"], {})


@pytest.mark.parametrize(
    ("given", "people", "expected", "merged"),
    [
        pytest.param([before(UUID, OTHER)], [OTHER], [OTHER], {}, id="decides-between-two-uuids"),
        pytest.param([before("anna", "324172")], ["324172"], ["324172"], {}, id="between-two-others"),
        pytest.param([before(UUID, "guest-7")], [UUID], [UUID], {}, id="goes-before-shapes"),
        pytest.param([before("anna", "324172")], ["anna", "324172"], ["anna"], {}, id="two-stay-two"),
        pytest.param([before(UUID, OTHER)], [f"$device:{OTHER}"], [UUID], {}, id="a-devices-is-no-persons"),
        pytest.param(
            [exported(distinct_id=UUID, _user_id="346298"), exported(distinct_id=UUID, time=T + 1)],
            [UUID],
            ["346298", "346298"],
            {},
            id="a-user-goes-before-profiles",
        ),
        pytest.param(
            [exported(distinct_id="b"), exported("$create_alias", distinct_id="b", alias="anna")],
            ["anna"],
            ["b"],
            {"b": "anna"},
            id="an-alias-of-it",
        ),
        pytest.param(
            [exported(distinct_id="b"), exported("$merge", _distinct_ids=["x", "b", "anna"])],
            ["anna", "x"],
            ["b"],
            {"b": "x"},
            id="a-merge-never-makes-two-one",
        ),
        pytest.param(
            [exported(distinct_id=UUID), exported("$identify", _identified_id="u-1", _anon_id=UUID)],
            [UUID],
            [UUID],
            {UUID: "u-1"},
            id="one-that-a-row-calls-anonymous",
        ),
        pytest.param(
            [exported(distinct_id="anna"), exported("$identify", _identified_id="u-1", _anon_id="anna")],
            ["anna"],
            ["anna"],
            {},
            id="but-no-users-own",
        ),
    ],
)
def test_ids_of_profiles_are_known_people(tmp_path, given, people, expected, merged):
    """A profile says who is a person, after a `$user_id`; the profile of a device says nothing."""
    assert whose(tmp_path, *given, people=people) == (expected, merged)


@pytest.mark.parametrize(
    ("name", "row"),
    [
        pytest.param("member", exported(distinct_id=UUID, member="u-1"), id="property"),
        pytest.param("$distinct_id_before_identity", before("anna", "u-1"), id="an-id-of-mixpanels"),
        pytest.param("distinct_id", before("u-1", "anna"), id="the-exported-id"),
        pytest.param(
            "member", exported(distinct_id="x", member="m", _user_id="u-1"), id="not-where-a-row-says-it"
        ),
    ],
)
def test_user_id(tmp_path, name, row):
    """`--user-id` says what holds the user's id where rows do not, of the event and of all that is told of ids."""
    (found,) = mapped("export", row, user_id=name)
    assert found["distinct_id"] == "u-1"
    assert ("identified", None, "u-1") in links("export", row, user_id=name)
    if name == "distinct_id":
        return  # a device without Mixpanel's prefix would be a user, too
    device = exported(distinct_id="d-1", time=T - 1)
    linked = dict(row, properties=row["properties"] | {"$device_id": "d-1"})
    assert whose(tmp_path, device, linked, options=["--user-id", name]) == (["d-1", "u-1"], {"d-1": "u-1"})


@pytest.mark.parametrize(
    ("table", "row", "name"),
    [
        pytest.param("flat", {"event": "e", "member": "u-1"}, "member", id="column"),
        pytest.param("flat", {"event": "e", "user_id": "u-1"}, "user_id", id="doubtful-column"),
        pytest.param(
            "pipeline", {"event_name": "e", "properties": {"member": "u-1"}}, "member", id="pipeline"
        ),
        pytest.param(
            "pipeline", {"event_name": "e", "properties": {}, "member": "u-1"}, "member", id="beside-it"
        ),
        pytest.param("fivetran", {"name": "e", "properties": {"member": "u-1"}}, "member", id="fivetran"),
        pytest.param("old_pipeline", {"mp_event_name": "e", "member": "u-1"}, "member", id="old"),
        pytest.param("stitch", {"event": "e", "mp_reserved_member": "u-1"}, "$member", id="stitch"),
    ],
)
def test_user_id_in_every_shape(table, row, name):
    """Wherever a kind of file has its properties; a device in it is no user."""
    given = {"time": str(T), "distinct_id": "x"} | row
    assert [event["distinct_id"] for event in mapped(table, given, user_id=name)] == ["u-1"]
    assert [event["distinct_id"] for event in mapped(table, given)] == ["x"]
    other = json.loads(json.dumps(given).replace("u-1", "$device:d"))
    assert [event["distinct_id"] for event in mapped(table, other, user_id=name)] == ["x"]


def test_user_id_is_of_the_workdir(tmp_path):
    """It decides whose events are, so a workdir keeps to it, the import id is another, and rows without are counted."""
    line = {"event": "e", "properties": {"time": T, "distinct_id": "x", "member": "u-1"}}
    (tmp_path / "a.jsonl").write_text(json.dumps(line) + "\n" + json.dumps(line).replace("member", "other"))
    words = [
        "plan",
        "mixpanel",
        str(tmp_path / "a.jsonl"),
        "--workdir",
        str(tmp_path / "w"),
        "--json",
        "--quiet",
    ]
    done = CliRunner().invoke(cli, [*words, "--user-id", "member"])
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["warnings"]["without_user"] == 1
    other = CliRunner().invoke(cli, [*words, "--user-id", "other"])
    assert "--user-id: this workdir was planned with member, found other" in str(other.exception)
    plain = previewed(tmp_path / "a.jsonl")[0]["properties"]["$import_job_id"]
    named = previewed(tmp_path / "a.jsonl", "--user-id", "member")[0]["properties"]["$import_job_id"]
    assert plain != named == summary["import_id"]


# Files that say their events in other ways

FLAT_ROWS = """event_name,distinct_id,time,insert_id,user_id,device_id,plan,cart,tags,note
Bought,x-1,1697379000,j1,u1,d1,pro,"{""sku"":""a"",""n"":12345678901234567890}","[1,{""k"":null}]",{no
Bought,x-1,1697379000,j1,u1,d1,pro,,,
Viewed,x-1,1697379001,j2,u1,d1,pro,,,
"""


def test_a_flat_copy_of_the_pipeline(tmp_path):
    """`event_name` names the event, `insert_id` tells copies, `user_id` is the person; objects in cells are objects."""
    (tmp_path / "anything.csv").write_text(FLAT_ROWS)
    found = [e for e in previewed(tmp_path, "--source-timezone", "Asia/Tokyo") if e["event"] != "$identify"]
    told = [(e["event"], e["distinct_id"], e["timestamp"][11:19]) for e in found]
    assert told == [("Bought", "u1", "14:10:00")] * 2 + [("Viewed", "u1", "14:10:01")]
    assert found[0]["uuid"] == found[1]["uuid"]
    properties = found[0]["properties"]
    assert (properties["$user_id"], properties["$device_id"], properties["$insert_id"]) == ("u1", "d1", "j1")
    assert properties["cart"] == {"sku": "a", "n": "12345678901234567890"}
    assert properties["tags"] == [1, {"k": None}]
    assert properties["note"] == "{no"
    (row,) = mapped("master_event", {"event_name": "e", "distinct_id": "x", "user_id": "u1", "time": str(T)})
    assert row["distinct_id"] == "u1", "no device is needed to know it for Mixpanel's own"


def test_text_that_looks_like_an_object_stays_text_where_there_are_objects():
    """In JSON of Mixpanel's own an object would have been one."""
    assert one(cart='{"sku":"a"}')["properties"]["cart"] == '{"sku":"a"}'


NAMELESS = '{"time": 1709546400, "distinct_id": "u", "plan": "pro"}\n'


def test_a_file_that_says_no_event_is_refused(tmp_path):
    """Only `time` and `distinct_id` make no table of the old pipelines; how to go on is said."""
    path = tmp_path / "flat_events.jsonl"
    path.write_text(NAMELESS)
    done = CliRunner().invoke(cli, ["preview", "mixpanel", str(path)])
    assert done.exit_code != 0
    assert "its rows do not say which event they are" in str(done.exception)
    assert MAPPING.table_for(["event_name", "distinct_id", "insert_id"]) is None, "no profile either"


@pytest.mark.parametrize(
    ("place", "event"),
    [
        pytest.param("123456/signed_up/2024/03/04/part-0.jsonl", "signed_up", id="day"),
        pytest.param("123456/signed_up/2024/03/04/11/000000000001.jsonl", "signed_up", id="hour"),
        pytest.param("123456/signed_up/year=2024/month=03/day=04/part-0.jsonl", "signed_up", id="partitions"),
        pytest.param("exports/2024/03/04/part-0.jsonl", None, id="no-project"),
        pytest.param("123456/signed_up/part-0.jsonl", None, id="no-day"),
    ],
)
def test_tables_of_one_event_are_known_by_their_folders(tmp_path, place, event):
    """As the old pipelines lay them out: project, event, day."""
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_text(NAMELESS)
    if event:
        assert [e["event"] for e in previewed(tmp_path)] == [event]
    else:
        assert CliRunner().invoke(cli, ["preview", "mixpanel", str(tmp_path)]).exit_code != 0


def test_tables_of_one_event_are_known_by_labels_and_columns(tmp_path):
    """A name in `--labels`, or columns that no other export has."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "signed_up.jsonl").write_text(NAMELESS)
    (tmp_path / "labels.json").write_text('{"signed_up": "Signed Up"}')
    (event,) = previewed(tmp_path / "in", "--labels", tmp_path / "labels.json")
    assert event["event"] == "Signed Up"
    (tmp_path / "in" / "signed_up.jsonl").write_text(NAMELESS.replace("plan", "mp_insert_id"))
    assert [e["event"] for e in previewed(tmp_path / "in")] == ["signed_up"]


def warned(table, *given):
    """For each warning of a table, which rows it is said of."""
    frame = whole(table, *given)
    said = frame.select(
        rule.fill_null(value=False).alias(name) for name, rule in TABLES[table].warnings.items()
    )
    return {
        name: [place for place, held in enumerate(said[name]) if held]
        for name in said.columns
        if any(said[name])
    }


def test_an_insert_id_at_another_time_of_that_day_is_counted():
    """Mixpanel takes such rows for one event; here they are two, which is said."""
    row = exported(_insert_id="i")
    others = [
        exported(_insert_id="i", time=T),
        exported("Other", _insert_id="i", time=T + 1),
        exported(_insert_id="i", time=T + 86_400),
        exported(_insert_id="i", distinct_id="u-2", time=T + 1),
        exported(_insert_id="", time=T + 1),
    ]
    assert warned("export", row, *others) == {}
    again = exported(_insert_id="i", distinct_id="new", _distinct_id_before_identity="u-1", time=T + 60)
    assert warned("export", again, row, *others) == {"insert_id_again": [0]}
    flat = {"event_name": "e", "distinct_id": "u", "insert_id": "i"}
    assert warned("master_event", flat | {"time": str(T)}, flat | {"time": str(T + 1)}) == {
        "insert_id_again": [1]
    }


def test_events_of_no_one_are_kept(tmp_path):
    """Each under an id of its own that makes no person, the same on every run, and counted; links are none of them."""
    nobodys = [exported(distinct_id=given, n=1, time=T) for given in (None, "", " ")]
    verb = exported("$merge", distinct_id=None, _distinct_ids=["a", "b"])
    device = exported(distinct_id=None, _device_id="d-1", time=T)
    assert warned("export", *nobodys, verb, device, exported()) == {"without_ids": [0, 1, 2]}
    (one_of_them, other) = mapped("export", nobodys[0], exported(distinct_id=None, n=2))
    assert one_of_them["distinct_id"].startswith("no-id-")
    assert (
        one_of_them["distinct_id"] == mapped("export", nobodys[0])[0]["distinct_id"] != other["distinct_id"]
    )
    assert one_of_them["extra"]["$process_person_profile"] is False
    assert "$process_person_profile" not in one()["extra"]
    (tmp_path / "a.jsonl").write_text('{"event": "e", "properties": {"time": "soon"}}\n')
    done = CliRunner().invoke(cli, ["preview", "mixpanel", str(tmp_path)])
    assert "bad_timestamp" in done.stderr


TWO = [
    {"plan": 5, "plan_string": None},
    {"plan": None, "plan_string": "five"},
    {"plan": 6, "plan_string": "six"},
]
MANGLED_EVENT = {"mp_event_name": "e", "time": "2024-04-03T12:00:00Z", "distinct_id": "u"}


def as_lines(path, rows):
    """JSON lines, nulls spelled out."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def as_short_lines(path, rows):
    """JSON lines, nulls left out."""
    as_lines(path, [{key: value for key, value in row.items() if value is not None} for row in rows])


@pytest.mark.parametrize(
    "write",
    [
        as_lines,
        as_short_lines,
        lambda path, rows: pl.DataFrame(rows, infer_schema_length=None).write_parquet(path),
    ],
)
def test_of_two_columns_with_one_label_none_is_lost(tmp_path, write):
    """One has the label, the other where the first says nothing; in any kind of file."""
    path, labels = tmp_path / "export", tmp_path / "labels.json"
    write(path, [MANGLED_EVENT | {"mp_insert_id": f"i{n}"} | row for n, row in enumerate(TWO)])
    labels.write_text(json.dumps({"plan": "Plan", "plan_string": "Plan"}))
    done = CliRunner().invoke(cli, ["preview", "mixpanel", str(path), "--labels", str(labels)])
    found = [json.loads(line)["properties"] for line in done.stdout.splitlines()]
    assert [{key: one[key] for key in one.keys() & {"Plan", "plan", "plan_string"}} for one in found] == [
        {"Plan": 5},
        {"Plan": "five"},
        {"Plan": 6, "plan_string": "six"},
    ]


def test_of_two_properties_of_a_person_with_one_label_none_is_lost():
    """In the order of their names, as with events."""
    labels = {"plan_name": "Plan"}
    assert json.loads(relabelled('{"plan_name":1,"PLAN_NAME":2}', labels)) == {"plan_name": 1, "Plan": 2}
    assert json.loads(relabelled('{"plan_name":1,"PLAN_NAME":null}', labels)) == {"Plan": 1}
    assert json.loads(relabelled('{"plan_name":1,"Plan":2}', labels)) == {"plan_name": 1, "Plan": 2}
