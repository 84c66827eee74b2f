"""What PostHog takes and makes other than history as it is: lanes of their own, what v1 refuses, digits that are lost.

It is said, and sent. Sources: posthog-ingestion.md §1.6, §1.7, §9.2 and §9.3.
"""

from collections.abc import Iterable
from typing import Final

import polars as pl

from migrate.kit.declare import ROW

MAX_BYTES: Final = 200
"""Bytes of an event's name and of a distinct_id that capture v1 takes; v0 counts characters (§2.2, §9.3)."""

_LANES: Final = {"$exception": "exception_lane", "$$heatmap": "heatmap_lane"}
_AI: Final = "$ai_"
"""How the names begin of which PostHog's newest capture diverts those that it lists; which they are changes."""

_MANY_DECIMALS: Final = r"\.[0-9]{3}(?:[0-9]{4}|[0-9]{0,3}[,}\]\s])"
"""Seven digits behind a point, or three at the end of a number: a look at what may be a long decimal, quick to find."""
_MANY_BEFORE: Final = r"[0-9]{14}\.[0-9]"
"""Fourteen digits before a point, of which fewer may stand behind it. One look for both takes five times as long."""
_TEXT: Final = r'"(?:[^"\\]|\\.)*"'
_LONG_DECIMAL: Final = rf'\A(?:[^"]|{_TEXT})*?[:,\[\s-](?:0\.0*[1-9][0-9]{{15}}|[1-9][0-9.]{{16}})'
"""A number of 16 digits or more that no text holds. Integers of that length are texts by then (`big_integer`)."""


def losses(frame: pl.DataFrame) -> dict[str, pl.Series]:
    """Return what is to be said of finished events, each with the rows it is to be said of, at least one.

    `frame` needs `_row`, `event`, `distinct_id`, `payload`.
    """
    event, payload = pl.col("event"), pl.col("payload")
    special = frame["event"].filter(frame["event"].str.starts_with("$")).unique()
    rules = {lane: event.is_in(those) for lane, those in _by_lane(special).items()} | {
        "event_name_over_200_bytes": event.str.len_bytes() > MAX_BYTES,
        "distinct_id_over_200_bytes": pl.col("distinct_id").str.len_bytes() > MAX_BYTES,
        "long_decimal": payload.str.contains(_MANY_DECIMALS) | payload.str.contains(_MANY_BEFORE),
    }
    holds = frame.select_seq(rule.alias(reason) for reason, rule in rules.items())
    found = {reason: frame.filter(holds[reason]) for reason in rules if holds[reason].any()}
    if "long_decimal" in found:
        found["long_decimal"] = found["long_decimal"].filter(payload.str.contains(_LONG_DECIMAL))
    return {reason: rows[ROW] for reason, rows in found.items() if rows.height}


def _by_lane(names: Iterable[str]) -> dict[str, list[str]]:
    """Return the names of events that leave the lane of history, by what is said of them."""
    lanes: dict[str, list[str]] = {}
    for name in sorted(names):
        if lane := "ai_lane" if name.startswith(_AI) else _LANES.get(name):
            lanes.setdefault(lane, []).append(name)
    return lanes
