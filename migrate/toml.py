"""A TOML file → its table; what no reader of ours could take is no TOML, and it is said why and where."""

import re
import tomllib
from pathlib import Path
from typing import Any, Final

_DEEPEST: Final = 100
"""Tables and lists inside of each other; no file that people write has more."""
_LARGEST: Final = 1 << 4_096
"""Python writes no integer in digits that is much longer."""
_LONG: Final = re.compile(r"[0-9][0-9_]{1000,}")


def parsed(path: Path) -> dict[str, Any]:
    """Return the table in a file.

    Raises OSError where it cannot be read, and ValueError, which says why, for what is no TOML. A byte order mark, as
    editors on Windows write it, is none of the text.
    """
    return parsed_text(path.read_bytes().decode("utf-8-sig"))


def parsed_text(text: str) -> dict[str, Any]:
    """Return the table; raises ValueError, which says why, for what is no TOML."""
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise
    except RecursionError:
        raise ValueError("tables or lists too deep inside of each other") from None
    except ValueError:  # Python reads no integer of thousands of digits
        found = _LONG.search(text)
        where = f" (at line {text.count(chr(10), 0, found.start()) + 1})" if found else ""
        raise ValueError(f"an integer that is too long{where}") from None
    for key, value in table.items():
        _check(value, key, _DEEPEST)
    return table


def _check(value: object, place: str, depth: int) -> None:
    """Raise ValueError for what is too deep or too long."""
    if isinstance(value, int) and abs(value) >= _LARGEST:
        raise ValueError(f"an integer that is too long (at {place})")
    if isinstance(value, dict | list):
        if not depth:
            raise ValueError(f"tables or lists too deep inside of each other (at {place})")
        for one in value.values() if isinstance(value, dict) else value:
            _check(one, place, depth - 1)
