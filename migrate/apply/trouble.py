"""What goes wrong between here and a server → what it is, in plain words, and what to do about it."""

import errno
import os
import re
import socket
import ssl
from pathlib import Path
from typing import Final, NamedTuple

from migrate.apply.certificates import Certificate

CA_FILE: Final = "SSL_CERT_FILE"
"""The environment variable that names the authorities to trust; OpenSSL's own, instead of the system's file."""
_ERRNO: Final = re.compile(r"\[Errno (\d+)\]")
_NO_TLS: Final = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST")
"""What OpenSSL calls an answer that is no TLS."""
_BETWEEN: Final = "whether a proxy or a firewall stands in between"
_CHECK: Final = f"check this machine's network, and {_BETWEEN}"
_CLOSED: Final = (
    "connection closed: {place} ended it before it had answered",
    f"check http:// or https:// in --host, and {_BETWEEN}",
)
_NO_ROUTE: Final = (
    "no route: {place} cannot be reached from this machine",
    "check this machine's network and VPN",
)
_REFUSED: Final = (
    "connection refused: nothing listens at {place}",
    "check that PostHog runs there, and the port in --host",
)
_TIMED_OUT: Final = ("connection timed out: nothing answers at {place}", f"check --host, and {_BETWEEN}")
_UNKNOWN: Final = (
    "name not found: {host}",
    "check the spelling of --host, and this machine's name server (DNS)",
)
_SILENT: Final = (
    "name not looked up: no name server answers for {host}",
    "check this machine's network and its name server (DNS)",
)
_BY_NUMBER: Final[dict[int | None, tuple[str, str]]] = {
    errno.ECONNREFUSED: _REFUSED,
    errno.ETIMEDOUT: _TIMED_OUT,
    **dict.fromkeys((errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN), _NO_ROUTE),
    **dict.fromkeys((errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE), _CLOSED),
}
"""The system's number of an error → what it is, and what to do."""
# Codes of X509_V_ERR_…, openssl/x509_vfy.h
_SELF_SIGNED: Final = 18
_PRIVATE_ROOT: Final = 19
_UNKNOWN_ISSUER: Final = {2, 20, 21, 27}
_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
_OTHER_NAME: Final = {62, 64}


class Trouble(NamedTuple):
    """Why no answer came, and what to do."""

    what: str
    """A word or two, and after a colon what more is known."""
    advice: str


def no_connection(error: OSError, place: str) -> Trouble:
    """Return why no connection to a place came about, or why one broke; `place` is `host:port`."""
    if isinstance(error, socket.gaierror):
        what, advice = _SILENT if error.errno == socket.EAI_AGAIN else _UNKNOWN
        return Trouble(what.format(host=place.rpartition(":")[0]), advice)
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return closed(place)
    if isinstance(error, ssl.SSLError):
        words = (error.reason or "no reason given").replace("_", " ").lower()
        return Trouble(f"no TLS with {place}: {words}", f"check the port in --host, and {_BETWEEN}")
    number = _number(error)
    what, advice = _BY_NUMBER.get(number, (f"connection failed: {_words(number)}, at {{place}}", _CHECK))
    return Trouble(what.format(place=place), advice)


def closed(place: str) -> Trouble:
    """Return that a connection ended before there was an answer."""
    what, advice = _CLOSED
    return Trouble(what.format(place=place), advice)


def through_proxy(trouble: Trouble) -> Trouble:
    """Return what is wrong where the place is a proxy's."""
    what = trouble.what.replace(": ", ", ", 1)
    return Trouble(f"no way through the proxy: {what}", "check the proxy in HTTP_PROXY or HTTPS_PROXY")


def is_no_tls(error: OSError) -> bool:
    """Return whether what was answered is no TLS at all."""
    return isinstance(error, ssl.SSLError) and error.reason in _NO_TLS


def may_say_more(error: ssl.SSLCertVerificationError) -> bool:
    """Return whether what a certificate says helps to understand what is wrong with it."""
    return error.verify_code in {_NOT_YET_VALID, _EXPIRED, *_OTHER_NAME}


def untrusted(error: ssl.SSLCertVerificationError, host: str, found: Certificate) -> Trouble:
    """Return what is wrong with a host's certificate; `found` is what it says."""
    code = error.verify_code
    if code == _SELF_SIGNED:
        return Trouble("one that it has signed itself", _trust("that certificate"))
    if code == _PRIVATE_ROOT or code in _UNKNOWN_ISSUER:
        known = "signed by an authority that this machine does not know"
        return Trouble(known, _trust("the authority's certificate"))
    if code == _EXPIRED:
        when = f" on {found.ends}" if found.ends else ""
        return Trouble(
            f"one that has expired{when}", "renew it on the server, or set this machine's clock right"
        )
    if code == _NOT_YET_VALID:
        when = f", but from {found.starts} on" if found.starts else ""
        return Trouble(f"one that is not valid yet{when}", "set this machine's clock right, or the server's")
    if code in _OTHER_NAME:
        of = f"of {found.names}, and not of {host}" if found.names else f"of another name than {host}"
        return Trouble(f"one {of}", f"give --host a name of the certificate's, or have one made for {host}")
    return Trouble(f"'{error.verify_message}'", "have the server's certificate mended")


def _trust(what: str) -> str:
    """Return how a certificate is made trusted."""
    given = os.environ.get(CA_FILE)
    found = ""
    if given:
        found = f" (now it is {given}, {'which has it not' if Path(given).is_file() else 'where no file is'})"
    return f"if it is to be trusted, set {CA_FILE}=/path/to/ca.pem, a file with {what}{found}"


def _words(number: int | None) -> str:
    return os.strerror(number).lower() if number else "no reason given"


def _number(error: OSError) -> int | None:
    """Return the number of a system's error; of several (one an address) the last one's."""
    numbers = _ERRNO.findall(str(error))
    return error.errno or (int(numbers[-1]) if numbers else None)
