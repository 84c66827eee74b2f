"""How events lie that are missing for no known reason: whole days, stretches, names or people show where to look."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import polars as pl

from migrate.screen import counted, shortened
from migrate.verifying.ledger import Ledger
from migrate.verifying.progress import Tally
from migrate.verifying.quota import Left
from migrate.verifying.verdict import Cause, Judged

_LEAST: Final = 3
"""Fewer events of a person, or in a row, are no sign."""
_MOST_OF_DAY: Final = 500_000
_SHOWN: Final = 3
_WHY: Final = "missing, and nothing says why"
_OF_DAY: Final = Judged(Cause.UNEXPLAINED, f"{_WHY}: nothing of their day is there")
_SCATTERED: Final = Judged(Cause.UNEXPLAINED, _WHY)


class Lying(NamedTuple):
    """Some of the events that are left of a difference, and how they lie; the rows, where they were looked at."""

    judged: Judged
    left: Left
    events: int
    rows: pl.DataFrame | None


def lying(ledger: Ledger, tally: Tally, left: Sequence[Left], settled: Mapping[str, int]) -> Iterator[Lying]:
    """Yield all that is left, by how it lies; of each day so many events are `settled` otherwise."""
    by_event, by_day = Counter[str](), Counter(settled)
    for one in left:
        by_event[one.one.event] += one.missing
        by_day[one.one.day] += one.missing
    rest: dict[str, list[Left]] = {}
    for one in left:
        if by_event[one.one.event] >= tally.by_event[one.one.event]:
            why = f"{_WHY}: none of '{one.one.event}' is there on any day"
            yield Lying(Judged(Cause.UNEXPLAINED, why), one, one.missing, one.rows)
        elif by_day[one.one.day] >= tally.by_day[one.one.day]:
            yield Lying(_OF_DAY, one, one.missing, one.rows)
        else:
            rest.setdefault(one.one.day, []).append(one)
    yield from _in_rows(ledger, tally, rest)


def _in_rows(ledger: Ledger, tally: Tally, left: dict[str, list[Left]]) -> Iterator[Lying]:
    """Yield what is left, day by day, by how the events themselves lie, where all of them were looked at."""
    scattered: list[Left] = []
    planned, missing = Counter[str](), Counter[str]()
    for day, some in left.items():
        rows = [one.rows for one in some if one.rows is not None and one.rows.height == one.missing]
        if len(rows) < len(some) or tally.by_day[day] > _MOST_OF_DAY:
            scattered += some
            continue
        gone = pl.concat(rows)
        every = ledger.events(day, ledger.of(day), most=_MOST_OF_DAY)
        if stretch := _stretch(every, gone):
            for one in some:
                yield Lying(Judged(Cause.UNEXPLAINED, f"{_WHY}: {stretch}"), one, one.missing, one.rows)
            continue
        scattered += some
        mine = every.filter(pl.col("distinct_id").is_in(gone["distinct_id"].unique().implode()))
        planned.update(mine["distinct_id"].to_list())
        missing.update(gone["distinct_id"].to_list())
    people = sorted(one for one, count in missing.items() if _LEAST <= count >= planned[one])
    some_of = ", ".join(map(shortened, people[:_SHOWN])) + (", …" if len(people) > _SHOWN else "")
    who = f"all that {counted(len(people), 'id')} did on these days ({some_of}), who may be deleted since"
    for one in scattered:
        is_of = pl.col("distinct_id").is_in(people)
        of_people = None if one.rows is None or not people else one.rows.filter(is_of)
        if of_people is None:
            yield Lying(_SCATTERED, one, one.missing, one.rows)
            continue
        yield Lying(Judged(Cause.UNEXPLAINED, f"{_WHY}: {who}"), one, of_people.height, of_people)
        others = one.rows.filter(~is_of) if one.rows is not None else None
        yield Lying(_SCATTERED, one, one.missing - of_people.height, others)


def _stretch(every: pl.DataFrame, gone: pl.DataFrame) -> str:
    """Return from when to when of a day nothing is there, where all that is `gone` lies so; else nothing."""
    begin, end = gone["timestamp"].min(), gone["timestamp"].max()
    between = every.filter(pl.col("timestamp").is_between(pl.lit(begin), pl.lit(end)))
    if gone.height < _LEAST or between.height > gone.height or gone["timestamp"].n_unique() < _LEAST:
        return ""
    first, last = (gone["timestamp"].dt.strftime("%Y-%m-%d %H:%M:%S").sort()[at] for at in (0, -1))
    return f"nothing from {first} to {last} is there"
