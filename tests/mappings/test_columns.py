"""No column is lost without a word: what a table declares is looked at, what it drops is in what is said of a row."""

import json
import random
import re
from dataclasses import replace
from functools import cache

import polars as pl
import pytest
from click.testing import CliRunner
from frames import LATER, made_of, unjoined
from pyarrow import orc
from samples import SAMPLES, SEVERAL, settings, some
from versions import links_of

from migrate import platforms
from migrate.cli.commands import cli
from migrate.kit import events
from migrate.kit.declare import FILE, REST, ROW, Options, Table, has
from migrate.kit.schemas import FRAMEWORK
from migrate.payload import payloads
from migrate.people.states import FIRST, LAST, PLACE_SEEN
from migrate.plan.finished import finished
from migrate.plan.transform import Transform
from migrate.preview import preview
from migrate.readers.files import read_chunks
from migrate.readers.opener import Opener
from migrate.readers.records import Chunk, Part

pytestmark = pytest.mark.law

PROBES = (
    *("probe", "7", "true", "2024-04-01T11:00:00Z", "1711969200000000", "203.0.113.9", "DE", "en-US"),
    *("Safari", "iPhone", "Windows", "tablet", "$create_alias", "group", "screen", "amplitude-ts/9.9"),
    *('{"k":"v"}', '[{"key":"k","value":{"string_value":"v"}}]', '[{"k":"v"}]'),
    *('["a","b"]', '[{"id":"1","name":"v"}]', "https://p.example/x?utm_source=q#h", "[user_properties]"),
)
"""What a cell may hold; of a column that is looked at one of them makes a difference."""
BESIDE = (
    {},
    {"landing_page": "https://p.example/x"} | dict.fromkeys(("event", "event_name", "name"), "$merge"),
    {"event_name": "refund"},
)
"""Words beside which other columns are looked at."""
STEM = "events"
"""The name of a file whose rows say by themselves which events they are."""
UNUSED = {
    ("ga4", "flat_events"): {
        *(
            "event_bundle_sequence_id",
            "bundle_sequence_id",
            "batch_page_id",
            "batch_ordering_id",
            "batch_event_index",
        ),
    },
}
"""Columns that are not asked for: an event's place in Google's batches, which tells events apart at most."""
DEAR = {("matomo", "joined_actions"), ("matomo", "joined_conversions")}
"""Tables whose columns a test of their own compares with those of other tables; this one would take minutes."""
SHARES = (1.0, 0.5, 0.0)
"""How many of a row's other cells are left, since a column may only count where another is empty."""


@cache
def sampled(name):
    """Some rows of each table of a platform that its sample has, as their file has them."""
    found = {}
    for job in settings(name).work([str(SAMPLES / name)]).jobs:
        if job.table.name in found:
            continue
        chunk = next(read_chunks(job.source, job.table, job.header), None)
        if chunk is not None and chunk.rows.height:
            rows = chunk.rows.head(3)
            found[job.table.name] = job.source.stem, rows
    return found


def tables():
    """Every table, with its platform; but lookups, and those of Matomo whose columns show in rows of several files."""
    for name in SEVERAL:
        for table in platforms.platform(name, settings(name).spec).tables:
            is_of_several = name == "matomo" and table.joins
            is_read = table.columns and not table.refusal and (name, table.name) not in DEAR
            if is_read and table.lookup is None and not is_of_several:
                yield pytest.param(name, table, id=f"{name}-{table.name}")


def nearest(name, table):
    """The stem of a file of a table, and some rows: its sample's, or those of the table most like it."""
    found = sampled(name)
    shared = {other: len({*frame.columns} & {*table.columns}) for other, (_, frame) in found.items()}
    return found[max(found, key=lambda other: (other == table.name, shared[other]))]


GOOD = "2024-04-03T10:00:00.000Z"
NO_ONE = re.compile(r"no-id-[0-9a-f-]{36}")
"""An id that is made of a key."""


OF_EVENTS = (FIRST, LAST, PLACE_SEEN)
"""States that events tell together, and that one of their rows stands for: they say nothing that no event says."""


def with_one_key(table):
    """The table with the same key for all rows: nobody reads out of a uuid what a column said."""
    if table.to_events is events.none:
        return table

    def to_events(rows, options):
        return table.to_events(rows, options).with_columns(dedup_key=pl.lit("key"))

    return replace(table, to_events=to_events)


