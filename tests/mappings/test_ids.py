"""Words that mean nothing are no ids: on every platform, in every column that holds some, in every kind of file."""

import csv
import json
import shutil
from collections import Counter
from functools import cache

import polars as pl
import pytest
from frames import LATER, made_of, unjoined_chunks
from samples import FEW, PLATFORMS, SAMPLES, SEVERAL, settings, some

from migrate.jsontext.parse import encoded
from migrate.kit import expr, schemas
from migrate.kit.declare import REST, ROW, Options, inside
from migrate.kit.schemas import FRAMEWORK
from migrate.plan.finished import finished
from migrate.plan.lines import as_read
from migrate.readers.files import read_chunks

pytestmark = pytest.mark.law

WORDS = (
    *(
        "NULL",
        "null",
        "Null",
        "(null)",
        "None",
        "none",
        "nil",
        "undefined",
        "NaN",
        "nan",
        "<NA>",
        "<nil>",
        "N/A",
    ),
    *("n/a", r"\N", "]", "[]", "{}", "   ", "-", "---", " \u2013 ", '"null"', "'None'"),
    *("00000000-0000-0000-0000-000000000000", "00000000000000000000000000000000"),
)
FORMATS = ("jsonl", "csv", "parquet")
TIMES = (("bad", "soon", "bad_timestamp"), ("none", None, "no_timestamp"), ("blank", " ", "no_timestamp"))
"""Cells that no time can be read from, each with the name of its folder and why its row is rejected."""


@cache
def sampled(platform):
    """Every table of a platform's sample with ids: the file that has it, and some of its rows."""
    found = {}
    for job in settings(platform).work([str(SAMPLES / platform)]).jobs:
        if job.table.name in found or not job.table.ids:
            continue
        chunk = next(read_chunks(job.source, job.table, job.header), None)
        if chunk is not None and chunk.rows.height:
            rows = chunk.rows.head(2)
            told = [json.loads(encoded(as_read(row, job.table))) for row in rows.iter_rows(named=True)]
            found[job.table.name] = job, [dict.fromkeys(job.header.columns) | row for row in told]
    return found


def placed(row, column, word, table):
    """The row with another id, None for none; an id inside of an object stands there, as the object is read."""
    bags = table.bags_under(Options())
    for bag, opened in bags.items():
        key = column.removeprefix(f"{bag}.")
        if key == column:
            continue
        whole = row if bag == REST else row.get(bag)
        if opened.read and whole:
            whole = opened.read(whole if isinstance(whole, str) else json.dumps(whole))
        members = whole if isinstance(whole, dict) else json.loads(whole or "{}")
        members = {name: value for name, value in members.items() if name != key}
        members |= {} if word is None else {key: word}
        return members if bag == REST else row | {bag: json.dumps(members)}
    return row | {column: word}


def written(path, rows):
    """A file of these rows, all cells as text; objects as JSON."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    texts = [
        {name: json.dumps(cell) if isinstance(cell, dict | list) else cell for name, cell in row.items()}
        for row in rows
    ]
    if path.suffix == ".jsonl":
        path.write_text("".join(f"{json.dumps(dict.fromkeys(names) | row)}\n" for row in texts))
    elif path.suffix == ".csv":
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(texts)
    else:
        cells = {name: [row.get(name) for row in texts] for name in names}
        cells = {
            name: [str(cell) if cell is not None else None for cell in values]
            for name, values in cells.items()
        }
        pl.DataFrame(cells, schema=dict.fromkeys(names, pl.String)).write_parquet(path)
    return path


@cache
def lookups(platform):
    """The files of a platform's sample in which others look things up."""
    jobs = settings(platform).work([str(SAMPLES / platform)]).jobs
    return [job.source.path for job in jobs if job.table.lookup]


def beside(platform, path):
    """The lookups of a platform's sample, copied beside a file."""
    return [str(shutil.copy(one, path.parent)) for one in lookups(platform) if one.stem != path.stem]


def outcome(platform, path, table):
    """Who did what, who is who, what is told of whom, why rows are rejected, and how many words were found."""
    work = settings(platform).work([str(path), *beside(platform, path)])
    (job,) = (job for job in work.jobs if job.source.name == str(path))
    assert job.table.name == table.name
    events, told, states, reasons, counts = [], [], [], Counter(), Counter()
    for chunk in unjoined_chunks(job):
        done = finished(chunk, work.settings.transform(job), LATER)
        for text in done.frame["payload"]:
            event = json.loads(text)
            events.append((event["event"], event["distinct_id"], event["timestamp"]))
        states += done.states.select(pl.exclude(ROW, "set", "set_once", "properties", "own")).rows()
        reasons.update(line["reason"] for line in done.rejects)
        counts.update(done.numbers.repairs)
        if job.table.to_links:
            nothing = [pl.lit(None, t).alias(n) for n, t in FRAMEWORK.items() if n not in chunk.rows.columns]
            found = job.table.to_links(
                chunk.rows.with_columns(nothing).lazy(), work.settings.options
            ).collect()
            assert found.schema == schemas.LINK_SCHEMA
            told += found.rows()
    return events, set(told), states, reasons, counts["null_text"] + counts["null_cell"]


