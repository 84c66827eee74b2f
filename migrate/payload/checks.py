"""What PostHog would refuse, drop, cut or silently change → rejects and warnings."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl

from migrate.jsontext.careful import MAX_DEPTH
from migrate.kit import nulls
from migrate.kit.declare import ROW
from migrate.payload import payloads, properties, special

MAX_NAME: Final = 200
"""UTF-16 units of an event's name; PostHog cuts longer ones (posthog-ingestion.md §1.6)."""
MAX_DISTINCT_ID: Final = 200
"""Characters; PostHog cuts longer ids, which glues two people into one (posthog-ingestion.md §1.6)."""
MAX_FUTURE: Final = timedelta(hours=23)
"""PostHog moves events further ahead to the time of import (posthog-ingestion.md §3.2)."""
MIN_AGE: Final = timedelta(hours=48)
"""PostHog asks that history be at least this old (posthog-ingestion.md §3.3)."""
MAX_GROUP_TYPES: Final = 5
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

JUNK_IDS: Final = special.ILLEGAL_IDS | {"-1", "unknown"}
"""Ids that are no one's, in lower case: PostHog's lists, and Amplitude's and Mixpanel's (sources-1.md §0.5)."""


Rule = tuple[str, pl.Expr, pl.Expr]
"""A reason, whether an event must be rejected for it, and what to show."""


@dataclass(frozen=True)
class Checked:
    """`frame`: the events that may go, with `junk` (Boolean) added; `rejects`: `_row`, `reason`, `value`."""

    frame: pl.DataFrame
    rejects: pl.DataFrame
    repairs: Counter[str]
    warnings: Counter[str]


def check(frame: pl.DataFrame, now: datetime) -> Checked:
    """Return an event frame's events that PostHog will keep as they are, and the others with the reason.

    `now` is the time the plan was begun, so that a resumed plan judges alike. Of a row with several events all are
    rejected when one is: a row is never half migrated.
    """
    clean, repairs = _clean(frame)
    rejects = _rejects(clean, [*_rules(now), *_damaged(frame), *_object_rules(clean)])
    kept = clean
    if rejects.height:
        kept = clean.join(rejects.select_seq(ROW), on=ROW, how="anti", maintain_order="left")
    kept = kept.with_columns_seq(junk(pl.col("distinct_id")).alias("junk"))
    return Checked(kept, rejects, repairs, _warnings(kept, now))


def _rejects(frame: pl.DataFrame, rules: Sequence[Rule]) -> pl.DataFrame:
    """Return the rows an event of which breaks a rule, with the first that it breaks.

    What is to be shown is worked out only where something is: it takes as long as all the rest.
    """
    if not frame.select_seq(pl.any_horizontal(broken for _, broken, _ in rules).any()).item():
        return pl.DataFrame(schema=special.REJECTS)
    verdict = pl.coalesce(
        pl.when(broken).then(pl.struct(reason=pl.lit(reason), value=found)) for reason, broken, found in rules
    )
    found = frame.select_seq(ROW, verdict.alias("verdict")).filter(pl.col("verdict").is_not_null())
    return found.unnest("verdict").unique(ROW, keep="first", maintain_order=True)


def junk(distinct_id: pl.Expr) -> pl.Expr:
    """Return whether an id is a placeholder that many people share, or no id at all."""
    bare = distinct_id.str.to_lowercase().str.strip_chars(special.QUOTES)
    return bare.is_in(sorted(JUNK_IDS)) | nulls.means_nothing(distinct_id)


def _clean(frame: pl.DataFrame) -> tuple[pl.DataFrame, Counter[str]]:
    """Return the frame with names and ids as PostHog would store them, and how often that changed one."""
    names = ("event", "distinct_id")
    has_nul = [pl.col(name).str.contains("\x00", literal=True).fill_null(False) for name in names]
    bare = frame.select_seq(pl.col(names).str.strip_chars(), nul=pl.sum_horizontal(has_nul))
    blanks = sum((frame[name] != bare[name]).sum() for name in names)
    nul = bare["nul"].sum()
    if not nul and not blanks:
        return frame, Counter()
    no_nul = [pl.col(name).str.replace_all("\x00", "\ufffd", literal=True) for name in names]
    clean = frame.with_columns_seq(text.str.strip_chars() for text in no_nul)
    return clean, +Counter({"nul_character": int(nul), "blanks_around_id": int(blanks)})


def _rules(now: datetime) -> list[Rule]:
    """Return the rules for the event's own columns."""
    name, person, time = pl.col("event"), pl.col("distinct_id"), pl.col("timestamp")
    return [
        ("no_timestamp", time.is_null(), pl.lit(None, pl.String)),
        ("timestamp_out_of_range", ~time.dt.year().is_between(1, 9999), time.dt.to_string("iso")),
        ("timestamp_in_future", _is_after(now + MAX_FUTURE), time.dt.to_string("iso")),
        ("no_event_name", name.is_null() | (name == ""), name),
        ("event_name_too_long", special.is_longer(name, MAX_NAME), name),
        ("event_not_importable", name.is_in(special.NOT_IMPORTABLE), name),
        ("no_distinct_id", person.is_null() | (person == ""), person),
        ("distinct_id_too_long", person.str.len_chars() > MAX_DISTINCT_ID, person),
        ("no_dedup_key", pl.all_horizontal(pl.col("uuid", "dedup_key").is_null()), name),
    ]


def _damaged(frame: pl.DataFrame) -> Iterator[Rule]:
    """Yield the rules for names of which bytes were lost before they came here: those of many are then one.

    `frame` is as it was given: what stands there for a NUL is no such thing.
    """
    for name in ("event", "distinct_id"):
        yield "invalid_text", pl.lit(frame[name].str.contains("\ufffd", literal=True)), pl.col(name)


def _object_rules(frame: pl.DataFrame) -> list[Rule]:
    """Return the rules for objects that come as text: they must be objects, and no deeper than PostHog reads."""
    rules = []
    names = properties.texts(frame, frame.schema)
    openings = frame.select_seq(payloads.openings(pl.col(name)).max() for name in names)
    for name in names:
        bare = pl.col(name).str.strip_chars()
        is_object = bare.str.starts_with("{") & bare.str.ends_with("}")
        shown = pl.format("{}: {}", pl.lit(name), name)
        if name not in properties.READ:
            rules.append(("bad_json", ~is_object & ~bare.is_in(properties.NOTHING), shown))
        if openings[name].item() > MAX_DEPTH:
            rules.append(("nested_too_deep", pl.lit(payloads.too_deep(frame[name])), shown))
    return rules


def _is_after(moment: datetime) -> pl.Expr:
    """Return whether an event is of a later time, both in microseconds: no datetime literal, which is a query."""
    return pl.col("timestamp").to_physical() > (moment - _EPOCH) // timedelta(microseconds=1)


def _warnings(frame: pl.DataFrame, now: datetime) -> Counter[str]:
    """Return what PostHog would take but not like."""
    time = pl.col("timestamp")
    rules = {
        "younger_than_48h": _is_after(now - MIN_AGE),
        "before_1970": time.dt.year() < 1970,  # noqa: PLR2004 - the Unix epoch
        "junk_distinct_id": pl.col("junk"),
    }
    found = frame.select_seq(rule.sum().alias(name) for name, rule in rules.items()).row(0, named=True)
    return +Counter({name: int(count or 0) for name, count in found.items()})
