"""Days that are half sent and begin anew: what was refused of them is sent again, too."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from migrate.workdir import dayfile, parked, rounds
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.database import Database
from migrate.workdir.depot import Left, Over, never


class Half(NamedTuple):
    """How many events of half sent rounds are settled, how many of them PostHog refused, which are parked yet."""

    settled: int = 0
    refused: int = 0
    parked: Sequence[int] = ()


def of_days(checkpoint: Checkpoint, days: Iterable[str], is_over: Over = never) -> Half:
    """Return what is half sent of these days. Raises Left as soon as it `is_over`."""
    settled, refused, ids = 0, 0, list[int]()
    sql = "SELECT accepted + duplicate + parked, parked FROM rounds WHERE day = ? AND NOT done"
    for day in days:
        if is_over():
            raise Left
        for some, others in checkpoint.query(sql, (day,)).fetchall():
            settled, refused = settled + some, refused + others
        ids += _parked(checkpoint, day, is_over)
    return Half(settled, refused, ids)


def begin_anew(db: Database, days: Iterable[str], half: Half) -> None:
    """Have these days' rounds sent from their first event on, within a transaction; what they parked is no more."""
    rounds.begin_anew(db, days)
    parked.forget(db, half.parked)


def _parked(checkpoint: Checkpoint, day: str, is_over: Over) -> list[int]:
    """Return which parked events of a day are of rounds that are half sent: those that their parts hold."""
    asked = checkpoint.query("SELECT id, uuid, event, payload FROM parked WHERE day = ?", (day,)).fetchall()
    begun = [part.path for one in rounds.of_day(checkpoint, day) if one.position for part in one.parts]
    if not (asked and begun):
        return []
    uuids = sorted({uuid for _, uuid, *_ in asked})
    with checkpoint.depot.near(begun, is_over=is_over):
        held = {
            tuple(one)
            for path in begun
            for one in dayfile.found(checkpoint.workdir / path, uuids, ("uuid", "event"))
        }
    return [
        number for number, uuid, event, payload in asked if (uuid, event or parked.named(payload)[0]) in held
    ]
