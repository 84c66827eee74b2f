"""One question to a vendor over HTTP, and its answer; what it exports is written to a file as it comes."""

from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import aiohttp

from migrate import VERSION
from migrate.apply.capture import ANSWER_BYTES, Answer
from migrate.apply.outcome import Retry, Stop
from migrate.apply.target import proxy_of
from migrate.apply.unanswered import Aim, unanswered
from migrate.fetching.vendor import HOST, Question, TooMuch, Vendor

SILENCE: Final = 600.0
"""Seconds without a byte: Amplitude makes the zip before it sends the first one."""
_CONNECT: Final = 60.0
_PIECE: Final = 1 << 18


class Http:
    """Asks over kept connections; an async context manager.

    Certificates are always verified, proxies are taken from the environment, redirects are never followed: the
    credentials go where they were meant to go, and nowhere else. `silence` is seconds without a byte.
    """

    def __init__(self, vendor: Vendor, *, connections: int, silence: float = SILENCE) -> None:
        self.requests = 0
        self.bytes_received = 0
        """Of exports, as they came."""
        self._vendor = vendor
        self._connections = connections
        self._silence = silence
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={
                "User-Agent": f"posthog-migrate/{VERSION}",
                "Accept-Encoding": "gzip" if self._vendor.form == "gzip" else "identity",
            },
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT, sock_read=self._silence),
            proxy=proxy_of(self._vendor.url),  # not `trust_env`: ~/.netrc says who asks, too
            auto_decompress=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def get(self, question: Question, path: Path) -> Answer | TooMuch | Retry | Stop:
        """Ask once; what a 200 holds is in the file then, of any other answer the beginning is in its body.

        What comes instead of an answer is a value. Raises OSError where the file cannot be written.
        """
        vendor = self._vendor
        self.requests += 1
        who = {
            "Authorization": vendor.login.header
        }  # of a session's own headers, aiohttp tells the proxy as well
        try:
            async with self._session.get(
                f"{vendor.url}{question.path}",
                params=dict(question.query),
                headers=who,
                allow_redirects=False,
            ) as answer:
                body = b""
                if answer.status == HTTPStatus.OK:
                    await self._write(answer.content, path)
                else:
                    body = await answer.content.read(ANSWER_BYTES)
                return Answer(answer.status, answer.headers, body)
        except TimeoutError:
            return TooMuch(Retry(f"nothing heard for {self._silence:g} s"))
        except aiohttp.ClientError as error:
            secret = vendor.login.password or vendor.login.user
            return await unanswered(error, Aim(vendor.url, secret, HOST, vendor.title))

    async def _write(self, content: aiohttp.StreamReader, path: Path) -> None:
        with path.open("wb") as file:
            while piece := await content.read(_PIECE):
                file.write(piece)
                self.bytes_received += len(piece)
