"""Parked events: what PostHog refused, with its words, kept in the checkpoint; parked.jsonl is the copy for people."""

import re
import shlex
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from migrate import numbering
from migrate.errors import Refused
from migrate.workdir import origins, warned
from migrate.workdir.checkpoint import Also, Checkpoint
from migrate.workdir.copies import Copy, Found
from migrate.workdir.database import FILE, Database, add_count
from migrate.workdir.typed import operand

PARKED: Final = "parked.jsonl"
EVER: Final = "parked"
"""The count of how often an event was ever parked."""
THROUGH: Final = "resend_through"
"""The fact that names the event that was parked last when a resend was begun."""
ENQUEUE: Final = (
    "INSERT OR IGNORE INTO queue SELECT day, later, timestamp, id FROM parked WHERE NOT dismissed"
)
_ANY_NUMBER: Final = re.compile(r"[0-9a-fA-F-]*\d[0-9a-fA-F-]*")
_AT_ONCE: Final = 50_000
"""So many events are looked for at once, day by day, to tell where they came from."""
_WORDS: Final = 1_000
"""So many different messages of a server are counted by themselves."""


class _Named(msgspec.Struct):
    """What a payload says of which event it is."""

    event: str
    distinct_id: str


class Parked(NamedTuple):
    """An event that PostHog refused, with its words."""

    uuid: str
    timestamp: str
    status: int
    message: str
    payload: str


class Key(NamedTuple):
    """What PostHog tells an event apart by."""

    day: str
    uuid: str
    event: str
    distinct_id: str


class Waiting(NamedTuple):
    """A parked event that is to be sent again."""

    id: int
    payload: str
    day: str
    uuid: str


class Refusal(NamedTuple):
    """Events that PostHog refused in the same words: how many, and the status and the message of the first."""

    words: str
    events: int
    status: int
    message: str


def add(db: Database, parked: Sequence[Parked], *, is_later: bool) -> None:
    """Keep refused events, within the transaction that settles them; `is_later`: they are resent after merges."""
    if not parked:
        return
    sql = """
        INSERT INTO parked (day, later, timestamp, uuid, status, message, payload, sum, event)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    """
    db.executemany(
        sql,
        (
            (
                one.timestamp[:10],
                is_later,
                one.timestamp,
                one.uuid,
                one.status,
                one.message,
                one.payload,
                _sum(one.payload),
                named(one.payload)[0],
            )
            for one in parked
        ),
    )
    add_count(db, EVER, len(parked))
    add_count(db, PARKED)


def any_of(checkpoint: Checkpoint, day: str) -> bool:
    """Return whether any event of a day is parked."""
    return checkpoint.query("SELECT 1 FROM parked WHERE day = ? LIMIT 1", (day,)).fetchone() is not None


def names(checkpoint: Checkpoint) -> dict[str, Counter[str]]:
    """Return how many events of each name are parked, by day; what was mended by hand counts as it was planned."""
    found = defaultdict[str, Counter[str]](Counter)
    told = "SELECT day, event, count(*) FROM parked WHERE event IS NOT NULL GROUP BY day, event"
    for day, event, count in checkpoint.query(told):
        found[day][event] += count
    for day, payload in checkpoint.query("SELECT day, payload FROM parked WHERE event IS NULL"):
        found[day][named(payload)[0]] += 1  # an earlier version of ours has parked it
    return found


def refusals(checkpoint: Checkpoint) -> list[Refusal]:
    """Return what is parked and open by the server's words, numbers left out, most first; after many, others as one."""
    found: dict[str, Refusal] = {}
    sql = """
        SELECT status, message, count(*) FROM parked WHERE NOT dismissed GROUP BY status, message ORDER BY min(id)
    """
    for status, message, count in checkpoint.query(sql):
        words = f"{status} {_ANY_NUMBER.sub('…', message)[:200]}"
        words = words if words in found or len(found) < _WORDS else "(other words)"
        known = found.setdefault(words, Refusal(words, 0, status, message))
        found[words] = known._replace(events=known.events + count)
    return sorted(found.values(), key=lambda one: -one.events)


def first(checkpoint: Checkpoint, refusal: Refusal, most: int = 3) -> tuple[list[str], list[str]]:
    """Return the uuids of the first events that were refused so, and where they came from, as `file:row`."""
    sql = (
        "SELECT day, uuid FROM parked WHERE NOT dismissed AND status = ? AND message = ? ORDER BY id LIMIT ?"
    )
    found = checkpoint.query(sql, (refusal.status, refusal.message, most)).fetchall()
    came, uuids = origins.places(checkpoint, found), [uuid for _, uuid in found]
    return uuids, [numbering.place(*came[uuid]) for uuid in uuids if uuid in came]


def dismiss(checkpoint: Checkpoint) -> int:
    """Dismiss what is parked: it stays so, is not sent again, and nothing is open of it; return how many they are."""
    with checkpoint.change() as db:
        db.execute("DELETE FROM queue")
        return db.execute("UPDATE parked SET dismissed = 1 WHERE NOT dismissed").rowcount


def dismissed(checkpoint: Checkpoint) -> int:
    """Return how many parked events are dismissed."""
    (count,) = checkpoint.query("SELECT count(*) FROM parked WHERE dismissed").fetchone()
    return int(count)


