"""PostHog's private API: questions asked within its limits, asked again where that may help, answers as they are.

async with Api("https://eu.posthog.com", key) as api:
    rows = await api.query(1, queries.bounds("history"), name="bounds")
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from random import Random
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

import msgspec

from migrate.apply.halt import Halt
from migrate.apply.outcome import Retry, Stop
from migrate.apply.pacing import Backoff, TokenBucket
from migrate.apply.unanswered import Aim
from migrate.asking.answers import Asked, failure, meaning
from migrate.asking.http import OPTION, Http, is_silence
from migrate.errors import TookTooLong, Unasked
from migrate.screen import counted

AT_ONCE: Final = 3
A_SECOND: Final = 4.0
"""240 a minute; what an hour allows beyond that PostHog says by 429 (posthog-ingestion.md §9.6)."""
ATTEMPTS: Final = 6
"""Of one question that is answered by an error each time."""
PATIENCE: Final = 3_900.0
"""Seconds that one question waits at the most where it is asked to: an hour's allowance comes back within one."""
_TIMEOUT: Final = 60.0
"""Seconds for one answer; PostHog itself gives a query up after ten."""
_MODIFIERS: Final = {"convertToProjectTimezone": False}
"""Times are UTC. Without it they are in the project's zone, and days are others."""
_LATER: Final = "ask again later"
_PAGES: Final = 1_000
"""Of a list, a hundred of whatever it has on each."""
_POLLS: Final = 60
_POLL: Final = 10.0
"""Seconds between two looks at an answer that is not there yet, at the most."""


