"""What was told of persons and groups before, and what is to be noted of what is told now."""

from dataclasses import dataclass, field
from typing import Final, Self

import polars as pl

from migrate.kit import expr, schemas
from migrate.kit.declare import ROW
from migrate.people.schema import Note
from migrate.people.states import GROUP, PERSON, PLACE_OF, order
from migrate.people.store import People
from migrate.people.touches import Touches

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


@dataclass(frozen=True)
class Known:
    """States, and all that was told before of those whose they are: what news are made of, and nothing else.

    `bucket`: `states.SCHEMA`, all of one owner together. `noted`: `NOTED`; of persons under each of their marks.
    `touched`: owners of whom it was told how they first came. `inherited`: see `Touches.inherited`.
    """

    bucket: pl.DataFrame
    noted: pl.DataFrame
    touched: list[str]
    inherited: list[tuple[str, str]]

    @classmethod
    def of(cls, bucket: pl.DataFrame, touches: Touches, people: People | None = None) -> Self:
        """Ask what is known, within the transaction of `touches`; what is noted is asked of `people`."""
        is_person = pl.col("owner").str.starts_with(PERSON)
        persons = bucket.filter(is_person)
        owners = persons["owner"].unique().str.slice(1).to_list()
        noted = []
        if people is not None:
            names = {*owners, *persons["distinct_id"].drop_nulls().unique()}
            asked = [f"{mark}{name}" for mark in (PERSON, PLACE_OF) for name in names]
            noted = people.told([*asked, *bucket.filter(~is_person)["owner"].unique()])
        return cls(
            bucket,
            pl.DataFrame(noted, NOTED, orient="row"),
            [f"{PERSON}{name}" for name in touches.known(owners)],
            touches.inherited(owners),
        )

    def of_persons(self, mark: str) -> pl.DataFrame:
        """Return what is noted, under a mark, of persons' ids (`NOTED`); `owner` is the person as an owner."""
        owner = pl.col("owner")
        found = self.noted.filter(owner.str.starts_with(mark))
        return found.with_columns(pl.concat_str(pl.lit(PERSON), owner.str.slice(len(mark))).alias("owner"))

    def of_groups(self) -> pl.DataFrame:
        """Return what is noted of groups (`NOTED`)."""
        return self.noted.filter(pl.col("owner").str.starts_with(GROUP))


def touches_of(frame: pl.DataFrame, time: str) -> list[tuple[str, int, str]]:
    """Return the notes of first touches: owner without its mark, column `time` in microseconds, and what is told."""
    return frame.select_seq(pl.col("owner").str.slice(1), pl.col(time).dt.epoch("us"), "told").rows()


def numbered(frame: pl.DataFrame) -> pl.LazyFrame:
    """Return states numbered as rows are."""
    return frame.with_row_index(ROW, 1).with_columns_seq(pl.col(ROW).cast(pl.Int64)).lazy()


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
