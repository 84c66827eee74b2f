"""How a run sends: where to, with which key, how large batches are, how patient it is."""

from dataclasses import dataclass, field
from typing import Literal

Protocol = Literal["auto", "v0", "v1"]


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """How to send: the target, the bounds of a batch, the patience. Sizes are bytes, times seconds."""

    url: str
    key: str = field(repr=False)
    target: str
    """What the workdir is bound to: the URL, or "sandbox" for the one inside the command."""
    protocol: Protocol = "auto"
    """Which version of the capture endpoint is asked for; auto: as it is noted, or as PostHog answers."""
    rate: float | None = None
    """Events a second at the most; None is unlimited."""
    concurrency: int = 8
    """Requests at once at the most."""
    max_batch_bytes: int = 5 * 2**20
    """Of a request's body, uncompressed."""
    max_batch_events: int = 1_000
    gzip: bool = True
    max_attempts: int | None = None
    """Tries of one request at the most; None is unlimited."""
    deadline: float = 900.0
    """How long retrying goes on while nothing is settled."""
    timeout: float = 60.0
    """For one whole request."""
    min_age: float = 0.0
    """How old all of a day is to be before it is sent."""

    @property
    def largest_batch(self) -> int:
        """How many events a batch has at the most.

        It is never more than a second's worth, so that no wait for the rate comes near the deadline.
        """
        per_second = int(self.rate) if self.rate else self.max_batch_events
        return max(1, min(self.max_batch_events, per_second))