def every_key(checkpoint: Checkpoint) -> list[Key]:
    """Return what tells the events apart that are parked."""
    found = checkpoint.query("SELECT day, uuid, payload FROM parked ORDER BY id")
    return [Key(day, uuid, *named(payload)) for day, uuid, payload in found]


def refresh(checkpoint: Checkpoint) -> list[str]:
    """Write all parked events to parked.jsonl, unless a person has changed it; return what is to be said."""
    copy = Copy(checkpoint, PARKED)
    state = copy.state()
    if state is Found.EDITED:
        way = shlex.join(["migrate", "resend", operand(str(checkpoint.workdir))])
        how = f"what was mended in it is sent with: {way}"
        return [f"{copy.path}: was changed by hand, and is left as it is; {how}"]
    if state is Found.OURS and copy.is_current():
        return []
    kept = copy.write(_lines(checkpoint))
    remarks = [f"{copy.path}: was gone, and is made again of what is known"] if state is Found.GONE else []
    if kept is not None:
        remarks.append(
            f"{copy.path}: is written anew; what was changed by hand and not sent is kept in {kept.name}"
        )
    return remarks


def last(db: Database) -> int:
    """Return the number of the event that was parked last."""
    (number,) = db.execute("SELECT coalesce(max(id), 0) FROM parked").fetchone()
    return int(number)


def following(checkpoint: Checkpoint, *, max_events: int, max_bytes: int) -> list[Waiting]:
    """Return the events to be sent next: of one day, as many as both bounds allow but at least one; none at the end.

    Raises Refused if the payload of one has changed on disk.
    """
    sql = """
        SELECT queue.day, id, payload, sum, uuid FROM queue CROSS JOIN parked USING (id)
        ORDER BY queue.day, queue.later, queue.timestamp, id
    """
    found: list[Waiting] = []
    size, first = 0, None
    for day, number, payload, sum_, uuid in checkpoint.query(sql):
        size += len(payload.encode()) + 1
        first = first or day
        if found and (day != first or len(found) >= max_events or size > max_bytes):
            break
        if _sum(payload) != sum_:
            raise Refused(
                f"{checkpoint.workdir / FILE}: the parked event {uuid} is harmed since it was kept, and is not "
                "sent; plan its source into a new --workdir: what was sent already collapses with what is sent again"
            )
        found.append(Waiting(number, payload, day, uuid))
    return found


def settle(  # noqa: PLR0913 - what is noted at once
    checkpoint: Checkpoint,
    sent: Sequence[Waiting],
    refused: "Iterable[Parked]",
    facts: Mapping[str, object],
    warnings: Mapping[str, int] | None = None,
    *,
    also: Also = lambda _: None,
) -> None:
    """Note what became of events that were sent again: accepted, or refused with other words.

    `warnings` are what is said of those that are accepted → of how many. `also` changes what another module keeps.
    """
    again = {one.payload: one for one in refused}
    with checkpoint.change(facts) as db:
        warned.add(db, warnings or {})
        db.executemany(
            "DELETE FROM queue WHERE id = ?",
            ((one.id,) for one in sent),
        )
        db.executemany(
            "DELETE FROM parked WHERE id = ?", ((one.id,) for one in sent if one.payload not in again)
        )
        words = (
            (again[one.payload].status, again[one.payload].message, one.id)
            for one in sent
            if one.payload in again
        )
        db.executemany("UPDATE parked SET status = ?, message = ? WHERE id = ?", words)
        add_count(db, EVER, len(again))
        add_count(db, PARKED)
        also(db)


def mend(db: Database, number: int, payload: str, timestamp: str) -> None:
    """Put another payload in the place of a parked event's, which is to be sent, also where it was dismissed."""
    sql = "UPDATE parked SET payload = ?, sum = ?, timestamp = ?, dismissed = 0 WHERE id = ?"
    db.execute(sql, (payload, _sum(payload), timestamp, number))


def forget(db: Database, numbers: Iterable[int]) -> None:
    """Forget parked events that are sent again as they are planned, within a transaction."""
    gone = [(number,) for number in numbers]
    for sql in ("DELETE FROM queue WHERE id = ?", "DELETE FROM parked WHERE id = ?"):
        db.executemany(sql, gone)
    add_count(db, PARKED)


def named(payload: str) -> tuple[str, str]:
    """Return the event name and the distinct_id of a payload; nothing of one that is harmed."""
    try:
        found = msgspec.json.decode(payload, type=_Named)
    except msgspec.DecodeError:
        return "", ""
    return found.event, found.distinct_id


def _lines(checkpoint: Checkpoint) -> Iterator[bytes]:
    """Yield the lines of parked.jsonl, each with the file and the row its event came from."""
    encoder = msgspec.json.Encoder()
    found = checkpoint.query("SELECT uuid, day, status, message, payload FROM parked ORDER BY id")
    while rows := found.fetchmany(_AT_ONCE):
        came = origins.places(checkpoint, ((day, uuid) for uuid, day, *_ in rows))
        for uuid, _, status, message, payload in rows:
            file, row = came.get(uuid, (None, None))
            line = {"uuid": uuid, "file": file, "row": row, "status": status, "message": message}
            yield encoder.encode(line | {"payload": payload}) + b"\n"


def _sum(payload: str) -> int:
    return zlib.crc32(payload.encode())
