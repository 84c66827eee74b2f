"""What a server's certificate says of itself: for which names it is, from when to when. Nothing is said to it."""

import asyncio
import ssl
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final, NamedTuple, cast

_SECONDS: Final = 5.0
"""How long it may take; what is wrong is told without it, too."""
_NO_CHECK_TIME: Final = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME (openssl/x509_vfy.h), for which Python has no name."""
_MOST: Final = 4
"""Names that are told; the others are counted."""


class Certificate(NamedTuple):
    """What a certificate says; nothing where it is not known."""

    names: str = ""
    """The first of the hosts it is for, `a, b and 3 more`."""
    starts: str = ""
    """The day from which on it is valid, YYYY-MM-DD."""
    ends: str = ""
    """The day on which it ends."""


async def certificate_of(host: str, port: int | None) -> Certificate:
    """Return what the certificate of a server says that a known authority signed, be it for another name or time.

    Connects once, and says nothing; where that fails nothing is known.
    """
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
    with suppress(OSError, TimeoutError, LookupError, ValueError):
        async with asyncio.timeout(_SECONDS):
            _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
            try:
                return _read(writer.get_extra_info("peercert") or {})
            finally:
                writer.transport.abort()
    return Certificate()


def _read(found: dict[str, object]) -> Certificate:
    """Return what is told of a certificate as Python gives it."""
    names = [name for _, name in cast("tuple[tuple[str, str], ...]", found.get("subjectAltName", ()))]
    more = f" and {len(names) - _MOST} more" if names[_MOST:] else ""
    return Certificate(f"{', '.join(names[:_MOST])}{more}", _day(found, "notBefore"), _day(found, "notAfter"))


def _day(found: dict[str, object], name: str) -> str:
    """Return a day of a certificate, `Jan  1 00:00:00 2021 GMT`, as YYYY-MM-DD."""
    seconds = ssl.cert_time_to_seconds(str(found[name]))
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()
