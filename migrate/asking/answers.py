"""What an answer of the private API means: what was asked for, to be asked again, or why not; pure.

PostHog says why in JSON: `{"type": …, "code": …, "detail": …}` (Django REST framework's form).
"""

import json
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from migrate.apply.capture import CLIENT_ERRORS, SERVER_ERRORS, Answer, retry_after, shown
from migrate.apply.outcome import Retry
from migrate.asking.target import PROJECT_SECRET, SCOPES
from migrate.errors import TookTooLong, Unasked

_TOO_LONG: Final = re.compile(
    r"max(imum)? execution time|execution time (is )?(too long|exceeded)|time ?limit|timeout[ _]exceeded|timed out"
    r"|memory limit",
    re.IGNORECASE,
)
"""How PostHog and ClickHouse say that a query was given up."""
_GIVEN_UP: Final = {HTTPStatus.GATEWAY_TIMEOUT, 512, 513}
"""Statuses with which PostHog itself says so: hit the time, estimated as too long, out of memory."""
_SECONDS: Final = re.compile(r"in (\d+) seconds?")
"""How long it is to be left alone, as its words have it where no header does."""
REGIONS: Final = "keys of us and eu are apart"


@dataclass(frozen=True)
class Asked:
    """What was asked: where, what, and with which key, which no message may show."""

    url: str
    path: str
    key: str = field(repr=False)


def meaning(answer: Answer, asked: Asked, *, now: float) -> dict[str, Any] | list[Any] | Retry:
    """Return what was asked for, or when to ask again; raises Unasked where asking again is no use.

    `now` is the time of day in seconds since 1970.
    """
    said = _read(answer.body)
    if answer.status in {200, 201, 202} and isinstance(said, dict | list):
        return said
    words = _words(answer, said, asked.key)
    is_own = isinstance(said, dict) and bool({"detail", "type", "code", "error"} & said.keys())
    if is_own and (
        answer.status in _GIVEN_UP or (answer.status in {400, 500, 503} and _TOO_LONG.search(words))
    ):
        raise _too_long(words, asked, answer.status)
    if answer.status in {408, 429} or answer.status in SERVER_ERRORS:
        return Retry(f"{answer.status}: {words}", _wait(answer, words, now=now))
    why = "key" if answer.status in {401, 403} and is_own else "server"
    raise Unasked(_refusal(answer, asked, words, is_own=is_own), why, status=answer.status, words=words)


def _refusal(answer: Answer, asked: Asked, words: str, *, is_own: bool) -> str:
    found = f"found {answer.status} '{words}'"
    if not is_own or answer.status not in CLIENT_ERRORS:
        where = shown(answer.headers.get("Location", ""), asked.key)
        to = f" to {where}" if where else ""
        return (
            f"{asked.url}: the answer is not PostHog's, found {answer.status}{to} '{words}'; check --app-host, and "
            "whether a proxy or a login page stands in between"
        )
    match answer.status:
        case 401:
            return (
                f"{asked.url}: the personal API key is not taken, {found}; check POSTHOG_PERSONAL_API_KEY, and that it "
                f"is of this region ({REGIONS}), with the scopes {SCOPES}"
            )
        case 403 if asked.key.startswith(PROJECT_SECRET) and asked.path == "/api/projects/":
            return (
                f"{asked.url}: a project's secret key (phs_…) does not say whose it is, {found}; give the project's "
                "number in POSTHOG_PROJECT_ID, or ask with a personal API key (phx_…)"
            )
        case 403:
            return (
                f"{asked.url}: the key may not ask this, {found}; give it the scopes {SCOPES} of this project"
            )
        case 404:
            return (
                f"{asked.url}: nothing is at {asked.path}, {found}; check POSTHOG_PROJECT_ID, and that the personal "
                f"API key is of this region ({REGIONS})"
            )
    return f"{asked.url}: PostHog does not take {asked.path}, {found}; its version may lack what is asked for"


def failure(words: str, asked: Asked) -> Unasked:
    """Return why a query has failed that was answered later, by PostHog's words for it."""
    words = shown(words, asked.key)
    if _TOO_LONG.search(words):
        return _too_long(words, asked, HTTPStatus.OK)
    return Unasked(
        f"{asked.url}: the query has failed, found '{words}'; its version may lack what is asked for",
        words=words,
    )


def _too_long(words: str, asked: Asked, status: int) -> TookTooLong:
    return TookTooLong(
        f"{asked.url}: PostHog gave the query up, found {status} '{words}'; ask for less at once",
        status=status,
        words=words,
    )


def _wait(answer: Answer, words: str, *, now: float) -> float | None:
    """Return the seconds it asks to be left alone."""
    found = retry_after(answer.headers.get("Retry-After"), now=now)
    if (
        found is None
        and answer.status == HTTPStatus.TOO_MANY_REQUESTS
        and (in_words := _SECONDS.search(words))
    ):
        return float(in_words[1])
    return found


def _words(answer: Answer, said: object, key: str) -> str:
    """Return what was said, on one line, without the key."""
    detail = said.get("detail") or said.get("error") if isinstance(said, dict) else None
    return shown(detail if isinstance(detail, str) else answer.body.decode("utf-8", errors="replace"), key)


def _read(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
