"""One request → one outcome; the only module that knows aiohttp (the client).

The rules are those of PostHog's capture endpoint: an answer counts as accepted only if it is unmistakably
PostHog's own, and whatever is uncertain (a timeout after sending, a reset) is sent again, byte for byte.
"""

import asyncio
import json
import math
import time
from dataclasses import dataclass, field, replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

import aiohttp
from isal import igzip

from migrate import VERSION
from migrate.apply.target import is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

ANSWER_BYTES: Final = 64 * 1024  # PostHog's answers are one line; nothing after this much is read
SHOWN_CHARACTERS: Final = 200  # of a strange answer: enough to recognise a login page
SERVER_WORDS: Final = 1000  # characters kept of what PostHog says about a refused batch
GZIP_FROM_BYTES: Final = 4 * 1024  # below this, compression saves no more than a network packet or two
THREAD_FROM_BYTES: Final = 64 * 1024  # below this, compressing takes less time than handing it to a thread
WHOLE_UP_TO_BYTES: Final = 512 * 1024  # of a body written to the network in one go, without blocking the loop
CLIENT_ERRORS: Final = range(400, 500)
SERVER_ERRORS: Final = range(500, 600)
AGAIN: Final = "run the same command again to resume"
A_YEAR: Final = 366 * 86_400.0  # seconds: a Retry-After beyond that is no time to come back
NO_MATTER_HOW_LONG: Final = {
    HTTPStatus.NOT_IMPLEMENTED,
    HTTPStatus.HTTP_VERSION_NOT_SUPPORTED,
    HTTPStatus.NETWORK_AUTHENTICATION_REQUIRED,
}
_OWN_WORDS: Final = ("type", "code", "detail", "error")
_SERVERS_WORDS: Final = ("client sent an http request to an https server", "400 bad request")
"""How web servers (Go's, nginx) begin a refusal in plain text that no application behind them has seen."""
_NO_TLS: Final = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST")
"""What OpenSSL calls an answer that is no TLS."""
ADVICE: Final = {
    401: "check --api-key (the project's own key, phc_…)",
    402: "check the project's billing and quota",
    403: "check --api-key, and whether this network may reach the host",
    404: "check --host: there is no capture endpoint at this address",
    405: "check --host: what answers at this address takes no events",
    407: "check the proxy in HTTP_PROXY or HTTPS_PROXY",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    seconds: float = field(default=0.0, compare=False)  # from opening the request to the end of the answer


@dataclass(frozen=True, slots=True)
class Accepted(_Answer):
    """PostHog has taken the whole batch."""


@dataclass(frozen=True, slots=True)
class Retry(_Answer):
    """Maybe stored, maybe not: the same bytes again, not before `retry_after` seconds."""

    reason: str
    retry_after: float | None = None
    unheeded: str = field(default="", compare=False)
    """A Retry-After that says no time there can be."""
    hopeless: str = field(default="", compare=False)
    """What is there and what to do, where waiting helps only a PostHog that was there before."""


@dataclass(frozen=True, slots=True)
class Split(_Answer):
    """An event is wrong (400), or an event or the batch too big (413); `message` is the server's words."""

    status: int
    message: str


@dataclass(frozen=True, slots=True)
class Stop(_Answer):
    """Nothing of the batch counts as accepted, and sending more is wrong until a person has looked."""

    reason: str


Outcome: TypeAlias = Accepted | Retry | Split | Stop


def retry_after(value: str | None, *, now: float) -> float | None:
    """Give the seconds a Retry-After header asks for, written as seconds or as an HTTP date; never negative.

    `now` is the time of day in seconds since 1970. None when there is no such header, none to understand, or one that
    asks for more than a year.
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


def _unheeded(value: str | None, *, now: float) -> str:
    """Return a Retry-After that is not heeded because it says no time there can be; nothing where it is."""
    text = (value or "").strip()
    return text if text.startswith("-") or (text and retry_after(text, now=now) is None) else ""


def outcome(  # noqa: PLR0911, PLR0913 - an answer has this many parts, and as many meanings
    status: int, headers: "Mapping[str, str]", body: bytes, *, url: str, now: float, secret: str = ""
) -> Outcome:
    """Say what an answer means; pure. `secret` is shown as *** wherever the server echoes it."""
    answer = _object(body) if status == HTTPStatus.OK else {}
    if _is_ok(answer):
        return Accepted()
    named = {name.lower(): _shown(value, secret) for name, value in headers.items()}
    said = _shown(body.decode("utf-8", errors="replace"), secret, limit=SERVER_WORDS)
    if status == HTTPStatus.BAD_REQUEST and _is_foreign(body, named.get("content-type", "")):
        return Stop(f"{url}: the refusal is not PostHog's, found {_strange(status, named, said)}")
    if status in {400, 413}:
        return Split(status, said or f"status {status} without a word")
    if status in {408, 429} or status in SERVER_ERRORS:
        wait = named.get("retry-after")
        strange = ""
        if status in NO_MATTER_HOW_LONG and _is_foreign(body, named.get("content-type", "")):
            strange = f"the answer is not PostHog's, found {_strange(status, named, said)}"
        return Retry(
            f"{status}: {said[:SHOWN_CHARACTERS]}",
            retry_after(wait, now=now),
            _unheeded(wait, now=now),
            strange,
        )
    if status in CLIENT_ERRORS:
        advice = ADVICE.get(status, "see what the server says")
        if status in {401, 403} and _is_foreign(body, named.get("content-type", "")):
            advice = "the words are not PostHog's: check --host, and whether a proxy or a login page stands in between"
        return Stop(f"{url}: the batch was refused, found {status} '{said}'; {advice}, then {AGAIN}")
    if "quota_limited" in answer:
        return Stop(
            f"{url}: the project is over its quota and keeps nothing of this batch, found"
            f" '{said[:SHOWN_CHARACTERS]}'; raise the project's limit, then {AGAIN}"
        )
    return Stop(f"{url}: the answer is not PostHog's, found {_strange(status, named, said)}")


def _strange(status: int, named: "Mapping[str, str]", said: str) -> str:
    """Return what was found that is not PostHog's, and what to do."""
    target = f" to {named['location']}" if "location" in named else ""
    return (
        f"{status}{target}, {named.get('content-type', 'no type')}, '{said[:SHOWN_CHARACTERS]}'; check --host, and "
        f"whether a proxy or a login page stands in between, then {AGAIN}"
    )


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
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _shown(text: str, secret: str, *, limit: int = SHOWN_CHARACTERS) -> str:
    # The key goes first: once cut it would not be found. Control characters could steer a terminal.
    for form in (secret, json.dumps(secret)[1:-1]) if secret else ():
        text = text.replace(form, "***")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:limit]


