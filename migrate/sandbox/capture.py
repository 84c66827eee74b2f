"""What capture and ingestion make of a request's events: checks, and the rows that end up stored."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from secrets import randbits
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import UNSET

from migrate.sandbox.moments import Clock, instant, nearest
from migrate.sandbox.requests import Request, Sent
from migrate.sandbox.wire import Refusal

RECORD_LIMIT: Final = 1_000_000
TOO_BIG: Final = "maximum event size exceeded: Event rejected by kafka during send"

_MAX_ID: Final = 200
_MAX_NAME: Final = 200
# A value's text may grow when written again (1e15 → 1000000000000000.0, `"` → `\"`), by less than five times.
_SMALL: Final = RECORD_LIMIT // 6
_HYPHENATED: Final = len("00000000-0000-0000-0000-000000000000")
_ZEROS: Final = bytes(ord("0") if byte in b"123456789" else byte for byte in range(256))
_LONG_INTEGER: Final = b"0" * 16
_EXACT: Final = 2**53
_I64_U64: Final = range(-(2**63), 2**64)
_WATCHED: Final = (b"\\u", b'"$ip"', b'"$cookieless_mode"', b'"$ignore_sent_at"', b'"$heatmap_data"')


class Event(msgspec.Struct, gc=False):
    """One event as it is stored; `record_bytes` is its Kafka record's size, 0 where it is surely small."""

    uuid: str
    event: str
    distinct_id: str
    timestamp: str
    properties: str
    record_bytes: int = 0


class Probe(msgspec.Struct, gc=False):
    """The properties that decide what is stored."""

    ip: Any = msgspec.field(default=UNSET, name="$ip")
    cookieless: Any = msgspec.field(default=UNSET, name="$cookieless_mode")
    ignore_sent_at: Any = msgspec.field(default=UNSET, name="$ignore_sent_at")
    heatmap: Any = msgspec.field(default=UNSET, name="$heatmap_data")


_PROBE: Final = msgspec.json.Decoder(Probe)
_NO_PROBE: Final = Probe()
_EXPONENTS_FROM: Final = 1e21  # JavaScript prints larger whole numbers with an exponent
_BEFORE_ANY_CLOCK: Final = 2020  # capture takes no sent_at of this year or an earlier one


def events(found: Request, *, now: datetime, ip: str, query_sent_at: str = "") -> list[Event]:
    """Check every event of a request, as capture does, and return what would be stored.

    Raises `Refusal` at the first event that capture refuses; then nothing of the request is stored.
    """
    clock = Clock(now, _sent_at(found.sent_at, query_sent_at, now))
    rows = Judge(found, clock, ip)
    return [rows.row(sent) for sent in found.events if sent.event != "$performance_event"]


def fitting(rows: list[Event]) -> tuple[list[Event], Refusal | None]:
    """Return the events before the first one that Kafka would refuse, and the refusal if there is one."""
    for index, row in enumerate(rows):
        if row.record_bytes > RECORD_LIMIT:
            return rows[:index], Refusal(413, TOO_BIG)
    return rows, None


class Judge:
    """Makes rows of one request's events, as they end up stored."""

    def __init__(self, found: Request, clock: Clock, ip: str) -> None:
        self.found = found
        self.clock = clock
        self.ip = ip
        self.fill = b'"$ip":' + msgspec.json.encode(ip) + b"}"
        body = found.body
        self.marks = [mark for mark in _WATCHED if mark in body]
        self.has_long_integers = _LONG_INTEGER in body.translate(_ZEROS)
        self.may_be_large = len(body) > _SMALL

    def row(self, sent: Sent) -> Event:
        """Return what is stored of an event; raise `Refusal` where capture refuses it."""
        raw = bytes(sent.properties) or b"{}"
        probe = self.probe(raw)
        distinct_id = _checked(sent, raw, probe)
        timestamp = self.clock.moment(
            sent.timestamp, offset=sent.offset, ignores_sent_at=probe.ignore_sent_at is True
        )
        return self.stored(sent, raw, distinct_id, timestamp, probe)

    def probe(self, raw: bytes) -> Probe:
        """Return the properties that capture looks at."""
        return _PROBE.decode(raw) if self.marks and any(mark in raw for mark in self.marks) else _NO_PROBE

    def stored(
        self, sent: Sent, raw: bytes, distinct_id: str, timestamp: str, probe: Probe | None = None
    ) -> Event:
        """Return what is stored of an event that is taken."""
        properties = self.properties(sent, raw, probe or self.probe(raw))
        row = Event(_uuid(sent.uuid, timestamp), _name(sent.event), distinct_id, timestamp, properties)
        if self.may_be_large and (len(raw) + len(sent.event) > _SMALL or _is_odd(sent)):
            row.record_bytes = self.record_bytes(sent, raw, row)
        return row

    def properties(self, sent: Sent, raw: bytes, probe: Probe) -> str:
        """Return the stored properties: `$ip` filled, root `$set` merged, numbers as doubles."""
        if (
            (len(sent.set) or len(sent.set_once))
            or (probe.ip is not UNSET and not probe.ip)
            or probe.heatmap is not UNSET
            or (self.has_long_integers and _LONG_INTEGER in raw.translate(_ZEROS))
        ):
            return self.rewritten(sent, raw)
        if probe.ip is not UNSET:
            return raw.decode()
        head = raw[:-1].rstrip()
        return (head + (self.fill if head == b"{" else b"," + self.fill)).decode()

    def rewritten(self, sent: Sent, raw: bytes) -> str:
        """Return the properties read and written again."""
        held = json.loads(raw, parse_int=_double)
        held.pop("$heatmap_data", None)
        if not held.get("$ip"):
            held["$ip"] = self.ip
        for key, patch in (("$set", _object(sent.set)), ("$set_once", _object(sent.set_once))):
            if patch:
                old = held.get(key)
                held[key] = (old if isinstance(old, dict) else {}) | patch
        return json.dumps(held, ensure_ascii=False, separators=(",", ":"))

    def record_bytes(self, sent: Sent, raw: bytes, row: Event) -> int:
        """Return the size of the Kafka record: JSON that holds the event's JSON as a string."""
        fields = {
            "token": sent.own_token(),
            "distinct_id": _first(sent.distinct_id, sent.second_distinct_id),
            "uuid": row.uuid if sent.uuid else None,
            "event": sent.event,
            "properties": msgspec.json.decode(raw),
            "timestamp": sent.timestamp,
            "offset": sent.offset,
            "$set": _object(sent.set),
            "$set_once": _object(sent.set_once),
        }
        data = {key: value for key, value in fields.items() if value is not None}
        record = {
            "uuid": row.uuid,
            "distinct_id": row.distinct_id,
            "ip": self.ip,
            "data": msgspec.json.encode(data).decode(),
            "now": self.clock.text,
            "sent_at": self.found.sent_at,
            "token": self.found.token,
            "event": sent.event,
            "timestamp": row.timestamp,
            "is_cookieless_mode": False,
            "historical_migration": self.found.historical,
        }
        return len(msgspec.json.encode(record))


