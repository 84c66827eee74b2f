"""A parked.jsonl that a person has changed → what is to be sent again, as it was mended; each line is used or named."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import BinaryIO, Final

import msgspec

from migrate.jsontext.careful import MAX_DEPTH, nests_too_deep
from migrate.payload.checks import MAX_DISTINCT_ID, MAX_NAME
from migrate.payload.payloads import MAX_RECORD_BYTES, record_bytes
from migrate.payload.special import units
from migrate.workdir import parked
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.copies import Copy, Found, Print
from migrate.workdir.database import Database, add_count

_SHOWN: Final = 5
_MARK: Final = b"\xef\xbb\xbf"
_LONGEST: Final = 8 << 20
"""Bytes of a line: more than any payload that PostHog takes, however it is escaped."""


_LEFT: Final = """
    FROM parked WHERE id NOT IN (SELECT id FROM faulty) AND NOT EXISTS (SELECT 1 FROM queue WHERE queue.id = parked.id)
"""
"""The parked events that were not found in the file."""


class Fault(ValueError):  # noqa: N818 - the word says what happened
    """A line cannot be used."""


class _Line(msgspec.Struct):
    uuid: str
    payload: msgspec.Raw


class _Payload(msgspec.Struct, forbid_unknown_fields=True):
    event: str
    distinct_id: str
    timestamp: str
    uuid: str
    properties: dict[str, msgspec.Raw]


@dataclass
class _Faults:
    """Lines that cannot be used: how many, and the first of them."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, number: int, why: str) -> None:
        """Note one."""
        self.count += 1
        if len(self.first) < _SHOWN:
            self.first.append(f"line {number}: {why}")


def begin(checkpoint: Checkpoint) -> list[str]:
    """Put into the queue what is to be sent again; return what is to be said.

    If a person has changed parked.jsonl that is what the file has, else all that is parked. What an earlier command
    left in the queue stays there, and what was parked since is added.
    """
    copy = Copy(checkpoint, parked.PARKED)
    state = copy.state()
    if state is Found.EDITED:
        return take_in(checkpoint, copy)
    is_under_way = checkpoint.query("SELECT 1 FROM queue LIMIT 1").fetchone() is not None
    remarks = parked.refresh(checkpoint) if state is Found.GONE else []
    if copy.is_accepted() and not is_under_way:
        return remarks  # all that was mended there was sent: the command was killed before it could write so
    with checkpoint.change(facts := {}) as db:
        since = checkpoint.facts().get(parked.THROUGH, 0) if is_under_way else 0
        db.execute(f"{parked.ENQUEUE} AND id > ?", (since,))
        facts[parked.THROUGH] = parked.last(db)
    return remarks


def take_in(checkpoint: Checkpoint, copy: Copy) -> list[str]:
    """Put into the queue what the file has, with payloads as they are mended there; return what is to be said.

    All of it is done in one transaction. An event is known by its uuid. Events that the file does not have stay
    parked, and so do those whose lines cannot be sent.
    """
    facts: dict[str, object] = {}
    with checkpoint.change(facts) as db, copy.path.open("rb") as file:
        db.execute("DELETE FROM queue")
        db.execute("CREATE TEMP TABLE faulty (id INTEGER PRIMARY KEY)")
        try:
            taken = _Taken(db)
            for number, text in _lines(file, taken):
                taken.take(number, text)
            remarks = list(taken.remarks(copy))
        finally:
            db.execute("DROP TABLE faulty")
        add_count(db, parked.EVER, taken.faults.count)
        add_count(db, parked.PARKED)
        facts[parked.THROUGH] = parked.last(db)
        facts |= copy.accept(taken.print, is_kept=taken.faults.count > 0)
    return remarks


