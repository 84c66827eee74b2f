"""States of groups that were not told before → `$groupidentify` events: what changed, and that there is a group."""

import json
from collections.abc import Iterator
from datetime import datetime

import polars as pl

from migrate.jsontext.build import object_text
from migrate.jsontext.parse import encoded, raw_object
from migrate.kit import events, expr, schemas, uuids
from migrate.people.schema import Note
from migrate.people.states import AT_ONCE, FIRST, GROUP, STATE, group_of, order
from migrate.people.told import Known, News, key_after, numbered, of_kind

Names = dict[str, dict[str, int]]
"""Owner -> name of a property -> the time, in microseconds, of the newest state that has it."""


def group_news(known: Known, end: datetime | None) -> Iterator[News]:
    """Yield what is new of groups: what differs from what was told before, and those of which nothing else is told.

    Of a state that is older than what was noted on an earlier night only the names count that nothing newer has:
    PostHog keeps of each name what it is sent last.
    """
    of_groups = known.bucket.filter(pl.col("owner").str.starts_with(GROUP))
    before = known.of_groups()
    stated = _stated(of_groups, before, end)
    names = _names(before)
    at, newest = pl.col("at"), pl.col("newest")
    is_last = pl.struct("owner", "at").is_last_distinct()
    # Of several states at the very time that was noted the last one counts, as it did on that night.
    is_new = (newest.is_null() | (at > newest) | ((at == newest) & is_last)).fill_null(value=False)
    new = stated.filter(is_new)
    previous = pl.coalesce(pl.col("digest").shift().over("owner"), pl.col("known"))
    fresh = pl.concat(
        [
            new.filter(pl.col("digest").ne_missing(previous)),
            _late(stated.filter(~is_new & at.is_not_null()), names),
        ]
    )
    fresh = fresh.sort(*order())
    notes = _notes(stated, fresh, names)
    for some in fresh.iter_slices(AT_ONCE):
        yield News(_identify(numbered(some)).collect(), notes)
        notes = []
    if notes:
        yield News(_identify(numbered(fresh.clear())).collect(), notes)


def _stated(of_groups: pl.DataFrame, before: pl.DataFrame, end: datetime | None) -> pl.DataFrame:
    """Return the states of groups in order, with what is noted of them; one that says nothing of those without any."""
    stated = of_kind(of_groups, STATE, GROUP)
    bare = of_kind(of_groups, FIRST, GROUP).unique("owner", keep="first", maintain_order=True)
    bare = bare.filter(~pl.col("owner").is_in([*stated["owner"].unique(), *before["owner"]]))
    return (
        pl.concat([stated, bare.with_columns_seq(pl.lit("{}").alias("told"))])
        .sort(*order())
        .with_columns_seq(
            pl.col("timestamp").fill_null(pl.lit(end, schemas.TIMESTAMP)),
            uuids.digest(expr.canonical(pl.col("told")), pl.lit(None, pl.String)).alias("digest"),
        )
        .with_columns_seq(pl.col("timestamp").dt.epoch("us").alias("at"))
        .join(before.drop("names"), on="owner", how="left", maintain_order="left")
    )


def _names(before: pl.DataFrame) -> Names:
    """Return the names that are noted of groups."""
    return {owner: json.loads(text) for owner, text in before.select("owner", "names").iter_rows() if text}


def _late(states: pl.DataFrame, names: Names) -> pl.DataFrame:
    """Return what older states say that nothing newer does, each as a state with these names alone."""
    texts: list[str | None] = []
    said: dict[str, str] = {}
    for owner, time, text in states.select("owner", "at", "told").iter_rows():
        known = names.get(owner, {})
        left = {k: v for k, v in raw_object(text).items() if known.get(k, known.get("", time - 1)) < time}
        found = encoded(left).decode() if left else None
        texts.append(None if found == said.get(owner) else found)
        said[owner] = found or said.get(owner, "")
    told = pl.Series("told", texts, pl.String)
    return states.with_columns(told).filter(pl.col("told").is_not_null())


def _notes(stated: pl.DataFrame, fresh: pl.DataFrame, names: Names) -> list[Note]:
    """Return what is to be noted of groups: whatever was stated, whether it is told or not."""
    distinct = stated.group_by("owner", "told", maintain_order=True).agg(pl.col("at").max())
    for owner, text, time in distinct.iter_rows():
        known = names.setdefault(owner, {})
        if time is not None:
            known.update((name, max(time, known.get(name, time))) for name in raw_object(text))
    told = fresh.group_by("owner").agg(pl.col("at").max().alias("now"))
    last = (
        stated.with_columns_seq(pl.when(pl.col("what") == STATE).then("at").alias("state"))
        .group_by("owner", maintain_order=True)
        .agg(
            pl.col("state").max(),
            pl.col("digest").last(),
            pl.col("told_time", "known", "newest", "times").first(),
        )
        .join(told, on="owner", how="left", maintain_order="left")
    )
    rows = last.select_seq(
        "owner",
        pl.max_horizontal("now", "told_time"),
        pl.when(pl.col("newest") > pl.col("state")).then("known").otherwise("digest"),
        pl.max_horizontal("state", "newest"),
        pl.col("times").fill_null(0) + pl.col("now").is_not_null().cast(pl.Int64),
    )
    return [
        Note(owner, time, digest, newest, times=times, names=json.dumps(names[owner], separators=(",", ":")))
        for owner, time, digest, newest, times in rows.iter_rows()
    ]


def _identify(states: pl.LazyFrame) -> pl.LazyFrame:
    """Return a `$groupidentify` event for each state; without a person it has the id server libraries give it."""
    kind, key = group_of()
    named = {"$group_type": kind, "$group_key": key}
    return events.events(
        states,
        event=pl.lit("$groupidentify"),
        distinct_id=pl.coalesce(pl.col("distinct_id"), pl.format("${}_{}", kind, key)),
        timestamp=pl.col("timestamp"),
        dedup_key=key_after(pl.lit("groupidentify"), pl.col("owner"), pl.col("digest")),
        properties=object_text(named, json={"$group_set": pl.col("told")}),
    )
