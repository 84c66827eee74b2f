"""One person per human, and what is told of them: what a user may rely on, tried from the outside, file to payload."""

import json
import shutil
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import polars as pl
import pytest
import sealing
from click.testing import CliRunner
from samples import some

from migrate.cli.commands import cli
from migrate.errors import MigrateError
from migrate.sandbox.server import Sandbox

pytestmark = pytest.mark.law

PACIFIC = ZoneInfo("America/Los_Angeles")
NOON = datetime(2024, 4, 3, 12, tzinfo=UTC)
HEAP_IDS = ("4810060720600031", "4810060720600032", "4810060720600033")


def planned(platform, folder, *options, workdir=None):
    """Plan a folder; return the summary and the workdir. Any other exit code than 0 or 3 is raised."""
    workdir = workdir or folder.parent / f"{folder.name}.workdir"
    words = [
        "plan",
        platform,
        folder,
        "--workdir",
        workdir,
        "--import-id",
        "i",
        "--json",
        *("--samples", "full"),
        "--quiet",
        *options,
    ]
    done = CliRunner().invoke(cli, list(map(str, words)))
    if isinstance(done.exception, MigrateError):
        raise done.exception
    assert done.exit_code in {0, 3}, done.output
    summary = json.loads(done.stdout.splitlines()[-1])
    rows, numbers = summary["rows"], summary["events"]
    assert summary["balanced"]
    assert rows["read"] == rows["mapped"] + sum(rows["filtered"].values()) + sum(rows["rejected"].values())
    assert numbers["planned"] == numbers["pending"] == len(payloads(workdir))
    return summary, workdir


def payloads(workdir):
    """The payloads of a plan, in no order of theirs."""
    days = sorted(workdir.glob("days/*/*.parquet"))
    return sorted(text.rstrip(",") for day in days for text in pl.read_parquet(day)["payload"])


def events(workdir, name=None):
    """The planned events in the order of time, of this name only where one is given."""
    found = sorted(map(json.loads, payloads(workdir)), key=lambda event: (event["timestamp"], event["uuid"]))
    return [event for event in found if name in {None, event["event"]}]


def merges(workdir):
    """Every `$identify`: anonymous id -> (identified id, time)."""
    found = events(workdir, "$identify")
    told = {e["properties"]["$anon_distinct_id"]: (e["distinct_id"], e["timestamp"][:19]) for e in found}
    assert len(told) == len(found)
    return told


def write(path, *rows):
    """Write rows as JSON lines; return the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path.parent


def table(path, *rows):
    """Write rows of text as CSV or Parquet, told by the ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = pl.DataFrame(rows, infer_schema_length=None)
    (frame.write_csv if path.suffix == ".csv" else frame.write_parquet)(path)


def call(number, when, kind="track", **more):
    """A Segment message; `when` is in hours after noon."""
    time = (NOON + timedelta(hours=when)).isoformat().replace("+00:00", "Z")
    return {"messageId": f"m{number}", "type": kind, "timestamp": time, "event": "E"} | more


def hit(number, when, user, device, **more):
    """A row of Amplitude's export; `when` is in hours after noon."""
    row = {
        "uuid": str(uuid.UUID(int=number)),
        "event_type": "e",
        "user_id": user,
        "device_id": device,
        "event_time": f"{NOON + timedelta(hours=when):%Y-%m-%d %H:%M:%S.%f}",
        "session_id": -1,
        "library": "amplitude-ts/2.0",
        "platform": "Web",
        "event_properties": {},
        "user_properties": {},
    }
    return row | more


def export(number, time, event="e", **more):
    """A row of Mixpanel's raw export."""
    return {"event": event, "properties": {"time": time, "$insert_id": f"x{number}"} | more}


def engage(path, **people):
    """Write a page of Mixpanel's profiles."""
    results = [{"$distinct_id": person, "$properties": known} for person, known in people.items()]
    path.write_text(json.dumps({"page": 0, "page_size": 1000, "session_id": "s", "results": results}))


def test_one_identify_per_other_id_at_the_earliest_row_that_shows_both(tmp_path):
    """Rows are not in order; the identify call is later than a track call with both ids."""
    folder = write(
        tmp_path / "in" / "a.jsonl",
        call(1, 3, "identify", userId="anna", anonymousId="phone", traits={"plan": "pro"}),
        call(2, 1, userId="anna", anonymousId="phone"),
        call(3, 2, userId="anna", anonymousId="phone"),
        call(4, -5, anonymousId="phone"),
        call(5, 30, userId="anna", anonymousId="laptop"),
        call(6, 40, "alias", userId="anna", previousId="tablet"),
    )
    summary, workdir = planned("segment", folder)
    assert merges(workdir) == {
        "phone": ("anna", "2024-04-03T13:00:00"),
        "laptop": ("anna", "2024-04-04T18:00:00"),
        "tablet": ("anna", "2024-04-05T04:00:00"),
    }
    identity = summary["identity"]
    assert (identity["people"], identity["links"], identity["merges"]) == (1, 3, 3)
    assert identity["clusters"] == {"4": 1}
    assert identity["largest"] == [{"size": 4, "ids": ["anna", "laptop", "phone", "tablet"]}]
    for event in events(workdir, "$identify"):
        number = uuid.UUID(event["uuid"])
        milliseconds = datetime.fromisoformat(event["timestamp"]).timestamp() * 1000
        assert (number.version, number.int >> 80) == (7, milliseconds)


