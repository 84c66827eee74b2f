"""What has become of rejected rows: which are open, mended or dismissed, how many, for which reason, and where."""

import json
from collections import Counter
from collections.abc import Iterable
from enum import IntEnum
from typing import Final, NamedTuple

from migrate import numbering
from migrate.workdir.checkpoint import Checkpoint

_AGAIN: Final = """
    SELECT state, reason, count(*) FROM rejects WHERE state IN (?, ?) AND held IN (
        SELECT lead FROM inputs WHERE name IN (SELECT value FROM json_each(?))
    ) GROUP BY state, reason ORDER BY state, count(*) DESC, reason
"""
_PLACES_AGAIN: Final = """
    SELECT name, row FROM rejects CROSS JOIN inputs ON inputs.id = input WHERE state = ? AND reason = ? AND held IN (
        SELECT lead FROM inputs WHERE name IN (SELECT value FROM json_each(?))
    ) LIMIT ?
"""


OF_FILE: Final = frozenset({"no_record", "truncated_file", "unreadable_file"})
"""Reasons that a file has, and no row of it: what is to be mended is the file."""


class Was(IntEnum):
    """What has become of a reject."""

    OPEN = 0
    DISMISSED = 1
    MENDED = 2


def by_reason(checkpoint: Checkpoint) -> dict[str, int]:
    """Return how many rejects are open, by reason."""
    sql = "SELECT reason, count(*) FROM rejects WHERE state = ? GROUP BY reason ORDER BY reason"
    return dict(checkpoint.query(sql, (Was.OPEN,)))


def closed(checkpoint: Checkpoint) -> Counter[int]:
    """Return how many rejected rows are mended, and how many dismissed.

    A row that is rejected again for another reason is not mended, though its first reason is gone.
    """
    sql = """
        SELECT ?1, count(*) FROM (SELECT 1 FROM rejects GROUP BY input, row HAVING min(state) = ?1)
        UNION ALL SELECT ?2, count(*) FROM rejects WHERE state = ?2
    """
    return Counter(dict(checkpoint.query(sql, (Was.MENDED, Was.DISMISSED))))


def places(checkpoint: Checkpoint, reason: str, most: int = 3) -> list[str]:
    """Return where the first rejects are that are open for a reason, as `file:row`."""
    sql = """
        SELECT name, row FROM rejects CROSS JOIN inputs ON inputs.id = input WHERE reason = ? AND state = ? LIMIT ?
    """
    return [numbering.place(*one) for one in checkpoint.query(sql, (reason, Was.OPEN, most))]


def files(checkpoint: Checkpoint, reasons: Iterable[str]) -> list[str]:
    """Return the names of the sources of which rejects are open for one of these reasons, in their order."""
    sql = """
        SELECT DISTINCT name FROM rejects JOIN inputs ON inputs.id = input
        WHERE state = ? AND reason IN (SELECT value FROM json_each(?)) ORDER BY inputs.id
    """
    return [name for (name,) in checkpoint.query(sql, (Was.OPEN, json.dumps(sorted(reasons))))]


class Again(NamedTuple):
    """Rows of copies that are rejected again for a reason: how many, and where the first of them were first."""

    reason: str
    is_dismissed: bool
    rows: int
    places: list[str]


def again(checkpoint: Checkpoint, copies: Iterable[str], most: int = 3) -> list[Again]:
    """Return what is rejected again of the rows of copies, which are inputs; what is dismissed comes last."""
    leads, kept = json.dumps(list(copies)), (Was.OPEN, Was.DISMISSED)
    return [
        Again(
            *(reason, state == Was.DISMISSED, count),
            [numbering.place(*one) for one in checkpoint.query(_PLACES_AGAIN, (state, reason, leads, most))],
        )
        for state, reason, count in checkpoint.query(_AGAIN, (*kept, leads)).fetchall()
    ]


def dismiss(checkpoint: Checkpoint, reason: str) -> int:
    """Dismiss the rejects that are open for a reason; return how many they are."""
    with checkpoint.change() as db:
        sql = "UPDATE rejects SET state = ? WHERE reason = ? AND state = ?"
        return db.execute(sql, (Was.DISMISSED, reason, Was.OPEN)).rowcount