@dataclass(frozen=True, slots=True, repr=False)
class Packed:
    """A request body as it goes over the network, and the headers that say so."""

    data: bytes
    headers: dict[str, str]


def _compressed(pieces: "Sequence[bytes | memoryview]") -> Packed:
    return Packed(igzip.compress(b"".join(pieces), 1, mtime=0), {"Content-Encoding": "gzip"})


class Transport:
    """Posts request bodies to one host over kept connections; a context manager: `async with Transport(…)`.

    Certificates are always verified, proxies are taken from the environment, redirects are never followed.
    `timeout` is seconds for one whole request; `secret` is the key that no message may show.
    """

    def __init__(self, url: str, *, timeout: float, gzip: bool, connections: int, secret: str = "") -> None:
        self.requests = 0
        self.bytes_sent = 0  # of bodies, as compressed, as far as they were written to the network
        self._url = url
        self._timeout = timeout
        self._gzip = gzip
        self._connections = connections
        self._secret = secret
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
            trust_env=not is_loopback(self._url),
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

    def pack(self, *pieces: bytes | memoryview) -> Packed:
        """Put the pieces of a body together as they are sent, in the thread that asks."""
        if not self._gzip or sum(map(len, pieces)) < GZIP_FROM_BYTES:
            return Packed(b"".join(pieces), {})
        return _compressed(pieces)

    async def packed(self, *pieces: bytes | memoryview) -> Packed:
        """Do the same; large bodies are compressed in a thread."""
        if not self._gzip or sum(map(len, pieces)) < THREAD_FROM_BYTES:
            return self.pack(*pieces)
        return await asyncio.to_thread(self.pack, *pieces)

    async def send(self, body: bytes | Packed) -> Outcome:
        """Send one body once; every answer and every network failure is an outcome, never an exception."""
        packed = await self.packed(body) if isinstance(body, bytes) else body
        self.requests += 1
        began = time.monotonic()
        answer = await self._post(packed)
        return replace(answer, seconds=time.monotonic() - began)

    async def _post(self, packed: Packed) -> Outcome:
        data = packed.data if len(packed.data) <= WHOLE_UP_TO_BYTES else BytesIO(packed.data)
        try:
            async with self._session.post(
                f"{self._url}/batch/", data=data, headers=packed.headers, allow_redirects=False
            ) as answer:
                text = await _start(answer.content)
                return outcome(
                    answer.status, answer.headers, text, url=self._url, now=time.time(), secret=self._secret
                )
        except TimeoutError:
            return Retry(f"no answer within {self._timeout:g} s")
        except aiohttp.ClientError as error:
            return self._unanswered(error)

    def _unanswered(self, error: aiohttp.ClientError) -> Outcome:
        text = error.message if type(error) is aiohttp.ClientResponseError else str(error)
        words = _shown(text, self._secret) or type(error).__name__
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            return Stop(
                f"{self._url}: its certificate is not trusted, found '{words}'; check --host, then {AGAIN}"
            )
        if isinstance(error, aiohttp.ClientHttpProxyError) and error.status in CLIENT_ERRORS:
            return Stop(f"{self._url}: the proxy refuses, found '{words}'; {ADVICE[407]}, then {AGAIN}")
        hopeless = _hopeless(error)
        found = f"{hopeless[0]}, found '{words}'; {hopeless[1]}, then {AGAIN}" if hopeless else ""
        return Retry(f"no answer: {words}", hopeless=found)


def _hopeless(error: aiohttp.ClientError) -> tuple[str, str] | None:
    """Return what is there instead of a PostHog and what to do; None where there may be one after a while."""
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        reason = getattr(error.os_error, "reason", None)
        if reason in _NO_TLS:
            return "what is there speaks no TLS", "check the port in --host, and whether it is http://"
    elif isinstance(error, aiohttp.ClientHttpProxyError):
        return None
    elif isinstance(error, aiohttp.ClientResponseError):
        return "what is there speaks no HTTP", "check the port in --host, and whether it is https://"
    return None


async def _start(stream: aiohttp.StreamReader) -> bytes:
    text = b""
    while len(text) < ANSWER_BYTES and (more := await stream.read(ANSWER_BYTES - len(text))):
        text += more
    return text
