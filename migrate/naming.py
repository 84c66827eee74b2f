"""What is said for a platform: a name, or the path of a mapping of the user's own, whose file gives it one."""

import os
import re
import unicodedata
from pathlib import Path
from typing import Final

from migrate.errors import UsageError

SUFFIX: Final = ".py"
_LONGEST: Final = 100
"""Characters; a workdir and an import are called after a platform, and have endings of their own."""


def is_path(platform: str) -> bool:
    """Return whether this is the path of a mapping: it ends in `.py`, or has a separator, as no name has."""
    return platform.lower().endswith(SUFFIX) or "/" in platform or os.sep in platform


def named(platform: str) -> str:
    """Return the name of what is said for a platform: in lower case, of a path what its file is called, without signs.

    Raises UsageError where nothing is left of that.
    """
    if not is_path(platform):
        return platform.strip().lower()
    stem = Path(platform).name
    stem = stem[: -len(SUFFIX)] if stem.lower().endswith(SUFFIX) else stem
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    if name and len(name) <= _LONGEST:
        return name
    what = f"has more than {_LONGEST} characters" if name else "has no letter or digit of ASCII"
    raise UsageError(
        f"PLATFORM: the platform is called as its file, whose name {what}, found '{platform}'; rename the file, as "
        "acme.py"
    )


def is_same(one: str, other: str) -> bool:
    """Return whether both say the same platform."""
    if is_path(one) and is_path(other):
        return os.path.realpath(one) == os.path.realpath(other)
    return one.strip().lower() == other.strip().lower()
