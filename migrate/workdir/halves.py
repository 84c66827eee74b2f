"""Days that are half sent and begin anew: what was refused of them is sent again, too."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from migrate.screen import counted
from migrate.workdir import dayfile, parked, rounds
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.database import Database, note_facts
from migrate.workdir.depot import Left, Over, never

NOTED: Final = "begin_anew"
"""The fact that names days of which an earlier version sent a part in another order, see `formats`."""
_SHOWN: Final = 3


class Half(NamedTuple):
    """How many events of half sent rounds are settled, how many of them PostHog refused, which are parked yet."""

    settled: int = 0
    refused: int = 0
    parked: Sequence[int] = ()


def of_days(
    checkpoint: Checkpoint, days: Iterable[str], lost: Collection[str] = (), is_over: Over = never
) -> Half:
    """Return what is half sent of these days, but for rounds of which all files are `lost`, given as their paths.

    Raises Left as soon as it `is_over`.
    """
    settled, refused, ids = 0, 0, list[int]()
    sql = "SELECT parked FROM rounds WHERE day = ? AND round = ?"
    for day in days:
        if is_over():
            raise Left
        paths = list[str]()
        for one in rounds.of_day(checkpoint, day):
            left = [part.path for part in one.parts if part.path not in lost]
            if one.position and left:
                paths += left
                settled += one.position
                refused += checkpoint.query(sql, (day, one.number)).fetchone()[0]
        ids += _parked(checkpoint, day, paths, is_over)
    return Half(settled, refused, tuple(ids))


def begin_anew(db: Database, days: Iterable[str], half: Half) -> None:
    """Have these days' rounds sent from their first event on, within a transaction; what they parked is no more."""
    rounds.begin_anew(db, days)
    parked.forget(db, half.parked)


def begin_noted(checkpoint: Checkpoint, is_over: Over = never) -> None:
    """Begin the noted days anew, once, before anything of them is sent. Raises Left as soon as it `is_over`."""
    if days := _noted(checkpoint):
        half = of_days(checkpoint, days, is_over=is_over)
        with checkpoint.change() as db:
            begin_anew(db, days, half)
            note_facts(db, {NOTED: []})


def remarks(checkpoint: Checkpoint) -> Iterator[str]:
    """Yield what is to be said of the days that are noted."""
    if days := _noted(checkpoint):
        yield (
            f"{counted(len(days), 'day')} that an earlier version has sent half, {', '.join(days[:_SHOWN])}"
            f"{', …' if len(days) > _SHOWN else ''}: sent from the first event on, as it sent them in another order; "
            "PostHog keeps the same event once. What it had refused is sent as it is planned"
        )


def _noted(checkpoint: Checkpoint) -> list[str]:
    return sorted(checkpoint.facts().get(NOTED, []))


def _parked(checkpoint: Checkpoint, day: str, paths: Sequence[str], is_over: Over) -> list[int]:
    """Return which parked events of a day these files hold."""
    asked = checkpoint.query("SELECT id, uuid, event, payload FROM parked WHERE day = ?", (day,)).fetchall()
    if not (asked and paths):
        return []
    uuids = sorted({uuid for _, uuid, *_ in asked})
    with checkpoint.depot.near(paths, is_over=is_over):
        held = {
            tuple(one)
            for path in paths
            for one in dayfile.found(checkpoint.workdir / path, uuids, ("uuid", "event"))
        }
    return [
        number for number, uuid, event, payload in asked if (uuid, event or parked.named(payload)[0]) in held
    ]
