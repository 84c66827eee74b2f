"""What a misbehaviour may do to a request: the hooks of a fault, and what it may look at; each does nothing here."""

# ruff: noqa: ARG002 - a fault overrides the hooks, and takes what they are given

from datetime import datetime

import msgspec

from migrate.sandbox.capture import Event
from migrate.sandbox.capture_v1 import STORED, Verdict
from migrate.sandbox.wire import Answer, Refusal


class Load(msgspec.Struct, frozen=True):
    """What a fault may look at: the request's size, how busy the server is, the time."""

    body_bytes: int
    in_flight: int
    now: datetime
    historical: bool = False
    is_v1: bool = False
    """Whether it is for capture v1."""


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, tag_field="fault"):
    """One rule; without `rate`, `times` or `every` it fires on each request after the first `after`."""

    rate: float | None = None
    times: int | None = None
    every: int | None = None
    after: int = 0
    seed: int = 0

    def answer(self, load: Load) -> Answer | None:
        """Return the answer that stands in for capture's: the request is not even read as JSON."""
        return None

    def delay(self, load: Load) -> float:
        """Return how many seconds the request waits before it is looked at."""
        return 0.0

    def keeps(self, event: Event, load: Load) -> bool:
        """Whether the event is stored; the client is told Ok in any case."""
        return True

    def transfer(self, load: Load) -> float:
        """Return how many seconds the request holds the link that all requests share."""
        return 0.0

    def refusal(self, event: Event) -> Refusal | None:
        """Return why the whole batch is refused because of this event."""
        return None

    def verdict(self, event: Event, number: int, load: Load) -> Verdict | None:
        """Return what capture v1 says of an event instead, the `number`-th (from 1) that it would take."""
        return None

    def keeps_judged(self, verdict: Verdict) -> bool:
        """Whether an event is stored of which this is said."""
        return verdict.result in STORED

    def afterwards(self) -> float:
        """Return how many seconds pass between storing and answering."""
        return 0.0
