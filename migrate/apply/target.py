"""Where to send and with which key, checked before anything is done; a workdir is bound to it."""

import hashlib
import json
import re
import secrets
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from migrate import SANDBOX
from migrate.errors import Refused, UsageError
from migrate.screen import masked, secret_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrate.apply.delivery import Delivery
    from migrate.workdir.checkpoint import Checkpoint

CLOUD: Final = {"us": "https://us.i.posthog.com", "eu": "https://eu.i.posthog.com"}
# The addresses people see in their browser belong to the same regions as the ones events are sent to.
CLOUD_HOSTS: Final = {
    **dict.fromkeys(("app.posthog.com", "us.posthog.com", "us.i.posthog.com"), "us"),
    **dict.fromkeys(("eu.posthog.com", "eu.i.posthog.com"), "eu"),
}
_PORTS: Final = {"http": 80, "https": 443}
_ANSWER_BYTES: Final = 1_000
_SECONDS: Final = 5
PROTOCOL: Final = "protocol"
"""The fact that names the version of the capture endpoint a workdir is sent over."""
KEY_BYTES: Final = 64  # capture refuses longer keys
_NO_KEY: Final = "\"'`=$<>(){};,\\"
"""What shells and pages write around a key; no key has it, and capture would take it for one, and forget."""


_BARE: Final = re.compile(r"(localhost|[\w-]+(?:\.[\w-]+)+|\[[0-9a-f:]+\])(?::\d+)?(?:/.*)?", re.IGNORECASE)
"""A host without a scheme: `localhost:8000`, or a name with a dot in it, which no word mistyped has."""


def host_url(host: str) -> str:
    """Turn `us`, `eu`, a URL or a host into the URL to send below, without a trailing slash, or raise UsageError.

    The app addresses of PostHog Cloud become its ingestion addresses, always with https. A host without a scheme is
    http on this machine and https elsewhere; of another machine's number it is not known.
    """
    text = host.strip()
    try:
        url = urlsplit(CLOUD.get(text.lower(), _with_scheme(text)))
        name, port = url.hostname or "", url.port
        name.encode("idna")  # as the resolver does: no part is empty, or longer than 63 letters
    except ValueError:
        raise _bad_host("not a URL", text) from None
    if url.scheme not in {"http", "https"} or not re.fullmatch(r"[\w.-]+|[0-9a-f:.]+", name):
        raise _bad_host("neither us, eu nor an http or https URL", text)
    if "@" in url.netloc:
        raise _bad_host("a URL with credentials in it", text)
    if (secret := secret_in(text)) is not None:
        raise _bad_host(f"a URL with {secret.what} in it", text)
    if url.query or url.fragment:
        raise _bad_host("a URL with a query or fragment", text)
    if name in CLOUD_HOSTS:
        return CLOUD[CLOUD_HOSTS[name]]
    name = f"[{name}]" if ":" in name else name
    is_default_port = port in {None, _PORTS[url.scheme]}
    return f"{url.scheme}://{name}{'' if is_default_port else f':{port}'}{url.path.rstrip('/')}"


def _with_scheme(text: str) -> str:
    """Return a host as a URL where its scheme is plain; anything else as it is."""
    if not _BARE.fullmatch(text):
        return text
    if is_loopback(f"http://{text}"):
        return f"http://{text}"
    name = urlsplit(f"https://{text}").hostname or ""
    return text if ":" in name or re.fullmatch(r"[\d.]+", name) else f"https://{text}"


def _bad_host(problem: str, text: str) -> UsageError:
    # neither a password nor a key given in the wrong place is shown
    shown = masked(re.sub(r"ph[a-z]_\w+", "***", re.sub(r"^([a-z]+://)?.*@", r"\1***@", text)))
    return UsageError(
        f"--host: {problem}, found '{shown}'; give us, eu or a URL such as https://posthog.example.com"
    )


def is_cloud(url: str) -> bool:
    """Whether a URL belongs to PostHog Cloud, which is to be treated more gently than a host of one's own."""
    return f".{urlsplit(url).hostname}".endswith(".posthog.com")


