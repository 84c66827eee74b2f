"""What a transport is: one method that takes a request and returns what came of it.

Sending over HTTP, keeping to limits, trying again: each is a class with this method, and all but the first hold
another transport. A test's transport is a class of a few lines.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Request:
    """A request body as it goes over the network, the headers that describe it, and what it carries."""

    data: bytes = field(repr=False)  # it holds the key
    headers: "Mapping[str, str]" = field(repr=False)
    events: int
    day: str = field(default="", compare=False)
    """Of whose events it is, YYYY-MM-DD, where that is known."""
    attempt: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    seconds: float = field(default=0.0, compare=False)
    """From opening the request to the end of the answer."""
    suspended: float = field(default=0.0, compare=False)
    """How many of these seconds this process was stopped (SIGSTOP, a laptop asleep)."""


@dataclass(frozen=True, slots=True)
class Accepted(_Answer):
    """PostHog has taken the whole batch."""


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


Outcome: TypeAlias = Accepted | Retry | Split | Stop


class Transport(Protocol):
    """Sends requests."""

    async def send(self, request: Request) -> Outcome:
        """Send one request and return its outcome: whatever a server or a network does is one, never an exception.

        Raises Abandoned where the run is halted before the request can be sent.
        """
        ...
