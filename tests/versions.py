"""What a platform's rows become, in two digests each: kept in `golden/versions.json`, beside the versions they have.

Of the golden, which is what the sample becomes, with merges and profiles, and of a few thousand rows made of the sample
with odd words in some of the columns. Where one changes, read what changed, keep the golden, raise the version in the
mapping, and run `python tests/versions.py`.
"""

import hashlib
import json
import random
import re
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import polars as pl
import polars.selectors as cs
from frames import LATER, unjoined
from samples import PLATFORMS, SAMPLES, settings

from migrate import platforms
from migrate.inputs.listing import sources
from migrate.jsontext.parse import encoded
from migrate.kit.declare import ROW, Options
from migrate.kit.schemas import FRAMEWORK
from migrate.payload import payloads
from migrate.plan.finished import finished
from migrate.plan.lines import as_read
from migrate.plan.neighbours import marked
from migrate.plan.transform import Transform
from migrate.readers.files import read_chunks
from migrate.readers.records import Header

GOLDENS = Path(__file__).parent / "golden"
KEPT = GOLDENS / "versions.json"
KINDS = ("identity", "payload")
ROWS = 2_000
"""How many rows are made for a platform, at least."""
LEAST = 60
"""And for a table of it."""
CELLS = (
    *(
        "",
        " ",
        "0",
        "7",
        "-1",
        "5.0",
        "1e3",
        "true",
        "null",
        "\\N",
        "None",
        "guest",
        "[]",
        "{}",
        "a b",
        "ü\u2028\U0001f600",
    ),
    *(
        "2024-04-01 11:00:00",
        "2024-04-01T11:00:00.123456789Z",
        "2024-03-31T02:30:00",
        "2024-04-01",
        "1711969200",
        "soon",
    ),
    *(
        "1711969200000",
        "1711969200000000",
        "9999-12-31T23:59:59Z",
        "1969-01-01T00:00:00+02:00",
        "00000000-0000-0000-0000-000000000000",
    ),
    *(
        "0190d1a0-0000-7000-8000-00000000abcd",
        "203.0.113.9",
        "DE",
        "de-CH",
        "Safari",
        "iOS",
        "tablet",
        "https://p.example:8/x?utm_source=q&b=1#h",
    ),
    *(
        '{"k":"v","$set":{"a":1},"n":null}',
        '[{"key":"k","value":{"int_value":"4"}}]',
        '["a","b"]',
        '{"a":1.50,"b":[1,{"c":2}]}',
        "{",
    ),
    *(
        "$identify",
        "$pageview",
        "track",
        "identify",
        "group",
        "alias",
        "screen",
        "$create_alias",
        "session_start",
    ),
)
"""What is put in the place of a cell, of any column."""
OURS = re.compile(r',"\$import_job_id":"[^"]*"|,"\$lib_version":"[^"]*"')
"""What says which import and which version of the tool it is, and no more."""
MERGES = ("$anon_distinct_id", "alias")


def known(name):
    """Some rows of each table of a platform, as their files have them, and the stem of a file of it."""
    found = {}
    for job in settings(name).work([str(SAMPLES / name)]).jobs:
        chunk = next(read_chunks(job.source, job.table, job.header), None)
        if chunk is not None and chunk.rows.height and job.table.name not in found:
            rows = chunk.rows.head(10)
            told = [json.loads(encoded(as_read(row, job.table))) for row in rows.iter_rows(named=True)]
            found[job.table.name] = job.source.stem, told
    return found


