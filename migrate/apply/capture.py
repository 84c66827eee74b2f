"""What a protocol of PostHog's capture endpoint is: where batches go, what is around their events, what answers mean.

Beside it, what every such protocol needs to read an answer: the time in a Retry-After, words that may be shown.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final, NamedTuple, Protocol

from migrate.apply.batches import Envelope
from migrate.apply.outcome import Outcome, Request, Retry, Stop

SHOWN_CHARACTERS: Final = 200  # of a strange answer: enough to recognise a login page
AGAIN: Final = "run the same command again to resume"
ANSWER_BYTES: Final = 64 * 1024  # of an answer in a line of text, or of a page that is no such answer
SERVER_WORDS: Final = 1000  # characters kept of what PostHog says about a refused batch
A_YEAR: Final = 366 * 86_400.0  # seconds: a Retry-After beyond that is no time to come back
_ANY_KEY: Final = re.compile(r"\bph[a-z]_\w{4,}")
CLIENT_ERRORS: Final = range(400, 500)
SERVER_ERRORS: Final = range(500, 600)
ADVICE: Final = {
    401: "check --api-key (the project's own key, phc_…)",
    402: "check the project's billing and quota",
    403: "check --api-key, and whether this network may reach the host",
    404: "check --host: there is no capture endpoint at this address",
    405: "check --host: what answers at this address takes no events",
    415: "check whether a proxy changes what is sent, or send with --no-gzip",
    407: "check the proxy in HTTP_PROXY or HTTPS_PROXY",
}
NO_MATTER_HOW_LONG: Final = {
    HTTPStatus.NOT_IMPLEMENTED,
    HTTPStatus.HTTP_VERSION_NOT_SUPPORTED,
    HTTPStatus.NETWORK_AUTHENTICATION_REQUIRED,
}
"""Server errors that no waiting mends, where they are not PostHog's."""
_WHY: Final = {401: "key", 402: "quota", 403: "key"}
_OWN_WORDS: Final = ("type", "code", "detail", "error")
_SERVERS_WORDS: Final = ("client sent an http request to an https server", "400 bad request")
"""How web servers (Go's, nginx) begin a refusal in plain text that no application behind them has seen."""


class Answer(NamedTuple):
    """An HTTP answer: its status, its headers in any case, the beginning of its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Capture(Protocol):
    """How batches are handed to one PostHog, in one version of its capture endpoint."""

    @property
    def name(self) -> str:
        """The version, as --protocol has it."""
        ...

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

    def headers(self, request: Request, *, now: float) -> Mapping[str, str]:
        """Return what is said of an attempt in its headers. `now` is the time of day in seconds since 1970."""
        ...

    def answer_bytes(self, events: int) -> int:
        """Return how much of an answer is read, in bytes, to a request of so many events."""
        ...

    def outcome(self, answer: Answer, request: Request, *, now: float) -> Outcome:
        """Return what an answer to a request means; pure. `now` is the time of day in seconds since 1970."""
        ...


@dataclass(frozen=True)
class Said:
    """An answer as it may be shown: header names in lower case, the key as ***."""

    status: int
    headers: Mapping[str, str]
    words: str
    is_foreign: bool
    """Whether it is not in PostHog's manner."""

    @classmethod
    def of(cls, answer: Answer, key: str) -> "Said":
        """Return an answer as it may be shown."""
        headers = {name.lower(): shown(value, key) for name, value in answer.headers.items()}
        words = shown(answer.body.decode("utf-8", errors="replace"), key, limit=SERVER_WORDS)
        return cls(answer.status, headers, words, _is_foreign(answer.body, headers.get("content-type", "")))

    def as_strange(self) -> str:
        """Return what was found that is not PostHog's, and what to do."""
        target = f" to {self.headers['location']}" if "location" in self.headers else ""
        kind = self.headers.get("content-type", "no type")
        return (
            f"{self.status}{target}, {kind}, '{self.words[:SHOWN_CHARACTERS]}'; check --host, and "
            f"whether a proxy or a login page stands in between, then {AGAIN}"
        )

    def again(self, *, now: float, hopeless: str = "", advice: str = "") -> Retry:
        """Return that the same is to be sent again, in no case sooner than a Retry-After says."""
        wait = self.headers.get("retry-after")
        if self.status in NO_MATTER_HOW_LONG and self.is_foreign:
            hopeless = f"the answer is not PostHog's, found {self.as_strange()}"
        reason = ": ".join(filter(None, [str(self.status), self.words[:SHOWN_CHARACTERS]]))
        return Retry(reason, retry_after(wait, now=now), unheeded(wait, now=now), hopeless, advice)

    def stop(self, host: str) -> Stop:
        """Return that a refusal is no matter of the events."""
        advice = ADVICE.get(self.status, "see what the server says")
        if self.status in {401, 403} and self.is_foreign:
            advice = "the words are not PostHog's: check --host, and whether a proxy or a login page stands in between"
        why = "server" if self.is_foreign else _WHY.get(self.status, "server")
        return Stop(
            f"{host}: the batch was refused, found {self.status} '{self.words}'; {advice}, then {AGAIN}", why
        )


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
    """Return another's words on one line, cut to `limit` characters, with *** for keys wherever they are echoed.

    That of the request, and whatever looks like one of PostHog's: who is asked may know more of them than one.
    """
    # The key goes first: once cut it would not be found. Control characters could steer a terminal.
    for form in (key, json.dumps(key)[1:-1]) if key else ():
        text = text.replace(form, "***")
    text = _ANY_KEY.sub("***", text)
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:limit]


def _is_foreign(body: bytes, kind: str) -> bool:
    """Return whether a refusal is a page, or JSON of another's.

    PostHog speaks in a line of text, or in JSON with a type, a code, a detail or an error (posthog-ingestion.md §1.8,
    §2). A 413 may be of the proxy before it, which lets smaller bodies pass.
    """
    text = body.lstrip()
    if "html" in kind.lower() or text.startswith(b"<"):
        return True
    if text[:SHOWN_CHARACTERS].decode("utf-8", errors="replace").lower().startswith(_SERVERS_WORDS):
        return True
    return text.startswith((b"{", b"[")) and object_of(body).keys().isdisjoint(_OWN_WORDS)


def object_of(body: bytes) -> dict[str, Any]:
    """Return the JSON object a body is, an empty one where it is none."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}