def test_merges_arrive_before_everything_else_of_their_day(tmp_path):
    """Also before events of that day with an earlier time."""
    rows = [call(n, n % 20 - 10, anonymousId=f"a{n % 7}") for n in range(100)]
    folder = write(tmp_path / "in" / "a.jsonl", *rows, call(200, 11.5, userId="anna", anonymousId="a3"))
    with Sandbox() as sandbox:
        words = ["run", "segment", folder, "--host", sandbox.url, "--workdir", tmp_path / "w", "--yes"]
        done = CliRunner().invoke(cli, list(map(str, words)), env={"POSTHOG_API_KEY": "phc_test"})
        assert done.exit_code == 0, done.output
        arrived = [event["event"] for event in sandbox.events("raw")]
    assert arrived == ["$identify"] + ["E"] * 101


def test_a_shared_device_goes_to_the_first_and_is_reported(tmp_path):
    """Two people who are known are never made one."""
    folder = write(
        tmp_path / "in" / "a.jsonl",
        call(1, 5, userId="bert", anonymousId="kiosk"),
        call(2, 1, userId="anna", anonymousId="kiosk"),
        call(3, 2, userId="bert", anonymousId="phone"),
    )
    summary, workdir = planned("segment", folder)
    assert {one: other for one, (other, _) in merges(workdir).items()} == {"kiosk": "anna", "phone": "bert"}
    assert summary["identity"]["conflicts"] == 1
    assert summary["identity"]["conflicting"] == [{"size": 4, "ids": ["anna", "bert", "kiosk", "phone"]}]


@pytest.mark.parametrize("name", ["anonymous", "GUEST", "[object Object]", "0", "-1", "system"])
def test_ids_of_nobody_are_linked_to_nobody_and_counted(tmp_path, name):
    """Both lists, on either side of the link."""
    folder = write(tmp_path / "in" / "a.jsonl", hit(1, 0, name, "phone"), hit(2, 1, "anna", name))
    summary, workdir = planned("amplitude", folder)
    assert merges(workdir) == {}
    assert summary["identity"]["refused"] == {"illegal_id": 2}


@pytest.mark.parametrize("name", ["undefined", "NaN", "null", "'null'", "{}", "(null)", r"\N", "--"])
def test_words_for_nothing_are_no_ids_and_link_nothing(tmp_path, name):
    """On either side; each row is counted, and no person is made of the word."""
    folder = write(tmp_path / "in" / "a.jsonl", hit(1, 0, name, "phone"), hit(2, 1, "anna", name))
    summary, workdir = planned("amplitude", folder)
    assert merges(workdir) == {}
    assert summary["identity"]["refused"] == {}
    assert summary["repairs"]["null_text"] == 2
    assert {event["distinct_id"] for event in events(workdir)} == {"phone", "anna"}


def test_long_ids_self_links_and_hashed_devices_are_counted(tmp_path):
    """None of them costs a merge."""
    hashed = str(uuid.uuid5(uuid.NAMESPACE_DNS, "anna"))
    folder = write(
        tmp_path / "in" / "a.jsonl",
        hit(1, 0, "anna", "x" * 201),
        hit(2, 0, "anna", "anna"),
        hit(3, 0, "anna", hashed, library="http/2.0"),
    )
    summary, workdir = planned("amplitude", folder)
    assert merges(workdir) == {}
    assert summary["identity"]["refused"] == {"hashed_device_id": 1, "self_link": 1, "too_long": 1}


def test_nights_link_what_is_new_and_nothing_twice(tmp_path):
    """Also when a later file shows the same two ids earlier, and when a second person comes to a device."""
    nights = [
        [hit(1, 0, None, "phone"), hit(2, 48, "anna", "phone"), hit(3, 48, None, "laptop")],
        [hit(4, 24, "anna", "phone"), hit(5, 72, "anna", "laptop")],
        [hit(6, -24, "bert", "phone")],
        [],
    ]
    seen = []
    for number, rows in enumerate(nights):
        folder = write(tmp_path / "in" / f"{number}.jsonl", *rows)
        summary, workdir = planned("amplitude", folder)
        seen.append(merges(workdir))
    first = {"phone": ("anna", "2024-04-05T12:00:00")}
    both = first | {"laptop": ("anna", "2024-04-06T12:00:00")}
    assert seen == [first, both, both, both]
    assert summary["identity"]["conflicts"] == 1


def test_what_the_source_resolved_costs_no_merge(tmp_path):
    """Amplitude's number for a person, and its merges over two steps."""
    folder = write(
        tmp_path / "in" / "1_2024-04-03_5#0.json",
        hit(1, 0, None, "phone", amplitude_id=11),
        hit(2, 1, "anna", "phone", amplitude_id=11),
        hit(3, 2, None, "laptop", amplitude_id=12),
        hit(4, 3, "bert", "phone", amplitude_id=14),
        hit(5, 4, None, "phone", amplitude_id=14),
        hit(6, 4, None, "nobody", amplitude_id=99),
    )
    merged = [
        {"amplitude_id": 12, "merged_amplitude_id": 13},
        {"amplitude_id": 13, "merged_amplitude_id": 11},
    ]
    more = {"scope": 1, "merge_time": 1712160000000, "merge_server_time": 1712160000000}
    write(folder / "-1_2024-04-03_5.json", *(row | more for row in merged))
    summary, workdir = planned("amplitude", folder)
    people = [event["distinct_id"] for event in events(workdir)]
    assert Counter(people) == {"anna": 3, "bert": 2, "nobody": 1}
    assert summary["identity"]["merges"] == 0
    assert summary["rows"]["filtered"] == {"identity_only": 2}


