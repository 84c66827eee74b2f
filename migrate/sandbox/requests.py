"""The request as capture deserialises it: which shape it has, its token, its events."""

import json
import re
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from migrate.sandbox.syntax import MAX_DEPTH, Broken, needs_scan, scan
from migrate.sandbox.wire import Refusal

_EMPTY: Final = msgspec.Raw(b"")
_HYDRATE: Final = "failed to hydrate events from request: non-engage request missing event name attribute"
_NO_VARIANT: Final = "failed to parse request: data did not match any variant of untagged enum RawRequest"
_BRACE: Final = ord("{")
_I64: Final = range(-(2**63), 2**63)
_MAX_TOKEN: Final = 64
_HYPHENATED: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_UUID: Final = re.compile(
    rf"(?:urn:uuid:)?{_HYPHENATED}|[0-9a-f]{{32}}|\{{{_HYPHENATED}\}}", re.ASCII | re.IGNORECASE
)


class Engage(msgspec.Struct, gc=False):
    """The fields any object may have, with the types capture insists on."""

    distinct_id: Any = UNSET
    second_distinct_id: Any = msgspec.field(default=UNSET, name="$distinct_id")
    uuid: str | None = None
    properties: msgspec.Raw = _EMPTY
    timestamp: str | None = None
    offset: int | None = None
    set: msgspec.Raw = msgspec.field(default=_EMPTY, name="$set")
    set_once: msgspec.Raw = msgspec.field(default=_EMPTY, name="$set_once")
    token: str | None = None
    second_token: str | None = msgspec.field(default=None, name="$token")
    third_token: str | None = msgspec.field(default=None, name="api_key")

    def fits(self) -> bool:
        """Whether the parts msgspec passes on unread have the right types too."""
        return (
            (self.properties is _EMPTY or bytes(self.properties)[0] == _BRACE)
            and (not self.uuid or _UUID.fullmatch(self.uuid) is not None)
            and (self.set is _EMPTY or bytes(self.set)[0] == _BRACE or bytes(self.set) == b"null")
            and (
                self.set_once is _EMPTY
                or bytes(self.set_once)[0] == _BRACE
                or bytes(self.set_once) == b"null"
            )
            and (self.offset is None or self.offset in _I64)
        )

    def own_token(self) -> str | None:
        """Return the event's own token, or the one in its properties."""
        token = self.token or self.second_token or self.third_token
        if token is None and self.properties is not _EMPTY:
            token = msgspec.json.decode(self.properties).get("token")
        return token if isinstance(token, str) else None


class Sent(Engage, gc=False, kw_only=True):
    """One event as sent."""

    event: str


class Request(msgspec.Struct, frozen=True):
    """A readable request: its events, its token, and what its root says about all of them."""

    events: list[Sent]
    token: str
    historical: bool = False
    sent_at: str | None = None
    body: bytes = b""


class _Root(msgspec.Struct, gc=False):
    batch: list[Sent]
    api_key: str | UnsetType = UNSET
    token: str | UnsetType = UNSET
    historical_migration: bool | None = None
    sent_at: str | None = None


class _Keys(msgspec.Struct, gc=False):
    api_key: str | None = None
    token: str | None = None


def _fields(kind: type[msgspec.Struct], **aliases: str) -> dict[str, str]:
    names = [field.encode_name for field in msgspec.structs.fields(kind)]
    return {name: aliases.get(name.lstrip("$"), name) for name in names}


_ROOT: Final = msgspec.json.Decoder(_Root)
_ARRAY: Final = msgspec.json.Decoder(list[Sent])
_ONE: Final = msgspec.json.Decoder(Sent)
_ENGAGE: Final = msgspec.json.Decoder(Engage)
_ROOT_FIELDS: Final = _fields(_Root, api_key="token")
_EVENT_FIELDS: Final = _fields(Sent, api_key="token", token="token", distinct_id="distinct_id")  # noqa: S106


_KEYS: Final = msgspec.json.Decoder(_Keys)


def root_key(body: bytes) -> str | None:
    """Return the key at the root of a body, also of one that is refused for what it holds beside."""
    try:
        found = _KEYS.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return None
    return found.api_key or found.token


def request(body: bytes) -> Request:
    """Read a JSON text as capture does, or raise `Refusal`."""
    try:
        if needs_scan(body):
            scan(body)
        return _request(body)
    except Broken as broken:
        raise Refusal(400, f"failed to parse request: {broken}") from None


def _request(body: bytes) -> Request:
    if body.lstrip(b" \t\r\n").startswith(b"["):
        events = _decoded(_ARRAY, body)
        if events is None or not _is_shallow(body, events) or _repeats(body)[1]:
            raise Refusal(400, _NO_VARIANT)
        if not all(event.fits() for event in events):
            raise Refusal(400, _NO_VARIANT)
        return Request(_filled(events), _common_token(events), body=body)
    root = _decoded(_ROOT, body)
    if root is not None and _is_shallow(body, root.batch) and _is_batch(body, root):
        token = root.token if root.api_key is UNSET else root.api_key
        historical = bool(root.historical_migration)
        token = _valid(str(token)) if _filled(root.batch) else ""
        return Request(root.batch, token, historical=historical, sent_at=root.sent_at, body=body)
    return _single(body)


