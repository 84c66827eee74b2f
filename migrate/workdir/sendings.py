"""Sending over time: what became of events and requests, and what was waited for, in slots of the wall clock."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.database import Database, fact, note_facts
from migrate.workdir.records import Settled

SHORTEST: Final = 60
"""Seconds that a slot has at first; they grow so that there are never more than `MOST` of them in a workdir."""
MOST: Final = 1_000
_LENGTH: Final = "slot_seconds"
"""The fact that says how long slots are by now."""

_NUMBERS: Final = ("accepted", "duplicate", "parked", "requests", "bytes")


class Minute(NamedTuple):
    """A slot in which anything happened: a minute, or longer by now."""

    begun: str
    """ISO 8601, UTC."""
    seconds: int
    """How long the slot is."""
    accepted: int
    """Events that were noted as settled in it, as the two below."""
    duplicate: int
    parked: int
    requests: int
    """Requests that ended in it, each attempt by itself."""
    bytes: int
    """Of their bodies as they went over the network."""
    answers: Mapping[str, int]
    """Status, or what came instead of an answer → requests."""
    waited: Mapping[str, float]
    """`rate`, `server asked` or `retry` → seconds of waits that ended in it, summed over requests."""


class Heard:
    """What was heard of requests and waits of one time, until it is noted."""

    def __init__(self) -> None:
        self.requests = self.bytes = 0
        self.answers: Counter[str] = Counter()
        self.waited: dict[str, float] = {}


def add(db: Database, heard: Mapping[int, Heard], settled: Settled, now: float) -> None:
    """Add to the slots what was heard at these times (Unix seconds), and what is settled now, within a transaction."""
    slots = {at: _of(one) for at, one in heard.items()}
    if any(vars(settled).values()):
        slots[int(now)] = _merged(slots.get(int(now), {}), vars(settled))
    if not slots:
        return
    length = int(fact(db, _LENGTH, str(SHORTEST)))
    for at, slot in slots.items():
        _put(db, at // length * length, slot)
    (count,) = db.execute("SELECT count(*) FROM sendings").fetchone()
    while count > MOST:
        length *= 2
        rows = db.execute("SELECT begun, slot FROM sendings ORDER BY begun").fetchall()
        db.execute("DELETE FROM sendings")
        for begun, text in rows:
            _put(db, begun // length * length, json.loads(text))
        (count,) = db.execute("SELECT count(*) FROM sendings").fetchone()
        note_facts(db, {_LENGTH: length})


def minutes(checkpoint: Checkpoint) -> list[Minute]:
    """Return the slots in which anything happened, oldest first."""
    length = int(checkpoint.facts().get(_LENGTH, SHORTEST))
    return [
        Minute(
            begun=datetime.fromtimestamp(begun, UTC).isoformat(),
            seconds=length,
            **{"answers": {}, "waited": {}} | dict.fromkeys(_NUMBERS, 0) | json.loads(text),
        )
        for begun, text in checkpoint.query("SELECT begun, slot FROM sendings ORDER BY begun")
    ]


def _of(heard: Heard) -> dict[str, Any]:
    waited = {name: round(seconds, 3) for name, seconds in heard.waited.items()}
    return {
        "requests": heard.requests,
        "bytes": heard.bytes,
        "answers": dict(heard.answers),
        "waited": waited,
    }


def _put(db: Database, begun: int, slot: Mapping[str, Any]) -> None:
    """Add to a slot."""
    row = db.execute("SELECT slot FROM sendings WHERE begun = ?", (begun,)).fetchone()
    whole = slot if row is None else _merged(json.loads(row[0]), slot)
    sql = "INSERT INTO sendings VALUES (?, ?) ON CONFLICT DO UPDATE SET slot = excluded.slot"
    db.execute(sql, (begun, json.dumps(whole, sort_keys=True)))


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return two slots as one."""
    whole = dict(one)
    for name, value in other.items():
        if isinstance(value, dict):
            before = whole.get(name, {})
            whole[name] = before | {key: round(before.get(key, 0) + n, 3) for key, n in value.items()}
        else:
            whole[name] = whole.get(name, 0) + value
    return whole
