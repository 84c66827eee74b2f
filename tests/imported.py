"""An import that a sandbox has, made without reading any file, and what became of it since."""

import asyncio
import json
import sqlite3
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from random import Random

import polars as pl
from asks import PERSONAL
from workdirs import applied, delivery, planned

from migrate.apply.pacing import Backoff
from migrate.asking import api as asking
from migrate.asking.api import Api
from migrate.kit import expr
from migrate.sandbox.store import FILE
from migrate.verifying.patience import Patience
from migrate.verifying.verifier import Wishes, verify

BEGIN = datetime(2024, 4, 3, tzinfo=UTC)
IMPORT = "history"
NAMES = ("seen", "order", "$pageview", "$exception")


def events(count, *, days=5, people=40, begin=BEGIN, names=NAMES, start=0):
    """Finished events, evenly spread over days, people and names; each with the import's id."""
    number = pl.int_range(start, start + count, eager=True).alias("row")
    frame = pl.DataFrame(number).with_columns(
        pl.Series("event", [names[n % len(names)] for n in range(count)], pl.String),
        pl.format("u{}", (pl.col("row") // 7) % people).alias("distinct_id"),
        pl.lit(begin).cast(pl.Datetime("us", "UTC"))
        + pl.duration(milliseconds=(pl.col("row") - start) * (days * 86_400_000 // count)),
        pl.lit("a.jsonl").alias("file"),
    )
    frame = frame.rename({"literal": "timestamp"})
    frame = frame.with_columns(expr.uuid7(pl.col("timestamp").dt.epoch("ms"), pl.col("row")).alias("uuid"))
    return with_payload(frame)


def with_payload(frame, properties="{}"):
    """The same with payloads."""
    parts = (
        *(pl.lit('{"event":"'), "event", pl.lit('","distinct_id":"'), "distinct_id"),
        *(pl.lit('","timestamp":"'), pl.col("timestamp").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")),
        *(pl.lit('","uuid":"'), "uuid", pl.lit(f'","properties":{{"$import_job_id":"{IMPORT}"')),
        pl.lit(f",{properties[1:-1]}}}}}" if properties != "{}" else "}}"),
    )
    return frame.with_columns(pl.concat_str(*parts).alias("payload"))


def sent(workdir, sandbox, *frames, **choices):
    """Plan frames, each as an input of its own, and send them; return the open checkpoint."""
    workdir.mkdir(exist_ok=True)
    checkpoint = None
    for number, frame in enumerate(frames):
        if checkpoint is not None:
            checkpoint.close()
        checkpoint = planned(workdir, frame, f"{number}.jsonl")
        checkpoint.note(import_id=IMPORT)
    assert applied(checkpoint, delivery(sandbox.url, **choices))
    from migrate.apply.target import bind  # as `migrate.sending` does

    bind(checkpoint, delivery(sandbox.url))
    return checkpoint


def verified(checkpoint, sandbox, monkeypatch=None, *, now=None, **choices):
    """Verify without patience."""

    async def run():
        hasty = Backoff(Random(0), base=0.01)
        async with Api(sandbox.app_url, PERSONAL, backoff=hasty, attempts=3) as api:
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
