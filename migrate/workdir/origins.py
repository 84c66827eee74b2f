"""Finished events → the file and the row that they came from, and those that were sent before in another form."""

import json
from collections.abc import Iterable
from typing import Final

from migrate import numbering
from migrate.workdir import dayfile
from migrate.workdir.checkpoint import Checkpoint

_KEY: Final = ("uuid", "event")
"""What makes an event that comes later a duplicate, whoever it is of."""
_PLACE: Final = ("uuid", "file", "row")
_SHOWN: Final = 3
_OF_COPIES: Final = """
    SELECT path, day, round, input FROM parts WHERE input IN (
        SELECT home FROM inputs WHERE name IN (SELECT value FROM json_each(?))
    ) ORDER BY input, path
"""
_SENT: Final = """
    SELECT path, round FROM parts
    WHERE day = ?1 AND input <> ?2 AND round IS NOT NULL AND round < coalesce(?3, round + 1)
    ORDER BY round, increment DESC, input, path
"""
"""The parts of a day that are sent before an input's."""
_REFUSED: Final = """
    SELECT uuid, NULL FROM parked WHERE day = ?1
    UNION SELECT uuid, max(round) FROM outdated WHERE day = ?1 GROUP BY uuid
"""
"""What PostHog refused of a day: up to which round, or whatever was sent of it."""


def places(checkpoint: Checkpoint, events: Iterable[tuple[str, str]]) -> dict[str, tuple[str, int]]:
    """Return the file and the row of events, by uuid, given their days and uuids; an event of no row has none."""
    asked: dict[str, set[str]] = {}
    for day, uuid in events:
        asked.setdefault(day, set()).add(uuid)
    found: dict[str, tuple[str, int]] = {}
    sql = "SELECT path FROM parts WHERE day = ? ORDER BY round IS NULL, round, increment DESC, input, path"
    for day, left in asked.items():
        for (path,) in checkpoint.query(sql, (day,)).fetchall():
            if not left:
                break
            with checkpoint.depot.near([path]):
                for uuid, file, row in dayfile.found(checkpoint.workdir / path, sorted(left), _PLACE):
                    left.discard(uuid)
                    if not file.startswith("("):
                        found.setdefault(uuid, (file, _row(row)))
    return found


def sent_otherwise(checkpoint: Checkpoint, copies: Iterable[str]) -> tuple[int, list[tuple[str, int]]]:
    """Return how many events of copies of rejects were sent before with another payload, and where the first are.

    Such an event is a duplicate, and is never sent. One that PostHog had refused is sent in the place of the other.
    """
    count, at = 0, list[tuple[str, int]]()
    for path, day, number, lead in checkpoint.query(_OF_COPIES, (json.dumps(list(copies)),)).fetchall():
        sent = checkpoint.query(_SENT, (day, lead, number)).fetchall()
        refused = checkpoint.query(_REFUSED, (day,)).fetchall()
        with checkpoint.depot.near([path, *(other for other, _ in sent)] if sent else []):
            for rows in (
                dayfile.groups(checkpoint.workdir / path, (*_KEY, "payload", "file", "row")) if sent else ()
            ):
                left = {tuple(key): (payload.rstrip(","), file, row) for *key, payload, file, row in rows}
                for other, sent_in in sent:
                    no = {uuid for uuid, until in refused if until is None or sent_in <= until}
                    uuids = sorted({key[0] for key in left} - no)
                    for *key, payload in dayfile.found(checkpoint.workdir / other, uuids, (*_KEY, "payload")):
                        mended, file, row = left.pop(tuple(key), (None, "", 0))
                        is_known = mended is not None and payload != dayfile.STRIPPED
                        if is_known and mended != payload.rstrip(","):
                            count += 1
                            at += [(file, _row(row))] if count <= _SHOWN else []
    return count, at


def _row(number: int) -> int:
    """Return a row's number in its own file: of files that share a part the file's stands above it."""
    is_unfolded = numbering.UNFOLDED <= number < numbering.GATHERED
    return number % (numbering.UNFOLDED_FILE if is_unfolded else numbering.FILE)
