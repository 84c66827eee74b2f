"""From which columns of the source a mapping makes a property: a few rows are mapped without each of their columns.

What an expression of a mapping reads cannot be asked of it: it goes by columns that the mapping makes on its way, and
by functions. But a mapping is pure: what is another without a column is made of that column.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

import msgspec
import polars as pl

from migrate.kit.declare import FILE, OURS, REST, ROW
from migrate.kit.schemas import typed
from migrate.plan.finished import informed
from migrate.plan.transform import Transform
from migrate.workdir.looks import Look

_ENOUGH: Final = 200
"""Events, at the least: a mapping takes a tenth of a second for however few rows."""
_NAMES: Final = 6
"""A row of so many event names is looked at,"""
_FIRST: Final = 2
"""and so many of the first rows."""
_MOST: Final = 1_000
"""Of rows with very many columns fewer are: so many in all, each without one of them."""
_WITHOUT: Final = "(without)"
_BAGS: Final = {"extra": "", "set": "$set.", "set_once": "$set_once.", "groups": "$groups."}
"""Columns of the event frame that hold what is computed, and how the names of what is in them begin in a report."""
_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def trace(look: Look, rows: pl.DataFrame, frame: pl.DataFrame, transform: Transform) -> None:
    """Note from which columns the computed properties of some of these rows come; the events `frame` is of them."""
    if frame.height < _ENOUGH:
        return
    firsts = frame.unique("event", keep="first", maintain_order=True).head(_NAMES)
    places = pl.concat([firsts["row"], frame["row"].head(_FIRST)]).unique().implode()
    few = informed(rows.filter(pl.col(ROW).is_in(places)), transform)
    columns = [
        name for name in few.columns if name not in {*OURS, FILE} and few[name].null_count() < few.height
    ]
    few = few.head(max(1, _MOST // max(1, len(columns))))
    given = {name: few[name].is_not_null().arg_true().to_list() for name in columns}
    without = [(place, name) for name, places in given.items() for place in places]
    whole = few[[*range(few.height), *(place for place, _ in without)]].with_columns(
        pl.Series(_WITHOUT, [None] * few.height + [name for _, name in without], pl.String),
        pl.int_range(pl.len(), dtype=pl.Int64).alias(ROW),
    )
    taken = whole.with_columns(
        pl.when(pl.col(_WITHOUT).ne_missing(name)).then(name).alias(name) for name in columns
    )
    try:
        made = transform.table.to_events(taken.drop(_WITHOUT).lazy(), transform.options)
        told = _told(typed(made.collect()))
    except (Exception, pl.exceptions.PanicException):  # noqa: BLE001 - whatever a mapping raises of rows nobody has
        return
    texts = few.select(pl.col(columns).cast(pl.String, strict=False)).to_dict(as_series=False)
    sources, other = defaultdict[str, set[str]](set), set[str]()
    for number, (place, column) in enumerate(without, few.height):
        for name, value in told[place].items():
            if told[number].get(name) != value:
                sources[name].add(column)
                if value != texts[column][place]:
                    other.add(name)
    for name, found in sources.items():
        shown = {column.removeprefix(f"{REST}.") for column in found}
        if not all(column == name or column.endswith(f".{name}") for column in shown):
            into = look.made if len(found) > 1 or name in other else look.renamed
            into.setdefault(_called(name, transform), set()).update(shown)


def _called(name: str, transform: Transform) -> str:
    """Return what the user's rules call a property."""
    return name if transform.ruling is None else transform.ruling.renames.get(name, name)


def _told(frame: pl.DataFrame) -> Mapping[int, Mapping[str, str]]:
    """Return what is computed of each row, as text."""
    found = defaultdict[int, dict[str, str]](dict)
    for bag, begins in _BAGS.items():
        column = frame[bag]
        if isinstance(column.dtype, pl.Struct):
            for one in column.struct.unnest().get_columns():
                name = f"{begins}{one.name}"
                for row, value in zip(frame[ROW], one, strict=True):
                    if value is not None:
                        found[row][name] = str(value)
        elif column.dtype == pl.String:
            for row, text in zip(frame[ROW], column, strict=True):
                for name, value in (_OBJECT.decode(text) if text else {}).items():
                    found[row][f"{begins}{name}"] = bytes(value).decode().strip('"')
    return found
