"""The transport over HTTP: one request posted, one answer read.

Whatever is uncertain (a timeout after sending, a reset) is to be sent again, byte for byte.
"""

import time
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, Final, Self

import aiohttp

from migrate import VERSION
from migrate.apply.capture import Answer, Capture
from migrate.apply.outcome import Outcome, Request, Retry
from migrate.apply.target import proxy_of
from migrate.apply.unanswered import Aim, unanswered

if TYPE_CHECKING:
    from types import TracebackType

WHOLE_UP_TO_BYTES: Final = 512 * 1024  # of a body written to the network in one go, without blocking the loop


class Http:
    """Posts requests to one PostHog over kept connections; a context manager: `async with Http(…)`.

    Certificates are always verified, proxies are taken from the environment, redirects are never followed.
    `timeout` is seconds for one whole request.
    """

    def __init__(self, capture: Capture, *, timeout: float, connections: int) -> None:
        self.requests = 0
        self.bytes_sent = 0
        """Of bodies, as compressed, as far as they were written to the network."""
        self._capture = capture
        self._timeout = timeout
        self._connections = connections
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        trace = aiohttp.TraceConfig()
        trace.on_request_chunk_sent.append(self._count)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Content-Type": "application/json", "User-Agent": f"posthog-migrate/{VERSION}"},
            timeout=aiohttp.ClientTimeout(total=self._timeout),
            trace_configs=[trace],
            proxy=proxy_of(self._capture.host),  # not `trust_env`: ~/.netrc says who asks, too
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        await self._session.close()

    async def _count(
        self, _session: aiohttp.ClientSession, _context: object, sent: aiohttp.TraceRequestChunkSentParams
    ) -> None:
        self.bytes_sent += len(sent.chunk)

    async def send(self, request: Request) -> Outcome:
        """Send one request once; every answer and every network failure is an outcome, never an exception."""
        self.requests += 1
        began = time.monotonic()
        outcome = await self._post(request)
        return replace(outcome, seconds=time.monotonic() - began, attempt=request.attempt)

    async def _post(self, request: Request) -> Outcome:
        data = request.data if len(request.data) <= WHOLE_UP_TO_BYTES else BytesIO(request.data)
        headers = {**request.headers, **self._capture.headers(request, now=time.time())}
        try:
            async with self._session.post(
                self._capture.url, data=data, headers=headers, allow_redirects=False
            ) as answer:
                body = await _start(answer.content, self._capture.answer_bytes(request.events))
                found = Answer(answer.status, answer.headers, body)
                return self._capture.outcome(found, request, now=time.time())
        except TimeoutError:
            return Retry(
                f"no answer within {self._timeout:g} s", advice="raise --timeout where the server is slow"
            )
        except aiohttp.ClientError as error:
            return await unanswered(error, Aim(self._capture.host, self._capture.key))


async def _start(stream: aiohttp.StreamReader, most: int) -> bytes:
    """Return the beginning of an answer's body, so many bytes at the most; nothing after them is read."""
    text = bytearray()
    while len(text) < most and (more := await stream.read(most - len(text))):
        text += more
    return bytes(text)
