"""What verify found last: by day how much PostHog has of this import, and what differed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from migrate.workdir.checkpoint import Checkpoint

_LAST: Final = "verified"
"""The fact that has the last verification, but for its days."""


@dataclass(frozen=True)
class Verified:
    """The last verification; of days, those of earlier ones, too, where it did not ask for them again."""

    at: str
    """ISO 8601, UTC."""
    there: Mapping[str, int]
    """UTC day → events (uuids) PostHog has of this import; of days that were asked about alone."""
    asked: Mapping[str, str]
    """UTC day → when, as `at`."""
    findings: Sequence[Mapping[str, Any]]
    """cause, events, why, passes, days (in order), names (event → events), examples (as dicts)."""
    sentence: str


def keep(  # noqa: PLR0913 - what is kept at once
    checkpoint: Checkpoint,
    at: str,
    there: Mapping[str, int],
    *,
    findings: Sequence[Mapping[str, Any]],
    sentence: str,
    is_whole: bool,
) -> None:
    """Keep a verification that has come to its end.

    One that `is_whole` has asked about all time, so that days of which nothing was sent are there no more unless it
    has found something on them.
    """
    last = {"at": at, "findings": [dict(one) for one in findings], "sentence": sentence}
    with checkpoint.change({_LAST: last}) as db:
        if is_whole:
            db.execute("DELETE FROM verified WHERE day NOT IN (SELECT day FROM rounds)")
        db.executemany(
            "INSERT INTO verified VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET there = excluded.there, asked = excluded.asked",
            ((day, count, at) for day, count in there.items()),
        )


def last(checkpoint: Checkpoint) -> Verified | None:
    """Return what verify found last; None where it has not come to an end yet."""
    found = checkpoint.facts().get(_LAST)
    if found is None:
        return None
    rows = checkpoint.query("SELECT day, there, asked FROM verified ORDER BY day").fetchall()
    return Verified(
        there={day: there for day, there, _ in rows}, asked={day: asked for day, _, asked in rows}, **found
    )
