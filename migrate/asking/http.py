"""One question over HTTP, and its answer; the private API's side of what `apply.http` is to capture."""

from types import TracebackType
from typing import Final, Self

import aiohttp

from migrate import VERSION
from migrate.apply.capture import Answer
from migrate.apply.outcome import Retry, Stop
from migrate.apply.target import proxy_of
from migrate.apply.unanswered import Aim, unanswered

OPTION: Final = "--app-host"
"""What says where it is asked, as messages name it."""
ANSWER_BYTES: Final = 64 * 2**20
"""Of an answer, unpacked: 50,000 rows of what is asked for are a tenth of it."""
_PIECE: Final = 2**16
_SILENCE: Final = "no answer within"


class Http:
    """Asks over kept connections; an async context manager.

    Certificates are always verified, proxies are taken from the environment, redirects are never followed: the key goes
    where it was meant to go, and nowhere else. `timeout` is seconds for one whole question.
    """

    def __init__(self, aim: Aim, *, timeout: float, connections: int) -> None:
        self._aim = aim
        self._timeout = timeout
        self._connections = connections
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        headers = {"User-Agent": f"posthog-migrate/{VERSION}", "Accept": "application/json"}
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=self._timeout),
            proxy=proxy_of(self._aim.url),  # not `trust_env`: ~/.netrc says who asks, too
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def ask(
        self, method: str, path: str, data: bytes | None, headers: dict[str, str]
    ) -> Answer | Retry | Stop:
        """Ask once; what comes instead of an answer is a value, never an exception."""
        try:
            async with self._session.request(
                method, f"{self._aim.url}{path}", data=data, headers=headers, allow_redirects=False
            ) as answer:
                body = bytearray()
                while more := await answer.content.read(_PIECE):
                    body += more
                    if len(body) > ANSWER_BYTES:
                        return Stop(
                            f"{self._aim.url}: the answer is over {ANSWER_BYTES} bytes; ask for less at once"
                        )
                return Answer(answer.status, answer.headers, bytes(body))
        except TimeoutError:
            return Retry(f"{_SILENCE} {self._timeout:g} s")
        except aiohttp.ClientError as error:
            return await unanswered(error, self._aim)


def is_silence(found: Retry) -> bool:
    """Return whether an answer was waited for and did not come, here or at a gateway before PostHog."""
    return found.reason.startswith((_SILENCE, "504"))
