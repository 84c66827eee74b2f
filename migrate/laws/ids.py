"""A word that means nothing is nobody, and no other time stands for one that cannot be read."""

from collections.abc import Iterator
from typing import Final

from migrate.kit.declare import Options
from migrate.laws.columns import changed
from migrate.laws.outcomes import outcomes
from migrate.laws.sample import Broken, Rows, Sample

_WORDS: Final = ("null", "undefined", "00000000-0000-0000-0000-000000000000", r"\N")
"""Words for nothing, as programs write them."""
_NO_TIME: Final = "soon"


def ids(sample: Sample) -> Iterator[Broken]:
    """Yield columns in which a word for nothing becomes somebody, and tables that pass over a time they cannot read."""
    for of in sample.rows:
        yield from _nobodies(of)
        yield from _times(of)


def _nobodies(of: Rows) -> Iterator[Broken]:
    """Yield the columns in which a word for nothing is taken for an id; all of them are looked at together."""
    options = Options(keep=frozenset(of.table.filters))
    cases = [
        (column, index, word)
        for column in of.table.columns
        for index in range(len(of.rows))
        for word in _WORDS
    ]
    rows = [changed(of.rows[index], (column,), word) for column, index, word in cases]
    done = outcomes(of, rows, options)
    wrong: dict[str, Broken] = {}
    for (column, index, word), events in zip(cases, done.events, strict=True):
        if any(event["distinct_id"] == word for event in events):
            what = (
                f"with '{word}' in '{column}' the event is that of a person called so; name the column in ids"
            )
            wrong.setdefault(column, Broken(of.place(index), what, column))
    yield from wrong.values()
    if of.table.to_links is None or done.linked.isdisjoint(_WORDS):
        return
    for column in (one for one in of.table.columns if one not in wrong):
        its = [row for (name, _, _), row in zip(cases, rows, strict=True) if name == column]
        if not outcomes(of, its, options).linked.isdisjoint(_WORDS):
            what = f"a word for nothing in '{column}' is linked with other ids; name the column in ids"
            yield Broken(of.table.name, what, column)


def _times(of: Rows) -> Iterator[Broken]:
    """Yield rows that become events though none of their times can be read."""
    options = Options(keep=frozenset(of.table.filters))
    rows = []
    for row in of.rows:
        told = dict(row)
        for column in of.table.times:
            told = changed(
                told, tuple(column.split(".", 1)) if column not in of.table.columns else (column,), _NO_TIME
            )
        rows.append(told)
    is_event = [bool(events) for events in outcomes(of, of.rows, options).events]
    for index, events in enumerate(outcomes(of, rows, options).events):
        if events and is_event[index]:
            names = ", ".join(f"'{column}'" for column in of.table.times)
            yield Broken(
                of.place(index),
                f"with '{_NO_TIME}' in {names} it is an event all the same, at {events[0]['timestamp']}: name in times "
                "what its time is read from, and put no other clock in its place"
                if names
                else "times names no column, so that a time which cannot be read is not told from none",
            )
            return