def _checked(sent: Sent, raw: bytes, probe: Probe) -> str:
    if not sent.event:
        raise Refusal(400, "event submitted with an empty event name")
    distinct_id = _distinct_id(sent, raw)
    if not distinct_id or distinct_id.isspace():
        raise Refusal(400, "event submitted without a distinct_id")
    if probe.cookieless is not UNSET and not isinstance(probe.cookieless, bool):
        raise Refusal(400, "event submitted with invalid cookieless mode")
    return distinct_id


def _distinct_id(sent: Sent, raw: bytes) -> str:
    value = sent.distinct_id
    if isinstance(value, str):
        return value if len(value) <= _MAX_ID and "\0" not in value else _cut(value)
    value = _first(value, sent.second_distinct_id)
    if value is None:
        value = (
            msgspec.json.decode(raw).get("distinct_id") if b"distinct_id" in raw or b"\\u" in raw else None
        )
    text = value if isinstance(value, str) else "" if value is None else _compact(value)
    return _cut(text)


def _cut(distinct_id: str) -> str:
    return distinct_id.replace("\0", "\N{REPLACEMENT CHARACTER}")[:_MAX_ID]


def _first(*values: Any) -> Any:  # noqa: ANN401 - any JSON value may be a distinct_id
    return next((value for value in values if value is not UNSET and value is not None), None)


def _compact(value: Any) -> str:  # noqa: ANN401 - any JSON value may be a distinct_id
    """Return a value as serde_json prints it: integers beyond 64 bits become doubles, keys are sorted."""
    if isinstance(value, int) and not isinstance(value, bool) and value not in _I64_U64:
        value = float(value)
    return msgspec.json.encode(value, order="sorted").decode()


def _name(event: str) -> str:
    """Return the event's name, cut to 200 UTF-16 units as ingestion does."""
    if len(event) <= _MAX_NAME // 2:
        return event
    units = event.encode("utf-16-le")[: 2 * _MAX_NAME]
    return units.decode("utf-16-le", "replace")


def _uuid(text: str | None, timestamp: str) -> str:
    """Return the canonical spelling of the event's uuid, or a version 7 one made for its timestamp."""
    if text:
        return text.lower() if len(text) == _HYPHENATED else str(UUID(text))
    moment = nearest(timestamp)
    milliseconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    high = (milliseconds & (1 << 48) - 1) << 80
    return str(UUID(int=high | 7 << 76 | randbits(12) << 64 | 2 << 62 | randbits(62)))


def _object(raw: msgspec.Raw) -> dict[str, Any] | None:
    held = bytes(raw)
    return json.loads(held, parse_int=_double) if held.startswith(b"{") else None


def _is_odd(sent: Sent) -> bool:
    """Whether the event has parts of unknown size besides its properties and its name."""
    return bool(len(sent.set) or len(sent.set_once) or not isinstance(sent.distinct_id, str)) or (
        len(sent.distinct_id) + len(sent.timestamp or "") > _MAX_ID
    )


def _double(digits: str) -> int | float:
    """Return an integer as it comes out of a double, which is how ingestion reads every number."""
    number = int(digits)
    if -_EXACT <= number <= _EXACT:
        return number
    double = float(digits)
    return int(Decimal(repr(double))) if abs(double) < _EXPONENTS_FROM else double


def _sent_at(in_body: str | None, in_query: str, now: datetime) -> datetime | None:
    if in_body is not None:
        return instant(in_body, now)
    if in_query.isdigit() and len(in_query) <= len("9999999999999"):
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(in_query))
        return moment if moment.year > _BEFORE_ANY_CLOCK else None
    return None
