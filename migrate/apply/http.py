"""The transport over HTTP: one request posted, one answer read; the only module that knows aiohttp (the client).

Whatever is uncertain (a timeout after sending, a reset) is to be sent again, byte for byte.
"""

import ast
import re
import ssl
import time
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, Final, Self

import aiohttp

from migrate import VERSION
from migrate.apply.capture import ADVICE, AGAIN, CLIENT_ERRORS, Answer, Capture, shown
from migrate.apply.certificates import Certificate, certificate_of
from migrate.apply.outcome import Outcome, Request, Retry, Stop
from migrate.apply.target import is_loopback, place_of, proxy_of
from migrate.apply.trouble import (
    Trouble,
    closed,
    is_no_tls,
    may_say_more,
    no_connection,
    through_proxy,
    untrusted,
)

if TYPE_CHECKING:
    from types import TracebackType

ANSWER_BYTES: Final = 64 * 1024  # PostHog's answers are one line; nothing after this much is read
WHOLE_UP_TO_BYTES: Final = 512 * 1024  # of a body written to the network in one go, without blocking the loop
_BYTES: Final = re.compile(r"b'[^'\n]*'|b\"[^\"\n]*\"")
"""What was answered, as aiohttp's messages quote it."""


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
            trust_env=not is_loopback(self._capture.host),
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
        return replace(outcome, seconds=time.monotonic() - began)

    async def _post(self, request: Request) -> Outcome:
        data = request.data if len(request.data) <= WHOLE_UP_TO_BYTES else BytesIO(request.data)
        try:
            async with self._session.post(
                self._capture.url, data=data, headers=request.headers, allow_redirects=False
            ) as answer:
                body = await _start(answer.content)
                return self._capture.outcome(Answer(answer.status, answer.headers, body), now=time.time())
        except TimeoutError:
            return Retry(
                f"no answer within {self._timeout:g} s", advice="raise --timeout where the server is slow"
            )
        except aiohttp.ClientError as error:
            if isinstance(error, aiohttp.ClientConnectorCertificateError):
                return await self._untrusted(error)
            return self._unanswered(error)

    def _unanswered(self, error: aiohttp.ClientError) -> Retry | Stop:
        """Return what it means that no answer came; the words are ours, never those of a library."""
        place = place_of(self._capture.host)
        if isinstance(error, aiohttp.ClientHttpProxyError):
            return self._refused_by_proxy(error)
        if isinstance(error, aiohttp.ClientConnectorError):
            return _unconnected(error, place)
        if isinstance(error, aiohttp.ClientResponseError):
            said = _said(error, self._capture.key)
            return Retry(f"no HTTP: it says {said}", hopeless=_no_posthog(f"HTTP, found {said}", "https"))
        if isinstance(error, aiohttp.ClientPayloadError):
            return Retry("answer cut short: its end did not come, or it is not packed as it says")
        return _again(no_connection(error, place) if isinstance(error, OSError) else closed(place))

    async def _untrusted(self, error: aiohttp.ClientConnectorCertificateError) -> Stop:
        what, advice = "one that cannot be checked", "have the server's certificate mended"
        why, found = error.certificate_error, Certificate()
        if isinstance(why, ssl.SSLCertVerificationError):
            if may_say_more(why) and proxy_of(self._capture.host) is None:
                found = await certificate_of(error.host, error.port)
            what, advice = untrusted(why, error.host, found)
        return Stop(
            f"{self._capture.host}: its certificate is not trusted, found {what}; {advice}, then {AGAIN}"
        )

    def _refused_by_proxy(self, error: aiohttp.ClientHttpProxyError) -> Retry | Stop:
        words = f"{error.status} {shown(error.message, self._capture.key)}".strip()
        if error.status in CLIENT_ERRORS:
            return Stop(
                f"{self._capture.host}: the proxy refuses, found '{words}'; {ADVICE[407]}, then {AGAIN}"
            )
        return _again(through_proxy(Trouble(f"it answers '{words}'", "")))


def _unconnected(error: aiohttp.ClientConnectorError, place: str) -> Retry:
    """Return why there is no connection: to the server, or to the proxy where that is another place."""
    there = f"{error.host}:{error.port}"
    if is_no_tls(error.os_error):
        return Retry(
            f"no TLS: what answers at {there} does not encrypt",
            hopeless=_no_posthog("TLS, found an answer that is not encrypted", "http"),
        )
    trouble = no_connection(error.os_error, there)
    return _again(trouble if there == place else through_proxy(trouble))


def _again(trouble: Trouble) -> Retry:
    return Retry(trouble.what, advice=trouble.advice)


def _no_posthog(what: str, scheme: str) -> str:
    """Return that what answers is no PostHog, and what to do."""
    return f"what is there speaks no {what}; check the port in --host, and whether it is {scheme}://, then {AGAIN}"


def _said(error: aiohttp.ClientResponseError, key: str) -> str:
    """Return what was answered that is no HTTP, as far as it is known."""
    if (quoted := _BYTES.search(error.message)) is None:
        return "nothing that can be shown"
    return f"'{shown(ast.literal_eval(quoted[0]).decode('latin-1'), key)}'"


async def _start(stream: aiohttp.StreamReader) -> bytes:
    """Return the beginning of an answer's body."""
    text = b""
    while len(text) < ANSWER_BYTES and (more := await stream.read(ANSWER_BYTES - len(text))):
        text += more
    return text
