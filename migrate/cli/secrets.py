"""What must not stand in a file: a reference to the environment, or to a file, → what it stands for."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click

from migrate.errors import UsageError
from migrate.screen import shown

NAMES: Final = ("api_key", "hash_salt", "ping", "notify")
"""Keys of a configuration file that hold a reference."""
_WAYS: Final = ("env", "file")


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
    """Return what a reference stands for; paths are those of `folder`. Raises UsageError where there is nothing."""
    if (name := value.get("env")) is not None:
        if found := os.environ.get(name, "").strip():
            return found
        raise UsageError(f"{place}: the variable {name} is not set; set it, or name another one")
    path = folder / Path(value["file"]).expanduser()
    try:
        with path.open(encoding="utf-8") as file:
            is_open = bool(stat.S_IMODE(os.fstat(file.fileno()).st_mode) & (stat.S_IRGRP | stat.S_IROTH))
            found = file.readline().strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "no text"
        raise UsageError(f"{place}: {path} cannot be read, found '{why}'; check the path") from None
    if not found:
        raise UsageError(f"{place}: nothing in the first line of {path}; write it there")
    if is_open:
        click.echo(shown(f"note: {place}: others can read {path}; chmod 600 keeps it to you"), err=True)
    return found
