"""What capture v1 makes of a request's events: of each a verdict, and the rows that end up stored."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from migrate.sandbox import requests
from migrate.sandbox.capture import Event, Judge
from migrate.sandbox.moments import Clock, canonical, rfc3339
from migrate.sandbox.syntax import Broken, needs_scan, scan
from migrate.sandbox.wire_v1 import Asked, Refused, is_uuid, library

RECORD_LIMIT: Final = 899_000
"""Bytes of a Kafka record from which v1 drops an event that v0 would take."""
STORED: Final = ("ok", "warning")
"""Results of events that are stored."""

_MOST_BYTES: Final = 200  # of a name, and of a distinct_id
_NOTHING: Final = msgspec.Raw(b"{}")
_BRACE: Final = ord("{")
_PERSONLESS: Final = {
    *(
        "0",
        "00000000-0000-0000-0000-000000000000",
        "[object object]",
        "anonymous",
        "anonymous-user",
        "backend",
    ),
    *(
        "distinct_id",
        "distinctid",
        "email",
        "false",
        "guest",
        "id",
        "nan",
        "none",
        "not_authenticated",
        "null",
    ),
    *("system", "true", "undefined", "user"),
}
"""Ids that are nobody's: their events are taken without a person."""
_TRUE: Final = ("true", "1")
_FALSE: Final = ("false", "0")
_OPTIONS: Final = {
    "cookieless_mode": "$cookieless_mode",
    "disable_skew_correction": "$ignore_sent_at",
    "process_person_profile": "$process_person_profile",
}
"""An option that is a boolean → the property it becomes."""


class Sent(msgspec.Struct, gc=False):
    """One event as sent; other fields at its root, `$set` among them, are not looked at."""

    event: str
    uuid: str
    distinct_id: str
    timestamp: str
    session_id: str | None = None
    window_id: str | None = None
    options: msgspec.Raw = _NOTHING
    properties: msgspec.Raw = _NOTHING


class Request(msgspec.Struct, gc=False):
    """A request's body."""

    created_at: str
    batch: list[Sent]
    historical_migration: bool = False
    capture_internal: bool | None = None


class Verdict(NamedTuple):
    """What the client is told of one event; nothing is where `result` is None."""

    result: str | None
    details: str | None = None


class Judged(NamedTuple):
    """One event: its uuid in canonical spelling, what is said of it, and what would be stored."""

    uuid: str
    verdict: Verdict
    row: Event | None


_OK: Final = Verdict("ok")
_REQUEST: Final = msgspec.json.Decoder(Request)


def request(text: bytes) -> Request:
    """Read a JSON text as capture v1 does; raise `Refused` where the whole request is."""
    try:
        if needs_scan(text):
            scan(text)
        found = _REQUEST.decode(text)
    except (Broken, msgspec.DecodeError, RecursionError) as error:
        raise Refused(400, "request_parsing_error", str(error)) from None
    if rfc3339(found.created_at) is None:
        raise Refused(400, "invalid_batch", "created_at")
    if not found.batch:
        raise Refused(400, "empty_batch")
    return found


def judged(found: Request, text: bytes, asked: Asked, *, now: datetime, ip: str) -> list[Judged]:
    """Return each event with its verdict; raise `Refused` where a uuid is none, or there twice."""
    uuids = _uuids(found.batch)
    judge = _Judge(found, text, asked, now, ip)
    return [judge.judged(sent, uuid) for sent, uuid in zip(found.batch, uuids, strict=True)]


def answer(events: Iterable[Judged]) -> bytes:
    """Return the body of the answer: results under canonical uuids."""
    results = {
        one.uuid: {key: value for key, value in one.verdict._asdict().items() if value is not None}
        for one in events
        if one.verdict.result is not None
    }
    return msgspec.json.encode({"results": results})


def _uuids(events: list[Sent]) -> list[str]:
    found: dict[str, None] = {}
    for sent in events:
        text = sent.uuid.strip()
        if not text:
            raise Refused(400, "missing_event_uuid")
        if not is_uuid(text):
            raise Refused(400, "invalid_event_uuid", text[:100])
        uuid = str(UUID(text))
        if uuid in found:
            raise Refused(400, "duplicate_event_uuid", uuid)
        found[uuid] = None
    return list(found)


