"""What an address of a storage names; what is secret in one stays in this process, and is never in its name."""

import ipaddress
import re
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

from migrate.errors import UsageError

_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_BUCKETS: Final = {"s3": "bucket", "gs": "bucket", "az": "container"}
_SIGNED: Final = re.compile(r"[?&](?:sig|X-Amz-Signature|X-Goog-Signature|Signature)=", re.IGNORECASE)
_TORN: Final = re.compile(r"[^/?#@:\[]*:(?!\d*(?:[/?#]|$))[^/?#@]*/[^?#]*@")
_secrets: Final[dict[str, str]] = {}
"""The name of a web address -> the address with what is secret in it, as it was given to this process."""


class Url(NamedTuple):
    """An address: of a bucket and what lies in it, or of one file on a web server."""

    scheme: str
    host: str
    """The bucket or container; of a web address the server, with its port."""
    key: str
    """What lies there; the beginning of keys where many are meant. Of a web address its path as it is written."""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}/{self.key}"

    @property
    def is_web(self) -> bool:
        """Whether it names one file on a web server, which lists nothing."""
        return self.scheme not in _BUCKETS

    @property
    def place(self) -> str:
        """What it lies in, as sentences name it; a web address itself."""
        return str(self) if self.is_web else f"{self.scheme}://{self.host}"

    @property
    def container(self) -> "Url":
        """What it lies in, which is opened once for all that lies there; a web address itself."""
        return self if self.is_web else self._replace(key="")


def is_url(text: str) -> bool:
    """Return whether this is an address, and no path."""
    return _URL.match(text) is not None


def parsed(text: str) -> Url:
    """Return what an address names; raises UsageError where it is none that can be read."""
    scheme, _, rest = text.partition("://")
    scheme = scheme.lower()
    host, _, key = rest.partition("/")
    if scheme not in {*_BUCKETS, "https", "http"}:
        raise UsageError(
            f"input {named(text)}: no storage that is known, found '{scheme}://'; name s3://, gs://, az:// or "
            "https://, or download the files and name their folder"
        )
    if not host:
        raise UsageError(
            f"input {named(text)}: no {_BUCKETS.get(scheme, 'server')} is named; write it as s3://bucket/key"
        )
    if scheme not in _BUCKETS and not _is_server(host):
        raise UsageError(f"input {named(text)}: '{host}' is no server; write it as https://server:port/path")
    if scheme == "http" and not is_loopback(host):
        raise UsageError(f"input {named(text)}: it would be read without encryption; name it with https://")
    return Url(scheme, host, key)


def _is_server(host: str) -> bool:
    """Return whether a host, with or without its port, can be one."""
    try:
        return urlsplit(f"//{host}").port != 0
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    """Return whether a host, with or without its port, is this machine."""
    name = urlsplit(f"//{host}").hostname or ""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def entrusted(text: str) -> str:
    """Return the name of what is typed for an input: a path as it is, an address without what is secret in it.

    Of a web address the query, which may be a signature, and a name and password before its server are kept in this
    process alone. Raises UsageError where an address of a bucket holds a secret, and where two addresses would have one
    name.
    """
    if not is_url(text):
        return text
    name = named(text)
    if name == text:
        return text
    if text.partition("://")[0].lower() not in {"https", "http"}:
        raise UsageError(
            f"input {name}: an address of a storage with a secret in it; leave it out, and put it in the environment "
            "(docs/storage.md)"
        )
    if _torn(text.partition("://")[2]) is not None:
        raise UsageError(f"input {name}: a '/' in its name or password; write it there as %2F")
    if _secrets.setdefault(name, text) != text:
        raise UsageError(
            f"input {name}: named twice, with two queries; what is behind a '?' is taken for a signature and is no "
            "part of a file's name: plan one of them, or download them"
        )
    return name


def secrets() -> dict[str, str]:
    """Return what is secret in addresses, for a process that works for this one."""
    return dict(_secrets)


def know(given: Mapping[str, str]) -> None:
    """Know what is secret in addresses, as another process has it."""
    _secrets.update(given)


def forget() -> None:
    """Forget what is secret: the command is at its end."""
    _secrets.clear()


def named(text: str) -> str:
    """Return an address as it is written and shown, without its query, name and password; other text as it is."""
    if not is_url(text):
        return text
    scheme, _, rest = text.partition("://")
    torn = _torn(rest) if scheme.lower() not in _BUCKETS else None
    host, slash, key = (rest if torn is None else torn).partition("/")
    if scheme.lower() in {"https", "http"}:
        host, _, query = host.partition("?")
        key = "" if query else re.split(r"[?#]", key, maxsplit=1)[0]
    elif found := _SIGNED.search(key):
        key = key[: max(0, key.rfind("?", 0, found.end()))]
    return f"{scheme.lower()}://{host.rpartition('@')[2]}{slash}{key}"


def _torn(rest: str) -> str | None:
    """Return what follows a name and password with a slash in them; None where there are none."""
    found = _TORN.match(rest)
    return rest[found.end() :] if found else None


def whole(url: Url) -> tuple[str, str]:
    """Return a web address with its query, and the `name:password` that stood in it, as they were given."""
    given = urlsplit(_secrets.get(str(url), str(url)))
    login, _, host = given.netloc.rpartition("@")
    login = unquote(login)
    return urlunsplit((url.scheme, host, given.path, given.query, "")), login
