"""PostHog's capture endpoint as it is today, `/batch/`: how a batch is posted, and what each of its answers means.

An answer counts as accepted only if it is unmistakably PostHog's own (posthog-ingestion.md §8).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import Any, Final

import msgspec

from migrate.apply.batches import Envelope
from migrate.apply.capture import (
    ADVICE,
    AGAIN,
    CLIENT_ERRORS,
    SERVER_ERRORS,
    SHOWN_CHARACTERS,
    Answer,
    retry_after,
    shown,
    unheeded,
)
from migrate.apply.outcome import Accepted, Outcome, Retry, Split, Stop

SERVER_WORDS: Final = 1000  # characters kept of what PostHog says about a refused batch
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


@dataclass(frozen=True)
class CaptureV0:
    """Posts to `/batch/`; one answer for all of a batch."""

    host: str
    key: str = field(repr=False)

    @property
    def url(self) -> str:
        """Where requests are posted."""
        return f"{self.host}/batch/"

    @cached_property
    def envelope(self) -> Envelope:
        """What a request's body has around its events.

        `historical_migration` is honoured only here, at the root, and only as a JSON boolean.
        """
        key = msgspec.json.encode(self.key)
        return Envelope(b'{"api_key":' + key + b',"historical_migration":true,"batch":[', b"]}")

    def outcome(self, answer: Answer, *, now: float) -> Outcome:
        """Return what an answer means; pure. `now` is the time of day in seconds since 1970."""
        found = _object(answer.body) if answer.status == HTTPStatus.OK else {}
        if _is_ok(found):
            return Accepted()
        said = _Said.of(answer, self.key)
        if said.status in {408, 429} or said.status in SERVER_ERRORS:
            return _retry(said, now=now)
        if said.status in CLIENT_ERRORS:
            return self._refusal(said)
        if "quota_limited" in found:
            return Stop(
                f"{self.host}: the project is over its quota and keeps nothing of this batch, found"
                f" '{said.words[:SHOWN_CHARACTERS]}'; raise the project's limit, then {AGAIN}",
                "quota",
            )
        return Stop(f"{self.host}: the answer is not PostHog's, found {said.as_strange()}")

    def _refusal(self, said: "_Said") -> Split | Stop:
        """Return what a 4xx means that is not sent again as it was."""
        status = said.status
        if status == HTTPStatus.BAD_REQUEST and said.is_foreign:
            return Stop(f"{self.host}: the refusal is not PostHog's, found {said.as_strange()}")
        if status in {400, 413}:
            return Split(status, said.words or f"status {status} without a word")
        advice = ADVICE.get(status, "see what the server says")
        if status in {401, 403} and said.is_foreign:
            advice = "the words are not PostHog's: check --host, and whether a proxy or a login page stands in between"
        why = "server" if said.is_foreign else _WHY.get(status, "server")
        return Stop(
            f"{self.host}: the batch was refused, found {status} '{said.words}'; {advice}, then {AGAIN}", why
        )


@dataclass(frozen=True)
class _Said:
    """An answer as it may be shown: header names in lower case, the key as ***."""

    status: int
    headers: Mapping[str, str]
    words: str
    is_foreign: bool
    """Whether it is not in PostHog's manner."""

    @classmethod
    def of(cls, answer: Answer, key: str) -> "_Said":
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


def _retry(said: _Said, *, now: float) -> Retry:
    wait = said.headers.get("retry-after")
    hopeless = ""
    if said.status in NO_MATTER_HOW_LONG and said.is_foreign:
        hopeless = f"the answer is not PostHog's, found {said.as_strange()}"
    reason = f"{said.status}: {said.words[:SHOWN_CHARACTERS]}"
    return Retry(reason, retry_after(wait, now=now), unheeded(wait, now=now), hopeless)


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
    return text.startswith((b"{", b"[")) and _object(body).keys().isdisjoint(_OWN_WORDS)


def _is_ok(answer: dict[str, Any]) -> bool:
    status = answer.get("status")
    return "quota_limited" not in answer and (status == "Ok" or (type(status) is int and status == 1))


def _object(body: bytes) -> dict[str, Any]:
    """Return the JSON object a body is, an empty one where it is none."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}