def made(name):
    """Each table of a platform with the stem of a file of it and rows, the same ones on every machine."""
    samples = known(name)
    tables = [
        one for one in platforms.platform(name, settings(name).spec).tables if one.columns and not one.refusal
    ]
    for table in tables:
        like = max(
            samples, key=lambda other: (other == table.name, len(_keys(samples[other][1]) & {*table.columns}))
        )
        stem, rows = samples[like]
        dice = random.Random(f"{name} {table.name}")
        columns = sorted({*table.columns} | _keys(rows))
        yield table, stem, [_changed(rows, columns, dice) for _ in range(max(LEAST, ROWS // len(tables)))]


def _keys(rows):
    """The columns that rows have."""
    return {key for row in rows for key in row}


def _changed(rows, columns, dice):
    """One of the rows with other cells in a few of its columns."""
    row = dict(rows[int(dice.random() * len(rows))])
    for _ in range(int(dice.random() * 4)):
        row[columns[int(dice.random() * len(columns))]] = CELLS[int(dice.random() * len(CELLS))]
    return row


def lines(name):
    """What a platform's rows come to: (identity, payload) of each thing that is made or told."""
    yield from map(of_payload, (GOLDENS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines())
    with tempfile.TemporaryDirectory() as folder:
        for table, stem, rows in made(name):
            path = Path(folder) / f"{table.name}.jsonl"
            path.write_bytes(b"".join(encoded(row) + b"\n" for row in rows))
            yield from of_file(name, table, stem, Header("jsonl", tuple(sorted(_keys(rows)))), path)
            if name == "table":  # flat, so that Parquet holds the same rows, each column of one type
                flat = pl.DataFrame(
                    {
                        key: pl.Series([row.get(key) for row in rows], strict=False)
                        for key in sorted(_keys(rows))
                    }
                )
                path = path.with_suffix(".parquet")
                flat.with_row_index("number").write_parquet(path)
                yield from of_file(name, table, stem, Header("parquet", ("number", *flat.columns)), path)


def of_file(name, table, stem, header, path):
    """What the rows of a file come to."""
    options = Options()
    table = payloads.claimed(table, options)
    (found,) = sources([str(path)]).sources
    transform = Transform(
        table=table,
        imprint=payloads.Imprint(platform=name, import_id="i"),
        options=options,
        file=stem,
        profiled=True,
    )
    chunks = read_chunks(found, table, header)
    for read in chunks if table.neighbours is None else marked(chunks, table.neighbours):
        chunk = replace(read, rows=unjoined(read.rows, table))
        done = finished(chunk, transform, LATER)
        yield from map(of_payload, done.frame["payload"])
        yield from ((f"rejected: {line['row']}", "") for line in done.rejects)
        told = done.states.with_columns(pl.col("timestamp").dt.epoch("us")).drop(ROW)
        for row in told.sort(told.columns).iter_rows(
            named=True
        ):  # they are put in order before they are told
            yield (
                f"{row['owner']} {row['what']} {row['timestamp']} {row['distinct_id']}",
                f"{row['told']}",
            )
        yield from ((told, "") for told in links_of(table, stem, chunk.rows, options))


def links_of(table, stem, rows, options):
    """What rows tell of ids and of other rows."""
    nothing = {name: pl.lit(None, dtype) for name, dtype in FRAMEWORK.items() if name not in rows.columns}
    whole = unjoined(rows, table).with_columns(**nothing | {"_file": pl.lit(stem)})
    functions = [one for one in (table.to_links, table.to_recoveries, table.clock) if one]
    for function in functions:
        told = function(whole.lazy(), options).collect()
        yield from sorted(map(str, told.with_columns(cs.datetime().dt.epoch("us")).rows()))
    for key in (table.resolve, *table.recover_keys):
        if key is not None:
            yield from map(str, whole.select(ROW, key.cast(pl.String).alias("key")).rows())


def of_payload(text):
    """What decides which event it is, and what else it says."""
    event = json.loads(text)
    merges = (
        [event["properties"].get(key) for key in MERGES]
        if event["event"] in {"$identify", "$create_alias"}
        else []
    )
    told = [event[key] for key in ("event", "distinct_id", "timestamp", "uuid")]
    return json.dumps([*told, *merges]), OURS.sub("", text.partition('"properties":')[2])


def digests(name):
    """The digests of a platform, by kind."""
    hashes = {kind: hashlib.blake2b(digest_size=16) for kind in KINDS}
    for line in lines(name):
        for kind, text in zip(KINDS, line, strict=True):
            hashes[kind].update(text.encode() + b"\n")
    return {kind: one.hexdigest() for kind, one in hashes.items()}


def versions(name):
    """The versions a platform's mapping has, by kind."""
    mapping = platforms.mapping(name)
    return {"identity": mapping.identity_version, "payload": mapping.payload_version}


def complaint(name, kept):
    """What is wrong with a platform's versions, None where nothing is; `kept` is what is kept of it."""
    now, found = versions(name), digests(name)
    for kind in KINDS:
        before = kept.get(kind, {"version": 0, "digest": None})
        moved, raised = found[kind] != before["digest"], now[kind] != before["version"]
        if moved and not raised:
            return f"{name}: rows become another {kind}; read why, and raise {kind}_version in mappings/{name}.py"
        if raised and not moved:
            return f"{name}: {kind}_version is another, and no row becomes anything else; put it back"
        if moved:
            return f"{name}: {kind}_version is {now[kind]} now; keep it with python tests/versions.py"
    return None


def main():
    """Keep the digests of platforms whose versions were raised; return 1 for those whose were not."""
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    wrong = []
    for name in PLATFORMS:
        now, found, before = versions(name), digests(name), kept.get(name, {})
        for kind in KINDS:
            known_ = before.get(kind, {"version": 0, "digest": None})
            if (found[kind] != known_["digest"]) != (now[kind] != known_["version"]):
                wrong.append(complaint(name, before))
                break
        else:
            kept[name] = {kind: {"version": now[kind], "digest": found[kind]} for kind in KINDS}
    KEPT.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n")
    sys.stderr.writelines(f"{one}\n" for one in wrong)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
