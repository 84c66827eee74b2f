"""What was told of persons and groups before, and what is to be noted of what is told now."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from migrate.kit import expr, schemas
from migrate.kit.declare import ROW
from migrate.people.schema import Note
from migrate.people.states import PERSON, order
from migrate.people.store import People

NOTED: Final = pl.Schema(
    [
        ("owner", pl.String),
        ("told_time", pl.Int64),
        ("known", pl.String),
        ("newest", pl.Int64),
        ("own", pl.Int64),
        ("said", pl.String),
        ("times", pl.Int64),
        ("names", pl.String),
    ]
)
"""The fields of a `schema.Note`, as they are called beside what a night tells."""


@dataclass(frozen=True)
class News:
    """Events to plan, and what is to be remembered of them once they are planned.

    `frame`: an event frame. `notes`: of persons, places and groups; `touches`: of first touches, see `touches.Note`.
    """

    frame: pl.DataFrame
    notes: list[Note] = field(default_factory=list)
    touches: list[tuple[str, int, str]] = field(default_factory=list)


def touches_of(frame: pl.DataFrame, time: str) -> list[tuple[str, int, str]]:
    """Return the notes of first touches: owner without its mark, column `time` in microseconds, and what is told."""
    return frame.select_seq(pl.col("owner").str.slice(1), pl.col(time).dt.epoch("us"), "told").rows()


def numbered(frame: pl.DataFrame) -> pl.LazyFrame:
    """Return states numbered as rows are."""
    return frame.with_row_index(ROW, 1).with_columns_seq(pl.col(ROW).cast(pl.Int64)).lazy()


def noted(people: People, owners: Sequence[str]) -> pl.DataFrame:
    """Return what is noted of these owners (`NOTED`); `owner` is as it was noted."""
    return pl.DataFrame(people.told(owners), NOTED, orient="row")


def noted_of(people: People, mark: str, names: pl.Series) -> pl.DataFrame:
    """Return what is noted, under a mark, of persons' ids (`NOTED`); `owner` is the person as an owner."""
    found = noted(people, [f"{mark}{name}" for name in names.unique()])
    name = pl.col("owner").str.slice(len(mark))
    return found.with_columns_seq(pl.concat_str(pl.lit(PERSON), name).alias("owner"))


def key_after(*parts: pl.Expr) -> pl.Expr:
    """Return the key of an event that tells of somebody of whom it was told on `times` nights before.

    Somebody who is again what they were is told of again, and that is no duplicate of the first event.
    """
    times = pl.col("times").fill_null(0)
    return pl.when(times == 0).then(expr.key(*parts)).otherwise(expr.key(*parts, times))


def moment(time: str) -> pl.Expr:
    """Return a column of microseconds as a time."""
    return pl.col(time).cast(schemas.TIMESTAMP)


def of_kind(bucket: pl.DataFrame, what: str, mark: str = PERSON) -> pl.DataFrame:
    """Return the states of one kind, in order."""
    chosen = bucket.filter((pl.col("what") == what) & pl.col("owner").str.starts_with(mark))
    return chosen.sort(*order())
