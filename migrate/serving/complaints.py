"""What is wrong with a text, as the command line says it, and in which line of the text, as far as that is known."""

import re
from collections import Counter
from typing import Any, Final

from migrate.screen import shown

_AT: Final = re.compile(r"\(at line (\d+)|\.py:(\d+):")
"""As Python's reader of TOML says where, and as a mapping's own errors do."""
_END: Final = "(at end of document)"
_KEY: Final = re.compile(r"\bspec: ([A-Za-z0-9_\-$.\[\]\"' ]+?)(?::|, )")
"""The key that an error of a spec is about."""


def complaint(said: str, text: str | None) -> dict[str, Any]:
    """Return what is said, and the number of the line that it is about, from 1; None where that is not known."""
    return {"said": shown(said), "line": None if text is None else line_of(said, text)}


def line_of(said: str, text: str) -> int | None:
    """Return the line that a message is about; None where it does not tell."""
    if _END in said:
        return max(1, len(text.splitlines()))
    if (at := _AT.search(said)) is not None:
        return int(at[1] or at[2])
    key = _KEY.search(said)
    return None if key is None else _line_of_key(key[1].strip(), text)


def _line_of_key(path: str, text: str) -> int | None:
    """Return the first line on which a key of TOML is said: by its path, or else its table's; None where neither is."""
    table, _, last = path.rpartition(".")
    nearest, within = None, ""
    met: Counter[str] = Counter()
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if bare.startswith("["):
            within = bare.strip("[] ")
            if bare.startswith("[["):
                met[within] += 1
                within = f"{within}[{met[within]}]"
            name = ""
        else:
            name = bare.partition("=")[0].strip().strip("\"'")
        if path in (within, name) or (within == table and name == last):
            return number
        if table and table in (within, name):
            nearest = nearest or number
    return nearest
