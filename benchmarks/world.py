"""A made-up shop: people, their visits, what they do, drawn from numbers alone, so that every run draws the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import gcd
from typing import Final
from zlib import crc32

import polars as pl

VISIT_ROWS: Final = 8
BEGINNING: Final = datetime(2015, 1, 1, tzinfo=UTC)
_DAY: Final = 86_400_000_000
_STEP: Final = 17_000_000
"""Microseconds between two events of a visit."""
_VISIT: Final = VISIT_ROWS * _STEP
_GOLDEN: Final = 0.6180339887
_GAMMA, _MIX, _MIX_AGAIN = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_WORD: Final = 1 << 64

_QUADS: Final = [f"{number:04x}" for number in range(1 << 16)]
_VERSIONS: Final = [f"4{number:03x}" for number in range(1 << 12)]
_VARIANTS: Final = [f"{number:04x}" for number in range(0x8000, 0xC000)]


@dataclass(frozen=True, kw_only=True)
class World:
    """What is drawn: how many rows of how many people over how many days, and in which order."""

    rows: int
    people: int
    days: int
    seed: int = 0
    shuffled: bool = False
    """Rows in no order of time at all, instead of visit by visit."""
    one_person_half: bool = False
    """One distinct_id owns half of the visits."""

    def frame(self, start: int, stop: int) -> pl.DataFrame:
        """Return rows `start` to `stop`: `row`, `visit`, `step`, `person`, `time`, `begun` (of the visit)."""
        place = pl.int_range(start, stop, dtype=pl.UInt64)
        stride = self._stride()
        rank = place * stride % self.rows if self.shuffled else place
        visits = -(-self.rows // VISIT_ROWS)
        span = self.days * _DAY - _VISIT
        gap = max(1, span // visits)
        even = pl.col("visit") * (span // visits) + pl.col("visit") * (span % visits) // visits
        begun = even + self.noise("begun", "visit") % gap
        wobble = self.noise("wobble", "row") % _STEP
        micros = (pl.col("begun") + pl.col("step") * _STEP + wobble).cast(pl.Int64)
        beginning = int(BEGINNING.timestamp()) * 1_000_000
        return (
            pl.select(rank.alias("row"))
            .with_columns(
                (pl.col("row") // VISIT_ROWS).alias("visit"), (pl.col("row") % VISIT_ROWS).alias("step")
            )
            .with_columns(begun.alias("begun"), self._person().alias("person"))
            .with_columns((micros + beginning).cast(pl.Datetime("us", "UTC")).alias("time"))
            .with_columns(
                (pl.col("begun").cast(pl.Int64) + beginning).cast(pl.Datetime("us", "UTC")).alias("begun")
            )
        )

    def noise(self, name: str, index: str) -> pl.Expr:
        """Return 64 random bits for each value of a column (splitmix64), others for every name."""
        salt = (crc32(name.encode()) * _GAMMA + self.seed * _MIX) % _WORD
        word = (pl.col(index) + 1) * _word(_GAMMA) + _word(salt)
        word = (word ^ (word // (1 << 30))) * _word(_MIX)
        word = (word ^ (word // (1 << 27))) * _word(_MIX_AGAIN)
        return word ^ (word // (1 << 31))

    def pick(self, name: str, index: str, values: Sequence[str]) -> pl.Expr:
        """Return one of the values for each value of a column; one that stands there twice is drawn twice as often."""
        return _nth(values, self.noise(name, index))

    def number(self, name: str, index: str, below: int) -> pl.Expr:
        """Return a whole number from 0 for each value of a column."""
        return self.noise(name, index) % below

    def uuid(self, name: str, index: str) -> pl.Expr:
        """Return a version-4 UUID for each value of a column."""
        high, low = self.noise(f"{name} high", index), self.noise(f"{name} low", index)
        quads = [_nth(_QUADS, high // (1 << shift)) for shift in (0, 16, 32)]
        more = [_nth(_QUADS, low // (1 << shift)) for shift in (0, 16, 32)]
        parts = [quads[0], quads[1], pl.lit("-"), quads[2], pl.lit("-"), _nth(_VERSIONS, high // (1 << 48))]
        parts += [pl.lit("-"), _nth(_VARIANTS, low // (1 << 48)), pl.lit("-"), *more]
        return pl.concat_str(parts)

    def _person(self) -> pl.Expr:
        """Return who visits: some come much more often than others."""
        chance = self.noise("person", "visit") % (1 << 20)
        person = chance * chance * self.people // (1 << 40)
        if not self.one_person_half:
            return person
        return pl.when(self.noise("half", "visit") % 2 == 0).then(0).otherwise(person)

    def _stride(self) -> int:
        """Return a step that reaches every row once before it comes back to the first."""
        stride = max(1, int(self.rows * _GOLDEN))
        while gcd(stride, self.rows) > 1:
            stride += 1
        return stride


def _word(number: int) -> pl.Expr:
    return pl.lit(number, dtype=pl.UInt64)


def _nth(values: Sequence[str], number: pl.Expr) -> pl.Expr:
    return pl.lit(pl.Series(values)).gather(number % len(values))