def checked_key(key: str) -> str:
    """Trim a project key and check what capture checks, or raise UsageError; no message shows the key."""
    text = key.strip()
    if not text:
        problem = "is empty"
    elif text.startswith(("phx_", "phs_")):
        problem = f"is a personal or secret key, which capture refuses, found {text[:4]}…"
    elif not re.fullmatch(r"[!-~]+", text):
        problem = "holds a space, a control character or a letter that is not ASCII"
    elif wrong := next((letter for letter in text if letter in _NO_KEY), None):
        problem = f"holds a character that no key has, found {wrong}"
    elif re.fullmatch(r"phc_[\W_]*", text):
        problem = "is the beginning of a key alone, found 'phc_' and no letter or digit after it"
    elif len(text) > KEY_BYTES:
        problem = f"is longer than {KEY_BYTES} bytes, found {len(text)}"
    else:
        return text
    raise UsageError(f"--api-key: {problem}; give the project's own key (phc_…) from the project's settings")


def place_of(url: str) -> str:
    """Return the `host:port` of a URL."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or _PORTS[parts.scheme]}"


def proxy_of(url: str) -> str | None:
    """Return the proxy that the environment names for a URL, if any."""
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415 - slow to import

    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme)
    return proxy if proxy and not is_loopback(url) and not proxy_bypass(parts.hostname or "") else None


def check_proxy(url: str) -> None:
    """Raise UsageError where the environment names a proxy for this URL that is none that can be used."""
    if (proxy := proxy_of(url)) is None:
        return
    parts = urlsplit(url)
    try:
        given = urlsplit(proxy)
        is_one = given.scheme in _PORTS and bool(given.hostname) and given.port != 0
    except ValueError:
        is_one = False
    if not is_one:
        found = re.sub(r"^([a-z0-9+.-]+://)?.*@", r"\1***@", proxy)
        raise UsageError(
            f"{parts.scheme.upper()}_PROXY: not the URL of an HTTP proxy, found '{found}'; "
            "give http://host:port, or unset it"
        )


def is_loopback(url: str) -> bool:
    """Whether a URL is of this machine, where a proxy could not find it."""
    name = urlsplit(url).hostname or ""
    return name in {"localhost", "::1"} or name.startswith("127.")


def is_sandbox(url: str) -> bool:
    """Whether a URL of this machine is that of a sandbox of ours; no other host is asked."""
    if not is_loopback(url):
        return False
    # Slow to import, and no other use of this module needs them.
    from http.client import HTTPException  # noqa: PLC0415
    from urllib.request import ProxyHandler, build_opener  # noqa: PLC0415

    try:
        with build_opener(ProxyHandler({})).open(f"{url}/_sandbox", timeout=_SECONDS) as answer:
            return bool(json.loads(answer.read(_ANSWER_BYTES)) == {"is": SANDBOX})
    except (OSError, ValueError, HTTPException, RecursionError):
        return False


def bind(checkpoint: "Checkpoint", delivery: "Delivery") -> None:
    """Bind a workdir to its target, or raise Refused when it is bound to another, or sent over another protocol.

    The key is kept only as a salted hash.
    """
    found = noted(checkpoint)
    if found and delivery.protocol not in {"auto", found}:
        raise Refused(
            f"--protocol: this workdir is sent over {found}, found {delivery.protocol}; leave the option out, or plan "
            "into another --workdir"
        )
    facts = checkpoint.facts()
    salt = facts.get("salt") or secrets.token_hex(16)
    key = _hashed(delivery.key, salt)
    if "target" not in facts:
        checkpoint.note(target=delivery.target, key=key, salt=salt)
    elif facts["target"] != delivery.target:
        raise Refused(
            f"--host: this workdir sends to {facts['target']}, found {delivery.target}; "
            "use the same host, or plan into another --workdir"
        )
    elif facts["key"] != key:
        raise Refused(
            "--api-key: this workdir began to send with another key; "
            "use the key of the same project, or plan into another --workdir"
        )


def noted(checkpoint: "Checkpoint") -> str | None:
    """Return over which protocol a workdir is sent; v0, where events were settled before that was noted."""
    if name := checkpoint.facts().get(PROTOCOL):
        return str(name)
    from migrate.workdir import rounds  # noqa: PLC0415 - help needs none of it

    settled = rounds.outcome(checkpoint)
    return "v0" if settled.accepted or settled.parked else None


def is_key_of(facts: "Mapping[str, Any]", key: str) -> bool:
    """Return whether a workdir with these facts was sent with this key."""
    return "salt" in facts and facts["key"] == _hashed(key, facts["salt"])


def _hashed(key: str, salt: str) -> str:
    return hashlib.blake2b(key.encode(), salt=bytes.fromhex(salt), digest_size=32).hexdigest()