def test_what_is_resolved_only_after_its_events_were_planned_is_merged_once(tmp_path):
    """The events of the first night stand under the device; nothing can take them back."""
    folder = write(tmp_path / "in" / "1.jsonl", hit(1, 0, None, "phone", amplitude_id=11))
    planned("amplitude", folder)
    write(folder / "2.jsonl", hit(2, 24, "anna", "phone", amplitude_id=11))
    for _ in range(2):
        _, workdir = planned("amplitude", folder)
        assert {one: other for one, (other, _) in merges(workdir).items()} == {"phone": "anna"}


def test_a_large_cluster_stops_before_anything_is_planned(tmp_path):
    """The message names ids; a larger limit goes on in the same workdir."""
    rows = [
        hit(10 * n + place, n, who, f"d{n}") for n in range(5) for place, who in enumerate([None, "anna"])
    ]
    folder = write(tmp_path / "in" / "a.jsonl", *rows)
    with pytest.raises(MigrateError) as refused:
        planned("amplitude", folder, "--max-cluster", "3")
    assert refused.value.exit_code == 5
    assert "anna, d0, d1" in str(refused.value)
    assert payloads(tmp_path / "in.workdir") == []
    _, workdir = planned("amplitude", folder, "--max-cluster", "6")
    assert len(merges(workdir)) == 5


def test_identity_none_leaves_every_row_under_its_id(tmp_path):
    """Also what the source has resolved."""
    rows = [hit(1, 0, None, "phone", amplitude_id=1), hit(2, 1, "anna", "phone", amplitude_id=1)]
    folder = write(tmp_path / "in" / "a.jsonl", *rows)
    _, workdir = planned("amplitude", folder, "--identity", "none")
    assert [(event["event"], event["distinct_id"]) for event in events(workdir)] == [
        ("e", "phone"),
        ("e", "anna"),
    ]


def segment_rows(random, count):
    """Calls of every kind of some people on some devices."""
    for number in range(count):
        person = f"u{random.randint(1, 20)}"
        device = f"a{random.randint(1, 40)}"
        kind = random.choice(["track", "track", "page", "identify", "alias"])
        more = {"alias": {"previousId": device}}.get(kind, {"anonymousId": device})
        known = {"userId": person} if kind in {"identify", "alias"} or random.random() < 0.4 else {}
        yield call(number, random.randint(0, 200), kind, traits={"n": number}, **more, **known)


def amplitude_rows(random, count):
    """Rows of some people on some devices, some of them resolved."""
    for number in range(count):
        person = random.choice([None, f"u{random.randint(1, 20)}"])
        device = f"d{random.randint(1, 40)}"
        known = {"user_properties": {"p": random.randint(1, 3)}, "groups": {"team": [f"g{number % 3}"]}}
        number_of = {"amplitude_id": random.randint(1, 60)}
        yield hit(number, random.randint(0, 200) + number / 3600, person, device, **known, **number_of)


def mixpanel_rows(random, count):
    """Rows of all of Mixpanel's identity systems."""
    for number in range(count):
        time = 1712138400 + random.randint(0, 800_000)
        person, device = f"u{random.randint(1, 20)}", f"a{random.randint(1, 40)}"
        yield random.choice(
            [
                export(number, time, distinct_id=f"$device:{device}", **{"$device_id": device}),
                export(number, time, distinct_id=person, **{"$device_id": device, "$user_id": person}),
                export(number, time, "$identify", **{"$identified_id": person, "$anon_id": device}),
                export(number, time, "$merge", **{"$distinct_ids": [device, person]}),
                export(number, time, "$create_alias", distinct_id=person, alias=device),
                export(number, time, distinct_id=device, **{"$distinct_id_before_identity": person}),
            ]
        )


@pytest.mark.parametrize(
    ("platform", "rows"),
    [("segment", segment_rows), ("amplitude", amplitude_rows), ("mixpanel", mixpanel_rows)],
)
def test_the_same_bytes_whatever_the_files(tmp_path, platform, rows):
    """Order of rows, names of files, how many there are: the same payloads, merges and profiles included."""
    random = Random(4)
    told = list(rows(random, 120))
    found = []
    for files in (1, 4):
        folder = tmp_path / f"in-{len(found)}"
        for part in range(files):
            write(folder / f"{random.random()}.jsonl", *told[part::files])
        summary, workdir = planned(platform, folder)
        found.append((payloads(workdir), summary["identity"], summary["rows"]))
        random.shuffle(told)
    assert any('"$identify"' in text for text in found[0][0])
    assert found == [found[0]] * 2