@dataclass
class _Taken:
    """What was taken from the file so far."""

    db: Database
    mended: int = 0
    faults: _Faults = field(default_factory=_Faults)
    print: Print = field(default_factory=Print)

    def take(self, number: int, text: bytes) -> None:
        """Take a line, or note why not."""
        try:
            uuid, payload = _read(text)
            event, is_other, day = self._event(uuid, payload)
        except Fault as fault:
            self.faults.add(number, str(fault))
            return
        if is_other:
            try:
                timestamp = checked(payload, uuid, day)
            except Fault as fault:
                self.faults.add(number, f"{uuid}: {fault}")
                self.db.execute("INSERT OR IGNORE INTO faulty VALUES (?)", (event,))
                return
            parked.mend(self.db, event, payload, timestamp)
            self.mended += 1
        self.db.execute(f"{parked.ENQUEUE} AND id = ?", (event,))
        self.db.execute("DELETE FROM faulty WHERE id = ?", (event,))

    def _event(self, uuid: str, payload: str) -> tuple[int, bool, str]:
        """Return which parked event is meant, whether it has another payload there, and its day."""
        sql = """
            SELECT id, payload <> ?, day, EXISTS (SELECT 1 FROM queue WHERE queue.id = parked.id) FROM parked
            WHERE uuid = ? ORDER BY payload <> ?, instr(?, day) = 0, id
        """
        rows = self.db.execute(sql, (payload, uuid, payload, payload)).fetchall()
        if not rows:
            raise Fault(f"{uuid}: no event of this uuid is parked (accepted since, or of another workdir)")
        for event, is_other, day, is_taken in rows:
            if not is_taken:
                return event, bool(is_other), day
        raise Fault(f"{uuid}: the event is there twice; what stands there first is sent")

    def remarks(self, copy: Copy) -> Iterator[str]:
        """Yield what is to be said."""
        if self.mended:
            yield f"{copy.path}: {self.mended:,} events are sent as they were mended there"
        if self.faults.count:
            more = "; …" if self.faults.count > len(self.faults.first) else ""
            yield (
                f"{copy.path}: {self.faults.count:,} of its lines cannot be used, and what they are of is not sent: "
                f"{'; '.join(self.faults.first)}{more}; mend them and send again"
            )
        (missing,) = self.db.execute(f"SELECT count(*) {_LEFT}").fetchone()
        if missing:
            names = ", ".join(
                uuid for (uuid,) in self.db.execute(f"SELECT uuid {_LEFT} ORDER BY id LIMIT {_SHOWN}")
            )
            more = ", …" if missing > _SHOWN else ""
            yield f"{copy.path}: {missing:,} parked events are not in it, and stay parked: {names}{more}"


def _lines(file: BinaryIO, taken: _Taken) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that hold anything, however they end, with their numbers; count all bytes of the file."""
    number, is_new = 0, True
    while text := file.readline(_LONGEST):
        taken.print = taken.print.then(text)
        is_whole = text.endswith(b"\n") or len(text) < _LONGEST
        if is_new:
            number += 1
            text = text.removeprefix(_MARK) if number == 1 else text
            if text.strip():
                yield number, text if is_whole else b""
        is_new = is_whole


def _read(text: bytes) -> tuple[str, str]:
    """Return a line's uuid and its payload, which may be an object instead of a text."""
    if not text:
        raise Fault(f"longer than {_LONGEST:,} bytes; an event is an object on a line of its own")
    try:
        line = msgspec.json.decode(text, type=_Line)
        raw = bytes(line.payload)
        return line.uuid, raw.decode() if raw.startswith(b"{") else msgspec.json.decode(raw, type=str).strip()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Fault(f"cannot be read, {error}; an event is an object on a line of its own") from error


def checked(payload: str, uuid: str, day: str) -> str:
    """Return the timestamp of a payload that a person has mended; raise `Fault` if it cannot be sent for this event.

    Like every payload it is to be strict JSON, to have what PostHog needs, and to be no larger than PostHog takes.
    """
    text = payload.encode()
    try:
        msgspec.json.decode(text)
        event = msgspec.json.decode(text, type=_Payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Fault(f"its payload cannot be sent, {error}") from error
    if event.uuid != uuid:
        raise Fault(f"its payload is of another event, found uuid '{event.uuid}'; leave the uuid as it was")
    for name, value, length, most in (
        ("event", event.event, units(event.event), MAX_NAME),
        ("distinct_id", event.distinct_id, len(event.distinct_id), MAX_DISTINCT_ID),
    ):
        if not value.strip() or length > most:
            raise Fault(f"its {name} is empty or longer than {most} characters, found '{value[:60]}'")
    size = record_bytes(payload, event.event, event.distinct_id)
    if size >= MAX_RECORD_BYTES:
        raise Fault(f"it is too large, found {size:,} bytes where PostHog takes {MAX_RECORD_BYTES:,}")
    if nests_too_deep(text):
        raise Fault(f"it is nested deeper than {MAX_DEPTH} levels")
    _check_day(event.timestamp, day)
    return event.timestamp


def _check_day(timestamp: str, day: str) -> None:
    """Raise `Fault` unless a time has a zone and is of the day."""
    try:
        moment = datetime.fromisoformat(timestamp)
    except ValueError:
        moment = datetime.min  # noqa: DTZ901 - without a zone, as none
    if moment.tzinfo is None:
        raise Fault(f"its timestamp is no time with a zone, found '{timestamp[:60]}'")
    try:
        found = moment.astimezone(UTC).date().isoformat()
    except OverflowError:
        found = timestamp
    if found != day:
        raise Fault(f"its timestamp is of another day, found '{timestamp}' where it is planned for {day}")
