"""Planned workdirs for tests, made without reading any file."""

import asyncio
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random

import polars as pl
from click.testing import CliRunner

from migrate.apply.applier import Applier
from migrate.apply.delivery import Delivery
from migrate.apply.pacing import Backoff
from migrate.apply.protocol import Spoken, capture_of
from migrate.cli.commands import cli
from migrate.errors import MigrateError
from migrate.kit import expr
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.days import DayWriter
from migrate.workdir.records import Numbers

MIDNIGHT = datetime(2024, 4, 3, tzinfo=UTC)


def events(count, *, days=1, people=20, poison=(), start=0):
    """Finished events spread over days and people; those with a number in `poison` carry the property."""
    number = pl.int_range(start, start + count, eager=True).alias("row")
    seconds = (number * 7919) % (days * 86_400)
    frame = pl.DataFrame(number).with_columns(
        pl.lit("e").alias("event"),
        pl.format("u{}", pl.col("row") % people).alias("distinct_id"),
        (pl.lit(MIDNIGHT).cast(pl.Datetime("us", "UTC")) + pl.duration(seconds=pl.lit(seconds))).alias(
            "timestamp"
        ),
        pl.lit("a.jsonl").alias("file"),
    )
    frame = frame.with_columns(expr.uuid7(pl.col("timestamp").dt.epoch("ms"), pl.col("row")).alias("uuid"))
    mark = pl.when(pl.col("row").is_in(list(poison))).then(pl.lit(',"poison":true')).otherwise(pl.lit(""))
    return frame.with_columns(
        pl.concat_str(
            pl.lit('{"event":"e","distinct_id":"'),
            "distinct_id",
            pl.lit('","timestamp":"'),
            pl.col("timestamp").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"),
            pl.lit('","uuid":"'),
            "uuid",
            pl.lit('","properties":{"n":1'),
            mark,
            pl.lit("}}"),
        ).alias("payload")
    )


def planned(workdir, frame, name="a.jsonl", *, leads=False):
    """Return the open checkpoint of a workdir where this input is planned, next to what was planned before."""
    checkpoint = Checkpoint.open(workdir, create=True)
    checkpoint.register([name])
    this = checkpoint.inputs()[name]
    writer = DayWriter(workdir, this.id, leads)
    writer.write(frame)
    numbers = Numbers(read=frame.height, mapped=frame.height)
    checkpoint.note_planned(this, numbers, writer.finish())
    return checkpoint


def on_record(workdir, frame, numbers, *sizes):
    """Return the open checkpoint of a workdir in which the days of a frame have these sizes, events and bytes.

    What lies in it are the events of the frame; screens tell numbers from the record.
    """
    checkpoint = Checkpoint.open(workdir, create=True)
    checkpoint.register(["a.jsonl"])
    this = checkpoint.inputs()["a.jsonl"]
    writer = DayWriter(workdir, this.id, leads=False)
    writer.write(frame)
    parts = zip(writer.finish(), sizes, strict=True)
    checkpoint.note_planned(
        this, numbers, [replace(part, events=count, bytes=size) for part, (count, size) in parts]
    )
    return checkpoint


def delivery(url, **choices):
    """Return how to send to a sandbox, impatiently."""
    return Delivery(
        url=url, key="phc_secret", target="sandbox", **{"deadline": 20.0, "timeout": 10.0} | choices
    )


def applied(checkpoint, choices, protocol="v0"):
    """Apply to the end, over this protocol; return whether it came there."""
    hasty, spoken = Backoff(Random(0), base=0.02), Spoken(capture_of(protocol, choices))
    return asyncio.run(Applier(checkpoint, choices, backoff=hasty, spoken=spoken).run())


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str

    @property
    def summary(self):
        """The JSON it ended with."""
        return json.loads(self.stdout.splitlines()[-1])


def here(*words):
    """Run a command in this process."""
    done = CliRunner().invoke(cli, [*map(str, words)])
    error = done.exception
    if isinstance(error, MigrateError):
        return Done(error.exit_code, done.stdout, done.stderr + str(error))
    if error is not None and not isinstance(error, SystemExit):
        raise error
    return Done(done.exit_code, done.stdout, done.stderr)


def saved(how, text):
    """A text as an editor, a spreadsheet or a script saves it."""
    lines = text.splitlines()
    return {
        "as it was": text.encode(),
        "CRLF": "\r\n".join([*lines, ""]).encode(),
        "BOM": b"\xef\xbb\xbf" + text.encode(),
        "no last newline": text.rstrip("\n").encode(),
        "another order": "\n".join([*reversed(lines), ""]).encode(),
        "blank lines": "\n\n \n".join([*lines, ""]).encode(),
        "sorted keys": "".join(
            json.dumps(json.loads(line), sort_keys=True) + "\n" for line in lines
        ).encode(),
        "compact": "".join(
            json.dumps(json.loads(line), separators=(",", ":")) + "\n" for line in lines
        ).encode(),
    }[how]


SAVED = [
    "as it was",
    "CRLF",
    "BOM",
    "no last newline",
    "another order",
    "blank lines",
    "sorted keys",
    "compact",
]
