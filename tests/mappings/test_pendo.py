"""Pendo: what is known of an event from other files, and that every copy of a table tells the same."""

import json

import fastavro
import polars as pl
import pytest
from commands import migrate
from samples import SAMPLES

EXPORT = "datasync/5110412500000001/5629499534213120/0f6b2c1e-0000-4000-8000-000000000001"


def rows(name):
    """The rows of one of the sample's Avro files."""
    with (SAMPLES / "pendo" / EXPORT / f"{name}.avro").open("rb") as file:
        return list(fastavro.reader(file))


def shown(*paths):
    """The payloads of files, as of a day after what they hold."""
    done = migrate("preview", "pendo", *paths, "--limit", "1000", "--until", "2024-05-01")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def told(payloads):
    """What is told of each event, whatever file it stood in."""
    return [
        (one["event"], one["distinct_id"], one["timestamp"], one["uuid"], one["properties"])
        for one in payloads
        if one["event"] not in {"$identify", "$set", "$groupidentify"}
    ]


def frame(found, times):
    """Rows as a warehouse has them: days and times as it writes them."""
    return pl.DataFrame(
        [
            row | {"browserTimestamp": row["browserTimestamp"] and times(row["browserTimestamp"])}
            for row in found
        ],
        infer_schema_length=None,
    ).with_columns(pl.col("periodId").cast(pl.String))


WRITTEN = {
    "csv": lambda time: time.strftime("%Y-%m-%d %H:%M:%S.%f UTC"),
    "jsonl": lambda time: int(time.timestamp() * 1000),
    "parquet": lambda time: time,
}


@pytest.mark.parametrize("form", WRITTEN)
def test_copies_in_a_warehouse_tell_the_same(tmp_path, form):
    """The same events, with the names of what they match, from tables called as a warehouse calls them."""
    tables = {
        "ALLEVENTS": rows("allevents")[:14],
        "MATCHEDPAGEEVENTS": rows("matchedEvents/Page/q95zOrders") + rows("matchedEvents/Page/z01Order"),
        "MATCHEDFEATUREEVENTS": rows("matchedEvents/Feature/fBuy"),
        "MATCHEDTRACKTYPEEVENTS": rows("matchedEvents/TrackType/tOrder"),
    }
    for name, found in tables.items():
        table = frame(found, WRITTEN[form])
        path = tmp_path / f"{name}.{form}"
        {"csv": table.write_csv, "jsonl": table.write_ndjson, "parquet": table.write_parquet}[form](path)
    for name, of in (("PAGES", "allpages"), ("FEATURES", "allfeatures"), ("TRACKTYPES", "alltracktypes")):
        pl.DataFrame(rows(of)).select(pl.exclude("createdAt")).write_csv(tmp_path / f"{name}.csv")
    pl.DataFrame(rows("allguides")).select(pl.exclude("createdAt")).write_csv(tmp_path / "GUIDES.csv")
    expected = shown(SAMPLES / "pendo" / EXPORT)
    found = shown(tmp_path)
    assert [json.dumps(one).replace("12.0", "12") for one in told(found)] == [
        json.dumps(one) for one in told(expected)
    ]
    assert len(told(found)) == 13


def test_columns_in_upper_case_are_the_same_columns(tmp_path):
    """As Snowflake writes them."""
    table = frame(rows("allevents")[:14], WRITTEN["csv"])
    table.rename(str.upper).write_csv(tmp_path / "ALLEVENTS.csv")
    found = shown(tmp_path)
    expected = shown(SAMPLES / "pendo" / EXPORT / "allevents.avro")
    assert [one[:4] for one in told(found)] == [one[:4] for one in told(expected)]


def test_a_day_that_is_exported_again_brings_its_events_once(tmp_path):
    """In another folder, with an event more: only that one is new."""
    found = rows("allevents")
    again = [*found[:2], found[3] | {"eventId": "late"}]
    for name, some in (("first", found[:2]), ("final", again)):
        (tmp_path / name).mkdir()
        frame(some, WRITTEN["csv"]).write_csv(tmp_path / name / "allevents.csv")
    first, final = (told(shown(tmp_path / name)) for name in ("first", "final"))
    assert (len(first), len(final)) == (2, 3)
    assert final[:2] == first


def test_a_tag_without_its_kind_is_of_the_kind_that_knows_it(tmp_path):
    """As a warehouse may hold it that has a table for each kind."""
    found = rows("allevents")[:1]
    frame(found, WRITTEN["csv"]).write_csv(tmp_path / "allevents.csv")
    matched = [found[0] | {"matchableId": "fBuy"}, found[0] | {"matchableId": "nobody's"}]
    frame(matched, WRITTEN["csv"]).write_csv(tmp_path / "matched.csv")
    (tmp_path / "features.csv").write_text("featureId,name\nfBuy,Buy button\n")
    (tmp_path / "pages.csv").write_text("pageId,name\nother,Other\n")
    (one,) = told(shown(tmp_path))
    tags = {name: value for name, value in one[4].items() if name.startswith(("pendo_page", "pendo_feature"))}
    assert tags == {"pendo_feature_ids": ["fBuy"], "pendo_features": ["Buy button"]}


def test_a_track_event_is_called_as_the_type_that_its_row_names(tmp_path):
    """What matched files tell of its type is a property: an event has its name without them."""
    found = [row | {"trackTypeId": "tFound"} for row in rows("allevents") if row["eventType"] == "track"]
    frame([found[0] | {"trackTypeId": None}, found[1]], WRITTEN["csv"]).write_csv(tmp_path / "allevents.csv")
    (tmp_path / "tracktypes.csv").write_text("trackTypeId,name\ntFound,Searched\n")
    assert [one[0] for one in told(shown(tmp_path))] == ["track", "Searched"]


def test_metadata_of_an_anonymous_visitor_are_not_those_of_whom_it_became():
    """They were exported at the same moment, so neither is later; they are counted."""
    folder = SAMPLES / "pendo" / "datasync" / "5110412500000001" / "visitor"
    assert {one["distinct_id"] for one in shown(folder)} == {"ada@oak.example", "ben@oak.example"}


def test_fields_may_be_columns_of_their_own(tmp_path):
    """Named after their group: of two of a name, Pendo's own comes last."""
    columns = "id,agent_email,metadata_custom_plan,auto__email,auto.lastvisit"
    (tmp_path / "visitors.csv").write_text(f"{columns}\nada,a@oak.example,pro,old@oak.example,17\n")
    (one,) = shown(tmp_path / "visitors.csv")
    named = {"email": "a@oak.example", "plan": "pro", "auto_email": "old@oak.example", "lastvisit": "17"}
    assert one["properties"]["$set"] == named


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ("visitorId,pageId,day,numEvents,numMinutes", "no event can be made of a count"),
        ("id,group,name,displayName,value", "give visitors and accounts as Data Sync writes them"),
    ],
)
def test_what_holds_no_events_is_refused(tmp_path, columns, said):
    """With what to give instead."""
    (tmp_path / "a.csv").write_text(f"{columns}\n1,2,3,4,5\n")
    done = migrate("plan", "pendo", tmp_path, "--workdir", tmp_path / "w")
    assert done.returncode == 2
    assert said in done.stderr.replace("\n", " ")