def opened(table, stem, rows, options):
    """The table without keys, rows of it as its functions get them, and what could not be opened."""
    known = with_one_key(payloads.claimed(table, options))
    part = Part(rows)
    full = Opener.of(known).open(part).with_columns(pl.lit(stem).alias(FILE))
    full = full.with_columns(
        pl.lit(None, dtype).alias(c) for c, dtype in FRAMEWORK.items() if c not in full.columns
    )
    return known, unjoined(full, table).cast(dict(table.columns), strict=False), part.rejects


def outcomes(name, table, stem, rows, options):
    """What becomes of each row: payload, states, why it is rejected; and what is told of all of them together."""
    known, full, unopened = opened(table, stem, rows, options)
    found = {number: [] for number in rows[ROW]}
    for line in unopened:
        found[line.row].append(line)
    transform = Transform(
        table=known,
        imprint=payloads.Imprint(platform=name, import_id="i"),
        options=options,
        file=stem,
        profiled=True,
    )
    done = finished(Chunk(full, []), transform, LATER)
    for number, text in done.frame.select("row", "payload").iter_rows():
        found[number].append(NO_ONE.sub("no-id", text))
    for row in done.states.filter(~pl.col("what").is_in(OF_EVENTS)).iter_rows(named=True):
        found[row.pop(ROW)].append(str(row))
    for line in done.rejects:
        found[line["row"]].append((line["reason"], line["value"]))
    told = list(links_of(table, stem, full, options))
    return found, (dict(done.numbers.filtered), dict(done.numbers.warnings), told)


def whole(rows, table):
    """Rows with every column of a table; rows of nothing, numbers and texts but for what makes events of them."""
    columns = (*table.columns, REST)
    told = [{column: row.get(column) for column in columns} for row in rows]
    fitting = dict.fromkeys(table.times, GOOD) | dict.fromkeys(table.objects, "{}") | {REST: None}
    nothing = dict.fromkeys(columns)
    numbers = dict.fromkeys(columns, "7") | {REST: None}
    texts = {column: f"p-{column}" for column in table.columns} | {REST: None}
    return [
        *told,
        *(
            _fit(row, fitting | words)
            for row in (nothing, numbers, texts)
            for words in BESIDE
            if not words or words.keys() & row.keys()
        ),
        numbers,
        texts,
    ]


def _fit(row, fitting):
    """A row with what its columns must hold for it to become an event."""
    return row | {column: value for column, value in fitting.items() if column in row}


def variants(column, columns, row):
    """A row without a column, and with it as it is and as each probe, beside fewer others."""
    dice = random.Random(column)
    filled = [name for name in (*columns, REST) if row[name] is not None and name != column]
    beside = [{name: None for name in filled if dice.random() >= share} for share in SHARES]
    beside += [{name: None} for name in filled] if len(filled) < len(columns) - 1 else []
    beside += [{name: None for name in filled if _bare(name) == _bare(column)}]
    return [_probed(row | others, column) for others in beside]


def _bare(column):
    """A column's name without what its spellings differ in: where one of them is filled, no other is asked."""
    return re.sub(r"[^a-z0-9]", "", column.lower())


def _probed(row, column):
    """A row without a column, and with it as it is and as each probe."""
    return [row | {column: value} for value in (None, *([row[column]] if row[column] else ()), *PROBES)]


def framed(rows, table):
    """Rows as a reader delivers them."""
    columns = (*table.columns, REST)
    cells = {column: pl.Series([row[column] for row in rows], dtype=pl.String) for column in columns}
    return pl.DataFrame(cells).with_row_index(ROW, offset=1).cast({ROW: pl.Int64})


def missed(of, sets):
    """The columns of some set of rows without which one of its rows becomes something else, all looked at together."""
    name, table, stem, options = of
    every = framed([row for _, one in sets for row in one], table)
    made = iter(outcomes(name, table, stem, every, options)[0].values())
    became = [(column, [next(made) for _ in one]) for column, one in sets]
    return {column for column, (without, *having) in became if any(one != without for one in having)}


def linking(of, sets):
    """The columns without which their rows tell something else of ids or of other rows."""
    _, table, stem, options = of
    _, full, _ = opened(table, stem, framed([row for _, one in sets for row in one], table), options)
    start, places = 0, {}
    for column, one in sets:  # the first of a set is without the column
        places.setdefault(column, []).extend((start + place, start) for place in range(len(one)))
        start += len(one)
    found = set()
    for column, both in places.items():
        there, gone = (full[list(some)] for some in zip(*both, strict=True))
        gone = gone.with_columns(there[ROW])
        told = (list(links_of(table, stem, rows, options)) for rows in (there, gone))
        found |= {column} if next(told) != next(told) else set()
    return found