@pytest.mark.parametrize(
    ("platform", "form"),
    [
        (platform, form)
        for platform in some(SEVERAL, 6)
        for form in (FORMATS if platform in some(FEW, 2) else FORMATS[:1])
    ],
)
def test_a_word_for_nothing_is_no_id(tmp_path, platform, form):
    """A row with one, in any column of ids of any table, is the row without an id there, and is counted."""
    for job, rows in sampled(platform).values():
        name = f"{job.source.stem}.{form}"
        outcomes = []
        for folder, words in (("none", [None] * len(WORDS)), ("words", WORDS)):
            given = [
                placed(row, column, word, job.table)
                for column in job.table.ids
                for row in rows
                for word in words
            ]
            path = tmp_path / job.table.name / folder / name
            path.parent.mkdir(parents=True)
            outcomes.append(outcome(platform, written(path, given), job.table))
        (*without, before), (*having, after) = outcomes
        assert having == without, job.table.name
        assert after - before == len(WORDS) * len(rows) * len(job.table.ids), job.table.name


@pytest.mark.parametrize(
    "word", ["0", "guest", "system", "anonymous", "unknown", "nullable", "-1", "a-", "nil2"]
)
def test_other_words_may_be_ids(word):
    """What PostHog merges with no one may all the same be someone, and is kept."""
    texts = pl.DataFrame({"id": [word, f" {word}"]})
    assert texts.select(expr.identifier(pl.col("id"))).to_series().to_list() == [word, word]


def test_every_platform_says_where_its_ids_are():
    """A table that tells who did something has a column for it; a page of profiles has them inside of each."""
    for platform in PLATFORMS:
        for table in settings(platform).mapping().tables:
            if table.refusal:
                continue
            bags = table.bags_under(Options())
            known = {*table.columns, *(inside(bag, key) for bag in bags for key in bags[bag].keys)}
            assert known.issuperset(table.ids), f"{platform} {table.name}"
            tells = (table.to_links and table.name != "engage_pages") or table.resolve is not None
            assert table.ids or not tells, f"{platform} {table.name}"


@pytest.mark.parametrize("dtype", [pl.Float64, pl.Float32, pl.Decimal(20, 4), pl.Int64])
def test_ids_of_numbers_are_spelled_alike(tmp_path, dtype):
    """A column that has a null somewhere is one of floats to many programs; its ids are those of other files."""
    columns = {"uid": [123, None, -7], "device_id": ["d", "d", "d"], "event_type": ["A"] * 3}
    frame = pl.DataFrame(columns).with_columns(
        pl.col("uid").cast(dtype), event_time=pl.lit("2024-01-01 10:00:00")
    )
    path = tmp_path / "a.parquet"
    frame.rename({"uid": "user_id"}).with_columns(session_id=pl.lit(-1).cast(dtype)).write_parquet(path)
    made = made_of("amplitude", path)
    assert [json.loads(text)["distinct_id"] for text in made.payloads] == ["123", "d", "-7"]
    assert not [bag for bag in made.bags if {"$session_id", "amplitude_session_id"} & bag.keys()]


@pytest.mark.parametrize(
    ("dtype", "rounded"), [(pl.Float64, 2**53), (pl.Float64, -1e19), (pl.Float32, 2**24), (pl.Float64, 1e300)]
)
def test_ids_that_may_have_been_rounded_are_rejected(tmp_path, dtype, rounded):
    """Many ids have become one there; the row is not planned, and no one is linked with it."""
    path = tmp_path / "a.parquet"
    ids = pl.Series([float(rounded), 5.0, 1.5]).cast(dtype)
    frame = pl.DataFrame(
        {"user_id": ids, "device_id": "d", "event_type": "A", "event_time": "2024-01-01 10:00:00"}
    )
    frame.write_parquet(path)
    made = made_of("amplitude", path)
    assert [json.loads(text)["distinct_id"] for text in made.payloads] == ["5", "1.5"]
    assert [(line["row"], line["reason"]) for line in made.rejects] == [(1, "rounded_id")]
    assert float(made.rejects[0]["value"]) == float(rounded)
    assert {told[2] for told in outcome("amplitude", path, table_of("amplitude"))[1]} == {"5", "1.5"}


def table_of(platform):
    """The platform's first table."""
    return settings(platform).mapping().tables[0]


def test_ids_that_look_like_floats_are_kept_and_counted(tmp_path):
    """As text they may be what the source has; a text with a point in it is told from a number."""
    path = tmp_path / "a.csv"
    path.write_text(
        "event_type,user_id,event_time\n"
        + "".join(f"A,{i},2024-01-01 10:00:00\n" for i in ("5", "5.0", "5.5"))
    )
    made = made_of("amplitude", path)
    assert [json.loads(text)["distinct_id"] for text in made.payloads] == ["5", "5.0", "5.5"]
    assert made.numbers.warnings["float_like_id"] == 1
    assert made.numbers.examples["float_like_id"] == ["2"]


@pytest.mark.parametrize("platform", FEW)
def test_a_time_that_cannot_be_read_is_told_from_none(tmp_path, platform):
    """In whichever table; and the reject says what was found."""
    for job, rows in sampled(platform).values():
        if not job.table.times:
            continue

        def becomes(folder, rows, job=job):
            path = tmp_path / job.table.name / folder / f"{job.source.stem}.jsonl"
            path.parent.mkdir(parents=True)
            return made_of(
                platform, written(path, rows), lookups=beside(platform, path), spec=settings(platform).spec
            )

        usual = becomes("as it is", rows)
        without = {line["row"] for line in usual.rejects}
        for folder, text, reason in TIMES:
            changed = rows
            for column in job.table.times:
                changed = [placed(row, column, text, job.table) for row in changed]
            odd = becomes(folder, changed)
            told = {line["row"]: (line["reason"], line["value"]) for line in odd.rejects}
            assert odd.payloads == [] or job.table.to_events.__name__ == "none"
            assert usual.payloads == [] or told
            assert {said for row, said in told.items() if row not in without} <= {
                (reason, text if text == "soon" else None)
            }
