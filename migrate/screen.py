"""Text from elsewhere → as a screen, a log and a checkpoint can take it: without control characters and secrets."""

import re
import shlex
from collections.abc import Iterable
from typing import Final, NamedTuple

_SCHEME: Final = r"[a-z][a-z0-9+.-]{0,30}:/{1,2}"
"""How an address begins; of a scheme without an end, which a long word is, each letter would be a new beginning."""
_KEY: Final = re.compile(r"\b(ph[a-z]_)[A-Za-z0-9]{20,}")
_ADDRESS: Final = re.compile(
    r"""((?:\b(?:hc-ping\.com|hooks\.slack\.com|discord(?:app)?\.com/api/webhooks)|\.webhook\.office\.com
    |https?://[^\s'"]{0,500}?/ping(?=/[0-9a-f]{8}-[0-9a-f]{4}-))/)[^\s'"]+""",
    re.IGNORECASE | re.VERBOSE,
)
"""The address of a check or a webhook, as the services make it that are known: whoever has it can post to it."""
_SIGNED: Final = re.compile(
    rf"""({_SCHEME}[^\s'"?]+\?)[^\s'"]*(?<=[?&])(?:x-amz-signature|x-goog-signature|sig)=[^\s'"]*""",
    re.IGNORECASE,
)
"""The address of a file that whoever has it may read, as storages sign them."""
_LOGIN: Final = re.compile(
    rf"""({_SCHEME})[^\s'"/?#@:\[\]]*:(?:[^\s'"/?#]*|(?!\d+/)[^\s'"]*)@""", re.IGNORECASE
)
"""An address with a name and a password, also one in which a slash stands."""
_LETTERS: Final = 2
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""C0 but for tab and line break, C1, and what turns the order of letters around."""
_UNTYPED: Final = re.compile(rf"[\t\n\udc80-\udcff]|{_CONTROL.pattern}")
"""What cannot be typed, or breaks a line; the last of the first are bytes that are no text (PEP 383)."""


def masked(text: str) -> str:
    """Return text without what looks like a secret: a key of PostHog's, a webhook's address, a signature, a login."""
    text = _LOGIN.sub(r"\1***@", text)
    return _SIGNED.sub(r"\1***", _ADDRESS.sub(r"\1***", _KEY.sub(r"\1***", text)))


class Secret(NamedTuple):
    """What looks like a secret, and what to do with one; `key`: how a configuration file refers to it."""

    what: str
    where: str
    key: str


_SECRETS: Final = {
    _KEY: Secret(
        "a key of PostHog's",
        "a key belongs into POSTHOG_API_KEY",
        'api_key = { env = "POSTHOG_API_KEY" }',
    ),
    _ADDRESS: Secret(
        "the address of a check or a webhook",
        "it belongs into MIGRATE_PING or MIGRATE_NOTIFY",
        'ping = { env = "MIGRATE_PING" }, or notify = { env = "MIGRATE_NOTIFY" }',
    ),
    _SIGNED: Secret(
        "an address with a signature",
        "it belongs among the inputs",
        'inputs = ["s3://bucket/key"], for which credentials are found (docs/storage.md)',
    ),
}


def secret_in(text: str) -> Secret | None:
    """Return what `masked` would leave out of a text, if anything."""
    return next((secret for pattern, secret in _SECRETS.items() if pattern.search(text)), None)


def is_text(name: str) -> bool:
    """Return whether a name can be written down: what is not UTF-8 cannot."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def shown(text: str) -> str:
    r"""Return text as it is shown: `masked`, and control characters as their escapes, `\x1b`."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), masked(text))


def quoted(word: str) -> str:
    r"""Return a word as a shell takes it, on one line: where it cannot be typed as `$'\n'`, of Bash and Zsh."""
    if _UNTYPED.search(word) is None:
        return shlex.quote(word)
    bare = masked(word).replace("\\", "\\\\").replace("'", "\\'")
    return f"$'{_UNTYPED.sub(_bytes, bare)}'"


def command_line(words: Iterable[str]) -> str:
    """Return a command as it can be pasted, its words `quoted`."""
    return " ".join(map(quoted, words))


def _bytes(found: re.Match[str]) -> str:
    """Return the bytes of a character as they stand between such quotes."""
    return "".join(f"\\x{byte:02x}" for byte in found[0].encode(errors="surrogateescape"))


def shortened(name: str) -> str:
    """Return the first letters of an id, by which who knows it knows it again, and nobody else does: two, then `…`."""
    return f"{name[:_LETTERS]}…" if len(name) > _LETTERS else name[:1] + "…"


def amount(count: float) -> str:
    """Return bytes for a reader."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1_000:  # noqa: PLR2004 - the next unit
            return f"{count:,.0f} {unit}" if unit == "B" else f"{count:,.1f} {unit}"
        count /= 1_000
    return f"{count:,.1f} TB"


def counted(count: int, what: str) -> str:
    """Return how many there are of something."""
    return f"{count:,} {plural(count, what)}"


def plural(count: int, what: str) -> str:
    """Return a word as it is for so many."""
    if count == 1:
        return what
    return (
        f"{what[:-1]}ies"
        if what.endswith(("ry", "ty"))
        else f"{what}es"
        if what.endswith("ch")
        else f"{what}s"
    )
