"""No column is lost without a word: what a row says changes what becomes of it, or is dropped by name.

Each value is taken away in turn, and what nobody misses is tried again: with other words in its place, and beside rows
in which other columns are empty, as a column may only count then.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from migrate.kit.declare import REST, Options, Table
from migrate.laws.outcomes import outcomes
from migrate.laws.sample import Broken, Row, Rows, Sample

_FEW: Final = 3
"""Rows that are looked at without each other column."""
_PROBE: Final = "zz_probe"
"""A name that no table declares."""
_WORDS: Final = (
    *("probe", "7", "true", "2024-04-01T11:00:00Z", "1711969200000", "203.0.113.9", "DE", "en-US", "Safari"),
    *("iPhone", "Windows", '{"k":"v"}', '["a","b"]', "https://p.example/x?utm_source=q#h"),
)
"""What a cell may hold; of a column that is looked at one of them makes a difference."""

Pair = tuple[Row, Row]
"""A row with something in a column, and without."""


def columns(sample: Sample) -> Iterator[Broken]:
    """Yield the columns, and the keys of objects, that are lost without a word."""
    for of in sample.rows:
        options = Options(keep=frozenset(of.table.filters))
        places = dict.fromkeys(place for row in of.rows for place in _places(row, of.table))
        left = [place for place in places if not _is_dropped(place, of.table)]
        left += [(name,) for name in of.table.columns if not _is_known(name, places, of.table)]
        left = _unmissed(of, left, _taken, options)
        for step in (_replaced, _beside):
            left = [
                place
                for place in _unmissed(of, left, step, options)
                if not _is_told(of, [*step(of.rows, place)], options)
            ]
        for place in left:
            name = ".".join(place)
            yield Broken(
                of.table.name,
                f"'{name}' says something in {_where(of, place)}, and nothing becomes of it: make it a property (in "
                "properties, rename or extra), or drop it by name (dropped, or rename to None)",
                name,
            )
        yield from _undeclared(of, options)


def _undeclared(of: Rows, options: Options) -> Iterator[Broken]:
    """Yield where a column or a key that nobody has declared would be lost."""
    left_out = of.table.left_out
    objects = [name for name in (*of.table.objects, *of.table.bags_under(options)) if name != REST]
    places = [(_PROBE,), *((name, _PROBE) for name in dict.fromkeys(objects))]
    for place in places:
        if len(place) == 1 and left_out is not None and left_out(_PROBE):
            continue
        rows = [row for row in of.rows if len(place) == 1 or _object(_cell(row, place[0])) is not None]
        pairs = [(changed(row, place, "probe"), row) for row in rows]
        if pairs and not _is_missed(of, [pairs], options)[0]:
            where = f"a key of '{place[0]}'" if len(place) > 1 else "a column"
            way = f"'{place[0]}'" if len(place) > 1 else "REST"
            yield Broken(
                of.table.name,
                f"{where} that the mapping does not name is lost: put {way} into properties, or say left_out=bool, so "
                "that it is counted",
                ".".join(place),
            )


def _unmissed(
    of: Rows,
    places: Sequence[tuple[str, ...]],
    step: Callable[[Sequence[Row], tuple[str, ...]], Iterable[Pair]],
    options: Options,
) -> list[tuple[str, ...]]:
    """Return the places of which no pair of rows that a step makes becomes two different things."""
    if not places:
        return []
    missed = _is_missed(of, [[*step(of.rows, place)] for place in places], options)
    return [place for place, is_missed in zip(places, missed, strict=True) if not is_missed]


def _is_missed(of: Rows, sets: Sequence[Sequence[Pair]], options: Options) -> list[bool]:
    """Return of each set whether any of its pairs becomes two different things; all are looked at together."""
    rows = [row for pairs in sets for pair in pairs for row in pair]
    found = iter(outcomes(of, rows, options).of_rows)
    differing = [[next(found) != next(found) for _ in pairs] for pairs in sets]
    return [any(one) for one in differing]


def _is_told(of: Rows, pairs: Sequence[Pair], options: Options) -> bool:
    """Return whether rows with a column tell something together that rows without it do not."""
    having, without = (outcomes(of, [pair[side] for pair in pairs], options).together for side in (0, 1))
    return having != without


def _taken(rows: Sequence[Row], place: tuple[str, ...]) -> Iterator[Pair]:
    """Yield rows as they are, and without what stands there."""
    yield from ((row, changed(row, place, None)) for row in rows if _at(row, place) is not None)


def _replaced(rows: Sequence[Row], place: tuple[str, ...]) -> Iterator[Pair]:
    """Yield rows with each of some words there, and without."""
    for row in rows:
        without = changed(row, place, None)
        yield from ((changed(row, place, word), without) for word in _WORDS)


def _beside(rows: Sequence[Row], place: tuple[str, ...]) -> Iterator[Pair]:
    """Yield the same rows, each without one other column."""
    bare = [
        {name: value for name, value in row.items() if name != other} for row in rows[:_FEW] for other in row
    ]
    yield from _taken(bare, place)
    yield from _replaced(bare, place)


def _places(row: Row, table: Table) -> Iterator[tuple[str, ...]]:
    """Yield what a row says: its columns, and of those that hold objects the keys."""
    opened = {name.lower() for name in (*table.objects, *table.bags_under(Options()))}
    for name, value in row.items():
        members = _object(value) if name.lower() in opened else None
        if members is not None:
            yield from ((name, key) for key, member in members.items() if member is not None)
        elif value not in (None, ""):
            yield (name,)


def _is_dropped(place: tuple[str, ...], table: Table) -> bool:
    """Return whether something is dropped by name."""
    name = place[-1]
    bag = table.bags_under(Options()).get(place[0])
    drops = bag.drops if bag is not None and len(place) > 1 else frozenset(table.drops([name]))
    return name in drops or table.rename.get(name, name) is None


def _is_known(name: str, places: Iterable[tuple[str, ...]], table: Table) -> bool:
    """Return whether a declared column is tried already, or need not be."""
    opened = {*table.objects, *table.bags_under(Options())}
    return name in opened or _is_dropped((name,), table) or name.lower() in {one[0].lower() for one in places}


def changed(row: Row, place: tuple[str, ...], value: object) -> dict[str, Any]:
    """Return a row with something else in a column, or under a key of an object in one; None takes it away."""
    name, *keys = place
    known = next((one for one in row if one.lower() == name.lower()), name)
    if keys:
        cell = row.get(known)
        members = {key: one for key, one in (_object(cell) or {}).items() if key != keys[0]}
        members |= {} if value is None else {keys[0]: value}
        return {**row, known: json.dumps(members) if isinstance(cell, str) else members}
    others = {key: one for key, one in row.items() if key != known}
    return {known: value, **others} if value is not None else others


def _cell(row: Row, name: str) -> object:
    """Return what stands in a column, in whatever case it is spelled."""
    return next((value for one, value in row.items() if one.lower() == name.lower()), None)


def _at(row: Row, place: tuple[str, ...]) -> object:
    """Return what stands at a place."""
    cell = _cell(row, place[0])
    return cell if len(place) == 1 else (_object(cell) or {}).get(place[1])


def _object(cell: object) -> Mapping[str, Any] | None:
    """Return the object in a cell, None where there is none."""
    if isinstance(cell, Mapping):
        return cell
    if not isinstance(cell, str) or not cell.lstrip().startswith("{"):
        return None
    try:
        found = json.loads(cell)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _where(of: Rows, place: tuple[str, ...]) -> str:
    """Return the first row that says something there."""
    index = next((index for index, row in enumerate(of.rows) if _at(row, place) is not None), None)
    return "no row of the sample, but in others" if index is None else of.place(index)
