"""How people first came → a `$set` event on or before the first event of each."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import polars as pl

from migrate.jsontext.parse import encoded, raw_object
from migrate.kit import events, expr, schemas
from migrate.people.statefiles import Buckets
from migrate.people.states import AT_ONCE, FIRST, ONCE, PERSON
from migrate.people.told import Known, News, numbered, of_kind, touches_of
from migrate.people.touches import Touches

Firsts = dict[str, tuple[datetime | None, str]]
"""Owner -> when the first of it was told, and all of it as the text of one object."""


def first_touches(buckets: Buckets, touches: Touches) -> Iterator[News]:
    """Yield how people first came, as far as it was not told before, at the first event of any of their ids.

    PostHog fills that in from the first event that arrives, unless it is known by then (posthog-ingestion.md §3.6). A
    person to whom an id was merged of which it was told before came as that id did: what is told of the person would
    win over it when the two are merged (§3.7). Who has no events is told of by `latest_news`.
    """
    for some in buckets.early():
        known = Known.of(some, touches)
        first = first_seen(known.bucket)
        fresh = (
            with_inherited(firsts_of(known.bucket), known.inherited, first["owner"])
            .join(first, on="owner", maintain_order="left")
            .filter(~pl.col("owner").is_in(known.touched))
        )
        for part in fresh.iter_slices(AT_ONCE):
            frame = events.events(
                numbered(part),
                event=pl.lit("$set"),
                distinct_id=pl.col("owner").str.slice(1),
                timestamp=pl.col("first"),
                dedup_key=expr.key(pl.lit("first touch"), pl.col("owner")),
                set_once=pl.col("told"),
            )
            yield News(frame.collect(), touches=touches_of(part, "first"))


def with_inherited(
    firsts: pl.DataFrame, inherited: Sequence[tuple[str, str]], owners: pl.Series
) -> pl.DataFrame:
    """Return how persons first came, with what was told before of ids that were merged into them going first.

    `inherited`: whose it is, and what was told, as `Touches.inherited` returns it; what counts is that of `owners`.
    """
    if not inherited:
        return firsts
    texts: dict[str, str] = {}
    wanted = {*owners}
    said = ((owner, text) for name, text in inherited if (owner := f"{PERSON}{name}") in wanted)
    for owner, text in (*said, *firsts.select("owner", "told").iter_rows()):
        texts[owner] = completed(texts[owner], text) if owner in texts else text
    times = dict(firsts.select("owner", "once_time").iter_rows())
    rows = [(owner, times.get(owner), texts[owner]) for owner in sorted(texts)]
    return pl.DataFrame(rows, firsts.schema, orient="row")


def first_seen(bucket: pl.DataFrame) -> pl.DataFrame:
    """Return when persons were seen first."""
    return (
        bucket.filter((pl.col("what") == FIRST) & pl.col("owner").str.starts_with(PERSON))
        .group_by("owner", maintain_order=True)
        .agg(pl.col("timestamp").min().alias("first"))
    )


def firsts_of(bucket: pl.DataFrame) -> pl.DataFrame:
    """Return how persons first came: what was told first of each of its names; when that was, as of the first."""
    told = of_kind(bucket, ONCE).unique(["owner", "told"], keep="first", maintain_order=True)
    rows: Firsts = {}
    for owner, time, text in told.select("owner", "timestamp", "told").iter_rows():
        when, before = rows.get(owner, (time, ""))
        rows[owner] = (when, completed(before, text) if before else text)
    found = [(owner, time, text) for owner, (time, text) in rows.items()]
    schema = pl.Schema([("owner", pl.String), ("once_time", schemas.TIMESTAMP), ("told", pl.String)])
    return pl.DataFrame(found, schema, orient="row")


def completed(first: str, other: str) -> str:
    """Return an object's text with the members of another that it lacks."""
    merged = {**raw_object(other), **raw_object(first)}
    order = [
        *raw_object(first),
        *(name for name in merged if name not in raw_object(first)),
    ]
    return encoded({name: merged[name] for name in order}).decode()
