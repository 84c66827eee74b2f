"""What a file is looked over for: the columns and keys that its table gathers from, and no others."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from migrate.ahead import ahead
from migrate.kit.declare import POSITION, REST, Bag, Computed, Options, Table, inside
from migrate.plan.bundles import Bundle
from migrate.plan.jobs import Job
from migrate.readers.records import Chunk, regrouped

_CHUNK_ROWS: Final = 65_536
"""What is gathered of a chunk of Mixpanel costs 15 ms by itself, as much as 6,000 of its rows (measured)."""


def gathered(bundle: Bundle, *, limited: bool = False) -> Iterator[Chunk]:
    """Yield what files are looked over for, in large chunks, the next one read while one is in use.

    Records are unfolded only where something is read of their elements, as all rows of a record tell the same of who is
    who; or where rows are `limited`, so that the same rows are counted as when they are planned.
    """
    asked = bundle.job.table.link_columns
    few = Bundle([lean(job, unfolds=limited) for job in bundle.jobs])
    read = (*few.job.table.columns, *few.job.table.computed)
    spent = [] if asked is None else [name for name in read if name not in asked]

    def chunks() -> Iterator[Chunk]:
        for chunk in few.chunks():
            yield replace(chunk, rows=chunk.rows.drop(spent))

    return ahead(regrouped(chunks(), rows=_CHUNK_ROWS))


def lean(job: Job, *, unfolds: bool = False) -> Job:
    """Return a file to be read for the columns and keys its table gathers from, and no others.

    With `unfolds` the column that the table unfolds is read, too.
    """
    table = job.table
    bags = table.bags_under(Options())
    asked = table.link_columns
    wanted = set(
        asked or (*table.columns, *bags, *(name for bag in bags for name in _inside(bag, bags[bag]).values()))
    )
    computed = _computed(table, wanted, is_all=asked is None)
    for name, join in reversed([*table.joins.items()]):
        if not wanted.isdisjoint(inside(name, column) for column in join.columns):
            wanted.add(join.on)
    opened = {
        column: replace(bag, keys=[key for key, name in _inside(column, bag).items() if name in wanted])
        for column, bag in bags.items()
        if not wanted.isdisjoint(_inside(column, bag).values())
    }
    wanted |= {table.unfold} if table.unfold and (unfolds or POSITION in wanted) else set()
    columns = {name: dtype for name, dtype in table.columns.items() if name in wanted or name in opened}
    mine = {name.lower() for name in columns}
    every = {way for name in (*table.columns, *job.header.columns) for way in (name, name.lower())}
    others = {name for name in every if name.lower() not in mine and not _may_hold(opened.get(REST), name)}
    objects = [name for name in table.objects if name in columns and name not in opened]
    return replace(
        job,
        table=replace(
            table,
            columns=columns,
            objects=objects,
            bags=opened,
            neighbours=None,
            computed=computed,
            properties=(),
            dropped=table.dropped | others,
        ),
    )


def _may_hold(rest: Bag | None, column: str) -> bool:
    """Return whether an undeclared column may be one of those that are asked for in the rest."""
    if rest is None:
        return False
    return rest.read is not None or column in rest.keys or (rest.name or str)(column) in rest.keys


def _computed(table: Table, wanted: set[str], *, is_all: bool) -> dict[str, Computed]:
    """Return the columns to compute, and add to what is wanted the columns that they are computed of."""
    found = {}
    for name, one in reversed([*table.computed.items()]):
        if is_all or name in wanted:
            found[name] = one
            wanted.update(one.asked())
    return {name: found[name] for name in reversed([*found])}


def _inside(column: str, bag: Bag) -> dict[str, str]:
    """Return key -> the column of rows it becomes."""
    return {key: inside(column, key) for key in bag.keys}
