"""What must not stand in a file: a reference to the environment, or to a file, → what it stands for."""

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click

from migrate.errors import UsageError
from migrate.inputs.names import expanded
from migrate.screen import shown

_ADDRESSES: Final = ("ping", "notify")
WATCHING: Final = (*_ADDRESSES, "metrics_file")
"""Options that say who is told how a command ends."""
NAMES: Final = ("api_key", "personal_api_key", "hash_salt", *_ADDRESSES)
"""Keys of a configuration file that hold a reference."""
_ADDRESS: Final = re.compile(
    r"https?://([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(:\d{1,4}|:[1-5]\d{4}|:6[0-4]\d{3})?([/?][!-\"$-~]*)?",
    re.IGNORECASE,
)
_WAYS: Final = ("env", "file")
_NAME: Final = re.compile(r"[A-Z_][A-Z0-9_]*")
"""Variables as people call them; a salt that stands in the place of one is hardly called so."""
_SET: Final = re.compile(rf"(?:export\s+)?{_NAME.pattern}=(.*)")
_LONGEST: Final = 10_000
"""Letters of a line; what is longer is no secret."""


class Address(click.ParamType[str]):
    """The address of a check or a webhook: a secret, which no message shows."""

    name = "url"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the URL."""
        if not _ADDRESS.fullmatch(value.strip()):
            self.fail("not an http or https URL; it is not shown, as it is a secret", param, ctx)
        return value.strip()


def checked_reference(value: object, place: str) -> Mapping[str, str]:
    """Return a reference; raises UsageError for what is none, and does not print what is found."""
    if isinstance(value, Mapping) and len(value) == 1 and {*value} <= {*_WAYS}:
        texts = {name: one for name, one in value.items() if isinstance(one, str) and one.strip()}
        if texts and "://" not in "".join(texts.values()):
            return texts
    raise UsageError(
        f"{place}: not a reference, found {'a table' if isinstance(value, Mapping) else 'the value itself'}; a secret "
        'stands in no configuration file: write { env = "NAME" }, or { file = "path" } of a file that has it as its '
        "first line"
    )


def secret(value: Mapping[str, str], place: str, folder: Path) -> str:
    """Return what a reference stands for; paths are those of `folder`. Raises UsageError where there is nothing.

    What is referred to is printed only where it cannot be the secret itself.
    """
    if (name := value.get("env")) is not None:
        if found := os.environ.get(name, "").strip():
            return found
        what = f"variable {name}" if _NAME.fullmatch(name) else "variable that is named there"
        raise UsageError(f"{place}: the {what} is not set; set it, or name another one")
    shows = "the file that is named there"
    try:
        path = folder / expanded(value["file"])
        shows = str(path) if os.path.lexists(path) else shows
        with path.open(encoding="utf-8-sig") as file:
            is_open = bool(stat.S_IMODE(os.fstat(file.fileno()).st_mode) & (stat.S_IRGRP | stat.S_IROTH))
            found = _said(file.readline(_LONGEST).strip())
    except (OSError, ValueError) as error:
        why = (
            "no text" if isinstance(error, UnicodeDecodeError) else getattr(error, "strerror", None) or error
        )
        raise UsageError(f"{place}: {shows} cannot be read, found '{why}'; check the path") from None
    if not found:
        raise UsageError(f"{place}: nothing in the first line of {path}; write it there")
    if is_open:
        click.echo(shown(f"note: {place}: others can read {path}; chmod 600 keeps it to you"), err=True)
    return found


def _said(line: str) -> str:
    """Return what a line says: what stands behind `NAME=`, as a shell or systemd reads it, or else the line itself.

    `=` alone behind a name is none of a shell's, but how base32 ends.
    """
    found = _SET.fullmatch(line)
    if found is None or (found[1] and not found[1].strip("=")):
        return line
    text = found[1].strip()
    return text[1:-1].strip() if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text
