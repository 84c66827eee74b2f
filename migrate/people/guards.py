"""Which links cannot be made, and why: PostHog would refuse such a merge, or it says nothing."""

from typing import Final

import polars as pl

from migrate.kit import schemas
from migrate.payload import checks

MAX_ID: Final = checks.MAX_DISTINCT_ID


def refusal() -> pl.Expr:
    """Return why a link cannot be made, null where it can: a frame of `schemas.LINK_SCHEMA`."""
    between = pl.col("kind").is_in(["linked", "needed", "same"])
    ids = [pl.when(~pl.col(name).str.starts_with(schemas.KEY)).then(pl.col(name)) for name in "ab"]
    return pl.coalesce(
        pl.when(pl.col("kind") == "refused").then(pl.col("why")),
        pl.when(pl.any_horizontal(checks.junk(one).fill_null(False) for one in ids)).then(
            pl.lit("illegal_id")
        ),
        pl.when(pl.any_horizontal((one.str.strip_chars() == "").fill_null(False) for one in ids)).then(
            pl.lit("illegal_id")
        ),
        pl.when(pl.any_horizontal((one.str.len_chars() > MAX_ID).fill_null(False) for one in ids)).then(
            pl.lit("too_long")
        ),
        pl.when(between & (pl.col("a") == pl.col("b"))).then(pl.lit("self_link")),
        pl.when(between & pl.col("time").is_null()).then(pl.lit("no_time")),
    )


def with_known(links: pl.DataFrame) -> pl.DataFrame:
    """Return the links; where both ids of one are equal, with another that says that this id is a user's."""
    is_one = pl.col("kind").is_in(["linked", "needed"]) & (pl.col("a") == pl.col("b"))
    known = links.filter(is_one).with_columns(
        pl.lit("identified").alias("kind"), pl.lit(None, pl.String).alias("a")
    )
    return pl.concat([links, known])
