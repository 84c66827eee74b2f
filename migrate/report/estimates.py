"""What can only be said about: how many distinct ids a plan has, how many requests it takes."""

from pathlib import Path
from typing import Final

import polars as pl

from migrate.workdir.checkpoint import Checkpoint

EVENTS: Final = 1_000
"""Events of a request, where it is not said how many."""
RATE: Final = 1_000.0
"""Events a second, where it is not said where they go."""
_HARMED: Final = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)


def distinct(checkpoint: Checkpoint) -> str:
    """Return about how many distinct ids are planned, in words."""
    if checkpoint.depot.is_far:
        return "not counted: all files of the plan would be fetched for it"
    return f"{ids(checkpoint):,} distinct (estimated)"


def ids(checkpoint: Checkpoint) -> int:
    """Return about how many distinct ids are planned, in flat memory, as far as the files of the plan can be read."""
    paths = [path for name in sorted(checkpoint.part_paths()) if (path := checkpoint.workdir / name).exists()]
    try:
        return _ids(paths)
    except _HARMED:  # which is said where it is to be sent
        return _ids([path for path in paths if _is_read(path)])


def _ids(paths: list[Path]) -> int:
    """Return about how many distinct ids are in these files."""
    if not paths:
        return 0
    frame = pl.scan_parquet(paths).select(pl.col("distinct_id").approx_n_unique())
    return int(frame.collect(engine="streaming").item())


def _is_read(path: Path) -> bool:
    """Return whether the ids of a file can be read."""
    try:
        return _ids([path]) >= 0
    except _HARMED:
        return False


def requests(checkpoint: Checkpoint, max_events: int) -> int:
    """Return about how many requests of at most so many events the plan takes: none mixes days."""
    return sum(-(-count // max_events) for count in checkpoint.by_day().values())