def test_mixpanel_is_read_as_resolved_and_verbs_become_links(tmp_path):
    """No verb arrives under its own name; a table of the source spends no merge."""
    folder = write(
        tmp_path / "in" / "a.jsonl",
        export(1, 1712138400, distinct_id="a-1"),
        export(
            2, 1712138500, "$identify", distinct_id="anna", **{"$identified_id": "anna", "$anon_id": "a-1"}
        ),
        export(3, 1712138600, "$create_alias", distinct_id="anna", alias="alias"),
        export(4, 1712138700, "$merge", **{"$distinct_ids": ["anna", "merged"]}),
        export(
            5, 1712138800, distinct_id="10be417a", **{"$distinct_id_before_identity": "3", "$user_id": "3"}
        ),
        export(6, 1712138900, distinct_id="told"),
    )
    write(
        folder / "mp_identity_mappings_data" / "a.json", {"distinct_id": "told", "resolved_distinct_id": "x9"}
    )
    summary, workdir = planned("mixpanel", folder)
    assert {one: (other, time[-8:]) for one, (other, time) in merges(workdir).items()} == {
        "a-1": ("anna", "10:01:40"),
        "alias": ("anna", "10:03:20"),
        "merged": ("anna", "10:05:00"),
    }
    assert [event["distinct_id"] for event in events(workdir, "e")] == ["a-1", "3", "x9"]
    assert summary["rows"]["filtered"] == {"identity_only": 4}


def shown(true):
    """What a Mixpanel project in Los Angeles stores: its wall clock as if it were UTC."""
    return int(true.astimezone(PACIFIC).replace(tzinfo=UTC).timestamp())


def pacific_rows():
    """A year of a project in Los Angeles, of which a fifth arrived late: (row, true time)."""
    random = Random(1)
    for number in range(400):
        true = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=21.5 * number)
        delay = random.randint(1, 50) if number % 5 else random.randint(300, 400_000)
        received = int((true.timestamp() + delay) * 1000)
        yield export(number, shown(true), distinct_id="u", **{"$mp_api_timestamp_ms": received}), true


def test_a_project_in_local_time_is_refused_without_its_zone(tmp_path):
    """The message names both offsets and the zone; nothing is planned."""
    folder = write(tmp_path / "in" / "a.jsonl", *(row for row, _ in pacific_rows()))
    with pytest.raises(MigrateError) as refused:
        planned("mixpanel", folder)
    assert refused.value.exit_code == 2
    for word in ("7 h behind", "8 h behind", "America/Los_Angeles", "--source-timezone"):
        assert word in str(refused.value)
    assert payloads(tmp_path / "in.workdir") == []


def test_with_its_zone_every_time_is_right(tmp_path):
    """Over both changes of the clock."""
    told = list(pacific_rows())
    folder = write(tmp_path / "in" / "a.jsonl", *(row for row, _ in told))
    _, workdir = planned("mixpanel", folder, "--source-timezone", "America/Los_Angeles")
    found = {event["properties"]["$insert_id"]: event["timestamp"][:19] for event in events(workdir)}
    assert found == {row["properties"]["$insert_id"]: f"{true:%Y-%m-%dT%H:%M:%S}" for row, true in told}


@pytest.mark.parametrize(
    ("wall", "utc"),
    [
        ((2020, 3, 8, 1, 59), "2020-03-08T09:59"),
        ((2020, 3, 8, 2, 30), "2020-03-08T10:30"),
        ((2020, 3, 8, 3, 0), "2020-03-08T10:00"),
        ((2020, 11, 1, 1, 30), "2020-11-01T08:30"),
        ((2020, 11, 1, 2, 0), "2020-11-01T10:00"),
    ],
)
def test_gaps_and_folds_are_defined(tmp_path, wall, utc):
    """A time that never was goes an hour on; of a time that was twice, the first."""
    row = export(1, int(datetime(*wall, tzinfo=UTC).timestamp()), distinct_id="u")
    folder = write(tmp_path / "in" / "a.jsonl", row)
    _, workdir = planned("mixpanel", folder, "--source-timezone", "America/Los_Angeles")
    assert events(workdir)[0]["timestamp"][:16] == utc


def test_uuids_as_the_managed_migration_makes_them(tmp_path):
    """Without an insert id there are none of its kind."""
    ids = ["abc", "ünï", "12:34"]
    rows = [export(n, 1712138400 + n, distinct_id="u", **{"$insert_id": one}) for n, one in enumerate(ids)]
    rows.append({"event": "e", "properties": {"time": 1712138410, "distinct_id": "u"}})
    folder = write(tmp_path / "in" / "a.jsonl", *rows)
    _, workdir = planned("mixpanel", folder, "--uuid-compat", "posthog-worker")
    space = uuid.UUID(bytes=b"posthog_mixpanel")
    *compatible, other = [event["uuid"] for event in events(workdir)]
    assert compatible == [str(uuid.uuid5(space, one)) for one in ids]
    assert uuid.UUID(other).version == 7


@pytest.mark.parametrize("time", [1712138400.123, 1712138400123, "1712138400.123"])
def test_milliseconds_are_kept(tmp_path, time):
    """Seconds with a fraction, and milliseconds."""
    folder = write(tmp_path / "in" / "a.jsonl", export(1, time, distinct_id="u"))
    _, workdir = planned("mixpanel", folder)
    assert events(workdir)[0]["timestamp"] == "2024-04-03T10:00:00.123000Z"


