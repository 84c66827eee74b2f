"""No answer over HTTP → what it means, in our own words: to be tried again, or to stop.

What aiohttp raises is told apart here; no message of a library's is ever shown.
"""

import ast
import re
import ssl
from dataclasses import dataclass, field, replace
from typing import Final

import aiohttp

from migrate.apply.capture import ADVICE, AGAIN, CLIENT_ERRORS, shown
from migrate.apply.certificates import Certificate, certificate_of
from migrate.apply.outcome import Retry, Stop
from migrate.apply.target import place_of, proxy_of
from migrate.apply.trouble import (
    Trouble,
    closed,
    is_no_tls,
    may_say_more,
    no_connection,
    through_proxy,
    untrusted,
)

_BYTES: Final = re.compile(r"b'[^'\n]*'|b\"[^\"\n]*\"")
"""What was answered, as aiohttp's messages quote it."""
_OPTION: Final = "--host"
_SERVER: Final = "PostHog"
"""The option that the words for troubles name, and whose server."""


@dataclass(frozen=True)
class Aim:
    """Where a request went: the host's URL, the key that no message may show, which option said it, whose it is."""

    url: str
    key: str = field(repr=False)
    option: str = _OPTION
    server: str = _SERVER


async def unanswered(error: aiohttp.ClientError, aim: Aim) -> Retry | Stop:
    """Return what it means that no answer came."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        found: Retry | Stop = await _untrusted(error, aim)
    else:
        found = _unanswered(error, aim)
    if isinstance(found, Stop):
        return replace(found, reason=_renamed(found.reason, aim))
    return replace(found, advice=_renamed(found.advice, aim), hopeless=_renamed(found.hopeless, aim))


def _renamed(text: str, aim: Aim) -> str:
    return text.replace(_OPTION, aim.option).replace(_SERVER, aim.server)


def _unanswered(error: aiohttp.ClientError, aim: Aim) -> Retry | Stop:
    place = place_of(aim.url)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return _refused_by_proxy(error, aim)
    if isinstance(error, aiohttp.ClientConnectorError):
        return _unconnected(error, place)
    if isinstance(error, aiohttp.ClientResponseError):
        said = _said(error, aim.key)
        return Retry(f"no HTTP: it says {said}", hopeless=_no_posthog(f"HTTP, found {said}", "https"))
    if isinstance(error, aiohttp.ClientPayloadError):
        return Retry("answer cut short: its end did not come, or it is not packed as it says")
    return _again(no_connection(error, place) if isinstance(error, OSError) else closed(place))


async def _untrusted(error: aiohttp.ClientConnectorCertificateError, aim: Aim) -> Stop:
    what, advice = "one that cannot be checked", "have the server's certificate mended"
    why, found = error.certificate_error, Certificate()
    if isinstance(why, ssl.SSLCertVerificationError):
        if may_say_more(why) and proxy_of(aim.url) is None:
            found = await certificate_of(error.host, error.port)
        what, advice = untrusted(why, error.host, found)
    return Stop(f"{aim.url}: its certificate is not trusted, found {what}; {advice}, then {AGAIN}")


def _refused_by_proxy(error: aiohttp.ClientHttpProxyError, aim: Aim) -> Retry | Stop:
    words = f"{error.status} {shown(error.message, aim.key)}".strip()
    if error.status in CLIENT_ERRORS:
        return Stop(f"{aim.url}: the proxy refuses, found '{words}'; {ADVICE[407]}, then {AGAIN}")
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
