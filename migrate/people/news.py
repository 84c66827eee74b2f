"""States that were not told before → `$set` and `$groupidentify` events, once all events are planned.

Of all that is told of a person, the latest is planned after the last event of that history; of a group, whatever
differs from what was told before, and that there is one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl

from migrate.jsontext.build import object_text
from migrate.kit import events, expr, objects, schemas, uuids
from migrate.people.firsts import completed, first_seen, firsts_of, owners_known
from migrate.people.statefiles import buckets
from migrate.people.states import AT_ONCE, FIRST, GROUP, LAST, PERSON, PLACE_SEEN, STATE, group_of, order
from migrate.people.store import People
from migrate.people.told import News, notes_of, numbered, of_kind, told_before
from migrate.people.touches import Touches
from migrate.workdir.seals import Kept

_PLACE_MARK: Final = "l"
"""Stands before a person's id in the notes of where they were seen."""


def latest_news(
    files: Sequence[Kept], people: People, touches: Touches, end: datetime | None, aside: Path
) -> Iterator[News]:
    """Yield the events of states in these files that were not told before, some owners at a time.

    A person's event has the time of their last event, or that of the state if it is later. A state as of the export, of
    a person without events, has the time `end`. `aside` is a folder for what does not fit into memory; one bucket of
    owners is held at a time.
    """
    for bucket in buckets(files, aside, people):
        for fresh, frame in (
            (_persons(bucket, people, touches, end), _set),
            (_groups_news(bucket, people, end), _identify),
        ):
            notes, came = fresh.notes, fresh.touches
            for some in fresh.frame.iter_slices(AT_ONCE):
                yield News(frame(numbered(some)).collect(), notes, came)
                notes, came = [], []


@dataclass(frozen=True)
class _Fresh:
    """`frame`: owner, distinct_id, timestamp, what is told; `notes` and `touches`: what to keep of it, see `News`."""

    frame: pl.DataFrame
    notes: list[tuple[str, int, str]]
    touches: list[tuple[str, int, str]] = field(default_factory=list)


def _latest(bucket: pl.DataFrame, what: str, mark: str, people: People, end: datetime | None) -> pl.DataFrame:
    """Return the latest of what is told of persons, where it was not told before and nothing newer was."""
    last = (
        of_kind(bucket, LAST)
        .group_by("owner", maintain_order=True)
        .agg(pl.col("timestamp").max().alias("last"))
    )
    return (
        _last_of_each(of_kind(bucket, what), is_whole=what == PLACE_SEEN)
        .join(last, on="owner", how="left", maintain_order="left")
        .join(told_before(people, mark, bucket), on="owner", how="left", maintain_order="left")
        .with_columns_seq(
            pl.max_horizontal("timestamp", "last")
            .fill_null(pl.lit(end, schemas.TIMESTAMP))
            .alias("timestamp"),
            uuids.digest(expr.canonical(pl.col("told"))).alias("digest"),
        )
        .filter(pl.col("told_time").is_null() | (pl.col("timestamp").dt.epoch("us") >= pl.col("told_time")))
        .filter(pl.col("digest").ne_missing(pl.col("known")))
        .select_seq("owner", "timestamp", "told", "digest")
    )


def _last_of_each(states: pl.DataFrame, *, is_whole: bool) -> pl.DataFrame:
    """Return what was told last of each owner.

    What ids that were merged into a person's told last completes it, as PostHog keeps it when it merges them; a place
    `is_whole`, and is not made of two.
    """
    last = states.unique("owner", keep="last", maintain_order=True)
    if is_whole:
        return last
    several = states.unique(["owner", "distinct_id"], keep="last", maintain_order=True)
    several = several.filter(pl.len().over("owner") > 1)
    texts: dict[str, str] = {}
    for owner, text in several.sort(*order()).select("owner", "told").iter_rows():
        texts[owner] = completed(text, texts[owner]) if owner in texts else text
    if not texts:
        return last
    whole = pl.col("owner").replace_strict(texts, default=pl.col("told"), return_dtype=pl.String)
    return last.with_columns_seq(whole.alias("told"))


