"""An import that a sandbox has, made without reading any file, and what became of it since behind migrate's back."""

import asyncio
import sqlite3
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from random import Random

import polars as pl
from asks import PERSONAL
from workdirs import applied, delivery, planned

from migrate.apply.pacing import Backoff
from migrate.apply.target import bind
from migrate.asking.api import Api
from migrate.kit import expr
from migrate.sandbox.store import FILE
from migrate.verifying.patience import Patience
from migrate.verifying.verifier import Wishes, verify

BEGIN = datetime(2024, 4, 3, tzinfo=UTC)
IMPORT = "history"
NAMES = ("seen", "order", "$pageview", "$exception")
LATER = datetime.now(UTC) + timedelta(hours=2)
"""When nothing that was sent now may be on its way any more."""
COUNT = 1_000
"""Events of `EVENTS`: 200 on each of five days, one each 432 s, of four names in turn, seven in a row of a person."""
DAYS = [(BEGIN + timedelta(days=n)).date().isoformat() for n in range(5)]
COLUMNS = "uuid, event, distinct_id, timestamp, day, properties, historical, request"
"""Of the sandbox's events, those that say what an event is."""


def events(count, *, days=5, people=40, begin=BEGIN, names=NAMES, start=0):  # noqa: PLR0913 - what may differ
    """Finished events, evenly spread over days, people and names; each with the import's id."""
    number = pl.int_range(start, start + count, eager=True).alias("row")
    time = pl.lit(begin).cast(pl.Datetime("us", "UTC"))
    frame = pl.DataFrame(number).with_columns(
        pl.Series("event", [names[n % len(names)] for n in range(count)], pl.String),
        pl.format("u{}", (pl.col("row") // 7) % people).alias("distinct_id"),
        (time + pl.duration(milliseconds=(pl.col("row") - start) * (days * 86_400_000 // count))).alias(
            "timestamp"
        ),
        pl.lit("a.jsonl").alias("file"),
    )
    return with_payload(
        frame.with_columns(expr.uuid7(pl.col("timestamp").dt.epoch("ms"), pl.col("row")).alias("uuid"))
    )


def with_payload(frame, properties=""):
    """The same with payloads; `properties` are more of them, as JSON without its brackets."""
    parts = (
        *(pl.lit('{"event":"'), "event", pl.lit('","distinct_id":"'), "distinct_id"),
        *(pl.lit('","timestamp":"'), pl.col("timestamp").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")),
        *(
            pl.lit('","uuid":"'),
            "uuid",
            pl.lit(f'","properties":{{"$import_job_id":"{IMPORT}"{properties}}}}}'),
        ),
    )
    return frame.with_columns(pl.concat_str(*parts).alias("payload"))


EVENTS = events(COUNT)


def of(*rows):
    """What holds of these rows of `EVENTS` alone, in SQL."""
    uuids = ", ".join(f"'{EVENTS['uuid'][row]}'" for row in rows)
    return f"uuid IN ({uuids})"


def gone(where):
    """SQL that takes events out."""
    return f"DELETE FROM events WHERE {where}"  # noqa: S608


def changed(how, where):
    """SQL that changes events."""
    return f"UPDATE events SET {how} WHERE {where}"  # noqa: S608


def again(where, **instead):
    """SQL that puts events there once more, with something else instead."""
    values = ", ".join(instead.get(name, name) for name in COLUMNS.split(", "))
    return (
        f"INSERT INTO events (received_at, {COLUMNS}) SELECT received_at, {values} FROM events WHERE {where}"  # noqa: S608
    )


def sent(workdir, sandbox, *frames, **choices):
    """Plan frames, each as an input of its own, and send them; return the open checkpoint."""
    workdir.mkdir(exist_ok=True)
    checkpoint = None
    for number, frame in enumerate(frames):
        if checkpoint is not None:
            checkpoint.close()
        checkpoint = planned(workdir, frame, f"{number}.jsonl")
    checkpoint.note(import_id=IMPORT)
    bind(checkpoint, delivery(sandbox.url))
    assert applied(checkpoint, delivery(sandbox.url, **choices))
    return checkpoint


def verified(checkpoint, sandbox, *, now=None, **choices):
    """Verify without patience."""

    async def run():
        async with Api(sandbox.app_url, PERSONAL, backoff=Backoff(Random(0), base=0.01), attempts=3) as api:
            wishes = Wishes(**{"patience": Patience(glance=0.0)} | choices)
            return await verify(checkpoint, api, wishes, now or datetime.now(UTC))

    return asyncio.run(run())


@contextmanager
def store(folder):
    """The sandbox's own file, to be changed behind its back."""
    with closing(sqlite3.connect(folder / FILE, isolation_level=None, timeout=30)) as db:
        yield db


def causes(verdict):
    """Cause → events."""
    return verdict.document()["causes"]


class Whole:
    """An import of `EVENTS` of which a sandbox has all."""

    def __init__(self, checkpoint, sandbox, folder):
        self.checkpoint, self.sandbox, self.folder = checkpoint, sandbox, folder
        with store(folder) as db:
            db.execute("CREATE TABLE kept AS SELECT * FROM events")

    def after(self, *changes, rules=(), meanwhile=lambda: None, **choices):
        """The verdict when these changes were made to what the sandbox has; they are undone, after `meanwhile`."""
        with store(self.folder) as db:
            for change in changes:
                db.execute(change)
        self.sandbox.faults([*rules])
        try:
            meanwhile()
            return verified(self.checkpoint, self.sandbox, **{"now": LATER} | choices)
        finally:
            self.sandbox.faults([])
            with store(self.folder) as db:
                db.execute("DELETE FROM events")
                db.execute("INSERT INTO events SELECT * FROM kept")
