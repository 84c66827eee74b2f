"""Parked events of which another version was planned: that is sent in their place, and known as sent from then on."""

from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec

from migrate import numbering
from migrate.screen import counted
from migrate.workdir import dayfile, rounds
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.copies import Copy, Found
from migrate.workdir.database import add_count
from migrate.workdir.parked import PARKED, forget, mend, named

ANY: Final = ""
"""The name of outdated events where it is not known, as in a workdir of an earlier version."""


class Outdated(NamedTuple):
    """An event that PostHog refused, and of which another version was planned.

    What was sent of it in rounds of its day up to `round` was refused; what is sent later is another version.
    """

    uuid: str
    event: str
    """Its name, or `ANY`."""
    round: int


def outdate(checkpoint: Checkpoint, day: str, planned: Iterable[tuple[str, str, str]], number: int) -> None:
    """Drop parked events of which other versions are `planned` (uuid, event, payload): those are sent instead.

    Those are of rounds of which nothing is settled, the first of this `number`.

    The dropped ones count as duplicates from then on. A parked event that is the same as a planned one stays parked.
    """
    found = checkpoint.query("SELECT id, uuid, payload FROM parked WHERE day = ?", (day,)).fetchall()
    asked = {uuid for _, uuid, _ in found}
    told: dict[tuple[str, str], set[str]] = {}
    for uuid, event, payload in planned:
        if uuid in asked:
            told.setdefault((uuid, event), set()).add(payload.rstrip(","))
    old = []
    for one, uuid, payload in found:
        event, _ = named(payload)
        versions = told.get((uuid, event), set())
        if versions and payload not in versions:
            old.append((one, uuid, event))
    if not old:
        return
    with checkpoint.change() as db:
        sql = """
            INSERT INTO outdated VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET round = excluded.round
        """
        db.executemany(sql, ((day, uuid, event, number - 1) for _, uuid, event in old))
        forget(db, (one for one, *_ in old))
        for _, _, event in old:
            rounds.turn_duplicate(db, day, event)


def renew(checkpoint: Checkpoint, since: int) -> list[str]:
    """Put newer versions in the place of events that were parked after the number `since`; return what is to be said.

    A night that stopped had begun to send them, so that what their source holds by now was not planned to be sent in
    their place; then they were refused. What is sent again is the newer version. One that was mended by hand stays.
    """
    sql = "SELECT id, day, uuid, payload FROM parked WHERE id > ? AND NOT dismissed"
    found = checkpoint.query(sql, (since,)).fetchall()
    if not found or Copy(checkpoint, PARKED).state() is Found.EDITED:
        return []
    newer = []
    for day in dict.fromkeys(day for _, day, *_ in found):
        versions = _versions(checkpoint, day, sorted({uuid for _, its, uuid, _ in found if its == day}))
        for one, its, uuid, payload in found:
            _, *later = versions.get((uuid, named(payload)[0]), [set[str]()])
            if its == day and later and len(later[-1]) == 1 and payload not in later[-1]:
                newer.append((one, *later[-1]))
    if not newer:
        return []
    with checkpoint.change() as db:
        for one, payload in newer:
            mend(db, one, payload, msgspec.json.decode(payload)["timestamp"])
        add_count(db, PARKED)
    them = "it" if len(newer) == 1 else "them"
    return [
        f"{counted(len(newer), 'parked event')}: as the source has {them} by now; 'migrate resend' sends {them} so"
    ]


def _versions(checkpoint: Checkpoint, day: str, uuids: list[str]) -> dict[tuple[str, str], list[set[str]]]:
    """Return the payloads that a day's events of these uuids were planned with, by uuid and name, the oldest first."""
    found: dict[tuple[str, str], dict[tuple[int, int], set[str]]] = {}
    columns = ("uuid", "event", "payload", "row")
    for path, lead in checkpoint.query(
        "SELECT path, input FROM parts WHERE day = ? ORDER BY input", (day,)
    ).fetchall():
        with checkpoint.depot.near([path]):
            for uuid, event, payload, row in dayfile.found(checkpoint.workdir / path, uuids, columns):
                if payload != dayfile.STRIPPED:
                    its = lead, numbering.place_of(row)
                    found.setdefault((uuid, event), {}).setdefault(its, set()).add(payload.rstrip(","))
    return {key: [of_inputs[its] for its in sorted(of_inputs)] for key, of_inputs in found.items()}


def of_day(checkpoint: Checkpoint, day: str) -> list[Outdated]:
    """Return what was parked of a day's events until another version was planned."""
    rows = checkpoint.query(
        "SELECT uuid, event, round FROM outdated WHERE day = ? ORDER BY uuid, event", (day,)
    )
    return [Outdated(*row) for row in rows]


def rounds_of(checkpoint: Checkpoint, day: str) -> dict[str, int]:
    """Return the rounds in which a day's parts were sent, by their paths."""
    return dict(checkpoint.query("SELECT path, round FROM parts WHERE day = ? AND round IS NOT NULL", (day,)))
