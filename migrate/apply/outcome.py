"""What a transport is: one method that takes a request and returns what came of it.

Sending over HTTP, keeping to limits, trying again: each is a class with this method, and all but the first hold
another transport. A test's transport is a class of a few lines.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias
from uuid import uuid4

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

TAKEN: Final = ("ok", "warning", "limited")
"""Results of events that PostHog has taken; `limited` is what earlier versions called `warning`."""
DROPPED: Final = "drop"
HANDED_BACK: Final = "retry"


@dataclass(frozen=True, slots=True)
class Request:
    """A request body as it goes over the network, the headers that describe it, and what it carries."""

    data: bytes = field(repr=False)  # it holds the key
    headers: "Mapping[str, str]" = field(repr=False)
    events: int
    day: str = field(default="", compare=False)
    """Of whose events it is, YYYY-MM-DD, where that is known."""
    attempt: int = field(default=1, compare=False)
    id: str = field(default_factory=lambda: str(uuid4()), compare=False, repr=False)
    """Names it in the server's logs, also what is left of it when it is sent again; decides nothing."""
    failed: "Retry | None" = field(default=None, compare=False, repr=False)
    """How the attempt that is counted has ended, where the next one is still to be made."""
    uuids: "bytes | memoryview" = field(default=b"", compare=False, repr=False)
    """The events', as an answer has them that takes all, where answers speak of each event."""


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """What PostHog says of one event: `ok`, `warning`, `drop` or `retry`, and why."""

    result: str
    details: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    seconds: float = field(default=0.0, compare=False)
    """From opening the request to the end of the answer."""
    attempt: int = field(default=1, compare=False)
    """Which attempt of its request it answers."""
    suspended: float = field(default=0.0, compare=False)
    """How many of these seconds this process was stopped (SIGSTOP, a laptop asleep)."""


@dataclass(frozen=True, slots=True)
class Accepted(_Answer):
    """PostHog has taken the whole batch."""


@dataclass(frozen=True, slots=True)
class Judged(_Answer):
    """PostHog says of each event what became of it."""

    verdicts: "Mapping[str, Verdict]" = field(repr=False)
    """By the uuids of the events, in canonical spelling."""
    retry_after: float | None = None
    """After so many seconds events may be sent again; only where some are to be."""
    unheeded: str = field(default="", compare=False)
    """A Retry-After that is no time to come back, as it was found."""

    @property
    def settled(self) -> int:
        """How many events have come to their end with it, as far as verdicts are known ones."""
        ends = {*TAKEN, DROPPED}
        return sum([one.result in ends for one in self.verdicts.values()])


@dataclass(frozen=True, slots=True)
class Retry(_Answer):
    """Maybe stored, maybe not: the same bytes again, not before `retry_after` seconds."""

    reason: str
    """What came instead: a word or two, and after a colon what more is known."""
    retry_after: float | None = None
    unheeded: str = field(default="", compare=False)
    """A Retry-After that is no time to come back, as it was found."""
    hopeless: str = field(default="", compare=False)
    """What was found and what to do, where waiting helps only if a PostHog has answered before; else empty."""
    advice: str = field(default="", compare=False)
    """What a person may do, beside waiting."""


@dataclass(frozen=True, slots=True)
class Split(_Answer):
    """An event is wrong (400), or an event or the batch too big (413); `message` is the server's words."""

    status: int
    message: str


@dataclass(frozen=True, slots=True)
class Stop(_Answer):
    """Nothing of the batch counts as accepted, and sending more is wrong until a person has looked."""

    reason: str
    why: str = field(default="server", compare=False)
    """The reason in a word: server, quota, key or deadline."""


Outcome: TypeAlias = Accepted | Judged | Retry | Split | Stop


class Transport(Protocol):
    """Sends requests."""

    async def send(self, request: Request) -> Outcome:
        """Send one request and return its outcome: whatever a server or a network does is one, never an exception.

        Raises Abandoned where the run is halted before the request can be sent.
        """
        ...
