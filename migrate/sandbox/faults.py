"""The sandbox's misbehaviours: what each of them does to a request; pure."""

# ruff: noqa: ARG002, D102 - a fault overrides the hooks that `Fault` describes, and takes what they are given

from datetime import timedelta
from email.utils import format_datetime
from typing import Final, Literal, get_args

import msgspec

from migrate.sandbox.capture import TOO_BIG, Event
from migrate.sandbox.capture_v1 import STORED, Verdict
from migrate.sandbox.fault import Fault, Load
from migrate.sandbox.moments import canonical
from migrate.sandbox.wire import Answer, Refusal
from migrate.sandbox.wire_v1 import Refused

_TEXTS: Final = {
    408: "request timeout",
    429: "rate limited",
    413: TOO_BIG,
    500: "internal error",
    502: "Bad Gateway",
    503: "transient error, please retry",
    504: "Gateway Timeout",
}
_PAGE: Final = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center></body></html>\n"


def text_of(status: int) -> str:
    """Return the plain text capture, or what stands before it, answers with this status."""
    return _TEXTS.get(status, "")


OK: Final = Answer(200, b'{"status":"Ok"}', "application/json")


class Status(Fault, tag="status"):
    """An error status, nothing stored."""

    status: int = 503
    retry_after: float | None = None
    as_date: bool = False
    body: str | None = None
    error: str = ""

    def answer(self, load: Load) -> Answer:
        headers = {}
        if self.retry_after is not None:
            when = load.now + timedelta(seconds=self.retry_after)
            text = format_datetime(when, usegmt=True) if self.as_date else f"{self.retry_after:g}"
            headers["Retry-After"] = text
        if load.is_v1 and self.body is None:
            return msgspec.structs.replace(Refused(self.status, self.error).answer(), headers=headers)
        text = _TEXTS.get(self.status, "") if self.body is None else self.body
        return Answer(self.status, text.encode(), headers=headers)


class Html(Fault, tag="html"):
    """A load balancer's error page."""

    status: int = 502

    def answer(self, load: Load) -> Answer:
        words = f"{self.status} {_TEXTS.get(self.status, 'Error')}"
        return Answer(self.status, _PAGE.format(words).encode(), "text/html")


class TooLarge(Fault, tag="too_large"):
    """A proxy's limit on bodies, as they come over the network."""

    bytes: int

    def answer(self, load: Load) -> Answer | None:
        return Html(status=413).answer(load) if load.body_bytes > self.bytes else None


class Captive(Fault, tag="captive"):
    """A proxy's own page with status 200."""

    def answer(self, load: Load) -> Answer:
        return Answer(200, _PAGE.format("Welcome! Please sign in to use this network").encode(), "text/html")


class QuotaLimited(Fault, tag="quota_limited"):
    """A 200 that says the project is over its quota; nothing stored."""

    def answer(self, load: Load) -> Answer:
        return Answer(200, b'{"status":"Ok","quota_limited":["events"]}', "application/json")


class Redirect(Fault, tag="redirect"):
    """A redirect to somewhere else."""

    status: int = 302
    location: str = "https://login.example.com/"

    def answer(self, load: Load) -> Answer:
        return Answer(self.status, headers={"Location": self.location})


class NoContent(Fault, tag="no_content"):
    """An empty 204; nothing stored."""

    def answer(self, load: Load) -> Answer:
        return Answer(204)


class WrongKey(Fault, tag="wrong_key"):
    """401 for a key that is not among the accepted ones, instead of capture's own silent 200."""


class Reset(Fault, tag="reset"):
    """The connection is reset, before or after the events are stored."""

    stored: bool = False


class Cut(Fault, tag="cut"):
    """The events are stored and the connection ends in the middle of the answer."""


class Stall(Fault, tag="stall"):
    """The answer takes long, before or after the events are stored."""

    seconds: float
    stored: bool = False

    def delay(self, load: Load) -> float:
        return 0.0 if self.stored else self.seconds

    def afterwards(self) -> float:
        return self.seconds if self.stored else 0.0


class Prefix(Fault, tag="prefix"):
    """The first `events` events are stored, then the whole request is refused."""

    events: int = 1
    status: Literal[413, 503] = 503


class OverQuota(Fault, tag="over_quota"):
    """The project is over its quota: 200, nothing stored, nothing said, events not even checked; v1 says 402."""


