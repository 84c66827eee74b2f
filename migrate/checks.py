"""What PostHog would refuse, drop, cut or silently change → rejects and warnings."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from migrate.mapping import ROW

MAX_NAME_BYTES: Final = 200
MAX_DISTINCT_ID_BYTES: Final = 200
"""PostHog cuts longer ids, which glues two people into one (posthog-ingestion.md §1.6)."""
MAX_FUTURE: Final = timedelta(hours=23)
"""PostHog moves events further ahead to the time of import (posthog-ingestion.md §3.2)."""
MIN_AGE: Final = timedelta(hours=48)
"""PostHog asks that history be at least this old (posthog-ingestion.md §3.3)."""
MAX_GROUP_TYPES: Final = 5

JUNK_IDS: Final = frozenset(
    "0 -1 00000000-0000-0000-0000-000000000000 anonymous anonymous-user backend distinct_id distinctid email false"
    " guest id n/a nan nil none not_authenticated null system true undefined unknown user {} []".split()
) | {"[object object]"}
"""Ids that are no one's: PostHog's two lists and Amplitude's (posthog-ingestion.md §2.5, §3.7; sources-1.md §0.5)."""

MERGE_EVENTS: Final = ("$identify", "$create_alias", "$merge_dangerously")

_SURROUNDING: Final = "\"'"


@dataclass(frozen=True)
class Checked:
    """`frame`: the events that may go, with `junk` (Boolean) added; `rejects`: `_row`, `reason`, `value`."""

    frame: pl.DataFrame
    rejects: pl.DataFrame
    repairs: Counter[str]
    warnings: Counter[str]


def checked(frame: pl.DataFrame, now: datetime) -> Checked:
    """Return an event frame's events that PostHog will keep as they are, and the others with the reason.

    `now` is the time the plan was begun, so that a resumed plan judges alike. Of a row with several events all are
    rejected when one is: a row is never half migrated.
    """
    clean, repairs = _clean(frame)
    judged = clean.with_columns(_reason(now).alias("reason"))
    bad = judged.filter(pl.col("reason").is_not_null())
    rejects = bad.select(ROW, "reason", _found().alias("value")).unique(
        ROW, keep="first", maintain_order=True
    )
    kept = judged.drop("reason")
    if rejects.height:
        kept = kept.join(rejects.select(ROW), on=ROW, how="anti", maintain_order="left")
    kept = kept.with_columns(junk(pl.col("distinct_id")).alias("junk"))
    return Checked(kept, rejects, repairs, _warnings(kept, now))


def junk(distinct_id: pl.Expr) -> pl.Expr:
    """Return whether an id is a placeholder that many people share."""
    return distinct_id.str.to_lowercase().str.strip_chars(_SURROUNDING).is_in(sorted(JUNK_IDS))


def _clean(frame: pl.DataFrame) -> tuple[pl.DataFrame, Counter[str]]:
    """Return the frame with names and ids as PostHog would store them, and how often that changed one."""
    names = ("event", "distinct_id")
    no_nul = [pl.col(name).str.replace_all("\x00", "\ufffd", literal=True) for name in names]
    clean = frame.with_columns(text.str.strip_chars() for text in no_nul)
    nul = sum(frame[name].str.contains("\x00", literal=True).sum() for name in names)
    blanks = sum((frame[name].str.strip_chars() != frame[name]).sum() for name in names)
    return clean, +Counter({"nul_character": int(nul), "blanks_around_id": int(blanks)})


def _reason(now: datetime) -> pl.Expr:
    """Return why an event cannot go, null where it can."""
    name, person, time = pl.col("event"), pl.col("distinct_id"), pl.col("timestamp")
    rules = {
        "no_timestamp": time.is_null(),
        "timestamp_out_of_range": ~time.dt.year().is_between(1, 9999),
        "timestamp_in_future": time > now + MAX_FUTURE,
        "no_event_name": name.is_null() | (name == ""),
        "event_name_too_long": name.str.len_bytes() > MAX_NAME_BYTES,
        "event_not_importable": name == "$performance_event",
        "no_distinct_id": person.is_null() | (person == ""),
        "distinct_id_too_long": person.str.len_bytes() > MAX_DISTINCT_ID_BYTES,
    }
    return pl.coalesce([pl.when(broken).then(pl.lit(reason)) for reason, broken in rules.items()])


def _found() -> pl.Expr:
    """Return what was found where the rule was broken."""
    return (
        pl.when(pl.col("reason").str.contains("timestamp"))
        .then(pl.col("timestamp").dt.to_string("iso"))
        .when(pl.col("reason").str.contains("distinct_id"))
        .then(pl.col("distinct_id"))
        .otherwise(pl.col("event"))
    )


def _warnings(frame: pl.DataFrame, now: datetime) -> Counter[str]:
    """Return what PostHog would take but not like."""
    time = pl.col("timestamp")
    rules = {
        "younger_than_48h": time > now - MIN_AGE,
        "before_1970": time.dt.year() < 1970,  # noqa: PLR2004 - the Unix epoch
        "junk_distinct_id": pl.col("junk"),
    }
    found = frame.select(rule.sum().alias(name) for name, rule in rules.items()).row(0, named=True)
    return +Counter({name: int(count or 0) for name, count in found.items()})