def _persons(bucket: pl.DataFrame, people: People, touches: Touches, end: datetime | None) -> _Fresh:
    """Return what is new of persons: their state, where they are, and how those first came who have no events."""
    state, place = (
        _latest(bucket, what, mark, people, end)
        for what, mark in ((STATE, PERSON), (PLACE_SEEN, _PLACE_MARK))
    )
    came = firsts_of(bucket)
    others = [*first_seen(bucket)["owner"], *owners_known(touches, came["owner"])]
    once = came.filter(~pl.col("owner").is_in(others)).select_seq(
        "owner",
        pl.col("once_time").fill_null(pl.lit(end, schemas.TIMESTAMP)).alias("timestamp"),
        "told",
        uuids.digest(expr.canonical(pl.col("told"))).alias("digest"),
    )
    frames = {"state": state, "place": place, "once": once}
    notes = [
        *notes_of(state, PERSON, "timestamp", "digest"),
        *notes_of(place, _PLACE_MARK, "timestamp", "digest"),
    ]
    owners = pl.concat([frame.select("owner") for frame in frames.values()]).unique().sort("owner")
    for name, frame in frames.items():
        named = frame.rename({column: f"{name}_{column}" for column in ("timestamp", "told", "digest")})
        owners = owners.join(named, on="owner", how="left", maintain_order="left")
    times = [f"{name}_timestamp" for name in frames]
    return _Fresh(
        owners.select_seq(
            "owner",
            pl.col("owner").str.slice(1).alias("distinct_id"),
            pl.max_horizontal(times).alias("timestamp"),
            objects.completed(pl.col("state_told"), pl.col("place_told")).alias("set"),
            pl.col("once_told").alias("set_once"),
        ).with_columns_seq(
            uuids.digest(*(expr.canonical(pl.col(name)) for name in ("set", "set_once"))).alias("digest")
        ),
        notes,
        notes_of(once, "", "timestamp", "told"),
    )


def _set(states: pl.LazyFrame) -> pl.LazyFrame:
    """Return a `$set` event for each person."""
    return events.events(
        states,
        event=pl.lit("$set"),
        distinct_id=pl.col("distinct_id"),
        timestamp=pl.col("timestamp"),
        dedup_key=expr.key(pl.lit("profile"), pl.col("owner"), pl.col("digest")),
        set=pl.col("set"),
        set_once=pl.col("set_once"),
    )


def _groups_news(bucket: pl.DataFrame, people: People, end: datetime | None) -> _Fresh:
    """Return what is new of groups: what differs from what was told before, and those of which nothing else is told."""
    of_groups = bucket.filter(pl.col("owner").str.starts_with(GROUP))
    known = people.told(of_groups["owner"].unique().to_list())
    before = pl.DataFrame(
        known, {"owner": pl.String, "told_time": pl.Int64, "known": pl.String}, orient="row"
    )
    stated = of_kind(bucket, STATE, GROUP)
    bare = of_kind(bucket, FIRST, GROUP).unique("owner", keep="first", maintain_order=True)
    bare = bare.filter(~pl.col("owner").is_in([*stated["owner"].unique(), *before["owner"]]))
    ordered = (
        pl.concat([stated, bare.with_columns_seq(pl.lit("{}").alias("told"))])
        .sort(*order())
        .with_columns_seq(
            pl.col("timestamp").fill_null(pl.lit(end, schemas.TIMESTAMP)),
            uuids.digest(expr.canonical(pl.col("told")), pl.lit(None, pl.String)).alias("digest"),
        )
        .join(before, on="owner", how="left", maintain_order="left")
        .filter(pl.col("told_time").is_null() | (pl.col("timestamp").dt.epoch("us") >= pl.col("told_time")))
    )
    previous = pl.coalesce(pl.col("digest").shift().over("owner"), pl.col("known"))
    fresh = ordered.filter(pl.col("digest").ne_missing(previous))
    last = fresh.unique("owner", keep="last", maintain_order=True)
    return _Fresh(fresh, last.select_seq("owner", pl.col("timestamp").dt.epoch("us"), "digest").rows())


def _identify(states: pl.LazyFrame) -> pl.LazyFrame:
    """Return a `$groupidentify` event for each state; without a person it has the id server libraries give it."""
    kind, key = group_of()
    named = {"$group_type": kind, "$group_key": key}
    return events.events(
        states,
        event=pl.lit("$groupidentify"),
        distinct_id=pl.coalesce(pl.col("distinct_id"), pl.format("${}_{}", kind, key)),
        timestamp=pl.col("timestamp"),
        dedup_key=expr.key(pl.lit("groupidentify"), pl.col("owner"), pl.col("digest")),
        properties=object_text(named, json={"$group_set": pl.col("told")}),
    )