def test_one_set_per_person_at_the_end_and_again_only_when_changed(tmp_path):
    """Nightly: what did not change is not told again."""
    folder = write(tmp_path / "in" / "a.jsonl", export(1, 1712138400, distinct_id="anna"))
    told = []
    for night, plan in enumerate(["free", "free", "pro"]):
        engage(folder / f"{night}.json", anna={"$email": "anna@x", "plan": plan}, bert={"$email": "bert@x"})
        write(folder / f"{night}.jsonl", export(night + 9, 1712138500 + 100_000 * night, distinct_id="anna"))
        _, workdir = planned("mixpanel", folder)
        told.append([(e["timestamp"][:10], e["distinct_id"]) for e in events(workdir, "$set")])
    first = [("2024-04-03", "anna"), ("2024-04-03", "bert")]
    assert [sorted(one) for one in told] == [first, first, [*first, ("2024-04-05", "anna")]]
    assert events(workdir, "$set")[-1]["properties"]["$set"] == {"email": "anna@x", "plan": "pro"}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("set", [(None, {"$initial_referrer": "$direct"}), ({"email": "a@x"}, None)]),
        ("set_once", [(None, {"$initial_referrer": "$direct"}), (None, {"email": "a@x"})]),
        ("none", []),
    ],
)
def test_person_properties(tmp_path, choice, expected):
    """Profiles obey the option, and their rows stay accounted for."""
    folder = write(tmp_path / "in" / "a.jsonl", export(1, 1712138400, distinct_id="anna"))
    engage(folder / "p.json", anna={"$email": "a@x", "$initial_referrer": "$direct"})
    _, workdir = planned("mixpanel", folder, "--person-properties", choice)
    found = [(e["properties"].get("$set"), e["properties"].get("$set_once")) for e in events(workdir, "$set")]
    assert found == expected


def test_groups_are_told_where_they_change_also_over_nights(tmp_path):
    """Of many calls with the same traits one is left."""
    told = []
    for night, plans in enumerate([["a", "a", "b"], ["b", "b"], ["c"]]):
        rows = [
            call(10 * night + n, 24 * night + n, "group", userId="u", groupId="g", traits={"plan": plan})
            for n, plan in enumerate(plans)
        ]
        folder = write(tmp_path / "in" / f"{night}.jsonl", *rows)
        _, workdir = planned("segment", folder)
        told.append([e["properties"]["$group_set"]["plan"] for e in events(workdir, "$groupidentify")])
    assert told == [["a", "b"], ["a", "b"], ["a", "b", "c"]]


def test_since_keeps_the_links_of_what_is_left_out(tmp_path):
    """The anonymous events after it belong to the person the device was seen with before."""
    rows = [call(1, -48, userId="anna", anonymousId="phone"), call(2, 0, anonymousId="phone")]
    folder = write(tmp_path / "in" / "a.jsonl", *rows)
    summary, workdir = planned("segment", folder, "--since", "2024-04-03")
    assert merges(workdir) == {"phone": ("anna", "2024-04-03T00:00:00")}
    assert summary["rows"]["filtered"] == {"before_since": 1}


def segment_tables(folder, ending):
    """A Segment warehouse: one event with a table of its own, one without; RudderStack's discards beside them."""
    common = {"timestamp": "2024-04-03 10:00:00", "received_at": "2024-04-03 10:00:01", "channel": "web"}
    person = common | {"user_id": "anna", "anonymous_id": "phone"}
    bought = {"id": "t1", "event": "order_completed", "event_text": "Order Completed ☕"} | person
    other = {"id": "t2", "event": "opened", "event_text": "Opened"} | person
    table(folder / f"tracks.{ending}", bought, other)
    table(folder / f"order_completed.{ending}", bought | {"revenue": "12.5"})
    table(
        folder / f"pages.{ending}",
        {"id": "p1", "name": "Home", "url": "https://x.com/a?utm_source=n"} | person,
    )
    discarded = {
        "table_name": "order_completed",
        "row_id": "t1",
        "column_name": "coupon",
        "column_value": "ABC",
    }
    table(
        folder / f"rudder_discards.{ending}",
        discarded | {"received_at": "2024-04-03 10:00:01", "reason": "x"},
    )


def test_a_warehouse_tells_each_event_once(tmp_path):
    """Under its real name, with what its table holds and what was discarded of it; CSV and Parquet alike."""
    found = []
    for ending in ("csv", "parquet"):
        segment_tables(tmp_path / ending, ending)
        summary, workdir = planned("rudderstack", tmp_path / ending)
        found.append(payloads(workdir))
    assert found[0] == found[1]
    assert Counter(event["event"] for event in events(workdir)) == Counter(
        ["$identify", "$pageview", "Order Completed ☕", "Opened"]
    )
    [order] = events(workdir, "Order Completed ☕")
    assert order["properties"].items() >= {"revenue": 12.5, "coupon": "ABC"}.items()
    assert summary["rows"]["filtered"] == {"discards": 1, "in_event_table": 1}


def heap_tables(folder, ending, as_id):
    """Heap's tables: an anonymous user migrated twice, to one who has an identity."""
    first, anna, between = map(as_id, HEAP_IDS)
    common = {"session_id": as_id(77), "time": "2024-04-03 10:00:00"}
    page = {
        "domain": "x.com",
        "path": "/a",
        "query": "?q=1",
        "hash": "#h",
        "landing_page": "https://x.com/land",
    }
    table(folder / f"pageviews.{ending}", {"event_id": as_id(1), "user_id": first} | common | page)
    table(folder / f"signed_up.{ending}", {"event_id": as_id(1), "user_id": anna, "type": "click"} | common)
    moves = [
        {"from_user_id": first, "to_user_id": between, "time": "2024-04-03 10:30:00"},
        {"from_user_id": between, "to_user_id": anna, "time": "2024-04-03 11:30:00"},
    ]
    table(folder / f"user_migrations.{ending}", *moves)
    table(folder / f"users.{ending}", {"user_id": anna, "identity": "anna@x", "email": "anna@x"})


