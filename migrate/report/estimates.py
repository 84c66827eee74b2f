"""What can only be said about: how many people a plan has, how many requests it takes."""

import polars as pl

from migrate.workdir.checkpoint import Checkpoint


def people(checkpoint: Checkpoint) -> int:
    """Return about how many distinct ids are planned, in flat memory; something must be planned."""
    paths = [checkpoint.workdir / path for path in sorted(checkpoint.part_paths())]
    frame = pl.scan_parquet(paths).select(pl.col("distinct_id").approx_n_unique())
    return int(frame.collect(engine="streaming").item())


def requests(checkpoint: Checkpoint, max_events: int) -> int:
    """Return about how many requests of at most so many events the plan takes: none mixes days."""
    return sum(-(-count // max_events) for count in checkpoint.by_day().values())
