"""A request that is let through → what is stored of it, and capture's answer, in capture's order of evaluation."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from migrate.sandbox import capture, capture_v1, requests, wire, wire_v1
from migrate.sandbox.capture_v1 import Judged
from migrate.sandbox.fault import Load
from migrate.sandbox.faults import (
    OK,
    AnyFault,
    OverQuota,
    Prefix,
    Verdicts,
    WrongKey,
    text_of,
)
from migrate.sandbox.store import Receipt, Store
from migrate.sandbox.wire import Answer

_JSON: Final = "application/json"


class Asked(NamedTuple):
    """A request as it came over the network."""

    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    ip: str


class Intake:
    """Reads, checks and stores requests; `keys` are those under which events are kept, None is any.

    `on_key` is told each key under which events are sent.
    """

    def __init__(
        self, store: Store, keys: Collection[str] | None, on_key: Callable[[str], None] = lambda _: None
    ) -> None:
        self._store = store
        self._on_key = on_key
        self._keys = None if keys is None else frozenset(keys)

    def take(self, asked: Asked, fired: Sequence[AnyFault], receipt: Receipt, load: Load) -> Answer:
        """Take one request; raise `Refusal` as capture does, v0 or v1."""
        take = self._take_v1 if load.is_v1 else self._take_v0
        return take(asked, fired, receipt, load)

    def _take_v0(self, asked: Asked, fired: Sequence[AnyFault], receipt: Receipt, load: Load) -> Answer:
        wire.check_query(asked.query)
        ok = Answer(204) if asked.query.get("beacon") == "1" else OK
        text = wire.text(asked.body, query=asked.query, headers=asked.headers)
        if key := requests.root_key(text):
            self._on_key(key)
        found = requests.request(text)
        receipt.historical, receipt.events = found.historical, len(found.events)
        load = msgspec.structs.replace(load, historical=found.historical)
        known = self._knows(found.token)
        if not known and any(isinstance(fault, WrongKey) for fault in fired):
            raise wire.Refusal(401, "API key is not valid: unknown")
        if any(isinstance(fault, OverQuota) for fault in fired):
            return ok
        sent_at = asked.query.get("_") or asked.query.get("sent_at") or ""
        events = capture.events(found, now=load.now, ip=asked.ip, query_sent_at=sent_at)
        for fault in fired:
            for refusal in filter(None, map(fault.refusal, events)):
                raise refusal
            events = [event for event in events if known and fault.keeps(event, load)]
        events, refused = capture.fitting(events if known else [])
        for fault in fired:
            if isinstance(fault, Prefix):
                events, refused = events[: fault.events], wire.Refusal(fault.status, text_of(fault.status))
        self._store.add(events, receipt)
        if refused:
            raise refused
        return ok

    def _take_v1(self, asked: Asked, fired: Sequence[AnyFault], receipt: Receipt, load: Load) -> Answer:
        said = wire_v1.asked(asked.headers)
        self._on_key(said.token)
        text = wire_v1.text(asked.body, asked.headers)
        found = capture_v1.request(text)
        receipt.historical, receipt.events = found.historical_migration, len(found.batch)
        load = msgspec.structs.replace(load, historical=found.historical_migration)
        judged = capture_v1.judged(found, text, said, now=load.now, ip=asked.ip)
        known = self._knows(said.token)
        if not known and any(isinstance(fault, WrongKey) for fault in fired):
            raise wire_v1.Refused(401, about="unknown")
        if any(isinstance(fault, OverQuota) for fault in fired):
            raise wire_v1.Refused(402)
        for fault in fired:
            judged = _judged_anew(judged, fault, load)
        rows = [one.row for one in judged if one.row and all(fault.keeps(one.row, load) for fault in fired)]
        prefix = next((fault for fault in fired if isinstance(fault, Prefix)), None)
        self._store.add(rows[: prefix.events if prefix else None] if known else [], receipt)
        if prefix:
            raise wire_v1.Refused(prefix.status)
        waits = [fault.retry_after for fault in fired if isinstance(fault, Verdicts)]
        has_retry = any(one.verdict.result == "retry" for one in judged)
        headers = {"Retry-After": f"{min(waits, default=1):g}"} if has_retry else {}
        return Answer(200, capture_v1.answer(judged), _JSON, headers)

    def _knows(self, token: str) -> bool:
        return self._keys is None or token in self._keys


def _judged_anew(judged: Sequence[Judged], fault: AnyFault, load: Load) -> list[Judged]:
    """Return the verdicts as a fault has them."""
    found, number = [], 0
    for one in judged:
        number += one.row is not None
        verdict = None if one.row is None else fault.verdict(one.row, number, load)
        if verdict is None:
            found.append(one)
        else:
            found.append(Judged(one.uuid, verdict, one.row if fault.keeps_judged(verdict) else None))
    return found