def test_heap_chains_of_migrations_cost_no_merge(tmp_path):
    """Events stand under the identity; one action in two tables is two events."""
    Path(tmp_path / "labels.json").write_text('{"signed_up": "Signed Up!"}')
    heap_tables(tmp_path / "in", "parquet", int)
    summary, workdir = planned("heap", tmp_path / "in", "--labels", tmp_path / "labels.json")
    found = events(workdir)
    assert {event["distinct_id"] for event in found} == {"anna@x"}
    assert Counter(event["event"] for event in found) == Counter(["$pageview", "Signed Up!", "$set"])
    assert events(workdir, "$pageview")[0]["properties"]["$current_url"] == "https://x.com/a?q=1#h"
    assert (summary["identity"]["merges"], summary["identity"]["resolved"]) == (0, 3)


def ga4(number, minutes, name="e", user=None, pseudo="p1", **params):
    """A row of GA4's export; all rows are of one session number."""
    time = int((NOON + timedelta(minutes=minutes)).timestamp() * 1_000_000) + number
    kinds = {int: "int_value", float: "double_value", str: "string_value"}
    params = {"ga_session_id": int(NOON.timestamp())} | params
    told = [{"key": key, "value": {kinds[type(value)]: value}} for key, value in params.items()]
    row = {"event_date": "20240403", "event_timestamp": str(time), "event_name": name, "event_params": told}
    return row | {"user_id": user, "user_pseudo_id": pseudo, "stream_id": "1", "platform": "WEB", "items": []}


def test_ga4_sessions_params_and_consent(tmp_path):
    """A session is of one device, past the login; no row is an autocapture; a row without ids is nobody's."""
    folder = write(
        tmp_path / "in" / "events_20240403.jsonl",
        ga4(
            1, 1, "page_view", page_location="https://x.com/a?utm_source=n", text="t", real=1.5, big=-(2**62)
        ),
        ga4(2, 2, user="anna"),
        ga4(3, 3, "user_engagement", user="anna"),
        ga4(4, 4, pseudo="p2"),
        ga4(5, 5, "consent", pseudo=None),
        ga4(6, 6, "session_start"),
    )
    summary, workdir = planned("ga4", folder)
    assert summary["rows"]["filtered"] == {"automatic_events": 1}
    assert list(merges(workdir)) == ["p1"]
    found = {event["uuid"]: event for event in events(workdir) if event["event"] != "$identify"}
    page, _, engaged, other, nobody = found.values()
    assert engaged["event"] == "user_engagement"
    assert page["properties"]["$session_id"] == engaged["properties"]["$session_id"]
    assert page["properties"]["$session_id"] != other["properties"]["$session_id"]
    assert uuid.UUID(page["properties"]["$session_id"]).version == 7
    values = {"text": "t", "real": 1.5, "big": str(-(2**62)), "utm_source": "n", "$pathname": "/a"}
    assert page["properties"].items() >= values.items()
    assert nobody["properties"]["$process_person_profile"] is False


@pytest.mark.parametrize("platform", ["amplitude", "mixpanel", "segment", "ga4"])
def test_a_bad_row_costs_one_row(tmp_path, platform):
    """Whatever stands on the line."""
    good = {
        "amplitude": hit(1, 0, "anna", "phone"),
        "mixpanel": export(1, 1712138400, distinct_id="anna"),
        "segment": call(1, 0, userId="anna"),
        "ga4": ga4(1, 0, user="anna"),
    }[platform]
    folder = write(tmp_path / "in" / "a.jsonl", good)
    with (folder / "a.jsonl").open("a") as file:
        file.write('{"event": broken\n[1]\nnull\n"text"\n')
    (folder / "empty.jsonl").touch()
    summary, _ = planned(platform, folder)
    assert (summary["rows"]["read"], summary["rows"]["mapped"]) == (5, 1)
    assert summary["skipped_files"] == {"empty": 1}


def test_files_that_only_tell_who_is_who_make_no_event(tmp_path):
    """Nothing is planned, nothing is wrong."""
    row = {"distinct_id": "anon", "resolved_distinct_id": "anna"}
    summary, _ = planned("mixpanel", write(tmp_path / "in" / "mp_identity_mappings_data.json", row))
    assert summary["rows"]["filtered"] == {"identity_only": 1}


def test_files_that_only_tell_of_persons_need_the_end_of_history(tmp_path):
    """The message says which option; with it each person is told at that time."""
    (tmp_path / "in").mkdir()
    engage(tmp_path / "in" / "p.json", anna={"$email": "a@x"}, bert={"$email": "b@x"})
    with pytest.raises(MigrateError, match="--until") as refused:
        planned("mixpanel", tmp_path / "in")
    assert refused.value.exit_code == 2
    _, workdir = planned("mixpanel", tmp_path / "in", "--until", "2024-05-01", workdir=tmp_path / "w")
    found = [(event["distinct_id"], event["timestamp"][:10]) for event in events(workdir, "$set")]
    assert sorted(found) == [("anna", "2024-05-01"), ("bert", "2024-05-01")]


def first_touches(workdir):
    """What is told of how people first came: whose, when, what."""
    found = [event for event in events(workdir, "$set") if "$set_once" in event["properties"]]
    return [(e["distinct_id"], e["timestamp"][11:13], e["properties"]["$set_once"]) for e in found]


