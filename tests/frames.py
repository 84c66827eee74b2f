"""Event frames for tests, from plain rows."""

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import polars as pl

from migrate.kit.declare import OWN, PROPERTIES, WHOLE, Options, Table
from migrate.kit.schemas import FRAMEWORK, OBJECT_COLUMNS, TEXT_COLUMNS, TIMESTAMP
from migrate.payload import checks, payloads
from migrate.payload.properties import LIBRARY
from migrate.plan.finished import finished
from migrate.readers.chunks import computed_chunk
from migrate.readers.computed import with_computed
from migrate.readers.files import read_chunks
from migrate.readers.opener import Opener
from migrate.readers.records import Part
from migrate.settings import Settings
from migrate.workdir.records import Numbers

NOON = datetime(2024, 4, 3, 12, tzinfo=UTC)
LATER = datetime(2025, 1, 1, tzinfo=UTC)
IMPRINT = payloads.Imprint(platform="test", import_id="import-1")
FORCED = {
    "$geoip_disable": True,
    "historical_migration": True,
    "analytics_source": "test",
    "$import_job_id": "import-1",
}


def event_frame(*rows, structs=None):
    """Return an event frame; a row says what differs from an ordinary event, `structs` the types of objects."""
    ordinary = {"event": "e", "distinct_id": "u-1", "timestamp": NOON}
    full = [
        {"_row": number, "dedup_key": f"key-{number}"} | ordinary | row for number, row in enumerate(rows, 1)
    ]
    schema = {"_row": pl.Int64, "timestamp": TIMESTAMP} | dict.fromkeys(TEXT_COLUMNS, pl.String)
    objects = dict.fromkeys(OBJECT_COLUMNS, pl.String) | (structs or {})
    return pl.DataFrame(full, schema=schema | objects, orient="row")


def table(rename=None):
    """Return a table of which only the renames matter."""
    return Table(
        name="t",
        columns={},
        matches=lambda _: True,
        to_events=lambda rows, _: rows,
        rename=rename or {},
    )


def made(frame, rename=None):
    """Return what becomes of an event frame that passes the checks."""
    verdict = checks.check(frame, LATER)
    assert verdict.rejects.height == 0
    return payloads.payloads(verdict.frame, table(rename), IMPRINT)


def properties(frame, rename=None):
    """Return the properties of each payload as sent."""
    return [strict(text)["properties"] for text in made(frame, rename).frame["payload"]]


def strict(text):
    """Return a JSON text's value; no object may hold a key twice, no number be NaN."""

    def members(pairs):
        twice = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
        assert not twice, text
        return dict(pairs)

    return json.loads(text, object_pairs_hook=members, parse_constant=_never)


def _never(name):
    """Fail on a word that is no JSON."""
    raise AssertionError(name)


def opened(table, frame, options=Options()):  # noqa: B008 - frozen
    """Return rows, of which only columns and `REST` are told, with all that the reader finds in their objects."""
    known = {**table.columns, **FRAMEWORK}
    given = frame.with_columns(
        pl.lit(None, dtype).alias(name) for name, dtype in known.items() if name not in frame.columns
    )
    made = {PROPERTIES, OWN, WHOLE}
    part = Part(given.drop(made))
    found = Opener.of(payloads.claimed(table, options)).open(part)
    assert part.rejects == []
    found = found.with_columns(
        pl.lit(None, pl.String).alias(name) for name in (*made, *table.joined()) if name not in found.columns
    )
    return with_computed(unjoined(found, table), table, Counter())


def unjoined(frame, table):
    """Rows with null for what lookups would tell of them: there are none beside them."""
    return frame.with_columns(
        pl.lit(None, pl.String).alias(name) for name in table.joined() if name not in frame.columns
    )


def unjoined_chunks(job):
    """Yield the chunks of a file as if no lookup told anything of its rows."""
    for read in read_chunks(job.source, job.table, job.header):
        chunk = replace(read, rows=unjoined(read.rows, job.table))
        yield computed_chunk(chunk, job.table) if job.table.joins else chunk


def told(event):
    """Return the properties that the source itself tells of an event, as a dict; None where there are none."""
    texts = [event[name] for name in ("rest", "properties", "own", "laid") if event[name]]
    return {key: value for text in texts for key, value in json.loads(text).items()} if texts else None


def sent(table, frame, options=Options()):  # noqa: B008 - frozen
    """Return the properties of the event of each row as they are sent, but for what every event of ours carries."""
    known = payloads.claimed(table, options)
    verdict = checks.check(known.to_events(opened(table, frame, options).lazy(), options).collect(), LATER)
    done = payloads.payloads(verdict.frame, known, IMPRINT)
    assert verdict.rejects.height + done.rejects.height == 0
    ours = FORCED | LIBRARY
    found = [strict(text)["properties"] for text in done.frame["payload"]]
    return [{key: value for key, value in bag.items() if ours.get(key) != value} for bag in found]


@dataclass
class Made:
    """What files came to, without what is known of people from all of them."""

    payloads: list[str] = field(default_factory=list)
    rejects: list[dict] = field(default_factory=list)
    numbers: Numbers = field(default_factory=Numbers)

    @property
    def uuids(self):
        """The uuid of each event."""
        return [json.loads(text)["uuid"] for text in self.payloads]

    @property
    def bags(self):
        """The properties of each event."""
        return [strict(text)["properties"] for text in self.payloads]


def made_of(platform, *paths, spec=None, partitions=True, lookups=(), **options):
    """Return what files come to, each read, opened and mapped as `plan` does it; lookups are there and tell nothing."""
    settings = Settings(platform=platform, spec=spec, options=Options(**options), partitions=partitions)
    work = settings.work([str(path) for path in (*paths, *lookups)])
    whole = Made()
    for job in work.jobs:
        if job.source.name in map(str, lookups):
            continue
        for chunk in unjoined_chunks(job):
            done = finished(chunk, work.settings.transform(job), LATER)
            whole.payloads += done.frame["payload"].to_list()
            whole.rejects += done.rejects
            whole.numbers.add(done.numbers)
    return whole
