"""One who is told how a command ends, in a thread of its own: an address is posted to, a file of metrics written."""

from __future__ import annotations

import ssl
import time
from http.client import HTTPException
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, Final
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, ProxyHandler, Request

from migrate import VERSION
from migrate.apply.certificates import Certificate
from migrate.apply.target import check_proxy, place_of, proxy_of
from migrate.apply.trouble import closed, no_connection, through_proxy, untrusted
from migrate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_SECONDS: Final = 4.0
"""How long one attempt waits; there are two at the most."""
_PAUSE: Final = 0.5
"""Seconds between them."""
_AGAIN: Final = {408, 429}
_SERVER_ERRORS: Final = 500
_TOLD: Final = range(200, 300)
_ELSEWHERE: Final = range(300, 400)


class Telling(Thread):
    """Tells one `place`; it is given up when the process ends. `why` is what is wrong, "" once it is done."""

    def __init__(self, option: str, place: str, after: Telling | None = None) -> None:
        super().__init__(daemon=True)
        self.option, self.place, self.after = option, place, after
        self.settled: SimpleQueue[Telling | None] = SimpleQueue()
        self.why = "no answer yet"

    def run(self) -> None:
        """Tell it, after the one before."""
        if self.after is not None:
            self.after.join()
        try:
            self.why = self.tell()
        finally:
            self.settled.put(self)

    def tell(self) -> str:
        """Tell it, and return what is wrong."""
        raise NotImplementedError


class Writing(Telling):
    """Writes a file of metrics: of how a command `ended`, as `migrate.report.metrics.Ended` has it."""

    def __init__(self, path: Path, ended: Mapping[str, Any]) -> None:
        super().__init__("metrics-file", str(path))
        self._path, self._ended = path, ended

    def tell(self) -> str:
        """Write it."""
        from migrate.report.metrics import Ended, note  # noqa: PLC0415 - it knows Prometheus' library

        try:
            note(self._path, Ended(**self._ended))
        except OSError as error:
            return error.strerror or "cannot be written"
        except UsageError as error:
            return str(error)
        return ""


class Post(Telling):
    """One request, tried twice, after the one before."""

    def __init__(self, option: str, url: str, body: bytes, kind: str, after: Post | None = None) -> None:
        super().__init__(option, urlsplit(url).hostname or "", after)
        self._url, self._body = url, body
        self._headers = {"Content-Type": kind, "User-Agent": f"posthog-migrate/{VERSION}"}

    def tell(self) -> str:
        """Send it."""
        why, may_pass = self._sent()
        if may_pass:
            time.sleep(_PAUSE)
            why, _ = self._sent()
        return why

    def _sent(self) -> tuple[str, bool]:
        """Return what is wrong, and whether it may pass; redirects are not followed, no library's words are shown."""
        try:
            check_proxy(self._url)
            request = Request(self._url, self._body, self._headers)  # noqa: S310 - `Address` is http or https
            with _opener(self._url).open(request, timeout=_SECONDS) as answer:
                status = int(answer.status)
        except UsageError as error:
            return str(error), False
        except (OSError, HTTPException, ValueError) as error:
            cause = error.reason if isinstance(error, URLError) else error
            return self._trouble(cause), not isinstance(cause, ssl.SSLCertVerificationError)
        if status in _TOLD:
            return "", False
        if status in _ELSEWHERE:
            return f"it answers {status}, and redirects are not followed", False
        return f"it answers {status}", status in _AGAIN or status >= _SERVER_ERRORS

    def _trouble(self, cause: object) -> str:
        """Return why no answer came."""
        if isinstance(cause, TimeoutError):
            return f"no answer within {_SECONDS:g} s"
        if isinstance(cause, ssl.SSLCertVerificationError):
            what, advice = untrusted(cause, self.place, Certificate())
            return f"its certificate is not trusted, {what}; {advice.replace('--host', f'--{self.option}')}"
        if not isinstance(cause, OSError):
            return "what answers is no HTTP"
        proxy = proxy_of(self._url)
        place = place_of(proxy or self._url)
        trouble = closed(place) if isinstance(cause, ConnectionResetError) else no_connection(cause, place)
        return (through_proxy(trouble) if proxy else trouble).what


def _opener(url: str) -> OpenerDirector:
    """Return what opens this URL, by the proxy that the environment names for it; no answer is an error."""
    opener, proxy = OpenerDirector(), proxy_of(url)
    opener.add_handler(ProxyHandler({urlsplit(url).scheme: proxy} if proxy else {}))
    opener.add_handler(HTTPHandler())
    if "https" in {urlsplit(url).scheme, urlsplit(proxy or "").scheme}:  # authorities take a while to read
        opener.add_handler(HTTPSHandler(context=ssl.create_default_context()))
    return opener