def test_how_a_person_first_came_is_known_before_the_first_event(tmp_path):
    """Of any of the person's ids, also a device's; sent before all others of that day; not again the next night."""
    google, page = {"initial_utm_source": "google"}, "https://shop.example/?utm_source=newsletter"
    viewed = {
        "event_type": "[Amplitude] Page Viewed",
        "event_properties": {"[Amplitude] Page Location": page},
    }
    rows = [
        hit(1, 0, None, "d1", **viewed),
        hit(2, 2, "anna", "d1", user_properties=google | {"plan": "pro"}),
        hit(3, 5, "anna", "d1", user_properties=google),
    ]
    folder = write(tmp_path / "in" / "1.jsonl", *rows)
    _, workdir = planned("amplitude", folder)
    first = [("anna", "12", {"$initial_utm_source": "google"})]
    assert first_touches(workdir) == first
    write(folder / "2.jsonl", hit(4, 30, "anna", "d1", user_properties={"initial_utm_source": "bing"}))
    planned("amplitude", folder)
    assert first_touches(workdir) == first
    with Sandbox() as sandbox:
        done = CliRunner().invoke(cli, ["apply", str(workdir), "--host", sandbox.url, "--api-key", "phc_x"])
        assert done.exit_code == 0, done.output
        sent = [(event["event"], event["distinct_id"]) for event in sandbox.events("raw")]
    assert {*sent[:2]} == {("$set", "anna"), ("$identify", "anna")}


@pytest.mark.parametrize("stranger", [False, True])
def test_only_an_id_with_events_of_its_own_is_merged(tmp_path, stranger):
    """Whatever other rows there are; in whichever night its own event comes."""
    rows = [hit(1, 0, "u1", "d1"), hit(2, 0, "u2", "d2"), *([hit(3, 0, None, "d9")] if stranger else [])]
    folder = write(tmp_path / "in" / "1.jsonl", *rows)
    _, workdir = planned("amplitude", folder)
    assert merges(workdir) == {}
    write(folder / "2.jsonl", hit(4, 24, None, "d2"))
    planned("amplitude", folder)
    assert {anonymous: who for anonymous, (who, _) in merges(workdir).items()} == {"d2": "u2"}


def test_what_rows_tell_of_persons_is_told_though_they_are_no_events(tmp_path):
    """A filter on events is none on persons; the row is filtered all the same; out of the range it tells nothing."""
    rows = [
        hit(1, 0, "anna", "d1", user_properties={"plan": "free"}),
        hit(2, 1, "anna", "d1", event_type="session_end", user_properties={"plan": "pro"}),
        hit(3, 40, "anna", "d1", event_type="session_end", user_properties={"plan": "gone"}),
    ]
    folder = write(tmp_path / "in" / "1.jsonl", *rows)
    summary, workdir = planned("amplitude", folder, "--until", "2024-04-04")
    assert summary["rows"]["filtered"] == {"session_events": 2}
    assert [event["properties"]["$set"] for event in events(workdir, "$set")] == [{"plan": "pro"}]


def told_in(workdir):
    """The events of a plan in short, in the order of time: what, whose, and what is told."""
    told = ("$set", "$set_once", "$anon_distinct_id")
    return [
        (
            event["event"],
            event["distinct_id"],
            *(event["properties"][name] for name in told if name in event["properties"]),
        )
        for event in events(workdir)
    ]


@pytest.mark.parametrize(
    ("how", "word"),
    some(product(["user", "mapping", "before"], ["guest", "system", "email", "distinct_id"]), 5),
)
def test_a_word_that_may_be_someone_is_not_anyones(tmp_path, word, how):
    """Whatever a row, or the source's own table, says of it: what others did under that word is not the user's."""
    said = {"distinct_id": word, "resolved_distinct_id": "bob"}
    row = {
        "user": export(1, 1712138400, distinct_id=word, **{"$user_id": "bob"}),
        "before": export(
            1, 1712138400, distinct_id="bob", **{"$user_id": "bob", "$distinct_id_before_identity": word}
        ),
        "mapping": export(1, 1712138400, distinct_id="bob"),
    }[how]
    folder = write(tmp_path / "in" / "1.jsonl", row, export(2, 1712138403, distinct_id=word))
    if how == "mapping":
        write(folder / "mp_identity_mappings_data.json", said)
    summary, workdir = planned("mixpanel", folder)
    assert told_in(workdir) == [("e", "bob"), ("e", word)]
    assert summary["warnings"]["junk_distinct_id"] == 1


@pytest.mark.parametrize("platform", ["mixpanel", "ga4"])
def test_events_of_no_one_make_no_person(tmp_path, platform):
    """Nor does where they were done."""
    rows = {
        "mixpanel": [
            {"event": "e", "properties": {"time": 1712138400, "$insert_id": "d", "mp_country_code": "DE"}}
        ],
        "ga4": [ga4(1, 1, pseudo=None) | {"geo": {"country": "Germany", "city": "Berlin"}}],
    }[platform]
    _, workdir = planned(platform, write(tmp_path / "in" / "1.jsonl", *rows))
    assert [
        (event["event"], event["properties"]["$process_person_profile"]) for event in events(workdir)
    ] == [("e", False)]


DEVICE = "225CC746-86FC-5A41-BEB7-1F1E42B8E3A2"


