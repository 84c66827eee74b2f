"""Whether PostHog answers where events are sent, told without sending any.

Capture refuses a batch without events in words of its own (posthog-ingestion.md §1.4): what says them is PostHog, and
no proxy, no login page and no other server. Nothing is stored of such a request.
"""

import gzip
import time
from dataclasses import dataclass
from typing import Final

from migrate.apply.capture import AGAIN, Answer
from migrate.apply.capture_v0 import CaptureV0
from migrate.apply.outcome import Accepted, Outcome, Request, Retry, Split, Stop
from migrate.apply.question import Question, asked
from migrate.apply.unanswered import Aim
from migrate.asking.http import Http
from migrate.errors import Unasked

_OWN_WORDS: Final = "request holds no event"
_ASK_AGAIN: Final = "run the same command again"
_NO_KEY: Final = "phc_none"
"""Stands for a key where none is given; a batch without events is refused before anybody looks at it."""
_JSON: Final = {"Content-Type": "application/json"}
_GZIP: Final = {"Content-Encoding": "gzip"}


@dataclass(frozen=True)
class Reached:
    """What answers where events are sent."""

    url: str
    takes_gzip: bool
    has_v1: bool | None = None
    """Whether capture v1 is there; None where it was not asked for."""


class Reach:
    """Knocks at capture; `timeout` is seconds for one answer."""

    def __init__(self, url: str, key: str | None, *, timeout: float) -> None:
        self._capture = CaptureV0(url, key or _NO_KEY)
        self._http = Http(Aim(url, self._capture.key), timeout=timeout, connections=1)

    async def shortly(self, *, is_packed: bool) -> Reached | Retry:
        """Ask once, as batches are sent; where there is no answer now, return why. Raises Unasked for no PostHog."""
        async with self._http:
            outcome = await self._empty(is_packed=is_packed)
        if isinstance(outcome, Retry) and not outcome.hopeless:
            return outcome
        if not _is_posthog(outcome):
            raise self._strange(outcome)
        return Reached(self._capture.host, takes_gzip=is_packed)

    async def fully(self) -> Reached:
        """Ask whether it takes compressed bodies, and whether capture v1 is there; raises Unasked for no PostHog."""
        async with self._http:
            packed = await self._empty(is_packed=True)
            takes_gzip = _is_posthog(packed)
            if not takes_gzip:
                plain = packed if isinstance(packed, Retry) else await self._empty(is_packed=False)
                if not _is_posthog(plain):
                    raise self._strange(plain, again=_ASK_AGAIN)
            return Reached(self._capture.host, takes_gzip, await self._has_v1())

    async def _empty(self, *, is_packed: bool) -> Outcome:
        """Return what a batch without events comes to."""
        envelope = self._capture.envelope
        data = envelope.head + envelope.tail
        headers = _JSON | _GZIP if is_packed else _JSON
        data = gzip.compress(data, mtime=0) if is_packed else data
        answer = await self._http.ask("POST", self._path(), data, headers)
        if not isinstance(answer, Answer):
            return answer
        return self._capture.outcome(answer, Request(data, headers, 0), now=time.time())

    async def _has_v1(self) -> bool | None:
        """Return whether v1 is there, asked as who sends asks; None where nobody can tell now."""
        outcome = await asked(self._question)
        return None if isinstance(outcome, Retry) else isinstance(outcome, Accepted)

    async def _question(self) -> Outcome:
        question, now = Question(self._capture.host, self._capture.key), time.time()
        request = question.request()
        headers = {**_JSON, **question.headers(request, now=now)}
        answer = await self._http.ask("POST", question.path, request.data, headers)
        return question.outcome(answer, request, now=now) if isinstance(answer, Answer) else answer

    def _path(self) -> str:
        return self._capture.url.removeprefix(self._capture.host)

    def _strange(self, outcome: Outcome, again: str = AGAIN) -> Unasked:
        url = self._capture.host
        if isinstance(outcome, Stop):
            return Unasked(outcome.reason.replace(AGAIN, again), outcome.why)
        if isinstance(outcome, Retry):
            advice = outcome.advice or "try again later"
            what = outcome.hopeless.replace(AGAIN, again) or f"no answer, found {outcome.reason}; {advice}"
            return Unasked(f"{url}: {what}")
        found = f"{outcome.status} '{outcome.message}'" if isinstance(outcome, Split) else "another answer"
        return Unasked(
            f"{url}: not what PostHog says of a batch without events, found {found}; check --host, and whether a proxy "
            "stands in between"
        )


def _is_posthog(outcome: Outcome) -> bool:
    """Return whether an answer is capture's: the refusal of today's, or the nod of older ones."""
    return isinstance(outcome, Accepted) or (isinstance(outcome, Split) and _OWN_WORDS in outcome.message)
