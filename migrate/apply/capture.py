"""What a protocol of PostHog's capture endpoint is: where batches go, what is around their events, what answers mean.

Beside it, what every such protocol needs to read an answer: the time in a Retry-After, words that may be shown.
"""

import json
import math
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple, Protocol

from migrate.apply.batches import Envelope
from migrate.apply.outcome import Outcome

SHOWN_CHARACTERS: Final = 200  # of a strange answer: enough to recognise a login page
AGAIN: Final = "run the same command again to resume"
A_YEAR: Final = 366 * 86_400.0  # seconds: a Retry-After beyond that is no time to come back
CLIENT_ERRORS: Final = range(400, 500)
SERVER_ERRORS: Final = range(500, 600)
ADVICE: Final = {
    401: "check --api-key (the project's own key, phc_…)",
    402: "check the project's billing and quota",
    403: "check --api-key, and whether this network may reach the host",
    404: "check --host: there is no capture endpoint at this address",
    405: "check --host: what answers at this address takes no events",
    407: "check the proxy in HTTP_PROXY or HTTPS_PROXY",
}


class Answer(NamedTuple):
    """An HTTP answer: its status, its headers in any case, the beginning of its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Capture(Protocol):
    """How batches are handed to one PostHog, in one version of its capture endpoint."""

    @property
    def host(self) -> str:
        """The URL of the PostHog, as messages name it."""
        ...

    @property
    def key(self) -> str:
        """The project's key, which no message may show."""
        ...

    @property
    def url(self) -> str:
        """Where requests are posted."""
        ...

    @property
    def envelope(self) -> Envelope:
        """What a request's body has around its events."""
        ...

    def outcome(self, answer: Answer, *, now: float) -> Outcome:
        """Return what an answer means; pure. `now` is the time of day in seconds since 1970."""
        ...


def retry_after(value: str | None, *, now: float) -> float | None:
    """Return the seconds a Retry-After header asks for, written as seconds or as an HTTP date; never negative.

    `now` is the time of day in seconds since 1970. None when there is no such header, when it is not understood, and
    when it asks for more than a year.
    """
    try:
        seconds = float(value or "")
    except ValueError:
        try:
            when = parsedate_to_datetime(value or "")
            seconds = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - now
        except (ValueError, OverflowError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) and seconds <= A_YEAR else None


def unheeded(value: str | None, *, now: float) -> str:
    """Return a Retry-After that is no time to come back, as it was found; nothing where it is one."""
    text = (value or "").strip()
    return text if text.startswith("-") or (text and retry_after(text, now=now) is None) else ""


def shown(text: str, key: str, *, limit: int = SHOWN_CHARACTERS) -> str:
    """Return another's words on one line, cut to `limit` characters, with *** for the key wherever it is echoed."""
    # The key goes first: once cut it would not be found. Control characters could steer a terminal.
    for form in (key, json.dumps(key)[1:-1]) if key else ():
        text = text.replace(form, "***")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:limit]