@pytest.mark.parametrize("how", ["before", "mapping"])
def test_an_id_that_is_resolved_on_a_later_night_is_merged(tmp_path, how):
    """What was planned under it becomes that person's, though nothing else is known of either."""
    folder = write(tmp_path / "in" / "1.jsonl", export(1, 1712138400, distinct_id=DEVICE))
    planned("mixpanel", folder)
    if how == "before":
        row = export(2, 1712224800, distinct_id=DEVICE, **{"$distinct_id_before_identity": "324172"})
        write(folder / "2.jsonl", row)
    else:
        write(folder / "2.jsonl", export(2, 1712224800, distinct_id="324172"))
        write(
            folder / "mp_identity_mappings_data.json",
            {"distinct_id": DEVICE, "resolved_distinct_id": "324172"},
        )
    _, workdir = planned("mixpanel", folder)
    assert {anonymous: who for anonymous, (who, _) in merges(workdir).items()} == {DEVICE: "324172"}
    assert [event[:2] for event in told_in(workdir) if event[0] == "e"] == [("e", DEVICE), ("e", "324172")]


def test_a_person_ends_in_the_state_that_any_of_its_ids_had_last(tmp_path):
    """Told once, under the person's id, after the last event of all of them."""
    folder = write(
        tmp_path / "in" / "1.jsonl",
        hit(1, 0, None, "d1", user_properties={"plan": "free"}, country="Italy"),
        hit(2, 60, "u1", "d1", user_properties={"plan": "pro"}, country="Germany"),
        hit(3, 120, None, "d1", user_properties={}),
    )
    _, workdir = planned("amplitude", folder)
    germany = {"plan": "pro", "$geoip_country_name": "Germany", "$geoip_country_code": "DE"}
    (told,) = events(workdir, "$set")
    assert (told["distinct_id"], told["properties"]["$set"]) == ("u1", germany)
    assert told["timestamp"] == events(workdir)[-1]["timestamp"]


def test_a_person_came_as_the_device_did_that_was_told_of_first(tmp_path):
    """On a later night, too: what is the person's own would win where the two are merged."""
    google, bing = ({"initial_utm_source": source} for source in ("google", "bing"))
    folder = write(tmp_path / "in" / "1.jsonl", hit(1, 0, None, "d1", user_properties=google))
    planned("amplitude", folder)
    more = bing | {"initial_utm_medium": "cpc"}
    write(
        folder / "2.jsonl",
        hit(2, 60, "u1", "d5", user_properties=more),
        hit(3, 90, "u1", "d1", user_properties=bing),
    )
    _, workdir = planned("amplitude", folder)
    told = {"$initial_utm_source": "google"}
    assert [one[::2] for one in first_touches(workdir)] == [
        ("d1", told),
        ("u1", told | {"$initial_utm_medium": "cpc"}),
    ]
    write(folder / "3.jsonl", hit(4, 200, "u1", "d1", user_properties=bing))
    planned("amplitude", folder)
    assert len(first_touches(workdir)) == 2


def test_how_a_person_first_came_is_told_once_though_planning_is_killed(tmp_path):
    """Between what leads a person's history and what ends it."""
    google = {"initial_utm_source": "google", "plan": "pro"}
    folder, workdir = (
        write(tmp_path / "in" / "2.jsonl", hit(2, 60, "u1", "d1", user_properties=google)),
        tmp_path / "w",
    )
    for place in ("plan.census.Census.tellings", "workdir.checkpoint.Checkpoint.note_planned"):
        for after in (0, 1, 2):
            shutil.rmtree(workdir, ignore_errors=True)
            words = ["plan", "amplitude", folder, "--workdir", workdir]
            killed = sealing.migrate(*words, killed_at=place, after=after).returncode
            assert killed == 9 or after
            write(folder / "1.jsonl", hit(1, 0, "u1", "d1", user_properties=google))
            assert sealing.migrate(*words).returncode == 0
            assert [one[::2] for one in first_touches(workdir)] == [("u1", {"$initial_utm_source": "google"})]
            (folder / "1.jsonl").unlink()


@pytest.mark.parametrize(
    "options",
    [
        ["--group-key", "company=company", "--group-key", "team=team"],
        ["--null", "-", "--null", "x"],
        ["--keep", "session_replay", "--user-id", "uid", "--source-timezone", "+02:00"],
    ],
    ids=["group keys", "nulls", "others"],
)
def test_the_same_command_goes_on(tmp_path, options):
    """Whatever options decide what is sent: they are what the workdir was planned with."""
    row = export(1, 1712138400, distinct_id="u1", company="acme")
    folder = write(tmp_path / "in" / "1.jsonl", row)
    first, again = (
        [summary[name] for name in ("rows", "events", "identity", "import_id")]
        for summary in (planned("mixpanel", folder, *options)[0] for _ in range(2))
    )
    assert first == again
    assert first[0]["mapped"] == 1


def test_what_a_device_tells_of_a_group_is_none_of_its_persons(tmp_path):
    """A group's properties are the group's, whoever tells them."""
    folder = write(
        tmp_path / "in" / "1.jsonl",
        call(1, 0, "group", anonymousId="phone", groupId="acme", traits={"employees": 300}),
        call(2, 1, "identify", anonymousId="phone", userId="anna", traits={"email": "anna@example.com"}),
    )
    _, workdir = planned("segment", folder)
    assert [event["properties"]["$group_set"] for event in events(workdir, "$groupidentify")] == [
        {"employees": 300}
    ]
    told = [event["properties"].get("$set") for event in events(workdir)]
    assert [one for one in told if one] == [{"email": "anna@example.com"}]
