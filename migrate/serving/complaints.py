"""What is wrong with a text, as the command line says it, and in which line of the text, as far as that is known."""

import re
from typing import Any, Final

from migrate.screen import shown

_AT: Final = re.compile(r"\(at line (\d+)|\.py:(\d+):")
"""As Python's reader of TOML says where, and as a mapping's own errors do."""
_KEY: Final = re.compile(r"\bspec: ([A-Za-z0-9_\-$.\[\]\"' ]+?)(?::|, )")
"""The key that an error of a spec is about."""


def complaint(said: str, text: str | None) -> dict[str, Any]:
    """Return what is said, and the number of the line that it is about, from 1; None where that is not known."""
    return {"said": shown(said), "line": None if text is None else line_of(said, text)}


def line_of(said: str, text: str) -> int | None:
    """Return the line that a message is about; None where it does not tell."""
    if (at := _AT.search(said)) is not None:
        return int(at[1] or at[2])
    key = _KEY.search(said)
    return None if key is None else _line_of_key(key[1].strip(), text)


def _line_of_key(path: str, text: str) -> int | None:
    """Return the first line on which a key of TOML is said: by its path, or by its last part within its table."""
    table, _, last = path.rpartition(".")
    heads = [f"[{path}]", f"[[{path}]]"]
    within = ""
    nearest: int | None = None
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if bare in heads:
            return number
        if bare.startswith("["):
            within = bare.strip("[] ")
            if within == table:
                nearest = nearest or number
            continue
        name = bare.partition("=")[0].strip().strip("\"'")
        if (name == path and not within) or (name == last and within == table) or (name == path and within):
            return number
        if name == table and not within:
            nearest = nearest or number
    return nearest
