"""Rows → their columns: the type of each, how much of it is filled, an example, and what it could be of an event."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from migrate.inspection.clocks import Clock, clock_of
from migrate.inspection.roles import ORDER, Role, What, roles
from migrate.inspection.values import (
    TIMES,
    Type,
    Value,
    is_float_like,
    kind_of,
    means_nothing,
    type_of,
    unix_of,
)

Row = Mapping[str, Value]
"""A row's values by column, those that are there."""
_NUMBERS: Final = {"whole number", "number"}


@dataclass(frozen=True, kw_only=True)
class Column:
    """What is known of a column by the rows that were looked at."""

    name: str
    type: Type
    rows: int
    """So many rows were looked at."""
    values: int
    """So many of them have something in it that is no word for nothing."""
    distinct: int
    """So many different values they have."""
    estimate: int | None = None
    """About so many different ones all rows have; None where that cannot be said."""
    example: str | None = None
    """The first value, whole: it is somebody's, and shortened where it is shown."""
    odd: int = 0
    """How many values are of another kind than the column's type."""
    words: int = 0
    """How many values are a word for nothing: `NULL`, `undefined`."""
    float_like: int = 0
    """How many are whole numbers written as floats: `123.0`."""
    clock: Clock | None = None
    """Of a column of times: when they are."""
    roles: tuple[Role, ...] = field(default=())
    """What it could be of an event, what most speaks for first."""

    @property
    def filled(self) -> float:
        """The share of rows that have something in it."""
        return self.values / self.rows if self.rows else 0.0

    def role(self, what: What) -> Role | None:
        """Return the guess that it is this of an event."""
        return next((one for one in self.roles if one.what == what), None)


def columns_of(names: Iterable[str], rows: Sequence[Row], whole: float | None = None) -> list[Column]:
    """Return the columns of these names, and those that rows have beside them, in order.

    `whole`: how many rows there are about, where not all of them were looked at, by which values are estimated.
    """
    every = dict.fromkeys([*names, *(name for row in rows for name in row)])
    found = [column_of(name, [row[name] for row in rows if name in row], len(rows), whole) for name in every]
    return [replace(one, roles=some) for one, some in zip(found, roles(found), strict=True)]


def chosen(columns: Sequence[Column]) -> dict[What, list[Column]]:
    """Return the columns that could be each part of an event, the one to take first."""
    found: dict[What, list[Column]] = {}
    for what in ORDER:
        some = [(role.weight, one) for one in columns if (role := one.role(what))]
        found[what] = [one for _, one in sorted(some, key=lambda pair: -pair[0])]
    return found


def column_of(name: str, values: Sequence[Value], rows: int, whole: float | None = None) -> Column:
    """Return a column of these values in so many rows, without what it could be."""
    filled = [one for one in values if one.text and not _is_word(one)]
    counted = Counter(one.text for one in filled)
    forms = Counter(one.form for one in filled)
    kind, odd = type_of(Counter(map(kind_of, filled)), forms)
    if kind in _NUMBERS and not odd and (unix := _unix(name, filled)):
        kind = unix
    clock = clock_of([one.text for one in filled], kind) if kind in TIMES else None
    return Column(
        name=name,
        type=kind,
        rows=rows,
        values=len(filled),
        distinct=len(counted),
        estimate=_estimate(counted, whole and whole * len(filled) / max(rows, 1), len(filled)),
        example=filled[0].text if filled else None,
        odd=odd,
        words=sum(bool(one.text) for one in values) - len(filled),
        float_like=sum(is_float_like(one.text) for one in filled if one.form != "number"),
        clock=clock,
    )


def _is_word(value: Value) -> bool:
    return value.form == "text" and means_nothing(value.text)


def _unix(name: str, values: Sequence[Value]) -> Type | None:
    """Return which Unix times the numbers of a column are, if any; ids may be as large, and are not called so."""
    if any(word in name.lower() for word in ("id", "key", "phone", "amount", "price")) or not values:
        return None
    numbers = [float(one.text) for one in values]
    return unix_of(min(numbers), max(numbers))


def _estimate(counted: Mapping[str, int], whole: float | None, seen: int) -> int | None:
    """Return how many different values there are about, by how many were seen once and twice (Chao 1984)."""
    if whole is None:
        return None
    if len(counted) == seen:
        return round(max(whole, seen))
    once, twice = (sum(count == number for count in counted.values()) for number in (1, 2))
    unseen = once * (once - 1) / (2 * (twice + 1))
    return round(min(len(counted) + unseen, max(whole, seen)))