def _decoded(decoder: msgspec.json.Decoder[Any], body: bytes) -> Any:  # noqa: ANN401 - the decoder's type
    """Return what `decoder` reads, or None if the body is good JSON of another shape."""
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, RecursionError):
        scan(body)
        return None


def _single(body: bytes) -> Request:
    one, engage = _decoded(_ONE, body), _decoded(_ENGAGE, body)
    if engage is not None:
        _is_shallow(body, [engage])
        if not engage.fits() or _repeats(body)[2]:
            engage = None
    if engage is None:
        raise Refusal(400, _NO_VARIANT)
    if one is None:
        raise Refusal(400, _HYDRATE)
    return Request([one], _common_token([one]), body=body)


def _is_batch(body: bytes, root: _Root) -> bool:
    if not all(event.fits() for event in root.batch):
        return False
    if _is_plain(body, root):
        return True
    root_repeats, event_repeats, _ = _repeats(body)
    return not root_repeats and not event_repeats and (root.api_key is UNSET) != (root.token is UNSET)


def _is_plain(body: bytes, root: _Root) -> bool:
    """Whether the body holds the known fields once and not one byte more, so that nothing can repeat.

    What is counted is never more than what is there: equality leaves no room for a second spelling.
    """
    if root.api_key is UNSET or not root.batch:
        return False
    flag = {None: "", True: ',"historical_migration":true', False: ',"historical_migration":false'}
    head = len('{"api_key":"","batch":[]}' + flag[root.historical_migration]) + len(root.api_key)
    each = len(',{"event":"","distinct_id":"","timestamp":"","uuid":"","properties":}')
    rest = len(body) - head - len(root.batch) * each + 1
    try:
        rest -= sum([len(event.properties) for event in root.batch])
        texts = [event.event + event.distinct_id + event.timestamp + event.uuid for event in root.batch]
    except TypeError:
        return False
    sizes = sum(map(len, texts))
    return rest == sizes or rest == sum([len(text.encode()) for text in texts])


def _is_shallow(body: bytes, events: list[Any]) -> bool:
    """Return True, or raise `Broken` where the nesting is deeper than serde reads.

    Brackets are counted first: only a body with enough of them in one place is read again.
    """
    total = body.count(b"{") + body.count(b"[")
    if total > MAX_DEPTH:
        known, deepest = 0, 0
        for event in events:
            for raw in (event.properties, event.set, event.set_once):
                if raw is not _EMPTY:
                    held = bytes(raw)
                    count = held.count(b"{") + held.count(b"[")
                    known += count
                    deepest = max(deepest, count)
        unknown = total - known - len(events)
        if max(unknown, deepest + 3) > MAX_DEPTH:
            scan(body)
    return True


class _Pairs(list[tuple[str, Any]]):
    """One JSON object with its keys as written, repeats and all."""


def _repeats(body: bytes) -> tuple[bool, bool, bool]:
    """Whether a known field comes twice: at a batch's root, in one of its events, at an event's root."""
    root = json.loads(body, object_pairs_hook=_Pairs)
    if isinstance(root, _Pairs):
        batches = [value for key, value in root if key == "batch"]
        events = list(batches[0]) if batches and isinstance(batches[0], list) else []
    else:
        events = root if isinstance(root, list) else []
    within = any(_repeat(event, _EVENT_FIELDS) for event in events)
    return _repeat(root, _ROOT_FIELDS), within, _repeat(root, _EVENT_FIELDS)


def _repeat(pairs: object, fields: dict[str, str]) -> bool:
    if not isinstance(pairs, _Pairs):
        return False
    known = [fields[key] for key, _ in pairs if key in fields]
    return len(known) != len(set(known))


def _filled(events: list[Sent]) -> list[Sent]:
    if not events:
        raise Refusal(400, "request holds no event")
    return events


def _common_token(events: list[Sent]) -> str:
    tokens = {token for event in events if (token := event.own_token()) is not None}
    if not tokens:
        raise Refusal(401, "event submitted without an api_key")
    if len(tokens) > 1:
        raise Refusal(401, "batch submitted with inconsistent api_key values")
    return _valid(tokens.pop())


def _valid(token: str) -> str:
    """Return the token, unchanged, if its trimmed form has the shape capture asks for."""
    if wrong := token_fault(token):
        raise Refusal(401, f"API key is not valid: {wrong}")
    return token


def token_fault(token: str) -> str:
    """Return what is wrong with the shape of a token, trimmed, in capture's word; nothing where it is right."""
    trimmed = token.strip()
    wrong = {
        "empty": not trimmed,
        "too_long": len(trimmed.encode()) > _MAX_TOKEN,
        "not_ascii": not trimmed.isascii(),
        "personal_api_key": trimmed.startswith("phx_"),
        "null_byte": "\0" in trimmed,
    }
    return next((reason for reason, holds in wrong.items() if holds), "")
