"""What executors are called, by what is typed; read wherever help is, and so without what plans."""

import re
from typing import Final

INLINE: Final = "inline"
_THREADS: Final = "threads"
"""The same, by what it does."""
PROCESSES: Final = "processes"
DASK: Final = "dask://"
"""HOST:PORT of a scheduler follow."""
_CLUSTER: Final = re.compile(rf"{DASK}(\[[0-9a-f:.]+\]|[^\s/:@\[\]]+):(\d{{1,5}})/?", re.IGNORECASE)
_LAST_PORT: Final = 65_535


def kind_of(text: str) -> str | None:
    """Return the kind of executor that is typed so, a cluster's with host and port; None if there is none."""
    kind = text.strip()
    if (word := kind.lower()) in {INLINE, PROCESSES, _THREADS}:
        return INLINE if word == _THREADS else word
    found = _CLUSTER.fullmatch(kind)
    return f"{DASK}{found[1]}:{found[2]}" if found and 0 < int(found[2]) <= _LAST_PORT else None