def is_told(of, column, rows):
    """Whether something else is told of all these rows together without a column."""
    name, table, stem, options = of
    there, gone = (
        outcomes(name, table, stem, framed(some, table), options)[1]
        for some in (rows, [row | {column: None} for row in rows])
    )
    return there != gone


def silent(name, table, stem, sample):
    """The columns that a table declares, does not drop by name, and that change nothing."""
    gone = {*table.drops(table.columns), *UNUSED.get((name, table.name), ())}
    gone |= {column for column in table.columns if table.rename.get(column, column) is None}
    left = asked = [column for column in table.columns if column not in gone]
    rows = whole(sample.cast(pl.String).iter_rows(named=True), table)
    ways = [
        (name, table, file, options)
        for options in (Options(keep=frozenset(table.filters)), *([Options()] if table.filters else []))
        for file in dict.fromkeys((stem, STEM))
    ]

    def sets(some, most):
        return [
            (column, one) for column in left for row in some for one in variants(column, asked, row)[:most]
        ]

    # Most columns show in rows as they are: few are left for what is dear, all rows, each beside fewer others.
    for tried, most in ((rows[:1], 1), (rows[:1], None), (rows, 1), (rows[1:], None)):
        for look, of in (*((missed, of) for of in ways), (linking, ways[0])):
            found = look(of, sets(tried, most)) if left else ()
            left = [column for column in left if column not in found]
    every = {column: [] for column in left}
    for column, one in sets(rows, None):
        every[column] += one
    return [column for column in left if not any(is_told(of, column, every[column]) for of in ways)]


@pytest.mark.parametrize(("name", "table"), some(tables(), 6))
def test_a_column_that_is_taken_away_is_missed(name, table):
    """Whatever a table declares changes something, or it is among what the table drops."""
    assert silent(name, table, *nearest(name, table)) == []


def with_a_nonce(rows, _options):
    """Events of which one column is in the key alone."""
    time, text = pl.lit("2024-04-01").str.to_datetime(time_unit="us", time_zone="UTC"), pl.col("what")
    return events.events(rows, event=text, distinct_id=text, timestamp=time, dedup_key=pl.col("nonce"))


@pytest.mark.parametrize(("dropped", "left"), [(set(), ["nonce"]), ({"nonce"}, [])])
def test_a_column_that_is_in_the_key_alone_is_silent(dropped, left):
    """It tells events apart, and is lost all the same: it becomes a property, too, or is dropped by name."""
    columns = dict.fromkeys(("what", "nonce"), pl.String)
    table = Table(
        name="t", columns=columns, matches=has("what"), to_events=with_a_nonce, dropped=frozenset(dropped)
    )
    sample = pl.DataFrame({ROW: [1], "what": ["a"], "nonce": ["1"]})
    assert silent("acorn", table, "t", sample) == left


@pytest.mark.parametrize(("name", "table"), some(tables(), 10))
def test_a_column_that_no_table_declares_is_missed_or_counted(name, table):
    """Whatever is in a file beside that is carried over, or counted by its name."""
    stem, sample = nearest(name, table)
    rows = whole(sample.cast(pl.String).iter_rows(named=True), table)
    kept = Options(keep=frozenset(table.filters))

    def beside(member):
        more = [{**row, REST: json.dumps(member | json.loads(row[REST] or "{}"))} for row in rows]
        return outcomes(name, table, stem, framed(more, table), kept)

    without = beside({"nothing": None})
    for called in ("zz_probe", "context_zz_probe"):
        if table.left_out is None or not table.left_out(called):
            assert beside({called: "probe"}) != without


def planned(tmp_path, platform, *paths, extra=()):
    """What a plan says in JSON, and the lines of its rejects."""
    workdir = tmp_path / "workdir"
    command = ["plan", platform, *map(str, paths), "--workdir", str(workdir), "--json", *extra]
    done = CliRunner().invoke(cli, command)
    assert done.exit_code in {0, 3}, done.output
    rejects = workdir / "rejects.jsonl"
    lines = rejects.read_text().splitlines() if rejects.exists() else []
    return json.loads(done.stdout.splitlines()[-1]), [json.loads(line) for line in lines]


