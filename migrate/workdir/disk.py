"""Files and folders made durable."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from migrate.ahead import in_parallel

AT_ONCE: Final = 4
"""Files, or folders, that are made durable at the same time: the disk is waited for, and not the processor."""


def sync(path: Path) -> None:
    """Make a file's bytes, or a folder's names, durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_all(paths: Iterable[Path]) -> None:
    """Make files and folders durable, several at the same time."""
    for _ in in_parallel(sync, paths, AT_ONCE):
        pass