class _Judge:
    def __init__(self, found: Request, text: bytes, asked: Asked, now: datetime, ip: str) -> None:
        self.clock = Clock(now, None)
        self.skew = asked.timestamp - now
        self.library = library(asked.sdk)
        v0 = requests.Request([], asked.token, historical=found.historical_migration, body=text)
        self.judge = Judge(v0, self.clock, ip)

    def judged(self, sent: Sent, uuid: str) -> Judged:
        distinct_id = sent.distinct_id.strip()
        moment = rfc3339(sent.timestamp)
        added = _added(sent)
        if reason := _dropped(sent, distinct_id, moment, added):
            return Judged(uuid, Verdict("drop", reason), None)
        timestamp = self.timestamp(moment, is_as_sent=bool(added and added.get("$ignore_sent_at")))
        raw = self.spliced(bytes(sent.properties), added or {})
        row = self.judge.stored(
            requests.Sent(
                event=sent.event,
                distinct_id=distinct_id,
                uuid=uuid,
                properties=msgspec.Raw(raw),
                timestamp=timestamp,
            ),
            raw,
            distinct_id,
            timestamp,
        )
        if row.record_bytes >= RECORD_LIMIT:
            return Judged(uuid, Verdict("drop", "event_too_big"), None)
        is_nobody = distinct_id.lower() in _PERSONLESS
        return Judged(uuid, Verdict("ok", "person_processing_disabled") if is_nobody else _OK, row)

    def timestamp(self, moment: datetime | None, *, is_as_sent: bool) -> str:
        """Return when an event happened: less what the client's clock is ahead, unless it is to be as it was sent."""
        try:
            text = None if moment is None else canonical(moment if is_as_sent else moment - self.skew)
        except OverflowError:
            text = None
        return self.clock.moment(text, offset=None, ignores_sent_at=True)

    def spliced(self, raw: bytes, added: dict[str, Any]) -> bytes:
        """Return an event's properties with what is added to them; of two under one name the later one counts."""
        if self.library:
            added = {**added, "$lib": self.library[0], "$lib_version": self.library[1]}
        if not added:
            return raw
        head = raw.rstrip()[:-1].rstrip()
        return head + (b"" if head == b"{" else b",") + msgspec.json.encode(added)[1:]


def _dropped(sent: Sent, distinct_id: str, moment: datetime | None, added: dict[str, Any] | None) -> str:
    """Return why one event is dropped, if it is."""
    reasons = {
        "missing_event_name": not sent.event,
        "event_name_too_long": len(sent.event.encode()) > _MOST_BYTES,
        "missing_distinct_id": not distinct_id,
        "distinct_id_too_large": len(distinct_id.encode()) > _MOST_BYTES,
        "invalid_event_timestamp": moment is None,
        "malformed_event_properties": bytes(sent.properties)[0] != _BRACE,
        "performance_event": sent.event == "$performance_event",
        "invalid_options": added is None,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _added(sent: Sent) -> dict[str, Any] | None:
    """Return the properties that an event's options and ids become; None where an option is no such thing."""
    given = bytes(sent.options)
    if given in {b"{}", b"null"}:
        options = {}
    elif given[0] != _BRACE:
        return None
    else:
        options = msgspec.json.decode(given)
    found: dict[str, Any] = {}
    for option, name in _OPTIONS.items():
        if (value := options.get(option)) is not None:
            if (known := _bool(value)) is None:
                return None
            found[name] = known
    if (tour := options.get("product_tour_id")) is not None:
        if isinstance(tour, bool) or not isinstance(tour, str | int):
            return None
        found["$product_tour_id"] = str(tour)
    ids = {"$session_id": sent.session_id, "$window_id": sent.window_id}
    return found | {name: value for name, value in ids.items() if value is not None}


def _bool(value: object) -> bool | None:
    """Return what an option is as a boolean, None where it is none."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return bool(value)
    text = value.strip().lower() if isinstance(value, str) else ""
    return True if text in _TRUE else False if text in _FALSE else None