CALLS = 12_000
"""Several blocks, row groups and stripes."""


def calls(bad):
    """Many calls of Segment's, of which some have no time that can be read."""
    for number in range(CALLS):
        yield {
            "event": "E",
            "userId": "u1",
            "messageId": f"m{number}",
            "timestamp": "soon" if number in bad else GOOD,
            "type": "track",
            "properties": {"n": number},
            "writeKey": f"key {number}",
            "RECEIVEDAT": GOOD,
        }


def jsonl(path, rows):
    """Lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def array(path, rows):
    """One array."""
    path.write_text(json.dumps(list(rows)))


def delimited(path, rows):
    """Comma-separated text."""
    frame(rows).write_csv(path)


def parquet(path, rows):
    """Several row groups."""
    frame(rows).write_parquet(path, row_group_size=7_000)


def orced(path, rows):
    """Several stripes."""
    orc.write_table(frame(rows).to_arrow(), path, stripe_size=1 << 16)


def frame(rows):
    """Rows as columns of text."""
    return pl.DataFrame([row | {"properties": json.dumps(row["properties"])} for row in rows])


def wrapped(path, rows):
    """As Airbyte writes rows."""
    jsonl(path, ({"_airbyte_ab_id": "1", "_airbyte_data": row} for row in rows))


def wide(path, rows):
    """With so many columns that they are read a stretch at a time."""
    columns = [pl.lit("x").alias(f"more_{number}") for number in range(600)]
    frame(rows).with_columns(columns).write_csv(path)


@pytest.mark.parametrize("write", [jsonl, array, delimited, parquet, orced, wrapped])
def test_a_reject_is_the_whole_row_that_its_file_has(tmp_path, write):
    """With the columns that its table drops, each those of its own row, wherever that stands."""
    bad = (3, 4, 9_000, CALLS - 1)
    write(tmp_path / "calls", calls(bad))
    summary, rejects = planned(tmp_path, "segment", tmp_path / "calls")
    assert [line["row"] for line in rejects] == [number + 1 for number in bad]
    assert [line["source"]["writeKey"] for line in rejects] == [f"key {number}" for number in bad]
    assert {line["source"]["RECEIVEDAT"] for line in rejects} == {GOOD}
    beside = {"_airbyte_ab_id": 1} if write is wrapped else {}
    assert summary["dropped_columns"] == {"RECEIVEDAT": 1, "writeKey": 1} | beside
    assert summary["rows"]["mapped"] == CALLS - len(bad)


def test_a_reject_of_a_very_wide_file_has_them_too(tmp_path):
    """Though columns are taken up a stretch at a time."""
    wide(tmp_path / "calls", list(calls((3, 900)))[:1_000])
    _, rejects = planned(tmp_path, "segment", tmp_path / "calls")
    assert [line["source"]["writeKey"] for line in rejects] == ["key 3", "key 900"]
    assert all(line["source"]["more_599"] == "x" for line in rejects)


def test_rejects_of_files_that_are_planned_together_have_those_of_their_own_file(tmp_path):
    """Small files share a chunk, and not their rows."""
    (tmp_path / "calls").mkdir()
    for place in range(5):
        rows = [row | {"writeKey": f"file {place}"} for row in list(calls((1,)))[:3]]
        jsonl(tmp_path / "calls" / f"{place}.jsonl", rows)
    summary, rejects = planned(tmp_path, "segment", tmp_path / "calls")
    assert [line["source"]["writeKey"] for line in rejects] == [f"file {place}" for place in range(5)]
    assert summary["dropped_columns"] == {"RECEIVEDAT": 5, "writeKey": 5}


def test_rejects_that_are_mended_are_planned_as_their_rows_would_have_been(tmp_path):
    """With what was dropped in them, which is dropped again."""
    jsonl(tmp_path / "calls.jsonl", list(calls((1,)))[:3])
    _, rejects = planned(tmp_path, "segment", tmp_path / "calls.jsonl")
    mended = tmp_path / "mended.jsonl"
    mended.write_text(json.dumps(rejects[0]).replace("soon", GOOD) + "\n")
    jsonl(tmp_path / "whole.jsonl", [*calls(())][1:2])
    assert made_of("segment", mended).payloads == made_of("segment", tmp_path / "whole.jsonl").payloads


@pytest.mark.parametrize("form", ["csv", "jsonl", "airbyte"])
def test_a_reject_shows_the_word_that_was_no_id(tmp_path, form):
    """Else nobody sees what there is to mend; a folder's column is there if the table knows it, lest it become one."""
    row = {"id": "1", "event": "e", "user_id": "NULL", "timestamp": "2024-01-01T00:00:00Z", "Note": "n"}
    path = tmp_path / "country=DE" / "context_locale=de-CH" / "tracks"
    path.parent.mkdir(parents=True)
    if form == "csv":
        pl.DataFrame([row]).write_csv(path)
    else:
        jsonl(path, [row if form == "jsonl" else {"_airbyte_ab_id": "1", "_airbyte_data": row, "beside": 2}])
    summary, (line,) = planned(tmp_path, "segment", path.parent)
    assert line["source"] == row | {"context_locale": "de-CH"}
    assert summary["dropped_columns"] == ({"_airbyte_ab_id": 1, "beside": 1} if form == "airbyte" else {})