class ScopedQuota(Fault, tag="scoped_quota"):
    """Exceptions, survey answers and AI events are over their quotas; the rest is stored."""

    def keeps(self, event: Event, load: Load) -> bool:
        surveys = {"survey sent", "survey shown", "survey dismissed"}
        if event.event in surveys:
            return "$product_tour_id" in msgspec.json.decode(event.properties)
        return event.event != "$exception" and not event.event.startswith("$ai_")

    def verdict(self, event: Event, number: int, load: Load) -> Verdict | None:
        if self.keeps(event, load):
            return None
        kinds = {"$exception": "exceptions", "survey": "survey_responses"}
        kind = kinds.get(event.event.partition(" ")[0], "llm_events")
        return Verdict("drop", f"{kind}_over_quota")


class ImportMode(Fault, tag="import_mode"):
    """Only historical batches are taken; others are discarded with a 200."""

    def keeps(self, event: Event, load: Load) -> bool:
        return load.historical

    def verdict(self, event: Event, number: int, load: Load) -> Verdict | None:
        return None if load.historical else Verdict("drop", "non_historical_import_drop")


class DropOlderThan(Fault, tag="drop_older_than"):
    """The project drops events older than this many seconds, in silence."""

    seconds: float

    def keeps(self, event: Event, load: Load) -> bool:
        return event.timestamp >= canonical(load.now - timedelta(seconds=self.seconds))


class Poison(Fault, tag="poison"):
    """One event, by name or by a true property, is enough to have its whole batch refused; v1 drops it alone."""

    event: str | None = None
    property: str = "poison"

    def refusal(self, event: Event) -> Refusal | None:
        by_name = event.event == self.event
        if by_name or (
            self.property in event.properties
            and msgspec.json.decode(event.properties).get(self.property) is True
        ):
            return Refusal(400, "invalid event could not be processed")
        return None

    def verdict(self, event: Event, number: int, load: Load) -> Verdict | None:
        return Verdict("drop", "rejected") if self.refusal(event) else None


class Verdicts(Fault, tag="verdicts"):
    """Capture v1 says this of each `each`-th event, or of those of a name; of null it says nothing.

    They are stored where they are said to be, and with `stored` in any case.
    """

    result: str | None = "retry"
    details: str | None = "not_persisted"
    each: int = 1
    event: str | None = None
    stored: bool = False
    retry_after: float = 1

    def verdict(self, event: Event, number: int, load: Load) -> Verdict | None:
        is_meant = number % max(1, self.each) == 0 if self.event is None else event.event == self.event
        return Verdict(self.result, self.details) if is_meant else None

    def keeps_judged(self, verdict: Verdict) -> bool:
        return self.stored or verdict.result in STORED


class Latency(Fault, tag="latency"):
    """Each request takes this much longer."""

    seconds: float

    def delay(self, load: Load) -> float:
        return self.seconds


class Bandwidth(Fault, tag="bandwidth"):
    """All requests share one link of this speed, one after another."""

    bytes_per_second: float

    def transfer(self, load: Load) -> float:
        return load.body_bytes / self.bytes_per_second


class Capacity(Fault, tag="capacity"):
    """More than `limit` requests at once are refused, or slow every one of them down by `seconds` each."""

    limit: int
    status: int | None = 503
    retry_after: float | None = None
    seconds: float = 0.0

    def answer(self, load: Load) -> Answer | None:
        if self.status is None or load.in_flight <= self.limit:
            return None
        return Status(status=self.status, retry_after=self.retry_after).answer(load)

    def delay(self, load: Load) -> float:
        return max(0, load.in_flight - self.limit) * self.seconds


AnyFault = (
    Status
    | Html
    | TooLarge
    | Captive
    | QuotaLimited
    | Redirect
    | NoContent
    | WrongKey
    | Reset
    | Cut
    | Stall
    | Prefix
    | OverQuota
    | ScopedQuota
    | ImportMode
    | DropOlderThan
    | Poison
    | Verdicts
    | Latency
    | Bandwidth
    | Capacity
)

KINDS: Final[dict[str, type[Fault]]] = {str(kind.__struct_config__.tag): kind for kind in get_args(AnyFault)}
"""The word of a fault -> what it is."""