class Api:
    """Asks one PostHog; an async context manager. Raises Unasked for what cannot be had, Abandoned where it is halted.

    `on_wait` is told, before each wait, of so many seconds and why. `attempts` and `timeout` (seconds) are for one
    question; `halt` ends it early.
    """

    def __init__(  # noqa: PLR0913 - how it asks
        self,
        app_host: str,
        key: str,
        *,
        halt: Halt | None = None,
        on_wait: Callable[[float, str], None] = lambda _seconds, _why: None,
        backoff: Backoff | None = None,
        attempts: int = ATTEMPTS,
        timeout: float = _TIMEOUT,
    ) -> None:
        self.app_host = app_host
        self.asked = 0
        """Requests so far."""
        self._key = key
        self._halt = halt or Halt()
        self._on_wait = on_wait
        self._backoff = backoff or Backoff(Random())  # noqa: S311 - spreads retries, guards nothing
        self._attempts = attempts
        self._bucket = TokenBucket(A_SECOND)
        self._room = asyncio.Semaphore(AT_ONCE)
        self._http = Http(Aim(app_host, key, OPTION), timeout=timeout, connections=AT_ONCE)

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    async def get(self, path: str) -> dict[str, Any]:
        """Return the object that is at a path (`/api/projects/1/`)."""
        return self._object(await self._ask("GET", path), path)

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the object that a path answers to a body with."""
        return self._object(await self._ask("POST", path, msgspec.json.encode(body)), path)

    async def all(self, path: str) -> list[dict[str, Any]]:
        """Return all objects of a list, page by page; a list that has no pages, too."""
        found: list[dict[str, Any]] = []
        here: str | None = path
        for _ in range(_PAGES):
            if here is None:
                return found
            answer = await self._ask("GET", here)
            page = answer if isinstance(answer, list) else answer.get("results")
            if not isinstance(page, list):
                raise self._strange(path)
            found += [one for one in page if isinstance(one, dict)]
            after = None if isinstance(answer, list) else answer.get("next")
            # of the address it gives only which page it is: the key goes to our host, and nowhere else
            here = f"{path}?{urlsplit(after).query}" if isinstance(after, str) else None
        raise Unasked(
            f"{self.app_host}: over {_PAGES} pages at {path}, found no end of them; check --app-host"
        )

    async def query(self, project: int | str, hogql: str, *, name: str) -> list[list[Any]]:
        """Return the rows a query (`asking.queries`) answers, as PostHog counts them now; `name` is seen in its log.

        An answer from a cache is asked for again and never used; one that is not there yet is waited for. Raises
        TookTooLong where PostHog gives the query up.
        """
        path = f"/api/projects/{project}/query/"
        question = {"kind": "HogQLQuery", "query": hogql, "modifiers": _MODIFIERS}
        body = {"query": question, "refresh": "force_blocking", "name": name}
        for attempt in range(1, self._attempts + 1):
            answer = await self.post(path, body)
            if isinstance(status := answer.get("query_status"), dict):
                answer = await self._waited(path, status)
            if not answer.get("is_cached"):
                return self._rows(answer, path)
            if attempt < self._attempts:
                await self._wait(self._backoff.delay(attempt), "an answer from its cache")
        raise Unasked(
            f"{self.app_host}: {self._attempts} answers from a cache, and none that was counted now; {_LATER}"
        )

    async def _waited(self, path: str, status: Mapping[str, Any]) -> dict[str, Any]:
        """Return an answer that was not there yet (`query_status`)."""
        for attempt in range(_POLLS):
            if status.get("error"):
                raise failure(str(status.get("error_message") or ""), self._asked(path))
            if status.get("complete"):
                return self._object(status.get("results"), path)
            seconds = min(_POLL, 0.25 * 2.0 ** min(attempt, 10))
            await self._wait(seconds, "a query that runs")
            answer = await self.get(f"{path}{status.get('id')}/")
            status = self._object(answer.get("query_status"), path)
        raise Unasked(f"{self.app_host}: the query runs and runs, found no end of it; {_LATER}", "deadline")

    async def _ask(self, method: str, path: str, data: bytes | None = None) -> dict[str, Any] | list[Any]:
        """Ask until there is an answer; raises Unasked where there is none."""
        failures, waited = 0, 0.0
        while True:
            found = await self._once(method, path, data)
            if not isinstance(found, Retry):
                return found
            failures += found.retry_after is None
            seconds = self._backoff.delay(max(1, failures), found.retry_after)
            if found.hopeless:
                raise Unasked(f"{self.app_host}: {found.hopeless}")
            if waited + (asked := found.retry_after or 0.0) > PATIENCE:
                raise self._too_late(found, asked)
            if failures >= self._attempts:
                raise self._given_up(found, failures)
            waited += seconds
            await self._wait(seconds, found.reason)

    async def _once(self, method: str, path: str, data: bytes | None) -> dict[str, Any] | list[Any] | Retry:
        """Ask once, when the limits allow it."""
        headers = {"Authorization": f"Bearer {self._key}"}
        headers |= {} if data is None else {"Content-Type": "application/json"}
        async with self._room:
            if (seconds := self._bucket.reserve(1)) > 0:
                await self._halt.pause(seconds)
            self._halt.check()
            self.asked += 1
            answer = await self._http.ask(method, path, data, headers)
        if isinstance(answer, Stop):
            raise Unasked(answer.reason)
        if isinstance(answer, Retry):
            return answer
        return meaning(answer, self._asked(path), now=time.time())

    async def _wait(self, seconds: float, why: str) -> None:
        self._on_wait(seconds, why)
        await self._halt.pause(seconds)

    def _too_late(self, found: Retry, seconds: float) -> Unasked:
        what = f"it asks to come back in {seconds:,.0f} s, which is longer than it is waited for"
        return Unasked(f"{self.app_host}: {what}, found {found.reason}; {_LATER}", "deadline")

    def _given_up(self, found: Retry, failures: int) -> Unasked:
        kind = TookTooLong if is_silence(found) else Unasked
        what = f"no answer in {counted(failures, 'attempt')}, found {found.reason}"
        return kind(f"{self.app_host}: {what}; {found.advice or _LATER}")

    def _asked(self, path: str) -> Asked:
        return Asked(self.app_host, path, self._key)

    def _rows(self, answer: Mapping[str, Any], path: str) -> list[list[Any]]:
        rows = answer.get("results")
        if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
            raise self._strange(path)
        return rows

    def _object(self, answer: object, path: str) -> dict[str, Any]:
        if not isinstance(answer, dict):
            raise self._strange(path)
        return answer

    def _strange(self, path: str) -> Unasked:
        return Unasked(
            f"{self.app_host}: what {path} answers is JSON of another form than PostHog's; check --app-host"
        )