def test_a_row_that_could_not_be_delivered_is_there_to_be_mended_too(tmp_path):
    """With an id that was rounded, or an object that is none."""
    frame = pl.DataFrame(
        {"event_type": ["e", "e"], "user_id": [1.0, 2.0**53], "event_time": ["2024-01-01 00:00:00"] * 2}
    )
    frame.with_columns(event_properties=pl.lit("{}")).write_parquet(tmp_path / "a.parquet")
    (tmp_path / "b.csv").write_text(
        "event_type,user_id,event_time,event_properties\ne,u,2024-01-01 00:00:00,oops\n"
    )
    _, lines = planned(tmp_path, "amplitude", tmp_path)
    assert [line["reason"] for line in lines] == ["rounded_id", "bad_json"]
    assert [line["source"]["event_time"] for line in lines] == ["2024-01-01 00:00:00"] * 2
    assert lines[1]["source"]["event_properties"] == "oops"


def test_preview_shows_what_is_dropped(tmp_path):
    """Beside what is not, so that one sees what is lost."""
    jsonl(tmp_path / "calls.jsonl", list(calls(()))[:3])
    rows = preview(settings("segment").work([str(tmp_path / "calls.jsonl")]), 2)
    assert [json.loads(row.source)["writeKey"] for row in rows] == ["key 0", "key 1"]


SILENT = "id,group_id,name,context_timezone,context_odd,timestamp\nm1,g1,Acme,Europe/Berlin,x,2024-01-01 00:00:00\n"


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("platform", ["segment", "rudderstack"])
def test_the_context_of_a_group_call_is_dropped_by_name(tmp_path, platform, form):
    """What is known of contexts; what is not is counted, in rows."""
    rows = pl.read_csv(SILENT.encode())
    path = tmp_path / f"groups.{form}"
    {"csv": rows.write_csv, "jsonl": rows.write_ndjson, "parquet": rows.write_parquet}[form](path)
    summary, _ = planned(tmp_path, platform, path)
    assert {"context_timezone"} <= summary["dropped_columns"].keys() <= {"context_timezone", "id"}
    assert summary["repairs"] == {"column_left_out.context_odd": 1}
    assert summary["rows"]["mapped"] == 1


def test_what_a_table_of_ids_has_beside_them_is_counted(tmp_path):
    """Two of three rows have something in it."""
    text = "amplitude_id,merged_amplitude_id,scope,note\n1,2,9,x\n3,4,9,\n5,6,9,y\n"
    (tmp_path / "merged.csv").write_text(text)
    summary, _ = planned(tmp_path, "amplitude", tmp_path / "merged.csv")
    assert summary["repairs"] == {"column_left_out.note": 2}
    assert summary["dropped_columns"] == {"scope": 1}


def test_google_analytics_tells_what_it_knows_of_users_and_of_which_stream(tmp_path):
    """Columns nobody has declared among it, as of events."""
    row = {
        "pseudo_user_id": "1.2",
        "stream_id": "77",
        "last_updated_date": "20240404",
        "user_ltv": None,
        "newer": "n",
    }
    jsonl(tmp_path / "users.jsonl", [row])
    shown = list(preview(settings("ga4").work([str(tmp_path / "users.jsonl")]), 5))
    (text,) = [json.loads(text) for row in shown for text in row.payloads]
    assert text["properties"]["$set"] == {"ga_stream_id": "77", "newer": "n"}
