"""What was told of persons and groups before, and what is to be noted of what is told now."""

from dataclasses import dataclass, field

import polars as pl

from migrate.kit.declare import ROW
from migrate.people.states import PERSON, order
from migrate.people.store import People


@dataclass(frozen=True)
class News:
    """Events to plan, and what is to be remembered of them once they are planned.

    `frame`: an event frame. `notes`: owner, time in microseconds and digest of the state; `touches`: of first touches,
    see `touches.Note`.
    """

    frame: pl.DataFrame
    notes: list[tuple[str, int, str]] = field(default_factory=list)
    touches: list[tuple[str, int, str]] = field(default_factory=list)


def notes_of(frame: pl.DataFrame, mark: str, time: str, digest: str) -> list[tuple[str, int, str]]:
    """Return the notes of states: owner with `mark` before it, column `time` in microseconds, and digest."""
    owner = pl.concat_str(pl.lit(mark), pl.col("owner").str.slice(1))
    return frame.select_seq(owner, pl.col(time).dt.epoch("us"), pl.col(digest)).rows()


def numbered(frame: pl.DataFrame) -> pl.LazyFrame:
    """Return states numbered as rows are."""
    return frame.with_row_index(ROW, 1).with_columns_seq(pl.col(ROW).cast(pl.Int64)).lazy()


def told_before(people: People, mark: str, bucket: pl.DataFrame) -> pl.DataFrame:
    """Return the notes, under a mark, of the persons in a bucket: `owner`, `told_time` (µs), `known` (digest)."""
    owners = bucket.filter(pl.col("owner").str.starts_with(PERSON))["owner"].unique().str.slice(1)
    known = people.told([f"{mark}{owner}" for owner in owners])
    rows = [(f"{PERSON}{owner[1:]}", time, digest) for owner, time, digest in known]
    return pl.DataFrame(rows, {"owner": pl.String, "told_time": pl.Int64, "known": pl.String}, orient="row")


def of_kind(bucket: pl.DataFrame, what: str, mark: str = PERSON) -> pl.DataFrame:
    """Return the states of one kind, in order."""
    chosen = bucket.filter((pl.col("what") == what) & pl.col("owner").str.starts_with(mark))
    return chosen.sort(*order())
