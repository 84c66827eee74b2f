"""A mapping of a user's own, as a file with what it reads, for tests."""

import json

from migrate.laws.proof import judged
from migrate.laws.sample import Sample
from migrate.own import Own
from migrate.settings import Settings

MAPPING = '''"""Acme: its shop's nightly export."""

import polars as pl

from migrate.kit import events, expr
from migrate.kit.declare import REST, PROPERTIES, Options, Platform, Table, has


def to_events(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the event each row is."""
    return events.events(
        rows,
        event=pl.col("what"),
        distinct_id=pl.col("who"),
        timestamp=expr.timestamp(pl.col("at"), zone=options.source_timezone),
        dedup_key=pl.col("id"),
        laid=pl.col(PROPERTIES),
        extra={"acme_id": pl.col("id")},
    )


MAPPING = Platform(
    title="Acme",
    tables=[
        Table(
            name="events",
            matches=has("id", "what", "who", "at"),
            columns=dict.fromkeys(("id", "what", "who", "at"), pl.String),
            ids=("who", "id"),
            times=("at",),
            properties=(REST,),
            to_events=to_events,
        )
    ],
)
'''


def written(folder, text=MAPPING, name="acme.py"):
    """The file, in a folder that is made for it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def changed(*pairs, text=MAPPING):
    """The text with other words in it, each of which it has."""
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


def export(path, count=3, start=1, **more):
    """Rows of the shop, as JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        {
            "id": f"r{n}",
            "what": ("view", "order")[n % 2],
            "who": f"u{n % 3}",
            "at": f"2024-04-03 09:00:{n % 60:02d}",
            "cents": n,
        }
        for n in range(start, start + count)
    ]
    path.write_text("".join(json.dumps(row | more) + "\n" for row in rows))
    return path


def proof(folder, text=MAPPING, path=None):
    """What breaks each law, of a mapping with this text on the file, or on one of three rows."""
    own = Own(written(folder, text))
    sample = Sample.of(Settings(platform="acme", own=own), [str(path or export(folder / "a.jsonl"))])
    return {one.name: one.broken for one in judged(sample, own.place)}
